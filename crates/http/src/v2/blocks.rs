//! Blocks (v2 2.2, 3.4).

use operations::blocks;
use wire::v2::blocks as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `POST /api/v2/users/block`
pub(crate) async fn block(call: Call) -> Result<Answer, Refusal> {
    let command = wire::decode(call.fields()?)?;
    let block = call.write(move |tx, ctx| blocks::block(tx, ctx, &command)).await?;
    let body = wire::encode_one(&block.by, &block.target, block.created_at, &call.duration());
    let answer = Answer::ok(body);
    Ok(if block.is_new { answer.created() } else { answer })
}

/// `POST /api/v2/users/unblock`
pub(crate) async fn unblock(call: Call) -> Result<Answer, Refusal> {
    let command = wire::decode(call.fields()?)?;
    call.write(move |tx, ctx| blocks::unblock(tx, ctx, &command)).await?;
    Ok(Answer::ok(::wire::v2::bare(&call.duration())))
}

/// `GET /api/v2/users/block`
pub(crate) async fn list(call: Call) -> Result<Answer, Refusal> {
    let user = ::wire::v2::actor::in_query(&call.query)?;
    let found = call.read(move |tx, ctx| blocks::list(tx, ctx, user.as_ref())).await?;
    Ok(Answer::ok(wire::encode_list(&found.user, &found.blocked, &call.duration())))
}
