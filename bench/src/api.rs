//! Requests to the server as bytes on a connection that stays open, made before the clock starts.

use std::ops::Range;

use model::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::people::Person;

/// The key of the app that is measured.
pub(crate) const KEY: &str = "bench";

/// Its secret, which guards nothing.
pub(crate) const SECRET: &str = "bench-secret";

/// A token: of the app's back end, or of a user.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    token: String,
}

impl Api {
    /// Signs the token.
    pub(crate) fn new() -> Self {
        let claims = Map::from_iter([("server".to_owned(), Value::Bool(true))]);
        Self { token: wire::token::sign(&Secret::new(SECRET.to_owned()), &claims) }
    }

    /// Signs the token of a user, as its back end would.
    pub(crate) fn of(person: Person) -> Self {
        let claims = Map::from_iter([
            ("user_id".to_owned(), Value::from(person.id())),
            ("iat".to_owned(), Value::from(1_700_000_000)),
        ]);
        Self { token: wire::token::sign(&Secret::new(SECRET.to_owned()), &claims) }
    }

    /// Creates or replaces the people with these numbers.
    pub(crate) fn upsert(&self, numbers: Range<u64>) -> Vec<u8> {
        let users: Map<String, Value> =
            numbers.map(|number| (Person(number).id(), Person(number).to_json())).collect();
        self.post("/api/v2/users", &json!({"users": users}))
    }

    /// Sends a body to a path.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Vec<u8> {
        let (head, body) = (self.head("POST", &format!("{path}?api_key={KEY}")), body.to_string());
        let length = body.len();
        format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
    }

    /// Reads what is at a path.
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        let head = self.head("GET", &format!("{path}?api_key={KEY}"));
        format!("{head}\r\n").into_bytes()
    }

    /// Finds users; 30 of them when the payload does not say how many.
    pub(crate) fn query(&self, payload: &Value) -> Vec<u8> {
        let payload = utf8_percent_encode(&payload.to_string(), NON_ALPHANUMERIC).to_string();
        let head = self.head("GET", &format!("/api/v2/users?api_key={KEY}&payload={payload}"));
        format!("{head}\r\n").into_bytes()
    }

    fn head(&self, method: &str, target: &str) -> String {
        let token = &self.token;
        format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\nStream-Auth-Type: jwt\r\n"
        )
    }
}
