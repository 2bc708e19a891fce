//! Exports of users (v2 2.2, 3.5, semantics 11).

use model::{MOST_USER_IDS, Operation};

use super::Schema::{Any, Boolean, Choice, Free, Integer, List, Moment, Named, Text};
use super::operations::{Described, plain};
use super::{Field, Fields, Others, Schema, Type, duration, optional, required};

const USERS: &str = "Users";

pub(super) fn describe(operation: Operation) -> Option<Described> {
    Some(match operation {
        Operation::ExportUser => Described {
            description: "The user, every message of its and every reaction, deleted messages too. More than 10,000 messages \
                          or reactions, or 32 MiB of them, are refused: export the user by POST /api/v2/export/users.",
            path: vec![required("user_id", Text, "The user.")],
            ..plain(USERS, "Read everything that is known of a user", "ExportUserResponse")
        },
        Operation::ExportUsers => Described {
            description: "All users or none. A task writes a file of a JSON object a line; the result of the task says where \
                          the file is found, for 24 hours after the end of the task.",
            request: Some("ExportUsersRequest"),
            ..plain(USERS, "Write everything that is known of users into a file", "ExportUsersResponse")
        },
        _ => return None,
    })
}

pub(super) fn types() -> Vec<Type> {
    vec![
        ("ExportUserResponse", export()),
        ("ExportedMessageResponse", message()),
        ("ExportedReactionResponse", reaction()),
        ("ExportedReactionGroupResponse", group()),
        ("ExportedAttachment", attachment()),
        ("ExportUsersRequest", many()),
        ("ExportUsersResponse", started()),
        ("ExportUsersResult", result()),
    ]
}

fn export() -> Schema {
    let fields = vec![
        duration(),
        required("user", Named("UserResponse"), "The user."),
        required(
            "messages",
            Schema::list(Named("ExportedMessageResponse")),
            "What it has written, oldest first.",
        ),
        required(
            "reactions",
            Schema::list(Named("ExportedReactionResponse")),
            "What it has answered messages with, in the order of these messages.",
        ),
    ];
    Schema::object("Everything that is known of a user.", fields)
}

fn author() -> Field {
    required("user", Named("UserResponse"), "The user, without its custom data.")
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

fn message() -> Schema {
    let empty = |name, of| required(name, Schema::list(of), "Always empty.");
    let no = |name| required(name, Boolean, "Always false yet.");
    let none = |name| required(name, Schema::count(), "Always 0 yet.");
    let mut fields = vec![
        required("id", Text, "The id."),
        required("cid", Text, "Type and id of the channel."),
        required("type", Choice(&["regular", "system", "deleted"]), "What kind of message it is."),
        required("text", Text, "What it says."),
        required("html", Text, "Always empty."),
        author(),
        required("attachments", Schema::list(Named("ExportedAttachment")), "What hangs on it."),
        custom(),
        empty("latest_reactions", Named("ExportedReactionResponse")),
        empty("own_reactions", Named("ExportedReactionResponse")),
        required("reaction_counts", Schema::map(Schema::count()), "How many reactions there are, by type."),
        required("reaction_scores", Schema::map(Integer), "The sums of their scores, by type."),
        required(
            "reaction_groups",
            Schema::map(Named("ExportedReactionGroupResponse")),
            "Both, and when, by type.",
        ),
        empty("mentioned_users", Named("UserResponse")),
        empty("restricted_visibility", Text),
        no("mentioned_channel"),
        no("mentioned_here"),
        no("pinned"),
        no("silent"),
        none("reply_count"),
        none("deleted_reply_count"),
        required("shadowed", Boolean, "Whether nobody but its author sees it."),
        optional("deleted_at", Moment, "Since when it is deleted."),
    ];
    fields.extend(times());
    Schema::object("A message, without what others have made.", fields)
}

fn reaction() -> Schema {
    let mut fields = vec![
        required("message_id", Text, "The message."),
        required("type", Text, "How."),
        required("score", Integer, "How much."),
        required("user_id", Text, "Who."),
        author(),
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
        required("latest_reactions_by", Schema::list(Any), "Always empty: whose they are is others' data."),
    ];
    Schema::object("The reactions of one type to a message.", fields)
}

fn attachment() -> Schema {
    Schema::Object(Fields {
        description: "An image, a file or a preview, as it was sent.",
        fields: vec![custom()],
        others: Others::Like(Box::new(Any)),
    })
}

fn many() -> Schema {
    let ids = List { of: Box::new(Text), most: Some(MOST_USER_IDS) };
    Schema::object("Users to export.", vec![required("user_ids", ids, "The users, each once: 1 to 100.")])
}

fn started() -> Schema {
    let task = required("task_id", Text, "The task that writes the file, a UUID.");
    Schema::object("An export that has begun.", vec![duration(), task])
}

fn result() -> Schema {
    let users = Schema::map(Named("TaskOutcome"));
    let fields = vec![
        required(
            "url",
            Text,
            "Where the file is. Whoever has the address can read it: it needs no key and no token.",
        ),
        optional(
            "users",
            users,
            "What came of it for each user, by id; only when one of them was not exported.",
        ),
    ];
    Schema::object("The file of an export, until 24 hours after the end of the task.", fields)
}
