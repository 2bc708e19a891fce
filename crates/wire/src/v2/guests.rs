//! Bodies and answers of the operation on guests (v2 2.2, 3.5).

use model::{Invalid, Profile, UserId, UserView};
use serde_json::{Map, Value};

use super::{profile, user};
use crate::body::Object;
use crate::print::Printer;

/// `CreateGuestRequest`: the id that is asked for, and the profile.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_create(body: Map<String, Value>) -> Result<(UserId, Profile), Invalid> {
    let mut body = Object::root(body);
    let Some(mut user) = body.object("user")? else {
        return Err(body.refuse("user", "is required: the guest, with an id"));
    };
    let Some(id) = user.string("id")? else {
        return Err(user.refuse("id", "is required: the end of the id that the guest gets"));
    };
    profile::decode(&id, user)
}

/// `CreateGuestResponse`.
#[must_use]
pub fn encode(guest: &UserView, access_token: &str, duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(512 + user::ROOM);
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","access_token":"#).text(access_token);
    printer.raw(r#","user":"#);
    user::print(&mut printer, guest);
    printer.raw("}");
    printer.into_bytes()
}
