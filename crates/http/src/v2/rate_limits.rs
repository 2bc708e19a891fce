//! Rate limits (v2 2.6). They are the front's own, so the operation is here.

use std::collections::BTreeMap;

use model::{Action, Invalid, Operation};
use wire::v2::rate_limits::{LimitInfo, encode};

use crate::call::Call;
use crate::limits::{self, Platform};
use crate::refusal::Refusal;
use crate::reply::Answer;
use crate::routes;

/// The most operations that one call asks for, and the longest name of one.
const MOST_ENDPOINTS: usize = 200;
const LONGEST_ENDPOINT: usize = 64;

/// `GET /api/v2/rate_limits`
#[expect(clippy::unused_async, reason = "handlers are futures; this one has all it needs at hand")]
pub(crate) async fn get(call: Call) -> Result<Answer, Refusal> {
    call.ctx.admit_known()?.permit(Action::ReadRateLimits)?;
    let mut asked = Vec::new();
    for platform in Platform::ALL {
        if call.query.boolean(platform.name())?.unwrap_or(false) {
            asked.push(platform);
        }
    }
    if asked.is_empty() {
        asked.extend(Platform::ALL);
    }
    let known: BTreeMap<&str, Operation> =
        routes::operations().map(|operation| (operation.name(), operation)).collect();
    let endpoints: Vec<&str> = match call.query.get("endpoints") {
        None => known.keys().copied().collect(),
        Some(list) => list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
    };
    if endpoints.len() > MOST_ENDPOINTS || endpoints.iter().any(|name| name.len() > LONGEST_ENDPOINT) {
        let why = format!("may name {MOST_ENDPOINTS} operations of {LONGEST_ENDPOINT} letters");
        return Err(Invalid::new("endpoints", why).into());
    }
    let info = |platform: Platform, name: &str| match known.get(name) {
        Some(operation) => {
            let limit = call.state.limit(&call.app, *operation);
            call.state.limits.peek((call.app.key, *operation, platform), limit, call.ctx.now)
        }
        // An operation that is not served has no limit to run into.
        None => limits::off(call.ctx.now),
    };
    let platforms: BTreeMap<&str, BTreeMap<&str, LimitInfo>> = asked
        .into_iter()
        .map(|platform| {
            (platform.name(), endpoints.iter().map(|name| (*name, info(platform, name))).collect())
        })
        .collect();
    Ok(Answer::ok(encode(&platforms, &call.duration())))
}
