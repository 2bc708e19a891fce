//! The newest messages of a channel: what an answer that shows a channel costs must not grow with what nobody sees.

use model::{ChannelKey, CustomText, Timestamp, User, UserKey};

use super::{StoredMessage, read_at};
use crate::sql::{Row, Sql, Value};
use crate::tx::Dialect;
use crate::users::read_to_show;
use crate::{Error, Tx};

/// Which messages of a channel are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All that are kept, pruned and deleted ones too: to servers (semantics 10.20).
    All,
    /// What nobody has deleted and nobody else has written in the shadow: to this user (semantics 12.21).
    To(UserKey),
}

const ALL: Sql = Sql::pair(
    "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, m.key, m.channel, m.user, m.id, m.type, m.text, m.attachments, \
             m.custom, m.shadowed, m.created_at, m.updated_at, m.deleted_at, m.cause, c.type || ':' || c.id \
         FROM (SELECT * FROM messages WHERE channel = ?1 AND created_at >= ?2 \
                 ORDER BY created_at DESC, key DESC LIMIT ?3) AS m \
             CROSS JOIN users AS u CROSS JOIN channels AS c \
         WHERE u.key = m.user AND c.key = m.channel ORDER BY m.created_at, m.key",
    "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, m.key, m.channel, m.\"user\", m.id, m.type, m.text, \
             m.attachments, m.custom, m.shadowed, m.created_at, m.updated_at, m.deleted_at, m.cause, \
             (SELECT channels.type || ':' || channels.id FROM channels WHERE channels.key = m.channel) \
         FROM (SELECT * FROM messages WHERE channel = $1 AND created_at >= $2 \
                 ORDER BY created_at DESC, key DESC LIMIT $3) AS m \
         CROSS JOIN LATERAL (SELECT * FROM users WHERE users.key = m.\"user\" LIMIT 1) AS u \
         ORDER BY m.created_at, m.key",
);

// What everybody sees and what a user has written in the shadow are in an index each, so neither is looked for among
// what is hidden.
const SEEN: Sql = Sql::pair(
    "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, m.key, m.channel, m.user, m.id, m.type, m.text, m.attachments, \
             m.custom, m.shadowed, m.created_at, m.updated_at, m.deleted_at, m.cause, c.type || ':' || c.id \
         FROM (SELECT key, created_at FROM (SELECT key, created_at FROM messages \
                     WHERE channel = ?1 AND created_at >= ?2 AND cause = 0 AND shadowed = 0 \
                     ORDER BY created_at DESC, key DESC LIMIT ?3) \
                 UNION ALL SELECT key, created_at FROM (SELECT key, created_at FROM messages \
                     WHERE channel = ?1 AND user = ?4 AND created_at >= ?2 AND cause = 0 AND shadowed = 1 \
                     ORDER BY created_at DESC, key DESC LIMIT ?3) \
                 ORDER BY created_at DESC, key DESC LIMIT ?3) AS seen \
             CROSS JOIN messages AS m CROSS JOIN users AS u CROSS JOIN channels AS c \
         WHERE m.key = seen.key AND u.key = m.user AND c.key = m.channel ORDER BY m.created_at, m.key",
    "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, m.key, m.channel, m.\"user\", m.id, m.type, m.text, \
             m.attachments, m.custom, m.shadowed, m.created_at, m.updated_at, m.deleted_at, m.cause, \
             (SELECT channels.type || ':' || channels.id FROM channels WHERE channels.key = m.channel) \
         FROM ((SELECT * FROM messages WHERE channel = $1 AND created_at >= $2 AND cause = 0 AND shadowed = 0 \
                     ORDER BY created_at DESC, key DESC LIMIT $3) \
                 UNION ALL (SELECT * FROM messages WHERE channel = $1 AND \"user\" = $4 AND created_at >= $2 \
                     AND cause = 0 AND shadowed = 1 ORDER BY created_at DESC, key DESC LIMIT $3) \
                 ORDER BY created_at DESC, key DESC LIMIT $3) AS m \
         CROSS JOIN LATERAL (SELECT * FROM users WHERE users.key = m.\"user\" LIMIT 1) AS u \
         ORDER BY m.created_at, m.key",
);

/// The statement that finds them, with its parameters.
fn statement(channel: ChannelKey, since: Timestamp, shown: Shown, limit: usize) -> (Sql, Vec<Value>) {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut parameters = vec![channel.0.into(), since.into(), limit.into()];
    match shown {
        Shown::All => (ALL, parameters),
        Shown::To(user) => {
            parameters.push(user.0.into());
            (SEEN, parameters)
        }
    }
}

/// The newest messages of a channel since it came to be, with their authors, oldest first. One statement.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn newest(
    tx: &mut Tx<'_>,
    channel: ChannelKey,
    since: Timestamp,
    shown: Shown,
    limit: usize,
) -> Result<Vec<(StoredMessage, User<CustomText>)>, Error> {
    let (sql, parameters) = statement(channel, since, shown, limit);
    tx.query(sql, &parameters, |row: &Row<'_>| {
        let author = read_to_show(row)?.user;
        let message = read_at(row, 20, author.id.clone(), &row.text(33)?)?;
        Ok((message, author))
    })
}

/// How the engine would find them.
///
/// # Errors
/// When the statement fails.
pub fn explain_newest(
    tx: &mut Tx<'_>,
    channel: ChannelKey,
    since: Timestamp,
    shown: Shown,
    limit: usize,
) -> Result<Vec<String>, Error> {
    let (sql, parameters) = statement(channel, since, shown, limit);
    let (text, column) = match tx.dialect() {
        Dialect::Sqlite => (format!("EXPLAIN QUERY PLAN {}", sql.sqlite), 3),
        Dialect::Postgres => (format!("EXPLAIN {}", sql.postgres), 0),
    };
    tx.query_generated(&text, &parameters, |row| row.text(column))
}
