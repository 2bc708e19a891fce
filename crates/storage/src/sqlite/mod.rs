//! The embedded engine: one writer thread that commits in batches, reader threads with snapshots, one file.
//!
//! ```text
//! writes, background -> queue -> writer -> batch (each closure shielded) -> commit -> answers -> checkpoint
//! reads -> shortcut (a snapshot on the caller's thread, for a moment) ---------------> answer
//!            | not done ----> queue -> reader (one snapshot per closure) ------------> answer
//! ```
//!
//! A backup has the writer copy pages between batches, and a thread of its own for the rest.

mod backup;
mod batch;
mod checkpoint;
mod connection;
mod copy;
mod directory;
mod partial;
mod peek;
mod queue;
mod reader;
mod restore;
mod schema;
mod shortcut;
mod snapshot;
mod verify;
mod writer;

use std::sync::Arc;

use rusqlite::{Connection, ErrorCode};

use self::connection::Database;
use self::directory::Directory;
use self::queue::Queue;
use self::reader::Reader;
use self::snapshot::{Patience, Snapshots};
use self::writer::Writer;
use crate::cache::Caches;
use crate::gauges::Counters;
use crate::lanes::Exits;
use crate::threads::{self, Threads};
use crate::{Error, OpenError, Options};

pub(crate) use self::backup::Backups;
pub use self::backup::back_up;
pub(crate) use self::copy::PageCopy;
pub use self::peek::peek;
pub use self::restore::restore;
pub(crate) use self::shortcut::Shortcut;

/// Opens the database and starts the threads that empty the queues. Answers them, and the shortcut past them, unless
/// there is to be none.
pub(crate) fn start(
    options: &Options,
    exits: Exits,
    caches: &Arc<Caches>,
    counters: &Arc<Counters>,
) -> Result<(Threads, Option<Shortcut>), OpenError> {
    let directory = Directory::claim(&options.directory)?;
    let database = Arc::new(Database::new(directory, options.durability, options.max_pages));
    let failed = |source| schema::cannot_open(database.file(), source);

    let mut first = database.connect().map_err(failed)?;
    schema::refuse_foreign(&first, database.file())?;
    database.prepare_to_write(&first).map_err(failed)?;
    schema::migrate(&mut first, database.file(), options.migrations, options.clock.now())?;

    let mut threads = Threads::default();
    let readers = options.readers.max(1);
    let snapshots = |patience, budget| {
        Snapshots::new(&database, patience, budget, &options.clock, counters).map_err(failed)
    };
    for number in 0..readers {
        let snapshots = snapshots(Patience::Waits, options.read_budget)?;
        let mut reader = Reader::new(snapshots, exits.reads.clone(), counters);
        threads.readers.push(threads::spawn(format!("storage-reader-{number}"), move || reader.serve())?);
    }
    let shortcut = if options.shortcut_budget.is_zero() {
        None
    } else {
        let seats = (0..readers).map(|_| snapshots(Patience::Fails, options.shortcut_budget));
        Some(Shortcut::new(seats.collect::<Result<_, _>>()?, counters))
    };
    let queue = Queue::new(exits.writes, exits.background, exits.copies, Arc::clone(&options.clock));
    let (caches, counters, mut first) = (Arc::clone(caches), Arc::clone(counters), Some(first));
    // Made on its thread, which its connection does not leave. After a panic another takes over, and opens its own.
    let serve = move || Writer::new(&database, first.take(), &caches, &counters).serve(&queue);
    threads.writer.push(threads::spawn("storage-writer".to_owned(), serve)?);
    Ok((threads, shortcut))
}

/// Runs a statement of the engine's own.
fn execute(connection: &Connection, statement: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

/// The code behind a failed statement.
fn code_of(failure: &Error) -> Option<ErrorCode> {
    match failure {
        Error::Statement { .. } => failure.sqlite_code(),
        _ => None,
    }
}
