//! Blocks, mutes, devices and push preferences over the wire: shapes, statuses, words (v2 3.4, 3.7, 3.10).

use headwater_testkit::client::{Reply, Request};
use headwater_testkit::{KEY, SECRET, TestFront, token};
use serde_json::{Value, json};

const NOW: i64 = 1_704_067_200_000_000_000;
const MINUTE: i64 = 60_000_000_000;

async fn front_with(users: &[&str]) -> TestFront {
    let front = TestFront::start().await;
    let users: serde_json::Map<_, _> = users.iter().map(|id| ((*id).to_owned(), json!({}))).collect();
    assert_eq!(front.call("POST", "/api/v2/users", &json!({"users": users})).await.status, 201);
    front
}

/// Sends JSON with a token of `user`.
async fn call_as(front: &TestFront, user: &str, method: &str, path: &str, body: &Value) -> Reply {
    let separator = if path.contains('?') { '&' } else { '?' };
    let request = Request::new(method, &format!("{path}{separator}api_key={KEY}"))
        .header("Authorization", &token(SECRET, json!({"user_id": user})))
        .header("Stream-Auth-Type", "jwt");
    front.send(if method == "GET" { request } else { request.body(body.to_string()) }).await
}

/// The body without the one value that is never the same.
fn timeless(reply: &Reply) -> Value {
    let mut body = reply.json();
    let duration = body.as_object_mut().unwrap().shift_remove("duration");
    assert!(duration.is_some_and(|duration| duration.is_string()));
    body
}

/// A user within another answer, on whom nothing hangs.
fn nested(id: &str, created_at: i64) -> Value {
    json!({"id": id, "role": "user", "banned": false, "shadow_banned": false, "online": false, "invisible": false,
        "language": "", "teams": [], "blocked_user_ids": [], "custom": {}, "created_at": created_at,
        "updated_at": created_at})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_is_shown_to_the_one_who_blocks() {
    let front = front_with(&["alice", "bob"]).await;
    let path = "/api/v2/users/block";
    let body = json!({"blocked_user_id": "bob", "user": {"id": "alice", "name": "ignored"}});
    let reply = front.call("POST", path, &body).await;
    let expected = json!({"blocked_by_user_id": "alice", "blocked_user_id": "bob", "created_at": NOW});
    assert_eq!((reply.status, timeless(&reply)), (201, expected.clone()));
    front.clock().advance(5);
    let again = call_as(&front, "alice", "POST", path, &json!({"blocked_user_id": "bob"})).await;
    assert_eq!((again.status, timeless(&again)), (200, expected));

    let list = call_as(&front, "alice", "GET", path, &json!(null)).await;
    let entry = json!({"user_id": "alice", "blocked_user_id": "bob", "created_at": NOW, "user": nested("alice", NOW),
        "blocked_user": nested("bob", NOW + 1)});
    assert_eq!((list.status, timeless(&list)), (200, json!({"blocks": [entry]})));
    assert_eq!(timeless(&call_as(&front, "bob", "GET", path, &json!(null)).await), json!({"blocks": []}));
    assert_eq!(timeless(&front.get("/api/v2/users/block?user_id=bob").await), json!({"blocks": []}));

    let reply =
        call_as(&front, "alice", "POST", "/api/v2/users/unblock", &json!({"blocked_user_id": "bob"})).await;
    assert_eq!((reply.status, timeless(&reply)), (200, json!({})));
    assert_eq!(timeless(&front.get("/api/v2/users/block?user_id=alice").await), json!({"blocks": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mute_answers_with_the_whole_own_user() {
    let front = front_with(&["alice", "bob"]).await;
    let path = "/api/v2/moderation/mute";
    let body = json!({"target_ids": ["bob", "nobody"], "timeout": 60});
    let reply = call_as(&front, "alice", "POST", path, &body).await;
    let mute = json!({"user": nested("alice", NOW), "target": nested("bob", NOW + 1), "created_at": NOW,
        "updated_at": NOW, "expires": NOW + 60 * MINUTE});
    let mut own = nested("alice", NOW);
    own.as_object_mut().unwrap().shift_remove("shadow_banned");
    for (name, value) in [("devices", json!([])), ("mutes", json!([mute])), ("channel_mutes", json!([]))] {
        own[name] = value;
    }
    for name in ["total_unread_count", "unread_count", "unread_channels", "unread_threads"] {
        own[name] = json!(0);
    }
    let expected = json!({"mutes": [mute], "non_existing_users": ["nobody"], "own_user": own});
    assert_eq!((reply.status, timeless(&reply)), (201, expected));

    front.clock().advance(MINUTE);
    let again = front.call("POST", path, &json!({"target_id": "bob", "user_id": "alice"})).await;
    let body = timeless(&again);
    let mute = &body["mutes"][0];
    assert_eq!(
        (again.status, &mute["created_at"], &mute["updated_at"]),
        (200, &json!(NOW), &json!(NOW + MINUTE))
    );
    assert_eq!((mute.get("expires"), body.get("non_existing_users")), (None, None));

    let unmute = "/api/v2/moderation/unmute";
    let reply = call_as(&front, "alice", "POST", unmute, &json!({"target_ids": ["bob", "nobody"]})).await;
    assert_eq!((reply.status, timeless(&reply)), (200, json!({"non_existing_users": ["nobody"]})));
    let reply = call_as(&front, "alice", "POST", unmute, &json!({"target_ids": ["bob"]})).await;
    assert_eq!((reply.status, timeless(&reply)), (200, json!({})));
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_come_and_go() {
    let front = front_with(&["alice", "bob"]).await;
    let path = "/api/v2/devices";
    let body = json!({"id": "t+1", "push_provider": "apn", "voip_token": true, "hardware_id": "", "user_id": "alice"});
    let reply = front.call("POST", path, &body).await;
    assert_eq!((reply.status, timeless(&reply)), (201, json!({})));
    let body = json!({"id": "t2", "push_provider": "firebase", "push_provider_name": "main"});
    front.clock().advance(5);
    assert_eq!(call_as(&front, "alice", "POST", path, &body).await.status, 201);
    assert_eq!(call_as(&front, "alice", "POST", path, &body).await.status, 200);
    let devices = json!([
        {"id": "t+1", "push_provider": "apn", "user_id": "alice", "created_at": NOW, "voip": true},
        {"id": "t2", "push_provider": "firebase", "push_provider_name": "main", "user_id": "alice", "created_at": NOW + 5},
    ]);
    let listed = timeless(&call_as(&front, "alice", "GET", path, &json!(null)).await);
    assert_eq!(listed, json!({"devices": devices}));
    assert_eq!(timeless(&front.get("/api/v2/devices?user_id=alice").await), listed);
    assert_eq!(timeless(&front.get("/api/v2/devices?user_id=bob").await), json!({"devices": []}));

    // What a client sends with DELETE: the four bytes `null` (v2 1.3).
    let other = call_as(&front, "bob", "DELETE", "/api/v2/devices?id=t%2B1", &json!(null)).await;
    let message = "DeleteDevice failed with error: \"the user bob has no device with the id 't+1'\"";
    assert_eq!(other.refusal(), (404, 16, message.to_owned()));
    let deleted = front.call("DELETE", "/api/v2/devices?id=t%2B1&user_id=alice", &json!(null)).await;
    assert_eq!((deleted.status, timeless(&deleted)), (200, json!({})));
    let listed = timeless(&front.get("/api/v2/devices?user_id=alice").await);
    assert_eq!(listed, json!({"devices": [devices[1]]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn preferences_are_shown_to_their_owner() {
    let front = front_with(&["alice", "bob"]).await;
    let path = "/api/v2/push_preferences";
    let wanted = json!({"chat_level": "mentions", "disabled_until": NOW + MINUTE,
        "chat_preferences": {"direct_mentions": "all"}});
    let mut entry = wanted.clone();
    entry["user_id"] = json!("alice");
    let both = json!({"preferences": [entry, {"user_id": "bob", "call_level": "default"}]});
    let reply = front.call("POST", path, &both).await;
    let expected = json!({"user_channel_preferences": {}, "user_preferences": {"alice": wanted, "bob": {}}});
    assert_eq!((reply.status, timeless(&reply)), (200, expected));
    let mute =
        call_as(&front, "alice", "POST", "/api/v2/moderation/mute", &json!({"target_ids": ["bob"]})).await;
    assert_eq!(mute.json()["own_user"]["push_preferences"], wanted);
    let mute =
        call_as(&front, "bob", "POST", "/api/v2/moderation/mute", &json!({"target_ids": ["alice"]})).await;
    assert_eq!(mute.json()["own_user"].get("push_preferences"), None);

    let awake = json!({"preferences": [{"remove_disable": true, "chat_preferences": {}}]});
    let reply = call_as(&front, "alice", "POST", path, &awake).await;
    assert_eq!(timeless(&reply)["user_preferences"], json!({"alice": {"chat_level": "mentions"}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_what_is_wrong() {
    let front = front_with(&["alice", "bob"]).await;
    let block = |body: Value| ("POST", "/api/v2/users/block", body, "BlockUsers");
    let unblock = |body: Value| ("POST", "/api/v2/users/unblock", body, "UnblockUsers");
    let mute = |body: Value| ("POST", "/api/v2/moderation/mute", body, "Mute");
    let unmute = |body: Value| ("POST", "/api/v2/moderation/unmute", body, "Unmute");
    let device = |body: Value| ("POST", "/api/v2/devices", body, "CreateDevice");
    let delete = |path: &'static str| ("DELETE", path, json!(null), "DeleteDevice");
    let prefer = |entry: Value| {
        (
            "POST",
            "/api/v2/push_preferences",
            json!({"preferences": [entry]}),
            "UpdatePushNotificationPreferences",
        )
    };
    let who = "is required with a server token: the user who acts";
    let anyone = "may have letters, digits, '@', '_' and '-' only, got 'a b'";
    for ((method, path, body, operation), status, field, reason) in [
        (block(json!({})), 400, "blocked_user_id", "is required: the user it is about"),
        (block(json!({"blocked_user_id": "bob"})), 400, "user_id", who),
        (block(json!({"blocked_user_id": "a b"})), 400, "blocked_user_id", anyone),
        (
            block(json!({"blocked_user_id": "alice", "user_id": "alice"})),
            400,
            "blocked_user_id",
            "must be somebody else: nobody can block oneself",
        ),
        (
            block(json!({"blocked_user_id": "bob", "user_id": "alice", "user": {"id": "bob"}})),
            400,
            "user.id",
            "must be that in user_id, 'alice'",
        ),
        (
            block(json!({"blocked_user_id": "eve", "user_id": "alice"})),
            404,
            "",
            "the user eve does not exist",
        ),
        (
            unblock(json!({"blocked_user_id": "bob", "user_id": "eve"})),
            404,
            "",
            "the user eve does not exist",
        ),
        (("GET", "/api/v2/users/block", json!(null), "GetBlockedUsers"), 400, "user_id", who),
        (
            ("GET", "/api/v2/users/block?user_id=a%20b", json!(null), "GetBlockedUsers"),
            400,
            "user_id",
            anyone,
        ),
        (mute(json!({"user_id": "alice"})), 400, "target_ids", "is required: the users it is about"),
        (
            mute(json!({"target_ids": [], "user_id": "alice"})),
            400,
            "target_ids",
            "must hold 1 to 100 users, holds 0",
        ),
        (mute(json!({"target_ids": ["bob"]})), 400, "user_id", who),
        (
            mute(json!({"target_ids": ["bob"], "user_id": "alice", "timeout": -1})),
            400,
            "timeout",
            "must be a whole number from 0 up, got -1",
        ),
        (
            mute(json!({"target_ids": ["bob"], "user_id": "alice", "timeout": 0})),
            400,
            "timeout",
            "must be 1 to 52560000 minutes, or left out for a mute without end; got 0",
        ),
        (
            unmute(json!({"target_ids": ["bob", "bob"], "user_id": "alice"})),
            400,
            "target_ids",
            "must name each user once, names 'bob' twice",
        ),
        (device(json!({"push_provider": "apn"})), 400, "id", "is required: the token of the push provider"),
        (
            device(json!({"id": "t", "push_provider": "mail", "user_id": "alice"})),
            400,
            "push_provider",
            "must be one of 'apn', 'firebase', 'huawei', 'xiaomi'",
        ),
        (
            device(json!({"id": "", "push_provider": "apn", "user_id": "alice"})),
            400,
            "id",
            "must have 1 to 1024 bytes, has 0",
        ),
        (delete("/api/v2/devices?user_id=alice"), 400, "id", "is required: the device to remove"),
        (delete("/api/v2/devices?id=t"), 400, "user_id", who),
        (
            delete("/api/v2/devices?id=t&user_id=alice"),
            404,
            "",
            "the user alice has no device with the id 't'",
        ),
        (prefer(json!({"chat_level": "all"})), 400, "preferences.0.user_id", who),
        (
            prefer(json!({"user_id": "alice", "call_level": "some"})),
            400,
            "preferences.0.call_level",
            "must be one of 'all', 'none', or 'default'",
        ),
        (
            prefer(json!({"user_id": "alice", "channel_cid": "messaging:general"})),
            400,
            "preferences.0.channel_cid",
            "is not served yet; leave it out",
        ),
    ] {
        let reply =
            if method == "GET" { front.get(path).await } else { front.call(method, path, &body).await };
        let separator = if field.is_empty() { "" } else { ": " };
        let message = format!("{operation} failed with error: \"{field}{separator}{reason}\"");
        let code = if status == 404 { 16 } else { 4 };
        assert_eq!(reply.refusal(), (status, code, message), "{method} {path} {body}");
        let problem = reply.json()["exception_fields"].get(field).cloned();
        assert_eq!(problem, (!field.is_empty()).then(|| json!(reason)), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_acts_for_itself_only() {
    let front = front_with(&["alice", "bob"]).await;
    for (method, path, body) in [
        ("POST", "/api/v2/users/block", json!({"blocked_user_id": "alice", "user_id": "bob"})),
        ("GET", "/api/v2/users/block?user_id=bob", json!(null)),
        ("POST", "/api/v2/moderation/mute", json!({"target_ids": ["bob"], "user": {"id": "bob"}})),
        ("POST", "/api/v2/moderation/unmute", json!({"target_ids": ["bob"], "user_id": "bob"})),
        ("POST", "/api/v2/devices", json!({"id": "t", "push_provider": "apn", "user_id": "bob"})),
        ("GET", "/api/v2/devices?user_id=bob", json!(null)),
        ("DELETE", "/api/v2/devices?id=t&user_id=bob", json!(null)),
        ("POST", "/api/v2/push_preferences", json!({"preferences": [{"user_id": "bob"}]})),
    ] {
        let (status, code, message) = call_as(&front, "alice", method, path, &body).await.refusal();
        assert_eq!((status, code), (403, 17), "{method} {path}: {message}");
        assert!(message.contains("user_id: a user token acts as its own user, 'alice'"), "{message}");
        let request = Request::new(
            method,
            &format!("{path}{}api_key={KEY}", if path.contains('?') { '&' } else { '?' }),
        );
        let anonymous = request.header("Stream-Auth-Type", "anonymous").body(body.to_string());
        let (status, code, message) = front.send(anonymous).await.refusal();
        assert_eq!((status, code), (403, 17), "{method} {path}: {message}");
    }
}
