//! Messages (v2 2.11).

use serde::{Deserialize, Serialize};

use crate::reaction::Reactions;
use crate::rules::written;
use crate::{Attached, Cid, CustomText, Deletion, DeletionCause, Invalid, Shown, Timestamp, User, UserId};

/// The most characters of the text of a message.
pub const LONGEST_TEXT: usize = 5000;

/// The most attachments of a message.
pub const MOST_ATTACHMENTS: usize = 30;

/// The most bytes of the attachments of a message together.
pub const MOST_ATTACHMENT_BYTES: usize = 20 << 10;

/// The most bytes of the app's own data of a message.
pub const MOST_MESSAGE_CUSTOM_BYTES: usize = 5 << 10;

/// The most messages that an answer shows.
pub const MOST_MESSAGES_SHOWN: usize = 100;

/// How many messages an answer shows when nothing is asked for (v2 2.11).
pub const MESSAGES_SHOWN: usize = 25;

/// The longest id of a message, in bytes.
const LONGEST_MESSAGE_ID: usize = 255;

/// The key of a message within one database. Keys grow in the order in which messages come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey(pub i64);

/// What kind of message it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// What a user writes.
    #[default]
    Regular,
    /// What the app has to say; from servers only.
    System,
}

impl MessageKind {
    /// Takes `name` for a kind.
    ///
    /// # Errors
    /// When there is no such kind that can be sent; the field is left to the caller.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        match name {
            "" | "regular" => Ok(Self::Regular),
            "system" => Ok(Self::System),
            other => Err(Invalid::new("", format!("must be 'regular' or 'system', got {}", Shown(other)))),
        }
    }

    /// The name by which it is stored and answered.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::System => "system",
        }
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The id, unique within the app.
    pub id: String,
    /// The channel.
    pub cid: Cid,
    /// The author.
    pub user: UserId,
    /// What kind.
    pub kind: MessageKind,
    /// What it says.
    pub text: String,
    /// What hangs on it: images, files, previews of links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attached>,
    /// The app's own data.
    #[serde(default, skip_serializing_if = "Attached::is_empty")]
    pub custom: Attached,
    /// Whether its author was shadow-banned: nobody else sees it (semantics 12.21).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadowed: bool,
    /// When it came.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// That it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Deletion>,
}

impl Message {
    /// Whether nothing is kept of it but that it was there.
    #[must_use]
    pub fn is_pruned(&self) -> bool {
        self.deletion.is_some_and(|deletion| deletion.cause == DeletionCause::Pruned)
    }
}

/// A message that is to be sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewMessage {
    /// The id; `None` has one made.
    pub id: Option<String>,
    /// Who sends it; the user who asks, when nobody is named.
    pub user: Option<UserId>,
    /// What kind.
    pub kind: MessageKind,
    /// What it says.
    pub text: String,
    /// What hangs on it.
    pub attachments: Vec<Attached>,
    /// The app's own data.
    pub custom: Attached,
}

impl NewMessage {
    /// Checks what every message has to be.
    ///
    /// # Errors
    /// The first field that breaks a rule; it is relative to the message.
    pub fn check(&self) -> Result<(), Invalid> {
        if let Some(id) = self.id.as_deref().filter(|id| !is_message_id(id)) {
            let why = format!(
                "must have 1 to {LONGEST_MESSAGE_ID} bytes without '/' and control characters, got {}",
                Shown(id)
            );
            return Err(Invalid::new("id", why));
        }
        let length = self.text.chars().count();
        if length > LONGEST_TEXT {
            return Err(Invalid::new("text", format!("may have {LONGEST_TEXT} characters, has {length}")));
        }
        let count = self.attachments.len();
        if count > MOST_ATTACHMENTS {
            let why = format!("a message may have at most {MOST_ATTACHMENTS}, got {count}");
            return Err(Invalid::new("attachments", why));
        }
        let bytes = written(&self.attachments);
        if bytes > MOST_ATTACHMENT_BYTES {
            let why = format!("may have {MOST_ATTACHMENT_BYTES} bytes together, have {bytes}");
            return Err(Invalid::new("attachments", why));
        }
        if self.text.is_empty() && self.attachments.is_empty() && self.custom.is_empty() {
            let why = "a message has a text, attachments or custom data, this one has none of them";
            return Err(Invalid::new("text", why));
        }
        Ok(())
    }
}

fn is_message_id(id: &str) -> bool {
    (1..=LONGEST_MESSAGE_ID).contains(&id.len())
        && !id.chars().any(|letter| letter.is_control() || letter == '/')
}

/// A message with what is shown beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageView {
    /// The message.
    pub message: Message,
    /// The author.
    pub author: User<CustomText>,
    /// The role of the author in the channel, when it is a member.
    pub role: Option<String>,
    /// The reactions to it.
    pub reactions: Reactions,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attachment(text: &str) -> Attached {
        let fields = json!({ "text": text }).as_object().cloned().unwrap();
        Attached::parse("attachments", fields, usize::MAX).unwrap()
    }

    #[track_caller]
    fn check(message: NewMessage, expected: Option<&str>) {
        let found = message.check().err().map(|invalid| invalid.to_string());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_message_says_something_and_not_too_much() {
        let text = |text: &str| NewMessage { text: text.to_owned(), ..NewMessage::default() };
        let with = |attachments| NewMessage { attachments, ..NewMessage::default() };
        let named = |id: &str| NewMessage { id: Some(id.to_owned()), ..text("hi") };
        check(text("hi"), None);
        check(with(vec![attachment("hi")]), None);
        check(
            text(""),
            Some("text: a message has a text, attachments or custom data, this one has none of them"),
        );
        check(text(&"é".repeat(5000)), None);
        check(text(&"é".repeat(5001)), Some("text: may have 5000 characters, has 5001"));
        check(with(vec![attachment("a"); 31]), Some("attachments: a message may have at most 30, got 31"));
        check(
            with(vec![attachment(&"a".repeat(20_480))]),
            Some("attachments: may have 20480 bytes together, have 20493"),
        );
        check(named("user-1.2:3"), None);
        let id =
            |got: &str| format!("id: must have 1 to 255 bytes without '/' and control characters, got {got}");
        check(named(""), Some(&id("''")));
        check(named("a/b"), Some(&id("'a/b'")));
        check(named(&"x".repeat(256)), Some(&id(&format!("'{}...'", "x".repeat(64)))));
    }

    #[test]
    fn kinds_have_names() {
        for kind in [MessageKind::Regular, MessageKind::System] {
            assert_eq!(MessageKind::parse(kind.name()), Ok(kind));
        }
        assert_eq!(MessageKind::parse(""), Ok(MessageKind::Regular));
        assert!(MessageKind::parse("deleted").is_err());
    }
}
