//! How a server ends: what was begun is finished, nothing new is taken, and nothing is left to do for the next start.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use headwater_testkit::process::Server;
use headwater_testkit::{KEY, SECRET, server_token};
use tempfile::TempDir;

use crate::{get, headwater};

const BODY: &str = r#"{"users":{"alice":{"id":"alice"}}}"#;

fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address()).unwrap()
}

/// Begins an upsert. The server has it in hand when this returns, and waits for its body.
fn begin_upsert(server: &Server) -> TcpStream {
    let mut stream = connect(server);
    let token = server_token(SECRET);
    let length = BODY.len();
    write!(
        stream,
        "POST /api/v2/users?api_key={KEY} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\
         Stream-Auth-Type: jwt\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Expect: 100-continue\r\n\r\n"
    )
    .unwrap();
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

fn wait_for_the_drain(server: &Server) {
    server.wait_for_log(|line| line.contains("draining")).unwrap();
    let refused = (0..1000).any(|_| {
        thread::sleep(Duration::from_millis(5));
        TcpStream::connect(server.address()).is_err()
    });
    assert!(refused, "connections are still accepted");
}

fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_drain_finishes_what_was_begun() {
    let directory = TempDir::new().unwrap();
    let server = headwater().serve(&["--data-dir", directory.path().to_str().unwrap()]);
    let mut upsert = begin_upsert(&server);
    assert_eq!(get(server.address(), "/readyz").status, 200);
    // A question that the server has half read when the drain begins.
    let mut probe = connect(&server);
    write!(probe, "GET /readyz HTTP/1.1\r\nHost: x\r\n").unwrap();
    thread::sleep(Duration::from_millis(500));

    server.terminate();
    wait_for_the_drain(&server);
    probe.write_all(b"\r\n").unwrap();
    upsert.write_all(BODY.as_bytes()).unwrap();
    assert!(answer(probe).starts_with("HTTP/1.1 503 "));
    assert!(answer(upsert).starts_with("HTTP/1.1 201 "));

    let ended = server.wait();
    assert_eq!(ended.status.code(), Some(0), "{:?}", ended.stderr);
    let left: Vec<_> = directory.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name == "headwater.db-wal" || name == "headwater.sock"), "{left:?}");
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let server = headwater().serve(&["--in-memory"]);
    let upsert = begin_upsert(&server);
    server.terminate();
    wait_for_the_drain(&server);
    server.terminate();
    let ended = server.wait();
    assert_eq!(ended.status.code(), Some(1));
    let error = "error: a second signal ended the server before it was drained".to_owned();
    assert!(ended.stderr.contains(&error) && ended.left.is_empty(), "{ended:?}");
    drop(upsert);
}
