//! The channels of exactly two members, when one of them is deleted together with them (semantics 10.9).

use headwater_operations::tasks::{self, Tick};
use headwater_testkit::{Engine, on_each_engine};
use model::{Clock, ConversationDeletion, DeletionPlan, Event, Outcome};

use crate::chat::{channel, names, refusal, written};
use crate::deletion::{HARD, SOFT, wish};
use crate::stage::Stage;

const MARKED: DeletionPlan = DeletionPlan { conversations: Some(ConversationDeletion::Soft), ..SOFT };

impl Stage {
    /// Does one step of the task that is due.
    async fn one_step(&self) {
        let tick = Tick { now: self.store.clock().now(), seed: 7 };
        self.store.write_in_background(move |tx| tasks::step(tx, tick, |_| ())).await.unwrap();
    }

    /// What was logged of channels that were deleted: the id, whether for good, who was in it.
    async fn told_of_channels(&self) -> Vec<(String, bool, Vec<String>)> {
        let logged = self.logged(0).await;
        let deleted = |(event, _)| match event {
            Event::ChannelDeleted { channel, hard, members } => {
                Some((channel.cid.id, hard, members.iter().map(ToString::to_string).collect()))
            }
            _ => None,
        };
        logged.into_iter().filter_map(deleted).collect()
    }
}

/// Who stays in a group keeps it, however many leave in the same call.
async fn a_group_that_shrinks_in_one_call_is_no_conversation(engine: Engine) {
    for plan in [HARD, MARKED] {
        let stage = Stage::set(engine).await;
        stage.create(&["alice", "bob", "carol", "dave"]).await;
        stage.channel("group", "dave", &["alice", "bob", "carol"]).await;
        stage.write_message("group", "carol", "hello").await;
        stage.delete_users(wish(&["alice", "bob"], plan)).await.unwrap();
        stage.store.run_tasks().await;
        let state = stage.read_channel(stage.chat_user("carol"), "group").await.unwrap();
        assert!(names(&state.members).contains(&"carol"), "{plan:?}");
        assert_eq!(written(&state), ["hello"], "{plan:?}");
        assert_eq!(stage.told_of_channels().await, [], "{plan:?}");
    }
}

/// A conversation that goes is closed at once, however long it takes: nobody sees half of it, and its id is free.
async fn a_conversation_is_closed_before_it_goes(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.channel("pair", "alice", &["alice", "bob"]).await;
    for (author, message) in [("alice", "question"), ("bob", "answer")] {
        stage.write_message("pair", author, message).await;
    }
    let friends = (0..60).map(|number| format!("friend-{number}")).collect::<Vec<_>>();
    stage.create(&friends.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut doomed = vec!["alice"];
    doomed.extend(friends.iter().map(String::as_str));
    stage.delete_users(wish(&doomed, HARD)).await.unwrap();
    stage.one_step().await;
    assert_eq!(stage.state("alice").await, "deleted", "there is more to do");
    let read = stage.read_channel(stage.chat_user("bob"), "pair").await;
    assert_eq!(refusal(read), "the channel 'messaging:pair' does not exist");
    assert_eq!(
        stage.told_of_channels().await,
        [("pair".to_owned(), true, vec!["alice".to_owned(), "bob".to_owned()])]
    );

    let (opened, made) = stage.open(stage.chat_user("bob"), channel("pair", "bob", &["bob"])).await.unwrap();
    assert!(made);
    assert_eq!(written(&opened), [""; 0]);
    stage.write_message("pair", "bob", "anybody?").await;
    stage.store.run_tasks().await;
    let state = stage.read_channel(stage.chat_user("bob"), "pair").await.unwrap();
    assert_eq!((names(&state.members), written(&state)), (vec!["bob"], vec!["anybody?"]));
    assert_eq!(stage.count_of("messages".to_owned()).await, 1, "the answer of bob has gone as well");
    assert_eq!(stage.count_of("channels".to_owned()).await, 1);
    assert_eq!(stage.told_of_channels().await.len(), 1, "told once");
}

/// Nobody can be in the way of a conversation that goes, nor have it back.
async fn a_conversation_that_goes_is_nobodys_to_take(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.channel("pair", "alice", &["alice", "bob"]).await;
    let key = stage.count("SELECT key FROM channels").await;
    let going = [format!("!removed-{key}"), format!("#removed-{key}")];
    stage.open(stage.chat_user("bob"), channel(&going[0], "bob", &["bob"])).await.unwrap();
    let refused = refusal(stage.open(stage.chat_user("bob"), channel(&going[1], "bob", &["bob"])).await);
    stage.delete_users(wish(&["alice"], HARD)).await.unwrap();
    stage.one_step().await;
    assert_eq!(stage.count_of(format!("channels WHERE id = '{}'", going[1])).await, 1);
    let again = stage.open(stage.chat_user("bob"), channel(&going[1], "bob", &["bob"])).await;
    assert_eq!(refusal(again), refused);
    stage.store.run_tasks().await;
    assert_eq!(stage.rows("SELECT id FROM channels", 1).await, [[going[0].clone()]]);
}

/// Whoever is restored before the task has come to the end gets back nothing that was closed, and leaves nothing of it.
async fn what_was_closed_goes_although_the_user_is_restored(engine: Engine) {
    const GOES: DeletionPlan = DeletionPlan { conversations: Some(ConversationDeletion::Hard), ..SOFT };
    for partner_goes_too in [false, true] {
        let stage = Stage::set(engine).await;
        stage.create(&["alice", "bob", "carol"]).await;
        stage.channel("pair", "alice", &["alice", "bob"]).await;
        stage.channel("group", "bob", &["alice", "bob", "carol"]).await;
        stage.write_message("pair", "bob", "answer").await;
        let doomed: &[&str] = if partner_goes_too { &["alice", "bob"] } else { &["alice"] };
        let task = stage.delete_users(wish(doomed, GOES)).await.unwrap();
        stage.one_step().await;
        stage.restore(doomed).await.unwrap();
        stage.store.run_tasks().await;
        let outcomes = stage.outcomes(&task).await;
        assert!(outcomes.iter().all(|(_, outcome)| *outcome != Outcome::Ok), "{outcomes:?}");
        assert_eq!(stage.rows("SELECT id FROM channels", 1).await, [["group"]], "{doomed:?}");
        assert_eq!(stage.count_of("messages".to_owned()).await, 0, "{doomed:?}");
        assert_eq!(stage.count_of("channel_members".to_owned()).await, 3, "{doomed:?}");
    }
}

/// What an earlier deletion has only marked goes when a later one is for good.
async fn what_was_marked_goes_for_good(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.channel("pair", "bob", &["alice", "bob"]).await;
    stage.write_message("pair", "bob", "answer").await;
    stage.delete_users(wish(&["alice"], MARKED)).await.unwrap();
    stage.store.run_tasks().await;
    assert_eq!(stage.count_of("channels WHERE cause = 3".to_owned()).await, 1);
    stage.delete_users(wish(&["alice"], HARD)).await.unwrap();
    stage.store.run_tasks().await;
    for rows in ["channels", "messages", "channel_members"] {
        assert_eq!(stage.count_of(rows.to_owned()).await, 0, "{rows}");
    }
    let told = stage.told_of_channels().await;
    assert_eq!(told, [("pair".to_owned(), false, Vec::new())], "nobody has seen it since");
}

on_each_engine!(
    a_group_that_shrinks_in_one_call_is_no_conversation,
    a_conversation_is_closed_before_it_goes,
    a_conversation_that_goes_is_nobodys_to_take,
    what_was_closed_goes_although_the_user_is_restored,
    what_was_marked_goes_for_good,
);
