//! One transaction as operations see it: four methods over statements, on whichever engine is behind it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode};

use crate::Error;
use crate::sql::{Row, Sql, Value};

/// An open transaction.
///
/// The first statement that fails marks it: every later call repeats that failure, and the engine rolls the closure
/// back even when the closure hides the error (DESIGN 2). Expected conflicts are handled in SQL by `ON CONFLICT`.
#[derive(Debug)]
pub struct Tx<'c> {
    engine: Engine<'c>,
    budget: Option<Duration>,
    failure: Option<Error>,
    statements: u32,
    changed_apps: Vec<String>,
}

/// The engine that runs the statements.
#[derive(Debug)]
enum Engine<'c> {
    Sqlite(&'c Connection),
}

impl<'c> Tx<'c> {
    /// A transaction on a connection on which one is open.
    pub(crate) fn sqlite(connection: &'c Connection) -> Self {
        Self {
            engine: Engine::Sqlite(connection),
            budget: None,
            failure: None,
            statements: 0,
            changed_apps: Vec::new(),
        }
    }

    /// As [`Tx::sqlite`], on a connection that interrupts its statements when `budget` is used up.
    pub(crate) fn sqlite_within(connection: &'c Connection, budget: Duration) -> Self {
        Self { budget: Some(budget), ..Self::sqlite(connection) }
    }

    /// The rows that `sql` answers, each turned into a `T`.
    ///
    /// # Errors
    /// [`Error::Statement`] when the engine refuses, or what `read` says of a row.
    pub fn query<T>(
        &mut self,
        sql: Sql,
        parameters: &[Value],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.run(|engine| engine.query(Text::Constant(sql.0), std::iter::once(parameters), read))
    }

    /// The rows that `sql` answers for each set of parameters, in the order of the sets: one statement for a batch.
    ///
    /// # Errors
    /// See [`Tx::query`].
    pub fn query_each<T, const N: usize>(
        &mut self,
        sql: Sql,
        batch: &[[Value; N]],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.run(|engine| engine.query(Text::Constant(sql.0), batch.iter().map(<[Value; N]>::as_slice), read))
    }

    /// The rows that a generated statement answers. Its parameters are numbered in the order they appear, and it holds
    /// no value: what a caller gave is bound.
    pub(crate) fn query_generated<T>(
        &mut self,
        text: &str,
        parameters: &[Value],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.run(|engine| engine.query(Text::Generated(text), std::iter::once(parameters), read))
    }

    /// Runs a statement that answers no rows. Answers how many rows it changed.
    ///
    /// # Errors
    /// [`Error::Statement`] when the engine refuses.
    pub fn execute(&mut self, sql: Sql, parameters: &[Value]) -> Result<usize, Error> {
        self.run(|engine| engine.execute(sql, std::iter::once(parameters)))
    }

    /// Runs a statement that answers no rows once for each set of parameters: one statement for a batch.
    ///
    /// # Errors
    /// [`Error::Statement`] when the engine refuses.
    pub fn execute_each<const N: usize>(&mut self, sql: Sql, batch: &[[Value; N]]) -> Result<usize, Error> {
        if batch.is_empty() {
            return Ok(0);
        }
        self.run(|engine| engine.execute(sql, batch.iter().map(<[Value; N]>::as_slice)))
    }

    /// How many statements this transaction has run; a batch is one, as it is one round trip to a server.
    #[must_use]
    pub fn statements(&self) -> u32 {
        self.statements
    }

    /// Has the cached copy of the app with this key dropped after the commit and before the answer.
    pub(crate) fn app_changed(&mut self, api_key: &str) {
        self.changed_apps.push(api_key.to_owned());
    }

    /// The failure that keeps this transaction from being committed, and the keys of the apps it changed.
    pub(crate) fn end(self) -> Result<Vec<String>, Error> {
        self.failure.map_or(Ok(self.changed_apps), Err)
    }

    fn run<T>(&mut self, work: impl FnOnce(&Engine<'c>) -> Result<T, Error>) -> Result<T, Error> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        self.statements += 1;
        work(&self.engine).map_err(|failure| {
            let failure = self.in_words_of_the_budget(failure);
            self.failure = Some(failure.clone());
            failure
        })
    }

    /// An interrupted statement as what it is to the caller: a read that took too long.
    fn in_words_of_the_budget(&self, failure: Error) -> Error {
        match (self.budget, &failure) {
            (Some(budget), Error::Statement { source, .. })
                if source.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
            {
                Error::Timeout(budget)
            }
            _ => failure,
        }
    }
}

/// The text of a statement, which a failure names.
#[derive(Clone, Copy)]
enum Text<'t> {
    Constant(&'static str),
    Generated(&'t str),
}

impl Text<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Constant(text) => text,
            Self::Generated(text) => text,
        }
    }

    fn failed(self, source: rusqlite::Error) -> Error {
        let statement = match self {
            Self::Constant(text) => Cow::Borrowed(text),
            Self::Generated(text) => Cow::Owned(text.to_owned()),
        };
        Error::Statement { statement, source: Arc::new(source) }
    }
}

impl Engine<'_> {
    fn query<'p, T>(
        &self,
        text: Text<'_>,
        batch: impl Iterator<Item = &'p [Value]>,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let Self::Sqlite(connection) = self;
        let failed = |source| text.failed(source);
        let mut statement = connection.prepare_cached(text.as_str()).map_err(failed)?;
        let mut found = Vec::new();
        for parameters in batch {
            let mut rows = statement.query(rusqlite::params_from_iter(parameters)).map_err(failed)?;
            while let Some(row) = rows.next().map_err(failed)? {
                found.push(read(&Row(row))?);
            }
        }
        Ok(found)
    }

    fn execute<'p>(&self, sql: Sql, batch: impl Iterator<Item = &'p [Value]>) -> Result<usize, Error> {
        let Self::Sqlite(connection) = self;
        let failed = |source| Text::Constant(sql.0).failed(source);
        let mut statement = connection.prepare_cached(sql.0).map_err(failed)?;
        let mut changed = 0;
        for parameters in batch {
            changed += statement.execute(rusqlite::params_from_iter(parameters)).map_err(failed)?;
        }
        Ok(changed)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Real(value) => ValueRef::Real(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
        }))
    }
}
