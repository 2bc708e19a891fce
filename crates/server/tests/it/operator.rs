//! `headwater app` and `headwater user` beside a running server, and without one.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use headwater_testkit::postgres::{self, TestDatabase};
use headwater_testkit::process::{Ended, Server};
use headwater_testkit::{Engine, KEY, SECRET, on_each_engine, server_token};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::connection::Connection;
use crate::{ask, ask_with_token, headwater};

struct Fixture {
    directory: TempDir,
    /// Where the data is instead.
    database: Option<TestDatabase>,
}

impl Fixture {
    fn new() -> Self {
        Self::on(Engine::Sqlite)
    }

    fn on(engine: Engine) -> Self {
        let database = (engine == Engine::Postgres).then(|| postgres::shared().unwrap().empty_database());
        Self { directory: TempDir::new().unwrap(), database }
    }

    /// Where the data is, as a setting.
    fn place(&self) -> String {
        match &self.database {
            None => format!("--data-dir={}", self.path()),
            Some(database) => format!("--database-url={}", database.url_text()),
        }
    }

    fn path(&self) -> &str {
        self.directory.path().to_str().unwrap()
    }

    fn serve(&self) -> Server {
        headwater().serve(&[&self.place()])
    }

    fn app(&self, arguments: &[&str]) -> Ended {
        headwater().run(&[&["app", &self.place()], arguments].concat())
    }

    /// Runs a verb that succeeds. Answers what it printed.
    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let ended = self.app(arguments);
        assert!(ended.status.success(), "{ended:?}");
        ended.stdout.join("\n")
    }

    /// Runs a verb that is refused.
    #[track_caller]
    fn refused(&self, arguments: &[&str], error: &str, hint: &str) {
        let ended = self.app(arguments);
        assert_eq!(ended.stderr, [format!("error: {error}"), format!("hint: {hint}")]);
        assert_eq!(ended.status.code(), Some(1));
    }
}

/// The secret in what a verb printed.
fn secret_in(printed: &str) -> String {
    let line = printed.lines().find_map(|line| line.strip_prefix("API secret: "));
    line.unwrap_or_else(|| panic!("no secret in {printed}")).to_owned()
}

fn both_secrets_are_valid_during_a_rotation(engine: Engine) {
    let fixture = Fixture::on(engine);
    let server = fixture.serve();
    let status = |secret: &str| ask(&server, KEY, secret);
    assert_eq!(status(SECRET), 200);

    let new = secret_in(&fixture.done(&["rotate", KEY]));
    assert_eq!((status(SECRET), status(&new)), (200, 200));
    assert!(fixture.done(&["list"]).contains("rotating"));
    fixture.refused(
        &["rotate", KEY],
        "a rotation of the app test-key is under way: its previous secret is still valid",
        "when nobody uses the previous secret, run `headwater app rotate test-key --finish` first",
    );

    fixture.done(&["rotate", KEY, "--finish"]);
    assert_eq!((status(SECRET), status(&new)), (401, 200));
    fixture.refused(
        &["rotate", KEY, "--finish"],
        "no rotation of the app test-key is under way",
        "`headwater app rotate test-key` begins one",
    );
    assert!(!server.log().concat().contains(&new), "a secret is in the log");
}

fn a_suspended_app_answers_nobody_at_once(engine: Engine) {
    let fixture = Fixture::on(engine);
    let server = fixture.serve();
    assert_eq!(ask(&server, KEY, SECRET), 200);

    fixture.done(&["suspend", KEY, "--explanation", "unpaid bills"]);
    let (status, code, message) = ask_with_token(&server, KEY, &server_token(SECRET)).refusal();
    assert_eq!((status, code), (403, 99));
    assert!(message.contains("unpaid bills"), "{message}");
    assert!(fixture.done(&["list"]).contains("suspended"));

    fixture.done(&["suspend", KEY, "--lift"]);
    assert_eq!(ask(&server, KEY, SECRET), 200);
}

fn apps_are_created_beside_a_running_server(engine: Engine) {
    let fixture = Fixture::on(engine);
    let server = fixture.serve();
    let printed = fixture.done(&["create", "--name", "The second"]);
    let api_key = printed.lines().find_map(|line| line.strip_prefix("API key:    ")).unwrap();
    assert_eq!(ask(&server, api_key, &secret_in(&printed)), 200);

    fixture.done(&["create", "third:its-secret"]);
    assert_eq!(ask(&server, "third", "its-secret"), 200);
    let again = fixture.done(&["create", "third:its-secret"]);
    assert_eq!(again, "The app third exists already with this secret.");
    fixture.refused(
        &["create", "third:other"],
        "the app third exists and has another secret",
        "use another key, or give this app a new secret: `headwater app rotate third`",
    );
    fixture.refused(
        &["create", "nocolon"],
        "the argument: an app is written KEY:SECRET",
        "KEY has letters, digits, '_' and '-'; SECRET has visible ASCII characters",
    );

    let list = fixture.done(&["list"]);
    let keys: Vec<&str> = list.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(keys, ["KEY", KEY, api_key, "third"]);
    assert!(list.contains("The second") && !list.contains("its-secret"), "{list}");
}

/// An id that was deleted for good is free once the operator says so, for the very next request, and not before (semantics 10.17).
fn an_id_is_freed_beside_a_running_server(engine: Engine) {
    let fixture = Fixture::on(engine);
    let server = fixture.serve();
    let mut client = Connection::open(server.address()).unwrap();
    let mut ask = |method: &str, path: &str, body: Value| client.send(method, path, &body).unwrap();
    let user = json!({"users": {"alice": {"id": "alice"}}});
    assert_eq!(ask("POST", "/api/v2/users", user.clone()).0, 201);
    let purge = || {
        let ended = headwater().run(&["user", &fixture.place(), "purge-tombstone", "alice"]);
        assert!(ended.status.success(), "{ended:?}");
        ended.stdout.join("\n")
    };
    let nobody = format!("Nobody with the id alice was deleted for good in the app {KEY}.");
    assert_eq!(purge(), nobody);

    let gone = json!({"user_ids": ["alice"], "user": "hard", "messages": "hard", "conversations": "hard"});
    let (_, started) = ask("POST", "/api/v2/users/delete", gone);
    let task = format!("/api/v2/tasks/{}", started["task_id"].as_str().unwrap());
    // Half a minute; it takes milliseconds.
    let is_over = || ask("GET", &task, json!({})).1["status"] == "completed";
    let waits = std::iter::repeat_with(is_over).take(1500);
    let over = waits.inspect(|_| std::thread::sleep(Duration::from_millis(20))).any(|over| over);
    assert!(over, "the deletion does not end");
    let (status, refused) = ask("POST", "/api/v2/users", user.clone());
    assert_eq!((status, refused["code"].as_i64()), (404, Some(16)), "{refused}");

    assert_eq!(purge(), format!("The id alice can be given again in the app {KEY}."));
    assert_eq!(ask("POST", "/api/v2/users", user).0, 201);
    assert_eq!(purge(), nobody);
}

#[test]
fn verbs_work_without_a_server() {
    let fixture = Fixture::new();
    fixture.done(&["create", "key:secret"]);
    let new = secret_in(&fixture.done(&["rotate", "key"]));
    let no_app = "there is no app with the key other";
    fixture.refused(&["suspend", "other"], no_app, "`headwater app list` shows the keys of all apps");
    let server = fixture.serve();
    assert_eq!(ask(&server, "key", "secret"), 200);
    assert_eq!(ask(&server, "key", &new), 200);
}

#[test]
fn only_creating_an_app_makes_a_data_directory() {
    let fixture = Fixture::new();
    let missing = fixture.directory.path().join("missing");
    for verb in [vec!["list"], vec!["rotate", "key"], vec!["suspend", "key"]] {
        let ended = headwater().run(&[vec!["app", "--data-dir", missing.to_str().unwrap()], verb].concat());
        let hint = "hint: start the server once, or name its data directory with --data-dir";
        assert_eq!((ended.status.code(), ended.stderr[1].as_str()), (Some(1), hint));
    }
    assert!(!missing.exists());
}

#[test]
fn the_socket_of_a_killed_server_is_no_obstacle() {
    let fixture = Fixture::new();
    let server = fixture.serve();
    let socket = fixture.directory.path().join("headwater.sock");
    assert!(socket.exists());
    drop(server.kill9());
    assert!(socket.exists());
    fixture.done(&["create", "key:secret"]);

    let server = fixture.serve();
    fixture.done(&["create", "key:secret"]);
    assert_eq!(ask(&server, "key", "secret"), 200);
    assert!(server.stop().status.success());
    assert!(!socket.exists());
}

#[test]
fn a_deep_directory_has_a_socket_too() {
    let fixture = Fixture::new();
    let deep = fixture.directory.path().join("d".repeat(120)).join("e".repeat(120));
    let deep = deep.to_str().unwrap();
    let server = headwater().serve(&["--data-dir", deep]);
    assert!(headwater().run(&["app", "--data-dir", deep, "create", "key:secret"]).status.success());
    assert_eq!(ask(&server, "key", "secret"), 200);
}

#[test]
fn what_is_no_request_is_refused_and_forgotten() {
    let fixture = Fixture::new();
    let server = fixture.serve();
    let socket = fixture.directory.path().join("headwater.sock");
    let long = "x".repeat(1 << 20);
    for line in ["", "{}", "nonsense", r#"{"create":{"api_key":"a"}}"#, r#"{"resume":{"api_key":7}}"#, &long]
    {
        let mut stream = UnixStream::connect(&socket).unwrap();
        // The server may answer, and close, before it has read what is too long.
        let _ = stream.write_all(format!("{line}\n").as_bytes());
        let mut answer = String::new();
        let _ = BufReader::new(stream).read_line(&mut answer);
        assert!(answer.is_empty() || answer.contains("does not understand"), "{answer}");
    }
    fixture.done(&["create", "key:secret"]);
    assert_eq!(ask(&server, "key", "secret"), 200);
}

on_each_engine!(plain:
    both_secrets_are_valid_during_a_rotation,
    a_suspended_app_answers_nobody_at_once,
    apps_are_created_beside_a_running_server,
    an_id_is_freed_beside_a_running_server,
);
