//! The OpenAPI document says what the server does; its page shows what it says.

mod chat;
mod deletion;
mod exports;
mod moderation;
mod sets;
mod social;
mod tasks;
mod validator;

use std::collections::BTreeSet;
use std::path::Path;

use headwater_testkit::TestFront;
use headwater_testkit::client::{Reply, Request};
use serde_json::{Value, json};

use validator::{Side, Validator};

async fn plain(front: &TestFront, path: &str) -> Reply {
    front.send(Request::new("GET", path)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_the_one_that_was_reviewed() {
    let front = TestFront::start().await;
    let reply = plain(&front, "/openapi.json").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    let served = String::from_utf8(reply.body).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("HEADWATER_UPDATE").is_some_and(|update| update == "1") {
        std::fs::write(&path, &served).unwrap();
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = served.lines().zip(reviewed.lines()).position(|(served, reviewed)| served != reviewed);
    assert!(
        served == reviewed,
        "docs/openapi.json differs from what is served, from line {} on; run the test with HEADWATER_UPDATE=1 to \
         rewrite it, and review the change",
        differs.unwrap_or(0) + 1
    );
}

/// A front, its document, and what its answers have shown so far.
struct Witness {
    front: TestFront,
    document: Value,
    operations: BTreeSet<String>,
    seen: BTreeSet<String>,
}

impl Witness {
    async fn start() -> Self {
        let front = TestFront::start().await;
        let document = plain(&front, "/openapi.json").await.json();
        Self { front, document, operations: BTreeSet::new(), seen: BTreeSet::new() }
    }

    /// Sends a request and holds it, unless it is to be refused, and its answer to the document.
    async fn call(&mut self, operation: &str, path: &str, body: Value) -> Value {
        let (method, described) = self.find(operation);
        let reply = match method.as_str() {
            "GET" => self.front.get(path).await,
            method => self.front.call(method, path, &body).await,
        };
        let refused = reply.status >= 400;
        if !refused && method != "GET" {
            let schema = &described["requestBody"]["content"]["application/json"]["schema"];
            let checked = Validator::new(&self.document, Side::Request).check(schema, &body);
            checked.unwrap_or_else(|problem| panic!("{operation} takes what is not described: {problem}"));
        }
        self.operations.insert(operation.to_owned());
        let response = match refused {
            true => &self.document["components"]["responses"]["Refused"],
            false => &described["responses"][reply.status.to_string()],
        };
        let schema = &response["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{operation} is not described for {}: {:?}", reply.status, reply.json());
        for (name, _) in response["headers"].as_object().unwrap() {
            assert!(reply.header(name).is_some(), "{operation}: {name}");
        }
        let answer = reply.json();
        let mut validator = Validator::new(&self.document, Side::Answer);
        let checked = validator.check(schema, &answer);
        checked.unwrap_or_else(|problem| panic!("{operation} answers what is not described: {problem}"));
        self.seen.append(&mut validator.seen);
        answer
    }

    /// Asks for users, holding the payload to the document.
    async fn query(&mut self, payload: Value) -> Value {
        self.check_payload("QueryUsers", &payload);
        let encoded: String = payload.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = self.call("QueryUsers", &format!("/api/v2/users?payload={encoded}"), Value::Null).await;
        assert!(answer["users"].is_array(), "{payload}: {answer}");
        answer
    }

    /// Holds the query parameter `payload` of an operation to the document.
    fn check_payload(&self, operation: &str, payload: &Value) {
        let (_, described) = self.find(operation);
        let schema = &described["parameters"][0]["content"]["application/json"]["schema"];
        let checked = Validator::new(&self.document, Side::Request).check(schema, payload);
        checked.unwrap_or_else(|problem| panic!("{payload} is not described: {problem}"));
    }

    fn find(&self, operation: &str) -> (String, Value) {
        let methods =
            self.document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
        let (method, found) =
            methods.into_iter().find(|(_, described)| described["operationId"] == operation).unwrap();
        (method.to_uppercase(), found.clone())
    }
}

/// Fields that no answer can have yet.
const NOT_YET: &[&str] = &[
    "UserResponse.deleted_at",
    "FullUserResponse.deleted_at",
    "OwnUserResponse.deleted_at",
    "OwnUserResponse.deactivated_at",
    "DeviceResponse.disabled",
    "DeviceResponse.disabled_reason",
    "APIError.unrecoverable",
];

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_answers_are_as_described() {
    let mut witness = Witness::start().await;
    apps(&mut witness).await;
    roles(&mut witness).await;
    users(&mut witness).await;
    tasks::tasks(&mut witness).await;
    sets::sets(&mut witness).await;
    queries(&mut witness).await;
    social::social(&mut witness).await;
    access(&mut witness).await;
    moderation::moderation(&mut witness).await;
    chat::chat(&mut witness).await;
    deletion::deletion(&mut witness).await;
    exports::exports(&mut witness).await;

    let every: BTreeSet<String> = headwater_http::operation_names().map(str::to_owned).collect();
    assert_eq!(witness.operations, every, "every operation is called here");
    let types = witness.document["components"]["schemas"].as_object().unwrap();
    let mut unseen = Vec::new();
    for (name, schema) in types.iter().filter(|(name, _)| is_of_answers(name)) {
        for field in schema["properties"].as_object().into_iter().flatten().map(|(field, _)| field) {
            let field = format!("{name}.{field}");
            if !witness.seen.contains(&field) && !NOT_YET.contains(&field.as_str()) {
                unseen.push(field);
            }
        }
    }
    assert_eq!(unseen, [""; 0], "described, and in no answer");
}

/// Types that are in answers, by their names.
fn is_of_answers(name: &str) -> bool {
    let of_requests = ["Request", "Payload", "Filter", "Operators", "FilterConditions", "Input"];
    name != "FeedsPreferences" && !of_requests.iter().any(|end| name.ends_with(end))
}

async fn apps(witness: &mut Witness) {
    witness.call("GetApp", "/api/v2/app", Value::Null).await;
    // Every setting that can be changed, with a value that its own description allows.
    let mut update = json!({});
    let described = &witness.document["components"]["schemas"]["UpdateAppRequest"]["properties"];
    for (name, schema) in described.as_object().unwrap() {
        update[name] = example(&witness.document, schema);
    }
    // Names stay free for the users below, and calls unlimited.
    update["enforce_unique_usernames"] = json!("no");
    update["headwater"] =
        json!({"replace_security_fields": "keep", "user_size_limit": 9000, "rate_limits": {}});
    let update = witness.call("UpdateApp", "/api/v2/app", update).await;
    assert!(update["duration"].is_string() && update.get("code").is_none(), "{update}");
    witness.call("GetApp", "/api/v2/app", Value::Null).await;
    witness
        .call("UpdateApp", "/api/v2/app", json!({"revoke_tokens_issued_before": null, "grants": {}}))
        .await;
    witness.call("GetApp", "/api/v2/app", Value::Null).await;
    witness.call("UpdateApp", "/api/v2/app", json!({"multi_tenant_enabled": "yes"})).await;
    witness.call("GetRateLimits", "/api/v2/rate_limits", Value::Null).await;
    witness.call("GetRateLimits", "/api/v2/rate_limits?web=true&endpoints=GetApp", Value::Null).await;
}

/// A value that a schema allows, with every field there is.
fn example(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return example(document, document.pointer(reference.trim_start_matches('#')).unwrap());
    }
    if let Some(choice) = schema["enum"].get(0).or_else(|| schema["anyOf"].get(0)) {
        return if choice.is_object() { example(document, choice) } else { choice.clone() };
    }
    let kind = schema["type"].get(0).unwrap_or(&schema["type"]).as_str().unwrap();
    match kind {
        "string" if schema["format"] == "date-time" => json!("2023-01-01T00:00:00Z"),
        "string" => json!("text"),
        "integer" => json!(7),
        "boolean" => json!(false),
        "array" => json!([example(document, &schema["items"])]),
        _ => {
            let mut object = json!({});
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                object[name] = example(document, property);
            }
            if schema["additionalProperties"].is_object() {
                object["user"] = example(document, &schema["additionalProperties"]);
            }
            object
        }
    }
}

async fn roles(witness: &mut Witness) {
    witness.call("CreateRole", "/api/v2/roles", json!({"name": "captain"})).await;
    witness.call("CreateRole", "/api/v2/roles", json!({"name": "Captain"})).await;
    witness.call("ListRoles", "/api/v2/roles", Value::Null).await;
    witness.call("SearchRoles", "/api/v2/roles/search?query=c&limit=5", Value::Null).await;
    witness.call("SearchRoles", "/api/v2/roles/search", Value::Null).await;
    witness.call("DeleteRole", "/api/v2/roles/captain", Value::Null).await;
    witness.call("ListPermissions", "/api/v2/permissions", Value::Null).await;
    witness.call("GetPermission", "/api/v2/permissions/create-channel", Value::Null).await;
    witness.call("GetPermission", "/api/v2/permissions/fly", Value::Null).await;
}

async fn users(witness: &mut Witness) {
    let alice = json!({"id": "alice", "name": "Alice", "image": "link", "role": "admin", "language": "en-GB",
        "teams": ["red"], "teams_role": {"red": "admin"}, "invisible": true, "unknown": [1],
        "custom": {"a": [1.5, "x", null, {"b": false}]},
        "privacy_settings": {"typing_indicators": {"enabled": false}, "read_receipts": {"enabled": true},
            "delivery_receipts": {"enabled": true}}});
    let both = json!({"users": {"alice": alice, "bob": {"name": null, "teams": null}}});
    witness.call("UpdateUsers", "/api/v2/users", both.clone()).await;
    witness.call("UpdateUsers", "/api/v2/users", both).await;
    witness.call("UpdateUsers", "/api/v2/users", json!({"users": {"alice": {"name": 1}}})).await;
    let set = json!({"revoke_tokens_issued_before": "2023-01-01T00:00:00Z", "privacy_settings.read_receipts": false});
    let patches =
        json!({"users": [{"id": "alice", "set": set}, {"id": "bob", "unset": ["name"], "set": null}]});
    witness.call("UpdateUsersPartial", "/api/v2/users", patches).await;
    witness.call("UpdateUsersPartial", "/api/v2/users", json!({"users": [{"id": "nobody"}]})).await;
    let request =
        json!({"created_by_id": "bob", "mark_messages_deleted": true, "mark_channels_deleted": null});
    witness.call("DeactivateUser", "/api/v2/users/alice/deactivate", request).await;
    witness.query(json!({"include_deactivated_users": true})).await;
    let request = json!({"created_by_id": "bob", "name": "A.", "restore_messages": true});
    witness.call("ReactivateUser", "/api/v2/users/alice/reactivate", request).await;
}

async fn access(witness: &mut Witness) {
    let guest = json!({"user": {"id": "visitor", "name": "Vi", "image": "link", "custom": {"a": 1}}});
    witness.call("CreateGuest", "/api/v2/guest", guest).await;
    witness.call("CreateGuest", "/api/v2/guest", json!({"user": {}})).await;
    for question in ["action=BanUser", "user_id=alice&action=BanUser&resource=user:bob", "action=Fly"] {
        witness
            .call("ExplainPermission", &format!("/api/v2/permissions/explain?{question}"), Value::Null)
            .await;
    }
}

async fn queries(witness: &mut Witness) {
    for conditions in [
        json!({"id": "alice"}),
        json!({"address": {"zip": "0150", "city": {"name": "Oslo"}}}),
        json!({"teams": {}, "custom.a.b": null}),
        json!({"id": {"$in": ["alice", "bob"]}, "created_at": {"$gte": "2023-01-01T00:00:00Z", "$lt": 7}}),
        json!({"$or": [{"name": {"$autocomplete": "al"}}, {"$and": [{"age": {"$gt": 1.5}}, {"$nor": [{"a": [1]}]}]}]}),
        json!({"teams": {"$contains": "red"}, "a": {"$exists": true}, "b": {"$ne": null}, "name": {"$q": "a"}}),
    ] {
        witness.query(json!({ "filter_conditions": conditions })).await;
    }
    let sort = json!([{"field": "age", "direction": -1, "type": "number"}, {"field": "name"}]);
    witness.query(json!({"sort": sort, "limit": 100, "offset": 1000, "presence": true})).await;
    witness.query(json!({"filter_conditions": null, "id_gt": "a", "user_id": "alice"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_not_described() {
    let witness = Witness::start().await;
    for (name, value) in [
        ("QueryUsersPayload", json!({"limit": 101})),
        ("QueryUsersPayload", json!({"limit": -1})),
        ("QueryUsersPayload", json!({"filter_conditions": {"$or": [{"$and": [{"a": {"$regex": "x"}}]}]}})),
        ("QueryUsersPayload", json!({"sort": [{}]})),
        ("UpdateUsersRequest", json!({})),
        ("UpdateUsersPartialRequest", json!({"users": [{"set": {}}]})),
        ("UpdateAppRequest", json!({"headwater": {"colour": 1}})),
        ("UpdateAppRequest", json!({"enforce_unique_usernames": "all"})),
    ] {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        assert!(Validator::new(&witness.document, Side::Request).check(&schema, &value).is_err(), "{value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_another_field_or_one_less_is_not_as_described() {
    let witness = Witness::start().await;
    let schema = json!({"$ref": "#/components/schemas/ListRolesResponse"});
    let answer = json!({"duration": "1ms", "roles": [{"name": "a", "custom": true, "scopes": [], "created_at": 1,
        "updated_at": 2}]});
    let check = |answer: &Value| Validator::new(&witness.document, Side::Answer).check(&schema, answer);
    assert_eq!(check(&answer), Ok(()));
    let mut more = answer.clone();
    more["roles"][0]["colour"] = json!("red");
    assert_eq!(check(&more).unwrap_err(), ".roles.0.colour: is not described");
    let mut less = answer.clone();
    less["roles"][0].as_object_mut().unwrap().remove("scopes");
    assert_eq!(check(&less).unwrap_err(), ".roles.0: scopes is missing");
    let mut other = answer;
    other["roles"][0]["created_at"] = json!("2024-01-01T00:00:00Z");
    assert!(check(&other).unwrap_err().starts_with(".roles.0.created_at: is not"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_everything_and_asks_nobody() {
    let front = TestFront::start().await;
    let reply = plain(&front, "/docs").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = reply.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'unsafe-inline'"), "{policy}");
    let page = String::from_utf8(reply.body).unwrap();
    for foreign in ["http:", "https:", "src=", "<script", "<link", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    for operation in headwater_http::operation_names() {
        assert!(page.contains(&format!("<section id=\"{operation}\">")), "{operation}");
    }
    let document = plain(&front, "/openapi.json").await.json();
    for (name, _) in document["components"]["schemas"].as_object().unwrap() {
        assert!(page.contains(&format!("id=\"type-{name}\"")), "{name}");
    }
    // Every link within the page leads somewhere.
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
    }
    let post = front.send(Request::new("POST", "/docs")).await;
    assert_eq!(post.status, 404, "there is nothing else at this path");
}
