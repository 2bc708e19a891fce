//! The table: a line for each figure, with the baseline beside it and the floor that it has to reach.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::rounds::{Latency, Series};
use crate::rows::Row;
use crate::samples::median;

/// One figure, or why there is none.
#[derive(Debug)]
pub(crate) struct Line {
    /// The row it belongs to, which decides where it stands.
    pub(crate) row: Row,
    /// What was measured.
    pub(crate) name: String,
    /// What it is to reach.
    pub(crate) floor: Floor,
    /// What it reached, or why it could not be measured.
    pub(crate) figures: Result<Figures, String>,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    /// Ours.
    pub(crate) figure: f64,
    /// The same of the baseline; none where nothing can be set beside it.
    pub(crate) baseline: Option<f64>,
    /// Ours by the baseline's.
    pub(crate) ratio: Option<f64>,
    /// What both are counted in.
    pub(crate) unit: &'static str,
    /// How long single calls of ours took.
    pub(crate) latency: Option<Latency>,
}

impl Figures {
    /// A figure without a baseline.
    pub(crate) fn alone(figure: f64, unit: &'static str, latency: Option<Latency>) -> Self {
        Self { figure, baseline: None, ratio: None, unit, latency }
    }

    /// Medians of what the rounds gave for ours and for the baseline. The ratio is the median of the ratios of the
    /// rounds: a round has both under the same conditions, which another may not have had.
    pub(crate) fn of_rounds(
        ours: &[f64],
        baseline: &[f64],
        unit: &'static str,
        latency: Option<Latency>,
    ) -> Self {
        let ratios = ours.iter().zip(baseline).map(|(ours, baseline)| ours / baseline).collect();
        Self {
            figure: median(ours.to_vec()).unwrap_or(f64::NAN),
            baseline: median(baseline.to_vec()),
            ratio: median(ratios),
            unit,
            latency,
        }
    }

    /// [`Figures::of_rounds`] for rates.
    pub(crate) fn rates(ours: &mut Series, baseline: &Series, unit: &'static str) -> Self {
        let latency = ours.latency();
        Self::of_rounds(ours.rates(), baseline.rates(), unit, latency)
    }
}

/// What a line is to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Floor {
    /// The ratio is at least this.
    Ratio(f64),
    /// The ratio is at most this: both are growths.
    Growth(f64),
    /// The figure is at most this.
    Figure(f64),
    /// The 99th percentile is at most so many milliseconds.
    P99(f64),
}

impl Floor {
    /// Whether figures reach it. A figure that is no number reaches nothing.
    fn is_reached(self, figures: &Figures) -> bool {
        match self {
            Self::Ratio(least) => figures.ratio.is_some_and(|ratio| ratio >= least),
            Self::Growth(most) => figures.ratio.is_some_and(|ratio| ratio <= most),
            Self::Figure(most) => figures.figure <= most,
            Self::P99(most) => figures.latency.is_some_and(|latency| latency.p99 <= most),
        }
    }

    fn number(self) -> f64 {
        match self {
            Self::Ratio(number) | Self::Growth(number) | Self::Figure(number) | Self::P99(number) => number,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Ratio(least) => format!("ratio >= {least}"),
            Self::Growth(most) => format!("ratio <= {most}"),
            Self::Figure(most) => format!("figure <= {most}"),
            Self::P99(most) => format!("p99 <= {most} ms"),
        }
    }
}

/// The lines as a table for people.
pub(crate) fn table(users: u64, lines: &[Line]) -> String {
    let head = [format!("{} users", grouped(&users.to_string())), "figure".to_owned(), "baseline".to_owned()];
    let mut rows =
        vec![head.into_iter().chain(["ratio", "floor", "p50 ms", "p99 ms", ""].map(str::to_owned)).collect()];
    rows.extend(lines.iter().map(cells));
    let width = |column: usize| rows.iter().map(|row: &Vec<String>| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..rows[0].len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for (row, line) in rows.iter().zip(std::iter::once(None).chain(lines.iter().map(Some))) {
        let mut printed = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            // Words begin and numbers end at their place. Writing to a String cannot fail.
            let _ = if matches!(column, 0 | 4 | 7) {
                write!(printed, "{cell:<width$}  ")
            } else {
                write!(printed, "{cell:>width$}  ")
            };
        }
        text += printed.trim_end();
        text.push('\n');
        if let Some(Err(why)) = line.map(|line| &line.figures) {
            text += &format!("    not measured: {why}\n");
        }
    }
    text
}

fn cells(line: &Line) -> Vec<String> {
    let mut cells = vec![line.name.clone()];
    match &line.figures {
        Ok(figures) => {
            let number = |value: Option<f64>| value.map(number).unwrap_or_default();
            let latency = |choose: fn(Latency) -> f64| number(figures.latency.map(choose));
            cells.push(format!("{} {}", number(Some(figures.figure)), figures.unit));
            cells.push(number(figures.baseline));
            cells.push(number(figures.ratio));
            cells.push(line.floor.text());
            cells.push(latency(|latency| latency.p50));
            cells.push(latency(|latency| latency.p99));
            cells.push(if line.floor.is_reached(figures) { "" } else { "missed" }.to_owned());
        }
        Err(_) => {
            cells.extend(["", "", ""].map(str::to_owned));
            cells.push(line.floor.text());
            cells.extend(["", "", "missed"].map(str::to_owned));
        }
    }
    cells
}

/// The lines as JSON for programs.
pub(crate) fn json(lines: &[Line]) -> String {
    let rows: Vec<Value> = lines.iter().map(row).collect();
    let mut text = serde_json::to_string_pretty(&json!({ "rows": rows })).unwrap_or_default();
    text.push('\n');
    text
}

fn row(line: &Line) -> Value {
    let figures = line.figures.as_ref().ok();
    let latency = figures.and_then(|figures| figures.latency);
    let mut row = json!({
        "name": line.name,
        "figure": figures.map(|figures| figures.figure),
        "baseline": figures.and_then(|figures| figures.baseline),
        "ratio": figures.and_then(|figures| figures.ratio),
        "floor": line.floor.number(),
        "p50_ms": latency.map(|latency| latency.p50),
        "p99_ms": latency.map(|latency| latency.p99),
        "unit": figures.map(|figures| figures.unit),
        "floor_is": line.floor.text(),
        "reached": figures.is_some_and(|figures| line.floor.is_reached(figures)),
    });
    if let Err(why) = &line.figures {
        row["not_measured"] = why.as_str().into();
    }
    row
}

/// Three digits or more.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => grouped(&format!("{value:.0}")),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: Latency = Latency { p50: 1.25, p99: 12.5 };

    fn lines() -> Vec<Line> {
        let line =
            |name: &str, floor, figures| Line { row: Row::UpsertOne, name: name.to_owned(), floor, figures };
        let figures =
            Figures::of_rounds(&[10_000.0, 12_345.6, 13_000.0], &[20_000.0], "users/s", Some(LATENCY));
        let start = Figures::alone(101.0, "ms", None);
        vec![
            line("upsert", Floor::Ratio(0.5), Ok(figures)),
            line("start", Floor::Figure(100.0), Ok(start)),
            line("search", Floor::P99(20.0), Err("refused with 400: no".to_owned())),
        ]
    }

    #[test]
    fn the_table_says_what_was_missed_and_why() {
        assert_eq!(
            table(1_000_000, &lines()),
            "\
1,000,000 users          figure  baseline  ratio  floor          p50 ms  p99 ms
upsert           12,346 users/s    20,000   0.50  ratio >= 0.5     1.25    12.5
start                    101 ms                   figure <= 100                  missed
search                                            p99 <= 20 ms                   missed
    not measured: refused with 400: no
"
        );
    }

    #[test]
    fn json_has_the_same_keys_for_every_row() {
        let table: Value = serde_json::from_str(&json(&lines())).unwrap();
        for row in table["rows"].as_array().unwrap() {
            for key in ["name", "figure", "baseline", "ratio", "floor", "p50_ms", "p99_ms"] {
                assert!(row.get(key).is_some(), "{key}");
            }
        }
        assert_eq!(table["rows"][0]["floor"], 0.5);
        assert_eq!(table["rows"][1]["reached"], false);
        assert_eq!(table["rows"][2]["not_measured"], "refused with 400: no");
    }

    #[test]
    fn each_kind_of_floor_looks_at_its_own_number() {
        let figures = Figures::of_rounds(&[50.0], &[40.0], "", Some(LATENCY));
        for (floor, reached) in [
            (Floor::Ratio(1.25), true),
            (Floor::Ratio(1.26), false),
            (Floor::Growth(1.25), true),
            (Floor::Growth(1.2), false),
            (Floor::Figure(50.0), true),
            (Floor::Figure(49.0), false),
            (Floor::P99(12.5), true),
            (Floor::P99(12.0), false),
        ] {
            assert_eq!(floor.is_reached(&figures), reached, "{floor:?}");
        }
        let none = Figures::alone(f64::NAN, "", None);
        for floor in [Floor::Ratio(0.0), Floor::Growth(9.0), Floor::Figure(9.0), Floor::P99(9.0)] {
            assert!(!floor.is_reached(&none), "{floor:?}");
        }
    }
}
