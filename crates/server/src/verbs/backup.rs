//! `headwater backup` and `headwater restore`: everything that is stored, in one file, and back.

use std::path::{Path, PathBuf};

use crate::control;
use crate::failure::{Failure, print};
use crate::interrupt::interruptible;

/// Copies what is in a data directory into the new file `file`.
///
/// # Errors
/// When there is no backup.
pub(crate) fn back_up(directory: &Path, file: &Path) -> Result<(), Failure> {
    // A running server has a working directory of its own.
    let file = std::path::absolute(file).map_err(|error| {
        Failure::because(format!("cannot tell where {} is", file.display()), &error, "name it from the root")
    })?;
    let (place, target) = (directory.to_owned(), file.clone());
    let bytes = interruptible(move |stop| control::back_up(&place, &target, stop))??;
    print(format_args!("{bytes} bytes are backed up in {}.", file.display()))
}

/// Copies a backup into a data directory that has no database.
///
/// # Errors
/// When nothing is restored.
pub(crate) fn restore(directory: &Path, file: PathBuf) -> Result<(), Failure> {
    let place = directory.to_owned();
    let restored = interruptible(move |stop| storage::restore(&place, &file, stop))?;
    let copied = restored.map_err(|error| Failure::of(&error, error.hint()))?;
    let directory = directory.display();
    print(format_args!(
        "{} bytes are restored in {directory}. This serves them: headwater serve --data-dir {directory}",
        copied.bytes
    ))
}
