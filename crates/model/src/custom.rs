//! Custom data: the JSON object of a user that belongs to the app.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Invalid;
use crate::field::BUILT_IN;

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
        Ok(Self(fields))
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

/// The place of a value in custom data: the keys from the outside to the inside, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomPath(Vec<String>);

impl CustomPath {
    /// Reads `a.b.c`.
    ///
    /// # Errors
    /// When a key on the way is empty, starts with `$`, or the first is the name of a built-in field.
    pub fn parse(path: &str) -> Result<Self, Invalid> {
        let keys: Vec<String> = path.split('.').map(str::to_owned).collect();
        for (depth, key) in keys.iter().enumerate() {
            let checked = if depth == 0 { check_name(key) } else { check_key(key) };
            checked.map_err(|invalid| Invalid::new(path, invalid.why))?;
        }
        Ok(Self(keys))
    }

    /// Whether one of the two paths is the other or leads to it.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, theirs)| mine == theirs)
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
