//! App settings over the wire (v2 2.1).

use headwater_testkit::TestFront;
use serde_json::{Value, json};

async fn app(front: &TestFront) -> Value {
    front.get("/api/v2/app").await.json()["app"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_changes_only_what_is_given() {
    let front = TestFront::start().await;
    let before = app(&front).await;
    assert_eq!((&before["name"], &before["suspended"]), (&json!("test-key"), &json!(false)));
    // What a client sends that changes one setting: its other lists and maps are null (v2 1.3).
    let patch = json!({"enforce_unique_usernames": "app", "allowed_flag_reasons": null, "event_hooks": null,
        "grants": null, "webhook_events": null});
    assert_eq!(front.call("PATCH", "/api/v2/app", &patch).await.status, 200);
    let mut expected = before;
    expected["enforce_unique_usernames"] = json!("app");
    assert_eq!(app(&front).await, expected);
    let patch = json!({"file_upload_config": {"size_limit": 10}, "webhook_events": []});
    front.call("PATCH", "/api/v2/app", &patch).await;
    expected["file_upload_config"] = json!({"size_limit": 10});
    assert_eq!(app(&front).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_patch_changes_nothing() {
    let front = TestFront::start().await;
    let before = app(&front).await;
    let patch = json!({"multi_tenant_enabled": true, "enforce_unique_usernames": "everywhere"});
    let reply = front.call("PATCH", "/api/v2/app", &patch).await;
    let message = r#"UpdateApp failed with error: "enforce_unique_usernames: must be one of no, app, team""#;
    assert_eq!(reply.refusal(), (400, 4, message.to_owned()));
    assert_eq!(app(&front).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_rule_the_next_request() {
    let front = TestFront::start().await;
    let upsert = json!({"users": {"alice": {"teams": ["red", "blue"]}}});
    front.call("PATCH", "/api/v2/app", &json!({"headwater": {"user_teams_limit": 1}})).await;
    let (status, code, message) = front.call("POST", "/api/v2/users", &upsert).await.refusal();
    assert_eq!((status, code), (400, 4));
    assert!(message.contains("users.alice.teams: a user may be in at most 1 teams, got 2"), "{message}");
    front.call("PATCH", "/api/v2/app", &json!({"headwater": {"user_teams_limit": 2}})).await;
    assert_eq!(front.call("POST", "/api/v2/users", &upsert).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_has_a_code_of_its_own() {
    let front = TestFront::start().await;
    front.call("PATCH", "/api/v2/app", &json!({"enforce_unique_usernames": "app"})).await;
    front.call("POST", "/api/v2/users", &json!({"users": {"alice": {"name": "John Doe"}}})).await;
    let reply = front.call("POST", "/api/v2/users", &json!({"users": {"bob": {"name": "john.doe"}}})).await;
    let message = "UpdateUsers failed with error: \"the name 'john.doe' of the user bob is taken; the app enforces unique names\"";
    assert_eq!(reply.refusal(), (400, 6, message.to_owned()));
    assert!(reply.json()["exception_fields"].get("users.bob.name").is_some());
    front.call("PATCH", "/api/v2/app", &json!({"enforce_unique_usernames": "no"})).await;
    let reply = front.call("POST", "/api/v2/users", &json!({"users": {"bob": {"name": "john.doe"}}})).await;
    assert_eq!(reply.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_patch_makes_settings_that_cannot_be_read() {
    let front = TestFront::start().await;
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
    for (config, status) in [(nested(32), 200), (nested(33), 400), (nested(120), 400)] {
        let reply = front.call("PATCH", "/api/v2/app", &json!({ "datadog_info": config })).await;
        assert_eq!(reply.status, status, "{:?}", reply.json());
        assert_eq!(front.get("/api/v2/app").await.status, 200);
    }
    let large = json!({"push_config": {"a": "x".repeat(300_000)}});
    assert_eq!(front.call("PATCH", "/api/v2/app", &large).await.status, 400);
}
