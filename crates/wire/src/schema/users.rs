//! Users, in requests and answers (v2 3.1, 3.3, 3.5).

use super::Schema::{Boolean, Free, List, Map, Moment, Named, Text};
use super::{Field, Schema, Type, duration, given, optional, required};

/// The most users of one call.
const MOST_USERS: Option<usize> = Some(100);

pub(super) fn types() -> Vec<Type> {
    vec![
        ("UserRequest", user_request()),
        ("UserResponse", Schema::object("A user within another answer.", common())),
        ("FullUserResponse", full_user()),
        ("PrivacySettingsResponse", privacy()),
        ("TypingIndicatorsResponse", switch("Whether others see that the user is typing.")),
        ("ReadReceiptsResponse", switch("Whether others see what the user has read.")),
        ("DeliveryReceiptsResponse", switch("Whether others see what has reached the user.")),
        ("UpdateUsersRequest", upsert()),
        ("UpdateUsersPartialRequest", update_partial()),
        ("UpdateUserPartialRequest", patch()),
        ("UpdateUsersResponse", updated()),
        ("DeactivateUserRequest", deactivate()),
        ("DeactivateUserResponse", one("The user, deactivated.")),
        ("ReactivateUserRequest", reactivate()),
        ("ReactivateUserResponse", one("The user, active again.")),
    ]
}

fn user_request() -> Schema {
    let fields = vec![
        given(
            "id",
            Text,
            "The id: letters, digits, '@', '_' and '-'. If given, it must be the key in the map.",
        ),
        given("name", Text, "The display name."),
        given("image", Text, "The address of a picture."),
        given("role", Text, "The role in the app; a new user has 'user' unless another is given."),
        given("language", Text, "The preferred language, like 'en' or 'en-GB'; '' for none."),
        given("invisible", Boolean, "Whether the user hides its presence."),
        given("teams", Schema::list(Text), "The teams that the user belongs to."),
        given("teams_role", Schema::map(Text), "The role of the user in a team, by team."),
        given("privacy_settings", Named("PrivacySettingsResponse"), "What others see of the user's doings."),
        given("custom", Free, "Custom data, replaced as a whole."),
    ];
    Schema::object("A user to create or replace.", fields)
}

/// What every shape of an answer shows.
fn common() -> Vec<Field> {
    vec![
        required("id", Text, "The id."),
        required("role", Text, "The role in the app."),
        required("banned", Boolean, "Whether the user is banned from the whole app."),
        required("shadow_banned", Boolean, "Whether the user is shadow-banned from the whole app."),
        required("online", Boolean, "Whether the user is connected and does not hide it."),
        required("invisible", Boolean, "Whether the user hides its presence."),
        required("language", Text, "The preferred language; '' for none."),
        required("teams", Schema::list(Text), "The teams that the user belongs to."),
        required("blocked_user_ids", Schema::list(Text), "The users whom this one has blocked."),
        required("custom", Free, "Custom data."),
        required("created_at", Moment, "When the user came to be."),
        required("updated_at", Moment, "When the user was last changed."),
        optional("name", Text, "The display name."),
        optional("image", Text, "The address of a picture."),
        optional("teams_role", Schema::map(Text), "The role of the user in a team, by team."),
        optional("privacy_settings", Named("PrivacySettingsResponse"), "Absent until one is first set."),
        optional("ban_expires", Moment, "When the ban from the whole app ends; absent for never."),
        optional("bypass_moderation", Boolean, "Whether moderation lets everything of the user pass."),
        optional("deactivated_at", Moment, "Since when the user is deactivated."),
        optional("deleted_at", Moment, "Since when the user is deleted."),
        optional("revoke_tokens_issued_before", Moment, "Tokens of the user that are older are refused."),
    ]
}

fn full_user() -> Schema {
    let mut fields = common();
    fields.extend(belongings());
    Schema::object("A user as the subject of an answer.", fields)
}

/// The user who asks, or for whom a server does: it is not told what moderators have done in silence.
pub(super) fn own_user() -> Schema {
    let mut fields = common();
    fields.retain(|field| !matches!(field.name, "shadow_banned" | "ban_expires" | "bypass_moderation"));
    fields.extend(belongings());
    let preferences = Named("PushPreferencesResponse");
    fields.push(optional("push_preferences", preferences, "Absent until one is set."));
    Schema::object("A user, as it sees itself.", fields)
}

/// What hangs on a user.
fn belongings() -> [Field; 7] {
    [
        required(
            "devices",
            Schema::list(Named("DeviceResponse")),
            "The devices that take pushes for the user.",
        ),
        required("mutes", Schema::list(Named("UserMuteResponse")), "The users whom this one has muted."),
        required("channel_mutes", Schema::list(Free), "The channels that the user has muted."),
        required("total_unread_count", Schema::count(), "Messages not read, in all channels."),
        required("unread_count", Schema::count(), "The same, by an older name."),
        required("unread_channels", Schema::count(), "Channels with a message not read."),
        required("unread_threads", Schema::count(), "Threads with a reply not read."),
    ]
}

fn privacy() -> Schema {
    let fields = vec![
        optional("typing_indicators", Named("TypingIndicatorsResponse"), "Typing; absent until set."),
        optional("read_receipts", Named("ReadReceiptsResponse"), "Reading; absent until set."),
        optional("delivery_receipts", Named("DeliveryReceiptsResponse"), "Delivery; absent until set."),
    ];
    Schema::object("What others see of a user's doings, in requests and answers.", fields)
}

fn switch(description: &'static str) -> Schema {
    Schema::object(description, vec![required("enabled", Boolean, "On or off.")])
}

fn upsert() -> Schema {
    let users = Map { of: Box::new(Named("UserRequest")), most: MOST_USERS };
    let fields = vec![required("users", users, "The users, by id: 1 to 100.")];
    Schema::object("Users to create or replace, all or none.", fields)
}

fn update_partial() -> Schema {
    let users = List { of: Box::new(Named("UpdateUserPartialRequest")), most: MOST_USERS };
    let fields = vec![required("users", users, "The changes, carried out in this order: 1 to 100.")];
    Schema::object("Changes to single fields of users, all or none.", fields)
}

fn patch() -> Schema {
    let fields = vec![
        required("id", Text, "The user to change."),
        given(
            "set",
            Free,
            "Values by the name of their field or a dotted path. Names that are not built in are custom data; null \
             clears a built-in field.",
        ),
        given("unset", Schema::list(Text), "Fields to clear, or custom values to remove; 'custom' for all."),
    ];
    Schema::object("Changes to one user.", fields)
}

fn updated() -> Schema {
    let fields = vec![
        duration(),
        required(
            "membership_deletion_task_id",
            Text,
            "Always empty: taking a user out of a team deletes no memberships.",
        ),
        required("users", Schema::map(Named("FullUserResponse")), "The users as they are now, by id."),
    ];
    Schema::object("The users after a change.", fields)
}

fn deactivate() -> Schema {
    let fields = vec![
        given("created_by_id", Text, "The user to record as the author."),
        given("mark_messages_deleted", Boolean, "Whether the user's messages are to show as deleted."),
        given("mark_channels_deleted", Boolean, "Whether the user's channels are to show as deleted."),
    ];
    Schema::object("How a user is to be deactivated.", fields)
}

fn reactivate() -> Schema {
    let fields = vec![
        given("name", Text, "A new name on the way back."),
        given("created_by_id", Text, "The user to record as the author."),
        given("restore_messages", Boolean, "Whether messages that the deactivation hid are to come back."),
        given("restore_channels", Boolean, "Whether channels that the deactivation hid are to come back."),
    ];
    Schema::object("How a user is to come back.", fields)
}

fn one(description: &'static str) -> Schema {
    Schema::object(
        description,
        vec![duration(), required("user", Named("UserResponse"), "The user as it is now.")],
    )
}
