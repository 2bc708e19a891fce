//! Who may do what: may this subject do that action on this resource (semantics 8).
//!
//! A role is granted permissions (`catalogue`); a permission allows an action, everywhere, within the subject's teams, or
//! on what is its own. Which grants count depends on the scope: an action on the app or its users is decided by the
//! grants of the app, one in a channel or a call by the grants of that channel, else of its type, else the built-in ones.
//! A denial here never says more of the resource than that it is denied: what a subject must not know of, operations
//! treat as if it did not exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use serde_json::Value;

use crate::{Action, App, CATALOGUE, Level, Permission, TokenAccess, User, UserId, permission};

/// The role of whoever has no user.
pub const ANONYMOUS_ROLE: &str = "anonymous";

/// The role of guests.
pub const GUEST_ROLE: &str = "guest";

/// Who asks, as far as roles and teams go.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The id.
    pub id: &'a UserId,
    /// The role in the whole app.
    pub role: &'a str,
    /// The teams.
    pub teams: &'a [String],
    /// Roles within teams, which stand in place of the one in the app (8.14).
    pub teams_role: &'a BTreeMap<String, String>,
    /// What the token of the subject adds.
    pub access: &'a TokenAccess,
}

/// Where a resource is, and so by which grants it is decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// In the app as a whole.
    #[default]
    App,
    /// In channels of a type, or in one of them.
    Channel {
        /// The type.
        kind: String,
        /// The id within the type; none is the type as such.
        id: Option<String>,
    },
    /// In calls of a type, or in one of them.
    Call {
        /// The type.
        kind: String,
        /// The id within the type; none is the type as such.
        id: Option<String>,
    },
}

impl Place {
    /// Which permissions count here.
    fn level(&self) -> Level {
        match self {
            Self::App => Level::App,
            Self::Channel { .. } => Level::Channel,
            Self::Call { .. } => Level::Call,
        }
    }

    /// The name of the scope in a refusal; none for the app.
    fn scope(&self) -> Option<&str> {
        match self {
            Self::App => None,
            Self::Channel { kind, .. } | Self::Call { kind, .. } => Some(kind),
        }
    }
}

/// To which teams a resource belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Teams<'a> {
    /// Teams do not matter.
    #[default]
    Any,
    /// It belongs to these, and is reached through one of them.
    OneOf(&'a [String]),
    /// All of these are touched, and each has to be reached.
    All(&'a [String]),
    /// The same, by the role in the whole app: it is touched wherever else it may come to be.
    Whole(&'a [String]),
    /// It reaches beyond every team.
    Beyond,
}

/// What is to be acted on. The default is the app as a whole.
#[derive(Clone, Debug, Default)]
pub struct Resource<'a> {
    /// Where it is.
    pub place: Place,
    /// Whose it is.
    pub owner: Option<&'a UserId>,
    /// To which teams it belongs.
    pub teams: Teams<'a>,
    /// Roles that the subject has in the resource itself: as a member of the channel or call.
    pub roles: &'a [String],
    /// The grants of the place, the most specific first; each stands, role by role, in place of those behind it, and all of
    /// them in place of the built-in ones. Those of the app are added where the place is the app.
    pub grants: &'a [Grants<'a>],
}

impl<'a> Resource<'a> {
    /// The app as a whole.
    #[must_use]
    pub fn app() -> Self {
        Self::default()
    }

    /// A user, who belongs to itself.
    #[must_use]
    pub fn user<C>(user: &'a User<C>) -> Self {
        Self { owner: Some(&user.id), teams: Teams::OneOf(&user.teams), ..Self::default() }
    }

    /// What belongs to the user with this id and to nobody else, whatever the teams.
    #[must_use]
    pub fn own(owner: &'a UserId) -> Self {
        Self { owner: Some(owner), ..Self::default() }
    }

    /// What is shared by a team; an empty name is what is shared by those without one.
    #[must_use]
    pub fn team(team: &'a [String]) -> Self {
        Self { teams: Teams::OneOf(team), ..Self::default() }
    }
}

/// Grants as an app, a type or a channel keeps them: lists of permission ids by role.
#[derive(Clone, Copy, Debug)]
pub struct Grants<'a>(&'a Value);

impl<'a> Grants<'a> {
    /// Takes a JSON object for grants.
    #[must_use]
    pub fn new(value: &'a Value) -> Self {
        Self(value)
    }

    /// The ids granted to `role`; `None` when the grants do not name it.
    fn of(self, role: &str) -> Option<impl Iterator<Item = &'a str>> {
        Some(self.0.get(role)?.as_array()?.iter().filter_map(Value::as_str))
    }
}

/// Why something is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// The caller is a server of the app, or the operator.
    Server,
    /// The app does not check permissions.
    Unchecked,
    /// Everybody may.
    Everybody,
    /// A role is granted a permission.
    Granted {
        /// The role.
        role: String,
        /// The permission.
        permission: &'static str,
        /// Whose grants these are.
        by: GrantedBy,
    },
}

/// Whose grants allow something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantedBy {
    /// The built-in ones.
    Default,
    /// Those of the app, the type or the channel.
    Setting,
}

/// Why something is denied; its text is what the caller is told (8.4, 8.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Who asked.
    pub id: String,
    /// The roles that were looked at.
    pub roles: Vec<String>,
    /// What was asked.
    pub action: Action,
    /// The type of channel or call; none for the app.
    pub scope: Option<String>,
    /// What was missing.
    pub lack: Lack,
}

/// What was missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// No role is granted the action.
    Grant,
    /// One is, within its teams, and the resource is in none of these.
    Team {
        /// The teams of the subject.
        teams: Vec<String>,
        /// Whether the resource belongs to a team at all.
        resource_has_team: bool,
    },
    /// One is, on what is its own, and the resource is not.
    Ownership,
}

impl Display for Denied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, roles, action, scope, lack } = self;
        let scope = scope.as_deref();
        match (lack, scope, roles.as_slice()) {
            (Lack::Team { teams, resource_has_team }, scope, roles) => {
                let scope = scope.unwrap_or(".app");
                let why = if *resource_has_team { "another team" } else { "does not belong to any team" };
                write!(formatter, "User '{id}' with roles {} from teams {} ", List(roles), List(teams))?;
                write!(formatter, "cannot access resource in scope '{scope}' because requested resource ")?;
                if *resource_has_team {
                    write!(formatter, "belongs to {why}")
                } else {
                    formatter.write_str(why)
                }
            }
            (_, None, [role]) => {
                write!(formatter, "User '{id}' with role '{role}' is not allowed to perform action {action}")
            }
            (_, scope, roles) => {
                write!(
                    formatter,
                    "User '{id}' with roles {} is not allowed to perform action {action}",
                    List(roles)
                )?;
                scope.map_or(Ok(()), |scope| write!(formatter, " in scope '{scope}'"))
            }
        }
    }
}

/// `['a', 'b']`
struct List<'a>(&'a [String]);

impl Display for List<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[")?;
        for (place, text) in self.0.iter().enumerate() {
            write!(formatter, "{}'{text}'", if place > 0 { ", " } else { "" })?;
        }
        formatter.write_str("]")
    }
}

/// A role that the subject brings, and whether it counts within the teams of the resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hat<'a> {
    role: &'a str,
    within_team: bool,
}

/// The one place that decides whether `subject`, a user of `app`, may do `action` on `resource`.
///
/// # Errors
/// What was missing.
pub fn permit(
    app: &App,
    subject: &Subject<'_>,
    action: Action,
    resource: &Resource<'_>,
) -> Result<Allowed, Denied> {
    let hats = hats(app, subject, resource);
    let is_own = resource.owner == Some(subject.id);
    let own_grants = app.settings.grants();
    let app_grants = own_grants.as_ref().filter(|_| resource.place == Place::App);
    let is_anonymous = *subject.id == UserId::anonymous();
    let within_reach = !app.settings.is_multi_tenant() || hats.iter().any(|hat| hat.within_team);
    let mut lack = Lack::Grant;
    // Neither grants nor settings open what is for servers, nor let write who is nobody (6.2).
    if action.is_for_servers() || (is_anonymous && action.writes()) {
        return Err(denied(subject, &hats, action, resource, lack));
    }
    // Whoever is nobody is let read by grants alone.
    if app.settings.skips_permissions() && within_reach && !is_anonymous {
        return Ok(Allowed::Unchecked);
    }
    for hat in &hats {
        let grants = resource.grants.iter().chain(app_grants).copied();
        for (permission, by) in granted(hat.role, action, resource.place.level(), grants) {
            if permission.own.is_some() && !is_own {
                lack = if lack == Lack::Grant { Lack::Ownership } else { lack };
            } else if permission.same_team && !hat.within_team {
                lack = Lack::Team {
                    teams: subject.teams.to_vec(),
                    resource_has_team: !matches!(
                        resource.teams,
                        Teams::OneOf([]) | Teams::All([]) | Teams::Whole([])
                    ),
                };
            } else {
                return Ok(Allowed::Granted { role: hat.role.to_owned(), permission: permission.id, by });
            }
        }
    }
    Err(denied(subject, &hats, action, resource, lack))
}

fn denied(
    subject: &Subject<'_>,
    hats: &[Hat<'_>],
    action: Action,
    resource: &Resource<'_>,
    lack: Lack,
) -> Denied {
    let roles: Vec<String> =
        hats.iter().map(|hat| hat.role).collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect();
    Denied {
        id: subject.id.to_string(),
        // The role in the app first, as in the texts of 8.4.
        roles: std::iter::once(subject.role.to_owned())
            .filter(|role| roles.contains(role))
            .chain(roles.iter().filter(|role| *role != subject.role).cloned())
            .collect(),
        action,
        scope: resource.place.scope().map(str::to_owned),
        lack,
    }
}

/// Whether a role reaches beyond the teams of whoever has it: it is granted something in any team.
#[must_use]
pub fn reaches_beyond_teams(app: &App, role: &str) -> bool {
    let far = |permission: &Permission| permission.level == Level::App && permission.is_for_any_team();
    match app.settings.grants().and_then(|grants| Some(grants.of(role)?.collect::<Vec<_>>())) {
        Some(ids) => ids.into_iter().filter_map(permission).any(far),
        None => CATALOGUE.iter().any(|permission| far(permission) && permission.granted.contains(&role)),
    }
}

/// The teams in which `subject` may do `action`; `None` when it may beyond them, or the app has no teams.
///
/// # Errors
/// When it may in none.
pub fn permitted_teams(
    app: &App,
    subject: &Subject<'_>,
    action: Action,
) -> Result<Option<Vec<String>>, Denied> {
    let beyond = Resource { teams: Teams::Beyond, ..Resource::app() };
    if !app.settings.is_multi_tenant() {
        return permit(app, subject, action, &Resource::app()).map(|_| None);
    }
    let Err(denied) = permit(app, subject, action, &beyond) else { return Ok(None) };
    // Decided once for each role, not for each team: users may be in hundreds.
    let mut decided: BTreeMap<&str, bool> = BTreeMap::new();
    let mut may = |team: &String| {
        let role = subject.teams_role.get(team).map_or(subject.role, String::as_str);
        *decided.entry(role).or_insert_with(|| {
            let resource = Resource { teams: Teams::OneOf(std::slice::from_ref(team)), ..Resource::app() };
            permit(app, subject, action, &resource).is_ok()
        })
    };
    let teams: Vec<String> = subject.teams.iter().filter(|team| may(team)).cloned().collect();
    if teams.is_empty() && !subject.teams.is_empty() {
        return Err(Denied { lack: Lack::Grant, ..denied });
    }
    if teams.is_empty() {
        permit(app, subject, action, &Resource::team(&[]))?;
    }
    Ok(Some(teams))
}

/// The roles with which the subject meets the resource.
fn hats<'a>(app: &App, subject: &Subject<'a>, resource: &'a Resource<'a>) -> Vec<Hat<'a>> {
    let in_app = |within_team| Hat { role: subject.role, within_team };
    let mut hats = Vec::new();
    if app.settings.is_multi_tenant() {
        let effective = |team: &String| {
            let role = subject.teams_role.get(team).map_or(subject.role, String::as_str);
            Hat { role, within_team: true }
        };
        match resource.teams {
            Teams::Any => {
                hats.push(in_app(true));
                hats.extend(subject.teams.iter().map(effective));
            }
            Teams::OneOf([]) | Teams::All([]) | Teams::Whole([]) => {
                if subject.teams.is_empty() {
                    hats.push(in_app(true));
                }
            }
            Teams::OneOf(teams) => hats.extend(shared(subject.teams, teams).map(effective)),
            Teams::All(teams) | Teams::Whole(teams) => {
                let mut roles: Vec<Hat<'a>> = shared(subject.teams, teams).map(effective).collect();
                let all = roles.len() == teams.iter().collect::<BTreeSet<_>>().len();
                roles.sort_unstable();
                roles.dedup();
                match (roles.as_slice(), resource.teams) {
                    _ if !all => {}
                    (_, Teams::Whole(_)) => hats.push(in_app(true)),
                    // A role counts for all of them only when it is the role in each.
                    ([role], _) => hats.push(role.clone()),
                    _ => {}
                }
            }
            Teams::Beyond => {}
        }
        hats.sort_unstable();
        hats.dedup();
        hats.push(in_app(false));
    } else {
        hats.push(in_app(true));
    }
    let named = |cids: &'a [crate::Cid], kind: &str, id: &Option<String>| {
        cids.iter().any(|cid| cid.kind == kind && Some(&cid.id) == id.as_ref())
    };
    let token_role = match &resource.place {
        Place::Channel { kind, id } if named(&subject.access.channels, kind, id) => Some("channel_member"),
        Place::Call { kind, id } if named(&subject.access.calls, kind, id) => Some("call_member"),
        Place::App | Place::Channel { .. } | Place::Call { .. } => None,
    };
    if let Some(member) = token_role {
        let role = subject.access.role.as_deref().unwrap_or(member);
        hats.push(Hat { role, within_team: true });
    }
    hats.extend(resource.roles.iter().map(|role| Hat { role, within_team: true }));
    hats
}

/// Those of `mine` that are among `theirs`, in the order of `mine`.
pub(crate) fn shared<'m>(mine: &'m [String], theirs: &[String]) -> impl Iterator<Item = &'m String> {
    let theirs: BTreeSet<&String> = theirs.iter().collect();
    mine.iter().filter(move |team| theirs.contains(team))
}

/// The permissions for `action` that `role` is granted.
fn granted<'g>(
    role: &'g str,
    action: Action,
    level: Level,
    mut grants: impl Iterator<Item = Grants<'g>>,
) -> Vec<(&'static Permission, GrantedBy)> {
    let fits = |permission: &&Permission| permission.action == action && permission.level == level;
    match grants.find_map(|grants| grants.of(role)) {
        Some(ids) => {
            ids.filter_map(permission).filter(fits).map(|found| (found, GrantedBy::Setting)).collect()
        }
        None => CATALOGUE
            .iter()
            .filter(|permission| fits(permission) && permission.granted.contains(&role))
            .map(|found| (found, GrantedBy::Default))
            .collect(),
    }
}

#[cfg(test)]
mod tests;
