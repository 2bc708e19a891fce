//! Operations against a real store: what they answer, what they store, what they log and what they refuse.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets one has failed"
)]

mod apps;
mod block_lists;
mod concurrent;
mod growth;
mod log;
mod names;
mod plans;
mod roles;
mod search;
mod stage;
mod user_groups;
mod users;
