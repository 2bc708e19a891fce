//! What tests share: a clock that stands still, chance that repeats, a store of their own, a running server.

pub mod client;
mod clock;
mod engine;
mod front;
pub mod postgres;
pub mod process;
pub mod require;
mod store;

pub use clock::{FixedEntropy, TestClock};
pub use engine::Engine;
pub use front::{KEY, SECRET, TestFront, server_token, token};
pub use store::TestStore;
