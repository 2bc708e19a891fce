//! What a preview of a deletion counts: everything of users who have little, and no more than it says of those who have much.

use headwater_operations::deletion::{self, MOST_COUNTED, Preview};
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::{Action, ConversationDeletion, Data, DeletionPlan, Effect};
use storage::Tx;
use storage::erase::Tally;

use crate::deletion::{HARD, SOFT, wish};
use crate::growth::rows_read;
use crate::stage::Stage;

const MANY: u64 = MOST_COUNTED + 50;

fn exactly(count: u64) -> Tally {
    Tally { count, at_least: false }
}

fn at_least(count: u64) -> Tally {
    Tally { count, at_least: true }
}

fn tally(preview: &Preview, data: Data) -> Tally {
    let forecast = preview.forecasts.iter().find(|forecast| forecast.data == data);
    forecast.map_or(exactly(0), |forecast| forecast.tally)
}

/// Numbers from 1 to so many, as a table `numbers (n)`.
fn numbers(most: u64) -> String {
    format!("WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {most}) ")
}

impl Stage {
    /// Has a user write so many messages in a channel, with attachments, each with two answers of bob and one of its own.
    async fn write_much(&self, name: &str, channel: &str, messages: u64) {
        let (key, bob) = (self.key_of(name).await, self.key_of("bob").await);
        let answer = |by: i64, kind: &str| {
            format!(
                "INSERT INTO reactions (message, \"user\", type, score, custom, created_at, updated_at) \
                 SELECT key, {by}, '{kind}', 1, '{{}}', 1, 1 FROM messages WHERE \"user\" = {key}"
            )
        };
        self.run_all(vec![
            format!(
                "{}INSERT INTO messages (app, id, channel, \"user\", type, text, attachments, custom, shadowed, \
                     created_at, updated_at, cause) \
                 SELECT 1, '{name}-' || CAST(n AS TEXT), (SELECT key FROM channels WHERE id = '{channel}'), {key}, \
                     'regular', 'x', '[{{\"type\":\"image\"}}]', '{{}}', 0, 1, 1, 0 FROM numbers",
                numbers(messages)
            ),
            format!(
                "UPDATE channels SET message_count = message_count + {messages} WHERE id = '{channel}'"
            ),
            answer(key, "like"),
            answer(bob, "like"),
            answer(bob, "wow"),
        ])
        .await;
    }

    /// Has a user register so many devices, whatever the rule says.
    async fn register_many(&self, name: &str, devices: u64) {
        let key = self.key_of(name).await;
        self.run_all(vec![format!(
            "{}INSERT INTO devices (app, id, \"user\", provider, voip, created_at) \
             SELECT 1, '{name}-' || CAST(n AS TEXT), {key}, 'apn', 0, 1 FROM numbers",
            numbers(devices)
        )])
        .await;
    }

    async fn previews(&self, names: &[&str], plan: DeletionPlan) -> Vec<Preview> {
        let command = wish(names, plan);
        self.write(Action::DeleteUser, move |tx, ctx| deletion::preview(tx, ctx, &command)).await.unwrap()
    }
}

async fn much_is_not_counted_to_its_end(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "alice", "few"]).await;
    stage.channel("pair", "bob", &["alice", "bob"]).await;
    stage.channel("group", "bob", &["alice", "bob", "few"]).await;
    stage.write_much("alice", "pair", MANY).await;
    stage.register_many("alice", MANY).await;
    stage.register_many("few", MOST_COUNTED).await;
    stage.write_much("few", "group", 3).await;
    let previews = stage.previews(&["alice", "few"], HARD).await;
    let most = at_least(MOST_COUNTED);
    for (data, much, few) in [
        (Data::Devices, most, exactly(MOST_COUNTED)),
        (Data::Messages, most, exactly(3)),
        (Data::Attachments, most, exactly(3)),
        (Data::Reactions, most, exactly(3)),
        (Data::Memberships, exactly(2), exactly(1)),
        (Data::Conversations, exactly(1), exactly(0)),
        // The channel knows how many there are.
        (Data::ConversationMessages, exactly(MANY), exactly(0)),
        (Data::ReactionsReceived, at_least(tally(&previews[0], Data::ReactionsReceived).count), exactly(6)),
        (Data::Profile, exactly(1), exactly(1)),
    ] {
        assert_eq!((tally(&previews[0], data), tally(&previews[1], data)), (much, few), "{data:?}");
    }
    // Two of three answers are of somebody else.
    let received = tally(&previews[0], Data::ReactionsReceived).count;
    assert!((MOST_COUNTED / 2..=MOST_COUNTED).contains(&received), "{received}");
}

async fn of_many_users_less_is_counted_of_each(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..100).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    stage.register_many("u7", 1001).await;
    stage.register_many("u8", 1000).await;
    let previews = stage.previews(&names, HARD).await;
    let devices = |place: usize| tally(&previews[place], Data::Devices);
    assert_eq!((devices(6), devices(7), devices(8)), (exactly(0), at_least(1000), exactly(1000)));
    assert_eq!(tally(&stage.previews(&["u7", "u8"], HARD).await[0], Data::Devices), exactly(1001));
}

async fn what_others_have_written_goes_with_conversations_alone(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    stage.channel("pair", "bob", &["alice", "bob"]).await;
    stage.channel("group", "bob", &["alice", "bob", "carol"]).await;
    for (channel, author, message) in [
        ("pair", "alice", "hers"),
        ("pair", "bob", "his"),
        ("pair", "bob", "his-too"),
        ("group", "bob", "in-group"),
    ] {
        stage.write_message(channel, author, message).await;
    }
    for (conversations, expected) in [
        (None, None),
        (Some(ConversationDeletion::Soft), None),
        (Some(ConversationDeletion::Hard), Some((Effect::Removed, exactly(3)))),
    ] {
        let plan = DeletionPlan { conversations, ..SOFT };
        let check = async |when: &str| {
            let preview = stage.previews(&["alice"], plan).await.remove(0);
            let forecast =
                preview.forecasts.iter().find(|forecast| forecast.data == Data::ConversationMessages);
            let found = forecast.map(|forecast| (forecast.effect, forecast.tally));
            assert_eq!(found, expected, "{conversations:?}, {when}");
        };
        check("before").await;
        if conversations == Some(ConversationDeletion::Soft) {
            stage.delete_users(wish(&["alice"], plan)).await.unwrap();
            stage.store.run_tasks().await;
            check("hidden").await;
        }
    }
}

async fn a_preview_costs_no_more_statements_for_many(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..100).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    let mut counts = Vec::new();
    for some in [&names[..1], &names] {
        let command = wish(some, HARD);
        let preview = move |tx: &mut Tx<'_>, ctx: &Ctx| deletion::preview(tx, ctx, &command).map(drop);
        let counted: Result<((), u32), Error> = stage.counted(Action::DeleteUser, preview).await;
        counts.push(counted.unwrap().1);
    }
    assert_eq!(counts, [4, 4], "the users, how they are deleted so far, and two counts");
}

/// Even where one user has made all that there is, so that every row might be hers, PostgreSQL reads what it counts and no more.
#[tokio::test]
async fn what_is_not_counted_is_not_read() {
    const MADE: usize = 30_000;
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(1).await;
    stage.create(&["bob", "alice", "few"]).await;
    let (alice, bob) = (stage.key_of("alice").await, stage.key_of("bob").await);
    let fill = [
        format!(
            "INSERT INTO channels (app, type, id, team, created_by, custom, member_count, message_count, created_at, \
                 updated_at, cause) SELECT 1, 'messaging', n::text, '', {alice}, '{{}}', 2, 1, 1, 1, 0 \
             FROM GENERATE_SERIES(1, {MADE}) AS n"
        ),
        format!(
            "INSERT INTO channel_members (channel, \"user\", role, custom, created_at, updated_at) \
             SELECT key, {alice}, 'channel_member', '{{}}', 1, 1 FROM channels"
        ),
        format!(
            "INSERT INTO messages (app, id, channel, \"user\", type, text, attachments, custom, shadowed, created_at, \
                 updated_at, cause) SELECT 1, id, key, {alice}, 'regular', 'x', '[]', '{{}}', 0, 1, 1, 0 FROM channels"
        ),
        format!(
            "INSERT INTO reactions (message, \"user\", type, score, custom, created_at, updated_at) \
             SELECT key, {bob}, 'like', 1, '{{}}', 1, 1 FROM messages"
        ),
        format!(
            "INSERT INTO log_person (log, \"user\") SELECT n, {alice} FROM GENERATE_SERIES(1, {MADE}) AS n \
             ON CONFLICT DO NOTHING"
        ),
        "ANALYZE".to_owned(),
    ];
    let database = stage.store.database().unwrap();
    database.run(&fill.iter().map(String::as_str).collect::<Vec<_>>());
    database.run(&["SELECT pg_stat_reset()"]);
    for names in [&["few"][..], &["few"], &["alice"], &["few"], &["few", "bob"]] {
        let (command, ctx) = (wish(names, HARD), stage.ctx(Action::DeleteUser));
        stage.store.read(move |tx| deletion::preview(tx, &ctx, &command)).await.unwrap();
    }
    let read = rows_read(&stage.store);
    let most = i64::try_from(2 * MOST_COUNTED + 1000).unwrap();
    for table in ["messages", "channels", "channel_members", "reactions", "log_person"] {
        // bob has the reactions to her messages, and for hers they are asked for as well.
        let most = if table == "reactions" { 2 * most } else { most };
        assert!((1..most).contains(&read[table]), "{table}: {read:?}");
    }
}

on_each_engine!(
    much_is_not_counted_to_its_end,
    of_many_users_less_is_counted_of_each,
    what_others_have_written_goes_with_conversations_alone,
    a_preview_costs_no_more_statements_for_many,
);
