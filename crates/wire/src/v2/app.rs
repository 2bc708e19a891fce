//! App settings: `UpdateAppRequest` and `GetApplicationResponse` (v2 2.1), by the table of [`super::settings`]. To give a
//! setting a meaning, move it from `kept` to a field of [`AppSettings`].

use model::{
    Absent, App, AppSettings, Invalid, Operation, SettingsPatch, TeamFilter, Timestamp, UniqueNames,
};
use serde_json::{Map, Value, json};

use super::settings::Shape::{
    Boolean, Choice, Count, Counts, Hooks, Moment, Object as Free, Objects, Text, TextLists, Texts, Uploads,
};
use super::settings::Use::{Hidden, ReadOnly, Shown};
use super::settings::{SETTINGS, Shape, checked};
use super::{hooks, to_bytes};
use crate::body::Object;

/// The setting that has a field of its own in the model, because a rule reads it.
const UNIQUE_NAMES: &str = "enforce_unique_usernames";

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
            Hooks => hooks::decode(name, value, now, seed)?,
            shape => checked(name, shape, value)?,
        };
        patch.kept.insert(name.to_owned(), value);
    }
    patch.unique_names = patch.kept.shift_remove(UNIQUE_NAMES).map(|scope| match scope.as_str() {
        Some("app") => UniqueNames::App,
        Some("team") => UniqueNames::Team,
        _ => UniqueNames::No,
    });
    if let Some(own) = body.object(OWN)? {
        decode_own(own, &mut patch)?;
    }
    Ok(patch)
}

/// The most that the own settings can be set to: a user is checked and stored as a whole.
pub(crate) const MOST_USER_BYTES: usize = 64 << 10;
pub(crate) const MOST_TEAMS: usize = 1000;
pub(crate) const MOST_BLOCKS: usize = 2_000;
pub(crate) const MOST_CALLS: u32 = 2_147_483_647;

fn at_most(own: &mut Object, name: &str, most: usize) -> Result<Option<usize>, Invalid> {
    match own.count(name)? {
        Some(count) if count > most => Err(own.refuse(name, format!("must be at most {most}, got {count}"))),
        count => Ok(count),
    }
}

fn decode_own(mut own: Object, patch: &mut SettingsPatch) -> Result<(), Invalid> {
    const REPLACE: &str = "replace_security_fields";
    const TEAM_FILTER: &str = "team_filter";
    patch.absent = match own.string(REPLACE)?.as_deref() {
        None => None,
        Some("keep") => Some(Absent::Keep),
        Some("reset") => Some(Absent::Reset),
        Some(_) => return Err(own.refuse(REPLACE, "must be 'keep' or 'reset'")),
    };
    patch.user_bytes = at_most(&mut own, "user_size_limit", MOST_USER_BYTES)?;
    patch.teams = at_most(&mut own, "user_teams_limit", MOST_TEAMS)?;
    patch.blocks = at_most(&mut own, "user_blocks_limit", MOST_BLOCKS)?;
    patch.team_filter = match own.string(TEAM_FILTER)?.as_deref() {
        None => None,
        Some("injected") => Some(TeamFilter::Injected),
        Some("required") => Some(TeamFilter::Required),
        Some(_) => return Err(own.refuse(TEAM_FILTER, "must be 'injected' or 'required'")),
    };
    if let Some(limits) = own.object("rate_limits")? {
        let (path, limits) = limits.into_parts();
        let calls = |(name, value): (String, Value)| {
            let refuse = |why: &str| Err(Invalid::new(format!("{path}.{name}"), why));
            let known = |operation: &&Operation| operation.name() == name && !operation.is_for_operators();
            if !Operation::ALL.iter().any(|operation| known(&operation)) {
                return refuse("is not the name of an operation, like UpdateUsers");
            }
            match value.as_u64().and_then(|calls| u32::try_from(calls).ok()) {
                // An app that allowed itself no call of UpdateApp could never take that back.
                Some(calls @ 1..=MOST_CALLS) => Ok((name, calls)),
                _ => refuse("must be a whole number of calls a minute from 1 up"),
            }
        };
        patch.rate_limits = Some(limits.into_iter().map(calls).collect::<Result<_, Invalid>>()?);
    }
    match own.rest().next() {
        Some(unknown) => {
            let known = "there are replace_security_fields, team_filter, user_size_limit, user_teams_limit, user_blocks_limit and rate_limits";
            Err(own.refuse(unknown, format!("is not a setting; {known}")))
        }
        None => Ok(()),
    }
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
    let scope = match app.settings.unique_names {
        UniqueNames::No => "no",
        UniqueNames::App => "app",
        UniqueNames::Team => "team",
    };
    shown.insert(UNIQUE_NAMES.to_owned(), scope.into());
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
        "user_blocks_limit": settings.most_blocks(),
        "team_filter": match settings.team_filter {
            TeamFilter::Injected => "injected",
            TeamFilter::Required => "required",
        },
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
            (json!({"headwater": {"rate_limits": {"UpdateApp": 0}}}), "headwater.rate_limits.UpdateApp"),
            (json!({"headwater": {"rate_limits": {"CreateApp": 1}}}), "headwater.rate_limits.CreateApp"),
            (json!({"headwater": {"user_size_limit": 65537}}), "headwater.user_size_limit"),
            (json!({"headwater": {"user_teams_limit": 1001}}), "headwater.user_teams_limit"),
            (json!({"event_hooks": [{"id": "x"}, {"id": "x"}]}), "event_hooks.1.id"),
            (json!({"headwater": {"rate_limits": {"GetUp": 1}}}), "headwater.rate_limits.GetUp"),
            (json!({"headwater": {"colour": 1}}), "headwater.colour"),
        ] {
            assert_eq!(decode(body.clone()).unwrap_err().field, field, "{body}");
        }
    }

    #[test]
    fn own_settings_come_back() {
        let own = json!({"replace_security_fields": "reset", "user_size_limit": 9000, "user_teams_limit": 2,
            "user_blocks_limit": 5, "team_filter": "required", "rate_limits": {"UpdateUsers": 300}});
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
