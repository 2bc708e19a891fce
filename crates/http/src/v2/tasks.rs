//! Tasks (v2 4).

use operations::tasks;
use wire::v2::tasks as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `GET /api/v2/tasks/{id}`
pub(crate) async fn get(call: Call) -> Result<Answer, Refusal> {
    let id = call.parameter("id")?;
    let task = call.look_up(move |tx, ctx| tasks::get(tx, ctx, &id)).await?;
    Ok(Answer::ok(wire::encode(&task, &call.state.public_url, &call.duration())))
}
