//! Of a user who was deleted for good nothing remains: not in the tables, not in the log, and not a byte in the files (semantics
//! 10.9).

use headwater_testkit::client::Request;
use headwater_testkit::{Engine, KEY, TestFront, on_each_engine};
use model::Clock;
use operations::tasks::{self, Tick};
use serde_json::{Value, json};
use storage::Sql;

/// Stands in everything that is the person's, and nowhere else.
const MARK: &str = "qzxmark";

const HOUR: i64 = 3_600_000_000_000;

async fn done(front: &TestFront, method: &str, path: &str, body: Value) -> Value {
    let reply = front.call(method, path, &body).await;
    assert!(reply.status < 300, "{method} {path}: {} {}", reply.status, String::from_utf8_lossy(&reply.body));
    reply.json()
}

/// Gives a person everything that there is, through the API.
async fn live(front: &TestFront, me: &str) {
    let long = format!("{MARK} ").repeat(500);
    let first = json!({"users": {me: {"name": format!("{MARK}first {MARK}last"), "image": format!("https://{MARK}/image"),
        "language": "en", "custom": {format!("{MARK}-key"): long, "list": [MARK]}}}});
    done(front, "POST", "/api/v2/users", first).await;
    let set = json!({"users": [{"id": me, "set": {"name": format!("{MARK}second"), "color": format!("{MARK} blue")}}]});
    done(front, "PATCH", "/api/v2/users", set).await;
    let device = json!({"id": format!("{MARK}-device"), "push_provider": "apn", "user_id": me});
    done(front, "POST", "/api/v2/devices", device).await;
    let preferences = json!({"preferences": [{"user_id": me, "chat_level": "mentions"}]});
    done(front, "POST", "/api/v2/push_preferences", preferences).await;
    for (one, other) in [(me, "bob"), ("bob", me)] {
        done(front, "POST", "/api/v2/moderation/mute", json!({"user_id": one, "target_ids": [other]})).await;
        done(front, "POST", "/api/v2/users/block", json!({"user_id": one, "blocked_user_id": other})).await;
    }
    let ban = json!({"target_user_id": "carol", "banned_by_id": me, "reason": "loud"});
    done(front, "POST", "/api/v2/moderation/ban", ban).await;
    let flag = json!({"entity_type": "photo", "entity_id": format!("{MARK}-photo"), "entity_creator_id": me, "user_id": "bob",
        "reason": format!("{MARK} reason"), "custom": {"why": MARK}, "moderation_payload": {"texts": [MARK]}});
    done(front, "POST", "/api/v2/moderation/flag", flag).await;
    let flag =
        json!({"entity_type": "user", "entity_id": me, "user_id": "bob", "reason": format!("{MARK} reason")});
    done(front, "POST", "/api/v2/moderation/flag", flag).await;
    let flag =
        json!({"entity_type": "user", "entity_id": "bob", "user_id": me, "reason": format!("{MARK} reason")});
    done(front, "POST", "/api/v2/moderation/flag", flag).await;
    let group = json!({"id": "group", "name": "Group", "member_ids": [me, "bob"]});
    done(front, "POST", "/api/v2/usergroups", group).await;
    for (path, members) in
        [("messaging/pair", json!([me, "bob"])), ("messaging/room", json!([me, "bob", "carol"]))]
    {
        let members: Vec<Value> =
            members.as_array().unwrap().iter().map(|id| json!({"user_id": id})).collect();
        let body = json!({"data": {"created_by_id": me, "members": members}});
        done(front, "POST", &format!("/api/v2/chat/channels/{path}/query"), body).await;
        let name = path.replace('/', "-");
        for (author, text) in [(me, format!("{MARK} says hello")), ("bob", "hello".to_owned())] {
            let id = if author == me { format!("{MARK}-{name}") } else { format!("bob-{name}") };
            let message = json!({"message": {"id": id, "text": text, "user_id": author,
                "attachments": if author == me { json!([{"type": "image", "image_url": format!("https://{MARK}/x")}]) } else { json!([]) }}});
            done(front, "POST", &format!("/api/v2/chat/channels/{path}/message"), message).await;
            for by in [me, "bob"] {
                let reaction = json!({"reaction": {"type": "like", "user_id": by}});
                done(front, "POST", &format!("/api/v2/chat/messages/{id}/reaction"), reaction).await;
            }
        }
    }
    done(front, "POST", &format!("/api/v2/users/{me}/deactivate"), json!({"mark_messages_deleted": true}))
        .await;
    done(front, "POST", &format!("/api/v2/users/{me}/reactivate"), json!({"restore_messages": true})).await;
    done(front, "POST", "/api/v2/users/bob/deactivate", json!({"created_by_id": me})).await;
    done(front, "POST", "/api/v2/users/bob/reactivate", json!({"created_by_id": me})).await;
    let ban = json!({"target_user_id": me, "banned_by_id": "bob", "reason": format!("{MARK} reason")});
    done(front, "POST", "/api/v2/moderation/ban", ban).await;
}

/// Exports users into a file. Answers the task, and the path of the file.
async fn export(front: &TestFront, users: &[&str]) -> (String, String) {
    let started = done(front, "POST", "/api/v2/export/users", json!({"user_ids": users})).await;
    let task = started["task_id"].as_str().unwrap().to_owned();
    front.run_tasks().await;
    let status = done(front, "GET", &format!("/api/v2/tasks/{task}"), Value::Null).await;
    let url = status["result"]["url"].as_str().unwrap();
    let place = url.find("/exports/users/").unwrap();
    (task, url[place..].to_owned())
}

fn occurrences(bytes: &[u8]) -> usize {
    bytes.windows(MARK.len()).filter(|window| *window == MARK.as_bytes()).count()
}

/// How many rows of every table hold the mark, in any column.
async fn marked_rows(front: &TestFront) -> Vec<String> {
    let engine = front.store().engine();
    let found = front.store().read(move |tx| crate::tables::rows_with(tx, engine, MARK)).await;
    found.unwrap()
}

async fn nothing_remains(engine: Engine) {
    let front = TestFront::start_on(engine).await;
    done(&front, "POST", "/api/v2/users", json!({"users": {"bob": {"name": "Bob"}, "carol": {}}})).await;
    let me = format!("{MARK}-id");
    live(&front, &me).await;
    let (task, file) = export(&front, &[&me, "bob"]).await;
    let exported = front.send(Request::new("GET", &file)).await;
    assert!(exported.status == 200 && occurrences(&exported.body) > 20, "{exported:?}");
    assert!(marked_rows(&front).await.len() > 12, "{:?}", marked_rows(&front).await);
    if engine == Engine::Sqlite {
        assert!(occurrences(&front.store().bytes()) > 100);
    }
    let body = json!({"user_ids": [me], "user": "hard", "messages": "hard", "conversations": "hard"});
    let deletion =
        done(&front, "POST", "/api/v2/users/delete", body).await["task_id"].as_str().unwrap().to_owned();
    front.run_tasks().await;
    let exported = front.send(Request::new("GET", &file)).await;
    let lines = String::from_utf8(exported.body.clone()).unwrap();
    assert!(exported.status == 200 && lines.starts_with(r#"{"type":"user","data":{"id":"bob""#), "{lines}");
    assert_eq!(occurrences(&exported.body), 3, "bob has blocked somebody and answered two messages: {lines}");
    let status = done(&front, "GET", &format!("/api/v2/tasks/{deletion}"), Value::Null).await;
    assert_eq!((&status["status"], &status["result"][&me]["status"]), (&json!("completed"), &json!("ok")));
    front.store().sweep().await;
    // What came of it is known for a day, and so is what bob had to do with the user when he was exported.
    let places = ["tasks", "export_chunks"];
    let marked = marked_rows(&front).await;
    assert!(marked.iter().all(|row| places.iter().any(|place| row.starts_with(place))), "{marked:?}");
    assert!(!front.store().scrub().await, "that would come too early");
    front.clock().advance(25 * HOUR);
    front.store().sweep().await;
    assert_eq!(marked_rows(&front).await, [""; 0]);
    assert_eq!(front.send(Request::new("GET", &file)).await.status, 404);
    let status = done(&front, "GET", &format!("/api/v2/tasks/{task}"), Value::Null).await;
    assert_eq!((&status["status"], status.get("result")), (&json!("completed"), None));
    assert!(front.store().scrub().await);
    if engine == Engine::Sqlite {
        assert_eq!(occurrences(&front.store().bytes()), 0);
    }
    // Everybody else is as before.
    let found = done(&front, "GET", &format!("/api/v2/users?api_key={KEY}"), Value::Null).await;
    assert_eq!(found["users"].as_array().unwrap().len(), 2);
    let message = done(&front, "GET", "/api/v2/chat/messages/bob-messaging-room", Value::Null).await;
    assert_eq!(message["message"]["text"], "hello");
}

async fn delete(front: &TestFront, ids: &[&str]) {
    let body = json!({"user_ids": ids, "user": "hard", "messages": "hard", "conversations": "hard"});
    done(front, "POST", "/api/v2/users/delete", body).await;
}

async fn sql(front: &TestFront, text: &'static str) {
    let done = front.store().write(move |tx| tx.execute(Sql::new(text), &[]));
    let done: Result<usize, storage::Error> = done.await;
    done.unwrap();
}

/// Lets a day and an hour go by, and does what a server does by itself. Answers whether there was something to wipe.
async fn a_day_later(front: &TestFront) -> bool {
    front.store().sweep().await;
    front.clock().advance(25 * HOUR);
    front.store().sweep().await;
    front.store().scrub().await
}

async fn an_id_that_is_given_again_is_forgotten_again(engine: Engine) {
    let front = TestFront::start_on(engine).await;
    let me = format!("{MARK}-id");
    done(&front, "POST", "/api/v2/users", json!({"users": {&me: {}}})).await;
    delete(&front, &[&me]).await;
    front.run_tasks().await;
    assert!(a_day_later(&front).await);
    for _ in 0..2 {
        assert_eq!((marked_rows(&front).await.len(), occurrences(&front.store().bytes())), (0, 0));
        assert!(!a_day_later(&front).await, "nothing is to be wiped");
        // There is no such user, so that nobody remembers to forget it.
        delete(&front, &[&me]).await;
        front.run_tasks().await;
        assert!(marked_rows(&front).await.len() == 1 && a_day_later(&front).await);
    }
}

async fn a_task_that_names_who_was_forgotten_is_forgotten_too(engine: Engine) {
    let front = TestFront::start_on(engine).await;
    let me = format!("{MARK}-id");
    done(&front, "POST", "/api/v2/users", json!({"users": {&me: {}, "zoe": {}}})).await;
    let channel = json!({"data": {"created_by_id": "zoe"}});
    done(&front, "POST", "/api/v2/chat/channels/messaging/room/query", channel).await;
    sql(
        &front,
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1200) \
         INSERT INTO messages (app, id, channel, \"user\", type, text, attachments, custom, shadowed, created_at, \
             updated_at, cause) \
         SELECT u.app, CAST(n AS TEXT), (SELECT key FROM channels), u.key, 'regular', 'x', '[]', '{}', 0, 1, 1, 0 \
         FROM users AS u, numbers WHERE u.id = 'zoe'",
    )
    .await;
    // The task has gone through one user, and then waits for long; another one sees to the second user.
    delete(&front, &[&me, "zoe"]).await;
    while marked_rows(&front).await.iter().any(|row| row.starts_with("users")) {
        let tick = Tick { now: front.clock().now(), seed: 1 };
        front.store().write_in_background(move |tx| tasks::step(tx, tick, |_| ())).await.unwrap();
    }
    let left = front.store().read(|tx| {
        tx.query(
            Sql::new("SELECT COUNT(*), (SELECT COUNT(*) FROM tasks WHERE finished_at IS NULL) FROM messages"),
            &[],
            |row| Ok((row.integer(0)?, row.integer(1)?)),
        )
    });
    let left: Result<Vec<(i64, i64)>, storage::Error> = left.await;
    assert!(matches!(left.unwrap()[..], [(messages, 1)] if messages > 0), "it is not through with zoe");
    sql(&front, "UPDATE tasks SET run_at = 9000000000000000000").await;
    delete(&front, &["zoe"]).await;
    front.run_tasks().await;
    assert!(a_day_later(&front).await);
    assert_eq!(marked_rows(&front).await.len(), 1, "the task names who is gone");
    sql(&front, "UPDATE tasks SET run_at = 1 WHERE finished_at IS NULL").await;
    front.run_tasks().await;
    assert!(a_day_later(&front).await);
    assert_eq!((marked_rows(&front).await.len(), occurrences(&front.store().bytes())), (0, 0));
}

on_each_engine!(
    nothing_remains,
    an_id_that_is_given_again_is_forgotten_again,
    a_task_that_names_who_was_forgotten_is_forgotten_too,
);
