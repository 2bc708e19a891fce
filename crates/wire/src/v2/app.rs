//! App settings (v2 2.1): one table says of each setting what it may be, whether it can be changed, and whether an
//! answer shows it. To give a setting a meaning, move it from `kept` to a field of [`AppSettings`].

use model::{Absent, App, AppSettings, Invalid, Operation, SettingsPatch, Timestamp};
use serde_json::{Map, Value, json};

use super::to_bytes;
use crate::body::{Object, moment, string, strings};
use crate::json::kind;

/// What a setting may be.
#[derive(Clone, Copy)]
enum Shape {
    Boolean,
    /// A whole number from 0 up.
    Count,
    Text,
    /// One of these; the first is the default.
    Choice(&'static [&'static str]),
    Texts,
    /// Lists of texts by name.
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
enum Use {
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

const SETTINGS: &[(&str, Shape, Use)] = &[
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

/// The object in which Headwater's own settings stand, in requests and answers.
const OWN: &str = "headwater";

/// `UpdateAppRequest`. Names that are not known, and settings that no client can change, are ignored: clients send
/// back what they read.
///
/// `now` and `seed` date and name hooks that are new.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_update(body: Map<String, Value>, now: Timestamp, seed: u128) -> Result<SettingsPatch, Invalid> {
    let mut body = Object::root(body);
    let mut patch = SettingsPatch::default();
    for &(name, shape, of) in SETTINGS {
        let Some(value) = body.nullable(name) else { continue };
        if of == ReadOnly || (value.is_null() && !matches!(shape, Moment)) {
            continue;
        }
        let value = match shape {
            Hooks => hooks(name, value, now, seed)?,
            shape => checked(name, shape, value)?,
        };
        patch.kept.insert(name.to_owned(), value);
    }
    if let Some(own) = body.object(OWN)? {
        decode_own(own, &mut patch)?;
    }
    Ok(patch)
}

fn decode_own(mut own: Object, patch: &mut SettingsPatch) -> Result<(), Invalid> {
    const REPLACE: &str = "replace_security_fields";
    patch.absent = match own.string(REPLACE)?.as_deref() {
        None => None,
        Some("keep") => Some(Absent::Keep),
        Some("reset") => Some(Absent::Reset),
        Some(_) => return Err(own.refuse(REPLACE, "must be 'keep' or 'reset'")),
    };
    patch.user_bytes = own.count("user_size_limit")?;
    patch.teams = own.count("user_teams_limit")?;
    if let Some(limits) = own.object("rate_limits")? {
        let (path, limits) = limits.into_parts();
        let calls = |(name, value): (String, Value)| {
            let refuse = |why: &str| Err(Invalid::new(format!("{path}.{name}"), why));
            if !Operation::ALL.iter().any(|operation| operation.name() == name) {
                return refuse("is not the name of an operation, like UpdateUsers");
            }
            match value.as_u64().and_then(|calls| u32::try_from(calls).ok()) {
                Some(calls) => Ok((name, calls)),
                None => refuse("must be a whole number of calls a minute"),
            }
        };
        patch.rate_limits = Some(limits.into_iter().map(calls).collect::<Result<_, Invalid>>()?);
    }
    match own.rest().next() {
        Some(unknown) => {
            let known =
                "there are replace_security_fields, user_size_limit, user_teams_limit and rate_limits";
            Err(own.refuse(unknown, format!("is not a setting; {known}")))
        }
        None => Ok(()),
    }
}

/// The value in the form in which it is kept.
fn checked(path: &str, shape: Shape, value: Value) -> Result<Value, Invalid> {
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

/// The fields of `EventHook` and what they may be (v2 3.11).
const HOOK: &[(&str, Shape)] = &[
    ("id", Text),
    ("enabled", Boolean),
    ("hook_type", Choice(&["webhook", "sqs", "sns", "pending_message"])),
    ("product", Text),
    ("should_send_custom_events", Boolean),
    ("timeout_ms", Count),
    ("webhook_url", Text),
    ("event_types", Texts),
    ("callback", Free),
    ("failover_config", Free),
    ("sqs_queue_url", Text),
    ("sqs_region", Text),
    ("sqs_auth_type", Text),
    ("sqs_key", Text),
    ("sqs_secret", Text),
    ("sqs_role_arn", Text),
    ("sns_topic_arn", Text),
    ("sns_region", Text),
    ("sns_auth_type", Text),
    ("sns_key", Text),
    ("sns_secret", Text),
    ("sns_role_arn", Text),
    ("sns_event_based_message_group_id_enabled", Boolean),
    ("created_at", Moment),
    ("updated_at", Moment),
];

fn hooks(path: &str, value: Value, now: Timestamp, seed: u128) -> Result<Value, Invalid> {
    let Value::Array(hooks) = value else {
        return Err(Invalid::new(path, format!("must be an array of hooks, got {}", kind(&value))));
    };
    let stamp = |(place, hook): (usize, Value)| {
        let mut hook = Object::expect(format!("{path}.{place}"), hook)?;
        let mut kept = Map::new();
        for &(name, shape) in HOOK {
            if let Some(value) = hook.value(name) {
                kept.insert(name.to_owned(), checked(&hook.path_of(name), shape, value)?);
            }
        }
        // Ids of one request differ by the place of the hook and are repeated when the request is run again.
        let id = seed.wrapping_add(place as u128);
        let now = Value::from(crate::timestamp(now));
        kept.entry("id").or_insert_with(|| format!("{id:032x}").into());
        kept.entry("enabled").or_insert(true.into());
        kept.entry("created_at").or_insert(now.clone());
        kept.insert("updated_at".to_owned(), now);
        Ok(Value::Object(kept))
    };
    hooks.into_iter().enumerate().map(stamp).collect()
}

/// `GetApplicationResponse`.
#[must_use]
pub fn encode(app: &App, duration: &str) -> Vec<u8> {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), app.key.0.into());
    shown.insert("name".to_owned(), app.name.as_str().into());
    shown.insert("suspended".to_owned(), app.suspension.is_some().into());
    let explanation = app.suspension.as_ref().map_or("", |suspension| &suspension.explanation);
    shown.insert("suspended_explanation".to_owned(), explanation.into());
    for &(name, shape, of) in SETTINGS {
        let kept = app.settings.kept.get(name).filter(|_| of != Hidden).cloned();
        let value = kept.or_else(|| matches!(of, Shown | ReadOnly).then(|| default(shape)));
        if let Some(value) = value {
            shown.insert(name.to_owned(), value);
        }
    }
    shown.insert(OWN.to_owned(), own(&app.settings));
    to_bytes(&json!({"duration": duration, "app": shown}))
}

/// What a setting is before it is set.
fn default(shape: Shape) -> Value {
    match shape {
        Boolean => false.into(),
        Count => 0.into(),
        Text => "".into(),
        Choice(choices) => choices.first().copied().into(),
        Texts | Objects | Hooks => Value::Array(Vec::new()),
        TextLists | Counts | Free => Value::Object(Map::new()),
        Moment => Value::Null,
        Uploads => json!({"size_limit": 0}),
    }
}

fn own(settings: &AppSettings) -> Value {
    let limits = settings.limits();
    let absent = match settings.absent {
        Absent::Keep => "keep",
        Absent::Reset => "reset",
    };
    json!({
        "replace_security_fields": absent,
        "user_size_limit": limits.user_bytes,
        "user_teams_limit": limits.teams,
        "rate_limits": settings.rate_limits,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::{AppKey, Secret};

    use super::*;

    const NOW: Timestamp = Timestamp::from_nanoseconds(1_704_067_200_000_000_001);

    fn decode(body: Value) -> Result<SettingsPatch, Invalid> {
        let Value::Object(body) = body else { panic!("not an object") };
        decode_update(body, NOW, 7)
    }

    fn shown(settings: AppSettings) -> Value {
        let app = App {
            key: AppKey(1),
            api_key: "key".to_owned(),
            name: "app".to_owned(),
            secret: Secret::new("hush".to_owned()),
            previous_secret: None,
            suspension: None,
            settings,
            created_at: NOW,
            updated_at: NOW,
        };
        serde_json::from_slice::<Value>(&encode(&app, "0.00ms")).unwrap()["app"].clone()
    }

    /// Every field that v2-fields.json lists, `*` for those that are required.
    const CONTRACT: &str = include_str!("app_fields.txt");

    #[test]
    fn the_table_covers_the_contract() {
        let fresh = shown(AppSettings::default());
        for line in CONTRACT.lines().filter(|line| !line.starts_with('#')) {
            let (schema, name) = line.split_once(' ').unwrap();
            let setting = SETTINGS.iter().find(|(known, ..)| *known == name);
            match schema {
                "answer*" => assert!(fresh.get(name).is_some(), "{name} must always be shown"),
                "answer" => assert!(fresh.get(name).is_none(), "{name} must not be shown before it is set"),
                "request" => {
                    assert!(setting.is_some_and(|(.., of)| *of != ReadOnly), "{name} must be changeable");
                }
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn every_setting_comes_back_as_it_was_given() {
        for &(name, shape, of) in SETTINGS {
            let (given, kept) = match shape {
                Boolean => (json!(true), json!(true)),
                Count => (json!(7), json!(7)),
                Text => (json!("text"), json!("text")),
                Choice(choices) => (json!(choices[1]), json!(choices[1])),
                Texts => (json!(["a", "b"]), json!(["a", "b"])),
                TextLists => (json!({"user": ["a"]}), json!({"user": ["a"]})),
                Counts => (json!({"a": 1}), json!({"a": 1})),
                Free => (json!({"a": {"b": 1}}), json!({"a": {"b": 1}})),
                Objects => (json!([{"a": 1}]), json!([{"a": 1}])),
                Moment => (json!("2024-01-01T00:00:00.000000001Z"), json!(NOW.nanoseconds())),
                Uploads => (
                    json!({"allowed_mime_types": ["a/b"]}),
                    json!({"size_limit": 0, "allowed_mime_types": ["a/b"]}),
                ),
                Hooks => {
                    let stamp = json!({"id": format!("{:032x}", 7), "enabled": true, "created_at": NOW.nanoseconds(),
                        "updated_at": NOW.nanoseconds(), "hook_type": "webhook", "event_types": []});
                    (json!([{"hook_type": "webhook", "event_types": []}]), json!([stamp]))
                }
            };
            let patch = decode(json!({ name: given })).unwrap();
            if of == ReadOnly {
                assert_eq!(patch, SettingsPatch::default(), "{name}");
                continue;
            }
            let answer = shown(patch.apply(&AppSettings::default()));
            assert_eq!(answer.get(name), Some(&kept).filter(|_| of != Hidden), "{name}");
        }
    }

    #[test]
    fn null_is_not_given_but_for_times() {
        let nulls: Map<String, Value> =
            SETTINGS.iter().map(|(name, ..)| ((*name).to_owned(), Value::Null)).collect();
        let patch = decode(Value::Object(nulls)).unwrap();
        assert_eq!(Value::Object(patch.kept), json!({"revoke_tokens_issued_before": null}));
    }

    #[test]
    fn refusals_name_the_field() {
        for (body, field) in [
            (json!({"multi_tenant_enabled": "yes"}), "multi_tenant_enabled"),
            (json!({"reminders_interval": -1}), "reminders_interval"),
            (json!({"enforce_unique_usernames": "all"}), "enforce_unique_usernames"),
            (json!({"webhook_events": ["a", 1]}), "webhook_events.1"),
            (json!({"grants": {"user": "all"}}), "grants.user"),
            (json!({"revoke_tokens_issued_before": "soon"}), "revoke_tokens_issued_before"),
            (json!({"file_upload_config": {"size_limit": "1"}}), "file_upload_config.size_limit"),
            (json!({"event_hooks": [{}, {"hook_type": "carrier pigeon"}]}), "event_hooks.1.hook_type"),
            (json!({"headwater": {"replace_security_fields": "maybe"}}), "headwater.replace_security_fields"),
            (json!({"headwater": {"rate_limits": {"GetApp": -1}}}), "headwater.rate_limits.GetApp"),
            (json!({"headwater": {"rate_limits": {"GetUp": 1}}}), "headwater.rate_limits.GetUp"),
            (json!({"headwater": {"colour": 1}}), "headwater.colour"),
        ] {
            assert_eq!(decode(body.clone()).unwrap_err().field, field, "{body}");
        }
    }

    #[test]
    fn own_settings_come_back() {
        let own = json!({"replace_security_fields": "reset", "user_size_limit": 9000, "user_teams_limit": 2,
            "rate_limits": {"UpdateUsers": 300}});
        let patch = decode(json!({"headwater": own})).unwrap();
        assert_eq!(shown(patch.apply(&AppSettings::default()))["headwater"], own);
    }

    #[test]
    fn rate_limits_of_an_app_are_replaced_as_a_whole() {
        let before =
            AppSettings { rate_limits: BTreeMap::from([("GetApp".to_owned(), 1)]), ..AppSettings::default() };
        let patch = decode(json!({"headwater": {"rate_limits": {}}})).unwrap();
        assert_eq!(patch.apply(&before).rate_limits, BTreeMap::new());
    }
}
