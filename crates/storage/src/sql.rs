//! Statements, the values that go in and the rows that come out, independent of the engine.

use model::Timestamp;

use crate::Error;

/// One statement: a constant where the dialects agree, a pair where they do not.
///
/// Parameters are `$1`, `$2`, ... in the order they appear, or `?1`, `?2`, ... in any order in a text for SQLite alone. The
/// text is also the key of the engine's statement cache and the only part of a statement that may reach a log.
///
/// A statement that is run for a batch ([`Tx::query_each`](crate::Tx::query_each)) is always a pair: SQLite runs it once
/// for each set of parameters, PostgreSQL once with every parameter an array, which the statement takes apart again by
/// `UNNEST($1::bigint[], $2::text[]) WITH ORDINALITY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sql {
    pub(crate) sqlite: &'static str,
    /// What SQLite runs after it, see [`Sql::then`].
    pub(crate) steps: &'static [&'static str],
    pub(crate) postgres: &'static str,
}

impl Sql {
    /// A statement that every engine understands.
    ///
    /// # Panics
    /// When `$2` stands before the first `$1`, and so on: SQLite takes such names for places and counts them as they
    /// come. Statements are constants, so the compiler finds it.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Self::pair(text, text)
    }

    /// A statement whose dialects differ. The parameters are the same in both.
    ///
    /// # Panics
    /// See [`Sql::new`]; the text for PostgreSQL may name its parameters in any order.
    #[must_use]
    pub const fn pair(sqlite: &'static str, postgres: &'static str) -> Self {
        let bytes = sqlite.as_bytes();
        let mut known = 0;
        let mut place = 0;
        while place < bytes.len() {
            if bytes[place] == b'$' {
                let mut number = 0;
                while place + 1 < bytes.len() && bytes[place + 1].is_ascii_digit() {
                    place += 1;
                    number = number * 10 + (bytes[place] - b'0') as usize;
                }
                assert!(
                    number >= 1 && number <= known + 1,
                    "parameters must be numbered in the order they appear"
                );
                if number > known {
                    known = number;
                }
            }
            place += 1;
        }
        Self { sqlite, steps: &[], postgres }
    }

    /// This statement, which SQLite follows by further `steps` for each set of parameters.
    ///
    /// What belongs together is one statement for PostgreSQL, one round trip: a change and its consequences in other
    /// tables. SQLite cannot say that in one statement but by triggers, and these cost more than the steps. A step takes
    /// as many of the parameters, from the first on, as its highest number says: `?1`, `?2`, ..., in any order.
    #[must_use]
    pub const fn then(self, steps: &'static [&'static str]) -> Self {
        Self { steps, ..self }
    }
}

/// A value bound to a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A 64-bit integer; booleans are 0 and 1, times are nanoseconds.
    Integer(i64),
    /// A 64-bit float.
    Real(f64),
    /// Text without U+0000.
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Integer(value.nanoseconds())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of an answer. Columns are counted from 0 in the order of the SELECT or RETURNING list.
#[derive(Debug)]
pub struct Row<'a>(pub(crate) Cells<'a>);

/// The row as its engine gives it.
#[derive(Debug)]
pub(crate) enum Cells<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a postgres::Row),
}

impl Row<'_> {
    /// The column as an integer.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when the column holds something else, as for the other accessors.
    pub fn integer(&self, column: usize) -> Result<i64, Error> {
        self.get(column, "integer")
    }

    /// The column as an integer, `None` for NULL.
    ///
    /// # Errors
    /// See [`Row::integer`].
    pub fn optional_integer(&self, column: usize) -> Result<Option<i64>, Error> {
        self.get(column, "integer")
    }

    /// The column as text.
    ///
    /// # Errors
    /// See [`Row::integer`].
    pub fn text(&self, column: usize) -> Result<String, Error> {
        self.get(column, "text")
    }

    /// The column as text that is only looked at.
    ///
    /// # Errors
    /// See [`Row::integer`].
    pub(crate) fn borrowed_text(&self, column: usize) -> Result<&str, Error> {
        let unreadable = Error::Unreadable("text");
        match &self.0 {
            Cells::Sqlite(row) => {
                row.get_ref(column).ok().and_then(|value| value.as_str().ok()).ok_or(unreadable)
            }
            Cells::Postgres(row) => row.try_get(column).map_err(|_| unreadable),
        }
    }

    /// The column as bytes that are only looked at. On SQLite alone.
    ///
    /// # Errors
    /// See [`Row::integer`].
    pub(crate) fn blob(&self, column: usize) -> Result<&[u8], Error> {
        match &self.0 {
            Cells::Sqlite(row) => {
                let found = row.get_ref(column).ok().and_then(|value| value.as_blob().ok());
                found.ok_or(Error::Unreadable("bytes"))
            }
            Cells::Postgres(_) => Err(Error::Unreadable("bytes")),
        }
    }

    /// The column as text, `None` for NULL.
    ///
    /// # Errors
    /// See [`Row::integer`].
    pub fn optional_text(&self, column: usize) -> Result<Option<String>, Error> {
        self.get(column, "text")
    }

    /// The column as a boolean stored as 0 or 1.
    ///
    /// # Errors
    /// See [`Row::integer`].
    pub fn boolean(&self, column: usize) -> Result<bool, Error> {
        Ok(self.integer(column)? != 0)
    }

    /// The column as a time.
    ///
    /// # Errors
    /// See [`Row::integer`].
    pub fn timestamp(&self, column: usize) -> Result<Timestamp, Error> {
        self.integer(column).map(Timestamp::from_nanoseconds)
    }

    /// The column as a time, `None` for NULL.
    ///
    /// # Errors
    /// See [`Row::integer`].
    pub fn optional_timestamp(&self, column: usize) -> Result<Option<Timestamp>, Error> {
        let nanoseconds: Option<i64> = self.get(column, "time")?;
        Ok(nanoseconds.map(Timestamp::from_nanoseconds))
    }

    fn get<T>(&self, column: usize, what: &'static str) -> Result<T, Error>
    where
        T: rusqlite::types::FromSql + for<'a> postgres::types::FromSql<'a>,
    {
        let unreadable = Error::Unreadable(what);
        match &self.0 {
            Cells::Sqlite(row) => row.get(column).map_err(|_| unreadable),
            Cells::Postgres(row) => row.try_get(column).map_err(|_| unreadable),
        }
    }
}
