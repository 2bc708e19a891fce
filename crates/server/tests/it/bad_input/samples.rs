//! One valid request of each route. A new route needs its line in [`sample`]: without it the test fails.

use headwater_http::RouteInfo;
use headwater_testkit::{KEY, SECRET, server_token};
use serde_json::{Value, json};

/// A request that is answered 2xx when the server is in the state that `before` makes.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    /// What stands in the path where the route has parameters, in their order.
    pub(super) parameters: &'static [&'static str],
    /// What stands in the path for [`TASK`].
    pub(super) task: String,
    /// The parameters of the query, beside the key and the payload.
    pub(super) query: &'static [(&'static str, &'static str)],
    /// The query parameter `payload`.
    pub(super) payload: Option<Value>,
    /// The body.
    pub(super) body: Option<Value>,
    /// Operations whose samples, whatever they are answered, bring the server into the state for this one: from the
    /// first start, and from whatever a mutation of this sample did.
    pub(super) before: &'static [&'static str],
    /// How many mutations of this sample may be accepted before what they made leaves no room for the sample itself.
    pub(super) room: Option<u32>,
    /// Whether it is accepted without a change: it only asks, or what it makes is there the second time.
    pub(super) may_change_nothing: bool,
}

/// A parameter of the path that stands for the task that was started last.
pub(super) const TASK: &str = "{task_id}";

/// The sample of an operation.
pub(super) fn sample(operation: &str) -> Option<Sample> {
    let sample = Sample::default();
    Some(match operation {
        "GetApp" => sample,
        "UpdateApp" => Sample { body: Some(settings()), before: &["UpdateApp"], ..sample },
        "ListPermissions" | "ListRoles" => sample,
        "GetPermission" => Sample { parameters: &["create-channel"], ..sample },
        "CreateGuest" => Sample { body: Some(json!({"user": {"id": "visitor", "name": "Vi"}})), ..sample },
        "ExplainPermission" => Sample {
            query: &[("user_id", "alice"), ("action", "BanUser"), ("resource", "user:bob")],
            before: &["UpdateUsers"],
            ..sample
        },
        "CreateRole" => Sample {
            body: Some(json!({"name": "captain"})),
            before: &["DeleteRole"],
            // An app has at most 25 roles of its own.
            room: Some(20),
            ..sample
        },
        "DeleteRole" => Sample { parameters: &["captain"], before: &["CreateRole"], ..sample },
        "SearchRoles" => Sample {
            query: &[
                ("query", "ca"),
                ("limit", "10"),
                ("name_gt", "b"),
                ("role_type", "user"),
                ("include_global_roles", "true"),
            ],
            before: &["CreateRole"],
            ..sample
        },
        "GetRateLimits" => Sample {
            query: &[("server_side", "true"), ("web", "false"), ("endpoints", "GetApp,UpdateUsers")],
            ..sample
        },
        "ListBlockLists" => Sample {
            // The list 'a' of the whole app.
            query: &[("team", "red"), ("cursor", "AGE"), ("limit", "10")],
            before: &["UpdateUsers", "CreateBlockList"],
            ..sample
        },
        "CreateBlockList" => Sample {
            body: Some(block_list()),
            before: &["UpdateUsers", "DeleteBlockList"],
            // An app has at most 1000 lists.
            room: Some(900),
            ..sample
        },
        "GetBlockList" => Sample {
            parameters: &["rude"],
            query: &[("team", "red")],
            before: &["UpdateUsers", "CreateBlockList"],
            ..sample
        },
        "UpdateBlockList" => Sample {
            parameters: &["rude"],
            body: Some(json!({"team": "red", "words": ["one", "two", "three"], "user_id": "bob",
                "is_confusable_folding_enabled": true, "is_leet_check_enabled": null, "is_plural_check_enabled": false,
                "is_substring_matching_enabled": true})),
            before: &["UpdateUsers", "DeleteBlockList", "CreateBlockList"],
            ..sample
        },
        "DeleteBlockList" => Sample {
            parameters: &["rude"],
            query: &[("team", "red"), ("user_id", "bob")],
            before: &["UpdateUsers", "CreateBlockList"],
            ..sample
        },
        "ListUserGroups" => Sample {
            query: &[
                ("limit", "10"),
                ("id_gt", "a"),
                ("created_at_gt", "2020-01-02T03:04:05.678Z"),
                ("team_id", "red"),
            ],
            before: &["UpdateUsers", "CreateUserGroup"],
            ..sample
        },
        "SearchUserGroups" => Sample {
            query: &[("query", "de"), ("limit", "10"), ("name_gt", "d"), ("id_gt", "a"), ("team_id", "red")],
            before: &["UpdateUsers", "CreateUserGroup"],
            ..sample
        },
        "CreateUserGroup" => Sample {
            body: Some(json!({"id": "design", "name": "Design", "description": "Pens", "team_id": "red",
                "member_ids": ["alice", "bob"]})),
            before: &["UpdateUsers", "DeleteUserGroup"],
            // An app has at most 10,000 groups.
            room: Some(9000),
            ..sample
        },
        "GetUserGroup" => Sample {
            parameters: &["design"],
            query: &[("team_id", "red")],
            before: &["UpdateUsers", "CreateUserGroup"],
            ..sample
        },
        // Without its team, which may have been what was changed when the group was made.
        "DeleteUserGroup" => {
            Sample { parameters: &["design"], before: &["UpdateUsers", "CreateUserGroup"], ..sample }
        }
        "UpdateUserGroup" => Sample {
            parameters: &["design"],
            body: Some(json!({"name": "Drawing", "description": "Pencils", "team_id": "red"})),
            before: &["UpdateUsers", "DeleteUserGroup", "CreateUserGroup"],
            ..sample
        },
        "AddUserGroupMembers" => Sample {
            parameters: &["design"],
            body: Some(json!({"member_ids": ["alice", "bob"], "as_admin": true, "team_id": "red"})),
            before: &["UpdateUsers", "DeleteUserGroup", "CreateUserGroup"],
            ..sample
        },
        "RemoveUserGroupMembers" => Sample {
            parameters: &["design"],
            body: Some(json!({"member_ids": ["alice", "bob"], "team_id": "red"})),
            before: &["UpdateUsers", "DeleteUserGroup", "CreateUserGroup"],
            ..sample
        },
        "QueryUsers" => Sample { payload: Some(query()), before: &["UpdateUsers"], ..sample },
        "UpdateUsers" => Sample { body: Some(users()), before: &["UpdateUsers"], ..sample },
        "UpdateUsersPartial" => Sample { body: Some(changes()), before: &["UpdateUsers"], ..sample },
        "DeactivateUser" => Sample {
            parameters: &["alice"],
            body: Some(json!({"created_by_id": "bob", "mark_messages_deleted": true})),
            before: &["UpdateUsers", "ReactivateUser"],
            ..sample
        },
        "ReactivateUser" => Sample {
            parameters: &["alice"],
            body: Some(json!({"name": "Alice", "created_by_id": "bob", "restore_messages": true})),
            before: &["UpdateUsers", "DeactivateUser"],
            ..sample
        },
        "DeactivateUsers" => Sample {
            body: Some(
                json!({"user_ids": ["alice", "bob"], "created_by_id": "bob", "mark_messages_deleted": true,
                "mark_channels_deleted": false}),
            ),
            before: &["UpdateUsers", "ReactivateUsers"],
            ..sample
        },
        "ReactivateUsers" => Sample {
            body: Some(
                json!({"user_ids": ["alice", "bob"], "created_by_id": "bob", "restore_messages": false,
                "restore_channels": true}),
            ),
            before: &["UpdateUsers", "DeactivateUsers"],
            ..sample
        },
        "DeleteUsers" => {
            Sample { body: Some(deletion()), before: &["UpdateUsers", "RestoreUsers"], ..sample }
        }
        "PreviewUserDeletion" => Sample {
            body: Some(deletion()),
            before: &["UpdateUsers", "RestoreUsers"],
            may_change_nothing: true,
            ..sample
        },
        "RestoreUsers" => Sample {
            body: Some(json!({"user_ids": ["alice"]})),
            before: &["UpdateUsers", "RestoreUsers", "DeleteUsers"],
            ..sample
        },
        "ExportUser" => Sample { parameters: &["alice"], before: &["UpdateUsers"], ..sample },
        "ExportUsers" => {
            Sample { body: Some(json!({"user_ids": ["alice", "bob"]})), before: &["UpdateUsers"], ..sample }
        }
        "GetTask" => Sample { parameters: &[TASK], before: &["UpdateUsers", "DeactivateUsers"], ..sample },
        "BlockUsers" => Sample { body: Some(block()), before: &["UpdateUsers", "UnblockUsers"], ..sample },
        "UnblockUsers" => Sample { body: Some(block()), before: &["UpdateUsers", "BlockUsers"], ..sample },
        "GetBlockedUsers" => {
            Sample { query: &[("user_id", "alice")], before: &["UpdateUsers", "BlockUsers"], ..sample }
        }
        "Mute" => Sample {
            body: Some(
                json!({"target_ids": ["bob", "carol"], "target_id": "bob", "user_id": "alice", "timeout": 60}),
            ),
            before: &["UpdateUsers"],
            ..sample
        },
        "Unmute" => Sample {
            body: Some(json!({"target_ids": ["bob", "carol"], "user": {"id": "alice"}})),
            before: &["UpdateUsers", "Mute"],
            ..sample
        },
        "CreateDevice" => Sample { body: Some(device()), before: &["UpdateUsers", "DeleteDevice"], ..sample },
        "ListDevices" => {
            Sample { query: &[("user_id", "alice")], before: &["UpdateUsers", "CreateDevice"], ..sample }
        }
        "DeleteDevice" => Sample {
            query: &[("id", "token"), ("user_id", "alice")],
            before: &["UpdateUsers", "CreateDevice"],
            ..sample
        },
        "UpdatePushNotificationPreferences" => {
            Sample { body: Some(preferences()), before: &["UpdateUsers"], may_change_nothing: true, ..sample }
        }
        "Ban" => Sample { body: Some(ban()), before: &["UpdateUsers"], ..sample },
        "Unban" => Sample {
            query: &[("target_user_id", "bob"), ("created_by", "alice")],
            body: Some(json!({"unbanned_by_id": "alice", "unbanned_by": {"id": "alice"}})),
            before: &["UpdateUsers", "Ban"],
            ..sample
        },
        "QueryBannedUsers" => Sample { payload: Some(banned()), before: &["UpdateUsers", "Ban"], ..sample },
        "Bypass" => Sample {
            body: Some(json!({"target_user_id": "bob", "enabled": true})),
            before: &["UpdateUsers"],
            may_change_nothing: true,
            ..sample
        },
        "Flag" => Sample { body: Some(flag()), before: &["UpdateUsers"], may_change_nothing: true, ..sample },
        "GetFlagCount" => Sample {
            body: Some(json!({"entity_creator_id": "bob", "entity_type": "user"})),
            before: &["UpdateUsers", "Flag"],
            may_change_nothing: true,
            ..sample
        },
        "QueryModerationFlags" => Sample {
            body: Some(flags()),
            before: &["UpdateUsers", "Flag"],
            may_change_nothing: true,
            ..sample
        },
        _ => return chat(operation),
    })
}

/// The samples of chat: alice and bob share the channel 'talk', in which alice has written 'first'.
fn chat(operation: &str) -> Option<Sample> {
    const TALK: &[&str] = &["messaging", "talk"];
    const FIRST: &[&str] = &["first"];
    const CHANNEL: &[&str] = &["UpdateUsers", "GetOrCreateChannel"];
    const MESSAGE: &[&str] = &["UpdateUsers", "GetOrCreateChannel", "SendMessage"];
    const REACTION: &[&str] = &["UpdateUsers", "GetOrCreateChannel", "SendMessage", "SendReaction"];
    let sample = Sample::default();
    Some(match operation {
        "GetOrCreateChannel" => Sample {
            parameters: TALK,
            body: Some(new_channel()),
            before: &["UpdateUsers", "DeleteChannel"],
            may_change_nothing: true,
            ..sample
        },
        "GetOrCreateDistinctChannel" => Sample {
            parameters: &["messaging"],
            body: Some(new_channel()),
            before: &["UpdateUsers"],
            may_change_nothing: true,
            ..sample
        },
        "GetChannel" => Sample {
            parameters: TALK,
            query: &[
                ("state", "true"),
                ("messages_limit", "10"),
                ("members_limit", "10"),
                ("watchers_limit", "10"),
                ("user_id", "alice"),
            ],
            before: CHANNEL,
            ..sample
        },
        "UpdateChannel" => Sample {
            parameters: TALK,
            body: Some(
                json!({"add_members": ["alice", {"user_id": "bob", "channel_role": "channel_moderator",
                "custom": {"a": 1}}], "remove_members": ["eve"], "user_id": "alice", "user": {"id": "alice"},
                "skip_push": true}),
            ),
            before: CHANNEL,
            may_change_nothing: true,
            ..sample
        },
        "DeleteChannel" => {
            Sample { parameters: TALK, query: &[("hard_delete", "true")], before: CHANNEL, ..sample }
        }
        "SendMessage" => Sample {
            parameters: TALK,
            body: Some(json!({"message": {"id": "first", "text": "hello", "type": "regular",
                "attachments": [{"type": "image", "image_url": "https://example.com/a.png", "custom": {"a": 1}}],
                "custom": {"mood": ["good", null]}, "user_id": "alice", "user": {"id": "alice"}}, "skip_push": true,
                "skip_enrich_url": false, "keep_channel_hidden": null, "force_moderation": false})),
            before: &["UpdateUsers", "GetOrCreateChannel", "DeleteMessage"],
            ..sample
        },
        "GetMessage" => Sample {
            parameters: FIRST,
            query: &[("show_deleted_message", "true")],
            before: MESSAGE,
            ..sample
        },
        "DeleteMessage" => Sample {
            parameters: FIRST,
            query: &[("hard", "true"), ("deleted_by", "alice"), ("delete_for_me", "false")],
            before: MESSAGE,
            ..sample
        },
        "SendReaction" => Sample {
            parameters: FIRST,
            body: Some(json!({"reaction": {"type": "love", "score": 2, "custom": {"a": 1}, "user_id": "bob",
                "user": {"id": "bob"}}, "enforce_unique": true, "skip_push": true})),
            before: MESSAGE,
            may_change_nothing: true,
            ..sample
        },
        "DeleteReaction" => Sample {
            parameters: &["first", "love"],
            query: &[("user_id", "bob")],
            before: REACTION,
            ..sample
        },
        "GetReactions" => Sample {
            parameters: FIRST,
            query: &[("limit", "10"), ("offset", "1")],
            before: REACTION,
            ..sample
        },
        _ => return None,
    })
}

fn new_channel() -> Value {
    json!({
        "data": {"created_by_id": "alice", "created_by": {"id": "alice"}, "team": "red", "custom": {"color": "blue"},
            "members": ["bob", {"user_id": "alice", "channel_role": "channel_moderator", "custom": {"a": 1}}]},
        "members": {"limit": 10, "offset": 0}, "messages": {"limit": 10}, "watchers": {"limit": 10}, "state": true,
        "thread_unread_counts": false, "member_custom_include": ["a"],
    })
}

impl Sample {
    /// The segments of the path of `route`, before encoding.
    pub(super) fn segments(&self, route: &RouteInfo) -> Vec<String> {
        let mut parameters = self.parameters.iter();
        let fill = |segment: &str| match segment.starts_with('{') {
            true => match *parameters.next().expect("as many parameters as the route has") {
                TASK => self.task.clone(),
                parameter => parameter.to_owned(),
            },
            false => segment.to_owned(),
        };
        let segments = route.path.trim_start_matches('/').split('/').map(fill).collect();
        assert!(parameters.next().is_none(), "{} has fewer parameters than its sample", route.operation);
        segments
    }

    /// The query parameters, before encoding.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        let given = self.query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let payload = self.payload.as_ref().map(|payload| ("payload".to_owned(), payload.to_string()));
        std::iter::once(("api_key".to_owned(), KEY.to_owned())).chain(given).chain(payload).collect()
    }

    /// The JSON document of the request, wherever it stands.
    pub(super) fn document(&self) -> Option<&Value> {
        self.body.as_ref().or(self.payload.as_ref())
    }
}

/// The headers of every sample.
pub(super) fn headers() -> Vec<(String, String)> {
    let headers = [
        ("Host", "localhost"),
        ("Authorization", &server_token(SECRET)),
        ("Stream-Auth-Type", "jwt"),
        ("X-Stream-Client", "headwater-tests"),
        ("Content-Type", "application/json"),
    ];
    headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// A setting of each shape that there is.
fn settings() -> Value {
    json!({
        "multi_tenant_enabled": true,
        "cdn_expiration_seconds": 3600,
        "webhook_url": "https://example.com/hook",
        "enforce_unique_usernames": "no",
        "webhook_events": ["user.updated", "user.deactivated"],
        "grants": {"user": ["read-channel"]},
        "activity_metrics_config": {"a": 1},
        "datadog_info": {"site": {"api_key": "x"}},
        "geofences": [{"name": "eu"}],
        "revoke_tokens_issued_before": "2024-01-02T03:04:05Z",
        "file_upload_config": {"size_limit": 1000, "allowed_mime_types": ["image/png"]},
        "event_hooks": [{"hook_type": "webhook", "enabled": true, "webhook_url": "https://example.com",
            "event_types": ["user.updated"], "timeout_ms": 1000, "created_at": 1_704_067_200_000_000_000_i64}],
        "allowed_flag_reasons": null,
        "headwater": {"replace_security_fields": "keep", "user_size_limit": 5120, "user_teams_limit": 250, "user_blocks_limit": 1000, "team_filter": "injected",
            "rate_limits": {"QueryUsers": 1000}},
    })
}

/// Fields of each type, and every operator that there is.
fn query() -> Value {
    json!({
        "filter_conditions": {
            "id": {"$in": ["alice", "bob"], "$gte": "a", "$lt": "z"},
            "$or": [
                {"name": {"$autocomplete": "al"}, "teams": {"$contains": "red"}},
                {"$and": [{"role": {"$ne": "guest"}}, {"language": {"$nin": ["de", null]}}]},
                {"username": {"$q": "alice"}, "place.city": {"$eq": "Oslo"}},
            ],
            "$nor": [{"invisible": true}, {"level": {"$gt": 9, "$lte": 0.5}}, {"tags": {"$contains": 2}}],
            "created_at": {"$gt": "2020-01-02T03:04:05Z"},
            "deactivated_at": {"$exists": false},
        },
        "sort": [{"field": "level", "direction": -1, "type": "number"}, {"field": "created_at", "direction": 1}],
        "limit": 10,
        "offset": 0,
        "include_deactivated_users": true,
        "presence": false,
        "user_id": "alice",
    })
}

/// One that can be taken back.
fn deletion() -> Value {
    json!({"user_ids": ["alice"], "user": "soft", "messages": "soft", "conversations": "soft", "calls": "soft",
        "files": true, "new_channel_owner_id": "bob", "new_call_owner_id": "bob"})
}

fn users() -> Value {
    json!({"users": {
        "alice": {
            "id": "alice", "name": "Alice", "image": "https://example.com/a.png", "role": "admin", "language": "en-GB",
            "teams": ["red", "blue"], "teams_role": {"red": "admin"}, "invisible": false,
            "privacy_settings": {"typing_indicators": {"enabled": true}, "read_receipts": {"enabled": false}},
            "custom": {"username": "alice", "level": 7, "ratio": 0.5, "tags": ["a", 1, null], "place": {"city": "Oslo"}},
        },
        "bob": {},
    }})
}

fn ban() -> Value {
    json!({
        "target_user_id": "bob", "banned_by_id": "alice", "banned_by": {"id": "alice"}, "channel_cid": "",
        "delete_messages": "soft", "ip_ban": true, "reason": "spam", "shadow": false, "timeout": 60,
    })
}

fn banned() -> Value {
    json!({
        "filter_conditions": {
            "user_id": {"$in": ["bob", "eve"]},
            "$and": [{"reason": {"$eq": "spam"}}, {"banned_by_id": "alice"}],
            "channel_cid": null,
            "created_at": {"$gt": "2020-01-02T03:04:05Z"},
        },
        "sort": [{"field": "created_at", "direction": -1}],
        "exclude_expired_bans": true,
        "limit": 10,
        "offset": 0,
        "user_id": "alice",
        "user": {"id": "alice"},
    })
}

fn flag() -> Value {
    json!({
        "entity_type": "post", "entity_id": "post-1", "entity_creator_id": "bob", "user_id": "alice",
        "user": {"id": "alice"}, "reason": "spam", "custom": {"a": [1, null]}, "moderation_payload": {"texts": ["x"]},
    })
}

fn flags() -> Value {
    json!({
        "filter": {
            "entity_type": {"$in": ["user", "photo"]}, "entity_id": "bob", "user_id": {"$eq": "alice"},
            "entity_creator_id": "bob", "reason": "spam", "created_at": {"$gte": 5, "$lt": "2200-01-02T03:04:05Z"},
        },
        "sort": [{"field": "created_at", "direction": 1}],
        "limit": 10,
        "next": null,
        "prev": "",
    })
}

fn changes() -> Value {
    json!({"users": [
        {
            "id": "alice",
            "set": {"name": "Al", "role": "user", "teams": ["red"], "teams_role.red": "user", "invisible": true,
                "privacy_settings.read_receipts.enabled": true, "custom.level": 8, "place.city": {"name": "Bergen"},
                "revoke_tokens_issued_before": "2024-01-02T03:04:05Z"},
            "unset": ["image", "tags"],
        },
        {"id": "bob", "set": {"custom": {"a": 1}, "language": "en"}},
    ]})
}

fn block() -> Value {
    json!({"blocked_user_id": "bob", "user_id": "alice", "user": {"id": "alice"}})
}

fn device() -> Value {
    json!({"id": "token", "push_provider": "apn", "push_provider_name": "main", "hardware_id": "phone",
        "voip_token": true, "user_id": "alice"})
}

fn preferences() -> Value {
    json!({"preferences": [
        {"user_id": "alice", "chat_level": "mentions", "call_level": "none", "feeds_level": "all",
            "disabled_until": "2250-01-01T00:00:00Z", "chat_preferences": {"direct_mentions": "all"},
            "feeds_preferences": {"comment": "none", "custom_activity_types": {"sale": "all"}}},
        {"user_id": "bob", "chat_level": "default", "remove_disable": true},
    ]})
}

fn block_list() -> Value {
    json!({"name": "rude", "words": ["one", "two"], "type": "word", "team": "red", "user_id": "bob",
        "user": {"id": "bob"}, "is_confusable_folding_enabled": false, "is_leet_check_enabled": true,
        "is_plural_check_enabled": null, "is_substring_matching_enabled": false})
}
