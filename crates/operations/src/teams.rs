//! Which teams an operation looks at, of what belongs to a team.

use model::{Action, Resource, check_team};

use crate::{Admitted, Error};

/// The team of what belongs to none, as storage keeps it.
pub(crate) const NO_TEAM: &str = "";

/// The teams in which the caller may do `action`, of which it asks for `team` or for all; `None` is all there are. Each
/// once, in order, [`NO_TEAM`] for what belongs to none.
///
/// # Errors
/// [`Error::Denied`] when the caller may not in the team that it names in `field`, whether there is such a team or not; when
/// no team can have this name.
pub(crate) fn asked(
    caller: &Admitted<'_>,
    action: Action,
    team: Option<&String>,
    field: &str,
) -> Result<Option<Vec<String>>, Error> {
    if let Some(team) = team {
        check_team(field, team)?;
        caller.permit_on(action, &Resource::team(std::slice::from_ref(team)))?;
        return Ok(Some(vec![team.clone()]));
    }
    let Some(mut teams) = caller.teams_of(action)? else { return Ok(None) };
    if teams.is_empty() {
        teams.push(NO_TEAM.to_owned());
    }
    teams.sort_unstable();
    teams.dedup();
    Ok(Some(teams))
}
