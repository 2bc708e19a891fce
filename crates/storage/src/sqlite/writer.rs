//! The one thread that writes: a batch of closures, one commit, the answers, then perhaps a checkpoint, or a few pages of
//! a backup.
//!
//! What can go wrong, and who hears of it:
//!
//! - A closure refuses, fails or panics: it is undone alone. When it has written, and others before it, the batch runs
//!   again with a savepoint for each closure, and the others never notice.
//! - The engine drops the transaction under a closure (disk full, I/O, memory): the batch runs again, one closure a
//!   transaction, so that only the guilty one fails.
//! - The commit fails: all of the batch are answered that the outcome is unknown, and a new connection takes over.
//! - The database cannot be opened again: what comes is refused as unavailable, and each batch tries once more.

use std::iter;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::batch::{Batch, Lost, Shield};
use super::checkpoint::Checkpoints;
use super::connection::Database;
use super::copy::{PageCopy, Rollbacks};
use super::execute;
use super::queue::{Closed, Next, Queue};
use crate::cache::Caches;
use crate::gauges::Counters;
use crate::job::Job;
use crate::{CopyError, Error};

/// How long the queues are empty before the writer calls itself idle.
const IDLE: Duration = Duration::from_secs(1);

/// The writer thread.
pub(super) struct Writer {
    /// Taken out for a transaction and put back only if nothing about it is in doubt afterwards, so that a failure,
    /// and a panic too, drops it, and whatever was open on it is rolled back. `None`: the next batch opens a new one.
    /// Shared with a copy, which borrows it from its first step to its last.
    connection: Option<Rc<Connection>>,
    database: Arc<Database>,
    caches: Arc<Caches>,
    counters: Arc<Counters>,
    checkpoints: Checkpoints,
    rollbacks: Rollbacks,
}

/// Closures whose transaction is not to be committed, because of the last of them.
struct Undone {
    jobs: Vec<Box<dyn Job>>,
    lost: Lost,
}

impl Writer {
    /// A writer that opens a connection for itself when it is given none.
    pub(super) fn new(
        database: &Arc<Database>,
        connection: Option<Connection>,
        caches: &Arc<Caches>,
        counters: &Arc<Counters>,
    ) -> Self {
        Self {
            connection: connection.map(Rc::new),
            database: Arc::clone(database),
            caches: Arc::clone(caches),
            counters: Arc::clone(counters),
            checkpoints: Checkpoints::default(),
            rollbacks: Rollbacks::default(),
        }
    }

    /// Runs batches until the callers are gone and the queues are empty, then empties the log.
    pub(super) fn serve(&mut self, queue: &Queue) {
        loop {
            match queue.wait(self.checkpoints.wanted().then_some(IDLE)) {
                Next::Batch(jobs) => self.batch_and_checkpoint(jobs),
                Next::Copy(copy) => self.copy(copy, queue),
                Next::Idle => self.checkpoint(Checkpoints::when_idle),
                Next::Closed => return self.checkpoint(Checkpoints::at_end),
            }
        }
    }

    /// Copies the database, with a batch between one step and the next when there is one.
    fn copy(&mut self, copy: PageCopy, queue: &Queue) {
        let connection = match self.take() {
            Ok(connection) => connection,
            Err(failure) => return copy.fail(failure.into()),
        };
        self.connection = Some(Rc::clone(&connection));
        copy.run(&connection, |rollbacks| {
            self.rollbacks = rollbacks;
            match queue.poll() {
                Ok(Some(jobs)) => self.batch_and_checkpoint(jobs),
                Ok(None) => {}
                Err(Closed) => return Err(CopyError::Stopped),
            }
            // Given up, it may have a transaction open that only ends with it, and the copy follows it no longer.
            match &self.connection {
                Some(current) if Rc::ptr_eq(current, &connection) => Ok(()),
                _ => Err(CopyError::Stopped),
            }
        });
        self.rollbacks = Rollbacks::Free;
    }

    fn batch_and_checkpoint(&mut self, jobs: impl Iterator<Item = Box<dyn Job>>) {
        self.batch(jobs);
        self.checkpoint(Checkpoints::after_batch);
    }

    fn checkpoint(&mut self, step: impl FnOnce(&mut Checkpoints, &Connection, &Counters)) {
        if let Some(connection) = &self.connection {
            step(&mut self.checkpoints, connection, &self.counters);
        }
    }

    fn batch(&mut self, mut jobs: impl Iterator<Item = Box<dyn Job>>) {
        let mut shield = self.shield();
        let mut again = Vec::new().into_iter();
        // Again also for those that a batch had claimed and not begun when it was undone.
        while let Err(undone) = self.transaction(again.by_ref().chain(&mut jobs), shield) {
            self.counters.batches_undone.add(1);
            match undone.lost {
                Lost::Unshielded => {
                    self.counters.closures_run_again.add(undone.jobs.len() as u64);
                    // Nothing is left of those before: they are shielded, and so never the reason.
                    again = undone.jobs.into_iter();
                    shield = Shield::Savepoint;
                }
                Lost::Transaction(answer) => self.one_by_one(undone.jobs, answer),
            }
        }
    }

    /// Runs closures again that were dropped together, each in a transaction of its own; one that was alone is answered
    /// its failure.
    fn one_by_one(&mut self, jobs: Vec<Box<dyn Job>>, answer: Option<Error>) {
        if jobs.len() == 1 {
            return self.answer_guilty(jobs, answer.as_ref());
        }
        tracing::warn!(closures = jobs.len(), "a batch was undone and runs again, one by one");
        for job in jobs {
            self.counters.closures_run_again.add(1);
            if let Err(Undone { jobs, lost }) = self.transaction(iter::once(job), self.shield()) {
                let answer = match lost {
                    Lost::Transaction(answer) => answer,
                    // Nobody was before it.
                    Lost::Unshielded => None,
                };
                self.answer_guilty(jobs, answer.as_ref());
            }
        }
    }

    /// A copy that follows this connection must not see a transaction rolled back (see [`Rollbacks`]).
    fn shield(&self) -> Shield {
        match self.rollbacks {
            Rollbacks::Free => Shield::Transaction,
            Rollbacks::Avoided => Shield::Savepoint,
        }
    }

    /// Runs `jobs` in one transaction and answers them, unless it cannot be committed because of one of them.
    fn transaction(
        &mut self,
        jobs: impl Iterator<Item = Box<dyn Job>>,
        shield: Shield,
    ) -> Result<(), Undone> {
        let connection = match self.begin() {
            Ok(connection) => connection,
            Err(failure) => {
                jobs.for_each(|job| job.fail(failure.clone()));
                return Ok(());
            }
        };
        let caches = Arc::clone(&self.caches);
        let mut batch = Batch::new(shield, &caches, self.counters.log_cuts.get());
        for job in jobs {
            if let Err(lost) = batch.run(&connection, job) {
                self.connection = roll_back(connection);
                return Err(Undone { jobs: batch.jobs, lost });
            }
        }
        self.end(connection, batch);
        Ok(())
    }

    /// A connection with an open transaction.
    fn begin(&mut self) -> Result<Rc<Connection>, Error> {
        let connection = self.take()?;
        let Err(source) = execute(&connection, "BEGIN IMMEDIATE") else { return Ok(connection) };
        tracing::error!(error = %source, "cannot begin a transaction");
        if source.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) {
            // Another process is writing. Nothing is wrong with the connection.
            self.connection = Some(connection);
        }
        Err(Error::Unavailable(Arc::new(source)))
    }

    /// The connection, or a new one where there is none.
    fn take(&mut self) -> Result<Rc<Connection>, Error> {
        self.connection.take().map_or_else(|| self.reopen(), Ok)
    }

    fn reopen(&self) -> Result<Rc<Connection>, Error> {
        let connection = self.database.writer().map_err(|source| {
            tracing::error!(error = %source, "cannot open the database again");
            Error::Unavailable(Arc::new(source))
        })?;
        self.counters.connections_reopened.add(1);
        Ok(Rc::new(connection))
    }

    /// Ends the transaction of a batch and answers its closures.
    fn end(&mut self, connection: Rc<Connection>, batch: Batch<'_>) {
        if batch.kept == 0 {
            // The answers hold whether this succeeds or not, and a commit may write pages out in vain.
            self.connection = match self.rollbacks {
                Rollbacks::Free => roll_back(connection),
                Rollbacks::Avoided => end_with(connection, "COMMIT"),
            };
        } else if let Err(source) = execute(&connection, "COMMIT") {
            return self.answer_unknown(batch, source);
        } else {
            self.connection = Some(connection);
            self.counters.batches_committed.add(1);
            if batch.changed.leaves_no_trace {
                self.checkpoints.cut_soon();
            }
        }
        self.counters.closures_committed.add(batch.kept as u64);
        self.counters.closures_refused.add((batch.jobs.len() - batch.kept) as u64);
        // Before the answers: whoever has one must not meet what was true before it.
        self.caches.forget(&batch.changed);
        batch.jobs.into_iter().for_each(Job::answer);
    }

    /// Answers a batch whose commit failed. A refusal in it is unknown too: it may rest on what others had written.
    fn answer_unknown(&self, batch: Batch<'_>, source: rusqlite::Error) {
        tracing::error!(error = %source, closures = batch.jobs.len(), "a commit failed");
        self.counters.commits_failed.add(1);
        // It may be stored all the same.
        self.caches.forget(&batch.changed);
        let failure = Error::OutcomeUnknown(Arc::new(source));
        batch.jobs.into_iter().for_each(|job| job.fail(failure.clone()));
    }

    /// Answers a closure that dropped a transaction in which it was alone.
    fn answer_guilty(&self, jobs: Vec<Box<dyn Job>>, answer: Option<&Error>) {
        self.counters.closures_refused.add(jobs.len() as u64);
        for job in jobs {
            match answer {
                Some(failure) => job.fail(failure.clone()),
                None => job.answer(),
            }
        }
    }
}

/// The connection after rolling back what is still open on it; none when that fails.
fn roll_back(connection: Rc<Connection>) -> Option<Rc<Connection>> {
    if connection.is_autocommit() { Some(connection) } else { end_with(connection, "ROLLBACK") }
}

/// The connection after a transaction of which nothing is to be kept; none when it does not end.
fn end_with(connection: Rc<Connection>, statement: &'static str) -> Option<Rc<Connection>> {
    match execute(&connection, statement) {
        Ok(()) => Some(connection),
        Err(source) => {
            tracing::error!(error = %source, statement, "a transaction does not end; its connection is given up");
            None
        }
    }
}
