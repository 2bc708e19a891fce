//! Equality filter on a custom field that one user in 200 passes, newest 30 first, against the raw statement on as many
//! threads as the store has readers.

use rusqlite::types::Value;
use serde_json::json;

use super::Row;
use super::query_by_id::CONNECTIONS;
use crate::bench::Bench;
use crate::failure::Failure;
use crate::people::{COUNTRIES, country};
use crate::raw;
use crate::report::{Figures, Floor, Line};
use crate::rounds::alternate;
use crate::stage::Stage;

pub(super) const NAME: &str = "equality on a custom field, newest 30, 32 connections";
pub(super) const FLOOR: Floor = Floor::Ratio(0.5);

/// The raw statement: leaves in the order of users, then the users.
pub(super) const STATEMENT: &str = "user_leaves CROSS JOIN users ON users.key = user_leaves.user \
    WHERE user_leaves.app = ?1 AND path = 'country' AND kind = 3 AND number = 0 AND text = ?2 AND digest = 0 \
        AND deleted_at IS NULL AND deactivated_at IS NULL \
    ORDER BY user_leaves.user DESC LIMIT 30";

pub(super) fn measure(bench: &mut Bench) -> Result<Vec<Line>, Failure> {
    let (rounds, period) = (bench.rounds(), bench.period());
    let stage = bench.large()?;
    let requests = requests(stage)?;
    let (statement, parameters) = (format!("{}{STATEMENT}", raw::USER), parameters(stage));
    let [mut ours, raw] = alternate(
        NAME,
        rounds,
        stage,
        [&mut |stage| stage.read(&requests, CONNECTIONS, period), &mut |stage| {
            raw::query(stage.twin().file(), &statement, &parameters, period)
        }],
    )?;
    let figures = Figures::rates(&mut ours, &raw, "calls/s");
    let p99 = figures.latency.map_or(f64::NAN, |latency| latency.p99);
    let tail = Figures::alone(p99, "ms", figures.latency);
    let line = |name: &str, floor, figures| Line {
        row: Row::Equality,
        name: name.to_owned(),
        floor,
        figures: Ok(figures),
    };
    Ok(vec![line(NAME, FLOOR, figures), line("  the slowest of 100", Floor::P99(20.0), tail)])
}

/// Requests for all values of the field in turn.
pub(super) fn requests(stage: &Stage) -> Result<Vec<Vec<u8>>, Failure> {
    let payload =
        |number| json!({"filter_conditions": {"country": country(number % COUNTRIES)}, "limit": 30});
    stage.queries(30..=30, payload)
}

/// What the raw statement asks for: the same values.
pub(super) fn parameters(stage: &Stage) -> Vec<Vec<Value>> {
    let app = stage.app();
    stage.some_users().map(|number| vec![app.into(), country(number % COUNTRIES).into()]).collect()
}
