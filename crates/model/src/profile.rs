//! Upsert: a whole profile given for a user that is new or known (semantics 2).

use std::collections::BTreeMap;

use crate::rules::{self, Limits};
use crate::{Custom, DEFAULT_ROLE, Invalid, Privacy, Timestamp, User, UserId};

/// The profile that an upsert gives. `None` is "not given".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// The display name; cleared when not given.
    pub name: Option<String>,
    /// The avatar; cleared when not given.
    pub image: Option<String>,
    /// The app's own data; emptied when not given.
    pub custom: Custom,
    /// The role.
    pub role: Option<String>,
    /// The teams.
    pub teams: Option<Vec<String>>,
    /// The roles within teams.
    pub teams_role: Option<BTreeMap<String, String>>,
    /// The language.
    pub language: Option<String>,
    /// Whether the user hides its presence.
    pub invisible: Option<bool>,
    /// What the user shares.
    pub privacy: Option<Privacy>,
}

/// What an upsert does to the fields of a known user that decide what the user may do or shows, when they are not
/// given. `name`, `image` and custom data are always replaced (semantics 2.9, 2.10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Absent {
    /// They keep their stored value.
    #[default]
    Keep,
    /// They fall back to what a new user has.
    Reset,
}

impl Profile {
    /// Checks what needs no look at the stored user.
    ///
    /// # Errors
    /// When name, image and custom data are too large together; the field is relative to the user.
    pub fn check(&self, limits: &Limits) -> Result<(), Invalid> {
        rules::check_size(self.name.as_deref(), self.image.as_deref(), &self.custom, limits.user_bytes)
    }

    /// The user that this profile makes of `before`, at `now`.
    ///
    /// What is not part of a profile survives: times, standing, revocation (semantics 2.8).
    ///
    /// # Errors
    /// The first rule that the result breaks; the field is relative to the user.
    pub fn apply(
        &self,
        id: &UserId,
        before: Option<&User>,
        now: Timestamp,
        absent: Absent,
        limits: &Limits,
    ) -> Result<User, Invalid> {
        let user = self.draft(id, before, now, absent);
        user.check(before, limits)?;
        Ok(user)
    }

    /// As [`Profile::apply`], unchecked: who may make what is asked before any rule says more of it.
    #[must_use]
    pub fn draft(&self, id: &UserId, before: Option<&User>, now: Timestamp, absent: Absent) -> User {
        let fresh = fresh(id, now);
        let kept = match (before, absent) {
            (Some(before), Absent::Keep) => before,
            _ => &fresh,
        };
        let teams = self.teams.as_ref().map_or_else(|| kept.teams.clone(), |teams| rules::each_once(teams));
        let teams_role = match &self.teams_role {
            Some(given) => given.clone(),
            None => rules::roles_of_teams(&kept.teams_role, &teams),
        };
        let standing = before.unwrap_or(&fresh);
        User {
            id: id.clone(),
            name: self.name.clone(),
            image: self.image.clone(),
            role: self.role.clone().unwrap_or_else(|| kept.role.clone()),
            teams,
            teams_role,
            language: self.language.clone().unwrap_or_else(|| kept.language.clone()),
            invisible: self.invisible.unwrap_or(kept.invisible),
            privacy: self.privacy.or(kept.privacy),
            custom: self.custom.clone(),
            created_at: standing.created_at,
            updated_at: before.map_or(now, |before| before.changed_at(now)),
            deactivated_at: standing.deactivated_at,
            deleted_at: standing.deleted_at,
            tokens_revoked_before: standing.tokens_revoked_before,
            ban: standing.ban,
            bypass_moderation: standing.bypass_moderation,
        }
    }
}

impl User {
    /// Checks a user that is about to be stored in place of `before`.
    ///
    /// # Errors
    /// The first rule that it breaks; the field is relative to the user.
    pub fn check(&self, before: Option<&Self>, limits: &Limits) -> Result<(), Invalid> {
        rules::check(self, before, limits)
    }
}

/// A user of whom only the id is known (semantics 1.1).
fn fresh(id: &UserId, now: Timestamp) -> User {
    User {
        id: id.clone(),
        name: None,
        image: None,
        role: DEFAULT_ROLE.to_owned(),
        teams: Vec::new(),
        teams_role: BTreeMap::new(),
        language: String::new(),
        invisible: false,
        privacy: None,
        custom: Custom::default(),
        created_at: now,
        updated_at: now,
        deactivated_at: None,
        deleted_at: None,
        tokens_revoked_before: None,
        ban: None,
        bypass_moderation: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(100);

    fn apply(profile: &Profile, before: Option<&User>, absent: Absent) -> Result<User, Invalid> {
        let id = UserId::parse("alice").unwrap();
        profile.apply(&id, before, NOW, absent, &Limits::default())
    }

    fn admin() -> User {
        let profile = Profile {
            name: Some("Alice".to_owned()),
            role: Some("admin".to_owned()),
            teams: Some(vec!["red".to_owned(), "blue".to_owned(), "red".to_owned()]),
            teams_role: Some(BTreeMap::from([("red".to_owned(), "admin".to_owned())])),
            language: Some("en".to_owned()),
            invisible: Some(true),
            privacy: Some(Privacy { read_receipts: Some(false), ..Privacy::default() }),
            ..Profile::default()
        };
        apply(&profile, None, Absent::Keep).unwrap()
    }

    #[test]
    fn a_new_user_needs_only_an_id() {
        let user = apply(&Profile::default(), None, Absent::Keep).unwrap();
        assert_eq!(user, fresh(&user.id, NOW));
    }

    #[test]
    fn absence_clears_the_profile_and_keeps_the_standing() {
        let before = User { deactivated_at: Some(NOW), ..admin() };
        let after = apply(&Profile::default(), Some(&before), Absent::Keep).unwrap();
        assert_eq!(after, User { name: None, updated_at: NOW.next(), ..before });
    }

    #[test]
    fn the_reset_switch_clears_all_but_the_standing() {
        let before = User { tokens_revoked_before: Some(NOW), ..admin() };
        let after = apply(&Profile::default(), Some(&before), Absent::Reset).unwrap();
        assert_eq!(
            after,
            User { tokens_revoked_before: Some(NOW), updated_at: NOW.next(), ..fresh(&before.id, NOW) }
        );
    }

    #[test]
    fn leaving_a_team_gives_up_its_role() {
        let profile = Profile { teams: Some(vec!["blue".to_owned()]), ..Profile::default() };
        assert_eq!(apply(&profile, Some(&admin()), Absent::Keep).unwrap().teams_role, BTreeMap::new());
    }
}
