//! The one conversion from what went wrong to what is answered: status, code, words (DESIGN 5).

use hyper::StatusCode;
use model::Invalid;
use operations::Error;
use wire::error::Code;

/// Seconds after which it makes sense to start another task, when there are too many.
const TASKS_PAUSE: u32 = 5;

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: Code,
    /// What the client is told.
    pub(crate) reason: String,
    /// The field that is wrong, and why.
    pub(crate) field: Option<(String, String)>,
    /// Seconds after which another try makes sense.
    pub(crate) retry_after: Option<u32>,
    /// What the log is told, when that is more than the client may know.
    pub(crate) cause: Option<Box<Error>>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: Code, reason: impl Into<String>) -> Self {
        Self { status, code, reason: reason.into(), field: None, retry_after: None, cause: None }
    }

    /// A batch that was refused by itself, and then was not.
    pub(crate) fn undecided() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "internal error")
    }

    /// A timeout says which filter took too long, and what helps (DESIGN 2).
    pub(crate) fn naming_the_filter(self, name: &str, asked: &str) -> Self {
        if self.status != StatusCode::REQUEST_TIMEOUT {
            return self;
        }
        let hint =
            "add a condition that an index serves, such as $eq, $in, a range, $contains or $autocomplete";
        Self { reason: format!("{}: {name} {}; {hint}", self.reason, cut(asked)), ..self }
    }

    /// A timeout says what does not have to be waited for.
    pub(crate) fn advising(self, hint: &str) -> Self {
        match self.status {
            StatusCode::REQUEST_TIMEOUT => Self { reason: format!("{}; {hint}", self.reason), ..self },
            _ => self,
        }
    }

    fn input(reason: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::Input, reason)
    }

    fn missing(reason: String) -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::DoesNotExist, reason)
    }

    fn unavailable(reason: &str, cause: Error) -> Self {
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Internal, reason);
        Self { retry_after: Some(1), cause: Some(Box::new(cause)), ..refusal }
    }

    /// Something that no request should be able to cause. The client learns the id of its request, nothing else.
    fn internal(cause: Error) -> Self {
        let refusal = Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "internal error");
        Self { cause: Some(Box::new(cause)), ..refusal }
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        // Field names can be as long as a body.
        let invalid = Invalid { field: cut(&invalid.field), why: cut(&invalid.why) };
        let reason = if invalid.field.is_empty() { invalid.why.clone() } else { invalid.to_string() };
        Self { field: Some((invalid.field, invalid.why)), ..Self::input(reason) }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(invalid) => invalid.into(),
            Error::NoUser(_)
            | Error::Deactivated(_)
            | Error::Deleted(_)
            | Error::NoRole(_)
            | Error::NoBlockList(_)
            | Error::NoUserGroup(_)
            | Error::NoPermission(_)
            | Error::NoTask(_)
            | Error::NoDevice { .. }
            | Error::NoChannel(_)
            | Error::NoMessage(_)
            | Error::NoReaction { .. }
            | Error::NoApp(_) => Self::missing(error.to_string()),
            Error::NameTaken { ref field, .. } => {
                let field = (field.clone(), error.to_string());
                let reason = error.to_string();
                let refusal = Self::new(StatusCode::BAD_REQUEST, Code::DuplicateUsername, reason);
                Self { field: Some(field), ..refusal }
            }
            Error::AlreadyDeactivated(_)
            | Error::NotDeactivated(_)
            | Error::AppExists(_)
            | Error::Rotating(_)
            | Error::NotRotating(_) => Self::input(error.to_string()),
            Error::TooManyTasks => {
                let reason = error.to_string();
                let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimit, reason);
                Self { retry_after: Some(TASKS_PAUSE), ..refusal }
            }
            Error::Revoked => Self::new(StatusCode::UNAUTHORIZED, Code::TokenExpired, error.to_string()),
            Error::Forbidden(_)
            | Error::Banned(_)
            | Error::Denied(_)
            | Error::GuestsRefused(_)
            | Error::NoTeamFilter
            | Error::FixedTeam
            | Error::Unbannable { .. }
            | Error::NotOneself { .. }
            | Error::ServerOnly(_) => Self::new(StatusCode::FORBIDDEN, Code::NotAllowed, error.to_string()),
            Error::Undeclared { .. } => Self::internal(error),
            Error::Storage(storage) => from_storage(storage),
        }
    }
}

/// Text at a length that is fit for a message.
fn cut(text: &str) -> String {
    const LONGEST: usize = 500;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn from_storage(error: storage::Error) -> Refusal {
    let told = error.to_string();
    match error {
        storage::Error::Timeout(_) => {
            let refusal = Refusal::new(StatusCode::REQUEST_TIMEOUT, Code::Timeout, told);
            Refusal { cause: Some(Box::new(error.into())), ..refusal }
        }
        storage::Error::Busy => {
            Refusal::unavailable("too many requests are waiting; try again", error.into())
        }
        storage::Error::Contended => Refusal::unavailable(
            "others keep changing the same data at the same time; try again",
            error.into(),
        ),
        storage::Error::Unavailable(_) => {
            Refusal::unavailable("the database cannot be used at the moment; try again", error.into())
        }
        storage::Error::Closed => Refusal::unavailable("the server is stopping; try again", error.into()),
        storage::Error::OutcomeUnknown(_) => Refusal::unavailable(
            "the change may or may not be stored; read before you try again",
            error.into(),
        ),
        storage::Error::Panicked | storage::Error::Statement { .. } | storage::Error::Unreadable(_) => {
            Refusal::internal(error.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_timeout_is_advised() {
        let reason =
            |status| Refusal::new(status, Code::Timeout, "it took too long").advising("make a file").reason;
        assert_eq!(reason(StatusCode::REQUEST_TIMEOUT), "it took too long; make a file");
        assert_eq!(reason(StatusCode::BAD_REQUEST), "it took too long");
    }
}
