//! The data directory: made, locked against a second server, and the names of what is in it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::OpenError;

const DATABASE: &str = "headwater.db";
const LOCK: &str = "headwater.lock";

/// A data directory that this process alone serves from, for as long as this value lives.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// The system frees the lock with the file, however the process ends.
    _lock: File,
}

impl Directory {
    /// Makes the directory when it is not there, locks it, and makes an empty database when there is none.
    pub(super) fn claim(path: &Path) -> Result<Self, OpenError> {
        let directory = Self::lock(path)?;
        // Only now: closing a file frees all locks that this process has on it, those of an open database included.
        open_private_file(&directory.database())
            .map_err(|source| OpenError::Directory { path: path.to_owned(), source })?;
        Ok(directory)
    }

    /// Makes the directory when it is not there, and locks it.
    ///
    /// A directory that we make is open to its owner only. One that exists keeps the mode its operator chose, so the
    /// files in it are their owner's only as well; the engine gives its other files the mode of the database.
    pub(super) fn lock(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Directory { path: path.to_owned(), source };
        make_private_directory(path).map_err(failed)?;
        let lock = open_private_file(&path.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The database file. It exists, empty at first, in a directory that was claimed.
    pub(super) fn database(&self) -> PathBuf {
        database_in(&self.path)
    }
}

/// The lock beside `file`, when that is the database of a directory from which somebody serves.
pub(super) fn held_lock(file: &Path) -> Option<PathBuf> {
    let lock = file.with_file_name(LOCK);
    let held = |lock: File| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock));
    (file.file_name()? == DATABASE && File::open(&lock).is_ok_and(held)).then_some(lock)
}

/// The database file of a data directory that need not exist.
pub(super) fn database_in(directory: &Path) -> PathBuf {
    directory.join(DATABASE)
}

fn make_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(path)
}

/// Opens a file, made when it is not there, that only its owner can open.
pub(super) fn open_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path)
}
