//! What operators watch, in the text format of Prometheus.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hyper::StatusCode;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use storage::Store;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    operation: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

/// The counters of one front.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter<u64, AtomicU64>>,
    seconds: Family<OperationLabel, Histogram, fn() -> Histogram>,
}

impl Metrics {
    pub(crate) fn new(store: Store) -> Self {
        let mut registry = Registry::with_prefix("headwater");
        let requests = Family::default();
        registry.register("requests", "Requests by operation and status", requests.clone());
        // 0.1 ms to 3.3 s, each step twice the one before.
        let buckets: fn() -> Histogram = || Histogram::new(exponential_buckets(0.0001, 2.0, 16));
        let seconds = Family::new_with_constructor(buckets);
        registry.register(
            "request_seconds",
            "Time from the arrival of a request to its answer",
            seconds.clone(),
        );
        registry.register_collector(Box::new(StoreCollector(store)));
        Self { registry, requests, seconds }
    }

    /// Counts a request. Requests that lead nowhere count as the operation `Request`.
    pub(crate) fn count(&self, operation: &'static str, status: StatusCode, taken: Duration) {
        self.requests.get_or_create(&Labels { operation, status: status.as_u16() }).inc();
        self.seconds.get_or_create(&OperationLabel { operation }).observe(taken.as_secs_f64());
    }

    /// Everything, as text.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Reads the gauges of the store when they are asked for.
#[derive(Debug)]
struct StoreCollector(Store);

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let gauges = self.0.gauges();
        let waiting = [
            ("store_writes_waiting", "Writes in the queue", gauges.writes_waiting),
            ("store_background_waiting", "Background writes in the queue", gauges.background_waiting),
            ("store_reads_waiting", "Reads in the queue", gauges.reads_waiting),
            ("store_wal_pages", "Pages in the write-ahead log", gauges.wal_pages),
        ];
        for (name, help, value) in waiting {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let done = [
            ("store_batches_committed", "Transactions committed", gauges.batches_committed),
            ("store_closures_committed", "Writes committed", gauges.closures_committed),
            ("store_closures_refused", "Writes rolled back", gauges.closures_refused),
            ("store_batches_undone", "Batches that one failure undid", gauges.batches_undone),
            ("store_commits_failed", "Commits with an unknown outcome", gauges.commits_failed),
            ("store_reads", "Reads answered", gauges.reads),
            ("store_connections_reopened", "Connections opened again", gauges.connections_reopened),
            ("store_checkpoints", "Checkpoints run", gauges.checkpoints),
        ];
        for (name, help, value) in done {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}
