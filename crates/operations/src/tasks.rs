//! Tasks: started by an operation, done step by step by a loop of the server (v2 4, semantics 11.8 to 11.15).
//!
//! A step is one transaction: it claims the task whose turn it is, does a bounded piece of its work, and stores how far that
//! came. A server that is killed leaves the task as it was before the step or after it. To add a job, add its step function to
//! [`do_piece`]; it stands in the module of its noun.

use model::{
    Action, AppKey, Shown, TASK_KEPT, Task, TaskError, TaskId, TaskResult, Timestamp, Work, retry_at,
};
use storage::Tx;
use storage::log::{self, Entry, Origin};
use storage::tasks::{self, Claimed, End, TaskKey};

use crate::{Ctx, Error, erasure, exports, lifecycle};

/// The most rows that a step changes, or thereabouts: few enough that other writes do not wait.
pub const ROWS_A_STEP: usize = 500;

/// When a step is done, and where its ids are drawn from: the same for every run of its closure.
#[derive(Clone, Copy, Debug)]
pub struct Tick {
    /// The time of the step.
    pub now: Timestamp,
    /// Where ids of this step are drawn from.
    pub seed: u128,
}

/// What a step knows beside its work.
#[derive(Clone, Debug)]
pub struct TaskCtx {
    /// The app that started the task.
    pub app: AppKey,
    /// The id of the task.
    pub id: TaskId,
    /// When the task was started.
    pub created_at: Timestamp,
    /// When the step is done, and where its ids are drawn from.
    pub tick: Tick,
    actor: String,
    operation: String,
    request: String,
}

impl TaskCtx {
    /// Appends what the step changed to the log, in the name of the call that started the task.
    ///
    /// # Errors
    /// When the store fails.
    pub fn record(&self, tx: &mut Tx<'_>, entries: &[Entry]) -> Result<(), Error> {
        let origin = Origin {
            app: self.app,
            time: self.tick.now,
            actor: &self.actor,
            operation: &self.operation,
            request: &self.request,
        };
        Ok(log::append(tx, &origin, entries)?)
    }
}

/// How far a job came with a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// There is more to do, as the work says.
    More,
    /// It is over.
    Done(Option<TaskResult>),
}

/// What a call of [`step`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// No task is due that nobody else has claimed.
    Idle,
    /// A step was done.
    Worked,
}

/// What becomes of a task of which a step has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failing {
    /// The step is tried again.
    Again {
        /// The task.
        id: TaskId,
        /// How often it has failed in a row.
        attempts: u32,
    },
    /// The task was given up.
    GivenUp {
        /// The task.
        id: TaskId,
    },
    /// It was over before that.
    Over,
}

/// Starts a task in the name of the caller, which the operation has let do it. A request starts one at most.
///
/// # Errors
/// [`Error::TooManyTasks`].
pub(crate) fn create(tx: &mut Tx<'_>, ctx: &Ctx, work: &Work) -> Result<TaskId, Error> {
    let id = TaskId::from_uuid(ctx.uuid_by_time());
    let actor = ctx.caller.to_string();
    let made = tasks::insert(tx, &ctx.origin(ctx.app()?.key, &actor), &id, work)?;
    if made { Ok(id) } else { Err(Error::TooManyTasks) }
}

/// Reads how far a task is.
///
/// # Errors
/// [`Error::NoTask`] when the app never started it, or it is over for longer than [`TASK_KEPT`].
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: &str) -> Result<Task, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::ReadTasks)?;
    let found = tasks::by_id(tx, ctx.app()?.key, id)?;
    found.ok_or_else(|| Error::NoTask(Shown(id).to_string()))
}

/// Whether a step of some task may be begun at `now`: one look-up.
///
/// # Errors
/// When the store fails.
pub fn is_due(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, Error> {
    Ok(tasks::is_due(tx, now)?)
}

/// Does a step of the task whose turn it is. `note` is told which that is before anything is done: whoever runs the step
/// knows it then, however the step ends.
///
/// # Errors
/// When the step fails. Nothing of it is stored; [`fail`] is to be called for what was noted, unless [`is_passing`].
pub fn step(tx: &mut Tx<'_>, tick: Tick, note: impl Fn(TaskKey)) -> Result<Stepped, Error> {
    let Some(claimed) = tasks::claim(tx, tick.now)? else { return Ok(Stepped::Idle) };
    note(claimed.key);
    let Claimed { key, app, id, work, actor, operation, request, created_at, .. } = claimed;
    let mut work = Work::from_stored(&work).map_err(|_| storage::Error::Unreadable("task"))?;
    let ctx = TaskCtx { app, id, created_at, tick, actor, operation, request };
    match do_piece(tx, &ctx, &mut work)? {
        Progress::More => tasks::advance(tx, key, &work, tick.now)?,
        Progress::Done(result) => tasks::finish(tx, key, &End::Completed(result), tick.now)?,
    }
    Ok(Stepped::Worked)
}

fn do_piece(tx: &mut Tx<'_>, ctx: &TaskCtx, work: &mut Work) -> Result<Progress, Error> {
    match work {
        Work::DeactivateUsers(work) => lifecycle::hide(tx, ctx, work),
        Work::ReactivateUsers(work) => lifecycle::restore(tx, ctx, work),
        Work::DeleteUsers(work) => erasure::step(tx, ctx, work),
        Work::ExportUsers(work) => exports::step(tx, ctx, work),
    }
}

/// Whether a step failed for a reason that has nothing to do with its task, such as a database that cannot be reached: then
/// it is no attempt.
#[must_use]
pub fn is_passing(error: &Error) -> bool {
    use storage::Error as Stored;
    matches!(
        error,
        Error::Storage(
            Stored::Busy
                | Stored::Closed
                | Stored::Contended
                | Stored::OutcomeUnknown(_)
                | Stored::Timeout(_)
                | Stored::Unavailable(_)
        )
    )
}

/// Notes that a step of the task with this key has failed because of `error`: it is tried again later, or the task has
/// failed.
///
/// # Errors
/// When the store fails.
pub fn fail(tx: &mut Tx<'_>, now: Timestamp, key: TaskKey, error: &Error) -> Result<Failing, Error> {
    let Some(claimed) = tasks::claim_this(tx, key)? else { return Ok(Failing::Over) };
    let attempts = claimed.attempts.saturating_add(1);
    match retry_at(attempts, now) {
        Some(until) => {
            tasks::postpone(tx, key, attempts, now, until)?;
            Ok(Failing::Again { id: claimed.id, attempts })
        }
        None => {
            let (id, told) = (claimed.id.clone(), told(error));
            give_up(tx, claimed, now, &told)?;
            tasks::finish(tx, key, &End::Failed(told), now)?;
            Ok(Failing::GivenUp { id })
        }
    }
}

/// Sees to what a task leaves behind that has failed.
fn give_up(tx: &mut Tx<'_>, claimed: Claimed, now: Timestamp, why: &TaskError) -> Result<(), Error> {
    let work = Work::from_stored(&claimed.work);
    let Claimed { app, id, actor, operation, request, created_at, .. } = claimed;
    let export = match work {
        Ok(Work::ExportUsers(export)) => export,
        Ok(_) => return Ok(()),
        // It may have been an export: the file says whose it is.
        Err(_) => return Ok(storage::exports::expire_of_task(tx, app, &id, now)?),
    };
    let tick = Tick { now, seed: 0 };
    let ctx = TaskCtx { app, id, created_at, tick, actor, operation, request };
    exports::give_up(tx, &ctx, &export, &why.description)
}

/// What a client is told of a failure.
fn told(error: &Error) -> TaskError {
    match error {
        Error::Storage(_) | Error::Undeclared { .. } => TaskError::internal(),
        refusal => TaskError::refused(refusal.to_string()),
    }
}

/// Drops results, takes tasks and files of exports away that are not to be known any more, and from the log what it holds of
/// users who are gone: a batch of each. Answers whether there may be others.
///
/// # Errors
/// When the store fails.
pub fn sweep(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, Error> {
    let most = usize::try_from(tasks::SWEPT_AT_ONCE).unwrap_or(usize::MAX);
    let (dropped, pruned) = (tasks::drop_results(tx, now)?, tasks::prune(tx, now, TASK_KEPT)?);
    let forgetting = erasure::forget(tx, now)?;
    let files = storage::exports::sweep(tx, now)?;
    Ok(files || dropped >= most || pruned >= most || forgetting == erasure::Forgetting::Somebody)
}
