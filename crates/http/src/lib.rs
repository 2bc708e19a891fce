//! The HTTP front. Routes are data ([`routes`]); a request passes one straight line: route, key, suspension, token,
//! rate limit, body, operation (DESIGN 1). Only this crate knows status codes.
//!
//! To add a route, write its line in [`routes`] and its handler beside the others of its subject.

mod address;
mod auth;
mod body;
mod call;
mod download;
mod front;
mod limits;
mod metrics;
mod openapi;
mod patience;
mod refusal;
mod reply;
mod routes;
mod serve;
mod v2;

pub use address::Network;
pub use front::{Front, Options};
pub use routes::{Credential, RouteInfo, operation_names, routes};
