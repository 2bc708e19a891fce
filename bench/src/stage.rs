//! A loaded server and the twin of its database: where rows are measured.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::api::{Api, KEY, SECRET};
use crate::call;
use crate::child::Child;
use crate::failure::Failure;
use crate::home::Home;
use crate::load::{self, Until};
use crate::people::mix;
use crate::postgres;
use crate::raw::{self, Stored, Twin};
use crate::rounds::Outcome;

/// Users stored between two lines about it.
const LOADED_AT_ONCE: u64 = 50_000;

/// How long the server may take to empty its write-ahead log once nobody writes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Requests made for a measurement that reads; they are repeated when it sends more.
const QUERIES: u64 = 20_000;

/// A server, stopped and started again as needed, and what it keeps.
#[derive(Debug)]
pub(crate) struct Stage {
    server: Option<Child>,
    command: ServerCommand,
    api: Api,
    twin: Twin,
    app: i64,
    /// How many users were stored at first. Those with lower numbers are there.
    loaded: u64,
    /// The number of the next user.
    next: u64,
}

/// How a server on one directory is started.
#[derive(Clone, Debug)]
pub(crate) struct ServerCommand {
    /// The program.
    pub(crate) binary: PathBuf,
    /// What it is called in this run.
    pub(crate) name: String,
    /// Its data directory.
    pub(crate) directory: PathBuf,
    /// The database on PostgreSQL that keeps everything instead.
    pub(crate) database_url: Option<String>,
}

impl ServerCommand {
    /// Starts the server and waits until it is ready.
    pub(crate) fn start(&self, home: &Home) -> Result<Child, Failure> {
        let mut command = Command::new(&self.binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--app"]);
        command.arg(format!("{KEY}:{SECRET}"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HEADWATER_") {
                command.env_remove(name);
            }
        }
        match &self.database_url {
            // Not as an argument: it may hold a password.
            Some(url) => command
                .env("HEADWATER_DATABASE_URL", url)
                .arg(format!("--database-connections={}", postgres::CONNECTIONS)),
            None => command.arg("--data-dir").arg(&self.directory),
        };
        Child::start(home, &self.name, &mut command, "/readyz")
    }

    /// The database file.
    fn database(&self) -> PathBuf {
        self.directory.join("headwater.db")
    }
}

impl Stage {
    /// Starts a server on an empty directory, stores `users` users through its API, and copies its database.
    pub(crate) fn load(home: &Home, binary: &Path, name: &str, users: u64) -> Result<Self, Failure> {
        let command = ServerCommand {
            binary: binary.to_owned(),
            name: name.to_owned(),
            directory: home.path(name),
            database_url: None,
        };
        let server = command.start(home)?;
        let api = Api::new();
        let begin = Instant::now();
        fill(server.address(), &api, users)?;
        server.stop()?;
        let twin = Twin::copy(&command.database(), home.path(&format!("{name}-twin.db")))?;
        let app = raw::app_key(twin.file())?;
        let server = command.start(home)?;
        eprintln!(
            "loaded in {:.0} s; the server has process id {}",
            begin.elapsed().as_secs_f64(),
            server.id()
        );
        Ok(Self { server: Some(server), command, api, twin, app, loaded: users, next: users })
    }

    /// Stops the server and starts it again.
    pub(crate) fn restart(&mut self, home: &Home) -> Result<&Child, Failure> {
        if let Some(server) = self.server.take() {
            server.stop()?;
        }
        Ok(self.server.insert(self.command.start(home)?))
    }

    /// The twin of the database.
    pub(crate) fn twin(&self) -> &Twin {
        &self.twin
    }

    /// The key of the app in both databases.
    pub(crate) fn app(&self) -> i64 {
        self.app
    }

    /// Stores `users` new users, `at_once` a call, and waits until the server has come to rest. What is done are
    /// users, and the latencies are those of calls.
    pub(crate) fn upsert(
        &mut self,
        users: u64,
        at_once: u64,
        connections: usize,
    ) -> Result<Outcome, Failure> {
        let outcome = self.write(users, at_once, connections)?;
        self.rest()?;
        Ok(outcome)
    }

    /// As [`Stage::upsert`], without the wait.
    pub(crate) fn write(&mut self, users: u64, at_once: u64, connections: usize) -> Result<Outcome, Failure> {
        let (first, last) = (self.next, self.next + users);
        let steps = (first..last).step_by(usize::try_from(at_once)?);
        let requests: Vec<Vec<u8>> =
            steps.map(|number| self.api.upsert(number..last.min(number + at_once))).collect();
        self.next = last;
        let outcome = load::run(self.address()?, connections, &requests, Until::AllSent)?;
        Ok(Outcome { done: usize::try_from(users)?, ..outcome })
    }

    /// The number of the next user that [`Stage::upsert`] stores.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Copies the database as it is now, with the server stopped meanwhile.
    pub(crate) fn copies<const N: usize>(
        &mut self,
        home: &Home,
        names: [&str; N],
    ) -> Result<[PathBuf; N], Failure> {
        if let Some(server) = self.server.take() {
            server.stop()?;
        }
        let copies = names.map(|name| home.path(name));
        for copy in &copies {
            raw::copy(&self.command.database(), copy)?;
        }
        self.restart(home)?;
        Ok(copies)
    }

    /// Brings the twin up to date with a raw loop.
    pub(crate) fn upsert_raw(&mut self, transaction: usize) -> Result<Outcome, Failure> {
        self.twin.write(&self.missing()?, transaction)
    }

    /// What the server wrote since the twin was up to date.
    pub(crate) fn missing(&self) -> Result<Stored, Failure> {
        self.twin.missing(&self.command.database())
    }

    /// Sees that the raw loop left nothing out.
    pub(crate) fn check_twin(&self) -> Result<(), Failure> {
        self.twin.check_complete(&self.command.database())
    }

    /// Requests that find users by what `payload` makes of the numbers of random users; the first one is tried, and
    /// has to answer `expected` users.
    pub(crate) fn queries(
        &self,
        expected: std::ops::RangeInclusive<usize>,
        payload: impl Fn(u64) -> Value,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        self.queries_as(std::slice::from_ref(&self.api), expected, payload)
    }

    /// As [`Stage::queries`], with these tokens in turn.
    pub(crate) fn queries_as(
        &self,
        tokens: &[Api],
        expected: std::ops::RangeInclusive<usize>,
        payload: impl Fn(u64) -> Value,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let asked = self.some_users().zip(tokens.iter().cycle());
        let requests: Vec<Vec<u8>> = asked.map(|(number, api)| api.query(&payload(number))).collect();
        let first = requests.first().ok_or("no requests")?;
        let answer = call::send(self.address()?, first)?.answer()?;
        let found = answer["users"].as_array().map_or(0, Vec::len);
        if expected.contains(&found) {
            return Ok(requests);
        }
        Err(format!("a query answers {found} users instead of {expected:?}").into())
    }

    /// Sends requests that read for `period`.
    pub(crate) fn read(
        &self,
        requests: &[Vec<u8>],
        connections: usize,
        period: Duration,
    ) -> Result<Outcome, Failure> {
        load::run(self.address()?, connections, requests, Until::Elapsed(period))
    }

    /// Numbers of users that were stored at first, at random, the same in every run.
    pub(crate) fn some_users(&self) -> impl Iterator<Item = u64> {
        some_of(self.loaded)
    }

    /// Signs requests of the app's back end.
    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// Where the server listens.
    pub(crate) fn address(&self) -> Result<SocketAddr, Failure> {
        let server = self.server.as_ref().ok_or("the server did not start again")?;
        Ok(server.address())
    }

    /// Waits until the server has emptied its write-ahead log, which it does when idle: it would otherwise do so while
    /// something else is measured.
    fn rest(&self) -> Result<(), Failure> {
        let log = self.command.directory.join("headwater.db-wal");
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if fs::metadata(&log).is_ok_and(|log| log.len() == 0) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err("the server does not empty its write-ahead log when idle".into())
    }
}

/// Stores `users` users through the API of a server.
pub(crate) fn fill(server: SocketAddr, api: &Api, users: u64) -> Result<(), Failure> {
    for first in (0..users).step_by(usize::try_from(LOADED_AT_ONCE)?) {
        let last = users.min(first + LOADED_AT_ONCE);
        let requests: Vec<Vec<u8>> =
            (first..last).step_by(100).map(|number| api.upsert(number..last.min(number + 100))).collect();
        let outcome = load::run(server, 8, &requests, Until::AllSent)?;
        eprintln!("stored {last} of {users} users, {:.0}/s", outcome.rate() * 100.0);
    }
    Ok(())
}

/// Random numbers of `loaded` users, the same in every run.
pub(crate) fn some_of(loaded: u64) -> impl Iterator<Item = u64> {
    (0..QUERIES).map(move |draw| mix(draw) % loaded)
}
