//! The numbers a store shows of itself: counted by the threads, read by `/metrics` and by tests.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a store has done since it was opened, and what waits in it. Numbers are read one after another, so two of
/// them may be of slightly different moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Writes in the queue, those withdrawn and not yet skipped included.
    pub writes_waiting: u64,
    /// Writes in the queue of the background lane.
    pub background_waiting: u64,
    /// Reads in the queue.
    pub reads_waiting: u64,
    /// Transactions of the writer that were committed.
    pub batches_committed: u64,
    /// Closures whose writes were committed.
    pub closures_committed: u64,
    /// Writing closures that were rolled back because they refused, failed or panicked.
    pub closures_refused: u64,
    /// Batches that had to be undone because of one closure.
    pub batches_undone: u64,
    /// Closures that ran again because their batch was undone.
    pub closures_run_again: u64,
    /// Transactions whose commit failed, so that nobody knows whether they are stored.
    pub commits_failed: u64,
    /// Reads that were answered, whatever the answer.
    pub reads: u64,
    /// Connections that were opened again after a failure.
    pub connections_reopened: u64,
    /// Pages in the write-ahead log, copied to the database already or not.
    pub wal_pages: u64,
    /// Checkpoints that were run.
    pub checkpoints: u64,
}

/// The counters behind [`Gauges`]; a thread counts before it answers, so whoever has an answer sees it counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) batches_committed: Counter,
    pub(crate) closures_committed: Counter,
    pub(crate) closures_refused: Counter,
    pub(crate) batches_undone: Counter,
    pub(crate) closures_run_again: Counter,
    pub(crate) commits_failed: Counter,
    pub(crate) reads: Counter,
    pub(crate) connections_reopened: Counter,
    pub(crate) wal_pages: Counter,
    pub(crate) checkpoints: Counter,
    /// How often a checkpoint has left the log empty and its file cut.
    pub(crate) log_cuts: Counter,
}

/// One number that many threads may change.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
