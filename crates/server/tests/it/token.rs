//! `headwater token`.

use headwater_testkit::{KEY, SECRET};
use model::{Secret, Timestamp};
use tempfile::TempDir;
use wire::token::{Claims, Refusal, verify};

use crate::{ask_with_token, headwater};

fn check(token: &str, now: i64) -> Result<Claims, Refusal> {
    let secrets = [Secret::new(SECRET.to_owned())];
    verify(token, secrets.iter(), Timestamp::from_seconds(now), false)
}

#[test]
fn printed_tokens_are_valid() {
    const FAR: i64 = 4_000_000_000;
    let directory = TempDir::new().unwrap();
    let place = ["--data-dir", directory.path().to_str().unwrap()];
    let server = headwater().serve(&place);
    let run = |arguments: &[&str]| headwater().run(&[&["token"], &place[..], arguments].concat());
    let token = |arguments: &[&str]| {
        let ended = run(arguments);
        assert!(ended.status.success() && ended.stdout.len() == 1, "{ended:?}");
        ended.stdout.concat()
    };

    let lasting = token(&["--server"]);
    assert_eq!(check(&lasting, FAR), Ok(Claims::Server));
    assert_eq!(ask_with_token(&server, KEY, &lasting).status, 200);
    let passing = token(&["--server", "--expires", "24h", "--app", KEY]);
    assert_eq!(ask_with_token(&server, KEY, &passing).status, 200);
    assert_eq!(check(&passing, FAR), Err(Refusal::Expired));
    let Ok(Claims::User(alice)) = check(&token(&["--user", "alice"]), FAR) else { panic!("another kind") };
    assert_eq!(alice.id.as_str(), "alice");
    let call = token(&["--user", "alice", "--call", "default:standup"]);
    assert_eq!(check(&call, FAR), Err(Refusal::Expired));

    for (arguments, error, hint) in [
        (
            ["--server", "--app", "other"].as_slice(),
            "there is no app with the key other",
            "name one of them with --app: test-key, second",
        ),
        (["--server"].as_slice(), "there are several apps", "name one of them with --app: test-key, second"),
    ] {
        let created = headwater().run(&[&["app"], &place[..], &["create", "second:secret"]].concat());
        assert!(created.status.success());
        let ended = run(arguments);
        assert_eq!(ended.stderr, [format!("error: {error}"), format!("hint: {hint}")]);
        assert_eq!(ended.status.code(), Some(1));
    }
    // What clap refuses is a matter of syntax.
    assert_eq!(run(&[]).status.code(), Some(2));
    assert_eq!(run(&["--user", "a b"]).status.code(), Some(2));
}
