//! Bodies and answers of the operations on messages (v2 2.11).

use model::{
    Attached, ChannelView, Invalid, MOST_ATTACHMENT_BYTES, MOST_MESSAGE_CUSTOM_BYTES, MessageKind,
    MessageView, NewMessage, UserId,
};
use serde_json::{Map, Value};

use super::actor;
use super::chat::{custom, print_message, refuse_unserved};
use super::user;
use crate::body::Object;
use crate::form::Query;
use crate::print::Printer;

/// Fields of `MessageRequest` that are not served yet.
const UNSERVED: &[&str] = &[
    "html",
    "mentioned_channel",
    "mentioned_here",
    "mml",
    "parent_id",
    "pin_expires",
    "pinned",
    "pinned_at",
    "poll_id",
    "quoted_message_id",
    "show_in_channel",
    "silent",
    "mentioned_group_ids",
    "mentioned_roles",
    "mentioned_users",
    "restricted_visibility",
    "shared_location",
];

/// `SendMessageRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_send(body: Map<String, Value>) -> Result<NewMessage, Invalid> {
    let mut body = Object::root(body);
    // Nothing is pushed, previewed or moderated yet, so that there is nothing to keep from happening.
    for name in ["skip_push", "skip_enrich_url", "keep_channel_hidden", "force_moderation"] {
        body.boolean(name)?;
    }
    refuse_unserved(
        &mut body,
        &["pending", "pending_message_metadata", "include_channel_context", "include_mentioned_members"],
    )?;
    let Some(mut message) = body.object("message")? else {
        return Err(body.refuse("message", "is required: the message to send"));
    };
    refuse_unserved(&mut message, UNSERVED)?;
    let kind = MessageKind::parse(&message.string("type")?.unwrap_or_default());
    Ok(NewMessage {
        id: message.string("id")?.filter(|id| !id.is_empty()),
        user: actor::decode(&mut message)?,
        kind: kind.map_err(|invalid| invalid.within(message.path_of("type")))?,
        text: message.string("text")?.unwrap_or_default(),
        attachments: attachments(&mut message)?,
        custom: custom(&mut message, MOST_MESSAGE_CUSTOM_BYTES)?,
    })
}

fn attachments(message: &mut Object) -> Result<Vec<Attached>, Invalid> {
    let path = message.path_of("attachments");
    let elements = message.list("attachments")?.unwrap_or_default();
    let attachment = |(place, element)| {
        let (path, fields) = Object::expect(format!("{path}.{place}"), element)?.into_parts();
        if let Some(Value::Object(_)) | None = fields.get("custom") {
            return Attached::parse(&path, fields, MOST_ATTACHMENT_BYTES);
        }
        Err(Invalid::new(format!("{path}.custom"), "must be an object; leave it out for none"))
    };
    elements.into_iter().enumerate().map(attachment).collect()
}

/// The parameters of `DeleteMessage`: whether for good, and who does it.
///
/// # Errors
/// The first parameter that is not as it should be.
pub fn decode_delete(query: &Query) -> Result<(bool, Option<UserId>), Invalid> {
    if query.boolean("delete_for_me")? == Some(true) {
        return Err(Invalid::new("delete_for_me", "is not served yet; leave it out"));
    }
    let deleted_by = query.get("deleted_by").map(UserId::parse).transpose();
    let deleted_by = deleted_by.map_err(|invalid| invalid.within("deleted_by"))?;
    Ok((query.boolean("hard")?.unwrap_or(false), deleted_by))
}

/// The parameters of `GetMessage`: a server reads what is deleted and kept in any case.
///
/// # Errors
/// When `show_deleted_message` is no switch.
pub fn decode_get(query: &Query) -> Result<(), Invalid> {
    query.boolean("show_deleted_message").map(drop)
}

/// `SendMessageResponse`, `DeleteMessageResponse`, and with the channel of the message `GetMessageResponse`.
#[must_use]
pub fn encode(message: &MessageView, channel: Option<&ChannelView>, duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(1024 + 2 * user::ROOM + message.message.text.len());
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","message":"#);
    print_message(&mut printer, message, channel);
    printer.raw("}");
    printer.into_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decode(body: &Value) -> Result<NewMessage, String> {
        decode_send(body.as_object().cloned().unwrap()).map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn a_message_is_read_with_all_that_hangs_on_it() {
        let message = json!({"id": "m1", "text": "hi", "type": "regular", "user": {"id": "a", "name": "ignored"},
            "attachments": [{"type": "image"}], "custom": {"x": 1}, "mentioned_users": [], "silent": false});
        let decoded = decode(&json!({"message": message, "skip_push": true})).unwrap();
        assert_eq!((decoded.id.as_deref(), decoded.text.as_str()), (Some("m1"), "hi"));
        assert_eq!((decoded.user.unwrap().as_str(), decoded.attachments.len()), ("a", 1));
    }

    #[test]
    fn refusals_name_the_field() {
        for (body, refused) in [
            (json!({}), "message: is required: the message to send"),
            (json!({"message": "hi"}), "message: must be an object, got a string"),
            (json!({"message": {"text": 1}}), "message.text: must be a string, got a number"),
            (
                json!({"message": {"type": "deleted"}}),
                "message.type: must be 'regular' or 'system', got 'deleted'",
            ),
            (
                json!({"message": {"attachments": [1]}}),
                "message.attachments.0: must be an object, got a number",
            ),
            (
                json!({"message": {"attachments": [{"custom": 1}]}}),
                "message.attachments.0.custom: must be an object; leave it out for none",
            ),
            (json!({"message": {"parent_id": "m"}}), "message.parent_id: is not served yet; leave it out"),
            (
                json!({"message": {"user_id": "a", "user": {"id": "b"}}}),
                "message.user.id: must be that in user_id, 'a'",
            ),
            (json!({"message": {}, "pending": true}), "pending: is not served yet; leave it out"),
        ] {
            assert_eq!(decode(&body).unwrap_err(), refused, "{body}");
        }
    }
}
