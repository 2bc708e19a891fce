//! The shapes of requests and answers as data, for documents. The code that reads and prints them stands in
//! [`crate::v2`]; tests of `http` hold real requests and answers to what is said here.
//!
//! To describe a type, add it to [`named`] through the module of its subject; to describe an operation, add it to
//! [`describe`].

mod access;
mod app;
mod chat;
mod deletion;
mod errors;
mod export;
mod moderation;
mod operations;
mod query;
mod roles;
mod sets;
mod social;
mod tasks;
mod users;

pub use errors::{CODES, CodeLine};
pub use operations::{Described, describe};

/// What a value may be.
#[derive(Clone, Debug)]
pub enum Schema {
    /// Text.
    Text,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A whole number.
    Integer,
    /// A whole number from `least` up, at most `most`.
    Count {
        /// The least.
        least: u64,
        /// The most, if there is a ceiling.
        most: Option<u64>,
    },
    /// A number.
    Number,
    /// 1 or -1.
    Direction,
    /// Whole nanoseconds since 1970: a time in an answer (v2 1.9).
    Moment,
    /// RFC 3339 text or whole nanoseconds: a time in a request (v2 1.9).
    Time,
    /// `true` or `false`.
    Boolean,
    /// A list.
    List {
        /// What its elements are.
        of: Box<Self>,
        /// How many there may be, if that is limited.
        most: Option<usize>,
    },
    /// An object with any names, whose values are alike.
    Map {
        /// What its values are.
        of: Box<Self>,
        /// How many there may be, if that is limited.
        most: Option<usize>,
    },
    /// The type of this name.
    Named(&'static str),
    /// One of these.
    AnyOf(Vec<Self>),
    /// An object whose fields are known.
    Object(Fields),
    /// An object with anything in it.
    Free,
    /// An object that is a value: none of its names begins with `$`.
    Value,
    /// Anything but an object.
    Plain,
    /// Anything.
    Any,
    /// `null`.
    Null,
    /// One of [`CODES`].
    Code,
}

/// The fields of an object.
#[derive(Clone, Debug)]
pub struct Fields {
    /// What the object is.
    pub description: &'static str,
    /// The fields, in the order in which they are shown.
    pub fields: Vec<Field>,
    /// What becomes of other fields.
    pub others: Others,
}

/// What becomes of fields that are not described.
#[derive(Clone, Debug)]
pub enum Others {
    /// A request may have them, and they are ignored; an answer has none yet.
    Ignored,
    /// They are refused.
    Refused,
    /// They are like this.
    Like(Box<Schema>),
}

/// A field, or a parameter.
#[derive(Clone, Debug)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// What it may be.
    pub schema: Schema,
    /// Whether it has to be there.
    pub presence: Presence,
    /// What it means.
    pub description: &'static str,
}

/// Whether a field has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Always.
    Required,
    /// Not always.
    Optional,
}

impl Schema {
    fn count() -> Self {
        Self::Count { least: 0, most: None }
    }

    fn at_most(most: usize) -> Self {
        Self::Count { least: 0, most: u64::try_from(most).ok() }
    }

    fn list(of: Self) -> Self {
        Self::List { of: Box::new(of), most: None }
    }

    fn map(of: Self) -> Self {
        Self::Map { of: Box::new(of), most: None }
    }

    fn or_null(self) -> Self {
        Self::AnyOf(vec![self, Self::Null])
    }

    fn object(description: &'static str, fields: Vec<Field>) -> Self {
        Self::Object(Fields { description, fields, others: Others::Ignored })
    }

    /// An object of which every field has to be known.
    fn closed(description: &'static str, fields: Vec<Field>) -> Self {
        Self::Object(Fields { description, fields, others: Others::Refused })
    }
}

/// A field that is always there.
fn required(name: &'static str, schema: Schema, description: &'static str) -> Field {
    Field { name, schema, presence: Presence::Required, description }
}

/// A field of an answer that is left out when there is nothing to say, or a parameter that may be.
fn optional(name: &'static str, schema: Schema, description: &'static str) -> Field {
    Field { name, schema, presence: Presence::Optional, description }
}

/// A field of a request that may be left out; `null` is "not given" (v2 1.3).
fn given(name: &'static str, schema: Schema, description: &'static str) -> Field {
    Field { name, schema: schema.or_null(), presence: Presence::Optional, description }
}

/// How long the server took; every answer says it.
fn duration() -> Field {
    required("duration", Schema::Text, "How long the server took, as text such as \"3.21ms\".")
}

/// A type and its name.
type Type = (&'static str, Schema);

/// Every named type, by subject.
#[must_use]
pub fn named() -> Vec<Type> {
    let mut types = users::types();
    types.extend(query::types());
    types.extend(app::types());
    types.extend(access::types());
    types.extend(roles::types());
    types.extend(social::types());
    types.extend(moderation::types());
    types.extend(sets::types());
    types.extend(deletion::types());
    types.extend(tasks::types());
    types.extend(chat::types());
    types.extend(export::types());
    types.extend(errors::types());
    types
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::Operation;

    use super::*;

    fn references(schema: &Schema, found: &mut BTreeSet<&'static str>) {
        match schema {
            Schema::Named(name) => drop(found.insert(name)),
            Schema::List { of, .. } | Schema::Map { of, .. } => references(of, found),
            Schema::AnyOf(all) => all.iter().for_each(|schema| references(schema, found)),
            Schema::Object(Fields { fields, others, .. }) => {
                fields.iter().for_each(|field| references(&field.schema, found));
                if let Others::Like(schema) = others {
                    references(schema, found);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn every_type_has_one_description_and_a_use() {
        let types = named();
        let names: BTreeSet<_> = types.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), types.len(), "a name stands for one type");
        let mut used = BTreeSet::from(["APIError"]);
        types.iter().for_each(|(_, schema)| references(schema, &mut used));
        for described in Operation::ALL.iter().filter_map(|operation| describe(*operation)) {
            used.extend(described.request);
            used.insert(described.answer);
            described.query.iter().for_each(|parameter| references(&parameter.schema, &mut used));
        }
        assert_eq!(used, names);
    }

    #[test]
    fn every_field_is_explained_once() {
        for (name, schema) in named() {
            let Schema::Object(Fields { description, fields, .. }) = schema else { continue };
            assert!(!description.is_empty(), "{name}");
            let names: BTreeSet<_> = fields.iter().map(|field| field.name).collect();
            assert_eq!(names.len(), fields.len(), "{name}");
        }
    }
}
