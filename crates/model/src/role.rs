//! Roles: the built-in ones that every app has, the custom ones that an app adds, and finding them by name.

use std::collections::BTreeSet;

use crate::{App, Assignment, Invalid, Patch, Profile, Shown, Timestamp, User, catalogue};

/// The role of a user whose role nobody set.
pub const DEFAULT_ROLE: &str = "user";

/// The most custom roles that an app may have (semantics 8.3).
pub const MOST_CUSTOM_ROLES: usize = 25;

/// The longest name of a custom role, in bytes (semantics 8.3).
const LONGEST_NAME: usize = 64;

/// What has a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A user, in the whole app or in a team.
    User,
    /// A member of a channel.
    ChannelMember,
    /// A member of a call.
    CallMember,
}

/// The built-in roles, which no app can delete (semantics 8.2), and what each is made for. A user may have any role
/// that exists all the same (1.18).
const BUILT_IN: &[(&str, Holder)] = &[
    ("admin", Holder::User),
    ("anonymous", Holder::User),
    ("call_member", Holder::CallMember),
    ("channel_member", Holder::ChannelMember),
    ("channel_moderator", Holder::ChannelMember),
    ("global_admin", Holder::User),
    ("global_moderator", Holder::User),
    ("guest", Holder::User),
    ("host", Holder::CallMember),
    ("moderator", Holder::User),
    ("user", Holder::User),
];

/// Whether `name` is a built-in role.
#[must_use]
pub fn is_built_in(name: &str) -> bool {
    holder(name).is_some()
}

fn holder(name: &str) -> Option<Holder> {
    let place = BUILT_IN.binary_search_by(|(known, _)| known.cmp(&name)).ok()?;
    Some(BUILT_IN[place].1)
}

/// Checks the name of a role that is to be made.
///
/// # Errors
/// When it has a form that no custom role has, or is that of a built-in role; the field is `name`.
pub fn check_role_name(name: &str) -> Result<(), Invalid> {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    if !(1..=LONGEST_NAME).contains(&name.len()) || !name.bytes().all(allowed) {
        let why =
            format!("must have 1 to {LONGEST_NAME} of a to z, 0 to 9, '_' and '-', got {}", Shown(name));
        return Err(Invalid::new("name", why));
    }
    if is_built_in(name) {
        return Err(Invalid::new("name", format!("the role '{name}' is built in; choose another name")));
    }
    Ok(())
}

/// The names of every role there is, for a refusal that says what would be accepted.
pub(crate) fn known_names(custom: &BTreeSet<String>) -> String {
    let mut names: BTreeSet<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    names.extend(custom.iter().map(String::as_str));
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// A role that an app made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole {
    /// The name, unique within the app.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Where grants can mention a role (v2 3.9). Types of channels and calls are scopes too; they come with these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The app as a whole.
    App,
}

/// A role as its app sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The name.
    pub name: String,
    /// Whether the app made it.
    pub custom: bool,
    /// When it was made; a built-in role came with its app.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The scopes whose grants mention it.
    pub scopes: Vec<Scope>,
}

impl Role {
    /// Every role of `app`, of which `custom` are its own, by name.
    #[must_use]
    pub fn all(app: &App, custom: Vec<CustomRole>) -> Vec<Self> {
        let built_in = BUILT_IN.iter().map(|(name, _)| Self {
            name: (*name).to_owned(),
            custom: false,
            created_at: app.created_at,
            updated_at: app.created_at,
            scopes: scopes(app, name),
        });
        let mut all: Vec<Self> =
            built_in.chain(custom.into_iter().map(|role| Self::custom(app, role))).collect();
        all.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        all
    }

    /// A role that `app` made.
    #[must_use]
    pub fn custom(app: &App, role: CustomRole) -> Self {
        let scopes = scopes(app, &role.name);
        let CustomRole { name, created_at, updated_at } = role;
        Self { name, custom: true, created_at, updated_at, scopes }
    }

    /// Whether the role is made for `holder`. A custom role is for everybody.
    fn is_for(&self, holder: Holder) -> bool {
        self.custom || self::holder(&self.name) == Some(holder)
    }

    /// Whether the role reaches beyond the teams of its holder.
    fn is_global(&self) -> bool {
        !self.custom && self.name.starts_with("global_")
    }
}

/// The grants of an app stand in place of the built-in ones, role by role (chat-v1 4.12).
fn scopes(app: &App, role: &str) -> Vec<Scope> {
    let granted =
        app.settings.grants_anything_to(role).unwrap_or_else(|| catalogue::is_granted_something(role));
    if granted { vec![Scope::App] } else { Vec::new() }
}

/// A search for roles by the beginning of their name (v2 2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSearch {
    /// How the name begins. Capitals count as small letters: no role has any.
    pub prefix: String,
    /// How many at most.
    pub limit: usize,
    /// Only roles whose name comes after this one.
    pub after: Option<String>,
    /// Only roles for this holder; `None` is users and members of channels.
    pub holder: Option<Holder>,
    /// Whether `global_admin` and `global_moderator` are found as well.
    pub include_global: bool,
}

impl RoleSearch {
    /// How many are answered when nothing is asked for.
    pub const DEFAULT_LIMIT: usize = 30;
    /// The most that can be asked for.
    pub const MOST: usize = 100;

    /// Checks what is asked for.
    ///
    /// # Errors
    /// When the limit is beyond its ceiling.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.limit <= Self::MOST {
            return Ok(());
        }
        Err(Invalid::new("limit", format!("must be at most {}, got {}", Self::MOST, self.limit)))
    }

    /// Those of `roles`, which are in order, that are looked for.
    #[must_use]
    pub fn among(&self, roles: Vec<Role>) -> Vec<Role> {
        let prefix = self.prefix.to_ascii_lowercase();
        let fits = |role: &Role| match self.holder {
            Some(holder) => role.is_for(holder),
            None => role.is_for(Holder::User) || role.is_for(Holder::ChannelMember),
        };
        let found = roles.into_iter().filter(|role| {
            role.name.starts_with(&prefix)
                && self.after.as_ref().is_none_or(|after| role.name > *after)
                && (self.include_global || !role.is_global())
                && fits(role)
        });
        found.take(self.limit).collect()
    }
}

impl User {
    /// Every role that the user has, in the app and in teams.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.role).chain(self.teams_role.values()).map(String::as_str)
    }

    /// The custom roles that keep from being deleted because the user has them. A deleted user keeps none.
    #[must_use]
    pub fn held_roles(&self) -> BTreeSet<&str> {
        self.roles().filter(|role| self.deleted_at.is_none() && !is_built_in(role)).collect()
    }
}

impl Profile {
    /// The roles that this profile gives.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        let in_teams = self.teams_role.iter().flat_map(|roles| roles.values());
        self.role.iter().chain(in_teams).map(String::as_str)
    }
}

impl Patch {
    /// The roles that these changes give.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.set.iter().flat_map(Assignment::roles)
    }
}

impl Assignment {
    fn roles(&self) -> Vec<&str> {
        match self {
            Self::Role(Some(role)) | Self::TeamRole(_, Some(role)) => vec![role],
            Self::TeamsRole(Some(roles)) => roles.values().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{AppKey, AppSettings, Secret};

    fn app(grants: serde_json::Value) -> App {
        let mut settings = AppSettings::default();
        settings.kept.insert("grants".to_owned(), grants);
        App {
            key: AppKey(1),
            api_key: "key".to_owned(),
            name: "app".to_owned(),
            secret: Secret::new("secret".to_owned()),
            previous_secret: None,
            suspension: None,
            settings,
            created_at: Timestamp::from_seconds(1),
            updated_at: Timestamp::from_seconds(2),
        }
    }

    fn custom(names: &[&str]) -> Vec<CustomRole> {
        let then = Timestamp::from_seconds(3);
        let role = |name: &&str| CustomRole { name: (*name).to_owned(), created_at: then, updated_at: then };
        names.iter().map(role).collect()
    }

    #[test]
    fn built_in_roles_are_found() {
        assert!(BUILT_IN.is_sorted_by_key(|(name, _)| *name));
        assert!(is_built_in("user") && is_built_in("admin") && !is_built_in("captain"));
    }

    #[test]
    fn names_are_small_letters_digits_and_two_signs() {
        for good in ["a", "team-lead_2", "0", "global_pirate", &"x".repeat(64)] {
            assert!(check_role_name(good).is_ok(), "{good}");
        }
        for bad in ["", "Captain", "team lead", "a.b", "é", "!anon", "admin", "host", &"x".repeat(65)] {
            assert_eq!(check_role_name(bad).unwrap_err().field, "name", "{bad}");
        }
    }

    #[test]
    fn all_roles_stand_in_order_with_their_scopes() {
        let app = app(json!({"captain": ["search-user"], "guest": [], "host": ["ban-user"], "pirate": []}));
        let all = Role::all(&app, custom(&["captain", "pirate", "zeta"]));
        assert!(all.is_sorted_by_key(|role| &role.name));
        let scoped: Vec<&str> =
            all.iter().filter(|role| role.scopes == [Scope::App]).map(|role| role.name.as_str()).collect();
        assert_eq!(
            scoped,
            [
                "admin",
                "anonymous",
                "captain",
                "global_admin",
                "global_moderator",
                "host",
                "moderator",
                "user"
            ]
        );
        let times =
            |name: &str| all.iter().find(|role| role.name == name).map(|role| role.created_at.seconds());
        assert_eq!((times("user"), times("zeta")), (Some(1), Some(3)));
    }

    #[track_caller]
    fn finds(change: impl FnOnce(&mut RoleSearch), expected: &[&str]) {
        let mut search = RoleSearch {
            prefix: String::new(),
            limit: RoleSearch::DEFAULT_LIMIT,
            after: None,
            holder: None,
            include_global: false,
        };
        change(&mut search);
        search.check().unwrap();
        let found = search.among(Role::all(&app(json!({})), custom(&["captain", "global_pirate"])));
        assert_eq!(found.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn roles_are_found_by_the_beginning_of_their_name() {
        finds(|search| search.prefix = "c".to_owned(), &["captain", "channel_member", "channel_moderator"]);
        finds(|search| search.prefix = "C".to_owned(), &["captain", "channel_member", "channel_moderator"]);
        finds(|search| search.prefix = "host".to_owned(), &[]);
        finds(|search| search.prefix = "aptain".to_owned(), &[]);
        finds(|search| search.prefix = "global".to_owned(), &["global_pirate"]);
        finds(
            |search| (search.prefix, search.include_global) = ("global".to_owned(), true),
            &["global_admin", "global_moderator", "global_pirate"],
        );
        finds(
            |search| search.holder = Some(Holder::ChannelMember),
            &["captain", "channel_member", "channel_moderator", "global_pirate"],
        );
        finds(
            |search| search.holder = Some(Holder::User),
            &["admin", "anonymous", "captain", "global_pirate", "guest", "moderator", "user"],
        );
    }

    #[test]
    fn a_search_pages_by_name() {
        finds(|search| search.limit = 2, &["admin", "anonymous"]);
        finds(
            |search| (search.limit, search.after) = (2, Some("anonymous".to_owned())),
            &["captain", "channel_member"],
        );
        finds(|search| search.after = Some("moderatos".to_owned()), &["user"]);
        finds(|search| search.limit = 0, &[]);
        let search =
            RoleSearch { prefix: String::new(), limit: 101, after: None, holder: None, include_global: true };
        assert_eq!(search.check().unwrap_err().to_string(), "limit: must be at most 100, got 101");
    }
}
