//! A backup put where a server looks for its database.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use super::directory::{Directory, database_in, held_lock, open_private_file};
use super::partial::{Partial, cannot_write, companions, occupied};
use super::schema;
use super::verify::{Depth, verify};
use crate::migrate::SQLITE;
use crate::{Copied, CopyError, Stop};

/// Bytes that are copied at once, and between two looks at whether to go on.
const CHUNK: usize = 1 << 20;

/// Copies the backup `file` into `directory`, which is made when it is not there, has no database, and from which no
/// server serves. Blocks. The copy is checked before it gets its name; a server brings its schema up to date.
///
/// # Errors
/// See [`CopyError`]; then there is no database in the directory.
pub fn restore(directory: &Path, file: &Path, stop: &Stop) -> Result<Copied, CopyError> {
    let source = open(file)?;
    let _locked = Directory::lock(directory)?;
    let database = database_in(directory);
    if occupied(&database).is_some() {
        return Err(CopyError::Occupied(directory.to_owned()));
    }
    let partial = Partial::of(&database)?;
    copy(source, file, &partial, stop)?;
    let schema = verify(partial.file(), file, Depth::Content, SQLITE, stop)?;
    Ok(Copied { bytes: partial.finish()?, schema })
}

/// A file that looks like a database of ours. Whether it is one shows when it is copied; this keeps a mistyped name from
/// making a directory, or from copying a film.
fn open(file: &Path) -> Result<File, CopyError> {
    let failed = |source| cannot_read(file, source);
    // Before it is opened, which would wait for ever for the other end of a pipe.
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(CopyError::Foreign(file.to_owned()));
    }
    // A server that runs may write at any moment; one that was killed left the newest of what was stored, perhaps all
    // of it, in another file.
    let has_content = |path: &Path| path.metadata().is_ok_and(|metadata| metadata.len() > 0);
    let companion = || companions(file).find(|companion| has_content(companion));
    if let Some(companion) = held_lock(file).or_else(companion) {
        return Err(CopyError::InUse { file: file.to_owned(), companion });
    }
    let source = File::open(file).map_err(failed)?;
    let mut head = Vec::new();
    (&source).take(schema::HEAD).read_to_end(&mut head).map_err(failed)?;
    if !schema::is_marked(&head) {
        return Err(CopyError::Foreign(file.to_owned()));
    }
    Ok(source)
}

fn copy(mut source: File, file: &Path, partial: &Partial, stop: &Stop) -> Result<(), CopyError> {
    let unreadable = |source| cannot_read(file, source);
    let unwritable = |source| cannot_write(partial.target(), source);
    let mut target = open_private_file(partial.file()).map_err(unwritable)?;
    source.rewind().map_err(unreadable)?;
    let mut buffer = vec![0; CHUNK];
    loop {
        stop.check()?;
        match source.read(&mut buffer).map_err(unreadable)? {
            0 => return Ok(()),
            length => target.write_all(&buffer[..length]).map_err(unwritable)?,
        }
    }
}

fn cannot_read(path: &Path, source: io::Error) -> CopyError {
    CopyError::Source { path: path.to_owned(), source }
}
