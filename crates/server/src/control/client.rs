//! The end of the control socket that verbs of the command line hold.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use storage::{OpenError, Options, PeekError, Store};

use super::{Answer, LONGEST_LINE, path};
use crate::ambient::{SystemClock, SystemEntropy};
use crate::failure::Failure;
use crate::operator::{Operator, Outcome, Request};

/// How long the answer of a server is waited for: longer than a write may wait for its turn there.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a directory is tried whose server is neither reachable nor gone: it is starting or ending.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_millis(100);

/// Has `request` carried out on the data in `directory`: by the server that runs there, or by this process if none
/// does. Blocks.
///
/// # Errors
/// When it is refused, or the server or the data cannot be reached.
pub(crate) fn perform(directory: &Path, request: &Request) -> Result<Outcome, Failure> {
    for _ in 1..TRIES {
        match attempt(directory, request)? {
            Attempt::Over(result) => return result,
            Attempt::Locked(_) => thread::sleep(PAUSE),
        }
    }
    match attempt(directory, request)? {
        Attempt::Over(result) => result,
        Attempt::Locked(error) => {
            let hint = "its control socket does not answer: the server's log says why, or restart it";
            Err(Failure::of(&error, hint))
        }
    }
}

enum Attempt {
    Over(Result<Outcome, Failure>),
    Locked(OpenError),
}

fn attempt(directory: &Path, request: &Request) -> Result<Attempt, Failure> {
    match path::with_short_path(directory, |path| UnixStream::connect(path)) {
        Ok(stream) => Ok(Attempt::Over(ask(stream, request))),
        // No socket, or one that nobody listens on: no server runs, or not yet, or not any more.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            perform_here(directory, request)
        }
        Err(error) => Err(unreachable(&error)),
    }
}

fn ask(stream: UnixStream, request: &Request) -> Result<Outcome, Failure> {
    let line = exchange(stream, request).map_err(|error| unreachable(&error))?;
    match serde_json::from_str::<Answer>(&line) {
        Ok(answer) => answer.into(),
        Err(error) => Err(Failure::because(
            "the server's answer is not understood",
            &error,
            "use the program of the version that is running as the server",
        )),
    }
}

fn exchange(mut stream: UnixStream, request: &Request) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    line.clear();
    BufReader::new(stream.take(LONGEST_LINE)).read_line(&mut line)?;
    Ok(line)
}

fn unreachable(error: &io::Error) -> Failure {
    let hint = "run this as the user who runs the server, and look into the server's log";
    Failure::because("the running server cannot be asked", error, hint)
}

/// Takes the lock of the directory and does it without a server.
fn perform_here(directory: &Path, request: &Request) -> Result<Attempt, Failure> {
    if !matches!(request, Request::Create { .. }) {
        refuse_missing(directory)?;
    }
    let (clock, entropy) = (Arc::new(SystemClock::new()), Arc::new(SystemEntropy));
    let store = match Store::open(Options::new(directory, clock.clone())) {
        Ok(store) => store,
        Err(error @ OpenError::Locked(_)) => return Ok(Attempt::Locked(error)),
        Err(error) => return Err(Failure::of(&error, error.hint())),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Failure::because("cannot start a runtime", &error, "raise the limits of this user")
    })?;
    let operator = Operator { store: store.clone(), clock, entropy };
    let result = runtime.block_on(operator.perform(request.clone()));
    store.close();
    Ok(Attempt::Over(result))
}

/// Opening a store makes one where there is none, which is not what somebody wants who mistyped the directory.
fn refuse_missing(directory: &Path) -> Result<(), Failure> {
    match storage::peek(directory, |_| Ok(())) {
        Err(PeekError::Open(error @ OpenError::Missing(_))) => Err(Failure::of(&error, error.hint())),
        // Everything else is said better, or is no obstacle, when the store is opened.
        _ => Ok(()),
    }
}
