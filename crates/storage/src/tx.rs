//! One transaction as operations see it: four methods over statements, on whichever engine is behind it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode};

use crate::Error;
use crate::postgres::{Session, is_canceled};
use crate::sql::{Cells, Row, Sql, Value};

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
    Postgres(&'c mut Session),
}

/// Which SQL a transaction speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl<'c> Tx<'c> {
    /// A transaction on a connection on which one is open.
    pub(crate) fn sqlite(connection: &'c Connection) -> Self {
        Self::on(Engine::Sqlite(connection), None)
    }

    /// As [`Tx::sqlite`], on a connection that interrupts its statements when `budget` is used up.
    pub(crate) fn sqlite_within(connection: &'c Connection, budget: Duration) -> Self {
        Self::on(Engine::Sqlite(connection), Some(budget))
    }

    /// A transaction that writes, on a session on which one is open.
    pub(crate) fn postgres(session: &'c mut Session) -> Self {
        Self::on(Engine::Postgres(session), None)
    }

    /// A transaction that only reads, on a session on which one is open and that stops its statements when `budget` is
    /// used up.
    pub(crate) fn postgres_within(session: &'c mut Session, budget: Duration) -> Self {
        Self::on(Engine::Postgres(session), Some(budget))
    }

    fn on(engine: Engine<'c>, budget: Option<Duration>) -> Self {
        Self { engine, budget, failure: None, statements: 0, changed_apps: Vec::new() }
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
        self.run(|engine| engine.query(engine.text(sql), Sets::One(parameters), read))
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
        let sets: Vec<&[Value]> = batch.iter().map(<[Value; N]>::as_slice).collect();
        self.run(|engine| engine.query(engine.text(sql), Sets::Each(&sets), read))
    }

    /// The rows that a generated statement answers. Its parameters are numbered in the order they appear, and it holds
    /// no value: what a caller gave is bound.
    pub(crate) fn query_generated<T>(
        &mut self,
        text: &str,
        parameters: &[Value],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.run(|engine| engine.query(Cow::Owned(text.to_owned()), Sets::One(parameters), read))
    }

    /// Runs a statement that answers no rows. Answers how many rows it changed.
    ///
    /// # Errors
    /// [`Error::Statement`] when the engine refuses.
    pub fn execute(&mut self, sql: Sql, parameters: &[Value]) -> Result<usize, Error> {
        self.run(|engine| engine.execute(engine.text(sql), Sets::One(parameters)))
    }

    /// Runs a statement that answers no rows once for each set of parameters: one statement for a batch. Answers how many
    /// rows it changed, as the last part of the statement counts them.
    ///
    /// # Errors
    /// [`Error::Statement`] when the engine refuses.
    pub fn execute_each<const N: usize>(&mut self, sql: Sql, batch: &[[Value; N]]) -> Result<usize, Error> {
        if batch.is_empty() {
            return Ok(0);
        }
        let sets: Vec<&[Value]> = batch.iter().map(<[Value; N]>::as_slice).collect();
        self.run(|engine| engine.execute(engine.text(sql), Sets::Each(&sets)))
    }

    /// How many statements this transaction has run; a batch is one, as it is one round trip to a server.
    #[must_use]
    pub fn statements(&self) -> u32 {
        self.statements
    }

    /// Which SQL a statement that is generated has to be written in.
    pub(crate) fn dialect(&self) -> Dialect {
        match self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Whether others may be writing, so that what is read in order to be written has to be locked. Never in a
    /// transaction that only reads.
    pub(crate) fn has_rivals(&self) -> bool {
        self.dialect() == Dialect::Postgres && self.budget.is_none()
    }

    /// Keeps the `names` of one `rule`, which speaks of more than one row, from every other transaction that names them,
    /// until this one ends. What is read afterwards is as whoever had them before has left it.
    ///
    /// Nothing where there are no rivals. Different names may turn out to be one lock, which costs time and no more.
    pub(crate) fn lock(&mut self, rule: &str, names: impl IntoIterator<Item = String>) -> Result<(), Error> {
        const LOCK: &str = "SELECT pg_advisory_xact_lock(HASHTEXTEXTENDED(name, 0)) \
                            FROM UNNEST($1::text[]) WITH ORDINALITY AS given (name, place) ORDER BY place";
        if !self.has_rivals() {
            return Ok(());
        }
        let mut names: Vec<String> = names.into_iter().map(|name| format!("{rule} {name}")).collect();
        if names.is_empty() {
            return Ok(());
        }
        // In one order for everybody, so that no two wait for each other.
        names.sort_unstable();
        let names: Vec<[Value; 1]> = names.into_iter().map(|name| [name.into()]).collect();
        self.execute_each(Sql::pair("SELECT $1", LOCK), &names).map(drop)
    }

    /// The failure of a closure that met the work of another one, and is to run again. Marks the transaction.
    pub(crate) fn contended(&mut self) -> Error {
        self.failure.get_or_insert(Error::Contended).clone()
    }

    /// Has the cached copy of the app with this key dropped after the commit and before the answer.
    pub(crate) fn app_changed(&mut self, api_key: &str) {
        self.changed_apps.push(api_key.to_owned());
    }

    /// The failure that keeps this transaction from being committed, and the keys of the apps it changed.
    pub(crate) fn end(self) -> Result<Vec<String>, Error> {
        self.failure.map_or(Ok(self.changed_apps), Err)
    }

    fn run<T>(&mut self, work: impl FnOnce(&mut Engine<'c>) -> Result<T, Error>) -> Result<T, Error> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        self.statements += 1;
        work(&mut self.engine).map_err(|failure| {
            let failure = self.in_words_of_the_budget(failure);
            self.failure = Some(failure.clone());
            failure
        })
    }

    /// An interrupted statement as what it is to the caller: a read that took too long.
    fn in_words_of_the_budget(&self, failure: Error) -> Error {
        let interrupted = failure.sqlite_code() == Some(ErrorCode::OperationInterrupted)
            || failure.postgres().is_some_and(is_canceled);
        match self.budget {
            Some(budget) if interrupted => Error::Timeout(budget),
            _ => failure,
        }
    }
}

/// What a statement is run with.
#[derive(Clone, Copy)]
enum Sets<'p> {
    One(&'p [Value]),
    Each(&'p [&'p [Value]]),
}

impl<'p> Sets<'p> {
    fn iter(&self) -> impl Iterator<Item = &'p [Value]> {
        let (one, each) = match self {
            Self::One(set) => (Some(*set), [].as_slice()),
            Self::Each(sets) => (None, *sets),
        };
        one.into_iter().chain(each.iter().copied())
    }
}

impl Engine<'_> {
    /// A statement in the words of this engine.
    fn text(&self, sql: Sql) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Sqlite(_) => sql.sqlite,
            Self::Postgres(_) => sql.postgres,
        })
    }

    fn query<T>(
        &mut self,
        text: Cow<'static, str>,
        sets: Sets<'_>,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite(connection) => {
                let failed = |source| Error::Statement { statement: text.clone(), source: Arc::new(source) };
                let mut statement = connection.prepare_cached(&text).map_err(failed)?;
                let mut found = Vec::new();
                for parameters in sets.iter() {
                    let mut rows = statement.query(rusqlite::params_from_iter(parameters)).map_err(failed)?;
                    while let Some(row) = rows.next().map_err(failed)? {
                        found.push(read(&Row(Cells::Sqlite(row)))?);
                    }
                }
                Ok(found)
            }
            Self::Postgres(session) => {
                let rows = match sets {
                    Sets::One(parameters) => session.query(&text, parameters),
                    Sets::Each(sets) => session.query_transposed(&text, sets),
                };
                let rows =
                    rows.map_err(|source| Error::Statement { statement: text, source: Arc::new(source) })?;
                rows.iter().map(|row| read(&Row(Cells::Postgres(row)))).collect()
            }
        }
    }

    fn execute(&mut self, text: Cow<'static, str>, sets: Sets<'_>) -> Result<usize, Error> {
        match self {
            Self::Sqlite(connection) => {
                let failed = |source| Error::Statement { statement: text.clone(), source: Arc::new(source) };
                let mut statement = connection.prepare_cached(&text).map_err(failed)?;
                let mut changed = 0;
                for parameters in sets.iter() {
                    changed += statement.execute(rusqlite::params_from_iter(parameters)).map_err(failed)?;
                }
                Ok(changed)
            }
            Self::Postgres(session) => {
                let changed = match sets {
                    Sets::One(parameters) => session.execute(&text, parameters),
                    Sets::Each(sets) => session.execute_transposed(&text, sets),
                };
                let changed = changed
                    .map_err(|source| Error::Statement { statement: text, source: Arc::new(source) })?;
                Ok(usize::try_from(changed).unwrap_or(usize::MAX))
            }
        }
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
