//! Exports of users (v2 2.2).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use operations::exports;
use tokio::sync::OwnedSemaphorePermit;
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

/// An answer of many megabytes, which holds its turn until it was sent: whoever reads slowly does not make room for the next.
struct Held {
    text: Vec<u8>,
    _turn: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

/// `GET /api/v2/users/{user_id}/export`
pub(crate) async fn one(call: Call) -> Result<Answer, Refusal> {
    let id = call.user_id()?;
    // Each can be of many megabytes: only so many at once.
    let exports = Arc::clone(&call.state.exports);
    let Ok(Ok(turn)) = tokio::time::timeout(PATIENCE, exports.acquire_owned()).await else {
        let reason = "too many users are being exported; try again";
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, Code::Internal, reason);
        return Err(Refusal { retry_after: Some(PAUSE), ..refusal });
    };
    let read = call.read(move |tx, ctx| exports::one(tx, ctx, &id)).await;
    let export = read.map_err(|refusal| refusal.advising(ELSE))?;
    let duration = call.duration();
    // Printing so much takes long enough to be in the way of other requests on this thread.
    let printing = tokio::task::spawn_blocking(move || {
        let text = shape::encode_one(&export.user, &export.messages, &export.reactions, &duration);
        Bytes::from_owner(Held { text, _turn: turn })
    });
    Ok(Answer::ok(printing.await.map_err(|_| Refusal::undecided())?))
}

/// `POST /api/v2/export/users`
pub(crate) async fn many(call: Call) -> Result<Answer, Refusal> {
    let ids = shape::decode_many(call.fields()?)?;
    let task = call.write(move |tx, ctx| exports::many(tx, ctx, &ids)).await?;
    Ok(Answer::ok(encode_started(&task, &call.duration())))
}
