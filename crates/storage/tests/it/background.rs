//! The background lane: one closure a batch, after the others, never starved.

use std::sync::{Arc, Mutex};

use headwater_storage::{Error, Tx};
use headwater_testkit::{Engine, on_each_engine};

use crate::support::{Gate, insert, open, open_on, open_with};

/// Notes when it runs.
fn noting(
    order: &Arc<Mutex<Vec<&'static str>>>,
    name: &'static str,
) -> impl Fn(&mut Tx<'_>) -> Result<(), Error> + Send + 'static {
    let order = Arc::clone(order);
    move |_| {
        order.lock().unwrap().push(name);
        Ok(())
    }
}

#[tokio::test]
async fn one_runs_with_each_batch_after_the_others() {
    let fixture = open();
    let store = &fixture.store;
    let (gate, order) = (Gate::default(), Arc::default());
    let held = store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let background: Vec<_> =
        (0..4).map(|_| store.write_in_background(noting(&order, "background"))).collect();
    let writes: Vec<_> = (0..3).map(|_| store.write(noting(&order, "write"))).collect();
    let gauges = store.gauges();
    assert_eq!((gauges.writes_waiting, gauges.background_waiting), (3, 4));
    gate.open();

    held.await.unwrap();
    for answer in background.into_iter().chain(writes) {
        answer.await.unwrap();
    }
    let order = order.lock().unwrap().join(" ");
    assert_eq!(order, "write write write background background background background");
    // The first batch took all writes and one of the background; three more were left for a batch each.
    assert_eq!(store.gauges().batches_committed, 4);
}

async fn one_runs_alone_when_nothing_else_waits(engine: Engine) {
    let fixture = open_on(engine);
    fixture.store.write_in_background(insert(1)).await.unwrap();
    assert_eq!(fixture.notes().await, [1]);
}

#[tokio::test]
async fn a_full_batch_of_writes_leaves_room_for_one() {
    let fixture = open_with(|options| options.queue = 1000);
    let store = &fixture.store;
    let (gate, order) = (Gate::default(), Arc::default());
    let held = store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let background = store.write_in_background(noting(&order, "background"));
    let writes: Vec<_> = (0..600).map(|_| store.write(noting(&order, "write"))).collect();
    gate.open();

    held.await.unwrap();
    background.await.unwrap();
    for answer in writes {
        answer.await.unwrap();
    }
    // A batch takes 256; the one at the gate was the first of them.
    assert_eq!(order.lock().unwrap().iter().position(|&name| name == "background"), Some(255));
    assert_eq!(store.gauges().batches_committed, 3);
}

on_each_engine!(one_runs_alone_when_nothing_else_waits,);
