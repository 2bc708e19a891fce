//! The files of exports: a row each, and their lines in chunks (semantics 11.3 to 11.5).

use model::{AppKey, ExportKey, TaskId, Timestamp, UserKey};

use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// The most chunks that one transaction removes: each can be of a megabyte.
pub const MOST_CHUNKS_REMOVED: usize = 16;

/// How much of messages and reactions there is of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// Messages, deleted ones too.
    pub messages: usize,
    /// Reactions.
    pub reactions: usize,
}

/// How much there is of a user; no more than `ceiling` of each kind are counted. One statement.
///
/// # Errors
/// When the statement fails.
pub fn amounts(tx: &mut Tx<'_>, user: UserKey, ceiling: usize) -> Result<Amounts, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE user = ?1 LIMIT ?2)), \
             (SELECT COUNT(*) FROM (SELECT 1 FROM reactions WHERE user = ?1 LIMIT ?2))",
        "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE \"user\" = $1 LIMIT $2) AS own), \
             (SELECT COUNT(*) FROM (SELECT 1 FROM reactions WHERE \"user\" = $1 LIMIT $2) AS own)",
    );
    let count = |value: i64| usize::try_from(value).unwrap_or(0);
    let found = tx.query(SELECT, &[user.0.into(), number(ceiling).into()], |row| {
        Ok(Amounts { messages: count(row.integer(0)?), reactions: count(row.integer(1)?) })
    })?;
    found.into_iter().next().ok_or(Error::Unreadable("count"))
}

/// Makes a file, which is not to be read until it is finished ([`expire_at`]).
///
/// # Errors
/// When the statement fails.
pub fn create(
    tx: &mut Tx<'_>,
    app: AppKey,
    name: &str,
    task: &TaskId,
    now: Timestamp,
) -> Result<ExportKey, Error> {
    const INSERT: Sql = Sql::pair(
        "INSERT OR FAIL INTO export_files (app, name, task, created_at) VALUES (?1, ?2, ?3, ?4) RETURNING key",
        "INSERT INTO export_files (app, name, task, created_at) VALUES ($1, $2, $3, $4) RETURNING key",
    );
    let parameters: [Value; 4] = [app.0.into(), name.into(), task.as_str().into(), now.into()];
    let keys = tx.query(INSERT, &parameters, |row| row.integer(0).map(ExportKey))?;
    keys.into_iter().next().ok_or(Error::Unreadable("export"))
}

/// Adds lines of `user` to a file, after all that have a smaller `sequence`.
///
/// # Errors
/// When the statement fails.
pub fn add_chunk(
    tx: &mut Tx<'_>,
    file: ExportKey,
    sequence: i64,
    user: UserKey,
    lines: String,
) -> Result<(), Error> {
    const INSERT: Sql = Sql::pair(
        "INSERT OR FAIL INTO export_chunks (file, sequence, user, lines) VALUES (?1, ?2, ?3, ?4)",
        "INSERT INTO export_chunks (file, sequence, \"user\", lines) VALUES ($1, $2, $3, $4)",
    );
    let parameters: [Value; 4] = [file.0.into(), sequence.into(), user.0.into(), Value::Text(lines)];
    tx.execute(INSERT, &parameters).map(drop)
}

/// Removes up to `most` chunks of `user` from a file. Answers how many.
///
/// # Errors
/// When the statement fails.
pub fn remove_of_user(tx: &mut Tx<'_>, file: ExportKey, user: UserKey, most: usize) -> Result<usize, Error> {
    const DELETE: Sql = Sql::pair(
        "DELETE FROM export_chunks WHERE rowid IN \
             (SELECT rowid FROM export_chunks WHERE user = ?2 AND file = ?1 LIMIT ?3)",
        "DELETE FROM export_chunks WHERE ctid = ANY (ARRAY(\
             SELECT ctid FROM export_chunks WHERE \"user\" = $2 AND file = $1 LIMIT $3))",
    );
    tx.execute(DELETE, &[file.0.into(), user.0.into(), number(most).into()])
}

/// Lets a file be read until `end`; when that is no later than now, it is never read and goes with the next sweep.
///
/// # Errors
/// When the statement fails.
pub fn expire_at(tx: &mut Tx<'_>, file: ExportKey, end: Timestamp) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL export_files SET expires_at = ?2 WHERE key = ?1",
        "UPDATE export_files SET expires_at = $2 WHERE key = $1",
    );
    tx.execute(UPDATE, &[file.0.into(), end.into()]).map(drop)
}

/// As [`expire_at`], of the file that the task with this id writes, if there is one. There are few files: each is there for a
/// day, and an app has so many tasks only.
///
/// # Errors
/// When the statement fails.
pub fn expire_of_task(tx: &mut Tx<'_>, app: AppKey, task: &TaskId, end: Timestamp) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL export_files SET expires_at = ?3 WHERE app = ?1 AND task = ?2",
        "UPDATE export_files SET expires_at = $3 WHERE app = $1 AND task = $2",
    );
    tx.execute(UPDATE, &[app.0.into(), task.as_str().into(), end.into()]).map(drop)
}

/// The file with this name, if it is finished and has not expired at `now`. Of an app that is suspended nobody gets anything.
///
/// # Errors
/// When the statement fails.
pub fn by_name(tx: &mut Tx<'_>, name: &str, now: Timestamp) -> Result<Option<ExportKey>, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT key FROM export_files WHERE name = $1 AND expires_at > $2 \
             AND (SELECT suspended_at FROM apps WHERE apps.key = export_files.app) IS NULL",
    );
    let found = tx.query(SELECT, &[name.into(), now.into()], |row| row.integer(0).map(ExportKey))?;
    Ok(found.into_iter().next())
}

/// What follows in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// These lines.
    Lines {
        /// Where they stand.
        sequence: i64,
        /// The lines, each with its end.
        lines: String,
    },
    /// Nothing: it was read.
    End,
    /// Nobody knows: the file has expired, or its app was suspended.
    Gone,
}

/// What follows in a file after the chunk `after`. Two statements at most.
///
/// # Errors
/// When a statement fails.
pub fn next(tx: &mut Tx<'_>, file: ExportKey, after: i64, now: Timestamp) -> Result<Next, Error> {
    const IS_THERE: Sql = Sql::new(
        "SELECT key FROM export_files WHERE key = $1 AND expires_at > $2 \
             AND (SELECT suspended_at FROM apps WHERE apps.key = export_files.app) IS NULL",
    );
    const SELECT: Sql = Sql::new(
        "SELECT sequence, lines FROM export_chunks WHERE file = $1 AND sequence > $2 ORDER BY sequence LIMIT 1",
    );
    if tx.query(IS_THERE, &[file.0.into(), now.into()], |row| row.integer(0))?.is_empty() {
        return Ok(Next::Gone);
    }
    let found = tx.query(SELECT, &[file.0.into(), after.into()], |row| {
        Ok(Next::Lines { sequence: row.integer(0)?, lines: row.text(1)? })
    })?;
    Ok(found.into_iter().next().unwrap_or(Next::End))
}

/// Removes some of a file that has expired at `now`, up to [`MOST_CHUNKS_REMOVED`] of its chunks. Answers whether there was
/// one: then there may be more.
///
/// # Errors
/// When a statement fails.
pub fn sweep(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT key FROM export_files WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1",
        "SELECT key FROM export_files WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    );
    let found = tx.query(SELECT, &[now.into()], |row| row.integer(0).map(ExportKey))?;
    let Some(file) = found.into_iter().next() else { return Ok(false) };
    remove_some(tx, file)?;
    Ok(true)
}

/// Removes up to [`MOST_CHUNKS_REMOVED`] chunks of a file, and the file when these were the last.
///
/// # Errors
/// When a statement fails.
pub fn remove_some(tx: &mut Tx<'_>, file: ExportKey) -> Result<(), Error> {
    const CHUNKS: Sql = Sql::pair(
        "DELETE FROM export_chunks WHERE rowid IN (SELECT rowid FROM export_chunks WHERE file = ?1 LIMIT ?2)",
        "DELETE FROM export_chunks WHERE ctid = ANY (ARRAY(SELECT ctid FROM export_chunks WHERE file = $1 LIMIT $2))",
    );
    const FILE: Sql = Sql::new("DELETE FROM export_files WHERE key = $1");
    if tx.execute(CHUNKS, &[file.0.into(), number(MOST_CHUNKS_REMOVED).into()])? < MOST_CHUNKS_REMOVED {
        tx.execute(FILE, &[file.0.into()])?;
    }
    Ok(())
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
