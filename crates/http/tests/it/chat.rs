//! Channels, messages and reactions over the wire (v2 2.11).

use std::time::Duration;

use headwater_testkit::TestFront;
use serde_json::{Value, json};

use crate::block_lists::{send_as, told};

const NOW: i64 = 1_704_067_200_000_000_000;

const TALK: &str = "/api/v2/chat/channels/messaging/talk";

/// A front with users, of whom alice has made the channel 'talk' and shares it with bob.
async fn front_with_channel() -> TestFront {
    let front = TestFront::start().await;
    let users = json!({"users": {"alice": {}, "bob": {}, "eve": {}}});
    assert_eq!(front.call("POST", "/api/v2/users", &users).await.status, 201);
    front.clock().advance(7);
    let create = json!({"data": {"created_by_id": "alice", "custom": {"color": "blue"}, "members": ["alice",
        {"user_id": "bob", "channel_role": "channel_moderator", "custom": {"a": 1}}]}});
    assert_eq!(front.call("POST", &format!("{TALK}/query"), &create).await.status, 201);
    front
}

/// A user as it stands in other answers.
fn user(id: &str, at: i64) -> Value {
    json!({"id": id, "role": "user", "banned": false, "online": false, "language": "", "teams": [], "custom": {},
        "created_at": NOW + at, "updated_at": NOW + at, "blocked_user_ids": [], "invisible": false,
        "shadow_banned": false})
}

fn channel() -> Value {
    json!({"cid": "messaging:talk", "id": "talk", "type": "messaging", "created_by": user("alice", 0),
        "custom": {"color": "blue"}, "disabled": false, "frozen": false, "member_count": 2, "message_count": 0,
        "created_at": NOW + 7, "updated_at": NOW + 7})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_made_read_and_deleted() {
    let front = front_with_channel().await;
    let member = |id: &str, at: i64, role: &str, channel_role: &str, custom: Value| {
        json!({"user_id": id, "user": user(id, at), "channel_role": channel_role, "role": role, "banned": false,
            "shadow_banned": false, "notifications_muted": false, "custom": custom, "created_at": NOW + 7,
            "updated_at": NOW + 7})
    };
    let mut bob = member("bob", 1, "moderator", "channel_moderator", json!({"a": 1}));
    bob["is_moderator"] = json!(true);
    let alice = member("alice", 0, "owner", "channel_member", json!({}));
    let mut expected = json!({"channel": channel(), "members": [alice, bob], "messages": [], "pinned_messages": [],
        "threads": []});
    assert_eq!(told(&front.get(TALK).await), (200, expected.clone()));
    expected["membership"] = bob.clone();
    assert_eq!(told(&front.get(&format!("{TALK}?user_id=bob")).await), (200, expected.clone()));
    assert_eq!(told(&send_as(&front, "bob", "GET", TALK, &json!(null)).await), (200, expected));

    let deleted = told(&front.call("DELETE", TALK, &json!(null)).await);
    let mut expected = channel();
    expected["deleted_at"] = json!(NOW + 7);
    assert_eq!(deleted, (200, json!({"channel": expected})));
    assert_eq!(front.get(TALK).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_channel_that_is_there_waits_for_no_writer() {
    let front = front_with_channel().await;
    let (release, until) = std::sync::mpsc::channel::<()>();
    let until = std::sync::Mutex::new(until);
    let busy = front.store().write(move |_| {
        until.lock().unwrap().recv().ok();
        Ok::<(), operations::Error>(())
    });
    let asked = async {
        let (query, body) = (format!("{TALK}/query"), json!({}));
        let asked = send_as(&front, "bob", "POST", &query, &body);
        let status = tokio::time::timeout(Duration::from_secs(20), asked).await.map(|reply| reply.status);
        release.send(()).unwrap();
        status
    };
    let (written, status) = tokio::join!(busy, asked);
    assert_eq!((written.is_ok(), status), (true, Ok(200)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_sent_read_and_deleted() {
    let front = front_with_channel().await;
    let send = json!({"message": {"id": "first", "text": "hello", "user_id": "alice", "custom": {"a": 1},
        "attachments": [{"type": "image"}]}});
    let sent = front.call("POST", &format!("{TALK}/message"), &send).await;
    let mut expected = json!({"id": "first", "cid": "messaging:talk", "type": "regular", "text": "hello", "html": "",
        "user": user("alice", 0), "member": {"channel_role": "channel_member", "notifications_muted": false},
        "attachments": [{"type": "image", "custom": {}}], "custom": {"a": 1}, "latest_reactions": [],
        "own_reactions": [], "reaction_counts": {}, "reaction_scores": {}, "reaction_groups": {},
        "mentioned_users": [], "restricted_visibility": [], "mentioned_channel": false, "mentioned_here": false,
        "pinned": false, "silent": false, "reply_count": 0, "deleted_reply_count": 0, "shadowed": false,
        "created_at": NOW + 7, "updated_at": NOW + 7});
    assert_eq!(told(&sent), (201, json!({"message": expected})));
    assert_eq!(told(&front.get(TALK).await).1["messages"], json!([expected]));

    let give = json!({"reaction": {"type": "love", "score": 2, "user_id": "bob"}});
    let given = told(&front.call("POST", "/api/v2/chat/messages/first/reaction", &give).await);
    let reaction = json!({"message_id": "first", "type": "love", "score": 2, "user_id": "bob", "user": user("bob", 1),
        "custom": {}, "created_at": NOW + 7, "updated_at": NOW + 7});
    expected["latest_reactions"] = json!([reaction]);
    expected["own_reactions"] = json!([reaction]);
    expected["reaction_counts"] = json!({"love": 1});
    expected["reaction_scores"] = json!({"love": 2});
    expected["reaction_groups"] = json!({"love": {"count": 1, "sum_scores": 2, "first_reaction_at": NOW + 7,
        "last_reaction_at": NOW + 7, "latest_reactions_by": [{"user_id": "bob", "created_at": NOW + 7}]}});
    assert_eq!(given, (201, json!({"message": expected, "reaction": reaction})));
    let listed = told(&front.get("/api/v2/chat/messages/first/reactions").await);
    assert_eq!(listed, (200, json!({"reactions": [reaction]})));

    front.clock().advance(1);
    let deleted = told(&front.call("DELETE", "/api/v2/chat/messages/first", &json!(null)).await);
    expected["own_reactions"] = json!([]);
    (expected["type"], expected["deleted_at"]) = (json!("deleted"), json!(NOW + 8));
    assert_eq!(deleted, (200, json!({"message": expected})));
    let read = told(&front.get("/api/v2/chat/messages/first").await);
    assert_eq!((read.0, &read.1["message"]["type"]), (200, &json!("deleted")));
    assert_eq!(read.1["message"]["channel"]["cid"], "messaging:talk");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_is_wrong() {
    let front = front_with_channel().await;
    let message = format!("{TALK}/message");
    for (who, method, path, body, status, code, told) in [
        (
            "",
            "GET",
            "/api/v2/chat/channels/messaging/none",
            json!(null),
            404,
            16,
            "GetChannel failed with error: \"the channel 'messaging:none' does not exist\"",
        ),
        (
            "eve",
            "GET",
            TALK,
            json!(null),
            404,
            16,
            "GetChannel failed with error: \"the channel 'messaging:talk' does not exist\"",
        ),
        (
            "",
            "POST",
            TALK,
            json!({"cooldown": 5}),
            400,
            4,
            "UpdateChannel failed with error: \"cooldown: is not served yet; leave it out\"",
        ),
        (
            "alice",
            "DELETE",
            &format!("{TALK}?hard_delete=true"),
            json!(null),
            403,
            17,
            "DeleteChannel failed with error: \"hard_delete: is for server-side calls only\"",
        ),
        (
            "",
            "DELETE",
            &format!("{TALK}?hard_delete=yes"),
            json!(null),
            400,
            4,
            "DeleteChannel failed with error: \"hard_delete: must be true or false\"",
        ),
        (
            "",
            "POST",
            &message,
            json!({"message": {"text": "hi", "user_id": "ghost"}}),
            404,
            16,
            "SendMessage failed with error: \"the user ghost does not exist\"",
        ),
        (
            "",
            "POST",
            &message,
            json!({"message": {"text": "hi"}}),
            400,
            4,
            "SendMessage failed with error: \"message.user_id: is required with a server token: the user who acts\"",
        ),
        (
            "eve",
            "POST",
            &message,
            json!({"message": {"text": "hi"}}),
            404,
            16,
            "SendMessage failed with error: \"the channel 'messaging:talk' does not exist\"",
        ),
        (
            "",
            "DELETE",
            "/api/v2/chat/messages/none/reaction/a?user_id=bob",
            json!(null),
            404,
            16,
            "DeleteReaction failed with error: \"the message 'none' does not exist\"",
        ),
        (
            "",
            "POST",
            "/api/v2/chat/channels/a%ff/b/query",
            json!({}),
            400,
            4,
            "GetOrCreateChannel failed with error: \"type: must be UTF-8 without U+0000, percent-encoded\"",
        ),
        (
            "",
            "POST",
            "/api/v2/chat/channels/a/b%ff/query",
            json!({}),
            400,
            4,
            "GetOrCreateChannel failed with error: \"id: must be UTF-8 without U+0000, percent-encoded\"",
        ),
    ] {
        let reply = match (who, method) {
            ("", "GET") => front.get(path).await,
            ("", method) => front.call(method, path, &body).await,
            (who, method) => send_as(&front, who, method, path, &body).await,
        };
        assert_eq!(reply.refusal(), (status, code, told.to_owned()), "{method} {path}");
    }
}
