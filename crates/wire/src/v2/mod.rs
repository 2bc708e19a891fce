//! The v2 dialect (contract v2.md): one module for each subject.

pub mod actor;
pub mod app;
pub mod bans;
pub mod block_lists;
pub mod blocks;
pub mod channels;
pub mod deletion;
pub mod devices;
pub mod exports;
pub mod flags;
pub mod guests;
pub mod lifecycle;
pub mod messages;
pub mod mutes;
pub mod permissions;
pub mod push_preferences;
pub mod rate_limits;
pub mod reactions;
pub mod roles;
pub mod tasks;
pub mod user_groups;
pub mod users;

mod acting;
mod chat;
mod criteria;
mod filter;
pub(crate) mod hooks;
mod patch;
mod profile;
mod query;
pub(crate) mod settings;
mod user;

use serde::Serialize;

/// Prints an answer that has nothing to say but how long it took.
#[must_use]
pub fn bare(duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Bare<'a> {
        duration: &'a str,
    }
    to_bytes(&Bare { duration })
}

/// Prints a value that is made of JSON types only.
pub(crate) fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    #[expect(
        clippy::expect_used,
        reason = "every map printed here has text for keys, and a Vec takes every byte"
    )]
    serde_json::to_vec(value).expect("a JSON value")
}
