//! The standing of a user: what decides whether its requests are let in, and what it may do.

use std::sync::Arc;

use model::{AppKey, Standing, UserId, UserKey};

use crate::sql::Sql;
use crate::users::read_ban;
use crate::{Error, Tx};

/// The standing of the user of `app` with this id as it is in this transaction, which writes. Costs a statement only where
/// the engine does not know. On an engine with concurrent writers the user cannot go for good before the transaction ends
/// ([`users::alone`](crate::users::alone)): nothing that it stores in the name of this user is overlooked.
///
/// # Errors
/// See [`of`].
pub fn current(tx: &mut Tx<'_>, app: AppKey, id: &UserId) -> Result<Option<Arc<Standing>>, Error> {
    match tx.known_standing(app, id) {
        Some(standing) => Ok(Some(standing)),
        None => Ok(find(tx, app, id, if tx.has_rivals() { KEEP } else { SELECT })?.map(Arc::new)),
    }
}

const SELECT: Sql = Sql::new(
    "SELECT key, role, teams, teams_role, ban, ban_expires, deactivated_at, deleted_at, tokens_revoked_before \
     FROM users WHERE app = $1 AND id = $2",
);
const KEEP: Sql = Sql::pair(
    SELECT.sqlite,
    "SELECT key, role, teams, teams_role, ban, ban_expires, deactivated_at, deleted_at, tokens_revoked_before \
     FROM users WHERE app = $1 AND id = $2 FOR KEY SHARE",
);

/// The standing of the user of `app` with this id, deleted or not. One statement.
///
/// # Errors
/// When a statement fails or the row cannot be read.
pub fn of(tx: &mut Tx<'_>, app: AppKey, id: &UserId) -> Result<Option<Standing>, Error> {
    find(tx, app, id, SELECT)
}

fn find(tx: &mut Tx<'_>, app: AppKey, id: &UserId, select: Sql) -> Result<Option<Standing>, Error> {
    let unreadable = |_| Error::Unreadable("user");
    let found = tx.query(select, &[app.0.into(), id.as_str().into()], |row| {
        Ok(Standing {
            key: UserKey(row.integer(0)?),
            role: row.text(1)?,
            teams: serde_json::from_str(row.borrowed_text(2)?).map_err(unreadable)?,
            teams_role: serde_json::from_str(row.borrowed_text(3)?).map_err(unreadable)?,
            ban: read_ban(row, 4)?,
            is_deactivated: row.optional_timestamp(6)?.is_some(),
            is_deleted: row.optional_timestamp(7)?.is_some(),
            tokens_revoked_before: row.optional_timestamp(8)?,
        })
    })?;
    Ok(found.into_iter().next())
}
