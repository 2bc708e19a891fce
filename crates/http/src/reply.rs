//! Answers on their way out: status, headers, envelope, packing.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::Full;
use hyper::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderName,
    HeaderValue, RETRY_AFTER, VARY,
};
use hyper::{HeaderMap, Response, StatusCode};
use wire::error::Failure;
use wire::v2::rate_limits::LimitInfo;

use crate::refusal::Refusal;

/// Bodies smaller than this are sent as they are: packing them saves no packet.
const PACKED_FROM: usize = 1024;

// Names that are looked up each time would be hashed and compared each time.
static RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
static RATE_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
static RATE_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most headers that an answer has, those of hyper not counted.
const HEADERS: usize = 10;

/// What a handler answers.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn ok(body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, body: body.into() }
    }

    pub(crate) fn created(self) -> Self {
        Self { status: StatusCode::CREATED, ..self }
    }
}

/// The response to a request that was refused.
pub(crate) fn refuse(
    refusal: &Refusal,
    operation: Option<&str>,
    request: &str,
    duration: &str,
) -> Response<Full<Bytes>> {
    let internal = refusal.status.is_server_error();
    let reason =
        if internal { format!("{}; request {request}", refusal.reason) } else { refusal.reason.clone() };
    let failure = Failure {
        status: refusal.status.as_u16(),
        code: refusal.code,
        operation,
        reason: &reason,
        field: refusal.field.as_ref().map(|(field, why)| (field.as_str(), why.as_str())),
    };
    let mut response = json(refusal.status, wire::error::encode(&failure, duration));
    if let Some(seconds) = refusal.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// A response with a JSON body.
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().reserve(HEADERS);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The answer to a browser that asks what it may send (semantics 0.6).
pub(crate) fn preflight() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    let methods = "GET, POST, PUT, PATCH, DELETE, OPTIONS";
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    let allowed = "x-requested-with, content-type, accept, origin, authorization, x-csrftoken, x-stream-client, \
                   stream-auth-type, x-csrf-token, content-encoding";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    response
}

/// The methods that a path knows, for an answer 405.
pub(crate) fn allow(response: &mut Response<Full<Bytes>>, methods: &[&str]) {
    if let Ok(value) = HeaderValue::from_str(&methods.join(", ")) {
        response.headers_mut().insert(ALLOW, value);
    }
}

/// The headers that every response has.
pub(crate) fn complete<B>(response: &mut Response<B>, request: &str, limit: LimitInfo) {
    let headers = response.headers_mut();
    headers.insert(&RATE_LIMIT, limit.limit.into());
    headers.insert(&RATE_REMAINING, limit.remaining.into());
    headers.insert(&RATE_RESET, limit.reset.into());
    if let Ok(request) = HeaderValue::from_str(request) {
        headers.insert(&REQUEST_ID, request);
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = "x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, x-request-id, retry-after";
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
}

/// Whether the client takes a packed body.
pub(crate) fn takes_packed(request: &HeaderMap) -> bool {
    let encodings = request.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    encodings.is_some_and(takes_gzip)
}

/// The body packed, when the client `takes` it so and it is worth it.
pub(crate) fn pack(body: Bytes, takes: bool) -> (Bytes, bool) {
    if body.len() < PACKED_FROM || !takes {
        return (body, false);
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    match encoder.write_all(&body).and_then(|()| encoder.finish()) {
        Ok(packed) => (packed.into(), true),
        Err(_) => (body, false),
    }
}

/// Marks a packed response as such.
pub(crate) fn mark_packed(response: &mut Response<Full<Bytes>>) {
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
}

fn takes_gzip(encodings: &str) -> bool {
    encodings.split(',').any(|encoding| {
        let (name, weight) = encoding.split_once(';').unwrap_or((encoding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0_f32));
        matches!(name.trim(), "gzip" | "*") && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_negotiated() {
        for taken in ["gzip", "deflate, gzip;q=0.5", "*", "br, *;q=0.1"] {
            assert!(takes_gzip(taken), "{taken}");
        }
        for refused in ["", "identity", "gzip;q=0", "gzip; q=0.0", "br"] {
            assert!(!takes_gzip(refused), "{refused}");
        }
    }
}
