//! The settings of an app: what each may be, whether it can be changed, and whether an answer shows it (v2 2.1).

use model::Invalid;
use serde_json::{Map, Value};

use crate::body::{Object, moment, string, strings};
use crate::json::kind;

/// What a setting may be.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Boolean,
    /// A whole number from 0 up.
    Count,
    Text,
    /// One of these; the first is the default.
    Choice(&'static [&'static str]),
    Texts,
    /// Lists of texts by name; `null` takes one back.
    TextLists,
    /// Whole numbers by name.
    Counts,
    Object,
    Objects,
    /// A time; an explicit `null` takes it back.
    Moment,
    /// `FileUploadConfig`.
    Uploads,
    /// A list of `EventHook`.
    Hooks,
}

/// How a setting is read and changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Always shown, can be changed.
    Shown,
    /// Shown once set, can be changed.
    ShownWhenSet,
    /// Can be changed, never shown.
    Hidden,
    /// Shown, never changed by a client.
    ReadOnly,
}

use Shape::{
    Boolean, Choice, Count, Counts, Hooks, Moment, Object as Free, Objects, Text, TextLists, Texts, Uploads,
};
use Use::{Hidden, ReadOnly, Shown, ShownWhenSet};

pub(crate) const SETTINGS: &[(&str, Shape, Use)] = &[
    ("activity_metrics_config", Counts, ShownWhenSet),
    ("allow_multi_user_devices", Boolean, ReadOnly),
    ("allowed_flag_reasons", Texts, ShownWhenSet),
    ("apn_config", Free, Hidden),
    ("async_moderation_config", Free, Hidden),
    ("async_url_enrich_enabled", Boolean, Shown),
    ("auto_translation_enabled", Boolean, Shown),
    ("before_message_send_hook_attempt_timeout_ms", Count, ShownWhenSet),
    ("before_message_send_hook_url", Text, ShownWhenSet),
    ("call_types", Free, ReadOnly),
    ("campaign_enabled", Boolean, ReadOnly),
    ("cdn_expiration_seconds", Count, Shown),
    ("channel_configs", Free, ReadOnly),
    ("channel_hide_members_only", Boolean, Hidden),
    ("chat_primary_use_case", Text, ShownWhenSet),
    ("custom_action_handler_url", Text, Shown),
    ("datadog_info", Free, ShownWhenSet),
    ("disable_auth_checks", Boolean, Shown),
    ("disable_permissions_checks", Boolean, Shown),
    ("enable_hook_payload_compression", Boolean, Hidden),
    ("enforce_unique_usernames", Choice(&["no", "app", "team"]), Shown),
    ("event_hooks", Hooks, Shown),
    ("feed_audit_logs_enabled", Boolean, Shown),
    ("feeds_moderation_enabled", Boolean, Hidden),
    ("feeds_v2_region", Text, Hidden),
    ("file_upload_config", Uploads, Shown),
    ("firebase_config", Free, Hidden),
    ("geofences", Objects, ShownWhenSet),
    ("grants", TextLists, Shown),
    ("guest_user_creation_disabled", Boolean, Shown),
    ("huawei_config", Free, Hidden),
    ("image_moderation_block_labels", Texts, Hidden),
    ("image_moderation_enabled", Boolean, Shown),
    ("image_moderation_labels", Texts, ShownWhenSet),
    ("image_upload_config", Uploads, Shown),
    ("max_aggregated_activities_length", Count, Shown),
    ("member_custom_on_messages_enabled", Boolean, Shown),
    ("migrate_permissions_to_v2", Boolean, Hidden),
    ("moderation_analytics_enabled", Boolean, Hidden),
    ("moderation_audio_call_moderation_enabled", Boolean, ReadOnly),
    ("moderation_dashboard_preferences", Free, ShownWhenSet),
    ("moderation_enabled", Boolean, Shown),
    ("moderation_llm_configurability_enabled", Boolean, ReadOnly),
    ("moderation_multitenant_blocklist_enabled", Boolean, ReadOnly),
    ("moderation_onboarding_complete", Boolean, ShownWhenSet),
    ("moderation_s3_image_access_role_arn", Text, ShownWhenSet),
    ("moderation_video_call_moderation_enabled", Boolean, ReadOnly),
    ("moderation_webhook_url", Text, Shown),
    ("multi_tenant_enabled", Boolean, Shown),
    ("organization", Text, ReadOnly),
    ("permission_version", Choice(&["v2", "v1"]), Shown),
    ("placement", Text, ReadOnly),
    ("policies", Free, ReadOnly),
    ("push_config", Free, Hidden),
    ("push_notifications", Free, ReadOnly),
    ("reminders_interval", Count, Shown),
    ("reminders_max_members", Count, Hidden),
    ("reminders_max_per_user", Count, Hidden),
    ("revoke_tokens_issued_before", Moment, ShownWhenSet),
    ("sns_key", Text, Shown),
    ("sns_secret", Text, Shown),
    ("sns_topic_arn", Text, Shown),
    ("sqs_key", Text, Shown),
    ("sqs_secret", Text, Shown),
    ("sqs_url", Text, Shown),
    ("use_hook_v2", Boolean, ReadOnly),
    ("user_response_time_enabled", Boolean, Shown),
    ("user_search_disallowed_roles", Texts, Shown),
    ("video_primary_use_case", Text, ShownWhenSet),
    ("webhook_events", Texts, Shown),
    ("webhook_url", Text, Shown),
    ("xiaomi_config", Free, Hidden),
];

/// The value in the form in which it is kept.
pub(super) fn checked(path: &str, shape: Shape, value: Value) -> Result<Value, Invalid> {
    let refuse =
        |expected: &str| Err(Invalid::new(path, format!("must be {expected}, got {}", kind(&value))));
    match shape {
        Boolean if !value.is_boolean() => refuse("true or false"),
        Count if !value.is_u64() => refuse("a whole number from 0 up"),
        Free if !value.is_object() => refuse("an object"),
        Boolean | Count | Free => Ok(value),
        Text => string(path, value).map(Value::from),
        Choice(choices) => {
            let text = string(path, value)?;
            if choices.contains(&text.as_str()) {
                return Ok(text.into());
            }
            Err(Invalid::new(path, format!("must be one of {}", choices.join(", "))))
        }
        Texts => strings(path, value).map(Value::from),
        TextLists => each(path, value, Texts),
        Counts => each(path, value, Count),
        Objects => {
            let Value::Array(elements) = value else { return refuse("an array of objects") };
            let element = |(place, element)| checked(&format!("{path}.{place}"), Free, element);
            elements.into_iter().enumerate().map(element).collect()
        }
        Moment if value.is_null() => Ok(value),
        Moment => moment(path, &value).map(|moment| crate::timestamp(moment).into()),
        Uploads => uploads(path, value),
        Hooks => refuse("read with a time and a seed"),
    }
}

fn each(path: &str, value: Value, shape: Shape) -> Result<Value, Invalid> {
    let (path, fields) = Object::expect(path.to_owned(), value)?.into_parts();
    fields
        .into_iter()
        .map(|(name, value)| {
            if value.is_null() && matches!(shape, Texts) {
                return Ok((name, value));
            }
            let value = checked(&format!("{path}.{name}"), shape, value)?;
            Ok((name, value))
        })
        .collect()
}

fn uploads(path: &str, value: Value) -> Result<Value, Invalid> {
    let mut config = Object::expect(path.to_owned(), value)?;
    let mut kept = Map::new();
    kept.insert("size_limit".to_owned(), config.count("size_limit")?.unwrap_or(0).into());
    for name in
        ["allowed_file_extensions", "blocked_file_extensions", "allowed_mime_types", "blocked_mime_types"]
    {
        if let Some(list) = config.strings(name)? {
            kept.insert(name.to_owned(), list.into());
        }
    }
    Ok(Value::Object(kept))
}
