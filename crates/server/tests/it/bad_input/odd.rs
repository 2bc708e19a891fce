//! Values at which programs break, as plain lists. To try another value everywhere, add it to its list.
//!
//! The formatter leaves the lists alone: it would give each value a line.

use proptest::prelude::*;
use proptest::sample::select;

/// JSON values and near misses, as they are written.
#[rustfmt::skip]
pub(super) const TOKENS: &[&str] = &[
    "null", "true", "false", "True", "nul", "undefined", "", "''", "-", "+1", "01", ".5", "1.", "0x10", "1_000",
    "NaN", "Infinity", "-Infinity",
    // Whole numbers at the bounds of the limits here and of 8, 16, 32, 53 and 64 bits.
    "0", "-0", "1", "-1", "2", "99", "100", "101", "250", "251", "255", "256", "1000", "1001", "5120", "65536",
    "2147483647", "2147483648", "-2147483649", "4294967295", "4294967296", "9007199254740991", "9007199254740993",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "18446744073709551615", "18446744073709551616", "123456789012345678901234567890",
    // Floating point.
    "0.1", "-0.0", "1.0", "1e0", "1E+2", "1e400", "-1e400", "1e-400", "1.7976931348623157e308", "1.8e308",
    "4.9e-324", "1e99999999999999999999", "1.00000000000000000000000001", "9.223372036854775807e18",
    // Strings that JSON cannot hold, or only escaped.
    r#""\u0000""#, r#""a\u0000b""#, r#""\ud800""#, r#""\udc00""#, r#""\udc00\ud800""#, r#""\ud800\u0041""#,
    r#""\ud83d\ude00""#, r#""\u12""#, r#""\x41""#, r#""\""#, "\"open", "\"\n\"", "\"\t\"", "\"\u{1}\"",
    // Arrays and objects, whole and broken.
    "[]", "{}", "[null]", "[[]]", "[{}]", "[1,]", "[1 2]", "[", "]", "{", r#"{"a":1,}"#, r#"{"a"}"#, "{a:1}",
    r#"{"":1}"#, r#"{"a":1,"a":2}"#, r#"{"id":null}"#, r#"{"enabled":null}"#, r#"{"a.b":1}"#, r#"{"\u0000":1}"#,
    r#"{"\ud800":1}"#, r#"{"$in":[]}"#, r#"{"$in":null}"#, r#"{"$eq":null}"#, r#"{"$ne":"a"}"#, r#"{"$or":[{}]}"#,
    r#"{"$where":"1"}"#, r#"{"__proto__":{}}"#, "null null", "null,null", "1//x", "/**/1", "\u{feff}1", "\u{a0}1",
];

/// Texts, before they are written as JSON or percent-encoded.
#[rustfmt::skip]
pub(super) const TEXTS: &[&str] = &[
    "", " ", "a", "A", "alice", "bob", "Alice", "nobody", "!anon", "null", "true", "false", "TRUE", "yes", "0", "1",
    "-1", "1e400", "9223372036854775808", "{}", "[]", "\"", "\\", "a b", "a+b", "a,b", ",", "a.b", ".", "..", "a..b",
    ".a", "a.", "a/b", "/", "../../etc/passwd", "a?b#c", "a&b=c", "a;b", "a|b", "%", "%2", "%zz", "%00", "%c0%80",
    "%ed%a0%80", "$", "$in", "$set", "*", "custom", "custom.", "custom.a", "custom.created_at", "id", "created_at",
    "name.first", "teams_role.red", "teams_role.", "privacy_settings.read_receipts", "privacy_settings.x", "users",
    "__proto__", "en", "EN", "en-GB", "en-gb", "e", "english", "admin", "user", "guest", "captain", "no", "app",
    "keep", "webhook", "GetApp", "UpdateUsers", "' OR 1=1 --", "\"; DROP TABLE users; --",
    "<script>alert(1)</script>", "${jndi:ldap://x}", "%s%n", "{{7*7}}",
    // Control characters.
    "\0", "a\0b", "\u{1}", "\u{1b}[31m", "\u{7f}", "\u{85}", "\r\n", "\r\nX-Injected: 1", "\n", "\t",
    // Unicode: marks, invisible and bidirectional characters, foldings that change length, the last code points.
    "\u{feff}", "\u{200b}", "\u{202e}cba", "\u{2066}a\u{2069}", "e\u{301}", "\u{e9}", "\u{130}", "\u{131}", "\u{df}",
    "\u{1e9e}", "\u{fb03}", "\u{fdfa}", "\u{3a3}\u{3c2}", "\u{ff21}", "\u{2028}", "\u{d7ff}", "\u{e000}", "\u{fffd}",
    "\u{fffe}", "\u{10ffff}", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", "\u{1f1e9}\u{1f1ea}", "\u{5d0}\u{628}",
    // Times at the bounds of what 64 bits of nanoseconds and calendars hold.
    "2024-01-02T03:04:05.678901234Z", "2024-02-30T00:00:00Z", "2016-12-31T23:59:60Z", "2024-01-01",
    "2024-01-01T00:00:00", "2024-01-01T00:00:00+99:99", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    "-009999-01-01T00:00:00Z", "2262-04-11T23:47:16.854775807Z", "2262-04-11T23:47:16.854775808Z",
    "1677-09-21T00:12:43.145224192Z", "1677-09-21T00:12:43.145224191Z",
];

/// Headers that a request may carry and this one does not.
#[rustfmt::skip]
pub(super) const HEADERS: &[(&str, &str)] = &[
    ("Content-Encoding", "gzip"), ("Content-Encoding", "br"), ("Content-Encoding", "gzip, gzip"),
    ("Content-Encoding", "identity"), ("Content-Encoding", ""), ("Content-Encoding", "\u{e9}"),
    ("Content-Length", "0"), ("Content-Length", "-1"), ("Content-Length", "1e3"), ("Content-Length", "1, 1"),
    ("Content-Length", "9223372036854775807"), ("Content-Length", "18446744073709551616"),
    ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "gzip"), ("Transfer-Encoding", "identity"),
    ("Transfer-Encoding", "chunked, chunked"), ("Transfer-Encoding", "chunked, identity"),
    ("Authorization", "x"), ("Stream-Auth-Type", "anonymous"), ("Host", "a"), ("Host", ""), ("Connection", "close"),
    ("Connection", "upgrade"), ("Upgrade", "websocket"), ("Upgrade", "h2c"), ("Expect", "100-continue"),
    ("Expect", "200-ok"), ("Accept", "text/html"), ("Accept-Encoding", "gzip"), ("Accept-Encoding", "gzip;q=x"),
    ("Accept-Encoding", "\u{e9}"), ("X-Forwarded-For", "1.2.3.4"), ("X-Forwarded-For", "nonsense, ::ffff:1.2.3.4"),
    ("X-HTTP-Method-Override", "DELETE"), ("Range", "bytes=0-1"), ("If-None-Match", "*"), ("Cookie", "a=b"),
    ("Origin", "null"), ("Content-Type", "application/xml"), ("X-Request-Id", "\u{1f600}"), (":path", "/x"),
    ("Trailer", "Authorization"), ("TE", "trailers"), ("", "x"), ("a b", "x"), ("X", "folded\r\n line"), ("X\0", "x"),
];

/// Methods, and what stands where one should.
#[rustfmt::skip]
pub(super) const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "Patch", "X",
    "PRI", "G\u{e9}T", "", " ", "GE T", "GET\0", "GET/x",
];

/// What stands where the version of HTTP should.
#[rustfmt::skip]
pub(super) const VERSIONS: &[&str] =
    &["HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3", "http/1.1", "HTTP/1.1 ", "HTTP/", "", "x"];

/// Bodies that are not the JSON that is wanted.
#[rustfmt::skip]
pub(super) const BODIES: &[&[u8]] = &[
    b"", b" ", b"null", b"{}", b"[]", b"0", b"\"x\"", b"{", b"}", b"{}{}", b"{}x", b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0",
    b"\xff", b"{\"a\":\"\xc0\x80\"}", b"{\"a\":\"\xed\xa0\x80\"}", b"{\"a\":\"\xf4\x90\x80\x80\"}", b"\0", b"users=alice",
    b"<users/>", b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n", b"\x1f\x8b", b"PK\x03\x04",
];

/// What long texts are made of.
const REPEATED: &[&str] =
    &["a", " ", "\"", "\\", "a.", "a,", "/", "%00", "\u{e9}", "\u{301}", "\u{fdfa}", "\u{1f600}"];

/// Lengths at the bounds that rules here have.
const LENGTHS: &[usize] =
    &[0, 1, 2, 99, 100, 101, 249, 250, 251, 254, 255, 256, 257, 1000, 1001, 5000, 5100, 5120, 5121, 8192];

/// Lengths around the bound of heads, 64 KiB.
const LONG_LENGTHS: &[usize] = &[60_000, 65_535, 65_537];

/// The most bytes that a body may have, as the server is told: less than by default, since great bodies take long.
pub(super) const BODY_BYTES: usize = 1 << 20;

/// Lengths around the bound of bodies: seldom, since each costs the server many milliseconds.
const GREAT_LENGTHS: &[usize] =
    &[BODY_BYTES / 2, BODY_BYTES - 100, BODY_BYTES, BODY_BYTES + 1, 3 * BODY_BYTES];

/// Depths around the bounds of parsers, and far beyond them.
const DEPTHS: &[usize] =
    &[1, 2, 10, 100, 119, 120, 121, 124, 125, 126, 127, 128, 129, 250, 1000, 10_000, 100_000];

/// How deep.
pub(super) fn depth() -> impl Strategy<Value = usize> {
    select(DEPTHS)
}

/// How long or how many.
pub(super) fn length() -> impl Strategy<Value = usize> {
    prop_oneof![200 => select(LENGTHS), 8 => select(LONG_LENGTHS), 1 => select(GREAT_LENGTHS)]
}

/// A text to put somewhere.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Listed(&'static str),
    /// Something, many times.
    Long(&'static str, usize),
    /// A path of this many names.
    Path(usize),
    Random(String),
}

impl Text {
    pub(super) fn content(&self) -> String {
        match self {
            Self::Listed(text) => (*text).to_owned(),
            Self::Long(piece, count) => piece.repeat(*count),
            Self::Path(count) => vec!["a"; *count].join("."),
            Self::Random(text) => text.clone(),
        }
    }
}

/// Any text.
pub(super) fn text() -> impl Strategy<Value = Text> {
    let long = (select(REPEATED), length());
    let random = proptest::collection::vec(any::<char>(), 0..24);
    prop_oneof![
        18 => select(TEXTS).prop_map(Text::Listed),
        2 => long.prop_map(|(piece, count)| Text::Long(piece, count)),
        2 => depth().prop_map(Text::Path),
        6 => random.prop_map(|characters| Text::Random(characters.into_iter().collect())),
    ]
}
