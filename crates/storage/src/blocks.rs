//! Whom users have blocked.

use model::{UserId, UserKey};

use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// Whom each of these users has blocked, in the order in which they did. One statement; none for nobody.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub(crate) fn of(tx: &mut Tx<'_>, users: &[UserKey]) -> Result<Vec<(UserKey, UserId)>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT b.user, u.id FROM user_blocks AS b JOIN users AS u ON u.key = b.blocked WHERE b.user = $1 \
         ORDER BY b.created_at, b.blocked",
        "SELECT b.\"user\", u.id FROM UNNEST($1::bigint[]) AS given (key) \
         CROSS JOIN LATERAL (SELECT * FROM user_blocks WHERE \"user\" = given.key OFFSET 0) AS b \
         CROSS JOIN LATERAL (SELECT id FROM users WHERE users.key = b.blocked LIMIT 1) AS u \
         ORDER BY b.created_at, b.blocked",
    );
    let keys: Vec<[Value; 1]> = users.iter().map(|key| [key.0.into()]).collect();
    tx.query_each(SELECT, &keys, |row| Ok((UserKey(row.integer(0)?), UserId::from_stored(row.text(1)?))))
}
