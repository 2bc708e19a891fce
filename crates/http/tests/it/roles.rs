//! Roles and permissions over the wire (v2 2.4).

use headwater_testkit::TestFront;
use serde_json::{Value, json};

const NOW: i64 = 1_704_067_200_000_000_000;

async fn create(front: &TestFront, name: &str) {
    assert_eq!(front.call("POST", "/api/v2/roles", &json!({"name": name})).await.status, 201);
}

async fn found(front: &TestFront, query: &str) -> Vec<String> {
    let reply = front.get(&format!("/api/v2/roles/search?{query}")).await;
    assert_eq!(reply.status, 200, "{:?}", reply.json());
    let body = reply.json();
    let name = |role: &Value| role["name"].as_str().unwrap().to_owned();
    body["roles"].as_array().unwrap().iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_lives_from_its_making_to_its_deletion() {
    let front = TestFront::start().await;
    front.clock().advance(7);
    let made = front.call("POST", "/api/v2/roles", &json!({"name": "captain", "unknown": 1})).await;
    let expected = json!({"name": "captain", "custom": true, "scopes": [], "created_at": NOW + 7, "updated_at": NOW + 7});
    assert_eq!((made.status, &made.json()["role"]), (201, &expected));
    assert!(made.json()["duration"].is_string());

    let listed = front.get("/api/v2/roles").await.json();
    let roles = listed["roles"].as_array().unwrap();
    let built_in =
        json!({"name": "user", "custom": false, "scopes": [".app"], "created_at": NOW, "updated_at": NOW});
    assert!(roles.contains(&expected) && roles.contains(&built_in), "{listed}");
    assert_eq!(roles.len(), 12);

    // What a client sends with DELETE: the four bytes `null` (v2 1.3).
    let deleted = front.call("DELETE", "/api/v2/roles/captain", &json!(null)).await;
    assert_eq!((deleted.status, deleted.json().as_object().map(serde_json::Map::len)), (200, Some(1)));
    assert!(deleted.json()["duration"].is_string());
    assert_eq!(front.get("/api/v2/roles").await.json()["roles"].as_array().unwrap().len(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_follow_the_grants_of_the_app() {
    let front = TestFront::start().await;
    create(&front, "captain").await;
    let grants = json!({"grants": {"captain": ["search-user"], "guest": []}});
    assert_eq!(front.call("PATCH", "/api/v2/app", &grants).await.status, 200);
    let listed = front.get("/api/v2/roles").await.json();
    let scopes = |name: &str| {
        let roles = listed["roles"].as_array().unwrap();
        roles.iter().find(|role| role["name"] == name).unwrap()["scopes"].clone()
    };
    assert_eq!(scopes("captain"), json!([".app"]));
    assert_eq!((scopes("guest"), scopes("user")), (json!([]), json!([".app"])));
    assert_eq!(scopes("channel_member"), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_searched_by_the_beginning_of_their_name() {
    let front = TestFront::start().await;
    create(&front, "captain").await;
    create(&front, "search").await;
    assert_eq!(found(&front, "query=ca").await, ["captain"]);
    assert_eq!(found(&front, "query=C").await, ["captain", "channel_member", "channel_moderator"]);
    assert_eq!(found(&front, "query=c&limit=1&name_gt=captain").await, ["channel_member"]);
    assert_eq!(found(&front, "query=c&role_type=user&limit=").await, ["captain"]);
    assert_eq!(found(&front, "query=m&role_type=channel").await, [""; 0]);
    assert_eq!(found(&front, "query=g").await, ["guest"]);
    assert_eq!(
        found(&front, "query=g&include_global_roles=true").await,
        ["global_admin", "global_moderator", "guest"]
    );
    let deleted = front.call("DELETE", "/api/v2/roles/search", &json!(null)).await;
    assert_eq!(deleted.status, 200, "a role can have the name of a path");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_what_is_wrong() {
    let front = TestFront::start().await;
    create(&front, "captain").await;
    let role = json!({"users": {"alice": {"role": "captain"}}});
    assert_eq!(front.call("POST", "/api/v2/users", &role).await.status, 201);
    let create = |body: Value| ("POST", "/api/v2/roles".to_owned(), body, "CreateRole");
    let delete = |name: &str| ("DELETE", format!("/api/v2/roles/{name}"), json!(null), "DeleteRole");
    let search = |query: &str| ("GET", format!("/api/v2/roles/search?{query}"), json!(null), "SearchRoles");
    let permission = |id: &str| ("GET", format!("/api/v2/permissions/{id}"), json!(null), "GetPermission");
    let name = "must have 1 to 64 of a to z, 0 to 9, '_' and '-', got";
    for ((method, path, body, operation), status, field, reason) in [
        (create(json!({})), 400, "name", "is required: the name of the role to make".to_owned()),
        (create(json!({"name": null})), 400, "name", "is required: the name of the role to make".to_owned()),
        (create(json!({"name": 7})), 400, "name", "must be a string, got a number".to_owned()),
        (create(json!({"name": ""})), 400, "name", format!("{name} ''")),
        (create(json!({"name": "Captain"})), 400, "name", format!("{name} 'Captain'")),
        (create(json!({"name": "admin"})), 400, "name", "the role 'admin' is built in; choose another name".to_owned()),
        (create(json!({"name": "captain"})), 400, "name", "the role 'captain' exists; choose another name".to_owned()),
        (delete("user"), 400, "name", "the role 'user' is built in and cannot be deleted".to_owned()),
        (
            delete("captain"),
            400,
            "name",
            "the role 'captain' is in use, by the user 'alice' to name one; give every user who has it, as role or in \
             teams_role, another role first"
                .to_owned(),
        ),
        (delete("%ff"), 400, "name", "must be UTF-8 without U+0000, percent-encoded".to_owned()),
        (delete("pirate"), 404, "", "the role 'pirate' does not exist".to_owned()),
        (delete("a+b%2Fc"), 404, "", "the role 'a b/c' does not exist".to_owned()),
        (search(""), 400, "query", "is required: how the names of the roles to find begin".to_owned()),
        (search("query=a&limit=101"), 400, "limit", "must be at most 100, got 101".to_owned()),
        (search("query=a&limit=-1"), 400, "limit", "must be a whole number from 0 up".to_owned()),
        (search("query=a&role_type=call"), 400, "role_type", "must be 'user' or 'channel', or left out for both".to_owned()),
        (search("query=a&include_global_roles=1"), 400, "include_global_roles", "must be true or false".to_owned()),
        (permission("fly"), 404, "", "the permission 'fly' does not exist".to_owned()),
    ] {
        let reply = if method == "GET" { front.get(&path).await } else { front.call(method, &path, &body).await };
        let separator = if field.is_empty() { "" } else { ": " };
        let message = format!("{operation} failed with error: \"{field}{separator}{reason}\"");
        let code = if status == 404 { 16 } else { 4 };
        assert_eq!(reply.refusal(), (status, code, message), "{method} {path} {body}");
        let problem = reply.json()["exception_fields"].get(field).cloned();
        assert_eq!(problem, (!field.is_empty()).then(|| json!(reason)), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_have_every_field() {
    let front = TestFront::start().await;
    let listed = front.get("/api/v2/permissions").await.json();
    let permissions = listed["permissions"].as_array().unwrap();
    let named = |id: &str| permissions.iter().find(|permission| permission["id"] == id).unwrap();
    let expected = json!({"id": "create-channel", "name": "Create Channel", "description": "Makes a channel.",
        "action": "CreateChannel", "custom": false, "level": "channel", "owner": false, "owner_resource": "",
        "same_team": true, "tags": ["channel"]});
    assert_eq!(*named("create-channel"), expected);
    let own = named("update-user-owner");
    assert_eq!(
        (&own["owner"], &own["owner_resource"], &own["same_team"]),
        (&json!(true), &json!("User"), &json!(false))
    );
    let reply = front.get("/api/v2/permissions/create-channel").await;
    assert_eq!((reply.status, &reply.json()["permission"]), (200, &expected));
    assert!(reply.json()["duration"].is_string());
}
