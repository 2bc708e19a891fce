//! The closures that share a transaction: each in a savepoint, so that one may fail alone.

use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, ffi};

use super::copy::Rollbacks;
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
    /// Whether the transaction may be rolled back for a closure that is not to be kept.
    rollbacks: Rollbacks,
}

/// The transaction is gone, or not to be trusted: what all closures in it wrote is lost.
pub(super) struct Lost(
    /// What the last closure has to be answered in place of its own result, should it have been alone.
    pub(super) Option<Error>,
);

impl Batch {
    pub(super) fn new(rollbacks: Rollbacks) -> Self {
        Self { rollbacks, ..Self::default() }
    }

    /// Runs one more closure. It is in the batch afterwards, however that ends.
    pub(super) fn run(&mut self, connection: &Connection, mut job: Box<dyn Job>) -> Result<(), Lost> {
        let shield = match (self.kept, self.rollbacks) {
            (0, Rollbacks::Free) => Shield::Transaction,
            _ => Shield::Savepoint,
        };
        let ran = shielded(connection, job.as_mut(), shield);
        self.jobs.push(job);
        if let Some(changed_apps) = ran? {
            self.changed_apps.extend(changed_apps);
            self.kept += 1;
        }
        Ok(())
    }
}

/// What undoes a closure that is not to be kept without touching those before it.
///
/// A savepoint keeps a copy of every page that is changed within it, and each statement that has triggers walks that
/// copy from its start: a closure of 100 users spent half its time there. As long as nothing in the transaction is to
/// be kept, the transaction itself can be rolled back and begun anew.
#[derive(Clone, Copy)]
enum Shield {
    Transaction,
    Savepoint,
}

impl Shield {
    fn raise(self, connection: &Connection) -> Result<(), Lost> {
        match self {
            Self::Transaction => Ok(()),
            Self::Savepoint => step(connection, "SAVEPOINT closure"),
        }
    }

    fn keep(self, connection: &Connection) -> Result<(), Lost> {
        match self {
            Self::Transaction => Ok(()),
            Self::Savepoint => step(connection, "RELEASE closure"),
        }
    }

    fn undo(self, connection: &Connection) -> Result<(), Lost> {
        match self {
            Self::Transaction => {
                step(connection, "ROLLBACK")?;
                step(connection, "BEGIN IMMEDIATE")
            }
            Self::Savepoint => {
                step(connection, "ROLLBACK TO closure")?;
                step(connection, "RELEASE closure")
            }
        }
    }
}

/// Runs a closure and undoes what it wrote unless it is to be kept; then answers the apps it changed.
fn shielded(connection: &Connection, job: &mut dyn Job, shield: Shield) -> Result<Option<Vec<String>>, Lost> {
    shield.raise(connection)?;
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
            shield.keep(connection)?;
            Ok(Some(changed_apps))
        }
        Ran::RollBack { failure: Some(failure) } if drops_transactions(&failure) => Err(Lost(None)),
        Ran::RollBack { .. } => {
            shield.undo(connection)?;
            Ok(None)
        }
    }
}

/// Runs a statement without which the savepoints of the transaction mean nothing any more.
fn step(connection: &Connection, statement: &'static str) -> Result<(), Lost> {
    execute(connection, statement).map_err(|source| {
        Lost(Some(Error::Statement { statement: statement.into(), source: Arc::new(source) }))
    })
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
