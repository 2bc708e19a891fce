//! What is stored stays stored, a closed store leaves nothing behind, and the log of a running one stays small.

use std::fs;
use std::thread;

use headwater_storage::{Durability, Error, Sql, Store};
use headwater_testkit::{Engine, on_each_engine};

use crate::support::{Gate, insert, notes, open, open_on, open_with, options, until};

#[tokio::test]
async fn a_restart_keeps_the_data_and_the_log_is_empty() {
    let fixture = open();
    for id in 1..=3 {
        fixture.store.write(insert(id)).await.unwrap();
    }
    let log = fixture.directory.path().join("headwater.db-wal");
    assert!(log.exists());
    fixture.store.close();
    assert!(!log.exists());
    let fixture = fixture.reopen();
    assert_eq!(fixture.notes().await, [1, 2, 3]);
}

async fn what_waits_when_the_store_closes_is_done(engine: Engine) {
    let fixture = open_on(engine);
    let gate = Gate::default();
    let held = fixture.store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let waiting: Vec<_> = (1..=20).map(|id| fixture.store.write(insert(id))).collect();
    let background = fixture.store.write_in_background(insert(21));
    let closing = thread::spawn({
        let store = fixture.store.clone();
        move || store.close()
    });
    until(|| fixture.store.gauges().writes_waiting == 0).await;
    assert!(matches!(fixture.store.write(insert(22)).await, Err(Error::Closed)));
    assert!(matches!(fixture.store.read(insert(22)).await, Err(Error::Closed)));
    assert!(matches!(fixture.store.write_in_background(insert(22)).await, Err(Error::Closed)));

    gate.open();
    closing.join().unwrap();
    held.await.unwrap();
    for answer in waiting {
        answer.await.unwrap();
    }
    background.await.unwrap();
    let fixture = fixture.reopen();
    assert_eq!(fixture.notes().await, (1..=21).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_store_that_is_only_dropped_finishes_and_frees_the_directory() {
    let fixture = open();
    let gate = Gate::default();
    let held = fixture.store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let waiting = fixture.store.write(insert(1));
    drop(fixture.store);
    gate.open();
    held.await.unwrap();
    waiting.await.unwrap();

    let mut opened = None;
    until(|| {
        opened = Store::open(options(fixture.directory.path(), &fixture.clock)).ok();
        opened.is_some()
    })
    .await;
    let stored = opened.unwrap().read(notes).await.unwrap();
    assert_eq!(stored, [1]);
}

#[tokio::test]
async fn a_store_without_durability_keeps_data_while_it_runs() {
    let fixture = open_with(|options| options.durability = Durability::Off);
    fixture.store.write(insert(1)).await.unwrap();
    assert_eq!(fixture.notes().await, [1]);
}

#[tokio::test]
async fn checkpoints_bound_the_log_under_a_long_run_of_writes() {
    const REWRITE: Sql = Sql::new("INSERT OR REPLACE INTO notes VALUES (1, zeroblob(2000000))");
    let fixture = open_with(|options| options.durability = Durability::Off);
    for _ in 0..200 {
        fixture.store.write::<_, Error, _>(|tx| tx.execute(REWRITE, &[])).await.unwrap();
    }
    let log = fs::metadata(fixture.directory.path().join("headwater.db-wal")).unwrap().len();
    assert!(log < 140_000_000, "{log} bytes for 400 MB of writes and a checkpoint every 131 MB");
    assert!(fixture.store.gauges().checkpoints >= 3);
}

#[tokio::test]
async fn an_idle_store_empties_its_log() {
    let fixture = open();
    fixture.store.write(insert(1)).await.unwrap();
    let log = fixture.directory.path().join("headwater.db-wal");
    until(|| fs::metadata(&log).unwrap().len() == 0).await;
    until(|| fixture.store.gauges().wal_pages == 0).await;
    assert_eq!(fixture.notes().await, [1]);
}

on_each_engine!(what_waits_when_the_store_closes_is_done,);
