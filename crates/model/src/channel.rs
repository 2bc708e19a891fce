//! Channels and who is in them (v2 2.11).

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;

use crate::{
    ANONYMOUS_ROLE, Attached, CATALOGUE, Cid, CustomText, DEFAULT_ROLE, Deletion, GUEST_ROLE, Invalid, Level,
    MESSAGES_SHOWN, MOST_MESSAGES_SHOWN, MessageView, Secret, Shown, Timestamp, User, UserId, UserKey,
};

/// The most members of a channel.
pub const MOST_CHANNEL_MEMBERS: usize = 10_000;

/// The most users whom one request puts into a channel or takes out of it.
pub const MOST_CHANNEL_MEMBERS_A_CALL: usize = 100;

/// The most members that an answer shows, and how many it does when nothing is asked for (v2 2.11).
pub const MOST_MEMBERS_SHOWN: usize = 100;

/// The most bytes of the app's own data of a channel, and of a member.
pub const MOST_CHANNEL_CUSTOM_BYTES: usize = 5 << 10;

/// The types of channels that every app has.
pub const CHANNEL_TYPES: &[&str] = &["commerce", "gaming", "livestream", "messaging", "team"];

/// The role of a member that was given none (v2 6).
pub const CHANNEL_MEMBER: &str = "channel_member";

/// The role of a member who moderates the channel.
pub const CHANNEL_MODERATOR: &str = "channel_moderator";

/// The longest id of a channel, in bytes.
const LONGEST_CHANNEL_ID: usize = 64;

/// What the id of a channel begins with that is found by its members.
const DISTINCT: &str = "!members-";

/// The key of a channel within one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelKey(pub i64);

/// A channel, without its members and messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// The type and the id within it.
    pub cid: Cid,
    /// The team whose channel it is; it never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Who created it; once that user is gone, the generated id that stands in its place (semantics 10.13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// The app's own data.
    #[serde(default, skip_serializing_if = "Attached::is_empty")]
    pub custom: Attached,
    /// How many members it has.
    pub member_count: u64,
    /// How many messages it has, deleted ones of which something is kept included.
    pub message_count: u64,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When the newest message came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<Timestamp>,
    /// That it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Deletion>,
}

impl Channel {
    /// Whether it is found by its members.
    #[must_use]
    pub fn is_distinct(&self) -> bool {
        self.cid.id.starts_with(DISTINCT)
    }
}

/// A channel as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredChannel {
    /// The key.
    pub key: ChannelKey,
    /// The key of the user who created it, as long as that one is there.
    pub created_by: Option<UserKey>,
    /// The channel.
    pub channel: Channel,
}

/// Someone in a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelMember {
    /// Who.
    pub user: UserId,
    /// The role in the channel.
    pub role: String,
    /// The app's own data.
    #[serde(default, skip_serializing_if = "Attached::is_empty")]
    pub custom: Attached,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Someone who is to be in a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMember {
    /// Who.
    pub user: UserId,
    /// The role in the channel.
    pub role: String,
    /// The app's own data.
    pub custom: Attached,
}

impl NewMember {
    /// Checks the role.
    ///
    /// # Errors
    /// When no member can have it; the field is relative to the member.
    pub fn check(&self) -> Result<(), Invalid> {
        if [CHANNEL_MEMBER, CHANNEL_MODERATOR].contains(&self.role.as_str()) {
            return Ok(());
        }
        let why = format!("must be '{CHANNEL_MEMBER}' or '{CHANNEL_MODERATOR}', got {}", Shown(&self.role));
        Err(Invalid::new("channel_role", why))
    }
}

/// A member with the user that it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelMemberView {
    /// The member.
    pub member: ChannelMember,
    /// The user.
    pub user: User<CustomText>,
}

/// A channel with what is shown beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelView {
    /// The channel.
    pub channel: Channel,
    /// Who created it, or who stands in the place of that user.
    pub creator: Option<User<CustomText>>,
}

/// How much of a channel is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// How many members.
    pub members: usize,
    /// After how many of them.
    pub members_offset: usize,
    /// How many of the newest messages.
    pub messages: usize,
}

impl Default for Extent {
    fn default() -> Self {
        Self { members: MOST_MEMBERS_SHOWN, members_offset: 0, messages: MESSAGES_SHOWN }
    }
}

impl Extent {
    /// Checks that no more is asked for than is answered.
    ///
    /// # Errors
    /// The first number that is too great.
    pub fn check(self) -> Result<(), Invalid> {
        let within = |field: &str, count: usize, most: usize| match count > most {
            true => Err(Invalid::new(field, format!("must be at most {most}, got {count}"))),
            false => Ok(()),
        };
        within("members.limit", self.members, MOST_MEMBERS_SHOWN)?;
        within("members.offset", self.members_offset, MOST_CHANNEL_MEMBERS)?;
        within("messages.limit", self.messages, MOST_MESSAGES_SHOWN)
    }
}

/// A channel with its first members and its newest messages.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelState {
    /// The channel.
    pub channel: ChannelView,
    /// Members, in the order of their keys.
    pub members: Vec<ChannelMemberView>,
    /// The membership of the user who asks.
    pub membership: Option<ChannelMemberView>,
    /// Messages, oldest first.
    pub messages: Vec<MessageView>,
}

/// The grants that a type of channels has in place of the built-in ones, role by role: everybody reads a livestream, whoever
/// is nobody too (semantics 6.2).
#[must_use]
pub fn grants_of_type(kind: &str) -> Option<Value> {
    if kind != "livestream" {
        return None;
    }
    let with_reading = |role: &str| {
        let built_in = CATALOGUE
            .iter()
            .filter(|permission| permission.level == Level::Channel && permission.granted.contains(&role));
        let ids: Vec<&str> = built_in.map(|permission| permission.id).chain(["read-channel"]).collect();
        (role.to_owned(), Value::from(ids))
    };
    Some(Value::Object([ANONYMOUS_ROLE, GUEST_ROLE, DEFAULT_ROLE].map(with_reading).into_iter().collect()))
}

/// Checks the name of a channel that is to be made.
///
/// # Errors
/// When there is no such type, or no channel can have the id.
pub fn check_new_cid(cid: &Cid) -> Result<(), Invalid> {
    check_type(&cid.kind)?;
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-!".contains(&byte);
    let id = cid.id.as_str();
    if !(1..=LONGEST_CHANNEL_ID).contains(&id.len()) || !id.bytes().all(known) {
        let why = format!(
            "must have 1 to {LONGEST_CHANNEL_ID} letters, digits, '_', '-' and '!', got {}",
            Shown(id)
        );
        return Err(Invalid::new("id", why));
    }
    if id.starts_with(DISTINCT) {
        let why = format!(
            "an id that begins with '{DISTINCT}' is given to channels that are found by their members"
        );
        return Err(Invalid::new("id", why));
    }
    Ok(())
}

/// Checks the type of a channel that is to be made.
///
/// # Errors
/// When there is no such type.
pub fn check_type(kind: &str) -> Result<(), Invalid> {
    if CHANNEL_TYPES.contains(&kind) {
        return Ok(());
    }
    let why = format!("there is no channel type {}; there are {}", Shown(kind), CHANNEL_TYPES.join(", "));
    Err(Invalid::new("type", why))
}

/// The id of the channel that exactly these users share: the same whoever names them, in whatever order. Only who holds `key`
/// can tell of somebody who is gone that it was one of them.
#[must_use]
pub fn distinct_id(key: &Secret, members: &BTreeSet<&UserId>) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut digest = Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes()).expect("a key");
    for member in members {
        digest.update(member.as_str().as_bytes());
        // No id has such a byte, so no two sets have one text.
        digest.update(&[0]);
    }
    let digest = digest.finalize().into_bytes();
    let digits: String = digest.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    format!("{DISTINCT}{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> Vec<UserId> {
        names.iter().map(|name| UserId::parse(name).unwrap()).collect()
    }

    fn distinct(names: &[&str]) -> String {
        distinct_id(&Secret::new("key".to_owned()), &ids(names).iter().collect())
    }

    #[test]
    fn the_same_members_share_one_id_in_any_order() {
        assert_eq!(distinct(&["a", "b"]), distinct(&["b", "a", "b"]));
        assert_ne!(distinct(&["a", "b"]), distinct(&["ab"]));
        assert_ne!(distinct(&["a", "b"]), distinct(&["a", "b", "c"]));
        assert!(distinct(&["a"]).len() <= LONGEST_CHANNEL_ID);
        let elsewhere = distinct_id(&Secret::new("other".to_owned()), &ids(&["a", "b"]).iter().collect());
        assert_ne!(distinct(&["a", "b"]), elsewhere, "an id tells nothing without the key");
    }

    #[track_caller]
    fn check(kind: &str, id: &str, expected: Option<&str>) {
        let cid = Cid { kind: kind.to_owned(), id: id.to_owned() };
        let found = check_new_cid(&cid).err().map(|invalid| invalid.to_string());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn channels_have_a_type_that_is_there_and_a_short_id() {
        let id = |got: &str| format!("id: must have 1 to 64 letters, digits, '_', '-' and '!', got {got}");
        check("messaging", "!a-B_9", None);
        check("messaging", &"x".repeat(64), None);
        check("messaging", &"x".repeat(65), Some(&id(&format!("'{}...'", "x".repeat(64)))));
        check("messaging", "", Some(&id("''")));
        check("messaging", "a b", Some(&id("'a b'")));
        check(
            "chat",
            "x",
            Some(
                "type: there is no channel type 'chat'; there are commerce, gaming, livestream, messaging, team",
            ),
        );
        check(
            "team",
            "!members-1",
            Some(
                "id: an id that begins with '!members-' is given to channels that are found by their members",
            ),
        );
    }

    #[test]
    fn members_have_a_role_of_channels() {
        let member = |role: &str| NewMember {
            user: UserId::parse("a").unwrap(),
            role: role.to_owned(),
            custom: Attached::default(),
        };
        assert_eq!(member("channel_moderator").check(), Ok(()));
        assert_eq!(
            member("admin").check().unwrap_err().to_string(),
            "channel_role: must be 'channel_member' or 'channel_moderator', got 'admin'"
        );
    }
}
