//! Users who are deleted, and restored (v2 2.2).

use operations::deletion::{self, Preview};
use wire::v2::deletion::{self as shape, Line};
use wire::v2::lifecycle::encode_started;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `POST /api/v2/users/delete`
pub(crate) async fn delete(call: Call) -> Result<Answer, Refusal> {
    let command = shape::decode_delete(call.fields()?)?;
    let task = call.write(move |tx, ctx| deletion::delete(tx, ctx, &command)).await?;
    Ok(Answer::ok(encode_started(&task, &call.duration())))
}

/// `POST /api/v2/users/delete_preview`
pub(crate) async fn preview(call: Call) -> Result<Answer, Refusal> {
    let command = shape::decode_delete(call.fields()?)?;
    let previews = call.read(move |tx, ctx| deletion::preview(tx, ctx, &command)).await?;
    let lines = |preview: &Preview| {
        let line = |forecast: &deletion::Forecast| Line {
            data: forecast.data.name(),
            effect: forecast.effect,
            count: forecast.tally.count,
            at_least: forecast.tally.at_least,
        };
        preview.forecasts.iter().map(line).collect()
    };
    let users: Vec<_> = previews.iter().map(|preview| (&preview.id, lines(preview))).collect();
    Ok(Answer::ok(shape::encode_preview(&users, &call.duration())))
}

/// `POST /api/v2/users/restore`
pub(crate) async fn restore(call: Call) -> Result<Answer, Refusal> {
    let ids = shape::decode_restore(call.fields()?)?;
    call.write(move |tx, ctx| deletion::restore(tx, ctx, &ids)).await?;
    Ok(Answer::ok(shape::encode_restored(&call.duration())))
}
