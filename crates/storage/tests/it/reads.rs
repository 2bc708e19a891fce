//! Reads see what was answered before them, cannot write, and end within their budget.

use std::time::Duration;

use headwater_storage::{Error, Sql, Tx};
use headwater_testkit::{Engine, on_each_engine};

use crate::support::{Gate, insert, notes, open, open_on, open_on_with};

const ENDLESS: Sql =
    Sql::new("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n");

fn endless(tx: &mut Tx<'_>) -> Result<Vec<i64>, Error> {
    tx.query(ENDLESS, &[], |row| row.integer(0))
}

async fn a_read_sees_every_write_that_was_answered(engine: Engine) {
    let fixture = open_on_with(engine, |options| options.readers = 4);
    for id in 1..=50 {
        fixture.store.write(insert(id)).await.unwrap();
        assert_eq!(fixture.notes().await.last(), Some(&id));
    }
    assert_eq!(fixture.store.gauges().reads, 50);
}

async fn a_read_is_one_snapshot(engine: Engine) {
    let fixture = open_on(engine);
    let gate = Gate::default();
    let at_gate = gate.clone();
    let seen = fixture.store.read(move |tx| {
        let before = notes(tx)?;
        at_gate.pass();
        Ok::<_, Error>((before, notes(tx)?))
    });
    gate.wait_for_arrival();
    fixture.store.write(insert(1)).await.unwrap();
    gate.open();
    assert_eq!(seen.await.unwrap(), (vec![], vec![]));
    assert_eq!(fixture.notes().await, [1]);
}

#[tokio::test]
async fn a_read_cannot_write() {
    let fixture = open();
    for statement in
        ["INSERT INTO notes (id) VALUES (1)", "CREATE TEMP TABLE scratch (id)", "PRAGMA user_version = 1"]
    {
        let statement = Sql::new(statement);
        let refused = fixture.store.read::<_, Error, _>(move |tx| tx.execute(statement, &[]));
        let failure = refused.await.unwrap_err();
        assert_eq!(failure.sqlite_code(), Some(rusqlite::ErrorCode::ReadOnly));
    }
    assert!(fixture.notes().await.is_empty());
}

async fn a_read_without_end_is_stopped_and_its_thread_works_on(engine: Engine) {
    let fixture = open_on(engine);
    let budget = Duration::from_secs(2);
    let propagates = |tx: &mut Tx<'_>| endless(tx).map(drop);
    let hides = |tx: &mut Tx<'_>| {
        let _ = endless(tx);
        Ok(())
    };
    for work in [propagates as fn(&mut Tx<'_>) -> Result<(), Error>, hides] {
        let gate = Gate::default();
        gate.open();
        let at_gate = gate.clone();
        let stopped = fixture.store.read::<_, Error, _>(move |tx| {
            at_gate.pass();
            work(tx)
        });
        gate.wait_for_arrival();
        fixture.clock.advance(budget);
        assert!(matches!(stopped.await, Err(Error::Timeout(limit)) if limit == budget));
        assert!(fixture.notes().await.is_empty());
    }
    assert_eq!(fixture.store.gauges().connections_reopened, 0);
}

async fn a_read_that_panics_fails_alone(engine: Engine) {
    let fixture = open_on(engine);
    let panicked = fixture.store.read::<(), Error, _>(|tx| {
        tx.query(Sql::new("SELECT 1"), &[], |_| -> Result<(), Error> { panic!("on purpose") })?;
        Ok(())
    });
    assert!(matches!(panicked.await, Err(Error::Panicked)));
    assert!(fixture.notes().await.is_empty());
}

#[tokio::test]
async fn a_reader_in_doubt_gets_a_new_connection() {
    let fixture = open();
    // That the read ends its transaction itself makes the thread's own COMMIT fail.
    fixture.store.read::<_, Error, _>(|tx| tx.execute(Sql::new("COMMIT"), &[])).await.unwrap();
    assert!(fixture.notes().await.is_empty());
    assert_eq!(fixture.store.gauges().connections_reopened, 1);
    // The new connection has the same limits.
    let refused = fixture.store.read(insert(1)).await;
    assert!(matches!(refused, Err(Error::Statement { .. })));
}

on_each_engine!(
    a_read_sees_every_write_that_was_answered,
    a_read_is_one_snapshot,
    a_read_without_end_is_stopped_and_its_thread_works_on,
    a_read_that_panics_fails_alone,
);
