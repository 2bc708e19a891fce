//! Blocks, mutes, devices and push preferences are as the document describes them.

use serde_json::{Value, json};

use super::Witness;

/// Called when alice, who has a value of everything, and bob are there.
pub(super) async fn social(witness: &mut Witness) {
    let block = json!({"blocked_user_id": "bob", "user_id": "alice", "user": {"id": "alice", "name": "no"}});
    witness.call("BlockUsers", "/api/v2/users/block", block.clone()).await;
    witness.call("BlockUsers", "/api/v2/users/block", block.clone()).await;
    witness.call("BlockUsers", "/api/v2/users/block", json!({"blocked_user_id": 7})).await;
    witness.call("GetBlockedUsers", "/api/v2/users/block?user_id=alice", Value::Null).await;
    witness.call("UnblockUsers", "/api/v2/users/unblock", block).await;

    devices(witness).await;
    preferences(witness).await;

    let mute = json!({"target_ids": ["bob", "nobody"], "user": {"id": "alice"}, "timeout": 60});
    witness.call("Mute", "/api/v2/moderation/mute", mute.clone()).await;
    witness.call("Mute", "/api/v2/moderation/mute", mute).await;
    witness.call("Mute", "/api/v2/moderation/mute", json!({"target_id": "alice", "user_id": "bob"})).await;
    witness.query(json!({"filter_conditions": {"id": "alice"}})).await;
    let unmute = json!({"target_ids": ["bob", "nobody"], "user_id": "alice", "target_id": null});
    witness.call("Unmute", "/api/v2/moderation/unmute", unmute).await;
}

async fn devices(witness: &mut Witness) {
    let device = json!({"id": "token", "push_provider": "apn", "push_provider_name": "main", "hardware_id": "phone",
        "voip_token": true, "user_id": "alice"});
    witness.call("CreateDevice", "/api/v2/devices", device.clone()).await;
    witness.call("CreateDevice", "/api/v2/devices", device).await;
    witness.call("CreateDevice", "/api/v2/devices", json!({"id": "token", "push_provider": "mail"})).await;
    witness.call("ListDevices", "/api/v2/devices?user_id=alice", Value::Null).await;
    witness.call("DeleteDevice", "/api/v2/devices?id=other&user_id=alice", Value::Null).await;
    witness.call("DeleteDevice", "/api/v2/devices?id=token&user_id=alice", Value::Null).await;
}

async fn preferences(witness: &mut Witness) {
    let chat = json!({"channel_mentions": "all", "default_preference": "none", "direct_mentions": "all",
        "group_mentions": "none", "here_mentions": "all", "role_mentions": "none", "thread_replies": "all"});
    let feeds = json!({"comment": "all", "comment_mention": "none", "comment_reaction": "all", "comment_reply": "none",
        "follow": "all", "mention": "none", "reaction": "all", "custom_activity_types": {"sale": "none"}});
    let everything = json!({"user_id": "alice", "chat_level": "direct_mentions", "call_level": "none",
        "feeds_level": "all", "disabled_until": "2250-01-01T00:00:00Z", "remove_disable": false,
        "chat_preferences": chat, "feeds_preferences": feeds, "channel_cid": null});
    let bob = json!({"user_id": "bob", "chat_level": "default", "remove_disable": true});
    let path = "/api/v2/push_preferences";
    let both = json!({"preferences": [everything, bob]});
    witness.call("UpdatePushNotificationPreferences", path, both).await;
    let channel = json!({"preferences": [{"user_id": "alice", "channel_cid": "messaging:general"}]});
    witness.call("UpdatePushNotificationPreferences", path, channel).await;
}
