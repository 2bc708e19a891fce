//! Edits of one value in a JSON document, printed as text: what comes out need not be JSON any more.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::odd::{self, TOKENS, Text};

/// One edit of a value, or of the entry of an object or array that it is.
#[derive(Clone, Debug)]
pub(super) enum NodeEdit {
    /// Another value, as it is written.
    Token(&'static str),
    /// A string instead.
    String(Text),
    /// An array or object of this many `null`s instead.
    Many(Brackets, usize),
    /// The value within this many arrays or objects.
    Wrap(Brackets, usize),
    /// The entry is not there.
    Remove,
    /// The entry is there as often as this: with the same key, or each with a key of its own.
    Repeat(Keys, usize),
    /// The entry has another key.
    Rename(Text),
    /// The value has an entry more.
    Add(Text, &'static str),
}

/// What encloses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brackets {
    Array,
    Object,
}

/// The keys of entries that are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    Same,
    Distinct,
}

/// Any edit.
pub(super) fn node_edit() -> impl Strategy<Value = NodeEdit> {
    let brackets = || select(&[Brackets::Array, Brackets::Object][..]);
    let keys = select(&[Keys::Same, Keys::Distinct][..]);
    prop_oneof![
        10 => select(TOKENS).prop_map(NodeEdit::Token),
        8 => odd::text().prop_map(NodeEdit::String),
        1 => (brackets(), odd::length()).prop_map(|(brackets, count)| NodeEdit::Many(brackets, count)),
        2 => (brackets(), odd::depth()).prop_map(|(brackets, depth)| NodeEdit::Wrap(brackets, depth)),
        1 => Just(NodeEdit::Remove),
        2 => (keys, select(&[2_usize, 3, 99, 100, 101, 251, 1001][..]))
            .prop_map(|(keys, count)| NodeEdit::Repeat(keys, count)),
        4 => odd::text().prop_map(NodeEdit::Rename),
        4 => (odd::text(), select(TOKENS)).prop_map(|(key, token)| NodeEdit::Add(key, token)),
    ]
}

/// How many values `document` is made of, itself included.
pub(super) fn nodes(document: &Value) -> usize {
    1 + match document {
        Value::Array(elements) => elements.iter().map(nodes).sum::<usize>(),
        Value::Object(fields) => fields.values().map(nodes).sum(),
        _ => 0,
    }
}

/// Prints `document` with `edit` at its `node`th value, counted from the outside to the inside. Answers the text and
/// the outermost field that the value stands in, if it still stands in one.
pub(super) fn edited(document: &Value, node: usize, edit: &NodeEdit) -> (String, Option<String>) {
    let mut printer = Printer { next: 0, node, edit, field: None, path: Vec::new() };
    let text = printer.entry(None, document).join(",");
    (text, printer.field)
}

struct Printer<'a> {
    next: usize,
    node: usize,
    edit: &'a NodeEdit,
    field: Option<String>,
    path: Vec<&'a str>,
}

impl<'a> Printer<'a> {
    /// The entries that stand for one: none when it is removed, several when it is repeated.
    fn entry(&mut self, key: Option<&'a str>, value: &'a Value) -> Vec<String> {
        let here = self.next == self.node;
        self.next += 1;
        self.path.extend(key);
        let is_renamed = self.path.len() == 1 && matches!(self.edit, NodeEdit::Rename(_));
        if here && !is_renamed {
            self.field = self.path.first().map(|field| (*field).to_owned());
        }
        let printed = self.value(value);
        self.path.truncate(self.path.len() - usize::from(key.is_some()));
        if here { self.repeated(key, value, printed) } else { vec![entry(key, &printed)] }
    }

    fn value(&mut self, value: &'a Value) -> String {
        match value {
            Value::Array(elements) => {
                let entries: Vec<_> = elements.iter().flat_map(|element| self.entry(None, element)).collect();
                format!("[{}]", entries.join(","))
            }
            Value::Object(fields) => {
                let entries: Vec<_> =
                    fields.iter().flat_map(|(key, value)| self.entry(Some(key), value)).collect();
                format!("{{{}}}", entries.join(","))
            }
            scalar => scalar.to_string(),
        }
    }

    fn repeated(&self, key: Option<&str>, value: &Value, printed: String) -> Vec<String> {
        match self.edit {
            NodeEdit::Remove => Vec::new(),
            NodeEdit::Repeat(Keys::Same, count) => vec![entry(key, &printed); *count],
            NodeEdit::Repeat(Keys::Distinct, count) => (0..*count)
                .map(|number| entry(key.map(|key| format!("{key}{number}")).as_deref(), &printed))
                .collect(),
            NodeEdit::Rename(other) => vec![entry(key.map(|_| other.content()).as_deref(), &printed)],
            NodeEdit::Token(token) => vec![entry(key, token)],
            NodeEdit::String(text) => vec![entry(key, &quoted(&text.content()))],
            NodeEdit::Many(brackets, count) => vec![entry(key, &many(*brackets, *count))],
            NodeEdit::Wrap(brackets, depth) => vec![entry(key, &wrapped(*brackets, *depth, &printed))],
            NodeEdit::Add(name, token) => {
                vec![entry(key, &with_more(value, printed, &name.content(), token))]
            }
        }
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn entry(key: Option<&str>, value: &str) -> String {
    key.map_or_else(|| value.to_owned(), |key| format!("{}:{value}", quoted(key)))
}

fn many(brackets: Brackets, count: usize) -> String {
    let entry = |number: usize| match brackets {
        Brackets::Array => "null".to_owned(),
        Brackets::Object => format!("\"k{number}\":null"),
    };
    enclosed(brackets, &(0..count).map(entry).collect::<Vec<_>>().join(","))
}

fn wrapped(brackets: Brackets, depth: usize, value: &str) -> String {
    let (open, close) = match brackets {
        Brackets::Array => ("[", "]"),
        Brackets::Object => ("{\"a\":", "}"),
    };
    format!("{}{value}{}", open.repeat(depth), close.repeat(depth))
}

fn with_more(value: &Value, mut printed: String, name: &str, token: &str) -> String {
    let (more, empty) = match value {
        Value::Array(elements) => (token.to_owned(), elements.is_empty()),
        Value::Object(fields) => (entry(Some(name), token), fields.is_empty()),
        _ => return enclosed(Brackets::Object, &entry(Some(name), token)),
    };
    let close = printed.pop().unwrap_or_default();
    let comma = if empty { "" } else { "," };
    format!("{printed}{comma}{more}{close}")
}

fn enclosed(brackets: Brackets, entries: &str) -> String {
    match brackets {
        Brackets::Array => format!("[{entries}]"),
        Brackets::Object => format!("{{{entries}}}"),
    }
}
