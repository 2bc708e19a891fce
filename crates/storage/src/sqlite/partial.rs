//! A database file that comes into being all at once: written out of sight, beside its place, and moved there when it
//! is whole and on disk. It never takes the place of another file.

use std::fs::{File, Permissions};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, TempPath};

use super::directory::open_private_file;
use crate::CopyError;

/// What the engine keeps beside a database that is in use: changes that are not in the file itself.
const COMPANIONS: [&str; 2] = ["-wal", "-journal"];

/// A file in the making. It goes when this is dropped, with everything that the engine put beside it: both are in a
/// directory of their own, which is also why nobody but its owner can open them.
#[derive(Debug)]
pub(super) struct Partial {
    directory: TempDir,
    file: PathBuf,
    target: PathBuf,
}

impl Partial {
    /// Makes an empty file that is to become `target`.
    ///
    /// # Errors
    /// [`CopyError::Exists`] when there is something in its place, [`CopyError::Target`] when the system refuses.
    pub(super) fn of(target: &Path) -> Result<Self, CopyError> {
        if let Some(path) = occupied(target) {
            return Err(CopyError::Exists(path));
        }
        let parent = parent_of(target);
        // The most frequent mistake, told without the name of a directory that nobody knows.
        match parent.metadata() {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(cannot_write(target, io::ErrorKind::NotADirectory.into())),
            Err(source) => return Err(cannot_write(target, source)),
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".headwater-copy-");
        #[cfg(unix)]
        builder.permissions(Permissions::from_mode(0o700));
        let directory = builder.tempdir_in(parent).map_err(|source| cannot_write(target, source))?;
        let file = directory.path().join("headwater.db");
        open_private_file(&file).map_err(|source| cannot_write(target, source))?;
        Ok(Self { directory, file, target: target.to_owned() })
    }

    /// The file as long as it is in the making.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The place that it will have.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Waits until the file is on disk and moves it to its place. Answers its length. No connection to it is open.
    ///
    /// # Errors
    /// See [`Partial::of`]; then there is no file.
    pub(super) fn finish(self) -> Result<u64, CopyError> {
        let Self { directory, file, target } = self;
        let failed = |source| cannot_write(&target, source);
        let written = File::open(&file).map_err(failed)?;
        written.sync_all().map_err(failed)?;
        let bytes = written.metadata().map_err(failed)?.len();
        let moved = TempPath::try_from_path(file).map_err(failed)?.persist_noclobber(&target);
        moved.map_err(|refused| match refused.error.kind() {
            io::ErrorKind::AlreadyExists => CopyError::Exists(target.clone()),
            _ => cannot_write(&target, refused.error),
        })?;
        drop(directory);
        sync(parent_of(&target)).map_err(|source| {
            // A power cut might take it away again, so it must not look like a success.
            let _ = std::fs::remove_file(&target);
            cannot_write(&target, source)
        })?;
        Ok(bytes)
    }
}

/// What is in the way of a database file: something with its name, or what another database left beside it, which the
/// engine would take for a part of this one.
pub(super) fn occupied(file: &Path) -> Option<PathBuf> {
    // A link that leads nowhere counts too. What cannot be looked at is refused when something is made beside it.
    std::iter::once(file.to_owned()).chain(companions(file)).find(|path| path.symlink_metadata().is_ok())
}

/// The names of what the engine keeps beside a database that is in use.
pub(super) fn companions(file: &Path) -> impl Iterator<Item = PathBuf> {
    COMPANIONS.into_iter().map(|ending| {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    })
}

pub(super) fn cannot_write(path: &Path, source: io::Error) -> CopyError {
    CopyError::Target { path: path.to_owned(), source }
}

fn parent_of(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Waits until the entries of a directory are on disk.
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
