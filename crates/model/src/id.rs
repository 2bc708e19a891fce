//! Names of things: user ids as apps choose them, integer keys as storage gives them.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use crate::Invalid;
use crate::invalid::Shown;

/// The longest user id, in bytes (semantics 1.12).
const LONGEST_USER_ID: usize = 255;

/// The id of the anonymous user.
const ANONYMOUS: &str = "!anon";

/// The key of an app within one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppKey(pub i64);

/// The key of a user within one database. Keys grow with `created_at` (DESIGN 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserKey(pub i64);

/// The id that an app gave to a user: letters, digits, `@`, `_` and `-`, case-sensitive, 1 to 255 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(String);

impl UserId {
    /// Takes `id` for a user id (semantics 1.10 to 1.13).
    ///
    /// # Errors
    /// When it is empty, too long, reserved or has other characters. The field of the refusal is left to the caller.
    pub fn parse(id: &str) -> Result<Self, Invalid> {
        let refuse = |why: String| Err(Invalid::new("", why));
        if id.is_empty() {
            return refuse("must not be empty".to_owned());
        }
        if id == ANONYMOUS {
            return refuse("'!anon' is reserved for the anonymous user".to_owned());
        }
        if id.len() > LONGEST_USER_ID {
            return refuse(format!("must have at most {LONGEST_USER_ID} bytes, has {}", id.len()));
        }
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@_-".contains(&byte)) {
            return refuse(format!("may have letters, digits, '@', '_' and '-' only, got {}", Shown(id)));
        }
        Ok(Self(id.to_owned()))
    }

    /// The id of whoever has no user (semantics 6.1). No user can have it.
    #[must_use]
    pub fn anonymous() -> Self {
        Self(ANONYMOUS.to_owned())
    }

    /// An id that was parsed before it was stored.
    #[must_use]
    pub fn from_stored(id: String) -> Self {
        Self(id)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_letters_digits_and_three_signs() {
        for good in ["a", "A-b_c@d9", "8ZqAJhtH3HbKQmnRLqGPAXFeCOp2", &"x".repeat(255)] {
            assert_eq!(UserId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "!anon", "a b", "a.b", "a|b", "a/b", "a:b", "ü", "a\n", &"x".repeat(256)] {
            assert!(UserId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
