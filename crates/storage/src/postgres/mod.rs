//! The engine for a PostgreSQL server, which several nodes may share: threads that write beside each other, threads that
//! read, and a connection for each that it never leaves.
//!
//! ```text
//! writes, background -> queue -> writer (a transaction for each closure, run again on contention) -> commit -> answer
//! reads --------------------------> reader (one snapshot for each closure) -----------------------------> answer
//! ```
//!
//! Writers do not wait for each other as SQLite's closures do, so whoever reads in order to write locks what it reads: a
//! row by `FOR UPDATE`, a rule that speaks of several rows by [`Tx::lock`](crate::Tx).

mod address;
mod link;
mod peek;
mod queue;
mod reader;
mod schema;
mod server;
mod session;
mod tls;
mod value;
mod writer;

use std::io;
use std::sync::Arc;
use std::thread;

use self::link::Link;
pub(crate) use self::link::{Access, COMMIT};
use self::queue::Queue;
use self::reader::Reader;
use self::server::Server;
use self::writer::Writer;
use crate::cache::Caches;
use crate::gauges::Counters;
use crate::lanes::Exits;
use crate::threads::{self, Threads};
use crate::{OpenError, PostgresOptions};

pub use self::address::PostgresUrl;
pub use self::peek::peek_server;
pub(crate) use self::session::{Session, is_canceled};

/// Makes the database ready and starts the threads that empty the queues.
pub(crate) fn start(
    options: &PostgresOptions,
    exits: Exits,
    caches: &Arc<Caches>,
    counters: &Arc<Counters>,
) -> Result<Threads, OpenError> {
    let server = Arc::new(Server::new(options.url.clone())?);
    make_ready(&server, options)?;

    let mut threads = Threads::default();
    for number in 0..options.readers.max(1) {
        let access = Access::Read(options.read_budget);
        let link = Link::new(&server, access, counters, &options.clock);
        let queue = exits.reads.clone();
        let mut reader = Reader::new(link, queue, options.read_budget, counters, &options.clock);
        threads.readers.push(threads::spawn(format!("storage-reader-{number}"), move || reader.serve())?);
    }
    for number in 0..options.writers.max(1) {
        let link = Link::new(&server, Access::Write, counters, &options.clock);
        let background = (number == 0).then(|| exits.background.clone());
        let queue = Queue::new(exits.writes.clone(), background);
        let mut writer = Writer::new(link, caches, counters);
        let serve = move || writer.serve(&queue);
        threads.writer.push(threads::spawn(format!("storage-writer-{number}"), serve)?);
    }
    Ok(threads)
}

/// Checks the server and brings the schema up to date.
fn make_ready(server: &Arc<Server>, options: &PostgresOptions) -> Result<(), OpenError> {
    let (server, migrations, now) = (Arc::clone(server), options.migrations, options.clock.now());
    let ready = on_a_thread(move || {
        let mut client = server.first()?;
        schema::migrate(&server, &mut client, migrations, now)
    });
    ready.map_err(OpenError::Thread)?
}

/// Runs `work` on a thread of its own and waits for it: the client must not be used on one that runs something
/// asynchronous, and whoever opens a store may.
fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let thread = thread::Builder::new().name("storage-opening".to_owned()).spawn(work)?;
    match thread.join() {
        Ok(result) => Ok(result),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
