//! Why channels and messages are deleted: what hides them decides what brings them back (semantics 9.5, 10.9).

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Why something is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionCause {
    /// Somebody did it.
    ByHand,
    /// Its user was deactivated; it may come back with the user.
    UserDeactivated,
    /// A user was deleted.
    UserDeleted,
    /// It was pruned: nothing is kept but that it was there. Of messages.
    Pruned,
}

impl DeletionCause {
    /// The number under which storage keeps it; 0 is what is not deleted.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::ByHand => 1,
            Self::UserDeactivated => 2,
            Self::UserDeleted => 3,
            Self::Pruned => 4,
        }
    }

    /// The cause with this number.
    #[must_use]
    pub const fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::ByHand),
            2 => Some(Self::UserDeactivated),
            3 => Some(Self::UserDeleted),
            4 => Some(Self::Pruned),
            _ => None,
        }
    }
}

/// That something is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub cause: DeletionCause,
}

impl Deletion {
    /// Whether it ends when a user is reactivated, if that is asked for (semantics 9.5).
    #[must_use]
    pub fn may_come_back(self) -> bool {
        self.cause == DeletionCause::UserDeactivated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_found_by_its_number() {
        for cause in [
            DeletionCause::ByHand,
            DeletionCause::UserDeactivated,
            DeletionCause::UserDeleted,
            DeletionCause::Pruned,
        ] {
            assert_eq!(DeletionCause::from_code(cause.code()), Some(cause));
        }
        assert_eq!((DeletionCause::from_code(0), DeletionCause::from_code(5)), (None, None));
    }
}
