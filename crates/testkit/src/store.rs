//! A store of a test's own.

use std::ops::Deref;
use std::sync::Arc;

use model::{Clock, Timestamp};
use operations::erasure;
use operations::tasks::{self, Stepped, Tick};
use storage::scrub::Scrub;
use storage::{Durability, Options, PostgresOptions, Store};
use tempfile::TempDir;

use crate::postgres::{self, TestDatabase};
use crate::{Engine, TestClock};

/// A fresh store in a place that goes with it.
#[derive(Debug)]
pub struct TestStore {
    store: Store,
    clock: Arc<TestClock>,
    // Declared last: the place goes after the store has let go of it.
    place: Place,
}

#[derive(Debug)]
enum Place {
    Directory(TempDir),
    Database { database: TestDatabase, writers: usize },
}

impl Place {
    #[expect(clippy::expect_used, reason = "a test without a store has failed")]
    fn open(&self, clock: &Arc<TestClock>) -> Store {
        let clock = Arc::<TestClock>::clone(clock);
        let opened = match self {
            Self::Directory(directory) => {
                let mut options = Options::new(directory.path().to_owned(), clock);
                options.durability = Durability::Off;
                options.readers = 1;
                Store::open(options)
            }
            Self::Database { database, writers } => {
                let options = PostgresOptions::new(database.url(), clock);
                Store::connect(PostgresOptions { readers: 2, writers: *writers, ..options })
            }
        };
        opened.expect("a store")
    }
}

impl TestStore {
    /// Opens a fresh store of the embedded engine whose clock stands at the start of 2024.
    ///
    /// # Panics
    /// When the machine gives no directory or the store does not open: no test can go on.
    #[must_use]
    pub fn open() -> Self {
        Self::open_on(Engine::Sqlite)
    }

    /// As [`TestStore::open`], of an engine that [`Engine::is_here`].
    ///
    /// # Panics
    /// See [`TestStore::open`].
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without a store has failed")]
    pub fn open_on(engine: Engine) -> Self {
        let clock = Arc::new(TestClock::at(Timestamp::from_seconds(1_704_067_200)));
        let place = match engine {
            Engine::Sqlite => Place::Directory(tempfile::tempdir().expect("a temporary directory")),
            Engine::Postgres => return Self::open_with_writers(2),
        };
        Self { store: place.open(&clock), clock, place }
    }

    /// Opens a fresh store on PostgreSQL, on which so many write at the same time.
    ///
    /// # Panics
    /// See [`TestStore::open`].
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without a store has failed")]
    pub fn open_with_writers(writers: usize) -> Self {
        let clock = Arc::new(TestClock::at(Timestamp::from_seconds(1_704_067_200)));
        let database = postgres::shared().expect("PostgreSQL").ready_database();
        let place = Place::Database { database, writers };
        Self { store: place.open(&clock), clock, place }
    }

    /// Closes the store and opens it again where it was, as a server that starts anew does: nothing is remembered but what
    /// was stored.
    ///
    /// # Panics
    /// When it does not open.
    pub fn reopen(&mut self) {
        self.store.close();
        self.store = self.place.open(&self.clock);
    }

    /// The engine of the store.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.place {
            Place::Directory(_) => Engine::Sqlite,
            Place::Database { .. } => Engine::Postgres,
        }
    }

    /// The database behind a store that is on PostgreSQL.
    #[must_use]
    pub fn database(&self) -> Option<&TestDatabase> {
        match &self.place {
            Place::Directory(_) => None,
            Place::Database { database, .. } => Some(database),
        }
    }

    /// The clock of the test.
    #[must_use]
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// Does steps of tasks until none is due, as the loop of a server does. Answers how many.
    ///
    /// # Panics
    /// When one fails.
    #[expect(clippy::expect_used, reason = "a test whose task fails has failed")]
    pub async fn run_tasks(&self) -> usize {
        let mut steps = 0;
        loop {
            // A seed of its own for each step, which no request of a test has.
            let tick = Tick { now: self.clock.now(), seed: u128::MAX - steps as u128 };
            let stepped = self.store.write_in_background(move |tx| tasks::step(tx, tick, |_| ())).await;
            match stepped.expect("a step of a task") {
                Stepped::Idle => return steps,
                Stepped::Worked => steps += 1,
            }
        }
    }

    /// Takes away what is not to be known any more, as the loop of a server does once a minute, until nothing is left of it.
    ///
    /// # Panics
    /// When that fails.
    #[expect(clippy::expect_used, reason = "a test whose sweep fails has failed")]
    pub async fn sweep(&self) {
        let now = self.clock.now();
        while self.store.write_in_background(move |tx| tasks::sweep(tx, now)).await.expect("a sweep") {}
    }

    /// Wipes what deleted users have left in the files, if it is time to, as the loop of a server does once an hour. Answers whether it was.
    ///
    /// # Panics
    /// When that fails.
    #[expect(clippy::expect_used, reason = "a test whose scrub fails has failed")]
    pub async fn scrub(&self) -> bool {
        let since = self.clock.now();
        if !self.store.look_up(move |tx| erasure::is_to_scrub(tx, since)).await.expect("a look-up") {
            return false;
        }
        let mut left = Some(Scrub::default());
        while let Some(scrub) = left {
            let step = self.store.write_in_background(move |tx| erasure::scrub(tx, &scrub, since));
            left = step.await.expect("a step of a scrub");
        }
        true
    }

    /// Every byte of every file of a store of the embedded engine; none of one on PostgreSQL.
    ///
    /// # Panics
    /// When a file cannot be read.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test that cannot read has failed")]
    pub fn bytes(&self) -> Vec<u8> {
        let Place::Directory(directory) = &self.place else { return Vec::new() };
        let files = std::fs::read_dir(directory.path()).expect("a directory");
        let paths = files.map(|file| file.expect("an entry").path()).filter(|path| path.is_file());
        paths.flat_map(|path| std::fs::read(path).expect("a file")).collect()
    }

    /// The clock of the test, to be shared.
    #[must_use]
    pub fn shared_clock(&self) -> Arc<TestClock> {
        Arc::clone(&self.clock)
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        self.store.close();
    }
}
