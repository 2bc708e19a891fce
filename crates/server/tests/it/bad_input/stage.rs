//! A server and the two who watch it: the client that asks, and the witness who sees what is stored.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use headwater_testkit::process::Server;
use serde_json::Value;

use super::connection::{Answer, Client};
use super::message::Sent;
use super::odd::BODY_BYTES;
use super::witness::{Contents, Witness, differences};
use crate::headwater;

/// How much more memory than a fifth of what it began with the server may hold in the end, in bytes.
const MEMORY: u64 = 64 << 20;

/// A server and what is known about it.
#[derive(Debug)]
pub(super) struct Stage {
    server: Server,
    memory: u64,
    client: Client,
    witness: Witness,
    version: i64,
    contents: Contents,
}

impl Stage {
    /// Starts a server in memory, since nothing here is about what survives.
    pub(super) fn start() -> Result<Self, String> {
        // Tokens that are refused are input like any other here, and must not use up what an address may send.
        let body_bytes = BODY_BYTES.to_string();
        let limits = ["--refused-tokens", "4000000000", "--body-bytes", &body_bytes];
        let server = headwater().serve(&[&["--in-memory", "--log-format", "json"], &limits[..]].concat());
        let memory = resident(&server)?;
        let witness = Witness::new(&directory(&server)?).map_err(|error| error.to_string())?;
        let client = Client::new(server.address());
        Ok(Self { server, memory, client, witness, version: 0, contents: Contents::new() })
    }

    pub(super) fn send(&mut self, sent: &Sent) -> Result<Answer, String> {
        self.client.send(sent)
    }

    /// Takes note of what is stored.
    pub(super) fn take_note(&mut self) -> Result<(), String> {
        // Nothing may change any more that nobody has asked for since.
        while self.witness.has_tasks().map_err(|error| error.to_string())? {
            thread::sleep(Duration::from_millis(1));
        }
        // The version first: what is committed in between is then seen as a change.
        self.version = self.witness.version().map_err(|error| error.to_string())?;
        self.contents = self.witness.contents().map_err(|error| error.to_string())?;
        Ok(())
    }

    /// Whether nobody has committed anything since the last note.
    pub(super) fn is_as_noted(&self) -> Result<bool, String> {
        self.witness.version().map(|version| version == self.version).map_err(|error| error.to_string())
    }

    /// Compares the rows themselves with the last note: a commit that changes none of them is no change.
    pub(super) fn compare_all(&self) -> Result<(), String> {
        let contents = self.witness.contents().map_err(|error| error.to_string())?;
        match differences(&self.contents, &contents).as_slice() {
            [] => Ok(()),
            tables => Err(format!("there are changes in {}", tables.join(", "))),
        }
    }

    /// Checks that the memory of the server has stayed within its bounds, and says what it was and is.
    pub(super) fn check_memory(&self) -> Result<String, String> {
        let (before, after) = (self.memory, resident(&self.server)?);
        let course = format!("{} -> {} KiB", before >> 10, after >> 10);
        if after > before + before / 5 + MEMORY { Err(format!("memory: {course}")) } else { Ok(course) }
    }

    /// What the server said last.
    pub(super) fn end_of_log(&self) -> String {
        let log = self.server.log();
        log[log.len().saturating_sub(5)..].join("\n")
    }
}

/// Where the server keeps its data, which its log says.
fn directory(server: &Server) -> Result<PathBuf, String> {
    let line = server.wait_for_log(|line| line.contains("\"directory\"")).ok_or("a server that ended")?;
    let entry: Value = serde_json::from_str(&line).map_err(|error| error.to_string())?;
    entry["directory"].as_str().map(PathBuf::from).ok_or_else(|| format!("no directory in {line}"))
}

/// The memory of the server that is in RAM, in bytes.
fn resident(server: &Server) -> Result<u64, String> {
    let file = format!("/proc/{}/status", server.process_id());
    let status = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    let kibibytes = status.lines().find_map(|line| {
        let amount = line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?;
        amount.parse::<u64>().ok()
    });
    kibibytes.map(|kibibytes| kibibytes << 10).ok_or_else(|| format!("{file} has no VmRSS"))
}
