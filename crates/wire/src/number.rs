//! Times and durations in their written forms.

use std::time::Duration;

use model::Timestamp;

/// RFC 3339 text with up to nine fraction digits and any offset (v2 1.9).
pub(crate) fn parse_timestamp(text: &str) -> Option<Timestamp> {
    if !is_rfc3339(text) {
        return None;
    }
    let moment: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(moment.as_nanosecond()).ok().map(Timestamp::from_nanoseconds)
}

/// The library reads more than RFC 3339: zones by name, minutes left out, signs left out.
fn is_rfc3339(text: &str) -> bool {
    let Some((local, rest)) = text.as_bytes().split_at_checked(19) else { return false };
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    let fraction = rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
    let offset = match rest {
        [b'.', ..] if (1..=9).contains(&fraction) => &rest[1 + fraction..],
        rest => rest,
    };
    let local_reads = b"dddd-dd-ddTdd:dd:dd".iter().zip(local).all(|(pattern, byte)| match pattern {
        b'd' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't' | b' '),
        other => byte == other,
    });
    let offset_reads = match offset {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', hours @ .., b':', ten, one] => {
            hours.len() == 2 && digits(hours) && digits(&[*ten, *one])
        }
        _ => false,
    };
    local_reads && offset_reads && &local[17..] != b"60"
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
        for text in [
            "",
            "2024-01-02",
            "2024-01-02T03:04:05",
            "9999-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "20240102T030405Z",
            "2024-01-02T03Z",
            "2024-01-02T03:04:05+01",
            "2024-01-02T03:04:05Z[Europe/Berlin]",
            "2024-01-02T03:04:60Z",
            "2024-01-02T03:04:05.Z",
            "x",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration(Duration::from_micros(1234)), "1.23ms");
        assert_eq!(duration(Duration::ZERO), "0.00ms");
    }
}
