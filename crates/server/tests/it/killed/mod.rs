//! A server is killed while clients write, again and again, on one data directory: whatever it acknowledged is there
//! after the next start, no batch is there by half, and what was derived from it agrees with it.
//!
//! `ledger` is what the clients know, `clients` the clients, `stored` what is read from the database, and `noticed`
//! shows that a loss would be seen; `tasks` and `deletion` kill servers in the middle of tasks. 20 rounds, or
//! 1,000 with `HEADWATER_LONG=1`. The seed of a run is printed; `HEADWATER_SEED` repeats what was drawn, though not the
//! order in which the threads ran.

mod chance;
mod clients;
mod deletion;
mod ledger;
mod noticed;
mod on_postgres;
mod stored;
mod tasks;

use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use headwater_testkit::process::Server;
use headwater_testkit::require;
use serde_json::json;
use tempfile::TempDir;

use self::chance::Chance;
use self::clients::{Clients, Unavailable, id};
use self::ledger::Ledger;
use self::stored::ReadLog;
use crate::connection::Connection;
use crate::headwater;

/// When the server is killed.
#[derive(Debug)]
enum Moment {
    /// While the clients write, this long after one of their batches was acknowledged.
    Writing(Duration),
    /// When the clients have rested this long: about when an idle server empties its write-ahead log.
    Resting(Duration),
}

#[test]
fn what_was_acknowledged_outlives_the_server() {
    let rounds = if require::long() { 1000 } else { 20 };
    let mut chance = Chance::seeded();
    let directory = TempDir::new().unwrap();
    let (ledger, mut log) = (Arc::<Ledger>::default(), ReadLog::default());
    for round in 0..rounds {
        let server = serve(&directory);
        check(&server, &directory, &ledger, &mut log);
        let moment = match round % 5 {
            4 => Moment::Resting(Duration::from_micros(990_000 + chance.below(30_000))),
            _ => Moment::Writing(Duration::from_micros(chance.below(20_000))),
        };
        let acknowledged = 1 + chance.below(150);
        println!("round {round}: killed after {acknowledged} acknowledged batches, {moment:?}");
        let clients = Clients::start(server.address(), &ledger, &mut chance, Unavailable::IsADefect);
        clients.wait_for(acknowledged);
        kill(server, clients, &moment);
        ledger.server_is_gone();
    }
    let server = serve(&directory);
    check(&server, &directory, &ledger, &mut log);
    assert!(server.stop().status.success());
}

fn serve(directory: &TempDir) -> Server {
    headwater().serve(&["--data-dir", directory.path().to_str().unwrap()])
}

fn kill(server: Server, mut clients: Clients, moment: &Moment) {
    match moment {
        Moment::Writing(pause) => thread::sleep(*pause),
        Moment::Resting(pause) => {
            clients.rest();
            thread::sleep(*pause);
        }
    }
    let ended = server.kill9();
    assert_eq!(ended.status.signal(), Some(9), "the server ended by itself: {:?}", ended.stderr);
    clients.wait();
}

/// Checks everything that is stored, and that the server says the same.
fn check(server: &Server, directory: &TempDir, ledger: &Ledger, log: &mut ReadLog) {
    let users = stored::check(&directory.path().join("headwater.db"), ledger, log).unwrap();
    let Some((user, mark)) = users.iter().max_by_key(|(_, mark)| **mark) else { return };
    // The payload holds nothing that a query would have to encode but its quotes and braces.
    let payload = json!({"filter_conditions": {"id": id(*user)}}).to_string();
    let payload = payload.replace('"', "%22").replace('{', "%7B").replace('}', "%7D");
    let mut connection = Connection::open(server.address()).unwrap();
    let (status, body) =
        connection.send("GET", &format!("/api/v2/users?payload={payload}"), &json!({})).unwrap();
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["users"][0]["custom"]["batch"], json!(mark), "{body}");
}
