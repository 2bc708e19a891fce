//! Where Headwater keeps its data. SQL lives here and nowhere else; rules do not.
//!
//! A noun is a module of plain functions over a [`Tx`]: to add one, write its table in `migrations/` and its
//! functions beside [`users`].

mod answer;
pub mod apps;
mod cache;
mod error;
mod gauges;
mod job;
mod lanes;
pub mod log;
mod migrate;
mod options;
mod sql;
mod sqlite;
mod store;
mod threads;
mod tx;
pub mod users;

pub use answer::Answer;
pub use cache::{AppCache, Epoch};
pub use error::{Error, OpenError, PeekError};
pub use gauges::Gauges;
pub use migrate::Migration;
pub use options::{Durability, Options};
pub use sql::{Row, Sql, Value};
pub use sqlite::peek;
pub use store::Store;
pub use tx::Tx;
