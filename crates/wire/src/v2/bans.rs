//! Bodies and answers of the operations on bans (v2 2.9, 2.10, 3.10).

use model::{
    BanField, BanQuery, BanRecord, Cid, Invalid, LetIn, MOST_BAN_MINUTES, MessageDeletion, Page, ShutOut,
    UserId,
};
use serde_json::{Map, Value};

use super::acting::named;
use super::criteria;
use super::user::{self, Moment};
use crate::body::Object;
use crate::form::Query;
use crate::print::Printer;

/// `BanRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_ban(body: Map<String, Value>) -> Result<ShutOut, Invalid> {
    let mut body = Object::root(body);
    Ok(ShutOut {
        target: required_user(&mut body, "target_user_id")?,
        banned_by: named(&mut body, "banned_by_id", "banned_by")?,
        channel: cid(body.string("channel_cid")?.as_deref())?,
        minutes: minutes(&mut body)?,
        reason: body.string("reason")?,
        shadow: body.boolean("shadow")?.unwrap_or(false),
        ip_ban: body.boolean("ip_ban")?.unwrap_or(false),
        delete_messages: deletion(&mut body)?,
    })
}

/// A user that has to be named.
pub(super) fn required_user(body: &mut Object, name: &str) -> Result<UserId, Invalid> {
    body.user_id(name)?.ok_or_else(|| body.refuse(name, "is required: the id of a user"))
}

/// A channel; an empty text is none (chat-v1 4.10).
fn cid(text: Option<&str>) -> Result<Option<Cid>, Invalid> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => Cid::parse(text).map(Some).map_err(|invalid| invalid.within("channel_cid")),
    }
}

fn minutes(body: &mut Object) -> Result<Option<i64>, Invalid> {
    let Some(value) = body.value("timeout") else { return Ok(None) };
    let refuse = || {
        let why = format!("must be a whole number of minutes from 1 to {MOST_BAN_MINUTES}");
        body.refuse("timeout", why)
    };
    value.as_i64().ok_or_else(refuse).map(Some)
}

fn deletion(body: &mut Object) -> Result<Option<MessageDeletion>, Invalid> {
    match body.string("delete_messages")?.as_deref() {
        None | Some("") => Ok(None),
        Some(name) => {
            let refuse = || body.refuse("delete_messages", "must be 'soft', 'pruning' or 'hard'");
            MessageDeletion::by_name(name).ok_or_else(refuse).map(Some)
        }
    }
}

/// `UnbanRequest`: whom stands in the query, who does it in the body. `created_by` is about channels that are made later,
/// of which there are none yet.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_unban(query: &Query, body: Map<String, Value>) -> Result<LetIn, Invalid> {
    let user = |name: &str| {
        let id = query.get(name).map(UserId::parse).transpose();
        id.map_err(|invalid| invalid.within(name))
    };
    let required = || Invalid::new("target_user_id", "is required: the id of a user, in the query");
    let target = user("target_user_id")?.ok_or_else(required)?;
    user("created_by")?;
    let mut body = Object::root(body);
    Ok(LetIn {
        target,
        unbanned_by: named(&mut body, "unbanned_by_id", "unbanned_by")?,
        channel: cid(query.get("channel_cid"))?,
    })
}

/// The fields by which bans are found.
const FIELDS: &[(&str, BanField)] = &[
    ("user_id", BanField::User),
    ("banned_by_id", BanField::BannedBy),
    ("channel_cid", BanField::Channel),
    ("reason", BanField::Reason),
];

/// `QueryBannedUsersPayload`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_query(payload: Map<String, Value>) -> Result<BanQuery, Invalid> {
    let mut payload = Object::root(payload);
    let criteria = match payload.object("filter_conditions")? {
        None => Vec::new(),
        Some(conditions) => {
            let (path, conditions) = conditions.into_parts();
            criteria::decode(&path, conditions, FIELDS)?
        }
    };
    // Who the query runs as matters to no caller yet.
    named(&mut payload, "user_id", "user")?;
    Ok(BanQuery {
        criteria,
        exclude_expired: payload.boolean("exclude_expired_bans")?.unwrap_or(false),
        direction: criteria::decode_sort(&mut payload)?,
        page: Page::new(payload.count("limit")?, payload.count("offset")?)?,
    })
}

/// `QueryBannedUsersResponse`.
#[must_use]
pub fn encode_query(bans: &[BanRecord], duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(64 + bans.len() * 2 * user::ROOM);
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","bans":"#).list(bans, print).raw("}");
    printer.into_bytes()
}

fn print(printer: &mut Printer, record: &BanRecord) {
    printer.raw(r#"{"created_at":"#).value(&Moment(record.created_at));
    if let Some(expires) = record.ban.expires {
        printer.raw(r#","expires":"#).value(&Moment(expires));
    }
    if let Some(reason) = &record.reason {
        printer.raw(r#","reason":"#).text(reason);
    }
    printer.raw(r#","shadow":"#).boolean(record.ban.shadow);
    if let Some(author) = &record.banned_by {
        printer.raw(r#","banned_by":"#);
        user::print_nested(printer, author);
    }
    printer.raw(r#","user":"#);
    user::print_nested(printer, &record.user);
    printer.raw("}");
}

/// `BypassRequest`: whom, and whether.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_bypass(body: Map<String, Value>) -> Result<(UserId, bool), Invalid> {
    let mut body = Object::root(body);
    let target = required_user(&mut body, "target_user_id")?;
    let enabled = body.boolean("enabled")?;
    let enabled = enabled.ok_or_else(|| body.refuse("enabled", "is required: true or false"))?;
    Ok((target, enabled))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_ban_is_read() {
        let id = |id: &str| UserId::parse(id).unwrap();
        let plain = ShutOut {
            target: id("bob"),
            banned_by: None,
            channel: None,
            minutes: None,
            reason: None,
            shadow: false,
            ip_ban: false,
            delete_messages: None,
        };
        let empty =
            json!({"target_user_id": "bob", "channel_cid": "", "delete_messages": "", "timeout": null});
        assert_eq!(decode_ban(fields(empty)), Ok(plain.clone()));
        let full = json!({"target_user_id": "bob", "banned_by": {"id": "eve"}, "channel_cid": "a:b", "timeout": 60,
            "reason": "spam", "shadow": true, "ip_ban": true, "delete_messages": "pruning"});
        let expected = ShutOut {
            banned_by: Some(id("eve")),
            channel: Some(Cid { kind: "a".to_owned(), id: "b".to_owned() }),
            minutes: Some(60),
            reason: Some("spam".to_owned()),
            shadow: true,
            ip_ban: true,
            delete_messages: Some(MessageDeletion::Pruning),
            ..plain
        };
        assert_eq!(decode_ban(fields(full)), Ok(expected));
    }

    #[test]
    fn refusals_name_the_field() {
        for (more, field) in [
            (json!({"target_user_id": null}), "target_user_id"),
            (json!({"target_user_id": "a b"}), "target_user_id"),
            (json!({"banned_by_id": "a", "banned_by": {"id": "b"}}), "banned_by.id"),
            (json!({"channel_cid": "general"}), "channel_cid"),
            (json!({"timeout": 1.5}), "timeout"),
            (json!({"timeout": "60"}), "timeout"),
            (json!({"reason": 1}), "reason"),
            (json!({"shadow": "yes"}), "shadow"),
            (json!({"ip_ban": 1}), "ip_ban"),
            (json!({"delete_messages": "all"}), "delete_messages"),
        ] {
            let mut body = fields(json!({"target_user_id": "bob"}));
            body.extend(fields(more.clone()));
            assert_eq!(decode_ban(body).unwrap_err().field, field, "{more}");
        }
        for (query, body, field) in [
            ("", json!({}), "target_user_id"),
            ("target_user_id=a+b", json!({}), "target_user_id"),
            ("target_user_id=a&created_by=%21", json!({}), "created_by"),
            ("target_user_id=a&channel_cid=x", json!({}), "channel_cid"),
            ("target_user_id=a", json!({"unbanned_by_id": 1}), "unbanned_by_id"),
        ] {
            assert_eq!(decode_unban(&Query::parse(query), fields(body)).unwrap_err().field, field, "{query}");
        }
        for (payload, field) in [
            (json!({"filter_conditions": []}), "filter_conditions"),
            (json!({"filter_conditions": {"name": "x"}}), "filter_conditions.name"),
            (json!({"exclude_expired_bans": "yes"}), "exclude_expired_bans"),
            (json!({"sort": [{"field": "reason"}]}), "sort.0.field"),
            (json!({"limit": 101}), "limit"),
            (json!({"offset": 1001}), "offset"),
            (json!({"user_id": "a b"}), "user_id"),
        ] {
            assert_eq!(decode_query(fields(payload.clone())).unwrap_err().field, field, "{payload}");
        }
        assert_eq!(decode_bypass(fields(json!({"target_user_id": "a"}))).unwrap_err().field, "enabled");
    }
}
