//! Event hooks: where events are to be sent (v2 3.11).

use std::collections::BTreeSet;

use model::{Invalid, Timestamp};
use serde_json::{Map, Value};

use super::settings::Shape::{self, Boolean, Choice, Count, Moment, Object as Free, Text, Texts};
use super::settings::checked;
use crate::body::Object;
use crate::json::kind;

/// The fields of `EventHook` and what they may be (v2 3.11).
pub(crate) const HOOK: &[(&str, Shape)] = &[
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

/// Reads a list of hooks; `now` and `seed` date and name those that are new.
///
/// # Errors
/// The first field that is not as it should be.
pub(super) fn decode(path: &str, value: Value, now: Timestamp, seed: u128) -> Result<Value, Invalid> {
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
    let hooks: Vec<Value> = hooks.into_iter().enumerate().map(stamp).collect::<Result<_, Invalid>>()?;
    let mut ids = BTreeSet::new();
    for (place, hook) in hooks.iter().enumerate() {
        let id = hook.get("id").and_then(Value::as_str).unwrap_or_default();
        if id.is_empty() || !ids.insert(id) {
            return Err(Invalid::new(format!("{path}.{place}.id"), "must be a name that no other hook has"));
        }
    }
    Ok(Value::Array(hooks))
}
