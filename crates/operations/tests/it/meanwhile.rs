//! What else is asked of users while the task that deletes them is under way: each has one answer (docs/deletion.md), and in
//! the end nothing is left that nobody would take away any more.

use std::time::Duration;

use headwater_operations::tasks::Stepped;
use headwater_testkit::{Engine, on_each_engine};
use model::{ConversationDeletion, DeleteUsers, DeletionPlan, MessageDeletion, Outcome, TaskId};

use crate::chat::{member, refusal};
use crate::deletion::{HARD, PRUNING, SOFT, told, wish};
use crate::stage::{Stage, id};

/// Takes the messages of a user, and lets it be restored.
const SOFT_WITHOUT_MESSAGES: DeletionPlan = DeletionPlan { messages: Some(MessageDeletion::Hard), ..SOFT };

/// More messages than one step takes.
const MANY: usize = 1200;

impl Stage {
    /// A person as of the table of deletions, who has written much more. Answers the key.
    pub(crate) async fn make_writer(&self, name: &str, number: usize) -> i64 {
        let key = self.make_person(name, number).await;
        self.run_all(vec![
            format!(
                "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {MANY}) \
                 INSERT INTO messages (app, id, channel, \"user\", type, text, attachments, custom, shadowed, created_at, \
                     updated_at, cause) \
                 SELECT 1, 'more-{number}-' || CAST(n AS TEXT), \
                     (SELECT key FROM channels WHERE id = 'group-{number}'), {key}, 'regular', 'x', '[]', '{{}}', 0, 1, 1, 0 \
                 FROM numbers"
            ),
            format!("UPDATE channels SET message_count = message_count + {MANY} WHERE id = 'group-{number}'"),
        ])
        .await;
        key
    }

    async fn messages_of(&self, key: i64) -> i64 {
        self.count_of(format!("messages WHERE \"user\" = {key}")).await
    }

    async fn outcome(&self, task: &TaskId) -> Outcome {
        self.outcomes(task).await.pop().unwrap().1
    }
}

fn restored() -> Outcome {
    Outcome::Failed("the user was restored meanwhile".to_owned())
}

async fn who_is_restored_meanwhile_is_left_as_it_is(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "carol"]).await;
    let key = stage.make_person("alice", 1).await;
    let plan = DeletionPlan { messages: Some(MessageDeletion::Soft), ..SOFT };
    let task = stage.delete_users(wish(&["alice", "bob"], plan)).await.unwrap();
    stage.restore(&["alice"]).await.unwrap();
    stage.store.run_tasks().await;
    let expected = [("alice".to_owned(), restored()), ("bob".to_owned(), Outcome::Ok)];
    assert_eq!(stage.outcomes(&task).await, expected);
    assert_eq!(stage.count_of(format!("messages WHERE \"user\" = {key} AND deleted_at IS NULL")).await, 1);
    assert_eq!(stage.count_of(format!("channel_members WHERE \"user\" = {key}")).await, 2);
}

async fn a_restore_between_two_steps_stops_the_deletion_for_good(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "carol"]).await;
    let key = stage.make_writer("alice", 1).await;
    let task = stage.delete_users(wish(&["alice"], SOFT_WITHOUT_MESSAGES)).await.unwrap();
    let before = stage.messages_of(key).await;
    assert_eq!(stage.step().await.unwrap(), Stepped::Worked);
    let left = stage.messages_of(key).await;
    assert!(0 < left && left < before, "{left} of {before}");
    stage.restore(&["alice"]).await.unwrap();
    // Another deletion, which does not want the messages: it is not the one that was under way.
    let other = stage.delete_users(wish(&["alice"], SOFT)).await.unwrap();
    stage.store.run_tasks().await;
    assert_eq!((stage.outcome(&task).await, stage.outcome(&other).await), (restored(), Outcome::Ok));
    assert_eq!(stage.messages_of(key).await, left, "what was taken is gone, and no more");
    assert_eq!(stage.count_of(format!("channel_members WHERE \"user\" = {key}")).await, 0);
    stage.restore(&["alice"]).await.unwrap();
    assert_eq!(stage.state("alice").await, "there");
}

async fn no_restore_of_who_is_about_to_go_for_good(engine: Engine) {
    for (plan, then) in [(PRUNING, "deleted"), (HARD, "gone")] {
        let stage = Stage::set(engine).await;
        stage.create(&["bob", "carol"]).await;
        stage.make_writer("alice", 1).await;
        stage.delete_users(wish(&["alice"], plan)).await.unwrap();
        let why = "user_ids: 'alice' was deleted for good, and cannot be restored";
        loop {
            assert_eq!(told(stage.restore(&["alice"]).await), why);
            if stage.step().await.unwrap() == Stepped::Idle {
                break;
            }
        }
        let stage = stage.refreshed().await;
        assert_eq!(told(stage.restore(&["alice"]).await), why);
        assert_eq!(stage.state("alice").await, then);
    }
}

/// The second call comes after every number of steps of the first; whichever ends first, everything is as the two ask for
/// together.
async fn a_second_deletion_while_the_first_runs_takes_the_rest(engine: Engine) {
    let first = DeletionPlan { conversations: Some(ConversationDeletion::Soft), ..SOFT_WITHOUT_MESSAGES };
    for (second, then) in [(SOFT, "deleted"), (PRUNING, "deleted"), (HARD, "gone")] {
        let mut after = 0;
        loop {
            let stage = Stage::set(engine).await;
            stage.create(&["bob", "carol"]).await;
            let key = stage.make_writer("alice", 1).await;
            let first = stage.delete_users(wish(&["alice"], first)).await.unwrap();
            let mut is_over = false;
            for _ in 0..after {
                is_over = stage.step().await.unwrap() == Stepped::Idle;
            }
            let second = stage.delete_users(wish(&["alice"], second)).await.unwrap();
            stage.store.run_tasks().await;
            for task in [&first, &second] {
                assert_eq!(stage.outcome(task).await, Outcome::Ok, "after {after} steps");
            }
            assert_eq!((stage.state("alice").await.as_str(), stage.messages_of(key).await), (then, 0));
            assert_eq!(stage.count_of(format!("channel_members WHERE \"user\" = {key}")).await, 0);
            assert_eq!(
                stage.count_of("channels WHERE id = 'pair-1' AND deleted_at IS NULL".to_owned()).await,
                0
            );
            if then == "gone" {
                stage.nothing_names(key).await;
            }
            if is_over {
                break;
            }
            after += 1;
        }
        assert!(after > 3, "{after}");
    }
}

/// A deletion for good that has gone through conversations does not miss those that a milder one hides then.
async fn what_another_deletion_hides_meanwhile_goes_too(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "carol"]).await;
    let key = stage.make_writer("alice", 1).await;
    let soft = DeletionPlan { conversations: Some(ConversationDeletion::Soft), ..SOFT };
    let hard = stage.delete_users(wish(&["alice"], HARD)).await.unwrap();
    let soft = stage.delete_users(wish(&["alice"], soft)).await.unwrap();
    stage.advance(Duration::from_nanos(1));
    assert_eq!(stage.step().await.unwrap(), Stepped::Worked, "of the first, which has had its turn then");
    // The group of three is one of two from now on.
    stage.update_members(stage.chat_server(), "group-1", vec![], &["carol"]).await.unwrap();
    assert_eq!(stage.step().await.unwrap(), Stepped::Worked, "of the second");
    assert_eq!(stage.count_of(format!("channels WHERE id = 'group-1' AND hidden_by = {key}")).await, 1);
    stage.store.run_tasks().await;
    assert_eq!((stage.outcome(&hard).await, stage.outcome(&soft).await), (Outcome::Ok, Outcome::Ok));
    assert_eq!(stage.state("alice").await, "gone");
    stage.nothing_names(key).await;
}

/// A group of three does not become a conversation because two of the three are deleted by the same call: the third keeps it.
async fn a_group_is_no_conversation_whoever_goes_first(engine: Engine) {
    for (names, plan) in [(["alice", "bob"], HARD), (["carol", "alice"], HARD), (["bob", "carol"], PRUNING)] {
        let stage = Stage::set(engine).await;
        stage.create(&["alice", "bob", "carol"]).await;
        stage.channel("pair", "bob", &names).await;
        stage.channel("group", "bob", &["alice", "bob", "carol"]).await;
        for name in ["alice", "bob", "carol"] {
            stage.write_message("group", name, &format!("of-{name}")).await;
        }
        let plan = DeletionPlan { conversations: Some(ConversationDeletion::Hard), ..plan };
        let task = stage.delete_users(wish(&names, plan)).await.unwrap();
        stage.store.run_tasks().await;
        assert_eq!(stage.outcome(&task).await, Outcome::Ok);
        let state = stage.read_channel(stage.chat_server(), "group").await.unwrap();
        let stays = ["alice", "bob", "carol"].into_iter().find(|name| !names.contains(name)).unwrap();
        assert_eq!(state.channel.channel.member_count, 1);
        assert!(crate::chat::written(&state).contains(&format!("of-{stays}").as_str()), "{stays}");
        assert!(stage.read_channel(stage.chat_server(), "pair").await.is_err());
    }
}

async fn an_owner_who_goes_meanwhile_gets_nothing(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "carol", "dave", "erin"]).await;
    stage.make_person("alice", 1).await;
    let owned = |owner: &str| DeleteUsers { new_channel_owner: Some(id(owner)), ..wish(&["alice"], HARD) };
    stage.delete_users(wish(&["erin"], SOFT)).await.unwrap();
    assert_eq!(
        told(stage.delete_users(owned("erin")).await),
        "new_channel_owner_id: must be a user who exists, and 'erin' does not",
        "the task of her deletion has not begun"
    );
    stage.delete_users(owned("dave")).await.unwrap();
    let dave = stage.key_of("dave").await;
    stage.delete_users(wish(&["dave"], HARD)).await.unwrap();
    stage.store.run_tasks().await;
    stage.nothing_names(dave).await;
    let nobody = "channels WHERE id = 'group-1' AND owner LIKE 'delete-user-%'".to_owned();
    assert_eq!(stage.count_of(nobody).await, 1);
}

async fn whoever_is_being_deleted_does_nothing_and_nothing_is_done_to_it(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "carol"]).await;
    let key = stage.make_writer("alice", 1).await;
    stage.delete_users(wish(&["alice"], HARD)).await.unwrap();
    let deleted = "the user alice was deleted";
    loop {
        let (server, alice) = (stage.chat_server(), stage.chat_user("alice"));
        for refused in [
            refusal(stage.send(server.clone(), "group-1", crate::chat::text("alice", "late", "x")).await),
            refusal(stage.send(alice.clone(), "group-1", crate::chat::text("alice", "late", "x")).await),
            refusal(
                stage.react(server.clone(), "to-1", crate::chat::reaction("alice", "wow", 1), false).await,
            ),
            refusal(stage.open(server.clone(), crate::chat::channel("new", "bob", &["alice", "bob"])).await),
            refusal(stage.open(server.clone(), crate::chat::channel("new", "alice", &[])).await),
            refusal(stage.update_members(server, "group-1", vec![member("alice")], &[]).await),
        ] {
            assert_eq!(refused, deleted);
        }
        if stage.step().await.unwrap() == Stepped::Idle || stage.state("alice").await == "gone" {
            break;
        }
    }
    stage.nothing_names(key).await;
}

impl Stage {
    /// Demands that no column that holds keys of users holds this one, but for the log, which is redacted later.
    pub(crate) async fn nothing_names(&self, key: i64) {
        for (data, table, column) in storage::erase::COLUMNS {
            if *data != model::Data::Log {
                let rows = format!("{table} WHERE \"{column}\" = {key}");
                assert_eq!(self.count_of(rows).await, 0, "{table}.{column}");
            }
        }
    }
}

on_each_engine!(
    who_is_restored_meanwhile_is_left_as_it_is,
    a_restore_between_two_steps_stops_the_deletion_for_good,
    no_restore_of_who_is_about_to_go_for_good,
    a_second_deletion_while_the_first_runs_takes_the_rest,
    what_another_deletion_hides_meanwhile_goes_too,
    a_group_is_no_conversation_whoever_goes_first,
    an_owner_who_goes_meanwhile_gets_nothing,
    whoever_is_being_deleted_does_nothing_and_nothing_is_done_to_it,
);
