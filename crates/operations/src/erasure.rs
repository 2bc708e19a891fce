//! The task of a deletion: goes through what hangs on users who are marked as deleted, a bounded piece a step, and forgets
//! them at last (semantics 10.9, 10.11).
//!
//! Every piece may be done again and finds less each time, so two deletions of the same user at once need not know of each
//! other: each takes what its plan takes, and the stronger one takes the rest.

use std::collections::BTreeSet;
use std::time::Duration;

use model::{
    App, ChannelKey, Data, DeletionCause, DeletionPlan, DeletionStage, DeletionWork, Departing, Effect,
    Event, MessageKey, Outcome, Secret, StoredChannel, StoredUser, TaskResult, Timestamp, USERS_RESULT_KEPT,
    UserDeletion, UserKey, owner_id, tombstone,
};
use storage::erase_chat::{self, Closing, NewOwner};
use storage::log::Entry;
use storage::scrub::Scrub;
use storage::users::{self, Change};
use storage::{Tx, apps, channels, deletion, erase, redaction};

use crate::Error;
use crate::tasks::{Progress, ROWS_A_STEP, TaskCtx};

/// What the user itself counts for among the rows of a step.
const ROWS_A_USER: usize = 20;

/// The longest that the log knows of a user who is deleted for good, for hooks that have not been told yet.
const LONGEST_KNOWN: Duration = Duration::from_hours(24);

/// The step of [`model::Work::DeleteUsers`].
///
/// # Errors
/// When the store fails.
pub(crate) fn step(tx: &mut Tx<'_>, ctx: &TaskCtx, work: &mut DeletionWork) -> Result<Progress, Error> {
    let mut room = ROWS_A_STEP;
    if !close_conversations(tx, ctx, work, &mut room)? {
        return Ok(Progress::More);
    }
    while let Some(departing) = work.left.last() {
        let outcome = match users::alone(tx, ctx.app, &departing.id)? {
            Some(stored) if is_meant(&stored, departing) => {
                if !go_through(tx, ctx, work, &stored, &mut room)? || !finish(tx, ctx, work, stored)? {
                    return Ok(Progress::More);
                }
                Outcome::Ok
            }
            // As it was before: what this deletion has not taken by now it does not take any more, but for conversations that
            // nobody finds since they were closed.
            Some(stored) if stored.key == departing.key => {
                if !remove_closed(tx, ctx, work, stored.key, &mut room)? {
                    return Ok(Progress::More);
                }
                Outcome::Failed("the user was restored meanwhile".to_owned())
            }
            // Another deletion has gone further.
            _ => Outcome::Ok,
        };
        work.finish_one(outcome);
        // However little hangs on a user, a step sees to so many only.
        room = room.saturating_sub(ROWS_A_USER);
        if room == 0 && !work.left.is_empty() {
            return Ok(Progress::More);
        }
    }
    let users = std::mem::take(&mut work.outcomes);
    Ok(Progress::Done(Some(TaskResult::Users { users })))
}

/// Whether the user is still deleted since the call that started the task, or since before it.
fn is_meant(stored: &StoredUser, departing: &Departing) -> bool {
    stored.key == departing.key && stored.user.deleted_at == Some(departing.deleted_at)
}

/// Closes the conversations of all users who are deleted, for as long as there is room. Answers whether the rest may begin.
fn close_conversations(
    tx: &mut Tx<'_>,
    ctx: &TaskCtx,
    work: &mut DeletionWork,
    room: &mut usize,
) -> Result<bool, Error> {
    let closing = match work.plan.effect_on(Data::Conversations) {
        Effect::Marked => Closing::Marks,
        Effect::Removed => Closing::Goes,
        _ => return Ok(true),
    };
    if work.to_close().is_none() {
        return Ok(true);
    }
    while let Some(departing) = work.to_close() {
        if *room == 0 {
            return Ok(false);
        }
        let found = users::alone(tx, ctx.app, &departing.id)?.filter(|stored| is_meant(stored, departing));
        if let Some(stored) = found {
            let (user, after) = (stored.key, work.cursor.map(ChannelKey));
            let swept = erase_chat::close_conversations(tx, (user, closing), ctx.created_at, after, *room)?;
            tell(tx, ctx, user, &swept.channels, closing)?;
            if let Some(next) = swept.next {
                work.cursor = Some(next.0);
                return Ok(false);
            }
            if !swept.channels.is_empty() {
                // Channels are locked in one order, which those of the next user would not keep.
                work.close_one();
                return Ok(false);
            }
        }
        work.close_one();
        *room = room.saturating_sub(ROWS_A_USER);
    }
    // Whoever comes next may come before this one in the order in which users are locked.
    Ok(work.left.len() <= 1)
}

/// Takes away what was closed because of `user`, for as long as there is room. Answers whether that was everything.
fn remove_closed(
    tx: &mut Tx<'_>,
    ctx: &TaskCtx,
    work: &mut DeletionWork,
    user: UserKey,
    room: &mut usize,
) -> Result<bool, Error> {
    while work.stage == DeletionStage::Conversations {
        if *room == 0 {
            return Ok(false);
        }
        let piece = chat_piece(tx, ctx, work, DeletionStage::Conversations, user, *room)?;
        *room = room.saturating_sub(piece.rows);
        go_on(work, piece.next);
    }
    Ok(true)
}

/// Goes through the stages from where the work is, for as long as there is room. Answers whether that was everything.
fn go_through(
    tx: &mut Tx<'_>,
    ctx: &TaskCtx,
    work: &mut DeletionWork,
    user: &StoredUser,
    room: &mut usize,
) -> Result<bool, Error> {
    while *room > 0 {
        let piece = match work.stage {
            DeletionStage::Rest => {
                let rows = take_rows(tx, &work.plan, user.key, *room)?;
                *room = room.saturating_sub(rows);
                return Ok(*room > 0);
            }
            stage => chat_piece(tx, ctx, work, stage, user.key, *room)?,
        };
        *room = room.saturating_sub(piece.rows);
        go_on(work, piece.next);
    }
    Ok(false)
}

/// What was done of a stage.
struct Piece {
    rows: usize,
    next: Next,
}

/// Where to go on.
enum Next {
    /// In the same stage, after this place.
    After(Option<i64>),
    /// With another one.
    Stage(DeletionStage),
}

fn go_on(work: &mut DeletionWork, next: Next) {
    match next {
        Next::After(cursor) => work.cursor = cursor,
        Next::Stage(stage) => work.go_to(stage),
    }
}

impl Piece {
    /// Of rows that stay, gone through by their keys.
    fn swept(rows: usize, cursor: Option<i64>, then: DeletionStage) -> Self {
        let next = cursor.map_or(Next::Stage(then), |place| Next::After(Some(place)));
        // Even rows that did not have to be changed were looked at.
        Self { rows: if cursor.is_some() { usize::MAX } else { rows }, next }
    }

    /// Of rows that go: fewer than there was room for were the last.
    fn taken(rows: usize, most: usize, then: DeletionStage) -> Self {
        Self { rows, next: if rows < most { Next::Stage(then) } else { Next::After(None) } }
    }

    fn nothing(then: DeletionStage) -> Self {
        Self { rows: 0, next: Next::Stage(then) }
    }
}

/// Does up to `most` rows of a stage that is about chat.
fn chat_piece(
    tx: &mut Tx<'_>,
    ctx: &TaskCtx,
    work: &DeletionWork,
    stage: DeletionStage,
    user: UserKey,
    most: usize,
) -> Result<Piece, Error> {
    use DeletionStage as Stage;
    let (plan, at) = (&work.plan, ctx.created_at);
    let (message, channel) = (work.cursor.map(MessageKey), work.cursor.map(ChannelKey));
    Ok(match (stage, plan.effect_on(data_of(stage))) {
        (Stage::Conversations, Effect::Removed) => {
            let removed = erase_chat::remove_conversations(tx, user, channel, most)?;
            let next = removed.next.map_or(Next::Stage(Stage::Messages), |key| Next::After(Some(key.0)));
            Piece { rows: removed.channels + removed.rows, next }
        }
        (Stage::Messages, Effect::Marked) => {
            let cause = DeletionCause::UserDeleted;
            let swept = erase_chat::mark_messages(tx, user, cause, at, message, most)?;
            Piece::swept(swept.rows, swept.next.map(|key| key.0), Stage::Attachments)
        }
        (Stage::Messages, Effect::Emptied) => {
            let swept = erase_chat::prune_messages(tx, user, at, message, most)?;
            Piece::swept(swept.rows, swept.next.map(|key| key.0), Stage::Attachments)
        }
        (Stage::Messages, Effect::Removed) => {
            let swept = erase_chat::remove_messages(tx, user, message, most)?;
            Piece::swept(swept.rows, swept.next.map(|key| key.0), Stage::Attachments)
        }
        // Emptied messages have lost them already.
        (Stage::Attachments, Effect::Removed) if plan.files => {
            let swept = erase_chat::strip_attachments(tx, user, message, most)?;
            Piece::swept(swept.rows, swept.next.map(|key| key.0), Stage::Reactions)
        }
        (Stage::Reactions, Effect::Removed) => {
            let swept = erase_chat::remove_reactions(tx, user, message, most)?;
            Piece::swept(swept.rows, swept.next.map(|key| key.0), Stage::Memberships)
        }
        (Stage::Memberships, Effect::Removed) => {
            Piece::taken(erase_chat::leave_channels(tx, user, most)?, most, Stage::ChannelsMade)
        }
        (Stage::ChannelsMade, Effect::PassedOn) => {
            let owner = new_owner(tx, ctx, work)?;
            Piece::taken(erase_chat::reassign_channels(tx, user, &owner, most)?, most, Stage::Rest)
        }
        (stage, _) => Piece::nothing(after(stage)),
    })
}

/// What a stage about chat goes through.
fn data_of(stage: DeletionStage) -> Data {
    match stage {
        DeletionStage::Conversations => Data::Conversations,
        DeletionStage::Messages => Data::Messages,
        DeletionStage::Attachments => Data::Attachments,
        DeletionStage::Reactions => Data::Reactions,
        DeletionStage::Memberships => Data::Memberships,
        DeletionStage::ChannelsMade => Data::ChannelsMade,
        DeletionStage::Rest => Data::Profile,
    }
}

fn after(stage: DeletionStage) -> DeletionStage {
    match stage {
        DeletionStage::Conversations => DeletionStage::Messages,
        DeletionStage::Messages => DeletionStage::Attachments,
        DeletionStage::Attachments => DeletionStage::Reactions,
        DeletionStage::Reactions => DeletionStage::Memberships,
        DeletionStage::Memberships => DeletionStage::ChannelsMade,
        DeletionStage::ChannelsMade | DeletionStage::Rest => DeletionStage::Rest,
    }
}

/// Who gets the channels of the user whose turn it is: the one who was named, if that one is still there.
fn new_owner(tx: &mut Tx<'_>, ctx: &TaskCtx, work: &DeletionWork) -> Result<NewOwner, Error> {
    if let Some(id) = &work.new_channel_owner {
        let found = users::by_ids(tx, ctx.app, &BTreeSet::from([id]))?;
        if let Some(owner) = found.into_iter().find(|found| found.user.deleted_at.is_none()) {
            return Ok(NewOwner::User(owner.key));
        }
    }
    let app = app(tx, ctx)?;
    let key = key_of(&app)?;
    let hash = work.left.last().map(|departing| tombstone(key, &departing.id)).unwrap_or_default();
    Ok(NewOwner::Generated(owner_id(&hash)))
}

/// Takes up to `most` rows of what is in tables of its own. Answers how many.
fn take_rows(tx: &mut Tx<'_>, plan: &DeletionPlan, user: UserKey, most: usize) -> Result<usize, Error> {
    let mut taken = 0;
    for data in erase::present(tx, user)? {
        if matches!(plan.effect_on(data), Effect::Removed | Effect::Unnamed) {
            taken += erase::erase(tx, data, user, most - taken)?;
            if taken >= most {
                break;
            }
        }
    }
    Ok(taken)
}

/// Logs that these channels were deleted together with `user`.
fn tell(
    tx: &mut Tx<'_>,
    ctx: &TaskCtx,
    user: UserKey,
    channels: &[StoredChannel],
    closing: Closing,
) -> Result<(), Error> {
    if channels.is_empty() {
        return Ok(());
    }
    let hard = closing == Closing::Goes;
    let keys: Vec<ChannelKey> = channels.iter().map(|stored| stored.key).collect();
    // Who was in it is not to be found any more when the event is delivered.
    let members = if hard { channels::everybody_in(tx, &keys)? } else { Vec::new() };
    let entry = |stored: &StoredChannel| {
        let own = || members.iter().filter(|(channel, _, _)| *channel == stored.key);
        let mut others: BTreeSet<UserKey> = own().map(|(_, member, _)| *member).collect();
        others.extend(stored.created_by);
        others.insert(user);
        let event = Event::ChannelDeleted {
            channel: Box::new(stored.channel.clone()),
            hard,
            members: own().map(|(_, _, id)| id.clone()).collect(),
        };
        Entry { event, person: None, others: others.into_iter().collect() }
    };
    ctx.record(tx, &channels.iter().map(entry).collect::<Vec<_>>())
}

fn app(tx: &mut Tx<'_>, ctx: &TaskCtx) -> Result<App, Error> {
    Ok(apps::by_key(tx, ctx.app)?.ok_or(storage::Error::Unreadable("app"))?)
}

fn key_of(app: &App) -> Result<&Secret, Error> {
    // A deletion for good begins with making one.
    Ok(app.settings.tombstone_key.as_ref().ok_or(storage::Error::Unreadable("app"))?)
}

/// Does to the user itself what is to be done, once nothing hangs on it any more. Answers whether that was so; otherwise
/// everything is to be gone through again.
fn finish(
    tx: &mut Tx<'_>,
    ctx: &TaskCtx,
    work: &mut DeletionWork,
    stored: StoredUser,
) -> Result<bool, Error> {
    if work.plan.user == UserDeletion::Soft {
        return Ok(true);
    }
    let app = app(tx, ctx)?;
    let (now, key) = (ctx.tick.now, stored.key);
    if work.plan.effect_on(Data::Profile) == Effect::Removed {
        // Others change what is the user's as well: stages that are over do not see it, and one may have ended too soon.
        let has_rows = erase::present(tx, key)?.into_iter().any(|data| data != Data::Log);
        if has_rows || erase_chat::has_left(tx, key)? {
            work.go_to(DeletionStage::default());
            return Ok(false);
        }
        deletion::bury(tx, app.key, &tombstone(key_of(&app)?, &stored.user.id))?;
        users::remove(tx, app.key, &[stored])?;
    } else {
        let after = stored.user.pruned(now);
        users::put(tx, app.key, vec![Change { before: Some(stored), after }])?;
    }
    // Whoever reads the log to tell hooks still has to learn of the deletion.
    let due_at = if app.settings.has_hooks() { now.after(LONGEST_KNOWN) } else { now };
    deletion::forget_at(tx, &[key], due_at)?;
    Ok(true)
}

/// What a call of [`forget`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgetting {
    /// There is nobody to forget yet.
    Nobody,
    /// Something was taken from the log; there may be more.
    Somebody,
}

/// Takes from the log what it holds of users who are deleted for good, a bounded piece at a time: so many rows, of so many
/// users (DESIGN 1).
///
/// # Errors
/// When the store fails.
pub fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<Forgetting, Error> {
    let users = deletion::to_forget(tx, now, ROWS_A_STEP / ROWS_A_USER)?;
    let (mut room, mut forgotten) = (ROWS_A_STEP, Vec::with_capacity(users.len()));
    for user in &users {
        let rows = redaction::redact(tx, *user, room)?;
        if rows >= room {
            // There may be more of this one.
            break;
        }
        room -= rows;
        forgotten.push(*user);
    }
    // By then the result of the task is dropped, which names the users as well.
    deletion::forgotten(tx, &forgotten, now.after(USERS_RESULT_KEPT))?;
    Ok(if users.is_empty() { Forgetting::Nobody } else { Forgetting::Somebody })
}

/// Whether what deleted users have left in the files of the database is to be wiped at `now`: one look-up.
///
/// # Errors
/// When the store fails.
pub fn is_to_scrub(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, Error> {
    Ok(deletion::is_to_scrub(tx, now)?)
}

/// Takes the next step of a scrub that began at `since`. Answers the scrub after it, or `None` when that was the last one.
///
/// # Errors
/// When the store fails; then the step is to be taken again.
pub fn scrub(tx: &mut Tx<'_>, scrub: &Scrub, since: Timestamp) -> Result<Option<Scrub>, Error> {
    let mut next = scrub.clone();
    if storage::scrub::step(tx, &mut next)? {
        return Ok(Some(next));
    }
    deletion::scrubbed(tx, since)?;
    Ok(None)
}
