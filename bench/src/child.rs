//! A program started by the bench: where it listens, how soon it was ready, how much memory it holds, its end.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::call;
use crate::failure::{Failure, because};
use crate::home::Home;

/// How long a program may take to become ready, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait before asking again: far less than what is measured.
const BREATH: Duration = Duration::from_micros(500);

/// What stands before the address in the line that a program prints once it listens.
const LISTENS: &str = " listens on http://";

/// A running program. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    address: SocketAddr,
    ready_after: Duration,
    running: Arc<Mutex<Vec<Pid>>>,
    /// Kept open: the program may print more.
    _output: BufReader<ChildStdout>,
}

impl Child {
    /// Starts `command` and waits until it answers `GET path` with 200. Its log goes to `NAME.log`.
    pub(crate) fn start(home: &Home, name: &str, command: &mut Command, path: &str) -> Result<Self, Failure> {
        let log = home.path(&format!("{name}.log"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let running = home.running();
        let mut started = running.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = Instant::now();
        let mut process = command.spawn().map_err(because(format_args!("cannot start {command:?}")))?;
        started.push(Pid::from_child(&process));
        drop(started);
        let output = process.stdout.take().ok_or("a program without output")?;
        let mut output = BufReader::new(output);
        let address = listens_on(&mut output);
        let address = address.map_err(|failure| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            format!("{name} did not start: {failure}: {log}")
        });
        // From here on the drop of the child ends it.
        let mut child = Self {
            process,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            ready_after: Duration::ZERO,
            running,
            _output: output,
        };
        child.address = address?;
        child.ready_after = child.ready(path, begin)?;
        Ok(child)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The time from before its start to its first good answer.
    pub(crate) fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// How many bytes of memory it holds now.
    pub(crate) fn resident_bytes(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))
            .map_err(because("cannot read how much memory a program holds"))?;
        let kibibytes =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        let kibibytes = kibibytes.and_then(|number| number.parse::<u64>().ok());
        Ok(kibibytes.ok_or("the system does not say how much memory a program holds")? * 1024)
    }

    /// Asks it to end in order, and waits for that.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        kill_process(Pid::from_child(&self.process), Signal::TERM)
            .map_err(because("cannot stop a program"))?;
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if self.process.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(BREATH);
        }
        Err("a program does not end when asked to".into())
    }

    fn ready(&self, path: &str, begin: Instant) -> Result<Duration, Failure> {
        while begin.elapsed() < PATIENCE {
            if call::get(self.address, path).is_ok_and(|reply| reply.status == 200) {
                return Ok(begin.elapsed());
            }
            thread::sleep(BREATH);
        }
        Err(format!("{path} does not answer").into())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let id = Pid::from_child(&self.process);
        // Both fail for a program that has ended, which is all that is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.running.lock().unwrap_or_else(PoisonError::into_inner).retain(|running| *running != id);
    }
}

/// The address in the line that says so.
fn listens_on(output: &mut impl BufRead) -> Result<SocketAddr, Failure> {
    let mut line = String::new();
    while output.read_line(&mut line)? > 0 {
        if let Some((_, address)) = line.trim_end().split_once(LISTENS) {
            return Ok(address.parse()?);
        }
        line.clear();
    }
    Err("it ended".into())
}
