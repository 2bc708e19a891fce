//! Where a PostgreSQL database is: the URL of an operator, read once, and shown without what is secret in it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use postgres::Config;
use postgres::config::{Host, SslMode};

/// How long an attempt to connect may take with each address of the server: well within what a request waits.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a connection may be silent before it is probed, so that a server that vanished is noticed within a minute.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// How long what was sent may stay without an acknowledgement of the network.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// The URL of a database, `postgres://user:password@host:port/database?sslmode=...`.
///
/// `sslmode` means what it means to PostgreSQL's own programs: `disable`, `prefer` (when none is given) and `require`
/// do not look at who the server is; `verify-ca` and `verify-full` do, by the certificates in the file of `sslrootcert`.
/// With either of these two the name in the certificate has to be right as well.
#[derive(Clone)]
pub struct PostgresUrl {
    text: String,
    config: Box<Config>,
    verification: Option<PathBuf>,
}

impl PostgresUrl {
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// The file with the certificates by which the server has to be known, if it has to be.
    pub(super) fn verification(&self) -> Option<&PathBuf> {
        self.verification.as_ref()
    }
}

impl FromStr for PostgresUrl {
    type Err = String;

    /// Never repeats the text, which may hold a password.
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "must be a URL such as postgres://user:password@localhost:5432/headwater".to_owned();
        if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(form());
        }
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut certificates, mut kept) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value.to_owned()),
                Some(("sslrootcert", value)) => certificates = Some(PathBuf::from(value.replace("%2F", "/"))),
                _ => kept.push(pair),
            }
        }
        let mut config: Config = format!("{address}?{}", kept.join("&")).parse().map_err(|_| form())?;
        if config.get_hosts().is_empty() {
            return Err(form());
        }
        let verification = match mode.as_deref() {
            Some("disable") => {
                config.ssl_mode(SslMode::Disable);
                None
            }
            None | Some("prefer") => None,
            Some("require") => {
                config.ssl_mode(SslMode::Require);
                None
            }
            Some("verify-ca" | "verify-full") => {
                config.ssl_mode(SslMode::Require);
                let missing = "needs sslrootcert=FILE, the certificates by which the server is known";
                Some(certificates.ok_or_else(|| format!("sslmode=verify-full {missing}"))?)
            }
            Some(_) => {
                return Err("sslmode must be disable, prefer, require, verify-ca or verify-full".to_owned());
            }
        };
        // There is no TLS over a socket of the same machine, and no name to ask for.
        if config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_))) {
            config.ssl_mode(SslMode::Disable);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        config.keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE).tcp_user_timeout(UNACKNOWLEDGED);
        if config.get_application_name().is_none() {
            config.application_name("headwater");
        }
        Ok(Self { text: text.to_owned(), config: Box::new(config), verification })
    }
}

/// Equal is what is written alike.
impl PartialEq for PostgresUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PostgresUrl {}

/// Server and database, without user and password.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        for (place, host) in self.config.get_hosts().iter().enumerate() {
            let port = ports.get(place).or(ports.first()).unwrap_or(&5432);
            formatter.write_str(if place > 0 { "," } else { "" })?;
            match host {
                Host::Tcp(name) => write!(formatter, "{name}:{port}")?,
                Host::Unix(path) => write!(formatter, "{}:{port}", path.display())?,
            }
        }
        let database = self.config.get_dbname().or(self.config.get_user()).unwrap_or("postgres");
        write!(formatter, "/{database}")
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        for (text, expected) in [
            ("postgres://u:secret@db.example:6543/app", "db.example:6543/app"),
            ("postgresql://u@localhost/app?sslmode=require", "localhost:5432/app"),
            ("postgres://u@%2Ftmp%2Fsocket/app", "/tmp/socket:5432/app"),
            ("postgres://u@a:1,b:2/app", "a:1,b:2/app"),
            ("postgres://u@localhost", "localhost:5432/u"),
        ] {
            let url: PostgresUrl = text.parse().unwrap();
            assert_eq!(format!("{url} {url:?}"), format!("{expected} {expected}"), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_repeated() {
        for text in [
            "",
            "secret",
            "mysql://u:secret@h/d",
            "postgres://",
            "postgres://u:secret@h:port/d",
            "postgres://u:secret@h/d?sslmode=secret",
            "postgres://u:secret@h/d?sslmode=verify-full",
            "postgres://u:secret@h/d?unknown=secret",
        ] {
            let refusal = text.parse::<PostgresUrl>().unwrap_err();
            assert!(!refusal.is_empty() && !refusal.contains("secret"), "{text}: {refusal}");
        }
    }

    #[test]
    fn certificates_are_wanted_only_where_the_server_has_to_be_known() {
        let of = |query: &str| {
            let url: PostgresUrl = format!("postgres://u@h/d?{query}").parse().unwrap();
            (url.config.get_ssl_mode(), url.verification.is_some())
        };
        assert_eq!(of("sslmode=disable"), (SslMode::Disable, false));
        assert_eq!(of(""), (SslMode::Prefer, false));
        assert_eq!(of("sslmode=require&sslrootcert=/ca.pem"), (SslMode::Require, false));
        assert_eq!(of("sslmode=verify-full&sslrootcert=/ca.pem"), (SslMode::Require, true));
    }
}
