//! How much longer an operation takes with all users than with 10,000, against how much longer the raw statements do.

use std::time::Duration;

use rusqlite::types::Value;

use super::{Row, equality, query_by_id, upsert_one};
use crate::bench::{Bench, FEW};
use crate::failure::Failure;
use crate::people::Person;
use crate::raw;
use crate::report::{Figures, Floor, Line};
use crate::rounds::{Measurement, Series, alternate};
use crate::stage::Stage;

pub(super) const NAME: &str = "growth";
pub(super) const FLOOR: Floor = Floor::Growth(1.2);

/// Users that a round of writing stores: few against those that are there.
const USERS: u64 = 2000;

/// The server with 10,000 users and the one with all.
struct Stages<'s> {
    small: &'s mut Stage,
    large: &'s mut Stage,
}

pub(super) fn measure(bench: &mut Bench) -> Result<Vec<Line>, Failure> {
    // Reading goes first: writing changes the sizes.
    let id = query(bench, "query by id", query_by_id::STATEMENT, query_by_id::requests, by_id);
    let equal = query(bench, "equality", equality::STATEMENT, equality::requests, equality::parameters);
    let upsert = upsert(bench);
    let measured = [("upsert of 1", upsert), ("query by id", id), ("equality", equal)];
    Ok(measured.map(|(operation, figures)| line(bench.users(), operation, figures)).into())
}

fn line(users: u64, operation: &str, figures: Result<Figures, Failure>) -> Line {
    Line {
        row: Row::Growth,
        name: format!("{NAME} from {FEW} to {users}, {operation}"),
        floor: FLOOR,
        figures: figures.map_err(|failure| failure.to_string()),
    }
}

fn upsert(bench: &mut Bench) -> Result<Figures, Failure> {
    let rounds = bench.rounds();
    let (small, large) = bench.small_and_large()?;
    compare(
        "upsert of 1",
        rounds,
        &mut Stages { small, large },
        [
            &mut |on| on.small.upsert(USERS, 1, upsert_one::AT_ONCE),
            &mut |on| on.large.upsert(USERS, 1, upsert_one::AT_ONCE),
            &mut |on| on.small.upsert_raw(upsert_one::AT_ONCE),
            &mut |on| on.large.upsert_raw(upsert_one::AT_ONCE),
        ],
    )
}

fn query(
    bench: &mut Bench,
    operation: &str,
    statement: &str,
    requests: fn(&Stage) -> Result<Vec<Vec<u8>>, Failure>,
    parameters: fn(&Stage) -> Vec<Vec<Value>>,
) -> Result<Figures, Failure> {
    let (rounds, period) = (bench.rounds(), bench.period() / 2);
    let (small, large) = bench.small_and_large()?;
    let (few_requests, requests) = (requests(small)?, requests(large)?);
    let (few_parameters, parameters) = (parameters(small), parameters(large));
    let statement = format!("{}{statement}", raw::USER);
    let ask = |stage: &Stage, requests: &[Vec<u8>], period: Duration| {
        stage.read(requests, query_by_id::CONNECTIONS, period)
    };
    let ask_raw = |stage: &Stage, parameters: &[Vec<Value>], period: Duration| {
        raw::query(stage.twin().file(), &statement, parameters, period)
    };
    compare(
        operation,
        rounds,
        &mut Stages { small, large },
        [
            &mut |on| ask(on.small, &few_requests, period),
            &mut |on| ask(on.large, &requests, period),
            &mut |on| ask_raw(on.small, &few_parameters, period),
            &mut |on| ask_raw(on.large, &parameters, period),
        ],
    )
}

/// Growths from four measurements: ours with few and with all users, the baseline's likewise.
fn compare<'s>(
    operation: &str,
    rounds: u32,
    stages: &mut Stages<'s>,
    measurements: [Measurement<'_, Stages<'s>>; 4],
) -> Result<Figures, Failure> {
    let label = format!("{NAME}, {operation}");
    let [few, mut all, few_raw, all_raw] = alternate(&label, rounds, stages, measurements)?;
    let (figures, baseline) = (growths(&few, &all), growths(&few_raw, &all_raw));
    Ok(Figures::of_rounds(&figures, &baseline, "times", all.latency()))
}

/// How much longer one operation took, round by round: its time is the inverse of the rate.
fn growths(few: &Series, all: &Series) -> Vec<f64> {
    few.rates().iter().zip(all.rates()).map(|(few, all)| few / all).collect()
}

/// What the raw statement asks for by id.
fn by_id(stage: &Stage) -> Vec<Vec<Value>> {
    let app = stage.app();
    stage.some_users().map(|number| vec![app.into(), Person(number).id().into()]).collect()
}
