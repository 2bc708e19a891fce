//! The front over real connections: who is let in, how bytes are taken and given, what is refused.

mod app;
mod credentials;
mod limits;
mod transport;
mod users;
