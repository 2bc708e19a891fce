//! What must hold for a user whoever changed it, and the sizes that an app allows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::invalid::Shown;
use crate::role::{BUILT_IN_ROLES, is_built_in};
use crate::{Invalid, User};

/// The sizes that one app allows; app settings change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that name, image and custom data may have together as JSON (semantics 1.14).
    pub user_bytes: usize,
    /// The most teams that a user may be in (semantics 1.21).
    pub teams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { user_bytes: 5120, teams: 250 }
    }
}

/// The longest name of a team, in bytes.
const LONGEST_TEAM: usize = 255;

/// Checks a user that is about to be stored (semantics 1.14 to 1.22).
///
/// # Errors
/// The first rule that is broken, in the order of the fields; the field is relative to the user.
pub(crate) fn check(user: &User, limits: &Limits) -> Result<(), Invalid> {
    check_role("role", &user.role)?;
    check_teams(&user.teams, limits.teams)?;
    for (team, role) in &user.teams_role {
        let field = format!("teams_role.{team}");
        if !user.teams.contains(team) {
            return Err(Invalid::new(field, "the user is not in that team; name it in teams as well"));
        }
        check_role(&field, role)?;
    }
    check_language(&user.language)?;
    check_size(user, limits.user_bytes)
}

fn check_role(field: &str, role: &str) -> Result<(), Invalid> {
    if is_built_in(role) {
        return Ok(());
    }
    let known = BUILT_IN_ROLES.join(", ");
    Err(Invalid::new(field, format!("there is no role {}; there are {known}", Shown(role))))
}

fn check_teams(teams: &[String], most: usize) -> Result<(), Invalid> {
    if teams.len() > most {
        return Err(Invalid::new(
            "teams",
            format!("a user may be in at most {most} teams, got {}", teams.len()),
        ));
    }
    match teams.iter().position(|team| team.is_empty() || team.len() > LONGEST_TEAM) {
        Some(place) => Err(Invalid::new(
            format!("teams.{place}"),
            format!("the name of a team has 1 to {LONGEST_TEAM} bytes"),
        )),
        None => Ok(()),
    }
}

fn check_language(language: &str) -> Result<(), Invalid> {
    let known = match language.as_bytes() {
        [] => true,
        [first, second] => first.is_ascii_lowercase() && second.is_ascii_lowercase(),
        [first, second, b'-', third, fourth] => {
            first.is_ascii_lowercase()
                && second.is_ascii_lowercase()
                && third.is_ascii_uppercase()
                && fourth.is_ascii_uppercase()
        }
        _ => false,
    };
    if known {
        return Ok(());
    }
    Err(Invalid::new(
        "language",
        format!("must be like 'en' or 'en-GB', or '' for none, got {}", Shown(language)),
    ))
}

fn check_size(user: &User, most: usize) -> Result<(), Invalid> {
    let bytes =
        json!({"name": user.name, "image": user.image, "custom": user.custom.fields()}).to_string().len();
    if bytes <= most {
        return Ok(());
    }
    let why = format!("name, image and custom data may have {most} bytes together, these have {bytes}");
    Err(Invalid::new("custom", why))
}

/// The teams in the order given, each once.
#[must_use]
pub(crate) fn each_once(teams: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    teams.iter().filter(|team| seen.insert(team.as_str())).cloned().collect()
}

/// The roles within teams that remain when the user is in `teams`.
#[must_use]
pub(crate) fn roles_of_teams(roles: &BTreeMap<String, String>, teams: &[String]) -> BTreeMap<String, String> {
    roles
        .iter()
        .filter(|(team, _)| teams.contains(team))
        .map(|(team, role)| (team.clone(), role.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::{Custom, Profile, Timestamp, UserId};

    #[track_caller]
    fn check(change: impl FnOnce(&mut User), expected: Option<&str>) {
        let id = UserId::parse("alice").unwrap();
        let limits = Limits::default();
        let mut user = Profile::default()
            .apply(&id, None, Timestamp::from_seconds(1), crate::Absent::Keep, &limits)
            .unwrap();
        change(&mut user);
        let refused = super::check(&user, &limits).err().map(|invalid| invalid.to_string());
        assert_eq!(refused.as_deref(), expected);
    }

    #[test]
    fn roles_exist() {
        check(|user| user.role = "admin".to_owned(), None);
        let known = "there are admin, anonymous, call_member, channel_member, channel_moderator, global_admin, \
                     global_moderator, guest, host, moderator, user";
        check(
            |user| user.role = "captain".to_owned(),
            Some(&format!("role: there is no role 'captain'; {known}")),
        );
        check(|user| user.role = String::new(), Some(&format!("role: there is no role ''; {known}")));
    }

    #[test]
    fn teams_are_named_and_counted() {
        check(|user| user.teams = (0..250).map(|n| n.to_string()).collect(), None);
        check(
            |user| user.teams = (0..251).map(|n| n.to_string()).collect(),
            Some("teams: a user may be in at most 250 teams, got 251"),
        );
        check(
            |user| user.teams = vec!["red".to_owned(), String::new()],
            Some("teams.1: the name of a team has 1 to 255 bytes"),
        );
        check(
            |user| user.teams_role = BTreeMap::from([("red".to_owned(), "admin".to_owned())]),
            Some("teams_role.red: the user is not in that team; name it in teams as well"),
        );
    }

    #[test]
    fn languages_have_two_letters() {
        for good in ["", "en", "pt-BR"] {
            check(|user| user.language = good.to_owned(), None);
        }
        for bad in ["e", "eng", "EN", "en-gb", "en_GB", "éé"] {
            let why = format!("language: must be like 'en' or 'en-GB', or '' for none, got '{bad}'");
            check(|user| user.language = bad.to_owned(), Some(&why));
        }
    }

    #[test]
    fn a_user_has_a_size() {
        let frame = r#"{"name":null,"image":null,"custom":{"k":""}}"#.len();
        let custom =
            |bytes: usize| Custom::from_stored(Map::from_iter([("k".to_owned(), "x".repeat(bytes).into())]));
        check(|user| user.custom = custom(5120 - frame), None);
        check(
            |user| user.custom = custom(5121 - frame),
            Some("custom: name, image and custom data may have 5120 bytes together, these have 5121"),
        );
    }
}
