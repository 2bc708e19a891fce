//! Bodies and answers of the operation on push preferences (v2 2.3, 3.7).

use std::collections::BTreeMap;

use model::{
    ChatCategory, ChatLevel, ChatSwitches, Choice, Cid, Delivery, FeedsCategory, FeedsSwitches, Invalid,
    PushChange, PushEntry, PushPreferences, Snooze, UserId,
};
use serde_json::{Map, Value};

use super::user::Moment;
use crate::body::{self, Object};
use crate::print::Printer;

/// The level that is none of the user's own.
const DEFAULT: &str = "default";

/// `UpdatePushNotificationPreferencesRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode(body: Map<String, Value>) -> Result<Vec<PushEntry>, Invalid> {
    let mut body = Object::root(body);
    let Some(entries) = body.list("preferences")? else {
        return Err(body.refuse("preferences", "is required: a list of what users want pushed"));
    };
    let decode = |(place, entry)| decode_entry(Object::expect(format!("preferences.{place}"), entry)?);
    entries.into_iter().enumerate().map(decode).collect()
}

/// `PushPreferenceInput`.
fn decode_entry(mut entry: Object) -> Result<PushEntry, Invalid> {
    let channel = entry.string("channel_cid")?.filter(|cid| !cid.is_empty());
    let channel = channel.map(|cid| Cid::parse(&cid)).transpose();
    let channel = channel.map_err(|invalid| invalid.within(entry.path_of("channel_cid")))?;
    Ok(PushEntry {
        user: entry.user_id("user_id")?,
        channel,
        change: PushChange {
            chat: level(&mut entry, "chat_level", &ChatLevel::ALL, ChatLevel::name)?,
            calls: level(&mut entry, "call_level", &Delivery::ALL, Delivery::name)?,
            feeds: level(&mut entry, "feeds_level", &Delivery::ALL, Delivery::name)?,
            snooze: snooze(&mut entry)?,
            chat_switches: entry.object("chat_preferences")?.map(chat_switches).transpose()?,
            feeds_switches: entry.object("feeds_preferences")?.map(feeds_switches).transpose()?,
        },
    })
}

fn level<T: Copy>(
    entry: &mut Object,
    field: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Option<Choice<T>>, Invalid> {
    let Some(given) = entry.string(field)? else { return Ok(None) };
    if given == DEFAULT {
        return Ok(Some(Choice::Default));
    }
    let found = all.iter().copied().find(|level| name(*level) == given);
    let refuse = || {
        let names: Vec<&str> = all.iter().map(|level| name(*level)).collect();
        entry.refuse(field, format!("must be one of {}, or '{DEFAULT}'", quoted(&names)))
    };
    found.map(|level| Some(Choice::Level(level))).ok_or_else(refuse)
}

fn snooze(entry: &mut Object) -> Result<Option<Snooze>, Invalid> {
    let until = entry.value("disabled_until");
    let until = until.map(|value| body::moment(&entry.path_of("disabled_until"), &value)).transpose()?;
    match (until, entry.boolean("remove_disable")?.unwrap_or(false)) {
        (Some(_), true) => {
            Err(entry.refuse("remove_disable", "cannot be true while disabled_until is given"))
        }
        (Some(end), false) => Ok(Some(Snooze::Until(end))),
        (None, true) => Ok(Some(Snooze::Over)),
        (None, false) => Ok(None),
    }
}

/// `ChatPreferencesInput`.
fn chat_switches(mut switches: Object) -> Result<ChatSwitches, Invalid> {
    let mut set = BTreeMap::new();
    for category in ChatCategory::ALL {
        if let Some(text) = switches.string(category.name())? {
            set.insert(category, delivery(&text, || switches.path_of(category.name()))?);
        }
    }
    Ok(set)
}

/// `FeedsPreferences`.
fn feeds_switches(mut switches: Object) -> Result<FeedsSwitches, Invalid> {
    let mut set = FeedsSwitches::default();
    for category in FeedsCategory::ALL {
        if let Some(text) = switches.string(category.name())? {
            set.categories.insert(category, delivery(&text, || switches.path_of(category.name()))?);
        }
    }
    for (name, text) in switches.string_map("custom_activity_types")?.into_iter().flatten() {
        let field = || format!("{}.{name}", switches.path_of("custom_activity_types"));
        let wanted = delivery(&text, field)?;
        set.activities.insert(name, wanted);
    }
    Ok(set)
}

fn delivery(text: &str, field: impl Fn() -> String) -> Result<Delivery, Invalid> {
    let names = Delivery::ALL.map(Delivery::name);
    let found = Delivery::ALL.into_iter().find(|delivery| delivery.name() == text);
    found.ok_or_else(|| Invalid::new(field(), format!("must be one of {}", quoted(&names))))
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

/// `UpsertPushPreferencesResponse`: what everybody who was named wants now. Of channels there are none yet.
#[must_use]
pub fn encode(users: &BTreeMap<UserId, PushPreferences>, duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(128 + 128 * users.len());
    printer
        .raw(r#"{"duration":"#)
        .text(duration)
        .raw(r#","user_channel_preferences":{},"user_preferences":{"#);
    for (place, (id, preferences)) in users.iter().enumerate() {
        printer.raw(if place > 0 { "," } else { "" }).text(id.as_str()).raw(":");
        print(&mut printer, preferences);
    }
    printer.raw("}}");
    printer.into_bytes()
}

/// Prints a `PushPreferencesResponse`.
pub(super) fn print(printer: &mut Printer, preferences: &PushPreferences) {
    let mut fields = Fields { printer, opening: "{" };
    if let Some(level) = preferences.chat {
        fields.name("chat_level").text(level.name());
    }
    if let Some(level) = preferences.calls {
        fields.name("call_level").text(level.name());
    }
    if let Some(level) = preferences.feeds {
        fields.name("feeds_level").text(level.name());
    }
    if let Some(end) = preferences.disabled_until {
        fields.name("disabled_until").value(&Moment(end));
    }
    if !preferences.chat_switches.is_empty() {
        let mut inner = Fields { printer: fields.name("chat_preferences"), opening: "{" };
        for (category, delivery) in &preferences.chat_switches {
            inner.name(category.name()).text(delivery.name());
        }
        inner.close();
    }
    if !preferences.feeds_switches.is_empty() {
        print_feeds(fields.name("feeds_preferences"), &preferences.feeds_switches);
    }
    fields.close();
}

fn print_feeds(printer: &mut Printer, switches: &FeedsSwitches) {
    let mut fields = Fields { printer, opening: "{" };
    for (category, delivery) in &switches.categories {
        fields.name(category.name()).text(delivery.name());
    }
    if !switches.activities.is_empty() {
        let mut inner = Fields { printer: fields.name("custom_activity_types"), opening: "{" };
        for (name, delivery) in &switches.activities {
            inner.name(name).text(delivery.name());
        }
        inner.close();
    }
    fields.close();
}

/// An object that is being printed, none of whose fields is always there.
struct Fields<'p> {
    printer: &'p mut Printer,
    /// What stands before the next field.
    opening: &'static str,
}

impl Fields<'_> {
    fn name(&mut self, name: &str) -> &mut Printer {
        self.printer.raw(self.opening).text(name).raw(":");
        self.opening = ",";
        self.printer
    }

    fn close(self) {
        self.printer.raw(if self.opening == "{" { "{}" } else { "}" });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decoded(entry: &Value) -> Result<Vec<PushEntry>, Invalid> {
        decode(json!({"preferences": [entry]}).as_object().cloned().unwrap())
    }

    #[test]
    fn what_is_set_is_shown_as_it_was_given() {
        let wanted = json!({
            "chat_level": "mentions", "call_level": "none", "feeds_level": "all",
            "disabled_until": 1_704_067_200_000_000_000_i64,
            "chat_preferences": {"direct_mentions": "all", "thread_replies": "none"},
            "feeds_preferences": {"comment": "all", "follow": "none", "custom_activity_types": {"a\"b": "all"}},
        });
        let entry = decoded(&wanted).unwrap().remove(0);
        let preferences = PushPreferences::default().changed(&entry.change);
        let users = BTreeMap::from([
            (UserId::parse("a").unwrap(), preferences),
            (UserId::parse("b").unwrap(), PushPreferences::default()),
        ]);
        let shown: Value = serde_json::from_slice(&encode(&users, "1ms")).unwrap();
        let expected = json!({"duration": "1ms", "user_channel_preferences": {},
            "user_preferences": {"a": wanted, "b": {}}});
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_level_can_be_none_of_ones_own_and_a_snooze_can_end() {
        let entry =
            json!({"user_id": "a", "chat_level": "default", "remove_disable": true, "channel_cid": ""});
        let entry = decoded(&entry).unwrap().remove(0);
        assert_eq!((entry.change.chat, entry.change.calls), (Some(Choice::Default), None));
        assert_eq!((entry.change.snooze, entry.channel), (Some(Snooze::Over), None));
        let channel =
            decoded(&json!({"channel_cid": "messaging:general"})).unwrap().remove(0).channel.unwrap();
        assert_eq!(channel.to_string(), "messaging:general");
    }

    #[test]
    fn refusals_name_the_field() {
        let levels =
            "must be one of 'all', 'mentions', 'direct_mentions', 'all_mentions', 'none', or 'default'";
        for (entry, field, why) in [
            (json!("a"), "", "must be an object, got a string"),
            (
                json!({"user_id": "a b"}),
                ".user_id",
                "may have letters, digits, '@', '_' and '-' only, got 'a b'",
            ),
            (json!({"channel_cid": "x"}), ".channel_cid", "must be a type and an id like 'type:id', got 'x'"),
            (json!({"chat_level": "some"}), ".chat_level", levels),
            (json!({"chat_level": ""}), ".chat_level", levels),
            (json!({"call_level": "mentions"}), ".call_level", "must be one of 'all', 'none', or 'default'"),
            (json!({"feeds_level": 1}), ".feeds_level", "must be a string, got a number"),
            (
                json!({"disabled_until": "tomorrow"}),
                ".disabled_until",
                "must be a time like '2024-01-02T03:04:05.678Z' between 1678 and 2261, or nanoseconds since 1970",
            ),
            (
                json!({"disabled_until": 7, "remove_disable": true}),
                ".remove_disable",
                "cannot be true while disabled_until is given",
            ),
            (
                json!({"chat_preferences": {"here_mentions": "default"}}),
                ".chat_preferences.here_mentions",
                "must be one of 'all', 'none'",
            ),
            (
                json!({"feeds_preferences": {"custom_activity_types": {"sale": "some"}}}),
                ".feeds_preferences.custom_activity_types.sale",
                "must be one of 'all', 'none'",
            ),
        ] {
            let refused = Invalid::new(format!("preferences.0{field}"), why);
            assert_eq!(decoded(&entry).unwrap_err(), refused, "{entry}");
        }
        assert_eq!(decode(Map::new()).unwrap_err().field, "preferences");
    }
}
