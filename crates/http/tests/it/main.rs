//! The front over real connections: who is let in, how bytes are taken and given, what is refused.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets one has failed"
)]

mod access;
mod app;
mod block_lists;
mod chat;
mod credentials;
mod deletion;
mod exports;
mod limits;
mod moderation;
mod nothing_remains;
mod openapi;
mod query;
mod roles;
mod roles_on_routes;
mod secrecy;
mod social;
mod tables;
mod tasks;
mod teams;
mod transport;
mod user_groups;
mod users;
