//! Whom users have muted.

use model::{Timestamp, UserKey, UserMute};

use crate::sql::{Row, Sql, Value};
use crate::users::read_to_show;
use crate::{Error, Tx};

/// Whom each of these users has muted and still mutes at `now`, in the order in which they did. One statement; none for
/// nobody.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub(crate) fn of(
    tx: &mut Tx<'_>,
    users: &[UserKey],
    now: Timestamp,
) -> Result<Vec<(UserKey, UserMute)>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, m.user, m.expires, m.created_at, m.updated_at \
         FROM user_mutes AS m JOIN users AS u ON u.key = m.target \
         WHERE m.user = $1 AND (m.expires IS NULL OR m.expires > $2) ORDER BY m.created_at, m.target",
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, m.\"user\", m.expires, m.created_at, m.updated_at \
         FROM UNNEST($1::bigint[], $2::bigint[]) AS given (key, now) \
         CROSS JOIN LATERAL (SELECT * FROM user_mutes WHERE \"user\" = given.key \
             AND (expires IS NULL OR expires > given.now) OFFSET 0) AS m \
         CROSS JOIN LATERAL (SELECT * FROM users WHERE users.key = m.target LIMIT 1) AS u \
         ORDER BY m.created_at, m.target",
    );
    let keys: Vec<[Value; 2]> = users.iter().map(|key| [key.0.into(), now.into()]).collect();
    tx.query_each(SELECT, &keys, |row| Ok((UserKey(row.integer(20)?), read(row, now)?)))
}

fn read(row: &Row<'_>, now: Timestamp) -> Result<UserMute, Error> {
    Ok(UserMute {
        target: read_to_show(row)?.user.as_of(now),
        expires: row.optional_timestamp(21)?,
        created_at: row.timestamp(22)?,
        updated_at: row.timestamp(23)?,
    })
}
