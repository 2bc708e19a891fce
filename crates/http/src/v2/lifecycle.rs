//! Users who are shut out and let in again (v2 2.2).

use operations::lifecycle::{self, Deactivate, DeactivateMany, Reactivate, ReactivateMany};
use wire::v2::lifecycle as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `POST /api/v2/users/{user_id}/deactivate`
pub(crate) async fn deactivate(call: Call) -> Result<Answer, Refusal> {
    let id = call.user_id()?;
    let request = wire::decode_deactivate(call.fields()?)?;
    let command = Deactivate { id, created_by: request.created_by_id, content: request.content };
    let user = call.write(move |tx, ctx| lifecycle::deactivate(tx, ctx, &command)).await?;
    Ok(Answer::ok(wire::encode_one(&user, &call.duration())))
}

/// `POST /api/v2/users/deactivate`
pub(crate) async fn deactivate_many(call: Call) -> Result<Answer, Refusal> {
    let request = wire::decode_deactivate_many(call.fields()?)?;
    let command =
        DeactivateMany { ids: request.user_ids, created_by: request.created_by_id, content: request.content };
    let task = call.write(move |tx, ctx| lifecycle::deactivate_many(tx, ctx, &command)).await?;
    Ok(Answer::ok(wire::encode_started(&task, &call.duration())))
}

/// `POST /api/v2/users/{user_id}/reactivate`
pub(crate) async fn reactivate(call: Call) -> Result<Answer, Refusal> {
    let id = call.user_id()?;
    let request = wire::decode_reactivate(call.fields()?)?;
    let command =
        Reactivate { id, name: request.name, created_by: request.created_by_id, content: request.content };
    let user = call.write(move |tx, ctx| lifecycle::reactivate(tx, ctx, &command)).await?;
    Ok(Answer::ok(wire::encode_one(&user, &call.duration())))
}

/// `POST /api/v2/users/reactivate`
pub(crate) async fn reactivate_many(call: Call) -> Result<Answer, Refusal> {
    let request = wire::decode_reactivate_many(call.fields()?)?;
    let command =
        ReactivateMany { ids: request.user_ids, created_by: request.created_by_id, content: request.content };
    let task = call.write(move |tx, ctx| lifecycle::reactivate_many(tx, ctx, &command)).await?;
    Ok(Answer::ok(wire::encode_started(&task, &call.duration())))
}
