//! Everything that can be set about a server, each thing once: a field here is a flag, a variable and a key of the
//! file. Its documentation is what `headwater serve --help` prints.
//!
//! To add one, add a field here, a line in [`Settings::over`], and what becomes of it in [`super::Config`].

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use headwater_http::Network;
use model::Secret;

use super::values::{RateLimit, address, bytes, count, duration, origin, secret, timeout};
use crate::logging::{LogFormat, LogLevel};

/// What one source sets; `None` or an empty list is what it leaves open.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub(crate) struct Settings {
    /// Address and port to serve clients on; port 0 takes any free one [default: 127.0.0.1:3030]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) listen: Option<SocketAddr>,

    /// Directory that keeps all data, made when it is not there [default: ./headwater-data]
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "in_memory")]
    pub(crate) data_dir: Option<PathBuf>,

    /// PostgreSQL database that keeps all data instead, which several servers may share, such as
    /// postgres://user:password@localhost/headwater
    #[arg(long, value_name = "URL", value_parser = secret, conflicts_with_all = ["data_dir", "in_memory"])]
    pub(crate) database_url: Option<Secret>,

    /// Connections to PostgreSQL that write, and as many that read [default: 10]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) database_connections: Option<u32>,

    /// Keep all data in a temporary directory that goes when the server ends
    #[arg(long, value_name = "BOOLEAN", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) in_memory: Option<bool>,

    /// Make sure that this app exists; repeatable, or separated by spaces
    #[arg(long, value_name = "KEY:SECRET", value_delimiter = ' ', value_parser = secret)]
    pub(crate) app: Vec<Secret>,

    /// File with one KEY:SECRET a line, as --app; lines that begin with # are left out
    #[arg(long, value_name = "FILE")]
    pub(crate) app_file: Option<PathBuf>,

    /// Address under which clients reach the server, for what it prints [default: http:// and --listen]
    #[arg(long, value_name = "URL", value_parser = origin)]
    pub(crate) public_url: Option<String>,

    /// Address and port to serve /metrics on [default: not served]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) admin_listen: Option<SocketAddr>,

    /// Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8; separated by commas
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub(crate) trusted_proxies: Vec<Network>,

    /// Calls a minute of an operation, for each app and platform, such as QueryUsers=1000; separated by commas
    /// [default: no limits]
    #[arg(long, value_name = "NAME=N", value_delimiter = ',')]
    pub(crate) rate_limit: Vec<RateLimit>,

    /// Refused keys and tokens a minute, for each client address, before it has to wait [default: 1000]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) refused_tokens: Option<u32>,

    /// Guests a minute that clients at one address can make before they have to wait [default: 100]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) guests: Option<u32>,

    /// How long the body of a request may take to arrive: seconds, or a number with s, m, h or d
    /// [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    pub(crate) request_timeout: Option<Duration>,

    /// The largest body of a request: bytes, or a number with KiB, MiB or GiB [default: 2MiB]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) body_bytes: Option<u64>,

    /// Age at which an entry of the change log goes [default: 30d]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) change_log_age: Option<Duration>,

    /// Size from which on the oldest entries of the change log go [default: 10GiB]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) change_log_bytes: Option<u64>,

    /// How standard error is written [default: text on a terminal, otherwise json]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,

    /// What standard error is told [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<LogLevel>,
}

impl Settings {
    /// These settings, and for what they leave open those of the weaker source `below`. A list is taken whole.
    pub(crate) fn over(self, below: Self) -> Self {
        // One question, "where is the data", with three ways to answer it.
        let (data_dir, database_url, in_memory) = match (self.data_dir, self.database_url, self.in_memory) {
            (None, None, None) => (below.data_dir, below.database_url, below.in_memory),
            answered => answered,
        };
        Self {
            data_dir,
            database_url,
            in_memory,
            database_connections: self.database_connections.or(below.database_connections),
            listen: self.listen.or(below.listen),
            app: given_or(self.app, below.app),
            app_file: self.app_file.or(below.app_file),
            public_url: self.public_url.or(below.public_url),
            admin_listen: self.admin_listen.or(below.admin_listen),
            trusted_proxies: given_or(self.trusted_proxies, below.trusted_proxies),
            rate_limit: given_or(self.rate_limit, below.rate_limit),
            refused_tokens: self.refused_tokens.or(below.refused_tokens),
            guests: self.guests.or(below.guests),
            request_timeout: self.request_timeout.or(below.request_timeout),
            body_bytes: self.body_bytes.or(below.body_bytes),
            change_log_age: self.change_log_age.or(below.change_log_age),
            change_log_bytes: self.change_log_bytes.or(below.change_log_bytes),
            log_format: self.log_format.or(below.log_format),
            log_level: self.log_level.or(below.log_level),
        }
    }
}

fn given_or<T>(given: Vec<T>, otherwise: Vec<T>) -> Vec<T> {
    if given.is_empty() { otherwise } else { given }
}
