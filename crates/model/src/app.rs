//! What an app is: its keys, its standing and its settings.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Absent, AppKey, Grants, Invalid, Limits, Timestamp, custom, rules};

/// One app: everything that a request is checked against before its operation runs.
#[derive(Clone, Debug)]
pub struct App {
    /// The key under which storage keeps it.
    pub key: AppKey,
    /// The public key that clients send.
    pub api_key: String,
    /// The name.
    pub name: String,
    /// What tokens are signed with.
    pub secret: Secret,
    /// The secret before, valid as well while a rotation is under way.
    pub previous_secret: Option<Secret>,
    /// Since when and why nobody may use the app.
    pub suspension: Option<Suspension>,
    /// The settings.
    pub settings: AppSettings,
    /// When the app came to be.
    pub created_at: Timestamp,
    /// When the app was last changed.
    pub updated_at: Timestamp,
}

impl App {
    /// The secrets that a token may be signed with, the current one first.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.secret).chain(&self.previous_secret)
    }
}

/// A secret that never shows itself in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Guards `secret`.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself: for signatures, storage and the owner's terminal only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// A suspended app answers nobody (code 99).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// Since when.
    pub at: Timestamp,
    /// Why, as the operator put it.
    pub explanation: String,
}

/// The most bytes of an app's settings.
const MOST_SETTINGS_BYTES: usize = 256 << 10;

/// Where no two users may have the same name (semantics 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UniqueNames {
    /// Nowhere.
    #[default]
    No,
    /// In the whole app.
    App,
    /// In each team; users who share no team may have the same name.
    Team,
}

/// What a query for users of a client without a team filter gets, in an app with teams (semantics 4.27, DESIGN 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TeamFilter {
    /// The users of its own teams.
    #[default]
    Injected,
    /// A refusal.
    Required,
}

/// The settings of an app, as changed from their defaults.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppSettings {
    /// What an upsert does to fields that are not given.
    #[serde(with = "absent", skip_serializing_if = "is_default")]
    pub absent: Absent,
    /// Where names are unique, from the change of this setting on.
    #[serde(skip_serializing_if = "is_default")]
    pub unique_names: UniqueNames,
    /// The most bytes of a user; `None` is the default of [`Limits`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_bytes: Option<usize>,
    /// The most teams of a user; `None` is the default of [`Limits`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teams: Option<usize>,
    /// The most users that a user may block; `None` is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<usize>,
    /// What becomes of a client's query without a team filter.
    #[serde(skip_serializing_if = "is_default")]
    pub team_filter: TeamFilter,
    /// Calls a minute and platform by operation name. What is not named has the server's limit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rate_limits: BTreeMap<String, u32>,
    /// What the ids of users who were deleted for good are hashed with ([`crate::tombstone`]): made with the first of them.
    #[serde(with = "revealed", skip_serializing_if = "Option::is_none")]
    pub tombstone_key: Option<Secret>,
    /// What the members of a channel that is found by them are hashed with ([`crate::distinct_id`]): made with the first of them.
    #[serde(with = "revealed", skip_serializing_if = "Option::is_none")]
    pub members_key: Option<Secret>,
    /// Settings of the contract, checked and kept as given. What a rule reads of them has a method.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub kept: Map<String, Value>,
}

/// Shows the names of what is kept, not the values: keys of push providers and queues are among them.
impl fmt::Debug for AppSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AppSettings")
            .field("absent", &self.absent)
            .field("unique_names", &self.unique_names)
            .field("user_bytes", &self.user_bytes)
            .field("teams", &self.teams)
            .field("blocks", &self.blocks)
            .field("team_filter", &self.team_filter)
            .field("rate_limits", &self.rate_limits)
            .field("tombstone_key", &self.tombstone_key)
            .field("members_key", &self.members_key)
            .field("kept", &self.kept.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl AppSettings {
    /// Checks that the settings can be kept: they are stored, read and cached as a whole.
    ///
    /// # Errors
    /// When a setting is nested too deep, or all together are too large.
    pub fn check(&self) -> Result<(), Invalid> {
        for (name, value) in &self.kept {
            if custom::extent(value).0 > custom::DEEPEST {
                return Err(Invalid::new(name, format!("may have at most {} levels", custom::DEEPEST)));
            }
        }
        let bytes = rules::written(self);
        if bytes > MOST_SETTINGS_BYTES {
            let why =
                format!("all settings may have {MOST_SETTINGS_BYTES} bytes together, these have {bytes}");
            return Err(Invalid::new("settings", why));
        }
        Ok(())
    }

    /// The sizes that the app allows. The roles are the store's to know.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let Limits { user_bytes, teams, roles } = Limits::default();
        Limits {
            user_bytes: self.user_bytes.unwrap_or(user_bytes),
            teams: self.teams.unwrap_or(teams),
            roles,
        }
    }

    /// Whether the app grants `role` anything; `None` when its grants do not name the role.
    #[must_use]
    pub fn grants_anything_to(&self, role: &str) -> Option<bool> {
        let granted = self.kept.get(GRANTS)?.get(role)?.as_array()?;
        Some(!granted.is_empty())
    }

    /// The most users that one of them may block (semantics 12.9).
    #[must_use]
    pub fn most_blocks(&self) -> usize {
        self.blocks.unwrap_or(1000)
    }

    /// The grants of the app, when it has any of its own.
    #[must_use]
    pub fn grants(&self) -> Option<Grants<'_>> {
        self.kept.get(GRANTS).map(Grants::new)
    }

    /// Whether teams are kept from each other (semantics 8.12).
    #[must_use]
    pub fn is_multi_tenant(&self) -> bool {
        self.is_on("multi_tenant_enabled")
    }

    /// Whether unsigned development tokens of users are taken (semantics 7.16).
    #[must_use]
    pub fn takes_developer_tokens(&self) -> bool {
        self.is_on("disable_auth_checks")
    }

    /// Whether users may do everything that permissions are about (semantics 7.17). Teams stay apart all the same.
    #[must_use]
    pub fn skips_permissions(&self) -> bool {
        self.is_on("disable_permissions_checks")
    }

    /// Whether nobody can make a guest (semantics 6.11).
    #[must_use]
    pub fn refuses_guests(&self) -> bool {
        self.is_on("guest_user_creation_disabled")
    }

    /// Whether users with `role` may not search for users (semantics 4.29).
    #[must_use]
    pub fn keeps_from_searching(&self, role: &str) -> bool {
        let roles = self.kept.get("user_search_disallowed_roles").and_then(Value::as_array);
        roles.is_some_and(|roles| roles.iter().any(|known| known == role))
    }

    /// User tokens that were issued before are revoked (semantics 7.9).
    #[must_use]
    pub fn tokens_revoked_before(&self) -> Option<Timestamp> {
        self.kept.get("revoke_tokens_issued_before")?.as_i64().map(Timestamp::from_nanoseconds)
    }

    /// Whether somebody is told of events: a hook that is enabled, or the webhook of older apps (semantics 16.11).
    #[must_use]
    pub fn has_hooks(&self) -> bool {
        let hooks = self.kept.get("event_hooks").and_then(Value::as_array).into_iter().flatten();
        let is_enabled = |hook: &Value| hook.get("enabled").and_then(Value::as_bool) == Some(true);
        let webhook = self.kept.get("webhook_url").and_then(Value::as_str).unwrap_or_default();
        hooks.into_iter().any(is_enabled) || !webhook.is_empty()
    }

    fn is_on(&self, name: &str) -> bool {
        self.kept.get(name).and_then(Value::as_bool).unwrap_or(false)
    }
}

/// Grants of other roles stay as they are; `null` gives a role back what is built in, and no roles at all give that to
/// every role (chat-v1 4.12).
fn grant(kept: &mut Map<String, Value>, given: &Value) {
    let mut grants = kept.get(GRANTS).and_then(Value::as_object).cloned().unwrap_or_default();
    match given.as_object() {
        Some(given) if !given.is_empty() => {
            for (role, ids) in given {
                if ids.is_null() {
                    grants.shift_remove(role);
                } else {
                    grants.insert(role.clone(), ids.clone());
                }
            }
        }
        _ => grants.clear(),
    }
    if grants.is_empty() {
        kept.shift_remove(GRANTS);
    } else {
        kept.insert(GRANTS.to_owned(), Value::Object(grants));
    }
}

/// The setting that holds the grants of the app.
const GRANTS: &str = "grants";

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A secret as it is stored.
mod revealed {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Secret;

    pub(super) fn serialize<S: Serializer>(
        secret: &Option<Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::reveal).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
    }
}

/// The stored names of [`Absent`].
mod absent {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Absent;

    pub(super) fn serialize<S: Serializer>(absent: &Absent, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match absent {
            Absent::Keep => "keep",
            Absent::Reset => "reset",
        })
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Absent, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "keep" => Ok(Absent::Keep),
            "reset" => Ok(Absent::Reset),
            other => Err(serde::de::Error::custom(format!("unknown choice {other}"))),
        }
    }
}

/// A change of settings: every `Some` replaces what is stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SettingsPatch {
    /// See [`AppSettings::absent`].
    pub absent: Option<Absent>,
    /// See [`AppSettings::unique_names`].
    pub unique_names: Option<UniqueNames>,
    /// See [`AppSettings::user_bytes`].
    pub user_bytes: Option<usize>,
    /// See [`AppSettings::teams`].
    pub teams: Option<usize>,
    /// See [`AppSettings::blocks`].
    pub blocks: Option<usize>,
    /// See [`AppSettings::team_filter`].
    pub team_filter: Option<TeamFilter>,
    /// See [`AppSettings::rate_limits`]; replaces all of them.
    pub rate_limits: Option<BTreeMap<String, u32>>,
    /// See [`AppSettings::kept`]; `Value::Null` takes a setting back.
    pub kept: Map<String, Value>,
}

impl SettingsPatch {
    /// The settings that this change makes of `before`.
    #[must_use]
    pub fn apply(&self, before: &AppSettings) -> AppSettings {
        let mut settings = before.clone();
        settings.absent = self.absent.unwrap_or(before.absent);
        settings.unique_names = self.unique_names.unwrap_or(before.unique_names);
        settings.user_bytes = self.user_bytes.or(before.user_bytes);
        settings.teams = self.teams.or(before.teams);
        settings.blocks = self.blocks.or(before.blocks);
        settings.team_filter = self.team_filter.unwrap_or(before.team_filter);
        if let Some(limits) = &self.rate_limits {
            settings.rate_limits.clone_from(limits);
        }
        for (name, value) in &self.kept {
            if value.is_null() {
                settings.kept.shift_remove(name);
            } else if name == GRANTS {
                grant(&mut settings.kept, value);
            } else {
                settings.kept.insert(name.clone(), value.clone());
            }
        }
        settings
    }

    /// The names of the settings that are given, for the log.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let own = [
            ("absent", self.absent.is_some()),
            ("unique_names", self.unique_names.is_some()),
            ("user_bytes", self.user_bytes.is_some()),
            ("teams", self.teams.is_some()),
            ("blocks", self.blocks.is_some()),
            ("team_filter", self.team_filter.is_some()),
            ("rate_limits", self.rate_limits.is_some()),
        ];
        let own = own.into_iter().filter(|(_, given)| *given).map(|(name, _)| name.to_owned());
        own.chain(self.kept.keys().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let kept = |value: Value| value.as_object().cloned().unwrap_or_default();
        let before = AppSettings {
            absent: Absent::Reset,
            teams: Some(3),
            kept: kept(json!({"webhook_url": "http://a", "sqs_url": "b"})),
            ..AppSettings::default()
        };
        assert_eq!(SettingsPatch::default().apply(&before), before);
        let patch = SettingsPatch {
            user_bytes: Some(9000),
            kept: kept(json!({"webhook_url": "http://c", "sqs_url": null})),
            ..SettingsPatch::default()
        };
        assert_eq!(patch.names(), ["user_bytes", "webhook_url", "sqs_url"]);
        let after = patch.apply(&before);
        assert_eq!(after.limits(), Limits { user_bytes: 9000, teams: 3, ..Limits::default() });
        assert_eq!(after.kept, kept(json!({"webhook_url": "http://c"})));
        let stored = serde_json::to_string(&after).unwrap();
        assert_eq!(serde_json::from_str::<AppSettings>(&stored).unwrap(), after);
    }

    #[test]
    fn grants_change_role_by_role() {
        let mut settings = AppSettings::default();
        for (given, expected) in [
            (json!({"user": ["a"], "guest": []}), Some(json!({"user": ["a"], "guest": []}))),
            (json!({"admin": ["b"]}), Some(json!({"user": ["a"], "guest": [], "admin": ["b"]}))),
            (json!({"user": null, "admin": ["c"]}), Some(json!({"guest": [], "admin": ["c"]}))),
            (json!({"guest": null, "admin": null}), None),
            (json!({"user": ["a"]}), Some(json!({"user": ["a"]}))),
            (json!({}), None),
        ] {
            let mut kept = Map::new();
            kept.insert("grants".to_owned(), given.clone());
            settings = SettingsPatch { kept, ..SettingsPatch::default() }.apply(&settings);
            assert_eq!(settings.kept.get("grants"), expected.as_ref(), "{given}");
        }
    }

    #[test]
    fn secrets_do_not_show() {
        assert_eq!(format!("{:?}", Secret::new("hush".to_owned())), "Secret");
    }
}
