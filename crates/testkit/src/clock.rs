//! Time and chance for tests.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use model::{Clock, Entropy, Timestamp};

/// A clock whose time of day moves only when told to. Budgets still run: `elapsed` is real.
#[derive(Debug)]
pub struct TestClock {
    nanoseconds: AtomicI64,
    started: Instant,
}

impl TestClock {
    /// A clock that stands at `now`.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "testkit may read the ambient clock (ARCHITECTURE.md)")]
    pub fn at(now: Timestamp) -> Self {
        Self { nanoseconds: AtomicI64::new(now.nanoseconds()), started: Instant::now() }
    }

    /// Moves the time of day; a negative number moves it back.
    pub fn advance(&self, nanoseconds: i64) {
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanoseconds(self.nanoseconds.load(Ordering::Relaxed))
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Chance that counts up: every draw differs, every run is the same.
#[derive(Debug, Default)]
pub struct FixedEntropy(AtomicU64);

impl Entropy for FixedEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let draw = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&draw[..chunk.len()]);
        }
    }
}
