//! The baselines: SQLite with nothing around it, on the rows that the server wrote and the statements that it needs.

mod connection;
mod minimal;
mod read;
mod removal;
mod stored;
mod twin;

pub(crate) use minimal::Minimal;
pub(crate) use read::{USER, query};
pub(crate) use removal::remove;
pub(crate) use stored::Stored;
pub(crate) use twin::{Twin, copy};

use std::path::Path;

use crate::api::KEY;
use crate::failure::Failure;

/// The key of the app that is measured.
pub(crate) fn app_key(file: &Path) -> Result<i64, Failure> {
    let connection = connection::reader(file)?;
    Ok(connection.query_row("SELECT key FROM apps WHERE api_key = ?1", [KEY], |row| row.get(0))?)
}
