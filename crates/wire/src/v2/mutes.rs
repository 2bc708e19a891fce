//! Bodies and answers of the operations on mutes (v2 2.9, 3.10).

use model::{Invalid, Mute, Targets, UserId, UserMute, UserView};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{actor, to_bytes, user};
use crate::body::Object;
use crate::print::Printer;

/// `MuteRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_mute(body: Map<String, Value>) -> Result<Mute, Invalid> {
    let mut body = Object::root(body);
    Ok(Mute { whom: targets(&mut body)?, minutes: body.count("timeout")? })
}

/// `UnmuteRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_unmute(body: Map<String, Value>) -> Result<Targets, Invalid> {
    targets(&mut Object::root(body))
}

/// The users in `target_ids`, and the one in `target_id`, which older clients send (chat-v1 4.8).
fn targets(body: &mut Object) -> Result<Targets, Invalid> {
    let single = body.user_id("target_id")?;
    let list = body.strings("target_ids")?;
    if single.is_none() && list.is_none() {
        return Err(body.refuse("target_ids", "is required: the users it is about"));
    }
    let mut targets = Vec::new();
    for (place, id) in list.into_iter().flatten().enumerate() {
        let field = || format!("{}.{place}", body.path_of("target_ids"));
        targets.push(UserId::parse(&id).map_err(|invalid| invalid.within(field()))?);
    }
    targets.extend(single.filter(|id| !targets.contains(id)));
    Ok(Targets { user: actor::decode(body)?, targets })
}

/// `MuteResponse`.
#[must_use]
pub fn encode_mute(own: &UserView, mutes: &[UserMute], unknown: &[UserId], duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(64 + 2 * (mutes.len() + own.mutes.len() + 1) * user::ROOM);
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","mutes":"#).list(mutes, |printer, mute| user::print_mute(printer, &own.user, mute));
    if !unknown.is_empty() {
        printer.raw(r#","non_existing_users":"#).list(unknown, |printer, id| {
            printer.text(id.as_str());
        });
    }
    printer.raw(r#","own_user":"#);
    user::print_own(&mut printer, own);
    printer.raw("}");
    printer.into_bytes()
}

/// `UnmuteResponse`.
#[must_use]
pub fn encode_unmute(unknown: &[UserId], duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct UnmuteResponse<'a> {
        duration: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        non_existing_users: Vec<&'a str>,
    }
    let non_existing_users = unknown.iter().map(UserId::as_str).collect();
    to_bytes(&UnmuteResponse { duration, non_existing_users })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decode(body: &Value) -> Result<(Vec<String>, Option<usize>), String> {
        let mute = decode_mute(body.as_object().cloned().unwrap()).map_err(|invalid| invalid.to_string())?;
        Ok((mute.whom.targets.iter().map(ToString::to_string).collect(), mute.minutes))
    }

    #[test]
    fn targets_are_a_list_or_one() {
        for (body, targets) in [
            (json!({"target_ids": ["a", "b"]}), &["a", "b"][..]),
            (json!({"target_id": "a"}), &["a"]),
            (json!({"target_id": "a", "target_ids": null}), &["a"]),
            (json!({"target_id": "c", "target_ids": ["a", "b"]}), &["a", "b", "c"]),
            (json!({"target_id": "a", "target_ids": ["a", "b"]}), &["a", "b"]),
            (json!({"target_ids": []}), &[]),
        ] {
            assert_eq!(decode(&body).unwrap().0, targets, "{body}");
        }
        assert_eq!(decode(&json!({"target_id": "a", "timeout": 60})).unwrap().1, Some(60));
    }

    #[test]
    fn refusals_name_the_field() {
        for (body, refused) in [
            (json!({}), "target_ids: is required: the users it is about"),
            (json!({"target_ids": "a"}), "target_ids: must be an array of strings, got a string"),
            (json!({"target_ids": ["a", 1]}), "target_ids.1: must be a string, got a number"),
            (json!({"target_ids": ["a", ""]}), "target_ids.1: must not be empty"),
            (json!({"target_id": ["a"]}), "target_id: must be a string, got an array"),
            (json!({"target_id": "a", "timeout": -1}), "timeout: must be a whole number from 0 up, got -1"),
            (json!({"target_id": "a", "timeout": 1.5}), "timeout: must be a whole number from 0 up, got 1.5"),
            (json!({"target_id": "a", "user": {}}), "user.id: is required: the user who acts"),
        ] {
            assert_eq!(decode(&body).unwrap_err(), refused, "{body}");
        }
    }
}
