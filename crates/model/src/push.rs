//! What a user wants pushed (v2 3.7, semantics 14.6 to 14.8).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ChatCategory, ChatLevel, Cid, Delivery, FeedsCategory, Invalid, Timestamp, UserId};

/// The most entries of one call.
pub const MOST_PUSH_ENTRIES: usize = 100;

/// The most types of activities for which a user says what it wants.
pub const MOST_ACTIVITY_TYPES: usize = 50;

/// The longest name of a type of activities, in bytes.
pub const LONGEST_ACTIVITY_TYPE: usize = 255;

/// The switches of chat that are set.
pub type ChatSwitches = BTreeMap<ChatCategory, Delivery>;

/// The switches of feeds that are set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedsSwitches {
    /// By category.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<FeedsCategory, Delivery>,
    /// By type of activities, as the app names it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub activities: BTreeMap<String, Delivery>,
}

impl FeedsSwitches {
    /// Whether none is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.categories.is_empty() && self.activities.is_empty()
    }
}

/// What a user wants pushed. What is not set is as the channel, and at last everything, has it (14.8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PushPreferences {
    /// Of chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<ChatLevel>,
    /// Of calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<Delivery>,
    /// Of feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feeds: Option<Delivery>,
    /// Until when nothing at all is pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_until: Option<Timestamp>,
    /// Of chat, by category.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub chat_switches: ChatSwitches,
    /// Of feeds, by category.
    #[serde(skip_serializing_if = "FeedsSwitches::is_empty")]
    pub feeds_switches: FeedsSwitches,
}

impl PushPreferences {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The preferences as they are at `now`: without a snooze that is over.
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Self {
        Self { disabled_until: self.disabled_until.filter(|end| *end > now), ..self }
    }

    /// These preferences after `change`: what it gives is replaced, the rest stays.
    #[must_use]
    pub fn changed(&self, change: &PushChange) -> Self {
        let chosen = |before, choice: Option<Choice<Delivery>>| choice.map_or(before, Choice::value);
        Self {
            chat: change.chat.map_or(self.chat, Choice::value),
            calls: chosen(self.calls, change.calls),
            feeds: chosen(self.feeds, change.feeds),
            disabled_until: match change.snooze {
                None => self.disabled_until,
                Some(Snooze::Until(end)) => Some(end),
                Some(Snooze::Over) => None,
            },
            chat_switches: change.chat_switches.as_ref().unwrap_or(&self.chat_switches).clone(),
            feeds_switches: change.feeds_switches.as_ref().unwrap_or(&self.feeds_switches).clone(),
        }
    }
}

/// A level to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice<T> {
    /// None of the user's own.
    Default,
    /// This one.
    Level(T),
}

impl<T> Choice<T> {
    fn value(self) -> Option<T> {
        match self {
            Self::Default => None,
            Self::Level(level) => Some(level),
        }
    }
}

/// What becomes of the snooze.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Snooze {
    /// It lasts until then.
    Until(Timestamp),
    /// It is over.
    Over,
}

/// What changes in the preferences of a user; `None` is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushChange {
    /// See [`PushPreferences::chat`].
    pub chat: Option<Choice<ChatLevel>>,
    /// See [`PushPreferences::calls`].
    pub calls: Option<Choice<Delivery>>,
    /// See [`PushPreferences::feeds`].
    pub feeds: Option<Choice<Delivery>>,
    /// See [`PushPreferences::disabled_until`].
    pub snooze: Option<Snooze>,
    /// All switches of chat that are to be set from now on.
    pub chat_switches: Option<ChatSwitches>,
    /// All switches of feeds that are to be set from now on.
    pub feeds_switches: Option<FeedsSwitches>,
}

/// A change, and whose preferences it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushEntry {
    /// Whose; the user who asks, when nobody is named.
    pub user: Option<UserId>,
    /// The channel, when it is about one.
    pub channel: Option<Cid>,
    /// What changes.
    pub change: PushChange,
}

impl PushEntry {
    /// Checks that there are 1 to [`MOST_PUSH_ENTRIES`], none of which says too much.
    ///
    /// # Errors
    /// When there are not, or the first that does.
    pub fn check_all(entries: &[Self]) -> Result<(), Invalid> {
        let count = entries.len();
        if !(1..=MOST_PUSH_ENTRIES).contains(&count) {
            let why = format!("must hold 1 to {MOST_PUSH_ENTRIES} entries, holds {count}");
            return Err(Invalid::new("preferences", why));
        }
        for (place, entry) in entries.iter().enumerate() {
            entry.change.check().map_err(|invalid| invalid.within(format_args!("preferences.{place}")))?;
        }
        Ok(())
    }
}

impl PushChange {
    fn check(&self) -> Result<(), Invalid> {
        let activities = self.feeds_switches.iter().flat_map(|switches| switches.activities.keys());
        let field = "feeds_preferences.custom_activity_types";
        if activities.clone().count() > MOST_ACTIVITY_TYPES {
            return Err(Invalid::new(field, format!("must hold at most {MOST_ACTIVITY_TYPES} types")));
        }
        match activities.map(String::len).find(|length| !(1..=LONGEST_ACTIVITY_TYPE).contains(length)) {
            Some(length) => {
                let why = format!("each name must have 1 to {LONGEST_ACTIVITY_TYPE} bytes, one has {length}");
                Err(Invalid::new(field, why))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> PushEntry {
        PushEntry { user: None, channel: None, change: PushChange::default() }
    }

    #[test]
    fn what_is_given_is_replaced_and_the_rest_stays() {
        let moment = Timestamp::from_seconds;
        let first = PushChange {
            chat: Some(Choice::Level(ChatLevel::Mentions)),
            calls: Some(Choice::Level(Delivery::Nothing)),
            feeds: Some(Choice::Level(Delivery::All)),
            snooze: Some(Snooze::Until(moment(9))),
            chat_switches: Some(BTreeMap::from([
                (ChatCategory::ThreadReplies, Delivery::Nothing),
                (ChatCategory::RoleMentions, Delivery::All),
            ])),
            feeds_switches: Some(FeedsSwitches {
                activities: BTreeMap::from([("sale".to_owned(), Delivery::All)]),
                ..FeedsSwitches::default()
            }),
        };
        let stored = PushPreferences::default().changed(&first);
        assert_eq!(stored.changed(&PushChange::default()), stored);
        let read: PushPreferences = serde_json::from_str(&serde_json::to_string(&stored).unwrap()).unwrap();
        assert_eq!(read, stored);

        let switches = BTreeMap::from([(ChatCategory::DirectMentions, Delivery::All)]);
        let second = PushChange {
            chat: Some(Choice::Default),
            chat_switches: Some(switches.clone()),
            snooze: Some(Snooze::Over),
            ..PushChange::default()
        };
        let expected =
            PushPreferences { chat: None, disabled_until: None, chat_switches: switches, ..stored.clone() };
        assert_eq!(stored.changed(&second), expected);

        assert_eq!(stored.clone().as_of(moment(8)), stored);
        assert_eq!(stored.clone().as_of(moment(9)), PushPreferences { disabled_until: None, ..stored });
        assert_eq!(serde_json::to_string(&PushPreferences::default()).unwrap(), "{}");
    }

    #[test]
    fn a_call_has_some_entries_of_some_size() {
        let check =
            |entries: &[PushEntry]| PushEntry::check_all(entries).err().map(|invalid| invalid.to_string());
        assert_eq!(check(&[entry(), entry()]), None);
        assert_eq!(check(&[]).as_deref(), Some("preferences: must hold 1 to 100 entries, holds 0"));
        let many = vec![entry(); MOST_PUSH_ENTRIES + 1];
        assert_eq!(check(&many).as_deref(), Some("preferences: must hold 1 to 100 entries, holds 101"));
        let types = |names: Vec<String>| {
            let mut entry = entry();
            let activities = names.into_iter().map(|name| (name, Delivery::All)).collect();
            entry.change.feeds_switches = Some(FeedsSwitches { activities, ..FeedsSwitches::default() });
            check(&[entry])
        };
        let field = "preferences.0.feeds_preferences.custom_activity_types";
        let names = |count: usize| (0..count).map(|number| number.to_string()).collect();
        assert_eq!(types(names(MOST_ACTIVITY_TYPES)), None);
        assert_eq!(
            types(names(MOST_ACTIVITY_TYPES + 1)),
            Some(format!("{field}: must hold at most 50 types"))
        );
        for (name, has) in [(String::new(), 0), ("x".repeat(256), 256)] {
            let refused = types(vec![name]);
            assert_eq!(refused, Some(format!("{field}: each name must have 1 to 255 bytes, one has {has}")));
        }
    }
}
