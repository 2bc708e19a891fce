//! The rows of DESIGN 6 that this bench measures, one file each.
//!
//! To add one: a file with `measure`, which answers its lines, and an arm in each `match` below.

mod as_user;
mod autocomplete;
mod deletion;
mod equality;
mod growth;
mod on_postgres;
mod query_by_id;
mod start;
mod upsert_hundred;
mod upsert_one;

use clap::ValueEnum;

use crate::bench::Bench;
use crate::failure::Failure;
use crate::report::{Floor, Line};

/// A row, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Row {
    /// Upsert, 1 user a call
    UpsertOne,
    /// Upsert, 100 users a call
    UpsertHundred,
    /// Query by id
    QueryById,
    /// Query by id with a user token
    AsUser,
    /// Equality filter on a custom field
    Equality,
    /// Autocomplete of 1 and 2 letters
    Autocomplete,
    /// Time to ready, memory when idle
    Start,
    /// Growth of the time of operations from 10,000 users on
    Growth,
    /// Hard delete of a user with as many messages as there are users, a million at most
    Deletion,
}

/// The order of measuring: what reads goes before what writes, so that it finds as many users as were asked for.
const ORDER: [Row; 9] = [
    Row::QueryById,
    Row::AsUser,
    Row::Equality,
    Row::Autocomplete,
    Row::Start,
    Row::Growth,
    Row::UpsertOne,
    Row::UpsertHundred,
    // It writes what the twin does not have.
    Row::Deletion,
];

/// Measures these rows, all when there are none, and answers their lines in the order of the table. A row that cannot
/// be measured says why.
pub(crate) fn measure(bench: &mut Bench, only: &[Row]) -> Vec<Line> {
    let wanted = |row: &Row| only.is_empty() || only.contains(row);
    let mut lines: Vec<Line> =
        ORDER.into_iter().filter(wanted).flat_map(|row| row.measure_or_say_why(bench)).collect();
    lines.sort_by_key(|line| line.row);
    if bench.has_postgres() {
        lines.extend(on_postgres::measure(bench, wanted));
    }
    lines
}

impl Row {
    fn measure_or_say_why(self, bench: &mut Bench) -> Vec<Line> {
        self.measure(bench).unwrap_or_else(|failure| {
            eprintln!("{self:?} is not measured: {failure}");
            let (name, floor) = self.title();
            vec![Line { row: self, name: name.to_owned(), floor, figures: Err(failure.to_string()) }]
        })
    }

    fn measure(self, bench: &mut Bench) -> Result<Vec<Line>, Failure> {
        match self {
            Self::UpsertOne => upsert_one::measure(bench),
            Self::UpsertHundred => upsert_hundred::measure(bench),
            Self::QueryById => query_by_id::measure(bench),
            Self::AsUser => as_user::measure(bench),
            Self::Equality => equality::measure(bench),
            Self::Autocomplete => autocomplete::measure(bench),
            Self::Start => start::measure(bench),
            Self::Growth => growth::measure(bench),
            Self::Deletion => deletion::measure(bench),
        }
    }

    /// What stands in the table for a row that cannot be measured.
    fn title(self) -> (&'static str, Floor) {
        match self {
            Self::UpsertOne => (upsert_one::NAME, upsert_one::FLOOR),
            Self::UpsertHundred => (upsert_hundred::NAME, upsert_hundred::FLOOR),
            Self::QueryById => (query_by_id::NAME, query_by_id::FLOOR),
            Self::AsUser => (as_user::NAME, as_user::FLOOR),
            Self::Equality => (equality::NAME, equality::FLOOR),
            Self::Autocomplete => (autocomplete::NAME, autocomplete::FLOOR),
            Self::Start => (start::NAME, start::FLOOR),
            Self::Growth => (growth::NAME, growth::FLOOR),
            Self::Deletion => (deletion::NAME, deletion::FLOOR),
        }
    }
}
