//! What users leave behind in chat, taken away in batches: all of it, nothing else, at the same cost for each row.

use headwater_operations::Error;
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Attached, Channel, ChannelKey, ChannelMember, Cid, DeletionCause, Message, MessageKey, MessageKind,
    Reaction, Timestamp, UserKey,
};
use storage::erase::Tally;
use storage::erase_chat::{self, ChatCounts, Closing, NewOwner};
use storage::{Tx, channels, messages, reactions};

use crate::stage::{Stage, id};

impl Stage {
    /// Runs something on the store itself.
    async fn chat<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T, storage::Error> + Send + 'static,
    ) -> T {
        self.store.write::<_, Error, _>(move |tx| Ok(work(tx)?)).await.unwrap()
    }

    async fn counts(&self, user: UserKey, ceiling: u64) -> ChatCounts {
        self.chat(move |tx| Ok(erase_chat::counts(tx, &[user], ceiling)?.remove(0))).await
    }

    async fn numbers(&self, sql: &'static str) -> Vec<i64> {
        self.chat(move |tx| tx.query(storage::Sql::new(sql), &[], |row| row.integer(0))).await
    }
}

fn exactly(count: u64) -> Tally {
    Tally { count, at_least: false }
}

const AT: Timestamp = Timestamp::from_nanoseconds(5_000);

/// The keys of users that are made with these names.
async fn people<const N: usize>(stage: &Stage, names: [&str; N]) -> [UserKey; N] {
    stage.create(&names).await;
    let app = stage.app.key;
    let ids = names.map(id);
    stage
        .chat(move |tx| {
            let found = storage::users::by_ids(tx, app, &ids.iter().collect())?;
            Ok(std::array::from_fn(|place| found.iter().find(|user| user.user.id == ids[place]).unwrap().key))
        })
        .await
}

/// A channel of `creator` with these members.
async fn channel(stage: &Stage, name: &str, creator: UserKey, members: &[(UserKey, &str)]) -> ChannelKey {
    let app = stage.app.key;
    let channel = Channel {
        cid: Cid { kind: "messaging".to_owned(), id: name.to_owned() },
        team: None,
        created_by: None,
        custom: Attached::default(),
        member_count: 0,
        message_count: 0,
        created_at: AT,
        updated_at: AT,
        last_message_at: None,
        deletion: None,
    };
    let member = |(key, name): &(UserKey, &str)| {
        let member = ChannelMember {
            user: id(name),
            role: "channel_member".to_owned(),
            custom: Attached::default(),
            created_at: AT,
            updated_at: AT,
        };
        (*key, member)
    };
    let members: Vec<(UserKey, ChannelMember)> = members.iter().map(member).collect();
    stage
        .chat(move |tx| {
            let key = channels::insert(tx, app, &channel, creator)?;
            let members: Vec<_> = members.iter().map(|(key, member)| (*key, member)).collect();
            channels::add_members(tx, key, &members)?;
            Ok(key)
        })
        .await
}

/// So many messages of `user`, each with an attachment and a reaction of `other`.
async fn messages(
    stage: &Stage,
    channel: ChannelKey,
    (user, name): (UserKey, &'static str),
    other: UserKey,
    count: usize,
) {
    let app = stage.app.key;
    stage
        .chat(move |tx| {
            let attachment = serde_json::from_str(r#"{"type":"image"}"#).unwrap();
            for number in 0..count {
                let message = Message {
                    id: format!("{name}-{}-{number}", channel.0),
                    cid: Cid { kind: "messaging".to_owned(), id: "any".to_owned() },
                    user: id(name),
                    kind: MessageKind::Regular,
                    text: "secret".to_owned(),
                    attachments: vec![Attached::clone(&attachment)],
                    custom: Attached::default(),
                    shadowed: false,
                    created_at: AT,
                    updated_at: AT,
                    deletion: None,
                };
                let key = messages::insert(tx, app, channel, user, &message)?.unwrap();
                let reaction = Reaction {
                    message: message.id,
                    user: id("other"),
                    kind: "love".to_owned(),
                    score: 2,
                    custom: Attached::default(),
                    created_at: AT,
                    updated_at: AT,
                };
                reactions::put(tx, key, other, None, &reaction)?;
            }
            Ok(())
        })
        .await;
}

/// The state of each message, by key: why it is deleted, and the length of its text.
const STATES: &str = "SELECT cause * 100 + LENGTH(text) FROM messages ORDER BY key";

async fn messages_are_hidden_come_back_are_pruned_and_go(engine: Engine) {
    let stage = Stage::set(engine).await;
    let [alice, bob] = people(&stage, ["alice", "bob"]).await;
    let place = channel(&stage, "one", bob, &[(alice, "alice"), (bob, "bob")]).await;
    messages(&stage, place, (alice, "alice"), bob, 5).await;
    messages(&stage, place, (bob, "bob"), alice, 1).await;
    // One of them was deleted by hand: no deactivation brings it back.
    stage
        .chat(move |tx| {
            let first = messages::of_user(tx, alice, None, 1)?.remove(0);
            messages::hide(tx, first.key, model::Deletion { at: AT, cause: DeletionCause::ByHand })
        })
        .await;
    let mark = |cause, after, most| {
        let stage = &stage;
        async move { stage.chat(move |tx| erase_chat::mark_messages(tx, alice, cause, AT, after, most)).await }
    };
    let swept = mark(DeletionCause::UserDeactivated, None, 3).await;
    assert_eq!((swept.rows, swept.next), (2, Some(MessageKey(3))));
    let swept = mark(DeletionCause::UserDeactivated, swept.next, 3).await;
    assert_eq!((swept.rows, swept.next), (2, None));
    assert_eq!(stage.numbers(STATES).await, [106, 206, 206, 206, 206, 6]);
    // Once more changes nothing.
    assert_eq!(mark(DeletionCause::UserDeactivated, None, 100).await.rows, 0);
    let restored = stage.chat(move |tx| erase_chat::restore_messages(tx, alice, None, 100)).await;
    assert_eq!((restored.rows, restored.next), (4, None));
    assert_eq!(stage.numbers(STATES).await, [106, 6, 6, 6, 6, 6]);
    mark(DeletionCause::UserDeactivated, None, 3).await;
    assert_eq!(mark(DeletionCause::UserDeleted, None, 100).await.rows, 4);
    assert_eq!(stage.numbers(STATES).await, [106, 306, 306, 306, 306, 6]);
    let stripped = stage.chat(move |tx| erase_chat::strip_attachments(tx, alice, None, 100)).await;
    assert_eq!(stripped.rows, 5);
    assert_eq!(stage.counts(alice, 100).await.attachments.count, 0);
    let pruned = stage.chat(move |tx| erase_chat::prune_messages(tx, alice, AT, None, 100)).await;
    assert_eq!(pruned.rows, 5);
    assert_eq!(stage.numbers(STATES).await, [400, 400, 400, 400, 400, 6]);
    assert_eq!(stage.numbers("SELECT COUNT(*) FROM reactions").await, [1], "only of the message of bob");
    stage.check_reactions().await;
    let again = stage.chat(move |tx| erase_chat::prune_messages(tx, alice, AT, None, 100)).await;
    assert_eq!(again.rows, 0);
    assert_eq!(stage.numbers("SELECT message_count FROM channels").await, [6]);
    let gone = stage.chat(move |tx| erase_chat::remove_messages(tx, alice, None, 3)).await;
    assert_eq!((gone.rows, stage.numbers("SELECT message_count FROM channels").await), (3, vec![3]));
    let rest = stage.chat(move |tx| erase_chat::remove_messages(tx, alice, gone.next, 3)).await;
    assert_eq!((rest.rows, rest.next), (2, None));
    assert_eq!(stage.numbers(STATES).await, [6]);
    assert_eq!(stage.chat(move |tx| erase_chat::remove_reactions(tx, alice, None, 10)).await.rows, 1);
    let left = stage.chat(move |tx| erase_chat::leave_channels(tx, alice, 10)).await;
    assert_eq!((left, stage.numbers("SELECT member_count FROM channels").await), (1, vec![1]));
    assert_eq!(stage.counts(alice, 10).await, ChatCounts::default());
}

async fn what_hangs_on_messages_goes_with_them(engine: Engine) {
    let stage = Stage::set(engine).await;
    let [alice, bob] = people(&stage, ["alice", "bob"]).await;
    let place = channel(&stage, "one", bob, &[(alice, "alice")]).await;
    messages(&stage, place, (alice, "alice"), bob, 2).await;
    messages(&stage, place, (bob, "bob"), bob, 1).await;
    let app = stage.app.key;
    stage
        .chat(move |tx| {
            for (place, name) in ["alice-1-0", "bob-1-0"].into_iter().enumerate() {
                let flag = storage::flags::NewFlag {
                    user: bob,
                    kind: &model::EntityKind::Message,
                    entity: name,
                    creator: None,
                    item: &format!("item-{place}"),
                    reason: None,
                    custom: None,
                    payload: None,
                    created_at: AT,
                };
                storage::flags::insert(tx, app, &flag)?;
            }
            Ok(())
        })
        .await;
    assert_eq!(stage.chat(move |tx| erase_chat::remove_messages(tx, alice, None, 10)).await.rows, 4);
    assert_eq!(stage.rows("SELECT entity_id FROM flags", 1).await, [["bob-1-0"]]);
    assert_eq!(stage.numbers("SELECT COUNT(*) FROM reactions").await, [1]);
    stage.check_reactions().await;
}

async fn conversations_are_closed_or_go_and_groups_stay(engine: Engine) {
    let stage = Stage::set(engine).await;
    let [alice, bob, carol] = people(&stage, ["alice", "bob", "carol"]).await;
    let (a, b, c) = ((alice, "alice"), (bob, "bob"), (carol, "carol"));
    let pair = channel(&stage, "pair", bob, &[a, b]).await;
    let group = channel(&stage, "group", bob, &[a, b, c]).await;
    let other = channel(&stage, "other", alice, &[a, c]).await;
    let foreign = channel(&stage, "foreign", bob, &[b, c]).await;
    for place in [pair, group, other, foreign] {
        messages(&stage, place, b, carol, 3).await;
    }
    let found = stage.counts(alice, 100).await;
    assert_eq!(
        (found.memberships, found.conversations, found.channels_made),
        (exactly(3), exactly(2), exactly(1))
    );
    assert_eq!(found.conversation_messages, exactly(6), "whosever they are");
    let close = |user: UserKey, closing: Closing| {
        move |tx: &mut Tx<'_>| erase_chat::close_conversations(tx, (user, closing), AT, None, 100)
    };
    let closed = stage.chat(close(alice, Closing::Marks)).await;
    let keys: Vec<ChannelKey> = closed.channels.iter().map(|channel| channel.key).collect();
    assert_eq!((keys, closed.next), (vec![pair, other], None));
    assert!(closed.channels.iter().all(|channel| channel.channel.deletion.is_some()));
    assert_eq!(stage.chat(close(alice, Closing::Marks)).await.channels, []);
    stage.chat(move |tx| erase_chat::leave_channels(tx, alice, 100)).await;
    let found = stage.counts(alice, 100).await;
    assert_eq!(
        (found.memberships, found.conversations),
        (exactly(0), exactly(2)),
        "those that it has left are remembered"
    );

    let step = |user: UserKey, after: Option<ChannelKey>| {
        move |tx: &mut Tx<'_>| erase_chat::remove_conversations(tx, user, after, 4)
    };
    let first = stage.chat(step(alice, None)).await;
    assert_eq!((first.channels, first.rows), (1, 8), "four messages, each with a reaction");
    let second = stage.chat(step(alice, first.next)).await;
    assert_eq!((second.channels, second.rows, second.next), (1, 4, None));
    assert_eq!(stage.rows("SELECT id FROM channels ORDER BY key", 1).await, [["group"], ["foreign"]]);
    assert_eq!(stage.numbers("SELECT COUNT(*) FROM messages").await, [6]);
    assert_eq!(stage.numbers("SELECT COUNT(*) FROM reactions").await, [6]);
    stage.check_reactions().await;
    assert_eq!(stage.numbers("SELECT COUNT(*) FROM channel_members").await, [4]);

    let none = stage.chat(step(bob, None)).await;
    assert_eq!((none.channels, none.rows, none.next), (0, 0, None), "nothing goes that was not closed");
    let closed = stage.chat(close(bob, Closing::Goes)).await;
    let ids: Vec<&str> = closed.channels.iter().map(|channel| channel.channel.cid.id.as_str()).collect();
    assert_eq!(ids, ["group", "foreign"], "the group has two left; both are told by their names");
    let unnamed = [[format!("#removed-{}", group.0)], [format!("#removed-{}", foreign.0)]];
    assert_eq!(stage.rows("SELECT id FROM channels ORDER BY key", 1).await, unnamed);
}

/// However many have answered a message, a batch takes some of the answers only, and the message with the last of them.
async fn a_message_goes_with_the_last_reaction_to_it(engine: Engine) {
    let stage = Stage::set(engine).await;
    let [alice, bob] = people(&stage, ["alice", "bob"]).await;
    let place = channel(&stage, "one", bob, &[(alice, "alice"), (bob, "bob")]).await;
    messages(&stage, place, (alice, "alice"), bob, 2).await;
    stage
        .chat(move |tx| {
            for number in 0..10 {
                let reaction = Reaction {
                    message: "alice-1-0".to_owned(),
                    user: id("bob"),
                    kind: format!("kind-{number}"),
                    score: 1,
                    custom: Attached::default(),
                    created_at: AT,
                    updated_at: AT,
                };
                reactions::put(tx, MessageKey(1), bob, None, &reaction)?;
            }
            Ok(())
        })
        .await;
    let left = "SELECT COUNT(*) FROM reactions UNION ALL SELECT COUNT(*) FROM messages";
    let mut seen = vec![stage.numbers(left).await];
    let mut next = Some(MessageKey(0));
    while next.is_some() {
        next = stage.chat(move |tx| erase_chat::remove_messages(tx, alice, next, 2)).await.next;
        seen.push(stage.numbers(left).await);
    }
    assert_eq!(seen, [[12, 2], [4, 2], [0, 0], [0, 0]]);
}

async fn channels_are_hidden_come_back_and_get_another_owner(engine: Engine) {
    let stage = Stage::set(engine).await;
    let [alice, bob] = people(&stage, ["alice", "bob"]).await;
    for name in ["one", "two", "three"] {
        channel(&stage, name, alice, &[]).await;
    }
    let bobs = channel(&stage, "bobs", bob, &[]).await;
    let by_hand = model::Deletion { at: AT, cause: DeletionCause::ByHand };
    stage.chat(move |tx| channels::hide(tx, ChannelKey(1), by_hand)).await;
    let hide = move |tx: &mut Tx<'_>| {
        erase_chat::hide_channels(tx, alice, DeletionCause::UserDeactivated, AT, None, 2)
    };
    let hidden = stage.chat(hide).await;
    assert_eq!((hidden.channels.len(), hidden.next), (1, Some(ChannelKey(2))));
    let rest = move |tx: &mut Tx<'_>| {
        erase_chat::hide_channels(tx, alice, DeletionCause::UserDeactivated, AT, Some(ChannelKey(2)), 2)
    };
    assert_eq!((stage.chat(rest).await.channels.len(), stage.chat(rest).await.channels.len()), (1, 0));
    let causes = "SELECT cause FROM channels ORDER BY key";
    assert_eq!(stage.numbers(causes).await, [1, 2, 2, 0]);
    let restored = stage.chat(move |tx| erase_chat::restore_channels(tx, alice, None, 10)).await;
    assert_eq!((restored.channels.len(), restored.next), (2, None));
    assert_eq!(stage.numbers(causes).await, [1, 0, 0, 0]);
    stage.chat(hide).await;
    let to_bob = NewOwner::User(bob);
    assert_eq!(stage.chat(move |tx| erase_chat::reassign_channels(tx, alice, &to_bob, 2)).await, 2);
    let nobody = NewOwner::Generated("delete-user-1".to_owned());
    assert_eq!(stage.chat(move |tx| erase_chat::reassign_channels(tx, alice, &nobody, 2)).await, 1);
    assert_eq!(stage.numbers(causes).await, [1, 1, 0, 0], "hidden for good");
    assert_eq!(stage.numbers("SELECT COUNT(*) FROM channels WHERE hidden_by IS NOT NULL").await, [0]);
    let found = stage.chat(move |tx| channels::by_keys(tx, &[ChannelKey(3), ChannelKey(2), bobs])).await;
    let owners: Vec<_> = found.iter().map(|channel| channel.channel.created_by.clone().unwrap()).collect();
    assert_eq!(owners, [id("bob"), id("delete-user-1"), id("bob")]);
}

async fn an_export_reads_everything_by_pages(engine: Engine) {
    let stage = Stage::set(engine).await;
    let [alice, bob] = people(&stage, ["alice", "bob"]).await;
    let place = channel(&stage, "one", bob, &[]).await;
    messages(&stage, place, (alice, "alice"), bob, 3).await;
    let (texts, reactions) = stage
        .chat(move |tx| {
            let mut texts = Vec::new();
            let mut after = None;
            loop {
                let page = messages::of_user(tx, alice, after, 2)?;
                let Some(last) = page.last() else { break };
                after = Some(last.key);
                texts.extend(page.into_iter().map(|stored| stored.message.id));
            }
            let first = reactions::of_user(tx, bob, None, 2)?;
            let last = first.last().unwrap();
            let rest = reactions::of_user(tx, bob, Some((last.message, last.reaction.kind.as_str())), 2)?;
            Ok((texts, (first.len(), rest.len())))
        })
        .await;
    assert_eq!(texts, ["alice-1-0", "alice-1-1", "alice-1-2"]);
    assert_eq!(reactions, (2, 1));
    assert_eq!(stage.counts(alice, 3).await.messages, exactly(3));
    assert_eq!(stage.counts(alice, 2).await.messages, Tally { count: 2, at_least: true });
}

async fn a_batch_takes_as_many_statements_however_large(engine: Engine) {
    let stage = Stage::set(engine).await;
    let [alice, bob] = people(&stage, ["alice", "bob"]).await;
    for number in 0..20 {
        let place = channel(&stage, &format!("c{number}"), bob, &[(alice, "alice"), (bob, "bob")]).await;
        messages(&stage, place, (alice, "alice"), bob, 5).await;
    }
    let counted = |most: usize| {
        let stage = &stage;
        async move {
            stage
                .chat(move |tx| {
                    let mut steps = Vec::new();
                    let mut before = tx.statements();
                    let mut step = |tx: &Tx<'_>| {
                        steps.push(tx.statements() - before);
                        before = tx.statements();
                    };
                    let cause = DeletionCause::UserDeactivated;
                    erase_chat::mark_messages(tx, alice, cause, AT, None, most)?;
                    step(tx);
                    erase_chat::restore_messages(tx, alice, None, most)?;
                    step(tx);
                    erase_chat::strip_attachments(tx, alice, None, most)?;
                    step(tx);
                    erase_chat::close_conversations(tx, (alice, Closing::Goes), AT, None, most)?;
                    step(tx);
                    erase_chat::remove_reactions(tx, bob, None, most)?;
                    step(tx);
                    erase_chat::prune_messages(tx, alice, AT, None, most)?;
                    step(tx);
                    erase_chat::remove_messages(tx, alice, None, most)?;
                    step(tx);
                    erase_chat::remove_conversations(tx, alice, None, most)?;
                    step(tx);
                    Ok(steps)
                })
                .await
        }
    };
    // Where others write, channels are locked before messages.
    let lock = u32::from(engine == Engine::Postgres);
    for most in [10, 50] {
        assert_eq!(counted(most).await, [2, 2, 2, 3, 3 + lock, 5, 6 + 2 * lock, 10], "{most}");
    }
}

on_each_engine!(
    messages_are_hidden_come_back_are_pruned_and_go,
    what_hangs_on_messages_goes_with_them,
    conversations_are_closed_or_go_and_groups_stay,
    a_message_goes_with_the_last_reaction_to_it,
    channels_are_hidden_come_back_and_get_another_owner,
    an_export_reads_everything_by_pages,
    a_batch_takes_as_many_statements_however_large,
);
