//! Reactions to messages (v2 2.11).

use serde::{Deserialize, Serialize};

use crate::rules::written;
use crate::{Attached, CustomText, Invalid, Timestamp, User, UserId};

/// The most reactions of one user to one message: each is of another type.
pub const MOST_REACTIONS: usize = 20;

/// How many of the newest reactions are shown with a message.
pub const LATEST_REACTIONS: usize = 10;

/// The most reactions that one page shows.
pub const MOST_REACTIONS_SHOWN: usize = 100;

/// How many reactions a page shows when nothing is asked for.
pub const REACTIONS_SHOWN: usize = 25;

/// The most bytes of the app's own data of a reaction.
pub const MOST_REACTION_CUSTOM_BYTES: usize = 1 << 10;

/// The longest type of a reaction, in bytes.
const LONGEST_TYPE: usize = 64;

/// The greatest score of one reaction, below zero too: the sum of any number of them fits 64 bits.
const GREATEST_SCORE: i64 = 1_000_000;

/// A reaction to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reaction {
    /// The message.
    pub message: String,
    /// Who reacts.
    pub user: UserId,
    /// How: any word.
    pub kind: String,
    /// How much.
    pub score: i64,
    /// The app's own data.
    #[serde(default, skip_serializing_if = "Attached::is_empty")]
    pub custom: Attached,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Reaction {
    /// How many bytes it has as JSON.
    #[must_use]
    pub fn bytes(&self) -> usize {
        written(self)
    }
}

/// A reaction that is to be given.
#[derive(Clone, Debug, PartialEq)]
pub struct NewReaction {
    /// Who reacts; the user who asks, when nobody is named.
    pub user: Option<UserId>,
    /// How.
    pub kind: String,
    /// How much.
    pub score: i64,
    /// The app's own data.
    pub custom: Attached,
}

impl NewReaction {
    /// Checks the type and the score.
    ///
    /// # Errors
    /// The first field that breaks a rule; it is relative to the reaction.
    pub fn check(&self) -> Result<(), Invalid> {
        check_reaction_type(&self.kind).map_err(|invalid| invalid.within("type"))?;
        if (-GREATEST_SCORE..=GREATEST_SCORE).contains(&self.score) {
            return Ok(());
        }
        let why = format!("must be from -{GREATEST_SCORE} to {GREATEST_SCORE}, got {}", self.score);
        Err(Invalid::new("score", why))
    }
}

/// Checks the type of a reaction.
///
/// # Errors
/// When no reaction can have it; the field is left to the caller.
pub fn check_reaction_type(kind: &str) -> Result<(), Invalid> {
    let odd = |letter: char| letter.is_control() || letter == '/';
    if (1..=LONGEST_TYPE).contains(&kind.len()) && !kind.chars().any(odd) {
        return Ok(());
    }
    let why = format!("must have 1 to {LONGEST_TYPE} bytes without '/' and control characters");
    Err(Invalid::new("", why))
}

/// A reaction with the user that it is of.
#[derive(Clone, Debug, PartialEq)]
pub struct ReactionView {
    /// The reaction.
    pub reaction: Reaction,
    /// The user.
    pub user: User<CustomText>,
}

/// The reactions of one type to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionGroup {
    /// The type.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// The sum of their scores.
    pub score: i64,
    /// When the first was given.
    pub first: Timestamp,
    /// When the last was given.
    pub last: Timestamp,
}

/// What is shown of the reactions to a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reactions {
    /// All of them, by type in the order of the types.
    pub groups: Vec<ReactionGroup>,
    /// The newest, newest first.
    pub latest: Vec<ReactionView>,
    /// Those of the user who asks, newest first.
    pub own: Vec<ReactionView>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, score: i64, expected: Option<&str>) {
        let reaction = NewReaction { user: None, kind: kind.to_owned(), score, custom: Attached::default() };
        let found = reaction.check().err().map(|invalid| invalid.to_string());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn reactions_have_a_short_type_and_a_bounded_score() {
        let kind = "type: must have 1 to 64 bytes without '/' and control characters";
        check("love", 1, None);
        check("\u{1f44d}", -1_000_000, None);
        check("", 1, Some(kind));
        check("a/b", 1, Some(kind));
        check(&"x".repeat(65), 1, Some(kind));
        check("love", 1_000_001, Some("score: must be from -1000000 to 1000000, got 1000001"));
    }
}
