//! Connections and their settings. Each setting is read back: the engine ignores what it does not know or cannot do,
//! and a server that believes itself durable must be.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, ffi};

use super::directory::Directory;
use crate::options::Durability;

/// How long a statement waits for a lock that a process beside us holds (an operator's shell, a backup), and how
/// long a checkpoint waits for readers: longer than any read may run.
const PATIENCE: Duration = Duration::from_secs(3);

/// Prepared statements kept for each connection: more than the program has, so that none is prepared twice.
const STATEMENTS: usize = 256;

/// Page cache of the writer in KiB, filled as needed. A transaction that dirties more than this spills into the log
/// early and writes pages twice: 5,000 users in one gain a seventh from 64 MiB over 32; 64 users gain nothing over 4,
/// since the system caches the file as well. What it takes stays resident: with 64 MiB a server that had done a lot
/// stood at 87.
const WRITER_CACHE: i64 = 32 * 1024;

/// Page cache of a reader in KiB. Every commit invalidates it as a whole, so it serves within one transaction only;
/// from one to the next, pages come from the system's cache.
const READER_CACHE: i64 = 8 * 1024;

/// Page cache of a connection that is read from on the thread of the caller, in KiB: enough for the inner pages of all
/// indexes that a short read walks. Of the others it reads a handful.
const SHORTCUT_CACHE: i64 = 4 * 1024;

/// The database of a data directory and how to connect to it; the directory stays locked while this lives.
#[derive(Debug)]
pub(super) struct Database {
    _directory: Directory,
    file: PathBuf,
    durability: Durability,
    max_pages: Option<u32>,
}

impl Database {
    pub(super) fn new(directory: Directory, durability: Durability, max_pages: Option<u32>) -> Self {
        Self { file: directory.database(), _directory: directory, durability, max_pages }
    }

    /// The database file.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// A connection that has touched nothing yet.
    pub(super) fn connect(&self) -> rusqlite::Result<Connection> {
        existing(&self.file)
    }

    /// A connection that writes.
    pub(super) fn writer(&self) -> rusqlite::Result<Connection> {
        let connection = self.connect()?;
        self.prepare_to_write(&connection)?;
        Ok(connection)
    }

    /// Gives the writer's settings to a connection. The first one marks the file as write-ahead logged.
    pub(super) fn prepare_to_write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let synchronous = match self.durability {
            Durability::Full => 2,
            Durability::Off => 0,
        };
        // Before anything that writes: the file must not outgrow the cap even while its schema is made.
        if let Some(pages) = self.max_pages {
            connection.pragma_update(None, "max_page_count", i64::from(pages))?;
        }
        set(connection, "journal_mode", text("wal"), text("wal"))?;
        set(connection, "synchronous", integer(synchronous), integer(synchronous))?;
        // Only macOS heeds it: fsync there leaves the data in the drive's own cache.
        set(connection, "fullfsync", integer(synchronous / 2), integer(synchronous / 2))?;
        set(connection, "foreign_keys", integer(1), integer(1))?;
        // Checkpoints are run between batches, see `checkpoint`; never inside somebody's commit.
        set(connection, "wal_autocheckpoint", integer(0), integer(0))?;
        // What is deleted is overwritten, and so are pages that become free. FAST would leave these, some of them for good:
        // one that is free and used again within a transaction keeps what it held behind the end of a long value. ON
        // costs 50,000 upserts, 100 a call, one hundredth of their time and three of the bytes written. What it does not
        // reach, `storage::scrub` does.
        set(connection, "secure_delete", integer(1), integer(1))?;
        set(connection, "cache_size", integer(-WRITER_CACHE), integer(-WRITER_CACHE))?;
        sort_in_memory(connection)
    }

    /// A connection that cannot write.
    pub(super) fn reader(&self) -> rusqlite::Result<Connection> {
        reader(&self.file)
    }

    /// As [`Database::reader`], for short reads, which rather fail than wait for a lock.
    pub(super) fn impatient_reader(&self) -> rusqlite::Result<Connection> {
        let connection = self.reader()?;
        connection.busy_timeout(Duration::ZERO)?;
        set(&connection, "cache_size", integer(-SHORTCUT_CACHE), integer(-SHORTCUT_CACHE))?;
        Ok(connection)
    }
}

/// A connection to `file` that cannot write.
pub(super) fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let connection = open(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    set(&connection, "query_only", integer(1), integer(1))?;
    set(&connection, "cache_size", integer(-READER_CACHE), integer(-READER_CACHE))?;
    sort_in_memory(&connection)?;
    Ok(connection)
}

/// A connection to `file` as it is, to copy it.
pub(super) fn existing(file: &Path) -> rusqlite::Result<Connection> {
    open(file, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// A connection to a file that nobody else knows of, with a journal of the kind `journal`. Nothing is locked against
/// others, and nothing is on disk before the file is synced: should anything go wrong, the file goes.
pub(super) fn sole(file: &Path, journal: &str) -> rusqlite::Result<Connection> {
    let connection = open(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    set(&connection, "locking_mode", text("exclusive"), text("exclusive"))?;
    set(&connection, "synchronous", integer(0), integer(0))?;
    set(&connection, "journal_mode", text(journal), text(journal))?;
    sort_in_memory(&connection)?;
    Ok(connection)
}

/// Opens without the mutex of the connection, since each belongs to one thread, and without reading the name as a URI.
fn open(file: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    // Without it a statement is planned anew for each set of values that the planner has looked at: a quarter of the
    // time of an upsert.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Runs `work` on a connection that meanwhile waits for others no longer than this.
pub(super) fn with_patience<T>(connection: &Connection, patience: Duration, work: impl FnOnce() -> T) -> T {
    let set = |patience| {
        if let Err(error) = connection.busy_timeout(patience) {
            tracing::error!(%error, "cannot set how long the engine waits");
        }
    };
    set(patience);
    let result = work();
    set(PATIENCE);
    result
}

/// Keeps sorts and temporary tables out of the system's temporary directory, where others might read them.
fn sort_in_memory(connection: &Connection) -> rusqlite::Result<()> {
    set(connection, "temp_store", integer(2), integer(2))
}

fn set(connection: &Connection, pragma: &str, value: Value, expected: Value) -> rusqlite::Result<()> {
    connection.pragma_update(None, pragma, value)?;
    let found: Value = connection.pragma_query_value(None, pragma, |row| row.get(0))?;
    if found == expected {
        return Ok(());
    }
    Err(rusqlite::Error::SqliteFailure(
        ffi::Error::new(ffi::SQLITE_MISUSE),
        Some(format!("the engine keeps {pragma} at {found:?}, not {expected:?}")),
    ))
}

fn integer(value: i64) -> Value {
    Value::Integer(value)
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}
