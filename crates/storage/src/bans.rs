//! Bans from the whole app: the row that says who did it and why, and the columns of the user that every request reads.
//! One function writes both.

use model::{AppKey, Ban, Timestamp, UserId, UserKey};

use crate::sql::{Sql, Value};
use crate::users::{PLAIN_BAN, SHADOW_BAN};
use crate::{Error, Tx};

/// A ban to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewBan<'a> {
    /// Whom it shuts out.
    pub user: (UserKey, &'a UserId),
    /// How, and until when.
    pub ban: Ban,
    /// Who did it, when that was said.
    pub banned_by: Option<UserKey>,
    /// Whether the addresses of the user were to be banned as well.
    pub ip_ban: bool,
    /// Why.
    pub reason: Option<&'a str>,
    /// Since when.
    pub created_at: Timestamp,
}

/// Stores a ban in place of the one before, if there was one. Answers how many bans the user had so far, this one
/// included. One statement; the user has to be locked ([`by_ids`](crate::users::by_ids)).
///
/// # Errors
/// When a statement fails.
pub fn put(tx: &mut Tx<'_>, app: AppKey, new: &NewBan<'_>) -> Result<u64, Error> {
    const PUT: Sql = Sql::pair(
        "INSERT INTO bans (user, app, banned_by, shadow, ip_ban, reason, expires, created_at, channel) \
         VALUES (?1, ?4, ?5, ?2 = 2, ?6, ?7, ?3, ?8, '') \
         ON CONFLICT (user, channel) DO UPDATE SET banned_by = excluded.banned_by, shadow = excluded.shadow, \
             ip_ban = excluded.ip_ban, reason = excluded.reason, expires = excluded.expires, \
             created_at = excluded.created_at",
        "WITH stored AS (\
             INSERT INTO bans (\"user\", app, banned_by, shadow, ip_ban, reason, expires, created_at, channel) \
             VALUES ($1, $4, $5, CASE WHEN $2::bigint = 2 THEN 1 ELSE 0 END, $6, $7, $3, $8, '') \
             ON CONFLICT (\"user\", channel) DO UPDATE SET banned_by = excluded.banned_by, shadow = excluded.shadow, \
                 ip_ban = excluded.ip_ban, reason = excluded.reason, expires = excluded.expires, \
                 created_at = excluded.created_at) \
         UPDATE users SET ban = $2, ban_expires = $3, total_bans = total_bans + 1 WHERE key = $1 RETURNING total_bans",
    )
    .then(&["UPDATE OR FAIL users SET ban = ?2, ban_expires = ?3, total_bans = total_bans + 1 WHERE key = ?1 \
             RETURNING total_bans"]);
    let (key, id) = new.user;
    let parameters: [Value; 8] = [
        key.0.into(),
        (if new.ban.shadow { SHADOW_BAN } else { PLAIN_BAN }).into(),
        new.ban.expires.into(),
        app.0.into(),
        new.banned_by.map(|author| author.0).into(),
        new.ip_ban.into(),
        new.reason.map(str::to_owned).into(),
        new.created_at.into(),
    ];
    let total = tx.query(PUT, &parameters, |row| row.integer(0))?;
    tx.user_changed(app, id);
    Ok(total.first().and_then(|total| u64::try_from(*total).ok()).unwrap_or(1))
}

/// Takes the ban of a user away. One statement; the user has to be locked.
///
/// # Errors
/// When a statement fails.
pub fn lift(tx: &mut Tx<'_>, app: AppKey, (key, id): (UserKey, &UserId)) -> Result<(), Error> {
    const LIFT: Sql = Sql::pair(
        "DELETE FROM bans WHERE user = ?1 AND channel = ''",
        "WITH gone AS (DELETE FROM bans WHERE \"user\" = $1 AND channel = '') \
         UPDATE users SET ban = 0, ban_expires = NULL WHERE key = $1",
    )
    .then(&["UPDATE OR FAIL users SET ban = 0, ban_expires = NULL WHERE key = ?1"]);
    tx.execute(LIFT, &[key.0.into()])?;
    tx.user_changed(app, id);
    Ok(())
}

/// Has moderation let everything of a user pass, or no more. One statement.
///
/// # Errors
/// When the statement fails.
pub fn set_bypass(tx: &mut Tx<'_>, user: UserKey, enabled: bool) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL users SET bypass_moderation = $1 WHERE key = $2",
        "UPDATE users SET bypass_moderation = $1 WHERE key = $2",
    );
    tx.execute(UPDATE, &[enabled.into(), user.0.into()]).map(drop)
}
