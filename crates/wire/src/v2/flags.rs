//! Bodies and answers of the operations on flags (v2 2.9, 3.10).

use model::{
    App, Attached, Criterion, Direction, EntityKind, Flag, FlagPage, FlagPlace, FlagQuery, FlagRecord,
    FlagRecordField, FlagStart, Invalid, MOST_FLAG_CUSTOM_BYTES, MOST_FLAG_PAYLOAD_BYTES, Secret, Timestamp,
    UserId,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::acting::named;
use super::bans::required_user;
use super::criteria;
use super::to_bytes;
use super::user::{self, Moment};
use crate::body::Object;
use crate::print::Printer;
use crate::token;

/// `FlagRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_flag(body: Map<String, Value>, app: &App) -> Result<Flag, Invalid> {
    let mut body = Object::root(body);
    let kind = entity_type(&mut body)?;
    let kind = kind.ok_or_else(|| body.refuse("entity_type", "is required: a kind like 'stream:user'"))?;
    let entity = body.string("entity_id")?;
    let entity = entity.ok_or_else(|| body.refuse("entity_id", "is required: the id of what is flagged"))?;
    Ok(Flag {
        item: item(app, &kind, &entity),
        kind,
        entity,
        creator: body.user_id("entity_creator_id")?,
        user: named(&mut body, "user_id", "user")?,
        reason: body.string("reason")?,
        custom: attached(&mut body, "custom", MOST_FLAG_CUSTOM_BYTES)?,
        payload: attached(&mut body, "moderation_payload", MOST_FLAG_PAYLOAD_BYTES)?,
    })
}

/// The item of a thing, in the form of a UUID. Whoever reports it, in whatever team, gets the same without anybody having
/// looked: it does not tell whether others have reported it before.
fn item(app: &App, kind: &EntityKind, entity: &str) -> String {
    let half =
        |name: &str| token::digest(&app.secret, &format!("{name}\n{}\n{}\n{entity}", app.key.0, kind.name()));
    let (high, low) = (half("item"), half("rest of item"));
    // Version 8 and the variant of RFC 9562.
    let high = high & !0xf000 | 0x8000;
    let low = low & !(0x3 << 62) | (0x2 << 62);
    let digits = format!("{high:016x}{low:016x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

fn entity_type(body: &mut Object) -> Result<Option<EntityKind>, Invalid> {
    let Some(name) = body.string("entity_type")? else { return Ok(None) };
    EntityKind::parse(&name).map(Some).map_err(|invalid| invalid.within(body.path_of("entity_type")))
}

fn attached(body: &mut Object, name: &str, most: usize) -> Result<Option<Attached>, Invalid> {
    let object = body.object(name)?;
    object.map(|object| Attached::parse(name, object.into_fields(), most)).transpose()
}

/// `GetFlagCountRequest`: whose, and of which kind.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_count(body: Map<String, Value>) -> Result<(UserId, Option<EntityKind>), Invalid> {
    let mut body = Object::root(body);
    Ok((required_user(&mut body, "entity_creator_id")?, entity_type(&mut body)?))
}

/// The fields by which flags are found.
const FIELDS: &[(&str, FlagRecordField)] = &[
    ("entity_type", FlagRecordField::EntityType),
    ("entity_id", FlagRecordField::EntityId),
    ("user_id", FlagRecordField::User),
    ("entity_creator_id", FlagRecordField::Creator),
    ("reason", FlagRecordField::Reason),
];

/// `QueryModerationFlagsRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_query(body: Map<String, Value>, secret: &Secret) -> Result<FlagQuery, Invalid> {
    let mut body = Object::root(body);
    let mut criteria = match body.object("filter")? {
        None => Vec::new(),
        Some(conditions) => {
            let (path, conditions) = conditions.into_parts();
            criteria::decode(&path, conditions, FIELDS)?
        }
    };
    criteria.iter_mut().for_each(canonical);
    let direction = criteria::decode_sort(&mut body)?;
    let limit = body.count("limit")?.unwrap_or(FlagQuery::DEFAULT_LIMIT);
    FlagQuery::check_limit(limit)?;
    let next = cursor(&mut body, "next", direction, secret)?;
    let prev = cursor(&mut body, "prev", direction, secret)?;
    let start = match (next, prev) {
        (None, None) => FlagStart::First,
        (Some(next), None) => FlagStart::After(next),
        (None, Some(prev)) => FlagStart::Before(prev),
        (Some(_), Some(_)) => return Err(body.refuse("prev", "cannot be given together with next")),
    };
    Ok(FlagQuery { criteria, direction, start, limit })
}

/// A kind is found by its short name as well.
fn canonical(criterion: &mut Criterion<FlagRecordField>) {
    if let Criterion::Among(FlagRecordField::EntityType, names) = criterion {
        for name in names {
            if let Ok(kind) = EntityKind::parse(name) {
                kind.name().clone_into(name);
            }
        }
    }
}

/// The text of a cursor: the direction of the sort, which it goes with, time and key. The key counts the flags of every team
/// and app, so it is veiled: only the secret of the app makes it out.
fn cursor_text(place: FlagPlace, direction: Direction, secret: &Secret) -> String {
    let letter = letter(direction);
    let key = place.key.cast_unsigned() ^ veil(place.created_at, secret);
    format!("{letter}{:016x}{key:016x}", place.created_at.nanoseconds())
}

fn veil(created_at: Timestamp, secret: &Secret) -> u64 {
    token::digest(secret, &format!("flag {}", created_at.nanoseconds()))
}

fn letter(direction: Direction) -> char {
    if direction == Direction::Ascending { 'a' } else { 'd' }
}

fn cursor(
    body: &mut Object,
    name: &str,
    direction: Direction,
    secret: &Secret,
) -> Result<Option<FlagPlace>, Invalid> {
    let Some(text) = body.string(name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let number = |digits: Option<&str>| u64::from_str_radix(digits?, 16).ok();
    let place = || {
        let digits = text.strip_prefix(letter(direction))?;
        let is_hexadecimal = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (created_at, key) = (number(digits.get(..16))?, number(digits.get(16..))?);
        let created_at = Timestamp::from_nanoseconds(created_at.cast_signed());
        let key = (key ^ veil(created_at, secret)).cast_signed();
        is_hexadecimal.then_some(FlagPlace { created_at, key })
    };
    let why = "must be a cursor of an answer to a query with the same sort";
    place().ok_or_else(|| body.refuse(name, why)).map(Some)
}

/// `FlagItemResponse`.
#[must_use]
pub fn encode_flagged(item: &str, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct FlagItemResponse<'a> {
        duration: &'a str,
        item_id: &'a str,
    }
    to_bytes(&FlagItemResponse { duration, item_id: item })
}

/// `GetFlagCountResponse`.
#[must_use]
pub fn encode_count(count: u64, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct GetFlagCountResponse<'a> {
        duration: &'a str,
        count: u64,
    }
    to_bytes(&GetFlagCountResponse { duration, count })
}

/// `QueryModerationFlagsResponse` to a query that sorts in this direction.
#[must_use]
pub fn encode_query(page: &FlagPage, direction: Direction, secret: &Secret, duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(64 + page.flags.len() * 2 * user::ROOM);
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","flags":"#).list(&page.flags, print);
    for (name, place) in [(r#","next":"#, page.next), (r#","prev":"#, page.prev)] {
        if let Some(place) = place {
            printer.raw(name).text(&cursor_text(place, direction, secret));
        }
    }
    printer.raw("}");
    printer.into_bytes()
}

fn print(printer: &mut Printer, flag: &FlagRecord) {
    printer.raw(r#"{"type":"user_report","entity_type":"#).text(flag.kind.name());
    printer.raw(r#","entity_id":"#).text(&flag.entity);
    printer.raw(r#","user_id":"#).text(flag.user.id.as_str());
    printer.raw(r#","created_at":"#).value(&Moment(flag.place.created_at));
    printer.raw(r#","updated_at":"#).value(&Moment(flag.updated_at));
    printer.raw(r#","result":[],"review_queue_item_id":"#).text(&flag.item);
    if let Some(creator) = &flag.creator {
        printer.raw(r#","entity_creator_id":"#).text(creator.as_str());
    }
    if let Some(reason) = &flag.reason {
        printer.raw(r#","reason":"#).text(reason);
    }
    for (name, attached) in [(r#","custom":"#, &flag.custom), (r#","moderation_payload":"#, &flag.payload)] {
        if let Some(attached) = attached {
            printer.raw(name).value(attached);
        }
    }
    printer.raw(r#","user":"#);
    user::print_nested(printer, &flag.user);
    printer.raw("}");
}

#[cfg(test)]
mod tests {
    use model::{AppKey, AppSettings};
    use serde_json::json;

    use super::*;

    fn secret() -> Secret {
        Secret::new("secret".to_owned())
    }

    fn app() -> App {
        App {
            key: AppKey(1),
            api_key: "key".to_owned(),
            name: "app".to_owned(),
            secret: secret(),
            previous_secret: None,
            suspension: None,
            settings: AppSettings::default(),
            created_at: Timestamp::from_seconds(1),
            updated_at: Timestamp::from_seconds(1),
        }
    }

    #[test]
    fn an_item_is_known_by_what_it_is_of() {
        let of = |app: &App, kind: &str, entity: &str| item(app, &EntityKind::parse(kind).unwrap(), entity);
        let first = of(&app(), "photo", "p");
        assert_eq!(first, of(&app(), "photo", "p"));
        assert_eq!((first.len(), &first[14..15]), (36, "8"));
        assert!(["8", "9", "a", "b"].contains(&&first[19..20]), "{first}");
        let elsewhere = App { key: AppKey(2), ..app() };
        let rotated = App { secret: Secret::new("other".to_owned()), ..app() };
        let others = [
            of(&app(), "photo", "q"),
            of(&app(), "film", "p"),
            of(&app(), "user", "p"),
            of(&elsewhere, "photo", "p"),
            of(&rotated, "photo", "p"),
        ];
        assert!(!others.contains(&first), "{first} among {others:?}");
    }

    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn cursors_come_back_as_they_went() {
        let place = FlagPlace { created_at: Timestamp::from_seconds(1_704_067_200), key: 7 };
        for (sort, direction) in [(-1, Direction::Descending), (1, Direction::Ascending)] {
            let text = cursor_text(place, direction, &secret());
            let sort = json!([{"field": "created_at", "direction": sort}]);
            let next =
                decode_query(fields(json!({"next": text, "prev": "", "sort": sort})), &secret()).unwrap();
            assert_eq!((next.start, next.direction), (FlagStart::After(place), direction));
            let prev = decode_query(fields(json!({"prev": text, "sort": sort})), &secret()).unwrap();
            assert_eq!(prev.start, FlagStart::Before(place));
        }
    }

    #[test]
    fn short_names_find_the_same() {
        let query =
            decode_query(fields(json!({"filter": {"entity_type": {"$in": ["user", "photo"]}}})), &secret())
                .unwrap();
        let names = ["stream:user", "photo"].map(str::to_owned).to_vec();
        assert_eq!(query.criteria, [Criterion::Among(FlagRecordField::EntityType, names)]);
    }

    #[test]
    fn refusals_name_the_field() {
        let ascending = cursor_text(
            FlagPlace { created_at: Timestamp::from_seconds(1), key: 1 },
            Direction::Ascending,
            &secret(),
        );
        let broken = format!("d{}", "x".repeat(32));
        for (body, field) in [
            (json!({"filter": 1}), "filter"),
            (json!({"filter": {"type": "x"}}), "filter.type"),
            (json!({"limit": 0}), "limit"),
            (json!({"limit": 101}), "limit"),
            (json!({"next": "x"}), "next"),
            (json!({ "next": ascending }), "next"),
            (json!({ "prev": broken }), "prev"),
            (json!({"prev": "d+0000000000000010000000000000001"}), "prev"),
        ] {
            assert_eq!(decode_query(fields(body.clone()), &secret()).unwrap_err().field, field, "{body}");
        }
        let app = app();
        let flag = json!({"entity_type": "photo", "entity_id": "p"});
        assert!(decode_flag(fields(flag.clone()), &app).is_ok());
        for (more, field) in [
            (json!({"entity_type": null}), "entity_type"),
            (json!({"entity_type": ""}), "entity_type"),
            (json!({"entity_id": null}), "entity_id"),
            (json!({"entity_creator_id": "a b"}), "entity_creator_id"),
            (json!({"user_id": "a", "user": {"id": "b"}}), "user.id"),
            (json!({"reason": []}), "reason"),
            (json!({"custom": []}), "custom"),
            (json!({"custom": {"a": "x".repeat(MOST_FLAG_CUSTOM_BYTES)}}), "custom"),
            (json!({"moderation_payload": {"a": "x".repeat(MOST_FLAG_PAYLOAD_BYTES)}}), "moderation_payload"),
        ] {
            let mut body = fields(flag.clone());
            body.extend(fields(more.clone()));
            assert_eq!(decode_flag(body, &app).unwrap_err().field, field, "{more}");
        }
        assert_eq!(decode_count(fields(json!({}))).unwrap_err().field, "entity_creator_id");
    }
}
