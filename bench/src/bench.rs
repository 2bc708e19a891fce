//! What all rows share: how much is measured, and what was started and loaded so far. A server is loaded when the
//! first row needs it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::child::Child;
use crate::failure::Failure;
use crate::home::Home;
use crate::postgres::{Postgres, PostgresStage};
use crate::stage::{ServerCommand, Stage};

/// The size that growth is measured from.
pub(crate) const FEW: u64 = 10_000;

/// From this many users on, there are more and longer rounds: fewer make a quick look.
const MANY: u64 = 100_000;

/// One run of the bench.
#[derive(Debug)]
pub(crate) struct Bench {
    binary: PathBuf,
    users: u64,
    rounds: u32,
    // Before the home: they run in it.
    large: Option<Stage>,
    small: Option<Stage>,
    hello: Option<Child>,
    postgres: Option<Postgres>,
    on_postgres: Option<PostgresStage>,
    home: Home,
}

impl Bench {
    /// A run of `binary` with `users` users, its data in a directory of its own in `place`.
    pub(crate) fn new(
        binary: PathBuf,
        users: u64,
        rounds: Option<u32>,
        place: Option<&Path>,
        postgres: Option<Postgres>,
    ) -> Result<Self, Failure> {
        let rounds = rounds.unwrap_or(if users < MANY { 3 } else { 5 });
        let home = Home::new(place)?;
        let (large, small, hello, on_postgres) = (None, None, None, None);
        Ok(Self { binary, users, rounds, large, small, hello, postgres, on_postgres, home })
    }

    /// How many users are stored.
    pub(crate) fn users(&self) -> u64 {
        self.users
    }

    /// How often everything is measured.
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds
    }

    /// How long a round of reading takes.
    pub(crate) fn period(&self) -> Duration {
        if self.users < MANY { Duration::from_millis(700) } else { Duration::from_secs(2) }
    }

    /// How many users a round of writing stores: enough for several checkpoints, few against what is there.
    pub(crate) fn users_a_round(&self) -> u64 {
        (self.users / 20).clamp(2000, 30_000)
    }

    /// Where everything is kept.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// The server with all users.
    pub(crate) fn large(&mut self) -> Result<&mut Stage, Failure> {
        loaded(&mut self.large, &self.home, &self.binary, "large-server", self.users)
    }

    /// The server with [`FEW`] users, and the one with all.
    pub(crate) fn small_and_large(&mut self) -> Result<(&mut Stage, &mut Stage), Failure> {
        let small = loaded(&mut self.small, &self.home, &self.binary, "small-server", FEW)?;
        let large = loaded(&mut self.large, &self.home, &self.binary, "large-server", self.users)?;
        Ok((small, large))
    }

    /// The server with all users, and the home to start it again in.
    pub(crate) fn large_at_home(&mut self) -> Result<(&mut Stage, &Home), Failure> {
        Ok((loaded(&mut self.large, &self.home, &self.binary, "large-server", self.users)?, &self.home))
    }

    /// The bare server.
    pub(crate) fn hello(&mut self) -> Result<&Child, Failure> {
        match &mut self.hello {
            Some(hello) => Ok(hello),
            empty => Ok(empty.insert(start_hello(&self.home)?)),
        }
    }

    /// Whether PostgreSQL is measured as well.
    pub(crate) fn has_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    /// The server on PostgreSQL with all users. Those on SQLite are gone then, so that they take nothing from it.
    pub(crate) fn on_postgres(&mut self) -> Result<&mut PostgresStage, Failure> {
        (self.large, self.small, self.hello) = (None, None, None);
        match &mut self.on_postgres {
            Some(stage) => Ok(stage),
            empty => {
                // Taken, so that what cannot be loaded is not tried for each row: the database is not empty any more.
                let postgres = self.postgres.take().ok_or("the server on PostgreSQL could not be loaded")?;
                Ok(empty.insert(PostgresStage::load(&self.home, &self.binary, &postgres, self.users)?))
            }
        }
    }

    /// How a server on an empty directory is started.
    pub(crate) fn empty_server(&self, name: String) -> ServerCommand {
        ServerCommand {
            binary: self.binary.clone(),
            directory: self.home.path(&name),
            name,
            database_url: None,
        }
    }
}

/// Starts the bare server.
pub(crate) fn start_hello(home: &Home) -> Result<Child, Failure> {
    Child::start(home, "hello", Command::new(std::env::current_exe()?).arg("hello"), "/")
}

fn loaded<'s>(
    stage: &'s mut Option<Stage>,
    home: &Home,
    binary: &Path,
    name: &str,
    users: u64,
) -> Result<&'s mut Stage, Failure> {
    match stage {
        Some(stage) => Ok(stage),
        empty => Ok(empty.insert(Stage::load(home, binary, name, users)?)),
    }
}
