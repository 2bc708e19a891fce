//! `headwater-bench`: the figures of DESIGN 6, each beside a raw baseline measured in the same run.
//!
//! `users` loads a server and measures the rows; [`rows`] says which there are and how to add one. docs/bench.md tells
//! how to run it and how to read what it prints.
#![allow(clippy::disallowed_methods, reason = "whoever measures reads the clock")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table on one, progress on the other")]

mod api;
mod bench;
mod binary;
mod call;
mod child;
mod content;
mod failure;
mod hello;
mod home;
mod load;
mod names;
mod people;
mod postgres;
mod raw;
mod reply;
mod report;
mod rounds;
mod rows;
mod samples;
mod stage;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::bench::Bench;
use crate::failure::{Failure, because};
use crate::postgres::Postgres;
use crate::rows::Row;

#[derive(Parser)]
#[command(name = "headwater-bench", version, about, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// Measures the users service and prints one table: figure, baseline, ratio and floor of each row
    Users(Users),
    /// The bare server that a row is measured beside; the bench starts it by itself
    #[command(hide = true)]
    Hello,
}

#[derive(Args)]
struct Users {
    /// How many users are stored before anything is measured
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
    users: u64,

    /// Where to write the table as JSON as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Measure this row only; repeatable
    #[arg(long, value_name = "ROW")]
    only: Vec<Row>,

    /// Alternated rounds of each measurement, of which the table shows medians [default: 5, below 100,000 users 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,

    /// A `headwater` to measure, instead of the one built from this source
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,

    /// Where to keep the data meanwhile, a few gigabytes for a million users: the disk that is measured
    /// [default: the system's temporary directory]
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,

    /// Measure writing and the query by id on PostgreSQL as well, beside pgbench: an empty database, which is left to
    /// you to drop, and whose user may create another one
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().work {
        Work::Users(users) => measure(users),
        Work::Hello => hello::serve(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: Users) -> Result<(), Failure> {
    let json = options.json.as_deref().map(writable).transpose()?;
    let server = binary::server(options.server)?;
    let postgres = options.database_url.as_deref().map(Postgres::new).transpose()?;
    let mut bench =
        Bench::new(server, options.users, options.rounds, options.directory.as_deref(), postgres)?;
    let table = rows::measure(&mut bench, &options.only);
    print!("{}", report::table(options.users, &table));
    if let Some(file) = json {
        std::fs::write(file, report::json(&table)).map_err(cannot_write(file))?;
    }
    if table.iter().all(|line| line.figures.is_err()) {
        return Err("nothing could be measured".into());
    }
    Ok(())
}

/// A file that can be written, which is better known before all the work than after it.
fn writable(file: &Path) -> Result<&Path, Failure> {
    File::options().create(true).append(true).open(file).map_err(cannot_write(file))?;
    Ok(file)
}

fn cannot_write(file: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    because(format!("cannot write {}", file.display()))
}
