//! What waits may be refused, withdrawn or timed out; what was begun is finished and answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use headwater_storage::{Error, Tx};
use headwater_testkit::{Engine, on_each_engine};
use tokio::time::timeout;

use crate::support::{Gate, insert, open_on, open_on_with};

const SHORT: Duration = Duration::from_millis(20);

/// Counts how often it runs.
fn counting(runs: &Arc<AtomicUsize>) -> impl Fn(&mut Tx<'_>) -> Result<(), Error> + Send + 'static {
    let runs = Arc::clone(runs);
    move |_| {
        runs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

async fn a_full_queue_refuses_and_runs_nothing(engine: Engine) {
    let fixture = open_on_with(engine, |options| options.queue = 2);
    let store = &fixture.store;
    let (gate, runs) = (Gate::default(), Arc::default());
    let held = store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let waiting = [store.write(insert(1)), store.write(insert(2))];
    assert_eq!(store.gauges().writes_waiting, 2);
    assert!(matches!(store.write(counting(&runs)).await, Err(Error::Busy)));
    // The lanes do not fill each other.
    let background = store.write_in_background(insert(3));
    assert!(fixture.notes().await.is_empty());

    gate.open();
    held.await.unwrap();
    for answer in waiting {
        answer.await.unwrap();
    }
    background.await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    assert_eq!(fixture.notes().await, [1, 2, 3]);
}

async fn a_full_queue_of_reads_refuses_and_runs_nothing(engine: Engine) {
    let fixture = open_on_with(engine, |options| options.queue = 1);
    let store = &fixture.store;
    let (gate, runs) = (Gate::default(), Arc::default());
    let held = store.read::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let waiting = store.read(counting(&runs));
    assert!(matches!(store.read(counting(&runs)).await, Err(Error::Busy)));
    gate.open();
    held.await.unwrap();
    waiting.await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

async fn a_write_that_waits_too_long_is_withdrawn(engine: Engine) {
    let fixture = open_on_with(engine, |options| options.write_budget = SHORT);
    let store = &fixture.store;
    let (gate, runs) = (Gate::default(), Arc::default());
    let held = store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    assert!(matches!(store.write(counting(&runs)).await, Err(Error::Timeout(SHORT))));
    assert!(matches!(store.write_in_background(counting(&runs)).await, Err(Error::Timeout(SHORT))));
    gate.open();
    held.await.unwrap();
    // Closing takes everything out of the queues that is still in them.
    store.close();
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

async fn a_read_that_waits_too_long_is_withdrawn(engine: Engine) {
    let fixture = open_on_with(engine, |options| options.read_budget = SHORT);
    let store = &fixture.store;
    let (gate, runs) = (Gate::default(), Arc::default());
    let held = store.read::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    assert!(matches!(store.read(counting(&runs)).await, Err(Error::Timeout(SHORT))));
    gate.open();
    held.await.unwrap();
    store.close();
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

async fn a_caller_that_hangs_up_takes_back_what_was_not_begun(engine: Engine) {
    let fixture = open_on(engine);
    let store = &fixture.store;
    let (gate, runs) = (Gate::default(), Arc::default());
    let held = store.write::<_, Error, _>(gate.hold());
    let held_read = store.read::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    drop(store.write(counting(&runs)));
    drop(store.write_in_background(counting(&runs)));
    gate.open();
    held.await.unwrap();
    held_read.await.unwrap();
    store.write(insert(1)).await.unwrap();
    store.write_in_background(insert(2)).await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    assert_eq!(store.gauges().closures_committed, 3);
}

async fn a_caller_that_hangs_up_later_loses_the_answer_and_not_the_write(engine: Engine) {
    let fixture = open_on(engine);
    let gate = Gate::default();
    let at_gate = gate.clone();
    let begun = fixture.store.write(move |tx| {
        at_gate.pass();
        insert(1)(tx)
    });
    gate.wait_for_arrival();
    drop(begun);
    gate.open();
    fixture.store.write(insert(2)).await.unwrap();
    assert_eq!(fixture.notes().await, [1, 2]);
}

async fn a_write_that_was_begun_is_waited_for_beyond_its_budget(engine: Engine) {
    let fixture = open_on_with(engine, |options| options.write_budget = SHORT);
    let gate = Gate::default();
    let mut held = fixture.store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    assert!(timeout(SHORT * 5, &mut held).await.is_err());
    gate.open();
    held.await.unwrap();
}

on_each_engine!(
    a_full_queue_refuses_and_runs_nothing,
    a_full_queue_of_reads_refuses_and_runs_nothing,
    a_write_that_waits_too_long_is_withdrawn,
    a_read_that_waits_too_long_is_withdrawn,
    a_caller_that_hangs_up_takes_back_what_was_not_begun,
    a_caller_that_hangs_up_later_loses_the_answer_and_not_the_write,
    a_write_that_was_begun_is_waited_for_beyond_its_budget,
);
