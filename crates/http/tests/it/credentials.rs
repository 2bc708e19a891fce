//! Every route with every kind of credential. The table of routes is the list: a new route is tested by being there.

use headwater_http::{Credential, RouteInfo, routes};
use headwater_testkit::client::{Reply, Request};
use headwater_testkit::{KEY, SECRET, TestFront, server_token, token};
use operations::apps;
use serde_json::{Value, json};

/// The start of 2024, where the clock of the tests stands.
const NOW: i64 = 1_704_067_200;

/// What a caller shows: a name, a key, a token.
type Shown = (&'static str, Option<&'static str>, Option<String>);

fn credentials() -> Vec<Shown> {
    let server = |claims: Value| Some(token(SECRET, claims));
    vec![
        ("no key", None, server(json!({"server": true}))),
        ("empty key", Some(""), server(json!({"server": true}))),
        ("unknown key", Some("nobody"), server(json!({"server": true}))),
        ("no token", Some(KEY), None),
        ("not a token", Some(KEY), Some("nonsense".to_owned())),
        ("no algorithm", Some(KEY), Some(unsigned())),
        ("other algorithm", Some(KEY), Some(other_algorithm())),
        ("10,000 characters", Some(KEY), Some("x".repeat(10_000))),
        ("10,000 characters of a user id", Some(KEY), server(json!({"user_id": "x".repeat(10_000)}))),
        ("no claims", Some(KEY), server(json!({}))),
        ("a user id that is a number", Some(KEY), server(json!({"user_id": 7}))),
        ("a user id that is null", Some(KEY), server(json!({"user_id": null, "server": true}))),
        ("an empty user id", Some(KEY), server(json!({"user_id": ""}))),
        ("a user id that no user can have", Some(KEY), server(json!({"user_id": "a b"}))),
        ("exp as text", Some(KEY), server(json!({"server": true, "exp": (NOW + 60).to_string()}))),
        ("exp with a fraction", Some(KEY), server(json!({"server": true, "exp": 1.5}))),
        ("iat as text", Some(KEY), server(json!({"user_id": "alice", "iat": "1"}))),
        ("call_cids that are no list", Some(KEY), server(json!({"user_id": "alice", "call_cids": "a:b"}))),
        (
            "channel_cids without a colon",
            Some(KEY),
            server(json!({"user_id": "alice", "channel_cids": ["a"]})),
        ),
        ("a role that is a number", Some(KEY), server(json!({"user_id": "alice", "role": 1}))),
        ("developer token", Some(KEY), Some(developer("alice"))),
        ("bad signature", Some(KEY), Some(server_token("guessed"))),
        ("token of another app", Some(KEY), Some(server_token("other-secret"))),
        ("expired", Some(KEY), server(json!({"server": true, "exp": NOW}))),
        ("not yet valid", Some(KEY), server(json!({"server": true, "nbf": NOW + 60}))),
        ("not yet issued", Some(KEY), server(json!({"server": true, "iat": NOW + 60}))),
        ("user", Some(KEY), server(json!({"user_id": "alice"}))),
        ("user who claims to be a server", Some(KEY), server(json!({"user_id": "alice", "server": true}))),
        ("server", Some(KEY), server(json!({"server": true}))),
        ("suspended app", Some("suspended"), Some(server_token("third-secret"))),
        ("suspended app, no token", Some("suspended"), None),
    ]
}

/// `{"alg":"none"}` and `{"server":true}`, signed with nothing.
fn unsigned() -> String {
    "eyJhbGciOiJub25lIn0.eyJzZXJ2ZXIiOnRydWV9.".to_owned()
}

/// As [`server_token`], but for the header, which says HS512.
fn other_algorithm() -> String {
    let token = server_token(SECRET);
    let (_, rest) = token.split_once('.').unwrap();
    format!("eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.{rest}")
}

/// What development clients make: no signature but a word (semantics 7.16).
fn developer(id: &str) -> String {
    let token = token("any secret", json!({"user_id": id}));
    let (signed, _) = token.rsplit_once('.').unwrap();
    format!("{signed}.devtoken")
}

/// Status and code, or `None` for "let in".
fn expected(shown: &str, credential: Credential) -> Option<(u16, i64)> {
    match (shown, credential) {
        ("no key" | "empty key" | "unknown key", _) => Some((401, 2)),
        ("no token", Credential::Anyone) => None,
        (
            "no token"
            | "not a token"
            | "no algorithm"
            | "other algorithm"
            | "10,000 characters"
            | "10,000 characters of a user id"
            | "no claims"
            | "a user id that is a number"
            | "a user id that is null"
            | "an empty user id"
            | "a user id that no user can have"
            | "exp as text"
            | "exp with a fraction"
            | "iat as text"
            | "call_cids that are no list"
            | "channel_cids without a colon"
            | "a role that is a number"
            | "developer token",
            _,
        ) => Some((401, 5)),
        ("bad signature" | "token of another app", _) => Some((401, 43)),
        ("expired", _) => Some((401, 40)),
        ("not yet valid", _) => Some((401, 41)),
        ("not yet issued", _) => Some((401, 42)),
        ("user" | "user who claims to be a server", Credential::Server) => Some((403, 17)),
        ("user" | "user who claims to be a server", _) => None,
        ("server", _) => None,
        ("suspended app" | "suspended app, no token", _) => Some((403, 99)),
        (other, _) => panic!("no expectation for {other}"),
    }
}

async fn send(front: &TestFront, route: &RouteInfo, shown: &Shown) -> Reply {
    let (_, key, token) = shown;
    let path = ["{user_id}", "{name}", "{id}"]
        .iter()
        .fold(route.path.to_owned(), |path, parameter| path.replace(parameter, "somebody"));
    let query = key.map_or_else(String::new, |key| format!("?api_key={key}"));
    let mut request = Request::new(route.method, &format!("{path}{query}")).body("{}");
    if let Some(token) = token {
        request = request.header("authorization", token).header("stream-auth-type", "jwt");
    }
    front.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_whom_its_table_line_names() {
    // There are more of them than one address may have refused in a minute.
    let front = TestFront::start_with(|options| options.refused_tokens = u32::MAX).await;
    front.create_app("other", "other-secret").await;
    front.create_app("suspended", "third-secret").await;
    front.operate(|tx, ctx| apps::suspend(tx, ctx, "suspended", "unpaid")).await.unwrap();
    front.call("POST", "/api/v2/users", &json!({"users": {"alice": {}}})).await;
    let mut pairs = 0;
    for route in routes() {
        for shown in credentials() {
            let reply = send(&front, &route, &shown).await;
            let context = format!("{} {} with {}", route.method, route.path, shown.0);
            match expected(shown.0, route.credential) {
                Some((status, code)) => {
                    let (found_status, found_code, message) = reply.refusal();
                    assert_eq!((found_status, found_code), (status, code), "{context}: {message}");
                    assert!(
                        message.starts_with(&format!("{} failed with error: \"", route.operation)),
                        "{message}"
                    );
                }
                // Let in: whatever is wrong from here on is not the credential.
                None if shown.0.starts_with("user") => {
                    // What it may do is another question, and another test.
                    assert_ne!(reply.status, 401, "{context}: {:?}", reply.json());
                }
                None => assert!(![401, 403].contains(&reply.status), "{context}: {:?}", reply.json()),
            }
            pairs += 1;
        }
    }
    assert_eq!(pairs, routes().count() * credentials().len());
    let scope = storage::find::Scope { app: model::AppKey(1), now: front.now() };
    let users = front.store().read(move |tx| storage::find::find(tx, scope, &everyone())).await;
    let users: Result<_, storage::Error> = users;
    assert_eq!(users.unwrap().len(), 1, "nobody who was refused has changed anything");
}

fn everyone() -> model::UserQuery {
    let page = model::Page::new(Some(100), None).unwrap();
    model::UserQuery {
        filter: model::Filter::everybody(),
        sort: model::Sort::newest_first(),
        include_deactivated: true,
        page,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_ways_to_authenticate_are_refused() {
    let front = TestFront::start().await;
    let target = format!("/api/v2/app?api_key={KEY}");
    let ask = |kind: &str, token: &str| {
        front.send(
            Request::new("GET", &target).header("Stream-Auth-Type", kind).header("Authorization", token),
        )
    };
    let server = server_token(SECRET);
    assert_eq!(ask("jwt", &server).await.status, 200);
    assert_eq!(ask("JWT", &server).await.status, 200);
    let (status, code, message) = ask("carrier-pigeon", &server).await.refusal();
    assert_eq!((status, code), (401, 5));
    assert_eq!(
        message,
        r#"GetApp failed with error: "the header Stream-Auth-Type must be jwt or anonymous, got 'carrier-pigeon'""#
    );
    let (status, code, message) = ask("jwt", &format!("Bearer {server}")).await.refusal();
    assert_eq!((status, code), (401, 5), "{message}");
    let bare = front.send(Request::new("GET", &target).header("Authorization", &server)).await;
    assert_eq!(bare.status, 200, "the header Stream-Auth-Type may be left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_and_a_suspension_take_effect_at_once() {
    let front = TestFront::start().await;
    let with = async |secret: &str| {
        let request = Request::new("GET", &format!("/api/v2/app?api_key={KEY}"));
        let reply = front.send(request.header("Authorization", &server_token(secret))).await;
        (reply.status, reply.json()["code"].as_i64())
    };
    assert_eq!(with(SECRET).await, (200, None));
    let second = || model::Secret::new("second".to_owned());
    front.operate(move |tx, ctx| apps::rotate(tx, ctx, KEY, &second())).await.unwrap();
    assert_eq!((with(SECRET).await, with("second").await), ((200, None), (200, None)));
    front.operate(|tx, ctx| apps::finish_rotation(tx, ctx, KEY)).await.unwrap();
    assert_eq!((with(SECRET).await, with("second").await), ((401, Some(43)), (200, None)));
    front.operate(|tx, ctx| apps::suspend(tx, ctx, KEY, "")).await.unwrap();
    assert_eq!(with("second").await, (403, Some(99)));
    front.operate(|tx, ctx| apps::resume(tx, ctx, KEY)).await.unwrap();
    assert_eq!(with("second").await, (200, None));
}
