//! As `growth`, of blocks, mutes, devices and push preferences: what is read for each of them stays the same while they
//! become many.

use headwater_operations::{blocks, devices, mutes, push_preferences};
use headwater_testkit::Engine;
use model::{
    Action, Block, ChatLevel, Choice, Mute, PushChange, PushEntry, PushProvider, Registration, Targets,
};

use crate::growth::rows_read;
use crate::stage::{Stage, id};

/// The most rows that may be read, of a table and its indexes together, for each user that does all of it.
const MOST_READ: usize = 60;

const USERS: usize = 1_000;

#[tokio::test]
async fn nobody_reads_more_when_there_are_more() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(1).await;
    // The server would analyse them after a while, and mend what is wrong before it shows.
    stage.store.database().unwrap().run(&[
        "ALTER TABLE users SET (autovacuum_enabled = false)",
        "ALTER TABLE user_blocks SET (autovacuum_enabled = false)",
        "ALTER TABLE user_mutes SET (autovacuum_enabled = false)",
        "ALTER TABLE devices SET (autovacuum_enabled = false)",
        "ALTER TABLE push_preferences SET (autovacuum_enabled = false)",
    ]);
    let names: Vec<String> = (0..USERS).map(|number| format!("user-{number}")).collect();
    stage.create(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for (place, name) in names.iter().enumerate() {
        let next = |step: usize| id(&names[(place + step) % USERS]);
        relate(&stage, name, [next(1), next(2)]).await;
        equip(&stage, name, place).await;
    }
    let read = rows_read(&stage.store);
    for table in ["users", "user_blocks", "user_mutes", "devices", "push_preferences"] {
        // While there are so few users, making a hundred of them at once reads all who are there.
        let made = if table == "users" { USERS / 2 } else { 0 };
        let most = i64::try_from((MOST_READ + made) * USERS).unwrap();
        assert!((1..most).contains(&read[table]), "{table}, by {USERS} users: {read:?}");
    }
}

/// Blocks and mutes, and ends some of it.
async fn relate(stage: &Stage, name: &str, targets: [model::UserId; 2]) {
    let block = |target: usize| Block { user: Some(id(name)), target: targets[target].clone() };
    let whom = Targets { user: Some(id(name)), targets: targets.to_vec() };
    for (command, ends) in [(block(0), false), (block(1), false), (block(0), true)] {
        let done = stage.write(Action::BlockUser, move |tx, ctx| match ends {
            true => blocks::unblock(tx, ctx, &command),
            false => blocks::block(tx, ctx, &command).map(drop),
        });
        done.await.unwrap();
    }
    for minutes in [Some(5), None] {
        let command = Mute { whom: whom.clone(), minutes };
        let muted = stage.write(Action::MuteUser, move |tx, ctx| mutes::mute(tx, ctx, &command));
        assert_eq!(muted.await.unwrap().mutes.len(), 2);
    }
    let command = Targets { targets: targets[..1].to_vec(), ..whom };
    let unmuted = stage.write(Action::MuteUser, move |tx, ctx| mutes::unmute(tx, ctx, &command));
    assert_eq!(unmuted.await.unwrap(), []);
}

/// Registers and removes devices, and chooses what is pushed.
async fn equip(stage: &Stage, name: &str, place: usize) {
    for token in [format!("token-{place}"), "passed on".to_owned(), format!("gone-{place}")] {
        let command = Registration {
            user: Some(id(name)),
            id: token,
            provider: PushProvider::Apn,
            provider_name: None,
            hardware_id: None,
            voip: false,
        };
        let registered =
            stage.write(Action::ManageDevices, move |tx, ctx| devices::register(tx, ctx, &command));
        registered.await.unwrap();
    }
    let (user, token) = (id(name), format!("gone-{place}"));
    let deleted =
        stage.write(Action::ManageDevices, move |tx, ctx| devices::delete(tx, ctx, &token, Some(&user)));
    deleted.await.unwrap();
    for level in [ChatLevel::Nothing, ChatLevel::Mentions] {
        let change = PushChange { chat: Some(Choice::Level(level)), ..PushChange::default() };
        let entry = PushEntry { user: Some(id(name)), channel: None, change };
        let changed = stage.write(Action::ManagePushPreferences, move |tx, ctx| {
            push_preferences::update(tx, ctx, std::slice::from_ref(&entry))
        });
        changed.await.unwrap();
    }
}
