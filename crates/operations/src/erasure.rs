//! The task of a deletion: goes through what hangs on users who are marked as deleted, a bounded piece a step, and forgets
//! them at last (semantics 10.9, 10.11).
//!
//! Every piece may be done again and finds less each time, so two deletions of the same user at once need not know of each
//! other: each takes what its plan takes, and the stronger one takes the rest.

use std::collections::BTreeSet;
use std::time::Duration;

use model::{
    Data, DeletionWork, Effect, Outcome, StoredUser, TaskResult, Timestamp, USERS_RESULT_KEPT, UserDeletion,
    tombstone,
};
use storage::users::{self, Change};
use storage::{Tx, apps, deletion, erase, log};

use crate::Error;
use crate::tasks::{Progress, ROWS_A_STEP, TaskCtx};

/// The longest that the log knows of a user who is deleted for good, for hooks that have not been told yet.
const LONGEST_KNOWN: Duration = Duration::from_hours(24);

/// The step of [`model::Work::DeleteUsers`].
///
/// # Errors
/// When the store fails.
pub(crate) fn step(tx: &mut Tx<'_>, ctx: &TaskCtx, work: &mut DeletionWork) -> Result<Progress, Error> {
    let mut room = ROWS_A_STEP;
    while let Some((id, key)) = work.left.last() {
        let found = users::by_ids(tx, ctx.app, &BTreeSet::from([id]))?;
        // Who is gone or has been restored meanwhile is left as it is.
        let deleted = found.into_iter().find(|found| found.key == *key && found.user.deleted_at.is_some());
        if let Some(stored) = deleted {
            room = erase_some(tx, ctx, work, &stored, room)?;
            if room == 0 {
                return Ok(Progress::More);
            }
            finish(tx, ctx, work, stored)?;
        }
        work.finish_one(Outcome::Ok);
        room = room.saturating_sub(1);
        if room == 0 && !work.left.is_empty() {
            return Ok(Progress::More);
        }
    }
    let users = std::mem::take(&mut work.outcomes);
    Ok(Progress::Done(Some(TaskResult::Users { users })))
}

/// Takes up to `room` rows of what is in tables of its own. Answers how many more it might have taken; none when something
/// may be left.
fn erase_some(
    tx: &mut Tx<'_>,
    _ctx: &TaskCtx,
    work: &DeletionWork,
    stored: &StoredUser,
    mut room: usize,
) -> Result<usize, Error> {
    for data in erase::present(tx, stored.key)? {
        if matches!(work.plan.effect_on(data), Effect::Removed | Effect::Unnamed) {
            // One more statement of the same kind finds nothing, and then the next step goes on after it.
            room = room.saturating_sub(erase::erase(tx, data, stored.key, room)?);
            if room == 0 {
                return Ok(0);
            }
        }
    }
    Ok(room)
}

/// Does to the user itself what is to be done, once nothing hangs on it any more.
fn finish(tx: &mut Tx<'_>, ctx: &TaskCtx, work: &DeletionWork, stored: StoredUser) -> Result<(), Error> {
    if work.plan.user == UserDeletion::Soft {
        return Ok(());
    }
    let app = apps::by_key(tx, ctx.app)?.ok_or(storage::Error::Unreadable("app"))?;
    let (now, key) = (ctx.tick.now, stored.key);
    if work.plan.effect_on(Data::Profile) == Effect::Removed {
        let tombstone_key = app.settings.tombstone_key.as_ref().ok_or(storage::Error::Unreadable("app"))?;
        deletion::bury(tx, app.key, &tombstone(tombstone_key, &stored.user.id))?;
        users::remove(tx, app.key, &[stored])?;
    } else {
        let after = stored.user.pruned(now);
        users::put(tx, app.key, vec![Change { before: Some(stored), after }])?;
    }
    // Whoever reads the log to tell hooks still has to learn of the deletion.
    let due_at = if app.settings.has_hooks() { now.after(LONGEST_KNOWN) } else { now };
    Ok(deletion::forget_at(tx, &[key], due_at)?)
}

/// What a call of [`forget`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgetting {
    /// There is nobody to forget yet.
    Nobody,
    /// Something was taken from the log; there may be more.
    Somebody,
}

/// Takes from the log what it holds of a user who is deleted for good, a bounded piece at a time (DESIGN 1).
///
/// # Errors
/// When the store fails.
pub fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<Forgetting, Error> {
    let Some(user) = deletion::to_forget(tx, now)? else { return Ok(Forgetting::Nobody) };
    if log::redact(tx, user, ROWS_A_STEP)? < ROWS_A_STEP {
        // By then the result of the task is dropped, which names the user as well.
        deletion::forgotten(tx, user, now.after(USERS_RESULT_KEPT))?;
    }
    Ok(Forgetting::Somebody)
}
