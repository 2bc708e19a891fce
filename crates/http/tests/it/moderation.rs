//! Bans, flags and what moderation lets pass, over the wire (v2 2.9, 2.10).

use headwater_testkit::client::{Reply, Request};
use headwater_testkit::{KEY, SECRET, TestFront, token};
use serde_json::{Value, json};

const NOW: i64 = 1_704_067_200_000_000_000;
const MINUTE: i64 = 60_000_000_000;

async fn create(front: &TestFront, users: Value) {
    let made = front.call("POST", "/api/v2/users", &json!({ "users": users })).await;
    assert_eq!(made.status, 201, "{:?}", made.json());
}

/// A request of a user, by a token of its own.
async fn by_user(front: &TestFront, user: &str, method: &str, path: &str, body: &Value) -> Reply {
    let separator = if path.contains('?') { '&' } else { '?' };
    let request = Request::new(method, &format!("{path}{separator}api_key={KEY}"))
        .header("Authorization", &token(SECRET, json!({ "user_id": user })))
        .header("Stream-Auth-Type", "jwt");
    front.send(if method == "GET" { request } else { request.body(body.to_string()) }).await
}

fn encoded(payload: &Value) -> String {
    payload.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn banned(front: &TestFront, payload: Value) -> Value {
    let path = format!("/api/v2/chat/query_banned_users?payload={}", encoded(&payload));
    let reply = front.get(&path).await;
    assert_eq!(reply.status, 200, "{:?}", reply.json());
    assert!(reply.json()["duration"].is_string());
    reply.json()["bans"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_has_the_shape_of_the_contract() {
    let front = TestFront::start().await;
    create(&front, json!({"bob": {"name": "Bob"}, "mod": {}})).await;
    front.clock().advance(7);
    let ban = json!({"target_user_id": "bob", "banned_by_id": "mod", "reason": "spam", "timeout": 60, "ip_ban": false,
        "delete_messages": "soft", "unknown": 1});
    let made = front.call("POST", "/api/v2/moderation/ban", &ban).await;
    assert_eq!((made.status, made.json().as_object().map(serde_json::Map::len)), (201, Some(1)));
    let found = banned(&front, json!({"filter_conditions": {"user_id": {"$eq": "bob"}}})).await;
    let until = NOW + 7 + 60 * MINUTE;
    let person = |id: &str, place: i64| {
        json!({"id": id, "role": "user", "banned": false, "online": false, "invisible": false, "language": "",
            "teams": [], "blocked_user_ids": [], "custom": {}, "created_at": NOW + place, "updated_at": NOW + place,
            "shadow_banned": false})
    };
    let mut bob = person("bob", 0);
    bob["name"] = json!("Bob");
    bob["banned"] = json!(true);
    bob["ban_expires"] = json!(until);
    let expected = json!([{"created_at": NOW + 7, "expires": until, "reason": "spam", "shadow": false,
        "banned_by": person("mod", 1), "user": bob}]);
    assert_eq!(found, expected);

    // What a client sends with Unban: whom in the query, an empty object in the body.
    let lifted =
        front.call("POST", "/api/v2/moderation/unban?target_user_id=bob&channel_cid=", &json!({})).await;
    assert_eq!((lifted.status, lifted.json().as_object().map(serde_json::Map::len)), (200, Some(1)));
    assert_eq!(banned(&front, json!({"filter_conditions": null})).await, json!([]));
    let lifted = front.call("POST", "/api/v2/moderation/unban?target_user_id=bob", &json!(null)).await;
    assert_eq!(lifted.status, 200, "nobody is banned");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banned_user_reads_and_writes_nothing_until_the_ban_ends() {
    let front = TestFront::start().await;
    create(&front, json!({"bob": {}, "eve": {}})).await;
    let write = async || {
        let body = json!({"users": [{"id": "bob", "set": {"name": "Bob"}}]});
        let reply = by_user(&front, "bob", "PATCH", "/api/v2/users", &body).await;
        if reply.status == 200 { (200, 0, String::new()) } else { reply.refusal() }
    };
    let refused = || {
        let why = "the user 'bob' is banned from the app: it may read, and change nothing";
        let why = why.replace('\'', "");
        (403, 17, format!("UpdateUsersPartial failed with error: \"{why}\""))
    };
    let ban = async |body: Value| {
        let mut all = json!({"target_user_id": "bob"});
        all.as_object_mut().unwrap().extend(body.as_object().cloned().unwrap());
        assert_eq!(front.call("POST", "/api/v2/moderation/ban", &all).await.status, 201);
    };
    assert_eq!(write().await.0, 200);
    ban(json!({"timeout": 1})).await;
    assert_eq!(write().await, refused(), "at once, though the standing was known");
    let read = by_user(&front, "bob", "GET", "/api/v2/users?payload=%7B%7D", &Value::Null).await;
    assert_eq!(read.status, 200, "{:?}", read.json());
    let flag = json!({"entity_type": "user", "entity_id": "eve"});
    let flagged = by_user(&front, "bob", "POST", "/api/v2/moderation/flag", &flag).await;
    assert_eq!((flagged.refusal().0, flagged.refusal().1), (403, 17), "a report is a write");
    front.clock().advance(MINUTE - 1);
    assert_eq!(write().await, refused());
    front.clock().advance(1);
    assert_eq!(write().await.0, 200, "to the nanosecond, by nobody's doing");
    ban(json!({})).await;
    assert_eq!(write().await, refused());
    let path = "/api/v2/moderation/unban?target_user_id=bob&created_by=eve";
    let by = json!({"unbanned_by": {"id": "eve"}});
    assert_eq!(front.call("POST", path, &by).await.status, 200);
    assert_eq!(write().await.0, 200);
    ban(json!({"shadow": true})).await;
    assert_eq!(write().await.0, 200, "a shadow ban is not noticed");
    let own = by_user(&front, "bob", "GET", "/api/v2/users?payload=%7B%7D", &Value::Null).await.json();
    let users = own["users"].as_array().unwrap();
    assert!(users.iter().all(|user| user["shadow_banned"] == false && user["banned"] == false), "{own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_has_the_shape_of_the_contract() {
    let front = TestFront::start().await;
    create(&front, json!({"ann": {}, "bob": {}, "mod": {"role": "moderator"}})).await;
    let flag = json!({"entity_type": "user", "entity_id": "bob", "user": {"id": "ann", "name": "ignored"}, "reason": "spam",
        "custom": {"b": 1, "a": [null]}, "moderation_payload": {"texts": ["x"]}});
    let made = front.call("POST", "/api/v2/moderation/flag", &flag).await;
    assert_eq!(made.status, 201, "{:?}", made.json());
    let item = made.json()["item_id"].as_str().unwrap().to_owned();
    assert!(!item.is_empty());
    let again = front.call("POST", "/api/v2/moderation/flag", &flag).await;
    assert_eq!((again.status, &again.json()["item_id"]), (200, &json!(item)));
    let own = json!({"entity_type": "photo", "entity_id": "p", "entity_creator_id": "bob", "custom": null});
    assert_eq!(by_user(&front, "ann", "POST", "/api/v2/moderation/flag", &own).await.status, 201);

    let page = json!({"limit": 1, "filter": {"entity_creator_id": "bob"}, "sort": [{"field": "created_at"}]});
    let found = front.call("POST", "/api/v2/moderation/flags", &page).await.json();
    let user = json!({"id": "ann", "role": "user", "banned": false, "online": false, "invisible": false, "language": "",
        "teams": [], "blocked_user_ids": [], "custom": {}, "created_at": NOW, "updated_at": NOW, "shadow_banned": false});
    let expected = json!([{"type": "user_report", "entity_type": "stream:user", "entity_id": "bob", "user_id": "ann",
        "created_at": NOW, "updated_at": NOW, "result": [], "review_queue_item_id": item, "entity_creator_id": "bob",
        "reason": "spam", "custom": {"b": 1, "a": [null]}, "moderation_payload": {"texts": ["x"]}, "user": user}]);
    assert_eq!((&found["flags"], found.get("prev")), (&expected, None));
    let mut next = page.clone();
    next["next"] = found["next"].clone();
    let second = front.call("POST", "/api/v2/moderation/flags", &next).await.json();
    assert_eq!((&second["flags"][0]["entity_type"], second.get("next")), (&json!("photo"), None));
    let mut back = page;
    back["prev"] = second["prev"].clone();
    assert_eq!(front.call("POST", "/api/v2/moderation/flags", &back).await.json()["flags"], expected);

    for (body, count) in [
        (json!({"entity_creator_id": "bob"}), 2),
        (json!({"entity_creator_id": "bob", "entity_type": "user"}), 1),
        (json!({"entity_creator_id": "ann"}), 0),
    ] {
        let counted = front.call("POST", "/api/v2/moderation/flag_count", &body).await;
        assert_eq!((counted.status, &counted.json()["count"]), (200, &json!(count)), "{body}");
        let counted = by_user(&front, "mod", "POST", "/api/v2/moderation/flag_count", &body).await;
        assert_eq!(counted.json()["count"], json!(count), "for a moderator");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_has_moderation_pass_a_user_over() {
    let front = TestFront::start().await;
    create(&front, json!({"bob": {}})).await;
    let path = "/api/v2/moderation/bypass";
    let body = json!({"target_user_id": "bob", "enabled": true});
    let (status, code, _) = by_user(&front, "bob", "POST", path, &body).await.refusal();
    assert_eq!((status, code), (403, 17), "for servers");
    assert_eq!(front.call("POST", path, &body).await.status, 200);
    let users = front.get("/api/v2/users").await.json();
    assert_eq!(users["users"][0]["bypass_moderation"], true);
    let other = by_user(&front, "bob", "GET", "/api/v2/users", &Value::Null).await;
    assert_eq!(other.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_what_is_wrong() {
    let front = TestFront::start().await;
    create(&front, json!({"ann": {}, "bob": {}, "mod": {"role": "moderator"}, "boss": {"role": "admin"}}))
        .await;
    let post = |operation: &'static str, path: &str, body: Value| {
        (operation, format!("/api/v2/moderation/{path}"), body)
    };
    let ban = |body: Value| post("Ban", "ban", body);
    let unban = |query: &str, body: Value| post("Unban", &format!("unban{query}"), body);
    let flag = |body: Value| post("Flag", "flag", body);
    let flags = |body: Value| post("QueryModerationFlags", "flags", body);
    for ((operation, path, body), status, reason) in [
        (ban(json!({})), 400, "target_user_id: is required: the id of a user"),
        (ban(json!({"target_user_id": 1})), 400, "target_user_id: must be a string, got a number"),
        (ban(json!({"target_user_id": "nobody"})), 404, "the user nobody does not exist"),
        (
            ban(json!({"target_user_id": "bob", "timeout": 0})),
            400,
            "timeout: must be 1 to 52560000 minutes, or left out for ever, got 0",
        ),
        (
            ban(json!({"target_user_id": "bob", "timeout": 0.5})),
            400,
            "timeout: must be a whole number of minutes from 1 to 52560000",
        ),
        (
            ban(json!({"target_user_id": "bob", "delete_messages": "all"})),
            400,
            "delete_messages: must be 'soft', 'pruning' or 'hard'",
        ),
        (
            ban(json!({"target_user_id": "bob", "channel_cid": "messaging:x"})),
            400,
            "channel_cid: is not served yet; leave it out, and the whole app is meant",
        ),
        (
            ban(json!({"target_user_id": "bob", "banned_by_id": "a", "banned_by": {"id": "b"}})),
            400,
            "banned_by.id: is 'b', and banned_by_id is 'a'; give one of them",
        ),
        (unban("", json!({})), 400, "target_user_id: is required: the id of a user, in the query"),
        (unban("?target_user_id=nobody", json!({})), 404, "the user nobody does not exist"),
        (unban("?target_user_id=bob", json!({"unbanned_by_id": "x"})), 404, "the user x does not exist"),
        (
            flag(json!({"entity_type": "user", "entity_id": "bob"})),
            400,
            "user_id: is required with a server token: the user who acts",
        ),
        (
            flag(json!({"entity_type": "user", "entity_id": "ann", "user_id": "ann"})),
            400,
            "entity_id: users cannot flag themselves",
        ),
        (
            flag(json!({"entity_type": "stream:chat:v1:message", "entity_id": "m", "user_id": "ann"})),
            400,
            "entity_type: the kind of messages is not served yet",
        ),
        (flag(json!({"entity_id": "m"})), 400, "entity_type: is required: a kind like 'stream:user'"),
        (flags(json!({"limit": 0})), 400, "limit: must be 1 to 100, got 0"),
        (
            flags(json!({"next": "x"})),
            400,
            "next: must be a cursor of an answer to a query with the same sort",
        ),
        (
            flags(json!({"filter": {"colour": "red"}})),
            400,
            "filter.colour: cannot be filtered by; there are entity_type, entity_id, user_id, entity_creator_id, reason, \
             created_at and $and",
        ),
        (
            post("GetFlagCount", "flag_count", json!({"entity_creator_id": "nobody"})),
            404,
            "the user nobody does not exist",
        ),
        (
            post("Bypass", "bypass", json!({"target_user_id": "nobody", "enabled": true})),
            404,
            "the user nobody does not exist",
        ),
        (
            post("Bypass", "bypass", json!({"target_user_id": "bob"})),
            400,
            "enabled: is required: true or false",
        ),
    ] {
        let reply = front.call("POST", &path, &body).await;
        let code = if status == 404 { 16 } else { 4 };
        let message = format!("{operation} failed with error: \"{reason}\"");
        assert_eq!(reply.refusal(), (status, code, message), "{path} {body}");
    }
    let unknown = format!(
        "/api/v2/chat/query_banned_users?payload={}",
        encoded(&json!({"filter_conditions": {"a": 1}}))
    );
    let (status, code, message) = front.get(&unknown).await.refusal();
    assert_eq!((status, code), (400, 4));
    assert!(
        message.contains("filter_conditions.a: cannot be filtered by; there are user_id, banned_by_id"),
        "{message}"
    );
    assert_eq!(banned(&front, json!({})).await, json!([]), "what is refused changes nothing");

    for (user, body, reason) in [
        (
            "ann",
            json!({"target_user_id": "bob"}),
            "User 'ann' with role 'user' is not allowed to perform action BanUser",
        ),
        (
            "ann",
            json!({"target_user_id": "nobody"}),
            "User 'ann' with role 'user' is not allowed to perform action BanUser",
        ),
        (
            "mod",
            json!({"target_user_id": "boss"}),
            "the user boss has the role 'admin': only a server may ban it",
        ),
    ] {
        let reply = by_user(&front, user, "POST", "/api/v2/moderation/ban", &body).await;
        assert_eq!(
            reply.refusal(),
            (403, 17, format!("Ban failed with error: \"{reason}\"")),
            "{user} {body}"
        );
    }
}
