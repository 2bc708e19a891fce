//! Exports of users (v2 2.2).

use operations::exports;
use wire::v2::exports as shape;
use wire::v2::lifecycle::encode_started;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `GET /api/v2/users/{user_id}/export`
pub(crate) async fn one(call: Call) -> Result<Answer, Refusal> {
    let id = call.user_id()?;
    // Each can be of many megabytes: only so many at once.
    let _turn = call.state.exports.acquire().await.ok();
    let export = call.read(move |tx, ctx| exports::one(tx, ctx, &id)).await?;
    let body = shape::encode_one(&export.user, &export.messages, &export.reactions, &call.duration());
    Ok(Answer::ok(body))
}

/// `POST /api/v2/export/users`
pub(crate) async fn many(call: Call) -> Result<Answer, Refusal> {
    let ids = shape::decode_many(call.fields()?)?;
    let task = call.write(move |tx, ctx| exports::many(tx, ctx, &ids)).await?;
    Ok(Answer::ok(encode_started(&task, &call.duration())))
}
