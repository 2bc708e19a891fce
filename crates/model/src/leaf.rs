//! Typed leaves: custom data flattened to the values that a filter or a sort can name.
//!
//! Storage keeps leaves instead of looking into JSON. Every value has one leaf under its path; an element of an
//! array has one more, of an element kind, so that "the field is x" and "the array holds x" never mix. To add a
//! kind, give it a number that is not used: the numbers are stored.

use std::collections::BTreeSet;

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use crate::{Custom, User};

/// Text is stored up to this many characters; a digest of the whole decides equality beyond (DESIGN 2).
pub const TEXT_CHARACTERS: usize = 200;

/// What kind of value a leaf is. Kinds never compare with one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `false` or `true`, as the number 0 or 1.
    Boolean = 1,
    /// A number.
    Number = 2,
    /// Text.
    Text = 3,
    /// An array; only its digest is kept.
    Array = 4,
    /// An object; only its digest is kept.
    Object = 5,
}

impl Kind {
    /// The number under which storage keeps a value of this kind.
    #[must_use]
    pub fn code(self, place: Place) -> i64 {
        self as i64 + if place == Place::Element { 16 } else { 0 }
    }
}

/// Whether a leaf is the value of its path or an element of the array at its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The value of the path.
    Value,
    /// An element of the array at the path.
    Element,
}

/// A number that compares exactly: integers stay integers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Numeric {
    /// A whole number within 64 bits.
    Integer(i64),
    /// Any other number.
    Float(f64),
}

/// One comparable value at one path.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// Where it stands: keys joined by dots.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Value or element.
    pub place: Place,
    /// The number of a number, 0 or 1 of a boolean, otherwise 0.
    pub number: Numeric,
    /// The text of a text, cut to [`TEXT_CHARACTERS`], otherwise empty.
    pub text: String,
    /// The digest of an array, of an object and of a text that was cut, otherwise 0.
    pub digest: i64,
}

impl Leaf {
    /// The leaf of `value` at `path`; none for `null`, which is the same as a missing field (DESIGN 2).
    #[must_use]
    pub fn of(path: &str, place: Place, value: &Value) -> Option<Self> {
        let leaf = |kind, number, text, digest| {
            Some(Self { path: path.to_owned(), kind, place, number, text, digest })
        };
        let none = Numeric::Integer(0);
        match value {
            Value::Null => None,
            Value::Bool(value) => leaf(Kind::Boolean, Numeric::Integer(i64::from(*value)), String::new(), 0),
            Value::Number(value) => leaf(Kind::Number, numeric(value), String::new(), 0),
            Value::String(value) => match value.char_indices().nth(TEXT_CHARACTERS) {
                Some((end, _)) => leaf(Kind::Text, none, value[..end].to_owned(), digest(value.as_bytes())),
                None => leaf(Kind::Text, none, value.clone(), 0),
            },
            Value::Array(_) => leaf(Kind::Array, none, String::new(), digest_of(value)),
            Value::Object(_) => leaf(Kind::Object, none, String::new(), digest_of(value)),
        }
    }

    /// The leaf of a user that is in `team`. No custom path begins with `$`.
    #[must_use]
    pub fn team(team: &str) -> Self {
        Self {
            path: TEAMS.to_owned(),
            kind: Kind::Text,
            place: Place::Element,
            number: Numeric::Integer(0),
            text: team.to_owned(),
            digest: 0,
        }
    }

    /// What tells this leaf from every other of the same user: the key that storage gives it, in that order.
    fn key(&self) -> (&str, i64, u8, u64, &str, i64) {
        let (shape, bits) = match self.number {
            Numeric::Integer(value) => (0, value.cast_unsigned()),
            Numeric::Float(value) => (1, value.to_bits()),
        };
        (&self.path, self.kind.code(self.place), shape, bits, &self.text, self.digest)
    }
}

impl Eq for Leaf {}

impl PartialOrd for Leaf {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Leaf {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// The path of the leaves for teams.
pub const TEAMS: &str = "$teams";

/// The leaves of a user: those of its custom data and of its teams.
#[must_use]
pub fn of_user(user: &User) -> BTreeSet<Leaf> {
    let mut found = leaves(&user.custom);
    found.extend(user.teams.iter().map(|team| Leaf::team(team)));
    found
}

/// The leaves of `custom`, each once: an array that holds a value twice has one leaf for it.
#[must_use]
pub fn leaves(custom: &Custom) -> BTreeSet<Leaf> {
    let mut found = BTreeSet::new();
    for (key, value) in custom.fields() {
        collect(key, value, &mut found);
    }
    found
}

fn collect(path: &str, value: &Value, found: &mut BTreeSet<Leaf>) {
    found.extend(Leaf::of(path, Place::Value, value));
    match value {
        Value::Array(elements) => {
            found.extend(elements.iter().filter_map(|element| Leaf::of(path, Place::Element, element)));
        }
        Value::Object(fields) => {
            for (key, inner) in fields {
                collect(&format!("{path}.{key}"), inner, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A whole float is stored as the integer it equals, so that 1 and 1.0 are one value with one leaf.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked just before")]
fn numeric(number: &Number) -> Numeric {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    match number.as_i64() {
        Some(integer) => Numeric::Integer(integer),
        None => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && (-LIMIT..LIMIT).contains(&float) => {
                Numeric::Integer(float as i64)
            }
            Some(float) => Numeric::Float(float),
            // A number is an i64, a u64 or an f64; `wire` refuses the u64 that is no i64.
            None => Numeric::Float(f64::NAN),
        },
    }
}

/// Equal values have equal digests whatever the order of their keys and the form of their numbers.
fn digest_of(value: &Value) -> i64 {
    let mut text = String::new();
    canonical(value, &mut text);
    digest(text.as_bytes())
}

fn canonical(value: &Value, text: &mut String) {
    use std::fmt::Write;
    // Writing to a String cannot fail.
    let mut put = |part: std::fmt::Arguments<'_>| text.write_fmt(part).unwrap_or_default();
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => put(format_args!("{value}")),
        Value::Number(number) => match numeric(number) {
            Numeric::Integer(integer) => put(format_args!("{integer}")),
            Numeric::Float(float) => put(format_args!("{float:e}")),
        },
        Value::Array(elements) => {
            put(format_args!("["));
            for element in elements {
                canonical(element, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for key in keys {
                canonical(&Value::String(key.clone()), text);
                text.push(':');
                canonical(&fields[key], text);
                text.push(',');
            }
            text.push('}');
        }
    }
}

/// A digest of `text` in 16 hexadecimal digits: tells whether two are the same, and not what they are.
#[must_use]
pub fn fingerprint(text: &str) -> String {
    format!("{:016x}", digest(text.as_bytes()))
}

/// The first eight bytes of the SHA-256. Collisions can be sought out, but only within the seeker's own app, where
/// they gain a wrong match in its own searches.
fn digest(bytes: &[u8]) -> i64 {
    let hash = Sha256::digest(bytes);
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    i64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> BTreeSet<Leaf> {
        let Value::Object(fields) = value else { panic!("not an object") };
        leaves(&Custom::from_stored(fields))
    }

    #[test]
    fn every_value_has_a_leaf_and_every_element_one_more() {
        let found = of(json!({"a": {"b": true}, "tags": ["x", "y", "x", null], "none": null}));
        let shown: Vec<_> = found.iter().map(|leaf| (leaf.path.as_str(), leaf.kind, leaf.place)).collect();
        assert_eq!(
            shown,
            [
                ("a", Kind::Object, Place::Value),
                ("a.b", Kind::Boolean, Place::Value),
                ("tags", Kind::Array, Place::Value),
                ("tags", Kind::Text, Place::Element),
                ("tags", Kind::Text, Place::Element),
            ]
        );
    }

    #[test]
    fn equal_values_have_equal_leaves() {
        for (left, right) in [
            (json!({"n": 1}), json!({"n": 1.0})),
            (json!({"n": -0.0}), json!({"n": 0})),
            (json!({"o": {"a": 1, "b": [1.0]}}), json!({"o": {"b": [1], "a": 1.0}})),
        ] {
            assert_eq!(of(left), of(right));
        }
    }

    #[test]
    fn different_values_have_different_leaves() {
        let long = "x".repeat(TEXT_CHARACTERS);
        for (left, right) in [
            (json!({"n": i64::MAX}), json!({"n": i64::MAX - 1})),
            (json!({"n": "1"}), json!({"n": 1})),
            (json!({"n": [1]}), json!({"n": 1})),
            (json!({"n": ["a", "b"]}), json!({"n": ["b", "a"]})),
            (json!({"n": [["a"], "b"]}), json!({"n": [["a", "b"]]})),
            (json!({"n": format!("{long}a")}), json!({"n": format!("{long}b")})),
            (json!({"n": format!("{long}a")}), json!({"n": long})),
        ] {
            assert_ne!(of(left.clone()), of(right.clone()), "{left} {right}");
        }
    }
}
