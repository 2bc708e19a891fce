//! The loop that wipes what deleted users have left in the files of the database (semantics 10.9).

use std::sync::Arc;
use std::time::Duration;

use model::Clock;
use operations::{Error, erasure};
use storage::Store;
use storage::scrub::Scrub;
use tokio::sync::watch;

use crate::failure::chain;

/// How long the loop rests when nothing is to be wiped. A scrub goes through the whole database: one an hour is for everybody
/// who was deleted in it.
const REST: Duration = Duration::from_hours(1);

/// How long it waits for readers that keep the write-ahead log from being cut.
const WAIT: Duration = Duration::from_millis(250);

/// Scrubs when it is time to, until `drain` becomes true; then ends with the step that is being taken.
pub(crate) async fn run(store: Store, clock: Arc<dyn Clock>, mut drain: watch::Receiver<bool>) {
    loop {
        if let Err(error) = scrub(&store, &*clock, &drain).await {
            tracing::warn!(
                cause = chain(&error),
                "the database was not scrubbed of deleted users; next try in an hour"
            );
        }
        tokio::select! {
            _ = drain.wait_for(|draining| *draining) => return,
            () = tokio::time::sleep(REST) => {}
        }
    }
}

/// Scrubs once, if it is time to. One that is broken off is begun again by the next.
async fn scrub(store: &Store, clock: &dyn Clock, drain: &watch::Receiver<bool>) -> Result<(), Error> {
    let since = clock.now();
    if !store.look_up(move |tx| erasure::is_to_scrub(tx, since)).await? {
        return Ok(());
    }
    let mut scrub = Scrub::default();
    while !*drain.borrow() {
        let next = store.write_in_background(move |tx| erasure::scrub(tx, &scrub, since)).await?;
        let Some(next) = next else {
            tracing::info!("the database was scrubbed of deleted users");
            return Ok(());
        };
        if next.is_waiting() {
            tokio::time::sleep(WAIT).await;
        }
        scrub = next;
    }
    Ok(())
}
