//! Exports, as the document describes them.

use serde_json::{Value, json};

use super::Witness;

/// Calls every operation of them. There is the user `alice`.
pub(super) async fn exports(witness: &mut Witness) {
    witness.call("UpdateUsers", "/api/v2/users", json!({"users": {"leaver": {}}})).await;
    for (path, body) in [
        ("channels/messaging/exported/query", json!({"data": {"created_by_id": "leaver"}})),
        (
            "channels/messaging/exported/message",
            json!({"message": {"id": "exported", "text": "hello", "user_id": "alice"}}),
        ),
        ("messages/exported/reaction", json!({"reaction": {"type": "like", "user_id": "alice"}})),
    ] {
        let reply = witness.front.call("POST", &format!("/api/v2/chat/{path}"), &body).await;
        assert!(reply.status < 300, "{path}: {:?}", reply.json());
    }
    let one = witness.call("ExportUser", "/api/v2/users/alice/export", Value::Null).await;
    assert!(one["messages"][0].is_object() && one["reactions"][0].is_object(), "{one}");
    witness.call("ExportUser", "/api/v2/users/nobody/export", Value::Null).await;
    let both = json!({"user_ids": ["alice", "leaver"]});
    let started = witness.call("ExportUsers", "/api/v2/export/users", both).await;
    // With one who is not in the file, the result says of each what came of it.
    let gone = witness.front.call("POST", "/api/v2/users/delete", &json!({"user_ids": ["leaver"]})).await;
    assert_eq!(gone.status, 200);
    witness.front.run_tasks().await;
    let path = format!("/api/v2/tasks/{}", started["task_id"].as_str().unwrap());
    let task = witness.call("GetTask", &path, Value::Null).await;
    assert!(task["result"]["url"].is_string() && task["result"]["users"].is_object(), "{task}");
    witness.call("ExportUsers", "/api/v2/export/users", json!({"user_ids": []})).await;
}
