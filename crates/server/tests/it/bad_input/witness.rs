//! What is in the database, seen from outside of the server.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// How many of the newest rows of a table that only grows are looked at: every change adds one there.
const NEWEST: usize = 50;

/// The tables that only grow, and by what.
const GROWING: &[(&str, &str)] = &[("log", "sequence"), ("log_person", "log")];

/// A connection that only reads.
#[derive(Debug)]
pub(super) struct Witness {
    connection: Connection,
    tables: Vec<String>,
}

/// The rows of each table, as bytes: comparing those costs less than any digest.
pub(super) type Contents = BTreeMap<String, Vec<u8>>;

impl Witness {
    /// Looks at the database in `directory`.
    pub(super) fn new(directory: &Path) -> rusqlite::Result<Self> {
        let file = directory.join("headwater.db");
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        // Virtual tables keep their rows in tables of their own, which are listed as well.
        let list = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY 1";
        let tables = connection.prepare(list)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Self { connection, tables })
    }

    /// A number that changes when, and only when, somebody has committed a change since it was last asked for.
    pub(super) fn version(&self) -> rusqlite::Result<i64> {
        self.connection.pragma_query_value(None, "data_version", |row| row.get(0))
    }

    /// Whether there are tasks that are not over.
    pub(super) fn has_tasks(&self) -> rusqlite::Result<bool> {
        let under_way = "SELECT EXISTS (SELECT 1 FROM tasks WHERE finished_at IS NULL)";
        self.connection.prepare_cached(under_way)?.query_row([], |row| row.get(0))
    }

    /// The rows, as one state of the database.
    pub(super) fn contents(&self) -> rusqlite::Result<Contents> {
        let transaction = self.connection.unchecked_transaction()?;
        self.tables.iter().map(|table| Ok((table.clone(), rows(&transaction, table)?))).collect()
    }
}

/// The names of what is not the same in both.
pub(super) fn differences<'a>(before: &'a Contents, after: &Contents) -> Vec<&'a str> {
    before
        .iter()
        .filter(|(table, rows)| after.get(*table) != Some(rows))
        .map(|(table, _)| table.as_str())
        .collect()
}

fn rows(connection: &Connection, table: &str) -> rusqlite::Result<Vec<u8>> {
    let newest = GROWING.iter().find(|(growing, _)| *growing == table);
    let order = newest.map_or_else(String::new, |(_, key)| format!(" ORDER BY {key} DESC LIMIT {NEWEST}"));
    let mut statement = connection.prepare_cached(&format!("SELECT * FROM \"{table}\"{order}"))?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut bytes = Vec::new();
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            write(row.get_ref(column)?, &mut bytes);
        }
    }
    Ok(bytes)
}

/// Appends a value so that other values, and other splits of the same text, give other bytes.
fn write(value: ValueRef<'_>, bytes: &mut Vec<u8>) {
    let (kind, content): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => (1, &number.to_le_bytes()),
        ValueRef::Real(number) => (2, &number.to_le_bytes()),
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(blob) => (4, blob),
    };
    bytes.push(kind);
    bytes.extend_from_slice(&content.len().to_le_bytes());
    bytes.extend_from_slice(content);
}
