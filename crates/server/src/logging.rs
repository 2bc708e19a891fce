//! Where the program says what it does: standard error, one event a line. Results and secrets go to standard output
//! and never here.

use std::io::{self, IsTerminal};
use std::panic;

use clap::ValueEnum;
use tracing_subscriber::filter::LevelFilter;

use crate::failure::Failure;

/// How an event is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// One line of text, for people.
    Text,
}

impl LogFormat {
    /// Text for a terminal, JSON for everything else.
    pub(crate) fn fitting() -> Self {
        if io::stderr().is_terminal() { Self::Text } else { Self::Json }
    }
}

/// The least important events that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// None.
    Off,
    /// What failed by a fault of the server.
    Error,
    /// What an operator should look at.
    Warn,
    /// The life of the server.
    Info,
    /// Every request.
    Debug,
    /// Everything.
    Trace,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::OFF,
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// Begins to write events, panics included. `tracing` and the panic hook are global to the process, which is why
/// this runs once, from `main`.
pub(crate) fn start(format: LogFormat, level: LogLevel) -> Result<(), Failure> {
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr);
    let started = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.with_ansi(false).try_init(),
    };
    started.map_err(|error| Failure::because("cannot begin to log", &*error, "report this as a defect"))?;
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, message = panic.payload_as_str().unwrap_or("no message"), "panicked");
    }));
    Ok(())
}
