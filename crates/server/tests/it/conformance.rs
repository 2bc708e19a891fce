//! The conformance program against a running server: every example holds, and no request costs more statements than
//! its operation may.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use headwater_testkit::process::Server;
use headwater_testkit::{KEY, SECRET, require};
use serde_json::Value;

use crate::headwater;

/// Fewer examples than this, and some were lost rather than taken out.
const FEWEST_EXAMPLES: usize = 60;

/// The most statements that a successful request of each operation may cost, whatever its size. An operation that is
/// not here is not to be called by the program without being weighed.
const STATEMENTS: &[(&str, u64)] = &[
    ("DeactivateUser", 4),
    ("GetApp", 0),
    ("GetRateLimits", 0),
    ("QueryUsers", 6),
    ("ReactivateUser", 4),
    ("UpdateApp", 4),
    ("UpdateUsers", 4),
    ("UpdateUsersPartial", 4),
];

#[test]
fn the_conformance_program_is_satisfied() {
    let Some(go) = require::tool("go") else { return };
    let server = headwater().serve(&["--in-memory", "--log-format", "json", "--log-level", "debug"]);
    let examples = run(&mut Command::new(go), &server);
    let log = server.stop().stderr;
    assert!(examples.len() >= FEWEST_EXAMPLES, "only {} examples ran", examples.len());
    check_statements(&log);
}

/// Runs the program. Answers the names of the examples that were ok, and fails when one was not; an example that
/// lacks a tool is skipped as a test would be.
fn run(go: &mut Command, server: &Server) -> Vec<String> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance");
    let credentials = ["-base", server.url(), "-key", KEY, "-secret", SECRET];
    go.args(["run", "."]).args(credentials).arg("-json").current_dir(program);
    // The program has no dependencies; neither it nor the tool chain has anything to download.
    go.env("GOTOOLCHAIN", "local").env("GOPROXY", "off").env_remove("GOFLAGS");
    let ended = go.output().unwrap();
    let (written, errors) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    let all = format!("{}\n{written}{errors}", ended.status);
    assert!(ended.status.success(), "{all}");
    let mut lines: Vec<&str> = written.lines().collect();
    assert!(lines.pop().is_some_and(|line| line.ends_with(" passed, 0 failed")), "{all}");
    let outcomes = lines.into_iter().map(|line| serde_json::from_str(line).expect("an outcome"));
    outcomes.filter_map(|outcome: Value| name_when_ok(&outcome)).collect()
}

fn name_when_ok(outcome: &Value) -> Option<String> {
    let name = outcome["name"].as_str()?;
    if outcome["result"] == "ok" {
        return Some(name.to_owned());
    }
    let why = outcome["why"].as_str().unwrap_or_default();
    let (tool, _) = why.split_once(' ').unwrap_or((why, ""));
    require::skip(tool, &format!("is not installed, which {name} needs"));
    None
}

/// Every answer in the log cost what it may, and every operation was called.
fn check_statements(log: &[String]) {
    let mut most = BTreeMap::<String, u64>::new();
    for line in log {
        let event: Value = serde_json::from_str(line).expect("a line of JSON");
        if event["message"] != "answered" {
            continue;
        }
        let statements = event["statements"].as_u64().expect("the number of statements");
        let Some(operation) = event["operation"].as_str() else {
            assert_eq!(statements, 0, "a request without an operation: {line}");
            continue;
        };
        let allowed = STATEMENTS.iter().find(|(name, _)| *name == operation);
        let Some((_, allowed)) = allowed else { panic!("{operation} has no line in STATEMENTS") };
        assert!(statements <= *allowed, "more than {allowed} statements: {line}");
        let most = most.entry(operation.to_owned()).or_default();
        *most = statements.max(*most);
    }
    println!("statements at most: {most:?}");
    for (operation, allowed) in STATEMENTS {
        let counted = most.get(*operation).unwrap_or_else(|| panic!("{operation} was not called"));
        assert_eq!(*counted == 0, *allowed == 0, "statements of {operation} were not counted");
    }
}
