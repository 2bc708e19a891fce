//! A server is killed in the middle of deleting somebody for good who has written much, several times: the next one goes on, and
//! in the end there is what an undisturbed deletion leaves.

use std::thread;
use std::time::Duration;

use headwater_testkit::{Engine, on_each_engine};
use serde_json::json;

use super::chance::Chance;
use super::tasks::{Place, send, task, until};

/// How often the server is killed, if the deletion lasts that long.
const KILLS: usize = 4;

/// What alice and bob have made: a conversation, a group of three that is hers, messages of both in each, answers of each to the other.
const CHANNELS: &str = "INSERT INTO channels (app, type, id, team, created_by, custom, member_count, message_count, \
         created_at, updated_at, cause) \
     SELECT app, 'messaging', 'pair', '', key, '{}', 2, 4400, 1, 1, 0 FROM users WHERE id = 'bob' UNION ALL \
     SELECT app, 'messaging', 'group', '', key, '{}', 3, 8800, 1, 1, 0 FROM users WHERE id = 'alice'";
const MEMBERS: &str = "INSERT INTO channel_members (channel, \"user\", role, custom, created_at, updated_at) \
     SELECT c.key, u.key, 'channel_member', '{}', 1, 1 FROM channels AS c, users AS u \
     WHERE c.id = 'group' OR u.id IN ('alice', 'bob')";
const MESSAGES: &str = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 8000) \
     INSERT INTO messages (app, id, channel, \"user\", type, text, attachments, custom, shadowed, created_at, updated_at, \
         cause) \
     SELECT c.app, c.id || '-' || u.id || '-' || CAST(n AS TEXT), c.key, u.key, 'regular', 'hello', '[]', '{}', 0, n, n, 0 \
     FROM numbers, channels AS c, users AS u \
     WHERE (u.id = 'alice' OR (u.id = 'bob' AND n <= CASE c.id WHEN 'pair' THEN 400 ELSE 800 END)) \
         AND (c.id = 'group' OR n <= 4000)";
const REACTIONS: &str = "INSERT INTO reactions (message, \"user\", type, score, custom, created_at, updated_at) \
     SELECT m.key, u.key, 'like', 1, '{}', 1, 1 FROM messages AS m, users AS u \
     WHERE u.id IN ('alice', 'bob') AND m.created_at <= 1000 AND m.\"user\" <> u.key";

/// What there is of everything in the end. The hash of a tombstone, and the owner that is made of it, differ from app to app.
const REMAINS: &[&str] = &[
    "SELECT id FROM users ORDER BY id",
    "SELECT m.id || ' ' || m.text || ' ' || CAST(m.cause AS TEXT) FROM messages AS m ORDER BY m.id",
    "SELECT m.id || ' ' || u.id FROM reactions AS r JOIN messages AS m ON m.key = r.message \
         LEFT JOIN users AS u ON u.key = r.\"user\" ORDER BY 1",
    "SELECT c.id || ' ' || CAST(member_count AS TEXT) || ' ' || CAST(message_count AS TEXT) || ' ' \
         || CASE WHEN created_by IS NULL THEN '-' ELSE 'owned' END || ' ' || SUBSTR(COALESCE(owner, '-'), 1, 12) || ' ' || CAST(cause AS TEXT) \
         FROM channels AS c ORDER BY 1",
    "SELECT c.id || ' ' || u.id FROM channel_members AS m JOIN channels AS c ON c.key = m.channel \
         LEFT JOIN users AS u ON u.key = m.\"user\" ORDER BY 1",
    "SELECT CAST(COUNT(*) AS TEXT) FROM tombstones",
    "SELECT id FROM devices ORDER BY 1",
    "SELECT event FROM log ORDER BY sequence",
    "SELECT kind || ' ' || status || ' ' || work || ' ' || actor || ' ' || CAST(attempts AS TEXT) || ' ' || result FROM tasks",
];

/// What is left when alice is deleted, and how many kills met the task.
fn remains(engine: Engine, chance: Option<&mut Chance>) -> (Vec<Vec<String>>, usize) {
    let place = Place::new(engine);
    let mut server = place.serve();
    for id in ["alice", "bob", "carol"] {
        send(&server, "POST", "/api/v2/users", &json!({"users": {id: {"name": id}}}));
        let device = json!({"id": format!("device-{id}"), "push_provider": "apn", "user_id": id});
        send(&server, "POST", "/api/v2/devices", &device);
    }
    server.kill9();
    for statement in [CHANNELS, MEMBERS, MESSAGES, REACTIONS] {
        place.execute(statement);
    }
    server = place.serve();
    let body = json!({"user_ids": ["alice"], "user": "hard", "messages": "hard", "conversations": "hard"});
    let started = send(&server, "POST", "/api/v2/users/delete", &body);
    let started = started["task_id"].as_str().unwrap();
    let mut interrupted = 0;
    if let Some(chance) = chance {
        for _ in 0..KILLS {
            until(|| task(&server, started)["status"] != "pending");
            thread::sleep(Duration::from_micros(chance.below(40_000)));
            let log = server.kill9().stderr;
            assert!(!log.iter().any(|line| line.contains("a step of a task failed")), "{log:?}");
            interrupted += place.texts("SELECT status FROM tasks WHERE finished_at IS NULL").len();
            server = place.serve();
        }
    }
    until(|| task(&server, started)["status"] == "completed");
    assert_eq!(task(&server, started)["result"], json!({"alice": {"status": "ok"}}));
    server.kill9();
    (REMAINS.iter().map(|statement| place.texts(statement)).collect(), interrupted)
}

fn a_deletion_outlives_the_server(engine: Engine) {
    let (undisturbed, _) = remains(engine, None);
    assert_eq!(undisturbed[0], ["bob", "carol"]);
    assert_eq!((undisturbed[1].len(), undisturbed[2].len()), (800, 0));
    let mut chance = Chance::seeded();
    let (disturbed, interrupted) = remains(engine, Some(&mut chance));
    println!("{interrupted} of {KILLS} kills met the task");
    assert!(interrupted > 0, "the task was not interrupted");
    for (statement, (found, expected)) in REMAINS.iter().zip(disturbed.iter().zip(&undisturbed)) {
        assert!(found == expected, "{statement}: {} rows, undisturbed {}", found.len(), expected.len());
    }
}

on_each_engine!(plain: a_deletion_outlives_the_server);
