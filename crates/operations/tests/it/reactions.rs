//! Reactions: given, changed, taken back, listed and counted.

use headwater_operations::Error;
use headwater_operations::reactions::{self, Delete, List, Reacted, Send};
use headwater_testkit::{Engine, on_each_engine};
use model::{MOST_REACTIONS, ReactionView, UserKey};
use storage::Store;

use crate::chat::{reaction, refusal};
use crate::stage::{Stage, id};

impl Stage {
    /// A channel of alice, bob and carol with a message of bob, and eve who is not in it.
    async fn with_message(engine: Engine) -> Self {
        let stage = Self::set(engine).await;
        stage.create(&["alice", "bob", "carol", "eve"]).await;
        stage.channel("one", "alice", &["alice", "bob", "carol"]).await;
        stage.write_message("one", "bob", "m1").await;
        stage.take_log().await;
        stage
    }

    async fn give_reaction(&self, user: &str, kind: &str, score: i64) -> Result<Reacted, Error> {
        self.react(self.chat_server(), "m1", reaction(user, kind, score), false).await
    }

    async fn react_as(&self, user: &str, kind: &str, score: i64, unique: bool) {
        self.react(self.chat_server(), "m1", reaction(user, kind, score), unique).await.unwrap();
        self.check_reactions().await;
    }

    async fn take_back(&self, user: &str, kind: &str) -> Result<Reacted, Error> {
        let command = Delete { message: "m1".to_owned(), kind: kind.to_owned(), user: Some(id(user)) };
        self.run(self.chat_server(), move |tx, ctx| reactions::delete(tx, ctx, &command)).await
    }

    async fn page(&self, limit: usize, offset: usize) -> Result<Vec<ReactionView>, Error> {
        let command = List { message: "m1".to_owned(), limit, offset };
        self.run(self.chat_server(), move |tx, ctx| reactions::list(tx, ctx, &command)).await
    }
}

/// Type, number and sum of scores of the reactions to a message.
fn groups(reacted: &Reacted) -> Vec<(&str, u64, i64)> {
    let groups = reacted.message.reactions.groups.iter();
    groups.map(|group| (group.kind.as_str(), group.count, group.score)).collect()
}

async fn reactions_are_given_changed_and_taken_back(engine: Engine) {
    let stage = Stage::with_message(engine).await;
    stage.give_reaction("alice", "love", 2).await.unwrap();
    let reacted = stage.give_reaction("carol", "love", 3).await.unwrap();
    assert_eq!(groups(&reacted), [("love", 2, 5)]);
    assert_eq!(reacted.message.reactions.own.len(), 1);
    stage.store.clock().advance(7);
    let changed = stage.give_reaction("alice", "love", 7).await.unwrap();
    assert_eq!(groups(&changed), [("love", 2, 10)]);
    assert!(changed.reaction.reaction.created_at < changed.reaction.reaction.updated_at);
    stage.give_reaction("alice", "love", 7).await.unwrap();
    assert_eq!(
        stage.take_log().await,
        [
            "reaction.new of alice by server: alice bob",
            "reaction.new of carol by server: bob carol",
            "reaction.updated of alice by server: alice bob"
        ]
    );
    let gone = stage.take_back("alice", "love").await.unwrap();
    assert_eq!((groups(&gone), gone.reaction.reaction.score), (vec![("love", 1, 3)], 7));
    assert_eq!(stage.take_log().await, ["reaction.deleted of alice by server: alice bob"]);
    assert_eq!(
        refusal(stage.take_back("alice", "love").await),
        "the user alice has no reaction of the type 'love' to the message 'm1'"
    );
}

async fn one_may_be_the_only_one(engine: Engine) {
    let stage = Stage::with_message(engine).await;
    stage.give_reaction("alice", "love", 1).await.unwrap();
    stage.give_reaction("alice", "wow", 1).await.unwrap();
    let only = stage.react(stage.chat_server(), "m1", reaction("alice", "wow", 1), true).await.unwrap();
    assert_eq!(groups(&only), [("wow", 1, 1)]);
    stage.react(stage.chat_server(), "m1", reaction("carol", "wow", 1), true).await.unwrap();
    let only = stage.react(stage.chat_server(), "m1", reaction("alice", "sad", 1), true).await.unwrap();
    assert_eq!(groups(&only), [("sad", 1, 1), ("wow", 1, 1)]);
}

async fn reactions_are_refused_with_the_field(engine: Engine) {
    let stage = Stage::with_message(engine).await;
    for (user, kind, score, refused) in [
        ("ghost", "love", 1, "the user ghost does not exist"),
        ("alice", "", 1, "reaction.type: must have 1 to 64 bytes without '/' and control characters"),
        ("alice", "love", 1_000_001, "reaction.score: must be from -1000000 to 1000000, got 1000001"),
    ] {
        assert_eq!(refusal(stage.give_reaction(user, kind, score).await), refused);
    }
    let missing = "the message 'm1' does not exist";
    let by_eve = stage.react(stage.chat_user("eve"), "m1", reaction("eve", "love", 1), false).await;
    assert_eq!(refusal(by_eve), missing);
    let for_other = stage.react(stage.chat_user("alice"), "m1", reaction("bob", "love", 1), false).await;
    assert_eq!(
        refusal(for_other),
        "reaction.user_id: a user token acts as its own user, 'alice'; leave it out"
    );
    for number in 0..MOST_REACTIONS {
        stage.give_reaction("alice", &format!("r{number}"), 1).await.unwrap();
    }
    assert_eq!(
        refusal(stage.give_reaction("alice", "more", 1).await),
        "reaction.type: a user may react to a message in 20 ways, and has done so"
    );
    stage.give_reaction("alice", "r0", 2).await.unwrap();
    assert_eq!(refusal(stage.page(101, 0).await), "limit: must be at most 100, got 101");
    stage.delete_message(stage.chat_server(), "m1", false).await.unwrap();
    assert_eq!(refusal(stage.give_reaction("bob", "love", 1).await), missing);
}

async fn reactions_are_listed_newest_first(engine: Engine) {
    let stage = Stage::with_message(engine).await;
    for kind in ["a", "b", "c"] {
        stage.store.clock().advance(1);
        stage.give_reaction("alice", kind, 1).await.unwrap();
    }
    let kinds = |found: Vec<ReactionView>| -> Vec<String> {
        found.into_iter().map(|view| view.reaction.kind).collect()
    };
    assert_eq!(kinds(stage.page(25, 0).await.unwrap()), ["c", "b", "a"]);
    assert_eq!(kinds(stage.page(1, 1).await.unwrap()), ["b"]);
    assert_eq!(kinds(stage.page(0, 0).await.unwrap()), [""; 0]);
    for number in 0..12 {
        stage.give_reaction("carol", &format!("r{number}"), 1).await.unwrap();
    }
    let view = stage.read_message(stage.chat_user("alice"), "m1").await.unwrap();
    assert_eq!((view.reactions.latest.len(), view.reactions.own.len()), (10, 3));
    assert_eq!(view.reactions.groups.len(), 15);
}

async fn groups_count_what_is_there(engine: Engine) {
    let stage = Stage::with_message(engine).await;
    let later = || stage.store.clock().advance(3);
    stage.react_as("alice", "love", 1, false).await;
    later();
    stage.react_as("bob", "love", -5, false).await;
    stage.react_as("bob", "wow", 2, false).await;
    later();
    stage.react_as("carol", "love", 9, false).await;
    // The first of a type changes its mind, and goes; then the last.
    later();
    stage.react_as("alice", "love", 4, false).await;
    for (user, kind) in [("alice", "love"), ("carol", "love"), ("bob", "wow")] {
        stage.take_back(user, kind).await.unwrap();
        stage.check_reactions().await;
    }
    later();
    stage.react_as("alice", "love", 4, false).await;
    stage.react_as("alice", "sad", 4, false).await;
    later();
    stage.react_as("alice", "wow", 4, true).await;
    stage.react_as("bob", "wow", 1_000_000, true).await;
    assert_eq!(stage.count("SELECT COUNT(*) FROM reaction_groups").await, 1);
    stage.delete_message(stage.chat_server(), "m1", true).await.unwrap();
    stage.check_reactions().await;
    assert_eq!(stage.count("SELECT COUNT(*) FROM reaction_groups").await, 0);
}

async fn groups_lose_what_a_deleted_user_gave(engine: Engine) {
    let stage = Stage::with_message(engine).await;
    stage.write_message("one", "carol", "m2").await;
    for message in ["m1", "m2"] {
        for (user, kind, score) in [("alice", "love", 2), ("bob", "love", 3), ("alice", "sad", 1)] {
            stage.store.clock().advance(1);
            stage.react(stage.chat_server(), message, reaction(user, kind, score), false).await.unwrap();
        }
    }
    let alice = stage.key_of("alice").await;
    // A piece at a time, as a task does.
    for left in [5, 4, 3, 2, 2] {
        let taken = stage.store.write(move |tx| {
            Ok::<_, Error>(storage::erase_chat::remove_reactions(tx, model::UserKey(alice), None, 1)?.rows)
        });
        taken.await.unwrap();
        stage.check_reactions().await;
        assert_eq!(stage.count("SELECT COUNT(*) FROM reactions").await, left);
    }
    let shown = stage.read_message(stage.chat_server(), "m2").await.unwrap().reactions.groups;
    assert_eq!((shown.len(), shown[0].count, shown[0].score, shown[0].first), (1, 1, 3, shown[0].last));
}

/// Users who react and take it back, and a task that takes away what one of them gave, all at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn groups_count_what_is_there_whoever_writes_at_once() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(8).await;
    let names: Vec<String> = (0..6).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    stage.channel("one", "u0", &names).await;
    stage.write_message("one", "u0", "m1").await;
    let gone = UserKey(stage.key_of("u5").await);
    let mut running = Vec::new();
    for round in 0..240_usize {
        stage.store.clock().advance(if round % 5 == 0 { -3 } else { 2 });
        let (user, kind) = (names[round * 7 % 6], ["love", "wow", "sad"][round % 3]);
        let (store, ctx) = (Store::clone(&stage.store), stage.chat_server());
        let given = Send {
            message: "m1".to_owned(),
            reaction: reaction(user, kind, i64::try_from(round).unwrap()),
            enforce_unique: round % 11 == 0,
        };
        let back = Delete { message: "m1".to_owned(), kind: kind.to_owned(), user: Some(id(user)) };
        running.push(tokio::spawn(async move {
            store
                .write(move |tx| match round % 4 {
                    0 => reactions::delete(tx, &ctx, &back).map(drop),
                    1 => Ok(storage::erase_chat::remove_reactions(tx, gone, None, 2).map(drop)?),
                    _ => reactions::send(tx, &ctx, &given).map(drop),
                })
                .await
        }));
    }
    for ended in running {
        match ended.await.unwrap() {
            Ok(()) | Err(Error::NoReaction { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    stage.check_reactions().await;
    assert!(stage.count("SELECT COUNT(*) FROM reactions").await > 0);
}

on_each_engine!(
    groups_count_what_is_there,
    groups_lose_what_a_deleted_user_gave,
    reactions_are_given_changed_and_taken_back,
    one_may_be_the_only_one,
    reactions_are_refused_with_the_field,
    reactions_are_listed_newest_first,
);
