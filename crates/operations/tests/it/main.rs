//! Operations against a real store: what they answer, what they store, what they log and what they refuse.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets one has failed"
)]

mod apps;
mod bans;
mod block_lists;
mod blocks;
mod broken_off;
mod bulk;
mod channels;
mod chat;
mod chat_plans;
mod concurrent;
mod concurrent_deletion;
mod concurrent_social;
mod conversations;
mod deletion;
mod deletion_cost;
mod deletion_matrix;
mod deletion_page;
mod devices;
mod erase_chat;
mod exports;
mod flags;
mod forgetting;
mod growth;
mod growth_social;
mod hidden;
mod hidden_chat;
mod log;
mod meanwhile;
mod messages;
mod moderation_plans;
mod moderators;
mod mutes;
mod named;
mod names;
mod permissions_page;
mod plans;
mod preview;
mod push_preferences;
mod reactions;
mod roles;
mod search;
mod social;
mod stage;
mod tasks;
mod user_groups;
mod users;
