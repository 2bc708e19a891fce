//! Mutes (v2 2.9, 3.10).

use operations::mutes;
use wire::v2::mutes as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `POST /api/v2/moderation/mute`
pub(crate) async fn mute(call: Call) -> Result<Answer, Refusal> {
    let command = wire::decode_mute(call.fields()?)?;
    let muted = call.write(move |tx, ctx| mutes::mute(tx, ctx, &command)).await?;
    let answer = Answer::ok(wire::encode_mute(&muted.own, &muted.mutes, &muted.unknown, &call.duration()));
    Ok(if muted.has_new { answer.created() } else { answer })
}

/// `POST /api/v2/moderation/unmute`
pub(crate) async fn unmute(call: Call) -> Result<Answer, Refusal> {
    let command = wire::decode_unmute(call.fields()?)?;
    let unknown = call.write(move |tx, ctx| mutes::unmute(tx, ctx, &command)).await?;
    Ok(Answer::ok(wire::encode_unmute(&unknown, &call.duration())))
}
