//! What can be asked of the server, by name.

use std::fmt::{self, Display};

/// An operation. Its name stands in error messages, rate limits, metrics and the log (semantics 0.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Makes an app; for operators.
    CreateApp,
    /// Shuts a user out.
    DeactivateUser,
    /// Reads the settings of the app.
    GetApp,
    /// Reads how many calls are left.
    GetRateLimits,
    /// Lets the secret before the last rotation expire; for operators.
    FinishRotation,
    /// Finds users.
    QueryUsers,
    /// Lets a deactivated user in again.
    ReactivateUser,
    /// Lets a suspended app be used again; for operators.
    ResumeApp,
    /// Gives an app a new secret; for operators.
    RotateSecret,
    /// Lets nobody use an app; for operators.
    SuspendApp,
    /// Changes settings of the app.
    UpdateApp,
    /// Creates or replaces users.
    UpdateUsers,
    /// Changes single fields of users.
    UpdateUsersPartial,
}

impl Operation {
    /// Every operation.
    pub const ALL: &[Self] = &[
        Self::CreateApp,
        Self::DeactivateUser,
        Self::GetApp,
        Self::GetRateLimits,
        Self::FinishRotation,
        Self::QueryUsers,
        Self::ReactivateUser,
        Self::ResumeApp,
        Self::RotateSecret,
        Self::SuspendApp,
        Self::UpdateApp,
        Self::UpdateUsers,
        Self::UpdateUsersPartial,
    ];

    /// The name as clients know it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateApp => "CreateApp",
            Self::DeactivateUser => "DeactivateUser",
            Self::GetApp => "GetApp",
            Self::GetRateLimits => "GetRateLimits",
            Self::FinishRotation => "FinishRotation",
            Self::QueryUsers => "QueryUsers",
            Self::ReactivateUser => "ReactivateUser",
            Self::ResumeApp => "ResumeApp",
            Self::RotateSecret => "RotateSecret",
            Self::SuspendApp => "SuspendApp",
            Self::UpdateApp => "UpdateApp",
            Self::UpdateUsers => "UpdateUsers",
            Self::UpdateUsersPartial => "UpdateUsersPartial",
        }
    }
}

impl Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
