//! A backup is a whole database of one moment, made while writes go on, or it is nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use headwater_storage::{Copied, CopyError, Durability, Error, Migration, Sql, Store, Tx, Value};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::support::{Fixture, Gate, open, open_with, until};

/// Two tables with a row a page, one behind the other in the file: a copy takes several hundred pages a step, so that
/// it would hold them at different moments if it were not of one.
const PAIRS: &[Migration] = &[Migration {
    number: 1,
    name: "pairs",
    sql: "CREATE TABLE first (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, page BLOB NOT NULL);
          CREATE TABLE second (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, page BLOB NOT NULL);
          CREATE TABLE ballast (bytes BLOB NOT NULL);
          WITH RECURSIVE ids (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < 3000)
          INSERT INTO first SELECT id, 0, zeroblob(3000) FROM ids;
          INSERT INTO second SELECT id, n, page FROM first;",
}];

const ROWS: i64 = 3000;

/// The writes of a moment: how many there were, in either table.
type Sums = (i64, i64);

fn open_pairs() -> Fixture {
    open_with(|options| {
        options.migrations = PAIRS;
        options.durability = Durability::Off;
    })
}

/// Counts in both tables, at a place that jumps through them.
fn count(number: i64) -> impl Fn(&mut Tx<'_>) -> Result<(), Error> + Send + 'static {
    const FIRST: Sql = Sql::new("UPDATE first SET n = n + 1 WHERE id = $1");
    const SECOND: Sql = Sql::new("UPDATE second SET n = n + 1 WHERE id = $1");
    let id = Value::Integer(1 + number * 7919 % ROWS);
    move |tx| {
        tx.execute(FIRST, std::slice::from_ref(&id))?;
        tx.execute(SECOND, std::slice::from_ref(&id)).map(drop)
    }
}

/// A refusal that comes late: when something was written.
fn count_and_refuse(number: i64) -> impl Fn(&mut Tx<'_>) -> Result<(), Error> + Send + 'static {
    let count = count(number);
    move |tx| {
        count(tx)?;
        Err(Error::Unreadable("mind"))
    }
}

/// What `file` holds for somebody who has nothing else, and can write nothing beside it.
fn sums(file: &Path) -> Sums {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let disagreements = "SELECT COUNT(*) FROM first JOIN second USING (id) WHERE first.n <> second.n";
    assert_eq!(connection.query_row(disagreements, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    let sums = "SELECT (SELECT SUM(n) FROM first), (SELECT SUM(n) FROM second)";
    connection.query_row(sums, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

async fn back_up(store: &Store, target: &Path) -> Result<Copied, CopyError> {
    store.back_up(target).await
}

/// Backs up while `write` is called again and again. Answers how often it had answered before, and what is in the copy.
async fn back_up_under(
    store: &Store,
    target: &Path,
    numbers: &mut i64,
    mut write: impl AsyncFnMut(i64),
) -> (i64, Sums) {
    let before = *numbers;
    let mut backup = store.back_up(target);
    loop {
        tokio::select! {
            biased;
            copied = &mut backup => {
                copied.unwrap();
                return (before, sums(target));
            }
            () = write(*numbers + 1) => *numbers += 1,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_under_writes_is_of_one_moment() {
    let fixture = open_pairs();
    let target = TempDir::new().unwrap();
    let mut numbers = 0;
    let mut overlaps = 0;
    for attempt in 0..100 {
        let file = target.path().join(format!("{attempt}.db"));
        let store = &fixture.store;
        let write = async |number| store.write(count(number)).await.unwrap();
        let (before, (first, second)) = back_up_under(store, &file, &mut numbers, write).await;
        assert_eq!(first, second);
        assert!(first >= before, "{before} were answered before the backup began, {first} are in it");
        overlaps += usize::from(first > before);
        if overlaps == 3 {
            return;
        }
    }
    panic!("no write ever came between the first step and the last");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_do_not_keep_a_copy_from_its_end() {
    let fixture = open_pairs();
    let target = TempDir::new().unwrap();
    let mut numbers = 0;
    for attempt in 0..5 {
        let file = target.path().join(format!("{attempt}.db"));
        let store = &fixture.store;
        let write = async |number| {
            let refused = store.write(count_and_refuse(number));
            let counted = store.write(count(number));
            assert!(matches!(refused.await, Err(Error::Unreadable("mind"))));
            counted.await.unwrap();
            let alone = store.write(count_and_refuse(number)).await;
            assert!(matches!(alone, Err(Error::Unreadable("mind"))));
        };
        let (before, (first, _)) = back_up_under(store, &file, &mut numbers, write).await;
        assert!(first >= before);
        // The last write may have been given up when the copy was there: it is counted as none, and may be stored.
        assert!(first <= numbers + 1 + attempt, "{first} of {numbers}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_outgrows_the_cache_and_is_refused_leaves_no_trace() {
    const BALLAST: Sql = Sql::new("INSERT INTO ballast VALUES (zeroblob(90000000))");
    let fixture = open_pairs();
    let store = &fixture.store;
    let target = TempDir::new().unwrap();
    let file = target.path().join("copy.db");
    let mut numbers = 0;
    let write = async |number| {
        let refused = store.write(|tx| {
            tx.execute(BALLAST, &[])?;
            Err::<(), _>(Error::Unreadable("mind"))
        });
        let counted = store.write(count(number));
        assert!(refused.await.is_err());
        counted.await.unwrap();
    };
    back_up_under(store, &file, &mut numbers, write).await;
    let ballast: i64 = Connection::open(&file)
        .unwrap()
        .query_row("SELECT COUNT(*) FROM ballast", [], |row| row.get(0))
        .unwrap();
    assert_eq!(ballast, 0);
}

#[tokio::test]
async fn a_source_that_grows_all_the_time_is_caught_up_with() {
    const BALLAST: Sql = Sql::new("INSERT INTO ballast VALUES (zeroblob(4000000))");
    let fixture = open_pairs();
    let store = &fixture.store;
    let target = TempDir::new().unwrap();
    let write = async |_| {
        store.write::<_, Error, _>(|tx| tx.execute(BALLAST, &[])).await.unwrap();
    };
    back_up_under(store, &target.path().join("copy.db"), &mut 0, write).await;
}

#[tokio::test]
async fn a_copy_is_private_and_needs_no_other_file() {
    let fixture = open_pairs();
    fixture.store.write(count(1)).await.unwrap();
    let target = TempDir::new().unwrap();
    let file = target.path().join("copy.db");
    let copied = back_up(&fixture.store, &file).await.unwrap();
    assert_eq!(entries(target.path()), [file.as_path()]);
    let metadata = file.metadata().unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(copied, Copied { bytes: metadata.len(), schema: 1 });
    assert_eq!(sums(&file), (1, 1));
    assert_eq!(entries(target.path()), [file.as_path()]);
}

#[tokio::test]
async fn nothing_is_overwritten() {
    let fixture = open();
    for name in ["copy.db", "copy.db-wal", "copy.db-journal"] {
        let target = TempDir::new().unwrap();
        let existing = target.path().join(name);
        fs::write(&existing, "precious").unwrap();
        let refused = back_up(&fixture.store, &target.path().join("copy.db")).await;
        assert!(matches!(&refused, Err(CopyError::Exists(path)) if *path == existing), "{refused:?}");
        assert_eq!(entries(target.path()), [existing.as_path()]);
        assert_eq!(fs::read(&existing).unwrap(), b"precious");
    }
    let directory = TempDir::new().unwrap();
    let refused = back_up(&fixture.store, directory.path()).await;
    assert!(matches!(refused, Err(CopyError::Exists(_))), "{refused:?}");
}

#[tokio::test]
async fn what_comes_into_its_place_meanwhile_is_not_overwritten() {
    let fixture = open_pairs();
    let target = TempDir::new().unwrap();
    let file = target.path().join("copy.db");
    let gate = Gate::default();
    let held = fixture.store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let backup = fixture.store.back_up(&file);
    until(|| !entries(target.path()).is_empty()).await;
    fs::write(&file, "precious").unwrap();
    gate.open();
    held.await.unwrap();
    let refused = backup.await;
    assert!(matches!(refused, Err(CopyError::Exists(_))), "{refused:?}");
    assert_eq!(entries(target.path()), [file.as_path()]);
    assert_eq!(fs::read(&file).unwrap(), b"precious");
}

#[tokio::test]
async fn a_target_that_cannot_be_written_is_named() {
    let fixture = open();
    let target = TempDir::new().unwrap();
    fs::write(target.path().join("file"), "").unwrap();
    for below in ["missing/copy.db", "file/copy.db"] {
        let below = target.path().join(below);
        let refused = back_up(&fixture.store, &below).await;
        assert!(matches!(&refused, Err(CopyError::Target { path, .. }) if *path == below), "{refused:?}");
    }
    back_up(&fixture.store, &target.path().join("copy.db")).await.unwrap();
}

#[tokio::test]
async fn there_is_one_backup_at_a_time_and_none_for_who_left() {
    let fixture = open_pairs();
    let target = TempDir::new().unwrap();
    let gate = Gate::default();
    let held = fixture.store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let backup = fixture.store.back_up(target.path().join("one.db"));
    let refused = back_up(&fixture.store, &target.path().join("two.db")).await;
    assert!(matches!(refused, Err(CopyError::UnderWay)), "{refused:?}");
    until(|| !entries(target.path()).is_empty()).await;

    drop(backup);
    gate.open();
    held.await.unwrap();
    until(|| entries(target.path()).is_empty()).await;
    let mut again = Err(CopyError::UnderWay);
    while matches!(again, Err(CopyError::UnderWay)) {
        again = back_up(&fixture.store, &target.path().join("two.db")).await;
    }
    again.unwrap();
    // The next one can begin as soon as one is answered.
    back_up(&fixture.store, &target.path().join("three.db")).await.unwrap();
}

#[tokio::test]
async fn a_store_that_closes_stops_its_backup() {
    let fixture = open_pairs();
    let target = TempDir::new().unwrap();
    let gate = Gate::default();
    let held = fixture.store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let backup = fixture.store.back_up(target.path().join("copy.db"));
    until(|| !entries(target.path()).is_empty()).await;
    let closing = thread::spawn({
        let store = fixture.store.clone();
        move || store.close()
    });
    let mut late = fixture.store.back_up(target.path().join("late.db"));
    while !matches!((&mut late).await, Err(CopyError::Store(Error::Closed))) {
        late = fixture.store.back_up(target.path().join("late.db"));
    }
    gate.open();
    closing.join().unwrap();
    held.await.unwrap();
    assert!(matches!(backup.await, Err(CopyError::Stopped)));
    assert_eq!(entries(target.path()), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn a_damaged_database_is_not_taken_for_a_backup() {
    let fixture = open_pairs();
    fixture.store.close();
    let file = fixture.directory.path().join("headwater.db");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 8192 * 4096;
    bytes[middle..middle + 4096].fill(7);
    fs::write(&file, bytes).unwrap();

    let options = crate::support::options(fixture.directory.path(), &fixture.clock);
    let store = Store::open(headwater_storage::Options { migrations: PAIRS, ..options }).unwrap();
    let target = TempDir::new().unwrap();
    let refused = back_up(&store, &target.path().join("copy.db")).await;
    assert!(matches!(&refused, Err(CopyError::Damaged { path, .. }) if *path == file), "{refused:?}");
    assert_eq!(entries(target.path()), [] as [PathBuf; 0]);
}
