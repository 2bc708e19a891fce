//! Exports of users (v2 2.2, 3.5, semantics 11).

use model::{MOST_USER_IDS, Operation};

use super::Schema::{List, Named, Text};
use super::operations::{Described, plain};
use super::{Schema, Type, duration, optional, required};

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
            Schema::list(Named("MessageResponse")),
            "What it has written, oldest first, with how often it was reacted to, and not by whom.",
        ),
        required(
            "reactions",
            Schema::list(Named("ReactionResponse")),
            "What it has answered messages with, in the order of these messages.",
        ),
    ];
    Schema::object("Everything that is known of a user.", fields)
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
