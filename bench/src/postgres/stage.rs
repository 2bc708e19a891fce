//! A loaded server on PostgreSQL, and the copy of its database that pgbench works on.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::pgbench::{self, Amount, CONNECTIONS};
use super::{Postgres, scripts};
use crate::api::{Api, KEY};
use crate::call;
use crate::child::Child;
use crate::failure::Failure;
use crate::home::Home;
use crate::load::{self, Until};
use crate::people::Person;
use crate::rounds::Outcome;
use crate::stage::{ServerCommand, fill, some_of};

/// The tables that an upsert writes to.
const TABLES: [&str; 5] = ["users", "user_words", "user_leaves", "log", "log_person"];

/// How far the rows of a user may differ between the server and pgbench: names have one word more or less.
const LEEWAY: f64 = 0.03;

/// A server on PostgreSQL. The copy goes when this goes.
#[derive(Debug)]
pub(crate) struct PostgresStage {
    // Before the copy: it is the one that is connected.
    server: Child,
    copy: Copy,
    /// Where the scripts are.
    scripts: PathBuf,
    api: Api,
    app: String,
    /// The rows of each table when the copy was made.
    rows: Vec<f64>,
    loaded: u64,
    /// The number of the next user.
    next: u64,
}

/// A database beside the server's.
#[derive(Clone, Debug)]
struct Copy {
    postgres: Postgres,
    name: String,
}

impl PostgresStage {
    /// Starts a server on the empty database, stores `users` users through its API, and copies the database.
    pub(crate) fn load(home: &Home, binary: &Path, postgres: &Postgres, users: u64) -> Result<Self, Failure> {
        let command = ServerCommand {
            binary: binary.to_owned(),
            name: "postgres-server".to_owned(),
            directory: home.path("postgres-server"),
            database_url: Some(postgres.url.clone()),
        };
        let api = Api::new();
        let server = command.start(home)?;
        fill(server.address(), &api, users)?;
        server.stop()?;
        let database = &postgres.address.database;
        // Otherwise it comes by itself, in the middle of a round and for one of the two only.
        postgres.ask(database, "VACUUM ANALYZE")?;
        let app = postgres.ask(database, &format!("SELECT key FROM apps WHERE api_key = '{KEY}'"))?;
        let rows = count(postgres, database)?;
        let copy = Copy::make(home, postgres)?;
        let server = command.start(home)?;
        eprintln!("loaded on PostgreSQL; the server has process id {}", server.id());
        let scripts = home.path("pgbench");
        std::fs::create_dir(&scripts)?;
        Ok(Self { server, copy, scripts, api, app, rows, loaded: users, next: users })
    }

    /// Stores `users` new users through the server, `at_once` a call.
    pub(crate) fn upsert(
        &mut self,
        users: u64,
        at_once: u64,
        connections: usize,
    ) -> Result<Outcome, Failure> {
        let (first, last) = (self.next, self.next + users);
        let steps = (first..last).step_by(usize::try_from(at_once)?);
        let requests: Vec<Vec<u8>> =
            steps.map(|number| self.api.upsert(number..last.min(number + at_once))).collect();
        self.next = last;
        let outcome = load::run(self.address(), connections, &requests, Until::AllSent)?;
        Ok(Outcome { done: usize::try_from(users)?, ..outcome })
    }

    /// Scripts for [`PostgresStage::upsert_by_pgbench`].
    pub(crate) fn upsert_scripts(&self, at_once: u64) -> Result<Vec<PathBuf>, Failure> {
        scripts::upserts(&self.copy.postgres, &self.scripts, &self.copy.name, at_once, self.loaded)
    }

    /// Stores about `users` new users in the copy, `at_once` a transaction.
    pub(crate) fn upsert_by_pgbench(
        &self,
        scripts: &[PathBuf],
        users: u64,
        at_once: u64,
    ) -> Result<Outcome, Failure> {
        let transactions = Amount::Scripts((users / at_once / CONNECTIONS).max(1));
        pgbench::run(&self.copy.postgres, &self.copy.name, scripts, transactions, at_once)
    }

    /// Requests for random users; the first is tried.
    pub(crate) fn queries(&self) -> Result<Vec<Vec<u8>>, Failure> {
        let payload = |number| json!({"filter_conditions": {"id": Person(number).id()}});
        let requests: Vec<Vec<u8>> =
            some_of(self.loaded).map(|number| self.api.query(&payload(number))).collect();
        let first = requests.first().ok_or("no requests")?;
        let answer = call::send(self.address(), first)?.answer()?;
        match answer["users"].as_array().map_or(0, Vec::len) {
            1 => Ok(requests),
            found => Err(format!("a query answers {found} users instead of 1").into()),
        }
    }

    /// Sends requests that read for `period`.
    pub(crate) fn read(
        &self,
        requests: &[Vec<u8>],
        connections: usize,
        period: Duration,
    ) -> Result<Outcome, Failure> {
        load::run(self.address(), connections, requests, Until::Elapsed(period))
    }

    /// Scripts for [`PostgresStage::read_by_pgbench`], for the users of [`PostgresStage::queries`].
    pub(crate) fn query_scripts(&self) -> Result<Vec<PathBuf>, Failure> {
        let numbers: Vec<u64> = some_of(self.loaded).collect();
        scripts::queries(&self.scripts, &self.app, &numbers)
    }

    /// Asks the copy for users for `period`.
    pub(crate) fn read_by_pgbench(&self, scripts: &[PathBuf], period: Duration) -> Result<Outcome, Failure> {
        let each = u64::try_from(scripts::QUERIES)?;
        pgbench::run(&self.copy.postgres, &self.copy.name, scripts, Amount::Time(period), each)
    }

    /// Sees that a user of pgbench has as many rows in each table as one of the server.
    pub(crate) fn check_copy(&self) -> Result<(), Failure> {
        let postgres = &self.copy.postgres;
        let a_user = |database: &str| -> Result<Vec<f64>, Failure> {
            let now = count(postgres, database)?;
            let came: Vec<f64> = now.iter().zip(&self.rows).map(|(now, before)| now - before).collect();
            Ok(came.iter().map(|rows| rows / came[0]).collect())
        };
        let (ours, theirs) = (a_user(&postgres.address.database)?, a_user(&self.copy.name)?);
        eprintln!("rows of a new user in {TABLES:?}: {ours:.2?}, by pgbench {theirs:.2?}");
        match ours.iter().zip(&theirs).position(|(ours, theirs)| (ours - theirs).abs() > LEEWAY * ours) {
            None => Ok(()),
            Some(place) => {
                Err(format!("pgbench writes other rows to {} than the server", TABLES[place]).into())
            }
        }
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

/// How many rows each of [`TABLES`] has.
fn count(postgres: &Postgres, database: &str) -> Result<Vec<f64>, Failure> {
    let each =
        |table: &&str| Ok(postgres.ask(database, &format!("SELECT COUNT(*) FROM {table}"))?.parse()?);
    TABLES.iter().map(each).collect()
}

impl Copy {
    /// Copies the database, to which nobody is connected.
    fn make(home: &Home, postgres: &Postgres) -> Result<Self, Failure> {
        let database = &postgres.address.database;
        let copy = Self { postgres: postgres.clone(), name: format!("{database}_pgbench") };
        let make = format!("CREATE DATABASE {} TEMPLATE {}", quoted(&copy.name), quoted(database));
        postgres.ask(database, &make).map_err(|failure| {
            let hint = "hint: drop what an earlier run has left, and see that nobody else uses the database";
            format!("cannot make the copy {} for pgbench: {failure}\n{hint}", copy.name)
        })?;
        let dropped = copy.clone();
        home.at_interrupt(move || dropped.drop());
        Ok(copy)
    }

    fn drop(&self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(&self.name));
        if let Err(failure) = self.postgres.ask(&self.postgres.address.database, &statement) {
            eprintln!("the copy {} is left behind: {failure}", self.name);
        }
    }
}

impl Drop for PostgresStage {
    fn drop(&mut self) {
        self.copy.drop();
        eprintln!("the database {} is left to you to drop", self.copy.postgres.address.database);
    }
}

/// A name as statements have it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
