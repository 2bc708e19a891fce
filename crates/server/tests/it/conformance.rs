//! The conformance program against a running server: every example holds, and no request costs more statements than
//! its operation may.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use headwater_testkit::postgres::{self, TestDatabase};
use headwater_testkit::process::Server;
use headwater_testkit::{Engine, KEY, SECRET, on_each_engine, require};
use serde_json::{Map, Value, json};

use crate::connection::Connection;
use crate::headwater;

/// Fewer examples than this, and some were lost rather than taken out.
const FEWEST_EXAMPLES: usize = 75;

/// The tool chain that the program needs, as its `go.mod` says: 1.22.
const OLDEST_GO: u32 = 22;

/// The most statements that a successful request of each operation may cost, whatever its size. An operation that is
/// not here is not to be called by the program without being weighed.
///
/// Giving a custom role reads the app's roles first: one statement more than giving a built-in one, which the test of
/// roles in `operations` counts. Who is given one by the program has no leaf to change in the same call. Making users reads
/// which ids are taken for ever, in an app that has deleted users for good.
const STATEMENTS: &[(&str, u64)] = &[
    ("Ban", 4),
    ("BlockUsers", 6),
    ("Bypass", 3),
    ("CreateDevice", 7),
    ("CreateGuest", 4),
    ("AddUserGroupMembers", 7),
    ("CreateBlockList", 5),
    ("CreateRole", 3),
    ("CreateUserGroup", 7),
    ("DeactivateUser", 4),
    ("DeactivateUsers", 5),
    ("DeleteDevice", 4),
    ("DeleteRole", 4),
    ("ExplainPermission", 2),
    ("Flag", 5),
    ("GetApp", 0),
    ("GetBlockedUsers", 2),
    ("GetFlagCount", 2),
    ("GetPermission", 0),
    ("GetRateLimits", 0),
    ("GetTask", 1),
    ("ListDevices", 2),
    ("ListPermissions", 0),
    ("ListRoles", 1),
    ("Mute", 10),
    ("QueryBannedUsers", 2),
    ("QueryModerationFlags", 2),
    ("QueryUsers", 7),
    ("DeleteBlockList", 5),
    ("DeleteUserGroup", 3),
    ("DeleteUsers", 8),
    ("PreviewUserDeletion", 5),
    ("RestoreUsers", 6),
    ("DownloadExport", 1),
    ("ExportUser", 5),
    ("ExportUsers", 5),
    ("GetBlockList", 1),
    ("GetUserGroup", 2),
    ("ListBlockLists", 2),
    ("ListUserGroups", 2),
    ("ReactivateUser", 5),
    ("ReactivateUsers", 6),
    ("RemoveUserGroupMembers", 6),
    ("SearchRoles", 1),
    ("Unban", 4),
    ("UnblockUsers", 4),
    ("Unmute", 4),
    ("UpdateApp", 4),
    ("UpdatePushNotificationPreferences", 5),
    ("SearchUserGroups", 2),
    ("UpdateBlockList", 5),
    ("UpdateUserGroup", 4),
    ("UpdateUsers", 5),
    ("UpdateUsersPartial", 4),
    ("DeleteChannel", 14),
    ("DeleteMessage", 11),
    ("DeleteReaction", 14),
    ("GetChannel", 10),
    ("GetMessage", 8),
    ("GetOrCreateChannel", 14),
    ("GetOrCreateDistinctChannel", 14),
    ("GetReactions", 4),
    ("SendMessage", 9),
    ("SendReaction", 18),
    ("UpdateChannel", 10),
];

/// What an operation costs more where others write at the same time: a lock on what it reads in order to write, such as
/// the settings of the app, and the standing of the user who asks, which is not kept where other nodes change it.
const LOCKS_ON_POSTGRES: &[(&str, u64)] = &[
    ("BlockUsers", 2),
    ("CreateDevice", 2),
    ("CreateGuest", 1),
    ("CreateBlockList", 1),
    ("CreateRole", 1),
    ("CreateUserGroup", 1),
    ("DeleteDevice", 2),
    ("DeleteRole", 1),
    ("ExplainPermission", 1),
    ("Flag", 2),
    ("GetBlockedUsers", 1),
    ("ListDevices", 1),
    ("Mute", 1),
    ("QueryUsers", 1),
    ("ReactivateUser", 1),
    ("UnblockUsers", 1),
    ("Unmute", 1),
    ("UpdatePushNotificationPreferences", 1),
    ("UpdateUsers", 2),
    ("UpdateUsersPartial", 2),
    ("GetChannel", 1),
    ("GetMessage", 1),
    ("SendMessage", 2),
    ("DeleteReaction", 1),
    ("SendReaction", 1),
];

fn the_conformance_program_is_satisfied(engine: Engine) {
    let Some(go) = go() else { return };
    let place = Place::new(engine);
    let server = place.serve();
    run_examples(Command::new(go), &server);
    let most = check_statements(engine, &server.stop().stderr);
    println!("statements at most: {most:?}");
    for (operation, allowed) in STATEMENTS {
        let counted = most.get(*operation).unwrap_or_else(|| panic!("{operation} was not called"));
        assert_eq!(*counted == 0, *allowed == 0, "statements of {operation} were not counted");
    }
}

/// What the examples leave out: the largest requests, and those that name an author.
fn large_requests_cost_no_more(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let mut connection = Connection::open(server.address()).unwrap();
    let id = |number: usize| format!("user-{number}");
    let users: Map<_, _> = (0..100)
        .map(|number| (id(number), json!({"custom": {"number": number, "tags": ["a", "b"]}})))
        .collect();
    let patches: Vec<_> = (0..100).map(|number| json!({"id": id(number), "set": {"number": 0}})).collect();
    let everyone = "/api/v2/users?payload=%7B%22limit%22:100%7D";
    for (method, path, body) in [
        ("POST", "/api/v2/users", json!({"users": users.clone()})),
        ("POST", "/api/v2/users", json!({"users": users})),
        ("PATCH", "/api/v2/users", json!({"users": patches})),
        ("GET", everyone, json!({})),
        ("POST", "/api/v2/users/user-1/deactivate", json!({"created_by_id": "user-2"})),
        ("POST", "/api/v2/users/user-1/reactivate", json!({"created_by_id": "user-2", "name": "One"})),
    ] {
        let (status, answer) = connection.send(method, path, &body).unwrap();
        assert!(status == 200 || status == 201, "{method} {path}: {status} {answer}");
        assert!(path != everyone || answer["users"].as_array().is_some_and(|users| users.len() == 100));
    }
    let most = check_statements(engine, &server.stop().stderr);
    assert_eq!(most.len(), 5, "{most:?}");
}

/// The tool chain, where it is young enough.
fn go() -> Option<PathBuf> {
    let go = require::tool("go")?;
    let version = Command::new(&go).args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local").output().unwrap();
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let minor = version.strip_prefix("go1.").and_then(|rest| rest.split('.').next()?.parse().ok());
    // A version of another form is of a tool chain under development.
    if minor.is_none_or(|minor: u32| minor >= OLDEST_GO) {
        return Some(go);
    }
    require::skip("go", &format!("is too old for conformance/, which needs 1.{OLDEST_GO}: {version}"));
    None
}

/// Where a server keeps its data.
struct Place(Option<TestDatabase>);

impl Place {
    fn new(engine: Engine) -> Self {
        Self((engine == Engine::Postgres).then(|| postgres::shared().unwrap().empty_database()))
    }

    fn serve(&self) -> Server {
        let place = match &self.0 {
            None => "--in-memory".to_owned(),
            Some(database) => format!("--database-url={}", database.url_text()),
        };
        headwater().serve(&[&place, "--log-format", "json", "--log-level", "debug"])
    }
}

/// Runs the program and fails when an example does; one that lacks a tool is skipped as a test would be.
fn run_examples(mut go: Command, server: &Server) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance");
    let credentials = ["-base", server.url(), "-key", KEY, "-secret", SECRET];
    go.args(["run", "."]).args(credentials).arg("-json").current_dir(program);
    // The program has no dependencies; neither it nor the tool chain has anything to download.
    go.env("GOTOOLCHAIN", "local").env("GOPROXY", "off").env_remove("GOFLAGS");
    if ["HOME", "XDG_CACHE_HOME", "GOCACHE"].iter().all(|name| env::var_os(name).is_none()) {
        go.env("GOCACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-build"));
    }
    let ended = go.output().unwrap();
    let (written, errors) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    let all = format!("{}\n{written}{errors}", ended.status);
    assert!(ended.status.success(), "{all}");
    let mut lines: Vec<&str> = written.lines().collect();
    assert!(lines.pop().is_some_and(|line| line.ends_with(" passed, 0 failed")), "{all}");
    assert!(lines.len() >= FEWEST_EXAMPLES, "only {} examples ran", lines.len());
    for line in lines {
        let outcome: Value = serde_json::from_str(line).expect("an outcome");
        if outcome["result"] != "ok" {
            let (name, why) = (outcome["name"].as_str().unwrap(), outcome["why"].as_str().unwrap());
            let tool = why.split(' ').next().unwrap();
            require::skip(tool, &format!("is not installed: no {name}"));
        }
    }
}

/// Checks that every answer in the log cost what it may. Answers the most that each operation cost.
fn check_statements(engine: Engine, log: &[String]) -> BTreeMap<String, u64> {
    let mut most = BTreeMap::<String, u64>::new();
    for line in log {
        let event: Value = serde_json::from_str(line).expect("a line of JSON");
        assert!(!holds_a_name(line), "whoever reads the log could read an export: {line}");
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
        let locks =
            LOCKS_ON_POSTGRES.iter().find(|(name, _)| engine == Engine::Postgres && *name == operation);
        let allowed = allowed + locks.map_or(0, |(_, locks)| *locks);
        assert!(statements <= allowed, "more than {allowed} statements: {line}");
        let most = most.entry(operation.to_owned()).or_default();
        *most = statements.max(*most);
    }
    most
}

/// Whether a line holds the name of a file of an export: so many hexadecimal digits, as nothing else has.
fn holds_a_name(line: &str) -> bool {
    line.split(|character: char| !character.is_ascii_hexdigit()).any(|word| word.len() == 64)
}

on_each_engine!(plain: the_conformance_program_is_satisfied, large_requests_cost_no_more);
