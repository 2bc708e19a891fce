//! Whose database it is, which steps of the schema it has, and running the rest.

use model::Timestamp;
use postgres::{Client, Transaction};

use super::server::Server;
use crate::OpenError;
use crate::migrate::{self, Applied, Migration};

/// What two nodes that start at once take turns by. Any number, so long as it never changes.
const LOCK: i64 = 0x4844_5752;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    number BIGINT PRIMARY KEY,
    name TEXT COLLATE \"C\" NOT NULL,
    checksum TEXT COLLATE \"C\" NOT NULL,
    applied_at BIGINT NOT NULL
)";

/// The tables of the schema that is in use, and whether the one of the steps is ours: others have one by that name.
const OWNER: &str = "SELECT COUNT(*), COUNT(*) FILTER (WHERE relname = 'schema_migrations' AND 2 = (
        SELECT COUNT(*) FROM pg_attribute WHERE attrelid = pg_class.oid AND attname IN ('number', 'checksum')
    ))
    FROM pg_class WHERE relnamespace = CURRENT_SCHEMA()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')";

/// How many of our tables this user may not write to.
const FORBIDDEN: &str = "SELECT COUNT(*) FROM pg_class
    WHERE relnamespace = CURRENT_SCHEMA()::regnamespace AND relkind = 'r' AND NOT (
        HAS_TABLE_PRIVILEGE(oid, 'SELECT') AND HAS_TABLE_PRIVILEGE(oid, 'INSERT')
        AND HAS_TABLE_PRIVILEGE(oid, 'UPDATE') AND HAS_TABLE_PRIVILEGE(oid, 'DELETE')
    )";

/// Runs the steps of `known` that the database lacks: all of them, or none when one fails.
///
/// # Errors
/// When the database is not ours, has other steps, or cannot be written to.
pub(super) fn migrate(
    server: &Server,
    client: &mut Client,
    known: &[Migration],
    now: Timestamp,
) -> Result<(), OpenError> {
    let failed = |source| server.failed(source);
    let mut transaction = client.transaction().map_err(failed)?;
    // Of two nodes one waits here, and then finds nothing to do.
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).map_err(failed)?;
    let has_steps = is_ours(server, &mut transaction)?;
    let applied = if has_steps { applied(&mut transaction).map_err(failed)? } else { Vec::new() };
    let missing = migrate::missing(known, &applied)?;
    if !missing.is_empty() {
        transaction.batch_execute(TABLE).map_err(failed)?;
    }
    for step in missing {
        run(&mut transaction, step, now).map_err(failed)?;
        tracing::info!(number = step.number, name = step.name, "migration ran");
    }
    refuse_read_only(server, &mut transaction)?;
    transaction.commit().map_err(failed)
}

/// Whether the database has steps of ours already; it has not when it is empty.
fn is_ours(server: &Server, transaction: &mut Transaction<'_>) -> Result<bool, OpenError> {
    let row = transaction.query_one(OWNER, &[]).map_err(|source| server.failed(source))?;
    match (row.get::<_, i64>(0), row.get::<_, i64>(1)) {
        (0, _) => Ok(false),
        (_, 0) => Err(OpenError::ForeignTables(server.url().to_string())),
        _ => Ok(true),
    }
}

/// The steps that a database of ours has, in order.
///
/// # Errors
/// When there is none, or it is not ours.
pub(super) fn read(server: &Server, client: &mut Client) -> Result<Vec<Applied>, OpenError> {
    let failed = |source| server.failed(source);
    let mut transaction = client.transaction().map_err(failed)?;
    if !is_ours(server, &mut transaction)? {
        return Err(OpenError::NoTables(server.url().to_string()));
    }
    applied(&mut transaction).map_err(failed)
}

fn refuse_read_only(server: &Server, transaction: &mut Transaction<'_>) -> Result<(), OpenError> {
    let read = |source| server.failed(source);
    let query = "SELECT CURRENT_SETTING('transaction_read_only') = 'on' OR pg_is_in_recovery()";
    let is_read_only: bool = transaction.query_one(query, &[]).map_err(read)?.get(0);
    let forbidden: i64 = transaction.query_one(FORBIDDEN, &[]).map_err(read)?.get(0);
    if is_read_only || forbidden > 0 {
        return Err(OpenError::ReadOnly(server.url().to_string()));
    }
    Ok(())
}

/// The steps that the database has, in order.
fn applied(transaction: &mut Transaction<'_>) -> Result<Vec<Applied>, postgres::Error> {
    let rows = transaction.query("SELECT number, checksum FROM schema_migrations ORDER BY number", &[])?;
    Ok(rows.iter().map(|row| Applied { number: row.get(0), checksum: row.get(1) }).collect())
}

fn run(transaction: &mut Transaction<'_>, step: &Migration, now: Timestamp) -> Result<(), postgres::Error> {
    transaction.batch_execute(step.sql)?;
    transaction.execute(
        "INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
        &[&step.number, &step.name, &step.checksum(), &now.nanoseconds()],
    )?;
    Ok(())
}
