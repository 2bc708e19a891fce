//! Push preferences (v2 2.3, 3.7).

use operations::push_preferences;
use wire::v2::push_preferences as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `POST /api/v2/push_preferences`
pub(crate) async fn update(call: Call) -> Result<Answer, Refusal> {
    let entries = wire::decode(call.fields()?)?;
    let users = call.write(move |tx, ctx| push_preferences::update(tx, ctx, &entries)).await?;
    Ok(Answer::ok(wire::encode(&users, &call.duration())))
}
