//! What a backup that was made without a server, and its restoring, take and refuse.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use headwater_storage::{CopyError, Error, OpenError, Options, Sql, Stop, Store, back_up, restore};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::{StillClock, insert, notes};

/// A directory with a closed database of this program's schema that holds the note 1, and room for others.
struct Fixture(TempDir);

impl Fixture {
    async fn new() -> Self {
        let fixture = Self(TempDir::new().unwrap());
        let store = open(&fixture.data());
        let create = Sql::new("CREATE TABLE notes (id INTEGER PRIMARY KEY)");
        store.write::<_, Error, _>(move |tx| tx.execute(create, &[])).await.unwrap();
        store.write(insert(1)).await.unwrap();
        store.close();
        fixture
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// A backup of the database.
    fn backup(&self) -> PathBuf {
        let file = self.path("backup.db");
        back_up(&self.data(), &file, &Stop::default()).unwrap();
        file
    }

    /// Tries to restore `file`, which is refused, and checks that nothing comes of it.
    #[track_caller]
    fn refused(&self, file: &Path) -> CopyError {
        let directory = self.path("restored");
        let refused = restore(&directory, file, &Stop::default()).unwrap_err();
        let left: Vec<_> = fs::read_dir(&directory)
            .map(|entries| entries.map(|entry| entry.unwrap().file_name()).collect())
            .unwrap_or_default();
        assert!(left.iter().all(|name| name == "headwater.lock"), "{left:?}");
        refused
    }
}

fn open(directory: &Path) -> Store {
    Store::open(Options::new(directory, Arc::<StillClock>::default())).unwrap()
}

async fn notes_in(directory: &Path) -> Vec<i64> {
    let store = open(directory);
    let found = store.read(notes).await.unwrap();
    store.close();
    found
}

/// Changes a file behind the back of the program.
fn tamper(file: &Path, statement: &str) {
    Connection::open(file).unwrap().execute_batch(statement).unwrap();
}

#[tokio::test]
async fn a_restored_backup_is_the_database_again() {
    let fixture = Fixture::new().await;
    let (backup, restored) = (fixture.backup(), fixture.path("deep/restored"));
    let copied = restore(&restored, &backup, &Stop::default()).unwrap();
    assert_eq!(copied.bytes, backup.metadata().unwrap().len());
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&restored), mode(&restored.join("headwater.db"))), (0o700, 0o600));
    assert_eq!(notes_in(&restored).await, [1]);
    assert_eq!(notes_in(&fixture.data()).await, [1]);
}

#[tokio::test]
async fn what_a_killed_server_left_is_backed_up_whole() {
    let fixture = Fixture::new().await;
    let store = open(&fixture.data());
    store.write(insert(2)).await.unwrap();
    // As a power cut leaves it: the note is in the log only.
    let cut = fixture.path("cut");
    fs::create_dir(&cut).unwrap();
    for name in ["headwater.db", "headwater.db-wal"] {
        fs::copy(fixture.data().join(name), cut.join(name)).unwrap();
    }
    store.close();
    let refused = fixture.refused(&cut.join("headwater.db"));
    let companion = cut.join("headwater.db-wal");
    assert!(
        matches!(&refused, CopyError::InUse { companion: found, .. } if *found == companion),
        "{refused:?}"
    );

    let file = fixture.path("cut.db");
    back_up(&cut, &file, &Stop::default()).unwrap();
    let restored = fixture.path("restored");
    restore(&restored, &file, &Stop::default()).unwrap();
    assert_eq!(notes_in(&restored).await, [1, 2]);
}

#[tokio::test]
async fn the_database_of_a_server_that_runs_is_no_backup() {
    let fixture = Fixture::new().await;
    let database = fixture.data().join("headwater.db");
    let store = open(&fixture.data());
    let refused = fixture.refused(&database);
    let lock = fixture.data().join("headwater.lock");
    assert!(matches!(&refused, CopyError::InUse { companion, .. } if *companion == lock), "{refused:?}");
    store.close();
    restore(&fixture.path("restored"), &database, &Stop::default()).unwrap();
}

#[tokio::test]
async fn an_older_schema_is_copied_as_it_is() {
    let fixture = Fixture::new().await;
    let database = fixture.data().join("headwater.db");
    tamper(&database, "DELETE FROM schema_migrations WHERE number > 0");
    let file = fixture.path("older.db");
    assert_eq!(back_up(&fixture.data(), &file, &Stop::default()).unwrap().schema, 0);
    assert_eq!(restore(&fixture.path("restored"), &file, &Stop::default()).unwrap().schema, 0);
}

#[tokio::test]
async fn a_directory_that_is_in_use_or_has_no_database_is_not_backed_up() {
    let fixture = Fixture::new().await;
    let target = fixture.path("copy.db");
    let refused = |directory: &Path| match back_up(directory, &target, &Stop::default()) {
        Err(CopyError::Database(error)) => error,
        other => panic!("{other:?}"),
    };
    let store = open(&fixture.data());
    assert!(matches!(refused(&fixture.data()), OpenError::Locked(_)));
    store.close();
    assert!(matches!(refused(&fixture.path("missing")), OpenError::Missing(_)));
    assert!(!fixture.path("missing").exists());

    let other = fixture.path("other");
    fs::create_dir(&other).unwrap();
    let database = other.join("headwater.db");
    fs::write(&database, "").unwrap();
    assert!(matches!(refused(&other), OpenError::Missing(_)));
    tamper(&database, "CREATE TABLE something (id)");
    assert!(matches!(refused(&other), OpenError::Foreign(_)));
    let database = fixture.data().join("headwater.db");
    tamper(&database, "INSERT INTO schema_migrations VALUES (9999, 'later', '', 0)");
    assert!(matches!(refused(&fixture.data()), OpenError::Newer { found: 9999, .. }));
    assert!(!target.exists());
}

#[tokio::test]
async fn a_directory_that_has_a_database_is_not_restored_into() {
    let fixture = Fixture::new().await;
    let backup = fixture.backup();
    for name in ["headwater.db", "headwater.db-wal", "headwater.db-journal"] {
        let directory = fixture.path(&format!("has {name}"));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join(name), "precious").unwrap();
        let refused = restore(&directory, &backup, &Stop::default());
        assert!(matches!(&refused, Err(CopyError::Occupied(path)) if *path == directory), "{refused:?}");
        assert_eq!(fs::read(directory.join(name)).unwrap(), b"precious");
    }
    let store = open(&fixture.data());
    let refused = restore(&fixture.data(), &backup, &Stop::default());
    assert!(matches!(refused, Err(CopyError::Database(OpenError::Locked(_)))), "{refused:?}");
    store.close();
    assert_eq!(notes_in(&fixture.data()).await, [1]);
}

#[tokio::test]
async fn what_is_no_backup_is_not_restored() {
    let fixture = Fixture::new().await;
    let missing = fixture.refused(&fixture.path("missing.db"));
    assert!(matches!(missing, CopyError::Source { .. }), "{missing:?}");

    let file = fixture.path("file");
    let text = "no database at all ".repeat(1000);
    let mut marked = b"SQLite format 3\0".to_vec();
    marked.resize(72, 0);
    for bytes in [b"".as_slice(), b"short", text.as_bytes(), &marked] {
        fs::write(&file, bytes).unwrap();
        let refused = fixture.refused(&file);
        assert!(matches!(&refused, CopyError::Foreign(path) if *path == file), "{refused:?}");
    }
    fs::remove_file(&file).unwrap();
    tamper(&file, "CREATE TABLE notes (id)");
    let foreign = fixture.refused(&file);
    assert!(matches!(foreign, CopyError::Foreign(_)), "{foreign:?}");
    let directory = fixture.refused(fixture.0.path());
    assert!(matches!(directory, CopyError::Foreign(_)), "{directory:?}");
    assert!(!fixture.path("restored").exists(), "made for what is no backup at first sight");
}

#[tokio::test]
async fn a_damaged_backup_is_not_restored() {
    let fixture = Fixture::new().await;
    let backup = fixture.backup();
    let whole = fs::read(&backup).unwrap();
    let (page, last) = (4096, whole.len() - 4096);
    let mut scribbled = whole.clone();
    scribbled[last..].fill(7);
    let damages = [&whole[..last], &whole[..last - 1], &whole[..page], &whole[..100], &scribbled];
    for bytes in damages {
        fs::write(&backup, bytes).unwrap();
        let refused = fixture.refused(&backup);
        let damaged = matches!(&refused, CopyError::Damaged { path, .. } if *path == backup);
        assert!(damaged, "{} bytes: {refused:?}", bytes.len());
    }
    fs::write(&backup, &whole).unwrap();
    // An index that has lost a row: no page is broken, and yet the two disagree.
    tamper(
        &backup,
        "CREATE INDEX one ON notes (id); PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'users_by_app')
         WHERE name = 'one';",
    );
    let refused = fixture.refused(&backup);
    assert!(matches!(refused, CopyError::Damaged { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_backup_of_another_version_is_told_apart() {
    let fixture = Fixture::new().await;
    let backup = fixture.backup();
    tamper(&backup, "UPDATE schema_migrations SET checksum = 'other' WHERE number = 1");
    let refused = fixture.refused(&backup);
    assert!(matches!(refused, CopyError::Database(OpenError::Altered { number: 1 })), "{refused:?}");
    tamper(&backup, "INSERT INTO schema_migrations VALUES (9999, 'later', '', 0)");
    let refused = fixture.refused(&backup);
    assert!(matches!(refused, CopyError::Database(OpenError::Newer { found: 9999, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_copy_that_is_stopped_leaves_nothing() {
    let fixture = Fixture::new().await;
    let backup = fixture.backup();
    let stop = Stop::default();
    stop.stop();
    let stopped = back_up(&fixture.data(), &fixture.path("copy.db"), &stop);
    assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
    let stopped = restore(&fixture.path("restored"), &backup, &stop);
    assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
    let mut left: Vec<_> =
        fs::read_dir(fixture.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["backup.db", "data", "restored"]);
}
