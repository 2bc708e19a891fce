//! What the writer takes from its queues, and how much of it makes a batch.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvError, after, never, select};
use model::Clock;

use super::copy::PageCopy;
use crate::job::Job;

/// Closures in a batch. Commits cost so little per closure from here on that more would only make answers late.
const MOST_CLOSURES: usize = 256;

/// How long a batch takes up further closures: an answer waits for those that come after its closure. Writers of 100
/// users a call got a quarter more done with 15 ms than with 5, and waited a third less, since a commit costs as much.
const MOST_WORK: Duration = Duration::from_millis(15);

/// The writer's ends of its queues.
#[derive(Debug)]
pub(super) struct Queue {
    writes: Receiver<Box<dyn Job>>,
    background: Receiver<Box<dyn Job>>,
    copies: Receiver<PageCopy>,
    clock: Arc<dyn Clock>,
}

/// What the writer is to do next.
pub(super) enum Next<'q> {
    /// Run these closures.
    Batch(Intake<'q>),
    /// Copy the database.
    Copy(PageCopy),
    /// Nothing came for as long as the writer was willing to wait.
    Idle,
    /// The callers are gone, and nothing is left.
    Closed,
}

impl Queue {
    pub(super) fn new(
        writes: Receiver<Box<dyn Job>>,
        background: Receiver<Box<dyn Job>>,
        copies: Receiver<PageCopy>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { writes, background, copies, clock }
    }

    /// Waits for work, for ever when `patience` is `None`.
    pub(super) fn wait(&self, patience: Option<Duration>) -> Next<'_> {
        let idle = patience.map_or_else(never, after);
        loop {
            let first = select! {
                recv(self.writes) -> job => self.first_write(job),
                recv(self.background) -> job => self.first_in_background(job),
                recv(self.copies) -> copy => match copy {
                    Ok(copy) => return Next::Copy(copy),
                    Err(_) => self.last(),
                },
                recv(idle) -> _ => return Next::Idle,
            };
            match self.begin(first) {
                Ok(Some(batch)) => return Next::Batch(batch),
                // What came first had been withdrawn.
                Ok(None) => {}
                Err(Closed) => return Next::Closed,
            }
        }
    }

    /// The batch that waits now, if there is one. Copies are left where they are.
    pub(super) fn poll(&self) -> Result<Option<Intake<'_>>, Closed> {
        let first = select! {
            recv(self.writes) -> job => self.first_write(job),
            recv(self.background) -> job => self.first_in_background(job),
            default => return Ok(None),
        };
        self.begin(first)
    }

    // A queue answers an error when its callers are gone and it is empty. They leave all queues at once, so what the
    // other one still holds is the last there is.

    fn first_write(&self, job: Result<Box<dyn Job>, RecvError>) -> First {
        job.map_or_else(|_| self.last(), |job| First { write: Some(job), background: None })
    }

    fn first_in_background(&self, job: Result<Box<dyn Job>, RecvError>) -> First {
        job.map_or_else(|_| self.last(), |job| First { write: None, background: Some(job) })
    }

    fn last(&self) -> First {
        First { write: self.writes.recv().ok(), background: self.background.recv().ok() }
    }

    fn begin(&self, first: First) -> Result<Option<Intake<'_>>, Closed> {
        let First { write, background } = first;
        if write.is_none() && background.is_none() {
            return Err(Closed);
        }
        let (write, background) = (write.and_then(claim), background.and_then(claim));
        Ok((write.is_some() || background.is_some()).then(|| self.intake(write, background)))
    }

    fn intake(&self, first: Option<Box<dyn Job>>, background: Option<Box<dyn Job>>) -> Intake<'_> {
        let deadline = self.clock.elapsed() + MOST_WORK;
        Intake { queue: self, first, writes_left: MOST_CLOSURES, deadline, background, background_left: true }
    }
}

/// The callers are gone, and nothing is left.
pub(super) struct Closed;

/// What a batch begins with. Neither: there is nothing left.
struct First {
    write: Option<Box<dyn Job>>,
    background: Option<Box<dyn Job>>,
}

/// The closures of one batch, each claimed and taken from its queue when it is asked for: writes while there are any
/// and the batch is neither full nor late, then one of the background lane. It never waits for a closure to come:
/// those that come during a commit make the next batch, so batches grow with the load by themselves.
pub(super) struct Intake<'q> {
    queue: &'q Queue,
    first: Option<Box<dyn Job>>,
    writes_left: usize,
    deadline: Duration,
    background: Option<Box<dyn Job>>,
    background_left: bool,
}

impl Iterator for Intake<'_> {
    type Item = Box<dyn Job>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_write().or_else(|| self.next_background())
    }
}

impl Intake<'_> {
    fn next_write(&mut self) -> Option<Box<dyn Job>> {
        let first = self.first.take();
        if first.is_none() && (self.writes_left == 0 || self.queue.clock.elapsed() >= self.deadline) {
            self.writes_left = 0;
            return None;
        }
        let next = first.or_else(|| self.queue.writes.try_iter().find_map(claim));
        self.writes_left = if next.is_some() { self.writes_left - 1 } else { 0 };
        next
    }

    fn next_background(&mut self) -> Option<Box<dyn Job>> {
        if !std::mem::take(&mut self.background_left) {
            return None;
        }
        self.background.take().or_else(|| self.queue.background.try_iter().find_map(claim))
    }
}

/// The job, unless its caller has withdrawn it.
fn claim(job: Box<dyn Job>) -> Option<Box<dyn Job>> {
    job.claim().then_some(job)
}
