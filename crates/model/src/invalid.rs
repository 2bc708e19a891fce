//! The one way in which the model refuses what it is given.

use std::fmt::{self, Display};

/// A refused value: which field, and why, in words that say what would be accepted (DESIGN 5).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct Invalid {
    /// The field as the caller wrote it, with dots between the levels.
    pub field: String,
    /// What is wrong with it and what would be accepted.
    pub why: String,
}

impl Invalid {
    /// Refuses `field` because of `why`.
    pub fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into() }
    }

    /// The same refusal seen from one level further out: `role` within `users.alice` is `users.alice.role`.
    #[must_use]
    pub fn within(self, outer: impl Display) -> Self {
        let field = if self.field.is_empty() { outer.to_string() } else { format!("{outer}.{}", self.field) };
        Self { field, why: self.why }
    }
}

/// A value in quotes, cut to a length that is fit for an error message.
#[derive(Debug)]
pub struct Shown<'a>(pub &'a str);

impl Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 64;
        match self.0.char_indices().nth(LONGEST) {
            Some((end, _)) => write!(formatter, "'{}...'", &self.0[..end]),
            None => write!(formatter, "'{}'", self.0),
        }
    }
}
