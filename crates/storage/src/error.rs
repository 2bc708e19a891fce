//! What can go wrong between an operation and the disk.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What an engine said: a [`rusqlite::Error`] or a [`postgres::Error`].
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why a closure given to the store has no result. Cloned, because a `Tx` keeps its first failure.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The queue is full; nothing ran. Worth another try.
    #[error("too much work is waiting for the database")]
    Busy,
    /// The work was not begun, or the read was stopped, within its budget; nothing changed.
    #[error("the database did not answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// The commit failed: what the closure wrote may or may not be stored.
    #[error("the commit failed, its outcome is unknown")]
    OutcomeUnknown(#[source] Cause),
    /// The engine could not begin a transaction, or be reached again after a failure; nothing ran. Worth another try.
    #[error("the database cannot be used at the moment")]
    Unavailable(#[source] Cause),
    /// The store is closing and takes no more work; nothing ran.
    #[error("the store is closed")]
    Closed,
    /// The closure panicked; what it wrote was rolled back.
    #[error("the operation panicked")]
    Panicked,
    /// A statement failed; what the closure wrote is rolled back.
    #[error("a statement failed: {statement}")]
    Statement {
        /// The SQL, which never contains values.
        statement: Cow<'static, str>,
        /// What the engine said.
        #[source]
        source: Cause,
    },
    /// Others wrote the same rows each time that the closure ran; nothing of it is stored. Worth another try. Only on an
    /// engine with concurrent writers.
    #[error("others keep changing the same data at the same time")]
    Contended,
    /// A stored value is not what this version writes.
    #[error("the stored {0} cannot be read")]
    Unreadable(&'static str),
}

impl Error {
    /// What SQLite said, where it was that which failed.
    #[must_use]
    pub fn sqlite_code(&self) -> Option<rusqlite::ErrorCode> {
        self.cause()?.downcast_ref::<rusqlite::Error>()?.sqlite_error_code()
    }

    /// What PostgreSQL said, where it was that which failed.
    pub(crate) fn postgres(&self) -> Option<&postgres::Error> {
        self.cause()?.downcast_ref()
    }

    fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        match self {
            Self::OutcomeUnknown(cause)
            | Self::Unavailable(cause)
            | Self::Statement { source: cause, .. } => Some(&**cause),
            Self::Busy
            | Self::Timeout(_)
            | Self::Closed
            | Self::Panicked
            | Self::Contended
            | Self::Unreadable(_) => None,
        }
    }
}

/// Why a database could not be opened. `Display` is one line for an operator, [`OpenError::hint`] another.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made, read or written.
    #[error("cannot use the data directory {}", path.display())]
    Directory {
        /// The data directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another process serves from the directory.
    #[error("another server is using the data directory {}", .0.display())]
    Locked(PathBuf),
    /// The file is a database of some other program, or none.
    #[error("{} is not a Headwater database", .0.display())]
    Foreign(PathBuf),
    /// There is no database, and the caller only wants to read one.
    #[error("there is no database in {}", .0.display())]
    Missing(PathBuf),
    /// The schema lacks a step of this version, and the caller only wants to read.
    #[error("the database has schema {found}, this version needs {known}")]
    Older {
        /// The newest migration in the database, 0 for none.
        found: i64,
        /// The newest migration of this program.
        known: i64,
    },
    /// A newer version of Headwater has changed the schema.
    #[error("the database has schema {found}, this version knows {known}")]
    Newer {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration of this program.
        known: i64,
    },
    /// A migration that ran is not the one this program carries.
    #[error("migration {number} of the database differs from the one of this version")]
    Altered {
        /// The number of the migration.
        number: i64,
    },
    /// The engine failed.
    #[error("cannot open the database {}", path.display())]
    Engine {
        /// The database file.
        path: PathBuf,
        /// What the engine said.
        #[source]
        source: rusqlite::Error,
    },
    /// No server answers where the URL of the database says.
    #[error("cannot reach the PostgreSQL server of {place}")]
    Unreachable {
        /// Server and database, without user and password.
        place: String,
        /// What the client said.
        #[source]
        source: postgres::Error,
    },
    /// There is no connection by TLS, or not to whom it should be.
    #[error("cannot trust the PostgreSQL server of {place}")]
    Untrusted {
        /// Server and database.
        place: String,
        /// What the client said.
        #[source]
        source: postgres::Error,
    },
    /// The server does not let this user in.
    #[error("the PostgreSQL server of {place} refuses this user or password")]
    Refused {
        /// Server and database.
        place: String,
        /// What the server said.
        #[source]
        source: postgres::Error,
    },
    /// The server does not have the database.
    #[error("the PostgreSQL server has no database {0}")]
    NoDatabase(String),
    /// The database is empty, and the caller only wants to read.
    #[error("there is nothing of Headwater in the database {0}")]
    NoTables(String),
    /// The database holds tables of some other program.
    #[error("the database {0} belongs to another program")]
    ForeignTables(String),
    /// The role has no right to write, or the server is a copy of another one.
    #[error("nothing can be written to the database {0} as this user")]
    ReadOnly(String),
    /// The server lacks what this program needs.
    #[error("the PostgreSQL server of {place} has version {found}, 15 or later is needed")]
    TooOld {
        /// Server and database.
        place: String,
        /// Its version.
        found: String,
    },
    /// The database cannot hold every text.
    #[error("the database {place} has the encoding {found}, UTF8 is needed")]
    Encoding {
        /// Server and database.
        place: String,
        /// Its encoding.
        found: String,
    },
    /// The certificates by which the server was to be known cannot be read.
    #[error("cannot read certificates from {}", .0.display())]
    Certificates(PathBuf),
    /// The server failed.
    #[error("cannot open the database {place}")]
    Server {
        /// Server and database.
        place: String,
        /// What the server or the client said.
        #[source]
        source: postgres::Error,
    },
    /// The system starts no more threads.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
}

/// Why [`peek`](crate::peek) has nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum PeekError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The closure failed.
    #[error(transparent)]
    Read(#[from] Error),
}

/// Why a database was not copied, into a backup or out of one; nothing is left of the copy. `Display` is one line for
/// an operator, [`CopyError::hint`] another.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something is in the place of the copy, or would be taken for a part of it.
    #[error("{} exists", .0.display())]
    Exists(PathBuf),
    /// The data directory has a database.
    #[error("there is a database in {}", .0.display())]
    Occupied(PathBuf),
    /// The backup cannot be read.
    #[error("cannot read {}", path.display())]
    Source {
        /// The backup.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The copy cannot be written.
    #[error("cannot write {}", path.display())]
    Target {
        /// The place of the copy.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is a database of some other program, or none.
    #[error("{} is not a Headwater database", .0.display())]
    Foreign(PathBuf),
    /// The file is the database of a server that runs, or was killed and left a part in another file.
    #[error("{} is the database of a server and perhaps not whole, see {}", file.display(), companion.display())]
    InUse {
        /// The database.
        file: PathBuf,
        /// What beside it says so.
        companion: PathBuf,
    },
    /// The database is broken.
    #[error("{} is damaged: {finding}", path.display())]
    Damaged {
        /// The database, or the backup.
        path: PathBuf,
        /// What is wrong with it, the first of all such things.
        finding: String,
    },
    /// The data directory or the schema is not fit to be copied.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The engine failed.
    #[error("cannot copy {}", path.display())]
    Engine {
        /// The database, or the backup.
        path: PathBuf,
        /// What the engine said.
        #[source]
        source: rusqlite::Error,
    },
    /// Something keeps undoing what was copied.
    #[error("the database changes in ways that cannot be followed")]
    Disturbed,
    /// The database is on a server of its own.
    #[error("the database is kept by a PostgreSQL server")]
    Elsewhere,
    /// The store makes one already.
    #[error("another backup is under way")]
    UnderWay,
    /// Whoever wanted it does not any more, the store is closing, or its database failed.
    #[error("the copy was stopped")]
    Stopped,
    /// The store could not begin it.
    #[error(transparent)]
    Store(#[from] Error),
    /// The system starts no more threads.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
}

impl CopyError {
    /// What an operator can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Exists(_) => "choose another name, or move that file away: nothing is overwritten",
            Self::Occupied(_) => {
                "choose another directory with --data-dir, or move its database away: nothing is overwritten"
            }
            Self::Source { .. } => "name a backup that this user may read",
            Self::Target { .. } => {
                "choose a directory that exists, that may be written to, and that has room for the database"
            }
            Self::Foreign(_) => "name a file that `headwater backup` wrote",
            Self::InUse { .. } => "copy that database with `headwater backup`, and restore the copy",
            Self::Damaged { .. } => {
                "restore an earlier backup, and check the disk and the memory of the machine"
            }
            Self::Database(error) => error.hint(),
            Self::Engine { .. } => {
                "check that the disk of the copy has room for it, and that both disks work"
            }
            Self::Disturbed => "see to it that no other program writes to the database, and try again",
            Self::Elsewhere => "use pg_dump, or the backups of the server",
            Self::UnderWay => "wait for its end, which the server's log tells",
            Self::Stopped | Self::Store(_) => "try again; the server's log says more when it was not you",
            Self::Thread(_) => "raise the number of threads that this user may start",
        }
    }
}

impl OpenError {
    /// What an operator can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Directory { .. } => "choose a directory that this user may write to with --data-dir",
            Self::Locked(_) => "stop the other server, or choose another directory with --data-dir",
            Self::Foreign(_) => "choose another directory with --data-dir",
            Self::Missing(_) => "start the server once, or name its data directory with --data-dir",
            Self::Older { .. } => "start the server of this version once: it brings the database up to date",
            Self::Newer { .. } => "run the version of Headwater that last used this database, or a later one",
            Self::Altered { .. } => {
                "run the version of Headwater that made this database, or restore a backup"
            }
            Self::Engine { .. } => "check that the disk has free space and that this user may write to it",
            Self::Unreachable { .. } => {
                "check host and port of --database-url, that the server runs, and that it listens there"
            }
            Self::Untrusted { .. } => {
                "check that sslrootcert in --database-url has issued the server's certificate, which names the host of the URL"
            }
            Self::Refused { .. } => {
                "check user and password of --database-url, and what pg_hba.conf on the server says of them"
            }
            Self::NoDatabase(_) => "make it with createdb, or name another one in --database-url",
            Self::NoTables(_) => "start the server once, or name its database with --database-url",
            Self::ForeignTables(_) => "make an empty database with createdb, and name it in --database-url",
            Self::ReadOnly(_) => {
                "name the primary server in --database-url, and a user who owns the database or may write to its tables"
            }
            Self::TooOld { .. } => "upgrade the server, or name another one in --database-url",
            Self::Encoding { .. } => "make a database with createdb --encoding=UTF8 --template=template0",
            Self::Certificates(_) => "name a file with certificates in PEM as sslrootcert in --database-url",
            Self::Server { .. } => "see the log of the PostgreSQL server",
            Self::Thread(_) => "raise the number of threads that this user may start",
        }
    }
}
