//! Rows as the server wrote them, read back from its database: the baseline then writes exactly these, whatever the
//! schema has become, and computes nothing while the clock runs.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, Params};

use super::connection;
use crate::failure::Failure;

/// Values of a row in the order of the columns of its table.
type Row = Vec<Value>;

/// How far a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The key of the newest user.
    pub(super) user: i64,
    /// The number of the newest row of the log.
    pub(super) log: i64,
}

impl Mark {
    /// Where `connection` stands.
    pub(super) fn of(connection: &Connection) -> Result<Self, Failure> {
        let last = |statement| connection.query_row(statement, [], |row| row.get::<_, i64>(0));
        Ok(Self {
            user: last("SELECT COALESCE(MAX(key), 0) FROM users")?,
            log: last("SELECT COALESCE(MAX(sequence), 0) FROM log")?,
        })
    }
}

/// One new user with everything that was written for it.
#[derive(Debug)]
pub(super) struct Written {
    /// The row of `users`, the key in front.
    pub(super) user: Row,
    /// The rows of `user_leaves`.
    pub(super) leaves: Vec<Row>,
    /// The row of `log`, the number in front.
    pub(super) log: Row,
}

/// Users in the order in which they were written.
#[derive(Debug, Default)]
pub(crate) struct Stored(pub(super) Vec<Written>);

impl Stored {
    /// What the server has in `file` beyond `mark`.
    pub(super) fn since(file: &Path, mark: Mark) -> Result<Self, Failure> {
        let connection = connection::reader(file)?;
        let users = rows(&connection, "SELECT * FROM users WHERE key > ?1 ORDER BY key", [mark.user])?;
        let log = rows(&connection, "SELECT * FROM log WHERE sequence > ?1 ORDER BY sequence", [mark.log])?;
        // The user stands last in the key of a leaf: all are looked through.
        let mut leaves = rows(&connection, "SELECT user, * FROM user_leaves WHERE user > ?1", [mark.user])?;
        leaves.sort_by_key(|leaf| integer(leaf.first()));
        let mut leaves = leaves.into_iter().peekable();
        if users.len() != log.len() {
            return Err(
                format!("{} users were written and {} rows of the log", users.len(), log.len()).into()
            );
        }
        let written = users.into_iter().zip(log).map(|(user, log)| {
            let key = integer(user.first());
            let mut own = Vec::new();
            while let Some(mut leaf) = leaves.next_if(|leaf| integer(leaf.first()) == key) {
                leaf.remove(0);
                own.push(leaf);
            }
            Written { user, leaves: own, log }
        });
        Ok(Self(written.collect()))
    }
}

fn rows(connection: &Connection, statement: &str, parameters: impl Params) -> Result<Vec<Row>, Failure> {
    let mut statement = connection.prepare(statement)?;
    let columns = statement.column_count();
    let rows = statement.query_map(parameters, |row| (0..columns).map(|place| row.get(place)).collect())?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn integer(value: Option<&Value>) -> i64 {
    match value {
        Some(Value::Integer(integer)) => *integer,
        _ => 0,
    }
}
