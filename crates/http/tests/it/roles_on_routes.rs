//! Every route with every role: the default matrix of semantics 8.9, as clients meet it. A route without a line fails.

use std::collections::BTreeSet;

use headwater_http::{Credential, routes};
use headwater_testkit::client::{Reply, Request};
use headwater_testkit::{KEY, SECRET, TestFront, token};
use serde_json::{Value, json};

/// Who asks, beside servers, who may do everything.
const ROLES: [&str; 5] = ["anonymous", "guest", "user", "moderator", "admin"];

/// A request that a server is answered 2xx, and the roles that are as well. `{me}` is the caller.
struct Line {
    operation: &'static str,
    path: &'static str,
    body: fn(me: &str) -> Value,
    allowed: &'static [&'static str],
}

const EVERYBODY: &[&str] = &ROLES;
const MEMBERS: &[&str] = &["guest", "user", "moderator", "admin"];
const MODERATORS: &[&str] = &["moderator", "admin"];
const ADMINS: &[&str] = &["admin"];

fn nothing(_: &str) -> Value {
    Value::Null
}

/// What users may ask. Routes for servers need no line: nobody else may.
const LINES: &[Line] = &[
    Line {
        operation: "CreateGuest",
        path: "/api/v2/guest",
        body: |_| json!({"user": {"id": "visitor"}}),
        allowed: EVERYBODY,
    },
    Line {
        operation: "ExplainPermission",
        path: "/api/v2/permissions/explain?user_id={me}&action=BanUser",
        body: nothing,
        allowed: EVERYBODY,
    },
    Line {
        operation: "Ban",
        path: "/api/v2/moderation/ban",
        body: |_| json!({"target_user_id": "target", "reason": "spam"}),
        allowed: MODERATORS,
    },
    Line {
        operation: "Unban",
        path: "/api/v2/moderation/unban?target_user_id=target",
        body: |_| json!({}),
        allowed: MODERATORS,
    },
    Line {
        operation: "QueryBannedUsers",
        path: "/api/v2/chat/query_banned_users",
        body: nothing,
        allowed: MODERATORS,
    },
    Line {
        operation: "Flag",
        path: "/api/v2/moderation/flag",
        body: |me| json!({"entity_type": "stream:user", "entity_id": "target", "user_id": me}),
        allowed: MEMBERS,
    },
    Line {
        operation: "GetFlagCount",
        path: "/api/v2/moderation/flag_count",
        body: |_| json!({"entity_creator_id": "target"}),
        allowed: MODERATORS,
    },
    Line {
        operation: "QueryModerationFlags",
        path: "/api/v2/moderation/flags",
        body: |_| json!({}),
        allowed: MODERATORS,
    },
    Line { operation: "ListBlockLists", path: "/api/v2/blocklists", body: nothing, allowed: MODERATORS },
    Line { operation: "GetBlockList", path: "/api/v2/blocklists/known", body: nothing, allowed: MODERATORS },
    Line {
        operation: "CreateBlockList",
        path: "/api/v2/blocklists",
        body: |me| json!({"name": format!("list-of-{me}"), "words": ["rude"]}),
        allowed: ADMINS,
    },
    Line {
        operation: "UpdateBlockList",
        path: "/api/v2/blocklists/known",
        body: |_| json!({"words": ["ruder"]}),
        allowed: ADMINS,
    },
    Line { operation: "DeleteBlockList", path: "/api/v2/blocklists/of-{me}", body: nothing, allowed: ADMINS },
    Line { operation: "ListUserGroups", path: "/api/v2/usergroups", body: nothing, allowed: MEMBERS },
    Line { operation: "GetUserGroup", path: "/api/v2/usergroups/known", body: nothing, allowed: MEMBERS },
    Line {
        operation: "SearchUserGroups",
        path: "/api/v2/usergroups/search?query=k",
        body: nothing,
        allowed: MEMBERS,
    },
    Line {
        operation: "CreateUserGroup",
        path: "/api/v2/usergroups",
        body: |me| json!({"id": format!("group-of-{me}"), "name": "Group"}),
        allowed: ADMINS,
    },
    Line {
        operation: "UpdateUserGroup",
        path: "/api/v2/usergroups/known",
        body: |_| json!({"name": "Other"}),
        allowed: ADMINS,
    },
    Line { operation: "DeleteUserGroup", path: "/api/v2/usergroups/of-{me}", body: nothing, allowed: ADMINS },
    Line {
        operation: "AddUserGroupMembers",
        path: "/api/v2/usergroups/known/members",
        body: |_| json!({"member_ids": ["target"]}),
        allowed: ADMINS,
    },
    Line {
        operation: "RemoveUserGroupMembers",
        path: "/api/v2/usergroups/known/members/delete",
        body: |_| json!({"member_ids": ["target"]}),
        allowed: ADMINS,
    },
    Line { operation: "QueryUsers", path: "/api/v2/users", body: nothing, allowed: MEMBERS },
    Line {
        operation: "UpdateUsers",
        path: "/api/v2/users",
        body: |me| json!({"users": {me: {"name": "Me", "image": "link", "custom": {"a": 1}}}}),
        allowed: MEMBERS,
    },
    Line {
        operation: "UpdateUsers",
        path: "/api/v2/users",
        body: |_| json!({"users": {"target": {"name": "Other"}}}),
        allowed: ADMINS,
    },
    Line {
        operation: "UpdateUsers",
        path: "/api/v2/users",
        body: |me| json!({"users": {format!("made-by-{me}"): {"name": "New"}}}),
        allowed: ADMINS,
    },
    Line {
        operation: "UpdateUsers",
        path: "/api/v2/users",
        body: |me| json!({"users": {me: {"teams": ["red"]}}}),
        allowed: ADMINS,
    },
    Line {
        operation: "UpdateUsersPartial",
        path: "/api/v2/users",
        body: |me| json!({"users": [{"id": me, "set": {"color": "blue"}, "unset": ["name"]}]}),
        allowed: MEMBERS,
    },
    Line {
        operation: "UpdateUsersPartial",
        path: "/api/v2/users",
        body: |_| json!({"users": [{"id": "target", "set": {"color": "blue"}}]}),
        allowed: ADMINS,
    },
    Line {
        operation: "UpdateUsersPartial",
        path: "/api/v2/users",
        body: |me| json!({"users": [{"id": me, "set": {"role": "moderator"}}]}),
        // A moderator stays what it is.
        allowed: &["moderator", "admin"],
    },
    Line {
        operation: "BlockUsers",
        path: "/api/v2/users/block",
        body: |me| json!({"blocked_user_id": "target", "user_id": me}),
        allowed: MEMBERS,
    },
    Line {
        operation: "UnblockUsers",
        path: "/api/v2/users/unblock",
        body: |me| json!({"blocked_user_id": "target", "user_id": me}),
        allowed: MEMBERS,
    },
    Line {
        operation: "GetBlockedUsers",
        path: "/api/v2/users/block?user_id={me}",
        body: nothing,
        allowed: MEMBERS,
    },
    Line {
        operation: "Mute",
        path: "/api/v2/moderation/mute",
        body: |me| json!({"target_ids": ["target"], "user_id": me}),
        allowed: MEMBERS,
    },
    Line {
        operation: "Unmute",
        path: "/api/v2/moderation/unmute",
        body: |me| json!({"target_ids": ["target"], "user_id": me}),
        allowed: MEMBERS,
    },
    Line {
        operation: "CreateDevice",
        path: "/api/v2/devices",
        body: |me| json!({"id": "token", "push_provider": "apn", "user_id": me}),
        allowed: MEMBERS,
    },
    Line { operation: "ListDevices", path: "/api/v2/devices?user_id={me}", body: nothing, allowed: MEMBERS },
    Line {
        operation: "DeleteDevice",
        path: "/api/v2/devices?id=device-of-{me}&user_id={me}",
        body: nothing,
        allowed: MEMBERS,
    },
    Line {
        operation: "UpdatePushNotificationPreferences",
        path: "/api/v2/push_preferences",
        body: |me| json!({"preferences": [{"user_id": me, "chat_level": "none"}]}),
        allowed: MEMBERS,
    },
    // In chat, of channels that somebody else made and in which the caller is no member.
    Line {
        operation: "GetOrCreateChannel",
        path: "/api/v2/chat/channels/messaging/new-{me}/query",
        body: |me| json!({"data": {"created_by_id": me}}),
        allowed: &["user", "moderator", "admin"],
    },
    Line {
        operation: "GetOrCreateDistinctChannel",
        path: "/api/v2/chat/channels/messaging/query",
        body: |me| json!({"data": {"created_by_id": me, "members": [me, "target"]}}),
        allowed: &["user", "moderator", "admin"],
    },
    Line {
        operation: "GetChannel",
        path: "/api/v2/chat/channels/messaging/known",
        body: nothing,
        allowed: MODERATORS,
    },
    Line {
        operation: "GetChannel",
        path: "/api/v2/chat/channels/livestream/known",
        body: nothing,
        allowed: EVERYBODY,
    },
    Line {
        operation: "UpdateChannel",
        path: "/api/v2/chat/channels/messaging/known",
        body: |_| json!({"add_members": ["target"]}),
        allowed: MODERATORS,
    },
    Line {
        operation: "DeleteChannel",
        path: "/api/v2/chat/channels/messaging/of-{me}",
        body: nothing,
        allowed: ADMINS,
    },
    Line {
        operation: "SendMessage",
        path: "/api/v2/chat/channels/messaging/known/message",
        body: |me| json!({"message": {"text": "hello", "user_id": me}}),
        allowed: MODERATORS,
    },
    Line { operation: "GetMessage", path: "/api/v2/chat/messages/known", body: nothing, allowed: MODERATORS },
    Line {
        operation: "DeleteMessage",
        path: "/api/v2/chat/messages/of-{me}",
        body: nothing,
        allowed: MODERATORS,
    },
    Line {
        operation: "SendReaction",
        path: "/api/v2/chat/messages/known/reaction",
        body: |me| json!({"reaction": {"type": "wow", "user_id": me}}),
        allowed: MODERATORS,
    },
    Line {
        operation: "DeleteReaction",
        path: "/api/v2/chat/messages/known/reaction/love?user_id={me}",
        body: nothing,
        allowed: MODERATORS,
    },
    Line {
        operation: "GetReactions",
        path: "/api/v2/chat/messages/known/reactions",
        body: nothing,
        allowed: MODERATORS,
    },
];

/// Sends a request as somebody.
async fn send(front: &TestFront, role: &str, method: &str, path: &str, body: &Value) -> Reply {
    let separator = if path.contains('?') { '&' } else { '?' };
    let mut request = Request::new(method, &format!("{path}{separator}api_key={KEY}"));
    if method != "GET" {
        request = request.body(body.to_string());
    }
    let request = match role {
        "anonymous" => request.header("Stream-Auth-Type", "anonymous"),
        "server" => request.header("Authorization", &token(SECRET, json!({"server": true}))),
        role => request.header("Authorization", &token(SECRET, json!({"user_id": id_of(role)}))),
    };
    front.send(request).await
}

fn id_of(role: &str) -> String {
    match role {
        "anonymous" => "!anon".to_owned(),
        role => format!("{role}-1"),
    }
}

async fn stage() -> TestFront {
    let front = TestFront::start().await;
    let mut users = json!({"target": {}, "other": {}});
    for role in ROLES.iter().filter(|role| **role != "anonymous") {
        users[id_of(role)] = json!({"role": role});
    }
    let made = front.call("POST", "/api/v2/users", &json!({"users": users})).await;
    assert_eq!(made.status, 201, "{:?}", made.json());
    for id in users.as_object().unwrap().keys() {
        let device = json!({"id": format!("device-of-{id}"), "push_provider": "apn", "user_id": id});
        assert_eq!(front.call("POST", "/api/v2/devices", &device).await.status, 201);
    }
    for id in ["known", "of-admin-1", "of-other"] {
        let group = json!({"id": id, "name": "Known"});
        assert_eq!(front.call("POST", "/api/v2/usergroups", &group).await.status, 201);
        let list = json!({"name": id, "words": ["rude"]});
        assert_eq!(front.call("POST", "/api/v2/blocklists", &list).await.status, 201);
    }
    channels(&front, users.as_object().unwrap().keys()).await;
    front
}

/// A channel and a message of its own for everybody, all made by 'target', and reactions.
async fn channels(front: &TestFront, people: impl Iterator<Item = &String>) {
    let made = json!({"data": {"created_by_id": "target"}});
    let live = "/api/v2/chat/channels/livestream/known/query";
    assert_eq!(front.call("POST", live, &made).await.status, 201);
    let people: Vec<&String> = people.collect();
    for name in std::iter::once("known".to_owned()).chain(people.iter().map(|id| format!("of-{id}"))) {
        let path = format!("/api/v2/chat/channels/messaging/{name}");
        assert_eq!(front.call("POST", &format!("{path}/query"), &made).await.status, 201);
        let message = json!({"message": {"id": name, "text": "hello", "user_id": "target"}});
        assert_eq!(front.call("POST", &format!("{path}/message"), &message).await.status, 201);
    }
    for id in people {
        let reaction = json!({"reaction": {"type": "love", "user_id": id}});
        let given = front.call("POST", "/api/v2/chat/messages/known/reaction", &reaction).await;
        assert_eq!(given.status, 201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_obeys_the_default_matrix() {
    let mut covered = BTreeSet::new();
    for line in LINES {
        let route = routes().find(|route| route.operation == line.operation).unwrap();
        covered.insert(line.operation);
        let front = stage().await;
        for role in ROLES.iter().chain(&["server"]) {
            let me = if *role == "server" { "other".to_owned() } else { id_of(role) };
            let path = line.path.replace("{me}", &me);
            // Whoever has no user cannot be named in a body.
            let body = (line.body)(me.trim_start_matches('!'));
            let reply = send(&front, role, route.method, &path, &body).await;
            let context = format!("{} as {role}: {:?}", line.operation, reply.json());
            if *role == "server" || line.allowed.contains(role) {
                assert!((200..300).contains(&reply.status), "{context}");
            } else {
                let (status, code, message) = reply.refusal();
                // Who may not read a channel cannot tell it from one that is not there.
                if line.path.starts_with("/api/v2/chat/") && (status, code) == (404, 16) {
                    assert!(message.contains("does not exist"), "{context}");
                    continue;
                }
                assert_eq!((status, code), (403, 17), "{context}");
                let told = |roles: &str| format!("User '{me}' with {roles} is not allowed to perform action");
                let (alone, in_channel) =
                    (told(&format!("role '{role}'")), told(&format!("roles ['{role}']")));
                assert!(message.contains(&alone) || message.contains(&in_channel), "{context}");
            }
        }
    }
    let open: BTreeSet<&str> = routes()
        .filter(|route| route.credential != Credential::Server)
        .map(|route| route.operation)
        .collect();
    assert_eq!(open, covered, "every route for users has a line");
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_for_servers_are_closed_to_every_role() {
    let front = stage().await;
    for route in routes().filter(|route| route.credential == Credential::Server) {
        let path = ["{user_id}", "{name}", "{id}"]
            .iter()
            .fold(route.path.to_owned(), |path, parameter| path.replace(parameter, "target"));
        for role in ROLES {
            let reply = send(&front, role, route.method, &path, &json!({})).await;
            let (status, code, message) = reply.refusal();
            let context = format!("{} {} as {role}: {message}", route.method, route.path);
            assert_eq!((status, code), (403, 17), "{context}");
            assert!(message.contains("server-side calls only"), "{context}");
        }
    }
}
