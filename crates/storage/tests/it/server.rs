//! What a store makes of a PostgreSQL server: what it refuses to touch, what it does when others write at the same time,
//! and what becomes of it when the server goes away.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use headwater_storage::{Error, Migration, OpenError, PostgresOptions, PostgresUrl, Sql, Store, Tx};
use headwater_testkit::postgres::{self, Cluster, TestDatabase};
use headwater_testkit::{Engine, TestClock};
use model::Timestamp;

use crate::support::{
    Gate, NOTES_ON_POSTGRES, insert, notes, open_on, open_on_with, postgres_options, until,
};

/// An empty database, unless PostgreSQL is not here.
fn empty() -> Option<TestDatabase> {
    Some(postgres::shared()?.empty_database())
}

fn open_in(database: &TestDatabase, migrations: &'static [Migration]) -> Result<Store, OpenError> {
    Store::connect(PostgresOptions { migrations, ..postgres_options(database, &Arc::default()) })
}

#[track_caller]
fn refused(url: &str) -> OpenError {
    let url: PostgresUrl = url.parse().unwrap();
    let clock = Arc::<crate::support::StillClock>::default();
    Store::connect(PostgresOptions { migrations: NOTES_ON_POSTGRES, ..PostgresOptions::new(url, clock) })
        .unwrap_err()
}

#[test]
fn a_server_that_does_not_answer_or_does_not_let_in_is_named_without_the_password() {
    let Some(database) = empty() else { return };
    database.run(&["CREATE ROLE guarded LOGIN PASSWORD 'right'"]);
    let url = database.url_text();
    let check = |url: &str, expected: fn(&OpenError) -> bool| {
        let refusal = refused(url);
        assert!(expected(&refusal), "{url}: {refusal:?}");
        assert!(!refusal.hint().is_empty() && !refusal.to_string().contains("wrong"), "{refusal}");
    };
    check("postgres://u:wrong@127.0.0.1:1/d", |refusal| matches!(refusal, OpenError::Unreachable { .. }));
    check("postgres://u:wrong@%2Fnowhere/d", |refusal| matches!(refusal, OpenError::Unreachable { .. }));
    let as_user = |user: &str| url.replace("headwater@", &format!("{user}@"));
    check(&as_user("nobody"), |refusal| matches!(refusal, OpenError::Refused { .. }));
    check(&as_user("guarded:wrong"), |refusal| matches!(refusal, OpenError::Refused { .. }));
    check(&as_user("guarded"), |refusal| matches!(refusal, OpenError::Refused { .. }));
    check(&as_user("guarded:right"), |refusal| matches!(refusal, OpenError::ReadOnly(_)));
    check(&format!("{url}_other"), |refusal| matches!(refusal, OpenError::NoDatabase(_)));
    database.run(&["DROP ROLE guarded"]);
}

#[test]
fn tables_of_another_program_are_left_alone() {
    for statement in [
        "CREATE TABLE something (id BIGINT)",
        "CREATE TABLE schema_migrations (version TEXT PRIMARY KEY)",
        "CREATE VIEW something AS SELECT 1 AS one",
    ] {
        let Some(database) = empty() else { return };
        database.run(&[statement]);
        let refusal = open_in(&database, NOTES_ON_POSTGRES).unwrap_err();
        assert!(matches!(refusal, OpenError::ForeignTables(_)), "{statement}: {refusal:?}");
        // Nothing of ours has come.
        database.run(&["CREATE TABLE notes (id BIGINT)"]);
    }
}

#[test]
fn a_user_who_may_only_read_is_refused() {
    let Some(database) = empty() else { return };
    open_in(&database, NOTES_ON_POSTGRES).unwrap().close();
    database.run(&["CREATE ROLE visitor LOGIN", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO visitor"]);
    let refusal = refused(&database.url_text().replace("headwater@", "visitor@"));
    assert!(matches!(refusal, OpenError::ReadOnly(_)), "{refusal:?}");
    database.run(&["DROP OWNED BY visitor", "DROP ROLE visitor"]);
}

#[test]
fn a_database_that_cannot_hold_every_text_is_refused() {
    let Some(cluster) = postgres::shared() else { return };
    let make = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0";
    cluster.administer(&[make.to_owned()]);
    let refusal = refused(&cluster.url_text("latin"));
    assert!(matches!(&refusal, OpenError::Encoding { found, .. } if found == "LATIN1"), "{refusal:?}");
}

const TWO: &[Migration] = &[
    NOTES_ON_POSTGRES[0],
    Migration {
        number: 2,
        name: "tags",
        sql: "CREATE TABLE tags (note BIGINT); INSERT INTO tags VALUES (1);",
    },
];

async fn numbers(store: &Store, statement: &'static str) -> Vec<i64> {
    let read = store.read(move |tx| tx.query(Sql::new(statement), &[], |row| row.integer(0)));
    let read: Result<Vec<i64>, Error> = read.await;
    read.unwrap()
}

#[tokio::test]
async fn each_migration_runs_once_even_when_nodes_start_together() {
    let Some(database) = empty() else { return };
    open_in(&database, NOTES_ON_POSTGRES).unwrap().close();
    let stores: Vec<Store> = thread::scope(|scope| {
        let starting: Vec<_> = (0..6).map(|_| scope.spawn(|| open_in(&database, TWO).unwrap())).collect();
        starting.into_iter().map(|store| store.join().unwrap()).collect()
    });
    assert_eq!(numbers(&stores[0], "SELECT COUNT(*) FROM tags").await, [1]);
    assert_eq!(numbers(&stores[0], "SELECT number FROM schema_migrations ORDER BY number").await, [1, 2]);
    stores.iter().for_each(Store::close);

    let newer = open_in(&database, NOTES_ON_POSTGRES).unwrap_err();
    assert!(matches!(newer, OpenError::Newer { found: 2, known: 1 }), "{newer:?}");
    const ALTERED: &[Migration] =
        &[Migration { sql: "CREATE TABLE notes (id BIGINT)", ..NOTES_ON_POSTGRES[0] }, TWO[1]];
    let altered = open_in(&database, ALTERED).unwrap_err();
    assert!(matches!(altered, OpenError::Altered { number: 1 }), "{altered:?}");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_none_of_its_run() {
    const BROKEN: &[Migration] = &[
        NOTES_ON_POSTGRES[0],
        TWO[1],
        Migration { number: 3, name: "broken", sql: "CREATE TABLE notes (again BIGINT)" },
    ];
    let Some(database) = empty() else { return };
    open_in(&database, NOTES_ON_POSTGRES).unwrap().close();
    assert!(matches!(open_in(&database, BROKEN), Err(OpenError::Server { .. })));
    let store = open_in(&database, NOTES_ON_POSTGRES).unwrap();
    assert_eq!(numbers(&store, "SELECT number FROM schema_migrations").await, [1]);
    store.close();
}

#[tokio::test]
async fn a_read_cannot_write() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let fixture = open_on(Engine::Postgres);
    for statement in
        ["INSERT INTO notes (id) VALUES (1)", "CREATE TABLE scratch (id BIGINT)", "DELETE FROM notes"]
    {
        let statement = Sql::new(statement);
        let refused = fixture.store.read::<_, Error, _>(move |tx| tx.execute(statement, &[]));
        assert!(matches!(refused.await, Err(Error::Statement { .. })));
    }
    assert!(fixture.notes().await.is_empty());
}

#[tokio::test]
async fn a_read_that_has_used_up_its_time_begins_no_further_statement() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let fixture = open_on(Engine::Postgres);
    let gate = Gate::default();
    let at_gate = gate.clone();
    let late = fixture.store.read(move |tx| {
        notes(tx)?;
        at_gate.pass();
        // Hidden or not, it does not pass for an answer.
        let _ = notes(tx);
        Ok::<_, Error>(())
    });
    gate.wait_for_arrival();
    let budget = Duration::from_secs(2);
    fixture.clock.advance(budget);
    gate.open();
    assert!(matches!(late.await, Err(Error::Timeout(limit)) if limit == budget));
    assert!(fixture.notes().await.is_empty());
}

#[tokio::test]
async fn a_failed_commit_fails_its_closure_alone() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let fixture = open_on(Engine::Postgres);
    let orphan = Sql::new("INSERT INTO replies (note) VALUES (404)");
    let failed = fixture.store.write::<_, Error, _>(move |tx| tx.execute(orphan, &[]));
    assert!(matches!(failed.await, Err(Error::Statement { .. })));
    fixture.store.write(insert(1)).await.unwrap();
    assert_eq!(fixture.notes().await, [1]);
    assert_eq!(fixture.store.gauges().connections_reopened, 0);
}

#[tokio::test]
async fn closures_that_wait_for_each_other_run_again() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let fixture = open_on_with(Engine::Postgres, |limits| limits.writers = 2);
    fixture.store.write(insert(1)).await.unwrap();
    fixture.store.write(insert(2)).await.unwrap();
    let change = |first: i64, second: i64, meeting: Arc<std::sync::Barrier>, runs: Arc<AtomicUsize>| {
        fixture.store.write::<_, Error, _>(move |tx| {
            const CHANGE: Sql = Sql::new("UPDATE notes SET body = 'changed' WHERE id = $1");
            tx.execute(CHANGE, &[first.into()])?;
            if runs.fetch_add(1, Ordering::SeqCst) < 2 {
                meeting.wait();
            }
            tx.execute(CHANGE, &[second.into()]).map(drop)
        })
    };
    let (meeting, runs) = (Arc::new(std::sync::Barrier::new(2)), Arc::<AtomicUsize>::default());
    let one = change(1, 2, Arc::clone(&meeting), Arc::clone(&runs));
    let other = change(2, 1, meeting, Arc::clone(&runs));
    one.await.unwrap();
    other.await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 3, "one of the two ran again");
    assert_eq!(fixture.store.gauges().closures_run_again, 1);
}

#[tokio::test]
async fn a_closure_whose_connection_is_cut_runs_again() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let fixture = open_on(Engine::Postgres);
    let runs = Arc::<AtomicUsize>::default();
    let cut = {
        let runs = Arc::clone(&runs);
        move |tx: &mut Tx<'_>| -> Result<(), Error> {
            if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                // The error is hidden: the store knows all the same.
                let _ = tx.query(Sql::new("SELECT pg_terminate_backend(pg_backend_pid())"), &[], |_| Ok(()));
            }
            tx.query(Sql::new("SELECT id FROM notes"), &[], |row| row.integer(0)).map(drop)
        }
    };
    let written = cut.clone();
    fixture.store.write(move |tx| written(tx).and_then(|()| insert(1)(tx))).await.unwrap();
    assert_eq!(runs.swap(0, Ordering::SeqCst), 2);
    fixture.store.read(cut).await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(fixture.notes().await, [1]);
}

#[tokio::test]
async fn connections_that_are_cut_while_idle_are_replaced_unnoticed() {
    let Some(database) = empty() else { return };
    let store = open_in(&database, NOTES_ON_POSTGRES).unwrap();
    store.write(insert(1)).await.unwrap();
    store.read(notes).await.unwrap();
    database
        .run(&["SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND \
                    datname = CURRENT_DATABASE()"]);
    store.write(insert(2)).await.unwrap();
    assert_eq!(store.read(notes).await.unwrap(), [1, 2]);
    assert_eq!(store.gauges().connections_reopened, 2);
    store.close();
}

#[tokio::test]
async fn a_connection_that_is_lost_during_the_commit_leaves_the_outcome_unknown() {
    let Some(database) = empty() else { return };
    // The trigger runs within COMMIT, and ends the connection that commits.
    database.run(&["CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END'"]);
    let store = open_in(&database, NOTES_ON_POSTGRES).unwrap();
    database.run(&["CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED \
                    FOR EACH ROW WHEN (NEW.id = 404) EXECUTE FUNCTION cut()"]);
    assert!(matches!(store.write(insert(404)).await, Err(Error::OutcomeUnknown(_))));
    store.write(insert(1)).await.unwrap();
    assert_eq!(store.read(notes).await.unwrap(), [1]);
    assert_eq!(store.gauges().commits_failed, 1);
    store.close();
}

#[tokio::test]
async fn writers_do_not_wait_for_each_other() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let fixture = open_on_with(Engine::Postgres, |limits| limits.writers = 2);
    let gate = Gate::default();
    let held = fixture.store.write::<_, Error, _>(gate.hold());
    gate.wait_for_arrival();
    fixture.store.write(insert(1)).await.unwrap();
    gate.open();
    held.await.unwrap();
    assert_eq!(fixture.store.gauges().closures_committed, 2);
}

#[tokio::test]
async fn a_server_is_known_by_its_certificate() {
    if headwater_testkit::require::tool("openssl").is_none() {
        return;
    }
    let Some(cluster) = Cluster::start() else { return };
    let (port, issuer) = cluster.listen_by_tls();
    let database = |host: &str, query: &str| format!("postgres://headwater@{host}:{port}/postgres?{query}");
    let issuer = format!("sslrootcert={}", issuer.display());
    let verified = |host| database(host, &format!("sslmode=verify-full&{issuer}"));
    for url in [database("127.0.0.1", ""), database("localhost", "sslmode=require"), verified("localhost")] {
        let options = PostgresOptions {
            migrations: NOTES_ON_POSTGRES,
            ..PostgresOptions::new(url.parse().unwrap(), Arc::<crate::support::StillClock>::default())
        };
        let store = Store::connect(options).unwrap_or_else(|refusal| panic!("{url}: {refusal:?}"));
        let encrypted = "SELECT COUNT(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
        assert_eq!(numbers(&store, encrypted).await, [1], "{url}");
        store.close();
    }
    // The server lets in by TLS only.
    let refusal = refused(&database("localhost", "sslmode=disable"));
    assert!(matches!(refusal, OpenError::Refused { .. }), "{refusal:?}");
    let another_name = refused(&verified("127.0.0.1"));
    assert!(matches!(another_name, OpenError::Untrusted { .. }), "{another_name:?}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("other.pem");
    let query = format!("sslmode=verify-full&sslrootcert={}", file.display());
    assert!(matches!(refused(&database("localhost", &query)), OpenError::Certificates(_)));
    let mut openssl = std::process::Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=other",
        "-keyout",
    ]);
    openssl.arg(directory.path().join("other.key")).arg("-out").arg(&file);
    assert!(openssl.output().unwrap().status.success());
    let another_issuer = refused(&database("localhost", &query));
    assert!(matches!(another_issuer, OpenError::Untrusted { .. }), "{another_issuer:?}");
}

/// A store on a cluster of its own, whose clock runs.
fn on(cluster: &Cluster) -> Store {
    let url = cluster.url(&cluster.create_database("template1"));
    let clock = Arc::new(TestClock::at(Timestamp::from_seconds(1)));
    let options = PostgresOptions { migrations: NOTES_ON_POSTGRES, ..PostgresOptions::new(url, clock) };
    Store::connect(options).unwrap()
}

async fn written(store: &Store, id: i64) -> bool {
    store.write(insert(id)).await.is_ok()
}

#[tokio::test]
async fn a_server_that_goes_away_is_found_again() {
    let Some(cluster) = Cluster::start() else { return };
    let store = on(&cluster);
    store.write(insert(1)).await.unwrap();
    assert_eq!(store.read(notes).await.unwrap(), [1]);
    cluster.stop();
    assert!(matches!(store.write(insert(2)).await, Err(Error::Unavailable(_))));
    assert!(matches!(store.write_in_background(insert(2)).await, Err(Error::Unavailable(_))));
    assert!(matches!(store.read(notes).await, Err(Error::Unavailable(_))));
    cluster.start_again();
    let mut came_back = false;
    for _ in 0..200 {
        came_back = written(&store, 3).await && store.read(notes).await.is_ok();
        if came_back {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(came_back);
    assert_eq!(store.read(notes).await.unwrap(), [1, 3]);
    store.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_keeps_what_it_has_confirmed() {
    const ROUNDS: usize = 10;
    let Some(cluster) = Cluster::start() else { return };
    let store = on(&cluster);
    let confirmed = Arc::<Mutex<Vec<i64>>>::default();
    let next = Arc::<AtomicUsize>::default();
    let stop = Arc::<std::sync::atomic::AtomicBool>::default();
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let (store, confirmed, next, stop) =
                (store.clone(), Arc::clone(&confirmed), Arc::clone(&next), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let id = i64::try_from(next.fetch_add(1, Ordering::SeqCst)).unwrap();
                    match store.write(insert(id)).await {
                        Ok(()) => confirmed.lock().unwrap().push(id),
                        Err(Error::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                        Err(Error::OutcomeUnknown(_)) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
            })
        })
        .collect();
    for _ in 0..ROUNDS {
        let before = confirmed.lock().unwrap().len();
        until(|| confirmed.lock().unwrap().len() > before + 50).await;
        cluster.kill9();
        cluster.start_again();
    }
    let before = confirmed.lock().unwrap().len();
    until(|| confirmed.lock().unwrap().len() > before + 50).await;
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    let stored: std::collections::BTreeSet<i64> = store.read(notes).await.unwrap().into_iter().collect();
    let lost: Vec<i64> =
        confirmed.lock().unwrap().iter().copied().filter(|id| !stored.contains(id)).collect();
    assert_eq!(lost, [0; 0]);
    store.close();
}
