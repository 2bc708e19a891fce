//! Reading a database from outside of a server: for verbs of the command line that only look.

use std::time::Duration;

use super::address::PostgresUrl;
use super::on_a_thread;
use super::schema;
use super::server::Server;
use super::session::Session;
use crate::migrate::{self, POSTGRES};
use crate::{Error, OpenError, PeekError, Tx};

/// How long one statement may take: nobody else waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `read` once in a read-only transaction on the database at `url`. Blocks.
///
/// # Errors
/// [`PeekError::Open`] when there is no database of ours, or its schema is not the one of this program;
/// [`PeekError::Read`] when `read` fails.
pub fn peek_server<T: Send + 'static>(
    url: &PostgresUrl,
    read: impl FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<T, PeekError> {
    let url = url.clone();
    on_a_thread(move || {
        let server = Server::new(url)?;
        let failed = |source| PeekError::Open(server.failed(source));
        let mut client = server.first()?;
        let applied = schema::read(&server, &mut client)?;
        if !migrate::missing(POSTGRES, &applied)?.is_empty() {
            let found = applied.last().map_or(0, |step| step.number);
            return Err(OpenError::Older { found, known: migrate::newest(POSTGRES) }.into());
        }
        let mut session = Session::new(client);
        session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").map_err(failed)?;
        let mut tx = Tx::postgres_within(&mut session, PATIENCE);
        let result = read(&mut tx)?;
        tx.end()?;
        Ok(result)
    })
    .map_err(|error| PeekError::Open(OpenError::Thread(error)))?
}
