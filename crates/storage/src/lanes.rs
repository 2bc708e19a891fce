//! The queues between the callers of a store and the threads of its engine.

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::job::Job;
use crate::sqlite::PageCopy;

/// How many background closures may wait. Their callers are a handful of tasks, each with one step under way.
const BACKGROUND_QUEUE: usize = 256;

/// Which queue a closure takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lane {
    Write,
    Background,
    Read,
    /// As [`Lane::Read`], for one statement.
    LookUp,
}

/// The callers' ends. The threads end when these are gone and the queues are empty.
#[derive(Debug)]
pub(crate) struct Lanes {
    pub(crate) writes: Sender<Box<dyn Job>>,
    pub(crate) background: Sender<Box<dyn Job>>,
    pub(crate) reads: Sender<Box<dyn Job>>,
    /// No lane for closures: what wants a copy waits for it on a thread of its own.
    pub(crate) copies: Sender<PageCopy>,
}

/// The threads' ends.
#[derive(Debug)]
pub(crate) struct Exits {
    pub(crate) writes: Receiver<Box<dyn Job>>,
    pub(crate) background: Receiver<Box<dyn Job>>,
    pub(crate) reads: Receiver<Box<dyn Job>>,
    pub(crate) copies: Receiver<PageCopy>,
}

impl Lanes {
    /// Empty queues for `capacity` writes and as many reads; at least one, since a queue of none would only ever
    /// take a closure for which a thread is idle.
    pub(crate) fn new(capacity: usize) -> (Self, Exits) {
        let capacity = capacity.max(1);
        let (writes, writes_exit) = bounded(capacity);
        let (background, background_exit) = bounded(BACKGROUND_QUEUE);
        let (reads, reads_exit) = bounded(capacity);
        // There is one backup at a time.
        let (copies, copies_exit) = bounded(1);
        let exits = Exits {
            writes: writes_exit,
            background: background_exit,
            reads: reads_exit,
            copies: copies_exit,
        };
        (Self { writes, background, reads, copies }, exits)
    }

    /// The queue of one lane.
    pub(crate) fn of(&self, lane: Lane) -> &Sender<Box<dyn Job>> {
        match lane {
            Lane::Write => &self.writes,
            Lane::Background => &self.background,
            Lane::Read | Lane::LookUp => &self.reads,
        }
    }
}
