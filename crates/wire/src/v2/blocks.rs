//! Bodies and answers of the operations on blocks (v2 2.2, 3.4).

use model::{Block, CustomText, Invalid, Timestamp, User, UserId};
use serde::Serialize;
use serde_json::{Map, Value};

use super::user::{self, Moment};
use super::{actor, to_bytes};
use crate::body::Object;
use crate::print::Printer;

/// `BlockUsersRequest` and `UnblockUsersRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode(body: Map<String, Value>) -> Result<Block, Invalid> {
    let mut body = Object::root(body);
    let Some(target) = body.user_id("blocked_user_id")? else {
        return Err(body.refuse("blocked_user_id", "is required: the user it is about"));
    };
    Ok(Block { user: actor::decode(&mut body)?, target })
}

/// `BlockUsersResponse`.
#[must_use]
pub fn encode_one(by: &UserId, target: &UserId, created_at: Timestamp, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct BlockUsersResponse<'a> {
        duration: &'a str,
        blocked_by_user_id: &'a str,
        blocked_user_id: &'a str,
        created_at: Moment,
    }
    to_bytes(&BlockUsersResponse {
        duration,
        blocked_by_user_id: by.as_str(),
        blocked_user_id: target.as_str(),
        created_at: Moment(created_at),
    })
}

/// `GetBlockedUsersResponse`: whom `user` has blocked since when.
#[must_use]
pub fn encode_list(user: &User, blocked: &[(User<CustomText>, Timestamp)], duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(64 + 2 * blocked.len() * user::ROOM);
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","blocks":"#).list(blocked, |printer, (target, since)| {
        printer.raw(r#"{"user_id":"#).text(user.id.as_str());
        printer.raw(r#","blocked_user_id":"#).text(target.id.as_str());
        printer.raw(r#","created_at":"#).value(&Moment(*since));
        printer.raw(r#","user":"#);
        user::print_owner(printer, user);
        printer.raw(r#","blocked_user":"#);
        user::print_nested(printer, target);
        printer.raw("}");
    });
    printer.raw("}");
    printer.into_bytes()
}
