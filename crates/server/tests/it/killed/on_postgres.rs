//! The same on PostgreSQL: a server is killed while clients write, or PostgreSQL is, and whatever was acknowledged is there.
//! Ten rounds of each, or a hundred with `HEADWATER_LONG=1`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ::postgres::{Client, Config, NoTls};
use headwater_testkit::client::Request;
use headwater_testkit::postgres::{self, Cluster, TestDatabase};
use headwater_testkit::process::Server;
use headwater_testkit::require;
use model::leaf::{Numeric, of_user};
use model::words::searchable;
use model::{AppKey, Event, User};
use serde_json::{Value, json};

use super::chance::Chance;
use super::clients::{Clients, Unavailable, mark_of, user_of};
use super::ledger::Ledger;
use crate::connection::Connection;
use crate::headwater;

fn rounds() -> u64 {
    if require::long() { 100 } else { 10 }
}

fn serve(url: &str) -> Server {
    headwater().serve(&["--database-url", url])
}

#[test]
fn what_was_acknowledged_outlives_the_server() {
    let Some(cluster) = postgres::shared() else { return };
    let database: TestDatabase = cluster.empty_database();
    let mut chance = Chance::seeded();
    let ledger = Arc::<Ledger>::default();
    for _ in 0..rounds() {
        let server = serve(&database.url_text());
        let mut clients = Clients::start(server.address(), &ledger, &mut chance, Unavailable::IsADefect);
        clients.wait_for(1 + chance.below(100));
        thread::sleep(Duration::from_micros(chance.below(20_000)));
        server.kill9();
        clients.wait();
        let mut client = quiet(&database.config());
        ledger.server_is_gone();
        check(&mut client, &ledger);
    }
}

#[test]
fn what_was_acknowledged_outlives_postgres() {
    let Some(cluster) = Cluster::start() else { return };
    let name = cluster.create_database("template1");
    let mut chance = Chance::seeded();
    let ledger = Arc::<Ledger>::default();
    let server = serve(&cluster.url_text(&name));
    for _ in 0..rounds() {
        let mut clients = Clients::start(server.address(), &ledger, &mut chance, Unavailable::EndsTheClient);
        clients.wait_for(1 + chance.below(100));
        thread::sleep(Duration::from_micros(chance.below(20_000)));
        cluster.kill9();
        clients.wait();
        ledger.server_is_gone();
        let (refused, why) = Connection::open(server.address())
            .and_then(|mut connection| connection.send("PATCH", "/api/v2/users", &patch()))
            .unwrap();
        let why = why.to_string();
        assert!(
            refused == 503 && why.contains("the database cannot be used at the moment; try again"),
            "{why}"
        );
        assert_eq!(status(&server, "/readyz"), 503);
        assert_eq!(status(&server, "/healthz"), 200);
        cluster.start_again();
        check(&mut cluster.config(&name).connect(NoTls).unwrap(), &ledger);
        until_ready(&server);
    }
    assert!(server.stop().status.success());
}

fn patch() -> Value {
    json!({"users": [{"id": "user-1", "set": {"name": "One"}}]})
}

fn status(server: &Server, path: &str) -> u16 {
    Request::new("GET", path).send(server.address()).status
}

/// Waits until a server has found its database again, which it does by itself.
fn until_ready(server: &Server) {
    for _ in 0..600 {
        if status(server, "/readyz") == 200 {
            return;
        }
        thread::sleep(Duration::from_millis(30));
    }
    panic!("the server does not find PostgreSQL again: {:?}", server.log().last());
}

/// Connects when nothing of a killed server is under way any more.
pub(super) fn quiet(config: &Config) -> Client {
    const OTHERS: &str = "SELECT COUNT(*) FROM pg_stat_activity \
                          WHERE datname = CURRENT_DATABASE() AND application_name = 'headwater'";
    let mut client = config.connect(NoTls).unwrap();
    while client.query_one(OTHERS, &[]).unwrap().get::<_, i64>(0) > 0 {
        thread::sleep(Duration::from_millis(10));
    }
    client
}

/// Checks a database against itself and the ledger.
fn check(client: &mut Client, ledger: &Ledger) {
    let mut batches = BTreeMap::<_, BTreeSet<_>>::new();
    let mut latest = BTreeMap::<i64, User>::new();
    let logged = "SELECT person, payload, EXISTS (SELECT 1 FROM log_person WHERE log = sequence AND \"user\" = person) \
                  FROM log WHERE event LIKE 'user.%' ORDER BY xid, sequence";
    for row in client.query(logged, &[]).unwrap() {
        let event = Event::from_stored(row.get(1)).unwrap();
        let user = event.subject().unwrap();
        assert!(row.get::<_, bool>(2), "a row of the log does not name its person");
        let batch = batches.entry(mark_of(&user.custom)).or_default();
        assert!(batch.insert(user_of(user.id.as_str())), "the log has {} of one batch twice", user.id);
        let newest = latest.entry(row.get(0)).or_insert_with(|| user.clone());
        if user.updated_at >= newest.updated_at {
            *newest = user.clone();
        }
    }
    ledger.check_log(&batches).unwrap();

    let mut stored = BTreeMap::new();
    let mut leaves = BTreeSet::new();
    for row in client.query("SELECT key, app, id, custom, words FROM users", &[]).unwrap() {
        let (key, app, words): (i64, i64, String) = (row.get(0), row.get(1), row.get(4));
        let custom = serde_json::from_str(row.get(3)).unwrap();
        let mark = mark_of(&custom);
        stored.insert(user_of(row.get(2)), mark);
        let user = User { custom, ..latest[&key].clone() };
        if latest[&key].custom == user.custom {
            assert_eq!(words, searchable(AppKey(app), &user));
        }
        for leaf in of_user(&user) {
            let number = match leaf.number {
                Numeric::Integer(number) => number.to_string(),
                Numeric::Float(number) => number.to_string(),
            };
            let kind = leaf.kind.code(leaf.place);
            if leaf.path != model::leaf::TEAMS {
                leaves.insert((key, leaf.path, kind, number, leaf.text, leaf.digest));
            }
        }
    }
    ledger.check_users(&stored).unwrap();
    assert_eq!(stored.len(), latest.len(), "users of the table, users of the log");

    let found = "SELECT \"user\", path, kind, number::text, text, digest FROM user_leaves WHERE path <> $1";
    let found: BTreeSet<_> = client
        .query(found, &[&model::leaf::TEAMS])
        .unwrap()
        .iter()
        .map(|row| {
            let (user, path, kind): (i64, String, i64) = (row.get(0), row.get(1), row.get(2));
            (user, path, kind, row.get::<_, String>(3), row.get::<_, String>(4), row.get::<_, i64>(5))
        })
        .collect();
    assert_eq!(found.difference(&leaves).next(), None, "nobody has other leaves");
    assert_eq!(leaves.difference(&found).next(), None, "everybody has all leaves");

    const STRAY_WORDS: &str = "WITH wanted AS (SELECT entry.word, key FROM users, words_of(words) AS entry) \
         SELECT COUNT(*) FROM ((TABLE wanted EXCEPT TABLE user_words) UNION ALL (TABLE user_words EXCEPT TABLE wanted)) \
             AS stray";
    assert_eq!(
        client.query_one(STRAY_WORDS, &[]).unwrap().get::<_, i64>(0),
        0,
        "words are those of their users"
    );
}
