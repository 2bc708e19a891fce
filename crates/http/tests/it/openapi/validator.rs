//! As much of JSON Schema as the document uses, and one thing more: an answer has no field that is not described.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// Whose value is held to a schema.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Fields that are not described are ignored, unless the schema refuses them.
    Request,
    /// Fields that are not described were forgotten in the description.
    Answer,
}

pub(super) struct Validator<'a> {
    document: &'a Value,
    side: Side,
    /// Each field of a named type that a value had, as `Type.field`.
    pub(super) seen: BTreeSet<String>,
}

impl<'a> Validator<'a> {
    pub(super) fn new(document: &'a Value, side: Side) -> Self {
        Self { document, side, seen: BTreeSet::new() }
    }

    /// What is wrong with the value, if something is.
    pub(super) fn check(&mut self, schema: &Value, value: &Value) -> Result<(), String> {
        self.check_at("", "", schema, value)
    }

    fn check_at(&mut self, path: &str, within: &str, schema: &Value, value: &Value) -> Result<(), String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.document.pointer(reference.trim_start_matches('#'));
            let target = target.unwrap_or_else(|| panic!("{reference} leads nowhere"));
            let name = reference.rsplit('/').next().unwrap();
            return self.check_at(path, name, target, value);
        }
        let refuse = |why: String| Err(format!("{path}: {why}: {value}"));
        if let Some(alternatives) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
            let mut problems = Vec::new();
            for alternative in alternatives {
                match self.check_at(path, within, alternative, value) {
                    Ok(()) => return Ok(()),
                    Err(problem) => problems.push(problem),
                }
            }
            return refuse(format!("none of {problems:?}"));
        }
        if let Some(expected) = schema.get("const").filter(|expected| *expected != value) {
            return refuse(format!("is not {expected}"));
        }
        if schema["enum"].as_array().is_some_and(|choices| !choices.contains(value)) {
            return refuse(format!("is not one of {}", schema["enum"]));
        }
        let fits = |kind: &Value| match kind.as_str().unwrap() {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "null" => value.is_null(),
            other => panic!("{other} is not a type"),
        };
        match &schema["type"] {
            Value::Null => {}
            Value::Array(kinds) if kinds.iter().any(fits) => {}
            kind @ Value::String(_) if fits(kind) => {}
            kind => return refuse(format!("is not {kind}")),
        }
        if let Some(number) = value.as_f64() {
            let below = schema["minimum"].as_f64().is_some_and(|least| number < least);
            if below || schema["maximum"].as_f64().is_some_and(|most| number > most) {
                return refuse("is out of bounds".to_owned());
            }
        }
        if let Some(elements) = value.as_array() {
            if schema["maxItems"].as_u64().is_some_and(|most| elements.len() as u64 > most) {
                return refuse("has too many elements".to_owned());
            }
            for (place, element) in elements.iter().enumerate() {
                self.check_at(&format!("{path}.{place}"), "", &schema["items"], element)?;
            }
        }
        if value.is_object() && schema["type"].is_string() {
            self.check_object(path, within, schema, value)?;
        }
        Ok(())
    }

    fn check_object(
        &mut self,
        path: &str,
        within: &str,
        schema: &Value,
        value: &Value,
    ) -> Result<(), String> {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.get(name).is_none() {
                return Err(format!("{path}: {name} is missing"));
            }
        }
        let marked = schema["propertyNames"] == json!({"pattern": "^(?!\\$)"});
        for (name, value) in value.as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            if marked && name.starts_with('$') {
                return Err(format!("{path}: is no name of a value"));
            }
            if let Some(property) = schema["properties"].get(name) {
                self.seen.insert(format!("{within}.{name}"));
                self.check_at(&path, "", property, value)?;
                continue;
            }
            match schema.get("additionalProperties") {
                Some(Value::Bool(true)) => {}
                Some(Value::Bool(false)) => return Err(format!("{path}: is refused by the schema")),
                Some(others) => self.check_at(&path, "", others, value)?,
                None if self.side == Side::Answer => return Err(format!("{path}: is not described")),
                None => {}
            }
        }
        Ok(())
    }
}
