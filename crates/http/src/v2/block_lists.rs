//! Lists of words for moderation (v2 2.7).

use operations::block_lists::{self, Create, Named, Update};
use wire::v2::block_lists as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `GET /api/v2/blocklists`
pub(crate) async fn list(call: Call) -> Result<Answer, Refusal> {
    let page = wire::decode_list(&call.query)?;
    let (lists, has_more) = call.read(move |tx, ctx| block_lists::list(tx, ctx, &page)).await?;
    Ok(Answer::ok(wire::encode_list(&lists, has_more, &call.duration())))
}

/// `POST /api/v2/blocklists`
pub(crate) async fn create(call: Call) -> Result<Answer, Refusal> {
    let wire::Create { name, team, kind, words, checks, by } = wire::decode_create(call.fields()?)?;
    let command = Create { name, team, kind, words, checks, by };
    let list = call.write(move |tx, ctx| block_lists::create(tx, ctx, &command)).await?;
    Ok(Answer::ok(wire::encode_one(&list, &call.duration())).created())
}

/// `GET /api/v2/blocklists/{name}`
pub(crate) async fn get(call: Call) -> Result<Answer, Refusal> {
    let named = Named { name: call.parameter("name")?, team: wire::decode_team(&call.query) };
    let list = call.read(move |tx, ctx| block_lists::get(tx, ctx, &named)).await?;
    Ok(Answer::ok(wire::encode_one(&list, &call.duration())))
}

/// `PUT /api/v2/blocklists/{name}`
pub(crate) async fn update(call: Call) -> Result<Answer, Refusal> {
    let name = call.parameter("name")?;
    let wire::Update { team, patch, by } = wire::decode_update(call.fields()?)?;
    let command = Update { list: Named { name, team }, patch, by };
    let list = call.write(move |tx, ctx| block_lists::update(tx, ctx, &command)).await?;
    Ok(Answer::ok(wire::encode_one(&list, &call.duration())))
}

/// `DELETE /api/v2/blocklists/{name}`
pub(crate) async fn delete(call: Call) -> Result<Answer, Refusal> {
    let name = call.parameter("name")?;
    let (team, by) = wire::decode_delete(&call.query)?;
    let named = Named { name, team };
    call.write(move |tx, ctx| block_lists::delete(tx, ctx, &named, by.as_ref())).await?;
    Ok(Answer::ok(::wire::v2::bare(&call.duration())))
}
