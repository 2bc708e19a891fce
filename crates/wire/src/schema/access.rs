//! Guests, and questions about permissions (v2 2.2, 3.5; the questions are ours).

use model::Operation;

use super::Schema::{Boolean, Choice, Named, Text};
use super::operations::{Described, plain};
use super::{Schema, Type, duration, given, optional, required};

pub(super) fn types() -> Vec<Type> {
    vec![
        ("CreateGuestRequest", create_guest()),
        ("GuestRequest", guest()),
        ("CreateGuestResponse", created_guest()),
        ("ExplainPermissionResponse", explanation()),
        ("PermissionGrant", grant()),
    ]
}

pub(super) fn describe(operation: Operation) -> Option<Described> {
    Some(match operation {
        Operation::CreateGuest => Described {
            description: "Without a token, too: whoever knows the key of the app makes a guest, so many a minute from one \
                          address. Use the id that is answered, which ends with the one that is asked for. The token has \
                          no end. Refused in apps with teams, or while guest_user_creation_disabled is on.",
            request: Some("CreateGuestRequest"),
            ..plain("Users", "Make a guest", "CreateGuestResponse")
        },
        Operation::ExplainPermission => Described {
            description: "Ours. A server asks about anybody, '!anon' included; a user about itself, with what its token \
                          adds.",
            query: vec![
                optional("user_id", Text, "Whom it is about; whoever asks, if left out."),
                required("action", Text, "The action, like 'BanUser'."),
                optional(
                    "resource",
                    Text,
                    "On what: 'app', 'user:ID', 'channel:TYPE', 'channel:TYPE:ID', 'call:TYPE' or 'call:TYPE:ID'; the \
                     app, if left out.",
                ),
            ],
            ..plain("Roles and permissions", "Ask who may do what, and why", "ExplainPermissionResponse")
        },
        _ => return None,
    })
}

fn create_guest() -> Schema {
    Schema::object("A guest to make.", vec![required("user", Named("GuestRequest"), "The guest.")])
}

fn guest() -> Schema {
    let fields = vec![
        required("id", Text, "The end of the id that the guest gets: letters, digits, '@', '_' and '-'."),
        given("name", Text, "The display name."),
        given("image", Text, "The address of a picture."),
        given("custom", Schema::Free, "Custom data."),
    ];
    Schema::object("What a guest shows. What else a user has is not its to choose, and is ignored.", fields)
}

fn created_guest() -> Schema {
    let fields = vec![
        duration(),
        required("access_token", Text, "A token of the guest."),
        required("user", Named("UserResponse"), "The guest, with the id that it has."),
    ];
    Schema::object("The guest that was made.", fields)
}

fn explanation() -> Schema {
    let fields = vec![
        duration(),
        required("allowed", Boolean, "Whether it is allowed."),
        required("user_id", Text, "Whom it is about; 'server' for a server."),
        required("action", Text, "The action."),
        required("resource", Text, "On what."),
        required("reason", Text, "What decided it, in words; of a denial, those of the refusal."),
        optional("grant", Named("PermissionGrant"), "The grant that decided it."),
    ];
    Schema::object("Whether somebody may do something.", fields)
}

fn grant() -> Schema {
    let fields = vec![
        required("role", Text, "The role."),
        required("permission", Text, "The permission that it is granted."),
        required("granted_by", Choice(&["default", "settings"]), "Whether that is built in."),
    ];
    Schema::object("A permission that a role is granted.", fields)
}
