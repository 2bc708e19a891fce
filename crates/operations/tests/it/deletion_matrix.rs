//! Every cell of the table of deletions (semantics 10.9), on each engine: a person with data of every kind for each legal wish,
//! and what becomes of each kind.

use std::fmt::Write as _;

use headwater_operations::{deletion, erasure};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, ConversationDeletion, Custom, Data, DeleteUsers, DeletionPlan, Effect, MessageDeletion, Profile,
    UserDeletion,
};
use serde_json::json;
use storage::Sql;

use crate::stage::{Stage, id};

/// When files of exports expire: after every test.
const LATER: i64 = i64::MAX;

/// The rows of a kind that are of the person with this key and number: a table, and which of it.
fn rows_of(data: Data, key: i64, number: usize) -> String {
    match data {
        Data::Conversations => format!("channels WHERE id = 'pair-{number}'"),
        Data::ConversationMessages => format!("messages WHERE id = 'in-{number}'"),
        Data::Messages => format!("messages WHERE id = 'of-{number}'"),
        Data::ReactionsReceived => format!(
            "reactions WHERE \"user\" <> {key} AND message IN (SELECT key FROM messages WHERE id = 'of-{number}')"
        ),
        Data::Attachments => format!("messages WHERE id = 'of-{number}' AND attachments <> '[]'"),
        Data::Reactions => format!("reactions WHERE \"user\" = {key}"),
        Data::Memberships => format!("channel_members WHERE \"user\" = {key}"),
        Data::ChannelsMade => format!("channels WHERE created_by = {key}"),
        Data::Devices => format!("devices WHERE \"user\" = {key}"),
        Data::PushPreferences => format!("push_preferences WHERE \"user\" = {key}"),
        Data::Mutes => format!("user_mutes WHERE \"user\" = {key}"),
        Data::MutesReceived => format!("user_mutes WHERE target = {key}"),
        Data::Blocks => format!("user_blocks WHERE \"user\" = {key}"),
        Data::BlocksReceived => format!("user_blocks WHERE blocked = {key}"),
        Data::Bans => format!("bans WHERE \"user\" = {key}"),
        Data::BansGiven => format!("bans WHERE banned_by = {key}"),
        Data::FlagsMade => format!("flags WHERE \"user\" = {key}"),
        Data::FlagsReceived => format!("flags WHERE creator = {key}"),
        Data::GroupMemberships => format!("user_group_members WHERE \"user\" = {key}"),
        Data::GroupsMade => format!("user_groups WHERE created_by = {key}"),
        Data::Profile => format!("users WHERE key = {key}"),
        Data::Log => format!("log_person WHERE \"user\" = {key}"),
        Data::Exports => format!("export_chunks WHERE \"user\" = {key}"),
        // There are none yet.
        Data::Calls => "users WHERE key < 0".to_owned(),
    }
}

/// The rows that are there no less when they are not the person's any more, and what that is.
fn rows_left(data: Data, number: usize) -> Option<(Effect, String)> {
    Some(match data {
        Data::ChannelsMade => {
            let owned = "created_by IS NULL AND owner LIKE 'delete-user-%'";
            (Effect::PassedOn, format!("channels WHERE id = 'group-{number}' AND {owned}"))
        }
        Data::BansGiven => {
            (Effect::Unnamed, format!("bans WHERE channel = 'by-{number}' AND banned_by IS NULL"))
        }
        Data::GroupsMade => {
            (Effect::Unnamed, format!("user_groups WHERE id = 'made-{number}' AND created_by IS NULL"))
        }
        Data::Log => (Effect::Emptied, "log WHERE sequence > 0".to_owned()),
        _ => return None,
    })
}

/// How rows of a kind look that are emptied, or marked.
fn looks(data: Data) -> &'static [(Effect, &'static str)] {
    match data {
        Data::Conversations => &[(Effect::Marked, "deleted_at IS NOT NULL")],
        Data::Messages => &[
            (
                Effect::Emptied,
                "deleted_at IS NOT NULL AND text = '' AND custom = '{}' AND attachments = '[]'",
            ),
            (Effect::Marked, "deleted_at IS NOT NULL"),
        ],
        Data::Profile => &[
            (Effect::Emptied, "deleted_at IS NOT NULL AND name IS NULL AND image IS NULL AND custom = '{}'"),
            (Effect::Marked, "deleted_at IS NOT NULL"),
        ],
        _ => &[],
    }
}

/// The statements that give the person with this key and number something of every kind, together with two others.
fn belongings(key: i64, number: usize, bob: i64, carol: i64) -> Vec<String> {
    let ban = "INSERT INTO bans (app, \"user\", channel, banned_by, shadow, ip_ban, created_at)";
    let flag =
        "INSERT INTO flags (app, \"user\", entity_type, entity_id, creator, item, created_at, updated_at)";
    let channel = "INSERT INTO channels (app, type, id, team, created_by, custom, member_count, message_count, created_at, \
                   updated_at, cause)";
    let message = "INSERT INTO messages (app, id, channel, \"user\", type, text, attachments, custom, shadowed, created_at, \
                   updated_at, cause)";
    let reaction =
        "INSERT INTO reactions (message, \"user\", type, score, custom, created_at, updated_at) SELECT key,";
    let group = "INSERT INTO reaction_groups (message, type, count, score, first_at, last_at)";
    let member = |user: i64, id: &str| {
        format!(
            "INSERT INTO channel_members (channel, \"user\", role, custom, created_at, updated_at) \
             SELECT key, {user}, 'channel_member', '{{}}', 1, 1 FROM channels WHERE id = '{id}-{number}'"
        )
    };
    let chunk = |sequence: i64, user: i64| {
        format!(
            "INSERT INTO export_chunks (file, sequence, \"user\", lines) \
             SELECT key, {sequence}, {user}, 'lines' FROM export_files WHERE name = 'file-{number}'"
        )
    };
    vec![
        format!(
            "INSERT INTO devices (app, id, \"user\", provider, voip, created_at) VALUES (1, 'device-{number}', {key}, 'apn', 0, 1)"
        ),
        format!(
            "INSERT INTO push_preferences (\"user\", channel, preferences, updated_at) VALUES ({key}, '', '{{}}', 1)"
        ),
        format!(
            "INSERT INTO user_mutes (\"user\", target, created_at, updated_at) VALUES ({key}, {bob}, 1, 1)"
        ),
        format!(
            "INSERT INTO user_mutes (\"user\", target, created_at, updated_at) VALUES ({bob}, {key}, 1, 1)"
        ),
        format!("INSERT INTO user_blocks (\"user\", blocked, created_at) VALUES ({key}, {bob}, 1)"),
        format!("INSERT INTO user_blocks (\"user\", blocked, created_at) VALUES ({bob}, {key}, 1)"),
        format!("{ban} VALUES (1, {key}, '', {bob}, 0, 0, 1)"),
        format!("{ban} VALUES (1, {bob}, 'by-{number}', {key}, 0, 0, 1)"),
        format!("{flag} VALUES (1, {key}, 'photo', 'photo-{number}', {bob}, 'item', 1, 1)"),
        format!("{flag} VALUES (1, {bob}, 'stream:user', 'user-{number}', {key}, 'item', 1, 1)"),
        format!(
            "INSERT INTO user_groups (app, id, team, name, name_folded, created_by, created_at, updated_at) \
             VALUES (1, 'made-{number}', '', 'g', 'g', {key}, 1, 1)"
        ),
        format!(
            "INSERT INTO user_group_members (\"group\", \"user\", is_admin, created_at) \
             SELECT key, {key}, 0, 1 FROM user_groups WHERE id = 'made-{number}'"
        ),
        format!("{channel} VALUES (1, 'messaging', 'pair-{number}', '', {bob}, '{{}}', 2, 1, 1, 1, 0)"),
        format!("{channel} VALUES (1, 'messaging', 'group-{number}', '', {key}, '{{}}', 3, 2, 1, 1, 0)"),
        member(key, "pair"),
        member(bob, "pair"),
        member(key, "group"),
        member(bob, "group"),
        member(carol, "group"),
        format!(
            "{message} SELECT 1, 'of-{number}', key, {key}, 'regular', 'hello', '[{{\"type\":\"image\"}}]', '{{\"a\":1}}', \
             0, 1, 1, 0 FROM channels WHERE id = 'group-{number}'"
        ),
        format!(
            "{message} SELECT 1, 'to-{number}', key, {bob}, 'regular', 'hello', '[]', '{{}}', 0, 1, 1, 0 \
             FROM channels WHERE id = 'group-{number}'"
        ),
        format!(
            "{message} SELECT 1, 'in-{number}', key, {bob}, 'regular', 'hello', '[]', '{{}}', 0, 1, 1, 0 \
             FROM channels WHERE id = 'pair-{number}'"
        ),
        format!("{reaction} {bob}, 'like', 1, '{{}}', 1, 1 FROM messages WHERE id = 'of-{number}'"),
        format!("{reaction} {key}, 'like', 1, '{{}}', 1, 1 FROM messages WHERE id = 'to-{number}'"),
        format!(
            "INSERT INTO export_files (app, name, task, created_at, expires_at) \
             VALUES (1, 'file-{number}', 'task-{number}', 1, {LATER})"
        ),
        chunk(0, key),
        chunk(1, bob),
        format!(
            "{group} SELECT key, 'like', 1, 1, 1, 1 FROM messages WHERE id IN ('of-{number}', 'to-{number}')"
        ),
    ]
}

impl Stage {
    pub(crate) async fn count_of(&self, rows: String) -> i64 {
        let sql = Sql::new(format!("SELECT COUNT(*) FROM {rows}").leak());
        let read = self.store.read(move |tx| tx.query(sql, &[], |row| row.integer(0)));
        let found: Result<Vec<i64>, storage::Error> = read.await;
        found.unwrap()[0]
    }

    pub(crate) async fn key_of(&self, name: &str) -> i64 {
        let sql = Sql::new(format!("SELECT key FROM users WHERE id = '{name}'").leak());
        let read = self.store.read(move |tx| tx.query(sql, &[], |row| row.integer(0)));
        let found: Result<Vec<i64>, storage::Error> = read.await;
        found.unwrap()[0]
    }

    pub(crate) async fn run_all(&self, statements: Vec<String>) {
        let written = self.store.write(move |tx| {
            statements.iter().try_for_each(|text| tx.execute(Sql::new(text.clone().leak()), &[]).map(drop))
        });
        let written: Result<(), storage::Error> = written.await;
        written.unwrap();
    }

    /// Makes a person with something of every kind, together with bob and carol.
    pub(crate) async fn make_person(&self, name: &str, number: usize) -> i64 {
        let custom = json!({"color": "blue"});
        let profile = Profile {
            name: Some(format!("Person {number}")),
            custom: Custom::from_stored(custom.as_object().cloned().unwrap()),
            ..Profile::default()
        };
        self.upsert(vec![(id(name), profile)]).await.unwrap();
        let key = self.key_of(name).await;
        self.run_all(belongings(key, number, self.key_of("bob").await, self.key_of("carol").await)).await;
        key
    }

    /// What has become of the data of the person with this key and number.
    async fn effect_on(&self, data: Data, key: i64, number: usize) -> Effect {
        let rows = rows_of(data, key, number);
        if self.count_of(rows.clone()).await == 0 {
            return match rows_left(data, number) {
                Some((effect, left)) if self.count_of(left.clone()).await > 0 => effect,
                _ => Effect::Removed,
            };
        }
        for (effect, look) in looks(data) {
            if self.count_of(format!("{rows} AND {look}")).await > 0 {
                return *effect;
            }
        }
        Effect::Kept
    }

    pub(crate) async fn forget(&self) {
        let now = self.ctx(Action::DeleteUser).now;
        while self.store.write(move |tx| erasure::forget(tx, now)).await.unwrap()
            == erasure::Forgetting::Somebody
        {}
    }
}

/// Every legal wish. Calls are carried along, and there are none.
fn wishes() -> Vec<DeletionPlan> {
    let messages = std::iter::once(None).chain(MessageDeletion::ALL.iter().copied().map(Some));
    let mut wishes = Vec::new();
    for messages in messages {
        for user in UserDeletion::ALL.iter().copied() {
            for conversations in
                std::iter::once(None).chain(ConversationDeletion::ALL.iter().copied().map(Some))
            {
                for files in [false, true] {
                    wishes.push(DeletionPlan { user, messages, conversations, calls: conversations, files });
                }
            }
        }
    }
    wishes.retain(|wish| wish.check().is_ok());
    wishes
}

async fn every_cell_is_as_the_table_says(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "carol"]).await;
    let wishes = wishes();
    let mut keys = Vec::new();
    for number in 0..wishes.len() {
        keys.push(stage.make_person(&format!("person-{number}"), number).await);
    }
    for (number, (wish, key)) in wishes.iter().zip(&keys).enumerate() {
        let name = format!("person-{number}");
        for data in Data::ALL.iter().copied().filter(|data| *data != Data::Calls) {
            assert_eq!(stage.effect_on(data, *key, number).await, Effect::Kept, "{data:?} is missing before");
        }
        let command =
            DeleteUsers { ids: vec![id(&name)], plan: *wish, new_channel_owner: None, new_call_owner: None };
        let asked = command.clone();
        let preview =
            stage.write(Action::DeleteUser, move |tx, ctx| deletion::preview(tx, ctx, &asked)).await;
        let preview = preview.unwrap().remove(0);
        stage.write(Action::DeleteUser, move |tx, ctx| deletion::delete(tx, ctx, &command)).await.unwrap();
        stage.store.run_tasks().await;
        stage.forget().await;
        let mut wrong = String::new();
        for data in Data::ALL.iter().copied().filter(|data| *data != Data::Calls) {
            let (expected, found) = (wish.effect_on(data), stage.effect_on(data, *key, number).await);
            if expected != found {
                writeln!(wrong, "{data:?} is {found:?}, not {expected:?}").unwrap();
            }
            let forecast = preview.forecasts.iter().find(|forecast| forecast.data == data);
            if forecast.map(|forecast| (forecast.effect, forecast.tally.count > 0))
                != (expected != Effect::Kept).then_some((expected, true))
            {
                writeln!(wrong, "{data:?} was forecast as {forecast:?}").unwrap();
            }
        }
        assert!(wrong.is_empty(), "{wish:?}:\n{wrong}");
    }
    // Nobody else has lost anything.
    for name in ["bob", "carol"] {
        assert_eq!(stage.count_of(format!("users WHERE id = '{name}' AND deleted_at IS NULL")).await, 1);
    }
    let replies = stage.count_of("messages WHERE id LIKE 'to-%' AND deleted_at IS NULL".to_owned()).await;
    assert_eq!(usize::try_from(replies).unwrap(), wishes.len());
    let lines = stage.count_of(format!("export_chunks WHERE \"user\" = {}", stage.key_of("bob").await)).await;
    assert_eq!(usize::try_from(lines).unwrap(), wishes.len());
    let wrong =
        "channels WHERE member_count <> (SELECT COUNT(*) FROM channel_members WHERE channel = channels.key)";
    assert_eq!(stage.count_of(wrong.to_owned()).await, 0, "members are counted right");
    stage.check_reactions().await;
}

on_each_engine!(every_cell_is_as_the_table_says);
