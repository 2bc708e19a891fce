//! What can be done: one function per operation over a transaction, a context and a command.
//!
//! A function asks for permission first, checks the command against what is stored, applies it, and appends to the
//! log. It is synchronous and repeatable: time and chance come in [`Ctx`]. To add an operation, write its function
//! in the module of its noun and a route that names it.

mod admitted;
pub mod apps;
pub mod bans;
pub mod block_lists;
pub mod blocks;
mod changes;
pub mod channels;
mod chat;
mod ctx;
pub mod deletion;
pub mod devices;
pub mod erasure;
mod error;
pub mod exports;
pub mod flags;
pub mod guests;
pub mod lifecycle;
pub mod log;
pub mod messages;
pub mod mutes;
mod names;
pub mod permissions;
pub mod push_preferences;
pub mod reactions;
pub mod roles;
pub mod tasks;
mod teams;
pub mod user_groups;
pub mod users;

pub use admitted::Admitted;
pub use ctx::Ctx;
pub use error::Error;
