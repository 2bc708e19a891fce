//! Operations against a real store: what they answer, what they store, what they log and what they refuse.

mod apps;
mod log;
mod stage;
mod users;
