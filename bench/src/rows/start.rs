//! How soon a started server is ready, and how much memory it holds when idle, empty and loaded; beside a bare server.

use std::thread;
use std::time::Duration;

use super::Row;
use crate::bench::{Bench, start_hello};
use crate::child::Child;
use crate::failure::Failure;
use crate::report::{Figures, Floor, Line};

pub(super) const NAME: &str = "start to ready";
pub(super) const FLOOR: Floor = Floor::Figure(100.0);

/// How long a server is left alone before its memory is looked at.
const IDLE: Duration = Duration::from_secs(3);

/// What the starts of one program gave.
#[derive(Default)]
struct Starts {
    milliseconds: Vec<f64>,
    megabytes: Vec<f64>,
}

impl Starts {
    fn add(&mut self, child: &Child) {
        self.milliseconds.push(child.ready_after().as_secs_f64() * 1000.0);
    }

    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    fn weigh(&mut self, child: &Child) -> Result<(), Failure> {
        self.megabytes.push(child.resident_bytes()? as f64 / 1e6);
        Ok(())
    }
}

pub(super) fn measure(bench: &mut Bench) -> Result<Vec<Line>, Failure> {
    let (users, rounds) = (bench.users(), bench.rounds());
    let (mut loaded, mut empty, mut bare) = (Starts::default(), Starts::default(), Starts::default());
    for round in 1..=rounds {
        let command = bench.empty_server(format!("empty-{round}"));
        let (stage, home) = bench.large_at_home()?;
        let hello = start_hello(home)?;
        let fresh = command.start(home)?;
        let server = stage.restart(home)?;
        bare.add(&hello);
        empty.add(&fresh);
        loaded.add(server);
        eprintln!(
            "{NAME}, round {round} of {rounds}: {:.1?}, {:.1?}",
            server.ready_after(),
            fresh.ready_after()
        );
        if round == rounds {
            thread::sleep(IDLE);
            bare.weigh(&hello)?;
            empty.weigh(&fresh)?;
            loaded.weigh(server)?;
        }
        fresh.stop()?;
    }
    let line = |name: String, floor, ours: &[f64], bare: &[f64], unit| {
        let figures = Ok(Figures::of_rounds(ours, bare, unit, None));
        Line { row: Row::Start, name, floor, figures }
    };
    let memory = Floor::Figure(30.0);
    Ok(vec![
        line(format!("{NAME}, {users} users"), FLOOR, &loaded.milliseconds, &bare.milliseconds, "ms"),
        line(format!("{NAME}, no data"), FLOOR, &empty.milliseconds, &bare.milliseconds, "ms"),
        line(format!("memory when idle, {users} users"), memory, &loaded.megabytes, &bare.megabytes, "MB"),
        line("memory when idle, no data".to_owned(), memory, &empty.megabytes, &bare.megabytes, "MB"),
    ])
}
