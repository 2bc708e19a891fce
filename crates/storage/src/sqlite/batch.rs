//! The closures that share a transaction: each in a savepoint, so that one may fail alone.

use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, ffi};

use super::{code_of, execute};
use crate::job::{Job, Ran};
use crate::{Error, Tx};

/// Closures that have run in the open transaction and wait for its end.
#[derive(Default)]
pub(super) struct Batch {
    /// In the order in which they ran, those that were rolled back included.
    pub(super) jobs: Vec<Box<dyn Job>>,
    /// The keys of the apps they changed.
    pub(super) changed_apps: Vec<String>,
    /// How many of them have something to commit.
    pub(super) kept: usize,
}

/// The transaction is gone, or not to be trusted: what all closures in it wrote is lost.
pub(super) struct Lost(
    /// What the last closure has to be answered in place of its own result, should it have been alone.
    pub(super) Option<Error>,
);

impl Batch {
    /// Runs one more closure. It is in the batch afterwards, however that ends.
    pub(super) fn run(&mut self, connection: &Connection, mut job: Box<dyn Job>) -> Result<(), Lost> {
        let ran = in_savepoint(connection, job.as_mut());
        self.jobs.push(job);
        if let Some(changed_apps) = ran? {
            self.changed_apps.extend(changed_apps);
            self.kept += 1;
        }
        Ok(())
    }
}

/// Runs a closure and undoes what it wrote unless it is to be kept; then answers the apps it changed.
fn in_savepoint(connection: &Connection, job: &mut dyn Job) -> Result<Option<Vec<String>>, Lost> {
    step(connection, "SAVEPOINT closure")?;
    let ran = job.run(Tx::sqlite(connection));
    if connection.is_autocommit() {
        return Err(Lost(match ran {
            Ran::RollBack { failure: Some(_) } => None,
            // It ended the transaction by a statement of its own; whether that was a commit is not known here.
            Ran::RollBack { failure: None } | Ran::Keep { .. } => Some(ended_by_closure()),
        }));
    }
    match ran {
        Ran::Keep { changed_apps } => {
            step(connection, "RELEASE closure")?;
            Ok(Some(changed_apps))
        }
        Ran::RollBack { failure: Some(failure) } if drops_transactions(&failure) => Err(Lost(None)),
        Ran::RollBack { .. } => {
            step(connection, "ROLLBACK TO closure")?;
            step(connection, "RELEASE closure")?;
            Ok(None)
        }
    }
}

/// Runs a statement without which the savepoints of the transaction mean nothing any more.
fn step(connection: &Connection, statement: &'static str) -> Result<(), Lost> {
    execute(connection, statement)
        .map_err(|source| Lost(Some(Error::Statement { statement, source: Arc::new(source) })))
}

/// Whether a failure is of the kind after which the engine drops the whole transaction. Sometimes it does not, but a
/// transaction that met one is not to be committed either way.
fn drops_transactions(failure: &Error) -> bool {
    matches!(
        code_of(failure),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::OperationInterrupted
        )
    )
}

fn ended_by_closure() -> Error {
    Error::OutcomeUnknown(Arc::new(rusqlite::Error::SqliteFailure(
        ffi::Error::new(ffi::SQLITE_MISUSE),
        Some("the closure ended its transaction".to_owned()),
    )))
}
