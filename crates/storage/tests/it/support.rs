//! A store in a place of its own, a clock that stands still, and a gate to hold a thread of the store at.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use headwater_storage::{Error, Migration, OpenError, Options, PostgresOptions, Sql, Store, Tx, Value};
use headwater_testkit::Engine;
use headwater_testkit::postgres::{self, TestDatabase};
use model::{Clock, Timestamp};
use tempfile::TempDir;

/// A schema small enough to reason about pages.
pub(crate) const NOTES: &[Migration] = &[Migration {
    number: 1,
    name: "notes",
    sql: "CREATE TABLE notes (id INTEGER PRIMARY KEY, body);
          CREATE TABLE replies (note INTEGER NOT NULL REFERENCES notes (id));",
}];

/// The same for PostgreSQL.
pub(crate) const NOTES_ON_POSTGRES: &[Migration] = &[Migration {
    sql: "CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT);
          CREATE TABLE replies (note BIGINT NOT NULL REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED);",
    ..NOTES[0]
}];

pub(crate) const INSERT: Sql = Sql::new("INSERT INTO notes (id) VALUES ($1)");
pub(crate) const INSERT_MEGABYTE: Sql =
    Sql::new("INSERT INTO notes (id, body) VALUES ($1, zeroblob(1000000))");
pub(crate) const SELECT: Sql = Sql::new("SELECT id FROM notes ORDER BY id");

/// A clock that moves only when it is told to. While it stands, a batch never runs out of time.
#[derive(Debug, Default)]
pub(crate) struct StillClock(AtomicU64);

impl StillClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// An open store with everything a test may want to touch.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) directory: TempDir,
    /// Where the store is instead, on PostgreSQL.
    database: Option<TestDatabase>,
}

/// What a test may want to be otherwise on any engine. There is one reader and one writer unless it says so.
pub(crate) struct Limits {
    pub(crate) readers: usize,
    pub(crate) writers: usize,
    pub(crate) queue: usize,
    pub(crate) read_budget: Duration,
    pub(crate) write_budget: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            readers: 1,
            writers: 1,
            queue: 4096,
            read_budget: Duration::from_secs(2),
            write_budget: Duration::from_secs(10),
        }
    }
}

/// Opens a store on `engine`.
pub(crate) fn open_on(engine: Engine) -> Fixture {
    open_on_with(engine, |_| {})
}

pub(crate) fn open_on_with(engine: Engine, adjust: impl FnOnce(&mut Limits)) -> Fixture {
    let mut limits = Limits::default();
    adjust(&mut limits);
    let Limits { readers, queue, read_budget, write_budget, .. } = limits;
    if engine == Engine::Sqlite {
        return open_with(|options| {
            *options = Options { readers, queue, read_budget, write_budget, ..options.clone() };
        });
    }
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::<StillClock>::default();
    let database = postgres::shared().unwrap().empty_database();
    let options = PostgresOptions {
        readers,
        writers: limits.writers,
        queue,
        read_budget,
        write_budget,
        ..postgres_options(&database, &clock)
    };
    Fixture { store: Store::connect(options).unwrap(), clock, directory, database: Some(database) }
}

pub(crate) fn postgres_options(database: &TestDatabase, clock: &Arc<StillClock>) -> PostgresOptions {
    let clock: Arc<dyn Clock> = Arc::<StillClock>::clone(clock);
    PostgresOptions {
        migrations: NOTES_ON_POSTGRES,
        readers: 1,
        writers: 1,
        ..PostgresOptions::new(database.url(), clock)
    }
}

pub(crate) fn open() -> Fixture {
    open_with(|_| {})
}

pub(crate) fn open_with(adjust: impl FnOnce(&mut Options)) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::<StillClock>::default();
    let mut options = options(directory.path(), &clock);
    adjust(&mut options);
    Fixture { store: Store::open(options).unwrap(), clock, directory, database: None }
}

pub(crate) fn options(directory: &Path, clock: &Arc<StillClock>) -> Options {
    let clock: Arc<dyn Clock> = Arc::<StillClock>::clone(clock);
    // Gates hold the threads of the store, never the one of the test.
    Options {
        migrations: NOTES,
        readers: 1,
        shortcut_budget: Duration::ZERO,
        ..Options::new(directory, clock)
    }
}

impl Fixture {
    /// The ids of the notes that are stored.
    pub(crate) async fn notes(&self) -> Vec<i64> {
        self.store.read(notes).await.unwrap()
    }

    /// Opens a store in the same place.
    pub(crate) fn open_again(&self) -> Result<Store, OpenError> {
        match &self.database {
            None => Store::open(options(self.directory.path(), &self.clock)),
            Some(database) => Store::connect(postgres_options(database, &self.clock)),
        }
    }

    /// Closes the store and opens it again.
    pub(crate) fn reopen(mut self) -> Self {
        self.store.close();
        self.store = self.open_again().unwrap();
        self
    }
}

pub(crate) fn notes(tx: &mut Tx<'_>) -> Result<Vec<i64>, Error> {
    tx.query(SELECT, &[], |row| row.integer(0))
}

/// A closure that stores the note `id`.
pub(crate) fn insert(id: i64) -> impl Fn(&mut Tx<'_>) -> Result<(), Error> + Send + 'static {
    move |tx| tx.execute(INSERT, &[Value::Integer(id)]).map(drop)
}

/// Holds the threads that come to it until it is opened, and lets everyone pass from then on.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    arrived: bool,
    open: bool,
}

impl Gate {
    /// Waits here, on a thread of the store.
    pub(crate) fn pass(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.arrived = true;
        changed.notify_all();
        drop(changed.wait_while(state, |state| !state.open).unwrap());
    }

    /// Waits, on the thread of the test, until somebody is at the gate.
    pub(crate) fn wait_for_arrival(&self) {
        let (state, changed) = &*self.0;
        drop(changed.wait_while(state.lock().unwrap(), |state| !state.arrived).unwrap());
    }

    pub(crate) fn open(&self) {
        let (state, changed) = &*self.0;
        state.lock().unwrap().open = true;
        changed.notify_all();
    }

    /// A closure that does nothing but wait at this gate.
    pub(crate) fn hold(&self) -> impl Fn(&mut Tx<'_>) -> Result<(), Error> + Send + 'static {
        let gate = self.clone();
        move |_| {
            gate.pass();
            Ok(())
        }
    }
}

/// Waits for something that a thread of the store does by itself; a minute means that it does not.
pub(crate) async fn until(mut done: impl FnMut() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap();
}
