//! Operations against a real store: what they answer, what they store, what they log and what they refuse.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets one has failed"
)]

mod apps;
mod bans;
mod concurrent;
mod flags;
mod growth;
mod log;
mod moderation_plans;
mod moderators;
mod names;
mod permissions_page;
mod plans;
mod roles;
mod search;
mod stage;
mod users;
