//! Push devices (v2 2.3, 3.7).

use operations::devices::{self, Registered};
use wire::v2::devices as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `POST /api/v2/devices`
pub(crate) async fn create(call: Call) -> Result<Answer, Refusal> {
    let command = wire::decode_create(call.fields()?)?;
    let registered = call.write(move |tx, ctx| devices::register(tx, ctx, &command)).await?;
    let answer = Answer::ok(::wire::v2::bare(&call.duration()));
    Ok(match registered {
        Registered::New => answer.created(),
        Registered::Again => answer,
    })
}

/// `GET /api/v2/devices`
pub(crate) async fn list(call: Call) -> Result<Answer, Refusal> {
    let user = ::wire::v2::actor::in_query(&call.query)?;
    let (owner, found) = call.read(move |tx, ctx| devices::list(tx, ctx, user.as_ref())).await?;
    Ok(Answer::ok(wire::encode_list(&owner, &found, &call.duration())))
}

/// `DELETE /api/v2/devices`
pub(crate) async fn delete(call: Call) -> Result<Answer, Refusal> {
    let (id, user) = wire::decode_delete(&call.query)?;
    call.write(move |tx, ctx| devices::delete(tx, ctx, &id, user.as_ref())).await?;
    Ok(Answer::ok(::wire::v2::bare(&call.duration())))
}
