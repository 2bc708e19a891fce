//! Query of one user by its id, against a bare server that answers "hello", both under the same load.

use serde_json::json;

use super::Row;
use crate::bench::Bench;
use crate::failure::Failure;
use crate::load::{self, Until};
use crate::people::Person;
use crate::report::{Figures, Floor, Line};
use crate::rounds::alternate;
use crate::stage::Stage;

pub(super) const NAME: &str = "query by id, 1 user, 32 connections";
pub(super) const FLOOR: Floor = Floor::Ratio(0.4);

/// Connections of all rows that are about how much can be read.
pub(super) const CONNECTIONS: usize = 32;

/// The raw statement.
pub(super) const STATEMENT: &str = "users WHERE app = ?1 AND id = ?2";

pub(super) fn measure(bench: &mut Bench) -> Result<Vec<Line>, Failure> {
    let (rounds, period, hello) = (bench.rounds(), bench.period(), bench.hello()?.address());
    let stage = bench.large()?;
    let requests = requests(stage)?;
    let greeting = vec![b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()];
    let [mut ours, bare] = alternate(
        NAME,
        rounds,
        stage,
        [&mut |stage| stage.read(&requests, CONNECTIONS, period), &mut |_| {
            load::run(hello, CONNECTIONS, &greeting, Until::Elapsed(period))
        }],
    )?;
    let figures = Ok(Figures::rates(&mut ours, &bare, "calls/s"));
    Ok(vec![Line { row: Row::QueryById, name: NAME.to_owned(), floor: FLOOR, figures }])
}

/// Requests for random users.
pub(super) fn requests(stage: &Stage) -> Result<Vec<Vec<u8>>, Failure> {
    stage.queries(1..=1, |number| json!({"filter_conditions": {"id": Person(number).id()}}))
}
