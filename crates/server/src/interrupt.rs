//! Long work of a verb that a signal ends without leaving half of it behind.

use storage::Stop;
use tokio::runtime::{Builder, Runtime};
use tokio::task;

use crate::failure::Failure;
use crate::shutdown::Signals;

/// Runs `work`, which blocks, and has it stop at a signal.
///
/// # Errors
/// When it cannot be run.
pub(crate) fn interruptible<T: Send + 'static>(
    work: impl FnOnce(&Stop) -> T + Send + 'static,
) -> Result<T, Failure> {
    runtime()?.block_on(async {
        let mut signals = Signals::install()?;
        let stop = Stop::default();
        let stopped = stop.clone();
        let mut working = task::spawn_blocking(move || work(&stopped));
        loop {
            tokio::select! {
                done = &mut working => {
                    return done.map_err(|error| {
                        Failure::because("this broke down", &error, "report this as a defect")
                    });
                }
                () = signals.next() => stop.stop(),
            }
        }
    })
}

/// What a verb runs its futures on.
///
/// # Errors
/// When the system refuses.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::because("cannot start a runtime", &error, "raise the limits of this user"))
}
