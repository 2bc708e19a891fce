//! A client that sends exactly the bytes it is told to: what is tested is how the server takes them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a test waits for an answer before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request in the making.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// A request for a target as it stands on the request line, already encoded.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body; its length is sent with it.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The bytes of this request on a connection of its own.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head =
            format!("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend(self.body.iter().flatten());
        bytes
    }

    /// Sends the request and answers the reply.
    ///
    /// # Panics
    /// When the server cannot be reached or its reply is not HTTP.
    #[must_use]
    pub fn send(&self, server: SocketAddr) -> Reply {
        exchange(server, &self.to_bytes())
    }
}

/// Sends `bytes` and reads until the server closes the connection.
///
/// # Panics
/// When the server cannot be reached or its reply is not HTTP.
#[must_use]
#[expect(clippy::expect_used, reason = "a test without a reply has failed")]
pub fn exchange(server: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(server).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    // The server may answer and close before it has read everything.
    let _sent = stream.write_all(bytes);
    let mut received = Vec::new();
    let _end = stream.read_to_end(&mut received);
    Reply::parse(&received)
}

/// What a server replied.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body, put together when it was sent in chunks.
    pub body: Vec<u8>,
}

impl Reply {
    #[expect(clippy::panic, reason = "a test without a reply has failed")]
    fn parse(bytes: &[u8]) -> Self {
        let refuse = || panic!("not a reply: {:?}", String::from_utf8_lossy(bytes));
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or_else(refuse);
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        let reply = Self {
            status: status.unwrap_or_else(|| panic!("no status: {head}")),
            headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
            body: bytes[end + 4..].to_vec(),
        };
        match reply.header("transfer-encoding") {
            Some("chunked") => Self { body: unchunked(&reply.body), ..reply },
            _ => reply,
        }
    }

    /// A header by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    #[expect(clippy::panic, reason = "a test without an answer has failed")]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// Status, code and message of an error.
    #[must_use]
    pub fn refusal(&self) -> (u16, i64, String) {
        let body = self.json();
        let message = body["message"].as_str().unwrap_or_default().to_owned();
        (self.status, body["code"].as_i64().unwrap_or(i64::MIN), message)
    }
}

/// What chunks hold, as far as they have come.
fn unchunked(mut sent: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = sent.windows(2).position(|window| window == b"\r\n") {
        let size =
            std::str::from_utf8(&sent[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let Some(size) = size.filter(|size| *size > 0) else { break };
        let rest = &sent[end + 2..];
        body.extend_from_slice(&rest[..size.min(rest.len())]);
        sent = rest.get(size + 2..).unwrap_or_default();
    }
    body
}
