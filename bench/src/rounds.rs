//! Rounds: what is compared is measured in turns, so that whatever else the machine does falls on both.

use std::time::Duration;

use crate::failure::Failure;
use crate::samples::Samples;

/// What one measurement gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How many calls, statements or users.
    pub(crate) done: usize,
    /// In which time.
    pub(crate) elapsed: Duration,
    /// How long single ones took.
    pub(crate) samples: Samples,
}

impl Outcome {
    /// How many in a second.
    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    pub(crate) fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64()
    }
}

/// What all rounds of one measurement gave.
#[derive(Debug, Default)]
pub(crate) struct Series {
    rates: Vec<f64>,
    samples: Samples,
}

impl Series {
    /// How much was done in a second, round by round.
    pub(crate) fn rates(&self) -> &[f64] {
        &self.rates
    }

    /// The median and the 99th percentile of the latencies of all rounds, in milliseconds.
    pub(crate) fn latency(&mut self) -> Option<Latency> {
        Some(Latency { p50: self.samples.percentile(0.5)?, p99: self.samples.percentile(0.99)? })
    }
}

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Latency {
    /// The median.
    pub(crate) p50: f64,
    /// What 99 of 100 calls do not exceed.
    pub(crate) p99: f64,
}

/// A measurement on `T`.
pub(crate) type Measurement<'m, T> = &'m mut dyn FnMut(&mut T) -> Result<Outcome, Failure>;

/// Runs the measurements in turns, `rounds` times each, and tells of each round on standard error.
pub(crate) fn alternate<T, const N: usize>(
    label: &str,
    rounds: u32,
    on: &mut T,
    mut measurements: [Measurement<'_, T>; N],
) -> Result<[Series; N], Failure> {
    let mut all = [(); N].map(|()| Series::default());
    for round in 1..=rounds {
        for (series, measure) in all.iter_mut().zip(&mut measurements) {
            let outcome = measure(on)?;
            series.rates.push(outcome.rate());
            series.samples.extend(&outcome.samples);
        }
        let latest: Vec<String> =
            all.iter().filter_map(|series| Some(format!("{:.0}/s", series.rates.last()?))).collect();
        eprintln!("{label}, round {round} of {rounds}: {}", latest.join(", "));
    }
    Ok(all)
}
