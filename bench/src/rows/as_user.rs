//! Query of one user by its id with the token of a user, its standing and permissions included, against the same query
//! with the token of a server.

use serde_json::json;

use super::Row;
use super::query_by_id::{self, CONNECTIONS};
use crate::api::Api;
use crate::bench::Bench;
use crate::failure::Failure;
use crate::people::Person;
use crate::report::{Figures, Floor, Line};
use crate::rounds::alternate;

pub(super) const NAME: &str = "query by id with a user token, to a server token";
pub(super) const FLOOR: Floor = Floor::Ratio(0.9);

/// Users who ask.
const CALLERS: usize = 1000;

pub(super) fn measure(bench: &mut Bench) -> Result<Vec<Line>, Failure> {
    let (rounds, period) = (bench.rounds(), bench.period());
    let stage = bench.large()?;
    let callers: Vec<Api> = stage.some_users().take(CALLERS).map(|number| Api::of(Person(number))).collect();
    let as_server = query_by_id::requests(stage)?;
    let as_users = stage.queries_as(
        &callers,
        1..=1,
        |number| json!({"filter_conditions": {"id": Person(number).id()}}),
    )?;
    let [mut users, server] = alternate(
        NAME,
        rounds,
        stage,
        [&mut |stage| stage.read(&as_users, CONNECTIONS, period), &mut |stage| {
            stage.read(&as_server, CONNECTIONS, period)
        }],
    )?;
    let figures = Ok(Figures::rates(&mut users, &server, "calls/s"));
    Ok(vec![Line { row: Row::AsUser, name: NAME.to_owned(), floor: FLOOR, figures }])
}
