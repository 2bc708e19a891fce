//! How single values are written: addresses, durations, sizes, limits. Each parser says what it would accept, and
//! none quotes what it refuses: the text may come from a variable that holds a secret by mistake.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use model::Secret;

use crate::nearest::nearest;

/// An IP address and a port.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "must be an IP address and a port, such as 127.0.0.1:3030 or [::1]:3030".to_owned())
}

/// The origin of a URL with nothing behind it but a path: what a client's base URL looks like.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits = |rest: &str| !rest.starts_with(['/', ':']) && !rest.is_empty() && rest.bytes().all(is_plain);
    match rest {
        Some(rest) if fits(rest) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("must be a URL such as https://users.example.com, without a query".to_owned()),
    }
}

/// What may stand in a URL that is printed within single quotes in a command line.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"'\"\\<>?#`".contains(&byte)
}

/// A whole number.
pub(super) fn count(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("must be a whole number from 0 to {}", u32::MAX))
}

/// Seconds, or a number with a unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: &[(&str, u64)] = &[("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60), ("", 1)];
    /// A century. What is longer is a mistake, and arithmetic with times needs no care below it.
    const LONGEST: u64 = 100 * 365 * 24 * 60 * 60;
    scaled(text, UNITS)
        .filter(|seconds| (1..=LONGEST).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| "must be a number of seconds, or a number with s, m, h or d, such as 24h".to_owned())
}

/// A duration that somebody waits for.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_hours(1);
    let timeout = duration(text)?;
    if timeout > LONGEST {
        return Err("must be at most 1h".to_owned());
    }
    Ok(timeout)
}

/// Bytes, or a number with a unit.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: &[(&str, u64)] = &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
    scaled(text, UNITS)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "must be a number of bytes, or a number with KiB, MiB or GiB, such as 5MiB".to_owned())
}

/// A whole number times the unit behind it. The unit without a name comes last: every text ends with it.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, factor) =
        units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    // `u64::from_str` takes a sign.
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// What must not be quoted is taken as it is, and checked where no message repeats it.
pub(crate) fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text.to_owned()))
}

/// The calls a minute that an operation has, written `NAME=N`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RateLimit {
    /// The name of the operation.
    pub(crate) operation: &'static str,
    /// The calls a minute.
    pub(crate) calls: u32,
}

impl FromStr for RateLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "must be the name of an operation and a number, such as QueryUsers=1000".to_owned();
        let (name, calls) = text.split_once('=').ok_or_else(form)?;
        let calls = calls.parse().map_err(|_| form())?;
        match headwater_http::operation_names().find(|operation| *operation == name) {
            Some(operation) => Ok(Self { operation, calls }),
            None => Err(match nearest(name, headwater_http::operation_names()) {
                Some(near) => format!("there is no such operation, did you mean {near}?"),
                None => format!("there is no such operation; there are {}", all_operations()),
            }),
        }
    }
}

fn all_operations() -> String {
    headwater_http::operation_names().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: PartialEq + std::fmt::Debug>(
        parse: impl Fn(&str) -> Result<T, String>,
        good: &[(&str, T)],
        bad: &[&str],
    ) {
        for (text, expected) in good {
            assert_eq!(parse(text).as_ref(), Ok(expected), "{text}");
        }
        for text in bad {
            let refusal = parse(text).unwrap_err();
            assert!(refusal.starts_with("must be ") || refusal.starts_with("there is no "), "{refusal}");
        }
    }

    #[test]
    fn durations_have_units() {
        let seconds = Duration::from_secs;
        check(
            duration,
            &[("30", seconds(30)), ("30s", seconds(30)), ("2m", seconds(120)), ("30d", seconds(2_592_000))],
            &["", "0", "s", "-1", "+1", "1.5", "1w", "h1", "36501d", "18446744073709551615d", " 1"],
        );
        check(timeout, &[("1h", seconds(3600))], &["2h", "0", "x"]);
    }

    #[test]
    fn sizes_have_units() {
        check(
            bytes,
            &[("1", 1), ("5MiB", 5 << 20), ("10GiB", 10 << 30), ("2KiB", 2048)],
            &["", "0", "5MB", "5mib", "-5", "20000000000GiB"],
        );
    }

    #[test]
    fn counts_are_whole_numbers() {
        check(count, &[("0", 0), ("1000", 1000)], &["", "-1", "1.5", "4294967296"]);
    }

    #[test]
    fn addresses_have_a_port() {
        check(
            address,
            &[("127.0.0.1:0", SocketAddr::from(([127, 0, 0, 1], 0)))],
            &["", "localhost:1", "127.0.0.1", ":3030", "::1:3030x", "127.0.0.1:70000"],
        );
    }

    #[test]
    fn origins_are_urls_without_a_query() {
        let kept = |text: &str| (text.to_owned(), text.trim_end_matches('/').to_owned());
        let good = [kept("https://a.example"), kept("http://a:8080/"), kept("https://a/base/")];
        let good: Vec<(&str, String)> = good.iter().map(|(text, origin)| (&**text, origin.clone())).collect();
        check(
            origin,
            &good,
            &["", "a.example", "ftp://a", "https://", "https:///x", "http://a?b", "http://a'b", "http://a b"],
        );
    }

    #[test]
    fn limits_name_an_operation() {
        check(
            str::parse::<RateLimit>,
            &[("QueryUsers=5", RateLimit { operation: "QueryUsers", calls: 5 })],
            &["", "QueryUsers", "QueryUsers=", "QueryUsers=-1", "QueryUsers=1.5", "Zebra=1", "=1"],
        );
        let refusal = "queryUser=1".parse::<RateLimit>().unwrap_err();
        assert!(refusal.ends_with("did you mean QueryUsers?"), "{refusal}");
    }
}
