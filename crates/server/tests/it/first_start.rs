//! What a first start tells its owner, and what later ones do not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use headwater_testkit::process::{Server, run};
use headwater_testkit::{KEY, SECRET, require};
use serde_json::Value;
use tempfile::TempDir;

use crate::{ask, get, headwater};

fn start_in(directory: &TempDir, arguments: &[&str]) -> Server {
    let directory = directory.path().to_str().unwrap();
    let mut command = headwater().command(&["serve", "--listen", "127.0.0.1:0", "--data-dir", directory]);
    Server::start(command.args(arguments)).unwrap()
}

/// The last word of the line of standard output that begins with `label`.
fn printed(server: &Server, label: &str) -> String {
    let line = server.wait_for_output(|line| line.trim_start().starts_with(label)).unwrap();
    line.split(' ').next_back().unwrap().to_owned()
}

#[test]
fn the_printed_key_and_curl_line_work() {
    let directory = TempDir::new().unwrap();
    let server = start_in(&directory, &[]);
    let (api_key, secret) = (printed(&server, "API key:"), printed(&server, "API secret:"));
    assert_eq!(ask(&server, &api_key, &secret), 200);

    let line = server.wait_for_output(|line| line.contains("curl ")).unwrap();
    if require::tool("curl").is_some() {
        let pasted = run(Command::new("sh").args(["-c", &line]));
        let answer: Value = serde_json::from_str(&pasted.stdout.concat()).unwrap();
        assert_eq!(answer["users"]["alice"]["name"], "Alice");
    }

    let ended = server.stop();
    assert!(ended.status.success());
    assert!(!ended.stderr.concat().contains(&secret), "the secret is in the log");

    let server = start_in(&directory, &[]);
    assert_eq!(ask(&server, &api_key, &secret), 200);
    let ended = server.stop();
    assert_eq!(ended.stdout.len(), 1, "{:?}", ended.stdout);
}

#[test]
fn the_curl_line_leads_to_the_public_url() {
    let directory = TempDir::new().unwrap();
    let server = start_in(&directory, &["--public-url", "https://users.example.com/"]);
    let line = server.wait_for_output(|line| line.contains("curl ")).unwrap();
    assert!(line.contains("'https://users.example.com/api/v2/users?api_key="), "{line}");
}

#[test]
fn apps_that_are_given_are_made_once() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("apps");
    fs::write(&file, "from-file:secret-of-file\n").unwrap();
    let arguments = ["--app", "one:secret-of-one", "--app-file", file.to_str().unwrap()];
    for _ in 0..2 {
        let server = start_in(&directory, &arguments);
        assert_eq!(ask(&server, "one", "secret-of-one"), 200);
        assert_eq!(ask(&server, "from-file", "secret-of-file"), 200);
        let ended = server.stop();
        assert_eq!(ended.stdout.len(), 1, "{:?}", ended.stdout);
        assert!(!ended.stderr.concat().contains("secret-of"), "{:?}", ended.stderr);
    }
}

#[test]
fn settings_come_from_the_environment_and_a_file() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("headwater.toml");
    fs::write(&file, "in-memory = true\nlisten = '127.0.0.1:0'\nlog-format = 'text'\n").unwrap();
    let mut command = headwater().command(&["serve"]);
    command.env("HEADWATER_CONFIG", &file).env("HEADWATER_APP", "a:b");
    let server = Server::start(&mut command).unwrap();
    assert_eq!(ask(&server, "a", "b"), 200);
    assert!(server.wait_for_log(|line| line.contains(" INFO ")).is_some());
}

#[test]
fn data_in_memory_is_private_and_goes_with_the_server() {
    let server = headwater().serve(&["--in-memory"]);
    assert_eq!(ask(&server, KEY, SECRET), 200);
    let line = server.wait_for_log(|line| line.contains("serving")).unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    let directory = PathBuf::from(event["directory"].as_str().unwrap());
    assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let ended = server.stop();
    assert!(ended.status.success() && ended.left.is_empty(), "{ended:?}");
}

#[test]
fn health_readiness_and_metrics_are_served() {
    let server = headwater().serve(&["--in-memory", "--admin-listen", "127.0.0.1:0"]);
    assert_eq!(get(server.address(), "/healthz").status, 200);
    assert_eq!(get(server.address(), "/readyz").status, 200);
    let line = server.wait_for_log(|line| line.contains("serving")).unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    let admin = event["admin"].as_str().unwrap().parse().unwrap();
    assert_eq!(get(admin, "/metrics").status, 200);
}
