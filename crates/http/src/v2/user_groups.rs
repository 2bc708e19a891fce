//! Groups of users (v2 2.5).

use model::UserGroupView;
use operations::user_groups::{self, AddMembers, Create, Named};
use wire::v2::user_groups as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `GET /api/v2/usergroups`
pub(crate) async fn list(call: Call) -> Result<Answer, Refusal> {
    let page = wire::decode_list(&call.query)?;
    let found = call.read(move |tx, ctx| user_groups::list(tx, ctx, &page)).await?;
    Ok(Answer::ok(wire::encode_list(&found, &call.duration())))
}

/// `GET /api/v2/usergroups/search`
pub(crate) async fn search(call: Call) -> Result<Answer, Refusal> {
    let page = wire::decode_search(&call.query)?;
    let found = call.read(move |tx, ctx| user_groups::list(tx, ctx, &page)).await?;
    Ok(Answer::ok(wire::encode_list(&found, &call.duration())))
}

/// `POST /api/v2/usergroups`
pub(crate) async fn create(call: Call) -> Result<Answer, Refusal> {
    let wire::Create { id, team, name, description, members } = wire::decode_create(call.fields()?)?;
    let command = Create { id, team, name, description, members };
    let view = call.write(move |tx, ctx| user_groups::create(tx, ctx, &command)).await?;
    Ok(one(&call, &view).created())
}

/// `GET /api/v2/usergroups/{id}`
pub(crate) async fn get(call: Call) -> Result<Answer, Refusal> {
    let named = Named { id: call.parameter("id")?, team: wire::decode_team(&call.query) };
    let view = call.read(move |tx, ctx| user_groups::get(tx, ctx, &named)).await?;
    Ok(one(&call, &view))
}

/// `PUT /api/v2/usergroups/{id}`
pub(crate) async fn update(call: Call) -> Result<Answer, Refusal> {
    let id = call.parameter("id")?;
    let (team, patch) = wire::decode_update(call.fields()?)?;
    let named = Named { id, team };
    let view = call.write(move |tx, ctx| user_groups::update(tx, ctx, &named, &patch)).await?;
    Ok(one(&call, &view))
}

/// `DELETE /api/v2/usergroups/{id}`
pub(crate) async fn delete(call: Call) -> Result<Answer, Refusal> {
    let named = Named { id: call.parameter("id")?, team: wire::decode_team(&call.query) };
    call.write(move |tx, ctx| user_groups::delete(tx, ctx, &named)).await?;
    Ok(Answer::ok(::wire::v2::bare(&call.duration())))
}

/// `POST /api/v2/usergroups/{id}/members`
pub(crate) async fn add_members(call: Call) -> Result<Answer, Refusal> {
    let id = call.parameter("id")?;
    let wire::Members { team, members, as_admin } = wire::decode_add(call.fields()?)?;
    let command = AddMembers { group: Named { id, team }, members, as_admin };
    let view = call.write(move |tx, ctx| user_groups::add_members(tx, ctx, &command)).await?;
    Ok(one(&call, &view))
}

/// `POST /api/v2/usergroups/{id}/members/delete`
pub(crate) async fn remove_members(call: Call) -> Result<Answer, Refusal> {
    let id = call.parameter("id")?;
    let wire::Members { team, members, .. } = wire::decode_remove(call.fields()?)?;
    let named = Named { id, team };
    let view = call.write(move |tx, ctx| user_groups::remove_members(tx, ctx, &named, &members)).await?;
    Ok(one(&call, &view))
}

fn one(call: &Call, view: &UserGroupView) -> Answer {
    Answer::ok(wire::encode_one(call.app.key, view, &call.duration()))
}
