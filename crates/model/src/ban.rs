//! Bans from the whole app, and finding them (semantics 12.16 to 12.25).

use std::time::Duration;

use crate::{
    App, Ban, Cid, Criterion, CustomText, Direction, Invalid, MessageDeletion, Page, Timestamp, User, UserId,
    reaches_beyond_teams,
};

/// The longest reason of a ban or a flag, in bytes.
pub const LONGEST_REASON: usize = 1024;

/// The longest ban that ends, in minutes: a hundred years.
pub const MOST_BAN_MINUTES: u64 = 100 * 365 * 24 * 60;

impl Ban {
    /// A ban from `now` on for so many minutes, or for ever (semantics 12.17).
    ///
    /// # Errors
    /// When it would not last at all, or longer than [`MOST_BAN_MINUTES`]; the field is left to the caller.
    pub fn lasting(minutes: Option<i64>, shadow: bool, now: Timestamp) -> Result<Self, Invalid> {
        let Some(minutes) = minutes else { return Ok(Self { shadow, expires: None }) };
        match u64::try_from(minutes) {
            Ok(minutes @ 1..=MOST_BAN_MINUTES) => {
                Ok(Self { shadow, expires: Some(now.after(Duration::from_secs(minutes * 60))) })
            }
            _ => {
                let why =
                    format!("must be 1 to {MOST_BAN_MINUTES} minutes, or left out for ever, got {minutes}");
                Err(Invalid::new("", why))
            }
        }
    }
}

/// Shuts a user out of the app: it may read and connect, and change nothing (12.16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShutOut {
    /// Whom.
    pub target: UserId,
    /// Who does it; a server may leave it open.
    pub banned_by: Option<UserId>,
    /// The one channel that is meant. Not served yet.
    pub channel: Option<Cid>,
    /// For how many minutes; `None` is for ever.
    pub minutes: Option<i64>,
    /// Why.
    pub reason: Option<String>,
    /// Whether the user goes on as before, and nobody sees what it does (12.21).
    pub shadow: bool,
    /// Whether the addresses of the user are meant as well. Kept and without effect: addresses are not known.
    pub ip_ban: bool,
    /// What is to become of the messages of the user. Not served yet: they stay.
    pub delete_messages: Option<MessageDeletion>,
}

/// Lets a banned user in again; a shadow ban ends the same way (chat-v1 4.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetIn {
    /// Whom.
    pub target: UserId,
    /// Who does it; a server may leave it open.
    pub unbanned_by: Option<UserId>,
    /// The one channel that is meant. Not served yet.
    pub channel: Option<Cid>,
}

/// Checks the reason of a ban or a flag.
///
/// # Errors
/// When it is longer than [`LONGEST_REASON`].
pub fn check_reason(reason: Option<&str>) -> Result<(), Invalid> {
    match reason {
        Some(reason) if reason.len() > LONGEST_REASON => {
            let why = format!("may have {LONGEST_REASON} bytes, has {}", reason.len());
            Err(Invalid::new("reason", why))
        }
        _ => Ok(()),
    }
}

impl<C> User<C> {
    /// The role, in the app or in a team, for which no client may ban the user (semantics 12.25): `admin`, or one that
    /// reaches beyond teams.
    #[must_use]
    pub fn unbannable_role(&self, app: &App) -> Option<&str> {
        let is_unbannable = |role: &&String| *role == "admin" || reaches_beyond_teams(app, role);
        std::iter::once(&self.role).chain(self.teams_role.values()).find(is_unbannable).map(String::as_str)
    }
}

/// A field of a ban that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BanField {
    /// The id of the banned user.
    User,
    /// The id of who did it.
    BannedBy,
    /// The channel; not set for the whole app.
    Channel,
    /// The reason.
    Reason,
}

/// A query for bans (semantics 12.23).
#[derive(Clone, Debug, PartialEq)]
pub struct BanQuery {
    /// Which.
    pub criteria: Vec<Criterion<BanField>>,
    /// Whether those that are over are left out.
    pub exclude_expired: bool,
    /// In which order of creation.
    pub direction: Direction,
    /// Which of them.
    pub page: Page,
}

/// A ban, with its people.
#[derive(Clone, Debug, PartialEq)]
pub struct BanRecord {
    /// Who is banned.
    pub user: User<CustomText>,
    /// Who did it, when that was said.
    pub banned_by: Option<User<CustomText>>,
    /// How, and until when.
    pub ban: Ban,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans_last_from_a_minute_to_a_hundred_years() {
        let now = Timestamp::from_seconds(1_704_067_200);
        let until = |minutes| Ban::lasting(minutes, true, now).map(|ban| ban.expires);
        assert_eq!(until(None), Ok(None));
        assert_eq!(until(Some(1)), Ok(Some(Timestamp::from_seconds(1_704_067_260))));
        let most = i64::try_from(MOST_BAN_MINUTES).unwrap();
        assert_eq!(until(Some(most)), Ok(Some(Timestamp::from_seconds(1_704_067_200 + most * 60))));
        for bad in [0, -1, most + 1, i64::MAX, i64::MIN] {
            let why = until(Some(bad)).unwrap_err().why;
            assert!(why.ends_with(&format!("or left out for ever, got {bad}")), "{why}");
        }
    }

    #[test]
    fn a_reason_has_a_length() {
        assert_eq!(check_reason(None), Ok(()));
        assert_eq!(check_reason(Some(&"x".repeat(LONGEST_REASON))), Ok(()));
        let refused = check_reason(Some(&"x".repeat(LONGEST_REASON + 1))).unwrap_err();
        assert_eq!(refused.to_string(), "reason: may have 1024 bytes, has 1025");
    }
}
