//! What a caller may change of users (semantics 1.27 to 1.31, 8.9). A server may everything.

use std::collections::{BTreeMap, BTreeSet};

use model::{Action, DEFAULT_ROLE, Denied, GUEST_ROLE, Lack, Resource, Teams, User, UserId};

use crate::{Admitted, Error};

/// Checks that `caller` may do something to the user `id`, before anything is said of it: `known` is the user if there is
/// one, and `teams` are those that the caller gives it.
///
/// A user out of the caller's sight is treated like one that does not exist.
///
/// # Errors
/// [`Error::Denied`].
pub(crate) fn permit_upsert(
    caller: &Admitted<'_>,
    known: Option<&User>,
    teams: &[String],
) -> Result<(), Error> {
    if caller.is_server() {
        return caller.permit(Action::UpdateUser);
    }
    let Some(user) = known else { return permit_creation(caller, teams) };
    let is_seen = caller.sees(user) && user.deleted_at.is_none();
    match caller.permit_on(Action::UpdateUser, &Resource::user(user)) {
        Ok(()) if is_seen => Ok(()),
        Err(denied) if is_seen => Err(denied),
        decided => {
            permit_creation(caller, teams)?;
            // Ids are unique in the whole app and for ever, so whoever makes users learns that one is taken, and no more.
            decided.map_err(|error| match error {
                Error::Denied(denied) => Denied { lack: Lack::Grant, ..denied }.into(),
                other => other,
            })
        }
    }
}

fn permit_creation(caller: &Admitted<'_>, teams: &[String]) -> Result<(), Error> {
    caller.permit_on(Action::CreateUser, &Resource { teams: Teams::All(teams), ..Resource::app() })
}

/// Checks that `caller` may change single fields of a user.
///
/// # Errors
/// [`Error::Denied`], or [`Error::NoUser`] for a user out of the caller's sight.
pub(crate) fn permit_update(caller: &Admitted<'_>, id: &UserId, known: Option<&User>) -> Result<(), Error> {
    if caller.is_server() {
        return caller.permit(Action::UpdateUser);
    }
    // Whoever may change nobody, itself included, learns nothing.
    caller.permit_on(Action::UpdateUser, &Resource { owner: caller.id(), ..Resource::app() })?;
    let Some(user) = known.filter(|user| caller.sees(user) && user.deleted_at.is_none()) else {
        return Err(Error::NoUser(id.clone()));
    };
    caller.permit_on(Action::UpdateUser, &Resource::user(user))
}

/// Checks that `caller`, who may change the user, may make just this of it.
///
/// # Errors
/// [`Error::Denied`] for a role, a team, or a field that a guest does not choose; [`Error::ServerOnly`].
pub(crate) fn permit_change(caller: &Admitted<'_>, before: Option<&User>, after: &User) -> Result<(), Error> {
    if caller.is_server() {
        return Ok(());
    }
    if before.and_then(|user| user.tokens_revoked_before) != after.tokens_revoked_before {
        return Err(Error::ServerOnly("revoke_tokens_issued_before".to_owned()));
    }
    permit_role(caller, before, after)?;
    permit_roles_in_teams(caller, before, after)?;
    permit_teams(caller, before, after)?;
    refuse_guest(caller, before, after)
}

/// The role in the whole app counts in every team that the user is in, or comes into.
fn permit_role(caller: &Admitted<'_>, before: Option<&User>, after: &User) -> Result<(), Error> {
    let role_before = before.map_or(DEFAULT_ROLE, |user| &user.role);
    if after.role == role_before {
        return Ok(());
    }
    let teams: Vec<String> =
        before.map_or(&[][..], |user| &user.teams).iter().chain(&after.teams).cloned().collect();
    let resource = of(before, Teams::Whole(&teams));
    caller.permit_on(Action::UpdateUserRole, &resource)?;
    permit_far_roles(caller, before, [role_before, &after.role])
}

/// A role within a team counts there and nowhere else. One that goes with its team is a matter of the team.
fn permit_roles_in_teams(caller: &Admitted<'_>, before: Option<&User>, after: &User) -> Result<(), Error> {
    let none = BTreeMap::new();
    let roles_before = before.map_or(&none, |user| &user.teams_role);
    let stays: BTreeSet<&String> = after.teams.iter().collect();
    let teams: BTreeSet<&String> = roles_before.keys().chain(after.teams_role.keys()).collect();
    for team in teams.into_iter().filter(|team| stays.contains(team)) {
        let (old, new) = (roles_before.get(team), after.teams_role.get(team));
        if old != new {
            let resource = of(before, Teams::All(std::slice::from_ref(team)));
            caller.permit_on(Action::UpdateUserRole, &resource)?;
            permit_far_roles(caller, before, old.into_iter().chain(new).map(String::as_str))?;
        }
    }
    Ok(())
}

/// Nobody gives or takes more than teams can hold who has no more.
fn permit_far_roles<'r>(
    caller: &Admitted<'_>,
    before: Option<&User>,
    roles: impl IntoIterator<Item = &'r str>,
) -> Result<(), Error> {
    if roles.into_iter().any(|role| caller.reaches_beyond_teams(role)) {
        caller.permit_on(Action::UpdateUserRole, &of(before, Teams::Beyond))?;
    }
    Ok(())
}

/// The teams that the user comes into or leaves; to be in none is to be among those who are in none.
fn permit_teams(caller: &Admitted<'_>, before: Option<&User>, after: &User) -> Result<(), Error> {
    let known = before.map(|user| user.teams.as_slice()).unwrap_or_default();
    let (old, new): (BTreeSet<&String>, BTreeSet<&String>) =
        (known.iter().collect(), after.teams.iter().collect());
    let touched: Vec<String> = old.symmetric_difference(&new).map(|team| (*team).clone()).collect();
    if touched.is_empty() {
        return Ok(());
    }
    caller.permit_on(Action::UpdateUserTeam, &of(before, Teams::All(&touched)))?;
    if before.is_some() && old.is_empty() != new.is_empty() {
        caller.permit_on(Action::UpdateUserTeam, &of(before, Teams::All(&[])))?;
    }
    Ok(())
}

/// The user as far as `teams` are touched.
fn of<'a>(user: Option<&'a User>, teams: Teams<'a>) -> Resource<'a> {
    Resource { owner: user.map(|user| &user.id), teams, ..Resource::app() }
}

/// A guest chooses its name, its picture and its custom data (8.9).
fn refuse_guest(caller: &Admitted<'_>, before: Option<&User>, after: &User) -> Result<(), Error> {
    let Some((id, standing)) = caller.user().filter(|(_, standing)| standing.role == GUEST_ROLE) else {
        return Ok(());
    };
    let kept = before.is_some_and(|user| {
        (&user.language, user.invisible, user.privacy) == (&after.language, after.invisible, after.privacy)
    });
    if kept || *id != after.id {
        return Ok(());
    }
    Err(Error::Denied(Denied {
        id: id.to_string(),
        roles: vec![standing.role.clone()],
        action: Action::UpdateUser,
        scope: None,
        lack: Lack::Grant,
    }))
}
