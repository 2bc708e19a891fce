//! Messages: one row each, found by id, by channel in the order of time, and by author in the order of keys.

mod newest;

use model::{AppKey, ChannelKey, Cid, Deletion, Message, MessageKey, MessageKind, UserId, UserKey};

use crate::channels::{attached_text, count_message, read_attached, read_deletion};
use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

pub use self::newest::{Shown, explain_newest, newest};

/// A message as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredMessage {
    /// The key.
    pub key: MessageKey,
    /// The key of its channel.
    pub channel: ChannelKey,
    /// The key of its author.
    pub user: UserKey,
    /// The message.
    pub message: Message,
}

/// The message of `app` with this id, deleted or not. On an engine with concurrent writers it is locked.
///
/// # Errors
/// When a statement fails or the row cannot be read.
pub fn by_id(tx: &mut Tx<'_>, app: AppKey, id: &str) -> Result<Option<StoredMessage>, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT m.key, m.channel, m.\"user\", m.id, m.type, m.text, m.attachments, m.custom, m.shadowed, m.created_at, \
             m.updated_at, m.deleted_at, m.cause, (SELECT users.id FROM users WHERE users.key = m.\"user\"), \
             (SELECT channels.type || ':' || channels.id FROM channels WHERE channels.key = m.channel) \
         FROM messages AS m WHERE m.app = $1 AND m.id = $2",
    );
    const LOCK: Sql = Sql::pair(
        SELECT.sqlite,
        "SELECT m.key, m.channel, m.\"user\", m.id, m.type, m.text, m.attachments, m.custom, m.shadowed, m.created_at, \
             m.updated_at, m.deleted_at, m.cause, (SELECT users.id FROM users WHERE users.key = m.\"user\"), \
             (SELECT channels.type || ':' || channels.id FROM channels WHERE channels.key = m.channel) \
         FROM messages AS m WHERE m.app = $1 AND m.id = $2 FOR UPDATE OF m",
    );
    let sql = if tx.has_rivals() { LOCK } else { SELECT };
    Ok(tx.query(sql, &[app.0.into(), id.into()], read)?.into_iter().next())
}

/// Stores a message and counts it in its channel, which has to be locked ([`by_cid`](crate::channels::by_cid)). Answers its
/// key, or `None` when the app has a message with the id: then nothing is counted.
///
/// # Errors
/// When a statement fails.
pub fn insert(
    tx: &mut Tx<'_>,
    app: AppKey,
    channel: ChannelKey,
    user: UserKey,
    message: &Message,
) -> Result<Option<MessageKey>, Error> {
    const INSERT: Sql = Sql::new(
        "INSERT INTO messages (app, id, channel, \"user\", type, text, attachments, custom, shadowed, created_at, \
             updated_at, cause) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0) ON CONFLICT (app, id) DO NOTHING RETURNING key",
    );
    let attachments =
        serde_json::to_string(&message.attachments).map_err(|_| Error::Unreadable("message"))?;
    let parameters = [
        app.0.into(),
        message.id.as_str().into(),
        channel.0.into(),
        user.0.into(),
        message.kind.name().into(),
        message.text.as_str().into(),
        attachments.into(),
        attached_text(&message.custom)?.into(),
        message.shadowed.into(),
        message.created_at.into(),
        message.updated_at.into(),
    ];
    let keys = tx.query(INSERT, &parameters, |row| row.integer(0).map(MessageKey))?;
    let Some(key) = keys.into_iter().next() else { return Ok(None) };
    count_message(tx, channel, message.created_at)?;
    Ok(Some(key))
}

/// Messages of a user in the order in which they came, deleted ones too, after the one with the key `after`: for an export.
/// One statement.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn of_user(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<MessageKey>,
    most: usize,
) -> Result<Vec<StoredMessage>, Error> {
    // A range, not an equality: with that PostgreSQL would go through the messages of everybody in the order of their keys.
    const SELECT: Sql = Sql::pair(
        "SELECT m.key, m.channel, m.user, m.id, m.type, m.text, m.attachments, m.custom, m.shadowed, m.created_at, \
             m.updated_at, m.deleted_at, m.cause, (SELECT users.id FROM users WHERE users.key = m.user), \
             (SELECT channels.type || ':' || channels.id FROM channels WHERE channels.key = m.channel) \
         FROM messages AS m WHERE m.user = ?1 AND m.key > ?2 \
             AND (SELECT channels.id NOT LIKE '#removed-%' FROM channels WHERE channels.key = m.channel) \
         ORDER BY m.key LIMIT ?3",
        "SELECT m.key, m.channel, m.\"user\", m.id, m.type, m.text, m.attachments, m.custom, m.shadowed, m.created_at, \
             m.updated_at, m.deleted_at, m.cause, (SELECT users.id FROM users WHERE users.key = m.\"user\"), \
             (SELECT channels.type || ':' || channels.id FROM channels WHERE channels.key = m.channel) \
         FROM messages AS m WHERE (m.\"user\", m.key) > ($1, $2) AND (m.\"user\", m.key) < ($1 + 1, 0) \
             AND (SELECT channels.id NOT LIKE '#removed-%' FROM channels WHERE channels.key = m.channel) \
         ORDER BY m.\"user\", m.key LIMIT $3",
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    tx.query(SELECT, &[user.0.into(), after.map_or(0, |key| key.0).into(), most.into()], read)
}

/// Deletes a message for everybody's eyes, and keeps it.
///
/// # Errors
/// When a statement fails.
pub fn hide(tx: &mut Tx<'_>, key: MessageKey, deletion: Deletion) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL messages SET deleted_at = $1, updated_at = $2, cause = $3 WHERE key = $4",
        "UPDATE messages SET deleted_at = $1, updated_at = $2, cause = $3 WHERE key = $4",
    );
    let Deletion { at, cause } = deletion;
    let parameters: [Value; 4] = [at.into(), at.into(), cause.code().into(), key.0.into()];
    tx.execute(UPDATE, &parameters).map(drop)
}

fn read(row: &Row<'_>) -> Result<StoredMessage, Error> {
    read_at(row, 0, UserId::from_stored(row.text(13)?), &row.text(14)?)
}

/// A message in the columns from `column` on, as statements here list them.
fn read_at(row: &Row<'_>, column: usize, user: UserId, cid: &str) -> Result<StoredMessage, Error> {
    let unreadable = || Error::Unreadable("message");
    let message = Message {
        id: row.text(column + 3)?,
        cid: Cid::parse(cid).map_err(|_| unreadable())?,
        user,
        kind: MessageKind::parse(row.borrowed_text(column + 4)?).map_err(|_| unreadable())?,
        text: row.text(column + 5)?,
        attachments: serde_json::from_str(row.borrowed_text(column + 6)?).map_err(|_| unreadable())?,
        custom: read_attached(row, column + 7)?,
        shadowed: row.boolean(column + 8)?,
        created_at: row.timestamp(column + 9)?,
        updated_at: row.timestamp(column + 10)?,
        deletion: read_deletion(row, column + 11)?,
    };
    Ok(StoredMessage {
        key: MessageKey(row.integer(column)?),
        channel: ChannelKey(row.integer(column + 1)?),
        user: UserKey(row.integer(column + 2)?),
        message,
    })
}
