//! `GetRateLimitsResponse` (v2 2.6).

use std::collections::BTreeMap;

use serde::Serialize;

/// The calls left of one operation on one platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LimitInfo {
    /// Calls in a window.
    pub limit: u32,
    /// Calls left in this window.
    pub remaining: u32,
    /// The end of the window, in seconds since 1970.
    pub reset: i64,
}

/// Prints the limits by platform and operation.
#[must_use]
pub fn encode(platforms: &BTreeMap<&str, BTreeMap<&str, LimitInfo>>, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct GetRateLimitsResponse<'a> {
        duration: &'a str,
        #[serde(flatten)]
        platforms: &'a BTreeMap<&'a str, BTreeMap<&'a str, LimitInfo>>,
    }
    super::to_bytes(&GetRateLimitsResponse { duration, platforms })
}
