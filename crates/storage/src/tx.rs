//! One transaction as operations see it: four methods over statements, on whichever engine is behind it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use model::App;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode};

use crate::sql::{Row, Sql, Value};
use crate::{AppCache, Error};

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
    wrote: bool,
    changed_apps: Vec<String>,
    apps: Option<KnownApps<'c>>,
}

/// What a writing transaction may believe of apps without a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownApps<'c> {
    /// As of the last commit: its writer drops what it changed before anything else runs.
    pub(crate) cache: &'c AppCache,
    /// The keys of those that were changed in the open transaction.
    pub(crate) changed: &'c [String],
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
            wrote: false,
            changed_apps: Vec::new(),
            apps: None,
        }
    }

    /// As [`Tx::sqlite`], on the connection of the one writer.
    pub(crate) fn sqlite_writing(connection: &'c Connection, apps: KnownApps<'c>) -> Self {
        Self { apps: Some(apps), ..Self::sqlite(connection) }
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
        self.run(|engine, wrote| engine.query(sql, std::iter::once(parameters), wrote, read))
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
        self.run(|engine, wrote| engine.query(sql, batch.iter().map(<[Value; N]>::as_slice), wrote, read))
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
        self.run(|engine, wrote| engine.execute(sql, std::iter::once(parameters), wrote))
    }

    /// Runs a statement that answers no rows once for each set of parameters: one statement for a batch.
    ///
    /// # Errors
    /// [`Error::Statement`] when the engine refuses.
    pub fn execute_each<const N: usize>(&mut self, sql: Sql, batch: &[[Value; N]]) -> Result<usize, Error> {
        if batch.is_empty() {
            return Ok(0);
        }
        self.run(|engine, wrote| engine.execute(sql, batch.iter().map(<[Value; N]>::as_slice), wrote))
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

    /// Has the cached copy of the app with this key dropped after the commit and before the answer.
    pub(crate) fn app_changed(&mut self, api_key: &str) {
        self.changed_apps.push(api_key.to_owned());
    }

    /// The app with this key as it is in this transaction, if that is known without a statement.
    pub(crate) fn known_app(&self, api_key: &str) -> Option<Arc<App>> {
        let apps = self.apps?;
        let changed = apps.changed.iter().chain(&self.changed_apps).any(|changed| changed == api_key);
        if changed { None } else { apps.cache.get(api_key).ok() }
    }

    /// The failure that keeps this transaction from being committed, and the keys of the apps it changed.
    pub(crate) fn end(self) -> Result<Vec<String>, Error> {
        self.failure.map_or(Ok(self.changed_apps), Err)
    }

    fn run<T>(&mut self, work: impl FnOnce(&Engine<'c>, &mut bool) -> Result<T, Error>) -> Result<T, Error> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        self.statements += 1;
        work(&self.engine, &mut self.wrote).map_err(|failure| {
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

impl Engine<'_> {
    fn query<'p, T>(
        &self,
        sql: Sql,
        batch: impl Iterator<Item = &'p [Value]>,
        wrote: &mut bool,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        self.each_step(sql, batch, wrote, |statement, failed| {
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next().map_err(failed)? {
                found.push(read(&Row(row))?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn execute<'p>(
        &self,
        sql: Sql,
        batch: impl Iterator<Item = &'p [Value]>,
        wrote: &mut bool,
    ) -> Result<usize, Error> {
        let mut changed = 0;
        self.each_step(sql, batch, wrote, |statement, failed| {
            changed += statement.raw_execute().map_err(failed)?;
            Ok(())
        })?;
        Ok(changed)
    }

    fn query_generated<T>(
        &self,
        text: &str,
        parameters: &[Value],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let Self::Sqlite(connection) = self;
        let failed =
            |source| Error::Statement { statement: Cow::Owned(text.to_owned()), source: Arc::new(source) };
        let mut statement = connection.prepare_cached(text).map_err(failed)?;
        let mut rows = statement.query(rusqlite::params_from_iter(parameters)).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            found.push(read(&Row(row))?);
        }
        Ok(found)
    }

    /// Has `run` run the statement and its steps, with their parameters bound, for each set of the batch.
    fn each_step<'p>(
        &self,
        sql: Sql,
        batch: impl Iterator<Item = &'p [Value]>,
        wrote: &mut bool,
        mut run: impl FnMut(&mut CachedStatement<'_>, &dyn Fn(rusqlite::Error) -> Error) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self::Sqlite(connection) = self;
        let failed = |text| {
            move |source| Error::Statement { statement: Cow::Borrowed(text), source: Arc::new(source) }
        };
        let prepare = |text| connection.prepare_cached(text).map_err(failed(text));
        let mut first = prepare(sql.text)?;
        let mut steps =
            sql.steps.iter().map(|text| Ok((*text, prepare(text)?))).collect::<Result<Vec<_>, Error>>()?;
        *wrote |= !first.readonly() || !steps.is_empty();
        for parameters in batch {
            if first.parameter_count() != parameters.len() {
                let counts =
                    rusqlite::Error::InvalidParameterCount(parameters.len(), first.parameter_count());
                return Err(failed(sql.text)(counts));
            }
            bind(&mut first, parameters).map_err(failed(sql.text))?;
            run(&mut first, &failed(sql.text))?;
            for (text, step) in &mut steps {
                bind(step, parameters).map_err(failed(text))?;
                run(step, &failed(text))?;
            }
        }
        Ok(())
    }
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
