//! Permissions (v2 2.4).

use operations::permissions;
use wire::v2::permissions as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `GET /api/v2/permissions`
#[expect(clippy::unused_async, reason = "handlers are futures; this one has all it needs at hand")]
pub(crate) async fn list(call: Call) -> Result<Answer, Refusal> {
    let all = permissions::list(&call.ctx)?;
    Ok(Answer::ok(wire::encode_list(all, &call.duration())))
}

/// `GET /api/v2/permissions/{id}`
#[expect(clippy::unused_async, reason = "handlers are futures; this one has all it needs at hand")]
pub(crate) async fn get(call: Call) -> Result<Answer, Refusal> {
    let found = permissions::get(&call.ctx, &call.parameter("id")?)?;
    Ok(Answer::ok(wire::encode_one(found, &call.duration())))
}
