//! Who is let in: revocation, standing, developer tokens, anonymous callers and guests, on each engine.

use std::time::Duration;

use headwater_testkit::client::Request;
use headwater_testkit::{Engine, KEY, SECRET, TestFront, on_each_engine, token};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SECOND: i64 = 1_000_000_000;

async fn front(engine: Engine) -> TestFront {
    let front = TestFront::start_on(engine).await;
    let made =
        front.call("POST", "/api/v2/users", &json!({"users": {"alice": {"name": "Alice"}, "bob": {}}})).await;
    assert_eq!(made.status, 201);
    front
}

/// What the user of `token` is answered when it asks for users: 200, or a refusal.
async fn asks(front: &TestFront, token: &str) -> Result<(), (u16, i64, String)> {
    let reply = front.call_with(token, "GET", "/api/v2/users", &Value::Null).await;
    if reply.status == 200 { Ok(()) } else { Err(reply.refusal()) }
}

fn revoked() -> Result<(), (u16, i64, String)> {
    let text = "QueryUsers failed with error: \"This token has been revoked, please generate a new token\"";
    Err((401, 40, text.to_owned()))
}

async fn revoke(front: &TestFront, method: &str, path: &str, body: Value) {
    let reply = front.call(method, path, &body).await;
    assert_eq!(reply.status, 200, "{:?}", reply.json());
}

async fn tokens_of_a_user_are_revoked_for_the_very_next_request(engine: Engine) {
    let front = front(engine).await;
    let second = front.now().seconds();
    let issued = |at: i64| token(SECRET, json!({"user_id": "alice", "iat": at}));
    let ageless = token(SECRET, json!({"user_id": "alice"}));
    assert_eq!((asks(&front, &issued(second)).await, asks(&front, &ageless).await), (Ok(()), Ok(())));

    // The moment is half a second later than the token: full precision, and what is as old as the moment stays.
    let half = front.now().nanoseconds() + SECOND / 2;
    let change =
        |moment: Value| json!({"users": [{"id": "alice", "set": {"revoke_tokens_issued_before": moment}}]});
    revoke(&front, "PATCH", "/api/v2/users", change(json!(half))).await;
    assert_eq!(asks(&front, &issued(second)).await, revoked());
    assert_eq!(asks(&front, &ageless).await, revoked(), "a token that does not say when it was issued");
    assert_eq!(asks(&front, &issued(second + 1)).await, Ok(()));
    assert_eq!(asks(&front, &front.user_token("bob")).await, Ok(()), "somebody else");

    revoke(&front, "PATCH", "/api/v2/users", change(Value::Null)).await;
    assert_eq!((asks(&front, &issued(second)).await, asks(&front, &ageless).await), (Ok(()), Ok(())));
}

async fn all_tokens_of_an_app_are_revoked_but_those_of_servers(engine: Engine) {
    let front = front(engine).await;
    let old = front.user_token("alice");
    let ageless = token(SECRET, json!({"user_id": "bob"}));
    assert_eq!(asks(&front, &old).await, Ok(()));
    front.clock().advance(5 * SECOND);
    let now = json!({"revoke_tokens_issued_before": front.now().nanoseconds()});
    revoke(&front, "PATCH", "/api/v2/app", now).await;
    assert_eq!((asks(&front, &old).await, asks(&front, &ageless).await), (revoked(), revoked()));
    assert_eq!(asks(&front, &front.user_token("alice")).await, Ok(()), "a new one");
    let anonymous = token(SECRET, json!({"user_id": "!anon", "call_cids": ["default:a"]}));
    assert_eq!(asks(&front, &anonymous).await, revoked());
    revoke(&front, "PATCH", "/api/v2/app", json!({"revoke_tokens_issued_before": null})).await;
    assert_eq!((asks(&front, &old).await, asks(&front, &ageless).await), (Ok(()), Ok(())));
}

async fn a_deactivated_or_unknown_user_is_refused_everything(engine: Engine) {
    let front = front(engine).await;
    let alice = front.user_token("alice");
    assert_eq!(asks(&front, &alice).await, Ok(()));
    front.call("POST", "/api/v2/users/alice/deactivate", &json!({})).await;
    let gone = |text: &str| Err((404, 16, format!("QueryUsers failed with error: \"{text}\"")));
    assert_eq!(asks(&front, &alice).await, gone("the user alice was deactivated"));
    // Whoever is not let in learns nothing of what else is wrong with the request.
    let reply = front.call_with(&alice, "POST", "/api/v2/users", &json!({"users": 7})).await;
    let (status, code, message) = reply.refusal();
    assert_eq!((status, code), (404, 16), "{message}");
    front.call("POST", "/api/v2/users/alice/reactivate", &json!({})).await;
    assert_eq!(asks(&front, &alice).await, Ok(()), "the old token works again (semantics 9.16)");
    assert_eq!(asks(&front, &front.user_token("nobody")).await, gone("the user nobody does not exist"));
}

async fn whoever_is_shut_out_hears_that_before_all_else(engine: Engine) {
    let front = front(engine).await;
    let alice = front.user_token("alice");
    front.call("POST", "/api/v2/users/alice/deactivate", &json!({})).await;
    // On a route for servers.
    let refused = front.call_with(&alice, "GET", "/api/v2/app", &Value::Null).await.refusal();
    assert_eq!((refused.0, refused.1), (404, 16), "{}", refused.2);
    // And it uses up nobody's calls.
    front.call("PATCH", "/api/v2/app", &json!({"headwater": {"rate_limits": {"QueryUsers": 2}}})).await;
    for _ in 0..4 {
        assert_eq!(asks(&front, &alice).await.unwrap_err().0, 404);
    }
    // Nor does whoever shows no token.
    for expected in [403, 403, 429] {
        let request = Request::new("GET", &format!("/api/v2/users?api_key={KEY}"));
        assert_eq!(front.send(request.header("Stream-Auth-Type", "anonymous")).await.status, expected);
    }
    let bob = front.user_token("bob");
    assert_eq!([asks(&front, &bob).await, asks(&front, &bob).await], [Ok(()), Ok(())]);
    assert_eq!(asks(&front, &bob).await.unwrap_err().0, 429);
}

async fn a_slow_body_keeps_nothing_alive(engine: Engine) {
    let front = front(engine).await;
    let promote = json!({"users": [{"id": "alice", "set": {"role": "admin"}}]});
    assert_eq!(front.call("PATCH", "/api/v2/users", &promote).await.status, 200);
    for (shut_out, status) in [
        (("PATCH", "/api/v2/users", json!({"users": [{"id": "alice", "set": {"role": "user"}}]})), 403),
        (
            (
                "PATCH",
                "/api/v2/app",
                json!({"revoke_tokens_issued_before": front.now().nanoseconds() + SECOND * 3 / 2}),
            ),
            401,
        ),
        (("POST", "/api/v2/users/alice/deactivate", json!({})), 404),
    ] {
        let body = promote.to_string();
        let head = Request::new("PATCH", &format!("/api/v2/users?api_key={KEY}"))
            .header("Authorization", &front.user_token("alice"))
            .header("Content-Length", &body.len().to_string());
        let mut slow = TcpStream::connect(front.address()).await.unwrap();
        slow.write_all(&head.to_bytes()).await.unwrap();
        slow.write_all(&body.as_bytes()[..5]).await.unwrap();
        // Until it has been let in, and longer than what it was let in by is taken for granted.
        tokio::time::sleep(Duration::from_millis(400)).await;
        let (method, path, change) = shut_out;
        assert_eq!(front.call(method, path, &change).await.status, 200, "{path}");
        front.clock().advance(SECOND);
        slow.write_all(&body.as_bytes()[5..]).await.unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
}

async fn nobody_writes_without_a_user(engine: Engine) {
    let front = front(engine).await;
    front.call("PATCH", "/api/v2/app", &json!({"disable_permissions_checks": true})).await;
    let send =
        async |request: Request| front.send(request.header("Stream-Auth-Type", "anonymous")).await.status;
    let path = format!("/api/v2/users?api_key={KEY}");
    let make = json!({"users": {"evil": {"role": "admin"}}}).to_string();
    assert_eq!(send(Request::new("POST", &path).body(make.clone())).await, 403);
    assert_eq!(send(Request::new("GET", &path)).await, 403, "the switch is for those who are somebody");
    let granted = ["create-user", "update-user", "search-user"];
    let grants = json!({"disable_permissions_checks": false, "grants": {"anonymous": granted}});
    front.call("PATCH", "/api/v2/app", &grants).await;
    assert_eq!(send(Request::new("GET", &path)).await, 200);
    assert_eq!(
        send(Request::new("POST", &path).body(make)).await,
        403,
        "nor does a grant open writing (6.2)"
    );
}

async fn a_role_counts_from_the_very_next_request(engine: Engine) {
    let front = front(engine).await;
    let alice = front.user_token("alice");
    let rename = json!({"users": [{"id": "bob", "set": {"name": "Robert"}}]});
    let (status, code, message) = front.call_with(&alice, "PATCH", "/api/v2/users", &rename).await.refusal();
    assert_eq!((status, code), (403, 17));
    let told = "UpdateUsersPartial failed with error: \"User 'alice' with role 'user' is not allowed to perform action UpdateUser\"";
    assert_eq!(message, told);
    front
        .call("PATCH", "/api/v2/users", &json!({"users": [{"id": "alice", "set": {"role": "admin"}}]}))
        .await;
    assert_eq!(front.call_with(&alice, "PATCH", "/api/v2/users", &rename).await.status, 200);
    let grants = json!({"grants": {"admin": ["search-user"]}});
    assert_eq!(front.call("PATCH", "/api/v2/app", &grants).await.status, 200);
    assert_eq!(front.call_with(&alice, "PATCH", "/api/v2/users", &rename).await.status, 403);
    assert_eq!(front.call("PATCH", "/api/v2/app", &json!({"grants": {"admin": null}})).await.status, 200);
    assert_eq!(front.call_with(&alice, "PATCH", "/api/v2/users", &rename).await.status, 200);
}

async fn developer_tokens_are_for_apps_that_check_nothing(engine: Engine) {
    let front = front(engine).await;
    let unsigned = |claims: Value| {
        let token = token("guess", claims);
        format!("{}.devtoken", token.rsplit_once('.').unwrap().0)
    };
    let alice = unsigned(json!({"user_id": "alice"}));
    assert_eq!(asks(&front, &alice).await.unwrap_err().0, 401);
    assert_eq!(front.call("PATCH", "/api/v2/app", &json!({"disable_auth_checks": true})).await.status, 200);
    assert_eq!(asks(&front, &alice).await, Ok(()));
    let server = unsigned(json!({"server": true}));
    let refused = front.call_with(&server, "GET", "/api/v2/app", &Value::Null).await.refusal();
    assert_eq!((refused.0, refused.1), (401, 5), "never a server: {}", refused.2);
    let guessed = token("guess", json!({"user_id": "alice"}));
    assert_eq!(asks(&front, &guessed).await.unwrap_err().1, 43, "a signature that is given is checked");
    assert_eq!(front.call("PATCH", "/api/v2/app", &json!({"disable_auth_checks": false})).await.status, 200);
    assert_eq!(asks(&front, &alice).await.unwrap_err().1, 5);
}

async fn anonymous_callers_need_no_token_and_none_but_theirs(engine: Engine) {
    let front = front(engine).await;
    let ask = async |token: Option<String>| {
        let path = format!("/api/v2/permissions/explain?action=Connect&api_key={KEY}");
        let request = Request::new("GET", &path).header("Stream-Auth-Type", "anonymous");
        let request = token.iter().fold(request, |request, token| request.header("Authorization", token));
        front.send(request).await
    };
    let answer = ask(None).await.json();
    assert_eq!((answer["allowed"].as_bool(), answer["user_id"].as_str()), (Some(true), Some("!anon")));
    let own = token(SECRET, json!({"user_id": "!anon"}));
    assert_eq!(ask(Some(own)).await.status, 200);
    for other in [front.user_token("alice"), token(SECRET, json!({"server": true}))] {
        let (status, code, message) = ask(Some(other)).await.refusal();
        assert_eq!((status, code), (401, 5));
        assert!(message.contains("anon auth token must have user_id claim equal to '!anon'"), "{message}");
    }
    assert_eq!(ask(Some(token("guess", json!({"user_id": "!anon"})))).await.refusal().1, 43);
}

async fn guests_come_with_a_token_of_their_own(engine: Engine) {
    let front = front(engine).await;
    let wish =
        json!({"user": {"id": "alice", "name": "Al", "role": "admin", "teams": ["red"], "custom": {"a": 1}}});
    let make = async || {
        let path = format!("/api/v2/guest?api_key={KEY}");
        front.send(Request::new("POST", &path).body(wish.to_string())).await
    };
    let (first, second) = (make().await, make().await);
    assert_eq!((first.status, second.status), (201, 201));
    let (first, second) = (first.json(), second.json());
    let id = |answer: &Value| answer["user"]["id"].as_str().unwrap().to_owned();
    assert_ne!(id(&first), id(&second), "whoever asks for an id gets one of its own");
    assert!(id(&first).starts_with("guest-") && id(&first).ends_with("-alice") && id(&first).len() == 48);
    assert_eq!((&first["user"]["role"], &first["user"]["teams"]), (&json!("guest"), &json!([])));
    assert_eq!((&first["user"]["name"], &first["user"]["custom"]), (&json!("Al"), &json!({"a": 1})));
    let token = first["access_token"].as_str().unwrap();
    assert_eq!(asks(&front, token).await, Ok(()));
    let rename = |set: Value| json!({"users": [{"id": id(&first), "set": set}]});
    assert_eq!(
        front.call_with(token, "PATCH", "/api/v2/users", &rename(json!({"name": "B"}))).await.status,
        200
    );
    let refused = front.call_with(token, "PATCH", "/api/v2/users", &rename(json!({"language": "de"}))).await;
    assert_eq!(refused.refusal().0, 403, "a guest chooses name, image and custom data");

    // A server makes a user of it, who keeps its token.
    assert_eq!(front.call("PATCH", "/api/v2/users", &rename(json!({"role": "user"}))).await.status, 200);
    assert_eq!(
        front.call_with(token, "PATCH", "/api/v2/users", &rename(json!({"language": "de"}))).await.status,
        200
    );

    for setting in ["guest_user_creation_disabled", "multi_tenant_enabled"] {
        front.call("PATCH", "/api/v2/app", &json!({ setting: true })).await;
        let (status, code, message) = make().await.refusal();
        assert_eq!((status, code), (403, 17), "{setting}: {message}");
        front.call("PATCH", "/api/v2/app", &json!({ setting: false })).await;
    }
    for (body, field) in [
        (json!({}), "user"),
        (json!({"user": {}}), "user.id"),
        (json!({"user": {"id": "a b"}}), "user.id"),
        (json!({"user": {"id": "x".repeat(213)}}), "user.id"),
        (json!({"user": {"id": "a", "custom": {"k": "x".repeat(5120)}}}), "user.custom"),
    ] {
        let reply = front.call("POST", "/api/v2/guest", &body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.json()["exception_fields"].get(field).is_some(), "{body}: {:?}", reply.json());
    }
}

async fn call_and_channel_tokens_add_access_and_never_take_any(engine: Engine) {
    let front = front(engine).await;
    let explain = async |claims: Value, action: &str, resource: &str| {
        let path = format!("/api/v2/permissions/explain?action={action}&resource={resource}");
        let reply = front.call_with(&token(SECRET, claims), "GET", &path, &Value::Null).await;
        let answer = reply.json();
        (
            answer["allowed"].as_bool().unwrap(),
            answer["grant"]["role"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let plain = json!({"user_id": "alice"});
    let calls = json!({"user_id": "alice", "call_cids": ["default:standup", "livestream:a"]});
    let host = json!({"user_id": "alice", "call_cids": ["default:standup"], "role": "host"});
    let channels = json!({"user_id": "alice", "channel_cids": ["messaging:general"]});
    let no = (false, String::new());
    let yes = |role: &str| (true, role.to_owned());
    let (call, other, channel) = ("call:default:standup", "call:default:other", "channel:messaging:general");
    assert_eq!(explain(plain.clone(), "JoinCall", call).await, no);
    assert_eq!(explain(calls.clone(), "JoinCall", call).await, yes("call_member"));
    assert_eq!(explain(calls.clone(), "JoinCall", other).await, no);
    assert_eq!(explain(calls.clone(), "JoinCall", "call:default").await, no);
    assert_eq!(explain(host.clone(), "JoinCall", call).await, yes("host"));
    assert_eq!(explain(host.clone(), "JoinCall", other).await, no);
    assert_eq!(explain(channels.clone(), "ReadChannelMembers", channel).await, yes("channel_member"));
    assert_eq!(explain(channels, "JoinCall", call).await, no);
    // What the user may do without such a token it may with one, and no more in the app.
    for claims in [plain, calls, host] {
        assert_eq!(explain(claims.clone(), "SearchUser", "app").await, yes("user"));
        assert_eq!(explain(claims, "BanUser", "app").await, no);
    }
}

on_each_engine!(
    tokens_of_a_user_are_revoked_for_the_very_next_request,
    all_tokens_of_an_app_are_revoked_but_those_of_servers,
    a_deactivated_or_unknown_user_is_refused_everything,
    whoever_is_shut_out_hears_that_before_all_else,
    a_slow_body_keeps_nothing_alive,
    nobody_writes_without_a_user,
    a_role_counts_from_the_very_next_request,
    developer_tokens_are_for_apps_that_check_nothing,
    anonymous_callers_need_no_token_and_none_but_theirs,
    guests_come_with_a_token_of_their_own,
    call_and_channel_tokens_add_access_and_never_take_any,
);

#[tokio::test]
async fn guests_are_limited_by_address_and_servers_are_not() {
    let front = TestFront::start_with(|options| options.guests = 2).await;
    let body = json!({"user": {"id": "visitor"}});
    let make = async || {
        let path = format!("/api/v2/guest?api_key={KEY}");
        front.send(Request::new("POST", &path).body(body.to_string())).await
    };
    assert_eq!([make().await.status, make().await.status], [201, 201]);
    let reply = make().await;
    let (status, code, message) = reply.refusal();
    assert_eq!((status, code), (429, 9));
    assert!(message.contains("Too many requests for guests from this address"), "{message}");
    assert!(reply.header("retry-after").is_some());
    assert_eq!(front.call("POST", "/api/v2/guest", &body).await.status, 201);
    front.clock().advance(60 * SECOND);
    assert_eq!(make().await.status, 201);
}
