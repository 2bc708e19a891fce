//! Lists of words over the wire (v2 2.7).

use headwater_testkit::client::{Reply, Request};
use headwater_testkit::{KEY, SECRET, TestFront, token};
use serde_json::{Value, json};

const NOW: i64 = 1_704_067_200_000_000_000;

/// Sends JSON as the user `who`.
pub(crate) async fn send_as(front: &TestFront, who: &str, method: &str, path: &str, body: &Value) -> Reply {
    let separator = if path.contains('?') { '&' } else { '?' };
    let request = Request::new(method, &format!("{path}{separator}api_key={KEY}"))
        .header("Authorization", &token(SECRET, json!({"user_id": who, "iat": NOW / 1_000_000_000})))
        .header("Stream-Auth-Type", "jwt");
    front.send(if method == "GET" { request } else { request.body(body.to_string()) }).await
}

/// An answer without its duration, and its status.
pub(crate) fn told(reply: &Reply) -> (u16, Value) {
    let mut body = reply.json();
    let duration = body.as_object_mut().unwrap().remove("duration");
    assert!(duration.is_some_and(|duration| duration.is_string()));
    (reply.status, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_lives_from_its_making_to_its_deletion() {
    let front = TestFront::start().await;
    front.clock().advance(7);
    let create = json!({"name": "rude words/1", "words": ["one", "two", "three", "one"], "is_leet_check_enabled": true});
    let made = front.call("POST", "/api/v2/blocklists", &create).await;
    let id = made.json()["blocklist"]["id"].clone();
    assert_eq!(id.as_str().map(str::len), Some(36));
    let mut expected = json!({"id": id, "name": "rude words/1", "type": "word", "words": ["one", "two", "three"],
        "is_confusable_folding_enabled": false, "is_leet_check_enabled": true, "is_plural_check_enabled": false,
        "is_substring_matching_enabled": false, "created_at": NOW + 7, "updated_at": NOW + 7});
    assert_eq!(told(&made), (201, json!({"blocklist": expected})));

    front.clock().advance(1);
    let path = "/api/v2/blocklists/rude+words%2F1";
    let change = json!({"words": ["one", "two", "three", "four"], "is_leet_check_enabled": false,
        "is_substring_matching_enabled": true, "name": "ignored"});
    let changed = front.call("PUT", path, &change).await;
    expected["words"] = json!(["one", "two", "three", "four"]);
    expected["is_leet_check_enabled"] = json!(false);
    expected["is_substring_matching_enabled"] = json!(true);
    expected["updated_at"] = json!(NOW + 8);
    assert_eq!(told(&changed), (200, json!({"blocklist": expected})));
    assert_eq!(told(&front.get(path).await), (200, json!({"blocklist": expected})));
    assert_eq!(told(&front.get("/api/v2/blocklists").await), (200, json!({"blocklists": [expected]})));
    assert_eq!(told(&front.call("DELETE", path, &json!(null)).await), (200, json!({})));
    assert_eq!(told(&front.get("/api/v2/blocklists").await), (200, json!({"blocklists": []})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_leads_from_page_to_page() {
    let front = TestFront::start().await;
    for (name, team) in [("b", ""), ("a", "red"), ("a", "")] {
        let create = json!({"name": name, "words": [], "team": team, "type": "domain_allowlist"});
        assert_eq!(front.call("POST", "/api/v2/blocklists", &create).await.status, 201);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = front.get(&format!("/api/v2/blocklists?limit=2&cursor={cursor}")).await.json();
        seen.extend(
            page["blocklists"]
                .as_array()
                .unwrap()
                .iter()
                .map(|list| (list["name"].clone(), list["team"].clone())),
        );
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(seen, [(json!("a"), Value::Null), (json!("b"), Value::Null), (json!("a"), json!("red"))]);
    let of_team = front.get("/api/v2/blocklists?team=red").await.json();
    assert_eq!(of_team["blocklists"].as_array().map(Vec::len), Some(1));
    assert_eq!(of_team["blocklists"][0]["type"], "domain_allowlist");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_what_is_wrong() {
    let front = TestFront::start().await;
    let users = json!({"users": {"alice": {"role": "admin"}, "bob": {}, "carol": {}}});
    assert_eq!(front.call("POST", "/api/v2/users", &users).await.status, 201);
    assert_eq!(front.call("POST", "/api/v2/users/carol/deactivate", &json!({})).await.status, 200);
    let rude = json!({"name": "rude", "words": ["one"]});
    assert_eq!(front.call("POST", "/api/v2/blocklists", &rude).await.status, 201);
    let create = |body: Value| ("POST", "/api/v2/blocklists", body, "CreateBlockList");
    let by = |author: Value| {
        let mut body = json!({"words": ["two"]});
        body.as_object_mut().unwrap().extend(author.as_object().unwrap().clone());
        ("PUT", "/api/v2/blocklists/rude", body, "UpdateBlockList")
    };
    let list = |path: &'static str| ("GET", path, json!(null), "ListBlockLists");
    for ((method, path, body, operation), status, message) in [
        (create(json!({"words": []})), 400, "name: is required: the name of the list to make"),
        (create(json!({"name": "", "words": []})), 400, "name: must have 1 to 255 bytes, has 0"),
        (
            create(json!({"name": "..", "words": []})),
            400,
            "name: '..' means something else in a path; choose another name",
        ),
        (
            create(rude.clone()),
            400,
            "name: the block list 'rude' exists; choose another name, or another team",
        ),
        (create(json!({"name": "new"})), 400, "words: is required: the words of the list"),
        (create(json!({"name": "new", "words": ["a", ""]})), 400, "words.1: must not be empty"),
        (
            create(json!({"name": "new", "words": {"a": 1}})),
            400,
            "words: must be an array of strings, got an object",
        ),
        (
            create(json!({"name": "new", "words": vec!["a"; 10_001]})),
            400,
            "words: a list may have at most 10000 words, got 10001",
        ),
        (
            create(json!({"name": "new", "words": ["a".repeat(262_145)]})),
            400,
            "words: the words of a list may come to 262144 bytes, got 262145",
        ),
        (
            create(json!({"name": "new", "words": [], "type": "words"})),
            400,
            "type: must be one of word, regex, domain, domain_allowlist, email, email_allowlist",
        ),
        (
            by(json!({"user_id": "bob", "user": {"id": "alice"}})),
            400,
            "user.id: is 'alice', user_id is 'bob'; give one of them",
        ),
        (by(json!({"user": {"name": "Bob"}})), 400, "user.id: is required: who acts"),
        (by(json!({"user_id": "nobody"})), 404, "the user nobody does not exist"),
        (by(json!({"user_id": "carol"})), 404, "the user carol was deactivated"),
        (
            ("DELETE", "/api/v2/blocklists/rude?user_id=a+b", json!(null), "DeleteBlockList"),
            400,
            "user_id: may have letters, digits, '@', '_' and '-' only, got 'a b'",
        ),
        (
            ("DELETE", "/api/v2/blocklists/rude?team=red", json!(null), "DeleteBlockList"),
            404,
            "the block list 'rude' does not exist",
        ),
        (
            ("GET", "/api/v2/blocklists/nice", json!(null), "GetBlockList"),
            404,
            "the block list 'nice' does not exist",
        ),
        (list("/api/v2/blocklists?limit=0"), 400, "limit: must be 1 to 100, got 0"),
        (list("/api/v2/blocklists?limit=101"), 400, "limit: must be 1 to 100, got 101"),
        (list("/api/v2/blocklists?cursor=x"), 400, "cursor: must be the next_cursor of an earlier answer"),
    ] {
        let reply =
            if method == "GET" { front.get(path).await } else { front.call(method, path, &body).await };
        let code = if status == 404 { 16 } else { 4 };
        let message = format!("{operation} failed with error: \"{message}\"");
        assert_eq!(reply.refusal(), (status, code, message), "{method} {path}");
    }
    let denied = send_as(&front, "bob", "GET", "/api/v2/blocklists", &json!(null)).await;
    let message = "ListBlockLists failed with error: \"User 'bob' with role 'user' is not allowed to perform action ReadBlockLists\"";
    assert_eq!(denied.refusal(), (403, 17, message.to_owned()));
    let other = send_as(&front, "alice", "PUT", "/api/v2/blocklists/rude", &json!({"user_id": "bob"})).await;
    let message = "UpdateBlockList failed with error: \"user_id: a user token acts as its own user, 'alice'; leave it out\"";
    assert_eq!(other.refusal(), (403, 17, message.to_owned()));
    let words = front.get("/api/v2/blocklists/rude").await.json()["blocklist"]["words"].clone();
    assert_eq!(words, json!(["one"]), "nothing was changed");
    let own = send_as(&front, "alice", "PUT", "/api/v2/blocklists/rude", &json!({"words": []})).await;
    assert_eq!((own.status, own.json()["blocklist"]["words"].clone()), (200, json!([])));
}
