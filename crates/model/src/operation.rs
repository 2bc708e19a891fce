//! What can be asked of the server, by name.

use std::fmt::{self, Display};

macro_rules! operations {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// An operation. Its name stands in error messages, rate limits, metrics and the log (semantics 0.5).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name as clients know it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

operations! {
    /// Adds users to a group.
    AddUserGroupMembers,
    /// Shuts a user out of the app.
    Ban,
    /// Keeps a user from reaching another one.
    BlockUsers,
    /// Has moderation let everything of a user pass, or no more.
    Bypass,
    /// Makes an app; for operators.
    CreateApp,
    /// Makes a list of words.
    CreateBlockList,
    /// Registers a push device.
    CreateDevice,
    /// Makes a guest.
    CreateGuest,
    /// Makes a role.
    CreateRole,
    /// Makes a group of users.
    CreateUserGroup,
    /// Shuts a user out.
    DeactivateUser,
    /// Shuts users out, and has a task see to what they have made.
    DeactivateUsers,
    /// Deletes a list of words.
    DeleteBlockList,
    /// Deletes a channel.
    DeleteChannel,
    /// Removes a push device.
    DeleteDevice,
    /// Deletes a message.
    DeleteMessage,
    /// Takes back a reaction.
    DeleteReaction,
    /// Deletes a role.
    DeleteRole,
    /// Deletes a group of users.
    DeleteUserGroup,
    /// Deletes users.
    DeleteUsers,
    /// Says what one may do, and why. Ours.
    ExplainPermission,
    /// Reads everything that is known of a user.
    ExportUser,
    /// Has a task write everything that is known of users into a file.
    ExportUsers,
    /// Lets the secret before the last rotation expire; for operators.
    FinishRotation,
    /// Reports something to the moderators.
    Flag,
    /// Reads the settings of the app.
    GetApp,
    /// Reads a list of words.
    GetBlockList,
    /// Lists whom a user has blocked.
    GetBlockedUsers,
    /// Reads a channel.
    GetChannel,
    /// Counts the reports of what a user made.
    GetFlagCount,
    /// Reads a message.
    GetMessage,
    /// Reads a channel, and makes it when it is not there.
    GetOrCreateChannel,
    /// The same, for the channel that certain users share.
    GetOrCreateDistinctChannel,
    /// Reads one permission of the catalogue.
    GetPermission,
    /// Reads how many calls are left.
    GetRateLimits,
    /// Reads how far a task is.
    GetTask,
    /// Lists the reactions to a message.
    GetReactions,
    /// Reads a group of users.
    GetUserGroup,
    /// Reads every list of words.
    ListBlockLists,
    /// Lists the push devices of a user.
    ListDevices,
    /// Reads the catalogue of permissions.
    ListPermissions,
    /// Reads every role.
    ListRoles,
    /// Lists groups of users.
    ListUserGroups,
    /// Silences users for another one.
    Mute,
    /// Says what deleting users would take. Ours.
    PreviewUserDeletion,
    /// Lets the id of a user be given again who was deleted for good; for operators.
    PurgeTombstone,
    /// Finds bans.
    QueryBannedUsers,
    /// Finds reports to the moderators.
    QueryModerationFlags,
    /// Finds users.
    QueryUsers,
    /// Lets a deactivated user in again.
    ReactivateUser,
    /// Lets deactivated users in again, and has a task see to what they have made.
    ReactivateUsers,
    /// Takes users out of a group.
    RemoveUserGroupMembers,
    /// Takes soft deletions of users back.
    RestoreUsers,
    /// Lets a suspended app be used again; for operators.
    ResumeApp,
    /// Gives an app a new secret; for operators.
    RotateSecret,
    /// Finds roles by their name.
    SearchRoles,
    /// Finds groups of users by their name.
    SearchUserGroups,
    /// Writes a message.
    SendMessage,
    /// Reacts to a message.
    SendReaction,
    /// Lets nobody use an app; for operators.
    SuspendApp,
    /// Lets a banned user in again.
    Unban,
    /// Lets a blocked user reach another one again.
    UnblockUsers,
    /// Ends the silence of users.
    Unmute,
    /// Changes settings of the app.
    UpdateApp,
    /// Changes a list of words.
    UpdateBlockList,
    /// Puts users into a channel, or takes them out.
    UpdateChannel,
    /// Chooses what users want pushed.
    UpdatePushNotificationPreferences,
    /// Changes a group of users.
    UpdateUserGroup,
    /// Creates or replaces users.
    UpdateUsers,
    /// Changes single fields of users.
    UpdateUsersPartial,
}

impl Operation {
    /// Whether only an operator asks for it, on the command line.
    #[must_use]
    pub fn is_for_operators(self) -> bool {
        matches!(
            self,
            Self::CreateApp
                | Self::FinishRotation
                | Self::PurgeTombstone
                | Self::ResumeApp
                | Self::RotateSecret
                | Self::SuspendApp
        )
    }

    /// Whether it changes anything: what a banned user is refused.
    #[must_use]
    pub fn writes(self) -> bool {
        !matches!(
            self,
            Self::ExplainPermission
                | Self::ExportUser
                | Self::GetApp
                | Self::GetBlockList
                | Self::GetBlockedUsers
                | Self::GetChannel
                | Self::GetFlagCount
                | Self::GetMessage
                | Self::GetPermission
                | Self::GetRateLimits
                | Self::GetTask
                | Self::GetReactions
                | Self::GetUserGroup
                | Self::ListBlockLists
                | Self::ListDevices
                | Self::ListPermissions
                | Self::ListRoles
                | Self::ListUserGroups
                | Self::PreviewUserDeletion
                | Self::QueryBannedUsers
                | Self::QueryModerationFlags
                | Self::QueryUsers
                | Self::SearchRoles
                | Self::SearchUserGroups
        )
    }
}

impl Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
