//! The threads that write: each closure in a transaction of its own, beside those of the other threads and nodes.
//!
//! What can go wrong, and who hears of it:
//!
//! - A closure refuses, fails or panics: its transaction is rolled back.
//! - It met another one (serialization, deadlock, [`Error::Contended`]): it is rolled back and runs again, a few times.
//! - The connection is lost under it: nothing is stored, so it runs again on a new one, or is refused as unavailable.
//! - The connection is lost during COMMIT: the outcome is unknown.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use postgres::error::SqlState;

use super::link::{Committed, Link, commit, shown};
use super::queue::Queue;
use super::session::{is_contention, is_loss};
use crate::cache::Caches;
use crate::gauges::Counters;
use crate::job::{Job, Ran};
use crate::{Error, Tx};

/// How often a closure is run before its caller is told that others are always faster.
const MOST_RUNS: u32 = 12;

/// How long a closure waits before it runs for the second time; doubled each time after, to half a second at most.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// One writer thread.
pub(super) struct Writer {
    link: Link,
    caches: Arc<Caches>,
    counters: Arc<Counters>,
}

/// How one run of a closure ended.
enum Ended {
    /// It is known what to answer.
    Answer,
    /// What the closure answered does not count.
    Fail(Error),
    /// Nothing is stored, and another run may succeed; should it be the last, this is the answer.
    Again(Error),
}

impl Writer {
    pub(super) fn new(link: Link, caches: &Arc<Caches>, counters: &Arc<Counters>) -> Self {
        Self { link, caches: Arc::clone(caches), counters: Arc::clone(counters) }
    }

    /// Runs closures until the callers are gone and the queues are empty.
    pub(super) fn serve(&mut self, queue: &Queue) {
        while let Some(job) = queue.next() {
            self.write(job);
        }
    }

    fn write(&mut self, mut job: Box<dyn Job>) {
        let mut pause = FIRST_PAUSE;
        for left in (0..MOST_RUNS).rev() {
            match self.run(job.as_mut()) {
                Ended::Answer => return job.answer(),
                Ended::Fail(failure) => return job.fail(failure),
                Ended::Again(failure) if left == 0 => return job.fail(failure),
                Ended::Again(_) => self.counters.closures_run_again.add(1),
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn run(&mut self, job: &mut dyn Job) -> Ended {
        let mut session = match self.link.begin() {
            Ok(session) => session,
            Err(failure) => return Ended::Fail(failure),
        };
        match job.run(Tx::postgres(&mut session)) {
            Ran::Keep { changed } => {
                let committed = commit(&mut session);
                if matches!(committed, Committed::Stored | Committed::Unknown(_)) {
                    self.caches.forget(&changed);
                }
                match committed {
                    Committed::Stored => {
                        self.link.keep(session);
                        self.counters.batches_committed.add(1);
                        self.counters.closures_committed.add(1);
                        Ended::Answer
                    }
                    Committed::Refused(failure) => {
                        self.link.roll_back(session);
                        self.counters.commits_failed.add(1);
                        match failure.code() {
                            _ if is_contention(&failure) => Ended::Again(Error::Contended),
                            // The closure ended it by a statement of its own; whether that was a commit is not known here.
                            Some(&SqlState::NO_ACTIVE_SQL_TRANSACTION) => {
                                Ended::Fail(Error::OutcomeUnknown(Arc::new(failure)))
                            }
                            _ => {
                                let statement = "COMMIT".into();
                                Ended::Fail(Error::Statement { statement, source: Arc::new(failure) })
                            }
                        }
                    }
                    Committed::Unknown(failure) => {
                        tracing::error!(error = %shown(&failure), "a commit was not answered");
                        self.counters.commits_failed.add(1);
                        Ended::Fail(Error::OutcomeUnknown(Arc::new(failure)))
                    }
                }
            }
            Ran::RollBack { failure, .. } => {
                self.link.roll_back(session);
                self.after(failure)
            }
        }
    }

    /// How a run ended of which nothing is stored.
    fn after(&self, failure: Option<Error>) -> Ended {
        let again = match (&failure, failure.as_ref().and_then(Error::postgres)) {
            (Some(Error::Contended), _) => Some(Error::Contended),
            (_, Some(said)) if is_contention(said) => Some(Error::Contended),
            (Some(Error::Statement { source, .. }), Some(said)) if is_loss(said) => {
                tracing::warn!(error = %shown(said), "a connection to PostgreSQL was lost under a transaction");
                Some(Error::Unavailable(Arc::clone(source)))
            }
            _ => None,
        };
        match again {
            Some(failure) => Ended::Again(failure),
            None => {
                self.counters.closures_refused.add(1);
                Ended::Answer
            }
        }
    }
}
