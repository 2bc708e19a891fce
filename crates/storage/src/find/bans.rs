//! Finding bans, newest or oldest first.

use model::{Ban, BanField, BanQuery, BanRecord, Criterion, Direction, Filter, Timestamp, UserKey};

use super::records::{by_index, is_among, is_created, is_of, people};
use super::statement::Statement;
use super::{Scope, bound, explain_one};
use crate::sql::Row;
use crate::{Error, Tx};

/// Which bans are in reach of whoever asks.
#[derive(Clone, Copy, Debug)]
pub struct BansInReach<'r> {
    /// The users whose bans are; `None` is everybody's.
    pub users: Option<&'r Filter>,
    /// Of this user, shadow bans are not: it must not find out.
    pub unaware: Option<UserKey>,
}

/// The bans that `query` asks for and that are in reach, in its order. Two statements.
///
/// # Errors
/// [`Error::Timeout`] when it takes longer than a read may, or when a row cannot be read.
pub fn bans(
    tx: &mut Tx<'_>,
    scope: Scope,
    query: &BanQuery,
    reach: BansInReach<'_>,
) -> Result<Vec<BanRecord>, Error> {
    if query.page.limit() == 0 || query.criteria.iter().any(Criterion::is_impossible) {
        return Ok(Vec::new());
    }
    let mut statement = Statement::new(tx.dialect(), "");
    write(&mut statement, scope, query, reach);
    let found = statement.query(tx, read)?;
    let keys = found.iter().flat_map(|found| std::iter::once(found.user).chain(found.banned_by));
    let people = people(tx, scope, keys)?;
    let record = |found: Found| {
        Some(BanRecord {
            user: people.get(&found.user)?.clone(),
            banned_by: found.banned_by.and_then(|author| people.get(&author)).cloned(),
            ban: found.ban,
            reason: found.reason,
            created_at: found.created_at,
        })
    };
    Ok(found.into_iter().filter_map(record).collect())
}

/// How the engine would go about [`bans`], line by line, for a test of the plans.
///
/// # Errors
/// When the statement fails.
pub fn explain_bans(
    tx: &mut Tx<'_>,
    scope: Scope,
    query: &BanQuery,
    reach: BansInReach<'_>,
) -> Result<Vec<String>, Error> {
    explain_one(tx, |statement| write(statement, scope, query, reach))
}

/// A ban, with the keys of its people.
struct Found {
    user: UserKey,
    banned_by: Option<UserKey>,
    ban: Ban,
    reason: Option<String>,
    created_at: Timestamp,
}

fn read(row: &Row<'_>) -> Result<Found, Error> {
    Ok(Found {
        user: UserKey(row.integer(0)?),
        banned_by: row.optional_integer(1)?.map(UserKey),
        ban: Ban { shadow: row.boolean(2)?, expires: row.optional_timestamp(3)? },
        reason: row.optional_text(4)?,
        created_at: row.timestamp(5)?,
    })
}

fn write(statement: &mut Statement, scope: Scope, query: &BanQuery, reach: BansInReach<'_>) {
    let names = |field| query.criteria.iter().any(|criterion| criterion.values_of(field).is_some());
    statement.push("SELECT b.user, b.banned_by, b.shadow, b.expires, b.reason, b.created_at FROM bans AS b");
    let index = match (names(BanField::User), names(BanField::BannedBy)) {
        (true, _) => "sqlite_autoindex_bans_1",
        (false, true) => "bans_by_author",
        (false, false) => "bans_by_creation",
    };
    by_index(statement, index);
    statement.push(" WHERE b.app = ").bind(scope.app.0);
    let everybody = Filter::everybody();
    is_of(statement, scope, "b.user", None, Some(reach.users.unwrap_or(&everybody)));
    if let Some(unaware) = reach.unaware {
        statement.push(" AND NOT (b.shadow = 1 AND b.user = ").bind(unaware.0).push(")");
    }
    if query.exclude_expired {
        statement.push(" AND (b.expires IS NULL OR b.expires > ").bind(scope.now).push(")");
    }
    for criterion in &query.criteria {
        write_criterion(statement, scope, criterion, reach.users);
    }
    let direction = if query.direction == Direction::Ascending { "ASC" } else { "DESC" };
    statement.push(" ORDER BY b.created_at ").push(direction).push(", b.key ").push(direction);
    statement.push(" LIMIT ").bind(bound(query.page.limit()));
    statement.push(" OFFSET ").bind(bound(query.page.offset()));
}

fn write_criterion(
    statement: &mut Statement,
    scope: Scope,
    criterion: &Criterion<BanField>,
    reach: Option<&Filter>,
) {
    match criterion {
        Criterion::Among(BanField::User, ids) => is_of(statement, scope, "b.user", Some(ids), None),
        Criterion::Among(BanField::BannedBy, ids) => {
            // Said so that the index of authors can be used, which has no others.
            statement.push(" AND b.banned_by IS NOT NULL");
            is_of(statement, scope, "b.banned_by", Some(ids), reach);
        }
        Criterion::Among(BanField::Channel, cids) => is_among(statement, "b.channel", cids),
        Criterion::Among(BanField::Reason, reasons) => is_among(statement, "b.reason", reasons),
        Criterion::Missing(BanField::User) => drop(statement.push(" AND FALSE")),
        // An author out of reach is not shown, and not told from none.
        Criterion::Missing(BanField::BannedBy) => {
            statement.push(" AND (b.banned_by IS NULL");
            if reach.is_some() {
                statement.push(" OR NOT (TRUE");
                is_of(statement, scope, "b.banned_by", None, reach);
                statement.push(")");
            }
            statement.push(")");
        }
        Criterion::Missing(BanField::Channel) => drop(statement.push(" AND b.channel = ''")),
        Criterion::Missing(BanField::Reason) => drop(statement.push(" AND b.reason IS NULL")),
        Criterion::Created(_) => is_created(statement, "b.created_at", criterion),
    }
}
