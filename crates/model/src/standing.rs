//! Deactivation and its end (semantics 9).

use crate::rules::{self, Limits};
use crate::{Invalid, Timestamp, User};

impl User {
    /// This user, shut out since `now`. It keeps its data and its tokens.
    #[must_use]
    pub fn deactivated(&self, now: Timestamp) -> Self {
        let now = now.max(self.created_at);
        Self { deactivated_at: Some(now), updated_at: now, ..self.clone() }
    }

    /// This user, let in again at `now`, under a new name when one is given.
    ///
    /// # Errors
    /// When the new name breaks a rule; the field is relative to the user.
    pub fn reactivated(&self, now: Timestamp, name: Option<&str>, limits: &Limits) -> Result<Self, Invalid> {
        let mut user = Self { deactivated_at: None, updated_at: now.max(self.created_at), ..self.clone() };
        if let Some(name) = name {
            user.name = Some(name.to_owned());
            rules::check(&user, limits)?;
        }
        Ok(user)
    }
}
