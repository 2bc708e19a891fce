//! Deleting and restoring users (v2 2.2, 3.5).

use model::Operation;

use super::Schema::{Boolean, Choice, Named, Text};
use super::operations::{Described, plain};
use super::{Field, Schema, Type, duration, optional, required};

const USERS: &str = "Users";

pub(super) fn describe(operation: Operation) -> Option<Described> {
    Some(match operation {
        Operation::DeleteUsers => Described {
            description: "All of them or none. When it is answered nobody finds them any more; a task does the rest. Who is \
                          deleted already may be deleted more thoroughly.",
            request: Some("DeleteUsersRequest"),
            ..plain(USERS, "Delete users", "DeleteUsersResponse")
        },
        Operation::PreviewUserDeletion => Described {
            description: "Takes what the deletion takes, refuses what it refuses, and changes nothing.",
            request: Some("DeleteUsersRequest"),
            ..plain(USERS, "See what deleting users would take", "PreviewUserDeletionResponse")
        },
        Operation::RestoreUsers => Described {
            description: "All of them or none: the users as they were, nothing of what hung on them. Only who was deleted \
                          softly can be restored. A custom role that was deleted meanwhile is not given back: 'user' is in its \
                          place.",
            request: Some("RestoreUsersRequest"),
            ..plain(USERS, "Restore deleted users", "Response")
        },
        _ => return None,
    })
}

pub(super) fn types() -> Vec<Type> {
    vec![
        ("DeleteUsersRequest", delete()),
        ("DeleteUsersResponse", started()),
        ("PreviewUserDeletionResponse", preview()),
        ("DeletionForecast", forecast()),
        ("RestoreUsersRequest", restore()),
    ]
}

fn user_ids() -> Field {
    required("user_ids", Schema::list(Text), "1 to 100 users, each once.")
}

fn delete() -> Schema {
    let conversation = || Choice(&["soft", "hard", ""]);
    let messages = Choice(&["soft", "pruning", "hard", ""]);
    let fields = vec![
        user_ids(),
        optional(
            "user",
            Choice(&["soft", "pruning", "hard", ""]),
            "How the users are deleted: marked, emptied, or gone; 'soft' when left out. 'hard' demands 'hard' of messages and \
             conversations.",
        ),
        optional("messages", messages, "How their messages are; left out, these stay as they are."),
        optional("conversations", conversation(), "How channels of two members are."),
        optional("calls", conversation(), "How calls of two members are."),
        optional("files", Boolean, "Whether what they have attached to messages goes."),
        optional("new_channel_owner_id", Text, "Who gets the channels of users who go."),
        optional("new_call_owner_id", Text, "Who gets their calls."),
    ];
    Schema::object("Users to delete, and how.", fields)
}

fn started() -> Schema {
    let task = required("task_id", Text, "The task that does the rest.");
    Schema::object("A deletion that has begun.", vec![duration(), task])
}

fn preview() -> Schema {
    let names = Schema::map(Schema::map(Named("DeletionForecast")));
    let fields = vec![
        duration(),
        required("users", names, "By user and kind of data: all that would change."),
        required(
            "totals",
            Schema::map(Schema::count()),
            "How much there is of each kind, of all of them together; at least so much where that is said of one of them.",
        ),
    ];
    Schema::object("What a deletion would take.", fields)
}

fn forecast() -> Schema {
    let effects = Choice(&["marked", "emptied", "passed_on", "unnamed", "removed"]);
    let fields = vec![
        required("effect", effects, "What would become of it."),
        required("count", Schema::count(), "How much of it there is."),
        optional(
            "at_least",
            Boolean,
            "That there can be more than count: of each kind up to 10,000 are counted of a user, and fewer when there are more \
             than 10 users.",
        ),
    ];
    Schema::object("What a deletion would do to one kind of data.", fields)
}

fn restore() -> Schema {
    Schema::object("Users to restore.", vec![user_ids()])
}
