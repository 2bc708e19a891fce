//! A request as parts, and as the bytes that are sent. Nothing is checked: parts may be what HTTP does not allow.

use std::fmt;

use headwater_http::RouteInfo;

use super::framing::{Framed, Framing};
use super::samples::{self, Sample};

/// The parts of a request. Segments and the query are percent-encoded already.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) method: String,
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) version: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) framing: Framing,
}

/// What is sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) bytes: Vec<u8>,
    /// How many of the bytes are the request line and the headers.
    pub(super) head: usize,
    pub(super) ending: Ending,
    /// Whether the method is HEAD, whose answers have no body.
    pub(super) is_head: bool,
}

/// What the server can expect after the bytes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nothing: the request is whole, and the next one may follow on the connection.
    Whole,
    /// More, which does not come: the client is gone.
    Cut,
    /// The bytes do not say clearly where the request ends.
    Unclear,
}

impl fmt::Display for Sent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes, {:?}: {}", self.bytes.len(), self.ending, excerpt(&self.bytes))
    }
}

/// The beginning of what may be many bytes, for a person to read.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    const MOST: usize = 3000;
    let cut = if bytes.len() > MOST { " ..." } else { "" };
    format!("{}{cut}", bytes[..bytes.len().min(MOST)].escape_ascii())
}

impl Message {
    /// The request of `sample` without a mutation.
    pub(super) fn new(route: &RouteInfo, sample: &Sample) -> Self {
        let encoded = |(name, value): (String, String)| (encode(&name), encode(&value));
        Self {
            method: route.method.to_owned(),
            segments: sample.segments(route).iter().map(|segment| encode(segment)).collect(),
            query: sample.query().into_iter().map(encoded).collect(),
            version: "HTTP/1.1".to_owned(),
            headers: samples::headers(),
            body: sample.body.as_ref().map(|body| body.to_string().into_bytes()),
            framing: Framing::Length,
        }
    }

    /// The request line and the headers, to the empty line.
    pub(super) fn head(&self, framing: &[(String, String)]) -> Vec<u8> {
        let query: Vec<String> = self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let target = format!("/{}{mark}{}", self.segments.join("/"), query.join("&"));
        let mut head = format!("{} {target} {}\r\n", self.method, self.version);
        for (name, value) in self.headers.iter().chain(framing) {
            head += &format!("{name}: {value}\r\n");
        }
        (head + "\r\n").into_bytes()
    }

    /// The request as it is sent, its head changed by `change`.
    pub(super) fn send(&self, change: impl Fn(&[u8]) -> Vec<u8>) -> Sent {
        let Framed { headers, bytes, ending } = self.framing.apply(self.body.as_deref());
        let head = change(&self.head(&headers));
        Sent { head: head.len(), bytes: [head, bytes].concat(), ending, is_head: self.method == "HEAD" }
    }

    /// The request as it is.
    pub(super) fn whole(&self) -> Sent {
        self.send(<[u8]>::to_vec)
    }
}

/// `text` percent-encoded, all but letters, digits and three signs.
pub(super) fn encode(text: &str) -> String {
    encode_bytes(text.as_bytes())
}

/// `bytes` percent-encoded.
pub(super) fn encode_bytes(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(bytes.len() * 3);
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let [high, low] = [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
            encoded.extend(['%', high, low]);
        }
    }
    encoded
}
