//! The shortcut: a read that takes no time runs on the thread of its caller, which then waits for nobody.
//!
//! To hand a closure to another thread and its result back costs more than most reads do: two wake-ups, and memory
//! that one thread allocates and another frees. So a read is tried where it is called, within a budget so small that
//! an async runtime does not mind. What uses that up, or meets a failure of whatever kind, is begun anew by the reader
//! threads, whose answer counts; a closure has no side effects, so nobody can tell.
//!
//! The budget is looked at every hundred steps of the engine, which touch some ten pages. Should the system have to fetch
//! these from the disk, they hold the caller up for so much longer.

use std::sync::{Arc, Mutex, TryLockError};

use super::snapshot::Snapshots;
use crate::Tx;
use crate::gauges::Counters;
use crate::job::Ran;

/// Connections that whoever reads may borrow, if one is free.
pub(crate) struct Shortcut {
    seats: Vec<Mutex<Snapshots>>,
    counters: Arc<Counters>,
}

impl Shortcut {
    /// A shortcut for as many reads at once as there are `seats`.
    pub(super) fn new(seats: Vec<Snapshots>, counters: &Arc<Counters>) -> Self {
        Self { seats: seats.into_iter().map(Mutex::new).collect(), counters: Arc::clone(counters) }
    }

    /// Runs `work` here and now. `false`: it did not run, or what it found does not count.
    pub(crate) fn read(&self, work: &mut dyn FnMut(Tx<'_>) -> Ran) -> bool {
        // A panic while a seat is taken drops its connection; the seat itself is whole.
        let free = self.seats.iter().find_map(|seat| match seat.try_lock() {
            Ok(seat) => Some(seat),
            Err(TryLockError::Poisoned(seat)) => Some(seat.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        let Some(mut seat) = free else { return false };
        match seat.read(work) {
            Ok(Ran::Keep { .. } | Ran::RollBack { failure: None, .. }) => {
                self.counters.reads.add(1);
                true
            }
            Ok(Ran::RollBack { failure: Some(_), .. }) | Err(_) => false,
        }
    }
}
