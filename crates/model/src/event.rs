//! Events: what the log keeps of a change.
//!
//! An event holds ids of people and a snapshot of its subject only; what else a reader needs is read at delivery
//! (DESIGN 1). The stored form carries a version: to change the form, raise it and read both.

use serde::{Deserialize, Serialize};

use crate::{
    Attached, Channel, ChannelMember, Cid, DeletionPlan, Device, Message, PushPreferences, Reaction,
    Timestamp, User, UserGroup, UserId,
};

/// The version of the stored form.
const VERSION: u32 = 1;

/// A change of state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// An app was made.
    #[serde(rename = "app.created")]
    AppCreated,
    /// Settings of an app were changed; only their names are kept, since values can be secret.
    #[serde(rename = "app.updated")]
    AppUpdated {
        /// The names of the settings.
        settings: Vec<String>,
    },
    /// An app got a new secret; the one before stays valid.
    #[serde(rename = "app.secret_rotated")]
    AppSecretRotated,
    /// The secret before the last rotation expired.
    #[serde(rename = "app.rotation_finished")]
    AppRotationFinished,
    /// An app was suspended.
    #[serde(rename = "app.suspended")]
    AppSuspended {
        /// Why.
        explanation: String,
    },
    /// A suspended app was let go on.
    #[serde(rename = "app.resumed")]
    AppResumed,
    /// A role was made. Ours.
    #[serde(rename = "role.created")]
    RoleCreated {
        /// The name of the role.
        name: String,
    },
    /// A role was deleted. Ours.
    #[serde(rename = "role.deleted")]
    RoleDeleted {
        /// The name of the role.
        name: String,
    },
    /// A list of words was made. Ours, like the next two: names, never words.
    #[serde(rename = "blocklist.created")]
    BlockListCreated(BlockListEvent),
    /// A list of words was changed.
    #[serde(rename = "blocklist.updated")]
    BlockListUpdated(BlockListEvent),
    /// A list of words was deleted.
    #[serde(rename = "blocklist.deleted")]
    BlockListDeleted(BlockListEvent),
    /// A group of users was made.
    #[serde(rename = "user_group.created")]
    UserGroupCreated {
        /// The group as made.
        group: Box<UserGroup>,
        /// Who is in it from the beginning.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        members: Vec<UserId>,
    },
    /// The name or the description of a group was changed.
    #[serde(rename = "user_group.updated")]
    UserGroupUpdated {
        /// The group after the change.
        group: Box<UserGroup>,
    },
    /// A group of users was deleted.
    #[serde(rename = "user_group.deleted")]
    UserGroupDeleted {
        /// The group as it was.
        group: Box<UserGroup>,
    },
    /// Users came into a group.
    #[serde(rename = "user_group.member_added")]
    UserGroupMemberAdded {
        /// The group.
        group: Box<UserGroup>,
        /// Who.
        members: Vec<UserId>,
        /// Whether as admins of the group.
        as_admin: bool,
    },
    /// Members of a group were made its admins. Ours.
    #[serde(rename = "user_group.admin_added")]
    UserGroupAdminAdded {
        /// The group.
        group: Box<UserGroup>,
        /// Who.
        members: Vec<UserId>,
    },
    /// Users were taken out of a group.
    #[serde(rename = "user_group.member_removed")]
    UserGroupMemberRemoved {
        /// The group.
        group: Box<UserGroup>,
        /// Who.
        members: Vec<UserId>,
    },
    /// A task has exported users (v2 5.2). Where the file is found is a secret, which readers ask the task for.
    #[serde(rename = "export.users.success")]
    ExportSucceeded {
        /// The id of the task.
        task: String,
        /// When the task was started.
        started_at: Timestamp,
        /// When it was over.
        finished_at: Timestamp,
    },
    /// A task that was to export users was given up (v2 5.2).
    #[serde(rename = "export.users.error")]
    ExportFailed {
        /// The id of the task.
        task: String,
        /// When the task was started.
        started_at: Timestamp,
        /// When it was over.
        finished_at: Timestamp,
        /// Why, in words for people.
        error: String,
    },
    /// A user was created. Ours: for the change feed and the audit, to webhooks only when named.
    #[serde(rename = "user.created")]
    UserCreated {
        /// The user as created.
        user: Box<User>,
    },
    /// A user was changed.
    #[serde(rename = "user.updated")]
    UserUpdated {
        /// The user after the change.
        user: Box<User>,
    },
    /// A user was banned from the whole app (v2 5.2).
    #[serde(rename = "user.banned")]
    UserBanned {
        /// The user before the change.
        user: Box<User>,
        /// Who did it, when that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_by: Option<UserId>,
        /// When the ban ends; `None` is never.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expiration: Option<Timestamp>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Whether it is a shadow ban.
        shadow: bool,
        /// How many bans the user had so far, with this one.
        total_bans: u64,
    },
    /// A user was let in again (v2 5.2).
    #[serde(rename = "user.unbanned")]
    UserUnbanned {
        /// The user after the change.
        user: Box<User>,
        /// Who did it, when that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_by: Option<UserId>,
        /// Whether it was a shadow ban.
        shadow: bool,
    },
    /// Moderation lets everything of a user pass, or no more. Ours.
    #[serde(rename = "user.moderation_bypass_changed")]
    UserBypassChanged {
        /// The user after the change.
        user: Box<User>,
    },
    /// A user was reported to the moderators (v2 5.2).
    #[serde(rename = "user.flagged")]
    UserFlagged {
        /// The user who was reported.
        user: Box<User>,
        /// Who reported it.
        flagged_by: UserId,
        /// What the report says.
        report: Report,
    },
    /// Something else was reported to the moderators. Ours.
    #[serde(rename = "flag.created")]
    FlagCreated {
        /// The kind of thing.
        entity_type: String,
        /// Which.
        entity_id: String,
        /// Whose it is, when that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entity_creator: Option<UserId>,
        /// Who reported it.
        flagged_by: UserId,
        /// What the report says.
        report: Report,
    },
    /// A user was deactivated.
    #[serde(rename = "user.deactivated")]
    UserDeactivated {
        /// The user after the change.
        user: Box<User>,
        /// Who did it, when that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_by: Option<UserId>,
        /// Whether the messages of the user were to show as deleted.
        mark_messages_deleted: bool,
        /// Whether the channels of the user were to show as deleted.
        mark_channels_deleted: bool,
    },
    /// A user was reactivated.
    #[serde(rename = "user.reactivated")]
    UserReactivated {
        /// The user after the change.
        user: Box<User>,
        /// Who did it, when that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_by: Option<UserId>,
        /// Whether messages hidden by the deactivation were to come back.
        restore_messages: bool,
        /// Whether channels hidden by the deactivation were to come back.
        restore_channels: bool,
    },
    /// A user was deleted, or is deleted for good after having been marked only (v2 5.2).
    #[serde(rename = "user.deleted")]
    UserDeleted {
        /// The user after the change.
        user: Box<User>,
        /// What of it, and how.
        plan: DeletionPlan,
    },
    /// A user has blocked another one. Ours.
    #[serde(rename = "user.blocked")]
    UserBlocked {
        /// Who did it.
        user: UserId,
        /// Who is blocked.
        blocked: UserId,
    },
    /// A user has ended a block. Ours.
    #[serde(rename = "user.unblocked")]
    UserUnblocked {
        /// Who did it.
        user: UserId,
        /// Who was blocked.
        blocked: UserId,
    },
    /// A user has muted others, or changed when that ends.
    #[serde(rename = "user.muted")]
    UserMuted {
        /// Who did it.
        user: Box<User>,
        /// Who is muted.
        targets: Vec<UserId>,
        /// When it ends; `None` is never.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Timestamp>,
    },
    /// A user has ended mutes.
    #[serde(rename = "user.unmuted")]
    UserUnmuted {
        /// Who did it.
        user: Box<User>,
        /// Who was muted.
        targets: Vec<UserId>,
    },
    /// A channel was made.
    #[serde(rename = "channel.created")]
    ChannelCreated {
        /// The channel as made.
        channel: Box<Channel>,
        /// Who is in it from the beginning.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        members: Vec<UserId>,
    },
    /// A channel was deleted (v2 5.3).
    #[serde(rename = "channel.deleted")]
    ChannelDeleted {
        /// The channel after the change.
        channel: Box<Channel>,
        /// Whether it was taken away, with all that hangs on it. What the log says of it stays for as long as the log does.
        hard: bool,
        /// Who was in it, when nothing of it is kept.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        members: Vec<UserId>,
    },
    /// A user came into a channel (v2 5.3).
    #[serde(rename = "member.added")]
    MemberAdded {
        /// The channel.
        cid: Cid,
        /// The member.
        member: Box<ChannelMember>,
    },
    /// A user was taken out of a channel, or left it (v2 5.3).
    #[serde(rename = "member.removed")]
    MemberRemoved {
        /// The channel.
        cid: Cid,
        /// The member as it was.
        member: Box<ChannelMember>,
    },
    /// A message was written.
    #[serde(rename = "message.new")]
    MessageNew {
        /// The message.
        message: Box<Message>,
    },
    /// A message was deleted.
    #[serde(rename = "message.deleted")]
    MessageDeleted {
        /// The message after the change.
        message: Box<Message>,
        /// Whether it was taken away, with all that hangs on it. What the log says of it stays for as long as the log does.
        hard: bool,
        /// Who did it, when that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deleted_by: Option<UserId>,
    },
    /// A user has reacted to a message.
    #[serde(rename = "reaction.new")]
    ReactionNew(ReactionEvent),
    /// A user has changed a reaction to a message.
    #[serde(rename = "reaction.updated")]
    ReactionUpdated(ReactionEvent),
    /// A user has taken back a reaction to a message.
    #[serde(rename = "reaction.deleted")]
    ReactionDeleted(ReactionEvent),
    /// A device takes pushes for a user, for whom it did not before. Ours.
    #[serde(rename = "device.created")]
    DeviceCreated {
        /// Whose device it is.
        user: UserId,
        /// The device.
        device: Box<Device>,
    },
    /// A device was registered again with other properties. Ours.
    #[serde(rename = "device.updated")]
    DeviceUpdated {
        /// Whose device it is.
        user: UserId,
        /// The device after the change.
        device: Box<Device>,
    },
    /// A device takes pushes for a user no longer: it was removed, is another user's now, or had to make room. Ours.
    #[serde(rename = "device.deleted")]
    DeviceDeleted {
        /// Whose device it was.
        user: UserId,
        /// The device.
        device: Box<Device>,
    },
    /// A user wants something else pushed. Ours.
    #[serde(rename = "push_preferences.updated")]
    PushPreferencesUpdated {
        /// The user.
        user: UserId,
        /// What it wants now.
        preferences: Box<PushPreferences>,
    },
    /// Something that held data of a user who was deleted for good since: all that is left of it. Ours.
    ///
    /// Readers that choose by type meet it under the name `redacted`; the row of the log keeps its type beside it.
    #[serde(rename = "redacted")]
    Redacted {
        /// The type that it was, see [`Event::name`].
        was: String,
    },
}

/// What a report to the moderators says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The item of the review queue.
    pub item: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Attached::is_empty")]
    pub custom: Attached,
    /// How many reports of the same thing there are, with this one.
    pub total_flags: u64,
}

/// A reaction, and where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReactionEvent {
    /// The channel.
    pub cid: Cid,
    /// The author of the message.
    pub author: UserId,
    /// The reaction.
    pub reaction: Reaction,
}

/// Which list of words was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockListEvent {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The team; none is the whole app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Who did it, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
}

impl Event {
    /// The type, by which readers choose.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AppCreated => "app.created",
            Self::AppUpdated { .. } => "app.updated",
            Self::AppSecretRotated => "app.secret_rotated",
            Self::AppRotationFinished => "app.rotation_finished",
            Self::AppSuspended { .. } => "app.suspended",
            Self::AppResumed => "app.resumed",
            Self::RoleCreated { .. } => "role.created",
            Self::RoleDeleted { .. } => "role.deleted",
            Self::BlockListCreated(_) => "blocklist.created",
            Self::BlockListUpdated(_) => "blocklist.updated",
            Self::BlockListDeleted(_) => "blocklist.deleted",
            Self::UserGroupCreated { .. } => "user_group.created",
            Self::UserGroupUpdated { .. } => "user_group.updated",
            Self::UserGroupDeleted { .. } => "user_group.deleted",
            Self::UserGroupMemberAdded { .. } => "user_group.member_added",
            Self::UserGroupAdminAdded { .. } => "user_group.admin_added",
            Self::UserGroupMemberRemoved { .. } => "user_group.member_removed",
            Self::ExportSucceeded { .. } => "export.users.success",
            Self::ExportFailed { .. } => "export.users.error",
            Self::UserCreated { .. } => "user.created",
            Self::UserUpdated { .. } => "user.updated",
            Self::UserBanned { .. } => "user.banned",
            Self::UserUnbanned { .. } => "user.unbanned",
            Self::UserBypassChanged { .. } => "user.moderation_bypass_changed",
            Self::UserFlagged { .. } => "user.flagged",
            Self::FlagCreated { .. } => "flag.created",
            Self::UserDeactivated { .. } => "user.deactivated",
            Self::UserReactivated { .. } => "user.reactivated",
            Self::UserDeleted { .. } => "user.deleted",
            Self::UserBlocked { .. } => "user.blocked",
            Self::UserUnblocked { .. } => "user.unblocked",
            Self::UserMuted { .. } => "user.muted",
            Self::UserUnmuted { .. } => "user.unmuted",
            Self::ChannelCreated { .. } => "channel.created",
            Self::ChannelDeleted { .. } => "channel.deleted",
            Self::MemberAdded { .. } => "member.added",
            Self::MemberRemoved { .. } => "member.removed",
            Self::MessageNew { .. } => "message.new",
            Self::MessageDeleted { .. } => "message.deleted",
            Self::ReactionNew(_) => "reaction.new",
            Self::ReactionUpdated(_) => "reaction.updated",
            Self::ReactionDeleted(_) => "reaction.deleted",
            Self::DeviceCreated { .. } => "device.created",
            Self::DeviceUpdated { .. } => "device.updated",
            Self::DeviceDeleted { .. } => "device.deleted",
            Self::PushPreferencesUpdated { .. } => "push_preferences.updated",
            Self::Redacted { .. } => "redacted",
        }
    }

    /// Whom the event is about, when it is about a user.
    #[must_use]
    pub fn subject(&self) -> Option<&User> {
        match self {
            Self::UserCreated { user }
            | Self::UserUpdated { user }
            | Self::UserBanned { user, .. }
            | Self::UserUnbanned { user, .. }
            | Self::UserBypassChanged { user }
            | Self::UserFlagged { user, .. }
            | Self::UserDeactivated { user, .. }
            | Self::UserReactivated { user, .. }
            | Self::UserDeleted { user, .. }
            | Self::UserMuted { user, .. }
            | Self::UserUnmuted { user, .. } => Some(user),
            Self::AppCreated
            | Self::AppUpdated { .. }
            | Self::AppSecretRotated
            | Self::AppRotationFinished
            | Self::AppSuspended { .. }
            | Self::AppResumed
            | Self::RoleCreated { .. }
            | Self::RoleDeleted { .. }
            | Self::BlockListCreated(_)
            | Self::BlockListUpdated(_)
            | Self::BlockListDeleted(_)
            | Self::UserGroupCreated { .. }
            | Self::UserGroupUpdated { .. }
            | Self::UserGroupDeleted { .. }
            | Self::UserGroupMemberAdded { .. }
            | Self::UserGroupAdminAdded { .. }
            | Self::UserGroupMemberRemoved { .. }
            | Self::ExportSucceeded { .. }
            | Self::ExportFailed { .. }
            | Self::FlagCreated { .. }
            | Self::UserBlocked { .. }
            | Self::UserUnblocked { .. }
            | Self::ChannelCreated { .. }
            | Self::ChannelDeleted { .. }
            | Self::MemberAdded { .. }
            | Self::MemberRemoved { .. }
            | Self::MessageNew { .. }
            | Self::MessageDeleted { .. }
            | Self::ReactionNew(_)
            | Self::ReactionUpdated(_)
            | Self::ReactionDeleted(_)
            | Self::DeviceCreated { .. }
            | Self::DeviceUpdated { .. }
            | Self::DeviceDeleted { .. }
            | Self::PushPreferencesUpdated { .. }
            | Self::Redacted { .. } => None,
        }
    }

    /// The id of the user whom the event is about, with or without a snapshot of it.
    #[must_use]
    pub fn subject_id(&self) -> Option<&UserId> {
        match self {
            Self::UserBlocked { user, .. }
            | Self::UserUnblocked { user, .. }
            | Self::DeviceCreated { user, .. }
            | Self::DeviceUpdated { user, .. }
            | Self::DeviceDeleted { user, .. }
            | Self::PushPreferencesUpdated { user, .. } => Some(user),
            Self::MemberAdded { member, .. } | Self::MemberRemoved { member, .. } => Some(&member.user),
            Self::MessageNew { message } | Self::MessageDeleted { message, .. } => Some(&message.user),
            Self::ReactionNew(event) | Self::ReactionUpdated(event) | Self::ReactionDeleted(event) => {
                Some(&event.reaction.user)
            }
            _ => self.subject().map(|user| &user.id),
        }
    }

    /// The form in which the log keeps the event: compact JSON.
    ///
    /// # Errors
    /// When a value has no JSON form, which no value of the model does.
    pub fn to_stored(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Stored { version: VERSION, event: self })
    }

    /// The event that the log keeps as `text`.
    ///
    /// # Errors
    /// When the text is not an event of a version that is known.
    pub fn from_stored(text: &str) -> Result<Self, serde_json::Error> {
        let stored: Stored<Self> = serde_json::from_str(text)?;
        if stored.version == VERSION {
            return Ok(stored.event);
        }
        Err(serde::de::Error::custom(format!("event version {} is not known", stored.version)))
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<E> {
    #[serde(rename = "v")]
    version: u32,
    #[serde(flatten)]
    event: E,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Absent, Limits, Profile};

    #[test]
    fn an_event_reads_back_as_it_was_stored() {
        let id = UserId::parse("alice").unwrap();
        let profile = Profile { name: Some("Alice".to_owned()), ..Profile::default() };
        let now = Timestamp::from_seconds(1);
        let user = Box::new(profile.apply(&id, None, now, Absent::Keep, &Limits::default()).unwrap());
        for event in [
            Event::AppCreated,
            Event::AppUpdated { settings: vec!["webhook_url".to_owned()] },
            Event::RoleDeleted { name: "captain".to_owned() },
            Event::BlockListDeleted(BlockListEvent {
                id: "1".to_owned(),
                name: "rude".to_owned(),
                team: None,
                by: Some(id.clone()),
            }),
            Event::UserGroupMemberRemoved {
                group: Box::new(UserGroup {
                    id: "design".to_owned(),
                    team: Some("red".to_owned()),
                    name: "Design".to_owned(),
                    description: None,
                    created_by: Some(id.clone()),
                    created_at: now,
                    updated_at: now,
                }),
                members: vec![id.clone()],
            },
            Event::UserCreated { user: user.clone() },
            Event::Redacted { was: "user.updated".to_owned() },
            Event::UserBlocked { user: id.clone(), blocked: id.clone() },
            Event::UserMuted { user: user.clone(), targets: vec![id.clone()], expires: Some(now) },
            Event::PushPreferencesUpdated { user: id.clone(), preferences: Box::default() },
            Event::UserBanned {
                user: user.clone(),
                created_by: Some(id.clone()),
                expiration: Some(now),
                reason: Some("spam".to_owned()),
                shadow: true,
                total_bans: 2,
            },
            Event::UserUnbanned { user: user.clone(), created_by: None, shadow: false },
            Event::UserFlagged { user: user.clone(), flagged_by: id.clone(), report: Report::default() },
            Event::UserDeactivated {
                user,
                created_by: Some(id),
                mark_messages_deleted: true,
                mark_channels_deleted: false,
            },
        ] {
            let text = event.to_stored().unwrap();
            assert!(text.starts_with(&format!(r#"{{"v":1,"type":"{}""#, event.name())), "{text}");
            assert_eq!(Event::from_stored(&text).unwrap(), event);
        }
        assert!(Event::from_stored(r#"{"v":2,"type":"app.created"}"#).is_err());
    }
}
