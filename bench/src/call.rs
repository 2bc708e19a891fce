//! One call on a connection of its own, with the whole reply: to see that an answer is right before its like are timed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::failure::Failure;
use crate::reply::Head;

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A reply.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The body of a good answer.
    ///
    /// # Errors
    /// With the reason that the server gives, when it refuses.
    pub(crate) fn answer(&self) -> Result<Value, Failure> {
        if self.status < 300 {
            return Ok(serde_json::from_slice(&self.body)?);
        }
        Err(refusal(self.status, &self.body))
    }
}

/// Asks for a path.
pub(crate) fn get(server: SocketAddr, path: &str) -> Result<Reply, Failure> {
    send(server, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
}

/// Sends a request and waits for the reply.
pub(crate) fn send(server: SocketAddr, request: &[u8]) -> Result<Reply, Failure> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut received = Vec::new();
    let mut part = [0; 16 << 10];
    loop {
        if let Some(head) = Head::parse(&received)?.filter(|head| received.len() >= head.whole) {
            return Ok(Reply { status: head.status, body: received[head.head..head.whole].to_vec() });
        }
        match stream.read(&mut part)? {
            0 => return Err("a server closed a connection without a reply".into()),
            count => received.extend_from_slice(&part[..count]),
        }
    }
}

/// A refusal in the words of the server.
pub(crate) fn refusal(status: u16, body: &[u8]) -> Failure {
    let message = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|body| body["message"].as_str().map(str::to_owned))
        .unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    format!("refused with {status}: {message}").into()
}
