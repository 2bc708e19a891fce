//! `headwater backup` and `headwater restore`: beside a server under load, without one, and what they refuse.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use headwater_testkit::client::{Reply, Request};
use headwater_testkit::process::{Ended, Server, run, without_settings};
use headwater_testkit::{KEY, SECRET, require, server_token};
use rusqlite::Connection;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::headwater;

struct Fixture(TempDir);

impl Fixture {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A path in the directory of the test.
    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn serve(&self, data: &str) -> Server {
        headwater().serve(&["--data-dir", &self.path(data)])
    }

    fn run(&self, verb: &str, data: &str, file: &str) -> Ended {
        headwater().run(&[verb, "--data-dir", &self.path(data), &self.path(file)])
    }

    /// Runs a verb that succeeds. Answers what it printed.
    #[track_caller]
    fn done(&self, verb: &str, data: &str, file: &str) -> String {
        let ended = self.run(verb, data, file);
        assert!(ended.status.success(), "{ended:?}");
        ended.stdout.join("\n")
    }

    /// Runs a verb that is refused. `FIXTURE` in `error` is the directory of the test.
    #[track_caller]
    fn refused(&self, verb: &str, data: &str, file: &str, error: &str, hint: &str) {
        let error = error.replace("FIXTURE", self.0.path().to_str().unwrap());
        let ended = self.run(verb, data, file);
        assert_eq!(ended.stderr, [format!("error: {error}"), format!("hint: {hint}")]);
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(1), 0));
    }

    /// Makes a data directory with an app.
    fn create(&self, data: &str) -> PathBuf {
        let created = headwater().run(&["app", "--data-dir", &self.path(data), "create", "key:secret"]);
        assert!(created.status.success(), "{created:?}");
        self.0.path().join(data).join("headwater.db")
    }
}

fn send(server: &Server, method: &str, path: &str, body: Option<Value>) -> Reply {
    let separator = if path.contains('?') { '&' } else { '?' };
    let request = Request::new(method, &format!("{path}{separator}api_key={KEY}"))
        .header("Authorization", &server_token(SECRET))
        .header("Stream-Auth-Type", "jwt")
        .header("Content-Type", "application/json");
    match body {
        Some(body) => request.body(body.to_string()),
        None => request,
    }
    .send(server.address())
}

/// Twenty new users.
fn batch(client: usize, number: usize) -> Vec<String> {
    (0..20).map(|user| format!("user-{client}-{number}-{user}")).collect()
}

/// Upserts one batch after another until `rest`, and notes those that were acknowledged.
fn upsert(server: &Server, client: usize, acknowledged: &Mutex<Vec<Vec<String>>>, rest: &AtomicBool) {
    for number in 0.. {
        if rest.load(Ordering::Relaxed) {
            return;
        }
        let batch = batch(client, number);
        let users: Map<String, Value> = batch
            .iter()
            .map(|id| (id.clone(), json!({"id": id, "name": "Name of a user", "n": number})))
            .collect();
        let reply = send(server, "POST", "/api/v2/users", Some(json!({ "users": users })));
        assert_eq!(reply.status, 201);
        acknowledged.lock().unwrap().push(batch);
    }
}

/// How many of these users a server has.
fn found(server: &Server, ids: &[String]) -> usize {
    let payload = json!({"filter_conditions": {"id": {"$in": ids}}, "limit": 100}).to_string();
    let encoded: String = payload.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let reply = send(server, "GET", &format!("/api/v2/users?payload={encoded}"), None);
    reply.json()["users"].as_array().unwrap().len()
}

#[test]
fn a_backup_under_load_is_restored_and_served() {
    let fixture = Fixture::new();
    let server = fixture.serve("data");
    let (acknowledged, rest) = (Mutex::default(), AtomicBool::default());
    let before = thread::scope(|scope| {
        for client in 0..4 {
            let (server, acknowledged, rest) = (&server, &acknowledged, &rest);
            scope.spawn(move || upsert(server, client, acknowledged, rest));
        }
        let count = || acknowledged.lock().unwrap().len();
        while count() < 20 {
            thread::sleep(Duration::from_millis(5));
        }
        let before = count();
        let printed = fixture.done("backup", "data", "backup.db");
        rest.store(true, Ordering::Relaxed);
        let length = fs::metadata(fixture.path("backup.db")).unwrap().len();
        assert_eq!(printed, format!("{length} bytes are backed up in {}.", fixture.path("backup.db")));
        before
    });
    server.wait_for_log(|line| line.contains("a backup is written")).unwrap();
    assert!(server.stop().status.success());

    let printed = fixture.done("restore", "restored", "backup.db");
    let restored = fixture.path("restored");
    assert!(printed.ends_with(&format!("headwater serve --data-dir {restored}")), "{printed}");
    let server = fixture.serve("restored");
    for batch in &acknowledged.into_inner().unwrap()[..before] {
        assert_eq!(found(&server, batch), batch.len(), "{batch:?}");
    }
    assert_eq!(
        send(&server, "POST", "/api/v2/users", Some(json!({"users": {"a": {"id": "a"}}}))).status,
        201
    );
}

#[test]
fn what_a_killed_server_left_is_backed_up() {
    let fixture = Fixture::new();
    let server = fixture.serve("data");
    let users = json!({"users": {"alice": {"id": "alice"}}});
    assert_eq!(send(&server, "POST", "/api/v2/users", Some(users)).status, 201);
    drop(server.kill9());
    let companion = "FIXTURE/data/headwater.db is the database of a server and perhaps not whole, see FIXTURE/data/headwater.db-wal";
    let error = companion.replace("FIXTURE", fixture.0.path().to_str().unwrap());
    let hint = "copy that database with `headwater backup`, and restore the copy";
    fixture.refused("restore", "restored", "data/headwater.db", &error, hint);

    fixture.done("backup", "data", "backup.db");
    fixture.done("restore", "restored", "backup.db");
    let server = fixture.serve("restored");
    assert_eq!(found(&server, &["alice".to_owned()]), 1);
}

#[test]
fn a_relative_name_is_where_the_operator_is() {
    let fixture = Fixture::new();
    let _server = fixture.serve("data");
    let mut command = headwater().command(&["backup", "--data-dir", "data", "backup.db"]);
    let ended = run(command.current_dir(fixture.0.path()));
    assert!(ended.status.success(), "{ended:?}");
    assert!(Path::new(&fixture.path("backup.db")).exists());
}

#[test]
fn backup_refuses() {
    const MISSING: &str = "start the server once, or name its data directory with --data-dir";
    const OTHER_NAME: &str = "choose another name, or move that file away: nothing is overwritten";
    const OTHER_DIRECTORY: &str =
        "choose a directory that exists, that may be written to, and that has room for the database";
    let fixture = Fixture::new();
    let backup = |error, hint| {
        let data = if hint == MISSING { "missing" } else { "data" };
        let file = if hint == OTHER_DIRECTORY { "missing/backup.db" } else { "backup.db" };
        fixture.refused("backup", data, file, error, hint);
    };
    let no_directory = "cannot write FIXTURE/missing/backup.db: No such file or directory (os error 2)";
    backup("there is no database in FIXTURE/missing", MISSING);
    fixture.create("data");
    fs::write(fixture.path("backup.db"), "precious").unwrap();
    for serving in [false, true] {
        let _server = serving.then(|| fixture.serve("data"));
        backup("FIXTURE/backup.db exists", OTHER_NAME);
        backup(no_directory, OTHER_DIRECTORY);
    }
    assert_eq!(fs::read(fixture.path("backup.db")).unwrap(), b"precious");
    assert!(!Path::new(&fixture.path("missing")).exists());
}

#[test]
fn restore_refuses() {
    const NO_BACKUP: &str = "name a file that `headwater backup` wrote";
    let fixture = Fixture::new();
    let restore = |data, file, error: &str, hint| fixture.refused("restore", data, file, error, hint);
    let server = fixture.serve("data");
    fixture.done("backup", "data", "backup.db");
    let locked = "stop the other server, or choose another directory with --data-dir";
    restore("data", "backup.db", "another server is using the data directory FIXTURE/data", locked);
    assert!(server.stop().status.success());
    let occupied =
        "choose another directory with --data-dir, or move its database away: nothing is overwritten";
    restore("data", "backup.db", "there is a database in FIXTURE/data", occupied);

    let missing = "cannot read FIXTURE/missing.db: No such file or directory (os error 2)";
    restore("new", "missing.db", missing, "name a backup that this user may read");
    fs::write(fixture.path("film.mp4"), "no database").unwrap();
    restore("new", "film.mp4", "FIXTURE/film.mp4 is not a Headwater database", NO_BACKUP);
    let other = Connection::open(fixture.path("other.db")).unwrap();
    other.execute_batch("CREATE TABLE users (id)").unwrap();
    restore("new", "other.db", "FIXTURE/other.db is not a Headwater database", NO_BACKUP);
    assert!(!Path::new(&fixture.path("new")).exists());

    let whole = fs::read(fixture.path("backup.db")).unwrap();
    fs::write(fixture.path("cut.db"), &whole[..whole.len() / 2]).unwrap();
    let damaged = "FIXTURE/cut.db is damaged: database disk image is malformed";
    let earlier = "restore an earlier backup, and check the disk and the memory of the machine";
    restore("new", "cut.db", damaged, earlier);
    assert!(!Path::new(&fixture.path("new/headwater.db")).exists());
    fixture.done("restore", "new", "backup.db");
}

/// Makes a backup, or restores one, on a disk too small for it. `None`, having said so, where the system does not let
/// tests mount. What is left on the disk is the last of its output.
fn run_on_small_disk(fixture: &Fixture, verb: &str, data: &str, file: &str) -> Option<Ended> {
    const NO_MOUNT: i32 = 77;
    const SCRIPT: &str = r#"mount -t tmpfs -o size=64k headwater "$1" || exit 77
        "$2" "$3" --data-dir "$4" "$5"; code=$?; find "$1" -type f; exit $code"#;
    let unshare = ["--user", "--map-root-user", "--mount"];
    let can_mount = Command::new(require::tool("unshare")?).args(unshare).arg("true").output();
    let disk = fixture.path("disk");
    fs::create_dir_all(&disk).unwrap();
    let mut command = Command::new("unshare");
    command.args(unshare).args(["sh", "-c", SCRIPT, "sh", &disk]).arg(headwater().binary());
    command.args([verb, &fixture.path(data), &fixture.path(file)]);
    let ended = run(without_settings(&mut command));
    if !can_mount.is_ok_and(|output| output.status.success()) || ended.status.code() == Some(NO_MOUNT) {
        require::skip("unshare", "does not let tests mount a file system");
        return None;
    }
    Some(ended)
}

#[test]
fn a_disk_without_room_keeps_nothing() {
    let fixture = Fixture::new();
    fixture.create("data");
    fixture.done("backup", "data", "backup.db");
    let Some(ended) = run_on_small_disk(&fixture, "backup", "data", "disk/backup.db") else { return };
    assert_eq!((ended.status.code(), ended.stdout.len()), (Some(1), 0), "{ended:?}");
    let error = format!("error: cannot copy {}: database or disk is full", fixture.path("disk/backup.db"));
    assert!(ended.stderr[0].starts_with(&error), "{ended:?}");

    let Some(ended) = run_on_small_disk(&fixture, "restore", "disk/data", "backup.db") else { return };
    let lock = fixture.path("disk/data/headwater.lock");
    assert_eq!((ended.status.code(), ended.stdout.as_slice()), (Some(1), [lock].as_slice()), "{ended:?}");
    let database = fixture.path("disk/data/headwater.db");
    let error = format!("error: cannot write {database}: No space left on device (os error 28)");
    assert_eq!(ended.stderr[0], error);
}

/// Starts a backup of a database that takes a while, and calls `interrupt` in the middle of it. Answers how the verb
/// ended, or `None` when the backup was there first.
fn interrupted(fixture: &Fixture, interrupt: impl FnOnce(&mut Child)) -> Option<(Option<i32>, String)> {
    let target = fixture.path("target");
    fs::create_dir_all(&target).unwrap();
    let arguments = ["backup", "--data-dir", &fixture.path("data"), &format!("{target}/backup.db")];
    let mut verb = headwater().command(&arguments);
    let mut verb = verb.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let is_empty = || fs::read_dir(&target).unwrap().next().is_none();
    while is_empty() && verb.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(1));
    }
    interrupt(&mut verb);
    let ended = verb.wait_with_output().unwrap();
    for _ in 0..6000 {
        if is_empty() {
            return Some((ended.status.code(), String::from_utf8(ended.stderr).unwrap()));
        }
        if fs::remove_file(format!("{target}/backup.db")).is_ok() {
            return None;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("a part of a backup is left: {ended:?}");
}

/// As [`interrupted`], until it was.
fn surely_interrupted(fixture: &Fixture, interrupt: impl Fn(&mut Child)) -> (Option<i32>, String) {
    let ended = (0..50).find_map(|_| interrupted(fixture, &interrupt));
    ended.expect("a backup that takes longer than it takes to interrupt it")
}

fn signal(process: u32, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_backup_that_is_interrupted_leaves_nothing() {
    let fixture = Fixture::new();
    let database = Connection::open(fixture.create("data")).unwrap();
    database.execute_batch("CREATE TABLE ballast AS SELECT zeroblob(100000000) AS bytes").unwrap();
    drop(database);
    let (code, error) = surely_interrupted(&fixture, |verb| signal(verb.id(), "INT"));
    assert_eq!((code, error.lines().next()), (Some(1), Some("error: the copy was stopped")));

    let server = fixture.serve("data");
    let (code, error) = surely_interrupted(&fixture, |verb| signal(verb.id(), "INT"));
    assert_eq!((code, error.lines().next()), (Some(1), Some("error: the copy was stopped")));
    surely_interrupted(&fixture, |verb| verb.kill().unwrap());
    server.wait_for_log(|line| line.contains("who wanted a backup has left")).unwrap();
    assert!(server.stop().status.success());

    let stopped = (0..50).find_map(|_| {
        let server = fixture.serve("data");
        let ended = interrupted(&fixture, |_| server.terminate());
        assert!(server.wait().status.success());
        ended
    });
    let (code, error) = stopped.unwrap();
    let expected = "error: the server is stopping, and its backup with it";
    assert_eq!((code, error.lines().next()), (Some(1), Some(expected)));
}
