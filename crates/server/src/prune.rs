//! The loop that keeps the change log within its bounds.

use std::sync::Arc;
use std::time::Duration;

use model::Clock;
use operations::log::{self, Bounds};
use storage::Store;
use tokio::sync::watch;

use crate::failure::chain;

/// How long a log that is within its bounds is left alone.
const REST: Duration = Duration::from_secs(60);

/// Prunes once a minute until `drain` becomes true; then at the end of a step.
pub(crate) async fn run(
    store: Store,
    clock: Arc<dyn Clock>,
    bounds: Bounds,
    mut drain: watch::Receiver<bool>,
) {
    loop {
        while !*drain.borrow() && step(&store, &*clock, bounds).await {}
        tokio::select! {
            _ = drain.wait_for(|draining| *draining) => return,
            () = tokio::time::sleep(REST) => {}
        }
    }
}

/// Takes one batch away. Answers whether there may be another.
async fn step(store: &Store, clock: &dyn Clock, bounds: Bounds) -> bool {
    let now = clock.now();
    let pruned = store.write_in_background(move |tx| log::prune(tx, now, &bounds)).await;
    pruned.unwrap_or_else(|error: operations::Error| {
        tracing::warn!(cause = chain(&error), "the change log was not pruned; next try in a minute");
        false
    })
}

#[cfg(test)]
mod tests {
    use headwater_testkit::{FixedEntropy, TestStore};
    use model::{Operation, Secret};
    use operations::apps;
    use storage::log::Retention;

    use super::*;
    use crate::operator::context;

    /// More than two steps take.
    const ENTRIES: u64 = 2500;

    async fn fill(store: &TestStore) {
        let ctx = context(Operation::CreateApp, store.clock(), &FixedEntropy::default());
        let (api_key, secret) = ("key".to_owned(), Secret::new("secret".to_owned()));
        let create = apps::Create { name: api_key.clone(), api_key, secret };
        let filled = store.write(move |tx| {
            apps::create(tx, &ctx, &create)?;
            (1..ENTRIES).try_for_each(|_| apps::suspend(tx, &ctx, "key", ""))
        });
        filled.await.unwrap();
    }

    /// How many of the entries that are older than now one more step takes away.
    async fn left(store: &TestStore) -> usize {
        let retention = Retention { since: store.clock().now(), bytes: u64::MAX };
        store.write(move |tx| storage::log::prune(tx, &retention)).await.unwrap()
    }

    #[tokio::test]
    async fn the_log_is_pruned_step_by_step_until_the_drain() {
        let store = TestStore::open();
        fill(&store).await;
        store.clock().advance(2_000_000_000);
        let (begin_drain, drain) = watch::channel(true);
        let bounds = Bounds { age: Duration::from_secs(1), bytes: u64::MAX };
        let prune = |drain| run(store.clone(), store.shared_clock(), bounds, drain);

        let before = store.gauges().closures_committed;
        prune(drain.clone()).await;
        assert_eq!(store.gauges().closures_committed, before, "pruned while draining");

        begin_drain.send_replace(false);
        let pruning = tokio::spawn(prune(drain));
        while store.gauges().closures_committed < before + ENTRIES.div_ceil(1000) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        begin_drain.send_replace(true);
        pruning.await.unwrap();
        assert_eq!(left(&store).await, 0);
    }
}
