//! A statement in the making. Values are bound, never written into the text.

use std::fmt::Write;

use crate::sql::{Row, Value};
use crate::tx::Dialect;
use crate::{Error, Tx};

/// Text with the values of its parameters, which are numbered as they come.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    dialect: Dialect,
    text: String,
    values: Vec<Value>,
}

impl Statement {
    pub(super) fn new(dialect: Dialect, text: &str) -> Self {
        Self { dialect, text: text.to_owned(), values: Vec::new() }
    }

    /// What the words of the statement have to be: asked where the engines differ.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// An empty statement with room for `bytes` of text.
    pub(super) fn with_capacity(dialect: Dialect, bytes: usize) -> Self {
        Self { dialect, text: String::with_capacity(bytes), values: Vec::with_capacity(8) }
    }

    /// Whether nothing was written yet.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Puts a parameter for `value`.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        // Writing to a string does not fail.
        let _ = write!(self.text, "{}{}", self.mark(), self.values.len());
        self
    }

    /// Puts a list of parameters, separated by commas.
    pub(super) fn bind_all<T: Into<Value>>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
        for (place, value) in values.into_iter().enumerate() {
            if place > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        self
    }

    /// Puts another statement here; its parameters get numbers of this one.
    pub(super) fn append(&mut self, other: &Self) -> &mut Self {
        let mut parts = other.text.split(other.mark());
        self.push(parts.next().unwrap_or_default());
        for (part, value) in parts.zip(&other.values) {
            self.bind(value.clone());
            self.push(part.trim_start_matches(|character: char| character.is_ascii_digit()));
        }
        self
    }

    /// The text, without the values.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// What stands in front of the number of a parameter. SQLite takes `$1` for a name, and goes through all that it
    /// knows to find it.
    fn mark(&self) -> char {
        match self.dialect {
            Dialect::Sqlite => '?',
            Dialect::Postgres => '$',
        }
    }

    pub(super) fn query<T>(
        &self,
        tx: &mut Tx<'_>,
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        tx.query_generated(&self.text, &self.values, read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_as_they_come() {
        let mut inner = Statement::new(Dialect::Sqlite, "SELECT x WHERE a = ");
        inner.bind(1).push(" AND b IN (").bind_all([2, 3]).push(")");
        let mut outer = Statement::new(Dialect::Sqlite, "SELECT y WHERE c = ");
        outer.bind("text").push(" AND d IN (").append(&inner).push(") LIMIT ").bind(4);
        let expected = "SELECT y WHERE c = ?1 AND d IN (SELECT x WHERE a = ?2 AND b IN (?3, ?4)) LIMIT ?5";
        assert_eq!(outer.text, expected);
        assert_eq!(outer.values.len(), 5);
    }
}
