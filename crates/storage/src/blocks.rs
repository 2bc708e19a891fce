//! Whom users have blocked.

use model::{CustomText, Parts, StoredUser, Timestamp, UserId, UserKey};

use crate::parts::have_part;
use crate::sql::{Sql, Value};
use crate::users::read_to_show;
use crate::{Error, Tx};

/// Whom each of these users has blocked, in the order in which they did. One statement; none for nobody.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn of(tx: &mut Tx<'_>, users: &[UserKey]) -> Result<Vec<(UserKey, UserId)>, Error> {
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

/// A user whom another one has blocked.
#[derive(Debug)]
pub struct Blocked {
    /// The blocked user.
    pub user: StoredUser<CustomText>,
    /// Since when.
    pub since: Timestamp,
}

/// Everybody whom `user` has blocked and who is not deleted, in the order in which it did.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn list(tx: &mut Tx<'_>, user: UserKey) -> Result<Vec<Blocked>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, b.created_at \
         FROM user_blocks AS b JOIN users AS u ON u.key = b.blocked \
         WHERE b.user = $1 AND u.deleted_at IS NULL ORDER BY b.created_at, b.blocked",
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, b.created_at \
         FROM (SELECT * FROM user_blocks WHERE \"user\" = $1 OFFSET 0) AS b \
         CROSS JOIN LATERAL (SELECT * FROM users WHERE users.key = b.blocked LIMIT 1) AS u \
         WHERE u.deleted_at IS NULL ORDER BY b.created_at, b.blocked",
    );
    tx.query(SELECT, &[user.0.into()], |row| {
        Ok(Blocked { user: read_to_show(row)?, since: row.timestamp(20)? })
    })
}

/// What there is before a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// How many users the user has blocked, whoever they are.
    pub count: usize,
    /// Since when the one in question is among them.
    pub since: Option<Timestamp>,
}

/// What `user` has blocked, with regard to `target`. The row of the user has to be locked.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn known(tx: &mut Tx<'_>, user: UserKey, target: UserKey) -> Result<Known, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT COUNT(*), MAX(CASE WHEN blocked = $1 THEN created_at END) FROM user_blocks WHERE \"user\" = $2",
    );
    let found = tx.query(SELECT, &[target.0.into(), user.0.into()], |row| {
        let count = usize::try_from(row.integer(0)?).map_err(|_| Error::Unreadable("block"))?;
        Ok(Known { count, since: row.optional_timestamp(1)? })
    })?;
    found.into_iter().next().ok_or(Error::Unreadable("block"))
}

/// Has `user` block `target`, whom it has not blocked.
///
/// # Errors
/// When a statement fails.
pub fn insert(tx: &mut Tx<'_>, user: &StoredUser, target: UserKey, now: Timestamp) -> Result<(), Error> {
    const INSERT: Sql = Sql::pair(
        "INSERT OR FAIL INTO user_blocks (user, blocked, created_at) VALUES ($1, $2, $3)",
        "INSERT INTO user_blocks (\"user\", blocked, created_at) VALUES ($1, $2, $3)",
    );
    tx.execute(INSERT, &[user.key.0.into(), target.0.into(), now.into()])?;
    have_part(tx, user.lacks(Parts::BLOCKS).into_iter(), Parts::BLOCKS)
}

/// Ends the block of `target` by `user`. Answers whether there was one.
///
/// # Errors
/// When a statement fails.
pub fn remove(tx: &mut Tx<'_>, user: UserKey, target: UserKey) -> Result<bool, Error> {
    const DELETE: Sql = Sql::new("DELETE FROM user_blocks WHERE \"user\" = $1 AND blocked = $2");
    Ok(tx.execute(DELETE, &[user.0.into(), target.0.into()])? > 0)
}
