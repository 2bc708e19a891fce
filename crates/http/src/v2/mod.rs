//! Handlers of the v2 dialect: decode, operate, encode. One module for each subject.

pub(crate) mod app;
pub(crate) mod block_lists;
pub(crate) mod blocks;
pub(crate) mod channels;
pub(crate) mod deletion;
pub(crate) mod devices;
pub(crate) mod exports;
pub(crate) mod guests;
pub(crate) mod lifecycle;
pub(crate) mod messages;
pub(crate) mod moderation;
pub(crate) mod mutes;
pub(crate) mod permissions;
pub(crate) mod push_preferences;
pub(crate) mod rate_limits;
pub(crate) mod roles;
pub(crate) mod tasks;
pub(crate) mod user_groups;
pub(crate) mod users;
