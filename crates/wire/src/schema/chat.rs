//! Channels, messages and reactions (v2 2.11): their types, and what their operations answer; what they take in a body
//! is in [`requests`].

mod requests;

use model::{
    CHANNEL_TYPES, MOST_CHANNEL_MEMBERS, MOST_MEMBERS_SHOWN, MOST_MESSAGES_SHOWN, MOST_REACTIONS_SHOWN,
    Operation,
};

use super::Schema::{Boolean, Choice, Free, Integer, Moment, Named, Text};
use super::operations::{Described, plain};
use super::{Field, Schema, Type, duration, optional, required};

const CHANNELS: &str = "Channels";
const MESSAGES: &str = "Messages";

pub(super) fn types() -> Vec<Type> {
    vec![
        ("Attachment", attachment()),
        ("ChannelInput", requests::channel_input()),
        ("ChannelMemberRequest", requests::member_request()),
        ("ChannelMemberPartialResponse", partial_member()),
        ("ChannelMemberResponse", member()),
        ("ChannelResponse", channel()),
        ("ChannelStateResponse", state()),
        ("DeleteChannelResponse", holding("A channel after its deletion.", vec![channel_field()])),
        ("DeleteMessageResponse", holding("A message after its deletion.", vec![message_field()])),
        ("DeleteReactionResponse", holding("A reaction that was taken back.", reacted())),
        ("GetMessageResponse", holding("A message.", vec![message_with_channel()])),
        ("GetOrCreateChannelRequest", requests::get_or_create()),
        ("GetReactionsResponse", reactions()),
        ("MessageRequest", requests::message_request()),
        ("MessageResponse", Schema::object("A message.", message())),
        ("MessageWithChannelResponse", Schema::object("A message with its channel.", with_channel())),
        ("ReactionGroupResponse", group()),
        ("ReactionGroupUserResponse", group_user()),
        ("ReactionRequest", requests::reaction_request()),
        ("ReactionResponse", reaction()),
        ("SendMessageRequest", requests::send_message()),
        ("SendMessageResponse", holding("The message that was sent.", vec![message_field()])),
        ("SendReactionRequest", requests::send_reaction()),
        ("SendReactionResponse", holding("The reaction that was given.", reacted())),
        ("UpdateChannelRequest", requests::update_channel()),
        ("UpdateChannelResponse", holding("A channel after the change.", vec![channel_field(), members()])),
    ]
}

/// The description of an operation; `None` when it is not of these subjects.
pub(super) fn describe(operation: Operation) -> Option<Described> {
    let channel = || vec![required("type", Text, "The type."), required("id", Text, "The id.")];
    let message = || vec![required("id", Text, "The message.")];
    Some(match operation {
        Operation::GetOrCreateChannel => Described {
            description: "What is given of a channel that is there is not looked at. One that was deleted is made anew, empty.",
            path: channel(),
            request: Some("GetOrCreateChannelRequest"),
            ..plain(CHANNELS, "Read a channel, and make it when it is not there", "ChannelStateResponse")
        },
        Operation::GetOrCreateDistinctChannel => Described {
            description: "The channel is found by data.members, whatever their order.",
            path: vec![required("type", Text, "The type.")],
            request: Some("GetOrCreateChannelRequest"),
            ..plain(
                CHANNELS,
                "Read the channel that users share, and make it when it is not there",
                "ChannelStateResponse",
            )
        },
        Operation::GetChannel => Described {
            path: channel(),
            query: vec![
                optional("state", Boolean, "Everything is answered in any case."),
                optional(
                    "messages_limit",
                    Schema::at_most(MOST_MESSAGES_SHOWN),
                    "How many messages, 25 by default.",
                ),
                optional(
                    "members_limit",
                    Schema::at_most(MOST_MEMBERS_SHOWN),
                    "How many members, 100 by default.",
                ),
                optional("watchers_limit", Schema::count(), "There are no watchers yet."),
                optional("user_id", Text, "The user for whom a server reads."),
            ],
            ..plain(CHANNELS, "Read a channel", "ChannelStateResponse")
        },
        Operation::UpdateChannel => Described {
            description: "All or none. Whoever is in it already stays as it is, whoever is not in it is ignored.",
            path: channel(),
            request: Some("UpdateChannelRequest"),
            ..plain(CHANNELS, "Put users into a channel, or take them out", "UpdateChannelResponse")
        },
        Operation::DeleteChannel => Described {
            path: channel(),
            query: vec![optional(
                "hard_delete",
                Boolean,
                "Whether it is taken away with all that is in it, and not only marked; for servers, and up to 10,000 messages.",
            )],
            ..plain(CHANNELS, "Delete a channel", "DeleteChannelResponse")
        },
        Operation::SendMessage => Described {
            path: channel(),
            request: Some("SendMessageRequest"),
            ..plain(MESSAGES, "Send a message", "SendMessageResponse")
        },
        Operation::GetMessage => Described {
            description: "A server also reads what is deleted and kept; for users it is gone.",
            path: message(),
            query: vec![optional("show_deleted_message", Boolean, "A server reads them in any case.")],
            ..plain(MESSAGES, "Read a message", "GetMessageResponse")
        },
        Operation::DeleteMessage => Described {
            path: message(),
            query: vec![
                optional("hard", Boolean, "Whether it is taken away, and not only marked; for servers."),
                optional("deleted_by", Text, "The user who does it, if a server says so."),
                optional("delete_for_me", Boolean, "Not served yet but for false."),
            ],
            ..plain(MESSAGES, "Delete a message", "DeleteMessageResponse")
        },
        Operation::SendReaction => Described {
            description: "A reaction of the same type takes the place of the one before.",
            path: message(),
            request: Some("SendReactionRequest"),
            ..plain(MESSAGES, "React to a message", "SendReactionResponse")
        },
        Operation::DeleteReaction => Described {
            path: vec![required("id", Text, "The message."), required("type", Text, "The type.")],
            query: vec![optional("user_id", Text, "The user whose it is; required with a server token.")],
            ..plain(MESSAGES, "Take back a reaction", "DeleteReactionResponse")
        },
        Operation::GetReactions => Described {
            path: message(),
            query: vec![
                optional("limit", Schema::at_most(MOST_REACTIONS_SHOWN), "How many, 25 by default."),
                optional("offset", Schema::at_most(MOST_CHANNEL_MEMBERS), "After how many, newest first."),
            ],
            ..plain(MESSAGES, "List the reactions to a message", "GetReactionsResponse")
        },
        _ => return None,
    })
}

fn holding(description: &'static str, fields: Vec<Field>) -> Schema {
    Schema::object(description, std::iter::once(duration()).chain(fields).collect())
}

fn channel_field() -> Field {
    required("channel", Named("ChannelResponse"), "The channel.")
}

fn message_field() -> Field {
    required("message", Named("MessageResponse"), "The message.")
}

fn message_with_channel() -> Field {
    required("message", Named("MessageWithChannelResponse"), "The message.")
}

fn members() -> Field {
    required("members", Schema::list(Named("ChannelMemberResponse")), "The first members.")
}

fn reacted() -> Vec<Field> {
    vec![message_field(), required("reaction", Named("ReactionResponse"), "The reaction.")]
}

fn user() -> Field {
    required("user", Named("UserResponse"), "The user.")
}

fn custom() -> Field {
    required("custom", Free, "The app's own data.")
}

fn times() -> [Field; 2] {
    [
        required("created_at", Moment, "When it came to be."),
        required("updated_at", Moment, "When it was last changed."),
    ]
}

fn channel() -> Schema {
    let mut fields = vec![
        required("cid", Text, "Type and id."),
        required("id", Text, "The id within the type."),
        required("type", Choice(CHANNEL_TYPES), "The type."),
        optional("team", Text, "The team whose channel it is."),
        optional("created_by", Named("UserResponse"), "Who created it."),
        custom(),
        required("disabled", Boolean, "Always false yet."),
        required("frozen", Boolean, "Always false yet."),
        required("member_count", Schema::count(), "How many members it has."),
        required(
            "message_count",
            Schema::count(),
            "How many messages it has, those that are deleted and kept included.",
        ),
        optional("last_message_at", Moment, "When the newest message came."),
        optional("deleted_at", Moment, "Since when it is deleted."),
    ];
    fields.extend(times());
    Schema::object("A channel.", fields)
}

fn member() -> Schema {
    let mut fields = vec![
        required("user_id", Text, "The user."),
        user(),
        required("channel_role", Text, "The role in the channel."),
        required(
            "role",
            Choice(&["owner", "moderator", "member"]),
            "The same in short; the owner created the channel.",
        ),
        optional("is_moderator", Boolean, "Whether it moderates the channel."),
        required("banned", Boolean, "Whether it is banned from the channel; always false yet."),
        required("shadow_banned", Boolean, "The same without knowing; always false yet."),
        required("notifications_muted", Boolean, "Always false yet."),
        custom(),
    ];
    fields.extend(times());
    Schema::object("A member of a channel.", fields)
}

fn partial_member() -> Schema {
    let fields = vec![
        required("channel_role", Text, "The role in the channel."),
        required("notifications_muted", Boolean, "Always false yet."),
    ];
    Schema::object("What the author of a message is in the channel.", fields)
}

fn state() -> Schema {
    let fields = vec![
        duration(),
        channel_field(),
        members(),
        optional("membership", Named("ChannelMemberResponse"), "The membership of the user who asks."),
        required("messages", Schema::list(Named("MessageResponse")), "The newest messages, oldest first."),
        required("pinned_messages", Schema::list(Named("MessageResponse")), "Always empty yet."),
        required("threads", Schema::list(Free), "Always empty yet."),
    ];
    Schema::object("A channel with its first members and newest messages.", fields)
}

fn message() -> Vec<Field> {
    let empty = |name, of| required(name, Schema::list(of), "Always empty yet.");
    let no = |name| required(name, Boolean, "Always false yet.");
    let none = |name| required(name, Schema::count(), "Always 0 yet.");
    let mut fields = vec![
        required("id", Text, "The id."),
        required("cid", Text, "Type and id of the channel."),
        required("type", Choice(&["regular", "system", "deleted"]), "What kind of message it is."),
        required("text", Text, "What it says."),
        required("html", Text, "Always empty."),
        required("user", Named("UserResponse"), "The author."),
        optional("member", Named("ChannelMemberPartialResponse"), "The author as a member of the channel."),
        required("attachments", Schema::list(Named("Attachment")), "What hangs on it."),
        custom(),
        required(
            "latest_reactions",
            Schema::list(Named("ReactionResponse")),
            "The newest 10 reactions, newest first.",
        ),
        required("own_reactions", Schema::list(Named("ReactionResponse")), "Those of the user who asks."),
        required("reaction_counts", Schema::map(Schema::count()), "How many there are, by type."),
        required("reaction_scores", Schema::map(Integer), "The sums of their scores, by type."),
        required("reaction_groups", Schema::map(Named("ReactionGroupResponse")), "Both, and when, by type."),
        empty("mentioned_users", Named("UserResponse")),
        empty("restricted_visibility", Text),
        no("mentioned_channel"),
        no("mentioned_here"),
        no("pinned"),
        no("silent"),
        none("reply_count"),
        none("deleted_reply_count"),
        required("shadowed", Boolean, "Whether nobody but its author sees it; told to servers."),
        optional("deleted_at", Moment, "Since when it is deleted."),
    ];
    fields.extend(times());
    fields
}

fn with_channel() -> Vec<Field> {
    let mut fields = message();
    fields.push(channel_field());
    fields
}

fn attachment() -> Schema {
    // What else an attachment has is the app's, and answered as it was sent.
    Schema::Object(super::Fields {
        description: "An image, a file or a preview; fields are kept as they are sent.",
        fields: vec![optional("custom", Free, "The app's own data; always in answers.")],
        others: super::Others::Like(Box::new(Schema::Any)),
    })
}

fn reaction() -> Schema {
    let mut fields = vec![
        required("message_id", Text, "The message."),
        required("type", Text, "How."),
        required("score", Integer, "How much."),
        required("user_id", Text, "Who."),
        user(),
        custom(),
    ];
    fields.extend(times());
    Schema::object("A reaction.", fields)
}

fn group() -> Schema {
    let fields = vec![
        required("count", Schema::count(), "How many there are."),
        required("sum_scores", Integer, "The sum of their scores."),
        required("first_reaction_at", Moment, "When the first was given."),
        required("last_reaction_at", Moment, "When the last was given."),
        required(
            "latest_reactions_by",
            Schema::list(Named("ReactionGroupUserResponse")),
            "Whose are among the newest.",
        ),
    ];
    Schema::object("The reactions of one type.", fields)
}

fn group_user() -> Schema {
    let fields = vec![required("user_id", Text, "Who."), required("created_at", Moment, "Since when.")];
    Schema::object("Whose a reaction is.", fields)
}

fn reactions() -> Schema {
    let list = required("reactions", Schema::list(Named("ReactionResponse")), "The reactions, newest first.");
    holding("A page of reactions.", vec![list])
}
