//! The permissions that are built in: what a role can be granted (semantics 8.7 to 8.9, chat-v1 4.12).
//!
//! To add one, add its row, in the order of ids. An id is the action in kebab case; `-owner` at its end limits it to
//! what is the caller's own, `-any-team` frees it from the teams of the caller (8.8).

use crate::Action;

/// Where a permission can be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// In the whole app.
    App,
    /// In a type of channel, or in one channel.
    Channel,
    /// In a type of call, or in one call.
    Call,
}

/// A permission that every app can grant.
#[derive(Clone, Copy, Debug)]
pub struct Permission {
    /// The id, by which grants name it.
    pub id: &'static str,
    /// The name to show.
    pub name: &'static str,
    /// What it lets one do.
    pub description: &'static str,
    /// The action that it allows.
    pub action: Action,
    /// Where it can be granted.
    pub level: Level,
    /// The kind of thing that has to be the caller's own; `None` when it need not be.
    pub own: Option<&'static str>,
    /// Whether it ends at the teams of the caller, in an app with teams.
    pub same_team: bool,
    /// What it is about.
    pub tags: &'static [&'static str],
    /// The roles that have it as long as the grants of the app, of the type or of the channel do not name them (8.9).
    pub granted: &'static [&'static str],
}

impl Permission {
    /// Whether it reaches beyond the teams of whoever has it. What is one's own is where one is, and whoever connects is in
    /// no team yet.
    #[must_use]
    pub fn is_for_any_team(&self) -> bool {
        !self.same_team && self.own.is_none() && !matches!(self.action, Action::Connect)
    }
}

/// Everybody who is somebody: whoever may look at and deal with other users.
const MEMBERS: &[&str] = &["admin", "guest", "moderator", "user"];
const MODERATORS: &[&str] = &["admin", "moderator"];
const ADMINS: &[&str] = &["admin"];
const GLOBAL: &[&str] = &["global_admin", "global_moderator"];
const GLOBAL_ADMINS: &[&str] = &["global_admin"];
const MEMBERS_AND_GLOBAL: &[&str] =
    &["admin", "global_admin", "global_moderator", "guest", "moderator", "user"];
const EVERYONE: &[&str] =
    &["admin", "anonymous", "global_admin", "global_moderator", "guest", "moderator", "user"];
/// Whoever takes part in a channel, by being a member or by ruling the app.
const PARTICIPANTS: &[&str] = &["admin", "channel_member", "channel_moderator", "moderator"];
const PARTICIPANTS_AND_USERS: &[&str] =
    &["admin", "channel_member", "channel_moderator", "moderator", "user"];
const CHANNEL_MODERATORS: &[&str] = &["admin", "channel_moderator", "moderator"];
const ADMINS_AND_USERS: &[&str] = &["admin", "moderator", "user"];
const CALL_MEMBERS: &[&str] = &["admin", "call_member", "host"];
/// Nobody, until an app grants it.
const NOBODY: &[&str] = &[];

const USERS: &[&str] = &["user"];
const MODERATION: &[&str] = &["user", "moderation"];
const CHANNELS: &[&str] = &["channel"];
const CHANNEL_MODERATION: &[&str] = &["channel", "moderation"];
const MESSAGES: &[&str] = &["channel", "message"];
const CALLS: &[&str] = &["call"];
const MENTIONS: &[&str] = &["channel", "mention"];

type Text = &'static str;
type List = &'static [&'static str];

/// A permission on users within the teams of the caller.
const fn app(
    id: Text,
    name: Text,
    action: Action,
    tags: List,
    granted: List,
    description: Text,
) -> Permission {
    Permission { id, name, description, action, level: Level::App, own: None, same_team: true, tags, granted }
}

/// The same beyond the teams of the caller.
const fn any_team(
    id: Text,
    name: Text,
    action: Action,
    tags: List,
    granted: List,
    description: Text,
) -> Permission {
    Permission { same_team: false, ..app(id, name, action, tags, granted, description) }
}

/// A permission on the caller's own user, for which teams do not matter.
const fn own_user(id: Text, name: Text, action: Action, granted: List, description: Text) -> Permission {
    Permission { own: Some("User"), ..any_team(id, name, action, USERS, granted, description) }
}

/// A permission in channels within the teams of the caller.
const fn channel(
    id: Text,
    name: Text,
    action: Action,
    tags: List,
    granted: List,
    description: Text,
) -> Permission {
    Permission { level: Level::Channel, ..app(id, name, action, tags, granted, description) }
}

/// The same in channels that the caller created.
const fn own_channel(
    id: Text,
    name: Text,
    action: Action,
    tags: List,
    granted: List,
    description: Text,
) -> Permission {
    Permission { own: Some("Channel"), ..channel(id, name, action, tags, granted, description) }
}

/// The same on things of this kind in channels, when they are the caller's own.
const fn own(
    id: Text,
    name: Text,
    kind: Text,
    action: Action,
    tags: List,
    granted: List,
    description: Text,
) -> Permission {
    Permission { own: Some(kind), ..channel(id, name, action, tags, granted, description) }
}

/// A permission in calls within the teams of the caller.
const fn call(id: Text, name: Text, action: Action, granted: List, description: Text) -> Permission {
    Permission { level: Level::Call, ..app(id, name, action, CALLS, granted, description) }
}

/// Every built-in permission, by id.
#[rustfmt::skip]
pub const CATALOGUE: &[Permission] = &[
    channel("ban-channel-member", "Ban Channel Member", Action::BanChannelMember, CHANNEL_MODERATION, CHANNEL_MODERATORS,
        "Shuts a member out of a channel, and lets it in again."),
    own_channel("ban-channel-member-owner", "Ban Channel Member in Own Channels", Action::BanChannelMember, CHANNEL_MODERATION, PARTICIPANTS_AND_USERS,
        "Shuts a member out of a channel that the caller created, and lets it in again."),
    app("ban-user", "Ban User", Action::BanUser, MODERATION, MODERATORS,
        "Shuts a user out of the whole app, and lets it in again."),
    any_team("ban-user-any-team", "Ban User in Any Team", Action::BanUser, MODERATION, GLOBAL,
        "Shuts a user of any team out of the whole app, and lets it in again."),
    app("block-user", "Block User", Action::BlockUser, USERS, MEMBERS,
        "Keeps a user from reaching the caller, and takes that back."),
    any_team("block-user-any-team", "Block User in Any Team", Action::BlockUser, USERS, GLOBAL,
        "Keeps a user of any team from reaching the caller, and takes that back."),
    any_team("connect", "Connect", Action::Connect, USERS, EVERYONE,
        "Opens a connection to the app."),
    channel("create-channel", "Create Channel", Action::CreateChannel, CHANNELS, ADMINS_AND_USERS,
        "Makes a channel."),
    channel("create-message", "Create Message", Action::CreateMessage, MESSAGES, PARTICIPANTS,
        "Writes messages in a channel."),
    own_channel("create-message-owner", "Create Message in Own Channels", Action::CreateMessage, MESSAGES, PARTICIPANTS_AND_USERS,
        "Writes messages in a channel that the caller created."),
    channel("create-reaction", "Create Reaction", Action::CreateReaction, MESSAGES, PARTICIPANTS,
        "Reacts to messages in a channel."),
    own_channel("create-reaction-owner", "Create Reaction in Own Channels", Action::CreateReaction, MESSAGES, PARTICIPANTS_AND_USERS,
        "Reacts to messages in a channel that the caller created."),
    app("create-user", "Create User", Action::CreateUser, USERS, ADMINS,
        "Makes other users."),
    any_team("create-user-any-team", "Create User in Any Team", Action::CreateUser, USERS, GLOBAL_ADMINS,
        "Makes other users in any team."),
    own_user("create-user-owner", "Create Own User", Action::CreateUser, MEMBERS_AND_GLOBAL,
        "Makes the caller's own user by connecting."),
    app("deactivate-user", "Deactivate User", Action::DeactivateUser, MODERATION, NOBODY,
        "Shuts a user out of the app while keeping its data, and lets it in again. For servers, whatever is granted."),
    channel("delete-channel", "Delete Channel", Action::DeleteChannel, CHANNELS, ADMINS,
        "Deletes a channel."),
    own_channel("delete-channel-owner", "Delete Own Channels", Action::DeleteChannel, CHANNELS, PARTICIPANTS_AND_USERS,
        "Deletes a channel that the caller created."),
    channel("delete-message", "Delete Message", Action::DeleteMessage, CHANNEL_MODERATION, CHANNEL_MODERATORS,
        "Deletes messages of others in a channel."),
    own("delete-message-owner", "Delete Own Messages", "Message", Action::DeleteMessage, MESSAGES, PARTICIPANTS_AND_USERS,
        "Deletes the caller's own messages in a channel."),
    own("delete-reaction-owner", "Delete Own Reactions", "Reaction", Action::DeleteReaction, MESSAGES, PARTICIPANTS_AND_USERS,
        "Takes back the caller's own reactions in a channel."),
    app("delete-user", "Delete User", Action::DeleteUser, MODERATION, NOBODY,
        "Deletes a user. For servers, whatever is granted."),
    own_user("explain-permission-owner", "Explain Own Permissions", Action::ExplainPermission, EVERYONE,
        "Asks what the caller may do, and why."),
    channel("flag-message", "Flag Message", Action::FlagMessage, CHANNEL_MODERATION, PARTICIPANTS,
        "Reports a message to the moderators."),
    app("flag-user", "Flag User", Action::FlagUser, MODERATION, MEMBERS,
        "Reports a user to the moderators."),
    any_team("flag-user-any-team", "Flag User in Any Team", Action::FlagUser, MODERATION, GLOBAL,
        "Reports a user of any team to the moderators."),
    call("join-call", "Join Call", Action::JoinCall, CALL_MEMBERS,
        "Takes part in a call."),
    channel("leave-channel", "Leave Channel", Action::LeaveChannel, CHANNELS, PARTICIPANTS,
        "Leaves a channel."),
    app("manage-block-lists", "Manage Block Lists", Action::ManageBlockLists, MODERATION, ADMINS,
        "Makes, changes and deletes lists of words for moderation."),
    any_team("manage-block-lists-any-team", "Manage Block Lists of Any Team", Action::ManageBlockLists, MODERATION,
        GLOBAL_ADMINS, "Makes, changes and deletes lists of words for moderation of any team."),
    own_user("manage-devices-owner", "Manage Own Devices", Action::ManageDevices, MEMBERS_AND_GLOBAL,
        "Registers, lists and removes the caller's own push devices."),
    own_user("manage-push-preferences-owner", "Manage Own Push Preferences", Action::ManagePushPreferences,
        MEMBERS_AND_GLOBAL, "Chooses what the caller wants pushed."),
    app("manage-user-groups", "Manage User Groups", Action::ManageUserGroups, USERS, ADMINS,
        "Makes, changes and deletes groups of users."),
    any_team("manage-user-groups-any-team", "Manage User Groups of Any Team", Action::ManageUserGroups, USERS,
        GLOBAL_ADMINS, "Makes, changes and deletes groups of users of any team."),
    channel("mute-channel", "Mute Channel", Action::MuteChannel, CHANNELS, PARTICIPANTS,
        "Silences a channel for the caller."),
    app("mute-user", "Mute User", Action::MuteUser, USERS, MEMBERS,
        "Silences a user for the caller."),
    any_team("mute-user-any-team", "Mute User in Any Team", Action::MuteUser, USERS, GLOBAL,
        "Silences a user of any team for the caller."),
    channel("notify-channel", "Notify Channel", Action::NotifyChannel, MENTIONS, CHANNEL_MODERATORS,
        "Calls on all members of a channel in a message."),
    channel("notify-group", "Notify Group", Action::NotifyGroup, MENTIONS, CHANNEL_MODERATORS,
        "Calls on a group of users in a message."),
    channel("notify-here", "Notify Here", Action::NotifyHere, MENTIONS, CHANNEL_MODERATORS,
        "Calls on the members of a channel who are online in a message."),
    channel("notify-role", "Notify Role", Action::NotifyRole, MENTIONS, CHANNEL_MODERATORS,
        "Calls on all members of a channel with a role in a message."),
    app("read-block-lists", "Read Block Lists", Action::ReadBlockLists, MODERATION, MODERATORS,
        "Reads lists of words for moderation."),
    any_team("read-block-lists-any-team", "Read Block Lists of Any Team", Action::ReadBlockLists, MODERATION, GLOBAL,
        "Reads lists of words for moderation of any team."),
    call("read-call", "Read Call", Action::ReadCall, CALL_MEMBERS,
        "Reads a call."),
    channel("read-channel", "Read Channel", Action::ReadChannel, CHANNELS, PARTICIPANTS,
        "Reads a channel."),
    channel("read-channel-members", "Read Channel Members", Action::ReadChannelMembers, CHANNELS, PARTICIPANTS,
        "Lists the members of a channel."),
    own_channel("read-channel-members-owner", "Read Members of Own Channels", Action::ReadChannelMembers, CHANNELS, PARTICIPANTS_AND_USERS,
        "Lists the members of a channel that the caller created."),
    own_channel("read-channel-owner", "Read Own Channels", Action::ReadChannel, CHANNELS, PARTICIPANTS_AND_USERS,
        "Reads a channel that the caller created."),
    app("read-flag-reports", "Read Flag Reports", Action::ReadFlagReports, MODERATION, MODERATORS,
        "Lists what was reported to the moderators."),
    any_team("read-flag-reports-any-team", "Read Flag Reports of Any Team", Action::ReadFlagReports, MODERATION, GLOBAL,
        "Lists what was reported to the moderators in any team."),
    app("read-user-groups", "Read User Groups", Action::ReadUserGroups, USERS, MEMBERS,
        "Reads groups of users."),
    any_team("read-user-groups-any-team", "Read User Groups of Any Team", Action::ReadUserGroups, USERS, GLOBAL,
        "Reads groups of users of any team."),
    app("search-user", "Search User", Action::SearchUser, USERS, MEMBERS,
        "Finds users."),
    any_team("search-user-any-team", "Search User in Any Team", Action::SearchUser, USERS, GLOBAL,
        "Finds users of any team."),
    channel("update-channel-members", "Update Channel Members", Action::UpdateChannelMembers, CHANNELS, CHANNEL_MODERATORS,
        "Puts others into a channel, and takes them out."),
    own_channel("update-channel-members-owner", "Update Members of Own Channels", Action::UpdateChannelMembers, CHANNELS, PARTICIPANTS_AND_USERS,
        "Puts others into a channel that the caller created, and takes them out."),
    app("update-flag-report", "Update Flag Report", Action::UpdateFlagReport, MODERATION, MODERATORS,
        "Records what came of a report to the moderators."),
    any_team("update-flag-report-any-team", "Update Flag Report of Any Team", Action::UpdateFlagReport, MODERATION, GLOBAL,
        "Records what came of a report to the moderators in any team."),
    app("update-user", "Update User", Action::UpdateUser, USERS, ADMINS,
        "Changes the profiles of other users."),
    any_team("update-user-any-team", "Update User in Any Team", Action::UpdateUser, USERS, GLOBAL_ADMINS,
        "Changes the profiles of other users in any team."),
    own_user("update-user-owner", "Update Own User", Action::UpdateUser, MEMBERS_AND_GLOBAL,
        "Changes the caller's own profile."),
    app("update-user-role", "Update User Role", Action::UpdateUserRole, USERS, ADMINS,
        "Changes the roles of users."),
    any_team("update-user-role-any-team", "Update User Role in Any Team", Action::UpdateUserRole, USERS, GLOBAL_ADMINS,
        "Changes the roles of users in any team."),
    own_user("update-user-role-owner", "Update Own Role", Action::UpdateUserRole, NOBODY,
        "Changes the caller's own roles."),
    app("update-user-team", "Update User Team", Action::UpdateUserTeam, USERS, ADMINS,
        "Changes the teams of users."),
    any_team("update-user-team-any-team", "Update User Team in Any Team", Action::UpdateUserTeam, USERS, GLOBAL_ADMINS,
        "Changes the teams of users in any team."),
    own_user("update-user-team-owner", "Update Own Team", Action::UpdateUserTeam, NOBODY,
        "Changes the caller's own teams."),
];

/// The permission with this id.
#[must_use]
pub fn permission(id: &str) -> Option<&'static Permission> {
    let place = CATALOGUE.binary_search_by(|permission| permission.id.cmp(id)).ok()?;
    CATALOGUE.get(place)
}

/// Whether `action` is decided by the grants of the app: what is done in a channel or a call is decided there, and can be
/// allowed to whoever may do it nowhere else.
#[must_use]
pub fn is_decided_in_app(action: Action) -> bool {
    let of_action = |permission: &&Permission| permission.action == action;
    CATALOGUE.iter().find(of_action).is_none_or(|permission| permission.level == Level::App)
}

/// Whether the built-in grants of the app give `role` anything.
pub(crate) fn is_granted_something(role: &str) -> bool {
    let in_app = |permission: &&Permission| permission.level == Level::App;
    CATALOGUE.iter().filter(in_app).any(|permission| permission.granted.contains(&role))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::is_built_in;

    fn kebab(action: &str) -> String {
        let mut id = String::new();
        for letter in action.chars() {
            if letter.is_uppercase() && !id.is_empty() {
                id.push('-');
            }
            id.extend(letter.to_lowercase());
        }
        id
    }

    #[test]
    fn every_row_says_what_its_id_says() {
        assert!(CATALOGUE.is_sorted_by(|left, right| left.id < right.id), "in order, each id once");
        for permission in CATALOGUE {
            let Permission { id, action, granted, .. } = *permission;
            let (suffix, own, same_team) = match id.strip_prefix(&kebab(action.name())) {
                Some("-owner") => ("-owner", true, permission.level == Level::Channel),
                Some("-any-team") => ("-any-team", false, false),
                Some("") => ("", false, id != "connect"),
                other => panic!("{id} does not begin like {action}: {other:?}"),
            };
            assert_eq!((permission.own.is_some(), permission.same_team), (own, same_team), "{id}{suffix}");
            assert!(granted.iter().all(|role| is_built_in(role)) && granted.is_sorted(), "{id}");
            assert!(permission.description.ends_with('.') && !permission.tags.is_empty(), "{id}");
        }
    }

    /// The recommended matrix of semantics 8.9, one column a role.
    #[track_caller]
    fn may(role: &str, ids: &[&str]) {
        let granted: Vec<&str> = CATALOGUE
            .iter()
            .filter(|permission| permission.level == Level::App && permission.granted.contains(&role))
            .map(|permission| permission.id)
            .collect();
        assert_eq!(granted, ids, "{role}");
    }

    #[test]
    fn the_default_matrix_is_the_recommended_one() {
        let member = [
            "block-user",
            "connect",
            "create-user-owner",
            "explain-permission-owner",
            "flag-user",
            "manage-devices-owner",
            "manage-push-preferences-owner",
            "mute-user",
            "read-user-groups",
            "search-user",
            "update-user-owner",
        ];
        let moderator = ["ban-user", "read-block-lists", "read-flag-reports", "update-flag-report"];
        let admin = [
            "create-user",
            "manage-block-lists",
            "manage-user-groups",
            "update-user",
            "update-user-role",
            "update-user-team",
        ];
        let together = |parts: &[&[&'static str]]| {
            let mut ids = parts.concat();
            ids.sort_unstable();
            ids
        };
        may("anonymous", &["connect", "explain-permission-owner"]);
        may("guest", &member);
        may("user", &member);
        may("moderator", &together(&[&member, &moderator]));
        may("admin", &together(&[&member, &moderator, &admin]));
        may("channel_member", &[]);
    }

    #[test]
    fn permissions_are_found_by_id() {
        assert_eq!(permission("create-channel").map(|found| found.action), Some(Action::CreateChannel));
        assert!(permission("create-channels").is_none() && permission("").is_none());
    }
}
