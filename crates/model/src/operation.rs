//! What can be asked of the server, by name.

use std::fmt::{self, Display};

/// An operation. Its name stands in error messages, rate limits, metrics and the log (semantics 0.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Makes an app; for operators.
    CreateApp,
    /// Makes a role.
    CreateRole,
    /// Shuts a user out.
    DeactivateUser,
    /// Deletes a role.
    DeleteRole,
    /// Reads the settings of the app.
    GetApp,
    /// Reads one permission of the catalogue.
    GetPermission,
    /// Reads how many calls are left.
    GetRateLimits,
    /// Lets the secret before the last rotation expire; for operators.
    FinishRotation,
    /// Reads the catalogue of permissions.
    ListPermissions,
    /// Reads every role.
    ListRoles,
    /// Finds users.
    QueryUsers,
    /// Lets a deactivated user in again.
    ReactivateUser,
    /// Lets a suspended app be used again; for operators.
    ResumeApp,
    /// Gives an app a new secret; for operators.
    RotateSecret,
    /// Finds roles by their name.
    SearchRoles,
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
        Self::CreateRole,
        Self::DeactivateUser,
        Self::DeleteRole,
        Self::GetApp,
        Self::GetPermission,
        Self::GetRateLimits,
        Self::FinishRotation,
        Self::ListPermissions,
        Self::ListRoles,
        Self::QueryUsers,
        Self::ReactivateUser,
        Self::ResumeApp,
        Self::RotateSecret,
        Self::SearchRoles,
        Self::SuspendApp,
        Self::UpdateApp,
        Self::UpdateUsers,
        Self::UpdateUsersPartial,
    ];

    /// Whether only an operator asks for it, on the command line.
    #[must_use]
    pub fn is_for_operators(self) -> bool {
        matches!(
            self,
            Self::CreateApp | Self::FinishRotation | Self::ResumeApp | Self::RotateSecret | Self::SuspendApp
        )
    }

    /// The name as clients know it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateApp => "CreateApp",
            Self::CreateRole => "CreateRole",
            Self::DeactivateUser => "DeactivateUser",
            Self::DeleteRole => "DeleteRole",
            Self::GetApp => "GetApp",
            Self::GetPermission => "GetPermission",
            Self::GetRateLimits => "GetRateLimits",
            Self::FinishRotation => "FinishRotation",
            Self::ListPermissions => "ListPermissions",
            Self::ListRoles => "ListRoles",
            Self::QueryUsers => "QueryUsers",
            Self::ReactivateUser => "ReactivateUser",
            Self::ResumeApp => "ResumeApp",
            Self::RotateSecret => "RotateSecret",
            Self::SearchRoles => "SearchRoles",
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
