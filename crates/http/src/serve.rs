//! Connections: accepted until the drain begins, then finished within a grace.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::download::{AnyBody, is_download};
use crate::front::Front;
use crate::patience::Patient;
use crate::reply;

/// The most bytes of a request's line and headers; more is answered 431.
const HEAD_BYTES: usize = 64 << 10;

/// How long a connection may take to send a head, the wait for its first byte included. Clients close idle connections
/// after 55 s (v2 1.1): the server must not be first, or it closes on a request that is on its way.
const HEAD_PATIENCE: Duration = Duration::from_secs(75);

/// How long the loop rests when the system gives no connection, which it does when files run out.
const BREATH: Duration = Duration::from_millis(50);

impl Front {
    /// Serves clients until `drain` becomes true: then `/readyz` answers 503, no connection is accepted, and requests
    /// have `grace` to finish.
    pub async fn serve(&self, listener: TcpListener, mut drain: watch::Receiver<bool>, grace: Duration) {
        let connections = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = drain.wait_for(|draining| *draining) => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.connect(stream, peer, &connections),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
        self.0.draining.store(true, Ordering::Relaxed);
        drop(listener);
        if tokio::time::timeout(grace, connections.shutdown()).await.is_err() {
            tracing::warn!("requests were still running at the end of the grace");
        }
    }

    fn connect(&self, stream: TcpStream, peer: SocketAddr, connections: &GracefulShutdown) {
        // Answers are written whole; waiting for more bytes would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let front = self.clone();
        let service = service_fn(move |request| {
            let front = front.clone();
            async move { Ok::<_, Infallible>(front.visit(request, peer.ip()).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(Patient::new(stream, self.0.request_timeout)), service);
        let watched = connections.watch(connection);
        tokio::spawn(async move {
            // A client that goes away or breaks the protocol is its own affair.
            if let Err(error) = watched.await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }

    async fn visit(&self, request: Request<Incoming>, peer: IpAddr) -> Response<AnyBody> {
        if is_download(request.uri().path()) {
            return self.download(&request, peer).await;
        }
        let response = match (request.method(), request.uri().path()) {
            (&Method::GET, "/healthz") => text(StatusCode::OK, "ok\n".to_owned()),
            (&Method::GET, "/readyz") => self.ready().await,
            (&Method::GET, "/openapi.json") => self.openapi(request.headers()),
            (&Method::GET, "/docs") => self.docs(request.headers()),
            _ => self.answer(request, peer).await,
        };
        response.map(Either::Left)
    }

    /// Ready is: not draining, and the store answers a read.
    async fn ready(&self) -> Response<Full<Bytes>> {
        if self.0.draining.load(Ordering::Relaxed) {
            return text(StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned());
        }
        match self.0.store.read(|_| Ok::<_, storage::Error>(())).await {
            Ok(()) => text(StatusCode::OK, "ready\n".to_owned()),
            Err(error) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
        }
    }

    /// Serves `/metrics` on an address that is not for clients, until `drain` becomes true.
    pub async fn serve_metrics(&self, listener: TcpListener, mut drain: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                biased;
                _ = drain.wait_for(|draining| *draining) => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(BREATH).await;
                continue;
            };
            let front = self.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let response = front.administer(&request);
                    async move { Ok::<_, Infallible>(response) }
                });
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
                if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
                    tracing::debug!(%error, "connection ended");
                }
            });
        }
    }

    fn administer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if (request.method(), request.uri().path()) != (&Method::GET, "/metrics") {
            return text(StatusCode::NOT_FOUND, "there is GET /metrics\n".to_owned());
        }
        match self.0.metrics.text() {
            Ok(metrics) => {
                let mut response = text(StatusCode::OK, metrics);
                let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
                response
            }
            Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written\n".to_owned()),
        }
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = reply::json(status, body.into_bytes());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
