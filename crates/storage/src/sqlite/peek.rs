//! Reading a database from outside of its server: for verbs of the command line that only look.

use std::path::Path;

use super::connection;
use super::directory::database_in;
use super::schema::{self, Owner};
use crate::migrate::{self, SQLITE};
use crate::{Error, OpenError, PeekError, Tx};

/// Runs `read` once in a read-only transaction on the database in `directory`. Blocks; takes no lock, so a server may
/// be serving from there. It sees all that was committed before.
///
/// # Errors
/// [`PeekError::Open`] when there is no database, when it is not ours, or when its schema is not the one of this
/// program; [`PeekError::Read`] when `read` fails.
pub fn peek<T>(directory: &Path, read: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>) -> Result<T, PeekError> {
    let file = database_in(directory);
    if !file.try_exists().map_err(|source| OpenError::Directory { path: directory.to_owned(), source })? {
        return Err(OpenError::Missing(directory.to_owned()).into());
    }
    let failed = |source| schema::cannot_open(&file, source);
    let mut connection = connection::reader(&file).map_err(failed)?;
    let transaction = connection.transaction().map_err(failed)?;
    match schema::owner(&transaction).map_err(failed)? {
        Owner::Headwater => {}
        Owner::Nobody => return Err(OpenError::Missing(directory.to_owned()).into()),
        Owner::Somebody => return Err(OpenError::Foreign(file).into()),
    }
    let applied = schema::applied(&transaction).map_err(failed)?;
    if !migrate::missing(SQLITE, &applied)?.is_empty() {
        let found = applied.last().map_or(0, |step| step.number);
        return Err(OpenError::Older { found, known: migrate::newest(SQLITE) }.into());
    }
    let mut tx = Tx::sqlite(&transaction);
    let result = read(&mut tx)?;
    tx.end()?;
    Ok(result)
}
