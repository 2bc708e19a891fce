//! What a writer takes from its queues.

use crossbeam_channel::{Receiver, never, select};

use crate::job::Job;

/// A writer's ends of its queues.
#[derive(Debug)]
pub(super) struct Queue {
    writes: Receiver<Box<dyn Job>>,
    background: Receiver<Box<dyn Job>>,
}

impl Queue {
    /// With `background`, the work of that lane as well: one writer has it, so that it delays nobody and is never starved.
    pub(super) fn new(writes: Receiver<Box<dyn Job>>, background: Option<Receiver<Box<dyn Job>>>) -> Self {
        Self { writes, background: background.unwrap_or_else(never) }
    }

    /// The next closure that its caller has not withdrawn. `None` when the callers are gone and the queues are empty.
    pub(super) fn next(&self) -> Option<Box<dyn Job>> {
        loop {
            // The callers leave all queues at once, so what the other one still holds is the last there is.
            let job = select! {
                recv(self.writes) -> job => job.or_else(|_| self.background.try_recv()),
                recv(self.background) -> job => job.or_else(|_| self.writes.recv().map_err(Into::into)),
            };
            match job {
                Ok(job) if job.claim() => return Some(job),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}
