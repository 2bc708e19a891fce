//! How long single calls took.

use std::time::Duration;

/// Recorded latencies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// Adds one.
    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Adds those of another measurement.
    pub(crate) fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    /// The latency in milliseconds that `share` (0 to 1) of the calls did not exceed. `None` without calls.
    pub(crate) fn percentile(&mut self, share: f64) -> Option<f64> {
        let last = self.0.len().checked_sub(1)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place among some millions"
        )]
        let place = ((share * self.0.len() as f64).ceil() as usize).saturating_sub(1).min(last);
        let (_, latency, _) = self.0.select_nth_unstable(place);
        Some(latency.as_secs_f64() * 1000.0)
    }
}

/// The median; `None` without values.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(values[middle - 1], upper)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_recorded_values() {
        let mut samples = Samples::default();
        assert_eq!(samples.percentile(0.5), None);
        (1..=100).rev().for_each(|number| samples.record(Duration::from_millis(number)));
        for (share, expected) in [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            assert_eq!(samples.percentile(share), Some(expected), "{share}");
        }
    }

    #[test]
    fn the_median_lies_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
