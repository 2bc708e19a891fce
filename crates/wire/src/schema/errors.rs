//! The answer that says nothing, the error envelope and its codes (v2 1.8).

use super::Schema::{Boolean, Integer, Text};
use super::{Schema, Type, duration, optional, required};

/// A code and what it says.
#[derive(Clone, Copy, Debug)]
pub struct CodeLine {
    /// The number.
    pub code: i32,
    /// The HTTP status that it comes with.
    pub status: &'static str,
    /// What it says, and what helps.
    pub meaning: &'static str,
}

const fn line(code: i32, status: &'static str, meaning: &'static str) -> CodeLine {
    CodeLine { code, status, meaning }
}

/// Every code of [`crate::error::Code`].
pub const CODES: &[CodeLine] = &[
    line(
        -1,
        "500, 503",
        "The server failed, or cannot work at the moment: 503 says in Retry-After when to try again.",
    ),
    line(2, "401", "The API key is missing or not known."),
    line(4, "400", "The request is not as it should be; exception_fields names the field."),
    line(5, "401", "The token is missing or not as it should be."),
    line(6, "400", "The name is taken, while enforce_unique_usernames is on."),
    line(9, "429", "Too many requests: wait as long as Retry-After says."),
    line(16, "404", "There is no such thing."),
    line(17, "403, 405", "The caller may not do that, or the path does not know the method."),
    line(22, "413", "The body is too large."),
    line(23, "408", "The request took too long; a narrower filter helps."),
    line(40, "401", "The token has expired."),
    line(41, "401", "The token is not valid yet."),
    line(42, "401", "The token is used before it was issued."),
    line(43, "401", "The token is not signed with a secret of the app."),
    line(99, "403", "The app is suspended."),
];

pub(super) fn types() -> Vec<Type> {
    vec![("Response", Schema::object("Done.", vec![duration()])), ("APIError", error())]
}

fn error() -> Schema {
    let fields = vec![
        required("code", Schema::Code, "What went wrong, for programs."),
        required("message", Text, "What went wrong, for people: operation, field, reason."),
        required("StatusCode", Integer, "The HTTP status."),
        duration(),
        required("more_info", Text, "Always empty."),
        required("details", Schema::list(Integer), "Always empty."),
        optional("exception_fields", Schema::map(Text), "What is wrong, by the path of the field."),
        optional("unrecoverable", Boolean, "Given as true when the same request can only fail again."),
    ];
    Schema::object("What every refusal looks like.", fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variants of an enum cannot be listed, so its source is read.
    #[test]
    fn every_code_is_explained() {
        let variants = include_str!("../error.rs").lines().filter_map(|line| {
            let (name, number) = line.trim().strip_suffix(',')?.split_once(" = ")?;
            Some((name, number.parse::<i32>().ok()?))
        });
        let mut seen = 0;
        for (name, number) in variants {
            assert!(CODES.iter().any(|line| line.code == number), "{name} = {number} has no line in CODES");
            seen += 1;
        }
        assert!(seen >= 14, "the codes are written otherwise than this test reads them");
        assert!(CODES.is_sorted_by_key(|line| line.code));
    }
}
