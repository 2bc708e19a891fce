//! A connection that reads: one closure after the other, each on its own snapshot, and none for longer than its budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::Clock;
use rusqlite::{Connection, ErrorCode};

use super::connection::Database;
use super::{code_of, execute};
use crate::gauges::Counters;
use crate::job::Ran;
use crate::{Error, Tx};

/// How many steps of the engine's machine lie between two looks at the clock, where nobody else is held up: tens of
/// microseconds.
const STEPS_BETWEEN_LOOKS: i32 = 1000;

/// As [`STEPS_BETWEEN_LOOKS`], for short reads: a microsecond or two, or much longer where pages come from the disk.
const STEPS_OF_THE_IMPATIENT: i32 = 100;

/// Snapshots of a database, one at a time.
pub(super) struct Snapshots {
    /// Taken out for a read and put back only if nothing about it is in doubt afterwards. `None`: the next read opens
    /// a new one.
    connection: Option<Connection>,
    deadline: Deadline,
    database: Arc<Database>,
    patience: Patience,
    budget: Duration,
    counters: Arc<Counters>,
}

/// What a statement does that meets a lock of another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// It waits.
    Waits,
    /// It fails.
    Fails,
}

impl Snapshots {
    /// Snapshots over a connection that is opened now; `budget` is what each closure may take.
    pub(super) fn new(
        database: &Arc<Database>,
        patience: Patience,
        budget: Duration,
        clock: &Arc<dyn Clock>,
        counters: &Arc<Counters>,
    ) -> rusqlite::Result<Self> {
        let mut snapshots = Self {
            connection: None,
            deadline: Deadline::new(Arc::clone(clock)),
            database: Arc::clone(database),
            patience,
            budget,
            counters: Arc::clone(counters),
        };
        snapshots.connection = Some(snapshots.connect()?);
        Ok(snapshots)
    }

    /// Runs `work` on a snapshot that is taken now.
    ///
    /// # Errors
    /// [`Error::Unavailable`], when there is none to be had; nothing ran.
    pub(super) fn read(&mut self, work: impl FnOnce(Tx<'_>) -> Ran) -> Result<Ran, Error> {
        let connection = self.begin()?;
        self.deadline.set(self.budget);
        let ran = work(Tx::sqlite_within(&connection, self.budget));
        self.deadline.clear();
        self.connection = end(connection, &ran);
        Ok(ran)
    }

    /// A connection with an open snapshot.
    fn begin(&mut self) -> Result<Connection, Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.reopen()?,
        };
        execute(&connection, "BEGIN").map_err(unavailable)?;
        Ok(connection)
    }

    fn reopen(&self) -> Result<Connection, Error> {
        let connection = self.connect().map_err(unavailable)?;
        self.counters.connections_reopened.add(1);
        Ok(connection)
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let (mut connection, steps) = match self.patience {
            Patience::Waits => (self.database.reader()?, STEPS_BETWEEN_LOOKS),
            Patience::Fails => (self.database.impatient_reader()?, STEPS_OF_THE_IMPATIENT),
        };
        let deadline = self.deadline.clone();
        connection.progress_handler(steps, Some(move || deadline.has_passed()))?;
        Ok(connection)
    }
}

/// The connection after the end of a read, unless that, or what the closure met, puts it in doubt.
fn end(connection: Connection, ran: &Ran) -> Option<Connection> {
    let met = match ran {
        Ran::RollBack { failure: Some(failure), .. } => code_of(failure),
        Ran::RollBack { failure: None, .. } | Ran::Keep { .. } => None,
    };
    if let Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) = met {
        tracing::error!(code = ?met, "a reader met a broken file; its connection is given up");
        return None;
    }
    match execute(&connection, "COMMIT") {
        Ok(()) => Some(connection),
        Err(source) => {
            tracing::error!(error = %source, "cannot end a read; the connection is given up");
            None
        }
    }
}

fn unavailable(source: rusqlite::Error) -> Error {
    tracing::error!(error = %source, "cannot begin a read");
    Error::Unavailable(Arc::new(source))
}

/// When the read under way has used up its budget; shared with the handler on the connection.
#[derive(Clone)]
struct Deadline {
    /// In nanoseconds of the clock; [`Deadline::NONE`] between reads.
    nanoseconds: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
}

impl Deadline {
    const NONE: u64 = u64::MAX;

    fn new(clock: Arc<dyn Clock>) -> Self {
        Self { nanoseconds: Arc::new(AtomicU64::new(Self::NONE)), clock }
    }

    fn set(&self, budget: Duration) {
        let end = nanoseconds(self.clock.elapsed().saturating_add(budget));
        self.nanoseconds.store(end, Ordering::Relaxed);
    }

    fn clear(&self) {
        self.nanoseconds.store(Self::NONE, Ordering::Relaxed);
    }

    fn has_passed(&self) -> bool {
        let end = self.nanoseconds.load(Ordering::Relaxed);
        end != Self::NONE && nanoseconds(self.clock.elapsed()) >= end
    }
}

/// 584 years fit.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(Deadline::NONE)
}
