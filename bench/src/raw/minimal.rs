//! The fixed minimal schema: what any service of users would have to keep. It does not change with ours, so that a
//! schema which grows shows in the ratio to it.

use std::path::Path;
use std::time::Instant;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::connection::{empty_log, writer};
use super::stored::Stored;
use super::twin::Twin;
use crate::failure::Failure;
use crate::rounds::Outcome;
use crate::samples::Samples;

const SCHEMA: &str = "
    CREATE TABLE users (
        key INTEGER PRIMARY KEY, app INTEGER NOT NULL, id TEXT NOT NULL, name TEXT, role TEXT NOT NULL,
        custom TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX users_by_id ON users (app, id);
    CREATE INDEX users_by_name ON users (app, name);
    CREATE INDEX users_by_creation ON users (app, created_at);
    CREATE TABLE log (
        sequence INTEGER PRIMARY KEY, app INTEGER NOT NULL, time INTEGER NOT NULL, event TEXT NOT NULL,
        subject TEXT NOT NULL, payload TEXT NOT NULL
    ) STRICT;
";

const USER: [&str; 8] = ["key", "app", "id", "name", "role", "custom", "created_at", "updated_at"];
const LOG: [&str; 6] = ["sequence", "app", "time", "event", "subject", "payload"];

/// A database of this schema.
#[derive(Debug)]
pub(crate) struct Minimal {
    connection: Connection,
    user: Vec<usize>,
    log: Vec<usize>,
}

impl Minimal {
    /// Makes it in `file` with the users of `twin`, written in their order, as they came.
    pub(crate) fn fill(file: &Path, twin: &Twin) -> Result<Self, Failure> {
        let loading = Connection::open(file)?;
        loading.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1048576;",
        )?;
        loading.execute_batch(SCHEMA)?;
        loading.execute("ATTACH ?1 AS twin", [twin.file().to_string_lossy()])?;
        let (user, log) = (USER.join(", "), LOG.join(", "));
        loading.execute_batch(&format!(
            "BEGIN;
             INSERT INTO users SELECT {user} FROM twin.users ORDER BY key;
             INSERT INTO log SELECT {log} FROM twin.log ORDER BY sequence;
             COMMIT;"
        ))?;
        let places = |table: &str, wanted: &[&str]| -> Result<Vec<usize>, Failure> {
            let statement = loading.prepare(&format!("SELECT * FROM twin.{table}"))?;
            Ok(wanted.iter().map(|name| statement.column_index(name)).collect::<Result<_, _>>()?)
        };
        let (user, log) = (places("users", &USER)?, places("log", &LOG)?);
        drop(loading);
        std::fs::File::open(file)?.sync_all()?;
        Ok(Self { connection: writer(file)?, user, log })
    }

    /// Writes rows, `transaction` users a transaction; a call is a transaction.
    pub(crate) fn write(&self, rows: &Stored, transaction: usize) -> Result<Outcome, Failure> {
        let mut user = self.connection.prepare("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?;
        let mut log = self.connection.prepare("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)")?;
        let mut samples = Samples::default();
        let begin = Instant::now();
        for written in rows.0.chunks(transaction) {
            let start = Instant::now();
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            for written in written {
                user.execute(params_from_iter(choose(&written.user, &self.user)))?;
                log.execute(params_from_iter(choose(&written.log, &self.log)))?;
            }
            self.connection.execute_batch("COMMIT")?;
            samples.record(start.elapsed());
        }
        let elapsed = begin.elapsed();
        empty_log(&self.connection)?;
        Ok(Outcome { done: rows.0.len(), elapsed, samples })
    }
}

/// The values at these places of a row.
fn choose<'r>(row: &'r [Value], places: &'r [usize]) -> impl Iterator<Item = Option<&'r Value>> {
    places.iter().map(|place| row.get(*place))
}
