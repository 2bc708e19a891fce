//! How Headwater is spoken: the only place that knows field names on the wire. It decodes bodies to commands of the
//! model and prints answers; it decides nothing.
//!
//! A decoder refuses with [`model::Invalid`], which names the field as the caller wrote it.

mod body;
pub mod error;
pub mod form;
mod json;
mod number;
mod print;
pub mod schema;
pub mod token;
pub mod v2;

pub use body::Object;
pub use json::{parse, parse_object};
pub use number::{duration, timestamp};
