//! JSON Schema 2020-12, which is what OpenAPI 3.1 speaks, from the shapes of `wire`.

use serde_json::{Map, Value, json};
use wire::schema::{CODES, Field, Fields, Others, Presence, Schema};

/// The schema of a value. Named types refer to the components of the document, themselves included.
pub(super) fn of(schema: &Schema) -> Value {
    match schema {
        Schema::Text => json!({"type": "string"}),
        Schema::Choice(choices) => json!({"type": "string", "enum": choices}),
        Schema::Integer => json!({"type": "integer", "format": "int64"}),
        Schema::Number => json!({"type": "number"}),
        Schema::Count { least, most } => {
            let mut count = json!({"type": "integer", "minimum": least});
            if let Some(most) = most {
                count["maximum"] = (*most).into();
            }
            count
        }
        Schema::Direction => json!({"type": "integer", "enum": [1, -1]}),
        Schema::Moment => {
            json!({"type": "integer", "format": "int64", "description": "Nanoseconds since 1970."})
        }
        Schema::Time => json!({"anyOf": [
            {"type": "string", "format": "date-time"},
            {"type": "integer", "format": "int64", "description": "Nanoseconds since 1970."},
        ]}),
        Schema::Boolean => json!({"type": "boolean"}),
        Schema::List { of, most } => {
            let mut list = json!({"type": "array", "items": self::of(of)});
            if let Some(most) = most {
                list["maxItems"] = (*most).into();
            }
            list
        }
        Schema::Map { of, most } => {
            let mut map = json!({"type": "object", "additionalProperties": self::of(of)});
            if let Some(most) = most {
                map["maxProperties"] = (*most).into();
            }
            map
        }
        Schema::Named(name) => json!({"$ref": format!("#/components/schemas/{name}")}),
        Schema::AnyOf(schemas) => any_of(schemas),
        Schema::Object(fields) => object(fields),
        Schema::Free => json!({"type": "object", "additionalProperties": true}),
        Schema::Value => {
            json!({"type": "object", "propertyNames": {"pattern": "^(?!\\$)"}, "additionalProperties": true})
        }
        Schema::Plain => json!({"type": ["string", "number", "boolean", "array", "null"]}),
        Schema::Any => json!({}),
        Schema::Null => json!({"type": "null"}),
        Schema::Code => codes(),
    }
}

/// Alternatives; of a type that has a plain name, `null` is one more name.
fn any_of(schemas: &[Schema]) -> Value {
    if let [one, Schema::Null] = schemas {
        let mut one = of(one);
        if let Some(Value::String(kind)) = one.get("type").cloned() {
            one["type"] = json!([kind, "null"]);
            if let Some(Value::Array(choices)) = one.get_mut("enum") {
                choices.push(Value::Null);
            }
            return one;
        }
    }
    json!({"anyOf": schemas.iter().map(of).collect::<Vec<_>>()})
}

fn object(object: &Fields) -> Value {
    let properties: Map<String, Value> =
        object.fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
    let required: Vec<&str> = object
        .fields
        .iter()
        .filter(|field| field.presence == Presence::Required)
        .map(|field| field.name)
        .collect();
    let mut shown = json!({"type": "object", "description": object.description, "properties": properties});
    if !required.is_empty() {
        shown["required"] = required.into();
    }
    match &object.others {
        Others::Ignored => {}
        Others::Refused => shown["additionalProperties"] = false.into(),
        Others::Like(schema) => shown["additionalProperties"] = of(schema),
    }
    shown
}

fn property(field: &Field) -> Value {
    let mut property = of(&field.schema);
    if !field.description.is_empty() {
        property["description"] = field.description.into();
    }
    property
}

/// Each code with its meaning; documents show the statuses too.
fn codes() -> Value {
    let code = |line: &wire::schema::CodeLine| json!({"const": line.code, "description": line.meaning, "x-status": line.status});
    json!({"type": "integer", "oneOf": CODES.iter().map(code).collect::<Vec<_>>()})
}
