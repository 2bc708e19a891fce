//! Permissions (v2 2.4).

use model::UserId;
use operations::permissions::{self, Explain, Person, Subject};
use wire::v2::permissions as wire;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Answer;

/// `GET /api/v2/permissions`
#[expect(clippy::unused_async, reason = "handlers are futures; this one has all it needs at hand")]
pub(crate) async fn list(call: Call) -> Result<Answer, Refusal> {
    let all = permissions::list(&call.ctx)?;
    Ok(Answer::ok(wire::encode_list(all, &call.duration())))
}

/// `GET /api/v2/permissions/{id}`
#[expect(clippy::unused_async, reason = "handlers are futures; this one has all it needs at hand")]
pub(crate) async fn get(call: Call) -> Result<Answer, Refusal> {
    let found = permissions::get(&call.ctx, &call.parameter("id")?)?;
    Ok(Answer::ok(wire::encode_one(found, &call.duration())))
}

/// `GET /api/v2/permissions/explain`
pub(crate) async fn explain(call: Call) -> Result<Answer, Refusal> {
    let request = wire::decode_explain(&call.query)?;
    let action = request.action;
    let question = Explain {
        user: request
            .user_id
            .map(|id| if id == UserId::anonymous() { Person::Anonymous } else { Person::User(id) }),
        action,
        on: match request.resource {
            wire::ExplainedResource::Place(place) => Subject::Place(place),
            wire::ExplainedResource::User(id) => Subject::User(id),
        },
    };
    let explained = call.read(move |tx, ctx| permissions::explain(tx, ctx, &question)).await?;
    let explanation = wire::Explanation {
        user_id: &explained.who,
        action,
        resource: call.query.get("resource").unwrap_or("app"),
        answer: explained.answer.as_ref().map_err(ToString::to_string),
    };
    Ok(Answer::ok(wire::encode_explanation(&explanation, &call.duration())))
}
