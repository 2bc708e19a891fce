//! Lists of words and groups of users, as the document describes them.

use serde_json::{Value, json};

use super::Witness;
use crate::block_lists::send_as;

/// Calls every operation of both. There are the users `alice`, who is an admin, and `bob`.
pub(super) async fn sets(witness: &mut Witness) {
    lists(witness).await;
    groups(witness).await;
}

async fn lists(witness: &mut Witness) {
    let rude = json!({"name": "rude", "words": ["a"], "type": "regex", "is_leet_check_enabled": true, "user_id": "bob"});
    witness.call("CreateBlockList", "/api/v2/blocklists", rude.clone()).await;
    witness.call("CreateBlockList", "/api/v2/blocklists", rude).await;
    let of_team =
        json!({"name": "rude", "words": [], "team": "red", "type": null, "is_plural_check_enabled": null});
    witness.call("CreateBlockList", "/api/v2/blocklists", of_team).await;
    witness.call("ListBlockLists", "/api/v2/blocklists?limit=1", Value::Null).await;
    witness.call("GetBlockList", "/api/v2/blocklists/rude?team=red", Value::Null).await;
    witness.call("GetBlockList", "/api/v2/blocklists/nice", Value::Null).await;
    let change =
        json!({"words": ["b"], "is_substring_matching_enabled": true, "user": {"id": "bob", "name": "B"}});
    witness.call("UpdateBlockList", "/api/v2/blocklists/rude", change).await;
    witness.call("DeleteBlockList", "/api/v2/blocklists/rude?user_id=bob", Value::Null).await;
}

async fn groups(witness: &mut Witness) {
    let design = json!({"id": "design", "name": "Design", "description": "Pens", "team_id": "red", "member_ids": ["bob"]});
    witness.call("CreateUserGroup", "/api/v2/usergroups", design.clone()).await;
    witness.call("CreateUserGroup", "/api/v2/usergroups", design).await;
    witness
        .call("CreateUserGroup", "/api/v2/usergroups", json!({"name": "D", "id": null, "member_ids": null}))
        .await;
    // Only a user leaves its name on a group.
    let own = json!({"id": "own", "name": "Own"});
    assert_eq!(send_as(&witness.front, "alice", "POST", "/api/v2/usergroups", &own).await.status, 201);
    witness.call("GetUserGroup", "/api/v2/usergroups/own", Value::Null).await;
    witness.call("GetUserGroup", "/api/v2/usergroups/nothing", Value::Null).await;
    witness.call("UpdateUserGroup", "/api/v2/usergroups/own", json!({"description": "", "name": null})).await;
    let members = json!({"member_ids": ["alice", "bob"], "as_admin": true, "team_id": "red"});
    witness.call("AddUserGroupMembers", "/api/v2/usergroups/design/members", members).await;
    let members = json!({"member_ids": ["alice"]});
    witness.call("RemoveUserGroupMembers", "/api/v2/usergroups/design/members/delete", members).await;
    witness.call("ListUserGroups", "/api/v2/usergroups?limit=5&team_id=red", Value::Null).await;
    witness.call("SearchUserGroups", "/api/v2/usergroups/search?query=d", Value::Null).await;
    witness.call("SearchUserGroups", "/api/v2/usergroups/search", Value::Null).await;
    witness.call("DeleteUserGroup", "/api/v2/usergroups/design", Value::Null).await;
}
