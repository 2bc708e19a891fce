//! Users who are read by their ids in order to be changed. On an engine with concurrent writers their rows are locked, in two
//! strengths: against others who change them, and against everybody who acts as one of them as well.

use std::collections::BTreeSet;

use model::{AppKey, StoredUser, UserId};

use super::read;
use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// Locks users in the order of their ids, so that no two transactions wait for each other.
macro_rules! lock_on_postgres {
    ($strength:literal) => {
        concat!(
            "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
                 u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, \
                 u.ban, u.ban_expires, u.bypass_moderation, u.parts \
             FROM users AS u WHERE u.key = ANY (ARRAY(SELECT found.key \
                 FROM UNNEST($1::bigint[], $2::text[]) AS given (app, id) CROSS JOIN LATERAL \
                     (SELECT key FROM users WHERE users.app = given.app AND users.id = given.id LIMIT 1) AS found)) \
                 ORDER BY u.id FOR ",
            $strength
        )
    };
}

/// Leaves in peace whoever acts as one of the users ([`standing::current`](crate::standing::current)): two requests of the same
/// user would otherwise wait for each other.
pub(crate) const LOCK_ON_POSTGRES: &str = lock_on_postgres!("NO KEY UPDATE");

const BY_ID: Sql = Sql::pair(
    "SELECT key, id, name, image, role, teams, teams_role, language, invisible, privacy, custom, created_at, \
         updated_at, deactivated_at, deleted_at, tokens_revoked_before, ban, ban_expires, bypass_moderation, parts \
     FROM users WHERE app = $1 AND id = $2",
    "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
         u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, \
         u.ban, u.ban_expires, u.bypass_moderation, u.parts \
     FROM UNNEST($1::bigint[], $2::text[]) AS given (app, id) CROSS JOIN LATERAL \
         (SELECT * FROM users WHERE users.app = given.app AND users.id = given.id LIMIT 1) AS u",
);

/// The users of `app` with these ids, deleted ones too, in no particular order; each once, those that do not exist
/// left out. On an engine with concurrent writers the rows are locked: what is read here may be written.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn by_ids(tx: &mut Tx<'_>, app: AppKey, ids: &BTreeSet<&UserId>) -> Result<Vec<StoredUser>, Error> {
    const LOCK: Sql = Sql::pair(BY_ID.sqlite, LOCK_ON_POSTGRES);
    let keys: Vec<[Value; 2]> = ids.iter().map(|id| [app.0.into(), id.as_str().into()]).collect();
    tx.query_each(if tx.has_rivals() { LOCK } else { BY_ID }, &keys, read)
}

/// As [`by_ids`], of one user who is about to go: whatever was begun in the name of this user is over, on an engine with
/// concurrent writers too, and nothing is begun until the transaction ends.
///
/// # Errors
/// See [`by_ids`].
pub fn alone(tx: &mut Tx<'_>, app: AppKey, id: &UserId) -> Result<Option<StoredUser>, Error> {
    const LOCK: Sql = Sql::pair(BY_ID.sqlite, lock_on_postgres!("UPDATE"));
    let key: [Value; 2] = [app.0.into(), id.as_str().into()];
    Ok(tx.query_each(if tx.has_rivals() { LOCK } else { BY_ID }, &[key], read)?.pop())
}
