//! Handlers of the v2 dialect: decode, operate, encode. One module for each subject.

pub(crate) mod app;
pub(crate) mod rate_limits;
pub(crate) mod users;
