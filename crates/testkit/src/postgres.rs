//! PostgreSQL for tests: one cluster for all tests of a process, made from the installed binaries, and a database for each.
//!
//! Nothing outlives the tests: a shell that waits at a pipe takes the cluster down when the process that has the other end
//! is gone, however it went.
#![expect(clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use postgres::{Config, NoTls};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use storage::PostgresUrl;

use crate::require;

/// Makes a cluster in a directory of its own, says where, and removes it at the end of its input.
///
/// Text is sorted by the rules of a language unless a column says otherwise: so a column that forgets to is noticed.
/// Who is called `guarded` needs a password, and nobody else. Nothing waits for the disk; that a process is killed takes nothing that was written.
const RUN: &str = r#"
trap '' INT TERM HUP
directory=$(mktemp -d) || exit 1
"$1/initdb" --pgdata="$directory/data" --no-sync --auth=trust --username=headwater --encoding=UTF8 \
    --locale-provider=icu --icu-locale=en-US --locale=C >"$directory/log" 2>&1 &&
cat >>"$directory/data/postgresql.conf" <<EOF &&
listen_addresses = ''
unix_socket_directories = '$directory'
fsync = off
full_page_writes = off
max_connections = 400
shared_buffers = 64MB
EOF
printf 'local all guarded scram-sha-256\nlocal all all trust\n' >"$directory/data/pg_hba.conf" &&
"$1/pg_ctl" --pgdata="$directory/data" --log="$directory/log" --wait start >/dev/null 2>&1 &&
echo "$directory" || { tail -n 5 "$directory/log" >&2; echo failed; }
read -r _
# A test may have been killed while it started the server again.
for _ in 1 2 3 4 5 6 7 8 9 10; do
  "$1/pg_ctl" --pgdata="$directory/data" --mode=immediate stop >/dev/null 2>&1
  rm -rf "$directory"
  sleep 0.1
  [ -e "$directory" ] || break
done
"#;

/// Makes an issuer and a certificate of `localhost`, and has the server use it. The issuer's may be read by everybody.
const CERTIFY: &str = r#"
cd "$1" && chmod 711 .. &&
openssl req -x509 -newkey rsa:2048 -nodes -keyout issuer.key -out ../issuer.pem -days 2 -subj /CN=issuer 2>openssl.log &&
openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost 2>>openssl.log &&
printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' >extensions &&
openssl x509 -req -in server.csr -CA ../issuer.pem -CAkey issuer.key -CAcreateserial -days 2 -out server.crt \
    -extfile extensions 2>>openssl.log &&
chmod 600 server.key && chmod 644 ../issuer.pem &&
printf "listen_addresses = '127.0.0.1'\nport = %s\nssl = on\n" "$2" >>postgresql.conf &&
printf 'hostssl all all 127.0.0.1/32 trust\n' >>pg_hba.conf
"#;

/// The name of the database that others are copied from.
const TEMPLATE: &str = "headwater_template";

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    binaries: PathBuf,
    directory: PathBuf,
    /// The shell that takes the cluster down when its input ends.
    keeper: Child,
    databases: AtomicU64,
}

/// The cluster of this process, once a test has asked for one. `None` when PostgreSQL is not installed; then that has been
/// said, in one line.
///
/// # Panics
/// When the cluster does not start, or when PostgreSQL is not there and `HEADWATER_REQUIRE` names it.
pub fn shared() -> Option<&'static Cluster> {
    // Tests of one process share it: making one takes longer than most of them.
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    SHARED.get_or_init(Cluster::start).as_ref()
}

impl Cluster {
    /// Starts a cluster for one test, which may do to it what it likes. See [`shared`].
    ///
    /// # Panics
    /// See [`shared`].
    #[must_use]
    pub fn start() -> Option<Self> {
        let binaries = binaries()?.clone();
        let mut command = as_somebody("sh");
        command.args(["-c", RUN, "sh"]).arg(&binaries);
        let mut keeper = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let mut said = String::new();
        let output = keeper.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut said).expect("a line");
        assert!(said.starts_with('/'), "PostgreSQL does not start: {said}");
        let directory = PathBuf::from(said.trim_end());
        let cluster = Self { binaries, directory, keeper, databases: AtomicU64::new(0) };
        cluster.administer(&[format!("CREATE DATABASE {TEMPLATE}")]);
        Some(cluster)
    }

    /// Makes an empty database.
    #[must_use]
    pub fn empty_database(&'static self) -> TestDatabase {
        self.database("template1")
    }

    /// Makes a database with the schema of this program.
    ///
    /// # Panics
    /// When the schema cannot be made.
    #[must_use]
    pub fn ready_database(&'static self) -> TestDatabase {
        static MADE: OnceLock<()> = OnceLock::new();
        MADE.get_or_init(|| {
            let clock = crate::TestClock::at(model::Timestamp::from_seconds(1_704_067_200));
            let options = storage::PostgresOptions::new(self.url(TEMPLATE), std::sync::Arc::new(clock));
            storage::Store::connect(options).expect("the schema").close();
        });
        self.database(TEMPLATE)
    }

    fn database(&'static self, template: &str) -> TestDatabase {
        let name = self.create_database(template);
        TestDatabase { cluster: self, name }
    }

    /// Makes an empty database that goes with the cluster, and answers its name.
    pub fn create_database(&self, template: &str) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.administer(&[format!("CREATE DATABASE {name} TEMPLATE {template}")]);
        name
    }

    /// The URL of a database, with its socket.
    #[must_use]
    pub fn url_text(&self, database: &str) -> String {
        let socket = self.directory.to_str().expect("a path of text").replace('/', "%2F");
        format!("postgres://headwater@{socket}/{database}")
    }

    /// The URL of a database.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn url(&self, database: &str) -> PostgresUrl {
        self.url_text(database).parse().expect("a URL")
    }

    /// Runs statements, each for itself, in the database that every cluster has.
    pub fn administer(&self, statements: &[String]) {
        self.run_in("postgres", statements);
    }

    /// Runs statements, each for itself.
    ///
    /// # Panics
    /// When one fails.
    pub fn run_in(&self, database: &str, statements: &[String]) {
        let config = self.config(database);
        let statements = statements.to_vec();
        // The client must not be used on a thread that runs something asynchronous, as that of a test may.
        let run = thread::spawn(move || {
            let mut client = config.connect(NoTls).expect("a connection");
            for statement in statements {
                client.batch_execute(&statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
            }
        });
        run.join().expect("statements that run");
    }

    /// How to connect to a database.
    #[must_use]
    pub fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host_path(&self.directory).user("headwater").dbname(database);
        config
    }

    /// Has the server listen on a port of this machine as well, and prove by a certificate that it is `localhost`. Answers the
    /// port and the file with the certificate of the issuer.
    ///
    /// # Panics
    /// When `openssl` is not there, or the server does not start with that.
    #[must_use]
    pub fn listen_by_tls(&self) -> (u16, PathBuf) {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let mut command = as_somebody("sh");
        command.args(["-c", CERTIFY, "sh"]).arg(self.directory.join("data")).arg(port.to_string());
        assert!(command.status().expect("a shell").success(), "no certificate");
        self.control(&["--mode=fast", "stop"]);
        self.start_again();
        (port, self.directory.join("issuer.pem"))
    }

    /// Stops the server, as an operator does: whoever is connected is cut off.
    pub fn stop(&self) {
        self.control(&["--mode=fast", "stop"]);
    }

    /// Kills the server, as a lack of memory does.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill9(&self) {
        let file = self.directory.join("data/postmaster.pid");
        let text = self.read(&file);
        let id = text.lines().next().and_then(|line| line.parse().ok()).and_then(Pid::from_raw);
        kill_process(id.expect("a process"), Signal::KILL).expect("a running server");
    }

    /// Starts the server again after [`Cluster::stop`] or [`Cluster::kill9`].
    ///
    /// # Panics
    /// When it does not start within a minute.
    pub fn start_again(&self) {
        let log = self.directory.join("log");
        // What is left of a server that was killed has to notice first.
        for _ in 0..300 {
            let log = format!("--log={}", log.display());
            if self.try_control(&[&log, "--wait", "start"]) {
                return;
            }
            thread::sleep(Duration::from_millis(200));
        }
        panic!("PostgreSQL does not start again: {}", self.read(&log));
    }

    fn control(&self, arguments: &[&str]) {
        assert!(self.try_control(arguments), "pg_ctl {arguments:?}");
    }

    fn try_control(&self, arguments: &[&str]) -> bool {
        let mut command = as_somebody(self.binaries.join("pg_ctl"));
        command.arg(format!("--pgdata={}", self.directory.join("data").display())).args(arguments);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().expect("pg_ctl").success()
    }

    fn read(&self, file: &Path) -> String {
        std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ended = self.keeper.wait();
    }
}

/// A database of one test, gone with it.
#[derive(Debug)]
pub struct TestDatabase {
    cluster: &'static Cluster,
    name: String,
}

impl TestDatabase {
    /// Where it is.
    #[must_use]
    pub fn url(&self) -> PostgresUrl {
        self.cluster.url(&self.name)
    }

    /// Where it is, for a command line.
    #[must_use]
    pub fn url_text(&self) -> String {
        self.cluster.url_text(&self.name)
    }

    /// Runs statements behind the back of the program.
    pub fn run(&self, statements: &[&str]) {
        let statements: Vec<String> = statements.iter().map(|&statement| statement.to_owned()).collect();
        self.cluster.run_in(&self.name, &statements);
    }

    /// How to connect to it behind the back of the program.
    #[must_use]
    pub fn config(&self) -> Config {
        self.cluster.config(&self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // It would go with the cluster as well, but hundreds of them take room meanwhile.
        self.cluster.administer(&[format!("DROP DATABASE {} WITH (FORCE)", self.name)]);
    }
}

/// A command that is not run by root, as whom PostgreSQL refuses to run.
fn as_somebody(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    // Not in a directory that only root may enter.
    command.current_dir("/").args(["-u", "postgres", "--"]).arg(program);
    command
}

/// Where the binaries are. If they are nowhere, that is said once.
fn binaries() -> Option<&'static PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let look = || {
        let found = newest();
        if found.is_none() {
            require::skip("postgres", "is not installed in version 15 or later");
        }
        found
    };
    FOUND.get_or_init(look).as_ref()
}

/// Where the binaries of the newest installed version are, if it is one that is supported.
fn newest() -> Option<PathBuf> {
    let versions = Path::new("/usr/lib/postgresql").read_dir().into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(version, binaries)| *version >= 15 && binaries.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().map(|(_, binaries)| binaries).or_else(|| {
        let initdb = require::find_program("initdb")?;
        initdb.parent().map(Path::to_owned)
    })
}
