//! Roles, permissions and rate limits (v2 2.4, 2.6, 3.9, 3.11).

use super::Schema::{Boolean, Choice, Integer, Moment, Named, Text};
use super::{Schema, Type, duration, optional, required};

pub(super) fn types() -> Vec<Type> {
    vec![
        ("Role", role()),
        ("ListRolesResponse", roles("Every role, by name.")),
        ("SearchRolesResponse", roles("Roles that were found, by name.")),
        ("CreateRoleRequest", create()),
        ("CreateRoleResponse", created()),
        ("Permission", permission()),
        ("ListPermissionsResponse", permissions()),
        ("GetCustomPermissionResponse", one_permission()),
        ("LimitInfoResponse", limit()),
        ("GetRateLimitsResponse", limits()),
    ]
}

fn role() -> Schema {
    let fields = vec![
        required("name", Text, "The name."),
        required("custom", Boolean, "Whether the app made it."),
        required("scopes", Schema::list(Text), "Where it grants something; '.app' is the whole app."),
        required("created_at", Moment, "When it was made; a built-in role came with its app."),
        required("updated_at", Moment, "When it was last changed."),
    ];
    Schema::object("A role.", fields)
}

fn roles(description: &'static str) -> Schema {
    let roles = required("roles", Schema::list(Named("Role")), "The roles.");
    Schema::object(description, vec![duration(), roles])
}

fn create() -> Schema {
    let name = required("name", Text, "1 to 64 of a to z, 0 to 9, '_' and '-'; not that of a built-in role.");
    Schema::object("A role to make.", vec![name])
}

fn created() -> Schema {
    Schema::object("The role that was made.", vec![duration(), required("role", Named("Role"), "The role.")])
}

fn permission() -> Schema {
    let fields = vec![
        required("id", Text, "The id, like 'create-channel'."),
        required("name", Text, "The name to show."),
        required("description", Text, "What it allows."),
        required("action", Text, "The action, like 'CreateChannel'."),
        required("custom", Boolean, "Whether the app made it."),
        required(
            "level",
            Choice(&["app", "channel"]),
            "Whether it is about the app, or about channels or calls.",
        ),
        required("owner", Boolean, "Whether it holds for what is one's own only."),
        required("owner_resource", Text, "What has to be one's own; '' for nothing."),
        required("same_team", Boolean, "Whether it holds within a team only."),
        required("tags", Schema::list(Text), "Labels."),
    ];
    Schema::object("A permission of the catalogue.", fields)
}

fn permissions() -> Schema {
    let all = required("permissions", Schema::list(Named("Permission")), "The permissions.");
    Schema::object("The catalogue of permissions.", vec![duration(), all])
}

fn one_permission() -> Schema {
    let one = required("permission", Named("Permission"), "The permission.");
    Schema::object("One permission.", vec![duration(), one])
}

fn limit() -> Schema {
    let fields = vec![
        required("limit", Schema::count(), "Calls in a minute; 2147483647 is no limit."),
        required("remaining", Schema::count(), "Calls left in this minute."),
        required("reset", Integer, "When the minute ends, in seconds since 1970."),
    ];
    Schema::object("The calls left of one operation on one platform.", fields)
}

fn limits() -> Schema {
    let platform = |name, description| optional(name, Schema::map(Named("LimitInfoResponse")), description);
    let fields = vec![
        duration(),
        platform("server_side", "Calls of servers, by operation."),
        platform("android", "Calls from Android."),
        platform("ios", "Calls from iOS."),
        platform("web", "Calls from browsers."),
        platform("unity", "Calls from Unity."),
    ];
    Schema::object("The calls left, by platform and operation; only the platforms asked for.", fields)
}
