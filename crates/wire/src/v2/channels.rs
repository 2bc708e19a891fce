//! Bodies and answers of the operations on channels (v2 2.11).

use model::{
    Attached, CHANNEL_MEMBER, ChannelMemberView, ChannelState, ChannelView, Extent, Invalid,
    MOST_CHANNEL_CUSTOM_BYTES, NewMember, UserId,
};
use serde_json::{Map, Value};

use super::acting::named;
use super::actor;
use super::chat::{custom, print_channel, print_member, print_message, refuse_unserved};
use super::user;
use crate::body::Object;
use crate::form::Query;
use crate::print::Printer;

/// `GetOrCreateChannelRequest` and `GetOrCreateDistinctChannelRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct GetOrCreate {
    /// Who creates it.
    pub created_by: Option<UserId>,
    /// The team.
    pub team: Option<String>,
    /// The app's own data.
    pub custom: Attached,
    /// Who is in it from the beginning.
    pub members: Vec<NewMember>,
    /// How much of it is answered.
    pub extent: Extent,
}

/// Fields of `ChannelInput` that are not served yet.
const UNSERVED_DATA: &[&str] = &[
    "auto_translation_enabled",
    "auto_translation_language",
    "disabled",
    "frozen",
    "truncated_by_id",
    "filter_tags",
    "invites",
    "config_overrides",
];

/// # Errors
/// The first field that is not as it should be, as for the other bodies.
pub fn decode_get_or_create(body: Map<String, Value>) -> Result<GetOrCreate, Invalid> {
    let mut body = Object::root(body);
    // Everything is answered whether the state is asked for or not, and there are no threads and watchers.
    body.boolean("state")?;
    body.boolean("thread_unread_counts")?;
    body.strings("member_custom_include")?;
    refuse_unserved(&mut body, &["hide_for_creator"])?;
    let extent = extent(&mut body)?;
    let mut data = match body.object("data")? {
        Some(data) => data,
        None => Object::expect("data".to_owned(), Value::Object(Map::new()))?,
    };
    refuse_unserved(&mut data, UNSERVED_DATA)?;
    Ok(GetOrCreate {
        created_by: named(&mut data, "created_by_id", "created_by")?,
        team: data.string("team")?.filter(|team| !team.is_empty()),
        custom: custom(&mut data, MOST_CHANNEL_CUSTOM_BYTES)?,
        members: members(&mut data, "members")?,
        extent,
    })
}

fn extent(body: &mut Object) -> Result<Extent, Invalid> {
    let mut extent = Extent::default();
    if let Some(mut page) = body.object("members")? {
        extent.members = page.count("limit")?.unwrap_or(extent.members);
        extent.members_offset = page.count("offset")?.unwrap_or_default();
    }
    if let Some(mut page) = body.object("messages")? {
        extent.messages = page.count("limit")?.unwrap_or(extent.messages);
        refuse_unserved(
            &mut page,
            &[
                "id_lt",
                "id_lte",
                "id_gt",
                "id_gte",
                "id_around",
                "created_at_after",
                "created_at_after_or_equal",
                "created_at_around",
                "created_at_before",
                "created_at_before_or_equal",
            ],
        )?;
    }
    body.object("watchers")?;
    Ok(extent)
}

/// A list of `ChannelMemberRequest`, or of ids, as older clients send it (chat-v1 3.4).
fn members(object: &mut Object, name: &str) -> Result<Vec<NewMember>, Invalid> {
    let path = object.path_of(name);
    let elements = object.list(name)?.unwrap_or_default();
    elements
        .into_iter()
        .enumerate()
        .map(|(place, element)| member(format!("{path}.{place}"), element))
        .collect()
}

fn member(path: String, element: Value) -> Result<NewMember, Invalid> {
    let plain = |user| NewMember { user, role: CHANNEL_MEMBER.to_owned(), custom: Attached::default() };
    if let Value::String(id) = &element {
        return UserId::parse(id).map(plain).map_err(|invalid| invalid.within(path));
    }
    let mut member = Object::expect(path, element)?;
    let Some(user) = actor::decode(&mut member)? else {
        return Err(member.refuse("user_id", "is required: the user who is to be a member"));
    };
    let role = member.string("channel_role")?.filter(|role| !role.is_empty());
    let custom = custom(&mut member, MOST_CHANNEL_CUSTOM_BYTES)?;
    Ok(NewMember { role: role.unwrap_or_else(|| CHANNEL_MEMBER.to_owned()), custom, ..plain(user) })
}

/// The parameters of `GetChannel`: for whom, and how much.
///
/// # Errors
/// The first parameter that is not as it should be.
pub fn decode_get(query: &Query) -> Result<(Option<UserId>, Extent), Invalid> {
    query.boolean("state")?;
    query.count("watchers_limit")?;
    for name in
        ["messages_id_lt", "messages_id_lte", "messages_id_gt", "messages_id_gte", "messages_id_around"]
    {
        if query.get(name).is_some() {
            return Err(Invalid::new(name, "is not served yet; leave it out"));
        }
    }
    let extent = Extent::default();
    let extent = Extent {
        members: query.count("members_limit")?.unwrap_or(extent.members),
        messages: query.count("messages_limit")?.unwrap_or(extent.messages),
        ..extent
    };
    Ok((actor::in_query(query)?, extent))
}

/// `UpdateChannelRequest`, as far as it is served.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateMembers {
    /// Who does it.
    pub user: Option<UserId>,
    /// Who comes.
    pub add: Vec<NewMember>,
    /// Who goes.
    pub remove: Vec<UserId>,
}

/// # Errors
/// See [`decode_get_or_create`].
pub fn decode_update(body: Map<String, Value>) -> Result<UpdateMembers, Invalid> {
    let mut body = Object::root(body);
    body.boolean("skip_push")?;
    refuse_unserved(
        &mut body,
        &[
            "accept_invite",
            "reject_invite",
            "cooldown",
            "hide_history",
            "hide_history_before",
            "add_filter_tags",
            "remove_filter_tags",
            "add_moderators",
            "demote_moderators",
            "assign_roles",
            "invites",
            "data",
            "message",
        ],
    )?;
    let add = members(&mut body, "add_members")?;
    let mut remove: Vec<UserId> = Vec::new();
    for (place, id) in body.strings("remove_members")?.into_iter().flatten().enumerate() {
        let id = UserId::parse(&id)
            .map_err(|invalid| invalid.within(format!("{}.{place}", body.path_of("remove_members"))))?;
        if !remove.contains(&id) {
            remove.push(id);
        }
    }
    Ok(UpdateMembers { user: actor::decode(&mut body)?, add, remove })
}

/// The parameter `hard_delete`.
///
/// # Errors
/// When it is no switch.
pub fn decode_delete(query: &Query) -> Result<bool, Invalid> {
    Ok(query.boolean("hard_delete")?.unwrap_or(false))
}

/// `ChannelStateResponse`. There are no threads, pins and reads yet.
#[must_use]
pub fn encode_state(state: &ChannelState, duration: &str) -> Vec<u8> {
    let users = 2 + state.members.len() + state.messages.len();
    let mut printer = Printer::with_capacity(512 + 2 * users * user::ROOM);
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","channel":"#);
    print_channel(&mut printer, &state.channel);
    printer.raw(r#","members":"#);
    printer.list(&state.members, |printer, member| print_member(printer, &state.channel, member));
    if let Some(own) = &state.membership {
        printer.raw(r#","membership":"#);
        print_member(&mut printer, &state.channel, own);
    }
    printer.raw(r#","messages":"#);
    printer.list(&state.messages, |printer, message| print_message(printer, message, None));
    printer.raw(r#","pinned_messages":[],"threads":[]}"#);
    printer.into_bytes()
}

/// `UpdateChannelResponse`.
#[must_use]
pub fn encode_updated(channel: &ChannelView, members: &[ChannelMemberView], duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(512 + (1 + members.len()) * user::ROOM);
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","channel":"#);
    print_channel(&mut printer, channel);
    printer.raw(r#","members":"#);
    printer.list(members, |printer, member| print_member(printer, channel, member)).raw("}");
    printer.into_bytes()
}

/// `DeleteChannelResponse`.
#[must_use]
pub fn encode_deleted(channel: &ChannelView, duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(512 + user::ROOM);
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","channel":"#);
    print_channel(&mut printer, channel);
    printer.raw("}");
    printer.into_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(body: &Value) -> Map<String, Value> {
        body.as_object().cloned().unwrap()
    }

    #[test]
    fn members_are_ids_or_objects() {
        let body = json!({"data": {"created_by": {"id": "a"}, "team": "", "members": [
            "a", {"user_id": "b", "channel_role": "channel_moderator", "custom": {"x": 1}}, {"user": {"id": "c"}}]}});
        let decoded = decode_get_or_create(fields(&body)).unwrap();
        let members: Vec<_> =
            decoded.members.iter().map(|member| (member.user.as_str(), member.role.as_str())).collect();
        assert_eq!(members, [("a", "channel_member"), ("b", "channel_moderator"), ("c", "channel_member")]);
        assert_eq!((decoded.created_by.unwrap().as_str(), decoded.team), ("a", None));
        assert_eq!(decoded.extent, Extent::default());
    }

    #[test]
    fn refusals_name_the_field() {
        for (body, refused) in [
            (json!({"data": {"members": "a"}}), "data.members: must be an array, got a string"),
            (json!({"data": {"members": [1]}}), "data.members.0: must be an object, got a number"),
            (
                json!({"data": {"members": [{}]}}),
                "data.members.0.user_id: is required: the user who is to be a member",
            ),
            (
                json!({"data": {"members": ["a b"]}}),
                "data.members.0: may have letters, digits, '@', '_' and '-' only, got 'a b'",
            ),
            (
                json!({"data": {"created_by_id": "a", "created_by": {"id": "b"}}}),
                "data.created_by.id: is 'b', and created_by_id is 'a'; give one of them",
            ),
            (json!({"data": {"custom": []}}), "data.custom: must be an object, got an array"),
            (json!({"data": {"frozen": true}}), "data.frozen: is not served yet; leave it out"),
            (json!({"messages": {"id_lt": "x"}}), "messages.id_lt: is not served yet; leave it out"),
            (json!({"messages": {"limit": -1}}), "messages.limit: must be a whole number from 0 up, got -1"),
        ] {
            assert_eq!(decode_get_or_create(fields(&body)).unwrap_err().to_string(), refused, "{body}");
        }
        let body = json!({"data": {"frozen": false, "invites": [], "config_overrides": {}}});
        assert!(decode_get_or_create(fields(&body)).is_ok(), "what asks for nothing is taken");
    }

    #[test]
    fn updates_change_members_and_nothing_else_yet() {
        let body = json!({"add_members": ["a"], "remove_members": ["b", "b"], "user_id": "c", "hide_history": false,
            "hide_history_before": null, "assign_roles": null});
        let decoded = decode_update(fields(&body)).unwrap();
        assert_eq!((decoded.add.len(), decoded.remove.len()), (1, 1));
        for (body, refused) in [
            (json!({"data": {"custom": {}}}), "data: is not served yet; leave it out"),
            (json!({"cooldown": 5}), "cooldown: is not served yet; leave it out"),
            (
                json!({"remove_members": ["a", "b c"]}),
                "remove_members.1: may have letters, digits, '@', '_' and '-' only, got 'b c'",
            ),
        ] {
            assert_eq!(decode_update(fields(&body)).unwrap_err().to_string(), refused, "{body}");
        }
    }
}
