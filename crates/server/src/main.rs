//! The program `headwater`: reads what it is told on the command line, and does it.
//!
//! [`cli`] says which verbs there are. `serve` is wired in [`serve`]; the others live in [`verbs`]. To add an option
//! of the server, add a field to [`config::Settings`], where flag, environment and file meet.

/// See `Cargo.toml` for why.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod ambient;
mod apps;
mod cli;
mod config;
mod control;
mod credentials;
mod failure;
mod interrupt;
mod logging;
mod nearest;
mod operator;
mod prune;
mod scrub;
mod serve;
mod shutdown;
mod tasks;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Verb};
use crate::failure::Failure;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let environment = std::env::vars_os;
    match cli.verb {
        Verb::Serve(arguments) => {
            let config = config::load(arguments.settings, arguments.config, environment())?;
            logging::start(config.log_format, config.log_level)?;
            serve::run(config)
        }
        Verb::App(arguments) => {
            let place = arguments.place.place(environment())?;
            verbs::app::run(&place, arguments.verb)
        }
        Verb::User(arguments) => {
            let place = arguments.place.place(environment())?;
            verbs::user::run(&place, arguments.verb)
        }
        Verb::Token(arguments) => {
            let place = arguments.place.place(environment())?;
            verbs::token::run(&place, &arguments.token)
        }
        Verb::Backup(arguments) => {
            let directory = arguments.place.directory(environment())?;
            verbs::backup::back_up(&directory, &arguments.file)
        }
        Verb::Restore(arguments) => {
            let directory = arguments.place.directory(environment())?;
            verbs::backup::restore(&directory, arguments.file)
        }
    }
}
