//! Users who go for good: their rows and all that finds them, and what the log says of them.

use std::sync::Arc;

use headwater_storage::log::{self, Entry, Logged, Position};
use headwater_storage::{Error, Sql, redaction, roles, standing, users};
use headwater_testkit::{Engine, TestStore, on_each_engine};
use model::{CustomRole, Event, Timestamp, User, UserKey};
use serde_json::json;

use crate::people::{APP, append, find, id, put, user};

/// What a statement answers, every column as text.
async fn rows(store: &TestStore, sql: &'static str, columns: usize) -> Vec<Vec<String>> {
    let read = store.read(move |tx| {
        tx.query(Sql::new(sql), &[], |row| (0..columns).map(|column| row.text(column)).collect())
    });
    let read: Result<Vec<Vec<String>>, Error> = read.await;
    read.unwrap()
}

async fn count(store: &TestStore, sql: Sql) -> i64 {
    let read = store.read(move |tx| tx.query(sql, &[], |row| row.integer(0)));
    let read: Result<Vec<i64>, Error> = read.await;
    read.unwrap()[0]
}

async fn store_users(store: &TestStore, users: Vec<User>) -> Vec<UserKey> {
    let stored = store.write::<_, Error, _>(move |tx| put(tx, &users)).await.unwrap();
    stored.iter().map(|stored| stored.key).collect()
}

/// The rows of the log, when there are so many: a transaction elsewhere on the server delays readers.
async fn logged(store: &TestStore, expected: usize) -> Vec<Logged> {
    loop {
        let read = store.read::<_, Error, _>(|tx| log::after(tx, Position::default(), 10)).await.unwrap();
        if read.len() == expected {
            return read;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn redact(store: &TestStore, user: UserKey, most: usize) -> (usize, u32) {
    let redacted = store.write_in_background(move |tx| {
        let redacted = redaction::redact(tx, user, most)?;
        Ok::<_, Error>((redacted, tx.statements()))
    });
    redacted.await.unwrap()
}

async fn users_who_are_removed_leave_nothing_that_finds_them(engine: Engine) {
    let store = TestStore::open_on(engine);
    let captain = |name: &str| User {
        role: "captain".to_owned(),
        teams: vec!["red".to_owned()],
        teams_role: [("red".to_owned(), "cook".to_owned())].into(),
        ..user(name, "Ann Smith", json!({"color": "blue", "tags": ["a", "b"]}))
    };
    let role = |name: &str| CustomRole {
        name: name.to_owned(),
        created_at: Timestamp::from_seconds(1),
        updated_at: Timestamp::from_seconds(1),
    };
    let (one, other) = (role("captain"), role("cook"));
    let made = store.write::<_, Error, _>(move |tx| {
        roles::insert(tx, APP, &one)?;
        roles::insert(tx, APP, &other)
    });
    made.await.unwrap();
    let users = ["alice", "bob", "carol"].map(captain).to_vec();
    store_users(&store, users).await;
    let alice = id("alice");
    let known = store.read::<_, Error, _>(move |tx| standing::of(tx, APP, &alice)).await.unwrap().unwrap();
    if let Err(epoch) = store.standings().get(&(APP, id("alice"))) {
        store.standings().remember(epoch, (APP, id("alice")), Arc::new(known));
    }

    let removed = store.write::<_, Error, _>(|tx| {
        let found = find(tx, &[id("alice"), id("carol")])?;
        let before = tx.statements();
        users::remove(tx, APP, &found)?;
        Ok(tx.statements() - before)
    });
    assert_eq!(removed.await.unwrap(), 1);
    assert_eq!(rows(&store, "SELECT id FROM users", 1).await, [["bob"]]);
    let owners = [
        "SELECT id FROM users WHERE key IN (SELECT \"user\" FROM user_leaves)",
        "SELECT id FROM users WHERE key IN (SELECT \"user\" FROM role_holders)",
    ];
    for left in owners {
        assert_eq!(rows(&store, left, 1).await, [["bob"]]);
    }
    let others = Sql::new(
        "SELECT (SELECT COUNT(*) FROM user_leaves WHERE \"user\" NOT IN (SELECT key FROM users)) \
             + (SELECT COUNT(*) FROM role_holders WHERE \"user\" NOT IN (SELECT key FROM users))",
    );
    assert_eq!(count(&store, others).await, 0);
    let words = Sql::pair(
        "SELECT COUNT(*) FROM user_words_docsize",
        "SELECT COUNT(DISTINCT \"user\") FROM user_words",
    );
    assert_eq!(count(&store, words).await, 1);
    assert!(store.standings().get(&(APP, id("alice"))).is_err());

    let nobody = store.write::<_, Error, _>(|tx| users::remove(tx, APP, &[]));
    nobody.await.unwrap();
    // The id is free again for whoever may give it.
    store_users(&store, vec![captain("alice")]).await;
    assert_eq!(rows(&store, "SELECT id FROM users ORDER BY id", 1).await, [["alice"], ["bob"]]);
}

async fn the_log_keeps_that_there_was_something_and_nothing_else(engine: Engine) {
    let store = TestStore::open_on(engine);
    let named = |name: &str| user(name, "Somebody", json!({}));
    let keys = store_users(&store, vec![named("alice"), named("bob")]).await;
    let (alice, bob) = (keys[0], keys[1]);
    let blocked = move |tx: &mut headwater_storage::Tx<'_>, actor: &str, user: &str, blocked: &str| {
        let event = Event::UserBlocked { user: id(user), blocked: id(blocked) };
        let (person, other) = if user == "alice" { (alice, bob) } else { (bob, alice) };
        append(tx, actor, &[Entry { event, person: Some(person), others: vec![other] }])
    };
    let appended = store.write::<_, Error, _>(move |tx| {
        blocked(tx, "bob", "bob", "alice")?;
        blocked(tx, "operator", "alice", "bob")
    });
    appended.await.unwrap();
    store_users(&store, vec![named("bob")]).await;

    assert_eq!(redact(&store, alice, 2).await, (2, 2), "as many as were asked for");
    assert_eq!(redact(&store, alice, 2).await, (1, 2));
    assert_eq!(redact(&store, alice, 2).await.0, 0);
    let all = "SELECT event, operation, request, actor, subject, payload FROM log ORDER BY sequence";
    let found = rows(&store, all, 6).await;
    let shown: Vec<String> = found.iter().map(|row| row[..5].join(" ")).collect();
    assert_eq!(
        shown,
        [
            "user.updated UpdateUsers request-1 server ",
            "user.updated UpdateUsers request-1 server bob",
            "user.blocked UpdateUsers request-1  ",
            "user.blocked UpdateUsers request-1 operator ",
            "user.updated UpdateUsers request-1 server bob",
        ]
    );
    for (place, was) in [(0, "user.updated"), (2, "user.blocked"), (3, "user.blocked")] {
        let event = Event::from_stored(&found[place][5]).unwrap();
        assert_eq!((event.name(), &event), ("redacted", &Event::Redacted { was: was.to_owned() }));
    }
    assert!(found.iter().all(|row| !row.concat().contains("alice")), "{found:?}");
    let names = "SELECT event FROM log_person JOIN log ON log = sequence";
    assert_eq!(rows(&store, names, 1).await, [["user.updated"], ["user.updated"]], "what is left is of bob");
    let people = Sql::new("SELECT COUNT(*) FROM log WHERE person IS NOT NULL");
    assert_eq!(count(&store, people).await, 2);

    // Readers meet the same rows in the same order.
    let events = logged(&store, 5).await;
    let events: Vec<&str> = events.iter().map(|row| row.event.as_str()).collect();
    assert_eq!(events, ["user.updated", "user.updated", "user.blocked", "user.blocked", "user.updated"]);
    assert_eq!(redact(&store, bob, 100).await.0, 2);
}

async fn a_name_without_a_row_goes_as_well(engine: Engine) {
    let store = TestStore::open_on(engine);
    let insert = Sql::new("INSERT INTO log_person (log, \"user\") VALUES (404, 7)");
    store.write::<_, Error, _>(move |tx| tx.execute(insert, &[])).await.unwrap();
    assert_eq!(redact(&store, UserKey(7), 10).await.0, 1);
    assert_eq!(redact(&store, UserKey(7), 10).await.0, 0);
}

on_each_engine!(
    users_who_are_removed_leave_nothing_that_finds_them,
    the_log_keeps_that_there_was_something_and_nothing_else,
    a_name_without_a_row_goes_as_well,
);
