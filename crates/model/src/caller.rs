//! Who asks.

use std::fmt::{self, Display};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{App, Invalid, Shown, Timestamp, UserId};

/// Who asks.
#[derive(Clone, Debug)]
pub enum Caller {
    /// The back end of this app, by a server token: may do everything within the app (semantics 0.9).
    Server(Arc<App>),
    /// A user of an app, by a token of its own.
    User(Arc<Bearer>),
    /// Somebody of whom nothing is known but the app (semantics 6.1); never stored.
    Anonymous(Arc<Bearer>),
    /// Whoever runs the server, from its command line: may do everything to every app.
    Operator,
}

impl Caller {
    /// The app that the caller belongs to; an operator belongs to none.
    #[must_use]
    pub fn app(&self) -> Option<&Arc<App>> {
        match self {
            Self::Server(app) => Some(app),
            Self::User(bearer) | Self::Anonymous(bearer) => Some(&bearer.app),
            Self::Operator => None,
        }
    }

    /// The user that the caller is.
    #[must_use]
    pub fn user(&self) -> Option<&Arc<Bearer>> {
        match self {
            Self::User(bearer) => Some(bearer),
            Self::Server(_) | Self::Anonymous(_) | Self::Operator => None,
        }
    }
}

/// As the log names the actor of a change.
impl Display for Caller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(_) => formatter.write_str("server"),
            Self::User(bearer) | Self::Anonymous(bearer) => formatter.write_str(bearer.id.as_str()),
            Self::Operator => formatter.write_str("operator"),
        }
    }
}

/// Whoever showed a valid user token.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// The app whose secret signed the token.
    pub app: Arc<App>,
    /// Who the token says it is; [`UserId::anonymous`] of an anonymous caller.
    pub id: UserId,
    /// Whether a token was shown: an anonymous caller needs none.
    pub has_token: bool,
    /// When the token was issued, in seconds since 1970, if it says so.
    pub issued_at: Option<i64>,
    /// What the token adds to the rights of the user.
    pub access: TokenAccess,
}

impl Bearer {
    /// Whether a revocation of all tokens issued before `moment` takes in this one: when it was issued earlier, at full
    /// precision, or does not say when (semantics 7.10, 7.12).
    #[must_use]
    pub fn is_revoked_by(&self, moment: Timestamp) -> bool {
        self.issued_at.is_none_or(|issued| Timestamp::from_seconds(issued) < moment)
    }
}

/// Calls and channels to which a token gives access beyond what its user has (semantics 7.18, DESIGN 3). It never takes any
/// away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenAccess {
    /// The calls.
    pub calls: Vec<Cid>,
    /// The channels.
    pub channels: Vec<Cid>,
    /// The role that the bearer has in each of them; that of a member when the token names none.
    pub role: Option<String>,
}

/// The name of a channel or a call: `type:id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cid {
    /// The type.
    pub kind: String,
    /// The id within the type.
    pub id: String,
}

impl Cid {
    /// Takes `text` for a name.
    ///
    /// # Errors
    /// When it is not a type and an id with a colon between; the field is left to the caller.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.split_once(':') {
            Some((kind, id)) if !kind.is_empty() && !id.is_empty() && !id.contains(':') => {
                Ok(Self { kind: kind.to_owned(), id: id.to_owned() })
            }
            _ => {
                Err(Invalid::new("", format!("must be a type and an id like 'type:id', got {}", Shown(text))))
            }
        }
    }
}

impl Display for Cid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.kind, self.id)
    }
}
