//! Times and durations in their written forms.

use std::time::Duration;

use model::Timestamp;

/// RFC 3339 text with up to nine fraction digits and any offset (v2 1.9).
pub(crate) fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(moment.as_nanosecond()).ok().map(Timestamp::from_nanoseconds)
}

/// The time of a v2 answer: whole nanoseconds, never through a float (v2 1.9).
#[must_use]
pub fn timestamp(moment: Timestamp) -> i64 {
    moment.nanoseconds()
}

/// How long a request took, as text with a unit (v2 1.6).
#[must_use]
pub fn duration(taken: Duration) -> String {
    format!("{:.2}ms", taken.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_nanosecond() {
        for (text, nanoseconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2024-01-02T03:04:05.678901234+01:00", 1_704_161_045_678_901_234),
            ("2024-01-02t02:04:05.6z", 1_704_161_045_600_000_000),
            ("1969-12-31T23:59:59.999999999Z", -1),
        ] {
            assert_eq!(parse_timestamp(text), Some(Timestamp::from_nanoseconds(nanoseconds)), "{text}");
        }
        for text in
            ["", "2024-01-02", "2024-01-02T03:04:05", "9999-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "x"]
        {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration(Duration::from_micros(1234)), "1.23ms");
        assert_eq!(duration(Duration::ZERO), "0.00ms");
    }
}
