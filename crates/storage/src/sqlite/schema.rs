//! Whose file it is, which steps of the schema it has, and running the rest.

use std::ops::Range;
use std::path::Path;

use model::Timestamp;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::OpenError;
use crate::migrate::{self, Applied, Migration};

/// "HDWR": marks a file as ours, where `file` and other programs look for it too.
const APPLICATION_ID: i64 = 0x4844_5752;

/// What every database begins with, whatever its version.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where the mark stands in a file.
const MARK: Range<usize> = 68..72;

/// As many bytes of a file as [`is_marked`] looks at.
pub(super) const HEAD: u64 = MARK.end as u64;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT";

/// Whose a database file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Headwater,
    /// Nothing is in it yet.
    Nobody,
    Somebody,
}

/// Reads whose file it is. Changes nothing.
pub(super) fn owner(connection: &Connection) -> rusqlite::Result<Owner> {
    let marked: rusqlite::Result<i64> =
        connection.pragma_query_value(None, "application_id", |row| row.get(0));
    let marked = match marked {
        Err(failure) if failure.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            return Ok(Owner::Somebody);
        }
        other => other?,
    };
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (marked, objects) {
        (APPLICATION_ID, _) => Owner::Headwater,
        (0, 0) => Owner::Nobody,
        _ => Owner::Somebody,
    })
}

/// Whether a file that begins with `head` says that it is ours.
pub(super) fn is_marked(head: &[u8]) -> bool {
    let mark = head.get(MARK).and_then(|mark| mark.try_into().ok()).map(u32::from_be_bytes);
    head.starts_with(MAGIC) && mark.map(i64::from) == Some(APPLICATION_ID)
}

/// Refuses a file that is not ours to change, before anything is changed.
pub(super) fn refuse_foreign(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    match owner(connection) {
        Ok(Owner::Headwater | Owner::Nobody) => Ok(()),
        Ok(Owner::Somebody) => Err(OpenError::Foreign(file.to_owned())),
        Err(source) => Err(cannot_open(file, source)),
    }
}

/// Runs the steps of `known` that the database lacks: all of them, or none when one fails.
///
/// The write lock is taken first, so of two processes one waits, and then finds nothing to do.
pub(super) fn migrate(
    connection: &mut Connection,
    file: &Path,
    known: &[Migration],
    now: Timestamp,
) -> Result<(), OpenError> {
    let failed = |source| cannot_open(file, source);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.execute_batch(TABLE).map_err(failed)?;
    let applied = applied(&transaction).map_err(failed)?;
    for step in migrate::missing(known, &applied)? {
        run(&transaction, step, now).map_err(failed)?;
        tracing::info!(number = step.number, name = step.name, "migration ran");
    }
    transaction.commit().map_err(failed)
}

/// The steps that the database has, in order.
pub(super) fn applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    connection
        .prepare("SELECT number, checksum FROM schema_migrations ORDER BY number")?
        .query_map([], |row| Ok(Applied { number: row.get(0)?, checksum: row.get(1)? }))?
        .collect()
}

/// The failure of an engine that could not open `file`.
pub(super) fn cannot_open(file: &Path, source: rusqlite::Error) -> OpenError {
    OpenError::Engine { path: file.to_owned(), source }
}

fn run(transaction: &Transaction<'_>, step: &Migration, now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(step.sql)?;
    transaction.execute(
        "INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
        (step.number, step.name, step.checksum(), now.nanoseconds()),
    )?;
    Ok(())
}
