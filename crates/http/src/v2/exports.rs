//! Exports of users (v2 2.2).

use std::time::Duration;

use hyper::StatusCode;
use operations::exports;
use wire::error::Code;
use wire::v2::exports as shape;
use wire::v2::lifecycle::encode_started;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// How long a call waits for its turn. The read that comes after it has a budget of its own.
const PATIENCE: Duration = Duration::from_secs(10);

/// What does not have to end within the budget of a read.
const ELSE: &str = "export the user by POST /api/v2/export/users, which makes a file";

/// Seconds after which there may be a turn.
const PAUSE: u32 = 5;

/// `GET /api/v2/users/{user_id}/export`
pub(crate) async fn one(call: Call) -> Result<Answer, Refusal> {
    let id = call.user_id()?;
    // Each can be of many megabytes: only so many at once.
    let Ok(turn) = tokio::time::timeout(PATIENCE, call.state.exports.acquire()).await else {
        let reason = "too many users are being exported; try again";
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, Code::Internal, reason);
        return Err(Refusal { retry_after: Some(PAUSE), ..refusal });
    };
    let read = call.read(move |tx, ctx| exports::one(tx, ctx, &id)).await;
    let export = read.map_err(|refusal| refusal.advising(ELSE))?;
    let duration = call.duration();
    // Printing so much takes long enough to be in the way of other requests on this thread.
    let printing = tokio::task::spawn_blocking(move || {
        shape::encode_one(&export.user, &export.messages, &export.reactions, &duration)
    });
    let body = printing.await.map_err(|_| Refusal::undecided())?;
    drop(turn);
    Ok(Answer::ok(body))
}

/// `POST /api/v2/export/users`
pub(crate) async fn many(call: Call) -> Result<Answer, Refusal> {
    let ids = shape::decode_many(call.fields()?)?;
    let task = call.write(move |tx, ctx| exports::many(tx, ctx, &ids)).await?;
    Ok(Answer::ok(encode_started(&task, &call.duration())))
}
