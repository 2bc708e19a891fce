//! The threads that read: each closure on its own snapshot, and none for longer than its budget.

use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::snapshot::Snapshots;
use crate::gauges::Counters;
use crate::job::Job;

/// One reader thread.
pub(super) struct Reader {
    snapshots: Snapshots,
    queue: Receiver<Box<dyn Job>>,
    counters: Arc<Counters>,
}

impl Reader {
    pub(super) fn new(snapshots: Snapshots, queue: Receiver<Box<dyn Job>>, counters: &Arc<Counters>) -> Self {
        Self { snapshots, queue, counters: Arc::clone(counters) }
    }

    /// Runs reads until the callers are gone and the queue is empty.
    pub(super) fn serve(&mut self) {
        while let Ok(job) = self.queue.recv() {
            if job.claim() {
                self.read(job);
            }
        }
    }

    fn read(&mut self, mut job: Box<dyn Job>) {
        self.counters.reads.add(1);
        match self.snapshots.read(|tx| job.run(tx)) {
            Ok(_) => job.answer(),
            Err(failure) => job.fail(failure),
        }
    }
}
