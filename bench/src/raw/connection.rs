//! Connections with the settings of the store's own (storage/src/sqlite/connection.rs), so that these make no
//! difference.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::failure::Failure;

/// What the writer of the store sets, and a checkpoint when as many pages wait as the store lets wait
/// (storage/src/sqlite/checkpoint.rs): here the engine runs it within a commit, there the writer after one.
const WRITER: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA wal_autocheckpoint = 32000;
    PRAGMA secure_delete = FAST;
    PRAGMA cache_size = -32768;
    PRAGMA temp_store = MEMORY;
";

/// What a reader of the store sets.
const READER: &str = "PRAGMA query_only = ON; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;";

/// A connection that writes durably to `file`, which need not exist.
pub(super) fn writer(file: &Path) -> Result<Connection, Failure> {
    open(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE, WRITER)
}

/// A connection that reads.
pub(super) fn reader(file: &Path) -> Result<Connection, Failure> {
    open(file, OpenFlags::SQLITE_OPEN_READ_ONLY, READER)
}

/// Empties the write-ahead log, so that each measurement begins with an empty one, as the idle server does.
pub(super) fn empty_log(connection: &Connection) -> Result<(), Failure> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

fn open(file: &Path, access: OpenFlags, settings: &str) -> Result<Connection, Failure> {
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(3))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(settings)?;
    Ok(connection)
}
