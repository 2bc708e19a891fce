//! Deletions, as the document describes them.

use operations::deletion::MOST_COUNTED;
use serde_json::{Value, json};
use storage::Sql;

use super::Witness;

/// Calls every operation of them.
pub(super) async fn deletion(witness: &mut Witness) {
    let users = json!({"users": {"marked": {}, "removed": {}, "heir": {}}});
    witness.call("UpdateUsers", "/api/v2/users", users).await;
    let everything = json!({"user_ids": ["removed"], "user": "hard", "messages": "hard", "conversations": "hard",
        "calls": "hard", "files": true, "new_channel_owner_id": "heir", "new_call_owner_id": "heir"});
    witness.call("PreviewUserDeletion", "/api/v2/users/delete_preview", everything.clone()).await;
    too_much_to_count(witness).await;
    witness.call("PreviewUserDeletion", "/api/v2/users/delete_preview", everything.clone()).await;
    let started = witness.call("DeleteUsers", "/api/v2/users/delete", everything).await;
    let marks =
        json!({"user_ids": ["marked"], "user": "soft", "messages": "pruning", "conversations": "soft"});
    witness.call("DeleteUsers", "/api/v2/users/delete", marks).await;
    witness.front.run_tasks().await;
    let task = format!("/api/v2/tasks/{}", started["task_id"].as_str().unwrap());
    witness.call("GetTask", &task, Value::Null).await;
    witness.call("RestoreUsers", "/api/v2/users/restore", json!({"user_ids": ["marked"]})).await;
    for (operation, verb) in
        [("DeleteUsers", "delete"), ("PreviewUserDeletion", "delete_preview"), ("RestoreUsers", "restore")]
    {
        witness.call(operation, &format!("/api/v2/users/{verb}"), json!({"user_ids": []})).await;
    }
}

/// Gives the user who is to go more of something than a preview counts.
async fn too_much_to_count(witness: &mut Witness) {
    const NAMED: Sql = Sql::new(
        "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1) \
         INSERT INTO log_person (log, user) SELECT 1000000 + n, key FROM users, numbers WHERE id = 'removed'",
    );
    let most = i64::try_from(MOST_COUNTED).unwrap();
    let named = witness.front.store().write(move |tx| tx.execute(NAMED, &[most.into()]));
    let named: Result<usize, storage::Error> = named.await;
    assert_eq!(named.unwrap(), 10_001);
}
