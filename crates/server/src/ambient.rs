//! The real clock and the system's random numbers: the only place of the program that reads them. Everything else
//! takes a [`Clock`] and an [`Entropy`].

use std::process;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_and_chance_differs() {
        let clock = SystemClock::new();
        let (now, elapsed) = (clock.now(), clock.elapsed());
        assert!(now > Timestamp::from_seconds(1_700_000_000));
        assert!(clock.elapsed() >= elapsed && clock.elapsed() < Duration::from_secs(60));
        assert_ne!(SystemEntropy.seed(), SystemEntropy.seed());
    }
}
