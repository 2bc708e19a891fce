//! The store through its public interface only, on each engine where both promise the same. One file for each promise.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test cannot go on without, fails it")]

mod background;
mod backup;
mod batches;
mod closing;
mod opening;
mod parity;
mod people;
mod queue;
mod reads;
mod redaction;
mod restore;
mod scrub;
mod server;
mod shortcut;
mod support;
mod upgrade;
