//! Finding flags, newest or oldest first, page by page.

use model::{
    Criterion, CustomText, Direction, EntityKind, Filter, FlagPage, FlagPlace, FlagQuery, FlagRecord,
    FlagRecordField, FlagStart, Timestamp, UserId, UserKey,
};

use super::records::{by_index, is_among, is_created, is_of, people};
use super::statement::Statement;
use super::{Scope, bound, explain_one};
use crate::sql::Row;
use crate::{Error, Tx};

/// The page of flags that `query` asks for. With a `reach`, only flags by users in it of what users in it have made. Two
/// statements.
///
/// # Errors
/// [`Error::Timeout`] when it takes longer than a read may, or when a row cannot be read.
pub fn flags(
    tx: &mut Tx<'_>,
    scope: Scope,
    query: &FlagQuery,
    reach: Option<&Filter>,
) -> Result<FlagPage, Error> {
    if query.criteria.iter().any(Criterion::is_impossible) {
        return Ok(FlagPage::default());
    }
    let mut statement = Statement::new(tx.dialect(), "");
    write(&mut statement, scope, query, reach);
    let mut found = statement.query(tx, read)?;
    let there_is_more = found.len() > query.limit;
    found.truncate(query.limit);
    let is_backwards = matches!(query.start, FlagStart::Before(_));
    if is_backwards {
        found.reverse();
    }
    let (is_behind, is_before) = match query.start {
        FlagStart::First => (there_is_more, false),
        FlagStart::After(_) => (there_is_more, true),
        FlagStart::Before(_) => (true, there_is_more),
    };
    let next = found.last().filter(|_| is_behind).map(|found| found.place);
    let prev = found.first().filter(|_| is_before).map(|found| found.place);
    let people = people(tx, scope, found.iter().map(|found| found.user))?;
    let record = |found: Found| {
        Some(FlagRecord {
            place: found.place,
            user: people.get(&found.user)?.clone(),
            kind: EntityKind::parse(&found.kind).ok()?,
            entity: found.entity,
            creator: found.creator.map(UserId::from_stored),
            item: found.item,
            reason: found.reason,
            custom: found.custom.and_then(CustomText::from_stored),
            payload: found.payload.and_then(CustomText::from_stored),
            updated_at: found.updated_at,
        })
    };
    Ok(FlagPage { flags: found.into_iter().filter_map(record).collect(), next, prev })
}

/// How often things of `creator` were flagged by users in `reach`; with a kind, such things only. One statement.
///
/// # Errors
/// When the statement fails.
pub fn count_flags(
    tx: &mut Tx<'_>,
    scope: Scope,
    creator: UserKey,
    kind: Option<&EntityKind>,
    reach: &Filter,
) -> Result<u64, Error> {
    let mut statement = Statement::new(tx.dialect(), "SELECT COUNT(*) FROM flags AS f");
    by_index(&mut statement, "flags_by_creator");
    statement.push(" WHERE f.creator IS NOT NULL AND f.creator = ").bind(creator.0);
    if let Some(kind) = kind {
        statement.push(" AND f.entity_type = ").bind(kind.name());
    }
    is_of(&mut statement, scope, "f.user", None, Some(reach));
    let counted = statement.query(tx, |row| row.integer(0))?;
    Ok(counted.first().and_then(|count| u64::try_from(*count).ok()).unwrap_or(0))
}

/// How the engine would go about [`flags`], line by line, for a test of the plans.
///
/// # Errors
/// When the statement fails.
pub fn explain_flags(
    tx: &mut Tx<'_>,
    scope: Scope,
    query: &FlagQuery,
    reach: Option<&Filter>,
) -> Result<Vec<String>, Error> {
    explain_one(tx, |statement| write(statement, scope, query, reach))
}

/// A flag, with the key of who made it.
struct Found {
    place: FlagPlace,
    user: UserKey,
    kind: String,
    entity: String,
    creator: Option<String>,
    item: String,
    reason: Option<String>,
    custom: Option<String>,
    payload: Option<String>,
    updated_at: Timestamp,
}

fn read(row: &Row<'_>) -> Result<Found, Error> {
    Ok(Found {
        place: FlagPlace { key: row.integer(0)?, created_at: row.timestamp(1)? },
        user: UserKey(row.integer(2)?),
        kind: row.text(3)?,
        entity: row.text(4)?,
        creator: row.optional_text(5)?,
        item: row.text(6)?,
        reason: row.optional_text(7)?,
        custom: row.optional_text(8)?,
        payload: row.optional_text(9)?,
        updated_at: row.timestamp(10)?,
    })
}

fn write(statement: &mut Statement, scope: Scope, query: &FlagQuery, reach: Option<&Filter>) {
    let names = |field| query.criteria.iter().any(|criterion| criterion.values_of(field).is_some());
    statement.push("SELECT f.key, f.created_at, f.user, f.entity_type, f.entity_id, ");
    statement.push("(SELECT creator.id FROM users AS creator WHERE creator.key = f.creator), ");
    statement.push("f.item, f.reason, f.custom, f.payload, f.updated_at FROM flags AS f");
    let entity = names(FlagRecordField::EntityType) && names(FlagRecordField::EntityId);
    let index = match (entity, names(FlagRecordField::User), names(FlagRecordField::Creator)) {
        (true, ..) => "sqlite_autoindex_flags_1",
        (false, true, _) => "flags_by_user",
        (false, false, true) => "flags_by_creator",
        (false, false, false) => "flags_by_creation",
    };
    by_index(statement, index);
    statement.push(" WHERE f.app = ").bind(scope.app.0);
    if reach.is_some() {
        is_of(statement, scope, "f.user", None, reach);
        is_of(statement, scope, "f.creator", None, reach);
    }
    for criterion in &query.criteria {
        write_criterion(statement, scope, criterion);
    }
    write_page(statement, query);
}

fn write_criterion(statement: &mut Statement, scope: Scope, criterion: &Criterion<FlagRecordField>) {
    match criterion {
        Criterion::Among(FlagRecordField::EntityType, kinds) => is_among(statement, "f.entity_type", kinds),
        Criterion::Among(FlagRecordField::EntityId, ids) => is_among(statement, "f.entity_id", ids),
        Criterion::Among(FlagRecordField::User, ids) => is_of(statement, scope, "f.user", Some(ids), None),
        Criterion::Among(FlagRecordField::Creator, ids) => {
            // Said so that the index of creators can be used, which has no others.
            statement.push(" AND f.creator IS NOT NULL");
            is_of(statement, scope, "f.creator", Some(ids), None);
        }
        Criterion::Among(FlagRecordField::Reason, reasons) => is_among(statement, "f.reason", reasons),
        Criterion::Missing(FlagRecordField::Creator) => drop(statement.push(" AND f.creator IS NULL")),
        Criterion::Missing(FlagRecordField::Reason) => drop(statement.push(" AND f.reason IS NULL")),
        Criterion::Missing(_) => drop(statement.push(" AND FALSE")),
        Criterion::Created(_) => is_created(statement, "f.created_at", criterion),
    }
}

/// Writes where the page begins and in which order it is read, which for a page that ends somewhere is the opposite of the
/// one in which it is answered, and one flag more than the page has.
fn write_page(statement: &mut Statement, query: &FlagQuery) {
    let is_ascending = query.direction == Direction::Ascending;
    let (start, reads_up) = match query.start {
        FlagStart::First => (None, is_ascending),
        FlagStart::After(place) => (Some(place), is_ascending),
        FlagStart::Before(place) => (Some(place), !is_ascending),
    };
    if let Some(place) = start {
        let beyond = if reads_up { " > (" } else { " < (" };
        statement.push(" AND (f.created_at, f.key)").push(beyond);
        statement.bind(place.created_at).push(", ").bind(place.key).push(")");
    }
    let direction = if reads_up { "ASC" } else { "DESC" };
    statement.push(" ORDER BY f.created_at ").push(direction).push(", f.key ").push(direction);
    statement.push(" LIMIT ").bind(bound(query.limit + 1));
}
