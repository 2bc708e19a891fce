//! What finding bans and finding flags have in common: both are records that hang on users.

use std::collections::{BTreeSet, HashMap};

use model::{Criterion, CustomText, Filter, User, UserKey};

use super::Scope;
use super::condition::{condition, within};
use super::statement::Statement;
use crate::sql::{Sql, Value};
use crate::tx::Dialect;
use crate::users::read_to_show;
use crate::{Error, Tx};

/// Writes, with `AND` in front, that `column`, the key of a user, is that of one who is in `reach` and, when ids are given,
/// has one of them.
pub(super) fn is_of(
    statement: &mut Statement,
    scope: Scope,
    column: &str,
    ids: Option<&[String]>,
    reach: Option<&Filter>,
) {
    statement.push(" AND ").push(column);
    statement.push(" IN (SELECT u.key FROM users AS u WHERE u.app = ").bind(scope.app.0);
    if let Some(ids) = ids {
        statement.push(" AND u.id IN (").bind_all(ids.iter().map(String::as_str)).push(")");
    } else {
        // Told so, the engine looks at the one user in question instead of collecting all.
        statement.push(" AND u.key = ").push(column);
    }
    if let Some(reach) = reach {
        statement.push(" AND u.deleted_at IS NULL AND ");
        condition(statement, scope, reach, None);
    }
    statement.push(")");
}

/// Writes, with `AND` in front, that a text of a record is one of `values`.
pub(super) fn is_among(statement: &mut Statement, column: &str, values: &[String]) {
    statement.push(" AND ").push(column).push(" IN (");
    statement.bind_all(values.iter().map(String::as_str)).push(")");
}

/// Writes, with `AND` in front, when a record was made, as far as the criterion says.
pub(super) fn is_created<F>(statement: &mut Statement, column: &str, criterion: &Criterion<F>) {
    if let Criterion::Created(range) = criterion {
        within(statement, column, range, |moment| (*moment).into());
    }
}

/// The index that SQLite is to go by. PostgreSQL knows by itself.
pub(super) fn by_index(statement: &mut Statement, index: &str) {
    if statement.dialect() == Dialect::Sqlite {
        statement.push(" INDEXED BY ").push(index);
    }
}

/// The users with these keys, to be shown as they are at the time of `scope`. One statement; none for nobody.
pub(super) fn people(
    tx: &mut Tx<'_>,
    scope: Scope,
    keys: impl Iterator<Item = UserKey>,
) -> Result<HashMap<UserKey, User<CustomText>>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT key, id, name, image, role, teams, teams_role, language, invisible, privacy, custom, created_at, \
             updated_at, deactivated_at, deleted_at, tokens_revoked_before, ban, ban_expires, bypass_moderation, parts \
         FROM users WHERE key = $1",
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, \
             u.ban, u.ban_expires, u.bypass_moderation, u.parts \
         FROM UNNEST($1::bigint[]) AS given (key) \
         CROSS JOIN LATERAL (SELECT * FROM users WHERE users.key = given.key LIMIT 1) AS u",
    );
    let keys: BTreeSet<UserKey> = keys.collect();
    let keys: Vec<[Value; 1]> = keys.into_iter().map(|key| [key.0.into()]).collect();
    let found = tx.query_each(SELECT, &keys, read_to_show)?;
    Ok(found.into_iter().map(|stored| (stored.key, stored.user.as_of(scope.now))).collect())
}
