//! What bodies and answers of chat share: data of the app, fields that are not served yet, and the objects that several
//! answers hold.

use model::{
    Attached, ChannelMemberView, ChannelView, Invalid, Message, MessageView, Reaction, ReactionGroup,
    ReactionView, Reactions,
};
use serde_json::{Map, Value};

use super::user::{self, Moment};
use crate::body::Object;
use crate::print::Printer;

/// Refuses what a request asks for by these fields and is not served yet: to ignore it would be a lie. What says "no" or
/// nothing asks for nothing.
pub(super) fn refuse_unserved(object: &mut Object, names: &[&str]) -> Result<(), Invalid> {
    for name in names {
        let asks = match object.value(name) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(elements)) => !elements.is_empty(),
            Some(Value::Object(fields)) => !fields.is_empty(),
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::Bool(true)) => true,
        };
        if asks {
            return Err(object.refuse(name, "is not served yet; leave it out"));
        }
    }
    Ok(())
}

/// The app's own data of at most `most` bytes.
pub(super) fn custom(object: &mut Object, most: usize) -> Result<Attached, Invalid> {
    let fields = object.object("custom")?.map(Object::into_fields).unwrap_or_default();
    Attached::parse(&object.path_of("custom"), fields, most)
}

/// Prints a `ChannelResponse`.
pub(super) fn print_channel(printer: &mut Printer, view: &ChannelView) {
    let channel = &view.channel;
    printer.raw(r#"{"cid":"#).text(&channel.cid.to_string());
    printer.raw(r#","id":"#).text(&channel.cid.id);
    printer.raw(r#","type":"#).text(&channel.cid.kind);
    if let Some(team) = &channel.team {
        printer.raw(r#","team":"#).text(team);
    }
    if let Some(creator) = &view.creator {
        printer.raw(r#","created_by":"#);
        user::print_nested(printer, creator);
    }
    printer.raw(r#","custom":"#).value(&channel.custom);
    printer.raw(r#","disabled":false,"frozen":false,"member_count":"#).value(&channel.member_count);
    printer.raw(r#","message_count":"#).value(&channel.message_count);
    printer.raw(r#","created_at":"#).value(&Moment(channel.created_at));
    printer.raw(r#","updated_at":"#).value(&Moment(channel.updated_at));
    if let Some(last) = channel.last_message_at {
        printer.raw(r#","last_message_at":"#).value(&Moment(last));
    }
    if let Some(deletion) = channel.deletion {
        printer.raw(r#","deleted_at":"#).value(&Moment(deletion.at));
    }
    printer.raw("}");
}

/// Prints a `ChannelMemberResponse` of a member of this channel.
pub(super) fn print_member(printer: &mut Printer, channel: &ChannelView, view: &ChannelMemberView) {
    let member = &view.member;
    let moderates = member.role == model::CHANNEL_MODERATOR;
    let role = match (channel.channel.created_by.as_ref() == Some(&member.user), moderates) {
        (true, _) => "owner",
        (false, true) => "moderator",
        (false, false) => "member",
    };
    printer.raw(r#"{"user_id":"#).text(member.user.as_str());
    printer.raw(r#","user":"#);
    user::print_nested(printer, &view.user);
    printer.raw(r#","channel_role":"#).text(&member.role);
    printer.raw(r#","role":"#).text(role);
    if moderates {
        printer.raw(r#","is_moderator":true"#);
    }
    printer.raw(r#","banned":false,"shadow_banned":false,"notifications_muted":false,"custom":"#);
    printer.value(&member.custom);
    printer.raw(r#","created_at":"#).value(&Moment(member.created_at));
    printer.raw(r#","updated_at":"#).value(&Moment(member.updated_at)).raw("}");
}

/// Prints a `MessageResponse`, with its channel as a `MessageWithChannelResponse`.
pub(super) fn print_message(printer: &mut Printer, view: &MessageView, channel: Option<&ChannelView>) {
    print_message_by(printer, &view.message, &view.reactions, |printer| {
        user::print_nested(printer, &view.author);
        if let Some(role) = &view.role {
            printer.raw(r#","member":{"channel_role":"#).text(role).raw(r#","notifications_muted":false}"#);
        }
    });
    if let Some(channel) = channel {
        printer.raw(r#","channel":"#);
        print_channel(printer, channel);
    }
    printer.raw("}");
}

/// Prints a `MessageResponse` but for its end; `author` prints whose it is.
pub(super) fn print_message_by(
    printer: &mut Printer,
    message: &Message,
    reactions: &Reactions,
    author: impl FnOnce(&mut Printer),
) {
    let kind = if message.deletion.is_some() { "deleted" } else { message.kind.name() };
    printer.raw(r#"{"id":"#).text(&message.id);
    printer.raw(r#","cid":"#).text(&message.cid.to_string());
    printer.raw(r#","type":"#).text(kind);
    printer.raw(r#","text":"#).text(&message.text);
    printer.raw(r#","html":"","user":"#);
    author(printer);
    printer.raw(r#","attachments":"#).list(&message.attachments, print_attachment);
    printer.raw(r#","custom":"#).value(&message.custom);
    print_reactions(printer, reactions);
    printer.raw(r#","mentioned_users":[],"restricted_visibility":[],"mentioned_channel":false,"mentioned_here":false"#);
    printer.raw(r#","pinned":false,"silent":false,"reply_count":0,"deleted_reply_count":0,"shadowed":"#);
    printer.boolean(message.shadowed);
    printer.raw(r#","created_at":"#).value(&Moment(message.created_at));
    printer.raw(r#","updated_at":"#).value(&Moment(message.updated_at));
    if let Some(deletion) = message.deletion {
        printer.raw(r#","deleted_at":"#).value(&Moment(deletion.at));
    }
}

/// Prints an `Attachment`, which always has data of the app.
fn print_attachment(printer: &mut Printer, attachment: &Attached) {
    let fields = attachment.fields();
    if fields.contains_key("custom") {
        printer.value(attachment);
        return;
    }
    let mut fields = fields.clone();
    fields.insert("custom".to_owned(), Value::Object(Map::new()));
    printer.value(&fields);
}

/// Prints what is shown of the reactions to a message.
fn print_reactions(printer: &mut Printer, reactions: &Reactions) {
    printer.raw(r#","latest_reactions":"#).list(&reactions.latest, print_reaction);
    printer.raw(r#","own_reactions":"#).list(&reactions.own, print_reaction);
    printer.raw(r#","reaction_counts":{"#);
    print_by_type(printer, &reactions.groups, |printer, group| {
        printer.value(&group.count);
    });
    printer.raw(r#"},"reaction_scores":{"#);
    print_by_type(printer, &reactions.groups, |printer, group| {
        printer.value(&group.score);
    });
    printer.raw(r#"},"reaction_groups":{"#);
    print_by_type(printer, &reactions.groups, |printer, group| {
        printer.raw(r#"{"count":"#).value(&group.count);
        printer.raw(r#","sum_scores":"#).value(&group.score);
        printer.raw(r#","first_reaction_at":"#).value(&Moment(group.first));
        printer.raw(r#","last_reaction_at":"#).value(&Moment(group.last));
        let latest = reactions.latest.iter().filter(|view| view.reaction.kind == group.kind);
        printer.raw(r#","latest_reactions_by":"#).list(latest, |printer, view| {
            printer.raw(r#"{"user_id":"#).text(view.reaction.user.as_str());
            printer.raw(r#","created_at":"#).value(&Moment(view.reaction.created_at)).raw("}");
        });
        printer.raw("}");
    });
    printer.raw("}");
}

fn print_by_type(
    printer: &mut Printer,
    groups: &[ReactionGroup],
    mut print: impl FnMut(&mut Printer, &ReactionGroup),
) {
    for (place, group) in groups.iter().enumerate() {
        if place > 0 {
            printer.raw(",");
        }
        printer.text(&group.kind).raw(":");
        print(printer, group);
    }
}

/// Prints a `ReactionResponse`.
pub(super) fn print_reaction(printer: &mut Printer, view: &ReactionView) {
    print_reaction_by(printer, &view.reaction, |printer| user::print_nested(printer, &view.user));
}

/// Prints a `ReactionResponse`; `author` prints whose it is.
pub(super) fn print_reaction_by(
    printer: &mut Printer,
    reaction: &Reaction,
    author: impl FnOnce(&mut Printer),
) {
    printer.raw(r#"{"message_id":"#).text(&reaction.message);
    printer.raw(r#","type":"#).text(&reaction.kind);
    printer.raw(r#","score":"#).value(&reaction.score);
    printer.raw(r#","user_id":"#).text(reaction.user.as_str());
    printer.raw(r#","user":"#);
    author(printer);
    printer.raw(r#","custom":"#).value(&reaction.custom);
    printer.raw(r#","created_at":"#).value(&Moment(reaction.created_at));
    printer.raw(r#","updated_at":"#).value(&Moment(reaction.updated_at)).raw("}");
}
