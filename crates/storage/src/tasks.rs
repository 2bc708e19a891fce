//! Tasks: a row each, claimed by the transaction that does a step of it and changes it (v2 4).

use std::time::Duration;

use model::{AppKey, MOST_TASKS, Task, TaskError, TaskId, TaskResult, TaskStatus, Timestamp, Work};

use crate::log::Origin;
use crate::sql::{Row, Sql};
use crate::{Error, Tx, deletion};

/// The most rows that one call of [`drop_results`] or [`prune`] changes: few enough that other writes do not wait.
pub const SWEPT_AT_ONCE: i64 = 500;

/// The key of a task within one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskKey(pub i64);

/// A task of which a step is being done. Until the transaction ends, nobody else does one.
#[derive(Debug)]
pub struct Claimed {
    /// The key.
    pub key: TaskKey,
    /// The app.
    pub app: AppKey,
    /// The id.
    pub id: TaskId,
    /// What is to be done, as stored ([`Work::from_stored`]).
    pub work: String,
    /// How often a step has failed since the last that did not.
    pub attempts: u32,
    /// Who started the task.
    pub actor: String,
    /// By which operation.
    pub operation: String,
    /// By which request.
    pub request: String,
    /// When.
    pub created_at: Timestamp,
}

/// How a task ends.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Everything was done that could be.
    Completed(Option<TaskResult>),
    /// It was given up.
    Failed(TaskError),
}

/// Makes a task for the call that `origin` says. Answers whether the app had room for it: it has at most [`MOST_TASKS`]
/// that are not over, and a few more when some are made at the same moment by several writers.
///
/// # Errors
/// When a statement fails.
pub fn insert(tx: &mut Tx<'_>, origin: &Origin<'_>, id: &TaskId, work: &Work) -> Result<bool, Error> {
    const INSERT: Sql = Sql::pair(
        "INSERT OR FAIL INTO tasks (app, id, kind, work, status, attempts, run_at, actor, operation, request, created_at, \
             updated_at) \
         SELECT ?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9, ?6, ?6 \
         WHERE (SELECT COUNT(*) FROM tasks WHERE app = ?1 AND finished_at IS NULL) < ?10",
        "INSERT INTO tasks (app, id, kind, work, status, attempts, run_at, actor, operation, request, created_at, \
             updated_at) \
         SELECT $1::bigint, $2::text, $3::text, $4::text, $5::text, 0, $6::bigint, $7::text, $8::text, $9::text, $6, $6 \
         WHERE (SELECT COUNT(*) FROM tasks WHERE app = $1 AND finished_at IS NULL) < $10",
    );
    let made = tx.execute(
        INSERT,
        &[
            origin.app.0.into(),
            id.as_str().into(),
            work.name().into(),
            work.to_stored().map_err(unreadable)?.into(),
            TaskStatus::Pending.name().into(),
            origin.time.into(),
            origin.actor.into(),
            origin.operation.into(),
            origin.request.into(),
            i64::try_from(MOST_TASKS).unwrap_or(i64::MAX).into(),
        ],
    )?;
    Ok(made == 1)
}

/// Whether a step of some task may be begun at `now`.
///
/// # Errors
/// When a statement fails.
pub fn is_due(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT key FROM tasks WHERE finished_at IS NULL AND run_at <= $1 ORDER BY run_at, key LIMIT 1",
    );
    Ok(!tx.query(SELECT, &[now.into()], |row| row.integer(0))?.is_empty())
}

/// Claims the task whose turn it is at `now`: the one that has waited longest, of those that nobody else has claimed.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn claim(tx: &mut Tx<'_>, now: Timestamp) -> Result<Option<Claimed>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT key, app, id, work, attempts, actor, operation, request, created_at FROM tasks \
         WHERE finished_at IS NULL AND run_at <= $1 ORDER BY run_at, key LIMIT 1",
        "SELECT key, app, id, work, attempts, actor, operation, request, created_at FROM tasks \
         WHERE finished_at IS NULL AND run_at <= $1 ORDER BY run_at, key LIMIT 1 FOR UPDATE SKIP LOCKED",
    );
    Ok(tx.query(SELECT, &[now.into()], claimed)?.into_iter().next())
}

/// Claims the task with this key, unless it is over. Waits for whoever does a step of it.
///
/// # Errors
/// See [`claim`].
pub fn claim_this(tx: &mut Tx<'_>, key: TaskKey) -> Result<Option<Claimed>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT key, app, id, work, attempts, actor, operation, request, created_at FROM tasks \
         WHERE key = $1 AND finished_at IS NULL",
        "SELECT key, app, id, work, attempts, actor, operation, request, created_at FROM tasks \
         WHERE key = $1 AND finished_at IS NULL FOR UPDATE",
    );
    Ok(tx.query(SELECT, &[key.0.into()], claimed)?.into_iter().next())
}

/// Stores how far a claimed task came with a step at `now`. It has its next turn after every other task that is due.
///
/// # Errors
/// When a statement fails.
pub fn advance(tx: &mut Tx<'_>, key: TaskKey, work: &Work, now: Timestamp) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL tasks SET work = ?2, status = ?3, attempts = 0, run_at = ?4, updated_at = ?4, \
             started_at = COALESCE(started_at, ?4) WHERE key = ?1",
        "UPDATE tasks SET work = $2, status = $3, attempts = 0, run_at = $4, updated_at = $4, \
             started_at = COALESCE(started_at, $4) WHERE key = $1",
    );
    let work = work.to_stored().map_err(unreadable)?;
    let running = TaskStatus::Running.name();
    tx.execute(UPDATE, &[key.0.into(), work.into(), running.into(), now.into()]).map(drop)
}

/// Stores that a step of a claimed task has failed at `now`, for the `attempts`th time in a row, and when it is tried again.
///
/// # Errors
/// When a statement fails.
pub fn postpone(
    tx: &mut Tx<'_>,
    key: TaskKey,
    attempts: u32,
    now: Timestamp,
    until: Timestamp,
) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL tasks SET status = ?2, attempts = ?3, run_at = ?4, updated_at = ?5, \
             started_at = COALESCE(started_at, ?5) WHERE key = ?1",
        "UPDATE tasks SET status = $2, attempts = $3, run_at = $4, updated_at = $5, \
             started_at = COALESCE(started_at, $5) WHERE key = $1",
    );
    let running = TaskStatus::Running.name();
    let parameters = [key.0.into(), running.into(), i64::from(attempts).into(), until.into(), now.into()];
    tx.execute(UPDATE, &parameters).map(drop)
}

/// Stores that a claimed task is over at `now`, and forgets what it had to do and who started it, which can name users as well
/// ([`deletion::dropped`]).
///
/// # Errors
/// When a statement fails.
pub fn finish(tx: &mut Tx<'_>, key: TaskKey, end: &End, now: Timestamp) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL tasks SET work = '', actor = '', status = ?2, result = ?3, result_until = ?4, error = ?5, \
             updated_at = ?6, started_at = COALESCE(started_at, ?6), finished_at = ?6 WHERE key = ?1",
        "UPDATE tasks SET work = '', actor = '', status = $2, result = $3, result_until = $4, error = $5, \
             updated_at = $6, started_at = COALESCE(started_at, $6), finished_at = $6 WHERE key = $1",
    );
    let (status, result, error) = match end {
        End::Completed(result) => (TaskStatus::Completed, result.as_ref(), None),
        End::Failed(error) => (TaskStatus::Failed, None, Some(error)),
    };
    let kept = result.and_then(TaskResult::kept).or_else(|| error.and_then(TaskError::kept));
    let until = kept.map(|kept| now.after(kept));
    let result = result.map(TaskResult::to_stored).transpose().map_err(unreadable)?;
    let error = error.map(serde_json::to_string).transpose().map_err(unreadable)?;
    let parameters =
        [key.0.into(), status.name().into(), result.into(), until.into(), error.into(), now.into()];
    tx.execute(UPDATE, &parameters)?;
    // What is dropped later is noted then.
    if until.is_none() { deletion::dropped(tx, now) } else { Ok(()) }
}

/// The task of `app` with this id.
///
/// # Errors
/// When a statement fails or the row cannot be read.
pub fn by_id(tx: &mut Tx<'_>, app: AppKey, id: &str) -> Result<Option<Task>, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT id, status, result, error, created_at, updated_at FROM tasks WHERE app = $1 AND id = $2",
    );
    Ok(tx.query(SELECT, &[app.0.into(), id.into()], read)?.into_iter().next())
}

/// Drops results, and reasons of failures, that are not to be known at `now` any more, at most [`SWEPT_AT_ONCE`] of them.
/// Answers how many. They can name users who are gone without a trace ([`deletion::dropped`]): some ids are of users who were
/// gone before the task began, or have been forgotten for long when it ends.
///
/// # Errors
/// When a statement fails.
pub fn drop_results(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL tasks SET result = NULL, result_until = NULL, error = CASE WHEN error IS NOT NULL THEN ?3 END \
         WHERE key IN (SELECT key FROM tasks WHERE result_until <= ?1 ORDER BY result_until LIMIT ?2)",
        "UPDATE tasks SET result = NULL, result_until = NULL, error = CASE WHEN error IS NOT NULL THEN $3 END \
         WHERE key = ANY (ARRAY(\
             SELECT key FROM tasks WHERE result_until <= $1 ORDER BY result_until LIMIT $2 FOR UPDATE SKIP LOCKED))",
    );
    let forgotten = serde_json::to_string(&TaskError::forgotten()).map_err(unreadable)?;
    let count = tx.execute(UPDATE, &[now.into(), SWEPT_AT_ONCE.into(), forgotten.into()])?;
    if count > 0 {
        deletion::dropped(tx, now)?;
    }
    Ok(count)
}

/// Takes tasks away that were over `kept` before `now`, at most [`SWEPT_AT_ONCE`] of them. Answers how many.
///
/// # Errors
/// When a statement fails.
pub fn prune(tx: &mut Tx<'_>, now: Timestamp, kept: Duration) -> Result<usize, Error> {
    const DELETE: Sql = Sql::pair(
        "DELETE FROM tasks WHERE key IN \
             (SELECT key FROM tasks WHERE finished_at <= ?1 ORDER BY finished_at LIMIT ?2)",
        "DELETE FROM tasks WHERE key = ANY (ARRAY(\
             SELECT key FROM tasks WHERE finished_at <= $1 ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
    );
    tx.execute(DELETE, &[now.before(kept).into(), SWEPT_AT_ONCE.into()])
}

fn claimed(row: &Row<'_>) -> Result<Claimed, Error> {
    Ok(Claimed {
        key: TaskKey(row.integer(0)?),
        app: AppKey(row.integer(1)?),
        id: TaskId::from_uuid(row.text(2)?),
        work: row.text(3)?,
        attempts: u32::try_from(row.integer(4)?).map_err(|_| Error::Unreadable("task"))?,
        actor: row.text(5)?,
        operation: row.text(6)?,
        request: row.text(7)?,
        created_at: row.timestamp(8)?,
    })
}

fn read(row: &Row<'_>) -> Result<Task, Error> {
    let status = TaskStatus::by_name(row.borrowed_text(1)?).ok_or(Error::Unreadable("task"))?;
    let (result, error) = (row.optional_text(2)?, row.optional_text(3)?);
    Ok(Task {
        id: TaskId::from_uuid(row.text(0)?),
        status,
        result: result.as_deref().map(TaskResult::from_stored).transpose().map_err(unreadable)?,
        error: error.as_deref().map(serde_json::from_str).transpose().map_err(unreadable)?,
        created_at: row.timestamp(4)?,
        updated_at: row.timestamp(5)?,
    })
}

fn unreadable(_: serde_json::Error) -> Error {
    Error::Unreadable("task")
}
