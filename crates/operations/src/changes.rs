//! What a caller may change of users (semantics 1.27 to 1.31, 8.9). A server may everything.

use model::{
    Action, DEFAULT_ROLE, Denied, GUEST_ROLE, Lack, Resource, Teams, User, UserId, reaches_beyond_teams,
};

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
    let update = known.map(|user| caller.permit_on(Action::UpdateUser, &Resource::user(user)));
    match (known, update) {
        (Some(_), Some(Ok(()))) => Ok(()),
        (Some(user), Some(Err(denied))) if caller.shares_team_with(user) => Err(denied),
        (Some(_), Some(Err(denied))) => {
            permit_creation(caller, teams)?;
            // Ids are unique in the whole app, so whoever makes users learns that one is taken, and no more.
            Err(match denied {
                Error::Denied(denied) => Denied { lack: Lack::Grant, ..denied }.into(),
                other => other,
            })
        }
        _ => permit_creation(caller, teams),
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
    let Some(user) = known else { return Err(Error::NoUser(id.clone())) };
    match caller.permit_on(Action::UpdateUser, &Resource::user(user)) {
        Err(Error::Denied(_)) if !caller.shares_team_with(user) => Err(Error::NoUser(id.clone())),
        decided => decided,
    }
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
    let resource = match before {
        Some(before) => Resource::user(before),
        None => Resource { teams: Teams::All(&after.teams), ..Resource::app() },
    };
    let given: Vec<&String> = roles_given(before, after);
    if !given.is_empty() || roles_taken(before, after) {
        caller.permit_on(Action::UpdateUserRole, &resource)?;
    }
    // Nobody gives more than teams can hold who has no more.
    if given.iter().any(|role| reaches_beyond_teams(role)) {
        let beyond = Resource { teams: Teams::Beyond, ..resource.clone() };
        caller.permit_on(Action::UpdateUserRole, &beyond)?;
    }
    let touched = teams_touched(before, after);
    if !touched.is_empty() {
        let teams = Resource { teams: Teams::All(&touched), ..resource.clone() };
        caller.permit_on(Action::UpdateUserTeam, &teams)?;
    }
    refuse_guest(caller, before, after)
}

/// The roles that the user has after a change and had not before.
fn roles_given<'a>(before: Option<&User>, after: &'a User) -> Vec<&'a String> {
    let role_before = before.map_or(DEFAULT_ROLE, |user| &user.role);
    let in_teams = after
        .teams_role
        .iter()
        .filter(|(team, role)| before.and_then(|user| user.teams_role.get(*team)) != Some(role));
    let in_app = Some(&after.role).filter(|role| *role != role_before);
    in_app.into_iter().chain(in_teams.map(|(_, role)| role)).collect()
}

/// Whether the user loses a role in a team that it stays in.
fn roles_taken(before: Option<&User>, after: &User) -> bool {
    let lost = |team: &String| after.teams.contains(team) && !after.teams_role.contains_key(team);
    before.is_some_and(|user| user.teams_role.keys().any(lost))
}

/// The teams that the user comes into or leaves.
fn teams_touched(before: Option<&User>, after: &User) -> Vec<String> {
    let before = before.map(|user| user.teams.as_slice()).unwrap_or_default();
    let gone = before.iter().filter(|team| !after.teams.contains(team));
    let come = after.teams.iter().filter(|team| !before.contains(team));
    gone.chain(come).cloned().collect()
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
