//! The load generator: a number of connections that each send the next request when they have the reply to the last.
//!
//! One thread on an epoll, two system calls for a call: on a machine that it shares with the server, what it takes is
//! taken from what it measures. It ends by itself, after so many calls, so much time or the first refusal.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::call;
use crate::failure::{Failure, because};
use crate::reply::Head;
use crate::rounds::Outcome;
use crate::samples::Samples;

/// How long all connections may be silent before the server is taken for stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of a reply taken at once; a longer one grows the buffer of its connection.
const BUFFER: usize = 64 << 10;

/// When to stop sending.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// Each request was sent once.
    AllSent,
    /// This much time has gone; requests are repeated as often as that takes.
    Elapsed(Duration),
}

/// Sends `requests` to `server` on `connections` connections, and answers how fast that went.
pub(crate) fn run(
    server: SocketAddr,
    connections: usize,
    requests: &[Vec<u8>],
    until: Until,
) -> Result<Outcome, Failure> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(connections);
    let mut open = (0..connections).map(|_| Connection::open(server)).collect::<Result<Vec<_>, _>>()?;
    for (place, connection) in open.iter_mut().enumerate() {
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut connection.stream, Token(place), interest)?;
    }
    let mut plan = Plan { requests, sent: 0, until, begin: Instant::now() };
    let mut samples = Samples::default();
    let mut end = plan.begin;
    for connection in &mut open {
        connection.send_next(&mut plan, end)?;
    }
    while open.iter().any(|connection| connection.request.is_some()) {
        poll.poll(&mut events, Some(PATIENCE)).or_else(|error| match error.kind() {
            ErrorKind::Interrupted => Ok(()),
            _ => Err(error),
        })?;
        if events.is_empty() && end.elapsed() > PATIENCE {
            return Err(format!("no reply for {} s", PATIENCE.as_secs()).into());
        }
        for event in &events {
            let connection = &mut open[event.token().0];
            if connection.go_on()? {
                end = Instant::now();
                samples.record(end - connection.sent_at);
                connection.send_next(&mut plan, end)?;
            }
        }
    }
    Ok(Outcome { done: samples.count(), elapsed: end - plan.begin, samples })
}

/// Which request is next.
struct Plan<'r> {
    requests: &'r [Vec<u8>],
    sent: usize,
    until: Until,
    begin: Instant,
}

impl<'r> Plan<'r> {
    fn next(&mut self, now: Instant) -> Option<&'r [u8]> {
        let over = match self.until {
            Until::AllSent => self.sent >= self.requests.len(),
            Until::Elapsed(time) => now - self.begin >= time,
        };
        if over {
            return None;
        }
        let request = self.requests.get(self.sent % self.requests.len())?;
        self.sent += 1;
        Some(request)
    }
}

/// A connection and the call on it.
struct Connection<'r> {
    stream: TcpStream,
    /// What is being sent or was sent; `None` when there is nothing more to do.
    request: Option<&'r [u8]>,
    written: usize,
    sent_at: Instant,
    buffer: Vec<u8>,
    received: usize,
    head: Option<Head>,
}

impl<'r> Connection<'r> {
    fn open(server: SocketAddr) -> Result<Self, Failure> {
        let stream = std::net::TcpStream::connect(server).map_err(because("cannot connect"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(stream),
            request: None,
            written: 0,
            sent_at: Instant::now(),
            buffer: vec![0; BUFFER],
            received: 0,
            head: None,
        })
    }

    fn send_next(&mut self, plan: &mut Plan<'r>, now: Instant) -> Result<(), Failure> {
        self.request = plan.next(now);
        (self.written, self.received, self.head, self.sent_at) = (0, 0, None, now);
        self.write()
    }

    /// Writes what the socket takes.
    fn write(&mut self) -> Result<(), Failure> {
        let Some(request) = self.request else { return Ok(()) };
        while self.written < request.len() {
            match self.stream.write(&request[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(because("cannot send")(error)),
            }
        }
        Ok(())
    }

    /// Does what the socket allows. Answers whether the reply is complete.
    fn go_on(&mut self) -> Result<bool, Failure> {
        self.write()?;
        if self.request.is_none() {
            return Ok(false);
        }
        loop {
            match self.stream.read(&mut self.buffer[self.received..]) {
                Ok(0) => return Err("the server closed a connection".into()),
                Ok(count) => self.received += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(because("cannot receive")(error)),
            }
            if self.is_complete()? {
                return Ok(true);
            }
        }
    }

    fn is_complete(&mut self) -> Result<bool, Failure> {
        if self.head.is_none() {
            self.head = Head::parse(&self.buffer[..self.received])?;
        }
        let Some(head) = self.head else { return Ok(false) };
        if self.buffer.len() < head.whole {
            self.buffer.resize(head.whole, 0);
        }
        if self.received < head.whole {
            return Ok(false);
        }
        if head.status >= 300 {
            return Err(call::refusal(head.status, &self.buffer[head.head..head.whole]));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server that answers every line that ends a head with `parts`, one write each. It ends with the test.
    fn server(parts: &'static [&'static str]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    let mut received = [0; 1024];
                    while stream.read(&mut received).is_ok_and(|count| count > 0) {
                        for part in parts {
                            stream.write_all(part.as_bytes()).unwrap();
                            thread::sleep(Duration::from_millis(1));
                        }
                    }
                });
            }
        });
        address
    }

    fn requests(count: usize) -> Vec<Vec<u8>> {
        vec![b"GET / HTTP/1.1\r\n\r\n".to_vec(); count]
    }

    #[test]
    fn each_request_is_sent_once() {
        let server = server(&["HTTP/1.1 200 OK\r\nContent-", "Length: 5\r\n\r\nhe", "llo"]);
        let outcome = run(server, 3, &requests(10), Until::AllSent).unwrap();
        assert_eq!((outcome.done, outcome.samples.count()), (10, 10));
        assert_eq!(run(server, 3, &requests(1), Until::AllSent).unwrap().done, 1);
    }

    #[test]
    fn requests_are_repeated_for_a_time() {
        let server = server(&["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]);
        let outcome = run(server, 2, &requests(1), Until::Elapsed(Duration::from_millis(50))).unwrap();
        assert!(outcome.done > 2 && outcome.elapsed >= Duration::from_millis(50), "{outcome:?}");
    }

    #[test]
    fn a_refusal_ends_it() {
        let server =
            server(&["HTTP/1.1 400 Bad Request\r\nContent-Length: 17\r\n\r\n", r#"{"message": "no"}"#]);
        let failure = run(server, 2, &requests(10), Until::AllSent).unwrap_err();
        assert_eq!(failure.to_string(), "refused with 400: no");
    }

    #[test]
    fn a_server_that_goes_away_ends_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || drop(listener.accept()));
        assert!(run(address, 1, &requests(1), Until::AllSent).is_err());
    }
}
