//! Guests (v2 2.2).

use operations::guests::{self, Create};
use wire::v2::guests as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `POST /api/v2/guest`
pub(crate) async fn create(call: Call) -> Result<Answer, Refusal> {
    let (id, profile) = wire::decode_create(call.fields()?)?;
    let limits = call.app.settings.limits();
    profile.check(&limits).map_err(|invalid| invalid.within("user"))?;
    let command = Create { id, profile };
    let guest = call.write(move |tx, ctx| guests::create(tx, ctx, &command)).await?;
    let token = ::wire::token::for_user(&call.app.secret, &guest.user.id, call.ctx.now);
    Ok(Answer::ok(wire::encode(&guest, &token, &call.duration())).created())
}
