//! Roles (v2 2.4).

use operations::roles;
use wire::v2::roles as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `GET /api/v2/roles`
pub(crate) async fn list(call: Call) -> Result<Answer, Refusal> {
    let found = call.read(roles::list).await?;
    Ok(Answer::ok(wire::encode_list(&found, &call.duration())))
}

/// `POST /api/v2/roles`
pub(crate) async fn create(call: Call) -> Result<Answer, Refusal> {
    let name = wire::decode_create(call.fields()?)?;
    let role = call.write(move |tx, ctx| roles::create(tx, ctx, &name)).await?;
    Ok(Answer::ok(wire::encode_one(&role, &call.duration())).created())
}

/// `GET /api/v2/roles/search`
pub(crate) async fn search(call: Call) -> Result<Answer, Refusal> {
    let search = wire::decode_search(&call.query)?;
    let found = call.read(move |tx, ctx| roles::search(tx, ctx, &search)).await?;
    Ok(Answer::ok(wire::encode_list(&found, &call.duration())))
}

/// `DELETE /api/v2/roles/{name}`
pub(crate) async fn delete(call: Call) -> Result<Answer, Refusal> {
    let name = call.parameter("name")?;
    call.write(move |tx, ctx| roles::delete(tx, ctx, &name)).await?;
    Ok(Answer::ok(::wire::v2::bare(&call.duration())))
}
