//! Tasks over the wire, and the calls on many users that start them: shapes, statuses, words.

use headwater_testkit::client::Reply;
use headwater_testkit::{TestFront, server_token};
use model::MOST_ATTEMPTS;
use operations::{Error, tasks};
use serde_json::{Value, json};

const NOW: i64 = 1_704_067_200_000_000_000;

async fn stage() -> TestFront {
    let front = TestFront::start().await;
    front.call("POST", "/api/v2/users", &json!({"users": {"alice": {}, "bob": {}, "carol": {}}})).await;
    front
}

/// Starts a task, and answers its id.
pub(crate) async fn start(front: &TestFront, path: &str, body: &Value) -> String {
    let reply = front.call("POST", path, body).await;
    let answer = reply.json();
    assert_eq!(reply.status, 200, "{answer}");
    let names: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(names, ["duration", "task_id"]);
    answer["task_id"].as_str().unwrap().to_owned()
}

async fn read(front: &TestFront, task: &str) -> Value {
    let reply = front.get(&format!("/api/v2/tasks/{task}")).await;
    let mut answer = reply.json();
    assert_eq!(reply.status, 200, "{answer}");
    assert!(answer.as_object_mut().unwrap().shift_remove("duration").unwrap().is_string());
    answer
}

/// Has the task that is due fail until it is given up.
pub(crate) async fn give_up(front: &TestFront) {
    let now = front.now();
    let given_up = front.store().write(move |tx| {
        let claimed = storage::tasks::claim(tx, now)?.expect("a task");
        (0..MOST_ATTEMPTS).try_for_each(|_| {
            tasks::fail(tx, now, claimed.key, &Error::NoRole("captain".to_owned())).map(drop)
        })
    });
    given_up.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_goes_from_pending_to_completed() {
    let front = stage().await;
    let body =
        json!({"user_ids": ["bob", "alice"], "mark_messages_deleted": true, "mark_channels_deleted": null});
    let task = start(&front, "/api/v2/users/deactivate", &body).await;
    let parts: Vec<usize> = task.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{task}");
    let expected = json!({"task_id": task, "status": "pending", "created_at": NOW, "updated_at": NOW});
    assert_eq!(read(&front, &task).await, expected);
    let refused = front.call_as("alice", "GET", "/api/v2/users", &Value::Null).await;
    assert_eq!((refused.status, &refused.json()["code"]), (404, &json!(16)), "shut out before the task runs");

    front.clock().advance(7);
    assert_eq!(front.run_tasks().await, 2);
    let result = json!({"alice": {"status": "ok"}, "bob": {"status": "ok"}});
    let expected = json!({"task_id": task, "status": "completed", "created_at": NOW, "updated_at": NOW + 7,
        "result": result});
    assert_eq!(read(&front, &task).await, expected);

    let back = start(&front, "/api/v2/users/reactivate", &json!({"user_ids": ["alice", "carol"]})).await;
    front.run_tasks().await;
    let result = json!({"alice": {"status": "ok"}, "carol": {"status": "ok"}});
    assert_eq!(read(&front, &back).await["result"], result);
    let found = front.get("/api/v2/users").await.json();
    let found: Vec<&str> =
        found["users"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
    assert_eq!(found, ["carol", "alice"], "bob is still shut out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_came_back_meanwhile_has_an_error() {
    let front = stage().await;
    let body = json!({"user_ids": ["alice", "bob"], "mark_messages_deleted": true});
    let task = start(&front, "/api/v2/users/deactivate", &body).await;
    assert_eq!(front.call("POST", "/api/v2/users/bob/reactivate", &json!({})).await.status, 200);
    front.run_tasks().await;
    let result = json!({"alice": {"status": "ok"},
        "bob": {"status": "error", "error": "the user was reactivated meanwhile"}});
    let answer = read(&front, &task).await;
    assert_eq!((&answer["status"], &answer["result"]), (&json!("completed"), &result));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_was_given_up_says_why() {
    let front = stage().await;
    let task = start(&front, "/api/v2/users/deactivate", &json!({"user_ids": ["alice"]})).await;
    give_up(&front).await;
    let error = json!({"type": "refused", "description": "the role captain does not exist"});
    let expected =
        json!({"task_id": task, "status": "failed", "created_at": NOW, "updated_at": NOW, "error": error});
    assert_eq!(read(&front, &task).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_many_is_said_and_nobody_is_shut_out() {
    let front = stage().await;
    let many: Vec<String> = (0..101).map(|number| format!("u{number}")).collect();
    for (body, status, code, reason) in [
        (json!({}), 400, 4, "user_ids: is required: a list of user ids"),
        (json!({"user_ids": []}), 400, 4, "user_ids: must hold 1 to 100 users, holds 0"),
        (json!({"user_ids": many}), 400, 4, "user_ids: must hold 1 to 100 users, holds 101"),
        (json!({"user_ids": "alice"}), 400, 4, "user_ids: must be an array of strings, got a string"),
        (json!({"user_ids": ["alice", 7]}), 400, 4, "user_ids.1: must be a string, got a number"),
        (
            json!({"user_ids": ["alice", "b b"]}),
            400,
            4,
            "user_ids.1: may have letters, digits, '@', '_' and '-' only, got 'b b'",
        ),
        (
            json!({"user_ids": ["alice", "alice"]}),
            400,
            4,
            "user_ids: must name each user once, names 'alice' twice",
        ),
        (
            json!({"user_ids": ["alice", "eve"]}),
            400,
            4,
            "user_ids: must name users who exist; there is none with the id eve",
        ),
        (json!({"user_ids": ["alice"], "created_by_id": "eve"}), 404, 16, "the user eve does not exist"),
        (
            json!({"user_ids": ["alice"], "created_by_id": 5}),
            400,
            4,
            "created_by_id: must be a string, got a number",
        ),
    ] {
        for (operation, path) in
            [("DeactivateUsers", "/api/v2/users/deactivate"), ("ReactivateUsers", "/api/v2/users/reactivate")]
        {
            let reply = front.call("POST", path, &body).await;
            let message = format!("{operation} failed with error: \"{reason}\"");
            assert_eq!(reply.refusal(), (status, code, message), "{body}");
        }
    }
    for field in ["mark_messages_deleted", "mark_channels_deleted"] {
        let reply = front
            .call("POST", "/api/v2/users/deactivate", &json!({"user_ids": ["alice"], field: "yes"}))
            .await;
        assert_eq!(
            (reply.status, &reply.json()["exception_fields"]),
            (400, &json!({field: "must be true or false, got a string"}))
        );
    }
    for field in ["restore_messages", "restore_channels"] {
        let reply =
            front.call("POST", "/api/v2/users/reactivate", &json!({"user_ids": ["alice"], field: 1})).await;
        assert_eq!(
            (reply.status, &reply.json()["exception_fields"]),
            (400, &json!({field: "must be true or false, got a number"}))
        );
    }
    let found = front.get("/api/v2/users").await.json();
    assert_eq!(found["users"].as_array().unwrap().len(), 3);
    assert_eq!(front.run_tasks().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_another_app_does_not_exist() {
    let front = stage().await;
    front.create_app("other", "other-secret").await;
    let task = start(&front, "/api/v2/users/deactivate", &json!({"user_ids": ["alice"]})).await;
    let refused = |reply: Reply, id: &str| {
        let message = format!("GetTask failed with error: \"the task '{id}' does not exist\"");
        assert_eq!(reply.refusal(), (404, 16, message));
    };
    refused(front.get("/api/v2/tasks/nothing").await, "nothing");
    refused(front.get("/api/v2/tasks/a+b%2Fc").await, "a b/c");
    refused(front.get(&format!("/api/v2/tasks/{}", "x".repeat(70))).await, &format!("{}...", "x".repeat(64)));
    let request =
        headwater_testkit::client::Request::new("GET", &format!("/api/v2/tasks/{task}?api_key=other"))
            .header("Authorization", &server_token("other-secret"))
            .header("Stream-Auth-Type", "jwt");
    refused(front.send(request).await, &task);
    let undecodable = front.get("/api/v2/tasks/%ff").await;
    assert_eq!((undecodable.status, &undecodable.json()["code"]), (400, &json!(4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_with_too_many_tasks_is_told_to_wait() {
    let front = stage().await;
    for _ in 0..model::MOST_TASKS {
        start(&front, "/api/v2/users/deactivate", &json!({"user_ids": ["alice"]})).await;
    }
    let reply = front.call("POST", "/api/v2/users/deactivate", &json!({"user_ids": ["bob"]})).await;
    let reason =
        "the app has 1000 tasks that are not over, which is the most; try again when some of them have ended";
    let message = format!("DeactivateUsers failed with error: \"{reason}\"");
    assert_eq!((reply.header("retry-after"), reply.refusal()), (Some("5"), (429, 9, message)));
    let found = front.get("/api/v2/users").await.json();
    assert_eq!(found["users"].as_array().unwrap().len(), 2, "bob is not shut out");
    assert_eq!(front.run_tasks().await, model::MOST_TASKS);
    start(&front, "/api/v2/users/deactivate", &json!({"user_ids": ["bob"]})).await;
}
