//! That the checks would notice: each is shown a database that was damaged in the way it looks for.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::chance::Chance;
use super::clients::{Clients, Unavailable};
use super::ledger::Ledger;
use super::stored::{self, ReadLog};
use super::{Moment, kill, serve};

const DATABASE: &str = "headwater.db";
const LOG: &str = "headwater.db-wal";

/// What is done to the database of a killed server, and what is then found wrong.
const DAMAGES: &[(&str, &str)] = &[
    ("DELETE FROM user_leaves WHERE user = 1 AND path = 'deep.odd'", "leaves: missing [(1, 1, \"deep.odd\""),
    ("UPDATE user_leaves SET digest = 7 WHERE user = 1 AND path = 'tags' AND kind = 4", "leaves: missing"),
    ("UPDATE user_words SET words = 'other' WHERE rowid = 1", "words: missing [(1, "),
    ("UPDATE users SET words = 'other' WHERE key = 1", "the words of user-"),
    ("UPDATE users SET name = 'Other' WHERE key = 1", "is not as the log says: Some("),
    ("UPDATE users SET updated_at = updated_at + 1 WHERE key = 1", "is not as the log says: Some("),
    ("DELETE FROM log_person WHERE log = (SELECT MAX(log) FROM log_person)", " does not name its person"),
    ("INSERT INTO log_person SELECT MAX(log), 0 FROM log_person", "persons of the log"),
    ("DELETE FROM users WHERE key = 1", " users are stored, "),
    ("UPDATE log SET event = 'user.updated' WHERE event = 'user.created'", "row 2 of the log"),
    // One user of a batch of many is not in the log, neither its first event nor its last.
    (
        "CREATE TEMP TABLE gone AS SELECT sequence FROM log AS one
             WHERE (SELECT COUNT(*) FROM log WHERE request = one.request) = 20
                 AND EXISTS (SELECT 1 FROM log WHERE person = one.person AND sequence < one.sequence)
                 AND EXISTS (SELECT 1 FROM log WHERE person = one.person AND sequence > one.sequence) LIMIT 1;
         DELETE FROM log WHERE sequence IN (SELECT sequence FROM gone);
         DELETE FROM log_person WHERE log IN (SELECT sequence FROM gone)",
        " by half",
    ),
];

#[test]
fn what_was_lost_would_be_noticed() {
    let directory = TempDir::new().unwrap();
    let ledger = one_round(&directory);
    for (damage, expected) in DAMAGES {
        let copy = copy(directory.path());
        Connection::open(copy.path().join(DATABASE)).unwrap().execute_batch(damage).unwrap();
        let found = check(&copy, &ledger);
        assert!(found.contains(expected), "{damage}: {found}");
    }
    let shortened = copy(directory.path());
    let log = OpenOptions::new().write(true).open(shortened.path().join(LOG)).unwrap();
    log.set_len(log.metadata().unwrap().len() / 4 * 3).unwrap();
    let found = check(&shortened, &ledger);
    assert!(found.contains("the log has lost batch"), "{found}");
    assert_eq!(check(&copy(directory.path()), &ledger), "nothing");
}

fn one_round(directory: &TempDir) -> Arc<Ledger> {
    let ledger = Arc::<Ledger>::default();
    let server = serve(directory);
    let clients = Clients::start(server.address(), &ledger, &mut Chance::seeded(), Unavailable::IsADefect);
    clients.wait_for(100);
    kill(server, clients, &Moment::Writing(Duration::ZERO));
    ledger.server_is_gone();
    ledger
}

/// The database and its write-ahead log, without the index that the next connection makes.
fn copy(from: &Path) -> TempDir {
    let to = TempDir::new().unwrap();
    for name in [DATABASE, LOG] {
        fs::copy(from.join(name), to.path().join(name)).unwrap();
    }
    to
}

/// What is found wrong.
fn check(directory: &TempDir, ledger: &Ledger) -> String {
    let checked = stored::check(&directory.path().join(DATABASE), ledger, &mut ReadLog::default());
    checked.map_or_else(|wrong| wrong, |_| "nothing".to_owned())
}
