//! The control socket: how verbs of the command line reach the server that has their data directory locked.
//!
//! A Unix socket in the data directory. A client sends one [`Request`](crate::operator::Request) as one line of JSON
//! and gets one [`Answer`] as one line. It is no public interface: both ends come with the same program.

mod client;
mod path;
mod server;

use serde::{Deserialize, Serialize};

pub(crate) use self::client::perform;
pub(crate) use self::server::Socket;
use crate::failure::Failure;
use crate::operator::Outcome;

/// The most bytes of a line, in either direction.
const LONGEST_LINE: u64 = 64 << 10;

/// What the server says to a request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// It was carried out.
    Outcome(Outcome),
    /// It was refused or failed, and nothing has changed.
    Failure {
        /// What is wrong.
        error: String,
        /// What can be done about it.
        hint: String,
    },
}

impl From<Result<Outcome, Failure>> for Answer {
    fn from(result: Result<Outcome, Failure>) -> Self {
        match result {
            Ok(outcome) => Self::Outcome(outcome),
            Err(failure) => {
                Self::Failure { error: failure.error().to_owned(), hint: failure.hint().to_owned() }
            }
        }
    }
}

impl From<Answer> for Result<Outcome, Failure> {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Outcome(outcome) => Ok(outcome),
            Answer::Failure { error, hint } => Err(Failure::new(error, hint)),
        }
    }
}
