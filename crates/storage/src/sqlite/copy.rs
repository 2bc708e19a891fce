//! The pages of a database, copied while it is written to.
//!
//! The engine copies in steps, and begins anew when a connection other than the one it copies from has written in
//! between; what that one writes itself is carried over to the pages that are copied already. So the writer copies,
//! from its own connection, between batches: nobody waits for more than a step; no snapshot is held from one step to
//! the next, so that checkpoints go on and the log stays small (DESIGN 2); and the copy is of the moment of its last
//! step, with every write that was answered by then. `VACUUM INTO`, or a copy from a reader, would hold one snapshot
//! for as long as it takes.

use std::ffi::c_int;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::Sender;
use rusqlite::backup::{Backup, Progress, StepResult};
use rusqlite::{Connection, ffi};

use crate::gauges::Counter;
use crate::{CopyError, Stop};

/// Pages of a step: 2 MiB, which takes one or two milliseconds, where a batch takes five or more.
const STEP: c_int = 512;

/// How often a copy may begin anew. Refusals cost it one such, see [`Rollbacks`]; failing disks may cost more.
const MOST_RESTARTS: u32 = 8;

/// Whether a copy minds when a transaction is rolled back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Rollbacks {
    /// No copy is under way, or none that was ever disturbed.
    #[default]
    Free,
    /// The engine begins a copy anew when a transaction that has changed pages is rolled back. As every refusal may
    /// come with one, a copy that it happened to has to be spared them, or it might never end.
    Avoided,
}

/// How far a copy is, in pages.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pub(super) copied: Counter,
    pub(super) all: Counter,
}

/// An empty file that a database is copied into.
pub(super) struct Destination {
    pub(super) connection: Connection,
    /// What the file is to become.
    pub(super) path: PathBuf,
    pub(super) pages: Arc<Pages>,
    pub(super) stop: Stop,
}

impl Destination {
    /// Copies all of `source`. Calls `between` between steps, when `source` may be written to.
    ///
    /// # Errors
    /// That of `between`, [`CopyError::Stopped`], and what the engine says.
    pub(super) fn fill(
        &mut self,
        source: &Connection,
        mut between: impl FnMut(Rollbacks) -> Result<(), CopyError>,
    ) -> Result<(), CopyError> {
        let Self { connection, path, pages, stop } = self;
        let failed = |source| CopyError::Engine { path: path.clone(), source };
        let backup = Backup::new(source, connection).map_err(failed)?;
        let mut pace = Pace::default();
        loop {
            stop.check()?;
            match backup.step(pace.step()).map_err(failed)? {
                StepResult::Done => return Ok(()),
                StepResult::More => {}
                // Another program holds a lock, and the connection has waited for it as long as it waits for any.
                _ => {
                    return Err(failed(rusqlite::Error::SqliteFailure(
                        ffi::Error::new(ffi::SQLITE_BUSY),
                        None,
                    )));
                }
            }
            pace.observe(backup.progress())?;
            pages.copied.set(unsigned(pace.copied));
            pages.all.set(unsigned(pace.all));
            between(pace.rollbacks())?;
        }
    }
}

/// How many pages to copy next, seen from what happened so far.
#[derive(Debug, Default)]
struct Pace {
    copied: c_int,
    all: c_int,
    /// By how many pages the source grew during the last round.
    growth: c_int,
    restarts: u32,
}

impl Pace {
    /// More than the source grew, so that every round leaves fewer pages to be copied, however much is written. A batch
    /// takes ten times as long to add a page as a step takes to copy two.
    fn step(&self) -> c_int {
        STEP.saturating_add(self.growth.saturating_mul(2))
    }

    /// Takes note of a step.
    fn observe(&mut self, progress: Progress) -> Result<(), CopyError> {
        let copied = progress.pagecount - progress.remaining;
        if copied < self.copied.saturating_add(self.step()) {
            self.restarts += 1;
            tracing::info!(pages = self.copied, restarts = self.restarts, "a copy had to begin anew");
        }
        self.growth = if self.all == 0 { 0 } else { (progress.pagecount - self.all).max(0) };
        (self.copied, self.all) = (copied, progress.pagecount);
        if self.restarts > MOST_RESTARTS { Err(CopyError::Disturbed) } else { Ok(()) }
    }

    fn rollbacks(&self) -> Rollbacks {
        if self.restarts == 0 { Rollbacks::Free } else { Rollbacks::Avoided }
    }
}

/// No number of pages is negative.
fn unsigned(pages: c_int) -> u64 {
    u64::try_from(pages).unwrap_or(0)
}

/// A copy that the writer is asked for.
pub(crate) struct PageCopy {
    pub(super) destination: Destination,
    /// Where the filled destination goes back to.
    pub(super) done: Sender<Result<Destination, CopyError>>,
}

impl PageCopy {
    /// Fills the destination, see [`Destination::fill`], and hands it back.
    pub(super) fn run(
        mut self,
        source: &Connection,
        between: impl FnMut(Rollbacks) -> Result<(), CopyError>,
    ) {
        let filled = self.destination.fill(source, between);
        // Nobody may wait for it any more; then it is dropped here.
        let _ = self.done.send(filled.map(|()| self.destination));
    }

    /// Hands an error back.
    pub(super) fn fail(self, error: CopyError) {
        let _ = self.done.send(Err(error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pages of each step while the source has these numbers of pages, until the copy is complete.
    fn steps(mut source: impl Iterator<Item = c_int>) -> Result<Vec<c_int>, CopyError> {
        let (mut pace, mut steps) = (Pace::default(), Vec::new());
        loop {
            let pagecount = source.next().unwrap();
            let copied = pace.copied + pace.step();
            steps.push(pace.step());
            if copied >= pagecount {
                return Ok(steps);
            }
            pace.observe(Progress { remaining: pagecount - copied, pagecount })?;
        }
    }

    #[test]
    fn a_source_that_stands_still_is_copied_in_equal_steps() {
        assert_eq!(steps(std::iter::repeat(2000)).unwrap(), [STEP; 4]);
    }

    #[test]
    fn a_source_that_grows_faster_than_a_step_is_caught_up_with() {
        let steps = steps((1..).map(|round| 10_000 + 5000 * round)).unwrap();
        assert_eq!(steps[..4], [STEP, STEP, STEP + 10_000, STEP + 10_000]);
        assert_eq!(steps.len(), 6);
    }

    #[test]
    fn a_copy_that_began_anew_asks_for_care_and_gives_up_in_the_end() {
        let mut pace = Pace::default();
        let first = || Progress { remaining: 1000 - STEP, pagecount: 1000 };
        pace.observe(first()).unwrap();
        assert_eq!(pace.rollbacks(), Rollbacks::Free);
        for _ in 0..MOST_RESTARTS {
            pace.observe(first()).unwrap();
            assert_eq!(pace.rollbacks(), Rollbacks::Avoided);
        }
        assert!(matches!(pace.observe(first()), Err(CopyError::Disturbed)));
    }
}
