//! A failure in a batch hits the closure that caused it, and nobody else.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use headwater_storage::{Error, Sql, Tx};
use headwater_testkit::{Engine, on_each_engine};

use crate::support::{Gate, INSERT, INSERT_MEGABYTE, insert, notes, open, open_on, open_with};

/// What an operation makes of a failure of the store, or says of its own.
#[derive(Debug)]
enum Failure {
    Refused,
    Storage,
}

impl From<Error> for Failure {
    fn from(_: Error) -> Self {
        Self::Storage
    }
}

/// Violates a foreign key in a way that only the commit notices.
fn commit_fails(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.execute(Sql::new("PRAGMA defer_foreign_keys = ON"), &[])?;
    tx.execute(Sql::new("INSERT INTO replies (note) VALUES (404)"), &[])?;
    Ok(())
}

#[tokio::test]
async fn the_guilty_fail_and_exactly_the_others_are_stored() {
    let fixture = open_with(|options| options.max_pages = Some(64));
    let store = &fixture.store;
    let gate = Gate::default();
    let held = store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();

    let first = store.write(insert(1));
    let panics = store.write::<(), Error, _>(|tx| {
        tx.execute(INSERT, &[2.into()])?;
        panic!("on purpose");
    });
    let refused = store.write::<(), Failure, _>(|tx| {
        tx.execute(INSERT, &[3.into()])?;
        Err(Failure::Refused)
    });
    let hides_a_conflict = store.write::<_, Error, _>(|tx| {
        tx.execute(INSERT, &[4.into()])?;
        let _ = tx.execute(INSERT, &[1.into()]);
        Ok(())
    });
    let second = store.write(insert(5));
    let fills_the_disk = store.write::<_, Error, _>(|tx| tx.execute(INSERT_MEGABYTE, &[6.into()]));
    let third = store.write(insert(7));
    let hides_a_full_disk = store.write::<_, Error, _>(|tx| {
        tx.execute(INSERT, &[8.into()])?;
        let _ = tx.execute(INSERT_MEGABYTE, &[9.into()]);
        Ok(())
    });
    let fourth = store.write(insert(10));
    assert_eq!(store.gauges().writes_waiting, 9);
    gate.open();

    held.await.unwrap();
    first.await.unwrap();
    assert!(matches!(panics.await, Err(Error::Panicked)));
    assert!(matches!(refused.await, Err(Failure::Refused)));
    assert!(matches!(hides_a_conflict.await, Err(Error::Statement { .. })));
    second.await.unwrap();
    assert!(matches!(fills_the_disk.await, Err(Error::Statement { .. })));
    third.await.unwrap();
    assert!(matches!(hides_a_full_disk.await, Err(Error::Statement { .. })));
    fourth.await.unwrap();

    let gauges = store.gauges();
    // The three up to the panic were undone to run again with savepoints, then the seven up to the one that filled the
    // disk to run one by one, then the next two.
    assert_eq!((gauges.batches_undone, gauges.closures_run_again), (3, 12));
    assert_eq!((gauges.closures_committed, gauges.closures_refused), (5, 5));
    assert_eq!(gauges.connections_reopened, 0);

    let fixture = fixture.reopen();
    assert_eq!(fixture.notes().await, [1, 5, 7, 10]);
}

#[tokio::test]
async fn a_refusal_before_anything_is_written_costs_the_batch_nothing() {
    let fixture = open();
    let store = &fixture.store;
    let gate = Gate::default();
    let held = store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let stored = store.write(insert(1));
    let refused = store.write::<(), Failure, _>(|tx| {
        notes(tx)?;
        Err(Failure::Refused)
    });
    gate.open();

    held.await.unwrap();
    stored.await.unwrap();
    assert!(matches!(refused.await, Err(Failure::Refused)));
    let gauges = store.gauges();
    assert_eq!((gauges.batches_committed, gauges.batches_undone), (1, 0));
    assert_eq!((gauges.closures_committed, gauges.closures_refused), (2, 1));
    assert_eq!(fixture.notes().await, [1]);
}

#[tokio::test]
async fn what_one_closure_wrote_and_refused_is_undone_alone() {
    let fixture = open();
    let store = &fixture.store;
    let gate = Gate::default();
    let held = store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let stored = store.write(insert(1));
    let refused = store.write::<(), Failure, _>(|tx| {
        tx.execute(INSERT, &[2.into()])?;
        Err(Failure::Refused)
    });
    // It sees what came before it in the batch, and nothing of what was refused.
    let seen = store.write(notes);
    gate.open();

    held.await.unwrap();
    stored.await.unwrap();
    assert!(matches!(refused.await, Err(Failure::Refused)));
    assert_eq!(seen.await.unwrap(), [1]);
    let gauges = store.gauges();
    assert_eq!((gauges.batches_committed, gauges.batches_undone), (1, 1));
    assert_eq!((gauges.closures_committed, gauges.closures_refused), (3, 1));
}

#[tokio::test]
async fn a_batch_that_runs_again_and_is_dropped_then_loses_nobody() {
    let fixture = open_with(|options| options.max_pages = Some(64));
    let store = &fixture.store;
    let gate = Gate::default();
    let held = store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let runs = Arc::new(AtomicU32::new(0));
    let fills_the_disk_later =
        store.write::<_, Error, _>(move |tx| match runs.fetch_add(1, Ordering::Relaxed) {
            0 => tx.execute(INSERT, &[1.into()]),
            _ => tx.execute(INSERT_MEGABYTE, &[1.into()]),
        });
    let stored = store.write(insert(2));
    let refused = store.write::<(), Failure, _>(|tx| {
        tx.execute(INSERT, &[3.into()])?;
        Err(Failure::Refused)
    });
    let last = store.write(insert(4));
    gate.open();

    held.await.unwrap();
    assert!(matches!(fills_the_disk_later.await, Err(Error::Statement { .. })));
    stored.await.unwrap();
    assert!(matches!(refused.await, Err(Failure::Refused)));
    last.await.unwrap();
    assert_eq!(fixture.notes().await, [2, 4]);
}

async fn a_batch_of_refusals_commits_nothing(engine: Engine) {
    let fixture = open_on(engine);
    let refused = fixture.store.write::<(), Failure, _>(|tx| {
        tx.execute(INSERT, &[1.into()])?;
        Err(Failure::Refused)
    });
    assert!(matches!(refused.await, Err(Failure::Refused)));
    let gauges = fixture.store.gauges();
    assert_eq!((gauges.batches_committed, gauges.closures_refused), (0, 1));
    assert!(fixture.notes().await.is_empty());
}

async fn a_failure_that_is_hidden_is_not_stored(engine: Engine) {
    let fixture = open_on(engine);
    fixture.store.write(insert(1)).await.unwrap();
    let hides = fixture.store.write::<_, Error, _>(|tx| {
        tx.execute(INSERT, &[2.into()])?;
        let _ = tx.execute(INSERT, &[1.into()]);
        let _ = tx.execute(INSERT, &[3.into()]);
        Ok(())
    });
    assert!(matches!(hides.await, Err(Error::Statement { .. })));
    assert_eq!(fixture.notes().await, [1]);
}

#[tokio::test]
async fn a_failed_commit_leaves_the_batch_unknown_and_the_service_running() {
    let fixture = open();
    let store = &fixture.store;
    let gate = Gate::default();
    let held = store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    let neighbour = store.write(insert(1));
    let guilty = store.write(commit_fails);
    gate.open();

    assert!(matches!(held.await, Err(Error::OutcomeUnknown(_))));
    assert!(matches!(neighbour.await, Err(Error::OutcomeUnknown(_))));
    assert!(matches!(guilty.await, Err(Error::OutcomeUnknown(_))));

    store.write(insert(2)).await.unwrap();
    assert_eq!(fixture.notes().await, [2]);
    let gauges = store.gauges();
    assert_eq!((gauges.commits_failed, gauges.connections_reopened), (1, 1));
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_again_refuses_until_it_can() {
    let fixture = open();
    let store = &fixture.store;
    let file = fixture.directory.path().join("headwater.db");
    let elsewhere = fixture.directory.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    assert!(matches!(store.write(commit_fails).await, Err(Error::OutcomeUnknown(_))));
    assert!(matches!(store.write(insert(1)).await, Err(Error::Unavailable(_))));
    assert!(matches!(store.write_in_background(insert(2)).await, Err(Error::Unavailable(_))));

    fs::rename(&elsewhere, &file).unwrap();
    store.write(insert(3)).await.unwrap();
    assert_eq!(fixture.notes().await, [3]);
    assert_eq!(store.gauges().connections_reopened, 1);
}

async fn a_closure_that_ends_the_transaction_itself_is_never_told_that_it_is_stored(engine: Engine) {
    let fixture = open_on(engine);
    for end in [Sql::new("COMMIT"), Sql::new("ROLLBACK")] {
        let ended = fixture.store.write::<_, Error, _>(move |tx| tx.execute(end, &[]));
        assert!(matches!(ended.await, Err(Error::OutcomeUnknown(_))));
    }
    fixture.store.write(insert(1)).await.unwrap();
    assert_eq!(fixture.notes().await, [1]);
}

async fn a_result_that_panics_when_dropped_costs_nobody_an_answer(engine: Engine) {
    struct PanicsWhenDropped;
    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }

    let fixture = open_on(engine);
    let gate = Gate::default();
    let at_gate = gate.clone();
    let answer = fixture.store.write::<_, Error, _>(move |_| {
        at_gate.pass();
        Ok(PanicsWhenDropped)
    });
    gate.wait_for_arrival();
    let neighbour = fixture.store.write(insert(1));
    // Nobody takes the result, so the writer drops it.
    drop(answer);
    gate.open();
    neighbour.await.unwrap();
    assert_eq!(fixture.notes().await, [1]);
}

async fn a_panic_outside_of_a_closure_does_not_end_the_writer(engine: Engine) {
    struct Unconvertible;
    impl From<Error> for Unconvertible {
        fn from(_: Error) -> Self {
            panic!("on purpose");
        }
    }

    let fixture = open_on(engine);
    let gate = Gate::default();
    let at_gate = gate.clone();
    let answer = fixture.store.write::<(), Unconvertible, _>(move |_| {
        at_gate.pass();
        panic!("on purpose");
    });
    gate.wait_for_arrival();
    let neighbour = fixture.store.write(insert(1));
    drop(answer);
    gate.open();
    // It had not run yet, and comes in the next batch.
    neighbour.await.unwrap();
    assert_eq!(fixture.notes().await, [1]);
    assert_eq!(fixture.store.gauges().connections_reopened, 1);
}

on_each_engine!(
    a_failure_that_is_hidden_is_not_stored,
    a_closure_that_ends_the_transaction_itself_is_never_told_that_it_is_stored,
    a_batch_of_refusals_commits_nothing,
    a_result_that_panics_when_dropped_costs_nobody_an_answer,
    a_panic_outside_of_a_closure_does_not_end_the_writer,
);
