//! Channels, messages and reactions.

use serde_json::{Value, json};

use super::Witness;

const TALK: &str = "/api/v2/chat/channels/messaging/talk";
const FIRST: &str = "/api/v2/chat/messages/first";

pub(super) async fn chat(witness: &mut Witness) {
    channels(witness).await;
    messages(witness).await;
    reactions(witness).await;
    let kept = witness.call("DeleteMessage", &format!("{FIRST}?deleted_by=bob"), Value::Null).await;
    assert_eq!(kept["message"]["type"], "deleted");
    witness.call("GetMessage", &format!("{FIRST}?show_deleted_message=true"), Value::Null).await;
    witness.call("DeleteMessage", &format!("{FIRST}?hard=true"), Value::Null).await;
    witness.call("DeleteMessage", FIRST, Value::Null).await;
    witness.call("DeleteChannel", TALK, Value::Null).await;
    witness.call("DeleteChannel", &format!("{TALK}?hard_delete=true"), Value::Null).await;
    witness.call("DeleteChannel", TALK, Value::Null).await;
}

async fn channels(witness: &mut Witness) {
    let data = json!({"created_by": {"id": "alice"}, "team": "red", "custom": {"color": "blue"},
        "members": ["alice", {"user_id": "bob", "channel_role": "channel_moderator", "custom": {"a": 1}}]});
    let page = json!({"limit": 10, "offset": 0});
    let body = json!({"data": data, "members": page, "messages": {"limit": 5}, "state": true});
    witness.call("GetOrCreateChannel", &format!("{TALK}/query"), body.clone()).await;
    witness.call("GetOrCreateChannel", &format!("{TALK}/query"), body).await;
    witness.call("GetOrCreateChannel", "/api/v2/chat/channels/messaging/other/query", json!({})).await;
    let shared = json!({"data": {"created_by_id": "alice", "members": ["alice", "bob"], "team": null}});
    witness.call("GetOrCreateDistinctChannel", "/api/v2/chat/channels/messaging/query", shared).await;
    witness.call("GetOrCreateDistinctChannel", "/api/v2/chat/channels/messaging/query", json!({})).await;
    witness.call("GetChannel", &format!("{TALK}?user_id=bob&members_limit=1"), Value::Null).await;
    witness.call("GetChannel", "/api/v2/chat/channels/messaging/nothing", Value::Null).await;
    let members =
        json!({"add_members": ["alice", {"user": {"id": "bob"}}], "user_id": "alice", "skip_push": true});
    witness.call("UpdateChannel", TALK, members).await;
    witness.call("UpdateChannel", TALK, json!({"remove_members": ["nobody"], "add_members": null})).await;
    witness.call("UpdateChannel", TALK, json!({})).await;
}

async fn messages(witness: &mut Witness) {
    let message = json!({"id": "first", "text": "hello", "user_id": "alice", "custom": {"a": [1]},
        "attachments": [{"type": "image", "image_url": "https://example.com/a.png"}, {"custom": {"a": 1}}]});
    let send = json!({"message": message, "skip_push": true});
    witness.call("SendMessage", &format!("{TALK}/message"), send.clone()).await;
    witness.call("SendMessage", &format!("{TALK}/message"), send).await;
    let system = json!({"message": {"text": "welcome", "type": "system", "user": {"id": "bob"}}});
    witness.call("SendMessage", &format!("{TALK}/message"), system).await;
    witness.call("GetMessage", "/api/v2/chat/messages/nothing", Value::Null).await;
}

async fn reactions(witness: &mut Witness) {
    let love = json!({"reaction": {"type": "love", "score": 2, "custom": {"a": 1}, "user_id": "bob"}});
    witness.call("SendReaction", &format!("{FIRST}/reaction"), love).await;
    let wow = json!({"reaction": {"type": "wow", "user": {"id": "alice"}}, "enforce_unique": true});
    witness.call("SendReaction", &format!("{FIRST}/reaction"), wow).await;
    witness.call("SendReaction", &format!("{FIRST}/reaction"), json!({"reaction": {"type": ""}})).await;
    witness.call("GetReactions", &format!("{FIRST}/reactions?limit=5"), Value::Null).await;
    witness.call("GetReactions", &format!("{FIRST}/reactions?limit=500"), Value::Null).await;
    witness.call("GetMessage", FIRST, Value::Null).await;
    witness.call("GetChannel", TALK, Value::Null).await;
    witness.call("DeleteReaction", &format!("{FIRST}/reaction/wow?user_id=alice"), Value::Null).await;
    witness.call("DeleteReaction", &format!("{FIRST}/reaction/wow?user_id=alice"), Value::Null).await;
}
