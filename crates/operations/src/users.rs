//! Operations on users.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Absent, App, Batch, CustomText, Event, Filter, Invalid, Patch, Profile, StoredUser, TeamFilter, User,
    UserId, UserQuery, UserView,
};
use storage::Tx;
use storage::find::Scope;
use storage::log::Entry;
use storage::users::{self, Change};

use crate::names::{self, Names};
use crate::{Admitted, Ctx, Error, changes, deletion, roles};

/// The most users that one call creates or changes (semantics 2.1, 3.2).
pub const MOST_USERS: usize = 100;

/// What an upsert has done.
#[derive(Debug)]
pub struct Upserted {
    /// The users after it.
    pub users: Vec<UserView>,
    /// How many of them are new.
    pub created: usize,
}

/// Creates users or replaces their profiles, all or none (semantics 2).
///
/// # Errors
/// The first refusal in the order of the request.
pub fn upsert(tx: &mut Tx<'_>, ctx: &Ctx, profiles: &Batch<(UserId, Profile)>) -> Result<Upserted, Error> {
    let caller = ctx.admit(tx)?;
    let changes = upserts(tx, ctx, &caller, profiles)?;
    let created = changes.iter().filter(|change| change.before.is_none()).count();
    Ok(Upserted { users: store(tx, ctx, &caller, changes)?, created })
}

/// What an upsert would store. Writes nothing: a batch that is refused by itself is not worth a writer's time.
///
/// # Errors
/// See [`upsert`].
pub fn plan_upsert(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    profiles: &Batch<(UserId, Profile)>,
) -> Result<Vec<Change>, Error> {
    let caller = ctx.admit(tx)?;
    upserts(tx, ctx, &caller, profiles)
}

fn upserts(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    caller: &Admitted<'_>,
    profiles: &Batch<(UserId, Profile)>,
) -> Result<Vec<Change>, Error> {
    let app = caller.current_app(tx)?;
    check_count(profiles.total())?;
    let mut known = known(tx, &app, profiles.items().iter().map(|(id, _)| id))?;
    if app.settings.tombstone_key.is_some() {
        let new = profiles.items().iter().map(|(id, _)| id).filter(|id| !known.contains_key(*id));
        deletion::refuse_buried(tx, &app, &new.cloned().collect::<Vec<_>>())?;
    }
    let limits = roles::limits(tx, &app, profiles.items().iter().flat_map(|(_, profile)| profile.roles()))?;
    let mut names = Names::load(tx, &app, names::of_profiles(profiles.items()))?;
    let mut changes = Vec::with_capacity(profiles.items().len());
    for (id, profile) in profiles.items() {
        let before = known.remove(id);
        let user = before.as_ref().map(|stored| &stored.user);
        changes::permit_upsert(caller, user, profile.teams.as_deref().unwrap_or_default())?;
        refuse_deleted(user)?;
        // What a client leaves out it does not mean to change.
        let absent = if caller.is_server() { app.settings.absent } else { Absent::Keep };
        let after = profile.draft(id, user, ctx.now, absent);
        changes::permit_change(caller, user, &after)?;
        after.check(user, &limits).map_err(|invalid| invalid.within(format_args!("users.{id}")))?;
        names.take(user, &after).map_err(|taken| taken.at(format!("users.{id}.name")))?;
        changes.push(Change { before, after });
    }
    match profiles.refused() {
        None => Ok(changes),
        Some(refused) => Err(refused.clone().into()),
    }
}

/// Changes single fields of users, all or none (semantics 3). A user that is named more than once gets its changes
/// in the order of the request.
///
/// # Errors
/// The first refusal in the order of the request.
pub fn update_partial(tx: &mut Tx<'_>, ctx: &Ctx, patches: &Batch<Patch>) -> Result<Vec<UserView>, Error> {
    let caller = ctx.admit(tx)?;
    let changes = updates(tx, ctx, &caller, patches)?;
    store(tx, ctx, &caller, changes)
}

/// What a partial update would store. Writes nothing, as [`plan_upsert`].
///
/// # Errors
/// See [`update_partial`].
pub fn plan_update_partial(tx: &mut Tx<'_>, ctx: &Ctx, patches: &Batch<Patch>) -> Result<Vec<Change>, Error> {
    let caller = ctx.admit(tx)?;
    updates(tx, ctx, &caller, patches)
}

fn updates(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    caller: &Admitted<'_>,
    patches: &Batch<Patch>,
) -> Result<Vec<Change>, Error> {
    let app = caller.current_app(tx)?;
    check_count(patches.total())?;
    let mut known = known(tx, &app, patches.items().iter().map(|patch| &patch.id))?;
    let limits = roles::limits(tx, &app, patches.items().iter().flat_map(Patch::roles))?;
    let given = patches.items().iter().filter_map(Patch::name);
    let mut names = Names::load(tx, &app, given.chain(names::of_users(&known)))?;
    let mut changed: BTreeMap<&UserId, User> = BTreeMap::new();
    for (place, patch) in patches.items().iter().enumerate() {
        let before = changed.get(&patch.id).or_else(|| known.get(&patch.id).map(|stored| &stored.user));
        changes::permit_update(caller, &patch.id, before)?;
        let before = before.ok_or_else(|| Error::NoUser(patch.id.clone()))?;
        refuse_deleted(Some(before))?;
        let within = |invalid: Invalid| invalid.within(format_args!("users.{place}"));
        let after = patch.draft(before, ctx.now).map_err(within)?;
        changes::permit_change(caller, Some(before), &after)?;
        after.check(Some(before), &limits).map_err(within)?;
        names.take(Some(before), &after).map_err(|taken| taken.at(format!("users.{place}.name")))?;
        changed.insert(&patch.id, after);
    }
    match patches.refused() {
        None => {
            Ok(changed.into_iter().map(|(id, after)| Change { before: known.remove(id), after }).collect())
        }
        Some(refused) => Err(refused.clone().into()),
    }
}

/// Finds users (semantics 4).
///
/// # Errors
/// When the store fails.
pub fn query(tx: &mut Tx<'_>, ctx: &Ctx, query: &UserQuery) -> Result<Vec<UserView<CustomText>>, Error> {
    let caller = ctx.admit(tx)?;
    let app = ctx.app()?;
    let scope = Scope { app: app.key, now: ctx.now };
    let found = match within_reach(&caller, app, query)? {
        Some(narrowed) => storage::find::find(tx, scope, &narrowed)?,
        None => storage::find::find(tx, scope, query)?,
    };
    caller.views(tx, found)
}

/// The query with what keeps a client to the users that it may find (semantics 4.27 to 4.29); `None` when that changes
/// nothing.
fn within_reach(caller: &Admitted<'_>, app: &App, query: &UserQuery) -> Result<Option<UserQuery>, Error> {
    let reach = caller.searchable()?;
    if caller.is_server() {
        return Ok(None);
    }
    query.check_for_clients()?;
    if reach == Filter::everybody() {
        return Ok(None);
    }
    if app.settings.team_filter == TeamFilter::Required && !query.filter.demands_team() {
        return Err(Error::NoTeamFilter);
    }
    let filter = Filter::And(vec![reach, query.filter.clone()]);
    Ok(Some(UserQuery { filter, ..query.clone() }))
}

/// Whether one statement answers a query.
#[must_use]
pub fn is_look_up(query: &UserQuery) -> bool {
    storage::find::is_look_up(query)
}

fn check_count(users: usize) -> Result<(), Error> {
    if (1..=MOST_USERS).contains(&users) {
        return Ok(());
    }
    Err(Invalid::new("users", format!("must hold 1 to {MOST_USERS} users, holds {users}")).into())
}

fn known<'a>(
    tx: &mut Tx<'_>,
    app: &App,
    ids: impl Iterator<Item = &'a UserId>,
) -> Result<BTreeMap<UserId, StoredUser>, Error> {
    let ids: BTreeSet<&UserId> = ids.collect();
    let found = users::by_ids(tx, app.key, &ids)?;
    Ok(found.into_iter().map(|stored| (stored.user.id.clone(), stored)).collect())
}

fn refuse_deleted(user: Option<&User>) -> Result<(), Error> {
    match user {
        Some(user) if user.deleted_at.is_some() => Err(Error::Deleted(user.id.clone())),
        _ => Ok(()),
    }
}

/// Stores profiles. New users are stored in the order of their ids, which settles the default sort order among users
/// of one batch.
fn store(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    caller: &Admitted<'_>,
    mut changes: Vec<Change>,
) -> Result<Vec<UserView>, Error> {
    let app = ctx.app()?;
    changes.sort_unstable_by(|left, right| left.after.id.cmp(&right.after.id));
    let is_new: Vec<bool> = changes.iter().map(|change| change.before.is_none()).collect();
    let stored = users::put(tx, app.key, changes)?;
    let entries: Vec<Entry> = stored
        .iter()
        .zip(is_new)
        .map(|(stored, is_new)| {
            let user = Box::new(stored.user.clone());
            let event = if is_new { Event::UserCreated { user } } else { Event::UserUpdated { user } };
            Entry { event, person: Some(stored.key), others: Vec::new() }
        })
        .collect();
    caller.record(tx, entries)?;
    caller.views(tx, stored)
}
