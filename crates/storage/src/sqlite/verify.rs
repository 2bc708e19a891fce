//! Whether a file is a whole database of ours, on its own: the last step of a backup, and of a restore before anything
//! is in place.

use std::path::Path;

use rusqlite::ErrorCode;

use super::connection;
use super::schema::{self, Owner};
use crate::migrate::{self, Migration};
use crate::{CopyError, Stop};

/// How many steps of the engine's machine lie between two looks at whether to go on: well below a second.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// How closely a copy is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Depth {
    /// Every page, and every record within its tree.
    Structure,
    /// Also whether every index says what its table does, which reads in random order.
    Content,
}

impl Depth {
    fn pragma(self) -> &'static str {
        match self {
            Self::Structure => "PRAGMA quick_check(1)",
            Self::Content => "PRAGMA integrity_check(1)",
        }
    }
}

/// Makes `file`, which nobody else has open, need nothing beside it, and checks it against the steps in `known`; it may
/// lack the last of them. Answers the last that it has. `origin` is what an operator knows it by.
///
/// # Errors
/// [`CopyError::Foreign`], [`CopyError::Damaged`], [`CopyError::Database`] when its schema is not one of ours.
pub(super) fn verify(
    file: &Path,
    origin: &Path,
    depth: Depth,
    known: &[Migration],
    stop: &Stop,
) -> Result<i64, CopyError> {
    let verdict = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => CopyError::Foreign(origin.to_owned()),
        Some(ErrorCode::DatabaseCorrupt) => damaged(origin, source.to_string()),
        Some(ErrorCode::OperationInterrupted) if stop.is_wanted() => CopyError::Stopped,
        _ => CopyError::Engine { path: origin.to_owned(), source },
    };
    // Not write-ahead logged any more: a file that is cannot be read where nothing can be written beside it, and is
    // easily torn from its log.
    let mut connection = connection::sole(file, "delete").map_err(verdict)?;
    let stopped = stop.clone();
    let handler = Some(move || stopped.is_wanted());
    connection.progress_handler(STEPS_BETWEEN_LOOKS, handler).map_err(verdict)?;
    if schema::owner(&connection).map_err(verdict)? != Owner::Headwater {
        return Err(CopyError::Foreign(origin.to_owned()));
    }
    let applied = schema::applied(&connection).map_err(verdict)?;
    migrate::missing(known, &applied)?;
    let finding: String = connection.query_row(depth.pragma(), [], |row| row.get(0)).map_err(verdict)?;
    if finding != "ok" {
        return Err(damaged(origin, finding));
    }
    Ok(applied.last().map_or(0, |step| step.number))
}

fn damaged(origin: &Path, finding: String) -> CopyError {
    CopyError::Damaged { path: origin.to_owned(), finding }
}
