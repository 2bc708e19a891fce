//! PostgreSQL as the bench uses it: through its own programs, `psql` for what has to be known and `pgbench` for the
//! baseline.

mod pgbench;
mod scripts;
mod stage;

use std::path::{Path, PathBuf};
use std::process::Command;

use percent_encoding::percent_decode_str;

pub(crate) use self::pgbench::CONNECTIONS;
pub(crate) use self::stage::PostgresStage;
use crate::failure::{Failure, because};

/// Where distributions keep the programs of PostgreSQL, a directory for each version.
const PLACE: &str = "/usr/lib/postgresql";

/// A database and how to reach it.
#[derive(Clone, Debug)]
pub(crate) struct Postgres {
    /// The URL as it was given.
    url: String,
    address: Address,
    programs: Option<PathBuf>,
}

impl Postgres {
    /// The database at `url`.
    ///
    /// # Errors
    /// When something is missing that the measurement needs: better known before all the work than after it.
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        let address = Address::read(url).ok_or(
            "--database-url is none of PostgreSQL\nhint: postgres://user:password@localhost:5432/database",
        )?;
        let this = Self { url: url.to_owned(), address, programs: newest(Path::new(PLACE)) };
        for program in ["psql", "pgbench"] {
            let found = this.program(program).arg("--version").output();
            found.map_err(|cause| {
                let hint = "hint: install the programs of PostgreSQL (Debian: postgresql, others: postgresql-contrib), \
                            or put their directory into PATH";
                format!("cannot run {program}: {cause}\n{hint}")
            })?;
        }
        let tables =
            "SELECT COUNT(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
        if this.ask(&this.address.database, tables)? != "0" {
            let hint = "hint: give an empty one, such as one that `createdb` has just made";
            return Err(format!("the database {} is not empty\n{hint}", this.address.database).into());
        }
        let may = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = CURRENT_USER";
        if this.ask(&this.address.database, may)? != "t" {
            let hint = "hint: ALTER ROLE name CREATEDB; pgbench works on a copy of the server's database";
            return Err(format!("the user of --database-url may not create a database\n{hint}").into());
        }
        Ok(this)
    }

    /// What a statement answers in `database`: a line for each row.
    fn ask(&self, database: &str, statement: &str) -> Result<String, Failure> {
        let arguments = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"];
        let mut command = self.program("psql");
        command
            .args(arguments)
            .arg("--command")
            .arg(statement)
            .arg("--dbname")
            .arg(self.address.of(database));
        said(command)
    }

    /// A program of PostgreSQL, with the password.
    fn program(&self, name: &str) -> Command {
        let file = self.programs.as_ref().map(|place| place.join(name)).filter(|file| file.is_file());
        let mut command = Command::new(file.unwrap_or_else(|| name.into()));
        command.env("PGCONNECT_TIMEOUT", "10").stdin(std::process::Stdio::null());
        if let Some(password) = &self.address.password {
            command.env("PGPASSWORD", password);
        }
        command
    }
}

/// What a program writes to its output. When it fails, what it writes to its log is the failure.
fn said(mut command: Command) -> Result<String, Failure> {
    let output = command.output().map_err(because(format_args!("cannot run {:?}", command.get_program())))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let log = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    Err(format!("{:?} failed: {}", command.get_program(), last[last.len().saturating_sub(3)..].join("; "))
        .into())
}

/// The directory of the newest version.
fn newest(place: &Path) -> Option<PathBuf> {
    let versions = place.read_dir().ok()?.flatten();
    let numbered =
        versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
    numbered.max().map(|(_, directory)| directory.join("bin"))
}

/// A URL, taken apart so that another database can be put in, and no list of processes shows the password.
#[derive(Clone, PartialEq, Eq)]
struct Address {
    /// Scheme, user and servers.
    before: String,
    database: String,
    /// Settings, with their question mark.
    after: String,
    password: Option<String>,
}

impl Address {
    fn read(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        if !matches!(scheme, "postgres" | "postgresql") {
            return None;
        }
        let (rest, settings) =
            rest.split_once('?').map_or((rest, None), |(rest, settings)| (rest, Some(settings)));
        let (server, database) = rest.split_once('/')?;
        if database.is_empty() {
            return None;
        }
        let (user, server) =
            server.rsplit_once('@').map_or((None, server), |(user, server)| (Some(user), server));
        let (user, password) = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            Some((user, "")) => (format!("{user}@"), None),
            Some((user, password)) => (format!("{user}@"), Some(decoded(password))),
            None => (String::new(), None),
        };
        Some(Self {
            before: format!("{scheme}://{user}{server}/"),
            database: decoded(database),
            after: settings.map(|settings| format!("?{settings}")).unwrap_or_default(),
            password,
        })
    }

    /// The URL of another database on the same server, without the password.
    fn of(&self, database: &str) -> String {
        let name = percent_encoding::utf8_percent_encode(database, percent_encoding::NON_ALPHANUMERIC);
        format!("{}{name}{}", self.before, self.after)
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.of(&self.database))
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_is_put_into_a_url_without_its_password() {
        for (url, expected, password) in [
            (
                "postgres://u:p%40w@h:1/a?sslmode=require",
                "postgres://u@h:1/b%5F1?sslmode=require",
                Some("p@w"),
            ),
            ("postgresql://u@%2Ftmp%2Fs/a", "postgresql://u@%2Ftmp%2Fs/b%5F1", None),
            ("postgres://h/a", "postgres://h/b%5F1", None),
        ] {
            let address = Address::read(url).unwrap();
            assert_eq!((address.database.as_str(), address.password.as_deref()), ("a", password), "{url}");
            assert_eq!(address.of("b_1"), expected);
        }
        for url in ["", "mysql://h/a", "postgres://h", "postgres://h/", "postgres:///"] {
            assert_eq!(Address::read(url), None, "{url}");
        }
    }
}
