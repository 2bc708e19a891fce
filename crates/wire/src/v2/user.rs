//! The user objects of answers (v2 3.1).

use std::collections::BTreeMap;

use model::{ChannelMute, Custom, Device, Privacy, Timestamp, UserId, UserMute, UserView};
use serde::{Serialize, Serializer};

/// A time as whole nanoseconds.
pub(super) struct Moment(pub(super) Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(crate::timestamp(self.0))
    }
}

/// What every shape shows.
#[derive(Serialize)]
struct Common<'a> {
    id: &'a UserId,
    role: &'a str,
    banned: bool,
    shadow_banned: bool,
    online: bool,
    invisible: bool,
    language: &'a str,
    teams: &'a [String],
    blocked_user_ids: &'a [UserId],
    custom: &'a Custom,
    created_at: Moment,
    updated_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    teams_role: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    privacy_settings: Option<PrivacySettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deactivated_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoke_tokens_issued_before: Option<Moment>,
}

/// `UserResponse`: a user within another answer, for a server.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct UserResponse<'a>(Common<'a>);

/// `FullUserResponse`: a user as the subject of an answer, for a server.
#[derive(Serialize)]
pub(super) struct FullUserResponse<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    devices: Vec<Never>,
    mutes: Vec<Never>,
    channel_mutes: Vec<Never>,
    total_unread_count: u64,
    unread_count: u64,
    unread_channels: u64,
    unread_threads: u64,
}

/// What a part prints of which there are no values yet.
#[derive(Serialize)]
enum Never {}

impl From<&UserMute> for Never {
    fn from(mute: &UserMute) -> Self {
        match *mute {}
    }
}

impl From<&ChannelMute> for Never {
    fn from(mute: &ChannelMute) -> Self {
        match *mute {}
    }
}

impl From<&Device> for Never {
    fn from(device: &Device) -> Self {
        match *device {}
    }
}

#[derive(Serialize)]
struct PrivacySettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    typing_indicators: Option<Enabled>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_receipts: Option<Enabled>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_receipts: Option<Enabled>,
}

#[derive(Serialize)]
struct Enabled {
    enabled: bool,
}

impl From<Privacy> for PrivacySettings {
    fn from(privacy: Privacy) -> Self {
        let switch = |shared: Option<bool>| shared.map(|enabled| Enabled { enabled });
        Self {
            typing_indicators: switch(privacy.typing_indicators),
            read_receipts: switch(privacy.read_receipts),
            delivery_receipts: switch(privacy.delivery_receipts),
        }
    }
}

impl<'a> From<&'a UserView> for Common<'a> {
    fn from(view: &'a UserView) -> Self {
        let user = &view.user;
        Self {
            id: &user.id,
            role: &user.role,
            banned: view.ban.is_some(),
            shadow_banned: view.ban.as_ref().is_some_and(|ban| match *ban {}),
            online: view.online,
            invisible: user.invisible,
            language: &user.language,
            teams: &user.teams,
            blocked_user_ids: &view.blocks,
            custom: &user.custom,
            created_at: Moment(user.created_at),
            updated_at: Moment(user.updated_at),
            name: user.name.as_deref(),
            image: user.image.as_deref(),
            teams_role: &user.teams_role,
            privacy_settings: user.privacy.map(PrivacySettings::from),
            deactivated_at: user.deactivated_at.map(Moment),
            deleted_at: user.deleted_at.map(Moment),
            revoke_tokens_issued_before: user.tokens_revoked_before.map(Moment),
        }
    }
}

impl<'a> From<&'a UserView> for UserResponse<'a> {
    fn from(view: &'a UserView) -> Self {
        Self(view.into())
    }
}

impl<'a> From<&'a UserView> for FullUserResponse<'a> {
    fn from(view: &'a UserView) -> Self {
        Self {
            common: view.into(),
            devices: view.devices.iter().map(Never::from).collect(),
            mutes: view.mutes.iter().map(Never::from).collect(),
            channel_mutes: view.channel_mutes.iter().map(Never::from).collect(),
            total_unread_count: view.unread.messages,
            unread_count: view.unread.messages,
            unread_channels: view.unread.channels,
            unread_threads: view.unread.threads,
        }
    }
}
