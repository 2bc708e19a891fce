//! Custom data: the JSON object of a user that belongs to the app.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::Invalid;
use crate::field::BUILT_IN;

/// The most levels of custom data: far below what a parser or the stack of a thread can take.
pub(crate) const DEEPEST: usize = 32;

/// The longest path of a value, in bytes with the dots. Each leaf is stored with its path.
const LONGEST_PATH: usize = 255;

/// Custom data of one user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Custom(Map<String, Value>);

impl Custom {
    /// Takes `fields` for custom data.
    ///
    /// # Errors
    /// When a key could not be addressed by a partial update or a filter (semantics 1.16), or is the name of a
    /// built-in field (1.7). The field of the refusal is the path of the key.
    pub fn parse(fields: Map<String, Value>) -> Result<Self, Invalid> {
        for (key, value) in &fields {
            check_name(key)?;
            check_keys_below(value).map_err(|invalid| invalid.within(key))?;
        }
        let custom = Self(fields);
        custom.check_shape()?;
        Ok(custom)
    }

    /// Checks how deep and how long the paths are. Two changes that are both allowed can add up to too much.
    ///
    /// # Errors
    /// When a value stands too deep or its path is too long; the field is the outermost key.
    pub(crate) fn check_shape(&self) -> Result<(), Invalid> {
        for (key, value) in &self.0 {
            let (depth, length) = extent(value);
            if depth >= DEEPEST {
                return Err(Invalid::new(key, format!("custom data may have at most {DEEPEST} levels")));
            }
            if key.len() + length > LONGEST_PATH {
                let why =
                    format!("the keys on the way to a value may have {LONGEST_PATH} bytes with their dots");
                return Err(Invalid::new(key, why));
            }
        }
        Ok(())
    }

    /// Custom data that was parsed before it was stored.
    #[must_use]
    pub fn from_stored(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// The fields in the order in which they were sent.
    #[must_use]
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Puts `value` at `path`, making the objects on the way (semantics 3.4).
    ///
    /// # Errors
    /// When something on the way is there and is not an object.
    pub fn set(&mut self, path: &CustomPath, value: Value) -> Result<(), Invalid> {
        let (last, parents) = path.split_last();
        let mut object = &mut self.0;
        for (depth, parent) in parents.iter().enumerate() {
            let slot = object.entry(parent.as_str()).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = slot else {
                let place = parents[..=depth].join(".");
                return Err(Invalid::new(
                    path.to_string(),
                    format!("'{place}' is not an object, so nothing can be set in it"),
                ));
            };
            object = inner;
        }
        object.insert(last.clone(), value);
        Ok(())
    }

    /// Takes away what is at `path`; nothing when there is nothing (semantics 3.11).
    pub fn unset(&mut self, path: &CustomPath) {
        let (last, parents) = path.split_last();
        let mut object = &mut self.0;
        for parent in parents {
            let Some(Value::Object(inner)) = object.get_mut(parent) else { return };
            object = inner;
        }
        object.shift_remove(last);
    }
}

/// Custom data as the text that is stored, for a user that is only shown: it prints as the [`Custom`] does of which the
/// text was made, and was not taken apart for it.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct CustomText(Box<RawValue>);

impl CustomText {
    /// No custom data.
    ///
    /// # Panics
    /// Never: the text is JSON.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the text is JSON")]
    pub fn empty() -> Self {
        Self::from_stored("{}".to_owned()).expect("an object")
    }

    /// Takes the text that was made of a [`Custom`]; `None` when it is no JSON.
    #[must_use]
    pub fn from_stored(text: String) -> Option<Self> {
        RawValue::from_string(text).ok().map(Self)
    }
}

impl PartialEq for CustomText {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

/// The place of a value in custom data: the keys from the outside to the inside, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomPath(Vec<String>);

impl CustomPath {
    /// Reads `a.b.c`.
    ///
    /// # Errors
    /// When a key on the way is empty, starts with `$`, or the first is the name of a built-in field.
    pub fn parse(path: &str) -> Result<Self, Invalid> {
        if path.len() > LONGEST_PATH || path.split('.').count() > DEEPEST {
            let why = format!("a path may have {LONGEST_PATH} bytes and {DEEPEST} levels");
            return Err(Invalid::new(path, why));
        }
        let keys: Vec<String> = path.split('.').map(str::to_owned).collect();
        for (depth, key) in keys.iter().enumerate() {
            let checked = if depth == 0 { check_name(key) } else { check_key(key) };
            checked.map_err(|invalid| Invalid::new(path, invalid.why))?;
        }
        Ok(Self(keys))
    }

    /// The keys from the outside to the inside.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn split_last(&self) -> (&String, &[String]) {
        // A path is made by splitting text, which gives at least one key.
        let last = self.0.len() - 1;
        (&self.0[last], &self.0[..last])
    }
}

impl std::fmt::Display for CustomPath {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.join("."))
    }
}

/// Checks the objects within a value that is to stand in custom data.
///
/// # Errors
/// See [`Custom::parse`].
pub(crate) fn check_keys_below(value: &Value) -> Result<(), Invalid> {
    match value {
        Value::Object(fields) => fields.iter().try_for_each(|(key, inner)| {
            check_key(key)?;
            check_keys_below(inner).map_err(|invalid| invalid.within(key))
        }),
        Value::Array(elements) => elements.iter().enumerate().try_for_each(|(position, inner)| {
            check_keys_below(inner).map_err(|invalid| invalid.within(position))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// How many levels there are below a value, and how many bytes the longest path below it has, each key with its dot.
pub(crate) fn extent(value: &Value) -> (usize, usize) {
    let deepest = |(depth, length): (usize, usize), (below, longer): (usize, usize)| {
        (depth.max(below), length.max(longer))
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, inner)| {
                let (depth, length) = extent(inner);
                (depth + 1, length + key.len() + 1)
            })
            .fold((1, 0), deepest),
        Value::Array(elements) => {
            let (depth, length) = elements.iter().map(extent).fold((0, 0), deepest);
            (depth + 1, length)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (0, 0),
    }
}

fn check_name(key: &str) -> Result<(), Invalid> {
    if key == "custom" || BUILT_IN.contains(&key) {
        return Err(Invalid::new(key, "is the name of a built-in field; custom data needs another name"));
    }
    check_key(key)
}

fn check_key(key: &str) -> Result<(), Invalid> {
    let why = if key.is_empty() {
        "a key of custom data must not be empty"
    } else if key.contains('.') {
        "a key of custom data must not contain '.', which separates the levels of a path"
    } else if key.starts_with('$') {
        "a key of custom data must not start with '$', which marks operators"
    } else {
        return Ok(());
    };
    Err(Invalid::new(key, why))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn custom(value: Value) -> Result<Custom, Invalid> {
        let Value::Object(fields) = value else { panic!("not an object") };
        Custom::parse(fields)
    }

    #[test]
    fn keys_that_no_path_could_reach_are_refused() {
        for (bad, field) in [
            (json!({"a.b": 1}), "a.b"),
            (json!({"a": {"$b": 1}}), "a.$b"),
            (json!({"a": [{"": 1}]}), "a.0"),
            (json!({"custom": 1}), "custom"),
            (json!({"created_at": 1}), "created_at"),
        ] {
            assert_eq!(custom(bad).unwrap_err().field, field);
        }
        assert!(
            custom(json!({"a": {"custom": 1, "name": 2}})).is_ok(),
            "built-in names are reserved at the top only"
        );
    }

    #[test]
    fn paths_are_bounded_however_they_come_about() {
        let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
        assert!(custom(json!({"k": nested(31)})).is_ok());
        assert_eq!(custom(json!({"k": nested(32)})).unwrap_err().field, "k");
        assert_eq!(custom(json!({"k": [nested(31)]})).unwrap_err().field, "k");
        assert!(custom(json!({"k".repeat(255): 1})).is_ok());
        assert!(custom(json!({"k".repeat(256): 1})).is_err());
        assert!(custom(json!({"k".repeat(128): {"x".repeat(127): 1}})).is_err());
        assert!(CustomPath::parse(&["a"; 32].join(".")).is_ok());
        assert!(CustomPath::parse(&["a"; 33].join(".")).is_err());
        assert!(CustomPath::parse(&"a.".repeat(100_000)).is_err());
        let mut data = custom(json!({"k": nested(20)})).unwrap();
        let path = CustomPath::parse(&["k", &["a"; 19].join(".")].join(".")).unwrap();
        data.set(&path, nested(20)).unwrap();
        assert!(data.check_shape().is_err());
    }

    #[test]
    fn stored_text_is_shown_as_it_is() {
        let data = custom(json!({"b": 1.5e300, "a": [1, -0.1, "\u{7f}\"\n漢"], "c": {"x": null}})).unwrap();
        let text = serde_json::to_string(&data).unwrap();
        let shown = CustomText::from_stored(text.clone()).unwrap();
        assert_eq!(serde_json::to_string(&shown).unwrap(), text);
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Custom>(&text).unwrap()).unwrap(), text);
        for broken in ["", "{", "{}}", r#"{"a":}"#] {
            assert_eq!(CustomText::from_stored(broken.to_owned()), None, "{broken}");
        }
    }

    #[test]
    fn set_makes_parents_and_unset_forgives() {
        let mut data = custom(json!({"color": "blue"})).unwrap();
        data.set(&CustomPath::parse("a.b.c").unwrap(), json!(1)).unwrap();
        data.unset(&CustomPath::parse("a.x.y").unwrap());
        data.unset(&CustomPath::parse("color").unwrap());
        assert_eq!(data, custom(json!({"a": {"b": {"c": 1}}})).unwrap());
        let refused = data.set(&CustomPath::parse("a.b.c.d").unwrap(), json!(1)).unwrap_err();
        assert_eq!(refused.to_string(), "a.b.c.d: 'a.b.c' is not an object, so nothing can be set in it");
    }
}
