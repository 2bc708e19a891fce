//! One transaction as operations see it: four methods over statements, on whichever engine is behind it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use model::{App, AppKey, Clock, Standing, UserId};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode};

use crate::Error;
use crate::cache::{Caches, Changed};
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
    /// When no statement is begun any more, for an engine that only stops those that run.
    deadline: Option<Deadline>,
    failure: Option<Error>,
    statements: u32,
    wrote: bool,
    changed: Changed,
    known: Option<Known<'c>>,
}

/// A moment of a clock.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    clock: Arc<dyn Clock>,
    end: Duration,
}

impl Deadline {
    /// After `budget` from now.
    pub(crate) fn after(budget: Duration, clock: &Arc<dyn Clock>) -> Self {
        Self { clock: Arc::clone(clock), end: clock.elapsed().saturating_add(budget) }
    }

    fn has_passed(&self) -> bool {
        self.clock.elapsed() >= self.end
    }
}

/// What a writing transaction may believe without a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'c> {
    /// As of the last commit: its writer drops what it changed before anything else runs.
    pub(crate) caches: &'c Caches,
    /// What was changed before in the open transaction.
    pub(crate) changed: &'c Changed,
    /// How often the write-ahead log was cut, up to the beginning of the open transaction.
    pub(crate) log_cuts: u64,
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

    /// As [`Tx::sqlite`], on the connection of the one writer.
    pub(crate) fn sqlite_writing(connection: &'c Connection, known: Known<'c>) -> Self {
        Self { known: Some(known), ..Self::sqlite(connection) }
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

    /// The same, beginning no statement after `deadline`.
    pub(crate) fn until(self, deadline: Deadline) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    fn on(engine: Engine<'c>, budget: Option<Duration>) -> Self {
        Self {
            engine,
            budget,
            deadline: None,
            failure: None,
            statements: 0,
            wrote: false,
            changed: Changed::default(),
            known: None,
        }
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
        self.run(|engine, wrote| engine.query(sql, Sets::One(parameters), wrote, read))
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
        self.run(|engine, wrote| engine.query(sql, Sets::Each(&sets), wrote, read))
    }

    /// The rows that a generated statement answers. Its parameters are numbered in the order they appear, and it holds
    /// no value: what a caller gave is bound.
    pub(crate) fn query_generated<T>(
        &mut self,
        text: &str,
        parameters: &[Value],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.run(|engine, _| engine.query_generated(text, parameters, read))
    }

    /// Runs a statement that answers no rows. Answers how many rows it changed.
    ///
    /// # Errors
    /// [`Error::Statement`] when the engine refuses.
    pub fn execute(&mut self, sql: Sql, parameters: &[Value]) -> Result<usize, Error> {
        self.run(|engine, wrote| engine.execute(sql, Sets::One(parameters), wrote))
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
        self.run(|engine, wrote| engine.execute(sql, Sets::Each(&sets), wrote))
    }

    /// How many statements this transaction has run; a batch is one, as it is one round trip to a server.
    #[must_use]
    pub fn statements(&self) -> u32 {
        self.statements
    }

    /// Whether a statement ran that may have written: then there is something to undo.
    pub(crate) fn wrote(&self) -> bool {
        self.wrote
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
        self.changed.apps.push(api_key.to_owned());
    }

    /// Has the kept standing of this user dropped after the commit and before the answer.
    pub(crate) fn user_changed(&mut self, app: AppKey, id: &UserId) {
        // What is never kept need not be dropped.
        if self.dialect() == Dialect::Sqlite {
            self.changed.users.push((app, id.clone()));
        }
    }

    /// Has the write-ahead log cut after the commit, as soon as nobody reads in it: it holds what was there before.
    pub(crate) fn leave_no_trace(&mut self) {
        self.changed.leaves_no_trace = true;
    }

    /// How often the write-ahead log was cut, up to the beginning of this transaction; 0 where nobody cuts it.
    pub(crate) fn log_cuts(&self) -> u64 {
        self.known.map_or(0, |known| known.log_cuts)
    }

    /// The app with this key as it is in this transaction, if that is known without a statement.
    pub(crate) fn known_app(&self, api_key: &str) -> Option<Arc<App>> {
        let known = self.known?;
        let changed = known.changed.apps.iter().chain(&self.changed.apps).any(|changed| changed == api_key);
        if changed { None } else { known.caches.apps.get(api_key).ok() }
    }

    /// The standing of this user as it is in this transaction, if that is known without a statement.
    pub(crate) fn known_standing(&self, app: AppKey, id: &UserId) -> Option<Arc<Standing>> {
        let known = self.known?;
        let key = (app, id.clone());
        let changed = known.changed.users.iter().chain(&self.changed.users).any(|changed| *changed == key);
        if changed { None } else { known.caches.standings.get(&key).ok() }
    }

    /// Whether this transaction writes, so that what was known when the request came may have been changed since.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.budget.is_none()
    }

    /// The failure that keeps this transaction from being committed, and what it changed.
    pub(crate) fn end(self) -> Result<Changed, Error> {
        self.failure.map_or(Ok(self.changed), Err)
    }

    fn run<T>(
        &mut self,
        work: impl FnOnce(&mut Engine<'c>, &mut bool) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if let (Some(budget), Some(deadline)) = (self.budget, &self.deadline)
            && deadline.has_passed()
        {
            return Err(self.failure.insert(Error::Timeout(budget)).clone());
        }
        self.statements += 1;
        work(&mut self.engine, &mut self.wrote).map_err(|failure| {
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
    fn query<T>(
        &mut self,
        sql: Sql,
        sets: Sets<'_>,
        wrote: &mut bool,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite(connection) => {
                let mut found = Vec::new();
                each_step(connection, sql, sets, wrote, |statement, failed| {
                    let mut rows = statement.raw_query();
                    while let Some(row) = rows.next().map_err(failed)? {
                        found.push(read(&Row(Cells::Sqlite(row)))?);
                    }
                    Ok(())
                })?;
                Ok(found)
            }
            Self::Postgres(session) => {
                *wrote = true;
                let rows = match sets {
                    Sets::One(parameters) => session.query(sql.postgres, parameters),
                    Sets::Each(sets) => session.query_transposed(sql.postgres, sets),
                };
                let rows = rows.map_err(|source| Error::Statement {
                    statement: Cow::Borrowed(sql.postgres),
                    source: Arc::new(source),
                })?;
                rows.iter().map(|row| read(&Row(Cells::Postgres(row)))).collect()
            }
        }
    }

    fn execute(&mut self, sql: Sql, sets: Sets<'_>, wrote: &mut bool) -> Result<usize, Error> {
        match self {
            Self::Sqlite(connection) => {
                let mut changed = 0;
                each_step(connection, sql, sets, wrote, |statement, failed| {
                    changed += statement.raw_execute().map_err(failed)?;
                    Ok(())
                })?;
                Ok(changed)
            }
            Self::Postgres(session) => {
                *wrote = true;
                let changed = match sets {
                    Sets::One(parameters) => session.execute(sql.postgres, parameters),
                    Sets::Each(sets) => session.execute_transposed(sql.postgres, sets),
                };
                let changed = changed.map_err(|source| Error::Statement {
                    statement: Cow::Borrowed(sql.postgres),
                    source: Arc::new(source),
                })?;
                Ok(usize::try_from(changed).unwrap_or(usize::MAX))
            }
        }
    }

    fn query_generated<T>(
        &mut self,
        text: &str,
        parameters: &[Value],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite(connection) => {
                let failed = |source| Error::Statement {
                    statement: Cow::Owned(text.to_owned()),
                    source: Arc::new(source),
                };
                let mut statement = connection.prepare_cached(text).map_err(failed)?;
                let mut rows = statement.query(rusqlite::params_from_iter(parameters)).map_err(failed)?;
                let mut found = Vec::new();
                while let Some(row) = rows.next().map_err(failed)? {
                    found.push(read(&Row(Cells::Sqlite(row)))?);
                }
                Ok(found)
            }
            Self::Postgres(session) => {
                let rows = session.query(text, parameters).map_err(|source| Error::Statement {
                    statement: Cow::Owned(text.to_owned()),
                    source: Arc::new(source),
                })?;
                rows.iter().map(|row| read(&Row(Cells::Postgres(row)))).collect()
            }
        }
    }
}

/// Has `run` run the statement and its steps, with their parameters bound, for each set.
fn each_step(
    connection: &Connection,
    sql: Sql,
    sets: Sets<'_>,
    wrote: &mut bool,
    mut run: impl FnMut(&mut CachedStatement<'_>, &dyn Fn(rusqlite::Error) -> Error) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed =
        |text| move |source| Error::Statement { statement: Cow::Borrowed(text), source: Arc::new(source) };
    let prepare = |text| connection.prepare_cached(text).map_err(failed(text));
    let mut first = prepare(sql.sqlite)?;
    let mut steps =
        sql.steps.iter().map(|text| Ok((*text, prepare(text)?))).collect::<Result<Vec<_>, Error>>()?;
    *wrote |= !first.readonly() || !steps.is_empty();
    for parameters in sets.iter() {
        if first.parameter_count() != parameters.len() {
            let counts = rusqlite::Error::InvalidParameterCount(parameters.len(), first.parameter_count());
            return Err(failed(sql.sqlite)(counts));
        }
        bind(&mut first, parameters).map_err(failed(sql.sqlite))?;
        run(&mut first, &failed(sql.sqlite))?;
        for (text, step) in &mut steps {
            bind(step, parameters).map_err(failed(text))?;
            run(step, &failed(text))?;
        }
    }
    Ok(())
}

/// Binds as many of `parameters` as the statement has.
fn bind(statement: &mut CachedStatement<'_>, parameters: &[Value]) -> rusqlite::Result<()> {
    let count = statement.parameter_count();
    let given = parameters.get(..count);
    let given = given.ok_or(rusqlite::Error::InvalidParameterCount(parameters.len(), count))?;
    (1..).zip(given).try_for_each(|(place, value)| statement.raw_bind_parameter(place, value))
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
