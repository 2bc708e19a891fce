//! What tests share: a clock that stands still, chance that repeats, a store of their own, a running server.

mod clock;
mod store;

pub use clock::{FixedEntropy, TestClock};
pub use store::TestStore;
