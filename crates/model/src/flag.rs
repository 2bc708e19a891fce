//! Flags: what users report to the moderators, and finding them (semantics 12.26).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::custom::{DEEPEST, extent};
use crate::rules::written;
use crate::{AppSettings, Criterion, CustomText, Direction, Invalid, Shown, Timestamp, User, UserId};

/// The longest type and the longest id of what is flagged, in bytes.
pub const LONGEST_ENTITY: usize = 255;

/// The most bytes of what a report says beside its reason.
pub const MOST_FLAG_CUSTOM_BYTES: usize = 5 << 10;

/// The most bytes of what was flagged, as a report keeps it.
pub const MOST_FLAG_PAYLOAD_BYTES: usize = 16 << 10;

/// The most things that a user flags with a token of its own. Servers flag as much as they want.
pub const MOST_FLAGS: usize = 1000;

/// What kind of thing is flagged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityKind {
    /// A user.
    User,
    /// A message of a channel.
    Message,
    /// Something that only the app knows of.
    Other(String),
}

impl EntityKind {
    /// Takes `name` for a kind; the short forms are those of v2 2.9.
    ///
    /// # Errors
    /// When it is empty, too long or has control characters; the field is left to the caller.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        check_entity(name)?;
        Ok(match name {
            "user" | "stream:user" => Self::User,
            "message" | "stream:chat:v1:message" => Self::Message,
            other => Self::Other(other.to_owned()),
        })
    }

    /// The name by which it is stored and answered.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User => "stream:user",
            Self::Message => "stream:chat:v1:message",
            Self::Other(name) => name,
        }
    }
}

/// Checks the type or the id of an entity.
///
/// # Errors
/// When it is empty, too long or has control characters; the field is left to the caller.
pub fn check_entity(text: &str) -> Result<(), Invalid> {
    if (1..=LONGEST_ENTITY).contains(&text.len()) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Invalid::new("", format!("must have 1 to {LONGEST_ENTITY} bytes without control characters")))
}

/// What a report carries along: any JSON object of a bounded size.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attached(Map<String, Value>);

impl Attached {
    /// Takes `fields`, which stand in the field `field`.
    ///
    /// # Errors
    /// When they are nested too deep or have more than `most` bytes.
    pub fn parse(field: &str, fields: Map<String, Value>, most: usize) -> Result<Self, Invalid> {
        let deepest = fields.values().map(|value| extent(value).0 + 1).max().unwrap_or(0);
        if deepest > DEEPEST {
            return Err(Invalid::new(field, format!("may have at most {DEEPEST} levels")));
        }
        let bytes = written(&fields);
        if bytes > most {
            return Err(Invalid::new(field, format!("may have {most} bytes, has {bytes}")));
        }
        Ok(Self(fields))
    }

    /// The fields.
    #[must_use]
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A report that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Flag {
    /// What kind of thing.
    pub kind: EntityKind,
    /// Which.
    pub entity: String,
    /// Whose it is, when that is said.
    pub creator: Option<UserId>,
    /// Who reports.
    pub user: Option<UserId>,
    /// Why.
    pub reason: Option<String>,
    /// What else there is to say.
    pub custom: Option<Attached>,
    /// What the thing held.
    pub payload: Option<Attached>,
    /// The item of the review queue that it becomes, if nobody has reported the thing before.
    pub item: String,
}

impl AppSettings {
    /// Checks that the app takes a flag with this reason: it may keep a list of the reasons that it takes.
    ///
    /// # Errors
    /// When the list has others only.
    pub fn check_flag_reason(&self, reason: Option<&str>) -> Result<(), Invalid> {
        let allowed: Vec<&str> = match self.kept.get("allowed_flag_reasons").and_then(Value::as_array) {
            Some(allowed) => allowed.iter().filter_map(Value::as_str).collect(),
            None => Vec::new(),
        };
        if allowed.is_empty() || reason.is_some_and(|reason| allowed.contains(&reason)) {
            return Ok(());
        }
        let got = reason.map_or_else(|| "none".to_owned(), |reason| Shown(reason).to_string());
        let why = format!("must be one of the allowed_flag_reasons of the app, got {got}");
        Err(Invalid::new("reason", why))
    }
}

/// A field of a flag that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagRecordField {
    /// The kind of what was flagged.
    EntityType,
    /// The id of what was flagged.
    EntityId,
    /// The id of who flagged it.
    User,
    /// The id of whose it is.
    Creator,
    /// The reason.
    Reason,
}

/// Where a flag stands in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagPlace {
    /// When it was made.
    pub created_at: Timestamp,
    /// Among those made at once.
    pub key: i64,
}

/// From where a page of flags goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagStart {
    /// From the beginning.
    First,
    /// Behind this one.
    After(FlagPlace),
    /// The page that ends before this one.
    Before(FlagPlace),
}

/// A query for flags.
#[derive(Clone, Debug, PartialEq)]
pub struct FlagQuery {
    /// Which.
    pub criteria: Vec<Criterion<FlagRecordField>>,
    /// In which order of creation.
    pub direction: Direction,
    /// From where.
    pub start: FlagStart,
    /// How many.
    pub limit: usize,
}

impl FlagQuery {
    /// The size of a page when none is asked for.
    pub const DEFAULT_LIMIT: usize = 30;
    /// The largest page.
    pub const MOST: usize = 100;

    /// Checks the size of a page.
    ///
    /// # Errors
    /// When it is empty or too large.
    pub fn check_limit(limit: usize) -> Result<(), Invalid> {
        if (1..=Self::MOST).contains(&limit) {
            return Ok(());
        }
        Err(Invalid::new("limit", format!("must be 1 to {}, got {limit}", Self::MOST)))
    }
}

/// A flag, with who made it.
#[derive(Clone, Debug, PartialEq)]
pub struct FlagRecord {
    /// Where it stands.
    pub place: FlagPlace,
    /// What kind of thing was flagged.
    pub kind: EntityKind,
    /// Which.
    pub entity: String,
    /// Whose it is, when that is known.
    pub creator: Option<UserId>,
    /// Who flagged it.
    pub user: User<CustomText>,
    /// The item of the review queue that all flags of the thing share.
    pub item: String,
    /// Why.
    pub reason: Option<String>,
    /// What else the report says.
    pub custom: Option<CustomText>,
    /// What the thing held.
    pub payload: Option<CustomText>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Flags that were found, and where those before and behind them are, if there are any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlagPage {
    /// The flags, in order.
    pub flags: Vec<FlagRecord>,
    /// From where the page behind goes on.
    pub next: Option<FlagPlace>,
    /// Where the page before ends.
    pub prev: Option<FlagPlace>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_have_short_names() {
        for (given, kind, name) in [
            ("user", EntityKind::User, "stream:user"),
            ("stream:user", EntityKind::User, "stream:user"),
            ("message", EntityKind::Message, "stream:chat:v1:message"),
            ("stream:chat:v1:message", EntityKind::Message, "stream:chat:v1:message"),
            ("photo", EntityKind::Other("photo".to_owned()), "photo"),
        ] {
            let parsed = EntityKind::parse(given).unwrap();
            assert_eq!((parsed.name(), &parsed), (name, &kind));
        }
        for bad in ["", "a\nb", &"x".repeat(LONGEST_ENTITY + 1)] {
            assert!(EntityKind::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_attached_is_bounded() {
        let check = |value: Value| {
            let checked = Attached::parse("custom", value.as_object().cloned().unwrap(), 32);
            checked.map(drop).map_err(|invalid| invalid.to_string())
        };
        assert_eq!(check(json!({"a": "x".repeat(24)})), Ok(()));
        assert_eq!(check(json!({"a": "x".repeat(25)})), Err("custom: may have 32 bytes, has 33".to_owned()));
        let deep = (0..DEEPEST).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(check(json!({ "a": deep })), Err("custom: may have at most 32 levels".to_owned()));
    }

    #[test]
    fn an_app_may_choose_its_reasons() {
        let settings = |reasons: Value| {
            let kept = json!({ "allowed_flag_reasons": reasons }).as_object().cloned().unwrap();
            AppSettings { kept, ..AppSettings::default() }
        };
        for any in [AppSettings::default(), settings(json!([]))] {
            assert_eq!(any.check_flag_reason(None), Ok(()));
            assert_eq!(any.check_flag_reason(Some("x")), Ok(()));
        }
        let some = settings(json!(["spam", "hate"]));
        assert_eq!(some.check_flag_reason(Some("hate")), Ok(()));
        for (bad, got) in [(None, "none"), (Some("x"), "'x'")] {
            let why = some.check_flag_reason(bad).unwrap_err().to_string();
            assert_eq!(why, format!("reason: must be one of the allowed_flag_reasons of the app, got {got}"));
        }
    }
}
