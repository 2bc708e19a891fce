//! A backup from its empty file to its name: beside a running writer, on a thread of its own, or without one.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use tokio::sync::oneshot;

use super::connection;
use super::copy::{Destination, PageCopy};
use super::directory::{Directory, database_in};
use super::partial::Partial;
use super::schema::{self, Owner};
use super::verify::{Depth, verify};
use crate::migrate::{self, Migration, SQLITE};
use crate::{Backup, Copied, CopyError, OpenError, Stop, threads};

/// How often a backup that takes long says how far it is.
const BETWEEN_REPORTS: Duration = Duration::from_secs(10);

/// The backups of an open database, one at a time: two would take twice as long, and share their fate.
#[derive(Debug)]
pub(crate) struct Backups {
    database: PathBuf,
    migrations: &'static [Migration],
    under_way: Arc<AtomicBool>,
    last: Mutex<Option<(Stop, JoinHandle<()>)>>,
}

impl Backups {
    /// Of the database in `directory`.
    pub(crate) fn new(directory: &Path, migrations: &'static [Migration]) -> Self {
        let database = database_in(directory);
        Self { database, migrations, under_way: Arc::default(), last: Mutex::default() }
    }

    /// Begins a backup for which the writer is asked through `copies`.
    pub(crate) fn begin(&self, target: PathBuf, copies: Sender<PageCopy>) -> Backup {
        if self.under_way.swap(true, Ordering::AcqRel) {
            return Backup::refused(CopyError::UnderWay);
        }
        let turn = Turn(Arc::clone(&self.under_way));
        let stop = Stop::default();
        let (database, migrations, stopped) = (self.database.clone(), self.migrations, stop.clone());
        let (reply, coming) = oneshot::channel();
        let thread = Builder::new().name("storage-backup".to_owned()).spawn(move || {
            let backed_up = beside_writer(&database, &target, copies, migrations, &stopped);
            // Whoever has the answer can begin the next.
            drop(turn);
            // Nobody may wait for it any more.
            let _ = reply.send(backed_up);
        });
        match thread {
            Ok(thread) => {
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((stop.clone(), thread));
                Backup::under_way(coming, stop)
            }
            Err(error) => Backup::refused(CopyError::Thread(error)),
        }
    }

    /// Stops the backup that is under way, and waits until nothing is left of it.
    pub(crate) fn end(&self) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = last {
            stop.stop();
            threads::join(&mut vec![thread]);
        }
    }
}

/// The right to make a backup.
struct Turn(Arc<AtomicBool>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Copies the database of a running writer.
fn beside_writer(
    database: &Path,
    target: &Path,
    copies: Sender<PageCopy>,
    migrations: &[Migration],
    stop: &Stop,
) -> Result<Copied, CopyError> {
    let partial = Partial::of(target)?;
    let destination = destination(&partial, stop)?;
    let pages = Arc::clone(&destination.pages);
    let (done, filled) = bounded(1);
    copies.send(PageCopy { destination, done }).map_err(|_| CopyError::Stopped)?;
    drop(copies);
    tracing::info!(file = %target.display(), "a backup began");
    let destination = loop {
        match filled.recv_timeout(BETWEEN_REPORTS) {
            Ok(destination) => break destination?,
            Err(RecvTimeoutError::Timeout) => {
                tracing::info!(copied = pages.copied.get(), pages = pages.all.get(), "a backup is under way");
            }
            // The writer ended first.
            Err(RecvTimeoutError::Disconnected) => return Err(CopyError::Stopped),
        }
    };
    tracing::info!(pages = pages.all.get(), "a backup is copied and is checked now");
    finish(partial, destination, database, migrations, stop)
}

/// Copies the database in `directory`, from which no server may serve, to the new file `target`. Blocks. Its schema
/// stays as it is.
///
/// # Errors
/// See [`CopyError`]; then nothing has changed.
pub fn back_up(directory: &Path, target: &Path, stop: &Stop) -> Result<Copied, CopyError> {
    let database = database_in(directory);
    let missing = || CopyError::Database(OpenError::Missing(directory.to_owned()));
    match database.try_exists() {
        Ok(true) => {}
        Ok(false) => return Err(missing()),
        Err(source) => return Err(OpenError::Directory { path: directory.to_owned(), source }.into()),
    }
    let _locked = Directory::lock(directory)?;
    let failed = |source| CopyError::Database(schema::cannot_open(&database, source));
    let source = connection::existing(&database).map_err(failed)?;
    match schema::owner(&source).map_err(failed)? {
        Owner::Headwater => {}
        Owner::Nobody => return Err(missing()),
        Owner::Somebody => return Err(OpenError::Foreign(database).into()),
    }
    migrate::missing(SQLITE, &schema::applied(&source).map_err(failed)?)?;
    let partial = Partial::of(target)?;
    let mut destination = destination(&partial, stop)?;
    destination.fill(&source, |_| Ok(()))?;
    finish(partial, destination, &database, SQLITE, stop)
}

fn destination(partial: &Partial, stop: &Stop) -> Result<Destination, CopyError> {
    let path = partial.target().to_owned();
    let connection = connection::sole(partial.file(), "off")
        .map_err(|source| CopyError::Engine { path: path.clone(), source })?;
    Ok(Destination { connection, path, pages: Arc::default(), stop: stop.clone() })
}

/// Checks what was copied, and gives it its name.
fn finish(
    partial: Partial,
    destination: Destination,
    database: &Path,
    migrations: &[Migration],
    stop: &Stop,
) -> Result<Copied, CopyError> {
    drop(destination);
    // Its pages are those of the database, so what is wrong with them is wrong there.
    let schema = verify(partial.file(), database, Depth::Structure, migrations, stop)?;
    Ok(Copied { bytes: partial.finish()?, schema })
}
