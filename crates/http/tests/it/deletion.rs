//! Users who are deleted and restored, over the wire: shapes, statuses, words (v2 2.2, 3.5, 4).

use headwater_testkit::TestFront;
use headwater_testkit::client::Request;
use headwater_testkit::server_token;
use serde_json::{Value, json};

use crate::tasks::start;

const NOW: i64 = 1_704_067_200_000_000_000;
const DELETE: &str = "/api/v2/users/delete";
const PREVIEW: &str = "/api/v2/users/delete_preview";
const RESTORE: &str = "/api/v2/users/restore";

async fn stage() -> TestFront {
    let front = TestFront::start().await;
    front
        .call("POST", "/api/v2/users", &json!({"users": {"alice": {"name": "Ann"}, "bob": {}, "carol": {}}}))
        .await;
    for (id, members) in [("pair", json!(["alice", "bob"])), ("room", json!(["alice", "bob", "carol"]))] {
        let members: Vec<Value> =
            members.as_array().unwrap().iter().map(|id| json!({"user_id": id})).collect();
        let body = json!({"data": {"created_by_id": "alice", "members": members}});
        let path = format!("/api/v2/chat/channels/messaging/{id}/query");
        assert!(front.call("POST", &path, &body).await.status < 300);
        let path = format!("/api/v2/chat/channels/messaging/{id}/message");
        let message = json!({"message": {"id": format!("in-{id}"), "text": "hello", "user_id": "alice"}});
        assert!(front.call("POST", &path, &message).await.status < 300);
    }
    front
}

/// The answer without how long it took, which it has to say.
async fn answer(front: &TestFront, path: &str, body: &Value) -> Value {
    let reply = front.call("POST", path, body).await;
    let mut answer = reply.json();
    assert_eq!(reply.status, 200, "{answer}");
    assert!(answer.as_object_mut().unwrap().shift_remove("duration").unwrap().is_string());
    answer
}

async fn task(front: &TestFront, id: &str) -> Value {
    let mut task = front.get(&format!("/api/v2/tasks/{id}")).await.json();
    assert!(task.as_object_mut().unwrap().shift_remove("duration").unwrap().is_string());
    task
}

async fn found(front: &TestFront) -> Vec<String> {
    let users = front.get("/api/v2/users").await.json();
    users["users"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn users_go_at_once_and_the_task_says_when_the_rest_has() {
    let front = stage().await;
    let body = json!({"user_ids": ["alice", "bob"], "user": "hard", "messages": "hard", "conversations": "hard",
        "calls": "hard", "files": true, "new_channel_owner_id": "carol", "new_call_owner_id": "carol"});
    let id = start(&front, DELETE, &body).await;
    assert_eq!(found(&front).await, ["carol"]);
    let pending = json!({"task_id": id, "status": "pending", "created_at": NOW, "updated_at": NOW});
    assert_eq!(task(&front, &id).await, pending);
    let refused = front.call_as("alice", "GET", "/api/v2/users", &Value::Null).await;
    assert_eq!(
        refused.refusal(),
        (404, 16, "QueryUsers failed with error: \"the user alice was deleted\"".to_owned())
    );

    front.clock().advance(3);
    front.run_tasks().await;
    let result = json!({"alice": {"status": "ok"}, "bob": {"status": "ok"}});
    let completed = json!({"task_id": id, "status": "completed", "created_at": NOW, "updated_at": NOW + 3,
        "result": result});
    assert_eq!(task(&front, &id).await, completed);
    let room = front.call("POST", "/api/v2/chat/channels/messaging/room/query", &json!({})).await.json();
    assert_eq!(
        (&room["channel"]["created_by"]["id"], &room["channel"]["member_count"], &room["messages"]),
        (&json!("carol"), &json!(1), &json!([]))
    );
    // Their ids are never given again.
    let again = front.call("POST", "/api/v2/users", &json!({"users": {"alice": {}}})).await;
    assert_eq!(
        again.refusal(),
        (404, 16, "UpdateUsers failed with error: \"the user alice was deleted\"".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_or_empty_stays() {
    let front = stage().await;
    for (body, restored) in [
        (json!({"user_ids": ["alice"]}), true),
        (
            json!({"user_ids": ["alice"], "user": "", "messages": "", "conversations": "", "calls": null}),
            true,
        ),
        (json!({"user_ids": ["alice"], "user": "pruning"}), false),
    ] {
        let id = start(&front, DELETE, &body).await;
        front.run_tasks().await;
        assert_eq!(task(&front, &id).await["result"], json!({"alice": {"status": "ok"}}), "{body}");
        let message = front.get("/api/v2/chat/messages/in-room").await.json();
        assert_eq!(message["message"]["text"], "hello", "{body}");
        let reply = front.call("POST", RESTORE, &json!({"user_ids": ["alice"]})).await;
        assert_eq!(reply.status == 200, restored, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_answers_nothing_but_how_long_it_took() {
    let front = stage().await;
    let id = start(&front, DELETE, &json!({"user_ids": ["alice", "bob"], "messages": "soft"})).await;
    assert_eq!(answer(&front, RESTORE, &json!({"user_ids": ["alice"]})).await, json!({}));
    let mut users = found(&front).await;
    users.sort();
    assert_eq!(users, ["alice", "carol"]);
    front.run_tasks().await;
    let result = json!({"alice": {"status": "error", "error": "the user was restored meanwhile"}, "bob": {"status": "ok"}});
    let over = task(&front, &id).await;
    assert_eq!((&over["status"], &over["result"]), (&json!("completed"), &result));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_says_what_would_go() {
    let front = stage().await;
    let change = |effect: &str, count: u64| json!({"effect": effect, "count": count});
    let soft = json!({"users": {"alice": {"memberships": change("removed", 2), "profile": change("marked", 1)}},
        "totals": {"memberships": 2, "profile": 1}});
    assert_eq!(answer(&front, PREVIEW, &json!({"user_ids": ["alice"]})).await, soft);
    let body =
        json!({"user_ids": ["alice", "bob"], "user": "hard", "messages": "hard", "conversations": "hard"});
    let hard = answer(&front, PREVIEW, &body).await;
    for (user, kind, expected) in [
        ("alice", "conversations", change("removed", 1)),
        ("alice", "messages", change("removed", 2)),
        ("alice", "channels_made", change("passed_on", 2)),
        ("alice", "bans_given", change("unnamed", 0)),
        ("alice", "profile", change("removed", 1)),
        ("bob", "messages", change("removed", 0)),
        ("bob", "conversations", change("removed", 1)),
    ] {
        assert_eq!(hard["users"][user][kind], expected, "{user} {kind}");
    }
    assert_eq!((&hard["totals"]["messages"], &hard["totals"]["memberships"]), (&json!(2), &json!(4)));
    assert_eq!(found(&front).await.len(), 3, "it changes nothing");
    assert_eq!(front.run_tasks().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_and_nobody_is_deleted() {
    let front = stage().await;
    start(&front, DELETE, &json!({"user_ids": ["carol"]})).await;
    let many: Vec<String> = (0..101).map(|number| format!("u{number}")).collect();
    let unknowns: Vec<&str> = many[..20].iter().map(String::as_str).chain(["alice"]).collect();
    let unknown = many[..20].join(", ");
    let hard = "messages: must be 'hard': hard deleting users requires hard deleting messages and conversations; \
                'pruning' for user goes with any messages and conversations";
    let gone = "new_channel_owner_id: must be a user who exists, and 'carol' does not";
    for (body, reason) in [
        (json!({}), "user_ids: is required: a list of user ids".to_owned()),
        (json!({"user_ids": []}), "user_ids: must hold 1 to 100 users, holds 0".to_owned()),
        (json!({"user_ids": many}), "user_ids: must hold 1 to 100 users, holds 101".to_owned()),
        (
            json!({"user_ids": ["alice", "alice"]}),
            "user_ids: must name each user once, names 'alice' twice".to_owned(),
        ),
        (
            json!({"user_ids": unknowns}),
            format!("user_ids: must name users who exist; there is none with the id {unknown}"),
        ),
        (
            json!({"user_ids": ["alice"], "user": "gone"}),
            "user: must be soft, pruning or hard, got 'gone'".to_owned(),
        ),
        (json!({"user_ids": ["alice"], "user": "hard"}), hard.to_owned()),
        (json!({"user_ids": ["alice"], "new_channel_owner_id": "carol"}), gone.to_owned()),
        (
            json!({"user_ids": ["alice"], "new_channel_owner_id": "zoe"}),
            "new_channel_owner_id: must be a user who exists, and 'zoe' does not".to_owned(),
        ),
        (
            json!({"user_ids": ["alice"], "new_call_owner_id": "alice"}),
            "new_call_owner_id: must be somebody who stays, 'alice' is in user_ids".to_owned(),
        ),
    ] {
        for (operation, path) in [("DeleteUsers", DELETE), ("PreviewUserDeletion", PREVIEW)] {
            let message = format!("{operation} failed with error: \"{reason}\"");
            assert_eq!(front.call("POST", path, &body).await.refusal(), (400, 4, message), "{body}");
        }
    }
    for (body, status, code, reason) in [
        (json!({"user_ids": ["carol", "alice"]}), 400, 4, "user_ids: 'alice' is not deleted"),
        (json!({"user_ids": ["carol", "zoe"]}), 404, 16, "the user zoe does not exist"),
        (
            json!({"user_ids": ["carol", "carol"]}),
            400,
            4,
            "user_ids: must name each user once, names 'carol' twice",
        ),
        (json!({"user_ids": "carol"}), 400, 4, "user_ids: must be an array of strings, got a string"),
    ] {
        let message = format!("RestoreUsers failed with error: \"{reason}\"");
        assert_eq!(front.call("POST", RESTORE, &body).await.refusal(), (status, code, message), "{body}");
    }
    let mut users = found(&front).await;
    users.sort();
    assert_eq!(users, ["alice", "bob"]);
    assert_eq!(front.run_tasks().await, 1, "of carol");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_of_who_goes_for_good_is_refused_before_and_after() {
    let front = stage().await;
    start(&front, DELETE, &json!({"user_ids": ["alice"]})).await;
    let hard = json!({"user_ids": ["alice"], "user": "hard", "messages": "hard", "conversations": "hard"});
    let second = start(&front, DELETE, &hard).await;
    let refused =
        "RestoreUsers failed with error: \"user_ids: 'alice' was deleted for good, and cannot be restored\"";
    for _ in 0..2 {
        let reply = front.call("POST", RESTORE, &json!({"user_ids": ["alice"]})).await;
        assert_eq!(reply.refusal(), (400, 4, refused.to_owned()));
        front.run_tasks().await;
    }
    assert_eq!(task(&front, &second).await["result"], json!({"alice": {"status": "ok"}}));
    // Cleaning up twice is no mistake.
    let third = start(&front, DELETE, &hard).await;
    front.run_tasks().await;
    assert_eq!(task(&front, &third).await["result"], json!({"alice": {"status": "ok"}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn these_are_for_servers() {
    let front = stage().await;
    front.call("PATCH", "/api/v2/users", &json!({"users": [{"id": "bob", "set": {"role": "admin"}}]})).await;
    let id = start(&front, DELETE, &json!({"user_ids": ["carol"]})).await;
    for (operation, method, path) in [
        ("DeleteUsers", "POST", DELETE.to_owned()),
        ("PreviewUserDeletion", "POST", PREVIEW.to_owned()),
        ("RestoreUsers", "POST", RESTORE.to_owned()),
        ("GetTask", "GET", format!("/api/v2/tasks/{id}")),
    ] {
        for user in ["alice", "bob"] {
            let reply = front.call_as(user, method, &path, &json!({"user_ids": ["alice"]})).await;
            let (status, code, message) = reply.refusal();
            assert_eq!((status, code), (403, 17), "{operation} as {user}: {message}");
            assert!(message.starts_with(&format!("{operation} failed with error: ")), "{message}");
        }
    }
    // Nor for the servers of other apps.
    front.create_app("other", "other-secret").await;
    for (method, path, body, status, code, reason) in [
        ("GET", format!("/api/v2/tasks/{id}"), Value::Null, 404, 16, format!("GetTask failed with error: \"the task '{id}' does not exist\"")),
        ("POST", DELETE.to_owned(), json!({"user_ids": ["alice"]}), 400, 4, "DeleteUsers failed with error: \"user_ids: must name users who exist; there is none with the id alice\"".to_owned()),
        ("POST", PREVIEW.to_owned(), json!({"user_ids": ["alice"]}), 400, 4, "PreviewUserDeletion failed with error: \"user_ids: must name users who exist; there is none with the id alice\"".to_owned()),
        ("POST", RESTORE.to_owned(), json!({"user_ids": ["carol"]}), 404, 16, "RestoreUsers failed with error: \"the user carol does not exist\"".to_owned()),
    ] {
        let request = Request::new(method, &format!("{path}?api_key=other"))
            .header("Authorization", &server_token("other-secret"))
            .header("Stream-Auth-Type", "jwt");
        let request = if method == "GET" { request } else { request.body(body.to_string()) };
        assert_eq!(front.send(request).await.refusal(), (status, code, reason));
    }
}
