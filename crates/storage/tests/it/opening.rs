//! What a store makes of the directory it is given, and what it refuses to touch.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use headwater_storage::{Error, Migration, OpenError, Options, PeekError, Sql, Store, Value, peek};
use rusqlite::Connection;

use crate::support::{INSERT, NOTES, StillClock, insert, notes, open, options};

fn open_in(directory: &Path, migrations: &'static [Migration]) -> Result<Store, OpenError> {
    Store::open(Options { migrations, ..options(directory, &Arc::default()) })
}

/// Changes a database behind the back of the program.
fn tamper(directory: &Path, statement: &str) {
    fs::create_dir_all(directory).unwrap();
    Connection::open(directory.join("headwater.db")).unwrap().execute_batch(statement).unwrap();
}

fn query<T: rusqlite::types::FromSql>(directory: &Path, statement: &str) -> T {
    let connection = Connection::open(directory.join("headwater.db")).unwrap();
    connection.query_row(statement, [], |row| row.get(0)).unwrap()
}

#[cfg(unix)]
#[test]
fn a_new_directory_and_its_files_are_the_owners_only() {
    use std::os::unix::fs::PermissionsExt;

    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("deep/data");
    let store = open_in(&directory, NOTES).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    for file in ["headwater.db", "headwater.lock", "headwater.db-wal", "headwater.db-shm"] {
        assert_eq!(mode(&directory.join(file)), 0o600, "{file}");
    }
    store.close();
}

#[test]
fn a_second_store_in_the_directory_is_refused_until_the_first_is_closed() {
    let fixture = open();
    let refused = open_in(fixture.directory.path(), NOTES);
    assert!(
        matches!(&refused, Err(OpenError::Locked(path)) if path == fixture.directory.path()),
        "{refused:?}"
    );
    fixture.store.close();
    open_in(fixture.directory.path(), NOTES).unwrap().close();
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = open_in(&file.join("data"), NOTES).unwrap_err();
    assert!(matches!(refused, OpenError::Directory { .. }), "{refused:?}");
    let one_line = format!("cannot use the data directory {}", file.join("data").display());
    assert_eq!(refused.to_string(), one_line);
}

#[test]
fn a_disk_that_is_full_at_the_start_is_a_failure_of_the_engine() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(directory.path(), &Arc::<StillClock>::default());
    let refused = Store::open(Options { max_pages: Some(1), ..options }).unwrap_err();
    let OpenError::Engine { source, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(source.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
    // Nothing half made is left: the next start succeeds.
    open_in(directory.path(), NOTES).unwrap().close();
}

#[test]
fn a_file_of_another_program_is_refused_and_left_alone() {
    let another = "PRAGMA application_id = 7";
    for statement in ["CREATE TABLE notes (id)", another] {
        let directory = tempfile::tempdir().unwrap();
        tamper(directory.path(), statement);
        let before = fs::read(directory.path().join("headwater.db")).unwrap();
        let refused = open_in(directory.path(), NOTES);
        assert!(matches!(refused, Err(OpenError::Foreign(_))), "{refused:?}");
        assert_eq!(fs::read(directory.path().join("headwater.db")).unwrap(), before);
    }
    let directory = tempfile::tempdir().unwrap();
    let text = "no database at all ".repeat(100);
    fs::write(directory.path().join("headwater.db"), &text).unwrap();
    assert!(matches!(open_in(directory.path(), NOTES), Err(OpenError::Foreign(_))));
    assert_eq!(fs::read_to_string(directory.path().join("headwater.db")).unwrap(), text);
}

const TWO: &[Migration] = &[
    NOTES[0],
    Migration {
        number: 2,
        name: "tags",
        sql: "CREATE TABLE tags (note INTEGER); INSERT INTO tags VALUES (1);",
    },
];

#[test]
fn each_migration_runs_once() {
    let directory = tempfile::tempdir().unwrap();
    for migrations in [NOTES, TWO, TWO] {
        open_in(directory.path(), migrations).unwrap().close();
    }
    assert_eq!(query::<i64>(directory.path(), "SELECT COUNT(*) FROM tags"), 1);
    assert_eq!(
        query::<String>(
            directory.path(),
            "SELECT group_concat(number || name || applied_at) FROM schema_migrations"
        ),
        "1notes1700000000000000000,2tags1700000000000000000"
    );
    assert_eq!(query::<i64>(directory.path(), "PRAGMA application_id"), 0x4844_5752);
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    open_in(directory.path(), TWO).unwrap().close();
    let refused = open_in(directory.path(), NOTES);
    assert!(matches!(refused, Err(OpenError::Newer { found: 2, known: 1 })), "{refused:?}");
}

#[test]
fn an_altered_migration_is_refused() {
    const ALTERED: &[Migration] = &[Migration { sql: "CREATE TABLE notes (id)", ..NOTES[0] }, TWO[1]];
    let directory = tempfile::tempdir().unwrap();
    open_in(directory.path(), NOTES).unwrap().close();
    let refused = open_in(directory.path(), ALTERED);
    assert!(matches!(refused, Err(OpenError::Altered { number: 1 })), "{refused:?}");
    // Refused means untouched: the second step did not run either.
    assert_eq!(query::<i64>(directory.path(), "SELECT COUNT(*) FROM schema_migrations"), 1);
}

#[test]
fn a_migration_that_fails_leaves_none_of_its_run() {
    const BROKEN: &[Migration] =
        &[NOTES[0], TWO[1], Migration { number: 3, name: "broken", sql: "CREATE TABLE notes (again)" }];
    let directory = tempfile::tempdir().unwrap();
    open_in(directory.path(), NOTES).unwrap().close();
    assert!(matches!(open_in(directory.path(), BROKEN), Err(OpenError::Engine { .. })));
    assert_eq!(query::<i64>(directory.path(), "SELECT MAX(number) FROM schema_migrations"), 1);
    open_in(directory.path(), TWO).unwrap().close();
}

/// A store with the schema of the program, which is what `peek` expects.
fn open_embedded(directory: &Path) -> Store {
    Store::open(Options::new(directory, Arc::<StillClock>::default())).unwrap()
}

fn peek_at_notes(directory: &Path) -> Result<Vec<i64>, PeekError> {
    peek(directory, notes)
}

#[tokio::test]
async fn peek_reads_beside_a_server_and_without_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_embedded(directory.path());
    let create = Sql::new("CREATE TABLE notes (id INTEGER PRIMARY KEY)");
    store.write::<_, Error, _>(move |tx| tx.execute(create, &[])).await.unwrap();
    store.write(insert(1)).await.unwrap();
    assert_eq!(peek_at_notes(directory.path()).unwrap(), [1]);
    let wrote = peek(directory.path(), |tx| tx.execute(INSERT, &[Value::Integer(2)]));
    assert!(matches!(wrote, Err(PeekError::Read(Error::Statement { .. }))));
    store.close();
    assert_eq!(peek_at_notes(directory.path()).unwrap(), [1]);
    open_embedded(directory.path()).close();
}

#[test]
fn peek_refuses_what_is_not_the_database_of_this_program() {
    let directory = tempfile::tempdir().unwrap();
    let peeked = || match peek_at_notes(directory.path()) {
        Err(PeekError::Open(refused)) => refused,
        other => panic!("{other:?}"),
    };
    assert!(matches!(peeked(), OpenError::Missing(_)));
    assert!(!directory.path().join("headwater.db").exists());

    fs::write(directory.path().join("headwater.db"), "").unwrap();
    assert!(matches!(peeked(), OpenError::Missing(_)));
    tamper(directory.path(), "CREATE TABLE something (id)");
    assert!(matches!(peeked(), OpenError::Foreign(_)));
    fs::remove_file(directory.path().join("headwater.db")).unwrap();

    open_embedded(directory.path()).close();
    tamper(directory.path(), "INSERT INTO schema_migrations VALUES (9999, 'later', '', 0)");
    assert!(matches!(peeked(), OpenError::Newer { found: 9999, .. }));
    tamper(directory.path(), "DELETE FROM schema_migrations");
    assert!(matches!(peeked(), OpenError::Older { found: 0, .. }));
}
