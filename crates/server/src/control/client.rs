//! The end of the control socket that verbs of the command line hold.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;
use storage::{CopyError, OpenError, Options, PeekError, PostgresOptions, PostgresUrl, Stop, Store};

use super::{Answer, LONGEST_LINE, Question, path};
use crate::ambient::{SystemClock, SystemEntropy};
use crate::config::Place;
use crate::failure::Failure;
use crate::interrupt::runtime;
use crate::operator::{Operator, Outcome, Request};

/// How long a server may take to be told, and to answer: longer than a write may wait for its turn there.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a directory is tried whose server is neither reachable nor gone: it is starting or ending.
const TRIES: u32 = 30;

/// Between two such tries, and between two looks at whether an answer is still wanted.
const PAUSE: Duration = Duration::from_millis(100);

/// Has `request` carried out on the data in `place`: in a directory by the server that runs there, or by this process if
/// none does; in a database always by this process, as servers keep nothing of it. Blocks.
///
/// # Errors
/// When it is refused, or the server or the data cannot be reached.
pub(crate) fn perform(place: &Place, request: &Request) -> Result<Outcome, Failure> {
    let directory = match place {
        Place::Directory(directory) => directory,
        Place::Server(url) => return perform_in_database(url, request),
        Place::Memory => return Err(Failure::new("the data is kept in memory", "name its place")),
    };
    let question = Question::Change(request.clone());
    reach(directory, &question, None, || perform_here(directory, request))
}

/// Has the data in `directory` backed up in the new file `file`, which is absolute: by the server that runs there, or
/// by this process if none does. Answers its length. Blocks for as long as it takes, or until `stop`.
///
/// # Errors
/// When there is no backup, or the server or the data cannot be reached.
pub(crate) fn back_up(directory: &Path, file: &Path, stop: &Stop) -> Result<u64, Failure> {
    let question = Question::BackUp { file: file.as_os_str().to_owned() };
    reach(directory, &question, Some(stop), || back_up_here(directory, file, stop))
}

enum Attempt<T> {
    Over(Result<T, Failure>),
    Locked(OpenError),
}

/// Asks the server, or does it `here`, until one of both is possible. What can be stopped may take any time.
fn reach<T: DeserializeOwned>(
    directory: &Path,
    question: &Question,
    stop: Option<&Stop>,
    here: impl Fn() -> Result<Attempt<T>, Failure>,
) -> Result<T, Failure> {
    let attempt = || match path::with_short_path(directory, |path| UnixStream::connect(path)) {
        Ok(stream) => Ok(Attempt::Over(ask(stream, question, stop))),
        // No socket, or one that nobody listens on: no server runs, or not yet, or not any more.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            here()
        }
        Err(error) => Err(unreachable(&error)),
    };
    for _ in 1..TRIES {
        match attempt()? {
            Attempt::Over(result) => return result,
            Attempt::Locked(_) => thread::sleep(PAUSE),
        }
    }
    match attempt()? {
        Attempt::Over(result) => result,
        Attempt::Locked(error) => {
            let hint = "its control socket does not answer: the server's log says why, or restart it";
            Err(Failure::of(&error, hint))
        }
    }
}

fn ask<T: DeserializeOwned>(
    stream: UnixStream,
    question: &Question,
    stop: Option<&Stop>,
) -> Result<T, Failure> {
    let line = exchange(stream, question, stop).map_err(|error| match stop {
        Some(stop) if stop.is_wanted() => refused(&CopyError::Stopped),
        _ => unreachable(&error),
    })?;
    match serde_json::from_str::<Answer<T>>(&line) {
        Ok(answer) => answer.into(),
        Err(error) => Err(Failure::because(
            "the server's answer is not understood",
            &error,
            "use the program of the version that is running as the server",
        )),
    }
}

fn exchange(mut stream: UnixStream, question: &Question, stop: Option<&Stop>) -> io::Result<String> {
    stream.set_read_timeout(Some(stop.map_or(PATIENCE, |_| PAUSE)))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_string(question)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    line.clear();
    let mut reader = BufReader::new(stream.take(LONGEST_LINE));
    loop {
        match reader.read_line(&mut line) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ended without an answer")),
            Ok(_) => return Ok(line),
            Err(error) if is_timeout(&error) && stop.is_some_and(|stop| !stop.is_wanted()) => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    // Systems differ.
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn unreachable(error: &io::Error) -> Failure {
    let hint = "run this as the user who runs the server, and look into the server's log";
    Failure::because("the running server cannot be asked", error, hint)
}

/// Takes the lock of the directory and does it without a server.
fn perform_here(directory: &Path, request: &Request) -> Result<Attempt<Outcome>, Failure> {
    if !matches!(request, Request::Create { .. }) {
        refuse_missing(directory)?;
    }
    let (clock, entropy) = (Arc::new(SystemClock::new()), Arc::new(SystemEntropy));
    let store = match Store::open(Options::new(directory, clock.clone())) {
        Ok(store) => store,
        Err(error @ OpenError::Locked(_)) => return Ok(Attempt::Locked(error)),
        Err(error) => return Err(Failure::of(&error, error.hint())),
    };
    let operator = Operator { store: store.clone(), clock, entropy };
    let result = runtime()?.block_on(operator.perform(request.clone()));
    store.close();
    Ok(Attempt::Over(result))
}

fn perform_in_database(url: &PostgresUrl, request: &Request) -> Result<Outcome, Failure> {
    if !matches!(request, Request::Create { .. }) {
        // Connecting makes the schema where there is none, which nobody wants who mistyped the name.
        if let Err(PeekError::Open(error)) = storage::peek_server(url, |_| Ok(())) {
            return Err(Failure::of(&error, error.hint()));
        }
    }
    let (clock, entropy) = (Arc::new(SystemClock::new()), Arc::new(SystemEntropy));
    let options =
        PostgresOptions { writers: 1, readers: 1, ..PostgresOptions::new(url.clone(), clock.clone()) };
    let store = Store::connect(options).map_err(|error| Failure::of(&error, error.hint()))?;
    let operator = Operator { store: store.clone(), clock, entropy };
    let result = runtime()?.block_on(operator.perform(request.clone()));
    store.close();
    result
}

/// Opening a store makes one where there is none, which is not what somebody wants who mistyped the directory.
fn refuse_missing(directory: &Path) -> Result<(), Failure> {
    match storage::peek(directory, |_| Ok(())) {
        Err(PeekError::Open(error @ OpenError::Missing(_))) => Err(Failure::of(&error, error.hint())),
        // Everything else is said better, or is no obstacle, when the store is opened.
        _ => Ok(()),
    }
}

/// Takes the lock of the directory and copies its database. No store is opened, which would change the schema: a
/// backup is what one makes before an upgrade.
fn back_up_here(directory: &Path, file: &Path, stop: &Stop) -> Result<Attempt<u64>, Failure> {
    match storage::back_up(directory, file, stop) {
        Ok(copied) => Ok(Attempt::Over(Ok(copied.bytes))),
        Err(CopyError::Database(error @ OpenError::Locked(_))) => Ok(Attempt::Locked(error)),
        Err(error) => Err(refused(&error)),
    }
}

fn refused(error: &CopyError) -> Failure {
    Failure::of(error, error.hint())
}
