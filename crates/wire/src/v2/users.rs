//! Bodies and answers of the operations on users (v2 2.2, 3.3, 3.5).

use std::collections::BTreeMap;

use model::{Batch, Invalid, Patch, Profile, UserId, UserQuery, UserView};
use serde::Serialize;
use serde_json::{Map, Value};

use super::user::{FullUserResponse, UserResponse};
use super::{patch, profile, query, to_bytes};
use crate::body::Object;

/// `UpdateUsersRequest`: the users in the order in which they were sent, up to the first that cannot be read.
///
/// # Errors
/// When there are no users at all.
pub fn decode_upsert(body: Map<String, Value>) -> Result<Batch<(UserId, Profile)>, Invalid> {
    let mut body = Object::root(body);
    let Some(users) = body.object("users")? else {
        return Err(body.refuse("users", "is required: a map of user id to user"));
    };
    let (path, users) = users.into_parts();
    let read = |(key, user): (String, Value)| {
        let user = Object::expect(format!("{path}.{key}"), user)?;
        profile::decode(&key, user)
    };
    Ok(Batch::read(users.len(), users.into_iter().map(read)))
}

/// `UpdateUsersPartialRequest`: the patches in the order in which they were sent, up to the first that cannot be read.
///
/// # Errors
/// When there are no patches at all.
pub fn decode_update_partial(body: Map<String, Value>) -> Result<Batch<Patch>, Invalid> {
    let mut body = Object::root(body);
    let Some(users) = body.list("users")? else {
        return Err(body.refuse("users", "is required: a list of changes, each with the id of a user"));
    };
    let read = |(place, user)| patch::decode(Object::expect(format!("users.{place}"), user)?);
    Ok(Batch::read(users.len(), users.into_iter().enumerate().map(read)))
}

/// `QueryUsersPayload`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_query(payload: Map<String, Value>) -> Result<UserQuery, Invalid> {
    query::decode(Object::root(payload))
}

/// `DeactivateUserRequest`.
#[derive(Debug, PartialEq, Eq)]
pub struct DeactivateUserRequest {
    /// Who is to be recorded as the author.
    pub created_by_id: Option<UserId>,
    /// Whether the user's messages are to show as deleted.
    pub mark_messages_deleted: bool,
    /// Whether the user's channels are to show as deleted; of many users in the contract, taken for one as well
    /// (semantics 9.2).
    pub mark_channels_deleted: bool,
}

/// Reads `DeactivateUserRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_deactivate(body: Map<String, Value>) -> Result<DeactivateUserRequest, Invalid> {
    let mut body = Object::root(body);
    Ok(DeactivateUserRequest {
        created_by_id: body.user_id("created_by_id")?,
        mark_messages_deleted: body.boolean("mark_messages_deleted")?.unwrap_or(false),
        mark_channels_deleted: body.boolean("mark_channels_deleted")?.unwrap_or(false),
    })
}

/// `ReactivateUserRequest`.
#[derive(Debug, PartialEq, Eq)]
pub struct ReactivateUserRequest {
    /// A new name on the way back.
    pub name: Option<String>,
    /// Who is to be recorded as the author.
    pub created_by_id: Option<UserId>,
    /// Whether messages that the deactivation hid are to come back.
    pub restore_messages: bool,
    /// Whether channels that the deactivation hid are to come back.
    pub restore_channels: bool,
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
        restore_messages: body.boolean("restore_messages")?.unwrap_or(false),
        restore_channels: body.boolean("restore_channels")?.unwrap_or(false),
    })
}

/// `UpdateUsersResponse`: users by id. Taking a user out of a team deletes no memberships (semantics 2.4), so there
/// is never a task that does.
#[must_use]
pub fn encode_update(users: &[UserView], duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct UpdateUsersResponse<'a> {
        duration: &'a str,
        membership_deletion_task_id: &'a str,
        users: BTreeMap<&'a str, FullUserResponse<'a>>,
    }
    let users = users.iter().map(|view| (view.user.id.as_str(), view.into())).collect();
    to_bytes(&UpdateUsersResponse { duration, membership_deletion_task_id: "", users })
}

/// `QueryUsersResponse`.
#[must_use]
pub fn encode_query(users: &[UserView], duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct QueryUsersResponse<'a> {
        duration: &'a str,
        users: Vec<FullUserResponse<'a>>,
    }
    to_bytes(&QueryUsersResponse { duration, users: users.iter().map(FullUserResponse::from).collect() })
}

/// `DeactivateUserResponse` and `ReactivateUserResponse`.
#[must_use]
pub fn encode_one(user: &UserView, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct OneUserResponse<'a> {
        duration: &'a str,
        user: UserResponse<'a>,
    }
    to_bytes(&OneUserResponse { duration, user: user.into() })
}
