//! What must hold for a user whoever changed it, and what an app allows beyond the rules for every app.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::invalid::Shown;
use crate::role::{is_built_in, known_names};
use crate::{Custom, Invalid, User};

/// What one app allows its users: sizes, which app settings change, and roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that name, image and custom data may have together as JSON (semantics 1.14).
    pub user_bytes: usize,
    /// The most teams that a user may be in (semantics 1.21).
    pub teams: usize,
    /// The custom roles that the app has. Who gives a user no role but built-in ones, and those that the user has
    /// already, need not know them: a role that somebody has cannot be deleted.
    pub roles: BTreeSet<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { user_bytes: 5120, teams: 250, roles: BTreeSet::new() }
    }
}

/// The longest name of a team, in bytes.
const LONGEST_TEAM: usize = 255;

/// Checks a user that is about to be stored in place of `before` (semantics 1.14 to 1.22).
///
/// # Errors
/// The first rule that is broken, in the order of the fields; the field is relative to the user.
pub(crate) fn check(user: &User, before: Option<&User>, limits: &Limits) -> Result<(), Invalid> {
    let had = before.map(User::held_roles).unwrap_or_default();
    let check_role = |field: &str, role: &str| {
        if is_built_in(role) || had.contains(role) || limits.roles.contains(role) {
            return Ok(());
        }
        let known = known_names(&limits.roles);
        Err(Invalid::new(field, format!("there is no role {}; there are {known}", Shown(role))))
    };
    check_role("role", &user.role)?;
    check_teams(&user.teams, limits.teams)?;
    let teams: BTreeSet<&str> = user.teams.iter().map(String::as_str).collect();
    for (team, role) in &user.teams_role {
        let field = format!("teams_role.{team}");
        if !teams.contains(team.as_str()) {
            return Err(Invalid::new(field, "the user is not in that team; name it in teams as well"));
        }
        check_role(&field, role)?;
    }
    check_language(&user.language)?;
    user.custom.check_shape().map_err(|invalid| invalid.within("custom"))?;
    check_size(user.name.as_deref(), user.image.as_deref(), &user.custom, limits.user_bytes)
}

fn check_teams(teams: &[String], most: usize) -> Result<(), Invalid> {
    if teams.len() > most {
        return Err(Invalid::new(
            "teams",
            format!("a user may be in at most {most} teams, got {}", teams.len()),
        ));
    }
    teams.iter().enumerate().try_for_each(|(place, team)| check_team(&format!("teams.{place}"), team))
}

/// Checks the name of a team that `field` gives.
///
/// # Errors
/// When no team can have it.
pub fn check_team(field: &str, team: &str) -> Result<(), Invalid> {
    if (1..=LONGEST_TEAM).contains(&team.len()) {
        return Ok(());
    }
    Err(Invalid::new(field, format!("the name of a team has 1 to {LONGEST_TEAM} bytes")))
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

/// Checks the size of what belongs to the app (semantics 1.14).
pub(crate) fn check_size(
    name: Option<&str>,
    image: Option<&str>,
    custom: &Custom,
    most: usize,
) -> Result<(), Invalid> {
    #[derive(Serialize)]
    struct Measured<'a> {
        name: Option<&'a str>,
        image: Option<&'a str>,
        custom: &'a Custom,
    }
    let bytes = written(&Measured { name, image, custom });
    if bytes <= most {
        return Ok(());
    }
    let why = format!("name, image and custom data may have {most} bytes together, these have {bytes}");
    Err(Invalid::new("custom", why))
}

/// How many bytes a value has as JSON, without a copy of it.
pub(crate) fn written(value: &impl Serialize) -> usize {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // What cannot be written has no size that would be allowed.
    serde_json::to_writer(&mut counter, value).map_or(usize::MAX, |()| counter.0)
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
    let teams: BTreeSet<&str> = teams.iter().map(String::as_str).collect();
    roles
        .iter()
        .filter(|(team, _)| teams.contains(team.as_str()))
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
        let refused = super::check(&user, None, &limits).err().map(|invalid| invalid.to_string());
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
    fn custom_roles_count_when_the_app_has_them_or_the_user_had_them() {
        let id = UserId::parse("alice").unwrap();
        let profile = |role: &str, team_role: &str| Profile {
            role: Some(role.to_owned()),
            teams: Some(vec!["red".to_owned()]),
            teams_role: Some(BTreeMap::from([("red".to_owned(), team_role.to_owned())])),
            ..Profile::default()
        };
        let apply = |profile: Profile, before: Option<&User>, roles: &[&str]| {
            let limits =
                Limits { roles: roles.iter().map(|role| (*role).to_owned()).collect(), ..Limits::default() };
            profile.apply(&id, before, Timestamp::from_seconds(1), crate::Absent::Keep, &limits)
        };
        let captain = apply(profile("captain", "pirate"), None, &["captain", "pirate"]).unwrap();
        assert!(apply(Profile::default(), Some(&captain), &[]).is_ok(), "what was there may stay");
        assert!(apply(profile("pirate", "captain"), Some(&captain), &[]).is_ok());
        let refused = apply(profile("captain", "cook"), Some(&captain), &["mate"]).unwrap_err();
        assert_eq!(refused.field, "teams_role.red");
        assert!(refused.why.ends_with("global_moderator, guest, host, mate, moderator, user"), "{refused}");
        let deleted = User { deleted_at: Some(Timestamp::from_seconds(2)), ..captain };
        assert!(
            apply(Profile::default(), Some(&deleted), &[]).is_err(),
            "a deleted user keeps no role alive"
        );
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
