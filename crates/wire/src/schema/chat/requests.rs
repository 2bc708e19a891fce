//! The bodies that operations on channels, messages and reactions take.

use model::{
    MOST_ATTACHMENTS, MOST_CHANNEL_MEMBERS, MOST_CHANNEL_MEMBERS_A_CALL, MOST_MEMBERS_SHOWN,
    MOST_MESSAGES_SHOWN,
};

use crate::schema::Schema::{Boolean, Choice, Free, Integer, List, Named, Text};
use crate::schema::{Field, Schema, given, required};

fn acting() -> [Field; 2] {
    [
        given("user_id", Text, "The user who acts; required with a server token where it acts for somebody."),
        given("user", Named("ActingUserRequest"), "The same as an object."),
    ]
}

fn page() -> Schema {
    let fields = vec![
        given("limit", Schema::at_most(MOST_MEMBERS_SHOWN), "How many, 100 by default."),
        given("offset", Schema::at_most(MOST_CHANNEL_MEMBERS), "After how many."),
    ];
    Schema::object("A page.", fields)
}

fn messages_page() -> Schema {
    let fields =
        vec![given("limit", Schema::at_most(MOST_MESSAGES_SHOWN), "How many of the newest, 25 by default.")];
    Schema::object("Which messages are shown.", fields)
}

pub(super) fn get_or_create() -> Schema {
    let fields = vec![
        given("data", Named("ChannelInput"), "The channel that is to be made."),
        given("members", page(), "Which members are shown."),
        given("messages", messages_page(), "Which messages are shown."),
        given("watchers", Free, "There are no watchers yet."),
        given("state", Boolean, "Everything is answered in any case."),
        given("thread_unread_counts", Boolean, "There are no threads yet."),
        given("member_custom_include", Schema::list(Text), "The data of members is answered as a whole."),
    ];
    Schema::object("A channel to read, or to make.", fields)
}

pub(super) fn channel_input() -> Schema {
    let fields = vec![
        given(
            "created_by_id",
            Text,
            "Who creates it; required with a server token, in this form or the other.",
        ),
        given("created_by", Named("ActingUserRequest"), "The same as an object."),
        given("team", Text, "The team whose channel it is to be."),
        given("members", member_list(), "Who is in it from the beginning: ids or objects."),
        given("custom", Free, "The app's own data, up to 5 KiB."),
    ];
    Schema::object("A channel that is to be made.", fields)
}

fn member_list() -> Schema {
    let of = Schema::AnyOf(vec![Text, Named("ChannelMemberRequest")]);
    List { of: Box::new(of), most: Some(MOST_CHANNEL_MEMBERS_A_CALL) }
}

pub(super) fn member_request() -> Schema {
    let fields = vec![
        given("user_id", Text, "The user; required, in this form or the other."),
        given("user", Named("ActingUserRequest"), "The same as an object."),
        given(
            "channel_role",
            Choice(&["channel_member", "channel_moderator", ""]),
            "The role in the channel.",
        ),
        given("custom", Free, "The app's own data, up to 5 KiB."),
    ];
    Schema::object("Somebody who is to be a member.", fields)
}

pub(super) fn update_channel() -> Schema {
    let remove = List { of: Box::new(Text), most: None };
    let mut fields = vec![
        given("add_members", member_list(), "Who comes: ids or objects."),
        given("remove_members", remove, "Who goes, up to 100."),
        given("skip_push", Boolean, "Nothing is pushed yet."),
    ];
    fields.extend(acting());
    Schema::object("Users who come into a channel or go.", fields)
}

pub(super) fn message_request() -> Schema {
    let attachments = List { of: Box::new(Named("Attachment")), most: Some(MOST_ATTACHMENTS) };
    let mut fields = vec![
        given("id", Text, "The id, unique in the app; made when left out."),
        given("text", Text, "What it says, up to 5,000 characters."),
        given("type", Choice(&["regular", "system", ""]), "What kind it is; system is for servers."),
        given("attachments", attachments, "What hangs on it, up to 20 KiB together."),
        given("custom", Free, "The app's own data, up to 5 KiB."),
    ];
    fields.extend(acting());
    Schema::object("A message that is to be sent.", fields)
}

pub(super) fn send_message() -> Schema {
    let nothing = "Nothing of this kind happens yet.";
    let fields = vec![
        required("message", Named("MessageRequest"), "The message."),
        given("skip_push", Boolean, nothing),
        given("skip_enrich_url", Boolean, nothing),
        given("keep_channel_hidden", Boolean, nothing),
        given("force_moderation", Boolean, nothing),
    ];
    Schema::object("A message to send.", fields)
}

pub(super) fn reaction_request() -> Schema {
    let mut fields = vec![
        required("type", Text, "How: any word of up to 64 bytes."),
        given("score", Integer, "How much, 1 by default, from -1,000,000 to 1,000,000."),
        given("custom", Free, "The app's own data, up to 1 KiB."),
    ];
    fields.extend(acting());
    Schema::object("A reaction that is to be given.", fields)
}

pub(super) fn send_reaction() -> Schema {
    let fields = vec![
        required("reaction", Named("ReactionRequest"), "The reaction."),
        given("enforce_unique", Boolean, "Whether it takes the place of every other one of the user."),
        given("skip_push", Boolean, "Nothing is pushed yet."),
    ];
    Schema::object("A reaction to give.", fields)
}
