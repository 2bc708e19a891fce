//! What the bench must take away again, however it ends: a directory and the programs it started.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::signal;

use crate::failure::{Failure, because};

/// The exit status of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// A temporary directory, and the programs that run in it.
pub(crate) struct Home {
    directory: TempDir,
    running: Arc<Mutex<Vec<Pid>>>,
    undo: Arc<Mutex<Option<Undo>>>,
}

/// Takes away what lies elsewhere.
type Undo = Box<dyn FnOnce() + Send>;

impl std::fmt::Debug for Home {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Home").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Home {
    /// Makes the directory, in `place` when one is given, and has everything taken away at the first Ctrl-C.
    pub(crate) fn new(place: Option<&Path>) -> Result<Self, Failure> {
        let place = place.map_or_else(std::env::temp_dir, Path::to_owned);
        let directory = TempDir::with_prefix_in("headwater-bench-", &place)
            .map_err(because(format_args!("cannot make a directory in {}", place.display())))?;
        let running = Arc::<Mutex<Vec<Pid>>>::default();
        let undo = Arc::<Mutex<Option<Undo>>>::default();
        let (left, programs, elsewhere) =
            (directory.path().to_owned(), Arc::clone(&running), Arc::clone(&undo));
        thread::spawn(move || take_away_at_interrupt(&left, &programs, &elsewhere));
        Ok(Self { directory, running, undo })
    }

    /// A file or directory in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Has `undo` called at Ctrl-C, once the programs are ended.
    pub(crate) fn at_interrupt(&self, undo: impl FnOnce() + Send + 'static) {
        *self.undo.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(undo));
    }

    /// The programs that are to be ended with the bench. Whoever has waited for one takes it off.
    pub(crate) fn running(&self) -> Arc<Mutex<Vec<Pid>>> {
        Arc::clone(&self.running)
    }
}

fn take_away_at_interrupt(directory: &Path, programs: &Mutex<Vec<Pid>>, undo: &Mutex<Option<Undo>>) {
    // Without a runtime or a handler the signal ends the bench as it always does.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    if runtime.block_on(signal::ctrl_c()).is_err() {
        return;
    }
    eprintln!("interrupted");
    // It stays locked, so that nothing new starts.
    let programs = programs.lock().unwrap_or_else(PoisonError::into_inner);
    for program in programs.iter() {
        // It may have ended by the same signal.
        let _ = kill_process(*program, Signal::KILL);
    }
    if let Some(undo) = undo.lock().unwrap_or_else(PoisonError::into_inner).take() {
        undo();
    }
    if let Err(error) = std::fs::remove_dir_all(directory) {
        eprintln!("cannot remove {}: {error}", directory.display());
    }
    std::process::exit(INTERRUPTED);
}
