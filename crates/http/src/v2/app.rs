//! App settings (v2 2.1).

use operations::apps;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `GET /api/v2/app`
#[expect(clippy::unused_async, reason = "handlers are futures; this one has all it needs at hand")]
pub(crate) async fn get(call: Call) -> Result<Answer, Refusal> {
    let app = apps::get(&call.ctx)?;
    Ok(Answer::ok(wire::v2::app::encode(&app, &call.duration())))
}

/// `PATCH /api/v2/app`
pub(crate) async fn update(call: Call) -> Result<Answer, Refusal> {
    let patch = wire::v2::app::decode_update(call.fields()?, call.ctx.now, call.ctx.seed)?;
    call.write(move |tx, ctx| apps::update(tx, ctx, &patch)).await?;
    Ok(Answer::ok(wire::v2::bare(&call.duration())))
}
