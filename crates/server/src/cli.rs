//! The command line: which verbs there are and what each takes. What a verb does lives elsewhere; the documentation
//! here is what `--help` prints.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use model::{Secret, UserId};

use crate::config::{self, Place, Settings, duration, secret};
use crate::failure::Failure;

/// A self-hosted user service for chat, video and feeds apps.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run the server
    Serve(ServeArguments),
    /// List, create, rotate and suspend apps
    App(AppArguments),
    /// Free the id of a user who was deleted for good
    User(UserArguments),
    /// Print a token of an app
    Token(TokenArguments),
    /// Copy everything that is stored into one file, while the server runs or without it
    Backup(BackupArguments),
    /// Put a backup where a server finds it
    Restore(RestoreArguments),
}

const SOURCES: &str = "\
Every option can also be set in the environment, --data-dir as HEADWATER_DATA_DIR, and in a TOML file under its own \
name: data-dir = \"/var/lib/headwater\". A flag goes before a variable, a variable before the file; a list is taken \
whole from the first that has it. An empty variable counts as not set.";

/// The arguments of `serve`.
#[derive(Args, Debug)]
#[command(after_help = SOURCES)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) settings: Settings,

    /// TOML file with settings; also HEADWATER_CONFIG
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Where the data of the server is that a verb is about.
#[derive(Args, Debug)]
pub(crate) struct PlaceArguments {
    /// Data directory of the server; also HEADWATER_DATA_DIR and in the file [default: ./headwater-data]
    #[arg(long, value_name = "DIRECTORY", global = true)]
    data_dir: Option<PathBuf>,

    /// PostgreSQL database of the server, if it has one; also HEADWATER_DATABASE_URL and in the file
    #[arg(long, value_name = "URL", global = true, value_parser = secret, conflicts_with = "data_dir")]
    database_url: Option<Secret>,

    /// TOML file with the settings of the server; also HEADWATER_CONFIG
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

impl PlaceArguments {
    /// Where flags, `variables` and file say that the data is: a directory or a database.
    ///
    /// # Errors
    /// When they cannot be read, or say that the server keeps its data in a directory whose name nobody knows.
    pub(crate) fn place(
        self,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Place, Failure> {
        match config::load_place(self.data_dir, self.database_url, self.config, variables)? {
            place @ (Place::Directory(_) | Place::Server(_)) => Ok(place),
            Place::Memory => Err(Failure::new(
                "the settings say that the server keeps its data in memory",
                "name the temporary directory, which the server logs when it starts, with --data-dir",
            )),
        }
    }

    /// The data directory, for a verb that is about files.
    ///
    /// # Errors
    /// As [`PlaceArguments::place`], and when the data is in a database.
    pub(crate) fn directory(
        self,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<PathBuf, Failure> {
        match self.place(variables)? {
            Place::Directory(directory) => Ok(directory),
            Place::Server(_) | Place::Memory => {
                let error = storage::CopyError::Elsewhere;
                Err(Failure::of(&error, error.hint()))
            }
        }
    }
}

/// The arguments of `app`.
#[derive(Args, Debug)]
pub(crate) struct AppArguments {
    #[command(flatten)]
    pub(crate) place: PlaceArguments,

    #[command(subcommand)]
    pub(crate) verb: AppVerb,
}

/// What is to be done with an app. What writes goes through the running server, or into its directory if none runs.
#[derive(Debug, Subcommand)]
pub(crate) enum AppVerb {
    /// List the apps, without their secrets
    List,
    /// Create an app and print its key and secret
    Create {
        /// Name shown in the app's settings [default: the key]
        #[arg(long)]
        name: Option<String>,
        /// Key and secret [default: random ones]
        #[arg(value_name = "KEY:SECRET", value_parser = secret)]
        credentials: Option<Secret>,
    },
    /// Give an app a new secret and print it; the one before stays valid until --finish
    Rotate {
        /// Key of the app
        #[arg(value_name = "KEY")]
        api_key: String,
        /// Let the secret before the last rotation expire
        #[arg(long)]
        finish: bool,
    },
    /// Let nobody use an app until --lift
    Suspend {
        /// Key of the app
        #[arg(value_name = "KEY")]
        api_key: String,
        /// Why, as clients of the app are told
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        explanation: String,
        /// Let the app be used again
        #[arg(long, conflicts_with = "explanation")]
        lift: bool,
    },
}

/// The arguments of `user`.
#[derive(Args, Debug)]
pub(crate) struct UserArguments {
    #[command(flatten)]
    pub(crate) place: PlaceArguments,

    #[command(subcommand)]
    pub(crate) verb: UserVerb,
}

/// What is to be done with a user. It goes through the running server, or into its directory if none runs.
#[derive(Debug, Subcommand)]
pub(crate) enum UserVerb {
    /// Let the id of a user who was deleted for good be given again; for apps that are for tests
    PurgeTombstone {
        /// Key of the app [default: the only one there is]
        #[arg(long, value_name = "KEY")]
        app: Option<String>,
        /// Id that the user had
        #[arg(value_name = "ID", value_parser = user_id)]
        id: UserId,
    },
}

/// The arguments of `token`.
#[derive(Args, Debug)]
pub(crate) struct TokenArguments {
    #[command(flatten)]
    pub(crate) place: PlaceArguments,

    #[command(flatten)]
    pub(crate) token: TokenRequest,
}

/// The token that is wanted. A server token is asked for by name: it may do everything, and by default for ever.
#[derive(Args, Clone, Debug, PartialEq)]
#[group(skip)]
pub(crate) struct TokenRequest {
    /// Key of the app [default: the only one there is]
    #[arg(long, value_name = "KEY")]
    pub(crate) app: Option<String>,

    /// Token for this user
    #[arg(long, value_name = "ID", value_parser = user_id, required_unless_present_any = ["server", "anonymous"])]
    pub(crate) user: Option<UserId>,

    /// Token for whoever has no user
    #[arg(long, conflicts_with = "user")]
    pub(crate) anonymous: bool,

    /// Token for the app's own back end, which may do everything
    #[arg(long, conflicts_with_all = ["user", "anonymous", "call", "channel", "role"])]
    pub(crate) server: bool,

    /// How long the token is valid, such as 24h [default: for ever; 1h with --call or --channel]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) expires: Option<Duration>,

    /// Make the user a member of this call for as long as the token is valid; repeatable
    #[arg(long, value_name = "TYPE:ID", value_parser = cid)]
    pub(crate) call: Vec<String>,

    /// Make the user a member of this channel for as long as the token is valid; repeatable
    #[arg(long, value_name = "TYPE:ID", value_parser = cid)]
    pub(crate) channel: Vec<String>,

    /// Role of the user in the calls and channels, in place of that of a member
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) role: Option<String>,
}

/// The arguments of `backup`.
#[derive(Args, Debug)]
pub(crate) struct BackupArguments {
    #[command(flatten)]
    pub(crate) place: PlaceArguments,

    /// File to write, which must not exist; a running server writes it as its own user
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// The arguments of `restore`.
#[derive(Args, Debug)]
pub(crate) struct RestoreArguments {
    #[command(flatten)]
    pub(crate) place: PlaceArguments,

    /// Backup to restore into the data directory, which must have no database
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

fn user_id(text: &str) -> Result<UserId, String> {
    UserId::parse(text).map_err(|invalid| invalid.why)
}

/// A type and an id, as in `default:standup`.
fn cid(text: &str) -> Result<String, String> {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-!".contains(&byte))
    };
    match text.split_once(':') {
        Some((kind, id)) if plain(kind) && plain(id) => Ok(text.to_owned()),
        _ => Err("must be a type and an id, such as default:standup".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[track_caller]
    fn check(line: &str, expected: Option<ErrorKind>) {
        let parsed = Cli::try_parse_from(line.split(' '));
        assert_eq!(parsed.err().map(|error| error.kind()), expected, "{line}");
    }

    #[test]
    fn lines_are_taken_or_refused() {
        check("headwater serve", None);
        check("headwater serve --in-memory --app a:b --app c:d --trusted-proxies 10.0.0.0/8,::1", None);
        check("headwater serve --in-memory --data-dir x", Some(ErrorKind::ArgumentConflict));
        check("headwater serve --database-url x --data-dir x", Some(ErrorKind::ArgumentConflict));
        check("headwater serve --database-url x --in-memory", Some(ErrorKind::ArgumentConflict));
        check("headwater app list --database-url x", None);
        check("headwater serve --listne x", Some(ErrorKind::UnknownArgument));
        check("headwater serve --listen x", Some(ErrorKind::ValueValidation));
        check("headwater app list --data-dir x", None);
        check("headwater app --data-dir x list", None);
        check("headwater app create --name N a:b", None);
        check("headwater app rotate", Some(ErrorKind::MissingRequiredArgument));
        check("headwater app rotate a --finish", None);
        check("headwater app suspend a --explanation b --lift", Some(ErrorKind::ArgumentConflict));
        check("headwater app suspend a --lift", None);
        check("headwater token", Some(ErrorKind::MissingRequiredArgument));
        check("headwater token --server", None);
        check("headwater token --server --expires 24h --app a", None);
        check("headwater token --server --user a", Some(ErrorKind::ArgumentConflict));
        check("headwater token --server --role a", Some(ErrorKind::ArgumentConflict));
        check("headwater token --user a --call default:standup --call default:x --role host", None);
        check("headwater token --user a --call standup", Some(ErrorKind::ValueValidation));
        check("headwater token --user a.b", Some(ErrorKind::ValueValidation));
        check("headwater token --user a --expires 1w", Some(ErrorKind::ValueValidation));
        check("headwater backup", Some(ErrorKind::MissingRequiredArgument));
        check("headwater backup --data-dir x a.db", None);
        check("headwater backup a.db --data-dir x", None);
        check("headwater backup a.db b.db", Some(ErrorKind::UnknownArgument));
        check("headwater restore", Some(ErrorKind::MissingRequiredArgument));
        check("headwater restore a.db --data-dir x", None);
    }
}
