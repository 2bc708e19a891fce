//! Rate limits: calls counted in windows of one minute (semantics 17).
//!
//! Windows are the minutes of the clock: all counters start together, so that what is kept is bounded by what was
//! called in one minute. An operation without a limit is not counted at all.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use hyper::HeaderMap;
use model::{AppKey, Caller, Operation, Timestamp};
use wire::v2::rate_limits::LimitInfo;

/// What is reported where there is no limit (DESIGN 4).
pub(crate) const OFF: u32 = 2_147_483_647;

/// Addresses counted in one minute; all beyond share one counter.
const MOST_ADDRESSES: usize = 100_000;

/// Where a call comes from; each has counters of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Platform {
    Server,
    Android,
    Ios,
    Web,
    Unity,
    /// Whoever showed no token: it must not use up what is there for those who did.
    Nobody,
}

impl Platform {
    pub(crate) const ALL: [Self; 5] = [Self::Server, Self::Android, Self::Ios, Self::Web, Self::Unity];

    /// Where `caller` calls from: of a user, what its client says in `X-Stream-Client`, like `stream-chat-swift-client-v4`.
    pub(crate) fn of(caller: &Caller, headers: &HeaderMap) -> Self {
        match caller {
            Caller::Server(_) | Caller::Operator => return Self::Server,
            Caller::Anonymous(bearer) if !bearer.has_token => return Self::Nobody,
            Caller::Anonymous(_) | Caller::User(_) => {}
        }
        let client = headers.get("x-stream-client").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let client = client.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| client.contains(word));
        match () {
            () if says(&["android", "kotlin"]) => Self::Android,
            () if says(&["ios", "swift"]) => Self::Ios,
            () if says(&["unity"]) => Self::Unity,
            () => Self::Web,
        }
    }

    /// The name of the platform in `GetRateLimits`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Server => "server_side",
            Self::Android => "android",
            Self::Ios => "ios",
            Self::Web => "web",
            Self::Unity => "unity",
            Self::Nobody => "nobody",
        }
    }
}

/// The counters of all apps.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    calls: Windows<(AppKey, Operation, Platform)>,
    refusals: Windows<Option<IpAddr>>,
    guests: Windows<Option<IpAddr>>,
}

impl Limits {
    /// Counts a call. Answers what is left, or `Err` when there was nothing left.
    pub(crate) fn count(
        &self,
        key: (AppKey, Operation, Platform),
        limit: Option<u32>,
        now: Timestamp,
    ) -> Result<LimitInfo, LimitInfo> {
        let Some(limit) = limit else { return Ok(off(now)) };
        let used = self.calls.count(key, now);
        let info = LimitInfo { limit, remaining: limit.saturating_sub(used), reset: window_end(now) };
        if used > limit { Err(info) } else { Ok(info) }
    }

    /// What is left, without counting a call.
    pub(crate) fn peek(
        &self,
        key: (AppKey, Operation, Platform),
        limit: Option<u32>,
        now: Timestamp,
    ) -> LimitInfo {
        let Some(limit) = limit else { return off(now) };
        let used = self.calls.used(&key, now);
        LimitInfo { limit, remaining: limit.saturating_sub(used), reset: window_end(now) }
    }

    /// Whether an address had too many refused tokens.
    pub(crate) fn is_over(&self, address: IpAddr, limit: u32, now: Timestamp) -> bool {
        self.refusals.used(&Some(address), now) > limit
    }

    /// Counts a refused token. Answers whether its address had too many of them.
    pub(crate) fn refused(&self, address: IpAddr, limit: u32, now: Timestamp) -> bool {
        count_address(&self.refusals, address, now) > limit
    }

    /// Counts a guest that a client asks for. Answers whether its address has had too many of them.
    pub(crate) fn guest(&self, address: IpAddr, limit: u32, now: Timestamp) -> bool {
        count_address(&self.guests, address, now) > limit
    }
}

fn count_address(windows: &Windows<Option<IpAddr>>, address: IpAddr, now: Timestamp) -> u32 {
    let known = windows.used(&Some(address), now) > 0;
    let shared = !known && windows.len() >= MOST_ADDRESSES;
    windows.count((!shared).then_some(address), now)
}

/// What is reported where there is no limit.
pub(crate) fn off(now: Timestamp) -> LimitInfo {
    LimitInfo { limit: OFF, remaining: OFF, reset: window_end(now) }
}

/// The end of the window of `now`, in seconds since 1970.
fn window_end(now: Timestamp) -> i64 {
    now.seconds() - now.seconds().rem_euclid(60) + 60
}

#[derive(Debug)]
struct Windows<K>(Mutex<Window<K>>);

#[derive(Debug)]
struct Window<K> {
    end: i64,
    counts: HashMap<K, u32>,
}

impl<K> Default for Windows<K> {
    fn default() -> Self {
        Self(Mutex::new(Window { end: 0, counts: HashMap::new() }))
    }
}

impl<K: Eq + Hash> Windows<K> {
    fn count(&self, key: K, now: Timestamp) -> u32 {
        // A panic while the lock is held leaves counters that are whole.
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = window_end(now);
        if window.end != end {
            *window = Window { end, counts: HashMap::new() };
        }
        let count = window.counts.entry(key).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }

    fn used(&self, key: &K, now: Timestamp) -> u32 {
        let window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.end != window_end(now) {
            return 0;
        }
        window.counts.get(key).copied().unwrap_or(0)
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).counts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: (AppKey, Operation, Platform) = (AppKey(1), Operation::GetApp, Platform::Server);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(6000 + second)
    }

    #[test]
    fn a_window_is_a_minute() {
        let limits = Limits::default();
        let count = |second| limits.count(KEY, Some(2), at(second));
        let info = |remaining, reset| LimitInfo { limit: 2, remaining, reset };
        assert_eq!(count(0), Ok(info(1, 6060)));
        assert_eq!(count(59), Ok(info(0, 6060)));
        assert_eq!(count(59), Err(info(0, 6060)));
        assert_eq!(limits.peek(KEY, Some(2), at(59)), info(0, 6060));
        assert_eq!(limits.peek(KEY, Some(2), at(60)), info(2, 6120));
        assert_eq!(count(60), Ok(info(1, 6120)));
    }

    #[test]
    fn apps_operations_and_platforms_are_counted_apart() {
        let limits = Limits::default();
        let keys = [
            KEY,
            (AppKey(2), Operation::GetApp, Platform::Server),
            (AppKey(1), Operation::UpdateApp, Platform::Server),
            (AppKey(1), Operation::GetApp, Platform::Web),
        ];
        for key in keys {
            assert!(limits.count(key, Some(1), at(0)).is_ok());
            assert!(limits.count(key, Some(1), at(0)).is_err());
        }
    }

    #[test]
    fn no_limit_is_no_count() {
        let limits = Limits::default();
        for _ in 0..3 {
            assert_eq!(
                limits.count(KEY, None, at(0)),
                Ok(LimitInfo { limit: OFF, remaining: OFF, reset: 6060 })
            );
        }
        assert_eq!(limits.calls.len(), 0);
    }

    #[test]
    fn refusals_are_counted_by_address() {
        let limits = Limits::default();
        let [one, other] = ["10.0.0.1", "10.0.0.2"].map(|address| address.parse().unwrap());
        assert!(!limits.refused(one, 1, at(0)));
        assert!(limits.refused(one, 1, at(0)));
        assert!(!limits.refused(other, 1, at(0)));
        assert!(!limits.refused(one, 1, at(60)));
    }
}
