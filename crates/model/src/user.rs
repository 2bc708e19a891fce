//! What a user is, as stored and as seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Custom, CustomText, DEFAULT_ROLE, Device, PushPreferences, Timestamp, UserId, UserKey};

/// A user of one app: the profile and its standing, without what hangs on it.
///
/// `C` is the form of the custom data: [`CustomText`](crate::CustomText) in a user that is only to be shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User<C = Custom> {
    /// The id, unique within the app.
    pub id: UserId,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address of the avatar; any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The role in the whole app.
    pub role: String,
    /// The teams, each once, in the order given.
    pub teams: Vec<String>,
    /// The role within a team; every key is one of `teams`.
    pub teams_role: BTreeMap<String, String>,
    /// The preferred language as `xx` or `xx-YY`; empty when unset.
    pub language: String,
    /// Whether the user hides that it is online.
    pub invisible: bool,
    /// What the user shares with others; `None` until first set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// The app's own data.
    pub custom: C,
    /// When the user came to be. Grows strictly with the key within an app.
    pub created_at: Timestamp,
    /// When the user was last changed.
    pub updated_at: Timestamp,
    /// Since when the user is deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivated_at: Option<Timestamp>,
    /// Since when the user is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Tokens of the user that were issued before are revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_revoked_before: Option<Timestamp>,
    /// The ban from the whole app as it was last set; it may be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban: Option<Ban>,
    /// Whether moderation lets everything of the user pass.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bypass_moderation: bool,
}

impl<C> User<C> {
    /// The user as it is to be shown at `now`: without a ban that is over (semantics 12.22).
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Self {
        Self { ban: self.ban.filter(|ban| ban.is_in_force(now)), ..self }
    }
}

impl User<CustomText> {
    /// Somebody who is not there, under an id that stands in the place of one who was (semantics 10.13).
    #[must_use]
    pub fn stand_in(id: UserId, since: Timestamp) -> Self {
        Self {
            id,
            name: None,
            image: None,
            role: DEFAULT_ROLE.to_owned(),
            teams: Vec::new(),
            teams_role: BTreeMap::new(),
            language: String::new(),
            invisible: false,
            privacy: None,
            custom: CustomText::empty(),
            created_at: since,
            updated_at: since,
            deactivated_at: None,
            deleted_at: None,
            tokens_revoked_before: None,
            ban: None,
            bypass_moderation: false,
        }
    }

    /// The user of whom nothing but the id and the times is told.
    #[must_use]
    pub fn stripped(self) -> Self {
        Self {
            updated_at: self.updated_at,
            deleted_at: self.deleted_at,
            ..Self::stand_in(self.id, self.created_at)
        }
    }
}

/// A ban from the whole app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// Whether the user goes on as before and nobody else sees what it writes, rather than being refused.
    pub shadow: bool,
    /// When it ends, to the nanosecond and without anybody's doing; `None` is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl Ban {
    /// Whether the ban has not ended at `now`.
    #[must_use]
    pub fn is_in_force(self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| end > now)
    }
}

/// A user with the key under which storage keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredUser<C = Custom> {
    /// The key.
    pub key: UserKey,
    /// The user.
    pub user: User<C>,
    /// What may hang on the user.
    pub parts: Parts,
}

impl<C> StoredUser<C> {
    /// The key, if nothing of the kind `part` hangs on the user as far as is known.
    #[must_use]
    pub fn lacks(&self, part: Parts) -> Option<UserKey> {
        (!self.parts.has(part)).then_some(self.key)
    }
}

/// What may hang on a user beside its own row: where a part is not named, there is nothing to look for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts(pub i64);

impl Parts {
    /// Users whom the user has blocked.
    pub const BLOCKS: Self = Self(1);
    /// Users whom the user has muted.
    pub const MUTES: Self = Self(2);
    /// Push devices.
    pub const DEVICES: Self = Self(4);
    /// What the user wants pushed.
    pub const PUSH_PREFERENCES: Self = Self(8);

    /// These and `others`.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether all of `others` are among these.
    #[must_use]
    pub const fn has(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

/// What a user shares with others; `None` is "not set", which counts as shared (semantics 1.24).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privacy {
    /// Whether others see that the user is typing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typing_indicators: Option<bool>,
    /// Whether others see how far the user has read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_receipts: Option<bool>,
    /// Whether others see what has been delivered to the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_receipts: Option<bool>,
}

impl Privacy {
    /// These settings, with those of `newer` that are set put over them (semantics 3, DESIGN 3).
    #[must_use]
    pub fn merged(self, newer: Self) -> Self {
        Self {
            typing_indicators: newer.typing_indicators.or(self.typing_indicators),
            read_receipts: newer.read_receipts.or(self.read_receipts),
            delivery_receipts: newer.delivery_receipts.or(self.delivery_receipts),
        }
    }

    /// The place of one switch.
    pub fn switch(&mut self, switch: PrivacySwitch) -> &mut Option<bool> {
        match switch {
            PrivacySwitch::TypingIndicators => &mut self.typing_indicators,
            PrivacySwitch::ReadReceipts => &mut self.read_receipts,
            PrivacySwitch::DeliveryReceipts => &mut self.delivery_receipts,
        }
    }
}

/// One of the switches of [`Privacy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivacySwitch {
    /// [`Privacy::typing_indicators`]
    TypingIndicators,
    /// [`Privacy::read_receipts`]
    ReadReceipts,
    /// [`Privacy::delivery_receipts`]
    DeliveryReceipts,
}

/// A user with everything that a response shows of it: loaded by storage, cut to its audience by operations,
/// printed by wire.
///
/// Mutes of channels have not come yet: theirs is a type without values, so the list is provably empty.
#[derive(Clone, Debug, PartialEq)]
pub struct UserView<C = Custom> {
    /// The user.
    pub user: User<C>,
    /// Whether the user is connected and shows it.
    pub online: bool,
    /// Whom the user has blocked.
    pub blocks: Vec<UserId>,
    /// Whom the user has muted.
    pub mutes: Vec<UserMute>,
    /// Which channels the user has muted.
    pub channel_mutes: Vec<ChannelMute>,
    /// The push devices of the user.
    pub devices: Vec<Device>,
    /// What the user wants pushed.
    pub push_preferences: PushPreferences,
    /// What the user has not read.
    pub unread: Unread,
}

impl<C> UserView<C> {
    /// A user on which nothing hangs.
    #[must_use]
    pub fn bare(user: User<C>) -> Self {
        Self {
            user,
            online: false,
            blocks: Vec::new(),
            mutes: Vec::new(),
            channel_mutes: Vec::new(),
            devices: Vec::new(),
            push_preferences: PushPreferences::default(),
            unread: Unread::default(),
        }
    }
}

/// A user whom another one has muted.
#[derive(Clone, Debug, PartialEq)]
pub struct UserMute {
    /// The muted user.
    pub target: User<CustomText>,
    /// When it ends; `None` is never.
    pub expires: Option<Timestamp>,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last set.
    pub updated_at: Timestamp,
}

/// A muted channel. There are none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelMute {}

/// Counts of what a user has not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Messages over all channels.
    pub messages: u64,
    /// Channels with at least one unread message.
    pub channels: u64,
    /// Threads with unread replies.
    pub threads: u64,
}
