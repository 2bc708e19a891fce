//! JSON as Headwater takes it: what JSON leaves open is refused rather than guessed.
//!
//! Refused are duplicate keys (which one was meant?), U+0000 (PostgreSQL cannot store it) and integers beyond 64 bits
//! (no client reads them back as it sent them). Lone surrogates, numbers beyond f64 and nesting beyond 128 levels are
//! refused by the parser itself.

use std::cell::RefCell;
use std::fmt;

use model::Invalid;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads one JSON value and nothing after it.
///
/// # Errors
/// When it is not JSON as Headwater takes it; the field is the place, or `""` when the whole cannot be read.
pub fn parse(bytes: &[u8]) -> Result<Value, Invalid> {
    let refusal = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let place = Place { outer: None, step: Step::Root };
    let parsed = Strict { place: &place, refusal: &refusal }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    parsed.map_err(|error| {
        refusal.into_inner().unwrap_or_else(|| Invalid::new("", format!("is not valid JSON: {error}")))
    })
}

/// Reads a JSON object. No bytes at all and `null` are the empty object (v2 1.3).
///
/// # Errors
/// As [`parse`], and when it is something other than an object.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, Invalid> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match parse(bytes)? {
        Value::Null => Ok(Map::new()),
        Value::Object(fields) => Ok(fields),
        other => Err(Invalid::new("", format!("must be a JSON object, got {}", kind(&other)))),
    }
}

/// What a value is, for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Where the parser stands, as a list from the inside out: it is only printed for a refusal.
#[derive(Clone, Copy)]
struct Place<'a> {
    outer: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Element(usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            outer.fmt(formatter)?;
            if !matches!(outer.step, Step::Root) {
                formatter.write_str(".")?;
            }
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Key(key) => formatter.write_str(key),
            Step::Element(position) => position.fmt(formatter),
        }
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    place: &'a Place<'a>,
    refusal: &'a RefCell<Option<Invalid>>,
}

impl<'a> Strict<'a> {
    fn refuse<E: de::Error>(&self, why: &str) -> E {
        *self.refusal.borrow_mut() = Some(Invalid::new(self.place.to_string(), why));
        E::custom(why)
    }

    fn text<E: de::Error>(&self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            return Err(self.refuse("must not contain U+0000"));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        if i64::try_from(value).is_err() {
            return Err(self.refuse("a whole number must fit into 64 bits with a sign"));
        }
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.text(value)?;
        Ok(value.into())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        self.text(&value)?;
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut found = Vec::new();
        loop {
            let place = Place { outer: Some(self.place), step: Step::Element(found.len()) };
            match elements.next_element_seed(Strict { place: &place, refusal: self.refusal })? {
                Some(value) => found.push(value),
                None => return Ok(Value::Array(found)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(Key(key)) = entries.next_key()? {
            let place = Place { outer: Some(self.place), step: Step::Key(&key) };
            let inner = Strict { place: &place, refusal: self.refusal };
            inner.text(&key)?;
            if fields.contains_key(&key) {
                return Err(inner.refuse("is given twice in one object"));
            }
            let value = entries.next_value_seed(inner)?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

#[derive(Deserialize)]
struct Key(String);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn refused(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn json_is_read_in_its_order() {
        let text = r#"{"b":[1,-2,0.5,1e3,true,null,"x"],"a":{"z":{},"y":[]}}"#;
        let value = parse(text.as_bytes()).unwrap();
        assert_eq!(value, json!({"b": [1, -2, 0.5, 1e3, true, null, "x"], "a": {"z": {}, "y": []}}));
        assert_eq!(value.to_string(), text.replace("1e3", "1000.0"));
    }

    #[test]
    fn what_json_leaves_open_is_refused_with_its_place() {
        assert_eq!(refused(r#"{"a":{"b":1,"b":2}}"#), "a.b: is given twice in one object");
        assert_eq!(refused(r#"{"a":["x","\u0000"]}"#), "a.1: must not contain U+0000");
        assert_eq!(refused("{\"a\\u0000\":1}"), "a\0: must not contain U+0000");
        let wide = "a: a whole number must fit into 64 bits with a sign";
        assert_eq!(refused(r#"{"a":9223372036854775808}"#), wide);
        assert!(parse(b"-9223372036854775808").is_ok());
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for text in ["", "{", "{}x", "1e400", r#""\ud800""#, "nul", &deep, "\u{7f}"] {
            assert!(refused(text).contains("not valid JSON"), "{text}");
        }
        assert!(parse(&[b'"', 0xff, b'"']).is_err());
    }

    #[test]
    fn nothing_and_null_are_the_empty_object() {
        for text in ["", " \n", "null", "{}"] {
            assert_eq!(parse_object(text.as_bytes()).unwrap(), Map::new());
        }
        assert_eq!(parse_object(b"[]").unwrap_err().why, "must be a JSON object, got an array");
    }
}
