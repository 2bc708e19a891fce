//! Since when users are let in again who were shut out (semantics 9).

use std::collections::HashMap;

use model::{Timestamp, UserKey};

use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// Since when each of these users is let in again; one who was never shut out is left out.
///
/// # Errors
/// When the statement fails or a row cannot be read.
pub fn let_in_since(tx: &mut Tx<'_>, users: &[UserKey]) -> Result<HashMap<UserKey, Timestamp>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT key, reactivated_at FROM users WHERE key = $1 AND reactivated_at IS NOT NULL",
        "SELECT u.key, u.reactivated_at FROM UNNEST($1::bigint[]) AS given (key) CROSS JOIN LATERAL \
             (SELECT key, reactivated_at FROM users WHERE users.key = given.key LIMIT 1) AS u \
         WHERE u.reactivated_at IS NOT NULL",
    );
    let keys: Vec<[Value; 1]> = users.iter().map(|key| [key.0.into()]).collect();
    let found = tx.query_each(SELECT, &keys, |row| Ok((UserKey(row.integer(0)?), row.timestamp(1)?)))?;
    Ok(found.into_iter().collect())
}

/// Remembers since when these users are let in again. They have to be locked.
///
/// # Errors
/// When the statement fails.
pub fn let_in(tx: &mut Tx<'_>, users: &[(UserKey, Timestamp)]) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL users SET reactivated_at = ?2 WHERE key = ?1",
        "UPDATE users SET reactivated_at = given.since FROM UNNEST($1::bigint[], $2::bigint[]) AS given (key, since) \
         WHERE users.key = given.key AND users.key = ANY ($1::bigint[])",
    );
    let rows: Vec<[Value; 2]> = users.iter().map(|(key, since)| [key.0.into(), (*since).into()]).collect();
    tx.execute_each(UPDATE, &rows).map(drop)
}
