//! Nothing is answered before it is on the disk. A killed process loses nothing that the system has, so only the
//! system calls of the server tell: between the arrival of a request that writes and its answer, the write-ahead log
//! is written and then synced. In memory it is not, which shows that this test can tell.

mod trace;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use headwater_testkit::process::{Server, without_settings};
use headwater_testkit::{KEY, SECRET, require};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::trace::{Call, Exchange};
use crate::connection::Connection;
use crate::headwater;

/// Everything by which a request can arrive, an answer leave, and a file be written or synced. `?`: not every machine
/// has them all.
const TRACED: &str =
    "?read,?readv,?recvfrom,?recvmsg,?write,?writev,?sendto,?sendmsg,?pwrite64,?pwritev,?fsync,?fdatasync";

/// Clients that write at the same time, after those that write one after another, and how often each does.
const CLIENTS: usize = 4;
const UPSERTS: usize = 10;

#[test]
fn an_answer_waits_for_the_disk() {
    let directory = TempDir::new().unwrap();
    let place = ["--data-dir", directory.path().to_str().unwrap()];
    let Some((calls, alone, together)) = trace(&place) else { return };
    for exchange in &alone {
        let written = written(&calls, exchange);
        let last = written.last().unwrap_or_else(|| panic!("nothing was written: {exchange:?}"));
        assert!(
            is_synced(&calls, last, exchange),
            "not all is synced: {exchange:?} {:?}",
            within(&calls, exchange)
        );
    }
    // What is written may be of somebody else, so this can only say that the answer did not come too early.
    for exchange in &together {
        let written = written(&calls, exchange);
        let synced = written.iter().any(|call| is_synced(&calls, call, exchange));
        assert!(synced, "nothing is synced: {exchange:?} {:?}", within(&calls, exchange));
    }
}

#[test]
fn in_memory_no_answer_waits_for_the_disk() {
    let Some((calls, alone, together)) = trace(&["--in-memory"]) else { return };
    for exchange in alone.iter().chain(&together) {
        let within = within(&calls, exchange);
        assert!(!within.iter().any(|call| call.syncs()), "{within:?}");
    }
    assert!(
        alone.iter().all(|exchange| !written(&calls, exchange).is_empty()),
        "the log was not found: {calls:?}"
    );
}

type Traced = (Vec<Call>, Vec<Exchange>, Vec<Exchange>);

/// Runs a server under strace, has it written to by one client and then by several at a time, and answers its system
/// calls, the exchanges with the one and those with the several. `None` without strace.
fn trace(place: &[&str]) -> Option<Traced> {
    let strace = strace()?;
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("trace");
    let server = start(Command::new(strace), &file, place);
    let requests = requests();
    let mut connection = Connection::open(server.address()).unwrap();
    for (method, path, body) in &requests {
        send(&mut connection, method, path, body);
    }
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let mut connection = Connection::open(server.address()).unwrap();
            scope.spawn(move || {
                for number in 0..UPSERTS {
                    send(
                        &mut connection,
                        "POST",
                        "/api/v2/users",
                        &users(&format!("c{client}-{number}-"), 1),
                    );
                }
            });
        }
    });
    let calls = trace::calls(&end(server, &file));
    let mut alone = trace::exchanges(&calls);
    assert_eq!(alone.len(), requests.len() + CLIENTS * UPSERTS, "exchanges that were found");
    let together = alone.split_off(requests.len());
    assert!(alone.iter().all(|exchange| exchange.connection == alone[0].connection), "{alone:?}");
    Some((calls, alone, together))
}

/// The program, where it is and may do its work.
fn strace() -> Option<PathBuf> {
    let strace = require::tool("strace")?;
    let tried = Command::new(&strace).args(["-f", "-o", "/dev/null", "true"]).output().unwrap();
    if tried.status.success() {
        return Some(strace);
    }
    require::skip("strace", "may not trace processes here");
    None
}

/// Starts a server that strace follows. With `-D` it stays our child, so that it is ended as any other.
fn start(mut strace: Command, file: &Path, place: &[&str]) -> Server {
    let app = format!("{KEY}:{SECRET}");
    let options = ["-D", "-f", "-yy", "-s", "32", "-e", "signal=none", "-e"];
    strace.args(options).arg(format!("trace={TRACED}")).arg("-o").arg(file).arg(headwater().binary());
    strace.args(["serve", "--listen", "127.0.0.1:0", "--app", &app]).args(place);
    match Server::start(without_settings(&mut strace)) {
        Ok(server) => server,
        Err(ended) => panic!("the server did not start under strace: {ended:?}"),
    }
}

/// Ends the server and answers its trace, which is complete a little later.
fn end(server: Server, file: &Path) -> String {
    let process = server.process_id().to_string();
    // strace fills the number up with blanks.
    let is_last = |line: &str| {
        line.split_once(' ')
            .is_some_and(|(thread, text)| thread == process && text.trim() == "+++ exited with 0 +++")
    };
    let ended = server.stop();
    assert!(ended.status.success(), "{ended:?}");
    for _ in 0..6000 {
        let trace = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
        if trace.lines().any(is_last) {
            return trace;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("strace does not come to its end");
}

/// Every kind of request that writes.
fn requests() -> Vec<(&'static str, &'static str, Value)> {
    let mut requests = vec![
        ("POST", "/api/v2/users", users("one", 1)),
        ("POST", "/api/v2/users", users("many", 20)),
        ("POST", "/api/v2/users", users("one", 1)),
        ("PATCH", "/api/v2/users", json!({"users": [{"id": "one0", "set": {"name": "One"}}]})),
        ("POST", "/api/v2/users/one0/deactivate", json!({})),
        ("POST", "/api/v2/users/one0/reactivate", json!({})),
        ("PATCH", "/api/v2/app", json!({"enforce_unique_usernames": "app"})),
    ];
    requests.extend((0..UPSERTS).map(|_| ("POST", "/api/v2/users", users("again", 1))));
    requests
}

fn users(prefix: &str, count: usize) -> Value {
    let users: serde_json::Map<_, _> = (0..count)
        .map(|number| (format!("{prefix}{number}"), json!({"custom": {"color": "blue"}})))
        .collect();
    json!({"users": users})
}

fn send(connection: &mut Connection, method: &str, path: &str, body: &Value) {
    let (status, answer) = connection.send(method, path, body).expect("a reply");
    assert!(status == 200 || status == 201, "{method} {path}: {status} {answer}");
}

/// The calls that began after the request was known and were over before the answer was sent.
fn within<'c>(calls: &'c [Call], exchange: &Exchange) -> Vec<&'c Call> {
    calls.iter().filter(|call| call.began > exchange.arrived && call.over < exchange.answered).collect()
}

fn written<'c>(calls: &'c [Call], exchange: &Exchange) -> Vec<&'c Call> {
    within(calls, exchange).into_iter().filter(|call| call.writes()).collect()
}

/// Whether a sync began after `written`, and was over before the answer.
fn is_synced(calls: &[Call], written: &Call, exchange: &Exchange) -> bool {
    within(calls, exchange).iter().any(|call| call.syncs() && call.began > written.over)
}
