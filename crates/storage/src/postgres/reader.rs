//! The threads that read: each closure on its own snapshot, no statement for longer than the budget, and none begun after
//! it.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;
use model::Clock;

use super::link::Link;
use super::session::is_loss;
use crate::gauges::Counters;
use crate::job::{Job, Ran};
use crate::tx::Deadline;
use crate::{Error, Tx};

/// One reader thread.
pub(super) struct Reader {
    link: Link,
    queue: Receiver<Box<dyn Job>>,
    budget: Duration,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
}

impl Reader {
    pub(super) fn new(
        link: Link,
        queue: Receiver<Box<dyn Job>>,
        budget: Duration,
        counters: &Arc<Counters>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self { link, queue, budget, counters: Arc::clone(counters), clock: Arc::clone(clock) }
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
        // A second time, since the server may have come back just now.
        if let Some(failure) = self.run(job.as_mut()).and_then(|_| self.run(job.as_mut())) {
            return job.fail(failure);
        }
        job.answer();
    }

    /// Runs a read once. Answers a failure when it has no result because there is no connection.
    fn run(&mut self, job: &mut dyn Job) -> Option<Error> {
        let alone = job.is_look_up();
        let session = if alone { self.link.alone() } else { self.link.begin() };
        let mut session = match session {
            Ok(session) => session,
            Err(failure) => return Some(failure),
        };
        let deadline = Deadline::after(self.budget, &self.clock);
        let ran = job.run(Tx::postgres_within(&mut session, self.budget).until(deadline));
        if alone {
            self.link.keep(session);
        } else {
            // Nothing was written, and after a failed statement nothing else is possible.
            self.link.roll_back(session);
        }
        match ran {
            Ran::RollBack { failure: Some(failure), .. } => match (&failure, failure.postgres()) {
                (Error::Statement { source, .. }, Some(said)) if is_loss(said) => {
                    Some(Error::Unavailable(Arc::clone(source)))
                }
                _ => None,
            },
            Ran::RollBack { failure: None, .. } | Ran::Keep { .. } => None,
        }
    }
}
