//! Upsert of new users, one a call, against a raw loop that writes the same rows at 64 users a transaction.

use super::Row;
use crate::bench::Bench;
use crate::failure::Failure;
use crate::report::{Figures, Floor, Line};
use crate::rounds::alternate;

pub(super) const NAME: &str = "upsert, 1 user a call, 64 connections";
pub(super) const FLOOR: Floor = Floor::Ratio(0.5);

/// Connections, and so the most users that the server can commit together: what the raw loop commits together.
pub(super) const AT_ONCE: usize = 64;

pub(super) fn measure(bench: &mut Bench) -> Result<Vec<Line>, Failure> {
    let (rounds, users) = (bench.rounds(), bench.users_a_round());
    let stage = bench.large()?;
    let [mut ours, raw] = alternate(
        NAME,
        rounds,
        stage,
        [&mut |stage| stage.upsert(users, 1, AT_ONCE), &mut |stage| stage.upsert_raw(AT_ONCE)],
    )?;
    stage.check_twin()?;
    let figures = Ok(Figures::rates(&mut ours, &raw, "users/s"));
    Ok(vec![Line { row: Row::UpsertOne, name: NAME.to_owned(), floor: FLOOR, figures }])
}
