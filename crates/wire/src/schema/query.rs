//! Finding users: the payload, the filter, which contains itself, and the answer (v2 1.12, 3.3).

use model::{MOST_OPERANDS, MOST_SORT_KEYS, Page};

use super::Schema::{Any, AnyOf, Boolean, Choice, Direction, Free, List, Named, Plain, Text};
use super::{Fields, Others, Schema, Type, duration, given, optional, required};

pub(super) fn types() -> Vec<Type> {
    vec![
        ("QueryUsersPayload", payload()),
        ("FilterConditions", conditions()),
        ("FilterOperators", operators()),
        ("SortParamRequest", sort()),
        ("QueryUsersResponse", answer()),
    ]
}

fn payload() -> Schema {
    let sort = List { of: Box::new(Named("SortParamRequest")), most: Some(MOST_SORT_KEYS) };
    let fields = vec![
        given("filter_conditions", Named("FilterConditions"), "Which users; all when left out."),
        given(
            "sort",
            sort,
            "In which order. By default the newest first; with `id_gt` and its like, by id descending. The id breaks ties.",
        ),
        given("limit", Schema::at_most(Page::MOST), "How many users, 30 by default."),
        given("offset", Schema::at_most(Page::DEEPEST), "How many users to skip. Page by id to go deeper."),
        given("id_gt", Text, "Only ids after this one; the sort must be by id alone."),
        given("id_gte", Text, "Only ids from this one on."),
        given("id_lt", Text, "Only ids before this one."),
        given("id_lte", Text, "Only ids up to this one."),
        given("include_deactivated_users", Boolean, "Whether deactivated users are answered as well."),
        given("presence", Boolean, "Taken from clients that send it; without effect for a server."),
        given("user_id", Text, "Taken from clients that send it; without effect for a server."),
        given("user", Free, "Taken from clients that send it; without effect for a server."),
    ];
    Schema::object("Which users to find, and in which order.", fields)
}

fn conditions() -> Schema {
    let each = |name, description| optional(name, Schema::list(Named("FilterConditions")), description);
    Schema::Object(Fields {
        description: "Conditions that are all to hold: by field, the value that it is to equal (null is a field that is \
                      missing) or operators. Any other name is that of a field: id, name, role, language, teams, banned, \
                      shadow_banned, invisible, created_at, updated_at, last_active, deactivated_at, ban_expires, or \
                      the path of custom data, like `address.city`.",
        fields: vec![
            each("$and", "All of these hold. $and, $or and $nor nest up to 5 deep."),
            each("$or", "One of these holds."),
            each("$nor", "None of these holds."),
        ],
        others: Others::Like(Box::new(AnyOf(vec![Plain, Named("FilterOperators"), Schema::Value]))),
    })
}

fn operators() -> Schema {
    let values = || List { of: Box::new(Any), most: Some(MOST_OPERANDS) };
    let bound = || AnyOf(vec![Text, Schema::Number]);
    let fields = vec![
        optional("$eq", Any, "Equals this value; null is a field that is missing."),
        optional("$ne", Any, "Does not equal this value."),
        optional("$in", values(), "Equals one of these values."),
        optional("$nin", values(), "Equals none of these values."),
        optional("$gt", bound(), "Is greater than this: id, times, custom numbers and text."),
        optional("$gte", bound(), "Is this or greater."),
        optional("$lt", bound(), "Is less than this."),
        optional("$lte", bound(), "Is this or less."),
        optional("$exists", Boolean, "Has a value other than null, or has none."),
        optional("$contains", Any, "Has this element: teams and custom lists."),
        optional("$autocomplete", Text, "Has words that begin like these: id, name and username."),
        optional("$q", Text, "Has these words: id, name and username."),
    ];
    Schema::closed("What is asked of one field; all of it is to hold.", fields)
}

fn sort() -> Schema {
    let fields = vec![
        required(
            "field",
            Text,
            "id, name, role, created_at, updated_at, last_active, ban_expires, or the path of custom data.",
        ),
        given("direction", Direction, "1 is ascending and the default, -1 descending."),
        given(
            "type",
            Choice(&["number", "boolean", ""]),
            "Only values of this kind count, for a custom field.",
        ),
    ];
    Schema::object("One key of an order.", fields)
}

fn answer() -> Schema {
    let users = required("users", Schema::list(Named("FullUserResponse")), "The users found, in order.");
    Schema::object("Users that were found.", vec![duration(), users])
}
