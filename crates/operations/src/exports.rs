//! What an app gets of everything that is known of users (semantics 11.1 to 11.7): of one at once, of many by a task that writes
//! a file.
//!
//! A step of the task writes one chunk, of one user. When it is over, whoever knows the name of the file may read it for a day.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Action, EXPORT_KEPT, Event, ExportKey, ExportLine, ExportPlace, ExportWork, ExportedMessage, Invalid,
    MOST_CHUNK_BYTES, MOST_EXPORTED, MOST_EXPORTED_BYTES, MessageKey, Outcome, Parts, Reaction,
    ReactionGroup, StoredUser, TaskId, TaskResult, Timestamp, UserId, UserKey, UserView, Work,
    check_user_ids, export_name, is_export_name,
};
use storage::exports::{self, MOST_CHUNKS_REMOVED, Next};
use storage::log::Entry;
use storage::messages::StoredMessage;
use storage::{Tx, blocks, messages, reactions, users};

use crate::admitted::People;
use crate::deletion::buried;
use crate::tasks::{self, Progress, ROWS_A_STEP, TaskCtx};
use crate::{Ctx, Error};

/// The rows that a step reads at once: few, since each can be of many kilobytes and the chunk may have room for some only.
const ROWS_A_PAGE: usize = 50;

/// The rows that [`one`] reads at once.
const ROWS_AT_ONCE: usize = 500;

/// Everything that is known of a user.
#[derive(Clone, Debug, PartialEq)]
pub struct UserExport {
    /// The user.
    pub user: UserView,
    /// What it has written, deleted messages too (semantics 10.20); of pruned ones there is nothing.
    pub messages: Vec<ExportedMessage>,
    /// What it has answered messages with.
    pub reactions: Vec<Reaction>,
}

/// Reads everything that is known of a user.
///
/// # Errors
/// When there is no such user, it is deleted, or there is more than [`MOST_EXPORTED`] or [`MOST_EXPORTED_BYTES`] of it.
pub fn one(tx: &mut Tx<'_>, ctx: &Ctx, id: &UserId) -> Result<UserExport, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::ExportUser)?;
    let app = ctx.app()?;
    let people = People::load(tx, app, [id])?;
    if people.any(id).is_none() && !buried(tx, app, std::slice::from_ref(id))?.is_empty() {
        return Err(Error::Deleted(id.clone()));
    }
    let stored = people.existing(id)?.clone();
    let key = stored.key;
    let amounts = exports::amounts(tx, key, MOST_EXPORTED + 1)?;
    for (count, what) in [(amounts.messages, "messages"), (amounts.reactions, "reactions")] {
        if count > MOST_EXPORTED {
            return Err(too_much(&format!("{MOST_EXPORTED} {what}")));
        }
    }
    let mut room = Some(MOST_EXPORTED_BYTES);
    let mut take = |bytes: usize| {
        room = room.and_then(|room| room.checked_sub(bytes));
        room.map(drop).ok_or_else(|| too_much(&format!("{} MiB", MOST_EXPORTED_BYTES >> 20)))
    };
    let mut export =
        UserExport { user: view(tx, stored, ctx.now)?, messages: Vec::new(), reactions: Vec::new() };
    let mut last = None;
    while export.messages.len() < amounts.messages {
        let page = page_of_messages(tx, key, last, ROWS_AT_ONCE)?;
        let Some((after, _)) = page.last() else { break };
        last = Some(*after);
        for (_, message) in page {
            take(message.bytes())?;
            export.messages.push(message);
        }
    }
    let mut last: Option<(MessageKey, String)> = None;
    while export.reactions.len() < amounts.reactions {
        let after = last.as_ref().map(|(message, kind)| (*message, kind.as_str()));
        let page = reactions::of_user(tx, key, after, ROWS_AT_ONCE)?;
        let Some(own) = page.last() else { break };
        last = Some((own.message, own.reaction.kind.clone()));
        for own in page {
            take(own.reaction.bytes())?;
            export.reactions.push(own.reaction);
        }
    }
    Ok(export)
}

fn too_much(than: &str) -> Error {
    let why = format!("has more than {than}: export it by POST /api/v2/export/users, which makes a file");
    Invalid::new("user_id", why).into()
}

/// Has a task write everything that is known of users into a file.
///
/// # Errors
/// When nobody is named, too many or one twice, one of them never existed or is deleted, or the app has too many tasks.
pub fn many(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[UserId]) -> Result<TaskId, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::ExportUser)?;
    check_user_ids(ids)?;
    let app = ctx.app()?;
    let people = People::load(tx, app, ids)?;
    let missing: Vec<UserId> = ids.iter().filter(|id| people.any(id).is_none()).cloned().collect();
    let gone = buried(tx, app, &missing)?;
    let unknown: Vec<&str> = missing.iter().filter(|id| !gone.contains(id)).map(UserId::as_str).collect();
    if !unknown.is_empty() {
        let why = format!("must name users who exist; there is none with the id {}", unknown.join(", "));
        return Err(Invalid::new("user_ids", why).into());
    }
    let mut chosen = Vec::with_capacity(ids.len());
    for id in ids {
        if gone.contains(id) {
            return Err(Error::Deleted(id.clone()));
        }
        chosen.push((id.clone(), people.existing(id)?.key));
    }
    let task = TaskId::from_uuid(ctx.uuid_by_time());
    let name = export_name(app, ctx.seed, &task);
    let file = exports::create(tx, app.key, &name, &task, ctx.now)?;
    tasks::create(tx, ctx, &Work::ExportUsers(ExportWork::new(file, name, chosen)))
}

/// The step of [`Work::ExportUsers`]: writes a chunk.
///
/// # Errors
/// When the store fails.
pub(crate) fn step(tx: &mut Tx<'_>, ctx: &TaskCtx, work: &mut ExportWork) -> Result<Progress, Error> {
    let Some((id, key)) = work.left.last() else { return finish(tx, ctx, work) };
    let (found, key) = (users::by_ids(tx, ctx.app, &BTreeSet::from([id]))?, *key);
    let there = found.into_iter().find(|found| is_there(found, key) && !work.is_given_up(id));
    let Some(stored) = there else {
        // What was written before the deletion must not get into anybody's hands. Whoever is restored before all of it is gone
        // is given up none the less: a part of what there is of a user would look like the whole.
        let id = id.clone();
        work.give_up(id);
        if exports::remove_of_user(tx, work.file, key, MOST_CHUNKS_REMOVED)? < MOST_CHUNKS_REMOVED {
            work.leave_out_one();
        }
        return Ok(Progress::More);
    };
    let mut chunk = Chunk::default();
    let done = chunk.fill(tx, ctx, stored, &mut work.place)?;
    if !chunk.lines.is_empty() {
        exports::add_chunk(tx, work.file, work.chunks, key, chunk.lines)?;
        work.chunks += 1;
    }
    if done {
        work.finish_one();
    }
    Ok(Progress::More)
}

fn is_there(found: &StoredUser, key: UserKey) -> bool {
    found.key == key && found.user.deleted_at.is_none()
}

/// Ends an export, once nothing of it is of users who were deleted while it ran.
fn finish(tx: &mut Tx<'_>, ctx: &TaskCtx, work: &mut ExportWork) -> Result<Progress, Error> {
    let ids: BTreeSet<&UserId> = work.exported.iter().map(|(id, _)| id).collect();
    let found = if ids.is_empty() { Vec::new() } else { users::by_ids(tx, ctx.app, &ids)? };
    let there: BTreeSet<UserKey> =
        found.iter().filter(|found| is_there(found, found.key)).map(|found| found.key).collect();
    let mut room = MOST_CHUNKS_REMOVED;
    let gone =
        |work: &ExportWork, (id, key): &(UserId, UserKey)| !there.contains(key) || work.is_given_up(id);
    while let Some(place) = work.exported.iter().position(|one| gone(work, one)) {
        let (id, key) = work.exported[place].clone();
        work.give_up(id);
        room -= exports::remove_of_user(tx, work.file, key, room)?;
        if room == 0 {
            return Ok(Progress::More);
        }
        work.exported.remove(place);
    }
    let now = ctx.tick.now;
    exports::expire_at(tx, work.file, now.after(EXPORT_KEPT))?;
    let event =
        Event::ExportSucceeded { task: ctx.id.to_string(), started_at: ctx.created_at, finished_at: now };
    ctx.record(tx, &[Entry { event, person: None, others: Vec::new() }])?;
    let mut users = std::mem::take(&mut work.outcomes);
    users.extend(work.exported.drain(..).map(|(id, _)| (id, Outcome::Ok)));
    Ok(Progress::Done(Some(TaskResult::Export { name: std::mem::take(&mut work.name), users })))
}

/// Gives up an export whose task has failed because of `why`: its file is never read, and what is left of a long one goes with
/// the next sweep.
///
/// # Errors
/// When the store fails.
pub(crate) fn give_up(tx: &mut Tx<'_>, ctx: &TaskCtx, work: &ExportWork, why: &str) -> Result<(), Error> {
    let now = ctx.tick.now;
    exports::expire_at(tx, work.file, now)?;
    exports::remove_some(tx, work.file)?;
    let event = Event::ExportFailed {
        task: ctx.id.to_string(),
        started_at: ctx.created_at,
        finished_at: now,
        error: why.to_owned(),
    };
    ctx.record(tx, &[Entry { event, person: None, others: Vec::new() }])
}

/// Lines of one user in the making.
#[derive(Default)]
struct Chunk {
    lines: String,
    rows: usize,
}

impl Chunk {
    /// Adds what follows `place`, as far as there is room. Answers whether that was the last of the user.
    fn fill(
        &mut self,
        tx: &mut Tx<'_>,
        ctx: &TaskCtx,
        stored: StoredUser,
        place: &mut ExportPlace,
    ) -> Result<bool, Error> {
        let key = stored.key;
        let mut user = Some(stored);
        loop {
            let most = ROWS_A_PAGE.min(ROWS_A_STEP.saturating_sub(self.rows));
            if most == 0 {
                return Ok(false);
            }
            let read = match place {
                ExportPlace::User => {
                    if let Some(stored) = user.take() {
                        let UserView { user, blocks, .. } = view(tx, stored, ctx.tick.now)?;
                        self.add(&ExportLine::User { user: Box::new(user), blocks })?;
                    }
                    *place = ExportPlace::MESSAGES;
                    continue;
                }
                ExportPlace::Messages(after) => {
                    let page = page_of_messages(tx, key, Some(MessageKey(*after)), most)?;
                    let read = page.len();
                    for (message_key, message) in page {
                        if !self.add(&ExportLine::Message(Box::new(message)))? {
                            return Ok(false);
                        }
                        *place = ExportPlace::after_message(message_key);
                    }
                    read
                }
                ExportPlace::Reactions(message, kind) => {
                    let page = reactions::of_user(tx, key, Some((MessageKey(*message), kind)), most)?;
                    let read = page.len();
                    for own in page {
                        let after = ExportPlace::Reactions(own.message.0, own.reaction.kind.clone());
                        if !self.add(&ExportLine::Reaction(Box::new(own.reaction)))? {
                            return Ok(false);
                        }
                        *place = after;
                    }
                    read
                }
            };
            match place {
                _ if read == most => {}
                ExportPlace::Messages(_) => *place = ExportPlace::reactions(),
                _ => return Ok(true),
            }
        }
    }

    /// Adds a line, if there is room for it.
    fn add(&mut self, line: &ExportLine) -> Result<bool, Error> {
        let line = line.to_stored().map_err(|_| storage::Error::Unreadable("export"))?;
        if !self.lines.is_empty() && self.lines.len() + line.len() >= MOST_CHUNK_BYTES {
            return Ok(false);
        }
        self.lines.push_str(&line);
        self.lines.push('\n');
        self.rows += 1;
        Ok(true)
    }
}

/// A user with whom it has blocked. Statements: one, if it has.
fn view(tx: &mut Tx<'_>, stored: StoredUser, now: Timestamp) -> Result<UserView, Error> {
    let blocks = if stored.parts.has(Parts::BLOCKS) { blocks::of(tx, &[stored.key])? } else { Vec::new() };
    let blocks = blocks.into_iter().map(|(_, id)| id).collect();
    Ok(UserView { blocks, ..UserView::bare(stored.user.as_of(now)) })
}

/// Messages of a user in the order of their keys, after this one, and how they were reacted to. Two statements.
fn page_of_messages(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<MessageKey>,
    most: usize,
) -> Result<Vec<(MessageKey, ExportedMessage)>, Error> {
    let found = messages::of_user(tx, user, after, most)?;
    let keys: Vec<MessageKey> = found.iter().map(|stored| stored.key).collect();
    let mut groups: BTreeMap<MessageKey, Vec<ReactionGroup>> = BTreeMap::new();
    for (message, group) in if keys.is_empty() { Vec::new() } else { reactions::groups(tx, &keys)? } {
        groups.entry(message).or_default().push(group);
    }
    let exported = |StoredMessage { key, message, .. }| {
        (key, ExportedMessage { message, reactions: groups.remove(&key).unwrap_or_default() })
    };
    Ok(found.into_iter().map(exported).collect())
}

/// The file with this name, if whoever knows it may read it at `now`.
///
/// # Errors
/// When the store fails.
pub fn open(tx: &mut Tx<'_>, name: &str, now: Timestamp) -> Result<Option<ExportKey>, Error> {
    if is_export_name(name) { Ok(exports::by_name(tx, name, now)?) } else { Ok(None) }
}

/// What follows in a file after the chunk `after`; the first has the number 0.
///
/// # Errors
/// When the store fails.
pub fn next(tx: &mut Tx<'_>, file: ExportKey, after: i64, now: Timestamp) -> Result<Next, Error> {
    Ok(exports::next(tx, file, after, now)?)
}
