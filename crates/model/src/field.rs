//! Names of the fields of a user, where a rule needs them: what custom data may not be called.

/// Every built-in field that a user object shows to anybody (semantics 1.2 and 1.6).
///
/// No custom field may have such a name: the classic dialect prints both side by side, and a partial update
/// addresses both by the bare name.
pub const BUILT_IN: &[&str] = &[
    "avg_response_time",
    "ban_expires",
    "banned",
    "blocked_user_ids",
    "bypass_moderation",
    "channel_mutes",
    "created_at",
    "deactivated_at",
    "deleted_at",
    "devices",
    "id",
    "image",
    "invisible",
    "language",
    "last_active",
    "latest_hidden_channels",
    "mutes",
    "name",
    "online",
    "privacy_settings",
    "push_notifications",
    "push_preferences",
    "revoke_tokens_issued_before",
    "role",
    "shadow_banned",
    "teams",
    "teams_role",
    "total_unread_count",
    "total_unread_count_by_team",
    "unread_channels",
    "unread_count",
    "unread_threads",
    "updated_at",
];
