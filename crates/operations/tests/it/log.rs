//! The log: every change is in it, with everyone whose data it holds, until it is pruned.

use std::time::Duration;

use headwater_operations::lifecycle::{self, Deactivate};
use headwater_operations::log::Bounds;
use headwater_operations::users;
use headwater_operations::{Error, log};
use headwater_testkit::{Engine, on_each_engine};
use model::{Action, Event, Field, Patch, Profile, UserContent};

use crate::stage::{Stage, id};

impl Stage {
    async fn events(&self) -> Vec<Vec<String>> {
        self.rows("SELECT event, subject, actor, operation, request FROM log ORDER BY sequence", 5).await
    }

    async fn prune(&self, bounds: Bounds) -> bool {
        let now = self.ctx(Action::ReadApp).now;
        let pruned = self.store.write_in_background(move |tx| log::prune(tx, now, &bounds)).await;
        pruned.unwrap_or_else(|error: Error| panic!("{error}"))
    }
}

async fn every_change_is_logged_with_its_people(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.create(&["alice"]).await;
    let patches = vec![Patch { id: id("bob"), set: Vec::new(), unset: vec![Field::Name] }];
    stage
        .write(Action::UpdateUser, move |tx, ctx| users::update_partial(tx, ctx, &patches.clone().into()))
        .await
        .unwrap();
    let command = Deactivate {
        id: id("bob"),
        created_by: Some(id("alice")),
        content: UserContent { messages: true, channels: false },
    };
    stage
        .write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate(tx, ctx, &command))
        .await
        .unwrap();

    let events = stage.events().await;
    let shown: Vec<String> = events.iter().map(|row| row[..2].join(" ")).collect();
    assert_eq!(
        shown,
        [
            "app.created ",
            "user.created alice",
            "user.created bob",
            "user.updated alice",
            "user.updated bob",
            "user.deactivated bob"
        ]
    );
    assert_eq!(events[0][2..], ["operator", "UpdateUsers", "request-1"]);
    assert_eq!(events[1][2..], ["server", "UpdateUsers", "request-1"]);

    let people = stage
        .rows(
            "SELECT event, users.id FROM log_person JOIN log ON log = sequence JOIN users ON users.key = log_person.user \
             ORDER BY sequence, users.id",
            2,
        )
        .await;
    let people: Vec<String> = people.iter().map(|row| row.join(" ")).collect();
    assert_eq!(
        people,
        [
            "user.created alice",
            "user.created bob",
            "user.updated alice",
            "user.updated bob",
            "user.deactivated alice",
            "user.deactivated bob"
        ]
    );

    let payloads = stage.rows("SELECT payload FROM log ORDER BY sequence DESC LIMIT 1", 1).await;
    let event = Event::from_stored(&payloads[0][0]).unwrap();
    let Event::UserDeactivated { user, created_by, mark_messages_deleted: true, .. } = event else {
        panic!("{event:?}")
    };
    assert_eq!((user.id, created_by), (id("bob"), Some(id("alice"))));
    assert!(user.deactivated_at.is_some(), "the snapshot is the user after the change");
}

async fn a_refused_change_is_not_logged(engine: Engine) {
    let stage = Stage::set(engine).await;
    let wrong = Profile { role: Some("captain".to_owned()), ..Profile::default() };
    stage.upsert(vec![(id("alice"), wrong)]).await.unwrap_err();
    assert_eq!(stage.events().await.len(), 1);
}

async fn old_rows_go_a_batch_at_a_time(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..1200).map(|number| format!("u{number}")).collect();
    stage.create(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stage.store.clock().advance(100_000_000_000);
    stage.create(&["young"]).await;
    let minute = Bounds { age: Duration::from_secs(60), ..Bounds::default() };
    assert!(stage.prune(minute).await, "a thousand rows at once");
    assert!(!stage.prune(minute).await);
    assert_eq!(stage.events().await.iter().map(|row| row[1].as_str()).collect::<Vec<_>>(), ["young"]);
    assert_eq!(stage.rows("SELECT CAST(log AS TEXT) FROM log_person", 1).await.len(), 1);
    assert!(!stage.prune(minute).await);
}

async fn a_log_that_is_too_large_loses_its_oldest_rows(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..300).map(|number| format!("u{number:03}")).collect();
    stage.create(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stage.prune(Bounds { bytes: 40_000, ..Bounds::default() }).await;
    let left = stage.events().await;
    assert!((50..150).contains(&left.len()), "{} rows of some 400 bytes", left.len());
    assert_eq!(left.last().unwrap()[1], "u299");
    stage.prune(Bounds { bytes: 0, ..Bounds::default() }).await;
    assert_eq!(stage.events().await.len(), 0);
}

on_each_engine!(
    every_change_is_logged_with_its_people,
    a_refused_change_is_not_logged,
    old_rows_go_a_batch_at_a_time,
    a_log_that_is_too_large_loses_its_oldest_rows,
);
