//! Users (v2 2.2).

use operations::users;
use wire::v2::users as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `POST /api/v2/users`
pub(crate) async fn upsert(call: Call) -> Result<Answer, Refusal> {
    let mut profiles = wire::decode_upsert(call.fields()?)?;
    let limits = call.app.settings.limits();
    profiles.check(|_, (id, profile)| {
        profile.check(&limits).map_err(|invalid| invalid.within(format_args!("users.{id}")))
    });
    if profiles.refused().is_some() {
        call.read(move |tx, ctx| users::plan_upsert(tx, ctx, &profiles).map(drop)).await?;
        return Err(Refusal::undecided());
    }
    let upserted = call.write(move |tx, ctx| users::upsert(tx, ctx, &profiles)).await?;
    let body = wire::encode_update(&upserted.users, &call.duration());
    let answer = Answer::ok(body);
    Ok(if upserted.created > 0 { answer.created() } else { answer })
}

/// `PATCH /api/v2/users`
pub(crate) async fn update_partial(call: Call) -> Result<Answer, Refusal> {
    let mut patches = wire::decode_update_partial(call.fields()?)?;
    let limits = call.app.settings.limits();
    patches.check(|place, patch| {
        patch.check_size(&limits).map_err(|invalid| invalid.within(format_args!("users.{place}")))
    });
    if patches.refused().is_some() {
        call.read(move |tx, ctx| users::plan_update_partial(tx, ctx, &patches).map(drop)).await?;
        return Err(Refusal::undecided());
    }
    let changed = call.write(move |tx, ctx| users::update_partial(tx, ctx, &patches)).await?;
    Ok(Answer::ok(wire::encode_update(&changed, &call.duration())))
}

/// `GET /api/v2/users`
pub(crate) async fn query(call: Call) -> Result<Answer, Refusal> {
    let query = wire::decode_query(call.payload()?)?;
    let found = match users::is_look_up(&query) {
        true => call.look_up(move |tx, ctx| users::query(tx, ctx, &query)).await,
        false => call.read(move |tx, ctx| users::query(tx, ctx, &query)).await,
    };
    let found = found.map_err(|refusal| {
        let payload = call.payload().unwrap_or_default();
        let asked = payload.get("filter_conditions").map(ToString::to_string).unwrap_or_default();
        refusal.naming_the_filter("filter_conditions", &asked)
    })?;
    Ok(Answer::ok(wire::encode_query(&found, &call.duration())))
}
