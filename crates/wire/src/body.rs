//! Reading the fields of a JSON object: types are checked, `null` is "not given" (v2 1.3), refusals name the field.

use std::collections::BTreeMap;

use model::{Invalid, Timestamp, UserId};
use serde_json::{Map, Value};

use crate::json::kind;
use crate::number;

/// An object that is being read. What is taken is gone; what stays was not asked for and is ignored.
#[derive(Debug)]
pub struct Object {
    path: String,
    fields: Map<String, Value>,
}

impl Object {
    /// The body of a request.
    #[must_use]
    pub fn root(fields: Map<String, Value>) -> Self {
        Self { path: String::new(), fields }
    }

    /// The value found at `path`, which has to be an object.
    ///
    /// # Errors
    /// When it is none.
    pub fn expect(path: String, value: Value) -> Result<Self, Invalid> {
        match value {
            Value::Object(fields) => Ok(Self { path, fields }),
            other => Err(Invalid::new(path, format!("must be an object, got {}", kind(&other)))),
        }
    }

    /// The path of a field of this object.
    #[must_use]
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Refuses a field of this object.
    pub fn refuse(&self, name: &str, why: impl Into<String>) -> Invalid {
        Invalid::new(self.path_of(name), why)
    }

    /// Any value but `null`.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.fields.swap_remove(name).filter(|value| !value.is_null())
    }

    /// Any value, `null` told from absent.
    pub fn nullable(&mut self, name: &str) -> Option<Value> {
        self.fields.swap_remove(name)
    }

    /// The names of the fields that were not taken.
    pub fn rest(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// A string.
    ///
    /// # Errors
    /// When it is something else, as for the other readers.
    pub fn string(&mut self, name: &str) -> Result<Option<String>, Invalid> {
        let Some(value) = self.value(name) else { return Ok(None) };
        string(&self.path_of(name), value).map(Some)
    }

    /// A boolean.
    ///
    /// # Errors
    /// See [`Object::string`].
    pub fn boolean(&mut self, name: &str) -> Result<Option<bool>, Invalid> {
        let Some(value) = self.value(name) else { return Ok(None) };
        boolean(&self.path_of(name), &value).map(Some)
    }

    /// A count: a whole number that is not negative.
    ///
    /// # Errors
    /// See [`Object::string`].
    pub fn count(&mut self, name: &str) -> Result<Option<usize>, Invalid> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        let refuse = || self.refuse(name, format!("must be a whole number from 0 up, got {}", shown(&value)));
        number.ok_or_else(refuse).map(Some)
    }

    /// A list of strings.
    ///
    /// # Errors
    /// See [`Object::string`].
    pub fn strings(&mut self, name: &str) -> Result<Option<Vec<String>>, Invalid> {
        let Some(value) = self.value(name) else { return Ok(None) };
        strings(&self.path_of(name), value).map(Some)
    }

    /// An object whose values are strings.
    ///
    /// # Errors
    /// See [`Object::string`].
    pub fn string_map(&mut self, name: &str) -> Result<Option<BTreeMap<String, String>>, Invalid> {
        let Some(value) = self.value(name) else { return Ok(None) };
        string_map(self.path_of(name), value).map(Some)
    }

    /// An object.
    ///
    /// # Errors
    /// See [`Object::string`].
    pub fn object(&mut self, name: &str) -> Result<Option<Self>, Invalid> {
        let Some(value) = self.value(name) else { return Ok(None) };
        Self::expect(self.path_of(name), value).map(Some)
    }

    /// A list of anything.
    ///
    /// # Errors
    /// See [`Object::string`].
    pub fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Invalid> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(elements)) => Ok(Some(elements)),
            Some(other) => Err(self.refuse(name, format!("must be an array, got {}", kind(&other)))),
        }
    }

    /// A user id; an empty one is not given.
    ///
    /// # Errors
    /// See [`Object::string`]; also when no user can have such an id.
    pub fn user_id(&mut self, name: &str) -> Result<Option<UserId>, Invalid> {
        let Some(text) = self.string(name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
        UserId::parse(&text).map(Some).map_err(|invalid| invalid.within(self.path_of(name)))
    }

    /// The fields as they are.
    #[must_use]
    pub fn into_fields(self) -> Map<String, Value> {
        self.fields
    }

    /// The fields and the path of this object.
    #[must_use]
    pub fn into_parts(self) -> (String, Map<String, Value>) {
        (self.path, self.fields)
    }
}

/// The value as a string.
pub(crate) fn string(path: &str, value: Value) -> Result<String, Invalid> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(Invalid::new(path, format!("must be a string, got {}", kind(&other)))),
    }
}

/// The value as a boolean.
pub(crate) fn boolean(path: &str, value: &Value) -> Result<bool, Invalid> {
    value.as_bool().ok_or_else(|| Invalid::new(path, format!("must be true or false, got {}", kind(value))))
}

/// The value as a list of strings.
pub(crate) fn strings(path: &str, value: Value) -> Result<Vec<String>, Invalid> {
    let Value::Array(elements) = value else {
        return Err(Invalid::new(path, format!("must be an array of strings, got {}", kind(&value))));
    };
    elements
        .into_iter()
        .enumerate()
        .map(|(place, element)| string(&format!("{path}.{place}"), element))
        .collect()
}

/// The value as an object whose values are strings.
pub(crate) fn string_map(path: String, value: Value) -> Result<BTreeMap<String, String>, Invalid> {
    let (path, fields) = Object::expect(path, value)?.into_parts();
    fields
        .into_iter()
        .map(|(key, value)| {
            let text = string(&format!("{path}.{key}"), value)?;
            Ok((key, text))
        })
        .collect()
}

/// The value as a moment: RFC 3339 text or whole nanoseconds (v2 1.9).
pub(crate) fn moment(path: &str, value: &Value) -> Result<Timestamp, Invalid> {
    let moment = match value {
        Value::String(text) => number::parse_timestamp(text),
        Value::Number(number) => number.as_i64().map(Timestamp::from_nanoseconds),
        _ => None,
    };
    let refuse = || {
        let why =
            "must be a time like '2024-01-02T03:04:05.678Z' between 1678 and 2261, or nanoseconds since 1970";
        Invalid::new(path, why)
    };
    moment.ok_or_else(refuse)
}

/// A number as written, the kind of anything else.
fn shown(value: &Value) -> String {
    if value.is_number() { value.to_string() } else { kind(value).to_owned() }
}
