//! Bodies and answers of the operations that shut users out and let them in again (v2 2.2, 3.5).

use model::{Invalid, TaskId, UserContent, UserId, UserView};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{to_bytes, user};
use crate::body::Object;
use crate::print::Printer;

/// `DeactivateUserRequest`.
#[derive(Debug, PartialEq, Eq)]
pub struct DeactivateUserRequest {
    /// Who is to be recorded as the author.
    pub created_by_id: Option<UserId>,
    /// What of the user is to show as deleted. Channels are of many users in the contract, taken for one as well
    /// (semantics 9.2).
    pub content: UserContent,
}

/// Reads `DeactivateUserRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_deactivate(body: Map<String, Value>) -> Result<DeactivateUserRequest, Invalid> {
    let mut body = Object::root(body);
    Ok(DeactivateUserRequest { created_by_id: body.user_id("created_by_id")?, content: marked(&mut body)? })
}

/// `DeactivateUsersRequest` and `ReactivateUsersRequest`.
#[derive(Debug, PartialEq, Eq)]
pub struct ManyUsersRequest {
    /// The users.
    pub user_ids: Vec<UserId>,
    /// Who is to be recorded as the author.
    pub created_by_id: Option<UserId>,
    /// What of the users is to show as deleted, or to come back.
    pub content: UserContent,
}

/// Reads `DeactivateUsersRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_deactivate_many(body: Map<String, Value>) -> Result<ManyUsersRequest, Invalid> {
    decode_many(body, marked)
}

/// Reads `ReactivateUsersRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_reactivate_many(body: Map<String, Value>) -> Result<ManyUsersRequest, Invalid> {
    decode_many(body, restored)
}

/// `ReactivateUserRequest`.
#[derive(Debug, PartialEq, Eq)]
pub struct ReactivateUserRequest {
    /// A new name on the way back.
    pub name: Option<String>,
    /// Who is to be recorded as the author.
    pub created_by_id: Option<UserId>,
    /// What the deactivation hid and is to come back.
    pub content: UserContent,
}

/// Reads `ReactivateUserRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_reactivate(body: Map<String, Value>) -> Result<ReactivateUserRequest, Invalid> {
    let mut body = Object::root(body);
    Ok(ReactivateUserRequest {
        name: body.string("name")?,
        created_by_id: body.user_id("created_by_id")?,
        content: restored(&mut body)?,
    })
}

/// The list of users that requests about many users begin with.
///
/// # Errors
/// When it is missing, or an element is not the id of a user. How many there are is left to the caller.
pub fn decode_user_ids(body: &mut Object) -> Result<Vec<UserId>, Invalid> {
    let Some(ids) = body.strings("user_ids")? else {
        return Err(body.refuse("user_ids", "is required: a list of user ids"));
    };
    let read = |(place, id): (usize, String)| {
        UserId::parse(&id).map_err(|invalid| invalid.within(format_args!("user_ids.{place}")))
    };
    ids.into_iter().enumerate().map(read).collect()
}

fn decode_many(
    body: Map<String, Value>,
    content: fn(&mut Object) -> Result<UserContent, Invalid>,
) -> Result<ManyUsersRequest, Invalid> {
    let mut body = Object::root(body);
    Ok(ManyUsersRequest {
        user_ids: decode_user_ids(&mut body)?,
        created_by_id: body.user_id("created_by_id")?,
        content: content(&mut body)?,
    })
}

fn marked(body: &mut Object) -> Result<UserContent, Invalid> {
    let messages = body.boolean("mark_messages_deleted")?.unwrap_or(false);
    Ok(UserContent { messages, channels: body.boolean("mark_channels_deleted")?.unwrap_or(false) })
}

fn restored(body: &mut Object) -> Result<UserContent, Invalid> {
    let messages = body.boolean("restore_messages")?.unwrap_or(false);
    Ok(UserContent { messages, channels: body.boolean("restore_channels")?.unwrap_or(false) })
}

/// `DeactivateUserResponse` and `ReactivateUserResponse`.
#[must_use]
pub fn encode_one(user: &UserView, duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(64 + user::ROOM);
    printer.raw(r#"{"duration":"#).text(duration).raw(r#","user":"#);
    user::print(&mut printer, user);
    printer.raw("}");
    printer.into_bytes()
}

/// The answer to every call that starts a task: `DeactivateUsersResponse`, `ReactivateUsersResponse` and the like.
#[must_use]
pub fn encode_started(task: &TaskId, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Started<'a> {
        duration: &'a str,
        task_id: &'a str,
    }
    to_bytes(&Started { duration, task_id: task.as_str() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn many(body: Value) -> Result<ManyUsersRequest, Invalid> {
        let Value::Object(body) = body else { panic!("{body} is not an object") };
        decode_deactivate_many(body)
    }

    #[test]
    fn what_is_left_out_is_not_asked_for() {
        let request = many(json!({"user_ids": ["a", "b"], "created_by_id": "", "other": 1})).unwrap();
        let user_ids = ["a", "b"].map(|id| UserId::parse(id).unwrap()).to_vec();
        assert_eq!(
            request,
            ManyUsersRequest { user_ids, created_by_id: None, content: UserContent::default() }
        );
    }

    #[test]
    fn refusals_name_the_field() {
        for (body, refused) in [
            (json!({}), "user_ids: is required: a list of user ids"),
            (json!({"user_ids": null}), "user_ids: is required: a list of user ids"),
            (json!({"user_ids": "a"}), "user_ids: must be an array of strings, got a string"),
            (json!({"user_ids": ["a", 1]}), "user_ids.1: must be a string, got a number"),
            (json!({"user_ids": ["a", ""]}), "user_ids.1: must not be empty"),
            (json!({"user_ids": ["a"], "created_by_id": 1}), "created_by_id: must be a string, got a number"),
            (
                json!({"user_ids": ["a"], "mark_messages_deleted": "yes"}),
                "mark_messages_deleted: must be true or false, got a string",
            ),
        ] {
            assert_eq!(many(body.clone()).unwrap_err().to_string(), refused, "{body}");
        }
    }
}
