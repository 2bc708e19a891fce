//! Operations on groups of users (v2 2.5, semantics 15). A client reaches the groups of its teams only.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Action, Event, Invalid, MOST_MEMBERS, MOST_USER_GROUPS, Resource, Shown, UserGroup, UserGroupPage,
    UserGroupPatch, UserGroupView, UserId, UserKey, check_member_count, check_team,
};
use storage::Tx;
use storage::log::Entry;
use storage::user_groups::{self, NewMember, StoredGroup};

use crate::admitted::People;
use crate::{Admitted, Ctx, Error, teams};

/// Makes a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The id; `None` has one made.
    pub id: Option<String>,
    /// The team; an app with teams has no other groups.
    pub team: Option<String>,
    /// The name.
    pub name: String,
    /// What it is for; an empty text is nothing.
    pub description: Option<String>,
    /// Who is in it from the beginning.
    pub members: Vec<UserId>,
}

/// A group by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The id.
    pub id: String,
    /// The team that it has to be of, if that was said.
    pub team: Option<String>,
}

/// Puts users into a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddMembers {
    /// Which.
    pub group: Named,
    /// Whom.
    pub members: Vec<UserId>,
    /// Whether as admins of the group. Who is in it already is made one, and stays one otherwise.
    pub as_admin: bool,
}

/// A page of the groups that the caller may read, without their members.
///
/// # Errors
/// When the caller may not read those it asks for, or the page is none.
pub fn list(tx: &mut Tx<'_>, ctx: &Ctx, page: &UserGroupPage) -> Result<Vec<UserGroup>, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::ReadUserGroups)?;
    page.check()?;
    let teams = teams::asked(&caller, Action::ReadUserGroups, page.team.as_ref(), "team_id")?;
    Ok(user_groups::page(tx, ctx.app()?.key, teams.as_deref(), page)?)
}

/// Reads a group.
///
/// # Errors
/// [`Error::NoUserGroup`].
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, named: &Named) -> Result<UserGroupView, Error> {
    let caller = ctx.admit(tx)?;
    let found = find(tx, ctx, &caller, Action::ReadUserGroups, named)?;
    view(tx, found.key, found.group)
}

/// Carries out [`Create`].
///
/// # Errors
/// When a field breaks a rule, the id is taken, a member does not exist, or the app has as many groups as it may.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, command: &Create) -> Result<UserGroupView, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::ManageUserGroups)?;
    let app = caller.known_app()?;
    let author = caller.user();
    let group = UserGroup {
        id: command.id.clone().unwrap_or_else(|| ctx.uuid_by_time()),
        team: command.team.clone(),
        name: command.name.clone(),
        description: command.description.clone().filter(|text| !text.is_empty()),
        created_by: author.map(|(id, _)| id.clone()),
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    group.check()?;
    check_member_count(command.members.len())?;
    match &group.team {
        Some(team) => check_team("team_id", team)?,
        None if app.settings.is_multi_tenant() => {
            let why = "is required in an app with teams: the team whose group it is to be";
            return Err(Invalid::new("team_id", why).into());
        }
        None => {}
    }
    caller.permit_on(Action::ManageUserGroups, &Resource::team(group.team.as_slice()))?;
    let members = members(tx, &caller, &group, &command.members)?;
    let census = user_groups::census(tx, app.key, &group.id)?;
    let refuse = |why: String| Err(Invalid::new("id", why).into());
    if census.is_taken {
        return refuse(format!("the user group {} exists; choose another id", Shown(&group.id)));
    }
    if census.groups >= MOST_USER_GROUPS {
        return refuse(format!(
            "the app has {MOST_USER_GROUPS} user groups, which is the most; delete one first"
        ));
    }
    let created_by = author.map(|(_, standing)| standing.key);
    let key = user_groups::insert(tx, app.key, &group, created_by)?;
    user_groups::add_members(tx, key, &new_members(ctx, &members, false))?;
    let event = |group, members| Event::UserGroupCreated { group, members };
    caller.record(tx, vec![about_members(created_by, &group, &members, event)])?;
    view(tx, key, group)
}

/// Changes the name or the description of a group. What changes nothing is not stored.
///
/// # Errors
/// When a field breaks a rule; [`Error::NoUserGroup`].
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    named: &Named,
    patch: &UserGroupPatch,
) -> Result<UserGroupView, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::ManageUserGroups)?;
    patch.check()?;
    let StoredGroup { key, created_by, group } = find(tx, ctx, &caller, Action::ManageUserGroups, named)?;
    let Some(changed) = group.changed(patch, ctx.now) else { return view(tx, key, group) };
    user_groups::update(tx, key, &changed)?;
    let event = Event::UserGroupUpdated { group: Box::new(changed.clone()) };
    caller.record(tx, vec![about(created_by, event)])?;
    view(tx, key, changed)
}

/// Deletes a group, and with it who was in it.
///
/// # Errors
/// [`Error::NoUserGroup`].
pub fn delete(tx: &mut Tx<'_>, ctx: &Ctx, named: &Named) -> Result<(), Error> {
    let caller = ctx.admit(tx)?;
    let StoredGroup { key, created_by, group } = find(tx, ctx, &caller, Action::ManageUserGroups, named)?;
    user_groups::remove(tx, key)?;
    caller.record(tx, vec![about(created_by, Event::UserGroupDeleted { group: Box::new(group) })])
}

/// Carries out [`AddMembers`]: all or none (v2 2.5).
///
/// # Errors
/// When one of them does not exist, or the group would have more members than it may; [`Error::NoUserGroup`].
pub fn add_members(tx: &mut Tx<'_>, ctx: &Ctx, command: &AddMembers) -> Result<UserGroupView, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::ManageUserGroups)?;
    check_members(&command.members)?;
    let StoredGroup { key, created_by, group } =
        find(tx, ctx, &caller, Action::ManageUserGroups, &command.group)?;
    let members = members(tx, &caller, &group, &command.members)?;
    let as_admin = command.as_admin;
    let came = user_groups::add_members(tx, key, &new_members(ctx, &members, as_admin))?;
    let came = among(&members, &came);
    let rest: Vec<UserKey> = members.keys().copied().filter(|user| !came.contains_key(user)).collect();
    let promoted = if as_admin && !rest.is_empty() {
        among(&members, &user_groups::promote(tx, key, &rest)?)
    } else {
        BTreeMap::new()
    };
    let view = view(tx, key, group)?;
    if view.members.len() > MOST_MEMBERS {
        let why =
            format!("a group may have at most {MOST_MEMBERS} members, it would have {}", view.members.len());
        return Err(Invalid::new("member_ids", why).into());
    }
    let mut entries = Vec::new();
    if !came.is_empty() {
        let event = |group, members| Event::UserGroupMemberAdded { group, members, as_admin };
        entries.push(about_members(created_by, &view.group, &came, event));
    }
    if !promoted.is_empty() {
        let event = |group, members| Event::UserGroupAdminAdded { group, members };
        entries.push(about_members(created_by, &view.group, &promoted, event));
    }
    caller.record(tx, entries)?;
    Ok(view)
}

/// Takes users out of a group. Whoever is not in it is left alone (v2 2.5).
///
/// # Errors
/// [`Error::NoUserGroup`].
pub fn remove_members(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    named: &Named,
    members: &[UserId],
) -> Result<UserGroupView, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::ManageUserGroups)?;
    check_members(members)?;
    let StoredGroup { key, created_by, group } = find(tx, ctx, &caller, Action::ManageUserGroups, named)?;
    let people = People::load(tx, ctx.app()?, members)?;
    let known: BTreeMap<UserKey, UserId> = members
        .iter()
        .filter_map(|id| people.existing(id).ok())
        .map(|stored| (stored.key, stored.user.id.clone()))
        .collect();
    let keys: Vec<UserKey> = known.keys().copied().collect();
    let gone = among(&known, &user_groups::remove_members(tx, key, &keys)?);
    if !gone.is_empty() {
        let event = |group, members| Event::UserGroupMemberRemoved { group, members };
        caller.record(tx, vec![about_members(created_by, &group, &gone, event)])?;
    }
    view(tx, key, group)
}

/// The group that is meant, if the caller may do `action` on it.
fn find(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    caller: &Admitted<'_>,
    action: Action,
    named: &Named,
) -> Result<StoredGroup, Error> {
    caller.permit(action)?;
    let missing = || Error::NoUserGroup(Shown(&named.id).to_string());
    let found = user_groups::by_id(tx, ctx.app()?.key, &named.id)?.ok_or_else(missing)?;
    if named.team.is_some() && named.team != found.group.team {
        return Err(missing());
    }
    match caller.permit_on(action, &Resource::team(found.group.team.as_slice())) {
        Ok(()) => Ok(found),
        // Whoever cannot reach a group cannot tell it from one that is not there.
        Err(Error::Denied(_)) => Err(missing()),
        Err(error) => Err(error),
    }
}

fn view(tx: &mut Tx<'_>, key: i64, group: UserGroup) -> Result<UserGroupView, Error> {
    Ok(UserGroupView { members: user_groups::members(tx, key)?, group })
}

fn check_members(members: &[UserId]) -> Result<(), Invalid> {
    if members.is_empty() {
        return Err(Invalid::new("member_ids", "must name at least one user"));
    }
    check_member_count(members.len())
}

/// The users with these ids, who are to be in `group`: one statement, none for nobody.
///
/// # Errors
/// When one does not exist, or is not to be known in the team of the group.
fn members(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    group: &UserGroup,
    ids: &[UserId],
) -> Result<BTreeMap<UserKey, UserId>, Error> {
    /// How many a refusal names.
    const NAMED: usize = 10;
    let app = caller.known_app()?;
    let people = People::load(tx, app, ids)?;
    let (mut found, mut unknown) = (BTreeMap::new(), Vec::new());
    for id in ids.iter().collect::<BTreeSet<_>>() {
        let may_be_in = people.existing(id).ok().filter(|stored| match &group.team {
            Some(team) => !app.settings.is_multi_tenant() || stored.user.teams.contains(team),
            None => caller.sees(&stored.user),
        });
        match may_be_in {
            Some(stored) => drop(found.insert(stored.key, id.clone())),
            None => unknown.push(id.as_str()),
        }
    }
    if unknown.is_empty() {
        return Ok(found);
    }
    let named: Vec<String> = unknown.iter().take(NAMED).map(|id| Shown(id).to_string()).collect();
    let more = match unknown.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let why = format!("there are no users {}{more}; every member must exist", named.join(", "));
    Err(Invalid::new("member_ids", why).into())
}

fn new_members(ctx: &Ctx, members: &BTreeMap<UserKey, UserId>, is_admin: bool) -> Vec<NewMember> {
    members.keys().map(|user| NewMember { user: *user, is_admin, since: ctx.now }).collect()
}

/// Those of `members` who have one of these keys.
fn among(members: &BTreeMap<UserKey, UserId>, keys: &[UserKey]) -> BTreeMap<UserKey, UserId> {
    keys.iter().filter_map(|key| Some((*key, members.get(key)?.clone()))).collect()
}

/// An entry about a group that this user made.
fn about(created_by: Option<UserKey>, event: Event) -> Entry {
    Entry { event, person: None, others: created_by.into_iter().collect() }
}

/// An entry about members of a group that this user made.
fn about_members(
    created_by: Option<UserKey>,
    group: &UserGroup,
    members: &BTreeMap<UserKey, UserId>,
    event: impl FnOnce(Box<UserGroup>, Vec<UserId>) -> Event,
) -> Entry {
    let mut entry = about(created_by, event(Box::new(group.clone()), members.values().cloned().collect()));
    entry.others.extend(members.keys());
    entry
}
