//! Messages: sent by those who may, shown to those who may read, deleted and kept for servers.

use headwater_operations::messages;
use headwater_testkit::{Engine, on_each_engine};
use model::{Ban, MessageKind, NewMessage, Timestamp, User};

use crate::chat::{channel, cid, moderator, refusal, text, written};
use crate::stage::{Stage, id};

impl Stage {
    /// Stores a ban of a user.
    async fn ban_user(&self, user: &str, ban: Ban) {
        let (app, user) = (self.app.key, id(user));
        let banned = self.store.write(move |tx| {
            let found = storage::users::by_ids(tx, app, &[&user].into())?.remove(0);
            let new = storage::bans::NewBan {
                user: (found.key, &user),
                ban,
                banned_by: None,
                ip_ban: false,
                reason: None,
                created_at: Timestamp::from_seconds(1),
            };
            storage::bans::put(tx, app, &new)
        });
        let banned: Result<_, storage::Error> = banned.await;
        banned.unwrap();
    }
}

async fn a_message_is_sent_and_read(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.channel("one", "alice", &["bob"]).await;
    stage.take_log().await;
    let sent = stage.send(stage.chat_server(), "one", text("bob", "m1", "hello")).await.unwrap();
    assert_eq!((sent.author.id, sent.role.as_deref()), (id("bob"), Some("channel_member")));
    assert_eq!(stage.take_log().await, ["message.new of bob by server: bob"]);
    let own = NewMessage { id: None, user: None, text: "hi".to_owned(), ..NewMessage::default() };
    let made = stage.send(stage.chat_user("alice"), "one", own).await.unwrap();
    assert_eq!((made.message.id.len(), made.role), (36, None), "who made a channel writes in it as well");
    let read = stage.read_message(stage.chat_user("bob"), "m1").await.unwrap();
    assert_eq!((read.message.text.as_str(), &read.message.cid), ("hello", &cid("one")));
    let state = stage.read_channel(stage.chat_user("bob"), "one").await.unwrap();
    assert_eq!(written(&state), ["m1", made.message.id.as_str()]);
    let channel = &state.channel.channel;
    assert_eq!((channel.message_count, channel.last_message_at), (2, Some(made.message.created_at)));
    let system = NewMessage { kind: MessageKind::System, ..text("bob", "m2", "bob is here") };
    assert_eq!(
        refusal(stage.send(stage.chat_user("bob"), "one", system.clone()).await),
        "message.type: is for server-side calls only"
    );
    assert_eq!(
        stage.send(stage.chat_server(), "one", system).await.unwrap().message.kind,
        MessageKind::System
    );
}

async fn messages_are_refused_with_the_field(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "eve", "off", "gone", "loud", "free"]).await;
    stage.channel("one", "alice", &["bob"]).await;
    stage.write_message("one", "bob", "m1").await;
    stage.deactivate_user("off").await;
    stage.delete_user("gone").await;
    stage.ban_user("loud", Ban { shadow: false, expires: None }).await;
    stage.ban_user("free", Ban { shadow: false, expires: Some(Timestamp::from_seconds(1)) }).await;
    stage.take_log().await;
    let hello = |author: &str| text(author, "m2", "hello");
    for (message, refused) in [
        (hello("ghost"), "the user ghost does not exist"),
        (hello("off"), "the user off was deactivated"),
        (hello("gone"), "the user gone was deleted"),
        (hello("loud"), "the user loud is banned from the app: it may read, and change nothing"),
        (
            NewMessage { user: None, ..hello("bob") },
            "message.user_id: is required with a server token: the user who acts",
        ),
        (text("bob", "m1", "hello"), "message.id: there is a message with the id 'm1'; choose another one"),
        (
            text("bob", "m2", ""),
            "message.text: a message has a text, attachments or custom data, this one has none of them",
        ),
        (text("bob", "m2", &"x".repeat(5001)), "message.text: may have 5000 characters, has 5001"),
    ] {
        assert_eq!(refusal(stage.send(stage.chat_server(), "one", message).await), refused);
    }
    let missing = "the channel 'messaging:one' does not exist";
    assert_eq!(refusal(stage.send(stage.chat_user("eve"), "one", hello("eve")).await), missing);
    assert_eq!(
        refusal(stage.send(stage.chat_server(), "two", hello("bob")).await),
        missing.replace("one", "two")
    );
    assert_eq!(
        refusal(stage.send(stage.chat_user("bob"), "one", hello("alice")).await),
        "message.user_id: a user token acts as its own user, 'bob'; leave it out"
    );
    assert_eq!(stage.count("SELECT COUNT(*) FROM messages").await, 1);
    assert_eq!(stage.count("SELECT message_count FROM channels").await, 1);
    assert_eq!(stage.take_log().await, [""; 0]);
    assert!(stage.send(stage.chat_server(), "one", hello("free")).await.is_ok(), "the ban is over");
}

async fn what_is_written_in_the_shadow_nobody_else_sees(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.channel("one", "alice", &["alice", "bob"]).await;
    stage.ban_user("bob", Ban { shadow: true, expires: None }).await;
    let sent = stage.send(stage.chat_server(), "one", text("bob", "m1", "hello")).await.unwrap();
    assert!(sent.message.shadowed);
    let own = stage.send(stage.chat_user("bob"), "one", text("bob", "m2", "hello")).await.unwrap();
    assert!(!own.message.shadowed, "bob does not find out");
    let shown = |state: &model::ChannelState| written(state).len();
    assert_eq!(shown(&stage.read_channel(stage.chat_user("bob"), "one").await.unwrap()), 2);
    assert_eq!(shown(&stage.read_channel(stage.chat_user("alice"), "one").await.unwrap()), 0);
    assert_eq!(shown(&stage.read_channel(stage.chat_server(), "one").await.unwrap()), 2);
    assert_eq!(
        refusal(stage.read_message(stage.chat_user("alice"), "m1").await),
        "the message 'm1' does not exist"
    );
}

async fn messages_are_deleted_and_kept_for_servers(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol", "eve"]).await;
    let mut one = channel("one", "alice", &["bob", "eve"]);
    one.members.push(moderator("carol"));
    stage.open(stage.chat_server(), one).await.unwrap();
    for name in ["m1", "m2", "m3"] {
        stage.write_message("one", "bob", name).await;
    }
    stage.take_log().await;
    assert_eq!(
        refusal(stage.delete_message(stage.chat_user("eve"), "m1", false).await),
        "User 'eve' with roles ['user', 'channel_member'] is not allowed to perform action DeleteMessage in scope \
         'messaging'"
    );
    assert_eq!(
        refusal(stage.delete_message(stage.chat_user("bob"), "m1", true).await),
        "hard: is for server-side calls only"
    );
    let deleted = stage.delete_message(stage.chat_user("bob"), "m1", false).await.unwrap();
    assert!(deleted.message.deletion.is_some() && deleted.message.text.is_empty());
    stage.delete_message(stage.chat_user("carol"), "m2", false).await.unwrap();
    assert_eq!(
        stage.take_log().await,
        ["message.deleted of bob by bob: bob", "message.deleted of bob by carol: bob carol"]
    );
    let kept = stage.read_message(stage.chat_server(), "m1").await.unwrap();
    assert_eq!((kept.message.text.as_str(), kept.message.deletion.is_some()), ("hello", true));
    let missing = "the message 'm1' does not exist";
    assert_eq!(refusal(stage.read_message(stage.chat_user("bob"), "m1").await), missing);
    assert_eq!(refusal(stage.delete_message(stage.chat_user("bob"), "m1", false).await), missing);
    assert_eq!(written(&stage.read_channel(stage.chat_user("bob"), "one").await.unwrap()), ["m3"]);
    assert_eq!(written(&stage.read_channel(stage.chat_server(), "one").await.unwrap()), ["m1", "m2", "m3"]);
    // Once more changes nothing, but it may go for good.
    stage.delete_message(stage.chat_server(), "m1", false).await.unwrap();
    assert_eq!(stage.take_log().await, [""; 0]);
    let gone = stage.delete_message(stage.chat_server(), "m1", true).await.unwrap();
    assert!(gone.message.deletion.is_some());
    assert_eq!(stage.take_log().await, ["message.deleted of bob by server: bob"]);
    assert_eq!(refusal(stage.delete_message(stage.chat_server(), "m1", true).await), missing);
    assert_eq!(stage.count("SELECT message_count FROM channels").await, 2);
    let named = messages::Delete { id: "m3".to_owned(), hard: false, deleted_by: Some(id("ghost")) };
    let refused = stage.run(stage.chat_server(), move |tx, ctx| messages::delete(tx, ctx, &named)).await;
    assert_eq!(refusal(refused), "the user ghost does not exist");
    let named = messages::Delete { id: "m3".to_owned(), hard: false, deleted_by: Some(id("carol")) };
    stage.run(stage.chat_server(), move |tx, ctx| messages::delete(tx, ctx, &named)).await.unwrap();
    assert_eq!(stage.take_log().await, ["message.deleted of bob by server: bob carol"]);
}

async fn authors_who_are_gone_are_still_shown(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    stage.channel("one", "alice", &["alice", "bob", "carol"]).await;
    stage.write_message("one", "bob", "m1").await;
    stage.write_message("one", "carol", "m2").await;
    stage.alter("bob", |user| User { name: Some("Bob".to_owned()), ..user }).await;
    stage.delete_user("bob").await;
    stage.deactivate_user("carol").await;
    let state = stage.read_channel(stage.chat_user("alice"), "one").await.unwrap();
    let authors: Vec<_> = state.messages.iter().map(|view| &view.author).collect();
    assert_eq!((authors[0].name.as_deref(), authors[0].deleted_at.is_some()), (Some("Bob"), true));
    assert!(authors[1].deactivated_at.is_some());
    assert_eq!(crate::chat::names(&state.members), ["alice", "bob", "carol"]);
}

async fn of_an_author_of_another_team_only_the_id_is_told(engine: Engine) {
    let stage = Stage::with_teams(engine, &["alice", "anna"], &["bob"]).await;
    let red = headwater_operations::channels::GetOrCreate {
        team: Some("red".to_owned()),
        ..channel("one", "alice", &["alice", "anna"])
    };
    stage.open(stage.chat_server(), red).await.unwrap();
    stage.write_message("one", "anna", "m1").await;
    let moved = |user: User| User { teams: vec!["blue".to_owned()], name: Some("Anna".to_owned()), ..user };
    stage.alter("anna", moved).await;
    let author = stage.read_message(stage.chat_user("alice"), "m1").await.unwrap().author;
    assert_eq!((author.id, author.name, author.teams), (id("anna"), None, vec![]));
    let author = stage.read_message(stage.chat_server(), "m1").await.unwrap().author;
    assert_eq!(author.name.as_deref(), Some("Anna"));
    assert_eq!(
        refusal(stage.read_message(stage.chat_user("bob"), "m1").await),
        "the message 'm1' does not exist"
    );
}

async fn many_messages_take_as_many_statements(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.channel("one", "alice", &["alice", "bob"]).await;
    let read = || {
        let command = headwater_operations::channels::Get {
            cid: cid("one"),
            user: None,
            extent: model::Extent { messages: 100, ..model::Extent::default() },
        };
        stage.run_counted(stage.chat_user("bob"), move |tx, ctx| {
            headwater_operations::channels::get(tx, ctx, &command)
        })
    };
    stage.write_message("one", "bob", "m0").await;
    let (_, few) = read().await.unwrap();
    for number in 1..100 {
        stage.write_message("one", ["alice", "bob"][number % 2], &format!("m{number}")).await;
    }
    let (state, many) = read().await.unwrap();
    assert_eq!((state.messages.len(), few), (100, many));
}

on_each_engine!(
    a_message_is_sent_and_read,
    messages_are_refused_with_the_field,
    what_is_written_in_the_shadow_nobody_else_sees,
    messages_are_deleted_and_kept_for_servers,
    authors_who_are_gone_are_still_shown,
    of_an_author_of_another_team_only_the_id_is_told,
    many_messages_take_as_many_statements,
);
