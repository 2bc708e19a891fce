//! Bans, flags and what moderation lets pass (v2 2.9, 2.10).

use model::Invalid;
use operations::{bans, flags};
use serde_json::{Map, Value};
use wire::v2::{bans as ban, bare, flags as flag};

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `POST /api/v2/moderation/ban`
pub(crate) async fn ban(call: Call) -> Result<Answer, Refusal> {
    let command = ban::decode_ban(call.fields()?)?;
    call.write(move |tx, ctx| bans::ban(tx, ctx, &command)).await?;
    Ok(Answer::ok(bare(&call.duration())).created())
}

/// `POST /api/v2/moderation/unban`
pub(crate) async fn unban(call: Call) -> Result<Answer, Refusal> {
    let command = ban::decode_unban(&call.query, call.fields()?)?;
    call.write(move |tx, ctx| bans::unban(tx, ctx, &command)).await?;
    Ok(Answer::ok(bare(&call.duration())))
}

/// `GET /api/v2/chat/query_banned_users`
pub(crate) async fn query_banned(call: Call) -> Result<Answer, Refusal> {
    let query = ban::decode_query(call.payload()?)?;
    let found = call.read(move |tx, ctx| bans::query(tx, ctx, &query)).await;
    let found = found.map_err(|refusal| naming("filter_conditions", call.payload(), refusal))?;
    Ok(Answer::ok(ban::encode_query(&found, &call.duration())))
}

/// `POST /api/v2/moderation/bypass`
pub(crate) async fn bypass(call: Call) -> Result<Answer, Refusal> {
    let (target, enabled) = ban::decode_bypass(call.fields()?)?;
    call.write(move |tx, ctx| bans::bypass(tx, ctx, &target, enabled)).await?;
    Ok(Answer::ok(bare(&call.duration())))
}

/// `POST /api/v2/moderation/flag`
pub(crate) async fn flag(call: Call) -> Result<Answer, Refusal> {
    let command = flag::decode_flag(call.fields()?, &call.app)?;
    let flagged = call.write(move |tx, ctx| flags::flag(tx, ctx, &command)).await?;
    let answer = Answer::ok(flag::encode_flagged(&flagged.item, &call.duration()));
    Ok(if flagged.is_new { answer.created() } else { answer })
}

/// `POST /api/v2/moderation/flag_count`
pub(crate) async fn flag_count(call: Call) -> Result<Answer, Refusal> {
    let (creator, kind) = flag::decode_count(call.fields()?)?;
    let command = flags::Count { creator, kind };
    let count = call.read(move |tx, ctx| flags::count(tx, ctx, &command)).await?;
    Ok(Answer::ok(flag::encode_count(count, &call.duration())))
}

/// `POST /api/v2/moderation/flags`
pub(crate) async fn query_flags(call: Call) -> Result<Answer, Refusal> {
    let query = flag::decode_query(call.fields()?, &call.app.secret)?;
    let direction = query.direction;
    let page = call.read(move |tx, ctx| flags::query(tx, ctx, &query)).await;
    let page = page.map_err(|refusal| naming("filter", call.fields(), refusal))?;
    Ok(Answer::ok(flag::encode_query(&page, direction, &call.app.secret, &call.duration())))
}

/// A refusal that says which filter of `asked` took too long, if one did.
fn naming(filter: &str, asked: Result<Map<String, Value>, Invalid>, refusal: Refusal) -> Refusal {
    let asked = asked.unwrap_or_default();
    let asked = asked.get(filter).map(ToString::to_string).unwrap_or_default();
    refusal.naming_the_filter(filter, &asked)
}
