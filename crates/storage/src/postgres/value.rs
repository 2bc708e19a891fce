//! Values on their way to PostgreSQL, in the binary form of whatever type the statement gives a parameter.

use std::error::Error;

use bytes::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::Value;

/// A value as a parameter.
#[derive(Debug)]
pub(super) struct Bound<'v>(pub(super) &'v Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self.0, of) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Integer(value), &Type::INT8) => value.to_sql(of, out),
            (Value::Integer(value), &Type::NUMERIC) => Ok(write_numeric(&value.to_string(), out)),
            (Value::Real(value), &Type::NUMERIC) if value.is_finite() => {
                Ok(write_numeric(&value.to_string(), out))
            }
            (Value::Real(value), &Type::FLOAT8) => value.to_sql(of, out),
            (Value::Text(value), &Type::TEXT | &Type::VARCHAR) => value.to_sql(of, out),
            // The value itself is nobody's business: it may be somebody's name.
            (_, of) => Err(format!("a value does not fit a parameter of type {of}").into()),
        }
    }

    fn accepts(of: &Type) -> bool {
        matches!(*of, Type::INT8 | Type::NUMERIC | Type::FLOAT8 | Type::TEXT | Type::VARCHAR)
    }

    to_sql_checked!();
}

/// Writes a number that is given in decimal digits, with or without a point: groups of four of them.
///
/// A float is given by the fewest digits that tell it from every other float. That keeps the order among floats. It keeps
/// the order among floats and integers as well: a float that is stored as one lies, with its digits, strictly between two
/// neighbouring integers or beyond all that 64 bits hold.
fn write_numeric(text: &str, out: &mut BytesMut) -> IsNull {
    const POSITIVE: u16 = 0x0000;
    const NEGATIVE: u16 = 0x4000;
    let (sign, digits) = text.strip_prefix('-').map_or((POSITIVE, text), |digits| (NEGATIVE, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let padding = |digits: &str| "0".repeat(digits.len().next_multiple_of(4) - digits.len());
    let padded = format!("{}{whole}{fraction}{}", padding(whole), padding(fraction));
    let groups: Vec<u16> = padded
        .as_bytes()
        .chunks(4)
        .map(|group| group.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
        .collect();
    let skipped = groups.iter().take_while(|group| **group == 0).count();
    let end = groups.iter().rposition(|group| *group != 0).map_or(skipped, |last| last + 1);
    let significant = &groups[skipped..end];
    // The power of ten thousand that the first group stands for.
    let weight = (whole.len().div_ceil(4)).wrapping_sub(skipped + 1);
    let mut put = |word: u16| out.extend_from_slice(&word.to_be_bytes());
    put(low_word(significant.len()));
    put(if significant.is_empty() { 0 } else { low_word(weight) });
    put(if significant.is_empty() { POSITIVE } else { sign });
    put(low_word(fraction.len()));
    significant.iter().for_each(|group| put(*group));
    IsNull::No
}

/// No number that is written here has more than a few hundred digits; a negative one keeps its sign.
#[expect(clippy::cast_possible_truncation, reason = "the two lowest bytes are what is meant")]
fn low_word(number: usize) -> u16 {
    number as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads what was written back into decimal digits, so that the test does not repeat the code.
    fn shown(text: &str) -> String {
        let mut out = BytesMut::new();
        write_numeric(text, &mut out);
        let words: Vec<i16> = out.chunks(2).map(|word| i16::from_be_bytes([word[0], word[1]])).collect();
        let [count, weight, sign, scale, ref groups @ ..] = words[..] else { panic!("{words:?}") };
        assert_eq!(groups.len(), usize::try_from(count).unwrap());
        let sign = if sign == 0 { '+' } else { '-' };
        format!("{sign}{groups:?} w{weight} s{scale}")
    }

    #[test]
    fn numbers_are_groups_of_four_digits() {
        for (text, expected) in [
            ("0", "+[] w0 s0"),
            ("1", "+[1] w0 s0"),
            ("-1", "-[1] w0 s0"),
            ("10000", "+[1] w1 s0"),
            ("12345", "+[1, 2345] w1 s0"),
            ("1.5", "+[1, 5000] w0 s1"),
            ("-0.00001", "-[1000] w-2 s5"),
            ("0.25", "+[2500] w-1 s2"),
            ("100000000.5", "+[1, 0, 0, 5000] w2 s1"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
