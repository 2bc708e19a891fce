//! Wiping what deleted rows leave in the files of SQLite (issue 6).
//!
//! The engine overwrites rows that go and pages that become free (`secure_delete`). Three things are left:
//!
//! - the words of a deleted user, in segments of the full-text index, which only forgets them when it merges these;
//! - copies of rows in the unused middle of a page: when the engine spreads rows over pages anew, it writes those that stay
//!   without wiping where others were, and knows nothing of these copies when their rows are deleted;
//! - the write-ahead log, which holds older states of pages until its file is cut.
//!
//! A scrub goes through the three, in this order, since each writes to the next. It runs beside everybody else, a short
//! step at a time, and costs in proportion to the database, three seconds for 300,000 users in half a gigabyte: one for many
//! deletions is better than one for each. The first one also wipes what all changes before it have left in pages, and
//! writes most of them, later ones a few.
//!
//! On PostgreSQL there is nothing to do: what vacuum and the archive of its log keep, and for how long, is the operator's.

mod pages;
mod words;

use self::pages::Pages;
use self::words::Words;
use crate::tx::Dialect;
use crate::{Error, Tx};

/// A scrub of everything that was deleted, in committed transactions, before its first step. What is deleted later may
/// need another one.
///
/// It lives in memory: one that was interrupted, with the process or by its caller, is begun again from the start.
#[derive(Clone, Debug, Default)]
pub struct Scrub {
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    Words(Words),
    Pages(Pages),
    /// The log was to be cut when it had been cut so often.
    Log {
        cuts: u64,
    },
}

impl Default for Stage {
    fn default() -> Self {
        Self::Words(Words::default())
    }
}

impl Scrub {
    /// Whether all that is left is the write-ahead log, which the writer cuts as soon as nobody reads in it: the next step
    /// only looks whether it has, so there is no hurry with it.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Log { .. })
    }
}

/// Takes the next step of `scrub`, some five milliseconds of work, in a transaction of the background lane. Answers whether
/// there are more.
///
/// Each step is to be committed before the next: `scrub` is to be kept when the transaction was, and otherwise this step
/// taken again with the one from before it.
///
/// # Errors
/// When a statement fails, or the engine keeps its index in a form that is not known.
pub fn step(tx: &mut Tx<'_>, scrub: &mut Scrub) -> Result<bool, Error> {
    if tx.dialect() == Dialect::Postgres {
        return Ok(false);
    }
    let next = match &mut scrub.stage {
        Stage::Words(words) => words.step(tx)?.then(|| Stage::Pages(Pages::default())),
        // The cuts are counted up to the beginning of this transaction: one more comes after its end.
        Stage::Pages(pages) => pages.step(tx)?.then(|| Stage::Log { cuts: tx.log_cuts() }),
        Stage::Log { cuts } if tx.log_cuts() > *cuts => return Ok(false),
        Stage::Log { .. } => None,
    };
    scrub.stage = next.unwrap_or_else(|| scrub.stage.clone());
    if scrub.is_waiting() {
        // Also while it waits: a writer that took over from one that panicked has not heard of it.
        tx.leave_no_trace();
    }
    Ok(true)
}
