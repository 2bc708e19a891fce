//! `headwater serve`: opens what the server needs, serves until a signal, and takes everything down in order.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use headwater_http::Front;
use model::{Clock, Entropy};
use storage::{Durability, OpenError, PostgresOptions, PostgresUrl, Store};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{self, JoinSet};

use crate::ambient::{StockedEntropy, SystemClock};
use crate::apps;
use crate::config::{Config, Place};
use crate::control::Socket;
use crate::failure::{Failure, print};
use crate::operator::Operator;
use crate::shutdown::Signals;
use crate::tasks;
use crate::{prune, scrub};

/// How long requests may take to finish once the server drains (DESIGN 4).
const GRACE: Duration = Duration::from_secs(10);

/// Serves until a signal.
///
/// # Errors
/// When the server cannot start, a part of it breaks down, or a second signal cuts the drain short.
pub(crate) fn run(config: Config) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::because("cannot start a runtime", &error, "raise the limits of this user")
    })?;
    let result = runtime.block_on(until_signalled(config));
    // After a second signal nobody waits for what is still running.
    runtime.shutdown_background();
    result
}

async fn until_signalled(config: Config) -> Result<(), Failure> {
    let mut signals = Signals::install()?;
    let (begin_drain, drain) = watch::channel(false);
    let mut serving = pin!(open_and_serve(config, drain));
    tokio::select! {
        ended = &mut serving => return ended,
        () = signals.next() => {}
    }
    tracing::info!("draining");
    begin_drain.send_replace(true);
    tokio::select! {
        drained = serving => drained,
        () = signals.next() => Err(Failure::new(
            "a second signal ended the server before it was drained",
            "everything that was answered is stored; the next start takes a moment longer",
        )),
    }
}

async fn open_and_serve(config: Config, drain: watch::Receiver<bool>) -> Result<(), Failure> {
    let clock = Arc::new(SystemClock::new());
    let home = Home::new(&config.place)?;
    let opening = home.opening(clock.clone(), config.database_connections);
    let opened = task::spawn_blocking(opening).await;
    let store =
        opened.map_err(|error| broke_down(&error))?.map_err(|error| Failure::of(&error, error.hint()))?;

    let operator = Operator { store: store.clone(), clock, entropy: Arc::new(StockedEntropy::default()) };
    let served = serve(config, &home, operator, drain).await;

    let closed = task::spawn_blocking(move || store.close()).await;
    closed.map_err(|error| broke_down(&error))?;
    if served.is_ok() {
        tracing::info!("stopped");
    }
    served
}

/// Serves an open store until `drain` becomes true and what was begun is finished.
async fn serve(
    config: Config,
    home: &Home,
    operator: Operator,
    drain: watch::Receiver<bool>,
) -> Result<(), Failure> {
    // Before an app is made: its secret is shown once, and must not be lost because an address is taken.
    let listener = listen(config.listen, "--listen").await?;
    let admin = match config.admin_listen {
        Some(address) => Some(listen(address, "--admin-listen").await?),
        None => None,
    };
    let address = bound(&listener)?;
    let admin_address = admin.as_ref().map(bound).transpose()?;
    let first = apps::ensure(&operator, &config.apps).await?;
    let Operator { store, clock, entropy } = operator.clone();
    let bounds = config.change_log;
    let url = config.public_url.clone().unwrap_or_else(|| apps::url_of(address));
    let front = front(config, &url, store.clone(), clock.clone(), Arc::clone(&entropy));

    let mut parts = JoinSet::new();
    match home.directory().map(Socket::bind) {
        // Verbs change the database themselves.
        None => {}
        Some(Ok(socket)) => {
            parts.spawn(socket.serve(operator, drain.clone()));
        }
        // Some file systems have no sockets. Clients are served all the same.
        Some(Err(error)) => {
            tracing::warn!(%error, "no control socket: `headwater app` and `backup` cannot reach this server");
        }
    }
    parts.spawn(scrub::run(store.clone(), clock.clone(), drain.clone()));
    parts.spawn(prune::run(store.clone(), clock.clone(), bounds, drain.clone()));
    parts.spawn(tasks::run(store, clock, entropy, drain.clone()));
    if let Some(admin) = admin {
        let (front, drain) = (front.clone(), drain.clone());
        parts.spawn(async move { front.serve_metrics(admin, drain).await });
    }
    let until = drain.clone();
    parts.spawn(async move { front.serve(listener, until, GRACE).await });

    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        address = %address,
        admin = admin_address.map(tracing::field::display),
        directory = home.directory().map(|directory| tracing::field::display(directory.display())),
        database = home.server().map(tracing::field::display),
        "serving"
    );
    print(format_args!("Headwater listens on {}", apps::url_of(address)))?;
    if let Some(app) = first {
        print(apps::welcome(&app, &url))?;
    }
    all_parts(parts, &drain).await
}

/// Waits until every part has ended. None of them ends before the drain but by a defect.
async fn all_parts(mut parts: JoinSet<()>, drain: &watch::Receiver<bool>) -> Result<(), Failure> {
    while let Some(ended) = parts.join_next().await {
        ended.map_err(|error| broke_down(&error))?;
        if !*drain.borrow() {
            return Err(Failure::new("a part of the server ended by itself", "report this as a defect"));
        }
    }
    Ok(())
}

fn broke_down(error: &task::JoinError) -> Failure {
    Failure::because("a part of the server broke down", error, "report this with the log as a defect")
}

fn front(config: Config, url: &str, store: Store, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Front {
    let mut options = headwater_http::Options::new(store, clock, entropy);
    url.clone_into(&mut options.public_url);
    options.rate_limits = config.rate_limits;
    options.trusted_proxies = config.trusted_proxies;
    options.refused_tokens = config.refused_tokens.unwrap_or(options.refused_tokens);
    options.guests = config.guests.unwrap_or(options.guests);
    options.request_timeout = config.request_timeout.unwrap_or(options.request_timeout);
    options.body_bytes = config.body_bytes.unwrap_or(options.body_bytes);
    Front::new(options)
}

async fn listen(address: SocketAddr, flag: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = format!("choose another address with {flag}, or stop the program that uses this one");
        Failure::because(format!("cannot listen on {address}"), &error, hint)
    })
}

/// The address that the system chose.
fn bound(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|error| {
        Failure::because("the system does not say where it listens", &error, "report this as a defect")
    })
}

/// Where the data is, for as long as the server runs.
#[derive(Debug)]
enum Home {
    Kept(PathBuf),
    Temporary(TempDir),
    Server(PostgresUrl),
}

impl Home {
    fn new(place: &Place) -> Result<Self, Failure> {
        match place {
            Place::Directory(path) => return Ok(Self::Kept(path.clone())),
            Place::Server(url) => return Ok(Self::Server(url.clone())),
            Place::Memory => {}
        }
        let owner_only = Permissions::from_mode(0o700);
        let made = tempfile::Builder::new().prefix("headwater-").permissions(owner_only).tempdir();
        made.map(Self::Temporary).map_err(|error| {
            let hint = "set TMPDIR to a directory that this user may write to";
            Failure::because("cannot make a temporary directory", &error, hint)
        })
    }

    /// What opens the store. Blocks when it is called.
    fn opening(
        &self,
        clock: Arc<SystemClock>,
        connections: Option<usize>,
    ) -> impl FnOnce() -> Result<Store, OpenError> + Send + use<> {
        let embedded = |directory: &Path, durability| {
            let options = storage::Options::new(directory, clock.clone());
            storage::Options { durability, ..options }
        };
        let place = match self {
            Self::Kept(path) => Ok(embedded(path, Durability::Full)),
            Self::Temporary(directory) => Ok(embedded(directory.path(), Durability::Off)),
            Self::Server(url) => {
                let options = PostgresOptions::new(url.clone(), clock);
                let connections = connections.unwrap_or(options.writers);
                Err(PostgresOptions { writers: connections, readers: connections, ..options })
            }
        };
        move || match place {
            Ok(options) => Store::open(options),
            Err(options) => Store::connect(options),
        }
    }

    /// The directory with the data, if that is where it is.
    fn directory(&self) -> Option<&Path> {
        match self {
            Self::Kept(path) => Some(path),
            Self::Temporary(directory) => Some(directory.path()),
            Self::Server(_) => None,
        }
    }

    /// The server with the data, if that is where it is.
    fn server(&self) -> Option<&PostgresUrl> {
        match self {
            Self::Kept(_) | Self::Temporary(_) => None,
            Self::Server(url) => Some(url),
        }
    }
}
