//! Bodies and answers of the operations on reactions (v2 2.11).

use model::{Invalid, MOST_REACTION_CUSTOM_BYTES, MessageView, NewReaction, REACTIONS_SHOWN, ReactionView};
use serde_json::{Map, Value};

use super::actor;
use super::chat::{custom, print_message, print_reaction};
use super::user;
use crate::body::Object;
use crate::form::Query;
use crate::print::Printer;

/// `SendReactionRequest`: the reaction, and whether it is to be the only one of its user.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_send(body: Map<String, Value>) -> Result<(NewReaction, bool), Invalid> {
    let mut body = Object::root(body);
    body.boolean("skip_push")?;
    let enforce_unique = body.boolean("enforce_unique")?.unwrap_or(false);
    let Some(mut reaction) = body.object("reaction")? else {
        return Err(body.refuse("reaction", "is required: the reaction to give"));
    };
    let kind = reaction.string("type")?.filter(|kind| !kind.is_empty());
    let kind = kind.ok_or_else(|| reaction.refuse("type", "is required: a word like 'love'"))?;
    let score = match reaction.value("score") {
        None => 1,
        Some(score) => score.as_i64().ok_or_else(|| reaction.refuse("score", "must be a whole number"))?,
    };
    let new = NewReaction {
        user: actor::decode(&mut reaction)?,
        kind,
        score,
        custom: custom(&mut reaction, MOST_REACTION_CUSTOM_BYTES)?,
    };
    Ok((new, enforce_unique))
}

/// The parameters of `GetReactions`: how many, and after how many.
///
/// # Errors
/// The first parameter that is not as it should be.
pub fn decode_list(query: &Query) -> Result<(usize, usize), Invalid> {
    Ok((query.count("limit")?.unwrap_or(REACTIONS_SHOWN), query.count("offset")?.unwrap_or(0)))
}

/// `SendReactionResponse` and `DeleteReactionResponse`.
#[must_use]
pub fn encode_one(message: &MessageView, reaction: &ReactionView, duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(1024 + 3 * user::ROOM + message.message.text.len());
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","message":"#);
    print_message(&mut printer, message, None);
    printer.raw(r#","reaction":"#);
    print_reaction(&mut printer, reaction);
    printer.raw("}");
    printer.into_bytes()
}

/// `GetReactionsResponse`.
#[must_use]
pub fn encode_list(reactions: &[ReactionView], duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(64 + reactions.len() * user::ROOM);
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","reactions":"#).list(reactions, print_reaction).raw("}");
    printer.into_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refusals_name_the_field() {
        for (body, refused) in [
            (json!({}), "reaction: is required: the reaction to give"),
            (json!({"reaction": {}}), "reaction.type: is required: a word like 'love'"),
            (json!({"reaction": {"type": "a", "score": 1.5}}), "reaction.score: must be a whole number"),
            (
                json!({"reaction": {"type": "a", "custom": 1}}),
                "reaction.custom: must be an object, got a number",
            ),
            (
                json!({"reaction": {"type": "a"}, "enforce_unique": 1}),
                "enforce_unique: must be true or false, got a number",
            ),
        ] {
            let decoded = decode_send(body.as_object().cloned().unwrap());
            assert_eq!(decoded.unwrap_err().to_string(), refused, "{body}");
        }
    }
}
