//! Pages of groups, by creation or by name, in the whole app or in teams.
//!
//! The keys come first, from an index alone: in many teams, more are found than are shown.

use model::{AppKey, GroupOrder, Timestamp, UserGroup, UserGroupPage};

use super::read;
use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

/// Comes after every id, which is made of ASCII.
const BEYOND_IDS: &str = "\u{10ffff}";

/// A page of the groups of `app`. `teams` are those whose groups are looked at, each once; `None` is all. Two statements,
/// whatever there is.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn page(
    tx: &mut Tx<'_>,
    app: AppKey,
    teams: Option<&[String]>,
    page: &UserGroupPage,
) -> Result<Vec<UserGroup>, Error> {
    let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
    let mut found = match &page.order {
        GroupOrder::Creation(after) => by_creation(tx, app, teams, after.as_ref(), limit)?,
        GroupOrder::Name { prefix, after } => by_name(tx, app, teams, prefix, after.as_ref(), limit)?,
    };
    found.sort_unstable();
    let keys: Vec<[Value; 1]> =
        found.into_iter().take(page.limit).map(|(_, _, _, key)| [key.into()]).collect();
    by_keys(tx, &keys)
}

/// What groups are put in order by (time or name, then id), and the key of one.
type Place = (i64, String, String, i64);

fn by_creation(
    tx: &mut Tx<'_>,
    app: AppKey,
    teams: Option<&[String]>,
    after: Option<&(Timestamp, Option<String>)>,
    limit: i64,
) -> Result<Vec<Place>, Error> {
    const EVERYWHERE: Sql = Sql::new(
        "SELECT key, created_at, id FROM user_groups WHERE app = $1 AND (created_at, id) > ($2, $3) \
         ORDER BY created_at, id LIMIT $4",
    );
    const WITHIN: Sql = Sql::pair(
        "SELECT key, created_at, id FROM user_groups WHERE app = ?1 AND team = ?5 AND (created_at, id) > (?2, ?3) \
         ORDER BY created_at, id LIMIT ?4",
        "SELECT g.key, g.created_at, g.id \
         FROM UNNEST($1::bigint[], $2::bigint[], $3::text[], $5::text[]) AS given (app, time, id, team) \
         CROSS JOIN LATERAL (SELECT key, created_at, id FROM user_groups WHERE user_groups.app = given.app \
             AND user_groups.team = given.team AND (user_groups.created_at, user_groups.id) > (given.time, given.id) \
             ORDER BY user_groups.created_at, user_groups.id LIMIT ($4::bigint[])[1]) AS g \
         ORDER BY g.created_at, g.id LIMIT ($4::bigint[])[1]",
    );
    let (time, id) = match after {
        None => (i64::MIN, ""),
        Some((time, id)) => (time.nanoseconds(), id.as_deref().unwrap_or(BEYOND_IDS)),
    };
    let read = |row: &Row<'_>| Ok((row.integer(1)?, String::new(), row.text(2)?, row.integer(0)?));
    let start = || [app.0.into(), time.into(), id.into(), limit.into()];
    let Some(teams) = teams else { return tx.query(EVERYWHERE, &start(), read) };
    let starts: Vec<[Value; 5]> = teams
        .iter()
        .map(|team| {
            let [app, time, id, limit] = start();
            [app, time, id, limit, team.as_str().into()]
        })
        .collect();
    tx.query_each(WITHIN, &starts, read)
}

fn by_name(
    tx: &mut Tx<'_>,
    app: AppKey,
    teams: Option<&[String]>,
    prefix: &str,
    after: Option<&(String, Option<String>)>,
    limit: i64,
) -> Result<Vec<Place>, Error> {
    const EVERYWHERE: Sql = Sql::new(
        "SELECT key, name_folded, id FROM user_groups \
         WHERE app = $1 AND (name_folded, id) > ($2, $3) AND name_folded < $4 ORDER BY name_folded, id LIMIT $5",
    );
    const WITHIN: Sql = Sql::pair(
        "SELECT key, name_folded, id FROM user_groups \
         WHERE app = ?1 AND team = ?6 AND (name_folded, id) > (?2, ?3) AND name_folded < ?4 \
         ORDER BY name_folded, id LIMIT ?5",
        "SELECT g.key, g.name_folded, g.id \
         FROM UNNEST($1::bigint[], $2::text[], $3::text[], $4::text[], $6::text[]) AS given (app, name, id, until, team) \
         CROSS JOIN LATERAL (SELECT key, name_folded, id FROM user_groups WHERE user_groups.app = given.app \
             AND user_groups.team = given.team AND (user_groups.name_folded, user_groups.id) > (given.name, given.id) \
             AND user_groups.name_folded < given.until \
             ORDER BY user_groups.name_folded, user_groups.id LIMIT ($5::bigint[])[1]) AS g \
         ORDER BY g.name_folded, g.id LIMIT ($5::bigint[])[1]",
    );
    let after = after.map(|(name, id)| (name.as_str(), id.as_deref().unwrap_or(BEYOND_IDS)));
    let (name, id) = after.unwrap_or_default().max((prefix, ""));
    let until = format!("{prefix}\u{10ffff}");
    let read = |row: &Row<'_>| Ok((0, row.text(1)?, row.text(2)?, row.integer(0)?));
    let start = || [app.0.into(), name.into(), id.into(), until.as_str().into(), limit.into()];
    let Some(teams) = teams else { return tx.query(EVERYWHERE, &start(), read) };
    let starts: Vec<[Value; 6]> = teams
        .iter()
        .map(|team| {
            let [app, name, id, until, limit] = start();
            [app, name, id, until, limit, team.as_str().into()]
        })
        .collect();
    tx.query_each(WITHIN, &starts, read)
}

/// The groups with these keys, in their order.
fn by_keys(tx: &mut Tx<'_>, keys: &[[Value; 1]]) -> Result<Vec<UserGroup>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT g.key, g.id, g.team, g.name, g.description, g.created_by, g.created_at, g.updated_at, \
             (SELECT users.id FROM users WHERE users.key = g.created_by) \
         FROM user_groups AS g WHERE g.key = $1",
        "SELECT g.key, g.id, g.team, g.name, g.description, g.created_by, g.created_at, g.updated_at, \
             (SELECT users.id FROM users WHERE users.key = g.created_by) \
         FROM UNNEST($1::bigint[]) WITH ORDINALITY AS given (key, place) CROSS JOIN LATERAL \
             (SELECT * FROM user_groups WHERE user_groups.key = given.key LIMIT 1) AS g ORDER BY given.place",
    );
    tx.query_each(SELECT, keys, |row| Ok(read(row)?.group))
}
