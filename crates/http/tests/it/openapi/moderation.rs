//! Bans, flags and what moderation lets pass.

use serde_json::{Value, json};

use super::Witness;

pub(super) async fn moderation(witness: &mut Witness) {
    let users = json!({"users": {"mo": {}, "bo": {}, "jo": {}}});
    witness.call("UpdateUsers", "/api/v2/users", users).await;
    let bypass = json!({"target_user_id": "bo", "enabled": true});
    witness.call("Bypass", "/api/v2/moderation/bypass", bypass).await;
    witness.call("Bypass", "/api/v2/moderation/bypass", json!({"target_user_id": "bo"})).await;
    let ban = json!({"target_user_id": "bo", "banned_by": {"id": "mo"}, "banned_by_id": null, "timeout": 60, "reason": "x",
        "shadow": false, "ip_ban": true, "delete_messages": "hard"});
    witness.call("Ban", "/api/v2/moderation/ban", ban).await;
    witness.call("Ban", "/api/v2/moderation/ban", json!({"target_user_id": "jo", "shadow": true})).await;
    witness.call("Ban", "/api/v2/moderation/ban", json!({"target_user_id": "nobody"})).await;
    witness.call("QueryUsers", "/api/v2/users", Value::Null).await;
    witness.bans(json!({"filter_conditions": null, "exclude_expired_bans": true})).await;
    let filter = json!({"$and": [{"user_id": {"$in": ["bo", "jo"]}}, {"reason": null}], "channel_cid": null,
        "banned_by_id": {"$eq": null}, "created_at": {"$gte": "2020-01-01T00:00:00Z", "$lt": 9}});
    let sort = json!([{"field": "created_at", "direction": -1}]);
    let payload =
        json!({"filter_conditions": filter, "sort": sort, "limit": 5, "offset": 1, "user": {"id": "mo"}});
    witness.bans(payload).await;
    let path = "/api/v2/moderation/unban?target_user_id=bo";
    witness.call("Unban", path, json!({"unbanned_by_id": "mo", "unbanned_by": {"id": "mo"}})).await;

    let flag = json!({"entity_type": "user", "entity_id": "bo", "user_id": "mo", "reason": "text", "custom": {"a": 1},
        "moderation_payload": {"b": [2]}, "entity_creator_id": "bo", "user": null});
    // The one reason of the example of the settings.
    witness.call("Flag", "/api/v2/moderation/flag", flag.clone()).await;
    witness.call("Flag", "/api/v2/moderation/flag", flag).await;
    let photo =
        |id: &str| json!({"entity_type": "photo", "entity_id": id, "user": {"id": "mo"}, "reason": "text"});
    witness.call("Flag", "/api/v2/moderation/flag", photo("a")).await;
    witness.call("Flag", "/api/v2/moderation/flag", photo("b")).await;
    let flags = "/api/v2/moderation/flags";
    let first = witness.call("QueryModerationFlags", flags, json!({"limit": 1})).await;
    let next = json!({"limit": 1, "next": first["next"], "prev": null});
    witness.call("QueryModerationFlags", flags, next).await;
    let filter = json!({"entity_type": {"$in": ["user"]}, "entity_id": "bo", "user_id": {"$eq": "mo"}, "reason": "text",
        "entity_creator_id": "bo", "created_at": {"$gt": 5}});
    let found = witness.call("QueryModerationFlags", flags, json!({"filter": filter, "sort": []})).await;
    assert_eq!(found["flags"].as_array().map(Vec::len), Some(1));
    let count = json!({"entity_creator_id": "bo", "entity_type": "user"});
    witness.call("GetFlagCount", "/api/v2/moderation/flag_count", count).await;
}

impl Witness {
    /// Asks for bans, holding the payload to the document.
    async fn bans(&mut self, payload: Value) {
        self.check_payload("QueryBannedUsers", &payload);
        let encoded: String = payload.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/api/v2/chat/query_banned_users?payload={encoded}");
        let answer = self.call("QueryBannedUsers", &path, Value::Null).await;
        assert!(answer["bans"].is_array(), "{payload}: {answer}");
    }
}
