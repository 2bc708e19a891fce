//! How much users leave behind in chat, for a preview and for the ceilings of an export.

use model::UserKey;

use super::rows::limit;
use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

/// How much one user leaves behind in chat. No number is greater than the ceiling that was asked for: then there are that many
/// or more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatCounts {
    /// Messages, deleted ones too.
    pub messages: usize,
    /// Messages that nobody has deleted.
    pub live_messages: usize,
    /// Messages with attachments.
    pub messages_with_attachments: usize,
    /// Reactions, to whosever messages.
    pub reactions: usize,
    /// Channels that the user is in.
    pub memberships: usize,
    /// Those of them that have exactly two members, and those that a deletion of the user has hidden.
    pub conversations: usize,
    /// Channels that the user created.
    pub channels: usize,
}

/// What each of these users leaves behind, in their order; no more than `ceiling` rows of a kind are looked at. One statement.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn counts(tx: &mut Tx<'_>, users: &[UserKey], ceiling: usize) -> Result<Vec<ChatCounts>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT \
             (SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE user = ?1 LIMIT ?2)), \
             (SELECT COALESCE(SUM(cause = 0), 0) FROM (SELECT cause FROM messages WHERE user = ?1 LIMIT ?2)), \
             (SELECT COALESCE(SUM(attachments <> '[]'), 0) \
                 FROM (SELECT attachments FROM messages WHERE user = ?1 LIMIT ?2)), \
             (SELECT COUNT(*) FROM (SELECT 1 FROM reactions WHERE user = ?1 LIMIT ?2)), \
             (SELECT COUNT(*) FROM (SELECT 1 FROM channel_members WHERE user = ?1 LIMIT ?2)), \
             (SELECT COALESCE(SUM((SELECT member_count FROM channels WHERE channels.key = own.channel) = 2), 0) \
                 FROM (SELECT channel FROM channel_members WHERE user = ?1 LIMIT ?2) AS own), \
             (SELECT COUNT(*) FROM (SELECT 1 FROM channels WHERE hidden_by = ?1 AND cause = 3 LIMIT ?2)), \
             (SELECT COUNT(*) FROM (SELECT 1 FROM channels WHERE created_by = ?1 LIMIT ?2))",
        "SELECT m.kept, m.live, m.attached, \
             (SELECT COUNT(*) FROM (SELECT 1 FROM reactions WHERE \"user\" = given.key LIMIT given.ceiling) AS own), \
             own.kept, own.pairs, \
             (SELECT COUNT(*) FROM (SELECT 1 FROM channels WHERE hidden_by = given.key AND cause = 3 \
                 LIMIT given.ceiling) AS hidden), \
             (SELECT COUNT(*) FROM (SELECT 1 FROM channels WHERE created_by = given.key LIMIT given.ceiling) AS made) \
         FROM UNNEST($1::bigint[], $2::bigint[]) WITH ORDINALITY AS given (key, ceiling, place) \
         CROSS JOIN LATERAL (SELECT COUNT(*) AS kept, COUNT(*) FILTER (WHERE cause = 0) AS live, \
                 COUNT(*) FILTER (WHERE attachments <> '[]') AS attached \
             FROM (SELECT cause, attachments FROM messages WHERE \"user\" = given.key LIMIT given.ceiling) AS own) AS m \
         CROSS JOIN LATERAL (SELECT COUNT(*) AS kept, COUNT(*) FILTER (WHERE \
                 (SELECT member_count FROM channels WHERE channels.key = own.channel) = 2) AS pairs \
             FROM (SELECT channel FROM channel_members WHERE \"user\" = given.key LIMIT given.ceiling) AS own) AS own \
         ORDER BY given.place",
    );
    let rows: Vec<[Value; 2]> = users.iter().map(|user| [user.0.into(), limit(ceiling).into()]).collect();
    let number =
        |row: &Row<'_>, column| Ok::<usize, Error>(usize::try_from(row.integer(column)?).unwrap_or(0));
    tx.query_each(SELECT, &rows, |row| {
        Ok(ChatCounts {
            messages: number(row, 0)?,
            live_messages: number(row, 1)?,
            messages_with_attachments: number(row, 2)?,
            reactions: number(row, 3)?,
            memberships: number(row, 4)?,
            conversations: (number(row, 5)? + number(row, 6)?).min(ceiling),
            channels: number(row, 7)?,
        })
    })
}

/// Whether anything in chat says that it is of `user`, which was gone through for good. One statement.
///
/// # Errors
/// When the statement fails.
pub fn has_left(tx: &mut Tx<'_>, user: UserKey) -> Result<bool, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE user = $1) OR EXISTS (SELECT 1 FROM reactions WHERE user = $1) \
             OR EXISTS (SELECT 1 FROM channel_members WHERE user = $1) \
             OR EXISTS (SELECT 1 FROM channels WHERE created_by = $1) \
             OR EXISTS (SELECT 1 FROM channels WHERE hidden_by = $1 AND cause = 3)",
        "SELECT (EXISTS (SELECT 1 FROM messages WHERE \"user\" = $1) \
             OR EXISTS (SELECT 1 FROM reactions WHERE \"user\" = $1) \
             OR EXISTS (SELECT 1 FROM channel_members WHERE \"user\" = $1) \
             OR EXISTS (SELECT 1 FROM channels WHERE created_by = $1) \
             OR EXISTS (SELECT 1 FROM channels WHERE hidden_by = $1 AND cause = 3))::int::bigint",
    );
    Ok(tx.query(SELECT, &[user.0.into()], |row| row.boolean(0))?.contains(&true))
}
