//! What a server is told: by flags, the environment, a file, and the defaults, each weaker than the one before.

mod layers;
mod settings;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use headwater_http::Network;
use model::Secret;
use operations::log::Bounds;
use storage::PostgresUrl;

pub(crate) use self::settings::Settings;
pub(crate) use self::values::{duration, secret};
use crate::credentials::Credentials;
use crate::failure::Failure;
use crate::logging::{LogFormat, LogLevel};

/// Where the data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In this directory.
    Directory(PathBuf),
    /// On a PostgreSQL server.
    Server(PostgresUrl),
    /// In a temporary directory that goes with the server.
    Memory,
}

/// Everything that a server is told, defaults filled in.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) place: Place,
    /// `None` where the default of `storage` holds.
    pub(crate) database_connections: Option<usize>,
    /// The apps that have to exist.
    pub(crate) apps: Vec<Credentials>,
    pub(crate) public_url: Option<String>,
    pub(crate) admin_listen: Option<SocketAddr>,
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) rate_limits: BTreeMap<String, u32>,
    /// `None` where the default of `http` holds, as for the next two.
    pub(crate) refused_tokens: Option<u32>,
    pub(crate) guests: Option<u32>,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) body_bytes: Option<usize>,
    pub(crate) change_log: Bounds,
    pub(crate) log_format: LogFormat,
    pub(crate) log_level: LogLevel,
}

/// Brings together what `flags`, the environment and the file say. `file` is the one that the flags name.
///
/// # Errors
/// When a source names something that does not exist, or gives it a value that it cannot have.
pub(crate) fn load(
    flags: Settings,
    file: Option<PathBuf>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Config, Failure> {
    Config::from_settings(merge(flags, file, variables)?)
}

/// Where the data is, for the verbs that have no other settings.
///
/// # Errors
/// See [`load`].
pub(crate) fn load_place(
    data_dir: Option<PathBuf>,
    database_url: Option<Secret>,
    file: Option<PathBuf>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Place, Failure> {
    let flags = Settings { data_dir, database_url, ..Settings::default() };
    place(&merge(flags, file, variables)?)
}

fn merge(
    flags: Settings,
    file: Option<PathBuf>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Settings, Failure> {
    let environment = layers::environment(variables)?;
    let from_file = match file.or(environment.file) {
        Some(path) => layers::file(&path)?,
        None => Settings::default(),
    };
    Ok(flags.over(environment.settings).over(from_file))
}

impl Config {
    fn from_settings(settings: Settings) -> Result<Self, Failure> {
        let bounds = Bounds::default();
        Ok(Self {
            place: place(&settings)?,
            database_connections: settings.database_connections.map(|number| number as usize),
            apps: apps(&settings.app, settings.app_file.as_deref())?,
            listen: settings.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 3030))),
            public_url: settings.public_url,
            admin_listen: settings.admin_listen,
            trusted_proxies: settings.trusted_proxies,
            rate_limits: settings
                .rate_limit
                .into_iter()
                .map(|limit| (limit.operation.to_owned(), limit.calls))
                .collect(),
            refused_tokens: settings.refused_tokens,
            guests: settings.guests,
            request_timeout: settings.request_timeout,
            body_bytes: settings.body_bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            change_log: Bounds {
                age: settings.change_log_age.unwrap_or(bounds.age),
                bytes: settings.change_log_bytes.unwrap_or(bounds.bytes),
            },
            log_format: settings.log_format.unwrap_or_else(LogFormat::fitting),
            log_level: settings.log_level.unwrap_or(LogLevel::Info),
        })
    }
}

fn place(settings: &Settings) -> Result<Place, Failure> {
    if let Some(url) = &settings.database_url {
        let hint = "write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for signs that have a meaning there";
        let url = url.reveal().parse().map_err(|why| Failure::new(format!("database-url: {why}"), hint))?;
        return Ok(Place::Server(url));
    }
    if settings.in_memory == Some(true) {
        return Ok(Place::Memory);
    }
    Ok(Place::Directory(settings.data_dir.clone().unwrap_or_else(|| "headwater-data".into())))
}

/// The apps of the settings and of the file that they name.
fn apps(given: &[Secret], file: Option<&Path>) -> Result<Vec<Credentials>, Failure> {
    let mut apps = Vec::new();
    for text in given {
        let app = Credentials::parse(text);
        apps.push(app.ok_or_else(|| no_credentials("the setting `app`"))?);
    }
    let Some(path) = file else { return Ok(apps) };
    let text = std::fs::read_to_string(path).map_err(|error| {
        let hint = "name a file that this user may read with --app-file";
        Failure::because(format!("cannot read {}", path.display()), &error, hint)
    })?;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let app = Credentials::parse(&Secret::new(line.to_owned()));
        apps.push(app.ok_or_else(|| no_credentials(&format!("{} line {number}", path.display())))?);
    }
    Ok(apps)
}

/// Says where something stands that is no `KEY:SECRET`, and not what: it may be a secret.
pub(crate) fn no_credentials(place: &str) -> Failure {
    let error = format!("{place}: an app is written KEY:SECRET");
    Failure::new(error, "KEY has letters, digits, '_' and '-'; SECRET has visible ASCII characters")
}
