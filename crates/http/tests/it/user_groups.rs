//! Groups of users over the wire (v2 2.5, 3.8).

use headwater_testkit::TestFront;
use serde_json::{Value, json};

use crate::block_lists::{send_as, told};

const NOW: i64 = 1_704_067_200_000_000_000;

async fn front_with_users() -> TestFront {
    let front = TestFront::start().await;
    let users = json!({"users": {"alice": {"role": "admin"}, "bob": {}, "carol": {}}});
    assert_eq!(front.call("POST", "/api/v2/users", &users).await.status, 201);
    front
}

async fn app_pk(front: &TestFront) -> Value {
    front.get("/api/v2/app").await.json()["app"]["id"].clone()
}

fn ids(groups: &Value) -> Vec<&str> {
    groups["user_groups"].as_array().unwrap().iter().map(|group| group["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_from_its_making_to_its_deletion() {
    let front = front_with_users().await;
    let app_pk = app_pk(&front).await;
    let member = |user: &str, is_admin: bool, at: i64| json!({"app_pk": app_pk, "created_at": NOW + at, "group_id": "design", "is_admin": is_admin, "user_id": user});
    front.clock().advance(7);
    let create = json!({"id": "design", "name": "Design", "description": "Pens", "member_ids": ["bob"]});
    let made = front.call("POST", "/api/v2/usergroups", &create).await;
    let mut expected = json!({"id": "design", "name": "Design", "description": "Pens", "created_at": NOW + 7,
        "updated_at": NOW + 7, "members": [member("bob", false, 7)]});
    assert_eq!(told(&made), (201, json!({"user_group": expected})));
    assert_eq!(told(&front.get("/api/v2/usergroups/design").await), (200, json!({"user_group": expected})));

    front.clock().advance(1);
    let change = json!({"name": "Drawing", "description": ""});
    let changed = front.call("PUT", "/api/v2/usergroups/design", &change).await;
    expected.as_object_mut().unwrap().remove("description");
    (expected["name"], expected["updated_at"]) = (json!("Drawing"), json!(NOW + 8));
    assert_eq!(told(&changed), (200, json!({"user_group": expected})));
    let add = json!({"member_ids": ["bob", "carol"], "as_admin": true});
    let added = front.call("POST", "/api/v2/usergroups/design/members", &add).await;
    expected["members"] = json!([member("bob", true, 7), member("carol", true, 8)]);
    assert_eq!(told(&added), (200, json!({"user_group": expected})));
    let remove = json!({"member_ids": ["bob", "carol", "nobody"]});
    let removed = front.call("POST", "/api/v2/usergroups/design/members/delete", &remove).await;
    expected["members"] = json!([]);
    assert_eq!(told(&removed), (200, json!({"user_group": expected})));

    let listed = told(&front.get("/api/v2/usergroups").await).1;
    expected.as_object_mut().unwrap().remove("members");
    assert_eq!(listed, json!({"user_groups": [expected]}));
    assert_eq!(told(&front.get("/api/v2/usergroups/search?query=draw").await).1, listed);
    assert_eq!(
        told(&front.call("DELETE", "/api/v2/usergroups/design", &json!(null)).await),
        (200, json!({}))
    );
    assert_eq!(front.get("/api/v2/usergroups/design").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_the_last_group() {
    let front = front_with_users().await;
    for name in ["Charlie", "Alpha", "Bravo"] {
        let create = json!({"id": name.to_lowercase(), "name": name});
        assert_eq!(front.call("POST", "/api/v2/usergroups", &create).await.status, 201);
        front.clock().advance(1);
    }
    let first = front.get("/api/v2/usergroups?limit=2").await.json();
    assert_eq!(ids(&first), ["charlie", "alpha"]);
    let rest = front
        .get("/api/v2/usergroups?limit=2&id_gt=alpha&created_at_gt=2024-01-01T00:00:00.000000001Z")
        .await;
    assert_eq!(ids(&rest.json()), ["bravo"]);
    let nanoseconds = first["user_groups"][0]["created_at"].as_i64().unwrap();
    let rest = front.get(&format!("/api/v2/usergroups?id_gt=charlie&created_at_gt={nanoseconds}")).await;
    assert_eq!(ids(&rest.json()), ["alpha", "bravo"]);
    let create = json!({"id": "alpine", "name": "ALPINE"});
    assert_eq!(front.call("POST", "/api/v2/usergroups", &create).await.status, 201);
    assert_eq!(ids(&front.get("/api/v2/usergroups/search?query=al&limit=1").await.json()), ["alpha"]);
    let rest = front.get("/api/v2/usergroups/search?query=al&name_gt=Alpha&id_gt=alpha").await.json();
    assert_eq!(ids(&rest), ["alpine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_act_for_themselves_in_their_teams() {
    let front = front_with_users().await;
    let team = json!({"users": {"alice": {"role": "admin", "teams": ["red"]}, "bob": {"teams": ["red"]}, "carol": {"teams": ["blue"]}}});
    assert_eq!(front.call("POST", "/api/v2/users", &team).await.status, 200);
    assert_eq!(front.call("PATCH", "/api/v2/app", &json!({"multi_tenant_enabled": true})).await.status, 200);
    let create = json!({"id": "reds", "name": "Reds", "team_id": "red", "member_ids": ["bob"]});
    let made = send_as(&front, "alice", "POST", "/api/v2/usergroups", &create).await;
    let group = &made.json()["user_group"];
    assert_eq!((made.status, &group["created_by"], &group["team_id"]), (201, &json!("alice"), &json!("red")));
    let read = send_as(&front, "bob", "GET", "/api/v2/usergroups/reds?team_id=red", &json!(null)).await;
    assert_eq!(read.json()["user_group"], *group);
    assert_eq!(
        ids(&send_as(&front, "carol", "GET", "/api/v2/usergroups", &json!(null)).await.json()),
        [""; 0]
    );

    let add = json!({"member_ids": ["carol"]});
    let missing =
        |operation: &str| format!("{operation} failed with error: \"the user group 'reds' does not exist\"");
    for (who, method, path, body, status, code, message) in [
        ("carol", "GET", "/api/v2/usergroups/reds", json!(null), 404, 16, missing("GetUserGroup")),
        ("alice", "GET", "/api/v2/usergroups/reds?team_id=blue", json!(null), 404, 16, missing("GetUserGroup")),
        (
            "alice",
            "POST",
            "/api/v2/usergroups/reds/members",
            add,
            400,
            4,
            "AddUserGroupMembers failed with error: \"member_ids: there are no users 'carol'; every member must exist\"".to_owned(),
        ),
        (
            "bob",
            "DELETE",
            "/api/v2/usergroups/reds",
            json!(null),
            403,
            17,
            "DeleteUserGroup failed with error: \"User 'bob' with role 'user' is not allowed to perform action ManageUserGroups\"".to_owned(),
        ),
        (
            "alice",
            "POST",
            "/api/v2/usergroups",
            json!({"name": "Blues", "team_id": "blue"}),
            403,
            17,
            "CreateUserGroup failed with error: \"User 'alice' with roles ['admin'] from teams ['red'] cannot access \
             resource in scope '.app' because requested resource belongs to another team\""
                .to_owned(),
        ),
        (
            "alice",
            "POST",
            "/api/v2/usergroups",
            json!({"name": "All"}),
            400,
            4,
            "CreateUserGroup failed with error: \"team_id: is required in an app with teams: the team whose group it is to be\"".to_owned(),
        ),
    ] {
        let reply = send_as(&front, who, method, path, &body).await;
        assert_eq!(reply.refusal(), (status, code, message), "{who} {method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_what_is_wrong() {
    let front = front_with_users().await;
    assert_eq!(
        front.call("POST", "/api/v2/usergroups", &json!({"id": "design", "name": "Design"})).await.status,
        201
    );
    let create = |body: Value| ("POST", "/api/v2/usergroups", body, "CreateUserGroup");
    let add = |body: Value| ("POST", "/api/v2/usergroups/design/members", body, "AddUserGroupMembers");
    let remove =
        |body: Value| ("POST", "/api/v2/usergroups/design/members/delete", body, "RemoveUserGroupMembers");
    let get = |path: &'static str, operation| ("GET", path, json!(null), operation);
    let name = "must have 1 to 255 characters that are not all blank, has";
    for ((method, path, body, operation), status, message) in [
        (create(json!({})), 400, "name: is required: the name of the group to make".to_owned()),
        (create(json!({"name": ""})), 400, format!("name: {name} 0")),
        (create(json!({"name": "x".repeat(256)})), 400, format!("name: {name} 256")),
        (
            create(json!({"name": "D", "description": "x".repeat(1025)})),
            400,
            "description: must have at most 1024 characters, has 1025".to_owned(),
        ),
        (
            create(json!({"name": "D", "id": "a/b"})),
            400,
            "id: must have 1 to 255 letters, digits, '@', '_' and '-', got 'a/b'".to_owned(),
        ),
        (
            create(json!({"name": "D", "id": "design"})),
            400,
            "id: the user group 'design' exists; choose another id".to_owned(),
        ),
        (
            create(json!({"name": "D", "member_ids": ["nobody"]})),
            400,
            "member_ids: there are no users 'nobody'; every member must exist".to_owned(),
        ),
        (add(json!({})), 400, "member_ids: is required: who is to be in the group".to_owned()),
        (add(json!({"member_ids": []})), 400, "member_ids: must name at least one user".to_owned()),
        (
            add(json!({"member_ids": ["bob", "nobody"]})),
            400,
            "member_ids: there are no users 'nobody'; every member must exist".to_owned(),
        ),
        (
            add(json!({"member_ids": vec!["bob"; 101]})),
            400,
            "member_ids: at most 100 users in one request, got 101".to_owned(),
        ),
        (
            add(json!({"member_ids": ["bob"], "team_id": "red"})),
            404,
            "the user group 'design' does not exist".to_owned(),
        ),
        (
            remove(json!({"member_ids": null})),
            400,
            "member_ids: is required: who is to be taken out of the group".to_owned(),
        ),
        (
            remove(json!({"member_ids": ["!anon"]})),
            400,
            "member_ids.0: '!anon' is reserved for the anonymous user".to_owned(),
        ),
        (
            ("PUT", "/api/v2/usergroups/design", json!({"name": 7}), "UpdateUserGroup"),
            400,
            "name: must be a string, got a number".to_owned(),
        ),
        (
            ("DELETE", "/api/v2/usergroups/nothing", json!(null), "DeleteUserGroup"),
            404,
            "the user group 'nothing' does not exist".to_owned(),
        ),
        (
            get("/api/v2/usergroups?limit=101", "ListUserGroups"),
            400,
            "limit: must be 1 to 100, got 101".to_owned(),
        ),
        (
            get("/api/v2/usergroups?id_gt=a", "ListUserGroups"),
            400,
            "created_at_gt: is required with id_gt: the created_at of that group".to_owned(),
        ),
        (
            get("/api/v2/usergroups/search", "SearchUserGroups"),
            400,
            "query: is required: how the names of the groups to find begin".to_owned(),
        ),
    ] {
        let reply =
            if method == "GET" { front.get(path).await } else { front.call(method, path, &body).await };
        let code = if status == 404 { 16 } else { 4 };
        let message = format!("{operation} failed with error: \"{message}\"");
        assert_eq!(reply.refusal(), (status, code, message), "{method} {path}");
    }
    let group = front.get("/api/v2/usergroups/design").await.json()["user_group"].clone();
    assert_eq!((&group["members"], &group["name"]), (&json!([]), &json!("Design")), "nothing was changed");
    assert_eq!(ids(&front.get("/api/v2/usergroups").await.json()), ["design"]);
}
