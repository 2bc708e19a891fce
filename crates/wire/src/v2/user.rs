//! The user objects of answers (v2 3.1), printed field by field: most of what the server prints is users.

use model::{Device, Privacy, Timestamp, User, UserId, UserMute, UserView};
use serde::{Serialize, Serializer};
use serde_json::Map;

use super::push_preferences;
use crate::print::Printer;

/// Room for a user: most take less.
pub(super) const ROOM: usize = 768;

/// A time as whole nanoseconds.
pub(super) struct Moment(pub(super) Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(crate::timestamp(self.0))
    }
}

/// A shape of a user in an event (v2 3.1, 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventShape {
    /// `UserResponseCommonFields`: the user of most events, for everybody.
    Common,
    /// `UserResponsePrivacyFields`: the user of `user.updated`, with what it shares but not whom it has blocked.
    Privacy,
}

/// A user as events show it.
#[must_use]
pub fn encode_for_event<C: Serialize>(view: &UserView<C>, shape: EventShape) -> Vec<u8> {
    let mut printer = Printer::with_capacity(ROOM);
    print_core(&mut printer, &view.user, view.online);
    match shape {
        EventShape::Common => print_blocks(&mut printer, &view.blocks),
        EventShape::Privacy => print_privacy(&mut printer, &view.user),
    }
    printer.raw("}");
    printer.into_bytes()
}

/// Prints a `UserResponse`: a user within another answer.
pub(super) fn print<C: Serialize>(printer: &mut Printer, view: &UserView<C>) {
    print_common(printer, &view.user, view.online, &view.blocks);
    print_moderation(printer, &view.user);
    printer.raw("}");
}

/// Prints a `UserResponse` of a user of whom nothing but its own row is known: it is within something of somebody else's.
pub(super) fn print_nested<C: Serialize>(printer: &mut Printer, user: &User<C>) {
    print_common(printer, user, false, &[]);
    print_moderation(printer, user);
    printer.raw("}");
}

/// Prints a `UserResponse` of the user to whom the things of a list belong, the same one in each of them: without its
/// custom data, which a long list would repeat.
pub(super) fn print_owner<C>(printer: &mut Printer, user: &User<C>) {
    print_with(printer, user, false, &Map::new());
    print_blocks(printer, &[]);
    print_privacy(printer, user);
    print_moderation(printer, user);
    printer.raw("}");
}

/// Prints a `FullUserResponse`: a user as the subject of an answer.
pub(super) fn print_full<C: Serialize>(printer: &mut Printer, view: &UserView<C>) {
    print_common(printer, &view.user, view.online, &view.blocks);
    print_moderation(printer, &view.user);
    print_belongings(printer, view);
}

/// Prints an `OwnUserResponse`: the user who asks. It is not told of a shadow ban.
pub(super) fn print_own<C: Serialize>(printer: &mut Printer, view: &UserView<C>) {
    print_common(printer, &view.user, view.online, &view.blocks);
    if !view.push_preferences.is_empty() {
        printer.raw(r#","push_preferences":"#);
        push_preferences::print(printer, &view.push_preferences);
    }
    print_belongings(printer, view);
}

/// Prints a `DeviceResponse` of a device of `owner`.
pub(super) fn print_device(printer: &mut Printer, owner: &UserId, device: &Device) {
    printer.raw(r#"{"id":"#).text(&device.id);
    printer.raw(r#","push_provider":"#).text(device.provider.name());
    printer.raw(r#","user_id":"#).text(owner.as_str());
    printer.raw(r#","created_at":"#).value(&Moment(device.created_at));
    let texts = [
        (r#","push_provider_name":"#, &device.provider_name),
        (r#","hardware_id":"#, &device.hardware_id),
        (r#","disabled":true,"disabled_reason":"#, &device.disabled_reason),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            printer.raw(name).text(text);
        }
    }
    printer.raw(if device.voip { r#","voip":true}"# } else { "}" });
}

/// Prints a `UserMuteResponse` of a mute by `user`.
pub(super) fn print_mute<C>(printer: &mut Printer, user: &User<C>, mute: &UserMute) {
    printer.raw(r#"{"user":"#);
    print_owner(printer, user);
    printer.raw(r#","target":"#);
    print_nested(printer, &mute.target);
    printer.raw(r#","created_at":"#).value(&Moment(mute.created_at));
    printer.raw(r#","updated_at":"#).value(&Moment(mute.updated_at));
    if let Some(expires) = mute.expires {
        printer.raw(r#","expires":"#).value(&Moment(expires));
    }
    printer.raw("}");
}

/// Prints what hangs on a user, and closes the object.
fn print_belongings<C: Serialize>(printer: &mut Printer, view: &UserView<C>) {
    let (user, unread) = (&view.user, view.unread);
    printer
        .raw(r#","devices":"#)
        .list(&view.devices, |printer, device| print_device(printer, &user.id, device));
    printer.raw(r#","mutes":"#).list(&view.mutes, |printer, mute| print_mute(printer, user, mute));
    // Of these there are none yet.
    printer.raw(r#","channel_mutes":"#).list(&view.channel_mutes, |_, mute| match *mute {});
    printer.raw(r#","total_unread_count":"#).value(&unread.messages);
    printer.raw(r#","unread_count":"#).value(&unread.messages);
    printer.raw(r#","unread_channels":"#).value(&unread.channels);
    printer.raw(r#","unread_threads":"#).value(&unread.threads).raw("}");
}

/// Prints what moderators have done to a user, but for what every shape shows.
fn print_moderation<C>(printer: &mut Printer, user: &User<C>) {
    printer.raw(r#","shadow_banned":"#).boolean(user.ban.is_some_and(|ban| ban.shadow));
    if let Some(end) = user.ban.and_then(|ban| ban.expires) {
        printer.raw(r#","ban_expires":"#).value(&Moment(end));
    }
    if user.bypass_moderation {
        printer.raw(r#","bypass_moderation":true"#);
    }
}

/// Prints what every answer shows, and leaves the object open.
fn print_common<C: Serialize>(printer: &mut Printer, user: &User<C>, online: bool, blocks: &[UserId]) {
    print_core(printer, user, online);
    print_blocks(printer, blocks);
    print_privacy(printer, user);
}

/// Prints whom a user has blocked.
fn print_blocks(printer: &mut Printer, blocks: &[UserId]) {
    printer.raw(r#","blocked_user_ids":"#).list(blocks, |printer, id: &UserId| {
        printer.text(id.as_str());
    });
}

/// Prints what a user shares.
fn print_privacy<C>(printer: &mut Printer, user: &User<C>) {
    printer.raw(r#","invisible":"#).boolean(user.invisible);
    if let Some(privacy) = user.privacy {
        printer.raw(r#","privacy_settings":"#).value(&PrivacySettings::from(privacy));
    }
}

/// Prints what every shape shows, and leaves the object open.
fn print_core<C: Serialize>(printer: &mut Printer, user: &User<C>, online: bool) {
    print_with(printer, user, online, &user.custom);
}

/// Prints what every shape shows, with this as the custom data, and leaves the object open.
fn print_with<C>(printer: &mut Printer, user: &User<C>, online: bool, custom: &impl Serialize) {
    let text = |printer: &mut Printer, text: &String| {
        printer.text(text);
    };
    printer.raw(r#"{"id":"#).text(user.id.as_str());
    printer.raw(r#","role":"#).text(&user.role);
    printer.raw(r#","banned":"#).boolean(user.ban.is_some_and(|ban| !ban.shadow));
    printer.raw(r#","online":"#).boolean(online);
    printer.raw(r#","language":"#).text(&user.language);
    printer.raw(r#","teams":"#).list(&user.teams, text);
    printer.raw(r#","custom":"#).value(custom);
    printer.raw(r#","created_at":"#).value(&Moment(user.created_at));
    printer.raw(r#","updated_at":"#).value(&Moment(user.updated_at));
    if let Some(name) = &user.name {
        printer.raw(r#","name":"#).text(name);
    }
    if let Some(image) = &user.image {
        printer.raw(r#","image":"#).text(image);
    }
    if !user.teams_role.is_empty() {
        printer.raw(r#","teams_role":"#).value(&user.teams_role);
    }
    let times = [
        (r#","deactivated_at":"#, user.deactivated_at),
        (r#","deleted_at":"#, user.deleted_at),
        (r#","revoke_tokens_issued_before":"#, user.tokens_revoked_before),
    ];
    for (name, time) in times {
        if let Some(time) = time {
            printer.raw(name).value(&Moment(time));
        }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::{Absent, Custom, Limits, Profile};
    use serde_json::{Value, json};

    use super::*;

    fn printed(view: &UserView, print: fn(&mut Printer, &UserView)) -> String {
        let mut printer = Printer::with_capacity(0);
        print(&mut printer, view);
        String::from_utf8(printer.into_bytes()).unwrap()
    }

    fn view(profile: &Profile) -> UserView {
        let id = UserId::parse("alice").unwrap();
        let now = Timestamp::from_nanoseconds(1_700_000_000_000_000_001);
        UserView::bare(profile.apply(&id, None, now, Absent::Keep, &Limits::default()).unwrap())
    }

    #[test]
    fn a_bare_user_has_every_field_that_is_always_there() {
        let expected = r#"{"id":"alice","role":"user","banned":false,"online":false,"language":"","teams":[],"custom":{},"created_at":1700000000000000001,"updated_at":1700000000000000001,"blocked_user_ids":[],"invisible":false,"shadow_banned":false}"#;
        assert_eq!(printed(&view(&Profile::default()), print), expected);
        let full = r#","devices":[],"mutes":[],"channel_mutes":[],"total_unread_count":0,"unread_count":0,"unread_channels":0,"unread_threads":0}"#;
        let expected = format!("{}{full}", expected.strip_suffix('}').unwrap());
        assert_eq!(printed(&view(&Profile::default()), print_full), expected);
    }

    #[test]
    fn what_a_user_has_is_shown_in_the_order_of_the_contract() {
        let custom = json!({"b": "\"", "a": [1.0]});
        let mut view = view(&Profile {
            name: Some("A\n\"B\"".to_owned()),
            image: Some("https://x/y.png".to_owned()),
            teams: Some(vec!["red".to_owned(), "blue".to_owned()]),
            custom: Custom::from_stored(custom.as_object().cloned().unwrap()),
            ..Profile::default()
        });
        view.blocks = ["bob", "eve"].map(|id| UserId::parse(id).unwrap()).into();
        view.user.teams_role.insert("red".to_owned(), "admin".to_owned());
        view.user.privacy = Some(Privacy { read_receipts: Some(false), ..Privacy::default() });
        view.user.deactivated_at = Some(Timestamp::from_nanoseconds(1));
        view.user.deleted_at = Some(Timestamp::from_nanoseconds(-2));
        view.user.tokens_revoked_before = Some(Timestamp::from_nanoseconds(3));
        let shown = printed(&view, print);
        let expected = [
            r#""teams":["red","blue"],"custom":{"b":"\"","a":[1.0]},"created_at":"#,
            r#","name":"A\n\"B\"","image":"https://x/y.png","teams_role":{"red":"admin"},"#,
            r#""deactivated_at":1,"deleted_at":-2,"revoke_tokens_issued_before":3,"blocked_user_ids":["bob","eve"],"#,
            r#""invisible":false,"privacy_settings":{"read_receipts":{"enabled":false}},"shadow_banned":false}"#,
        ];
        for part in expected {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        assert!(serde_json::from_str::<Value>(&printed(&view, print_full)).is_ok());
    }

    #[test]
    fn each_shape_has_its_fields() {
        let always =
            ["id", "role", "banned", "online", "language", "teams", "custom", "created_at", "updated_at"];
        let own =
            ["devices", "mutes", "channel_mutes", "total_unread_count", "unread_count", "unread_channels"];
        let view = view(&Profile::default());
        let answer = ["blocked_user_ids", "invisible"].as_slice();
        let moderated = ["blocked_user_ids", "invisible", "shadow_banned"].as_slice();
        let shapes = [
            (encode_for_event(&view, EventShape::Common), vec!["blocked_user_ids"]),
            (encode_for_event(&view, EventShape::Privacy), vec!["invisible"]),
            (printed(&view, print).into_bytes(), moderated.to_vec()),
            (printed(&view, print_full).into_bytes(), [moderated, &own, &["unread_threads"]].concat()),
            (printed(&view, print_own).into_bytes(), [answer, &own, &["unread_threads"]].concat()),
        ];
        for (shown, more) in shapes {
            let shown: serde_json::Map<String, Value> = serde_json::from_slice(&shown).unwrap();
            let fields: BTreeSet<&str> = shown.keys().map(String::as_str).collect();
            assert_eq!(fields, always.into_iter().chain(more).collect());
        }
    }

    #[test]
    fn the_owner_of_a_list_is_not_repeated_whole() {
        let custom = Custom::from_stored(json!({"a": "x"}).as_object().cloned().unwrap());
        let view = view(&Profile { name: Some("Alice".to_owned()), custom, ..Profile::default() });
        let whole: Value = serde_json::from_str(&printed(&view, print)).unwrap();
        let owner: Value =
            serde_json::from_str(&printed(&view, |printer, view| print_owner(printer, &view.user))).unwrap();
        assert_eq!((&whole["custom"], &owner["custom"]), (&json!({"a": "x"}), &json!({})));
        let mut other = whole;
        other["custom"] = json!({});
        assert_eq!(owner, other, "in all else it is the same");
    }
}
