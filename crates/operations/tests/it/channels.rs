//! Channels: made once, found by their members, read by those who may, left and deleted.

use headwater_operations::channels::{Get, GetOrCreate, UpdateMembers};
use headwater_operations::{Error, channels};
use headwater_testkit::{Engine, on_each_engine};
use model::{Cid, Extent};

use crate::chat::{channel, cid, member, moderator, names, refusal, written};
use crate::stage::{Stage, id};

async fn a_channel_is_made_once(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    let (state, is_new) =
        stage.open(stage.chat_server(), channel("one", "alice", &["alice", "bob"])).await.unwrap();
    assert!(is_new);
    assert_eq!(state.channel.channel.cid, cid("one"));
    assert_eq!(state.channel.creator.unwrap().id, id("alice"));
    assert_eq!((names(&state.members), state.channel.channel.member_count), (vec!["alice", "bob"], 2));
    assert_eq!(stage.take_log().await, ["channel.created of  by server: alice bob"]);
    // Whoever asks again, with whatever else, gets what is there.
    let again = GetOrCreate { created_by: None, ..channel("one", "bob", &["bob"]) };
    let (state, is_new) = stage.open(stage.chat_server(), again).await.unwrap();
    assert_eq!((is_new, names(&state.members)), (false, vec!["alice", "bob"]));
    assert_eq!(stage.take_log().await, [""; 0]);
    let own = stage.open(stage.chat_user("bob"), channel("one", "bob", &[])).await.unwrap().0;
    assert_eq!(own.membership.unwrap().member.user, id("bob"));
    let other_type = GetOrCreate { kind: "team".to_owned(), ..channel("one", "alice", &[]) };
    assert!(stage.open(stage.chat_server(), other_type).await.unwrap().1, "ids are of their type");
    let page = GetOrCreate {
        extent: Extent { members: 1, members_offset: 1, messages: 0 },
        ..channel("one", "bob", &[])
    };
    assert_eq!(names(&stage.open(stage.chat_server(), page).await.unwrap().0.members), ["bob"]);
}

async fn channels_are_refused_with_the_field(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "gone", "off"]).await;
    stage.delete_user("gone").await;
    stage.deactivate_user("off").await;
    let many: Vec<String> = (0..101).map(|number| format!("u{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let one = || channel("one", "alice", &[]);
    for (command, refused) in [
        (
            GetOrCreate { created_by: None, ..one() },
            "data.created_by_id: is required with a server token to make a channel: the user who creates it",
        ),
        (channel("one", "ghost", &[]), "the user ghost does not exist"),
        (channel("one", "off", &[]), "the user off was deactivated"),
        (channel("one", "gone", &[]), "the user gone was deleted"),
        (
            channel("one", "alice", &["bob", "ghost", "wraith"]),
            "data.members: there are no users 'ghost', 'wraith'; every member must exist",
        ),
        (channel("one", "alice", &["bob", "gone"]), "the user gone was deleted"),
        (
            channel("one", "alice", &["bob", "bob"]),
            "data.members: must name each user once, names 'bob' twice",
        ),
        (channel("one", "alice", &many), "data.members: at most 100 users in one request, got 101"),
        (
            GetOrCreate { kind: "chat".to_owned(), ..one() },
            "type: there is no channel type 'chat'; there are commerce, gaming, livestream, messaging, team",
        ),
        (channel("a b", "alice", &[]), "id: must have 1 to 64 letters, digits, '_', '-' and '!', got 'a b'"),
        (
            GetOrCreate { team: Some("x".repeat(256)), ..one() },
            "data.team: the name of a team has 1 to 255 bytes",
        ),
        (
            GetOrCreate { extent: Extent { messages: 101, ..Extent::default() }, ..one() },
            "messages.limit: must be at most 100, got 101",
        ),
        (GetOrCreate { id: None, ..one() }, "data.members: is required: the users who share the channel"),
    ] {
        assert_eq!(refusal(stage.open(stage.chat_server(), command).await), refused);
    }
    let mut odd = channel("one", "alice", &["bob"]);
    odd.members[0].role = "admin".to_owned();
    assert_eq!(
        refusal(stage.open(stage.chat_server(), odd).await),
        "data.members.0.channel_role: must be 'channel_member' or 'channel_moderator', got 'admin'"
    );
    assert_eq!(stage.count("SELECT COUNT(*) FROM channels").await, 0);
    // To a client, a deleted user and none are the same.
    assert_eq!(
        refusal(stage.open(stage.chat_user("alice"), channel("one", "alice", &["gone", "ghost"])).await),
        "data.members: there are no users 'gone', 'ghost'; every member must exist"
    );
}

async fn the_same_members_share_one_channel(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    let shared = |members: &[&str]| GetOrCreate { id: None, ..channel("", "alice", members) };
    let (first, is_new) = stage.open(stage.chat_server(), shared(&["alice", "bob"])).await.unwrap();
    assert!(is_new);
    let stage = stage.refreshed().await;
    let by_bob = GetOrCreate { created_by: None, ..shared(&["bob", "alice"]) };
    let (second, is_new) = stage.open(stage.chat_user("bob"), by_bob.clone()).await.unwrap();
    assert_eq!((is_new, &second.channel.channel.cid), (false, &first.channel.channel.cid));
    assert!(stage.open(stage.chat_server(), shared(&["alice", "carol"])).await.unwrap().1);
    let name = &first.channel.channel.cid.id;
    assert_eq!(
        refusal(stage.update_members(stage.chat_server(), name, vec![member("carol")], &[]).await),
        "add_members: the channel is found by its members, who stay; share another one"
    );
    assert_eq!(
        refusal(stage.open(stage.chat_user("carol"), by_bob).await),
        "data.members: must hold 'carol', the user of the token: the channel is found by who shares it"
    );
    // An id of this kind cannot be taken by naming it.
    assert!(
        refusal(stage.open(stage.chat_server(), channel("!members-1", "alice", &[])).await)
            .starts_with("id: an id")
    );
}

async fn whom_a_channel_was_shared_with_nobody_finds_out(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    let shared = |members: &[&str]| GetOrCreate { id: None, ..channel("", "alice", members) };
    stage.open(stage.chat_server(), shared(&["alice", "bob", "carol"])).await.unwrap();
    assert_eq!(stage.count("SELECT COUNT(*) FROM apps WHERE settings LIKE '%members_key%'").await, 1);
    let stage = stage.refreshed().await;
    stage.delete_user("carol").await;
    assert_eq!(
        refusal(stage.open(stage.chat_server(), shared(&["alice", "bob", "carol"])).await),
        "the user carol was deleted"
    );
    // With whom there was a channel, and with whom there was none, is the same.
    for name in ["carol", "ghost"] {
        assert_eq!(
            refusal(stage.open(stage.chat_user("alice"), shared(&["alice", "bob", name])).await),
            format!("data.members: there are no users '{name}'; every member must exist")
        );
    }
}

async fn only_those_who_may_read_a_channel_learn_of_it(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "eve"]).await;
    stage.channel("one", "alice", &["bob"]).await;
    for reader in ["alice", "bob"] {
        assert_eq!(
            names(&stage.read_channel(stage.chat_user(reader), "one").await.unwrap().members),
            ["bob"]
        );
    }
    let missing = "the channel 'messaging:one' does not exist";
    assert_eq!(refusal(stage.read_channel(stage.chat_user("eve"), "one").await), missing);
    assert_eq!(refusal(stage.read_channel(stage.chat_nobody(), "one").await), missing);
    let none = refusal(stage.read_channel(stage.chat_user("eve"), "two").await);
    assert_eq!(none, missing.replace("one", "two"), "as of a channel that is not there");
    assert_eq!(
        refusal(stage.update_members(stage.chat_user("eve"), "one", vec![member("eve")], &[]).await),
        missing
    );
    assert_eq!(refusal(stage.delete_channel(stage.chat_user("eve"), "one", false).await), missing);
    assert_eq!(
        refusal(stage.open(stage.chat_user("eve"), channel("one", "eve", &[])).await),
        "User 'eve' with role 'user' is not allowed to perform action ReadChannel in scope 'messaging'"
            .replace("role 'user'", "roles ['user']")
    );
    // Everybody reads a livestream, whoever is nobody too.
    let live = GetOrCreate { kind: "livestream".to_owned(), ..channel("live", "alice", &[]) };
    stage.open(stage.chat_server(), live).await.unwrap();
    for ctx in [stage.chat_user("eve"), stage.chat_nobody()] {
        let cid = Cid { kind: "livestream".to_owned(), id: "live".to_owned() };
        let command = Get { cid, user: None, extent: Extent::default() };
        let read = stage.run(ctx, move |tx, ctx| channels::get(tx, ctx, &command)).await;
        assert!(read.is_ok(), "{read:?}");
    }
    let command = Get { cid: cid("one"), user: Some(id("ghost")), extent: Extent::default() };
    let read = stage.run(stage.chat_server(), move |tx, ctx| channels::get(tx, ctx, &command)).await;
    assert_eq!(refusal(read), "the user ghost does not exist");
}

/// Who may not make a channel does not learn which there are by asking for one.
async fn a_channel_of_another_team_is_refused_as_one_that_is_not_there(engine: Engine) {
    let stage = Stage::with_teams(engine, &["alice"], &["bob"]).await;
    let red = |name: &str| GetOrCreate { team: Some("red".to_owned()), ..channel(name, "bob", &[]) };
    stage
        .open(
            stage.chat_user("alice"),
            GetOrCreate { team: Some("red".to_owned()), ..channel("one", "alice", &[]) },
        )
        .await
        .unwrap();
    for ask in [red, |name: &str| channel(name, "bob", &[])] {
        let [there, missing] = [ask("one"), ask("two")];
        let there = refusal(stage.open(stage.chat_user("bob"), there).await);
        assert_eq!(there, refusal(stage.open(stage.chat_user("bob"), missing).await));
    }
}

async fn another_team_has_no_channels(engine: Engine) {
    let stage = Stage::with_teams(engine, &["alice", "anna"], &["bob"]).await;
    let red = |name: &str, members: &[&str]| GetOrCreate {
        team: Some("red".to_owned()),
        ..channel(name, "alice", members)
    };
    stage.open(stage.chat_user("alice"), red("one", &["alice", "anna"])).await.unwrap();
    assert_eq!(
        refusal(stage.open(stage.chat_user("alice"), red("two", &["bob"])).await),
        "data.members: there are no users 'bob'; every member must exist"
    );
    let blue = GetOrCreate { team: Some("blue".to_owned()), ..channel("two", "alice", &[]) };
    assert_eq!(
        refusal(stage.open(stage.chat_user("alice"), blue).await),
        "User 'alice' with roles ['user'] from teams ['red'] cannot access resource in scope 'messaging' because requested \
         resource belongs to another team"
    );
    assert_eq!(
        refusal(stage.open(stage.chat_user("alice"), channel("two", "alice", &[])).await),
        "User 'alice' with roles ['user'] from teams ['red'] cannot access resource in scope 'messaging' because requested \
         resource does not belong to any team"
    );
    assert_eq!(
        refusal(stage.read_channel(stage.chat_user("bob"), "one").await),
        "the channel 'messaging:one' does not exist"
    );
    let moved = GetOrCreate { team: Some("blue".to_owned()), ..channel("one", "alice", &[]) };
    assert_eq!(
        refusal(stage.open(stage.chat_user("alice"), moved).await),
        "changing channel team is not allowed client-side"
    );
    // Who has gone to another team reaches it no more, a member or not, and is not shown any more.
    stage.alter("anna", |user| model::User { teams: vec!["blue".to_owned()], ..user }).await;
    assert_eq!(
        refusal(stage.read_channel(stage.chat_user("anna"), "one").await),
        "the channel 'messaging:one' does not exist"
    );
    assert_eq!(names(&stage.read_channel(stage.chat_user("alice"), "one").await.unwrap().members), ["alice"]);
    assert_eq!(
        names(&stage.read_channel(stage.chat_server(), "one").await.unwrap().members),
        ["alice", "anna"]
    );
}

async fn members_come_and_go(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol", "dave"]).await;
    stage.channel("one", "alice", &["bob"]).await;
    stage.take_log().await;
    let server = || stage.chat_server();
    let (view, members) =
        stage.update_members(server(), "one", vec![member("bob"), moderator("carol")], &[]).await.unwrap();
    assert_eq!((names(&members), view.channel.member_count), (vec!["bob", "carol"], 2));
    assert_eq!(members[1].member.role, "channel_moderator");
    assert_eq!(stage.take_log().await, ["member.added of carol by server: carol"]);
    // A moderator may, a member may only leave.
    stage.update_members(stage.chat_user("carol"), "one", vec![member("dave")], &[]).await.unwrap();
    assert_eq!(
        refusal(stage.update_members(stage.chat_user("dave"), "one", vec![], &["bob"]).await),
        "User 'dave' with roles ['user', 'channel_member'] is not allowed to perform action UpdateChannelMembers in scope \
         'messaging'"
    );
    stage.update_members(stage.chat_user("dave"), "one", vec![], &["dave"]).await.unwrap();
    stage.update_members(stage.chat_user("alice"), "one", vec![], &["carol", "dave", "ghost"]).await.unwrap();
    assert_eq!(
        stage.take_log().await,
        [
            "member.added of dave by carol: carol dave",
            "member.removed of dave by dave: dave",
            "member.removed of carol by alice: alice carol"
        ]
    );
    assert_eq!(stage.read_channel(server(), "one").await.unwrap().channel.channel.member_count, 1);
    for (add, remove, refused) in [
        (vec![], &[][..], "add_members: must name at least one user, here or in remove_members"),
        (vec![member("bob")], &["bob"], "remove_members: names 'bob', who is in add_members as well"),
        (vec![member("ghost")], &[], "add_members: there are no users 'ghost'; every member must exist"),
    ] {
        assert_eq!(refusal(stage.update_members(server(), "one", add, remove).await), refused);
    }
    assert_eq!(
        refusal(stage.update_members(server(), "two", vec![member("bob")], &[]).await),
        "the channel 'messaging:two' does not exist"
    );
    let named =
        UpdateMembers { cid: cid("one"), user: Some(id("ghost")), add: vec![member("bob")], remove: vec![] };
    let updated = stage.run(server(), move |tx, ctx| channels::update_members(tx, ctx, &named)).await;
    assert_eq!(refusal(updated), "the user ghost does not exist");
}

async fn channels_are_deleted_and_made_anew(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.channel("one", "alice", &["alice", "bob"]).await;
    stage.write_message("one", "bob", "m1").await;
    stage.take_log().await;
    assert_eq!(
        refusal(stage.delete_channel(stage.chat_user("bob"), "one", false).await),
        "User 'bob' with roles ['user', 'channel_member'] is not allowed to perform action DeleteChannel in scope \
         'messaging'"
    );
    assert_eq!(
        refusal(stage.delete_channel(stage.chat_user("alice"), "one", true).await),
        "hard_delete: is for server-side calls only"
    );
    let deleted = stage.delete_channel(stage.chat_user("alice"), "one", false).await.unwrap();
    assert!(deleted.channel.deletion.is_some());
    assert_eq!(stage.take_log().await, ["channel.deleted of  by alice: alice"]);
    let missing = "the channel 'messaging:one' does not exist";
    assert_eq!(refusal(stage.read_channel(stage.chat_server(), "one").await), missing);
    assert_eq!(refusal(stage.delete_channel(stage.chat_server(), "one", false).await), missing);
    assert_eq!(
        refusal(stage.read_message(stage.chat_server(), "m1").await),
        "the message 'm1' does not exist"
    );
    // What was written in it is not in the one that takes its place.
    let (state, is_new) = stage.open(stage.chat_server(), channel("one", "bob", &["bob"])).await.unwrap();
    assert_eq!((is_new, names(&state.members), written(&state)), (true, vec!["bob"], vec![]));
    assert_eq!(
        refusal(stage.read_message(stage.chat_server(), "m1").await),
        "the message 'm1' does not exist"
    );
    stage.write_message("one", "bob", "m2").await;
    assert_eq!(written(&stage.read_channel(stage.chat_server(), "one").await.unwrap()), ["m2"]);
    stage.delete_channel(stage.chat_server(), "one", false).await.unwrap();
    stage.delete_channel(stage.chat_server(), "one", true).await.unwrap();
    for table in [
        "SELECT COUNT(*) FROM channels",
        "SELECT COUNT(*) FROM channel_members",
        "SELECT COUNT(*) FROM messages",
    ] {
        assert_eq!(stage.count(table).await, 0, "{table}");
    }
    assert_eq!(refusal(stage.delete_channel(stage.chat_server(), "one", true).await), missing);
}

async fn the_owner_of_a_channel_may_be_nobody(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    stage.channel("one", "alice", &[]).await;
    let app = stage.app.key;
    let given: Result<_, Error> = stage
        .store
        .write(move |tx| {
            let alice = storage::users::by_ids(tx, app, &[&id("alice")].into())?.remove(0).key;
            let nobody = storage::erase_chat::NewOwner::Generated("delete-user-1".to_owned());
            Ok(storage::erase_chat::reassign_channels(tx, alice, &nobody, 10)?)
        })
        .await;
    assert_eq!(given.unwrap(), 1);
    let state = stage.read_channel(stage.chat_server(), "one").await.unwrap();
    assert_eq!(state.channel.creator.unwrap().id, id("delete-user-1"));
}

async fn many_members_take_as_many_statements(engine: Engine) {
    let stage = Stage::set(engine).await;
    let many: Vec<String> = (0..100).map(|number| format!("u{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    stage.create(&many).await;
    let made = |name: &str, members: &[&str]| {
        let command = channel(name, "u0", members);
        stage.run_counted(stage.chat_server(), move |tx, ctx| channels::get_or_create(tx, ctx, &command))
    };
    let few = made("few", &many[..2]).await.unwrap().1;
    assert_eq!(few, made("many", &many).await.unwrap().1);
    let updated = |name: &str, members: &[&str]| {
        let add = members.iter().map(|name| member(name)).collect();
        let command = UpdateMembers { cid: cid(name), user: None, add, remove: vec![id("u99")] };
        stage.run_counted(stage.chat_server(), move |tx, ctx| channels::update_members(tx, ctx, &command))
    };
    stage.channel("group", "u0", &["u99"]).await;
    stage.channel("crowd", "u0", &["u99"]).await;
    let few = updated("group", &many[..1]).await.unwrap().1;
    assert_eq!(few, updated("crowd", &many[..99]).await.unwrap().1);
}

on_each_engine!(
    a_channel_is_made_once,
    channels_are_refused_with_the_field,
    the_same_members_share_one_channel,
    whom_a_channel_was_shared_with_nobody_finds_out,
    only_those_who_may_read_a_channel_learn_of_it,
    another_team_has_no_channels,
    a_channel_of_another_team_is_refused_as_one_that_is_not_there,
    members_come_and_go,
    channels_are_deleted_and_made_anew,
    the_owner_of_a_channel_may_be_nobody,
    many_members_take_as_many_statements,
);
