//! A client's connection that stays open from one request to the next, and that outlives the server: when the server
//! goes away there is no reply, which is no failure here.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use headwater_testkit::{KEY, SECRET, server_token};
use serde_json::Value;

/// How long a reply may take. Generous, since tests run beside builds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection of the app's back end.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    token: String,
}

/// Status and body of a reply.
pub(crate) type Reply = (u16, Value);

impl Connection {
    /// Connects to a server, which need not be there any more.
    pub(crate) fn open(server: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(server).ok()?;
        // A request is written at once; waiting for more would only delay it.
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        Some(Self { stream: BufReader::new(stream), token: server_token(SECRET) })
    }

    /// Sends a request and answers the reply; `None` when the connection ends before there is a whole one.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: &Value) -> Option<Reply> {
        let (body, token) = (body.to_string(), &self.token);
        let separator = if path.contains('?') { '&' } else { '?' };
        let request = format!(
            "{method} {path}{separator}api_key={KEY} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n\
             Stream-Auth-Type: jwt\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).ok()?;
        self.reply()
    }

    fn reply(&mut self) -> Option<Reply> {
        let status = self.line()?.split(' ').nth(1)?.parse().ok()?;
        let mut length = 0;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = value.parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        Some((status, serde_json::from_slice(&body).ok()?))
    }

    /// The next line, without its end, which has to have come.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).ok()?;
        line.strip_suffix("\r\n").map(str::to_owned)
    }
}
