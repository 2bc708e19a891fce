//! The threads of an engine: started together, never silently gone, joined in order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, JoinHandle};

use crate::OpenError;

/// The running threads of a store.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    pub(crate) readers: Vec<JoinHandle<()>>,
    pub(crate) writer: Vec<JoinHandle<()>>,
}

/// Starts a thread that calls `serve` until it returns.
///
/// Jobs catch the panics of their closures. Should anything around them panic all the same (the conversion of an
/// error, a log subscriber), `serve` is called again: a thread that ended would leave all later work waiting.
pub(crate) fn spawn(
    name: String,
    mut serve: impl FnMut() + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    Builder::new()
        .name(name)
        .spawn(move || {
            while catch_unwind(AssertUnwindSafe(&mut serve)).is_err() {
                tracing::error!("a database thread panicked and goes on");
            }
        })
        .map_err(OpenError::Thread)
}

/// Waits for threads to end.
pub(crate) fn join(threads: &mut Vec<JoinHandle<()>>) {
    for thread in threads.drain(..) {
        if thread.join().is_err() {
            tracing::error!("a database thread ended by a panic");
        }
    }
}
