//! The server behind the threads: how to connect to it, and whether what is there is ours and fit to be used.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use postgres::config::SslMode;
use postgres::error::SqlState;
use postgres::{Client, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::PostgresUrl;
use super::link::shown;
use super::session::Session;
use super::tls;
use crate::OpenError;

/// The oldest version that has everything that is used here.
const OLDEST: i32 = 150_000;

/// How long all links wait after the server did not let one of them in before one asks again, and the most after many
/// refusals. What comes meanwhile is refused at once: nobody waits, and a server that starts is not run over.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How to connect to a database.
pub(super) struct Server {
    url: PostgresUrl,
    tls: MakeRustlsConnect,
    pause: Mutex<Option<Pause>>,
}

/// The server did not let anybody in the last time.
#[derive(Clone, Copy, Debug)]
struct Pause {
    until: Duration,
    length: Duration,
}

impl Server {
    pub(super) fn new(url: PostgresUrl) -> Result<Self, OpenError> {
        let tls = tls::connector(&url)?;
        Ok(Self { url, tls, pause: Mutex::default() })
    }

    /// Where it is.
    pub(super) fn url(&self) -> &PostgresUrl {
        &self.url
    }

    /// Whether it is too early to ask again, at the time `now` of the clock. If not, the others wait for whoever asked this.
    pub(super) fn is_pausing(&self, now: Duration) -> bool {
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *pause {
            Some(pause) if now < pause.until => true,
            Some(pause) => {
                pause.until = now + pause.length;
                false
            }
            None => false,
        }
    }

    /// Notes whether the server let somebody in. Once it does, nobody waits any more.
    pub(super) fn note(&self, is_there: bool, now: Duration) {
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        *pause = if is_there {
            None
        } else {
            let length = pause.map_or(FIRST_PAUSE, |pause| (pause.length * 2).min(LONGEST_PAUSE));
            Some(Pause { until: now + length, length })
        };
    }

    /// A new session that was told `settings`.
    pub(super) fn connect(&self, settings: &str) -> Result<Session, Error> {
        let mut session = Session::new(self.client()?);
        session.run(settings)?;
        Ok(session)
    }

    /// A connection as it comes.
    pub(super) fn client(&self) -> Result<Client, Error> {
        let config = self.url.config();
        // What makes a TLS connection wants to know the name of the server even where there is none.
        match config.get_ssl_mode() {
            SslMode::Disable => config.connect(NoTls),
            _ => config.connect(self.tls.clone()),
        }
    }

    /// A first connection, in the words of an operator when there is none.
    pub(super) fn first(&self) -> Result<Client, OpenError> {
        let mut client = self.client().map_err(|source| self.cannot_connect(source))?;
        self.check(&mut client)?;
        self.warn_of_loss(&mut client)?;
        Ok(client)
    }

    /// A failure while the database is made ready.
    pub(super) fn failed(&self, source: Error) -> OpenError {
        let place = self.url.to_string();
        match source.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE | &SqlState::READ_ONLY_SQL_TRANSACTION) => {
                OpenError::ReadOnly(place)
            }
            _ => OpenError::Server { place, source },
        }
    }

    fn cannot_connect(&self, source: Error) -> OpenError {
        let place = self.url.to_string();
        match source.code() {
            Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                OpenError::Refused { place, source }
            }
            Some(&SqlState::INVALID_CATALOG_NAME) => OpenError::NoDatabase(place),
            Some(_) => OpenError::Server { place, source },
            // That a password is needed, and none was given, is found by the client.
            None if shown(&source).contains("password") => OpenError::Refused { place, source },
            None if source.to_string().contains("TLS") => OpenError::Untrusted { place, source },
            None => OpenError::Unreachable { place, source },
        }
    }

    /// Checks what cannot be changed from here.
    fn check(&self, client: &mut Client) -> Result<(), OpenError> {
        let query = "SELECT CURRENT_SETTING('server_version_num')::int, CURRENT_SETTING('server_version'), \
                     CURRENT_SETTING('server_encoding')";
        let row = client.query_one(query, &[]).map_err(|source| self.failed(source))?;
        if row.get::<_, &str>(2) != "UTF8" {
            return Err(OpenError::Encoding { place: self.url.to_string(), found: row.get(2) });
        }
        if row.get::<_, i32>(0) < OLDEST {
            return Err(OpenError::TooOld { place: self.url.to_string(), found: row.get(1) });
        }
        Ok(())
    }

    /// Says which settings of the server let it lose what it has confirmed.
    fn warn_of_loss(&self, client: &mut Client) -> Result<(), OpenError> {
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let query = "SELECT CURRENT_SETTING($1)";
            let row = client.query_one(query, &[&setting]).map_err(|source| self.failed(source))?;
            if row.get::<_, String>(0) == "off" {
                tracing::warn!(
                    setting,
                    "the PostgreSQL server has {setting} = off: a power cut takes what was answered; hint: switch it on"
                );
            }
        }
        Ok(())
    }
}
