//! Writing and the query by id on PostgreSQL, against pgbench that runs the same statements with as many connections.

use super::{Row, query_by_id, upsert_hundred, upsert_one};
use crate::bench::Bench;
use crate::failure::Failure;
use crate::report::{Figures, Floor, Line};
use crate::rounds::alternate;

const FLOOR: Floor = Floor::Ratio(0.5);

/// A round of writing stores no fewer users: a connection of pgbench makes its plans in it.
const LEAST_A_ROUND: u64 = 10_000;

/// The order of measuring, as of all rows.
const ORDER: [Row; 3] = [Row::QueryById, Row::UpsertOne, Row::UpsertHundred];

/// Measures those rows that are wanted and exist on PostgreSQL, in the order of the table.
pub(super) fn measure(bench: &mut Bench, wanted: impl Fn(&Row) -> bool) -> Vec<Line> {
    let mut lines: Vec<Line> = ORDER.into_iter().filter(wanted).map(|row| line(bench, row)).collect();
    lines.sort_by_key(|line| line.row);
    lines
}

fn line(bench: &mut Bench, row: Row) -> Line {
    let (title, measured) = match row {
        Row::UpsertOne => (upsert_one::NAME, upsert(bench, upsert_one::NAME, 1, upsert_one::AT_ONCE)),
        Row::UpsertHundred => {
            (upsert_hundred::NAME, upsert(bench, upsert_hundred::NAME, 100, upsert_hundred::CONNECTIONS))
        }
        _ => (query_by_id::NAME, query(bench)),
    };
    let name = format!("PostgreSQL: {title}");
    let figures = measured.map_err(|failure| {
        eprintln!("{name} is not measured: {failure}");
        failure.to_string()
    });
    Line { row, name, floor: FLOOR, figures }
}

fn upsert(bench: &mut Bench, name: &str, at_once: u64, connections: usize) -> Result<Figures, Failure> {
    let (rounds, users) = (bench.rounds(), bench.users_a_round().max(LEAST_A_ROUND));
    let stage = bench.on_postgres()?;
    let scripts = stage.upsert_scripts(at_once)?;
    let [mut ours, pgbench] = alternate(
        &format!("PostgreSQL: {name}"),
        rounds,
        stage,
        [&mut |stage| stage.upsert(users, at_once, connections), &mut |stage| {
            stage.upsert_by_pgbench(&scripts, users, at_once)
        }],
    )?;
    stage.check_copy()?;
    Ok(Figures::rates(&mut ours, &pgbench, "users/s"))
}

fn query(bench: &mut Bench) -> Result<Figures, Failure> {
    let (rounds, period) = (bench.rounds(), bench.period());
    let stage = bench.on_postgres()?;
    let requests = stage.queries()?;
    let scripts = stage.query_scripts()?;
    let [mut ours, pgbench] = alternate(
        &format!("PostgreSQL: {}", query_by_id::NAME),
        rounds,
        stage,
        [&mut |stage| stage.read(&requests, query_by_id::CONNECTIONS, period), &mut |stage| {
            stage.read_by_pgbench(&scripts, period)
        }],
    )?;
    Ok(Figures::rates(&mut ours, &pgbench, "calls/s"))
}
