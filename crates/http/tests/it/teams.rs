//! Teams: what a client sees and changes in an app with teams (semantics 4.27, 4.28, 8.12 to 8.14), and that it learns
//! nothing of the others.

use std::collections::BTreeSet;

use headwater_testkit::{Engine, SECRET, TestFront, on_each_engine, token};
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000_000;

async fn front(engine: Engine) -> TestFront {
    let front = TestFront::start_on(engine).await;
    let users = json!({
        "red": {"teams": ["red"]},
        "both": {"teams": ["red", "blue"], "teams_role": {"blue": "admin"}},
        "blue": {"teams": ["blue"], "name": "Blue"},
        "free": {}, "loose": {},
        "chief": {"teams": ["red"], "role": "admin"},
        "ruler": {"teams": ["red"], "role": "global_admin"},
    });
    assert_eq!(front.call("POST", "/api/v2/users", &json!({"users": users})).await.status, 201);
    assert_eq!(front.call("PATCH", "/api/v2/app", &json!({"multi_tenant_enabled": true})).await.status, 200);
    front
}

/// Whom a client finds.
async fn found(front: &TestFront, who: &str, filter: Value) -> BTreeSet<String> {
    let payload = json!({"filter_conditions": filter}).to_string();
    let payload: String = payload.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let reply = front.call_as(who, "GET", &format!("/api/v2/users?payload={payload}"), &Value::Null).await;
    let answer = reply.json();
    let users = answer["users"].as_array().unwrap_or_else(|| panic!("{who}: {answer:?}"));
    users.iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

async fn a_client_finds_the_users_of_its_teams(engine: Engine) {
    let front = front(engine).await;
    for (who, expected) in [
        ("red", &["red", "both", "chief", "ruler"][..]),
        ("both", &["red", "both", "blue", "chief", "ruler"]),
        ("free", &["free", "loose"]),
        ("ruler", &["red", "both", "blue", "free", "loose", "chief", "ruler"]),
    ] {
        assert_eq!(found(&front, who, json!({})).await, set(expected), "{who}");
    }
    for filter in [
        json!({"id": "blue"}),
        json!({"id": {"$in": ["blue", "free"]}}),
        json!({"teams": {"$contains": "blue"}, "id": "blue"}),
        json!({"teams": null}),
        json!({"$or": [{"name": "Blue"}, {"name": {"$autocomplete": "bl"}}]}),
        json!({"$nor": [{"teams": {"$contains": "red"}}]}),
    ] {
        assert_eq!(found(&front, "red", filter.clone()).await, set(&[]), "{filter}");
    }
    // Switching it off removes all isolation at once (8.12).
    front.call("PATCH", "/api/v2/app", &json!({"multi_tenant_enabled": false})).await;
    assert_eq!(found(&front, "red", json!({"id": "blue"})).await, set(&["blue"]));
}

async fn a_team_filter_can_be_demanded(engine: Engine) {
    let front = front(engine).await;
    front.call("PATCH", "/api/v2/app", &json!({"headwater": {"team_filter": "required"}})).await;
    let (status, code, message) = front.call_as("red", "GET", "/api/v2/users", &Value::Null).await.refusal();
    assert_eq!((status, code), (403, 17));
    let told =
        "QueryUsers failed with error: \"you must include a team filter to use this endpoint client-side\"";
    assert_eq!(message, told);
    assert_eq!(found(&front, "both", json!({"teams": {"$contains": "blue"}})).await, set(&["both", "blue"]));
    assert_eq!(found(&front, "red", json!({"teams": {"$in": ["blue", "green"]}})).await, set(&["both"]));
    assert_eq!(found(&front, "free", json!({"teams": null})).await, set(&["free", "loose"]));
    assert_eq!(
        found(&front, "ruler", json!({"id": "free"})).await,
        set(&["free"]),
        "who sees all needs none"
    );
    assert_eq!(front.get("/api/v2/users").await.status, 200, "nor does a server");
}

async fn a_role_within_a_team_ends_with_the_team(engine: Engine) {
    let front = front(engine).await;
    let change = async |who: &str, id: &str, set: Value| {
        let body = json!({"users": [{"id": id, "set": set}]});
        let reply = front.call_as(who, "PATCH", "/api/v2/users", &body).await;
        if reply.status == 200 { (200, String::new()) } else { (reply.refusal().0, reply.refusal().2) }
    };
    // `both` is an admin in blue, and nobody in red.
    assert_eq!(change("both", "blue", json!({"name": "B"})).await.0, 200);
    assert_eq!(change("both", "red", json!({"name": "R"})).await.0, 403);
    assert_eq!(change("chief", "red", json!({"name": "R"})).await.0, 200);
    // Somebody of another team, somebody without one, and nobody are the same.
    for id in ["blue", "free", "nobody"] {
        let (status, message) = change("chief", id, json!({"name": "X"})).await;
        assert_eq!(status, 404);
        assert_eq!(
            message,
            format!("UpdateUsersPartial failed with error: \"the user {id} does not exist\"")
        );
    }
    // Roles and teams: within the team, and never beyond it.
    assert_eq!(change("chief", "red", json!({"role": "moderator"})).await.0, 200);
    assert_eq!(change("chief", "red", json!({"role": "global_admin"})).await.0, 403);
    assert_eq!(change("ruler", "red", json!({"role": "global_admin"})).await.0, 200);
    assert_eq!(change("chief", "red", json!({"teams": ["red", "blue"]})).await.0, 403);
    assert_eq!(change("ruler", "red", json!({"teams": ["red", "blue"]})).await.0, 200);
    assert_eq!(
        change("both", "both", json!({"teams": ["red"]})).await.0,
        200,
        "an admin of blue leaves blue"
    );
    let (status, message) =
        change("chief", "chief", json!({"revoke_tokens_issued_before": "2024-01-01T00:00:00Z"})).await;
    assert_eq!(status, 403, "{message}");

    let make = async |who: &str, id: &str, user: Value| {
        let body = json!({"users": {id: user}});
        front.call_as(who, "POST", "/api/v2/users", &body).await.status
    };
    assert_eq!(make("chief", "new-1", json!({"teams": ["red"]})).await, 201);
    assert_eq!(make("chief", "new-2", json!({})).await, 403, "nobody of a team makes users without one");
    assert_eq!(make("chief", "new-3", json!({"teams": ["red", "blue"]})).await, 403);
    assert_eq!(make("chief", "new-4", json!({"teams": ["red"], "role": "global_moderator"})).await, 403);
    assert_eq!(make("ruler", "new-5", json!({"role": "global_moderator"})).await, 201);
    assert_eq!(make("chief", "blue", json!({"teams": ["red"]})).await, 403, "an id of another team is taken");
}

/// What a client's change of a user is answered.
async fn change(front: &TestFront, who: &str, id: &str, set: Value) -> u16 {
    let body = json!({"users": [{"id": id, "set": set}]});
    front.call_as(who, "PATCH", "/api/v2/users", &body).await.status
}

async fn nobody_gives_more_than_it_has(engine: Engine) {
    let front = front(engine).await;
    let supervisor = json!({"grants": {"supervisor": ["search-user-any-team", "update-user-role-any-team"]}});
    assert_eq!(front.call("POST", "/api/v2/roles", &json!({"name": "supervisor"})).await.status, 201);
    assert_eq!(front.call("PATCH", "/api/v2/app", &supervisor).await.status, 200);
    let users = json!({
        // An admin of red, and nobody in blue.
        "half": {"teams": ["red", "blue"], "teams_role": {"red": "admin"}},
        "also": {"teams": ["red", "blue"]},
        "carol": {"teams": ["red"], "role": "global_admin"},
        "captain": {"teams": ["red"], "role": "supervisor"},
        "lonely": {"role": "admin"},
    });
    assert_eq!(front.call("POST", "/api/v2/users", &json!({"users": users})).await.status, 201);
    for (who, id, set, status) in [
        // A role in one team decides nothing in another, nor in the app.
        ("half", "half", json!({"role": "admin"}), 403),
        ("half", "half", json!({"teams_role.blue": "admin"}), 403),
        ("half", "also", json!({"teams_role.blue": "admin"}), 403),
        ("half", "also", json!({"role": "moderator"}), 403),
        ("half", "also", json!({"teams_role.red": "moderator"}), 200),
        ("half", "red", json!({"role": "moderator"}), 403),
        ("half", "blue", json!({"name": "B"}), 403),
        // Nor does a role in the app in teams that one is not in.
        ("chief", "also", json!({"role": "moderator"}), 403),
        // Nobody gives a role that reaches further, nor takes one, whatever it is called.
        ("chief", "red", json!({"role": "supervisor"}), 403),
        ("chief", "chief", json!({"role": "supervisor"}), 403),
        ("chief", "red", json!({"teams_role.red": "supervisor"}), 403),
        ("chief", "captain", json!({"role": "user"}), 403),
        ("chief", "carol", json!({"role": "user"}), 403),
        ("ruler", "captain", json!({"role": "user"}), 200),
        // To be in no team is to be among those who are in none.
        ("chief", "chief", json!({"teams": []}), 403),
        ("chief", "red", json!({"teams": []}), 403),
        ("lonely", "free", json!({"teams": ["red"]}), 403),
        ("lonely", "free", json!({"role": "moderator"}), 200),
        ("lonely", "red", json!({"name": "R"}), 404),
    ] {
        assert_eq!(change(&front, who, id, set.clone()).await, status, "{who} changes {id}: {set}");
    }
    let unset = json!({"users": [{"id": "chief", "unset": ["teams"]}]});
    assert_eq!(front.call_as("chief", "PATCH", "/api/v2/users", &unset).await.status, 403);
    let upsert = json!({"users": {"half": {"role": "admin"}}});
    assert_eq!(front.call_as("half", "POST", "/api/v2/users", &upsert).await.status, 403);
    let twice =
        json!({"users": [{"id": "half", "set": {"name": "H"}}, {"id": "half", "set": {"role": "admin"}}]});
    assert_eq!(front.call_as("half", "PATCH", "/api/v2/users", &twice).await.status, 403);
    assert_eq!(found(&front, "half", json!({"name": "H"})).await, set(&[]), "all or nothing");
}

async fn what_is_refused_says_nothing_of_roles(engine: Engine) {
    let front = front(engine).await;
    front.call("POST", "/api/v2/roles", &json!({"name": "secret-role"})).await;
    let body = json!({"users": [{"id": "red", "set": {"role": "no-such-role"}}]});
    let (status, _, message) = front.call_as("red", "PATCH", "/api/v2/users", &body).await.refusal();
    assert_eq!(status, 403);
    assert!(!message.contains("secret-role"), "{message}");
}

async fn a_question_is_answered_as_the_request_would_be(engine: Engine) {
    let front = front(engine).await;
    let explain = async |who: Option<&str>, question: &str| {
        let path = format!("/api/v2/permissions/explain?{question}");
        let reply = match who {
            None => front.get(&path).await,
            Some("!anon") => {
                let token = token(SECRET, json!({"user_id": "!anon"}));
                front.call_with(&token, "GET", &path, &Value::Null).await
            }
            Some(who) => front.call_as(who, "GET", &path, &Value::Null).await,
        };
        (reply.status, reply.json()["allowed"].as_bool())
    };
    // A server asks about anybody, and so does whoever finds everybody, about itself.
    let question = "user_id=ruler&action=UpdateUser&resource=user:blue";
    assert_eq!(explain(None, question).await, (200, Some(true)));
    assert_eq!(explain(None, "user_id=chief&action=UpdateUser&resource=user:blue").await, (200, Some(false)));
    assert_eq!(explain(Some("ruler"), "action=UpdateUser&resource=user:blue").await, (200, Some(true)));
    assert_eq!(explain(Some("chief"), "action=UpdateUser&resource=user:red").await, (200, Some(true)));
    // Who cannot find somebody does not learn that it is there.
    for who in ["chief", "free", "!anon"] {
        assert_eq!(explain(Some(who), "action=UpdateUser&resource=user:blue").await, (404, None), "{who}");
    }
    assert_eq!(explain(Some("!anon"), "action=Connect&resource=user:free").await, (404, None));
    front.call("PATCH", "/api/v2/app", &json!({"user_search_disallowed_roles": ["user"]})).await;
    assert_eq!(explain(Some("red"), "action=SearchUser").await, (200, Some(false)));
    assert_eq!(explain(None, "user_id=red&action=SearchUser").await, (200, Some(false)));
    assert_eq!(explain(Some("red"), "action=MuteUser&resource=user:both").await, (404, None));
    // Searching where the role in the team may, one finds nobody of the other team.
    for (target, allowed) in [("blue", true), ("red", false), ("both", true)] {
        let question = format!("user_id=both&action=SearchUser&resource=user:{target}");
        assert_eq!(explain(None, &question).await, (200, Some(allowed)), "{target}");
    }
    // Nobody asks about somebody else.
    assert_eq!(explain(Some("red"), "action=MuteUser&user_id=both").await.0, 403);
    assert_eq!(explain(Some("red"), "action=MuteUser&user_id=!anon").await.0, 403);
    assert_eq!(explain(Some("!anon"), "action=MuteUser&user_id=red").await.0, 403);
    // What is for servers is so whatever is granted.
    front.call("PATCH", "/api/v2/app", &json!({"grants": {"user": ["deactivate-user"]}})).await;
    assert_eq!(explain(None, "user_id=red&action=DeactivateUser").await, (200, Some(false)));
}

async fn others_are_shown_without_what_is_theirs(engine: Engine) {
    let front = front(engine).await;
    let change = json!({"users": [{"id": "red", "set": {"invisible": true, "revoke_tokens_issued_before": 5,
        "privacy_settings": {"read_receipts": {"enabled": false}}}}]});
    assert_eq!(front.call("PATCH", "/api/v2/users", &change).await.status, 200);
    let shown = async |who: Option<&str>| {
        let path = "/api/v2/users?payload=%7B%22filter_conditions%22%3A%7B%22id%22%3A%22red%22%7D%7D";
        let reply = match who {
            Some(who) => front.call_as(who, "GET", path, &Value::Null).await,
            None => front.get(path).await,
        };
        reply.json()["users"][0].clone()
    };
    let (server, own, other) = (shown(None).await, shown(Some("red")).await, shown(Some("both")).await);
    assert_eq!(server, own);
    assert_eq!((&own["invisible"], own["revoke_tokens_issued_before"].as_i64()), (&json!(true), Some(5)));
    assert!(own["privacy_settings"].is_object());
    assert_eq!(other["invisible"], json!(false));
    for hidden in ["privacy_settings", "revoke_tokens_issued_before"] {
        assert_eq!(other.get(hidden), None, "{hidden}");
    }
    for always in ["devices", "mutes", "channel_mutes", "blocked_user_ids"] {
        assert_eq!(other[always], json!([]), "{always}");
    }
    // What is not shown cannot be asked for either.
    for field in ["invisible", "shadow_banned"] {
        let payload = format!("%7B%22filter_conditions%22%3A%7B%22{field}%22%3Atrue%7D%7D");
        let path = format!("/api/v2/users?payload={payload}");
        let (status, code, message) = front.call_as("red", "GET", &path, &Value::Null).await.refusal();
        assert_eq!((status, code), (400, 4), "{message}");
        assert_eq!(front.get(&path).await.status, 200);
    }
}

async fn roles_can_be_kept_from_searching(engine: Engine) {
    let front = front(engine).await;
    front.clock().advance(SECOND);
    front.call("PATCH", "/api/v2/app", &json!({"user_search_disallowed_roles": ["user"]})).await;
    let (status, code, message) = front.call_as("red", "GET", "/api/v2/users", &Value::Null).await.refusal();
    assert_eq!((status, code), (403, 17));
    let told = "QueryUsers failed with error: \"User 'red' with role 'user' is not allowed to perform action SearchUser\"";
    assert_eq!(message, told);
    assert_eq!(front.call_as("chief", "GET", "/api/v2/users", &Value::Null).await.status, 200);
    // The role within a team counts there (8.14).
    assert_eq!(found(&front, "both", json!({})).await, set(&["both", "blue"]));
    front.call("PATCH", "/api/v2/app", &json!({"user_search_disallowed_roles": ["admin"]})).await;
    assert_eq!(found(&front, "both", json!({})).await, set(&["red", "both", "chief", "ruler"]));
    let grants = json!({"user_search_disallowed_roles": ["anonymous"], "grants": {"anonymous": ["search-user"]},
        "multi_tenant_enabled": false});
    front.call("PATCH", "/api/v2/app", &grants).await;
    let anonymous = token(SECRET, json!({"user_id": "!anon"}));
    assert_eq!(front.call_with(&anonymous, "GET", "/api/v2/users", &Value::Null).await.status, 403);
}

on_each_engine!(
    a_client_finds_the_users_of_its_teams,
    a_team_filter_can_be_demanded,
    a_role_within_a_team_ends_with_the_team,
    others_are_shown_without_what_is_theirs,
    roles_can_be_kept_from_searching,
    nobody_gives_more_than_it_has,
    what_is_refused_says_nothing_of_roles,
    a_question_is_answered_as_the_request_would_be,
);
