//! Users who go for good.

use model::{AppKey, StoredUser};

use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// What PostgreSQL does to take users away, whose rows are locked. Words and roles are found by what the rows say.
const REMOVE_ON_POSTGRES: &str = "\
     WITH known AS (SELECT users.key, users.app, users.words, users.held_roles \
         FROM UNNEST($1::bigint[]) AS given (key) CROSS JOIN LATERAL \
             (SELECT key, app, words, held_roles FROM users WHERE users.key = given.key LIMIT 1) AS users), \
     words_gone AS (DELETE FROM user_words WHERE ctid = ANY (ARRAY(SELECT stored.ctid \
         FROM known CROSS JOIN LATERAL words_of(known.words) AS entry CROSS JOIN LATERAL \
             (SELECT ctid FROM user_words AS stored WHERE stored.word = entry.word \
                 AND stored.\"user\" = known.key LIMIT 1) AS stored))), \
     roles_gone AS (DELETE FROM role_holders WHERE ctid = ANY (ARRAY(SELECT stored.ctid \
         FROM known CROSS JOIN UNNEST(STRING_TO_ARRAY(BTRIM(known.held_roles), ' ')) AS held (role) \
         CROSS JOIN LATERAL (SELECT ctid FROM role_holders AS stored WHERE stored.app = known.app \
             AND stored.role = held.role AND stored.\"user\" = known.key LIMIT 1) AS stored))), \
     leaves_gone AS (DELETE FROM user_leaves WHERE \"user\" = ANY ($1::bigint[])) \
     DELETE FROM users WHERE key = ANY ($1::bigint[])";

/// Takes users away for good: their rows, and what finds them by custom data, words and roles. One statement.
///
/// What else hangs on them ([`parts`](crate::parts), bans, flags, groups, the log) is not touched; it has to be gone, or to
/// go in the same transaction. On SQLite their words are in the index until [`scrub`](crate::scrub) has gone through it.
///
/// # Errors
/// When a statement fails.
pub fn remove(tx: &mut Tx<'_>, app: AppKey, users: &[StoredUser]) -> Result<(), Error> {
    // Words and roles go with the row, by triggers.
    const REMOVE: Sql = Sql::pair("DELETE FROM users WHERE key = ?1", REMOVE_ON_POSTGRES)
        .then(&["DELETE FROM user_leaves WHERE user = ?1"]);
    let keys: Vec<[Value; 1]> = users.iter().map(|stored| [stored.key.0.into()]).collect();
    tx.execute_each(REMOVE, &keys)?;
    for stored in users {
        tx.user_changed(app, &stored.user.id);
    }
    Ok(())
}
