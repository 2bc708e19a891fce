//! Tasks and the calls that start them, as the document describes them.

use serde_json::{Value, json};

use super::Witness;
use crate::tasks::give_up;

/// Calls every operation of them. There are the users `alice` and `bob`, both active before and after.
pub(super) async fn tasks(witness: &mut Witness) {
    let both = json!({"user_ids": ["alice", "bob"], "created_by_id": "bob", "mark_messages_deleted": true,
        "mark_channels_deleted": null});
    let hiding = witness.call("DeactivateUsers", "/api/v2/users/deactivate", both).await;
    let back = json!({"user_ids": ["alice"], "created_by_id": null, "restore_messages": false, "restore_channels": true});
    let showing = witness.call("ReactivateUsers", "/api/v2/users/reactivate", back).await;
    read(witness, &hiding).await;
    witness.front.run_tasks().await;
    // Of alice, nothing could be hidden any more.
    read(witness, &hiding).await;
    read(witness, &showing).await;
    let back =
        witness.call("ReactivateUsers", "/api/v2/users/reactivate", json!({"user_ids": ["bob"]})).await;
    give_up(&witness.front).await;
    read(witness, &back).await;
    witness.call("DeactivateUsers", "/api/v2/users/deactivate", json!({"user_ids": []})).await;
    witness.call("GetTask", "/api/v2/tasks/nothing", Value::Null).await;
}

async fn read(witness: &mut Witness, started: &Value) {
    let path = format!("/api/v2/tasks/{}", started["task_id"].as_str().unwrap());
    witness.call("GetTask", &path, Value::Null).await;
}
