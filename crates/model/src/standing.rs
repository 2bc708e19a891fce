//! What a user is let do at all: deactivation and its end (semantics 9), revoked tokens (7), bans (12).

use std::collections::BTreeMap;

use crate::rules::{self, Limits};
use crate::{
    ANONYMOUS_ROLE, App, Ban, Bearer, Custom, CustomRole, DEFAULT_ROLE, Invalid, Subject, Timestamp,
    TokenAccess, User, UserId, UserKey, is_built_in,
};

impl User {
    /// The time of a change at `now`: later than every change before, even when the clock has gone back or a slower
    /// request began earlier (semantics 2.17).
    pub(crate) fn changed_at(&self, now: Timestamp) -> Timestamp {
        now.max(self.updated_at.next())
    }

    /// This user, shut out since `now`. It keeps its data and its tokens.
    #[must_use]
    pub fn deactivated(&self, now: Timestamp) -> Self {
        let now = self.changed_at(now);
        Self { deactivated_at: Some(now), updated_at: now, ..self.clone() }
    }

    /// This user, let in again at `now`, under a new name when one is given.
    ///
    /// # Errors
    /// When the new name breaks a rule; the field is relative to the user.
    pub fn reactivated(&self, now: Timestamp, name: Option<&str>, limits: &Limits) -> Result<Self, Invalid> {
        let mut user = Self { deactivated_at: None, updated_at: self.changed_at(now), ..self.clone() };
        if let Some(name) = name {
            user.name = Some(name.to_owned());
            rules::check(&user, Some(self), limits).map_err(|invalid| Invalid::new("name", invalid.why))?;
        }
        Ok(user)
    }

    /// This user, deleted since `now`; one that is deleted already stays so since then.
    #[must_use]
    pub fn deleted(&self, now: Timestamp) -> Self {
        let now = self.changed_at(now);
        Self { deleted_at: self.deleted_at.or(Some(now)), updated_at: now, ..self.clone() }
    }

    /// This user, back from a deletion at `now` (semantics 10.22), in an app with these custom roles.
    ///
    /// A deleted user keeps no role from being deleted. One that is gone, or was made anew since then, is not the role that
    /// the user had: the default role takes its place (1.18, 3.10), and of a team the role in the whole app (8.14).
    #[must_use]
    pub fn restored(&self, now: Timestamp, custom: &[CustomRole]) -> Self {
        let was_known = |role: &CustomRole| self.deleted_at.is_none_or(|deleted| role.created_at <= deleted);
        let is_left =
            |name: &str| is_built_in(name) || custom.iter().any(|role| role.name == name && was_known(role));
        let mut user = Self { deleted_at: None, updated_at: self.changed_at(now), ..self.clone() };
        user.teams_role.retain(|_, role| is_left(role));
        if !is_left(&user.role) {
            DEFAULT_ROLE.clone_into(&mut user.role);
        }
        user
    }

    /// This user with nothing left of what it was: its id, its role and since when it is deleted (semantics 10.19).
    #[must_use]
    pub fn pruned(&self, now: Timestamp) -> Self {
        Self {
            name: None,
            image: None,
            teams: Vec::new(),
            teams_role: BTreeMap::new(),
            language: String::new(),
            invisible: false,
            privacy: None,
            custom: Custom::default(),
            updated_at: self.changed_at(now),
            ..self.clone()
        }
    }
}

/// What of a user decides whether its requests are let in, and what it may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The key under which storage keeps the user.
    pub key: UserKey,
    /// The role in the whole app.
    pub role: String,
    /// The teams.
    pub teams: Vec<String>,
    /// The roles within teams.
    pub teams_role: BTreeMap<String, String>,
    /// The ban from the whole app, in force or over.
    pub ban: Option<Ban>,
    /// Whether the user is deactivated.
    pub is_deactivated: bool,
    /// Whether the user is deleted.
    pub is_deleted: bool,
    /// Tokens of the user that were issued before are revoked.
    pub tokens_revoked_before: Option<Timestamp>,
}

/// Why a user who showed a valid token is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// The token was issued before the tokens of the user, or of the app, were revoked (semantics 7.8 to 7.14).
    Revoked,
    /// The user is deleted.
    Deleted,
    /// The user is deactivated (semantics 9.1).
    Deactivated,
    /// The user is banned from the app and wants to write (semantics 12.16).
    Banned {
        /// When that ends; `None` is never.
        until: Option<Timestamp>,
    },
}

impl Standing {
    /// Why a request of this user at `now` is not to be let in; `None` when it is.
    #[must_use]
    pub fn exclusion(&self, app: &App, bearer: &Bearer, writes: bool, now: Timestamp) -> Option<Exclusion> {
        let revocations = [self.tokens_revoked_before, app.settings.tokens_revoked_before()];
        if revocations.into_iter().flatten().any(|moment| bearer.is_revoked_by(moment)) {
            return Some(Exclusion::Revoked);
        }
        self.shut_out(writes, now)
    }

    /// Why the user is shut out at `now`, whatever its token.
    #[must_use]
    pub fn shut_out(&self, writes: bool, now: Timestamp) -> Option<Exclusion> {
        if self.is_deleted {
            return Some(Exclusion::Deleted);
        }
        if self.is_deactivated {
            return Some(Exclusion::Deactivated);
        }
        let ban = self.ban.filter(|ban| writes && !ban.shadow && ban.is_in_force(now));
        ban.map(|ban| Exclusion::Banned { until: ban.expires })
    }

    /// The standing of whoever has no user.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            key: UserKey(0),
            role: ANONYMOUS_ROLE.to_owned(),
            teams: Vec::new(),
            teams_role: BTreeMap::new(),
            ban: None,
            is_deactivated: false,
            is_deleted: false,
            tokens_revoked_before: None,
        }
    }

    /// The user as permissions see it.
    #[must_use]
    pub fn subject<'a>(&'a self, id: &'a UserId, access: &'a TokenAccess) -> Subject<'a> {
        Subject { id, role: &self.role, teams: &self.teams, teams_role: &self.teams_role, access }
    }
}
