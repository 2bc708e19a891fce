//! Channels (v2 2.11).

use std::sync::Arc;

use model::{ChannelState, Cid, Invalid};
use operations::channels::{self, Delete, Get, GetOrCreate, UpdateMembers};
use wire::v2::channels as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// The channel that the first two parameters of the path name.
pub(super) fn cid(call: &Call) -> Result<Cid, Invalid> {
    Ok(Cid { kind: call.nth_parameter(0, "type")?, id: call.nth_parameter(1, "id")? })
}

/// `POST /api/v2/chat/channels/{type}/{id}/query`
pub(crate) async fn get_or_create(call: Call) -> Result<Answer, Refusal> {
    let Cid { kind, id } = cid(&call)?;
    query(call, kind, Some(id)).await
}

/// `POST /api/v2/chat/channels/{type}/query`
pub(crate) async fn get_or_create_distinct(call: Call) -> Result<Answer, Refusal> {
    let kind = call.nth_parameter(0, "type")?;
    query(call, kind, None).await
}

async fn query(call: Call, kind: String, id: Option<String>) -> Result<Answer, Refusal> {
    let wire::GetOrCreate { created_by, team, custom, members, extent } =
        wire::decode_get_or_create(call.fields()?)?;
    let command = Arc::new(GetOrCreate { kind, id, created_by, team, custom, members, extent });
    // Nearly always the channel is there: then nothing has to be locked, and no writer waited for.
    let looking = Arc::clone(&command);
    if let Some(state) = call.read(move |tx, ctx| channels::find(tx, ctx, &looking)).await? {
        return Ok(whole(&call, &state));
    }
    let (state, is_new) = call.write(move |tx, ctx| channels::get_or_create(tx, ctx, &command)).await?;
    let answer = whole(&call, &state);
    Ok(if is_new { answer.created() } else { answer })
}

/// `GET /api/v2/chat/channels/{type}/{id}`
pub(crate) async fn get(call: Call) -> Result<Answer, Refusal> {
    let cid = cid(&call)?;
    let (user, extent) = wire::decode_get(&call.query)?;
    let command = Get { cid, user, extent };
    let state = call.read(move |tx, ctx| channels::get(tx, ctx, &command)).await?;
    Ok(whole(&call, &state))
}

/// `POST /api/v2/chat/channels/{type}/{id}`
pub(crate) async fn update(call: Call) -> Result<Answer, Refusal> {
    let cid = cid(&call)?;
    let wire::UpdateMembers { user, add, remove } = wire::decode_update(call.fields()?)?;
    let command = UpdateMembers { cid, user, add, remove };
    let (channel, members) = call.write(move |tx, ctx| channels::update_members(tx, ctx, &command)).await?;
    Ok(Answer::ok(wire::encode_updated(&channel, &members, &call.duration())))
}

/// `DELETE /api/v2/chat/channels/{type}/{id}`
pub(crate) async fn delete(call: Call) -> Result<Answer, Refusal> {
    let command = Delete { cid: cid(&call)?, hard: wire::decode_delete(&call.query)? };
    let channel = call.write(move |tx, ctx| channels::delete(tx, ctx, &command)).await?;
    Ok(Answer::ok(wire::encode_deleted(&channel, &call.duration())))
}

fn whole(call: &Call, state: &ChannelState) -> Answer {
    Answer::ok(wire::encode_state(state, &call.duration()))
}
