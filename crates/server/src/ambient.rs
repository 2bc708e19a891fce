//! The real clock and the system's random numbers: the only place of the program that reads them. Everything else
//! takes a [`Clock`] and an [`Entropy`].

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fmt, process};

use model::{Clock, Entropy, Timestamp};
use rand::TryRng;
#[expect(clippy::disallowed_types, reason = "this is where the ambient ones are read")]
use rand::rngs::SysRng;

/// The clock of the machine.
#[derive(Debug)]
pub(crate) struct SystemClock {
    /// What [`Clock::elapsed`] counts from.
    start: Instant,
}

impl SystemClock {
    /// The clock of the machine, whose elapsed time begins now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    pub(crate) fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    fn now(&self) -> Timestamp {
        let nanoseconds = |distance: Duration| i64::try_from(distance.as_nanos()).unwrap_or(i64::MAX);
        Timestamp::from_nanoseconds(match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => nanoseconds(since),
            // A machine that believes it is before 1970.
            Err(before) => -nanoseconds(before.duration()),
        })
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The random numbers of the operating system.
///
/// When the system has none, the process ends at once: every secret, id and token that it would hand out from then
/// on could be guessed, and nothing that was answered is lost by an abort. Systems give random numbers without fail
/// once they have booted, so no caller is made to handle it.
#[derive(Debug)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = SysRng.try_fill_bytes(bytes) {
            tracing::error!(%error, "the system gives no random numbers");
            process::abort();
        }
    }
}

/// As [`SystemEntropy`], with seeds fetched in stock: a server needs one for each request, and to ask the system each
/// time costs more than anything else that a request does with its seed.
#[derive(Default)]
pub(crate) struct StockedEntropy(Mutex<Vec<u128>>);

/// Seeds fetched at once.
const STOCK: usize = 128;

impl Entropy for StockedEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        SystemEntropy.fill(bytes);
    }

    fn seed(&self) -> u128 {
        // A panic while the lock is held leaves seeds that nobody was given.
        let mut stock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seed) = stock.pop() {
            return seed;
        }
        let mut bytes = [0; STOCK * size_of::<u128>()];
        SystemEntropy.fill(&mut bytes);
        let (seeds, _) = bytes.as_chunks();
        stock.extend(seeds.iter().map(|seed| u128::from_le_bytes(*seed)));
        drop(stock);
        SystemEntropy.seed()
    }
}

/// Seeds that are still to be given are nobody's to see.
impl fmt::Debug for StockedEntropy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StockedEntropy").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn time_goes_on_and_chance_differs() {
        let clock = SystemClock::new();
        let (now, elapsed) = (clock.now(), clock.elapsed());
        assert!(now > Timestamp::from_seconds(1_700_000_000));
        assert!(clock.elapsed() >= elapsed && clock.elapsed() < Duration::from_secs(60));
        assert_ne!(SystemEntropy.seed(), SystemEntropy.seed());
    }

    #[test]
    fn no_seed_is_given_twice() {
        let entropy = StockedEntropy::default();
        let seeds: HashSet<u128> = (0..3 * STOCK).map(|_| entropy.seed()).collect();
        assert_eq!(seeds.len(), 3 * STOCK);
        assert_eq!(format!("{entropy:?}"), "StockedEntropy { .. }");
    }
}
