//! One connection: its statements are prepared once, and a thread owns it for life.

use std::collections::HashMap;
use std::fmt;

use postgres::error::SqlState;
use postgres::types::ToSql;
use postgres::{Client, Error, Row, Statement};

use super::value::Bound;
use crate::Value;

/// Prepared statements kept for each connection. The constants of the program are far fewer; what generated ones come
/// beside them are forgotten all together when there are more, which costs each of them one more round trip.
const STATEMENTS: usize = 512;

/// A connection with its prepared statements.
pub(crate) struct Session {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl Session {
    pub(super) fn new(client: Client) -> Self {
        Self { client, statements: HashMap::new() }
    }

    /// The rows that a statement answers for one set of parameters.
    pub(crate) fn query(&mut self, text: &str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        let bound: Vec<Bound<'_>> = parameters.iter().map(Bound).collect();
        self.with(text, |client, statement| client.query(statement, &by_reference(&bound)))
    }

    /// The rows that a statement answers for arrays of parameters.
    pub(crate) fn query_transposed(&mut self, text: &str, sets: &[&[Value]]) -> Result<Vec<Row>, Error> {
        let arrays = transpose(sets);
        self.with(text, |client, statement| client.query(statement, &by_reference(&arrays)))
    }

    /// Runs a statement with one set of parameters. Answers how many rows it changed.
    pub(crate) fn execute(&mut self, text: &str, parameters: &[Value]) -> Result<u64, Error> {
        let bound: Vec<Bound<'_>> = parameters.iter().map(Bound).collect();
        self.with(text, |client, statement| client.execute(statement, &by_reference(&bound)))
    }

    /// Runs a statement with arrays of parameters. Answers how many rows it changed.
    pub(crate) fn execute_transposed(&mut self, text: &str, sets: &[&[Value]]) -> Result<u64, Error> {
        let arrays = transpose(sets);
        self.with(text, |client, statement| client.execute(statement, &by_reference(&arrays)))
    }

    /// Runs statements of the engine's own, without parameters, in one round trip.
    pub(super) fn run(&mut self, statements: &str) -> Result<(), Error> {
        self.client.batch_execute(statements)
    }

    /// Whether it is known that the connection is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    fn with<T>(
        &mut self,
        text: &str,
        run: impl FnOnce(&mut Client, &Statement) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let done = self.prepare(text).and_then(|statement| run(&mut self.client, &statement));
        if let Err(failure) = &done
            && is_of_pooler(failure)
        {
            tracing::error!(
                error = %failure,
                "a prepared statement is not there: the database is behind a pooler that changes connections between \
                 transactions; connect to PostgreSQL itself, or have the pooler pool sessions"
            );
        }
        done
    }

    fn prepare(&mut self, text: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(text) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        let statement = self.client.prepare(text)?;
        self.statements.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").field("statements", &self.statements.len()).finish_non_exhaustive()
    }
}

fn by_reference<T: ToSql + Sync>(values: &[T]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// The sets of parameters of a batch as one array for each parameter.
fn transpose<'v>(sets: &[&'v [Value]]) -> Vec<Vec<Bound<'v>>> {
    let parameters = sets.first().map_or(0, |set| set.len());
    (0..parameters).map(|place| sets.iter().map(|set| Bound(&set[place])).collect()).collect()
}

/// Whether a statement ran out of its time.
pub(crate) fn is_canceled(error: &Error) -> bool {
    error.code() == Some(&SqlState::QUERY_CANCELED)
}

/// Whether a transaction failed for no fault of its own, and would succeed when run again.
pub(super) fn is_contention(error: &Error) -> bool {
    matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}

/// Whether the connection, or the server behind it, is gone: then nobody knows what became of the statement.
pub(super) fn is_loss(error: &Error) -> bool {
    match error.code() {
        // Class 08 is about connections, 57P01 to 57P03 say that the server stops, breaks down or starts.
        Some(code) => {
            code.code().starts_with("08")
                || matches!(code.code(), "57P01" | "57P02" | "57P03" | "57P05" | "25P03")
        }
        None => {
            let system = |cause: &(dyn std::error::Error + 'static)| cause.is::<std::io::Error>();
            error.is_closed() || std::error::Error::source(error).is_some_and(system)
        }
    }
}

/// Whether an error is of the kind that comes when each transaction is given another connection of the server.
fn is_of_pooler(error: &Error) -> bool {
    matches!(error.code(), Some(&SqlState::INVALID_SQL_STATEMENT_NAME | &SqlState::DUPLICATE_PSTATEMENT))
}
