//! Deactivation and its end (semantics 9).

use crate::rules::{self, Limits};
use crate::{Invalid, Timestamp, User};

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
}
