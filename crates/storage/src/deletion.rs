//! How users are deleted, and whose ids nobody gets again.

use std::collections::HashMap;

use model::{AppKey, Timestamp, UserDeletion, UserKey};

use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// How each of these users is deleted so far; one that is not is left out.
///
/// # Errors
/// When the statement fails or a row cannot be read.
pub fn modes(tx: &mut Tx<'_>, users: &[UserKey]) -> Result<HashMap<UserKey, UserDeletion>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT key, deletion FROM users WHERE key = $1 AND deletion <> 0",
        "SELECT u.key, u.deletion FROM UNNEST($1::bigint[]) AS given (key) CROSS JOIN LATERAL \
             (SELECT key, deletion FROM users WHERE users.key = given.key LIMIT 1) AS u WHERE u.deletion <> 0",
    );
    let keys: Vec<[Value; 1]> = users.iter().map(|key| [key.0.into()]).collect();
    let found = tx.query_each(SELECT, &keys, |row| {
        let mode = usize::try_from(row.integer(1)? - 1).ok().and_then(|place| UserDeletion::ALL.get(place));
        Ok((UserKey(row.integer(0)?), *mode.ok_or(Error::Unreadable("user"))?))
    })?;
    Ok(found.into_iter().collect())
}

/// Remembers how these users are deleted; `None` is not at all. The users have to be locked.
///
/// # Errors
/// When the statement fails.
pub fn set_mode(tx: &mut Tx<'_>, users: &[UserKey], mode: Option<UserDeletion>) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL users SET deletion = ?2 WHERE key = ?1",
        "UPDATE users SET deletion = given.deletion FROM UNNEST($1::bigint[], $2::bigint[]) AS given (key, deletion) \
         WHERE users.key = given.key AND users.key = ANY ($1::bigint[])",
    );
    let code = mode.map_or(0, |mode| mode as i64 + 1);
    let rows: Vec<[Value; 2]> = users.iter().map(|key| [key.0.into(), code.into()]).collect();
    tx.execute_each(UPDATE, &rows).map(drop)
}

/// Keeps the id with this hash from ever being given again.
///
/// # Errors
/// When the statement fails.
pub fn bury(tx: &mut Tx<'_>, app: AppKey, hash: &str) -> Result<(), Error> {
    const INSERT: Sql =
        Sql::new("INSERT INTO tombstones (app, hash) VALUES ($1, $2) ON CONFLICT (app, hash) DO NOTHING");
    tx.execute(INSERT, &[app.0.into(), hash.into()]).map(drop)
}

/// Which of these hashes are of users who were deleted for good.
///
/// # Errors
/// When the statement fails or a row cannot be read.
pub fn buried(tx: &mut Tx<'_>, app: AppKey, hashes: &[String]) -> Result<Vec<String>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT hash FROM tombstones WHERE app = $1 AND hash = $2",
        "SELECT stored.hash FROM UNNEST($1::bigint[], $2::text[]) AS given (app, hash) CROSS JOIN LATERAL \
             (SELECT hash FROM tombstones WHERE tombstones.app = given.app AND tombstones.hash = given.hash LIMIT 1) \
             AS stored",
    );
    let rows: Vec<[Value; 2]> = hashes.iter().map(|hash| [app.0.into(), hash.as_str().into()]).collect();
    tx.query_each(SELECT, &rows, |row| row.text(0))
}

/// Lets the id with this hash be given again. Answers whether it could not.
///
/// # Errors
/// When the statement fails.
pub fn exhume(tx: &mut Tx<'_>, app: AppKey, hash: &str) -> Result<bool, Error> {
    const DELETE: Sql = Sql::new("DELETE FROM tombstones WHERE app = $1 AND hash = $2");
    Ok(tx.execute(DELETE, &[app.0.into(), hash.into()])? > 0)
}

/// Notes that the log is to know nothing of these users from `at` on.
///
/// # Errors
/// When the statement fails.
pub fn forget_at(tx: &mut Tx<'_>, users: &[UserKey], at: Timestamp) -> Result<(), Error> {
    const PUT: Sql = Sql::pair(
        "INSERT INTO forgettings (user, due_at, redacted) VALUES (?1, ?2, 0) \
         ON CONFLICT (user) DO UPDATE SET due_at = ?2, redacted = 0",
        "INSERT INTO forgettings (\"user\", due_at, redacted) \
         SELECT key, due_at, 0 FROM UNNEST($1::bigint[], $2::bigint[]) AS given (key, due_at) \
         ON CONFLICT (\"user\") DO UPDATE SET due_at = EXCLUDED.due_at, redacted = 0",
    );
    let rows: Vec<[Value; 2]> = users.iter().map(|key| [key.0.into(), at.into()]).collect();
    tx.execute_each(PUT, &rows).map(drop)
}

/// Up to `most` users whom the log is to know nothing of, at `now`, those first who are due first; claimed, so that no other
/// node looks for the same.
///
/// # Errors
/// When the statement fails or a row cannot be read.
pub fn to_forget(tx: &mut Tx<'_>, now: Timestamp, most: usize) -> Result<Vec<UserKey>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT user FROM forgettings WHERE redacted = 0 AND due_at <= $1 ORDER BY due_at LIMIT $2",
        "SELECT \"user\" FROM forgettings WHERE redacted = 0 AND due_at <= $1 ORDER BY due_at LIMIT $2 \
         FOR UPDATE SKIP LOCKED",
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    tx.query(SELECT, &[now.into(), most.into()], |row| row.integer(0).map(UserKey))
}

/// Notes that the log knows nothing of these users any more; what freed pages hold is to be overwritten from `at` on.
///
/// # Errors
/// When the statement fails.
pub fn forgotten(tx: &mut Tx<'_>, users: &[UserKey], at: Timestamp) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL forgettings SET redacted = 1, due_at = ?2 WHERE user = ?1",
        "UPDATE forgettings SET redacted = 1, due_at = ($2::bigint[])[1] WHERE \"user\" = ANY ($1::bigint[])",
    );
    let rows: Vec<[Value; 2]> = users.iter().map(|user| [user.0.into(), at.into()]).collect();
    tx.execute_each(UPDATE, &rows).map(drop)
}

/// Notes that something was dropped at `now` that can have named users who were deleted for good, for however long: freed pages
/// are to be overwritten once more. Where nobody ever was, there is nothing to note.
///
/// # Errors
/// When the statement fails.
pub fn dropped(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), Error> {
    // Keys begin at 1: this is nobody's.
    const PUT: Sql = Sql::pair(
        "INSERT INTO forgettings (user, due_at, redacted) SELECT 0, ?1, 1 WHERE EXISTS (SELECT 1 FROM tombstones) \
         ON CONFLICT (user) DO UPDATE SET due_at = ?1",
        "INSERT INTO forgettings (\"user\", due_at, redacted) \
         SELECT 0, $1::bigint, 1 WHERE EXISTS (SELECT 1 FROM tombstones) \
         ON CONFLICT (\"user\") DO UPDATE SET due_at = EXCLUDED.due_at",
    );
    tx.execute(PUT, &[now.into()]).map(drop)
}

/// Whether freed pages are to be overwritten at `now`.
///
/// # Errors
/// When the statement fails.
pub fn is_to_scrub(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, Error> {
    const SELECT: Sql =
        Sql::new("SELECT due_at FROM forgettings WHERE redacted = 1 AND due_at <= $1 LIMIT 1");
    Ok(!tx.query(SELECT, &[now.into()], |row| row.integer(0))?.is_empty())
}

/// Notes that all pages which were free at `since` are overwritten.
///
/// # Errors
/// When the statement fails.
pub fn scrubbed(tx: &mut Tx<'_>, since: Timestamp) -> Result<(), Error> {
    const DELETE: Sql = Sql::new("DELETE FROM forgettings WHERE redacted = 1 AND due_at <= $1");
    tx.execute(DELETE, &[since.into()]).map(drop)
}
