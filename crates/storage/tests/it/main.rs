//! The store on its SQLite engine, through its public interface only. One file for each promise of the store.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test cannot go on without, fails it")]

mod background;
mod backup;
mod batches;
mod closing;
mod opening;
mod queue;
mod reads;
mod restore;
mod shortcut;
mod support;
