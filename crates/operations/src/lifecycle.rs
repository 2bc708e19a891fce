//! Users who are shut out and let in again, one or many, and what they have made (semantics 9).
//!
//! Users are shut out and let in by the call itself. What they have made can be much: of one user a first piece is gone
//! through by the call, and whatever is left is a task; of many users all of it is.

mod content;

use std::collections::{BTreeSet, HashMap};

use model::{
    Action, App, ContentWork, Event, Invalid, StoredUser, TaskId, Timestamp, Turned, User, UserContent,
    UserId, UserKey, UserView, Work, check_user_ids,
};
use storage::Tx;
use storage::lifecycle;
use storage::log::Entry;
use storage::users::{self, Change};

use crate::admitted::People;
use crate::names::Names;
use crate::tasks::{self, Progress, TaskCtx};
use crate::{Admitted, Ctx, Error};

/// Shuts a user out, keeping its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deactivate {
    /// Whom.
    pub id: UserId,
    /// Who is to be recorded as the author.
    pub created_by: Option<UserId>,
    /// What of the user is to show as deleted.
    pub content: UserContent,
}

/// Shuts users out, keeping their data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeactivateMany {
    /// Whom.
    pub ids: Vec<UserId>,
    /// Who is to be recorded as the author.
    pub created_by: Option<UserId>,
    /// What of theirs is to show as deleted.
    pub content: UserContent,
}

/// Lets a deactivated user in again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reactivate {
    /// Whom.
    pub id: UserId,
    /// A new name on the way back.
    pub name: Option<String>,
    /// Who is to be recorded as the author.
    pub created_by: Option<UserId>,
    /// What the deactivation hid and is to come back.
    pub content: UserContent,
}

/// Lets deactivated users in again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactivateMany {
    /// Whom.
    pub ids: Vec<UserId>,
    /// Who is to be recorded as the author.
    pub created_by: Option<UserId>,
    /// What the deactivation hid and is to come back.
    pub content: UserContent,
}

/// Carries out [`Deactivate`].
///
/// # Errors
/// When there is no such user or author, or the user is deleted or deactivated.
pub fn deactivate(tx: &mut Tx<'_>, ctx: &Ctx, command: &Deactivate) -> Result<UserView, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::DeactivateUser)?;
    let app = ctx.app()?;
    let people = People::load(tx, app, std::iter::once(&command.id).chain(&command.created_by))?;
    let before = people.existing(&command.id)?.clone();
    let author = author(&people, command.created_by.as_ref())?;
    if before.user.deactivated_at.is_some() {
        return Err(Error::AlreadyDeactivated(command.id.clone()));
    }
    let change = deactivation(ctx, before);
    let event = |user| deactivated(user, command.created_by.as_ref(), command.content);
    let stored = store(tx, &caller, app, vec![change], author, event)?;
    let turned = stored.iter().map(shut_out).collect();
    finish_one(tx, ctx, &caller, stored, turned, command.content, &HIDING)
}

/// Carries out [`DeactivateMany`]; who is deactivated already stays so (semantics 9.7). When it is answered, everybody is
/// shut out; the task sees to what they have made.
///
/// # Errors
/// When nobody is named, too many or one twice, one of them does not exist or is deleted, there is no such author, or the app
/// has too many tasks. Then nobody is shut out.
pub fn deactivate_many(tx: &mut Tx<'_>, ctx: &Ctx, command: &DeactivateMany) -> Result<TaskId, Error> {
    let (caller, people, author) = many(tx, ctx, &command.ids, command.created_by.as_ref())?;
    let (active, shut): (Vec<_>, Vec<_>) =
        all(&people, &command.ids)?.into_iter().partition(|user| user.user.deactivated_at.is_none());
    let changes = active.into_iter().map(|before| deactivation(ctx, before.clone())).collect();
    let event = |user| deactivated(user, command.created_by.as_ref(), command.content);
    let stored = store(tx, &caller, ctx.app()?, changes, author, event)?;
    let turned = shut.into_iter().chain(&stored).map(shut_out).collect();
    start(tx, ctx, &command.ids, turned, command.content, &HIDING)
}

/// Carries out [`Reactivate`].
///
/// # Errors
/// When there is no such user or author, the user is deleted or not deactivated, or the new name breaks a rule or is taken.
pub fn reactivate(tx: &mut Tx<'_>, ctx: &Ctx, command: &Reactivate) -> Result<UserView, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::DeactivateUser)?;
    let app = caller.current_app(tx)?;
    let people = People::load(tx, &app, std::iter::once(&command.id).chain(&command.created_by))?;
    let before = people.existing(&command.id)?.clone();
    let author = author(&people, command.created_by.as_ref())?;
    if before.user.deactivated_at.is_none() {
        return Err(Error::NotDeactivated(command.id.clone()));
    }
    let after = before.user.reactivated(ctx.now, command.name.as_deref(), &app.settings.limits())?;
    if let Some(name) = &command.name {
        let mut names = Names::load(tx, &app, std::iter::once(name.as_str()))?;
        names.take(Some(&before.user), &after).map_err(|taken| taken.at("name".to_owned()))?;
    }
    let event = |user| reactivated(user, command.created_by.as_ref(), command.content);
    let change = Change { before: Some(before), after };
    let stored = store(tx, &caller, &app, vec![change], author, event)?;
    let turned = let_in(tx, &stored)?;
    finish_one(tx, ctx, &caller, stored, turned, command.content, &SHOWING)
}

/// Carries out [`ReactivateMany`]; who is active already stays so (semantics 9.7). When it is answered, everybody is let in;
/// the task sees to what they have made.
///
/// # Errors
/// See [`deactivate_many`].
pub fn reactivate_many(tx: &mut Tx<'_>, ctx: &Ctx, command: &ReactivateMany) -> Result<TaskId, Error> {
    let (caller, people, author) = many(tx, ctx, &command.ids, command.created_by.as_ref())?;
    let app = ctx.app()?;
    let limits = app.settings.limits();
    let (shut, active): (Vec<_>, Vec<_>) =
        all(&people, &command.ids)?.into_iter().partition(|user| user.user.deactivated_at.is_some());
    let changes = shut.into_iter().map(|before| {
        let after = before.user.reactivated(ctx.now, None, &limits)?;
        Ok(Change { before: Some(before.clone()), after })
    });
    let changes = changes.collect::<Result<_, Error>>()?;
    let event = |user| reactivated(user, command.created_by.as_ref(), command.content);
    let stored = store(tx, &caller, app, changes, author, event)?;
    let mut turned = let_in(tx, &stored)?;
    turned.extend(in_before(tx, &active)?);
    start(tx, ctx, &command.ids, turned, command.content, &SHOWING)
}

/// Starts the task that goes through what users have made, in the order of the call.
fn start(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    ids: &[UserId],
    mut turned: Vec<Turned>,
    content: UserContent,
    job: &Job,
) -> Result<TaskId, Error> {
    let places: HashMap<&UserId, usize> = ids.iter().enumerate().map(|(place, id)| (id, place)).collect();
    turned.sort_by_key(|user| places.get(&user.id).copied());
    tasks::create(tx, ctx, &(job.work)(ContentWork::new(turned, content)))
}

/// A user who is shut out, and since when.
fn shut_out(stored: &StoredUser) -> Turned {
    Turned { id: stored.user.id.clone(), since: stored.user.deactivated_at }
}

/// Users who were let in just now, which is remembered.
fn let_in(tx: &mut Tx<'_>, stored: &[StoredUser]) -> Result<Vec<Turned>, Error> {
    let since = |stored: &StoredUser| (stored.key, stored.user.updated_at);
    lifecycle::let_in(tx, &stored.iter().map(since).collect::<Vec<_>>())?;
    let turned =
        |stored: &StoredUser| Turned { id: stored.user.id.clone(), since: Some(stored.user.updated_at) };
    Ok(stored.iter().map(turned).collect())
}

/// Users who were let in before.
fn in_before(tx: &mut Tx<'_>, active: &[&StoredUser]) -> Result<Vec<Turned>, Error> {
    let keys: Vec<UserKey> = active.iter().map(|stored| stored.key).collect();
    let known = lifecycle::let_in_since(tx, &keys)?;
    let turned =
        |stored: &&StoredUser| Turned { id: stored.user.id.clone(), since: known.get(&stored.key).copied() };
    Ok(active.iter().map(turned).collect())
}

/// Lets the caller in, checks the list of users that it names, and reads them with the author.
fn many<'c>(
    tx: &mut Tx<'_>,
    ctx: &'c Ctx,
    ids: &[UserId],
    created_by: Option<&UserId>,
) -> Result<(Admitted<'c>, People, Option<UserKey>), Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::DeactivateUser)?;
    check_user_ids(ids)?;
    let people = People::load(tx, ctx.app()?, ids.iter().chain(created_by))?;
    all(&people, ids)?;
    let author = author(&people, created_by)?;
    Ok((caller, people, author))
}

/// The users with these ids, all of whom have to be there (semantics 9.8).
fn all<'p>(people: &'p People, ids: &[UserId]) -> Result<Vec<&'p StoredUser>, Error> {
    let unknown: BTreeSet<&str> =
        ids.iter().filter(|id| people.any(id).is_none()).map(UserId::as_str).collect();
    if !unknown.is_empty() {
        let unknown: Vec<&str> = unknown.into_iter().collect();
        let why = format!("must name users who exist; there is none with the id {}", unknown.join(", "));
        return Err(Invalid::new("user_ids", why).into());
    }
    ids.iter().map(|id| people.existing(id)).collect()
}

/// The author that is to be recorded, who only has to have existed.
fn author(people: &People, id: Option<&UserId>) -> Result<Option<UserKey>, Error> {
    let found = id.map(|id| people.any(id).ok_or_else(|| Error::NoUser(id.clone())));
    Ok(found.transpose()?.map(|author| author.key))
}

fn deactivation(ctx: &Ctx, before: StoredUser) -> Change {
    let after = before.user.deactivated(ctx.now);
    Change { before: Some(before), after }
}

fn deactivated(user: Box<User>, created_by: Option<&UserId>, content: UserContent) -> Event {
    Event::UserDeactivated {
        user,
        created_by: created_by.cloned(),
        mark_messages_deleted: content.messages,
        mark_channels_deleted: content.channels,
    }
}

fn reactivated(user: Box<User>, created_by: Option<&UserId>, content: UserContent) -> Event {
    Event::UserReactivated {
        user,
        created_by: created_by.cloned(),
        restore_messages: content.messages,
        restore_channels: content.channels,
    }
}

fn store(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    app: &App,
    changes: Vec<Change>,
    author: Option<UserKey>,
    event: impl Fn(Box<User>) -> Event,
) -> Result<Vec<StoredUser>, Error> {
    let stored = users::put(tx, app.key, changes)?;
    let entries: Vec<Entry> = stored
        .iter()
        .map(|stored| Entry {
            event: event(Box::new(stored.user.clone())),
            person: Some(stored.key),
            others: author.into_iter().filter(|author| *author != stored.key).collect(),
        })
        .collect();
    caller.record(tx, entries)?;
    Ok(stored)
}

/// Goes through a piece of what a user has made. Answers where to go on, or `None` at the end.
type GoThrough = fn(&mut Tx<'_>, Timestamp, UserKey, UserContent, Option<i64>) -> Result<Option<i64>, Error>;

/// What is done to what users have made, and the task that does it.
struct Job {
    go_through: GoThrough,
    work: fn(ContentWork) -> Work,
}

const HIDING: Job = Job { go_through: content::hide, work: Work::DeactivateUsers };

const SHOWING: Job = Job { go_through: content::restore, work: Work::ReactivateUsers };

/// Goes through a first piece of what the one user has made who was stored, has a task see to what is left of it, and answers
/// the user.
fn finish_one(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    caller: &Admitted<'_>,
    stored: Vec<StoredUser>,
    turned: Vec<Turned>,
    content: UserContent,
    job: &Job,
) -> Result<UserView, Error> {
    for user in stored.iter().filter(|_| !content.is_nothing()) {
        let cursor = (job.go_through)(tx, ctx.now, user.key, content, None)?;
        if cursor.is_some() {
            let mut left = ContentWork::new(turned.clone(), content);
            left.advance(cursor);
            tasks::create(tx, ctx, &(job.work)(left))?;
        }
    }
    // One change was stored, so there is one view.
    caller.views(tx, stored)?.pop().ok_or(Error::Storage(storage::Error::Unreadable("user")))
}

/// The step of [`Work::DeactivateUsers`]: a piece of what one of the users has made, while that one is shut out.
pub(crate) fn hide(tx: &mut Tx<'_>, ctx: &TaskCtx, work: &mut ContentWork) -> Result<Progress, Error> {
    let refuse = |_: &mut Tx<'_>, stored: &StoredUser, turned: &Turned| {
        let is_meant = stored.user.deactivated_at.is_some() && stored.user.deactivated_at == turned.since;
        Ok((!is_meant).then_some("the user was reactivated meanwhile"))
    };
    go_on(tx, ctx, work, refuse, HIDING.go_through)
}

/// The step of [`Work::ReactivateUsers`]: a piece of what one of the users has made, while that one is let in.
pub(crate) fn restore(tx: &mut Tx<'_>, ctx: &TaskCtx, work: &mut ContentWork) -> Result<Progress, Error> {
    let refuse = |tx: &mut Tx<'_>, stored: &StoredUser, turned: &Turned| {
        let since = lifecycle::let_in_since(tx, &[stored.key])?.get(&stored.key).copied();
        let is_meant = stored.user.deactivated_at.is_none() && since == turned.since;
        Ok((!is_meant).then_some("the user was deactivated meanwhile"))
    };
    go_on(tx, ctx, work, refuse, SHOWING.go_through)
}

/// Does a piece of `work`, unless the user whose turn it is was deleted meanwhile or `refuse` says why not.
fn go_on(
    tx: &mut Tx<'_>,
    ctx: &TaskCtx,
    work: &mut ContentWork,
    refuse: impl Fn(&mut Tx<'_>, &StoredUser, &Turned) -> Result<Option<&'static str>, Error>,
    go_through: GoThrough,
) -> Result<Progress, Error> {
    if let Some((turned, cursor)) = work.next() {
        let found = users::by_ids(tx, ctx.app, &BTreeSet::from([&turned.id]))?;
        let allowed = match found.first().filter(|found| found.user.deleted_at.is_none()) {
            Some(found) => refuse(tx, found, turned)?.map_or(Ok(found.key), Err),
            None => Err("the user was deleted meanwhile"),
        };
        match allowed {
            Ok(key) => {
                let cursor = go_through(tx, ctx.created_at, key, work.content(), cursor)?;
                work.advance(cursor);
            }
            Err(why) => work.give_up(why.to_owned()),
        }
    }
    let left = work.next().is_some();
    Ok(if left { Progress::More } else { Progress::Done(Some(work.outcomes())) })
}
