//! When the write-ahead log is copied into the database, and when its file is cut.
//!
//! The writer does this between batches, when all answers are sent: SQLite's own way, inside the commit that crosses a
//! threshold, would let one caller pay for a thousand. Three sizes matter. A *passive* checkpoint copies what it can
//! without waiting for anybody; the next commit then starts the log from its beginning, unless a reader is still in it.
//! Under heavy reading there always is one, and the log grows, so that beyond a limit a *truncating* checkpoint waits
//! for the readers of the moment (none runs longer than its budget) and cuts the file. An idle server cuts it too, and one
//! that is to leave no trace of what was deleted: until then the log, or what is left in its file from before it began
//! anew, holds older states of pages.

use std::time::Duration;

use rusqlite::Connection;

use super::connection::with_patience;
use crate::gauges::Counters;

/// Pages that may wait to be copied before a passive checkpoint: 125 MiB.
///
/// A page that was written many times is copied once, so the more wait, the fewer are copied for each commit. Users
/// with random ids among a million, 64 a commit: 9,000 a second at 1,000 pages, 11,000 at 4,000, 15,000 at 16,000,
/// 17,000 at 32,000, 19,000 at 64,000. A checkpoint then holds the writer up for 30, 70, 150, 200 or 250 ms, but so
/// much more rarely that from 32,000 on fewer than one write in a hundred meets one.
const PASSIVE: u64 = 32_000;

/// Pages in the log before a truncating checkpoint: 256 MiB.
const TRUNCATE: u64 = 65_536;

/// How long a checkpoint that is to leave no trace waits for readers, while writes wait for it: nearly all reads are shorter.
const SHORT: Duration = Duration::from_millis(20);

/// After so many batches since it was wanted, it waits as long as the longest read may take.
const WAITED_FOR: u32 = 64;

/// How the write-ahead log stands, and at which sizes to act next.
#[derive(Debug)]
pub(super) struct Checkpoints {
    passive: u64,
    truncate: u64,
    /// A passive checkpoint is due with this many pages not copied. Moved ahead when a reader kept one from copying
    /// everything: until the log has grown by as much again, another try would most likely meet the same reader.
    passive_due: u64,
    /// A truncating one is due with this many pages in the log; moved ahead likewise.
    truncate_due: u64,
    /// Whether something was committed since the log was last empty.
    wanted: bool,
    /// How many batches there were since the log was to be cut because of what it holds; `None` when it is not.
    holding: Option<u32>,
}

/// The size of the write-ahead log in pages.
#[derive(Clone, Copy, Debug)]
struct Log {
    pages: u64,
    copied: u64,
}

impl Log {
    fn not_copied(self) -> u64 {
        self.pages.saturating_sub(self.copied)
    }
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self::with_sizes(PASSIVE, TRUNCATE)
    }
}

impl Checkpoints {
    fn with_sizes(passive: u64, truncate: u64) -> Self {
        // Wanted at first: the migrations have written, and a server that was killed leaves a log behind.
        Self { passive, truncate, passive_due: passive, truncate_due: truncate, wanted: true, holding: None }
    }

    /// Whether the log holds something that an idle moment should be used to copy.
    pub(super) fn wanted(&self) -> bool {
        self.wanted
    }

    /// Has the log cut soon, since it holds what is to be forgotten: after the first batch from now on that meets nobody who
    /// reads in it, of the 1st, the 2nd, the 4th and so on.
    pub(super) fn cut_soon(&mut self) {
        self.holding.get_or_insert(0);
    }

    /// Looks at the log after a batch, for a microsecond, and runs the checkpoint that is due.
    pub(super) fn after_batch(&mut self, connection: &Connection, counters: &Counters) {
        let Some(log) = run(connection, "PRAGMA wal_checkpoint(NOOP)") else { return };
        counters.wal_pages.set(log.pages);
        self.wanted = log.pages > 0;
        if self.cuts_now(connection, counters) {
            return;
        }
        if log.pages >= self.truncate_due {
            let left = self.cut(connection, counters).unwrap_or(log);
            self.truncate_due = self.truncate.max(left.pages + self.truncate / 4);
        } else if log.not_copied() >= self.passive_due {
            let left = checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)", counters).unwrap_or(log);
            self.passive_due = left.not_copied() + self.passive;
        }
    }

    /// Cuts the log, unless somebody is reading in it: then the next idle moment will do, and a write that comes now
    /// does not wait.
    pub(super) fn when_idle(&mut self, connection: &Connection, counters: &Counters) {
        let log = with_patience(connection, Duration::ZERO, || self.cut(connection, counters));
        // A failure was logged; it is not repeated every second while nothing changes.
        self.wanted = log.is_some_and(|log| log.pages > 0);
    }

    /// Cuts the log before the database is closed.
    pub(super) fn at_end(&mut self, connection: &Connection, counters: &Counters) {
        self.cut(connection, counters);
    }

    /// Cuts the log if that is wanted because of what it holds, and it is time for a try. Answers whether it did.
    fn cuts_now(&mut self, connection: &Connection, counters: &Counters) -> bool {
        let Some(batches) = &mut self.holding else { return false };
        *batches = batches.saturating_add(1);
        let log = match *batches {
            batches if !batches.is_power_of_two() => None,
            batches if batches < WAITED_FOR => {
                with_patience(connection, SHORT, || self.cut(connection, counters))
            }
            _ => self.cut(connection, counters),
        };
        log.is_some_and(|log| log.pages == 0)
    }

    /// Copies the whole log and cuts its file, if nobody reads in it.
    fn cut(&mut self, connection: &Connection, counters: &Counters) -> Option<Log> {
        let left = checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)", counters)?;
        if left.pages == 0 {
            counters.log_cuts.add(1);
            self.holding = None;
            self.wanted = false;
        }
        Some(left)
    }
}

/// Runs a checkpoint and counts it. Answers what it left.
fn checkpoint(connection: &Connection, pragma: &'static str, counters: &Counters) -> Option<Log> {
    let log = run(connection, pragma)?;
    counters.checkpoints.add(1);
    counters.wal_pages.set(log.pages);
    Some(log)
}

/// Runs one form of the pragma. A failure costs nothing but space, as all commits are in the log: it is logged. `None`
/// also when another process is at a checkpoint of its own.
fn run(connection: &Connection, pragma: &'static str) -> Option<Log> {
    let sizes = connection
        .prepare_cached(pragma)
        // The first column says whether somebody was in the way, which the sizes show as well.
        .and_then(|mut statement| statement.query_row([], |row| Ok((row.get(1)?, row.get(2)?))))
        .inspect_err(|error| tracing::error!(%error, pragma, "a checkpoint failed"));
    let (pages, copied): (i64, i64) = sizes.ok()?;
    Some(Log { pages: u64::try_from(pages).ok()?, copied: u64::try_from(copied).ok()? })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn database() -> (TempDir, Connection) {
        let directory = tempfile::tempdir().unwrap();
        let connection = Connection::open(directory.path().join("test.db")).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF;
                 CREATE TABLE pages (page); PRAGMA wal_checkpoint(TRUNCATE);",
            )
            .unwrap();
        (directory, connection)
    }

    /// Commits `pages` pages or a few more, and acts as the writer does after a batch.
    fn batch(connection: &Connection, pages: u64, checkpoints: &mut Checkpoints, counters: &Counters) {
        let bytes = i64::try_from(pages * 4096).unwrap();
        connection.execute("INSERT INTO pages VALUES (zeroblob($1))", [bytes]).unwrap();
        checkpoints.after_batch(connection, counters);
    }

    #[test]
    fn the_log_starts_anew_after_each_passive_checkpoint() {
        let (_directory, connection) = database();
        let (mut checkpoints, counters) = (Checkpoints::with_sizes(20, 1000), Counters::default());
        for _ in 0..30 {
            batch(&connection, 10, &mut checkpoints, &counters);
            assert!(counters.wal_pages.get() < 40);
        }
        assert!((10..=20).contains(&counters.checkpoints.get()), "{counters:?}");
    }

    #[test]
    fn a_log_that_is_to_leave_no_trace_is_cut_at_once_or_when_nobody_reads_in_it() {
        let (directory, connection) = database();
        connection.busy_timeout(Duration::ZERO).unwrap();
        let (mut checkpoints, counters) = (Checkpoints::default(), Counters::default());
        batch(&connection, 10, &mut checkpoints, &counters);
        assert_eq!(counters.log_cuts.get(), 0);
        checkpoints.cut_soon();
        batch(&connection, 10, &mut checkpoints, &counters);
        assert_eq!((counters.log_cuts.get(), counters.wal_pages.get()), (1, 0));
        batch(&connection, 10, &mut checkpoints, &counters);
        assert_eq!(counters.log_cuts.get(), 1, "once is enough");

        let reader = Connection::open(directory.path().join("test.db")).unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM pages").unwrap();
        checkpoints.cut_soon();
        let before = counters.checkpoints.get();
        for _ in 0..15 {
            // Wished again and again, as a scrub does that waits.
            checkpoints.cut_soon();
            batch(&connection, 10, &mut checkpoints, &counters);
        }
        assert_eq!((counters.log_cuts.get(), counters.checkpoints.get() - before), (1, 4));
        reader.execute_batch("COMMIT").unwrap();
        checkpoints.when_idle(&connection, &counters);
        assert_eq!((counters.log_cuts.get(), counters.wal_pages.get()), (2, 0));
    }

    #[test]
    fn a_reader_in_the_way_is_not_met_by_a_checkpoint_for_each_batch() {
        let (directory, connection) = database();
        connection.busy_timeout(std::time::Duration::ZERO).unwrap();
        let (mut checkpoints, counters) = (Checkpoints::with_sizes(20, 200), Counters::default());
        batch(&connection, 1, &mut checkpoints, &counters);
        let reader = Connection::open(directory.path().join("test.db")).unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM pages").unwrap();
        for _ in 0..30 {
            batch(&connection, 10, &mut checkpoints, &counters);
        }
        // 300 pages: one passive checkpoint for each 20, and a truncating one at 200 and for each 50 from there.
        assert!(counters.wal_pages.get() > 300);
        assert!((8..=20).contains(&counters.checkpoints.get()), "{counters:?}");
        checkpoints.when_idle(&connection, &counters);
        assert!(checkpoints.wanted());

        reader.execute_batch("COMMIT").unwrap();
        for _ in 0..6 {
            batch(&connection, 10, &mut checkpoints, &counters);
        }
        assert!(counters.wal_pages.get() < 60, "{counters:?}");
        checkpoints.when_idle(&connection, &counters);
        assert!(!checkpoints.wanted());
        assert_eq!(counters.wal_pages.get(), 0);
    }
}
