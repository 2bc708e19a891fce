//! App settings (v2 2.1, 3.11), from the tables that requests are checked by.

use super::Schema::{Boolean, Choice, Free, Integer, Moment, Named, Text, Time};
use super::{Field, Presence, Schema, Type, duration, given, optional, required};
use crate::v2::app::{MOST_BLOCKS, MOST_CALLS, MOST_TEAMS, MOST_USER_BYTES};
use crate::v2::hooks::HOOK;
use crate::v2::settings::Use::{Hidden, ReadOnly, Shown};
use crate::v2::settings::{SETTINGS, Shape};

/// Where a setting stands: requests may leave out and say `null`, and write times in two ways.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Request,
    Answer,
}

pub(super) fn types() -> Vec<Type> {
    vec![
        ("GetApplicationResponse", answer()),
        ("AppResponseFields", fields_of_answer()),
        ("UpdateAppRequest", update()),
        ("EventHook", hook(Side::Answer)),
        ("EventHookRequest", hook(Side::Request)),
        ("FileUploadConfig", uploads(Side::Answer)),
        ("FileUploadConfigRequest", uploads(Side::Request)),
        ("HeadwaterSettings", own(Side::Answer)),
        ("HeadwaterSettingsRequest", own(Side::Request)),
    ]
}

/// What settings mean that Headwater heeds or that are not plain from their name; the others are kept for clients and
/// given back.
const MEANINGS: &[(&str, &str)] = &[
    ("disable_auth_checks", "Kept and given back; tokens are checked all the same."),
    ("disable_permissions_checks", "Kept and given back; permissions are checked all the same."),
    ("enforce_unique_usernames", "Within what names of users are to be unique."),
    ("event_hooks", "Where events are to be sent; replaced as a whole."),
    ("grants", "Permissions by role, in place of the built-in grants of the roles named."),
    ("multi_tenant_enabled", "Whether teams keep users apart."),
    ("revoke_tokens_issued_before", "User tokens that are older are refused; null takes it back."),
    ("user_search_disallowed_roles", "Roles that may not search for users."),
];

fn meaning(name: &str) -> &'static str {
    MEANINGS.iter().find(|(known, _)| *known == name).map_or("", |(_, meaning)| meaning)
}

fn shaped(shape: Shape, side: Side) -> Schema {
    match shape {
        Shape::Boolean => Boolean,
        Shape::Count => Schema::count(),
        Shape::Text => Text,
        Shape::Choice(choices) => Choice(choices),
        Shape::Texts => Schema::list(Text),
        Shape::TextLists if side == Side::Request => {
            Schema::map(Schema::AnyOf(vec![Schema::list(Text), Schema::Null]))
        }
        Shape::TextLists => Schema::map(Schema::list(Text)),
        Shape::Counts => Schema::map(Schema::count()),
        Shape::Object => Free,
        Shape::Objects => Schema::list(Free),
        Shape::Moment if side == Side::Request => Time,
        Shape::Moment => Moment,
        Shape::Uploads if side == Side::Request => Named("FileUploadConfigRequest"),
        Shape::Uploads => Named("FileUploadConfig"),
        Shape::Hooks if side == Side::Request => Schema::list(Named("EventHookRequest")),
        Shape::Hooks => Schema::list(Named("EventHook")),
    }
}

fn answer() -> Schema {
    let app = required("app", Named("AppResponseFields"), "The app.");
    Schema::object("The app and its settings.", vec![duration(), app])
}

fn fields_of_answer() -> Schema {
    let mut fields = vec![
        required("id", Integer, "The number of the app."),
        required("name", Text, "The name of the app."),
        required("suspended", Boolean, "Whether nobody may use the app."),
        required("suspended_explanation", Text, "Why."),
    ];
    fields.extend(SETTINGS.iter().filter(|(.., of)| *of != Hidden).map(|&(name, shape, of)| {
        let schema = shaped(shape, Side::Answer);
        // What was taken back stays, as `null`.
        let schema = if matches!(shape, Shape::Moment) { schema.or_null() } else { schema };
        let presence = if matches!(of, Shown | ReadOnly) { Presence::Required } else { Presence::Optional };
        Field { name, schema, presence, description: meaning(name) }
    }));
    fields.push(required("headwater", Named("HeadwaterSettings"), "Settings of Headwater's own."));
    Schema::object("An app and its settings.", fields)
}

fn update() -> Schema {
    let changeable = SETTINGS.iter().filter(|(.., of)| *of != ReadOnly);
    let mut fields: Vec<Field> = changeable
        .map(|&(name, shape, _)| given(name, shaped(shape, Side::Request), meaning(name)))
        .collect();
    fields.push(given("headwater", Named("HeadwaterSettingsRequest"), "Settings of Headwater's own."));
    Schema::object(
        "Settings to change; what is left out or null stays. Names that are not known, and settings that cannot be \
         changed, are ignored.",
        fields,
    )
}

fn hook(side: Side) -> Schema {
    let field = |&(name, shape): &(&'static str, Shape)| {
        let schema = shaped(shape, side);
        let always = matches!(name, "id" | "enabled" | "created_at" | "updated_at");
        match side {
            Side::Request => given(name, schema, ""),
            Side::Answer if always => required(name, schema, ""),
            Side::Answer => optional(name, schema, ""),
        }
    };
    Schema::object("Where events are to be sent.", HOOK.iter().map(field).collect())
}

fn uploads(side: Side) -> Schema {
    let lists = [
        ("allowed_file_extensions", "Only files with these endings."),
        ("blocked_file_extensions", "No files with these endings."),
        ("allowed_mime_types", "Only files of these kinds."),
        ("blocked_mime_types", "No files of these kinds."),
    ];
    let limit = "The most bytes of a file; 0 is the default of the server.";
    let mut fields = match side {
        Side::Request => vec![given("size_limit", Schema::count(), limit)],
        Side::Answer => vec![required("size_limit", Schema::count(), limit)],
    };
    fields.extend(lists.map(|(name, description)| match side {
        Side::Request => given(name, Schema::list(Text), description),
        Side::Answer => optional(name, Schema::list(Text), description),
    }));
    Schema::object("Which files may be uploaded.", fields)
}

fn own(side: Side) -> Schema {
    let field = match side {
        Side::Request => given,
        Side::Answer => required,
    };
    let calls = Schema::Count { least: 1, most: Some(u64::from(MOST_CALLS)) };
    let fields = vec![
        field(
            "replace_security_fields",
            Choice(&["keep", "reset"]),
            "What replacing a user does to role, teams and the like that the request leaves out.",
        ),
        field(
            "user_size_limit",
            Schema::at_most(MOST_USER_BYTES),
            "The most bytes of name, image and custom data.",
        ),
        field("user_teams_limit", Schema::at_most(MOST_TEAMS), "The most teams of a user."),
        field("user_blocks_limit", Schema::at_most(MOST_BLOCKS), "The most users that one may block."),
        field(
            "team_filter",
            Choice(&["injected", "required"]),
            "What a client's query for users without a team filter gets in an app with teams: its own teams, or a refusal.",
        ),
        field(
            "rate_limits",
            Schema::map(calls),
            "Calls a minute by the name of an operation, like UpdateUsers.",
        ),
    ];
    Schema::closed("Settings of Headwater's own.", fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_are_of_settings() {
        for (name, _) in MEANINGS {
            assert!(SETTINGS.iter().any(|(known, ..)| known == name), "{name}");
        }
    }
}
