//! Users over the wire: shapes, statuses, words.

use headwater_testkit::TestFront;
use serde_json::{Value, json};

const NOW: i64 = 1_704_067_200_000_000_000;

fn query(payload: &Value) -> String {
    let text = payload.to_string();
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("/api/v2/users?payload={encoded}")
}

/// A full user on whom nothing hangs.
fn full(changes: &Value) -> Value {
    let mut user = json!({
        "id": "alice", "role": "user", "banned": false, "shadow_banned": false, "online": false, "invisible": false,
        "language": "", "teams": [], "blocked_user_ids": [], "custom": {}, "created_at": NOW, "updated_at": NOW,
        "devices": [], "mutes": [], "channel_mutes": [], "total_unread_count": 0, "unread_count": 0,
        "unread_channels": 0, "unread_threads": 0,
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        user[name] = value.clone();
    }
    user
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_whom_only_the_id_is_known_has_every_required_field() {
    let front = TestFront::start().await;
    let reply = front.call("POST", "/api/v2/users", &json!({"users": {"alice": {"id": "alice"}}})).await;
    let body = reply.json();
    assert_eq!((reply.status, &body["membership_deletion_task_id"]), (201, &json!("")));
    assert_eq!(body["users"], json!({"alice": full(&json!({}))}));
    let again = front.call("POST", "/api/v2/users", &json!({"users": {"alice": {"id": "alice"}}})).await;
    assert_eq!(again.status, 200, "nobody was created");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_given_comes_back() {
    let front = TestFront::start().await;
    let given = json!({"name": "Alice", "image": "link/to/image", "role": "admin", "language": "en-GB",
        "teams": ["red"], "teams_role": {"red": "admin"}, "invisible": true, "unknown": [1],
        "custom": {"z": 1, "a": [1.5, "x", null, {"b": false}]},
        "privacy_settings": {"typing_indicators": {"enabled": false}}});
    front.call("POST", "/api/v2/users", &json!({"users": {"alice": given}})).await;
    let mut expected = full(&given);
    expected.as_object_mut().unwrap().remove("unknown");
    let found = front.get(&query(&json!({"filter_conditions": {"id": "alice"}}))).await.json();
    assert_eq!(found["users"], json!([expected]));
    assert_eq!(found["users"][0]["custom"].to_string(), given["custom"].to_string(), "in the order given");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivated_user_is_shown_in_its_smaller_shape() {
    let front = TestFront::start().await;
    front.call("POST", "/api/v2/users", &json!({"users": {"alice": {"name": "Alice"}}})).await;
    front.clock().advance(7);
    let reply = front.call("POST", "/api/v2/users/alice/deactivate", &json!({})).await;
    let mut expected = full(&json!({"name": "Alice", "updated_at": NOW + 7, "deactivated_at": NOW + 7}));
    for full_only in [
        "devices",
        "mutes",
        "channel_mutes",
        "total_unread_count",
        "unread_count",
        "unread_channels",
        "unread_threads",
    ] {
        expected.as_object_mut().unwrap().remove(full_only);
    }
    assert_eq!((reply.status, &reply.json()["user"]), (200, &expected));
    let again = front.call("POST", "/api/v2/users/alice/deactivate", &json!({})).await;
    let message = r#"DeactivateUser failed with error: "user with id 'alice' is already deactivated""#;
    assert_eq!(again.refusal(), (400, 4, message.to_owned()));
    let back = front.call("POST", "/api/v2/users/alice/reactivate", &json!({"name": "A."})).await.json();
    assert_eq!((back["user"].get("deactivated_at"), &back["user"]["name"]), (None, &json!("A.")));
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_is_set_and_taken_back_by_a_partial_update() {
    let front = TestFront::start().await;
    front.call("POST", "/api/v2/users", &json!({"users": {"alice": {}}})).await;
    let set = async |value: Value| {
        let patch = json!({"users": [{"id": "alice", "set": {"revoke_tokens_issued_before": value}}]});
        let body = front.call("PATCH", "/api/v2/users", &patch).await.json();
        body["users"]["alice"].get("revoke_tokens_issued_before").cloned()
    };
    assert_eq!(set(json!("2024-01-01T00:00:00.000000001Z")).await, Some(json!(NOW + 1)));
    assert_eq!(set(json!(NOW + 2)).await, Some(json!(NOW + 2)));
    assert_eq!(set(json!(null)).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_is_wrong() {
    let front = TestFront::start().await;
    front.call("POST", "/api/v2/users", &json!({"users": {"alice": {"custom": {"a": 1}}}})).await;
    let users = |user: Value| json!({"users": {"alice": user}});
    let patch = |change: Value| json!({"users": [change]});
    for (method, body, code, reason) in [
        ("POST", json!({}), 4, "users: is required: a map of user id to user"),
        ("POST", json!({"users": []}), 4, "users: must be an object, got an array"),
        ("POST", json!({"users": {}}), 4, "users: must hold 1 to 100 users, holds 0"),
        (
            "POST",
            json!({"users": {"a b": {}}}),
            4,
            "users.a b.id: may have letters, digits, '@', '_' and '-' only, got 'a b'",
        ),
        ("POST", users(json!("x")), 4, "users.alice: must be an object, got a string"),
        (
            "POST",
            users(json!({"id": "bob"})),
            4,
            "users.alice.id: must be the key of the user in the map, 'alice'",
        ),
        ("POST", users(json!({"teams": ["a", 1]})), 4, "users.alice.teams.1: must be a string, got a number"),
        (
            "POST",
            users(json!({"custom": {"a.b": 1}})),
            4,
            "users.alice.custom.a.b: a key of custom data must not contain '.', which separates the levels of a path",
        ),
        (
            "POST",
            users(json!({"custom": {"name": 1}})),
            4,
            "users.alice.custom.name: is the name of a built-in field; custom data needs another name",
        ),
        (
            "POST",
            users(json!({"language": "english"})),
            4,
            "users.alice.language: must be like 'en' or 'en-GB', or '' for none, got 'english'",
        ),
        (
            "POST",
            users(json!({"privacy_settings": {"read_receipts": {}}})),
            4,
            "users.alice.privacy_settings.read_receipts.enabled: is required: true or false",
        ),
        ("POST", users(json!({"name": "a\u{0}b"})), 4, "users.alice.name: must not contain U+0000"),
        ("PATCH", json!({}), 4, "users: is required: a list of changes, each with the id of a user"),
        ("PATCH", patch(json!({"id": "nobody"})), 16, "the user nobody does not exist"),
        (
            "PATCH",
            patch(json!({"id": "alice", "set": {"banned": true}})),
            4,
            "users.0.set.banned: cannot be changed: banned is read-only",
        ),
        (
            "PATCH",
            patch(json!({"id": "alice", "set": {"a.b": 1}})),
            4,
            "users.0.set.a.b: 'a' is not an object, so nothing can be set in it",
        ),
        (
            "PATCH",
            patch(json!({"id": "alice", "set": {"a": 1}, "unset": ["a"]})),
            4,
            "users.0.unset: 'a' overlaps with 'a' in set; name each field once",
        ),
    ] {
        let (status, found, message) = front.call(method, "/api/v2/users", &body).await.refusal();
        let operation = if method == "POST" { "UpdateUsers" } else { "UpdateUsersPartial" };
        let expected = format!("{operation} failed with error: \"{reason}\"");
        assert_eq!((found, message.as_str()), (code, expected.as_str()), "{body}");
        assert_eq!(status, if code == 16 { 404 } else { 400 });
    }
    for (payload, reason) in [
        (json!({"limit": 101}), "limit: must be at most 100, got 101"),
        (
            json!({"filter_conditions": {"name": {"$contains": "x"}}}),
            "filter_conditions.name.$contains: is not an operator for this field; there are $eq, $ne, $in, $nin, \
             $exists, $autocomplete and $q",
        ),
    ] {
        let (status, code, message) = front.get(&query(&payload)).await.refusal();
        assert_eq!((status, code, message), (400, 4, format!("QueryUsers failed with error: \"{reason}\"")));
    }
    let (_, _, message) = front.get("/api/v2/users?payload=%7B").await.refusal();
    assert!(message.contains("payload: is not valid JSON"), "{message}");
    let found = front.get(&query(&json!({}))).await.json();
    assert_eq!(found["users"], json!([full(&json!({"custom": {"a": 1}}))]), "nothing changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_error_by_request_order_is_answered_whatever_its_kind() {
    let front = TestFront::start().await;
    front.call("POST", "/api/v2/users", &json!({"users": {"alice": {}}})).await;
    let long = "x".repeat(6000);
    for (method, users, reason) in [
        (
            "POST",
            json!({"a": {"role": "captain"}, "b": {"name": 1}}),
            "users.a.role: there is no role 'captain'",
        ),
        (
            "POST",
            json!({"a": {}, "b": {"name": 1}, "c": {"role": "captain"}}),
            "users.b.name: must be a string",
        ),
        (
            "POST",
            json!({"a": {"role": "captain"}, "b": {"name": long}}),
            "users.a.role: there is no role 'captain'",
        ),
        (
            "POST",
            json!({"a": {"name": long}, "b": {"role": "captain"}}),
            "users.a.custom: name, image and custom data",
        ),
        (
            "PATCH",
            json!([{"id": "nobody"}, {"id": "alice", "set": {"name": 1}}]),
            "the user nobody does not exist",
        ),
        (
            "PATCH",
            json!([{"id": "alice"}, {"id": "alice", "set": {"name": 1}}]),
            "users.1.set.name: must be a string",
        ),
        (
            "PATCH",
            json!([{"id": "alice", "set": {"a": long}}, {"id": "nobody"}]),
            "users.0.set: name, image and custom",
        ),
    ] {
        let (_, _, message) = front.call(method, "/api/v2/users", &json!({ "users": users })).await.refusal();
        assert!(message.contains(reason), "{message} for {reason}");
    }
    let found = front.get(&query(&json!({}))).await.json();
    assert_eq!(found["users"].as_array().map(Vec::len), Some(1), "nothing was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_patch_makes_a_user_that_cannot_be_read() {
    let front = TestFront::start().await;
    front.call("POST", "/api/v2/users", &json!({"users": {"alice": {}}})).await;
    let patch = async |set: Value| {
        let body = json!({"users": [{"id": "alice", "set": set}]});
        front.call("PATCH", "/api/v2/users", &body).await.status
    };
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
    assert_eq!(patch(json!({"k": nested(31)})).await, 200);
    assert_eq!(patch(json!({"k": nested(32)})).await, 400);
    assert_eq!(patch(json!({ ["a"; 32].join("."): 1 })).await, 200);
    assert_eq!(patch(json!({ ["a"; 100_000].join("."): 1 })).await, 400);
    assert_eq!(
        patch(json!({ ["k", &["a"; 30].join(".")].join("."): nested(2) })).await,
        400,
        "two patches add up"
    );
    let found = front.get(&query(&json!({}))).await;
    assert_eq!((found.status, found.json()["users"].as_array().map(Vec::len)), (200, Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_come_back_to_the_last_bit() {
    let front = TestFront::start().await;
    // Bits spread over the whole range, made by a linear congruence.
    let floats = (0..1000_u64)
        .map(|step| f64::from_bits(step.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
        .filter(|float| float.is_finite());
    let numbers: Vec<f64> = floats.take(180).collect();
    front.call("POST", "/api/v2/users", &json!({"users": {"alice": {"custom": {"n": numbers}}}})).await;
    for name in ["A", "B", "C"] {
        let patch = json!({"users": [{"id": "alice", "set": {"name": name}}]});
        let body = front.call("PATCH", "/api/v2/users", &patch).await.json();
        assert_eq!(body["users"]["alice"]["custom"]["n"], json!(numbers));
    }
    let gone = json!({"users": [{"id": "alice", "unset": ["custom"]}]});
    assert_eq!(front.call("PATCH", "/api/v2/users", &gone).await.status, 200);
    let leaves = front.store().read(|tx| {
        tx.query(storage::Sql::new("SELECT COUNT(*) FROM user_leaves"), &[], |row| row.integer(0))
    });
    let leaves: Result<Vec<i64>, storage::Error> = leaves.await;
    assert_eq!(leaves.unwrap(), [0], "every leaf that came has gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_cannot_be_read_is_not_an_absent_one() {
    let front = TestFront::start().await;
    for path in ["/api/v2/users?payload=%ff%fe", "/api/v2/users?payload=%00"] {
        let message =
            r#"QueryUsers failed with error: "payload: must be UTF-8 without U+0000, percent-encoded""#;
        assert_eq!(front.get(path).await.refusal(), (400, 4, message.to_owned()));
    }
    let (status, code, message) =
        front.get(&query(&json!({"filter_conditions": {"id": {}}}))).await.refusal();
    assert_eq!((status, code), (400, 4), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_names_in_one_patch_are_checked_in_no_time() {
    let front = TestFront::start().await;
    front.call("POST", "/api/v2/users", &json!({"users": {"alice": {}}})).await;
    let names: serde_json::Map<String, Value> =
        (0..100_000).map(|number| (format!("k{number}"), json!(1))).collect();
    let body = json!({"users": [{"id": "alice", "set": names}]});
    assert_eq!(front.call("PATCH", "/api/v2/users", &body).await.status, 400);
}
