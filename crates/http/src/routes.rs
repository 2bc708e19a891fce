//! Every route, as data: method, path, operation, action, credential, handler.
//!
//! To add a route, add its line. A path is matched segment by segment; a segment in braces takes any one segment
//! that is not empty, and a static segment wins over it (v2 1.1) among the routes of the same method. Tests read this
//! table too: no route is without them.

use std::future::Future;
use std::pin::Pin;

use hyper::Method;
use model::{Action, Operation};

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;
use crate::v2;

/// What a handler returns.
pub(crate) type Handled = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// One route.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) operation: Operation,
    pub(crate) actions: &'static [Action],
    pub(crate) credential: Credential,
    pub(crate) handler: fn(Call) -> Handled,
}

/// What a caller must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A server token of the app.
    Server,
    /// A token of the app, of a server or a user; or none, anonymously. What a user may do, its permissions say.
    User,
    /// Nothing but the key of the app: whoever asks need not be anybody yet.
    Anyone,
}

/// A route for servers.
const fn route(
    method: Method,
    path: &'static str,
    operation: Operation,
    actions: &'static [Action],
    handler: fn(Call) -> Handled,
) -> Route {
    Route { method, path, operation, actions, credential: Credential::Server, handler }
}

/// A route for users as well.
const fn open(
    method: Method,
    path: &'static str,
    operation: Operation,
    actions: &'static [Action],
    handler: fn(Call) -> Handled,
) -> Route {
    Route { method, path, operation, actions, credential: Credential::User, handler }
}

/// A route for whoever knows the key of the app.
const fn public(
    method: Method,
    path: &'static str,
    operation: Operation,
    actions: &'static [Action],
    handler: fn(Call) -> Handled,
) -> Route {
    Route { method, path, operation, actions, credential: Credential::Anyone, handler }
}

/// What changing users can come to: each change asks for what it needs.
const CHANGING_USERS: &[Action] =
    &[Action::UpdateUser, Action::CreateUser, Action::UpdateUserRole, Action::UpdateUserTeam];

static ROUTES: &[Route] = &[
    public(Method::POST, "/api/v2/guest", Operation::CreateGuest, &[Action::CreateGuest], |call| {
        Box::pin(v2::guests::create(call))
    }),
    open(
        Method::GET,
        "/api/v2/permissions/explain",
        Operation::ExplainPermission,
        &[Action::ExplainPermission],
        |call| Box::pin(v2::permissions::explain(call)),
    ),
    route(Method::GET, "/api/v2/app", Operation::GetApp, &[Action::ReadApp], |call| {
        Box::pin(v2::app::get(call))
    }),
    route(Method::PATCH, "/api/v2/app", Operation::UpdateApp, &[Action::UpdateApp], |call| {
        Box::pin(v2::app::update(call))
    }),
    open(
        Method::POST,
        "/api/v2/chat/channels/{type}/query",
        Operation::GetOrCreateDistinctChannel,
        &[Action::CreateChannel, Action::ReadChannel],
        |call| Box::pin(v2::channels::get_or_create_distinct(call)),
    ),
    open(
        Method::GET,
        "/api/v2/chat/channels/{type}/{id}",
        Operation::GetChannel,
        &[Action::ReadChannel],
        |call| Box::pin(v2::channels::get(call)),
    ),
    open(
        Method::POST,
        "/api/v2/chat/channels/{type}/{id}",
        Operation::UpdateChannel,
        &[Action::UpdateChannelMembers, Action::LeaveChannel, Action::ReadChannel],
        |call| Box::pin(v2::channels::update(call)),
    ),
    open(
        Method::DELETE,
        "/api/v2/chat/channels/{type}/{id}",
        Operation::DeleteChannel,
        &[Action::DeleteChannel, Action::ReadChannel],
        |call| Box::pin(v2::channels::delete(call)),
    ),
    open(
        Method::POST,
        "/api/v2/chat/channels/{type}/{id}/message",
        Operation::SendMessage,
        &[Action::CreateMessage, Action::ReadChannel],
        |call| Box::pin(v2::messages::send(call)),
    ),
    open(
        Method::POST,
        "/api/v2/chat/channels/{type}/{id}/query",
        Operation::GetOrCreateChannel,
        &[Action::CreateChannel, Action::ReadChannel],
        |call| Box::pin(v2::channels::get_or_create(call)),
    ),
    open(Method::GET, "/api/v2/chat/messages/{id}", Operation::GetMessage, &[Action::ReadChannel], |call| {
        Box::pin(v2::messages::get(call))
    }),
    open(
        Method::DELETE,
        "/api/v2/chat/messages/{id}",
        Operation::DeleteMessage,
        &[Action::DeleteMessage, Action::ReadChannel],
        |call| Box::pin(v2::messages::delete(call)),
    ),
    open(
        Method::POST,
        "/api/v2/chat/messages/{id}/reaction",
        Operation::SendReaction,
        &[Action::CreateReaction, Action::ReadChannel],
        |call| Box::pin(v2::messages::react(call)),
    ),
    open(
        Method::DELETE,
        "/api/v2/chat/messages/{id}/reaction/{type}",
        Operation::DeleteReaction,
        &[Action::DeleteReaction, Action::ReadChannel],
        |call| Box::pin(v2::messages::take_back(call)),
    ),
    open(
        Method::GET,
        "/api/v2/chat/messages/{id}/reactions",
        Operation::GetReactions,
        &[Action::ReadChannel],
        |call| Box::pin(v2::messages::reactions(call)),
    ),
    open(
        Method::GET,
        "/api/v2/chat/query_banned_users",
        Operation::QueryBannedUsers,
        &[Action::BanUser],
        |call| Box::pin(v2::moderation::query_banned(call)),
    ),
    open(Method::GET, "/api/v2/devices", Operation::ListDevices, &[Action::ManageDevices], |call| {
        Box::pin(v2::devices::list(call))
    }),
    open(Method::POST, "/api/v2/devices", Operation::CreateDevice, &[Action::ManageDevices], |call| {
        Box::pin(v2::devices::create(call))
    }),
    open(Method::DELETE, "/api/v2/devices", Operation::DeleteDevice, &[Action::ManageDevices], |call| {
        Box::pin(v2::devices::delete(call))
    }),
    route(Method::POST, "/api/v2/export/users", Operation::ExportUsers, &[Action::ExportUser], |call| {
        Box::pin(v2::exports::many(call))
    }),
    open(Method::POST, "/api/v2/moderation/ban", Operation::Ban, &[Action::BanUser], |call| {
        Box::pin(v2::moderation::ban(call))
    }),
    route(
        Method::POST,
        "/api/v2/moderation/bypass",
        Operation::Bypass,
        &[Action::BypassModeration],
        |call| Box::pin(v2::moderation::bypass(call)),
    ),
    open(Method::POST, "/api/v2/moderation/flag", Operation::Flag, &[Action::FlagUser], |call| {
        Box::pin(v2::moderation::flag(call))
    }),
    open(
        Method::POST,
        "/api/v2/moderation/flag_count",
        Operation::GetFlagCount,
        &[Action::ReadFlagReports],
        |call| Box::pin(v2::moderation::flag_count(call)),
    ),
    open(
        Method::POST,
        "/api/v2/moderation/flags",
        Operation::QueryModerationFlags,
        &[Action::ReadFlagReports],
        |call| Box::pin(v2::moderation::query_flags(call)),
    ),
    open(Method::POST, "/api/v2/moderation/mute", Operation::Mute, &[Action::MuteUser], |call| {
        Box::pin(v2::mutes::mute(call))
    }),
    open(Method::POST, "/api/v2/moderation/unban", Operation::Unban, &[Action::BanUser], |call| {
        Box::pin(v2::moderation::unban(call))
    }),
    open(Method::POST, "/api/v2/moderation/unmute", Operation::Unmute, &[Action::MuteUser], |call| {
        Box::pin(v2::mutes::unmute(call))
    }),
    open(Method::GET, "/api/v2/blocklists", Operation::ListBlockLists, &[Action::ReadBlockLists], |call| {
        Box::pin(v2::block_lists::list(call))
    }),
    open(
        Method::POST,
        "/api/v2/blocklists",
        Operation::CreateBlockList,
        &[Action::ManageBlockLists],
        |call| Box::pin(v2::block_lists::create(call)),
    ),
    open(
        Method::GET,
        "/api/v2/blocklists/{name}",
        Operation::GetBlockList,
        &[Action::ReadBlockLists],
        |call| Box::pin(v2::block_lists::get(call)),
    ),
    open(
        Method::PUT,
        "/api/v2/blocklists/{name}",
        Operation::UpdateBlockList,
        &[Action::ManageBlockLists],
        |call| Box::pin(v2::block_lists::update(call)),
    ),
    open(
        Method::DELETE,
        "/api/v2/blocklists/{name}",
        Operation::DeleteBlockList,
        &[Action::ManageBlockLists],
        |call| Box::pin(v2::block_lists::delete(call)),
    ),
    route(
        Method::GET,
        "/api/v2/permissions",
        Operation::ListPermissions,
        &[Action::ReadPermissions],
        |call| Box::pin(v2::permissions::list(call)),
    ),
    route(
        Method::GET,
        "/api/v2/permissions/{id}",
        Operation::GetPermission,
        &[Action::ReadPermissions],
        |call| Box::pin(v2::permissions::get(call)),
    ),
    open(
        Method::POST,
        "/api/v2/push_preferences",
        Operation::UpdatePushNotificationPreferences,
        &[Action::ManagePushPreferences],
        |call| Box::pin(v2::push_preferences::update(call)),
    ),
    route(Method::GET, "/api/v2/rate_limits", Operation::GetRateLimits, &[Action::ReadRateLimits], |call| {
        Box::pin(v2::rate_limits::get(call))
    }),
    route(Method::GET, "/api/v2/roles", Operation::ListRoles, &[Action::ReadRoles], |call| {
        Box::pin(v2::roles::list(call))
    }),
    route(Method::POST, "/api/v2/roles", Operation::CreateRole, &[Action::ManageRoles], |call| {
        Box::pin(v2::roles::create(call))
    }),
    route(Method::GET, "/api/v2/roles/search", Operation::SearchRoles, &[Action::ReadRoles], |call| {
        Box::pin(v2::roles::search(call))
    }),
    route(Method::DELETE, "/api/v2/roles/{name}", Operation::DeleteRole, &[Action::ManageRoles], |call| {
        Box::pin(v2::roles::delete(call))
    }),
    route(Method::GET, "/api/v2/tasks/{id}", Operation::GetTask, &[Action::ReadTasks], |call| {
        Box::pin(v2::tasks::get(call))
    }),
    open(Method::GET, "/api/v2/usergroups", Operation::ListUserGroups, &[Action::ReadUserGroups], |call| {
        Box::pin(v2::user_groups::list(call))
    }),
    open(
        Method::POST,
        "/api/v2/usergroups",
        Operation::CreateUserGroup,
        &[Action::ManageUserGroups],
        |call| Box::pin(v2::user_groups::create(call)),
    ),
    open(
        Method::GET,
        "/api/v2/usergroups/search",
        Operation::SearchUserGroups,
        &[Action::ReadUserGroups],
        |call| Box::pin(v2::user_groups::search(call)),
    ),
    open(
        Method::GET,
        "/api/v2/usergroups/{id}",
        Operation::GetUserGroup,
        &[Action::ReadUserGroups],
        |call| Box::pin(v2::user_groups::get(call)),
    ),
    open(
        Method::PUT,
        "/api/v2/usergroups/{id}",
        Operation::UpdateUserGroup,
        &[Action::ManageUserGroups],
        |call| Box::pin(v2::user_groups::update(call)),
    ),
    open(
        Method::DELETE,
        "/api/v2/usergroups/{id}",
        Operation::DeleteUserGroup,
        &[Action::ManageUserGroups],
        |call| Box::pin(v2::user_groups::delete(call)),
    ),
    open(
        Method::POST,
        "/api/v2/usergroups/{id}/members",
        Operation::AddUserGroupMembers,
        &[Action::ManageUserGroups],
        |call| Box::pin(v2::user_groups::add_members(call)),
    ),
    open(
        Method::POST,
        "/api/v2/usergroups/{id}/members/delete",
        Operation::RemoveUserGroupMembers,
        &[Action::ManageUserGroups],
        |call| Box::pin(v2::user_groups::remove_members(call)),
    ),
    open(Method::GET, "/api/v2/users", Operation::QueryUsers, &[Action::SearchUser], |call| {
        Box::pin(v2::users::query(call))
    }),
    open(Method::POST, "/api/v2/users", Operation::UpdateUsers, CHANGING_USERS, |call| {
        Box::pin(v2::users::upsert(call))
    }),
    open(Method::PATCH, "/api/v2/users", Operation::UpdateUsersPartial, CHANGING_USERS, |call| {
        Box::pin(v2::users::update_partial(call))
    }),
    open(Method::GET, "/api/v2/users/block", Operation::GetBlockedUsers, &[Action::BlockUser], |call| {
        Box::pin(v2::blocks::list(call))
    }),
    open(Method::POST, "/api/v2/users/block", Operation::BlockUsers, &[Action::BlockUser], |call| {
        Box::pin(v2::blocks::block(call))
    }),
    route(
        Method::POST,
        "/api/v2/users/deactivate",
        Operation::DeactivateUsers,
        &[Action::DeactivateUser],
        |call| Box::pin(v2::lifecycle::deactivate_many(call)),
    ),
    route(Method::POST, "/api/v2/users/delete", Operation::DeleteUsers, &[Action::DeleteUser], |call| {
        Box::pin(v2::deletion::delete(call))
    }),
    route(
        Method::POST,
        "/api/v2/users/delete_preview",
        Operation::PreviewUserDeletion,
        &[Action::DeleteUser],
        |call| Box::pin(v2::deletion::preview(call)),
    ),
    route(
        Method::POST,
        "/api/v2/users/reactivate",
        Operation::ReactivateUsers,
        &[Action::DeactivateUser],
        |call| Box::pin(v2::lifecycle::reactivate_many(call)),
    ),
    route(Method::POST, "/api/v2/users/restore", Operation::RestoreUsers, &[Action::DeleteUser], |call| {
        Box::pin(v2::deletion::restore(call))
    }),
    open(Method::POST, "/api/v2/users/unblock", Operation::UnblockUsers, &[Action::BlockUser], |call| {
        Box::pin(v2::blocks::unblock(call))
    }),
    route(
        Method::POST,
        "/api/v2/users/{user_id}/deactivate",
        Operation::DeactivateUser,
        &[Action::DeactivateUser],
        |call| Box::pin(v2::lifecycle::deactivate(call)),
    ),
    route(
        Method::GET,
        "/api/v2/users/{user_id}/export",
        Operation::ExportUser,
        &[Action::ExportUser],
        |call| Box::pin(v2::exports::one(call)),
    ),
    route(
        Method::POST,
        "/api/v2/users/{user_id}/reactivate",
        Operation::ReactivateUser,
        &[Action::DeactivateUser],
        |call| Box::pin(v2::lifecycle::reactivate(call)),
    ),
];

/// What the table says of a route, for tests and documents.
#[derive(Clone, Debug)]
pub struct RouteInfo {
    /// The method.
    pub method: &'static str,
    /// The path, parameters in braces.
    pub path: &'static str,
    /// The name of the operation.
    pub operation: &'static str,
    /// What a caller must show.
    pub credential: Credential,
}

/// Every route.
pub fn routes() -> impl Iterator<Item = RouteInfo> {
    described().map(|(route, _)| route)
}

/// Every route, with its operation.
pub(crate) fn described() -> impl Iterator<Item = (RouteInfo, Operation)> {
    ROUTES.iter().map(|route| {
        let info = RouteInfo {
            method: route.method.as_str(),
            path: route.path,
            operation: route.operation.name(),
            credential: route.credential,
        };
        (info, route.operation)
    })
}

/// The names of the operations that have a route.
pub fn operation_names() -> impl Iterator<Item = &'static str> {
    operations().map(Operation::name)
}

/// The operations that have a route.
pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    ROUTES.iter().map(|route| route.operation)
}

/// Where a request leads.
pub(crate) enum Found {
    /// To a route, with the raw segments that its parameters took.
    Route(&'static Route, Vec<String>),
    /// To a path that knows only these methods.
    OtherMethods(Vec<&'static str>),
    /// Nowhere.
    Nothing,
}

/// Finds the route of a request. `path` is as the client wrote it, percent-encoded.
///
/// Slashes at the front count as one: a base URL that ends with a slash makes two (v2 1.1).
pub(crate) fn find(method: &Method, path: &str) -> Found {
    let path = path.trim_start_matches('/');
    // Most requests are for a path without parameters: to take every path apart would cost more than to find the user.
    let is_it = |route: &&Route| route.method == *method && route.path.strip_prefix('/') == Some(path);
    if let Some(route) = ROUTES.iter().find(is_it).filter(|_| !path.contains('{')) {
        return Found::Route(route, Vec::new());
    }
    let leading = |route: &'static Route| Some((route, parameters(route.path, path)?));
    // Fewer parameters are more static segments.
    let matching = ROUTES.iter().filter(|route| route.method == *method).filter_map(leading);
    if let Some((route, parameters)) = matching.min_by_key(|(_, parameters)| parameters.len()) {
        return Found::Route(route, parameters);
    }
    let others: Vec<_> = ROUTES.iter().filter_map(leading).map(|(route, _)| route.method.as_str()).collect();
    if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others) }
}

fn parameters(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut given = path.split('/');
    let mut parameters = Vec::new();
    for expected in pattern.trim_start_matches('/').split('/') {
        let segment = given.next()?;
        if !expected.starts_with('{') {
            if expected != segment {
                return None;
            }
        } else if segment.is_empty() {
            return None;
        } else {
            parameters.push(segment.to_owned());
        }
    }
    given.next().is_none().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, path: &str, expected: &str) {
        let found = match find(&method, path) {
            Found::Route(route, parameters) => format!("{} {parameters:?}", route.operation),
            Found::OtherMethods(methods) => format!("only {}", methods.join(" ")),
            Found::Nothing => "nothing".to_owned(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn paths_lead_to_operations() {
        check(Method::GET, "/api/v2/users", "QueryUsers []");
        check(Method::PATCH, "//api/v2/users", "UpdateUsersPartial []");
        check(Method::POST, "/api/v2/users/a%2Fb/deactivate", r#"DeactivateUser ["a%2Fb"]"#);
        check(Method::POST, "/api/v2/users/block", "BlockUsers []");
        check(Method::POST, "/api/v2/users/block/deactivate", r#"DeactivateUser ["block"]"#);
        check(Method::GET, "/api/v2/roles/search", "SearchRoles []");
        check(Method::DELETE, "/api/v2/roles/captain", r#"DeleteRole ["captain"]"#);
        check(Method::DELETE, "/api/v2/roles/search", r#"DeleteRole ["search"]"#);
        check(Method::DELETE, "/api/v2/roles/{name}", r#"DeleteRole ["{name}"]"#);
        check(Method::PUT, "/api/v2/roles/search", "only GET DELETE");
        check(Method::DELETE, "/api/v2/users", "only GET POST PATCH");
        check(Method::GET, "/api/v2/users/a/deactivate", "only POST");
        for path in
            ["/", "/api/v2", "/api/v2/users/", "/api/v2/users//deactivate", "/api/v2/users/a/b/deactivate"]
        {
            check(Method::POST, path, "nothing");
        }
    }

    #[test]
    fn every_operation_has_one_route() {
        let mut names: Vec<_> = operation_names().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
