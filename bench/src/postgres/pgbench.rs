//! Runs of pgbench, and what they say of themselves.

use std::path::PathBuf;
use std::time::Duration;

use super::{Postgres, said};
use crate::failure::Failure;
use crate::rounds::Outcome;
use crate::samples::Samples;

/// Connections of pgbench, and as many of the server of each kind: its `--database-connections`.
pub(crate) const CONNECTIONS: u64 = 10;

/// How much is run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Amount {
    /// So many scripts on each connection.
    Scripts(u64),
    /// So much time.
    Time(Duration),
}

/// Runs `scripts` in random order on [`CONNECTIONS`] connections to `database`. A script does `each` of what is counted.
pub(super) fn run(
    postgres: &Postgres,
    database: &str,
    scripts: &[PathBuf],
    amount: Amount,
    each: u64,
) -> Result<Outcome, Failure> {
    let mut command = postgres.program("pgbench");
    // A client that computes on one thread would be the slower half on a machine with more cores.
    command.args(["--no-vacuum", "--jobs=2", "--protocol=simple", "--define=ready=0"]);
    command.arg(format!("--client={CONNECTIONS}"));
    match amount {
        Amount::Scripts(count) => command.arg(format!("--transactions={count}")),
        Amount::Time(time) => command.arg(format!("--time={}", time.as_secs().max(1))),
    };
    for script in scripts {
        command.arg("--file").arg(script);
    }
    command.arg(postgres.address.of(database));
    outcome(&said(command)?, each)
}

/// What the report says, without the time in which the connections were made.
fn outcome(report: &str, each: u64) -> Result<Outcome, Failure> {
    let number = |line: &str| {
        let rest = report.lines().find_map(|known| known.strip_prefix(line))?;
        rest.split([' ', '/']).next()?.parse::<f64>().ok()
    };
    let incomprehensible = || Failure::from(format!("pgbench says what the bench does not know: {report}"));
    let failed = number("number of failed transactions: ").unwrap_or(0.0);
    if failed > 0.0 {
        return Err(format!("{failed} transactions of pgbench failed").into());
    }
    let scripts = number("number of transactions actually processed: ").ok_or_else(incomprehensible)?;
    let rate = number("tps = ").filter(|rate| *rate > 0.0).ok_or_else(incomprehensible)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let done = usize::try_from(scripts as u64 * each)?;
    Ok(Outcome { done, elapsed: Duration::from_secs_f64(scripts / rate), samples: Samples::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_understood() {
        let report = "scaling factor: 1\nnumber of transactions actually processed: 20/20\n\
                      number of failed transactions: 0 (0.000%)\nlatency average = 1 ms\n\
                      tps = 10.000000 (without initial connection time)\n";
        let outcome = super::outcome(report, 100).unwrap();
        assert_eq!((outcome.done, outcome.elapsed), (2000, Duration::from_secs(2)));
        assert!(super::outcome(&report.replace("ions: 0", "ions: 1"), 1).is_err());
        assert!(super::outcome("", 1).is_err());
    }
}
