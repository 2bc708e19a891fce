//! A thread's way to the server: one session, opened when it is first needed and again whenever it was lost.

use std::sync::Arc;
use std::time::Duration;

use model::Clock;
use postgres::Error as Failure;

use super::address::PostgresUrl;
use super::server::Server;
use super::session::{Session, is_loss};
use crate::Error;
use crate::gauges::Counters;

/// How a transaction begins, and what a session of that kind is told first.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    /// Sees what others commit meanwhile, and therefore locks what it goes by.
    Write,
    /// One snapshot, whose statements end with this budget.
    Read(Duration),
}

/// A write holds locks: one that hangs, or whose process is gone without a word, must let go of them.
const LONGEST_WRITE: Duration = Duration::from_secs(60);

impl Access {
    pub(crate) fn settings(self) -> String {
        let (statement, idle) = match self {
            Self::Write => (LONGEST_WRITE, LONGEST_WRITE),
            Self::Read(budget) => (budget, LONGEST_WRITE),
        };
        // What is written is found by its keys, whatever they are: a plan for these very ones would take longer to make than
        // to carry out.
        let by_keys = match self {
            Self::Write => "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; ",
            Self::Read(_) => "",
        };
        // Said for statements outside of a transaction.
        let read_only = match self {
            Self::Write => "",
            Self::Read(_) => "SET default_transaction_read_only = on; ",
        };
        // Compiling a statement takes longer than any of ours runs.
        format!(
            "{by_keys}{read_only}SET jit = off; SET statement_timeout = {}; SET idle_in_transaction_session_timeout = {}",
            statement.as_millis().max(1),
            idle.as_millis()
        )
    }

    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Write => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            Self::Read(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    pub(crate) fn roll_back(self) -> &'static str {
        match self {
            // The function that takes keys holds a lock for a moment that does not end with the transaction. Should it be
            // stopped in that moment, it would hold it as long as the session.
            Self::Write => "ROLLBACK; SELECT pg_advisory_unlock_all()",
            Self::Read(_) => "ROLLBACK",
        }
    }
}

/// As many transactions of a session are begun with the plans of its first statements. From there on they are made anew
/// whenever the session has begun twice as many: a plan is for tables of the size that they have when it is made, and
/// PostgreSQL itself notices only when it next analyses a table, a minute later or more. In that time a database that is
/// being filled outgrows every plan of its beginning.
const FIRST_PLANS: u64 = 4;

/// What a thread connects by.
pub(super) struct Link {
    server: Arc<Server>,
    access: Access,
    /// Taken out for a transaction and put back only if nothing about it is in doubt afterwards.
    session: Option<Session>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    /// How many transactions the session has begun.
    begun: u64,
    /// Whether there ever was a session.
    was_open: bool,
}

impl Link {
    pub(super) fn new(
        server: &Arc<Server>,
        access: Access,
        counters: &Arc<Counters>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self {
            server: Arc::clone(server),
            access,
            session: None,
            counters: Arc::clone(counters),
            clock: Arc::clone(clock),
            begun: 0,
            was_open: false,
        }
    }

    /// A session without a transaction: for one statement, which is one of its own. That a session was lost while nobody
    /// used it may show only then.
    pub(super) fn alone(&mut self) -> Result<Session, Error> {
        match self.session.take().filter(|session| !session.is_closed()) {
            Some(session) => Ok(session),
            None => self.connect(),
        }
    }

    /// A session with an open transaction. One that was lost while nobody used it is replaced here, unnoticed.
    pub(super) fn begin(&mut self) -> Result<Session, Error> {
        if let Some(mut session) = self.session.take().filter(|session| !session.is_closed()) {
            self.begun += 1;
            let is_due = self.begun >= FIRST_PLANS && self.begun.is_power_of_two();
            let anew = if is_due { session.run("DISCARD PLANS") } else { Ok(()) };
            match anew.and_then(|()| session.run(self.access.begin())) {
                Ok(()) => return Ok(session),
                Err(failure) => {
                    tracing::warn!(error = %shown(&failure), "a connection to PostgreSQL was lost");
                }
            }
        }
        let mut session = self.connect()?;
        session.run(self.access.begin()).map_err(unavailable)?;
        Ok(session)
    }

    /// Takes a session back that is out of its transaction.
    pub(super) fn keep(&mut self, session: Session) {
        self.session = Some(session);
    }

    /// Ends a transaction of which nothing is to be kept, and takes the session back if that can be done.
    pub(super) fn roll_back(&mut self, mut session: Session) {
        if session.is_closed() {
            return;
        }
        match session.run(self.access.roll_back()) {
            Ok(()) => self.session = Some(session),
            Err(failure) => {
                tracing::warn!(error = %shown(&failure), "a transaction does not end; its connection is given up");
            }
        }
    }

    fn connect(&mut self) -> Result<Session, Error> {
        if self.server.is_pausing(self.clock.elapsed()) {
            return Err(Error::Unavailable(Arc::new(Pausing(self.server.url().clone()))));
        }
        let connected = self.server.connect(&self.access.settings());
        self.server.note(connected.is_ok(), self.clock.elapsed());
        let session = connected.map_err(unavailable)?;
        self.begun = 0;
        if std::mem::replace(&mut self.was_open, true) {
            self.counters.connections_reopened.add(1);
        }
        Ok(session)
    }
}

/// Why nothing was asked of a server.
#[derive(Debug, thiserror::Error)]
#[error("the PostgreSQL server of {0} was not there a moment ago")]
struct Pausing(PostgresUrl);

fn unavailable(failure: Failure) -> Error {
    tracing::error!(error = %shown(&failure), "cannot begin a transaction with PostgreSQL");
    Error::Unavailable(Arc::new(failure))
}

/// A failure with what is behind it. The client says little of its own.
pub(super) fn shown(failure: &Failure) -> String {
    match std::error::Error::source(failure) {
        Some(source) => format!("{failure}: {source}"),
        None => failure.to_string(),
    }
}

/// What became of a transaction that was to be committed.
pub(super) enum Committed {
    Stored,
    /// The server refused: nothing is stored.
    Refused(Failure),
    /// The connection was lost: nobody knows.
    Unknown(Failure),
}

/// How a transaction is committed.
///
/// COMMIT is answered with success by a transaction that failed, and with a warning where none is open, and the client
/// does not say which it was. A savepoint is refused in both cases, costs nothing, and goes in the same round trip.
pub(crate) const COMMIT: &str = "SAVEPOINT whole; COMMIT";

/// Commits the transaction that is open on `session`.
pub(super) fn commit(session: &mut Session) -> Committed {
    match session.run(COMMIT) {
        Ok(()) => Committed::Stored,
        Err(failure) if is_loss(&failure) => Committed::Unknown(failure),
        Err(failure) => Committed::Refused(failure),
    }
}
