//! Channels and messages that a deactivation hides: there for nobody, in nobody's way, and back with their user, unless
//! somebody deletes them before (semantics 9.3, 9.5).

use headwater_operations::lifecycle::{self, Deactivate, Reactivate};
use headwater_operations::reactions;
use headwater_testkit::{Engine, on_each_engine};
use model::{Action, UserContent};

use crate::chat::{channel, member, moderator, names, reaction, refusal, text, written};
use crate::stage::{Stage, id};

const EVERYTHING: UserContent = UserContent { messages: true, channels: true };

const NO_CHANNEL: &str = "the channel 'messaging:one' does not exist";
const NO_MESSAGE: &str = "the message 'm1' does not exist";

impl Stage {
    /// A channel of alice with bob and with carol, who moderates it; alice and bob have written in it.
    async fn before_deactivation(engine: Engine) -> Self {
        let stage = Self::set(engine).await;
        stage.create(&["alice", "bob", "carol"]).await;
        let mut one = channel("one", "alice", &["alice", "bob"]);
        one.members.push(moderator("carol"));
        stage.open(stage.chat_server(), one).await.unwrap();
        stage.write_message("one", "alice", "m1").await;
        stage.write_message("one", "bob", "m2").await;
        stage
    }

    async fn hide(&self, user: &str, content: UserContent) {
        let command = Deactivate { id: id(user), created_by: None, content };
        let hide = move |tx: &mut storage::Tx<'_>, ctx: &_| lifecycle::deactivate(tx, ctx, &command);
        self.write(Action::DeactivateUser, hide).await.unwrap();
        self.take_log().await;
    }

    async fn bring_back(&self, user: &str) {
        let command = Reactivate { id: id(user), name: None, created_by: None, content: EVERYTHING };
        let restore = move |tx: &mut storage::Tx<'_>, ctx: &_| lifecycle::reactivate(tx, ctx, &command);
        self.write(Action::DeactivateUser, restore).await.unwrap();
        self.take_log().await;
    }
}

async fn a_hidden_channel_is_not_taken_over(engine: Engine) {
    let stage = Stage::before_deactivation(engine).await;
    stage.hide("alice", EVERYTHING).await;
    let react = || stage.react(stage.chat_server(), "m2", reaction("bob", "love", 1), false);
    let list = || {
        let command = reactions::List { message: "m2".to_owned(), limit: 10, offset: 0 };
        stage.run(stage.chat_server(), move |tx, ctx| reactions::list(tx, ctx, &command))
    };
    for ctx in [|stage: &Stage| stage.chat_server(), |stage: &Stage| stage.chat_user("bob")] {
        let ask = channel("one", "bob", &["bob"]);
        assert_eq!(refusal(stage.open(ctx(&stage), ask.clone()).await), NO_CHANNEL);
        let found =
            stage.run(ctx(&stage), move |tx, ctx| headwater_operations::channels::find(tx, ctx, &ask));
        assert_eq!(refusal(found.await), NO_CHANNEL);
        assert_eq!(refusal(stage.read_channel(ctx(&stage), "one").await), NO_CHANNEL);
        assert_eq!(
            refusal(stage.update_members(ctx(&stage), "one", vec![member("bob")], &[]).await),
            NO_CHANNEL
        );
        assert_eq!(refusal(stage.send(ctx(&stage), "one", text("bob", "m3", "hello")).await), NO_CHANNEL);
        assert_eq!(refusal(stage.read_message(ctx(&stage), "m2").await), NO_MESSAGE.replace("m1", "m2"));
    }
    assert_eq!(refusal(react().await), NO_MESSAGE.replace("m1", "m2"));
    assert_eq!(refusal(list().await), NO_MESSAGE.replace("m1", "m2"));
    assert_eq!(stage.take_log().await, [""; 0]);
    stage.bring_back("alice").await;
    let state = stage.read_channel(stage.chat_user("bob"), "one").await.unwrap();
    assert_eq!(state.channel.channel.created_by, Some(id("alice")));
    assert_eq!(names(&state.members), ["alice", "bob", "carol"]);
    assert_eq!((written(&state), state.channel.channel.member_count), (vec!["m1", "m2"], 3));
    react().await.unwrap();
}

async fn a_channel_that_its_members_share_is_not_taken_over(engine: Engine) {
    let stage = Stage::before_deactivation(engine).await;
    let shared = |creator: &str| headwater_operations::channels::GetOrCreate {
        id: None,
        ..channel("", creator, &["alice", "bob"])
    };
    let name = stage.open(stage.chat_server(), shared("alice")).await.unwrap().0.channel.channel.cid.id;
    let stage = stage.refreshed().await;
    stage.hide("alice", EVERYTHING).await;
    let missing = NO_CHANNEL.replace("one", &name);
    assert_eq!(refusal(stage.open(stage.chat_user("bob"), shared("bob")).await), missing);
    stage.bring_back("alice").await;
    let (state, is_new) = stage.open(stage.chat_user("bob"), shared("bob")).await.unwrap();
    assert_eq!((is_new, state.channel.channel.created_by), (false, Some(id("alice"))));
}

async fn a_hidden_channel_is_deleted_by_those_who_may(engine: Engine) {
    for hard in [false, true] {
        let stage = Stage::before_deactivation(engine).await;
        stage.hide("alice", EVERYTHING).await;
        for user in ["bob", "carol"] {
            assert_eq!(refusal(stage.delete_channel(stage.chat_user(user), "one", false).await), NO_CHANNEL);
        }
        stage.alter("carol", |user| model::User { role: "admin".to_owned(), ..user }).await;
        stage.take_log().await;
        let (by, who) = match hard {
            true => (stage.chat_server(), "server"),
            false => (stage.chat_user("carol"), "carol"),
        };
        assert!(stage.delete_channel(by, "one", hard).await.unwrap().channel.deletion.is_some());
        let told = match hard {
            true => format!("channel.deleted of  by {who}: alice bob carol"),
            false => format!("channel.deleted of  by {who}: alice carol"),
        };
        assert_eq!(stage.take_log().await, [told]);
        assert_eq!(refusal(stage.delete_channel(stage.chat_server(), "one", false).await), NO_CHANNEL);
        stage.bring_back("alice").await;
        assert_eq!(refusal(stage.read_channel(stage.chat_server(), "one").await), NO_CHANNEL);
        assert_eq!(stage.count("SELECT COUNT(*) FROM messages").await, if hard { 0 } else { 2 });
        // What is deleted by hand is in nobody's way.
        assert!(stage.open(stage.chat_server(), channel("one", "bob", &["bob"])).await.unwrap().1);
    }
}

async fn a_hidden_message_is_deleted_by_those_who_may(engine: Engine) {
    for (content, hard) in [
        (UserContent { messages: true, channels: false }, false),
        (UserContent { messages: true, channels: false }, true),
        (UserContent { messages: false, channels: true }, false),
        (EVERYTHING, false),
        (EVERYTHING, true),
    ] {
        let stage = Stage::before_deactivation(engine).await;
        stage.hide("alice", content).await;
        assert_eq!(refusal(stage.delete_message(stage.chat_user("bob"), "m1", false).await), NO_MESSAGE);
        assert_eq!(refusal(stage.read_message(stage.chat_user("carol"), "m1").await), NO_MESSAGE);
        let (by, who) = match hard {
            true => (stage.chat_server(), "server: alice"),
            false => (stage.chat_user("carol"), "carol: alice carol"),
        };
        let deleted = stage.delete_message(by, "m1", hard).await.unwrap();
        assert!(deleted.message.deletion.is_some_and(|deletion| !deletion.may_come_back()));
        assert_eq!(stage.take_log().await, [format!("message.deleted of alice by {who}")]);
        stage.bring_back("alice").await;
        let state = stage.read_channel(stage.chat_user("bob"), "one").await.unwrap();
        assert_eq!(written(&state), ["m2"], "{content:?} {hard}");
        let kept = stage.count("SELECT COUNT(*) FROM messages WHERE cause = 1").await;
        assert_eq!(kept, i64::from(!hard));
    }
}

async fn a_hidden_message_that_a_server_deletes_stays_deleted(engine: Engine) {
    let stage = Stage::before_deactivation(engine).await;
    stage.hide("alice", UserContent { messages: true, channels: false }).await;
    let hidden = stage.read_message(stage.chat_server(), "m1").await.unwrap().message.deletion.unwrap();
    assert!(hidden.may_come_back());
    stage.store.clock().advance(1);
    stage.delete_message(stage.chat_server(), "m1", false).await.unwrap();
    assert_eq!(stage.take_log().await, ["message.deleted of alice by server: alice"]);
    // A second time changes nothing.
    stage.delete_message(stage.chat_server(), "m1", false).await.unwrap();
    assert_eq!(stage.take_log().await, [""; 0]);
    stage.bring_back("alice").await;
    let kept = stage.read_message(stage.chat_server(), "m1").await.unwrap().message.deletion.unwrap();
    assert!(!kept.may_come_back() && kept.at > hidden.at);
}

on_each_engine!(
    a_hidden_channel_is_not_taken_over,
    a_channel_that_its_members_share_is_not_taken_over,
    a_hidden_channel_is_deleted_by_those_who_may,
    a_hidden_message_is_deleted_by_those_who_may,
    a_hidden_message_that_a_server_deletes_stays_deleted,
);
