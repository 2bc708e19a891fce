//! Where Headwater keeps its data. SQL lives here and nowhere else; rules do not.
//!
//! A noun is a module of plain functions over a [`Tx`]: to add one, write its table in `migrations/` and its
//! functions beside [`users`].

mod answer;
pub mod apps;
mod backup;
pub mod bans;
pub mod block_lists;
pub mod blocks;
mod cache;
pub mod channels;
pub mod deletion;
pub mod devices;
pub mod erase;
pub mod erase_chat;
mod error;
pub mod exports;
pub mod find;
pub mod flags;
mod gauges;
mod job;
mod lanes;
pub mod lifecycle;
pub mod log;
pub mod messages;
mod migrate;
pub mod mutes;
mod options;
pub mod parts;
mod postgres;
pub mod push_preferences;
pub mod reactions;
pub mod redaction;
pub mod roles;
pub mod scrub;
mod sql;
mod sqlite;
pub mod standing;
pub mod statements;
mod store;
pub mod tasks;
mod threads;
mod tx;
pub mod user_groups;
pub mod users;

pub use answer::Answer;
pub use backup::{Backup, Copied, Stop};
pub use cache::{AppCache, Cache, Epoch, StandingCache};
pub use error::{Cause, CopyError, Error, OpenError, PeekError};
pub use gauges::Gauges;
pub use migrate::Migration;
pub use options::{Durability, Options, PostgresOptions};
pub use postgres::{PostgresUrl, peek_server};
pub use sql::{Row, Sql, Value};
pub use sqlite::{back_up, peek, restore};
pub use store::Store;
pub use tx::Tx;
