//! The program as its users meet it: the real binary is started, talked to over HTTP, signals and verbs, and ended.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]
#![expect(clippy::print_stdout, reason = "what a test prints is shown when it fails")]

mod backup;
mod bad_input;
mod conformance;
mod connection;
mod drain;
mod first_start;
mod killed;
mod operator;
mod refusals;
mod synced;
mod token;

use std::net::SocketAddr;

use headwater_testkit::client::{Reply, Request};
use headwater_testkit::process::{Headwater, Server};
use headwater_testkit::server_token;

/// The program under test.
fn headwater() -> Headwater {
    Headwater::new(env!("CARGO_BIN_EXE_headwater"))
}

fn get(address: SocketAddr, path: &str) -> Reply {
    Request::new("GET", path).send(address)
}

/// What the server says to the back end of an app that wants to see its settings: 200 when key and secret are good.
fn ask(server: &Server, api_key: &str, secret: &str) -> u16 {
    ask_with_token(server, api_key, &server_token(secret)).status
}

fn ask_with_token(server: &Server, api_key: &str, token: &str) -> Reply {
    Request::new("GET", &format!("/api/v2/app?api_key={api_key}"))
        .header("Authorization", token)
        .header("Stream-Auth-Type", "jwt")
        .send(server.address())
}
