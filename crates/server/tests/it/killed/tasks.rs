//! A server is killed in the middle of a task, again and again: the next one goes on where the last step ended, and in the
//! end everything is as if nobody had been killed. Six tasks on each engine, or a hundred with `HEADWATER_LONG=1`.

use std::thread;
use std::time::Duration;

use headwater_testkit::client::Request;
use headwater_testkit::postgres::{self, TestDatabase};
use headwater_testkit::process::Server;
use headwater_testkit::{Engine, on_each_engine, require};
use rusqlite::OpenFlags;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::chance::Chance;
use super::on_postgres::quiet;
use crate::connection::Connection;
use crate::headwater;

/// The users of a task, each of whom is a step of it.
const USERS: usize = 100;

/// What one of the users has made: more than one step hides.
const CHANNEL: &str = "INSERT INTO channels (app, type, id, team, created_by, custom, member_count, message_count, \
         created_at, updated_at, cause) \
     SELECT app, 'messaging', 'one', '', key, '{}', 0, 0, 1, 1, 0 FROM users WHERE id = 'user-3'";
const MESSAGES: &str = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000) \
     INSERT INTO messages (app, id, channel, \"user\", type, text, attachments, custom, shadowed, created_at, updated_at, \
         cause) \
     SELECT u.app, CAST(n AS TEXT), (SELECT MIN(key) FROM channels), u.key, 'regular', '', '[]', '{}', 0, n, n, 0 \
     FROM users AS u, numbers WHERE u.id = 'user-3'";

/// How often a task is disturbed.
const KILLS: usize = 4;

/// How long a task may take in the end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a server keeps its data.
pub(super) enum Place {
    Directory(TempDir),
    Database(TestDatabase),
}

impl Place {
    pub(super) fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Directory(TempDir::new().unwrap()),
            Engine::Postgres => Self::Database(postgres::shared().unwrap().empty_database()),
        }
    }

    pub(super) fn serve(&self) -> Server {
        match self {
            Self::Directory(directory) => {
                headwater().serve(&["--data-dir", directory.path().to_str().unwrap()])
            }
            Self::Database(database) => headwater().serve(&["--database-url", &database.url_text()]),
        }
    }

    /// Runs a statement while no server runs.
    pub(super) fn execute(&self, statement: &str) {
        match self {
            Self::Directory(directory) => {
                let file = directory.path().join("headwater.db");
                rusqlite::Connection::open(file).unwrap().execute(statement, []).map(drop).unwrap();
            }
            Self::Database(database) => {
                quiet(&database.config()).execute(statement, &[]).map(drop).unwrap();
            }
        }
    }

    /// What a statement of one column of text answers while no server runs.
    pub(super) fn texts(&self, statement: &str) -> Vec<String> {
        match self {
            Self::Directory(directory) => {
                let file = directory.path().join("headwater.db");
                let database = rusqlite::Connection::open_with_flags(file, OpenFlags::default()).unwrap();
                let mut statement = database.prepare(statement).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.collect::<Result<_, _>>().unwrap()
            }
            Self::Database(database) => {
                let rows = quiet(&database.config()).query(statement, &[]).unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }
}

fn id(number: usize) -> String {
    format!("user-{number}")
}

pub(super) fn send(server: &Server, method: &str, path: &str, body: &Value) -> Value {
    let mut connection = Connection::open(server.address()).unwrap();
    let (status, answer) = connection.send(method, path, body).unwrap();
    assert!(matches!(status, 200 | 201), "{method} {path}: {status} {answer}");
    answer
}

pub(super) fn task(server: &Server, id: &str) -> Value {
    send(server, "GET", &format!("/api/v2/tasks/{id}"), &json!({}))
}

pub(super) fn until(wanted: impl Fn() -> bool) {
    const PAUSE: Duration = Duration::from_millis(1);
    for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
        if wanted() {
            return;
        }
        thread::sleep(PAUSE);
    }
    panic!("the task does not come to its end");
}

/// A server with users, one of whom has written a lot.
fn serve_users(place: &Place) -> Server {
    let server = place.serve();
    let users: Map<_, _> = (0..USERS).map(|number| (id(number), json!({}))).collect();
    send(&server, "POST", "/api/v2/users", &json!({"users": users}));
    server.kill9();
    place.execute(CHANNEL);
    place.execute(MESSAGES);
    place.serve()
}

/// Kills servers until a task was disturbed often enough. Answers the server after the last of them, and how many met a
/// task that was not over.
fn disturb(place: &Place, mut server: Server, started: &str, chance: &mut Chance) -> (Server, usize) {
    let mut interrupted = 0;
    for _ in 0..KILLS {
        // Some before the first step, most in between.
        if chance.below(4) > 0 {
            until(|| task(&server, started)["status"] != "pending");
        }
        thread::sleep(Duration::from_micros(chance.below(15_000)));
        let log = server.kill9().stderr;
        assert!(!log.iter().any(|line| line.contains("a step of a task failed")), "{log:?}");
        let unfinished = "SELECT status FROM tasks WHERE finished_at IS NULL";
        interrupted += place.texts(unfinished).len();
        server = place.serve();
    }
    (server, interrupted)
}

fn a_task_outlives_the_server(engine: Engine) {
    let place = Place::new(engine);
    let mut chance = Chance::seeded();
    let mut server = serve_users(&place);
    let ids: Vec<_> = (0..USERS).map(id).collect();
    let result: Map<_, _> = ids.iter().map(|id| (id.clone(), json!({"status": "ok"}))).collect();
    let rounds = if require::long() { 100 } else { 6 };
    let mut interrupted = 0;
    for round in 0..rounds {
        let (path, field) = match round % 2 {
            0 => ("/api/v2/users/deactivate", "mark_messages_deleted"),
            _ => ("/api/v2/users/reactivate", "restore_messages"),
        };
        let started = send(&server, "POST", path, &json!({"user_ids": ids, field: true}));
        let started = started["task_id"].as_str().unwrap();
        let met;
        (server, met) = disturb(&place, server, started, &mut chance);
        interrupted += met;
        until(|| task(&server, started)["status"] == "completed");
        assert_eq!(task(&server, started)["result"], json!(result));
        let query = "/api/v2/users?payload=%7B%22limit%22:100%7D";
        let active = send(&server, "GET", query, &json!({}))["users"].as_array().unwrap().len();
        assert_eq!(active, if round % 2 == 0 { 0 } else { USERS });
        server.kill9();
        let causes = "SELECT DISTINCT CAST(cause AS TEXT) FROM messages";
        assert_eq!(place.texts(causes), [if round % 2 == 0 { "2" } else { "0" }], "all of them");
        server = place.serve();
    }
    assert!(server.stop().status.success());
    assert!(interrupted > 0, "no task was interrupted");
    println!("{interrupted} of {} kills met a task", rounds * KILLS);
    // As after an undisturbed run: nobody was shut out or let in twice, and nothing was tried again.
    let changes = "SELECT event FROM log WHERE event IN ('user.deactivated', 'user.reactivated')";
    assert_eq!(place.texts(changes).len(), rounds * USERS);
    let remains = "SELECT DISTINCT status || work || actor || CAST(attempts AS TEXT) FROM tasks";
    assert_eq!(place.texts(remains), ["completed0"]);
}

/// Exports everybody, killing servers or not. Answers the server, the file, and how many met the task.
fn export(place: &Place, mut server: Server, disturbed: Option<&mut Chance>) -> (Server, Vec<u8>, usize) {
    let ids: Vec<_> = (0..USERS).map(id).collect();
    let started = send(&server, "POST", "/api/v2/export/users", &json!({"user_ids": ids}));
    let started = started["task_id"].as_str().unwrap();
    let mut interrupted = 0;
    if let Some(chance) = disturbed {
        (server, interrupted) = disturb(place, server, started, chance);
    }
    until(|| task(&server, started)["status"] == "completed");
    let result = task(&server, started)["result"].take();
    assert_eq!(result.get("users"), None, "nobody is missing: {result}");
    let url = result["url"].as_str().unwrap();
    let file = Request::new("GET", &url[url.find("/exports/").unwrap()..]).send(server.address());
    assert_eq!(file.status, 200);
    (server, file.body, interrupted)
}

fn an_export_outlives_the_server(engine: Engine) {
    let place = Place::new(engine);
    let mut chance = Chance::seeded();
    let (mut server, whole, _) = export(&place, serve_users(&place), None);
    assert_eq!(whole.split(|byte| *byte == b'\n').count(), USERS + 5000 + 1);
    let rounds = if require::long() { 50 } else { 3 };
    let mut interrupted = 0;
    for _ in 0..rounds {
        let (next, file, met) = export(&place, server, Some(&mut chance));
        assert!(file == whole, "the file is another one");
        (server, interrupted) = (next, interrupted + met);
    }
    assert!(server.stop().status.success());
    assert!(interrupted > 0, "no task was interrupted");
    println!("{interrupted} of {} kills met an export", rounds * KILLS);
}

on_each_engine!(plain: a_task_outlives_the_server, an_export_outlives_the_server);
