//! Messages and the reactions to them (v2 2.11).

use operations::messages::{self, Delete, Send};
use operations::reactions;
use wire::v2::{messages as message, reactions as reaction};

use super::channels::cid;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `POST /api/v2/chat/channels/{type}/{id}/message`
pub(crate) async fn send(call: Call) -> Result<Answer, Refusal> {
    let command = Send { cid: cid(&call)?, message: message::decode_send(call.fields()?)? };
    let sent = call.write(move |tx, ctx| messages::send(tx, ctx, &command)).await?;
    Ok(Answer::ok(message::encode(&sent, None, &call.duration())).created())
}

/// `GET /api/v2/chat/messages/{id}`
pub(crate) async fn get(call: Call) -> Result<Answer, Refusal> {
    let id = call.parameter("id")?;
    message::decode_get(&call.query)?;
    let (found, channel) = call.read(move |tx, ctx| messages::get(tx, ctx, &id)).await?;
    Ok(Answer::ok(message::encode(&found, Some(&channel), &call.duration())))
}

/// `DELETE /api/v2/chat/messages/{id}`
pub(crate) async fn delete(call: Call) -> Result<Answer, Refusal> {
    let id = call.parameter("id")?;
    let (hard, deleted_by) = message::decode_delete(&call.query)?;
    let command = Delete { id, hard, deleted_by };
    let deleted = call.write(move |tx, ctx| messages::delete(tx, ctx, &command)).await?;
    Ok(Answer::ok(message::encode(&deleted, None, &call.duration())))
}

/// `POST /api/v2/chat/messages/{id}/reaction`
pub(crate) async fn react(call: Call) -> Result<Answer, Refusal> {
    let message = call.parameter("id")?;
    let (new, enforce_unique) = reaction::decode_send(call.fields()?)?;
    let command = reactions::Send { message, reaction: new, enforce_unique };
    let reacted = call.write(move |tx, ctx| reactions::send(tx, ctx, &command)).await?;
    Ok(one(&call, &reacted).created())
}

/// `DELETE /api/v2/chat/messages/{id}/reaction/{type}`
pub(crate) async fn take_back(call: Call) -> Result<Answer, Refusal> {
    let command = reactions::Delete {
        message: call.nth_parameter(0, "id")?,
        kind: call.nth_parameter(1, "type")?,
        user: wire::v2::actor::in_query(&call.query)?,
    };
    let reacted = call.write(move |tx, ctx| reactions::delete(tx, ctx, &command)).await?;
    Ok(one(&call, &reacted))
}

/// `GET /api/v2/chat/messages/{id}/reactions`
pub(crate) async fn reactions(call: Call) -> Result<Answer, Refusal> {
    let message = call.parameter("id")?;
    let (limit, offset) = reaction::decode_list(&call.query)?;
    let command = reactions::List { message, limit, offset };
    let found = call.read(move |tx, ctx| reactions::list(tx, ctx, &command)).await?;
    Ok(Answer::ok(reaction::encode_list(&found, &call.duration())))
}

fn one(call: &Call, reacted: &reactions::Reacted) -> Answer {
    Answer::ok(reaction::encode_one(&reacted.message, &reacted.reaction, &call.duration()))
}
