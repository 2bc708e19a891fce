//! The one thread that writes: a batch of closures, one commit, the answers, then perhaps a checkpoint.
//!
//! What can go wrong, and who hears of it:
//!
//! - A closure refuses, fails or panics: its savepoint is rolled back, and the others never notice.
//! - The engine drops the transaction under a closure (disk full, I/O, memory): the batch runs again, one closure a
//!   transaction, so that only the guilty one fails.
//! - The commit fails: all of the batch are answered that the outcome is unknown, and a new connection takes over.
//! - The database cannot be opened again: what comes is refused as unavailable, and each batch tries once more.

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::batch::{Batch, Lost};
use super::checkpoint::Checkpoints;
use super::connection::Database;
use super::execute;
use super::queue::{Next, Queue};
use crate::gauges::Counters;
use crate::job::Job;
use crate::{AppCache, Error};

/// How long the queues are empty before the writer calls itself idle.
const IDLE: Duration = Duration::from_secs(1);

/// The writer thread.
pub(super) struct Writer {
    /// Taken out for a transaction and put back only if nothing about it is in doubt afterwards, so that a failure,
    /// and a panic too, drops it, and whatever was open on it is rolled back. `None`: the next batch opens a new one.
    connection: Option<Connection>,
    database: Arc<Database>,
    apps: Arc<AppCache>,
    counters: Arc<Counters>,
    checkpoints: Checkpoints,
}

/// Closures whose transaction was dropped under the last of them.
struct Undone {
    jobs: Vec<Box<dyn Job>>,
    lost: Lost,
}

impl Writer {
    pub(super) fn new(
        database: &Arc<Database>,
        connection: Connection,
        apps: &Arc<AppCache>,
        counters: &Arc<Counters>,
    ) -> Self {
        Self {
            connection: Some(connection),
            database: Arc::clone(database),
            apps: Arc::clone(apps),
            counters: Arc::clone(counters),
            checkpoints: Checkpoints::default(),
        }
    }

    /// Runs batches until the callers are gone and the queues are empty, then empties the log.
    pub(super) fn serve(&mut self, queue: &Queue) {
        loop {
            match queue.wait(self.checkpoints.wanted().then_some(IDLE)) {
                Next::Batch(jobs) => {
                    self.batch(jobs);
                    self.checkpoint(Checkpoints::after_batch);
                }
                Next::Idle => self.checkpoint(Checkpoints::when_idle),
                Next::Closed => return self.checkpoint(Checkpoints::at_end),
            }
        }
    }

    fn checkpoint(&mut self, step: impl FnOnce(&mut Checkpoints, &Connection, &Counters)) {
        if let Some(connection) = &self.connection {
            step(&mut self.checkpoints, connection, &self.counters);
        }
    }

    fn batch(&mut self, jobs: impl Iterator<Item = Box<dyn Job>>) {
        let Err(undone) = self.transaction(jobs) else { return };
        self.counters.batches_undone.add(1);
        if undone.jobs.len() == 1 {
            return self.answer_guilty(undone);
        }
        tracing::warn!(closures = undone.jobs.len(), "a batch was undone and runs again, one by one");
        for job in undone.jobs {
            self.counters.closures_run_again.add(1);
            if let Err(undone) = self.transaction(iter::once(job)) {
                self.answer_guilty(undone);
            }
        }
    }

    /// Runs `jobs` in one transaction and answers them, unless the transaction is dropped under one of them.
    fn transaction(&mut self, jobs: impl Iterator<Item = Box<dyn Job>>) -> Result<(), Undone> {
        let connection = match self.begin() {
            Ok(connection) => connection,
            Err(failure) => {
                jobs.for_each(|job| job.fail(failure.clone()));
                return Ok(());
            }
        };
        let mut batch = Batch::default();
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
    fn begin(&mut self) -> Result<Connection, Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.reopen()?,
        };
        let Err(source) = execute(&connection, "BEGIN IMMEDIATE") else { return Ok(connection) };
        tracing::error!(error = %source, "cannot begin a transaction");
        if source.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) {
            // Another process is writing. Nothing is wrong with the connection.
            self.connection = Some(connection);
        }
        Err(Error::Unavailable(Arc::new(source)))
    }

    fn reopen(&self) -> Result<Connection, Error> {
        let connection = self.database.writer().map_err(|source| {
            tracing::error!(error = %source, "cannot open the database again");
            Error::Unavailable(Arc::new(source))
        })?;
        self.counters.connections_reopened.add(1);
        Ok(connection)
    }

    /// Ends the transaction of a batch and answers its closures.
    fn end(&mut self, connection: Connection, batch: Batch) {
        if batch.kept == 0 {
            // The answers hold whether this succeeds or not, and a commit would write pages out in vain.
            self.connection = roll_back(connection);
        } else if let Err(source) = execute(&connection, "COMMIT") {
            return self.answer_unknown(batch, source);
        } else {
            self.connection = Some(connection);
            self.counters.batches_committed.add(1);
        }
        self.counters.closures_committed.add(batch.kept as u64);
        self.counters.closures_refused.add((batch.jobs.len() - batch.kept) as u64);
        // Before the answers: whoever has one must not meet what was true before it.
        self.apps.forget(&batch.changed_apps);
        batch.jobs.into_iter().for_each(Job::answer);
    }

    /// Answers a batch whose commit failed. A refusal in it is unknown too: it may rest on what others had written.
    fn answer_unknown(&self, batch: Batch, source: rusqlite::Error) {
        tracing::error!(error = %source, closures = batch.jobs.len(), "a commit failed");
        self.counters.commits_failed.add(1);
        // It may be stored all the same.
        self.apps.forget(&batch.changed_apps);
        let failure = Error::OutcomeUnknown(Arc::new(source));
        batch.jobs.into_iter().for_each(|job| job.fail(failure.clone()));
    }

    /// Answers a closure that dropped a transaction in which it was alone.
    fn answer_guilty(&self, undone: Undone) {
        self.counters.closures_refused.add(undone.jobs.len() as u64);
        for job in undone.jobs {
            match &undone.lost.0 {
                Some(failure) => job.fail(failure.clone()),
                None => job.answer(),
            }
        }
    }
}

/// The connection after rolling back what is still open on it; none when that fails.
fn roll_back(connection: Connection) -> Option<Connection> {
    if connection.is_autocommit() {
        return Some(connection);
    }
    match execute(&connection, "ROLLBACK") {
        Ok(()) => Some(connection),
        Err(source) => {
            tracing::error!(error = %source, "cannot roll back; the connection is given up");
            None
        }
    }
}
