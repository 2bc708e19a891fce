//! Serving the document and its page: without credentials, each built once.

use std::sync::OnceLock;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{HeaderMap, Response, StatusCode};

use crate::front::Front;
use crate::{limits, reply};

/// The documents, once they have been asked for.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    openapi: OnceLock<String>,
    page: OnceLock<String>,
}

impl Front {
    /// `GET /openapi.json`
    pub(crate) fn openapi(&self, request: &HeaderMap) -> Response<Full<Bytes>> {
        let text = self.0.documents.openapi.get_or_init(|| format!("{:#}\n", super::document()));
        self.publish(text, "application/json", request)
    }

    /// `GET /docs`
    pub(crate) fn docs(&self, request: &HeaderMap) -> Response<Full<Bytes>> {
        let text = self.0.documents.page.get_or_init(|| super::page::render(&super::document()));
        let mut response = self.publish(text, "text/html; charset=utf-8", request);
        let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        response
    }

    fn publish(&self, text: &str, kind: &'static str, request: &HeaderMap) -> Response<Full<Bytes>> {
        let (body, packed) =
            reply::pack(Bytes::copy_from_slice(text.as_bytes()), reply::takes_packed(request));
        let mut response = reply::json(StatusCode::OK, body);
        if packed {
            reply::mark_packed(&mut response);
        }
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let id = format!("{:032x}", self.0.entropy.seed());
        reply::complete(&mut response, &id, limits::off(self.0.clock.now()));
        response
    }
}
