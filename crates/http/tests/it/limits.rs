//! Rate limits over the wire (v2 1.7, 2.6; semantics 17).

use std::collections::BTreeMap;

use headwater_testkit::client::Request;
use headwater_testkit::{KEY, SECRET, TestFront, server_token};
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000_000;

async fn limited() -> TestFront {
    TestFront::start_with(|options| {
        options.rate_limits = BTreeMap::from([("GetApp".to_owned(), 2), ("UpdateApp".to_owned(), 100)]);
        options.refused_tokens = 2;
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_call_after_the_last_is_refused_until_the_window_ends() {
    let front = limited().await;
    front.clock().advance(50 * SECOND);
    for remaining in ["1", "0"] {
        let reply = front.get("/api/v2/app").await;
        assert_eq!((reply.status, reply.header("x-ratelimit-limit")), (200, Some("2")));
        assert_eq!(reply.header("x-ratelimit-remaining"), Some(remaining));
    }
    let refused = front.get("/api/v2/app").await;
    let message = r#"GetApp failed with error: "Too many requests: 2 a minute are allowed""#.to_owned();
    assert_eq!(refused.refusal(), (429, 9, message));
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert_eq!(refused.header("x-ratelimit-reset"), Some("1704067260"));
    assert_eq!(front.get("/api/v2/users").await.status, 200, "other operations have other windows");
    front.clock().advance(10 * SECOND);
    assert_eq!(front.get("/api/v2/app").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_have_windows_and_limits_of_their_own() {
    let front = limited().await;
    front.create_app("other", "other-secret").await;
    let other = || {
        let request = Request::new("GET", "/api/v2/app?api_key=other");
        front.send(request.header("Authorization", &server_token("other-secret")))
    };
    for _ in 0..3 {
        front.get("/api/v2/app").await;
    }
    assert_eq!((front.get("/api/v2/app").await.status, other().await.status), (429, 200));
    let raised = json!({"headwater": {"rate_limits": {"GetApp": 1000}}});
    assert_eq!(front.call("PATCH", "/api/v2/app", &raised).await.status, 200);
    let reply = front.get("/api/v2/app").await;
    assert_eq!((reply.status, reply.header("x-ratelimit-limit")), (200, Some("1000")));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_can_be_read() {
    let front = limited().await;
    front.get("/api/v2/app").await;
    let all = front.get("/api/v2/rate_limits").await.json();
    let platforms: Vec<_> = all.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(platforms, ["duration", "android", "ios", "server_side", "unity", "web"]);
    let reset = 1_704_067_260;
    assert_eq!(all["server_side"]["GetApp"], json!({"limit": 2, "remaining": 1, "reset": reset}));
    assert_eq!(all["web"]["GetApp"], json!({"limit": 2, "remaining": 2, "reset": reset}));
    let off = json!({"limit": 2_147_483_647, "remaining": 2_147_483_647, "reset": reset});
    assert_eq!(all["server_side"]["UpdateUsers"], off);

    let path = "/api/v2/rate_limits?server_side=true&ios=true&web=false&endpoints=GetApp%2CSendMessage";
    let some = front.get(path).await.json();
    let keys = |platform: &str| -> Vec<String> {
        some[platform].as_object().map(|limits| limits.keys().cloned().collect()).unwrap_or_default()
    };
    assert_eq!(
        (keys("server_side"), keys("ios")),
        (vec!["GetApp".into(), "SendMessage".into()], keys("ios"))
    );
    assert_eq!((keys("ios").len(), some.get("web")), (2, None::<&Value>));

    let (status, code, message) = front.get("/api/v2/rate_limits?web=yes").await.refusal();
    let expected = r#"GetRateLimits failed with error: "web: must be true or false""#;
    assert_eq!((status, code, message.as_str()), (400, 4, expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_tokens_are_limited_by_address_and_good_ones_are_not() {
    let front = limited().await;
    let guess = || {
        let request = Request::new("GET", &format!("/api/v2/users?api_key={KEY}"));
        front.send(request.header("Authorization", &server_token("guessed")))
    };
    assert_eq!((guess().await.status, guess().await.status), (401, 401));
    let refused = guess().await;
    assert_eq!((refused.status, refused.refusal().1, refused.header("retry-after")), (429, 9, Some("60")));
    assert!(refused.refusal().2.contains("Too many requests"));
    assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
    let good = Request::new("GET", &format!("/api/v2/users?api_key={KEY}"));
    assert_eq!(front.send(good.header("Authorization", &server_token(SECRET))).await.status, 200);
    front.clock().advance(60 * SECOND);
    assert_eq!(guess().await.status, 401);
}
