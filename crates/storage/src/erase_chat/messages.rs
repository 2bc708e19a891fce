//! The messages of a user and the reactions that it gave.

use model::{DeletionCause, MessageKey, Timestamp, UserKey};

use super::Swept;
use super::rows::{Found, keys, limit, lock, most_reactions, remove, remove_flags, remove_reactions_to};
use crate::messages::StoredMessage;
use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx, reactions};

/// The messages of a user after the one with the key `after`, in the order of keys: an index leads to them alone.
fn batch(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<MessageKey>,
    most: usize,
) -> Result<Vec<Found>, Error> {
    // A range, not an equality: with that PostgreSQL would go through the messages of everybody in the order of their keys.
    const LOCK: Sql = Sql::pair(
        "SELECT key, app, id, channel, cause, CASE WHEN attachments = '[]' THEN 0 ELSE 1 END FROM messages \
         WHERE user = $1 AND key > $2 ORDER BY key LIMIT $3",
        "SELECT key, app, id, channel, cause, CASE WHEN attachments = '[]' THEN 0::bigint ELSE 1 END FROM messages \
         WHERE (\"user\", key) > ($1, $2) AND (\"user\", key) < ($1 + 1, 0) \
         ORDER BY \"user\", key LIMIT $3 FOR UPDATE",
    );
    let read = |row: &Row<'_>| {
        Ok(Found {
            key: row.integer(0)?,
            app: row.integer(1)?,
            id: row.text(2)?,
            channel: row.integer(3)?,
            cause: row.integer(4)?,
            has_attachments: row.boolean(5)?,
        })
    };
    let after = after.map_or(0, |key| key.0);
    tx.query(LOCK, &[user.0.into(), after.into(), limit(most).into()], read)
}

/// Where a batch of at most `most` messages ended, of which `rows` were changed.
fn swept(found: &[Found], most: usize, rows: usize) -> Swept<MessageKey> {
    let next = found.last().filter(|_| found.len() >= most).map(|last| MessageKey(last.key));
    Swept { rows, next }
}

/// Deletes messages of `user` for everybody's eyes, oldest first. What is deleted already stays as it is, except that a
/// deleted user takes along what its deactivation has hidden: that must not come back. At most two statements.
///
/// # Errors
/// When a statement fails.
pub fn mark_messages(
    tx: &mut Tx<'_>,
    user: UserKey,
    cause: DeletionCause,
    at: Timestamp,
    after: Option<MessageKey>,
    most: usize,
) -> Result<Swept<MessageKey>, Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL messages SET deleted_at = COALESCE(deleted_at, ?2), cause = ?3 WHERE key = ?1",
        "UPDATE messages SET deleted_at = COALESCE(deleted_at, ($2::bigint[])[1]), cause = ($3::bigint[])[1] \
         WHERE key = ANY ($1::bigint[])",
    );
    let found = batch(tx, user, after, most)?;
    let hidden = DeletionCause::UserDeactivated.code();
    let is_marked =
        |message: &&Found| message.cause == 0 || (message.cause == hidden && cause.code() > hidden);
    let rows: Vec<[Value; 3]> = found
        .iter()
        .filter(is_marked)
        .map(|message| [message.key.into(), at.into(), cause.code().into()])
        .collect();
    tx.execute_each(UPDATE, &rows)?;
    Ok(swept(&found, most, rows.len()))
}

/// Brings back the messages of `user` that its deactivation has hidden, and no others (semantics 9.5). At most two statements.
///
/// # Errors
/// When a statement fails.
pub fn restore_messages(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<MessageKey>,
    most: usize,
) -> Result<Swept<MessageKey>, Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL messages SET deleted_at = NULL, cause = 0 WHERE key = $1",
        "UPDATE messages SET deleted_at = NULL, cause = 0 WHERE key = ANY ($1::bigint[])",
    );
    let found = batch(tx, user, after, most)?;
    let hidden = DeletionCause::UserDeactivated.code();
    let rows = keys(found.iter().filter(|message| message.cause == hidden).map(|message| message.key));
    tx.execute_each(UPDATE, &rows)?;
    Ok(swept(&found, most, rows.len()))
}

/// Empties messages of `user`: nothing is kept of them but that they were there; reactions to them and reports of them go. When
/// there are too many reactions for one batch ([`most_reactions`]), the messages are for the next one. At most five statements.
///
/// # Errors
/// When a statement fails.
pub fn prune_messages(
    tx: &mut Tx<'_>,
    user: UserKey,
    at: Timestamp,
    after: Option<MessageKey>,
    most: usize,
) -> Result<Swept<MessageKey>, Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL messages SET text = '', attachments = '[]', custom = '{}', cause = ?3, \
             deleted_at = COALESCE(deleted_at, ?2) WHERE key = ?1",
        "UPDATE messages SET text = '', attachments = '[]', custom = '{}', cause = ($3::bigint[])[1], \
             deleted_at = COALESCE(deleted_at, ($2::bigint[])[1]) WHERE key = ANY ($1::bigint[])",
    );
    let mut found = batch(tx, user, after, most)?;
    let pruned = DeletionCause::Pruned.code();
    let end = swept(&found, most, 0);
    found.retain(|message| message.cause != pruned);
    let reactions = remove_reactions_to(tx, &found, most_reactions(most))?;
    if reactions >= most_reactions(most) {
        return Ok(Swept { rows: reactions, next: Some(after.unwrap_or(MessageKey(0))) });
    }
    remove_flags(tx, &found)?;
    let rows: Vec<[Value; 3]> =
        found.iter().map(|message| [message.key.into(), at.into(), pruned.into()]).collect();
    tx.execute_each(UPDATE, &rows)?;
    Ok(Swept { rows: rows.len(), ..end })
}

/// Takes messages of `user` away, with the reactions to them and the reports of them, whoever made these. When there are too
/// many reactions for one batch ([`most_reactions`]), the messages are for the next one. At most eight statements.
///
/// # Errors
/// When a statement fails.
pub fn remove_messages(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<MessageKey>,
    most: usize,
) -> Result<Swept<MessageKey>, Error> {
    let found = to_remove(tx, user, after, most)?;
    let reactions = remove_reactions_to(tx, &found, most_reactions(most))?;
    if reactions >= most_reactions(most) {
        return Ok(Swept { rows: reactions, next: Some(after.unwrap_or(MessageKey(0))) });
    }
    remove(tx, &found)?;
    Ok(swept(&found, most, found.len() + reactions))
}

/// A batch of messages that are about to go: their channels are locked before them.
fn to_remove(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<MessageKey>,
    most: usize,
) -> Result<Vec<Found>, Error> {
    const CHANNELS: Sql = Sql::pair(
        "SELECT channel FROM messages WHERE user = $1 AND key > $2 ORDER BY key LIMIT $3",
        "SELECT channel FROM messages WHERE (\"user\", key) > ($1, $2) AND (\"user\", key) < ($1 + 1, 0) \
         ORDER BY \"user\", key LIMIT $3",
    );
    if tx.has_rivals() {
        let after = after.map_or(0, |key| key.0);
        let parameters = [user.0.into(), after.into(), limit(most).into()];
        let channels = tx.query(CHANNELS, &parameters, |row| row.integer(0))?;
        lock(tx, channels.into_iter())?;
    }
    batch(tx, user, after, most)
}

/// Takes one message away, with the reactions to it and the reports of it. Five statements; it has to be locked
/// ([`by_id`](crate::messages::by_id)).
///
/// # Errors
/// When a statement fails.
pub fn remove_message(tx: &mut Tx<'_>, app: model::AppKey, stored: &StoredMessage) -> Result<(), Error> {
    let found = Found {
        key: stored.key.0,
        app: app.0,
        id: stored.message.id.clone(),
        channel: stored.channel.0,
        cause: 0,
        has_attachments: false,
    };
    remove_reactions_to(tx, std::slice::from_ref(&found), usize::MAX)?;
    remove(tx, &[found])
}

/// Takes what hangs on messages of `user` from them: the images and files (semantics 10.14). At most two statements.
///
/// # Errors
/// When a statement fails.
pub fn strip_attachments(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<MessageKey>,
    most: usize,
) -> Result<Swept<MessageKey>, Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL messages SET attachments = '[]' WHERE key = $1",
        "UPDATE messages SET attachments = '[]' WHERE key = ANY ($1::bigint[])",
    );
    let found = batch(tx, user, after, most)?;
    let rows = keys(found.iter().filter(|message| message.has_attachments).map(|message| message.key));
    tx.execute_each(UPDATE, &rows)?;
    Ok(swept(&found, most, rows.len()))
}

/// Takes away the reactions that `user` gave, to whosever messages: to the message `after` and those that came later. At most
/// four statements.
///
/// # Errors
/// When a statement fails.
pub fn remove_reactions(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<MessageKey>,
    most: usize,
) -> Result<Swept<MessageKey>, Error> {
    const DELETE: Sql = Sql::pair(
        "DELETE FROM reactions WHERE (message, user, type) IN \
             (SELECT message, user, type FROM reactions WHERE user = $1 AND message >= $2 ORDER BY message LIMIT $3) \
         RETURNING message, type, score",
        "DELETE FROM reactions WHERE ctid = ANY (ARRAY(SELECT ctid FROM reactions \
             WHERE (\"user\", message) >= ($1, $2) AND (\"user\", message) < ($1 + 1, 0) \
             ORDER BY \"user\", message LIMIT $3 FOR UPDATE)) RETURNING message, type, score",
    );
    let after = after.map_or(0, |key| key.0);
    let (rows, last) = reactions::take(tx, DELETE, &[user.0.into(), after.into(), limit(most).into()])?;
    Ok(Swept { rows, next: last.filter(|_| rows >= most) })
}
