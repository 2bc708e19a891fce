//! Upsert of new users, a hundred a call, against a raw loop that writes the same rows at 1,000 users a transaction,
//! and against one that writes a fixed minimal schema.

use super::Row;
use crate::bench::Bench;
use crate::failure::Failure;
use crate::raw::{Minimal, Stored};
use crate::report::{Figures, Floor, Line};
use crate::rounds::alternate;
use crate::stage::Stage;

pub(super) const NAME: &str = "upsert, 100 users a call, 8 connections";
pub(super) const FLOOR: Floor = Floor::Ratio(0.5);

pub(super) const CONNECTIONS: usize = 8;

/// Users that the raw loops commit together.
const TRANSACTION: usize = 1000;

/// What the rounds work on; `rows` are those of the round that the server wrote last.
struct Work<'s> {
    stage: &'s mut Stage,
    minimal: Minimal,
    rows: Stored,
}

pub(super) fn measure(bench: &mut Bench) -> Result<Vec<Line>, Failure> {
    let (rounds, users, file) = (bench.rounds(), bench.users_a_round(), bench.home().path("minimal.db"));
    let stage = bench.large()?;
    eprintln!("filling the minimal schema");
    let minimal = Minimal::fill(&file, stage.twin())?;
    let mut work = Work { stage, minimal, rows: Stored::default() };
    let [mut ours, raw, minimal] = alternate(
        NAME,
        rounds,
        &mut work,
        [
            &mut |work| work.stage.upsert(users, 100, CONNECTIONS),
            &mut |work| {
                work.rows = work.stage.missing()?;
                work.stage.twin().write(&work.rows, TRANSACTION)
            },
            &mut |work| work.minimal.write(&work.rows, TRANSACTION),
        ],
    )?;
    work.stage.check_twin()?;
    let line = |name: &str, floor, figures| Line {
        row: Row::UpsertHundred,
        name: name.to_owned(),
        floor,
        figures: Ok(figures),
    };
    Ok(vec![
        line(NAME, FLOOR, Figures::rates(&mut ours, &raw, "users/s")),
        line(
            "  the same beside a minimal schema",
            Floor::Ratio(0.25),
            Figures::rates(&mut ours, &minimal, "users/s"),
        ),
    ])
}
