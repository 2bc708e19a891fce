//! Autocomplete on the first 1 and 2 letters of a name, newest 30 first. The raw full-text statement on reader threads
//! stands beside it; the floor is about how long a call takes.

use model::AppKey;
use model::words::{WordField, mark};
use rusqlite::types::Value;
use serde_json::json;

use super::Row;
use crate::bench::Bench;
use crate::failure::Failure;
use crate::people::Person;
use crate::raw;
use crate::report::{Figures, Floor, Line};
use crate::rounds::alternate;

pub(super) const NAME: &str = "autocomplete, newest 30, 8 connections";
pub(super) const FLOOR: Floor = Floor::P99(20.0);

const CONNECTIONS: usize = 8;

/// The raw statement. Words carry their app and field in front (model::words).
const STATEMENT: &str = "user_words CROSS JOIN users ON users.key = user_words.rowid \
    WHERE user_words MATCH ?1 AND deleted_at IS NULL AND deactivated_at IS NULL \
    ORDER BY user_words.rowid DESC LIMIT 30";

pub(super) fn measure(bench: &mut Bench) -> Result<Vec<Line>, Failure> {
    Ok(vec![complete(bench, 1)?, complete(bench, 2)?])
}

fn complete(bench: &mut Bench, letters: usize) -> Result<Line, Failure> {
    let name = format!(
        "autocomplete, {letters} letter{}, newest 30, 8 connections",
        if letters > 1 { "s" } else { "" }
    );
    let (rounds, period) = (bench.rounds(), bench.period());
    let stage = bench.large()?;
    let requests = stage.queries(1..=30, |number| {
        let typed = Person(number).letters(letters);
        json!({"filter_conditions": {"name": {"$autocomplete": typed}}, "limit": 30})
    })?;
    let word = mark(AppKey(stage.app()), WordField::Name);
    let parameters: Vec<Vec<Value>> = stage
        .some_users()
        .map(|number| vec![format!("\"{word}{}\"*", Person(number).letters(letters)).into()])
        .collect();
    let statement = format!("{}{STATEMENT}", raw::USER);
    let [mut ours, raw] = alternate(
        &name,
        rounds,
        stage,
        [&mut |stage| stage.read(&requests, CONNECTIONS, period), &mut |stage| {
            raw::query(stage.twin().file(), &statement, &parameters, period)
        }],
    )?;
    let figures = Ok(Figures::rates(&mut ours, &raw, "calls/s"));
    Ok(Line { row: Row::Autocomplete, name, floor: FLOOR, figures })
}
