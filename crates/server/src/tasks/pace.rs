//! How work that nobody waits for makes way for requests that somebody waits for.
//!
//! A step takes the writer for some milliseconds, and what it has written is to be copied by a checkpoint, for which every
//! write waits. So the more there are of others, the longer the loop rests after a step.

use std::time::Duration;

use storage::Gauges;

/// Requests a second with which the loop rests as long as it has worked.
const EVEN: u128 = 50;

/// How many times as long as it has worked the loop rests at most. 1,000,000 messages then take a quarter of an hour, and others
/// hardly notice: with 9, one write in a hundred took twice as long as without the deletion.
const MOST: u32 = 19;

/// The longest rest, however long a step took.
const LONGEST: Duration = Duration::from_millis(500);

/// What was seen of others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    answered: u64,
    at: Duration,
}

impl Pace {
    /// How long to rest at `now` after something that took `took`, of which `own` calls of the store were the loop's own since
    /// it asked last.
    pub(super) fn rest(&mut self, gauges: &Gauges, now: Duration, took: Duration, own: u64) -> Duration {
        let answered = gauges.closures_committed + gauges.closures_refused + gauges.reads;
        let others = answered.saturating_sub(self.answered).saturating_sub(own);
        let since = now.saturating_sub(self.at);
        (self.answered, self.at) = (answered, now);
        // Nobody knows how long those before the first look took.
        let nanoseconds = since.as_nanos().max(1);
        let hundredths = u128::from(others) * 1_000_000_000 * 100 / EVEN / nanoseconds;
        let hundredths = u32::try_from(hundredths).unwrap_or(u32::MAX).min(MOST * 100);
        (took * hundredths / 100).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const TOOK: Duration = Duration::from_millis(10);

    fn rests(requests: &[u64]) -> Vec<Duration> {
        let (mut pace, mut gauges, mut now) = (Pace::default(), Gauges::default(), Duration::ZERO);
        let mut rest = |requests: &u64| {
            // Half of them read; two are the loop's own.
            gauges.reads += requests / 2 + 1;
            gauges.closures_committed += requests.div_ceil(2) + 1;
            now += SECOND;
            pace.rest(&gauges, now, TOOK, 2)
        };
        requests.iter().map(&mut rest).collect()
    }

    #[test]
    fn the_more_there_are_of_others_the_longer_is_the_rest() {
        let milliseconds = [0, 5, 10, 20, 90, 190].map(Duration::from_millis);
        assert_eq!(rests(&[0, 25, 50, 100, 450, 100_000]), milliseconds);
    }

    #[test]
    fn when_others_have_gone_it_goes_on_at_once() {
        assert_eq!(rests(&[100_000, 0]), [TOOK * MOST, Duration::ZERO]);
    }

    #[test]
    fn a_rest_has_an_end() {
        let gauges = Gauges { reads: 1_000_000, ..Gauges::default() };
        assert_eq!(Pace::default().rest(&gauges, SECOND, 60 * SECOND, 0), LONGEST);
    }
}
