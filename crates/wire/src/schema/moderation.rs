//! Bans, flags and what moderation lets pass (v2 2.9, 2.10, 3.10).

use model::{FlagQuery, LONGEST_REASON, MOST_BAN_MINUTES, MOST_OPERANDS, Operation, Page};

use super::Schema::{AnyOf, Boolean, Choice, Count, Free, List, Moment, Named, Null, Text, Time};
use super::{Described, Field, Schema, Type, duration, given, optional, required};

const MODERATION: &str = "Moderation";

pub(super) fn types() -> Vec<Type> {
    vec![
        ("BanRequest", ban()),
        ("UnbanRequest", unban()),
        ("QueryBannedUsersPayload", banned_query()),
        ("BanFilter", ban_filter()),
        ("BanResponse", banned()),
        ("QueryBannedUsersResponse", all_banned()),
        ("FlagRequest", flag()),
        ("FlagItemResponse", flagged()),
        ("GetFlagCountRequest", count()),
        ("GetFlagCountResponse", counted()),
        ("QueryModerationFlagsRequest", flags_query()),
        ("FlagFilter", flag_filter()),
        ("ModerationFlagResponse", one_flag()),
        ("QueryModerationFlagsResponse", flags()),
        ("TextOperators", text_operators()),
        ("TimeOperators", time_operators()),
        ("RecordSortRequest", sort()),
        ("BypassRequest", bypass()),
    ]
}

pub(super) fn describe(operation: Operation) -> Option<Described> {
    let plain = |summary, request, answer| Described {
        subject: MODERATION,
        summary,
        description: "",
        path: Vec::new(),
        query: Vec::new(),
        request,
        answer,
    };
    Some(match operation {
        Operation::Ban => Described {
            description: "The user may read and connect, and change nothing; or, with shadow, notices nothing. A ban takes \
                          the place of the one before.",
            ..plain("Shut a user out of the app", Some("BanRequest"), "Response")
        },
        Operation::Unban => Described {
            description: "Succeeds as well when the user is not banned.",
            query: unbanned(),
            ..plain("Let a banned user in again", Some("UnbanRequest"), "Response")
        },
        Operation::QueryBannedUsers => Described {
            description: "Bans that are over are found too, unless they are excluded; those that were lifted are gone.",
            query: vec![optional("payload", Named("QueryBannedUsersPayload"), "The query, as JSON text.")],
            ..plain("Find bans", None, "QueryBannedUsersResponse")
        },
        Operation::Bypass => {
            plain("Have moderation let everything of a user pass", Some("BypassRequest"), "Response")
        }
        Operation::Flag => Described {
            description: "All who report the same thing get the same item. Answers 201, or 200 when the user had reported \
                          it before, which changes nothing.",
            ..plain("Report something to the moderators", Some("FlagRequest"), "FlagItemResponse")
        },
        Operation::GetFlagCount => {
            plain("Count the reports of a user", Some("GetFlagCountRequest"), "GetFlagCountResponse")
        }
        Operation::QueryModerationFlags => {
            plain("Find reports", Some("QueryModerationFlagsRequest"), "QueryModerationFlagsResponse")
        }
        _ => return None,
    })
}

fn ban() -> Schema {
    let minutes = Count { least: 1, most: Some(MOST_BAN_MINUTES) };
    let fields = vec![
        required("target_user_id", Text, "Whom."),
        given("banned_by_id", Text, "Who does it; a user token acts as its own user."),
        given("banned_by", Named("ActingUserRequest"), "The same, as an object."),
        given("channel_cid", Text, "The channel meant. Not served yet; leave it out."),
        given("timeout", minutes, "For how many minutes; left out, for ever."),
        given("reason", Text, reason()),
        given("shadow", Boolean, "Whether the user goes on as before, and nobody else sees what it writes."),
        given("ip_ban", Boolean, "Kept, and without effect: the server does not know addresses of users."),
        given(
            "delete_messages",
            Choice(&["soft", "pruning", "hard", ""]),
            "What becomes of the messages of the user.",
        ),
    ];
    Schema::object("A ban to set.", fields)
}

fn reason() -> &'static str {
    const _: () = assert!(LONGEST_REASON == 1024, "the text says so");
    "Why, in at most 1024 bytes."
}

fn unban() -> Schema {
    let fields = vec![
        given("unbanned_by_id", Text, "Who does it; a user token acts as its own user."),
        given("unbanned_by", Named("ActingUserRequest"), "The same, as an object."),
    ];
    Schema::object("Who lifts a ban.", fields)
}

fn unbanned() -> Vec<Field> {
    vec![
        required("target_user_id", Text, "Whom."),
        optional("channel_cid", Text, "The channel meant. Not served yet; leave it out."),
        optional("created_by", Text, "Taken from clients that send it; it is about channels made later."),
    ]
}

fn banned_query() -> Schema {
    let fields = vec![
        given("filter_conditions", Named("BanFilter"), "Which bans; all when left out."),
        given("exclude_expired_bans", Boolean, "Whether bans that are over are left out."),
        given("sort", sorts(), "The newest first when left out."),
        given("limit", Schema::at_most(Page::MOST), "How many bans, 30 by default."),
        given("offset", Schema::at_most(Page::DEEPEST), "How many bans to skip."),
        given("user_id", Text, "Taken from clients that send it; without effect."),
        given("user", Named("ActingUserRequest"), "The same, as an object."),
    ];
    Schema::object("Which bans to find, and in which order.", fields)
}

fn sorts() -> Schema {
    List { of: Box::new(Named("RecordSortRequest")), most: Some(1) }
}

fn text(name: &'static str, description: &'static str) -> Field {
    optional(name, AnyOf(vec![Text, Null, Named("TextOperators")]), description)
}

fn created_at() -> Field {
    optional("created_at", AnyOf(vec![Time, Named("TimeOperators")]), "When it was made.")
}

fn and(filter: &'static str) -> Field {
    optional("$and", Schema::list(Named(filter)), "All of these hold. Nests up to 5 deep.")
}

fn ban_filter() -> Schema {
    let fields = vec![
        text("user_id", "Who is banned."),
        text("banned_by_id", "Who did it; null is nobody who was named."),
        text("channel_cid", "The channel; null is the whole app. Always null yet."),
        text("reason", "The reason; null is none."),
        created_at(),
        and("BanFilter"),
    ];
    Schema::closed("Conditions on bans, which are all to hold.", fields)
}

fn text_operators() -> Schema {
    let fields = vec![
        optional("$eq", AnyOf(vec![Text, Null]), "Equals this; null is a field that is missing."),
        optional("$in", List { of: Box::new(Text), most: Some(MOST_OPERANDS) }, "Equals one of these."),
    ];
    Schema::closed("What is asked of a text; all of it is to hold.", fields)
}

fn time_operators() -> Schema {
    let fields = vec![
        optional("$eq", Time, "At this moment."),
        optional("$gt", Time, "After this."),
        optional("$gte", Time, "Then or after."),
        optional("$lt", Time, "Before this."),
        optional("$lte", Time, "Then or before."),
    ];
    Schema::closed("What is asked of a time; all of it is to hold.", fields)
}

fn sort() -> Schema {
    let fields = vec![
        required("field", Choice(&["created_at"]), "The field."),
        given("direction", Schema::Direction, "1 is the oldest first and the default, -1 the newest first."),
    ];
    Schema::object("The order of bans and flags.", fields)
}

fn banned() -> Schema {
    let fields = vec![
        required("created_at", Moment, "Since when."),
        required("shadow", Boolean, "Whether it is a shadow ban."),
        required("user", Named("UserResponse"), "Who is banned."),
        optional("expires", Moment, "When it ends; absent is never."),
        optional("reason", Text, "Why."),
        optional("banned_by", Named("UserResponse"), "Who did it, when that was said."),
    ];
    Schema::object("A ban.", fields)
}

fn all_banned() -> Schema {
    let bans = required("bans", Schema::list(Named("BanResponse")), "The bans found, in order.");
    Schema::object("Bans that were found.", vec![duration(), bans])
}

fn bypass() -> Schema {
    let fields = vec![
        required("target_user_id", Text, "The user."),
        required("enabled", Boolean, "Whether moderation lets everything of it pass."),
    ];
    Schema::object("Whether moderation lets everything of a user pass.", fields)
}

fn flag() -> Schema {
    let fields = vec![
        required(
            "entity_type",
            Text,
            "'stream:user' or 'user' for a user; any other name is that of something only the app knows of. Messages \
             are not served yet.",
        ),
        required("entity_id", Text, "The id of what is reported, in at most 255 bytes."),
        given("entity_creator_id", Text, "Whose it is."),
        given("user_id", Text, "Who reports; a user token acts as its own user."),
        given("user", Named("ActingUserRequest"), "The same, as an object."),
        given("reason", Text, "Why: one of the allowed_flag_reasons of the app, if it has any."),
        given("custom", Free, "What else there is to say, in at most 5 KiB."),
        given("moderation_payload", Free, "What the thing held, in at most 16 KiB."),
    ];
    Schema::object("A report to the moderators.", fields)
}

fn flagged() -> Schema {
    let item = required("item_id", Text, "The item of the review queue.");
    Schema::object("What came of a report.", vec![duration(), item])
}

fn count() -> Schema {
    let fields = vec![
        required("entity_creator_id", Text, "Whose things."),
        given("entity_type", Text, "Such things only."),
    ];
    Schema::object("Whose reports to count.", fields)
}

fn counted() -> Schema {
    let count = required("count", Schema::count(), "How many reports there are.");
    Schema::object("How often things of a user were reported.", vec![duration(), count])
}

fn flags_query() -> Schema {
    let limit = Count { least: 1, most: u64::try_from(FlagQuery::MOST).ok() };
    let fields = vec![
        given("filter", Named("FlagFilter"), "Which reports; all when left out."),
        given("sort", sorts(), "The newest first when left out."),
        given("limit", limit, "How many reports, 30 by default."),
        given("next", Text, "The page behind the answer that gave this cursor."),
        given("prev", Text, "The page before the answer that gave this cursor."),
    ];
    Schema::object("Which reports to find, and in which order.", fields)
}

fn flag_filter() -> Schema {
    let fields = vec![
        text("entity_type", "What kind of thing."),
        text("entity_id", "Which."),
        text("user_id", "Who reported it."),
        text("entity_creator_id", "Whose it is; null is not known."),
        text("reason", "The reason; null is none."),
        created_at(),
        and("FlagFilter"),
    ];
    Schema::closed("Conditions on reports, which are all to hold.", fields)
}

fn one_flag() -> Schema {
    let fields = vec![
        required("type", Choice(&["user_report"]), "Who found it: a user."),
        required("entity_type", Text, "What kind of thing."),
        required("entity_id", Text, "Which."),
        required("user_id", Text, "Who reported it."),
        required("created_at", Moment, "When."),
        required("updated_at", Moment, "When the report was last changed."),
        required("result", Schema::list(Free), "What machines made of it; nothing yet."),
        required("review_queue_item_id", Text, "The item that all reports of the thing share."),
        required("user", Named("UserResponse"), "Who reported it."),
        optional("entity_creator_id", Text, "Whose it is."),
        optional("reason", Text, "Why."),
        optional("custom", Free, "What else the report says."),
        optional("moderation_payload", Free, "What the thing held."),
    ];
    Schema::object("A report to the moderators.", fields)
}

fn flags() -> Schema {
    let fields = vec![
        duration(),
        required("flags", Schema::list(Named("ModerationFlagResponse")), "The reports found, in order."),
        optional("next", Text, "The cursor of the page behind, if there is one."),
        optional("prev", Text, "The cursor of the page before, if there is one."),
    ];
    Schema::object("Reports that were found.", fields)
}
