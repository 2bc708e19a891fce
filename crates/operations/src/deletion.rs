//! Deleting users, asking what that would take, and taking a soft deletion back (semantics 10).
//!
//! When the call is answered, nobody finds the users any more; a task goes through what hangs on them ([`crate::erasure`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::{
    Action, App, Data, DeleteUsers, DeletionStage, DeletionWork, Departing, Effect, Event, Invalid, Outcome,
    Secret, StoredUser, TaskId, Timestamp, UserDeletion, UserId, UserKey, Work, check_user_ids, tombstone,
};
use storage::erase::Tally;
use storage::log::Entry;
use storage::users::{self, Change};
use storage::{Tx, apps, deletion, erase, erase_chat};

use crate::admitted::People;
use crate::names::Names;
use crate::{Admitted, Ctx, Error, roles, tasks};

/// Deletes users, all or none of them. Who is deleted already may be deleted more thoroughly; of who is gone without a
/// trace nothing more can be done, and that is done (semantics 10.15).
///
/// # Errors
/// When the modes do not go together, somebody named never existed, a new owner is not there, or the app has too many tasks.
pub fn delete(tx: &mut Tx<'_>, ctx: &Ctx, command: &DeleteUsers) -> Result<TaskId, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::DeleteUser)?;
    command.check()?;
    let app = with_tombstone_key(tx, &caller, ctx, command)?;
    let (found, gone) = subjects(tx, &app, command)?;
    let mut left: Vec<Departing> = found.iter().filter_map(|stored| departing(stored, ctx.now)).collect();
    // The last one first, in the one order in which everybody locks users.
    left.sort_unstable_by(|left, right| right.id.cmp(&left.id));
    mark(tx, ctx, &caller, &app, command, found)?;
    let work = DeletionWork {
        plan: command.plan,
        new_channel_owner: command.new_channel_owner.clone(),
        closed: 0,
        left,
        stage: DeletionStage::default(),
        cursor: None,
        outcomes: gone.into_iter().map(|id| (id, Outcome::Ok)).collect(),
    };
    tasks::create(tx, ctx, &Work::DeleteUsers(work))
}

/// A user whom the task is to go through, as it will be once it is marked.
fn departing(stored: &StoredUser, now: Timestamp) -> Option<Departing> {
    let deleted_at = stored.user.deleted(now).deleted_at?;
    Some(Departing { id: stored.user.id.clone(), key: stored.key, deleted_at })
}

/// The app, with a key for tombstones when the deletion will leave some.
fn with_tombstone_key(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    ctx: &Ctx,
    command: &DeleteUsers,
) -> Result<App, Error> {
    let known = ctx.app()?;
    if command.plan.user != UserDeletion::Hard || known.settings.tombstone_key.is_some() {
        return Ok(App::clone(&*caller.current_app(tx)?));
    }
    let found = apps::by_api_key(tx, &known.api_key)?;
    let mut app = found.ok_or_else(|| Error::NoApp(known.api_key.clone()))?;
    if app.settings.tombstone_key.is_none() {
        // The seed shows in ids of this request, the secret nowhere: together they are known to nobody else.
        let drawn = UserId::parse(&format!("{:032x}", ctx.seed))?;
        app.settings.tombstone_key = Some(Secret::new(tombstone(&app.secret, &drawn)));
        apps::update(tx, &app)?;
    }
    Ok(app)
}

/// The users who are to be deleted, in the order of the request, and who of them is gone already.
fn subjects(
    tx: &mut Tx<'_>,
    app: &App,
    command: &DeleteUsers,
) -> Result<(Vec<StoredUser>, Vec<UserId>), Error> {
    let owners = command.new_channel_owner.iter().chain(&command.new_call_owner);
    let people = People::load(tx, app, command.ids.iter().chain(owners))?;
    for (field, owner) in
        [("new_channel_owner_id", &command.new_channel_owner), ("new_call_owner_id", &command.new_call_owner)]
    {
        if let Some(owner) = owner
            && people.existing(owner).is_err()
        {
            let why = format!("must be a user who exists, and '{owner}' does not");
            return Err(Invalid::new(field, why).into());
        }
    }
    let missing: Vec<UserId> = command.ids.iter().filter(|id| people.any(id).is_none()).cloned().collect();
    let gone = buried(tx, app, &missing)?;
    let unknown: Vec<&str> = missing.iter().filter(|id| !gone.contains(id)).map(UserId::as_str).collect();
    if !unknown.is_empty() {
        let why = format!("must name users who exist; there is none with the id {}", unknown.join(", "));
        return Err(Invalid::new("user_ids", why).into());
    }
    Ok((command.ids.iter().filter_map(|id| people.any(id).cloned()).collect(), gone))
}

/// Which of these ids are of users who were deleted for good. One statement, or none where there are no such users.
pub(crate) fn buried(tx: &mut Tx<'_>, app: &App, ids: &[UserId]) -> Result<Vec<UserId>, Error> {
    let Some(key) = app.settings.tombstone_key.as_ref().filter(|_| !ids.is_empty()) else {
        return Ok(Vec::new());
    };
    let hashes: BTreeMap<String, &UserId> = ids.iter().map(|id| (tombstone(key, id), id)).collect();
    let names: Vec<String> = hashes.keys().cloned().collect();
    let found = deletion::buried(tx, app.key, &names)?;
    Ok(found.iter().filter_map(|hash| hashes.get(hash).map(|id| UserId::clone(id))).collect())
}

/// Marks users as deleted, as far as they are not so already.
fn mark(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    caller: &Admitted<'_>,
    app: &App,
    command: &DeleteUsers,
    found: Vec<StoredUser>,
) -> Result<(), Error> {
    let keys: Vec<UserKey> = found.iter().map(|stored| stored.key).collect();
    let known = deletion::modes(tx, &keys)?;
    let mode = command.plan.user;
    let stronger = |stored: &StoredUser| known.get(&stored.key).is_none_or(|known| *known < mode);
    let changes: Vec<Change> = found
        .into_iter()
        .filter(stronger)
        .map(|before| Change { after: before.user.deleted(ctx.now), before: Some(before) })
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    let stored = users::put(tx, app.key, changes)?;
    let keys: Vec<UserKey> = stored.iter().map(|stored| stored.key).collect();
    deletion::set_mode(tx, &keys, Some(mode))?;
    let entry = |stored: &StoredUser| Entry {
        event: Event::UserDeleted { user: Box::new(stored.user.clone()), plan: command.plan },
        person: Some(stored.key),
        others: Vec::new(),
    };
    caller.record(tx, stored.iter().map(entry).collect())
}

/// The most rows of one kind that a preview counts of a user: who wonders whether a deletion takes ten thousand messages or a
/// million is warned in either case, and reading a million takes longer than a read may.
pub const MOST_COUNTED: u64 = 10_000;

/// The most that it counts of all users of a call together: of many users fewer each.
const MOST_COUNTED_TOGETHER: u64 = 100_000;

/// What a deletion would do to one kind of data of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The kind.
    pub data: Data,
    /// What becomes of it.
    pub effect: Effect,
    /// How much of it there is, as far as it was counted ([`MOST_COUNTED`]).
    pub tally: Tally,
}

/// What a deletion would do to a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Who.
    pub id: UserId,
    /// Of everything that would change.
    pub forecasts: Vec<Forecast>,
}

/// Says what [`delete`] would do, and does nothing.
///
/// # Errors
/// See [`delete`].
pub fn preview(tx: &mut Tx<'_>, ctx: &Ctx, command: &DeleteUsers) -> Result<Vec<Preview>, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::DeleteUser)?;
    command.check()?;
    let (found, gone) = subjects(tx, ctx.app()?, command)?;
    let keys: Vec<UserKey> = found.iter().map(|stored| stored.key).collect();
    let counts = counts(tx, &keys)?;
    let known = deletion::modes(tx, &keys)?;
    let mode = command.plan.user;
    let forecasts = |stored: &StoredUser| {
        let counted = counts.get(&stored.key);
        // Who is deleted as thoroughly already has nothing more to lose.
        let itself = u64::from(known.get(&stored.key).is_none_or(|known| *known < mode));
        let tally = |data| match data {
            Data::Profile => Tally { count: itself, at_least: false },
            data => counted.and_then(|counted| counted.get(&data)).copied().unwrap_or_default(),
        };
        let forecast = |data: &Data| Forecast {
            data: *data,
            effect: command.plan.effect_on(*data),
            tally: tally(*data),
        };
        Data::ALL.iter().map(forecast).filter(|forecast| forecast.effect != Effect::Kept).collect()
    };
    let previews =
        found.iter().map(|stored| Preview { id: stored.user.id.clone(), forecasts: forecasts(stored) });
    Ok(previews.chain(gone.into_iter().map(|id| Preview { id, forecasts: Vec::new() })).collect())
}

/// How much there is of each kind. Two statements, which read no more than [`MOST_COUNTED_TOGETHER`] rows of a kind.
fn counts(tx: &mut Tx<'_>, users: &[UserKey]) -> Result<HashMap<UserKey, HashMap<Data, Tally>>, Error> {
    let ceiling =
        MOST_COUNTED.min(MOST_COUNTED_TOGETHER / u64::try_from(users.len().max(1)).unwrap_or(u64::MAX));
    let mut counts: HashMap<UserKey, HashMap<Data, Tally>> = HashMap::new();
    for (key, counted) in erase::counts(tx, users, ceiling)? {
        counts.entry(key).or_default().extend(counted);
    }
    for (key, chat) in users.iter().zip(erase_chat::counts(tx, users, ceiling)?) {
        counts.entry(*key).or_default().extend([
            (Data::Conversations, chat.conversations),
            (Data::ConversationMessages, chat.conversation_messages),
            (Data::Messages, chat.messages),
            (Data::ReactionsReceived, chat.reactions_received),
            (Data::Attachments, chat.attachments),
            (Data::Reactions, chat.reactions),
            (Data::Memberships, chat.memberships),
            (Data::ChannelsMade, chat.channels_made),
        ]);
    }
    Ok(counts)
}

/// Takes soft deletions back: the users as they were, none of what hung on them (semantics 10.22). All or none. A role that is
/// gone by now is not given again ([`model::User::restored`]).
///
/// # Errors
/// When one was never there, is not deleted or was deleted more thoroughly, or somebody else has the name by now.
pub fn restore(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[UserId]) -> Result<(), Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::DeleteUser)?;
    check_user_ids(ids)?;
    let app = caller.current_app(tx)?;
    let people = People::load(tx, &app, ids)?;
    let missing: Vec<UserId> = ids.iter().filter(|id| people.any(id).is_none()).cloned().collect();
    let gone = buried(tx, &app, &missing)?;
    if let Some(unknown) = missing.iter().find(|id| !gone.contains(id)) {
        return Err(Error::NoUser(unknown.clone()));
    }
    let refused = |id: &UserId, why: &str| Invalid::new("user_ids", format!("'{id}' {why}"));
    if let Some(gone) = gone.first() {
        return Err(refused(gone, "was deleted for good, and cannot be restored").into());
    }
    let found: Vec<&StoredUser> = ids.iter().filter_map(|id| people.any(id)).collect();
    let keys: Vec<UserKey> = found.iter().map(|stored| stored.key).collect();
    let modes = deletion::modes(tx, &keys)?;
    for stored in &found {
        let why = match (stored.user.deleted_at, modes.get(&stored.key)) {
            (None, _) => "is not deleted",
            (Some(_), Some(UserDeletion::Pruning | UserDeletion::Hard)) => {
                "was deleted for good, and cannot be restored"
            }
            (Some(_), _) => continue,
        };
        return Err(refused(&stored.user.id, why).into());
    }
    // Before the names, as everybody does who gives roles.
    let custom = roles::custom(tx, &app, found.iter().flat_map(|stored| stored.user.roles()))?;
    let mut names = Names::load(tx, &app, found.iter().filter_map(|stored| stored.user.name.as_deref()))?;
    let mut changes = Vec::with_capacity(found.len());
    for (place, stored) in found.into_iter().enumerate() {
        let after = stored.user.restored(ctx.now, &custom);
        names.take(None, &after).map_err(|taken| taken.at(format!("user_ids.{place}")))?;
        changes.push(Change { before: Some(stored.clone()), after });
    }
    let stored = users::put(tx, app.key, changes)?;
    deletion::set_mode(tx, &keys, None)?;
    let entry = |stored: &StoredUser| Entry {
        event: Event::UserUpdated { user: Box::new(stored.user.clone()) },
        person: Some(stored.key),
        others: Vec::new(),
    };
    caller.record(tx, stored.iter().map(entry).collect())
}

/// Refuses to make users with ids that somebody had who was deleted for good (semantics 10.17).
///
/// # Errors
/// [`Error::Deleted`].
pub(crate) fn refuse_buried(tx: &mut Tx<'_>, app: &App, ids: &[UserId]) -> Result<(), Error> {
    let unique: BTreeSet<UserId> = buried(tx, app, ids)?.into_iter().collect();
    match ids.iter().find(|id| unique.contains(id)) {
        Some(id) => Err(Error::Deleted(id.clone())),
        None => Ok(()),
    }
}

/// Lets the id of a user who was deleted for good be given again. Answers whether it could not.
///
/// # Errors
/// When there is no such app.
pub fn purge_tombstone(tx: &mut Tx<'_>, ctx: &Ctx, api_key: &str, id: &UserId) -> Result<bool, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::ManageApps)?;
    let app = apps::by_api_key(tx, api_key)?.ok_or_else(|| Error::NoApp(api_key.to_owned()))?;
    let Some(key) = &app.settings.tombstone_key else { return Ok(false) };
    Ok(deletion::exhume(tx, app.key, &tombstone(key, id))?)
}
