//! Tasks, and the calls on many users that start them (v2 2.2, 3.5, 4).

use model::{MOST_USER_IDS, Operation};

use super::Schema::{Boolean, Choice, List, Moment, Named, Text};
use super::operations::{Described, plain};
use super::{Field, Schema, Type, duration, given, optional, required};

const USERS: &str = "Users";
const TASKS: &str = "Tasks";

/// The names of [`model::TaskStatus`].
const STATUSES: &[&str] = &["pending", "running", "completed", "failed"];

pub(super) fn types() -> Vec<Type> {
    vec![
        ("DeactivateUsersRequest", deactivate_users()),
        ("DeactivateUsersResponse", started("Everybody is shut out; a task sees to what they have made.")),
        ("ReactivateUsersRequest", reactivate_users()),
        ("ReactivateUsersResponse", started("Everybody is let in; a task sees to what they have made.")),
        ("GetTaskResponse", task()),
        ("TaskOutcome", outcome()),
        ("ErrorResult", error()),
    ]
}

/// The description of an operation; `None` when it is not of these subjects.
pub(super) fn describe(operation: Operation) -> Option<Described> {
    Some(match operation {
        Operation::DeactivateUsers => Described {
            description: "All users or none; who is deactivated already stays so. Everybody is shut out when this is \
                          answered. The result of the task is kept for 24 hours.",
            request: Some("DeactivateUsersRequest"),
            ..plain(USERS, "Shut users out", "DeactivateUsersResponse")
        },
        Operation::ReactivateUsers => Described {
            description: "All users or none; who is active already stays so. Everybody is let in when this is answered. \
                          The result of the task is kept for 24 hours.",
            request: Some("ReactivateUsersRequest"),
            ..plain(USERS, "Let deactivated users in again", "ReactivateUsersResponse")
        },
        Operation::GetTask => Described {
            description: "Known for 60 days after its end. Ask every second or so until it is completed or failed.",
            path: vec![required("id", Text, "The task.")],
            ..plain(TASKS, "Read how far a task is", "GetTaskResponse")
        },
        _ => return None,
    })
}

/// The users of a call about many.
fn user_ids() -> Field {
    let ids = List { of: Box::new(Text), most: Some(MOST_USER_IDS) };
    required("user_ids", ids, "The users, each once: 1 to 100.")
}

fn created_by() -> Field {
    given("created_by_id", Text, "The user to record as the author.")
}

fn deactivate_users() -> Schema {
    let fields = vec![
        user_ids(),
        created_by(),
        given("mark_messages_deleted", Boolean, "Whether their messages are to show as deleted."),
        given("mark_channels_deleted", Boolean, "Whether their channels are to show as deleted."),
    ];
    Schema::object("Users to shut out.", fields)
}

fn reactivate_users() -> Schema {
    let fields = vec![
        user_ids(),
        created_by(),
        given("restore_messages", Boolean, "Whether messages that the deactivation hid are to come back."),
        given("restore_channels", Boolean, "Whether channels that the deactivation hid are to come back."),
    ];
    Schema::object("Users to let in again.", fields)
}

fn started(description: &'static str) -> Schema {
    Schema::object(description, vec![duration(), required("task_id", Text, "The task, a UUID.")])
}

fn task() -> Schema {
    let fields = vec![
        duration(),
        required("task_id", Text, "The task."),
        required("status", Choice(STATUSES), "How far it is."),
        required("created_at", Moment, "When it was started."),
        required("updated_at", Moment, "When it was last worked on."),
        optional(
            "result",
            Schema::AnyOf(vec![Named("ExportUsersResult"), Schema::map(Named("TaskOutcome"))]),
            "What came of it, while that is kept: of an export the file, else for each user, by id.",
        ),
        optional("error", Named("ErrorResult"), "Why it was given up; of a failed task only."),
    ];
    Schema::object("How far a task is.", fields)
}

fn outcome() -> Schema {
    let fields = vec![
        required("status", Choice(&["ok", "error"]), "Whether it is done."),
        optional("error", Text, "Why it is not."),
    ];
    Schema::object("What came of a task for one thing among many.", fields)
}

fn error() -> Schema {
    let fields = vec![
        required("type", Text, "What kind of failure it was, for programs."),
        required("description", Text, "What went wrong, for people."),
    ];
    Schema::object("Why a task was given up.", fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statuses_are_those_of_the_model() {
        let known: Vec<&str> = model::TaskStatus::ALL.iter().map(|status| status.name()).collect();
        assert_eq!(STATUSES, known);
    }
}
