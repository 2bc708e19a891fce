//! The environment and the file as sources of [`Settings`].
//!
//! Both are put into the form of flags and read by the one definition of the flags: `HEADWATER_DATA_DIR=x` and
//! `data-dir = "x"` are `--data-dir=x`. So they know the same names and refuse the same values.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser};
use toml::{Table, Value};

use super::Settings;
use crate::failure::{Failure, chain};
use crate::nearest::nearest;

/// What every variable of the program begins with.
const PREFIX: &str = "HEADWATER_";

/// The variable that names the file.
const FILE: &str = "HEADWATER_CONFIG";

/// Variables with our prefix that are not for the server but for its tests.
const NOT_OURS: &[&str] = &["HEADWATER_REQUIRE", "HEADWATER_LONG"];

const HELP: &str = "`headwater serve --help` lists what can be set";

/// Settings as a command line of their own.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Layer {
    #[command(flatten)]
    settings: Settings,
}

/// What the environment says.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// The settings in it.
    pub(super) settings: Settings,
    /// The file that it names.
    pub(super) file: Option<PathBuf>,
}

/// Reads the variables that begin with `HEADWATER_`. One that is empty counts as not set, since that is how
/// compositions of containers leave something open.
pub(super) fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Environment, Failure> {
    let names = names();
    let mut environment = Environment::default();
    let mut flags = Vec::new();
    for (variable, value) in variables {
        // A name that is not Unicode is not one of ours.
        let Some(variable) = variable.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if NOT_OURS.contains(&variable) {
            continue;
        }
        let Some(name) = names.iter().find(|name| *variable == variable_of(name)) else {
            if variable == FILE {
                environment.file = Some(value.into()).filter(|file: &PathBuf| !file.as_os_str().is_empty());
                continue;
            }
            let known = names.iter().map(String::as_str).chain(["config"]);
            let near = nearest(&variable[PREFIX.len()..], known).map(variable_of);
            return Err(unknown(&format!("the environment variable {variable}"), near.as_deref()));
        };
        if !value.is_empty() {
            flags.push(flag(name, value));
        }
    }
    environment.settings = parse(flags, variable_of)?;
    Ok(environment)
}

/// Reads a TOML file whose keys are the names of the flags.
pub(super) fn file(path: &Path) -> Result<Settings, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let hint = "name a file that this user may read with --config or HEADWATER_CONFIG";
        Failure::because(format!("cannot read {}", path.display()), &error, hint)
    })?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let message = format!("{} line {line}: {}", path.display(), error.message());
        Failure::new(message, "write it as TOML, such as: listen = \"127.0.0.1:3030\"")
    })?;
    let names = names();
    let mut flags = Vec::new();
    for (name, value) in table {
        if !names.contains(&name) {
            let near = nearest(&name, names.iter().map(String::as_str));
            return Err(unknown(&format!("{}: the key {name}", path.display()), near));
        }
        flags.extend(texts(&value).into_iter().map(|text| flag(&name, text.into())));
    }
    parse(flags, |name| format!("{}: {name}", path.display()))
}

/// The names of all settings, as in a file and, behind `--`, as flags.
fn names() -> Vec<String> {
    Layer::command().get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned)).collect()
}

fn variable_of(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_uppercase().replace('-', "_"))
}

fn flag(name: &str, value: OsString) -> OsString {
    let mut flag = OsString::from(format!("--{name}="));
    flag.push(value);
    flag
}

/// A value of a file as it would be written behind a flag: an array is the flag repeated, a table is `KEY=VALUE`.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Table(table) => table
            .iter()
            .flat_map(|(key, value)| texts(value).into_iter().map(move |text| format!("{key}={text}")))
            .collect(),
        Value::Integer(number) => vec![number.to_string()],
        Value::Float(number) => vec![number.to_string()],
        Value::Boolean(truth) => vec![truth.to_string()],
        Value::Datetime(time) => vec![time.to_string()],
    }
}

fn unknown(what: &str, near: Option<&str>) -> Failure {
    let hint = near.map_or_else(|| HELP.to_owned(), |near| format!("did you mean {near}?"));
    Failure::new(format!("{what} is not known"), hint)
}

/// Reads the settings out of flags that were made from another source; `place` names a setting as that source does.
fn parse(flags: Vec<OsString>, place: impl Fn(&str) -> String) -> Result<Settings, Failure> {
    let matches = Layer::command().try_get_matches_from(flags);
    matches
        .and_then(|matches| Settings::from_arg_matches(&matches))
        .map_err(|error| Failure::new(explain(&error, place), HELP))
}

/// Says what the parser of flags refused, without the value: that may be a secret in the wrong place.
fn explain(error: &clap::Error, place: impl Fn(&str) -> String) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
        _ => None,
    };
    // Written as `--listen <ADDRESS>`.
    let named = |kind| {
        let usage = context(kind).unwrap_or_default().trim_start_matches('-');
        place(usage.split([' ', '=', '[']).next().unwrap_or_default())
    };
    let setting = named(ContextKind::InvalidArg);
    match (error.kind(), std::error::Error::source(error)) {
        (ErrorKind::ArgumentConflict, _) if named(ContextKind::PriorArg) == setting => {
            format!("{setting}: must be given once")
        }
        (ErrorKind::ArgumentConflict, _) => {
            format!("{setting} cannot be set together with {}", named(ContextKind::PriorArg))
        }
        (_, Some(source)) => format!("{setting}: {}", chain(source)),
        (_, None) => match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(valid)) => format!("{setting}: must be one of {}", valid.join(", ")),
            _ => format!("{setting}: the value does not fit"),
        },
    }
}
