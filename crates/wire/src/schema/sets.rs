//! Lists of words and groups of users (v2 2.5, 2.7, 3.8): their types, and what their operations take and answer.

use model::{BlockListPage, MOST_BLOCK_LIST_WORDS, MOST_MEMBERS_A_CALL, Operation, UserGroupPage};

use super::Schema::{Boolean, Choice, Integer, Moment, Named, Text};
use super::operations::Described;
use super::{Field, Schema, Type, duration, given, optional, required};

const LISTS: &str = "Block lists";
const GROUPS: &str = "User groups";

/// The kinds of lists, the default one first.
const KINDS: &[&str] = &["word", "regex", "domain", "domain_allowlist", "email", "email_allowlist"];

pub(super) fn types() -> Vec<Type> {
    let list = |description| Schema::object(description, vec![duration(), one_list()]);
    let group = |description| Schema::object(description, vec![duration(), one_group()]);
    vec![
        ("BlockListResponse", block_list()),
        ("ListBlockListResponse", block_lists()),
        ("CreateBlockListRequest", create_list()),
        ("CreateBlockListResponse", list("The list that was made.")),
        ("GetBlockListResponse", list("A list.")),
        ("UpdateBlockListRequest", update_list()),
        ("UpdateBlockListResponse", list("The list after the change.")),
        ("UserGroupResponse", user_group()),
        ("UserGroupMember", member()),
        ("ListUserGroupsResponse", user_groups("Groups, oldest first, without their members.")),
        ("SearchUserGroupsResponse", user_groups("Groups that were found, by name, without their members.")),
        ("CreateUserGroupRequest", create_group()),
        ("CreateUserGroupResponse", group("The group that was made.")),
        ("GetUserGroupResponse", group("A group.")),
        ("UpdateUserGroupRequest", update_group()),
        ("UpdateUserGroupResponse", group("The group after the change.")),
        ("AddUserGroupMembersRequest", add_members()),
        ("AddUserGroupMembersResponse", group("The group with its new members.")),
        ("RemoveUserGroupMembersRequest", remove_members()),
        ("RemoveUserGroupMembersResponse", group("The group without them.")),
    ]
}

/// The description of an operation; `None` when it is not of these subjects.
pub(super) fn describe(operation: Operation) -> Option<Described> {
    let (subject, summary, answer) = match operation {
        Operation::ListBlockLists => (LISTS, "List the lists of words", "ListBlockListResponse"),
        Operation::CreateBlockList => (LISTS, "Make a list of words", "CreateBlockListResponse"),
        Operation::GetBlockList => (LISTS, "Read a list of words", "GetBlockListResponse"),
        Operation::UpdateBlockList => (LISTS, "Change a list of words", "UpdateBlockListResponse"),
        Operation::DeleteBlockList => (LISTS, "Delete a list of words", "Response"),
        Operation::ListUserGroups => (GROUPS, "List groups of users", "ListUserGroupsResponse"),
        Operation::SearchUserGroups => {
            (GROUPS, "Find groups by the beginning of their name", "SearchUserGroupsResponse")
        }
        Operation::CreateUserGroup => (GROUPS, "Make a group of users", "CreateUserGroupResponse"),
        Operation::GetUserGroup => (GROUPS, "Read a group of users", "GetUserGroupResponse"),
        Operation::UpdateUserGroup => (GROUPS, "Change a group of users", "UpdateUserGroupResponse"),
        Operation::DeleteUserGroup => (GROUPS, "Delete a group of users", "Response"),
        Operation::AddUserGroupMembers => (GROUPS, "Put users into a group", "AddUserGroupMembersResponse"),
        Operation::RemoveUserGroupMembers => {
            (GROUPS, "Take users out of a group", "RemoveUserGroupMembersResponse")
        }
        _ => return None,
    };
    let (path, query) = parameters(operation);
    let (description, request) = (description(operation), request(operation));
    Some(Described { subject, summary, description, path, query, request, answer })
}

fn description(operation: Operation) -> &'static str {
    match operation {
        Operation::ListBlockLists => {
            "In the order of their teams and names. A page with more than 4 MiB of words ends sooner. A user sees the \
             lists of its teams only."
        }
        Operation::CreateBlockList => {
            "An app may have up to 1,000 lists. No list is matched against anything yet."
        }
        Operation::UpdateBlockList => "Changes only what is given; words are replaced as a whole.",
        Operation::CreateUserGroup => {
            "An app may have up to 10,000 groups, a group up to 10,000 members. Every member must exist."
        }
        Operation::UpdateUserGroup => "Changes only what is given. The team of a group never changes.",
        Operation::AddUserGroupMembers => {
            "All or none; every user must exist. Who is in the group already is made an admin when that is asked for, and \
             is otherwise left as it is."
        }
        Operation::RemoveUserGroupMembers => "Whoever is not in the group is ignored.",
        _ => "",
    }
}

fn request(operation: Operation) -> Option<&'static str> {
    Some(match operation {
        Operation::CreateBlockList => "CreateBlockListRequest",
        Operation::UpdateBlockList => "UpdateBlockListRequest",
        Operation::CreateUserGroup => "CreateUserGroupRequest",
        Operation::UpdateUserGroup => "UpdateUserGroupRequest",
        Operation::AddUserGroupMembers => "AddUserGroupMembersRequest",
        Operation::RemoveUserGroupMembers => "RemoveUserGroupMembersRequest",
        _ => return None,
    })
}

/// What stands in the path and in the query.
fn parameters(operation: Operation) -> (Vec<Field>, Vec<Field>) {
    let team = || optional("team", Text, "The team of the list; none is the whole app.");
    let team_id = || optional("team_id", Text, "The team that the group has to be of.");
    let name = || vec![required("name", Text, "The list.")];
    let id = || vec![required("id", Text, "The group.")];
    match operation {
        Operation::ListBlockLists => {
            let most = Schema::Count { least: 1, most: u64::try_from(BlockListPage::MOST).ok() };
            let query = vec![
                optional("team", Text, "Only lists of this team."),
                optional("cursor", Text, "The next_cursor of the page before."),
                optional("limit", most, "How many lists, 1 to 100, 100 by default."),
            ];
            (Vec::new(), query)
        }
        Operation::GetBlockList => (name(), vec![team()]),
        Operation::UpdateBlockList => (name(), Vec::new()),
        Operation::DeleteBlockList => {
            (name(), vec![team(), optional("user_id", Text, "Who acts, with a server token.")])
        }
        Operation::ListUserGroups => {
            let query = vec![
                page_size(),
                optional("id_gt", Text, "Only groups after this one of created_at_gt."),
                optional("created_at_gt", Text, "Only groups made after this time, RFC 3339 text."),
                optional("team_id", Text, "Only groups of this team."),
            ];
            (Vec::new(), query)
        }
        Operation::SearchUserGroups => {
            let query = vec![
                required("query", Text, "How the names begin, without regard to case and marks."),
                page_size(),
                optional("name_gt", Text, "Only names after this one."),
                optional("id_gt", Text, "Also groups of the name name_gt after this one."),
                optional("team_id", Text, "Only groups of this team."),
            ];
            (Vec::new(), query)
        }
        Operation::GetUserGroup | Operation::DeleteUserGroup => (id(), vec![team_id()]),
        Operation::UpdateUserGroup | Operation::AddUserGroupMembers | Operation::RemoveUserGroupMembers => {
            (id(), Vec::new())
        }
        _ => (Vec::new(), Vec::new()),
    }
}

fn page_size() -> Field {
    let most = Schema::Count { least: 1, most: u64::try_from(UserGroupPage::MOST).ok() };
    optional("limit", most, "How many groups, 1 to 100, 30 by default.")
}

fn one_list() -> Field {
    required("blocklist", Named("BlockListResponse"), "The list.")
}

fn switches(field: fn(&'static str, Schema, &'static str) -> Field) -> Vec<Field> {
    vec![
        field("is_confusable_folding_enabled", Boolean, "Whether letters that look alike count as the same."),
        field(
            "is_leet_check_enabled",
            Boolean,
            "Whether digits and signs count as the letters they stand for.",
        ),
        field("is_plural_check_enabled", Boolean, "Whether the plural of a word counts."),
        field("is_substring_matching_enabled", Boolean, "Whether a word counts within another one."),
    ]
}

fn block_list() -> Schema {
    let mut fields = vec![
        required("id", Text, "The id."),
        required("name", Text, "The name, unique within the team."),
        required("type", Choice(KINDS), "What its words are."),
        optional("team", Text, "The team whose list it is; none is the whole app."),
        required("words", Schema::list(Text), "The words."),
        required("created_at", Moment, "When it was made."),
        required("updated_at", Moment, "When it was last changed."),
    ];
    fields.extend(switches(required));
    Schema::object("A list of words that moderation looks for.", fields)
}

fn block_lists() -> Schema {
    let fields = vec![
        duration(),
        required("blocklists", Schema::list(Named("BlockListResponse")), "The lists."),
        optional("next_cursor", Text, "Where the next page begins, if there is one."),
    ];
    Schema::object("A page of lists of words.", fields)
}

fn words() -> Schema {
    Schema::List { of: Box::new(Text), most: Some(MOST_BLOCK_LIST_WORDS) }
}

fn authors() -> Vec<Field> {
    vec![
        given("user_id", Text, "Who acts, with a server token."),
        given("user", Named("ActingUserRequest"), "The same, as an object."),
    ]
}

fn create_list() -> Schema {
    let mut fields = vec![
        required("name", Text, "1 to 255 bytes without control characters."),
        required("words", words(), "The words, 256 KiB at most; each is kept once."),
        given("type", Choice(KINDS), "What its words are; 'word' by default."),
        given("team", Text, "The team whose list it is to be; none is the whole app."),
    ];
    fields.extend(switches(given));
    fields.extend(authors());
    Schema::object("A list of words to make.", fields)
}

fn update_list() -> Schema {
    let mut fields = vec![
        given("words", words(), "Words in place of those it has."),
        given("team", Text, "The team of the list; none is the whole app."),
    ];
    fields.extend(switches(given));
    fields.extend(authors());
    Schema::object("A change of a list of words.", fields)
}

fn one_group() -> Field {
    required("user_group", Named("UserGroupResponse"), "The group, with its members.")
}

fn user_group() -> Schema {
    let fields = vec![
        required("id", Text, "The id."),
        required("name", Text, "The name."),
        optional("description", Text, "What it is for."),
        optional("team_id", Text, "The team whose group it is; none is the whole app."),
        optional("created_by", Text, "The user who made it, if a user did."),
        required("created_at", Moment, "When it was made."),
        required("updated_at", Moment, "When its name or description was last changed."),
        optional(
            "members",
            Schema::list(Named("UserGroupMember")),
            "Who is in it, longest first; where one group is answered.",
        ),
    ];
    Schema::object("A group of users.", fields)
}

fn member() -> Schema {
    let fields = vec![
        required("user_id", Text, "The user."),
        required("group_id", Text, "The group."),
        required("app_pk", Integer, "The number of the app."),
        required("is_admin", Boolean, "Whether the user is an admin of the group."),
        required("created_at", Moment, "When the user came into the group."),
    ];
    Schema::object("A user in a group.", fields)
}

fn user_groups(description: &'static str) -> Schema {
    let groups = required("user_groups", Schema::list(Named("UserGroupResponse")), "The groups.");
    Schema::object(description, vec![duration(), groups])
}

fn member_ids() -> Schema {
    Schema::List { of: Box::new(Text), most: Some(MOST_MEMBERS_A_CALL) }
}

fn create_group() -> Schema {
    let fields = vec![
        required("name", Text, "1 to 255 characters."),
        given("id", Text, "1 to 255 letters, digits, '@', '_' and '-'; one is made when it is left out."),
        given("description", Text, "At most 1024 characters."),
        given("team_id", Text, "The team whose group it is to be; required in an app with teams."),
        given("member_ids", member_ids(), "Who is in it from the beginning."),
    ];
    Schema::object("A group to make.", fields)
}

fn update_group() -> Schema {
    let fields = vec![
        given("name", Text, "Another name."),
        given("description", Text, "Another description; '' is none."),
        given("team_id", Text, "The team that the group has to be of."),
    ];
    Schema::object("A change of a group.", fields)
}

fn add_members() -> Schema {
    let fields = vec![
        required("member_ids", member_ids(), "Who is to be in the group."),
        given("as_admin", Boolean, "Whether as admins of the group."),
        given("team_id", Text, "The team that the group has to be of."),
    ];
    Schema::object("Users to put into a group.", fields)
}

fn remove_members() -> Schema {
    let fields = vec![
        required("member_ids", member_ids(), "Who is to be taken out of the group."),
        given("team_id", Text, "The team that the group has to be of."),
    ];
    Schema::object("Users to take out of a group.", fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_are_those_of_the_model() {
        let known: Vec<&str> = model::BlockListKind::ALL.iter().map(|(_, name)| *name).collect();
        assert_eq!(KINDS, known);
    }
}
