//! The store as its callers see it: closures go in, answers come out, whichever engine works behind the queues.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use crossbeam_channel::TrySendError;

use crate::cache::Caches;
use crate::gauges::Counters;
use crate::lanes::{Lane, Lanes};
use crate::sqlite::{Backups, Shortcut};
use crate::threads::{self, Threads};
use crate::{
    Answer, AppCache, Backup, CopyError, Error, Gauges, OpenError, Options, PostgresOptions, StandingCache,
    Tx, job, postgres, sqlite,
};

/// An open database. Clones share it; it closes by [`Store::close`], or by itself, without waiting, when the last
/// clone is dropped.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    /// `None` once the store is closing.
    ways: RwLock<Option<Ways>>,
    threads: Mutex<Threads>,
    /// `None` on a server that is backed up by its own means.
    backups: Option<Backups>,
    caches: Arc<Caches>,
    counters: Arc<Counters>,
    read_budget: Duration,
    write_budget: Duration,
}

/// The ways to the engine.
struct Ways {
    /// Dropped before the lanes: when the threads end, no snapshot may keep the last checkpoint from emptying the log.
    shortcut: Option<Shortcut>,
    lanes: Lanes,
}

impl Store {
    /// Opens the database in a directory, makes it when there is none, brings its schema up to date and starts its
    /// threads. Blocks meanwhile. The directory stays locked until the store is closed.
    ///
    /// # Errors
    /// See [`OpenError`]. Nothing is left running, and a file that is not ours is left as it was.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let (lanes, exits) = Lanes::new(options.queue);
        let backups = Backups::new(&options.directory, options.migrations);
        let caches = Arc::<Caches>::default();
        let counters = Arc::<Counters>::default();
        let (threads, shortcut) = sqlite::start(&options, exits, &caches, &counters)?;
        Ok(Self(Arc::new(Shared {
            ways: RwLock::new(Some(Ways { shortcut, lanes })),
            threads: Mutex::new(threads),
            backups: Some(backups),
            caches,
            counters,
            read_budget: options.read_budget,
            write_budget: options.write_budget,
        })))
    }

    /// Connects to a PostgreSQL server, brings the schema of the database up to date and starts the threads. Blocks
    /// meanwhile. Several stores, of several nodes, may use one database.
    ///
    /// # Errors
    /// See [`OpenError`]. Nothing is left running, and a database that is not ours is left as it was.
    pub fn connect(options: PostgresOptions) -> Result<Self, OpenError> {
        let (lanes, exits) = Lanes::new(options.queue);
        // Other nodes change apps too, and tell nobody: what decides access is never kept.
        let caches = Arc::new(Caches::keeping_nothing());
        let counters = Arc::<Counters>::default();
        let threads = postgres::start(&options, exits, &caches, &counters)?;
        Ok(Self(Arc::new(Shared {
            ways: RwLock::new(Some(Ways { shortcut: None, lanes })),
            threads: Mutex::new(threads),
            backups: None,
            caches,
            counters,
            read_budget: options.read_budget,
            write_budget: options.write_budget,
        })))
    }

    /// Runs `work` in a write transaction and answers when it is durably stored.
    ///
    /// The closure has no side effects but through `tx`: it may run more than once, and counts once. When it answers
    /// an error, or a statement failed in it (even if it hid that), nothing it wrote is stored.
    ///
    /// The answer is an [`Error`] when the queue is full, when nobody took the closure up within the write budget,
    /// when it panicked, or when its commit failed.
    pub fn write<T, E, F>(&self, work: F) -> Answer<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.queue(Lane::Write, work)
    }

    /// As [`Store::write`], for short steps of long work: at most one such closure runs with each batch of writes,
    /// after them, so that however many there are they hardly delay anybody, and are never starved.
    pub fn write_in_background<T, E, F>(&self, work: F) -> Answer<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.queue(Lane::Background, work)
    }

    /// Runs `work` on a snapshot of the database that holds every write answered before this call. It cannot write.
    ///
    /// The answer is [`Error::Timeout`] when the closure waits longer than the read budget, or runs longer: then the
    /// statement it is in is interrupted, and every later one fails.
    ///
    /// The closure is tried on this thread, before this function returns, and begun anew elsewhere when it is not done
    /// within [`Options::shortcut_budget`]. So it must not wait for anybody, nor call the store.
    pub fn read<T, E, F>(&self, work: F) -> Answer<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match self.take_shortcut(&work) {
            Some(result) => Answer::settled(result),
            None => self.queue(Lane::Read, work),
        }
    }

    /// As [`Store::read`], for a closure that runs one statement: PostgreSQL then needs no transaction around it, which is
    /// two round trips less.
    pub fn look_up<T, E, F>(&self, work: F) -> Answer<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match self.take_shortcut(&work) {
            Some(result) => Answer::settled(result),
            None => self.queue(Lane::LookUp, work),
        }
    }

    /// Copies the database to the new file `target`, which is absolute, while everything else goes on; there is one
    /// such at a time. The copy has every write that was answered before it began, some that came later, and no part
    /// of any other; it is checked, needs no other file beside it, and is readable by its owner only.
    ///
    /// The answer is a [`CopyError`] when there is no copy, and then nothing is left of it.
    pub fn back_up(&self, target: impl Into<PathBuf>) -> Backup {
        // Held until the backup is on record: the store cannot close without it.
        let ways = self.ways();
        match (ways.as_ref(), &self.0.backups) {
            (Some(ways), Some(backups)) => backups.begin(target.into(), ways.lanes.copies.clone()),
            (Some(_), None) => Backup::refused(CopyError::Elsewhere),
            (None, _) => Backup::refused(Error::Closed.into()),
        }
    }

    /// The cached apps. The writer drops the copy of an app that a closure changed before it answers that closure.
    #[must_use]
    pub fn apps(&self) -> &AppCache {
        &self.0.caches.apps
    }

    /// The kept standings of users, dropped in the same way.
    #[must_use]
    pub fn standings(&self) -> &StandingCache {
        &self.0.caches.standings
    }

    /// What waits and what was done, for metrics.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let counters = &self.0.counters;
        let ways = self.ways();
        let waiting = |lane| ways.as_ref().map_or(0, |ways| ways.lanes.of(lane).len() as u64);
        Gauges {
            writes_waiting: waiting(Lane::Write),
            background_waiting: waiting(Lane::Background),
            reads_waiting: waiting(Lane::Read),
            batches_committed: counters.batches_committed.get(),
            closures_committed: counters.closures_committed.get(),
            closures_refused: counters.closures_refused.get(),
            batches_undone: counters.batches_undone.get(),
            closures_run_again: counters.closures_run_again.get(),
            commits_failed: counters.commits_failed.get(),
            reads: counters.reads.get(),
            connections_reopened: counters.connections_reopened.get(),
            wal_pages: counters.wal_pages.get(),
            checkpoints: counters.checkpoints.get(),
        }
    }

    /// Takes no more work, stops a backup, finishes what is queued, empties the write-ahead log and frees the directory. Blocks until
    /// that is done; a second call waits for the first. Not to be called from a closure.
    pub fn close(&self) {
        let mut threads = self.0.threads.lock().unwrap_or_else(PoisonError::into_inner);
        // Waits for the reads that are on the shortcut.
        let ways = self.0.ways.write().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Ways { shortcut, lanes: Lanes { writes, background, reads, copies } }) = ways else {
            return;
        };
        if let Some(backups) = &self.0.backups {
            backups.end();
        }
        // What reads first: an open snapshot would keep the last checkpoint from emptying the log.
        drop((shortcut, reads));
        threads::join(&mut threads.readers);
        drop((writes, background, copies));
        threads::join(&mut threads.writer);
    }

    fn ways(&self) -> RwLockReadGuard<'_, Option<Ways>> {
        self.0.ways.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The result of `work`, if there is a shortcut and it comes to its end there. The store cannot close meanwhile.
    fn take_shortcut<T, E: From<Error>>(
        &self,
        work: &impl Fn(&mut Tx<'_>) -> Result<T, E>,
    ) -> Option<Result<T, E>> {
        let ways = self.ways();
        let shortcut = ways.as_ref()?.shortcut.as_ref()?;
        let mut kept = None;
        let done = shortcut.read(&mut |tx| {
            let (result, ran) = job::run(work, tx);
            kept = Some(result);
            ran
        });
        if done { kept } else { None }
    }

    fn queue<T, E, F>(&self, lane: Lane, work: F) -> Answer<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let budget = match lane {
            Lane::Write | Lane::Background => self.0.write_budget,
            Lane::Read | Lane::LookUp => self.0.read_budget,
        };
        let (job, answer) = job::queue_up(work, matches!(lane, Lane::LookUp), budget);
        let refusal = match self.ways().as_ref().map(|ways| ways.lanes.of(lane).try_send(job)) {
            Some(Ok(())) => return answer,
            Some(Err(TrySendError::Full(_))) => Error::Busy,
            Some(Err(TrySendError::Disconnected(_))) | None => Error::Closed,
        };
        Answer::settled(Err(E::from(refusal)))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").field("gauges", &self.gauges()).finish_non_exhaustive()
    }
}
