//! Keeping the log within its bounds.

use std::time::Duration;

use model::Timestamp;
use storage::Tx;
use storage::log::{self, PRUNED_AT_ONCE, Retention};

use crate::Error;

/// How long and how large the log may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Rows older than this go.
    pub age: Duration,
    /// The oldest rows go while the log is larger, in bytes.
    pub bytes: u64,
}

impl Default for Bounds {
    /// 30 days and 10 GiB (DESIGN 1).
    fn default() -> Self {
        Self { age: Duration::from_hours(30 * 24), bytes: 10 << 30 }
    }
}

/// Takes one batch of rows that are beyond `bounds` at `now`. Answers whether there may be more.
///
/// # Errors
/// When the store fails.
pub fn prune(tx: &mut Tx<'_>, now: Timestamp, bounds: &Bounds) -> Result<bool, Error> {
    let retention = Retention { since: now.before(bounds.age), bytes: bounds.bytes };
    Ok(log::prune(tx, &retention)? as i64 == PRUNED_AT_ONCE)
}
