//! Operations: what each takes and answers (v2 2.1, 2.2, 2.4, 2.6).

use model::{Operation, RoleSearch};

use super::Schema::{Boolean, Choice, Named, Text};
use super::{Field, Schema, access, moderation, optional, required, social};

/// What an operation takes and answers.
#[derive(Clone, Debug)]
pub struct Described {
    /// The subject under which it stands.
    pub subject: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What else there is to know; may be empty.
    pub description: &'static str,
    /// The parameters in the path.
    pub path: Vec<Field>,
    /// The parameters in the query, but for the API key. One that is a [`Schema::Named`] is JSON text.
    pub query: Vec<Field>,
    /// The type of the body, if there is one.
    pub request: Option<&'static str>,
    /// The type of the answer.
    pub answer: &'static str,
}

const USERS: &str = "Users";
const ROLES: &str = "Roles and permissions";
const APP: &str = "App";

/// An operation that takes nothing.
pub(super) fn plain(subject: &'static str, summary: &'static str, answer: &'static str) -> Described {
    Described {
        subject,
        summary,
        description: "",
        path: Vec::new(),
        query: Vec::new(),
        request: None,
        answer,
    }
}

/// The description of an operation; `None` when it is not served.
#[must_use]
pub fn describe(operation: Operation) -> Option<Described> {
    Some(match operation {
        Operation::GetApp => plain(APP, "Read the settings of the app", "GetApplicationResponse"),
        Operation::UpdateApp => Described {
            description: "Changes only what is given. An object or a list is replaced as a whole.",
            request: Some("UpdateAppRequest"),
            ..plain(APP, "Change settings of the app", "Response")
        },
        Operation::GetRateLimits => Described {
            description: "Without a platform all of them are answered.",
            query: limits(),
            ..plain(APP, "Read how many calls are left", "GetRateLimitsResponse")
        },
        Operation::QueryUsers => Described {
            query: vec![optional("payload", Named("QueryUsersPayload"), "The query, as JSON text.")],
            ..plain(USERS, "Find users", "QueryUsersResponse")
        },
        Operation::UpdateUsers => Described {
            description: "All users or none. Answers 201 when a user was created. What the request leaves out of role, \
                          teams and the like stays as it is, unless replace_security_fields says otherwise.",
            request: Some("UpdateUsersRequest"),
            ..plain(USERS, "Create or replace users", "UpdateUsersResponse")
        },
        Operation::UpdateUsersPartial => Described {
            description: "All changes or none; every user must exist.",
            request: Some("UpdateUsersPartialRequest"),
            ..plain(USERS, "Change single fields of users", "UpdateUsersResponse")
        },
        Operation::DeactivateUser => Described {
            path: vec![required("user_id", Text, "The user.")],
            request: Some("DeactivateUserRequest"),
            ..plain(USERS, "Shut a user out", "DeactivateUserResponse")
        },
        Operation::ReactivateUser => Described {
            path: vec![required("user_id", Text, "The user.")],
            request: Some("ReactivateUserRequest"),
            ..plain(USERS, "Let a deactivated user in again", "ReactivateUserResponse")
        },
        Operation::ListRoles => plain(ROLES, "List the roles", "ListRolesResponse"),
        Operation::CreateRole => Described {
            description: "An app may have up to 25 roles of its own.",
            request: Some("CreateRoleRequest"),
            ..plain(ROLES, "Make a role", "CreateRoleResponse")
        },
        Operation::SearchRoles => Described {
            query: role_search(),
            ..plain(ROLES, "Find roles by the beginning of their name", "SearchRolesResponse")
        },
        Operation::DeleteRole => Described {
            description: "Neither a built-in role nor one that is in use.",
            path: vec![required("name", Text, "The role.")],
            ..plain(ROLES, "Delete a role", "Response")
        },
        Operation::ListPermissions => plain(ROLES, "List the permissions", "ListPermissionsResponse"),
        Operation::GetPermission => Described {
            path: vec![required("id", Text, "The permission.")],
            ..plain(ROLES, "Read a permission", "GetCustomPermissionResponse")
        },
        _ => {
            return access::describe(operation)
                .or_else(|| moderation::describe(operation))
                .or_else(|| social::describe(operation))
                .or_else(|| super::sets::describe(operation))
                .or_else(|| super::deletion::describe(operation))
                .or_else(|| super::tasks::describe(operation))
                .or_else(|| super::chat::describe(operation))
                .or_else(|| super::export::describe(operation));
        }
    })
}

fn limits() -> Vec<Field> {
    vec![
        optional("server_side", Boolean, "Answer the calls of servers."),
        optional("android", Boolean, "Answer the calls from Android."),
        optional("ios", Boolean, "Answer the calls from iOS."),
        optional("web", Boolean, "Answer the calls from browsers."),
        optional("unity", Boolean, "Answer the calls from Unity."),
        optional("endpoints", Text, "Only these operations, separated by commas."),
    ]
}

fn role_search() -> Vec<Field> {
    vec![
        required("query", Text, "How the names begin; capitals count as small letters."),
        optional("limit", Schema::at_most(RoleSearch::MOST), "How many roles, 30 by default."),
        optional("name_gt", Text, "Only names after this one."),
        optional(
            "role_type",
            Choice(&["user", "channel"]),
            "Only roles of users, or of members of channels.",
        ),
        optional(
            "include_global_roles",
            Boolean,
            "Whether global_admin and global_moderator are found as well.",
        ),
    ]
}
