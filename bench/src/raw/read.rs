//! Statements that read, each on as many threads as the store has readers, with nothing done with the rows but
//! looking at every value.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Statement, params_from_iter};

use super::connection::reader;
use crate::failure::Failure;
use crate::rounds::Outcome;
use crate::samples::Samples;

/// The columns of a user that the server reads (storage/src/users.rs), and which users it shows.
pub(crate) const USER: &str = "SELECT users.key, id, name, image, role, teams, teams_role, language, invisible, \
    privacy, custom, created_at, updated_at, deactivated_at, deleted_at, tokens_revoked_before, ban, ban_expires, \
    bypass_moderation, parts FROM ";

/// Runs `statement` for `period` with one set of `parameters` after the other.
pub(crate) fn query(
    file: &Path,
    statement: &str,
    parameters: &[Vec<Value>],
    period: Duration,
) -> Result<Outcome, Failure> {
    let threads = thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 8));
    let read = |number: usize| -> Result<(Samples, Duration), Failure> {
        let connection = reader(file)?;
        let mut statement = connection.prepare(statement)?;
        let mut samples = Samples::default();
        let begin = Instant::now();
        // Each thread begins elsewhere, so that they do not read the same pages in step.
        let first = number * parameters.len() / threads;
        for parameters in parameters.iter().cycle().skip(first) {
            let start = Instant::now();
            if start - begin >= period {
                break;
            }
            look_at_all(&mut statement, parameters)?;
            samples.record(start.elapsed());
        }
        Ok((samples, begin.elapsed()))
    };
    let results: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|number| scope.spawn(move || read(number))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a reader panicked".into())))
            .collect()
    });
    let (mut samples, mut elapsed) = (Samples::default(), Duration::ZERO);
    for result in results {
        let (some, took) = result?;
        samples.extend(&some);
        elapsed = elapsed.max(took);
    }
    Ok(Outcome { done: samples.count(), elapsed, samples })
}

fn look_at_all(statement: &mut Statement<'_>, parameters: &[Value]) -> Result<(), Failure> {
    let columns = statement.column_count();
    let mut rows = statement.query(params_from_iter(parameters))?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            std::hint::black_box::<ValueRef<'_>>(row.get_ref(column)?);
        }
    }
    Ok(())
}
