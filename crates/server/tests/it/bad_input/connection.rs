//! A connection that sends exactly the bytes it is given, kept open while both sides agree on where messages end.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::message::{Ending, Sent, excerpt};

/// The longest that a request may take; more is a hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a request whose end is unclear may stay without an answer before the server is told that no more comes.
const BREATH: Duration = Duration::from_millis(100);

/// What came back.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Reply(Reply),
    /// The server closed the connection without a word.
    Silence,
}

impl Answer {
    /// The status, when there was a word.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Reply(reply) => Some(reply.status),
            Self::Silence => None,
        }
    }
}

impl Answer {
    /// The task that the request has started.
    pub(super) fn task(&self) -> Option<String> {
        let Self::Reply(reply) = self else { return None };
        let body: Value = serde_json::from_slice(&reply.body).ok()?;
        body.get("task_id")?.as_str().map(str::to_owned)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(reply) => write!(formatter, "answer {}: {}", reply.status, excerpt(&reply.body)),
            Self::Silence => formatter.write_str("no answer"),
        }
    }
}

/// A response.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// A header by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn parse_head(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
        let headers = lines.map(|line| line.split_once(':')).collect::<Option<Vec<_>>>()?;
        let headers = headers.iter().map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        Some(Self { status, headers: headers.collect(), body: Vec::new() })
    }
}

/// A client with at most one connection.
#[derive(Debug)]
pub(super) struct Client {
    server: SocketAddr,
    kept: Option<TcpStream>,
}

impl Client {
    pub(super) fn new(server: SocketAddr) -> Self {
        Self { server, kept: None }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// When the server hangs, or what it sends is not HTTP.
    pub(super) fn send(&mut self, sent: &Sent) -> Result<Answer, String> {
        if let Some(stream) = self.kept.take()
            && sent.ending == Ending::Whole
        {
            // A server may close a connection that nothing runs on at any time: then another one is tried.
            match self.exchange(stream, sent)? {
                Answer::Silence => {}
                answer => return Ok(answer),
            }
        }
        let stream = TcpStream::connect(self.server).map_err(|error| format!("cannot connect: {error}"))?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
        self.exchange(stream, sent)
    }

    fn exchange(&mut self, mut stream: TcpStream, sent: &Sent) -> Result<Answer, String> {
        // The server may answer and close before it has read everything; what counts is the answer.
        let written = stream.write_all(&sent.bytes).is_ok();
        if sent.ending == Ending::Cut {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let mut received = Received { stream: &mut stream, bytes: Vec::new(), ended: false };
        if sent.ending == Ending::Unclear && !received.within(BREATH)? {
            let _ = received.stream.shutdown(Shutdown::Write);
        }
        let answer = received.answer(sent.is_head)?;
        let clean = !received.ended && received.bytes.is_empty();
        if let Answer::Reply(reply) = &answer
            && clean
            && written
            && sent.ending == Ending::Whole
            && reply.status != 413
            && reply.header("connection") != Some("close")
        {
            self.kept = Some(stream);
        }
        Ok(answer)
    }
}

/// What has come and was not read yet.
struct Received<'a> {
    stream: &'a mut TcpStream,
    bytes: Vec<u8>,
    ended: bool,
}

impl Received<'_> {
    fn answer(&mut self, is_head: bool) -> Result<Answer, String> {
        loop {
            let Some(end) = self.find(b"\r\n\r\n")? else {
                return match self.bytes.is_empty() {
                    true => Ok(Answer::Silence),
                    false => Err(format!("half an answer: {:?}", String::from_utf8_lossy(&self.bytes))),
                };
            };
            let head: Vec<u8> = self.bytes.drain(..end + 4).collect();
            let head = String::from_utf8_lossy(&head[..end]).into_owned();
            let mut reply = Reply::parse_head(&head).ok_or_else(|| format!("not HTTP: {head:?}"))?;
            if reply.status < 200 {
                continue;
            }
            if !is_head && reply.status != 204 {
                let length = reply.header("content-length").and_then(|length| length.parse().ok());
                let length = length.ok_or_else(|| format!("an answer without a length: {head:?}"))?;
                while self.bytes.len() < length {
                    if !self.more()? {
                        return Err(format!("an answer that is cut: {head:?}"));
                    }
                }
                reply.body = self.bytes.drain(..length).collect();
            }
            return Ok(Answer::Reply(reply));
        }
    }

    /// The place of `wanted`, or `None` when the stream ends before it.
    fn find(&mut self, wanted: &[u8]) -> Result<Option<usize>, String> {
        loop {
            if let Some(place) = self.bytes.windows(wanted.len()).position(|window| window == wanted) {
                return Ok(Some(place));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Waits for bytes. Answers whether there were any before the end.
    fn more(&mut self) -> Result<bool, String> {
        match self.within(PATIENCE)? {
            true => Ok(!self.ended),
            false => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }

    /// Waits for bytes or the end. Answers whether either came.
    fn within(&mut self, patience: Duration) -> Result<bool, String> {
        if self.ended {
            return Ok(true);
        }
        self.stream.set_read_timeout(Some(patience)).map_err(|error| error.to_string())?;
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.ended = true,
            Ok(count) => self.bytes.extend(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(false);
            }
            // The server closed while we were still sending.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                self.ended = true;
            }
            Err(error) => return Err(format!("cannot read: {error}")),
        }
        Ok(true)
    }
}
