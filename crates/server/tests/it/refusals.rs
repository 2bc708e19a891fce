//! What keeps a server from starting: one line that says what, one that says what to do, and exit status 1.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use headwater_testkit::process::{Ended, run, without_settings};
use headwater_testkit::{postgres, require};
use tempfile::TempDir;

use crate::headwater;

/// Asserts that a program ended with these two lines. Before them it may have logged, as JSON.
#[track_caller]
fn check(ended: &Ended, error: &str, hint: &str) {
    let said: Vec<&String> = ended.stderr.iter().filter(|line| !line.starts_with('{')).collect();
    assert_eq!(said, [&format!("error: {error}"), &format!("hint: {hint}")]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stdout.is_empty(), "{:?}", ended.stdout);
}

/// Runs a server that cannot start.
fn serve(arguments: &[&str]) -> Ended {
    headwater().run(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat())
}

#[test]
fn settings_that_nobody_knows() {
    let mut command = headwater().command(&["serve"]);
    let ended = run(command.env("HEADWATER_LISTNE", "127.0.0.1:0"));
    let error = "the environment variable HEADWATER_LISTNE is not known";
    check(&ended, error, "did you mean HEADWATER_LISTEN?");

    let directory = TempDir::new().unwrap();
    let file = directory.path().join("headwater.toml");
    let file = file.to_str().unwrap();
    fs::write(file, "data_dir = 'x'").unwrap();
    check(
        &serve(&["--config", file]),
        &format!("{file}: the key data_dir is not known"),
        "did you mean data-dir?",
    );

    let ended = serve(&["--listne", "x"]);
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.stderr.concat().contains("--listen"), "{:?}", ended.stderr);
}

#[test]
fn an_app_with_another_secret() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path().to_str().unwrap();
    assert!(headwater().serve(&["--data-dir", directory, "--app", "key:one"]).stop().status.success());
    check(
        &serve(&["--data-dir", directory, "--app", "key:other"]),
        "the app key exists and has another secret",
        "use another key, or give this app a new secret: `headwater app rotate key`",
    );
    check(
        &serve(&["--in-memory", "--app", "k.y:s"]),
        "key: must have 1 to 64 letters, digits, '_' or '-'",
        "an app is written KEY:SECRET",
    );
}

#[test]
fn an_address_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--listen", "--admin-listen"] {
        let hint = format!("choose another address with {flag}, or stop the program that uses this one");
        let mut command = headwater().command(&["serve", "--in-memory", flag, &address]);
        if flag == "--admin-listen" {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let error = format!("cannot listen on {address}: Address already in use (os error 98)");
        check(&run(&mut command), &error, &hint);
    }
}

#[test]
fn a_directory_that_another_server_uses() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path().to_str().unwrap();
    let first = headwater().serve(&["--data-dir", directory]);
    check(
        &serve(&["--data-dir", directory]),
        &format!("another server is using the data directory {directory}"),
        "stop the other server, or choose another directory with --data-dir",
    );
    assert!(first.stop().status.success());
}

#[test]
fn a_directory_below_a_file() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("data");
    let below = below.to_str().unwrap();
    check(
        &serve(&["--data-dir", below]),
        &format!("cannot use the data directory {below}: Not a directory (os error 20)"),
        "choose a directory that this user may write to with --data-dir",
    );
}

/// Runs a server on a file system that is mounted with `options` and that nobody else sees. `None`, having said so,
/// where the system does not let tests mount.
fn serve_on_mount(options: &str) -> Option<Ended> {
    const NO_MOUNT: i32 = 77;
    const SCRIPT: &str =
        r#"mount -t tmpfs -o "$1" headwater "$2" || exit 77; exec "$3" serve --data-dir "$2""#;
    let unshare = ["--user", "--map-root-user", "--mount"];
    let can_mount = Command::new(require::tool("unshare")?).args(unshare).arg("true").output();
    let directory = TempDir::new().unwrap();
    let mut command = Command::new("unshare");
    command.args(unshare).args(["sh", "-c", SCRIPT, "sh", options]);
    command.arg(directory.path()).arg(headwater().binary());
    let mut ended = run(without_settings(&mut command));
    if !can_mount.is_ok_and(|output| output.status.success()) || ended.status.code() == Some(NO_MOUNT) {
        require::skip("unshare", "does not let tests mount a file system");
        return None;
    }
    let path = directory.path().to_str().unwrap();
    for line in &mut ended.stderr {
        *line = line.replace(path, "MOUNT");
    }
    Some(ended)
}

#[test]
fn a_directory_that_is_read_only() {
    let Some(ended) = serve_on_mount("ro") else { return };
    check(
        &ended,
        "cannot use the data directory MOUNT: Read-only file system (os error 30)",
        "choose a directory that this user may write to with --data-dir",
    );
}

#[test]
fn a_disk_that_is_full() {
    // Not even one page, and room for a part of what a start writes.
    for size in ["4k", "16k", "64k", "96k"] {
        let Some(ended) = serve_on_mount(&format!("size={size}")) else { return };
        assert_eq!(ended.status.code(), Some(1), "{size}: {ended:?}");
        let said: Vec<&String> = ended.stderr.iter().filter(|line| !line.starts_with('{')).collect();
        let [error, hint] = said.as_slice() else { panic!("{size}: {ended:?}") };
        // The engine knows why a page was not written, but not why its shared memory cannot grow.
        let known = ["database or disk is full", "disk I/O error"].iter().any(|why| error.contains(why));
        assert!(error.starts_with("error: ") && known, "{size}: {error}");
        assert!(hint.starts_with("hint: check that the disk has free space"), "{size}: {hint}");
    }
}

#[test]
fn a_database_that_cannot_be_used() {
    let Some(cluster) = postgres::shared() else { return };
    let database = cluster.empty_database();
    let url = database.url_text();
    let place = database.url().to_string();
    check(
        &serve(&["--database-url", "postgres:/u:hush@h/d"]),
        "database-url: must be a URL such as postgres://user:password@localhost:5432/headwater",
        "write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for signs that have a meaning there",
    );
    check(
        &serve(&["--database-url", "postgres://u:hush@127.0.0.1:1/d"]),
        "cannot reach the PostgreSQL server of 127.0.0.1:1/d: error connecting to server: Connection refused (os error 111)",
        "check host and port of --database-url, that the server runs, and that it listens there",
    );
    database.run(&["CREATE ROLE keeper LOGIN", "CREATE TABLE something (id BIGINT)"]);
    let as_user = |user: &str| url.replace("headwater@", &format!("{user}@"));
    check(
        &serve(&["--database-url", &as_user("guarded:hush")]),
        &format!(
            "the PostgreSQL server of {place} refuses this user or password: db error: FATAL: password authentication \
             failed for user \"guarded\""
        ),
        "check user and password of --database-url, and what pg_hba.conf on the server says of them",
    );
    check(
        &serve(&["--database-url", &format!("{url}_other")]),
        &format!("the PostgreSQL server has no database {place}_other"),
        "make it with createdb, or name another one in --database-url",
    );
    check(
        &serve(&["--database-url", &url]),
        &format!("the database {place} belongs to another program"),
        "make an empty database with createdb, and name it in --database-url",
    );
    database.run(&["DROP TABLE something"]);
    let app_list = |url: &str| headwater().run(&["app", "list", "--database-url", url]);
    check(
        &app_list(&url),
        &format!("there is nothing of Headwater in the database {place}"),
        "start the server once, or name its database with --database-url",
    );
    assert!(headwater().serve(&["--database-url", &url]).stop().status.success());
    let read_only = format!("nothing can be written to the database {place} as this user");
    let hint = "name the primary server in --database-url, and a user who owns the database or may write to its tables";
    check(&serve(&["--database-url", &as_user("keeper")]), &read_only, hint);
    database.run(&["INSERT INTO schema_migrations VALUES (9999, 'later', '', 0)"]);
    let newer = serve(&["--database-url", &url]);
    assert!(
        newer.stderr.iter().any(|line| line.starts_with("error: the database has schema 9999, ")),
        "{newer:?}"
    );
    check(
        &headwater().run(&["backup", "--database-url", &url, "backup.db"]),
        "the database is kept by a PostgreSQL server",
        "use pg_dump, or the backups of the server",
    );
    database.run(&["DROP ROLE keeper"]);
}

#[test]
fn settings_that_lose_what_was_answered_are_warned_of() {
    let Some(cluster) = postgres::shared() else { return };
    let database = cluster.empty_database();
    let url = database.url_text();
    database
        .run(&[&format!("ALTER DATABASE {} SET synchronous_commit = off", url.rsplit('/').next().unwrap())]);
    let server = headwater().serve(&["--database-url", &url]);
    for setting in ["fsync", "synchronous_commit"] {
        let warning =
            format!("the PostgreSQL server has {setting} = off: a power cut takes what was answered");
        assert!(server.wait_for_log(|line| line.contains(&warning)).is_some());
    }
    assert!(server.stop().status.success());
}
