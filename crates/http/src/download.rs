//! Files of exports, handed out to whoever knows their names: `GET /exports/users/{name}.jsonl` (semantics 11.4, 11.5).
//!
//! No key and no token: a name has 256 bits that nobody can guess, and is written nowhere that it could be read. A file is read
//! a chunk at a time, when the client has taken the one before.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use model::{ExportKey, is_export_name};
use operations::exports;
use storage::Answer;
use storage::exports::Next;
use tokio::sync::OwnedSemaphorePermit;
use wire::error::Code;
use wire::v2::exports::{ENDING, PLACE, encode_lines};

use crate::address;
use crate::front::{self, Front, State};
use crate::limits;
use crate::refusal::Refusal;
use crate::reply;

/// What metrics call a download.
const DOWNLOAD: &str = "DownloadExport";

/// Downloads at the same time, each of which holds a chunk. Whoever does not read is let go
/// ([`Patient`](crate::patience::Patient)), and its place is free again.
pub(crate) const MOST_DOWNLOADS: usize = 64;

/// Seconds after which another download may have ended.
const PAUSE: u32 = 5;

/// The body of any answer: whole, or of a file.
pub(crate) type AnyBody = Either<Full<Bytes>, Download>;

/// Whether a path is one of files of exports, well-formed or not.
pub(crate) fn is_download(path: &str) -> bool {
    path.starts_with(PLACE)
}

impl Front {
    /// The answer to a request for a file.
    pub(crate) async fn download(&self, request: &Request<Incoming>, peer: IpAddr) -> Response<AnyBody> {
        let state = &self.0;
        let (arrived, now) = (state.clock.elapsed(), state.clock.now());
        let id = format!("{:032x}", state.entropy.seed());
        let mut statements = 0;
        let opened = open(state, request, peer, &mut statements).await;
        let taken = state.clock.elapsed().saturating_sub(arrived);
        let mut response = match opened {
            Ok(download) => hand_out(download),
            Err(refusal) => refuse(&refusal, &id, taken),
        };
        reply::complete(&mut response, &id, limits::off(now));
        state.metrics.count(DOWNLOAD, response.status(), taken);
        // Not the path: whoever reads the log could read the file.
        let status = response.status().as_u16();
        tracing::debug!(request = id, operation = DOWNLOAD, status, statements, "answered");
        response
    }
}

fn refuse(refusal: &Refusal, id: &str, taken: Duration) -> Response<AnyBody> {
    front::report(refusal, Some(DOWNLOAD), id);
    let mut response = reply::refuse(refusal, None, id, &wire::duration(taken));
    if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
        reply::allow(&mut response, &["GET", "HEAD"]);
    }
    response.map(Either::Left)
}

fn hand_out(download: Download) -> Response<AnyBody> {
    let mut response = Response::new(Either::Right(download));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let attachment = HeaderValue::from_static("attachment; filename=\"users.jsonl\"");
    headers.insert(CONTENT_DISPOSITION, attachment);
    response
}

/// Finds the file. Whoever tries names is told to wait after a while, as with refused tokens; what cannot be a name is
/// not looked for.
async fn open(
    state: &Arc<State>,
    request: &Request<Incoming>,
    peer: IpAddr,
    statements: &mut u32,
) -> Result<Download, Refusal> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let reason = format!("the method must be one of GET, HEAD, got {}", request.method());
        return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, Code::NotAllowed, reason));
    }
    let (now, limit) = (state.clock.now(), state.refused_tokens);
    let address = address::counted(address::client(peer, request.headers(), &state.trusted_proxies));
    let too_many = || {
        let reason = "Too many requests for files that are not there from this address";
        let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimit, reason);
        let seconds = u32::try_from(60 - now.seconds().rem_euclid(60)).ok();
        Refusal { retry_after: seconds, ..refusal }
    };
    if state.limits.is_over(address, limit, now) {
        return Err(too_many());
    }
    let file = match name(request.uri().path()).map(str::to_owned) {
        Some(name) => {
            *statements = 1;
            state.store.look_up(move |tx| exports::open(tx, &name, now)).await.map_err(Refusal::from)?
        }
        None => None,
    };
    let Some(file) = file else {
        let missing =
            Refusal::new(StatusCode::NOT_FOUND, Code::DoesNotExist, "the file does not exist or has expired");
        return Err(if state.limits.refused(address, limit, now) { too_many() } else { missing });
    };
    let Ok(permit) = Arc::clone(&state.downloads).try_acquire_owned() else {
        let reason = "too many files are being downloaded; try again";
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, Code::Internal, reason);
        return Err(Refusal { retry_after: Some(PAUSE), ..refusal });
    };
    Ok(Download { state: Arc::clone(state), file, after: -1, step: Step::Idle, _permit: permit })
}

/// The name in a path, if it can be one.
fn name(path: &str) -> Option<&str> {
    path.strip_prefix(PLACE)?.strip_suffix(ENDING).filter(|name| is_export_name(name))
}

/// Why a file ends in its middle: the connection is cut, so that nobody takes what there is for the whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// It has expired, or its app was suspended.
    #[error("the file is not to be read any more")]
    Gone,
    /// A chunk is not what was written.
    #[error("the file cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// The store has failed.
    #[error("the file cannot be read")]
    Failed(#[from] operations::Error),
}

/// The body that is a file.
pub(crate) struct Download {
    state: Arc<State>,
    file: ExportKey,
    /// The chunk that was handed out last.
    after: i64,
    step: Step,
    /// Held until the client has the file, or has gone.
    _permit: OwnedSemaphorePermit,
}

type Reading = Answer<Next, operations::Error>;

enum Step {
    /// Nothing is being read.
    Idle,
    /// The next chunk is.
    Reading(Reading),
    /// There is nothing more.
    Over,
}

impl Download {
    fn read(&self) -> Reading {
        let (file, after, now) = (self.file, self.after, self.state.clock.now());
        self.state.store.read(move |tx| exports::next(tx, file, after, now))
    }

    fn hand_on(&mut self, read: Result<Next, operations::Error>) -> Option<Result<Bytes, Broken>> {
        self.step = Step::Over;
        let lines = match read {
            Ok(Next::Lines { sequence, lines }) => {
                self.after = sequence;
                lines
            }
            Ok(Next::End) => return None,
            Ok(Next::Gone) => return Some(Err(Broken::Gone)),
            Err(error) => return Some(Err(Broken::Failed(error))),
        };
        let printed = encode_lines(&lines).map_err(Broken::Unreadable);
        if printed.is_ok() {
            self.step = Step::Idle;
        }
        Some(printed.map(Bytes::from))
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if matches!(self.step, Step::Idle) {
            self.step = Step::Reading(self.read());
        }
        let Step::Reading(reading) = &mut self.step else { return Poll::Ready(None) };
        let read = ready!(Pin::new(reading).poll(context));
        let handed = self.hand_on(read);
        if let Some(Err(broken)) = &handed {
            let cause = front::chain(broken);
            tracing::warn!(operation = DOWNLOAD, cause, "a download was cut off");
        }
        Poll::Ready(handed.map(|handed| handed.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_out_of_paths() {
        let good = "0123456789abcdef".repeat(4);
        assert_eq!(name(&format!("/exports/users/{good}.jsonl")), Some(good.as_str()));
        for path in [
            "/exports/users/".to_owned(),
            "/exports/users/.jsonl".to_owned(),
            "/exports/users/x.jsonl".to_owned(),
            format!("/exports/users/{good}"),
            format!("/exports/users/{good}.json"),
            format!("/exports/users/../users/{good}.jsonl"),
            format!("/exports/users/{good}.jsonl/"),
            format!("/exports/users/{}.jsonl", good.to_uppercase()),
        ] {
            assert_eq!(name(&path), None, "{path}");
        }
    }
}
