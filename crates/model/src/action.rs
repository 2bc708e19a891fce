//! What can be asked for.

use std::fmt::{self, Display};

macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// What is asked. A route declares the actions that its operation asks for. Those of [`crate::CATALOGUE`] can be
        /// granted to users; the others are for servers and operators.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name, as refusals and the catalogue of permissions give it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

actions! {
    /// Shut a member out of a channel, and let it in again.
    BanChannelMember,
    /// Shut a user out of the whole app, and let it in again.
    BanUser,
    /// Keep a user from reaching the caller, and take that back.
    BlockUser,
    /// Have moderation let everything of a user pass. For servers.
    BypassModeration,
    /// Open a connection.
    Connect,
    /// Make a channel.
    CreateChannel,
    /// Make a guest: asked by whoever has no user yet, so nobody is refused by role.
    CreateGuest,
    /// Write a message in a channel.
    CreateMessage,
    /// React to a message.
    CreateReaction,
    /// Make users.
    CreateUser,
    /// Deactivate and reactivate users. For servers.
    DeactivateUser,
    /// Delete a channel.
    DeleteChannel,
    /// Delete a message.
    DeleteMessage,
    /// Take back a reaction.
    DeleteReaction,
    /// Delete users. For servers.
    DeleteUser,
    /// Ask what one may do, and why.
    ExplainPermission,
    /// Read everything that is known of users. For servers.
    ExportUser,
    /// Report a message to the moderators.
    FlagMessage,
    /// Report a user, or what a user made, to the moderators.
    FlagUser,
    /// Take part in a call.
    JoinCall,
    /// Leave a channel.
    LeaveChannel,
    /// Make, rotate, suspend and resume apps. For operators.
    ManageApps,
    /// Make, change and delete lists of words.
    ManageBlockLists,
    /// Register, list and remove the push devices of a user.
    ManageDevices,
    /// Choose what a user wants pushed.
    ManagePushPreferences,
    /// Make and delete roles. For servers.
    ManageRoles,
    /// Make, change and delete groups of users.
    ManageUserGroups,
    /// Silence a channel for the caller.
    MuteChannel,
    /// Silence a user for the caller.
    MuteUser,
    /// Call on all members of a channel.
    NotifyChannel,
    /// Call on a group of users.
    NotifyGroup,
    /// Call on the members of a channel who are online.
    NotifyHere,
    /// Call on all members of a channel with a role.
    NotifyRole,
    /// Read the settings of the app. For servers.
    ReadApp,
    /// Read lists of words.
    ReadBlockLists,
    /// Read a call.
    ReadCall,
    /// Read a channel: what is written in it and by whom.
    ReadChannel,
    /// List the members of a channel.
    ReadChannelMembers,
    /// Read what was reported to the moderators.
    ReadFlagReports,
    /// Read the catalogue of permissions. For servers.
    ReadPermissions,
    /// Read how many calls are left. For servers.
    ReadRateLimits,
    /// Read the roles of the app. For servers.
    ReadRoles,
    /// Read how far tasks are. For servers.
    ReadTasks,
    /// Read groups of users.
    ReadUserGroups,
    /// Find users.
    SearchUser,
    /// Change the settings of the app. For servers.
    UpdateApp,
    /// Put others into a channel, and take them out.
    UpdateChannelMembers,
    /// Record what came of a report.
    UpdateFlagReport,
    /// Change the profiles of users.
    UpdateUser,
    /// Change the roles of users.
    UpdateUserRole,
    /// Change the teams of users.
    UpdateUserTeam,
}

impl Action {
    /// Whether it changes anything: what a banned user is refused.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(
            self,
            Self::Connect
                | Self::ExplainPermission
                | Self::ExportUser
                | Self::JoinCall
                | Self::ReadApp
                | Self::ReadBlockLists
                | Self::ReadCall
                | Self::ReadChannel
                | Self::ReadChannelMembers
                | Self::ReadFlagReports
                | Self::ReadPermissions
                | Self::ReadRateLimits
                | Self::ReadRoles
                | Self::ReadTasks
                | Self::ReadUserGroups
                | Self::SearchUser
        )
    }

    /// Whether it is for servers and operators, whatever a role is granted (semantics 7.22).
    #[must_use]
    pub const fn is_for_servers(self) -> bool {
        matches!(
            self,
            Self::BypassModeration
                | Self::DeactivateUser
                | Self::DeleteUser
                | Self::ExportUser
                | Self::ManageApps
                | Self::ManageRoles
                | Self::ReadApp
                | Self::ReadPermissions
                | Self::ReadRateLimits
                | Self::ReadRoles
                | Self::ReadTasks
                | Self::UpdateApp
        )
    }

    /// This action and no other, as a route declares it.
    #[must_use]
    pub fn alone(self) -> &'static [Self] {
        std::slice::from_ref(&Self::ALL[self as usize])
    }

    /// The action with this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}

impl Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
