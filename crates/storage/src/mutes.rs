//! Whom users have muted.

use model::{Parts, StoredUser, Timestamp, UserKey, UserMute};

use crate::parts::have_part;
use crate::sql::{Row, Sql, Value};
use crate::users::read_to_show;
use crate::{Error, Tx};

/// Whom each of these users has muted and still mutes at `now`, in the order in which they did; of each no more than the
/// newest `most`, less those who are deleted. One statement; none for nobody.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub(crate) fn of(
    tx: &mut Tx<'_>,
    users: &[UserKey],
    now: Timestamp,
    most: usize,
) -> Result<Vec<(UserKey, UserMute)>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, m.user, m.expires, m.created_at, m.updated_at \
         FROM (SELECT * FROM user_mutes WHERE user = ?1 AND (expires IS NULL OR expires > ?2) \
             ORDER BY created_at DESC, target DESC LIMIT ?3) AS m \
         CROSS JOIN users AS u ON u.key = m.target \
         WHERE u.deleted_at IS NULL ORDER BY m.created_at, m.target",
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, m.\"user\", m.expires, m.created_at, m.updated_at \
         FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[]) AS given (key, now, most) \
         CROSS JOIN LATERAL (SELECT * FROM user_mutes WHERE \"user\" = given.key \
             AND (expires IS NULL OR expires > given.now) \
             ORDER BY created_at DESC, target DESC LIMIT given.most) AS m \
         CROSS JOIN LATERAL (SELECT * FROM users WHERE users.key = m.target LIMIT 1) AS u \
         WHERE u.deleted_at IS NULL ORDER BY m.created_at, m.target",
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let keys: Vec<[Value; 3]> = users.iter().map(|key| [key.0.into(), now.into(), most.into()]).collect();
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

/// A mute as it is stored; it may be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Who is muted.
    pub target: UserKey,
    /// When it ends; `None` is never.
    pub expires: Option<Timestamp>,
    /// Since when.
    pub created_at: Timestamp,
}

impl Mute {
    /// Whether it has not ended at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| end > now)
    }
}

/// Every mute by `user`, also those that are over. The row of the user has to be locked.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn by(tx: &mut Tx<'_>, user: UserKey) -> Result<Vec<Mute>, Error> {
    const SELECT: Sql = Sql::new("SELECT target, expires, created_at FROM user_mutes WHERE \"user\" = $1");
    tx.query(SELECT, &[user.0.into()], |row| {
        Ok(Mute {
            target: UserKey(row.integer(0)?),
            expires: row.optional_timestamp(1)?,
            created_at: row.timestamp(2)?,
        })
    })
}

/// Stores mutes by `user`, at most one of a target, over those that there are.
///
/// # Errors
/// When a statement fails.
pub fn put(tx: &mut Tx<'_>, user: &StoredUser, mutes: &[Mute], now: Timestamp) -> Result<(), Error> {
    const PUT: Sql = Sql::pair(
        "INSERT INTO user_mutes (user, target, expires, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (user, target) DO UPDATE SET expires = ?3, created_at = ?4, updated_at = ?5",
        "INSERT INTO user_mutes (\"user\", target, expires, created_at, updated_at) \
         SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) \
         ON CONFLICT (\"user\", target) DO UPDATE SET expires = EXCLUDED.expires, \
             created_at = EXCLUDED.created_at, updated_at = EXCLUDED.updated_at",
    );
    let row = |mute: &Mute| -> [Value; 5] {
        [user.key.0.into(), mute.target.0.into(), mute.expires.into(), mute.created_at.into(), now.into()]
    };
    tx.execute_each(PUT, &mutes.iter().map(row).collect::<Vec<_>>())?;
    have_part(tx, user.lacks(Parts::MUTES).into_iter(), Parts::MUTES)
}

/// Ends mutes by `user`. Answers those that there were, also those that were over.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn remove(tx: &mut Tx<'_>, user: UserKey, targets: &[UserKey]) -> Result<Vec<Mute>, Error> {
    const DELETE: Sql = Sql::pair(
        "DELETE FROM user_mutes WHERE user = $1 AND target = $2 RETURNING target, expires, created_at",
        "DELETE FROM user_mutes WHERE ctid = ANY (ARRAY(SELECT stored.ctid \
             FROM UNNEST($1::bigint[], $2::bigint[]) AS given (\"user\", target) \
             CROSS JOIN LATERAL (SELECT ctid FROM user_mutes AS stored \
                 WHERE stored.\"user\" = given.\"user\" AND stored.target = given.target LIMIT 1) AS stored)) \
         RETURNING target, expires, created_at",
    );
    let rows: Vec<[Value; 2]> = targets.iter().map(|target| [user.0.into(), target.0.into()]).collect();
    tx.query_each(DELETE, &rows, |row| {
        Ok(Mute {
            target: UserKey(row.integer(0)?),
            expires: row.optional_timestamp(1)?,
            created_at: row.timestamp(2)?,
        })
    })
}

/// Forgets the mutes by `user` that are over at `now`.
///
/// # Errors
/// When a statement fails.
pub fn forget_ended(tx: &mut Tx<'_>, user: UserKey, now: Timestamp) -> Result<(), Error> {
    const DELETE: Sql = Sql::new("DELETE FROM user_mutes WHERE \"user\" = $1 AND expires <= $2");
    tx.execute(DELETE, &[user.0.into(), now.into()]).map(drop)
}
