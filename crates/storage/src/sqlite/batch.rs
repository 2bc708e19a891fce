//! The closures that share a transaction, and how one of them fails alone.

use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, ffi};

use super::{code_of, execute};
use crate::cache::{Caches, Changed};
use crate::job::{Job, Ran};
use crate::tx::Known;
use crate::{Error, Tx};

/// Closures that have run in the open transaction and wait for its end.
pub(super) struct Batch<'w> {
    caches: &'w Caches,
    /// In the order in which they ran, those that were rolled back included.
    pub(super) jobs: Vec<Box<dyn Job>>,
    /// What they changed of what is kept.
    pub(super) changed: Changed,
    /// How many of them have something to commit.
    pub(super) kept: usize,
    shield: Shield,
    /// How often the log was cut before.
    log_cuts: u64,
}

/// What undoes a closure that is not to be kept without touching those before it in its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shield {
    /// Nothing: the transaction is rolled back, and when others had written in it, they run again with the other
    /// shield. A closure that refuses before it writes, as operations do, has nothing to undo.
    Transaction,
    /// A savepoint for each. It keeps a copy of every page that is changed within it, and the full-text index writes
    /// out what it has gathered at each: closures of one user took a third longer.
    Savepoint,
}

/// The transaction is not to be committed: what all closures in it wrote is lost.
pub(super) enum Lost {
    /// The engine dropped it, or it is not to be trusted. The last closure has to be answered this in place of its
    /// own result, should it have been alone.
    Transaction(Option<Error>),
    /// The last closure has to be undone, and nothing shields those before it.
    Unshielded,
}

impl<'w> Batch<'w> {
    pub(super) fn new(shield: Shield, caches: &'w Caches, log_cuts: u64) -> Self {
        Self { caches, jobs: Vec::new(), changed: Changed::default(), kept: 0, shield, log_cuts }
    }

    /// Runs one more closure. It is in the batch afterwards, however that ends.
    pub(super) fn run(&mut self, connection: &Connection, mut job: Box<dyn Job>) -> Result<(), Lost> {
        let ran = self.shielded(connection, job.as_mut());
        self.jobs.push(job);
        if let Some(changed) = ran? {
            self.changed.add(changed);
            self.kept += 1;
        }
        Ok(())
    }

    /// Runs a closure and undoes what it wrote unless it is to be kept; then answers what it changed.
    fn shielded(&self, connection: &Connection, job: &mut dyn Job) -> Result<Option<Changed>, Lost> {
        if self.shield == Shield::Savepoint {
            step(connection, "SAVEPOINT closure")?;
        }
        let known = Known { caches: self.caches, changed: &self.changed, log_cuts: self.log_cuts };
        let ran = job.run(Tx::sqlite_writing(connection, known));
        if connection.is_autocommit() {
            // It may have committed what it, and those before it, changed.
            self.caches.forget(&self.changed);
            if let Ran::Keep { changed } = &ran {
                self.caches.forget(changed);
            }
            return Err(Lost::Transaction(match ran {
                Ran::RollBack { failure: Some(_), .. } => None,
                // It ended the transaction by a statement of its own; whether that was a commit is not known here.
                Ran::RollBack { failure: None, .. } | Ran::Keep { .. } => Some(ended_by_closure()),
            }));
        }
        match ran {
            Ran::Keep { changed } => {
                self.keep(connection)?;
                Ok(Some(changed))
            }
            Ran::RollBack { failure: Some(failure), .. } if drops_transactions(&failure) => {
                Err(Lost::Transaction(None))
            }
            Ran::RollBack { wrote, .. } => {
                if wrote {
                    self.undo(connection)?;
                }
                self.keep(connection)?;
                Ok(None)
            }
        }
    }

    fn keep(&self, connection: &Connection) -> Result<(), Lost> {
        match self.shield {
            Shield::Transaction => Ok(()),
            Shield::Savepoint => step(connection, "RELEASE closure"),
        }
    }

    fn undo(&self, connection: &Connection) -> Result<(), Lost> {
        match self.shield {
            Shield::Transaction if self.kept > 0 => Err(Lost::Unshielded),
            Shield::Transaction => {
                step(connection, "ROLLBACK")?;
                step(connection, "BEGIN IMMEDIATE")
            }
            Shield::Savepoint => step(connection, "ROLLBACK TO closure"),
        }
    }
}

/// Runs a statement without which the shields of the closures mean nothing any more.
fn step(connection: &Connection, statement: &'static str) -> Result<(), Lost> {
    execute(connection, statement).map_err(|source| {
        Lost::Transaction(Some(Error::Statement { statement: statement.into(), source: Arc::new(source) }))
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
