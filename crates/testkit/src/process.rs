//! The program `headwater` as a black box: started, talked to, ended, and what it wrote.
//!
//! ```no_run
//! # use headwater_testkit::process::Headwater;
//! let headwater = Headwater::new("target/debug/headwater"); // in a test: env!("CARGO_BIN_EXE_headwater")
//! let server = headwater.serve(&["--in-memory"]);
//! println!("{}/healthz", server.url());
//! assert!(server.stop().status.success());
//! ```
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{KEY, SECRET};

/// What the program writes on standard output once it serves, before its address.
const LISTENS: &str = "Headwater listens on ";

/// How long a program may take to start, or to end. Generous, since tests run beside builds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program.
#[derive(Clone, Debug)]
pub struct Headwater {
    binary: PathBuf,
}

impl Headwater {
    /// The program in the file `binary`.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self { binary: binary.into() }
    }

    /// The file of the program.
    #[must_use]
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// The program with `arguments`, and without the settings of whoever runs the tests.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        without_settings(&mut command).args(arguments);
        command
    }

    /// Runs the program to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Ended {
        run(&mut self.command(arguments))
    }

    /// Starts a server on a free port, with the app of [`KEY`] and [`SECRET`], and waits until it serves.
    #[must_use]
    pub fn serve(&self, arguments: &[&str]) -> Server {
        let app = format!("{KEY}:{SECRET}");
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0", "--app", &app]);
        match Server::start(command.args(arguments)) {
            Ok(server) => server,
            Err(ended) => panic!("the server did not start: {ended:?}"),
        }
    }
}

/// Takes variables away that would be settings.
pub fn without_settings(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("HEADWATER_")) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `command` to its end.
#[must_use]
pub fn run(command: &mut Command) -> Ended {
    Process::spawn(command).wait()
}

/// A program that has ended, and what it wrote.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// The lines of its standard output.
    pub stdout: Vec<String>,
    /// The lines of its standard error.
    pub stderr: Vec<String>,
    /// What it left in the temporary directory that it was given.
    pub left: Vec<PathBuf>,
}

/// A server that serves. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    process: Process,
    url: String,
}

impl Server {
    /// Starts `command`, which leads to `headwater serve`, and waits until it serves.
    ///
    /// # Errors
    /// What is left of it when it ends before that.
    pub fn start(command: &mut Command) -> Result<Self, Ended> {
        let process = Process::spawn(command);
        match process.stdout.lines.wait_for(|line| line.starts_with(LISTENS)) {
            Some(line) => Ok(Self { url: line[LISTENS.len()..].to_owned(), process }),
            None => Err(process.wait()),
        }
    }

    /// The base URL for clients, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens for clients.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").and_then(|address| address.parse().ok()).expect("an address")
    }

    /// The id of the process.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.child.id()
    }

    /// The lines that it wrote on standard output so far.
    #[must_use]
    pub fn stdout(&self) -> Vec<String> {
        self.process.stdout.lines.all()
    }

    /// The lines that it logged so far.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.process.stderr.lines.all()
    }

    /// Waits for a line on standard output. `None` when it ends without one.
    pub fn wait_for_output(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        self.process.stdout.lines.wait_for(wanted)
    }

    /// Waits for a line of the log. `None` when it ends without one.
    pub fn wait_for_log(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        self.process.stderr.lines.wait_for(wanted)
    }

    /// Asks it to end, by SIGTERM, and does not wait.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.process.child), Signal::TERM).expect("a running process");
    }

    /// Ends it as a power cut would, as far as the process is concerned.
    pub fn kill9(mut self) -> Ended {
        self.process.child.kill().expect("a running process");
        self.wait()
    }

    /// Asks it to end, and waits.
    pub fn stop(self) -> Ended {
        self.terminate();
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(self) -> Ended {
        self.process.wait()
    }
}

/// A child whose output is collected. Killed when dropped.
#[derive(Debug)]
struct Process {
    child: Child,
    stdout: Collected,
    stderr: Collected,
    /// What the program puts into temporary directories goes with it, however it ends.
    temporary: TempDir,
}

impl Process {
    fn spawn(command: &mut Command) -> Self {
        let temporary = TempDir::new().expect("a temporary directory");
        command.env("TMPDIR", temporary.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stdout = Collected::from(child.stdout.take().expect("a pipe"));
        let stderr = Collected::from(child.stderr.take().expect("a pipe"));
        Self { child, stdout, stderr, temporary }
    }

    fn wait(mut self) -> Ended {
        const PAUSE: Duration = Duration::from_millis(10);
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            if let Some(status) = self.child.try_wait().expect("a child") {
                let (stdout, stderr) = (self.stdout.finish(), self.stderr.finish());
                return Ended { status, stdout, stderr, left: entries(self.temporary.path()) };
            }
            thread::sleep(PAUSE);
        }
        panic!("the program does not end: {:?}", self.stderr.lines.all());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail for a child that has ended, which is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    directory.read_dir().expect("a directory").map(|entry| entry.expect("an entry").path()).collect()
}

/// A pipe that a thread reads to its end.
#[derive(Debug)]
struct Collected {
    lines: Arc<Lines>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    fn from(pipe: impl Read + Send + 'static) -> Self {
        let lines = Arc::<Lines>::default();
        let sink = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                sink.change(|state| state.lines.push(String::from_utf8_lossy(&line).into_owned()));
            }
            sink.change(|state| state.ended = true);
        });
        Self { lines, reader: Some(reader) }
    }

    fn finish(&mut self) -> Vec<String> {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("a reader that does not panic");
        }
        self.lines.all()
    }
}

#[derive(Debug, Default)]
struct Lines {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn all(&self) -> Vec<String> {
        self.state.lock().unwrap().lines.clone()
    }

    fn wait_for(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let find = |state: &State| state.lines.iter().find(|line| wanted(line)).cloned();
        let state = self.state.lock().unwrap();
        let missing = |state: &mut State| !state.ended && find(state).is_none();
        let (state, timeout) = self.changed.wait_timeout_while(state, PATIENCE, missing).unwrap();
        assert!(!timeout.timed_out(), "the line does not come; there is {:?}", state.lines);
        find(&state)
    }
}
