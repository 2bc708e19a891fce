//! Blocks, mutes, devices and push preferences (v2 2.2, 2.3, 2.9, 3.4, 3.7, 3.10).

use model::{ChatCategory, FeedsCategory, LONGEST_MUTE, MOST_PUSH_ENTRIES, MOST_TARGETS, Operation};

use super::Schema::{Boolean, Choice, Count, List, Moment, Named, Text, Time};
use super::operations::{Described, plain};
use super::{Field, Schema, Type, duration, given, optional, required, users};

const USERS: &str = "Users";
const PUSH: &str = "Push";
const MODERATION: &str = "Moderation";

const PROVIDERS: Schema = Choice(&["apn", "firebase", "huawei", "xiaomi"]);
const DELIVERY: &[&str] = &["all", "none"];
const CHAT_LEVELS: &[&str] = &["all", "mentions", "direct_mentions", "all_mentions", "none"];

pub(super) fn types() -> Vec<Type> {
    let switches = |named: fn() -> Schema, description| Schema::object(description, chat_switches(&named));
    vec![
        ("ActingUserRequest", acting_user()),
        ("BlockUsersRequest", block("A user to block.")),
        ("BlockUsersResponse", blocked()),
        ("UnblockUsersRequest", block("A user to block no longer.")),
        ("UnblockUsersResponse", Schema::object("Nothing but the time it took.", vec![duration()])),
        ("BlockedUserResponse", block_entry()),
        ("GetBlockedUsersResponse", block_list()),
        ("MuteRequest", mute()),
        ("MuteResponse", muted()),
        ("UnmuteRequest", Schema::object("Users to mute no longer.", targets())),
        ("UnmuteResponse", Schema::object("What came of it.", vec![duration(), non_existing()])),
        ("UserMuteResponse", mute_entry()),
        ("OwnUserResponse", users::own_user()),
        ("CreateDeviceRequest", create_device()),
        ("DeviceResponse", device()),
        ("ListDevicesResponse", devices()),
        ("UpdatePushNotificationPreferencesRequest", update_preferences()),
        ("PushPreferenceInput", preference_input()),
        ("PushPreferencesResponse", preferences()),
        ("UpsertPushPreferencesResponse", updated_preferences()),
        (
            "ChatPreferencesInput",
            switches(|| Choice(DELIVERY).or_null(), "Which messages are to be pushed, by category."),
        ),
        (
            "ChatPreferencesResponse",
            switches(
                || Choice(DELIVERY),
                "Which messages are pushed, by category; what is not set is absent.",
            ),
        ),
        ("FeedsPreferences", feeds_switches(|| Choice(DELIVERY).or_null())),
        ("FeedsPreferencesResponse", feeds_switches(|| Choice(DELIVERY))),
    ]
}

pub(super) fn describe(operation: Operation) -> Option<Described> {
    let of_user = || {
        vec![optional("user_id", Text, "The user; required with a server token, otherwise the one who asks.")]
    };
    Some(match operation {
        Operation::BlockUsers => Described {
            description: "Answers 201 when the user was not blocked before; a block that is there stays as it is.",
            request: Some("BlockUsersRequest"),
            ..plain(USERS, "Block a user", "BlockUsersResponse")
        },
        Operation::UnblockUsers => Described {
            description: "Succeeds as well when the user is not blocked.",
            request: Some("UnblockUsersRequest"),
            ..plain(USERS, "End a block", "UnblockUsersResponse")
        },
        Operation::GetBlockedUsers => Described {
            description: "In the order in which they were blocked, without deleted users.",
            query: of_user(),
            ..plain(USERS, "List whom a user has blocked", "GetBlockedUsersResponse")
        },
        Operation::Mute => Described {
            description: "A mute that is there ends when this one does. Answers 201 when one of the users was not muted \
                          before. A user mutes at most 1000 others at a time.",
            request: Some("MuteRequest"),
            ..plain(MODERATION, "Mute users", "MuteResponse")
        },
        Operation::Unmute => Described {
            description: "Succeeds as well for users who are not muted.",
            request: Some("UnmuteRequest"),
            ..plain(MODERATION, "End mutes", "UnmuteResponse")
        },
        Operation::CreateDevice => Described {
            description: "Registered again, a device gets what is given; one of another user moves. A user has at most 25: \
                          one more takes the place of the oldest. Answers 201 when the user did not have the device.",
            request: Some("CreateDeviceRequest"),
            ..plain(PUSH, "Register a push device", "Response")
        },
        Operation::ListDevices => Described {
            query: of_user(),
            ..plain(PUSH, "List the push devices of a user", "ListDevicesResponse")
        },
        Operation::DeleteDevice => {
            let mut query = vec![required("id", Text, "The device.")];
            query.extend(of_user());
            Described { query, ..plain(PUSH, "Remove a push device", "Response") }
        }
        Operation::UpdatePushNotificationPreferences => Described {
            description: "All changes or none. What an entry leaves out stays as it is.",
            request: Some("UpdatePushNotificationPreferencesRequest"),
            ..plain(PUSH, "Choose what users want pushed", "UpsertPushPreferencesResponse")
        },
        _ => return None,
    })
}

fn acting_user() -> Schema {
    let id = required("id", Text, "The id; if user_id is given too, it must be the same.");
    Schema::object("The user who acts. Nothing of it is changed by what else is given.", vec![id])
}

/// The user who acts, in either form.
fn actor() -> [Field; 2] {
    [
        given("user_id", Text, "The user who acts; required with a server token, in this form or the other."),
        given("user", Named("ActingUserRequest"), "The same as an object."),
    ]
}

fn block(description: &'static str) -> Schema {
    let mut fields = vec![required("blocked_user_id", Text, "The user it is about.")];
    fields.extend(actor());
    Schema::object(description, fields)
}

fn blocked() -> Schema {
    let fields = vec![
        duration(),
        required("blocked_by_user_id", Text, "Who blocks."),
        required("blocked_user_id", Text, "Who is blocked."),
        required("created_at", Moment, "Since when."),
    ];
    Schema::object("A block.", fields)
}

fn block_entry() -> Schema {
    let fields = vec![
        required("user_id", Text, "Who blocks."),
        required("blocked_user_id", Text, "Who is blocked."),
        required("created_at", Moment, "Since when."),
        required("user", Named("UserResponse"), "Who blocks."),
        required("blocked_user", Named("UserResponse"), "Who is blocked."),
    ];
    Schema::object("A block, with both users.", fields)
}

fn block_list() -> Schema {
    let blocks = required("blocks", Schema::list(Named("BlockedUserResponse")), "The blocks.");
    Schema::object("Whom a user has blocked.", vec![duration(), blocks])
}

fn targets() -> Vec<Field> {
    let ids = List { of: Box::new(Text), most: Some(MOST_TARGETS) };
    let mut fields = vec![
        given("target_ids", ids, "The users it is about, each once: 1 to 100."),
        given("target_id", Text, "One of them, as older clients send it."),
    ];
    fields.extend(actor());
    fields
}

fn mute() -> Schema {
    let minutes = Count { least: 1, most: u64::try_from(LONGEST_MUTE).ok() };
    let mut fields = targets();
    fields.push(given("timeout", minutes, "After how many minutes it ends; without end if left out."));
    Schema::object("Users to mute.", fields)
}

fn non_existing() -> Field {
    optional("non_existing_users", Schema::list(Text), "Those of the users who do not exist, if any.")
}

fn muted() -> Schema {
    let fields = vec![
        duration(),
        required("mutes", Schema::list(Named("UserMuteResponse")), "The mutes that were asked for."),
        non_existing(),
        required("own_user", Named("OwnUserResponse"), "The user who mutes."),
    ];
    Schema::object("What came of it.", fields)
}

fn mute_entry() -> Schema {
    let fields = vec![
        required("user", Named("UserResponse"), "Who mutes."),
        required("target", Named("UserResponse"), "Who is muted."),
        required("created_at", Moment, "Since when."),
        required("updated_at", Moment, "When it was last set."),
        optional("expires", Moment, "When it ends; absent if it does not."),
    ];
    Schema::object("A mute, with both users.", fields)
}

fn create_device() -> Schema {
    let mut fields = vec![
        required("id", Text, "The token that the push provider gave: 1 to 1024 bytes."),
        required("push_provider", PROVIDERS, "Who delivers."),
        given("push_provider_name", Text, "Which configuration of the provider: at most 255 bytes."),
        given("hardware_id", Text, "A stable id of the hardware: at most 255 bytes."),
        given("voip_token", Boolean, "Whether the token is for calls, at Apple's."),
    ];
    fields.extend(actor());
    Schema::object("A device to register.", fields)
}

fn device() -> Schema {
    let fields = vec![
        required("id", Text, "The token that the push provider gave."),
        required("push_provider", PROVIDERS, "Who delivers."),
        required("user_id", Text, "Whose device it is."),
        required("created_at", Moment, "When the user first registered it."),
        optional("push_provider_name", Text, "Which configuration of the provider."),
        optional("hardware_id", Text, "A stable id of the hardware."),
        optional("disabled", Boolean, "Whether the provider takes no more pushes for it."),
        optional("disabled_reason", Text, "Why."),
        optional("voip", Boolean, "Whether the token is for calls, at Apple's."),
    ];
    Schema::object("A device that takes pushes.", fields)
}

fn devices() -> Schema {
    let all = required("devices", Schema::list(Named("DeviceResponse")), "The devices, oldest first.");
    Schema::object("The devices of a user.", vec![duration(), all])
}

fn update_preferences() -> Schema {
    let entries = List { of: Box::new(Named("PushPreferenceInput")), most: Some(MOST_PUSH_ENTRIES) };
    let fields =
        vec![required("preferences", entries, "The changes: 1 to 100, each about another user or channel.")];
    Schema::object("What users want pushed.", fields)
}

fn preference_input() -> Schema {
    let fields = vec![
        given("user_id", Text, "Whose; required with a server token."),
        given("channel_cid", Text, "The channel, when it is about one. Not served yet; leave it out."),
        given(
            "chat_level",
            Choice(&["all", "mentions", "direct_mentions", "all_mentions", "none", "default"]),
            "How much of chat; 'default' for no wish of one's own.",
        ),
        given("call_level", Choice(&["all", "none", "default"]), "The same for calls."),
        given("feeds_level", Choice(&["all", "none", "default"]), "The same for feeds."),
        given("disabled_until", Time, "Until when nothing is pushed."),
        given("remove_disable", Boolean, "Whether pushes come again from now on."),
        given("chat_preferences", Named("ChatPreferencesInput"), "Chat by category, replaced as a whole."),
        given("feeds_preferences", Named("FeedsPreferences"), "Feeds by category, replaced as a whole."),
    ];
    Schema::object("What changes in the preferences of a user.", fields)
}

fn preferences() -> Schema {
    let fields = vec![
        optional("chat_level", Choice(CHAT_LEVELS), "How much of chat."),
        optional("call_level", Choice(DELIVERY), "How much of calls."),
        optional("feeds_level", Choice(DELIVERY), "How much of feeds."),
        optional("disabled_until", Moment, "Until when nothing is pushed."),
        optional("chat_preferences", Named("ChatPreferencesResponse"), "Chat by category."),
        optional("feeds_preferences", Named("FeedsPreferencesResponse"), "Feeds by category."),
    ];
    Schema::object("What a user wants pushed. What was not chosen is absent.", fields)
}

fn updated_preferences() -> Schema {
    let by_user = Schema::map(Named("PushPreferencesResponse"));
    let fields = vec![
        duration(),
        required("user_preferences", by_user, "What everybody who was named wants now, by id."),
        required("user_channel_preferences", Schema::map(Schema::Free), "Always empty yet."),
    ];
    Schema::object("What users want pushed.", fields)
}

fn chat_switches(schema: &dyn Fn() -> Schema) -> Vec<Field> {
    let description = |category| match category {
        ChatCategory::ChannelMentions => "Those that call on a whole channel.",
        ChatCategory::DefaultPreference => "Those of no other category.",
        ChatCategory::DirectMentions => "Those that mention the user itself.",
        ChatCategory::GroupMentions => "Those that mention a group of users.",
        ChatCategory::HereMentions => "Those that call on whoever is online.",
        ChatCategory::RoleMentions => "Those that mention a role.",
        ChatCategory::ThreadReplies => "Replies in threads.",
    };
    let field = |category: ChatCategory| optional(category.name(), schema(), description(category));
    ChatCategory::ALL.into_iter().map(field).collect()
}

fn feeds_switches(schema: fn() -> Schema) -> Schema {
    let description = |category| match category {
        FeedsCategory::Comment => "Comments.",
        FeedsCategory::CommentMention => "Mentions in comments.",
        FeedsCategory::CommentReaction => "Reactions to comments.",
        FeedsCategory::CommentReply => "Replies to comments.",
        FeedsCategory::Follow => "Follows.",
        FeedsCategory::Mention => "Mentions in activities.",
        FeedsCategory::Reaction => "Reactions to activities.",
    };
    let field = |category: FeedsCategory| optional(category.name(), schema(), description(category));
    let mut fields: Vec<Field> = FeedsCategory::ALL.into_iter().map(field).collect();
    let activities = Schema::map(Choice(DELIVERY));
    fields.push(optional("custom_activity_types", activities, "By type of activities: at most 50."));
    Schema::object("Which happenings in feeds are pushed, by category.", fields)
}

#[cfg(test)]
mod tests {
    use model::{ChatLevel, Delivery, PushProvider};

    use super::*;

    #[test]
    fn choices_are_those_of_the_model() {
        assert_eq!(DELIVERY, Delivery::ALL.map(Delivery::name));
        assert_eq!(CHAT_LEVELS, ChatLevel::ALL.map(ChatLevel::name));
        let Choice(providers) = PROVIDERS else { panic!("providers are chosen") };
        assert_eq!(providers, PushProvider::ALL.map(PushProvider::name));
    }
}
