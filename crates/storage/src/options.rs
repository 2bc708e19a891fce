//! How a store is opened: where it lives, how durable it is, how much may wait and for how long.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use model::Clock;

use crate::PostgresUrl;
use crate::migrate::{self, Migration};

/// What a power cut may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was answered: every commit waits for the disk.
    Full,
    /// Anything, the whole file included: for data that ends with the process (`--in-memory`).
    Off,
}

/// What [`Store::open`](crate::Store::open) needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory; made, readable by its owner only, when it is not there.
    pub directory: PathBuf,
    /// What a power cut may take.
    pub durability: Durability,
    /// How many threads serve reads, and how many reads may run on the threads that ask for them; at least one.
    pub readers: usize,
    /// How many writes may wait, and how many reads; at least one. One more is refused as [`Busy`](crate::Error::Busy).
    pub queue: usize,
    /// How long a read may wait for a thread, and then how long it may run.
    pub read_budget: Duration,
    /// How long a read may run on the thread that asks for it before it is handed to the readers, which begin it anew:
    /// so long does it hold up whatever else that thread has to do. Zero: reads are handed over at once.
    pub shortcut_budget: Duration,
    /// How long a write may wait before the writer takes it up. It has no limit from there on.
    pub write_budget: Duration,
    /// The most pages of 4 KiB the database may have: an operator's cap below what the disk offers. Writes that
    /// would need more fail as on a full disk.
    pub max_pages: Option<u32>,
    /// The steps that make the schema, in order and without gaps.
    pub migrations: &'static [Migration],
    /// The clock that budgets and batches are measured with.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// A durable store in `directory` with this program's schema, a reader for each core (2 to 8), queues of 4,096,
    /// 2 s for a read, of which 1 ms are tried on the thread that asks, 10 s of waiting for a write, and no cap but the disk.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self {
            directory: directory.into(),
            durability: Durability::Full,
            readers: thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 8)),
            queue: 4096,
            read_budget: Duration::from_secs(2),
            shortcut_budget: Duration::from_millis(1),
            write_budget: Duration::from_secs(10),
            max_pages: None,
            migrations: migrate::SQLITE,
            clock,
        }
    }
}

/// What [`Store::connect`](crate::Store::connect) needs to know.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Where the database is.
    pub url: PostgresUrl,
    /// How many threads, each with a connection, write; at least one. They connect when they are first needed.
    pub writers: usize,
    /// How many threads, each with a connection, read; at least one.
    pub readers: usize,
    /// How many writes may wait, and how many reads; at least one. One more is refused as [`Busy`](crate::Error::Busy).
    pub queue: usize,
    /// How long a read may wait for a thread, then how long it may begin statements, and how long each may run.
    pub read_budget: Duration,
    /// How long a write may wait before a thread takes it up.
    pub write_budget: Duration,
    /// The steps that make the schema, in order and without gaps.
    pub migrations: &'static [Migration],
    /// The clock by which a server that went away is asked again.
    pub clock: Arc<dyn Clock>,
}

impl PostgresOptions {
    /// This program's schema in the database at `url`, ten connections that write and ten that read, queues of 4,096,
    /// 2 s for a read and 10 s of waiting for a write.
    #[must_use]
    pub fn new(url: PostgresUrl, clock: Arc<dyn Clock>) -> Self {
        Self {
            url,
            writers: 10,
            readers: 10,
            queue: 4096,
            read_budget: Duration::from_secs(2),
            write_budget: Duration::from_secs(10),
            migrations: migrate::POSTGRES,
            clock,
        }
    }
}
