//! What `strace -f -yy` wrote: the system calls of all threads in one order, each with the line at which it began and
//! the line at which it was over.
//!
//! The order can be relied on: a thread that is traced stands still until strace has noted what it did, so whatever
//! follows from that has a later line.

use std::collections::BTreeMap;

/// A system call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    /// Arguments and result as strace prints them, files and connections with their names.
    pub(super) text: String,
    pub(super) began: usize,
    pub(super) over: usize,
}

impl Call {
    /// The first argument: a descriptor and what it stands for.
    fn descriptor(&self) -> &str {
        self.text.split([',', ')']).next().unwrap_or_default()
    }

    fn succeeded(&self) -> bool {
        self.text.rsplit_once(" = ").is_some_and(|(_, result)| !result.starts_with(['-', '?']))
    }

    fn is_one_of(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str()) && self.succeeded()
    }

    fn on_connection(&self) -> bool {
        // The second where strace may not ask the system for the addresses.
        self.descriptor().contains("<TCP:") || self.descriptor().contains("<socket:")
    }

    fn on_log(&self) -> bool {
        self.descriptor().ends_with("/headwater.db-wal>")
    }

    /// Whether it gives the write-ahead log something that is to be kept.
    pub(super) fn writes(&self) -> bool {
        self.is_one_of(&["pwrite64", "pwritev", "write", "writev"]) && self.on_log()
    }

    /// Whether it waits until the write-ahead log is on the disk.
    pub(super) fn syncs(&self) -> bool {
        self.is_one_of(&["fsync", "fdatasync"]) && self.on_log()
    }

    fn takes_request(&self) -> bool {
        self.is_one_of(&["read", "readv", "recvfrom", "recvmsg"])
            && self.on_connection()
            && ["POST ", "PATCH "].iter().any(|method| self.text.contains(&format!("\"{method}")))
    }

    fn gives_answer(&self) -> bool {
        self.is_one_of(&["write", "writev", "sendto", "sendmsg"])
            && self.on_connection()
            && self.text.contains("\"HTTP/1.1 ")
    }
}

/// What happened between the arrival of a request that writes and its answer.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) connection: String,
    /// The line after which the request was known.
    pub(super) arrived: usize,
    /// The line at which the answer was sent.
    pub(super) answered: usize,
}

/// The calls of a trace, in the order in which they were over.
pub(super) fn calls(trace: &str) -> Vec<Call> {
    let mut begun = BTreeMap::<&str, Call>::new();
    let mut calls = Vec::new();
    for (line, text) in trace.lines().enumerate() {
        let Some((thread, text)) = text.split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some((_, rest)) = text.strip_prefix("<... ").and_then(|text| text.split_once(" resumed>")) {
            // None when it began before strace was there.
            let Some(call) = begun.remove(thread) else { continue };
            calls.push(Call { text: call.text + rest, over: line, ..call });
        } else if let Some((name, arguments)) = text.split_once('(') {
            let call =
                |text: &str| Call { name: name.to_owned(), text: text.to_owned(), began: line, over: line };
            match arguments.strip_suffix(" <unfinished ...>") {
                Some(arguments) => drop(begun.insert(thread, call(arguments))),
                None => calls.push(call(arguments)),
            }
        }
    }
    calls
}

/// The requests of a trace that write, with their answers, in the order of the answers.
pub(super) fn exchanges(calls: &[Call]) -> Vec<Exchange> {
    let mut arrived = BTreeMap::new();
    let mut exchanges = Vec::new();
    for call in calls {
        let connection = call.descriptor();
        if call.takes_request() {
            arrived.insert(connection, call.over);
        } else if call.gives_answer()
            && let Some(arrived) = arrived.remove(connection)
        {
            exchanges.push(Exchange { connection: connection.to_owned(), arrived, answered: call.began });
        }
    }
    exchanges
}

#[test]
fn calls_are_put_together_from_their_parts() {
    let trace = r#"7 recvfrom(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, "POST /api"..., 8192, 0, NULL, NULL) = 300
8 pwrite64(5</d/headwater.db-wal>, "\0, )"..., 24, 32) = 24
8 fsync(5</d/headwater.db-wal> <unfinished ...>
7     write(4<anon_inode:[eventfd]>, "\1", 8) = 8
8 <... fsync resumed>)             = 0
7 --- SIGTERM {si_signo=SIGTERM} ---
7 writev(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, [{iov_base="HTTP/1.1 201 Created\r\n"..., iov_len=9}], 1) = 9
8 fsync(5</d/headwater.db-wal>)     = -1 EIO (Input/output error)
7 +++ exited with 0 +++
"#;
    let calls = calls(trace);
    let shown: Vec<_> = calls
        .iter()
        .map(|call| (call.name.as_str(), call.began, call.over, call.writes(), call.syncs()))
        .collect();
    assert_eq!(
        shown,
        [
            ("recvfrom", 0, 0, false, false),
            ("pwrite64", 1, 1, true, false),
            ("write", 3, 3, false, false),
            ("fsync", 2, 4, false, true),
            ("writev", 6, 6, false, false),
            ("fsync", 7, 7, false, false),
        ]
    );
    let exchanges = exchanges(&calls);
    let shown: Vec<_> = exchanges.iter().map(|exchange| (exchange.arrived, exchange.answered)).collect();
    assert_eq!(
        (shown, exchanges[0].connection.as_str()),
        (vec![(0, 6)], "9<TCP:[127.0.0.1:1->127.0.0.1:2]>")
    );
}
