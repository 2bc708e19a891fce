//! The control socket: how verbs of the command line reach the server that has their data directory locked.
//!
//! A Unix socket in the data directory. A client sends one [`Question`] as one line of JSON and gets one [`Answer`] as
//! one line; while it waits, it stays connected. It is no public interface: both ends come with the same program.

mod client;
mod path;
mod server;

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

pub(crate) use self::client::{back_up, perform};
pub(crate) use self::server::Socket;
use crate::failure::Failure;
use crate::operator::Request;

/// The most bytes of a line, in either direction.
const LONGEST_LINE: u64 = 64 << 10;

/// What a client asks of the server.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Question {
    /// To change an app. The answer is an [`Outcome`](crate::operator::Outcome).
    Change(Request),
    /// To back up its database in this file, which is absolute. The answer is the length of the file, and comes when
    /// that is written; a client that hangs up before has the backup stopped.
    BackUp { file: OsString },
}

/// What the server says to a question.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer<T> {
    /// It was carried out.
    Done(T),
    /// It was refused or failed, and nothing has changed.
    Failure {
        /// What is wrong.
        error: String,
        /// What can be done about it.
        hint: String,
    },
}

impl<T> From<Result<T, Failure>> for Answer<T> {
    fn from(result: Result<T, Failure>) -> Self {
        match result {
            Ok(done) => Self::Done(done),
            Err(failure) => {
                Self::Failure { error: failure.error().to_owned(), hint: failure.hint().to_owned() }
            }
        }
    }
}

impl<T> From<Answer<T>> for Result<T, Failure> {
    fn from(answer: Answer<T>) -> Self {
        match answer {
            Answer::Done(done) => Ok(done),
            Answer::Failure { error, hint } => Err(Failure::new(error, hint)),
        }
    }
}
