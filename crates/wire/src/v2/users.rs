//! Bodies and answers of the operations on users (v2 2.2, 3.3).

use std::collections::BTreeMap;

use model::{Batch, Invalid, Patch, Profile, UserId, UserQuery, UserView};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{patch, profile, query, user};

pub use super::user::{EventShape, encode_for_event};
use crate::body::Object;
use crate::print::Printer;

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

/// `UpdateUsersResponse`: users by id. Taking a user out of a team deletes no memberships (semantics 2.4), so there
/// is never a task that does.
#[must_use]
pub fn encode_update(users: &[UserView], duration: &str) -> Vec<u8> {
    let users: BTreeMap<&str, &UserView> = users.iter().map(|view| (view.user.id.as_str(), view)).collect();
    let mut printer = answer(duration, users.len());
    printer.raw(r#","membership_deletion_task_id":"","users":{"#);
    for (place, (id, view)) in users.into_iter().enumerate() {
        printer.raw(if place > 0 { "," } else { "" }).text(id).raw(":");
        user::print_full(&mut printer, view);
    }
    printer.raw("}}");
    printer.into_bytes()
}

/// `QueryUsersResponse`.
#[must_use]
pub fn encode_query<C: Serialize>(users: &[UserView<C>], duration: &str) -> Vec<u8> {
    let mut printer = answer(duration, users.len());
    printer.raw(r#","users":"#).list(users, user::print_full).raw("}");
    printer.into_bytes()
}

/// The beginning of an answer with room for `users` users.
fn answer(duration: &str, users: usize) -> Printer {
    let mut printer = Printer::with_capacity(64 + users * user::ROOM);
    printer.raw(r#"{"duration":"#).text(duration);
    printer
}
