//! Nothing remains in the files of SQLite of users who are gone, their earlier states included.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater_storage::scrub::{self, Scrub};
use headwater_storage::{Durability, Error, Options, Sql, Store, Tx, redaction, users};
use headwater_testkit::{Engine, TestStore};
use model::words::searchable;
use model::{User, UserId};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::people::{APP, find, id, put, user};
use crate::support::{Gate, StillClock};

/// What is in the id, the name and the custom data of those who go, and in nobody else's.
const MARK: &str = "marked";

const OTHERS: usize = 600;
const GONE: usize = 60;

fn open(directory: &Path) -> Store {
    let options = Options::new(directory, Arc::<StillClock>::default());
    Store::open(Options { durability: Durability::Off, readers: 1, ..options }).unwrap()
}

/// Numbers that look random, and are the same every time.
fn scattered(number: usize) -> u64 {
    (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Somebody who stays, in a state of many.
fn other(number: usize, state: usize) -> User {
    let color = format!("{:x}", scattered(number * 31 + state));
    let bio = "of others ".repeat(state * 97 % 900);
    user(
        &format!("{:x}-{number}", scattered(number)),
        &format!("Person{number} {color}"),
        json!({"color": color, "bio": bio, "n": number}),
    )
}

/// Somebody who goes, in a state of many: ids stand among those of others, and each word begins otherwise, since the index
/// leaves out what a word shares with the one before it.
fn gone(number: usize, state: usize) -> User {
    let letters: String =
        [number / 26 + state, number].map(|n| char::from(b'a' + (n % 26) as u8)).iter().collect();
    let long = format!("marked{state} ").repeat(match state % 3 {
        0 => 4000,
        1 => 30,
        _ => 2500,
    });
    user(
        &format!("{:x}-marked-{number}", scattered(OTHERS + number)),
        &format!("{letters}marked{number} {letters}xmarked{state}"),
        json!({"marked-key": format!("{letters} marked value {state}"), "long": long, "list": ["marked", number]}),
    )
}

fn gone_ids() -> Vec<UserId> {
    (0..GONE).map(|number| gone(number, 0).id).collect()
}

async fn write(store: &Store, work: impl Fn(&mut Tx<'_>) -> Result<(), Error> + Send + 'static) {
    store.write(work).await.unwrap();
}

/// Stores all of them among each other, changes them, and takes away those who go, with what the log has of them.
async fn live_and_go(store: &Store) {
    for state in 0..4 {
        for some in 0..20 {
            write(store, move |tx| {
                let others =
                    (some * OTHERS / 20..(some + 1) * OTHERS / 20).map(|number| other(number, state));
                let gone = (some * GONE / 20..(some + 1) * GONE / 20).map(|number| gone(number, state));
                let mut all: Vec<User> = others.chain(gone).collect();
                all.sort_by(|one, other| one.id.cmp(&other.id));
                put(tx, &all).map(drop)
            })
            .await;
        }
    }
}

async fn go(store: &Store) {
    write(store, |tx| {
        let gone = find(tx, &gone_ids())?;
        assert_eq!(gone.len(), GONE);
        for stored in &gone {
            while redaction::redact(tx, stored.key, 100)? > 0 {}
        }
        users::remove(tx, APP, &gone)
    })
    .await;
}

/// Takes one step. Answers the scrub after it, and whether there are more.
async fn step(store: &Store, scrub: &Scrub) -> (Scrub, bool) {
    let before = scrub.clone();
    let taken = store.write_in_background(move |tx| {
        let mut scrub = before.clone();
        let more = scrub::step(tx, &mut scrub)?;
        Ok::<_, Error>((scrub, more))
    });
    taken.await.unwrap()
}

/// Scrubs to the end.
async fn scrub(store: &Store) {
    let (mut scrub, mut steps) = (Scrub::default(), 0);
    loop {
        let (next, more) = step(store, &scrub).await;
        steps += 1;
        if !more {
            return;
        }
        if next.is_waiting() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(steps < 10_000, "{next:?}");
        scrub = next;
    }
}

/// How often the mark is in the files of a directory, in whatever case.
fn marks(directory: &Path) -> usize {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|file| {
            let bytes = fs::read(file).unwrap();
            String::from_utf8_lossy(&bytes).to_ascii_lowercase().matches(MARK).count()
        })
        .sum()
}

/// What the engine says of a database that nobody has open.
fn check_sound(directory: &Path) {
    let connection = Connection::open(directory.join("headwater.db")).unwrap();
    let said: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok");
    connection.execute("INSERT INTO user_words (user_words) VALUES ('integrity-check')", []).unwrap();
}

/// Whether each of those who stay is found by each of its words, and nobody else who was not named.
async fn check_others(store: &Store, numbers: std::ops::Range<usize>, state: usize) {
    let found = store.read(move |tx| {
        for number in numbers.clone() {
            let expected = other(number, state);
            for word in searchable(APP, &expected).split_whitespace() {
                let found = tx.query(
                    Sql::new("SELECT id FROM users WHERE key IN (SELECT rowid FROM user_words WHERE user_words MATCH $1)"),
                    &[format!("\"{word}\"").into()],
                    |row| row.text(0),
                )?;
                assert!(found.iter().any(|id| *id == expected.id.as_str()), "{word} of {}", expected.id);
            }
        }
        Ok::<_, Error>(())
    });
    found.await.unwrap();
}

/// A copy of the files as they are: what a process that is killed now would leave.
fn image(directory: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    copy
}

#[tokio::test]
async fn nothing_remains_after_a_scrub() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    live_and_go(&store).await;
    assert!(marks(directory.path()) > 10 * GONE);
    go(&store).await;
    store.close();
    let store = open(directory.path());
    assert!(marks(directory.path()) > 0, "deletion alone leaves words and remainders of rows");
    scrub(&store).await;
    assert_eq!(marks(directory.path()), 0);
    check_others(&store, 0..OTHERS, 3).await;
    store.close();
    assert_eq!(marks(directory.path()), 0);
    check_sound(directory.path());
}

/// Rows of many lengths in an order that is none: pages are divided in the middle of them, and what is moved to another
/// page stays behind in the one it was in, where its deletion does not find it.
#[tokio::test]
async fn nothing_remains_between_the_rows_of_a_page() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let goes = |number: usize| number.is_multiple_of(4);
    let make = move |number: usize| {
        let scattered = scattered(number);
        let mark = if goes(number) { MARK } else { "others" };
        let value = format!("{scattered:x} {mark} {}", "-".repeat(scattered as usize % 180));
        user(&format!("{scattered:x}"), "Somebody", json!({"value": value}))
    };
    for some in 0..60 {
        write(&store, move |tx| {
            put(tx, &(some * 100..(some + 1) * 100).map(make).collect::<Vec<_>>()).map(drop)
        })
        .await;
    }
    for some in 0..60 {
        write(&store, move |tx| {
            let ids: Vec<UserId> =
                (some * 100..(some + 1) * 100).filter(|n| goes(*n)).map(|n| make(n).id).collect();
            let gone = find(tx, &ids)?;
            for stored in &gone {
                redaction::redact(tx, stored.key, 100)?;
            }
            users::remove(tx, APP, &gone)
        })
        .await;
    }
    store.close();
    let left = marks(directory.path());
    assert!(left > 0, "the engine wipes them by now: the scrub need not");
    let store = open(directory.path());
    scrub(&store).await;
    assert_eq!(marks(directory.path()), 0, "of {left}");
    store.close();
    check_sound(directory.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_write_and_read_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    live_and_go(&store).await;
    let done = Arc::new(AtomicBool::new(false));
    let (writing, ended) = (store.clone(), Arc::clone(&done));
    let others = tokio::spawn(async move {
        let mut rounds = 0;
        while !ended.load(Ordering::Relaxed) || !usize::is_multiple_of(rounds, 20) {
            let (some, state) = (rounds % 20, rounds / 20);
            write(&writing, move |tx| {
                let numbers = some * OTHERS / 20..(some + 1) * OTHERS / 20;
                put(tx, &numbers.map(|number| other(number, state)).collect::<Vec<_>>()).map(drop)
            })
            .await;
            check_others(&writing, some..some + 1, state).await;
            rounds += 1;
        }
        rounds / 20 - 1
    });
    go(&store).await;
    scrub(&store).await;
    assert_eq!(marks(directory.path()), 0, "while others still write");
    done.store(true, Ordering::Relaxed);
    let state = others.await.unwrap();
    check_others(&store, 0..OTHERS, state).await;
    store.close();
    assert_eq!(marks(directory.path()), 0);
    check_sound(directory.path());
}

#[tokio::test]
async fn killed_at_any_step_it_begins_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    live_and_go(&store).await;
    go(&store).await;
    let (mut scrub_at, mut steps) = (Scrub::default(), 0);
    loop {
        let killed = image(directory.path());
        let survivor = open(killed.path());
        if u32::is_multiple_of(steps, 4) {
            scrub(&survivor).await;
            assert_eq!(marks(killed.path()), 0, "killed after {steps} steps");
            check_others(&survivor, 0..20, 3).await;
        }
        survivor.close();
        check_sound(killed.path());
        let (next, more) = step(&store, &scrub_at).await;
        steps += 1;
        if !more {
            break;
        }
        scrub_at = next;
    }
    assert!(steps > 5, "{steps}");
    store.close();
}

#[tokio::test]
async fn a_reader_in_the_way_is_waited_for_and_holds_nobody_up() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    live_and_go(&store).await;
    go(&store).await;
    let gate = Gate::default();
    let reader = {
        let (store, gate) = (store.clone(), gate.clone());
        std::thread::spawn(move || {
            drop(store.read::<_, Error, _>(move |tx| {
                tx.query(Sql::new("SELECT COUNT(*) FROM users"), &[], |row| row.integer(0))?;
                gate.pass();
                Ok(())
            }));
        })
    };
    gate.wait_for_arrival();
    let mut scrub = Scrub::default();
    for _ in 0..200 {
        let (next, more) = step(&store, &scrub).await;
        assert!(more, "the log is not cut under a reader");
        if next.is_waiting() && scrub.is_waiting() {
            break;
        }
        scrub = next;
    }
    assert!(scrub.is_waiting());
    for state in 4..8 {
        write(&store, move |tx| put(tx, &[other(1, state)]).map(drop)).await;
    }
    assert!(marks(directory.path()) > 0);
    gate.open();
    reader.join().unwrap();
    while step(&store, &scrub).await.1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(marks(directory.path()), 0);
    store.close();
}

#[tokio::test]
async fn the_index_stays_sound_however_often_it_is_scrubbed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for state in 0..150 {
        write(&store, move |tx| put(tx, &[other(1, state), other(2, state)]).map(drop)).await;
        scrub(&store).await;
    }
    check_others(&store, 1..3, 149).await;
    store.close();
    check_sound(directory.path());
}

#[tokio::test]
async fn an_empty_database_is_scrubbed_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    scrub(&store).await;
    write(&store, |tx| put(tx, &[user("alice", "Alice", json!({}))]).map(drop)).await;
    write(&store, |tx| {
        let alice = find(tx, &[id("alice")])?;
        users::remove(tx, APP, &alice)
    })
    .await;
    scrub(&store).await;
    store.close();
    check_sound(directory.path());
}

#[tokio::test]
async fn on_postgres_there_is_nothing_to_do() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let store = TestStore::open_on(Engine::Postgres);
    assert!(!step(&store, &Scrub::default()).await.1);
}
