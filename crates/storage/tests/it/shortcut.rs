//! A short read runs on the thread that asks for it; whatever else it turns out to be, readers begin it anew.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use headwater_storage::{Error, Sql, Tx};

use crate::support::{Fixture, Gate, insert, notes, open_with};

/// Enough steps for the engine to look at the clock.
const LONG: Sql = Sql::new(
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT COUNT(*) FROM n",
);

const BUDGET: Duration = Duration::from_millis(1);

fn open() -> Fixture {
    open_with(|options| options.shortcut_budget = BUDGET)
}

/// The threads on which a closure was run.
#[derive(Clone, Default)]
struct Runs(Arc<Mutex<Vec<ThreadId>>>);

impl Runs {
    /// Notes a run. Answers how many there were before.
    fn note(&self) -> usize {
        let mut runs = self.0.lock().unwrap();
        runs.push(thread::current().id());
        runs.len() - 1
    }

    /// For each run, whether it was here.
    fn here(&self) -> Vec<bool> {
        self.0.lock().unwrap().iter().map(|id| *id == thread::current().id()).collect()
    }
}

#[tokio::test]
async fn a_short_read_runs_where_it_is_asked_for_and_sees_what_was_answered() {
    let fixture = open();
    for id in 1..=20 {
        fixture.store.write(insert(id)).await.unwrap();
        let runs = Runs::default();
        let noted = runs.clone();
        let seen = fixture.store.read(move |tx| {
            noted.note();
            notes(tx)
        });
        assert_eq!(runs.here(), [true]);
        assert_eq!(seen.await.unwrap().last(), Some(&id));
    }
    assert_eq!(fixture.store.gauges().reads, 20);
}

#[tokio::test]
async fn a_read_that_takes_longer_is_run_by_a_reader_and_answered_once() {
    let fixture = open();
    let (runs, statements) = (Runs::default(), Arc::<AtomicU32>::default());
    let (noted, counted, clock) = (runs.clone(), Arc::clone(&statements), Arc::clone(&fixture.clock));
    let counts = fixture.store.read::<_, Error, _>(move |tx| {
        if noted.note() == 0 {
            clock.advance(BUDGET);
        }
        let counts = tx.query(LONG, &[], |row| row.integer(0));
        counted.store(tx.statements(), Ordering::Relaxed);
        counts
    });
    assert_eq!(counts.await.unwrap(), [20_000]);
    assert_eq!(runs.here(), [true, false]);
    assert_eq!(statements.load(Ordering::Relaxed), 1);
    let gauges = fixture.store.gauges();
    assert_eq!((gauges.reads, gauges.connections_reopened), (1, 0));
    assert!(fixture.notes().await.is_empty(), "the shortcut is open again");
}

#[tokio::test]
async fn a_failure_counts_only_from_a_reader() {
    let fixture = open();
    for hidden in [false, true] {
        let runs = Runs::default();
        let noted = runs.clone();
        let refused = fixture.store.read::<_, Error, _>(move |tx| {
            noted.note();
            let failed = insert(1)(tx);
            if hidden { Ok(()) } else { failed }
        });
        assert!(matches!(refused.await, Err(Error::Statement { .. })));
        assert_eq!(runs.here(), [true, false]);
    }
    assert_eq!(fixture.store.gauges().reads, 2);
}

#[tokio::test]
async fn a_refusal_of_the_closure_is_an_answer() {
    let fixture = open();
    let runs = Runs::default();
    let noted = runs.clone();
    let refused = fixture.store.read(move |_| {
        noted.note();
        Err::<(), _>(Error::Unreadable("note"))
    });
    assert!(matches!(refused.await, Err(Error::Unreadable("note"))));
    assert_eq!(runs.here(), [true]);
}

#[tokio::test]
async fn a_panic_on_the_shortcut_costs_its_read_only() {
    let fixture = open();
    let runs = Runs::default();
    let noted = runs.clone();
    let panicked = fixture.store.read::<(), Error, _>(move |tx| {
        noted.note();
        tx.query(Sql::new("SELECT 1"), &[], |_| -> Result<(), Error> { panic!("on purpose") })?;
        Ok(())
    });
    assert!(matches!(panicked.await, Err(Error::Panicked)));
    assert_eq!(runs.here(), [true]);
    assert!(fixture.notes().await.is_empty());
    assert_eq!(fixture.store.gauges().connections_reopened, 0);
}

#[tokio::test]
async fn a_connection_in_doubt_is_given_up() {
    let fixture = open();
    // That the read ends its transaction itself makes the COMMIT behind it fail.
    fixture.store.read::<_, Error, _>(|tx| tx.execute(Sql::new("COMMIT"), &[])).await.unwrap();
    assert!(fixture.notes().await.is_empty());
    assert_eq!(fixture.store.gauges().connections_reopened, 1);
}

#[tokio::test]
async fn where_the_shortcut_is_taken_a_reader_does_it() {
    let fixture = open();
    let gate = Gate::default();
    let held = thread::spawn({
        let (store, gate) = (fixture.store.clone(), gate.clone());
        // The gate stands open for the second run, should there be one.
        move || store.read::<_, Error, _>(gate.hold())
    });
    gate.wait_for_arrival();
    let runs = Runs::default();
    let noted = runs.clone();
    let seen = fixture.store.read(move |tx: &mut Tx<'_>| {
        noted.note();
        notes(tx)
    });
    assert!(seen.await.unwrap().is_empty());
    assert_eq!(runs.here(), [false]);
    gate.open();
    held.join().unwrap().await.unwrap();
}

#[tokio::test]
async fn closing_waits_for_the_shortcut_and_leaves_nothing_open() {
    let fixture = open();
    fixture.store.write(insert(1)).await.unwrap();
    let gate = Gate::default();
    let held = thread::spawn({
        let (store, gate) = (fixture.store.clone(), gate.clone());
        move || {
            store.read(move |tx| {
                let before = notes(tx)?;
                gate.pass();
                Ok::<_, Error>((before, notes(tx)?))
            })
        }
    });
    gate.wait_for_arrival();
    let closing = thread::spawn({
        let store = fixture.store.clone();
        move || store.close()
    });
    // It cannot be seen that it waits, only that it does not come to its end.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!closing.is_finished());
    gate.open();
    closing.join().unwrap();
    assert_eq!(held.join().unwrap().await.unwrap(), (vec![1], vec![1]));
    assert!(matches!(fixture.store.read(notes).await, Err(Error::Closed)));
    let log = fixture.directory.path().join("headwater.db-wal");
    assert!(!log.exists(), "the last connection takes the log with it");
    assert_eq!(fixture.reopen().notes().await, [1]);
}

#[test]
fn a_short_read_needs_no_runtime() {
    let fixture = open();
    let runs = Runs::default();
    let noted = runs.clone();
    let _answer = fixture.store.read::<_, Error, _>(move |_| {
        noted.note();
        Ok(())
    });
    assert_eq!(runs.here(), [true]);
}
