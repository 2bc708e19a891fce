//! The error envelope, in every dialect the same (v2 1.8).

use serde::Serialize;

/// The codes that clients tell errors by (semantics 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The server failed.
    Internal = -1,
    /// The API key is not known.
    AccessKey = 2,
    /// The request is not as it should be.
    Input = 4,
    /// The token is not as it should be.
    Authentication = 5,
    /// Somebody else has the name.
    DuplicateUsername = 6,
    /// Too many requests.
    RateLimit = 9,
    /// There is no such thing.
    DoesNotExist = 16,
    /// The caller may not do that.
    NotAllowed = 17,
    /// The body is too large.
    PayloadTooBig = 22,
    /// The request took too long.
    Timeout = 23,
    /// The token has expired.
    TokenExpired = 40,
    /// The token is not valid yet.
    TokenNotYetValid = 41,
    /// The token is used before it was issued.
    TokenBeforeIssued = 42,
    /// The token is not signed by the app.
    TokenSignature = 43,
    /// The app is suspended.
    AppSuspended = 99,
}

/// An error as it is sent.
#[derive(Clone, Debug)]
pub struct Failure<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The code.
    pub code: Code,
    /// The operation that failed; `None` when the request names none.
    pub operation: Option<&'a str>,
    /// What went wrong.
    pub reason: &'a str,
    /// The field that is wrong and why, when it is one field.
    pub field: Option<(&'a str, &'a str)>,
}

/// Prints the envelope (semantics 0.3, 0.4).
#[must_use]
pub fn encode(failure: &Failure<'_>, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Envelope<'a> {
        code: i32,
        message: String,
        #[serde(rename = "StatusCode")]
        status: u16,
        duration: &'a str,
        more_info: &'a str,
        details: [i32; 0],
        #[serde(skip_serializing_if = "Option::is_none")]
        exception_fields: Option<serde_json::Map<String, serde_json::Value>>,
    }
    let operation = failure.operation.unwrap_or("Request");
    let field = failure.field.filter(|(field, _)| !field.is_empty());
    let envelope = Envelope {
        code: failure.code as i32,
        message: format!("{operation} failed with error: \"{}\"", failure.reason),
        status: failure.status,
        duration,
        more_info: "",
        details: [],
        exception_fields: field
            .map(|(field, why)| serde_json::Map::from_iter([(field.to_owned(), why.into())])),
    };
    crate::v2::to_bytes(&envelope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_has_every_field_of_its_type() {
        let failure = Failure {
            status: 400,
            code: Code::Input,
            operation: Some("UpdateUsers"),
            reason: "users.a.name: must be a string",
            field: Some(("users.a.name", "must be a string")),
        };
        let printed = String::from_utf8(encode(&failure, "1.00ms")).unwrap();
        let expected = r#"{"code":4,"message":"UpdateUsers failed with error: \"users.a.name: must be a string\"","StatusCode":400,"duration":"1.00ms","more_info":"","details":[],"exception_fields":{"users.a.name":"must be a string"}}"#;
        assert_eq!(printed, expected);
    }
}
