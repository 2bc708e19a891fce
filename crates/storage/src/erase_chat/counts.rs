//! How much users leave behind in chat: for a preview, and whether it is nothing.

use model::UserKey;

use crate::erase::Tally;
use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

/// How much one user leaves behind in chat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatCounts {
    /// Messages, deleted ones too.
    pub messages: Tally,
    /// Those of them that have attachments.
    pub attachments: Tally,
    /// What others have answered them with.
    pub reactions_received: Tally,
    /// Reactions, to whosever messages.
    pub reactions: Tally,
    /// Channels that the user is in.
    pub memberships: Tally,
    /// Those of them that have exactly two members, and those that a deletion of the user has hidden.
    pub conversations: Tally,
    /// The messages in these, whosever they are: as many as the channels say.
    pub conversation_messages: Tally,
    /// Channels that the user created.
    pub channels_made: Tally,
}

/// What PostgreSQL reads, of each user by itself. Asked for in the order of a column that is not said to be the same everywhere,
/// it reads by the index that begins with it, and nothing of others, whatever it thinks of them.
const SELECT_ON_POSTGRES: &str = "\
     SELECT m.looked, m.attached, r.looked, r.received, \
         (SELECT COUNT(*) FROM (SELECT 1 FROM reactions WHERE \"user\" BETWEEN given.key AND given.key \
             ORDER BY \"user\" LIMIT given.most) AS own), \
         own.looked, own.pairs, own.messages, hidden.looked, hidden.messages, \
         (SELECT COUNT(*) FROM (SELECT 1 FROM channels WHERE created_by BETWEEN given.key AND given.key \
             ORDER BY created_by LIMIT given.most) AS made) \
     FROM UNNEST($1::bigint[], $2::bigint[]) WITH ORDINALITY AS given (key, most, place) \
     CROSS JOIN LATERAL (SELECT COUNT(*) AS looked, COUNT(*) FILTER (WHERE attachments <> '[]') AS attached \
         FROM (SELECT attachments FROM messages WHERE \"user\" BETWEEN given.key AND given.key \
             ORDER BY \"user\" LIMIT given.most) AS own) AS m \
     CROSS JOIN LATERAL (SELECT COUNT(*) AS looked, COUNT(*) FILTER (WHERE \"user\" <> given.key) AS received \
         FROM (SELECT answer.\"user\" \
             FROM (SELECT key FROM messages WHERE \"user\" BETWEEN given.key AND given.key \
                 ORDER BY \"user\" LIMIT given.most) AS own \
             CROSS JOIN LATERAL (SELECT \"user\" FROM reactions WHERE reactions.message = own.key OFFSET 0) AS answer \
             LIMIT given.most) AS answers) AS r \
     CROSS JOIN LATERAL (SELECT COUNT(*) AS looked, COUNT(*) FILTER (WHERE is_pair) AS pairs, \
             COALESCE(SUM(message_count) FILTER (WHERE is_pair), 0)::bigint AS messages \
         FROM (SELECT channel FROM channel_members WHERE \"user\" BETWEEN given.key AND given.key \
             ORDER BY \"user\" LIMIT given.most) AS own \
         CROSS JOIN LATERAL (SELECT message_count, \
                 member_count = 2 AND (cause <> 3 OR COALESCE(hidden_by, 0) <> given.key) AS is_pair \
             FROM channels WHERE channels.key = own.channel LIMIT 1) AS c) AS own \
     CROSS JOIN LATERAL (SELECT COUNT(*) AS looked, COALESCE(SUM(message_count), 0)::bigint AS messages \
         FROM (SELECT message_count FROM channels WHERE hidden_by IS NOT NULL \
                 AND (hidden_by, cause) >= (given.key, 3) AND (hidden_by, cause) < (given.key, 4) \
             ORDER BY hidden_by, cause LIMIT given.most) AS own) AS hidden \
     ORDER BY given.place";

/// What each of these users leaves behind, in their order; of each kind no more than `ceiling` rows of one user are counted, and
/// one more is read. What is counted of rows that were not all looked at is at least so much. One statement.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn counts(tx: &mut Tx<'_>, users: &[UserKey], ceiling: u64) -> Result<Vec<ChatCounts>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT m.looked, m.attached, r.looked, r.received, \
             (SELECT COUNT(*) FROM (SELECT 1 FROM reactions WHERE user = ?1 LIMIT ?2)), \
             own.looked, own.pairs, own.messages, hidden.looked, hidden.messages, \
             (SELECT COUNT(*) FROM (SELECT 1 FROM channels WHERE created_by = ?1 LIMIT ?2)) \
         FROM (SELECT COUNT(*) AS looked, COALESCE(SUM(attachments <> '[]'), 0) AS attached \
             FROM (SELECT attachments FROM messages WHERE user = ?1 LIMIT ?2)) AS m \
         CROSS JOIN (SELECT COUNT(*) AS looked, COALESCE(SUM(user <> ?1), 0) AS received \
             FROM (SELECT answer.user FROM (SELECT key FROM messages WHERE user = ?1 LIMIT ?2) AS own \
                 CROSS JOIN reactions AS answer ON answer.message = own.key LIMIT ?2)) AS r \
         CROSS JOIN (SELECT COUNT(*) AS looked, COALESCE(SUM(is_pair), 0) AS pairs, \
                 COALESCE(SUM(CASE WHEN is_pair THEN message_count END), 0) AS messages \
             FROM (SELECT c.message_count, \
                 c.member_count = 2 AND (c.cause <> 3 OR COALESCE(c.hidden_by, 0) <> ?1) AS is_pair \
                 FROM (SELECT channel FROM channel_members WHERE user = ?1 LIMIT ?2) AS own \
                 CROSS JOIN channels AS c ON c.key = own.channel)) AS own \
         CROSS JOIN (SELECT COUNT(*) AS looked, COALESCE(SUM(message_count), 0) AS messages \
             FROM (SELECT message_count FROM channels WHERE hidden_by = ?1 AND cause = 3 LIMIT ?2)) AS hidden",
        SELECT_ON_POSTGRES,
    );
    let looked = i64::try_from(ceiling.saturating_add(1)).unwrap_or(i64::MAX);
    let rows: Vec<[Value; 2]> = users.iter().map(|user| [user.0.into(), looked.into()]).collect();
    let number = |row: &Row<'_>, column| Ok::<u64, Error>(u64::try_from(row.integer(column)?).unwrap_or(0));
    tx.query_each(SELECT, &rows, |row| {
        let tally = |column| Ok::<Tally, Error>(Tally::of(number(row, column)?, ceiling));
        let messages = tally(0)?;
        let (memberships, hidden) = (tally(5)?, tally(8)?);
        let not_all = memberships.at_least || hidden.at_least;
        let sum = |one, other| Ok::<u64, Error>(number(row, one)?.saturating_add(number(row, other)?));
        let part = |count: u64, at_least| Tally { count: count.min(ceiling), at_least };
        let answers = tally(2)?;
        Ok(ChatCounts {
            messages,
            attachments: part(number(row, 1)?, messages.at_least),
            reactions_received: part(number(row, 3)?, messages.at_least || answers.at_least),
            reactions: tally(4)?,
            memberships,
            conversations: part(sum(6, 8)?, not_all),
            conversation_messages: Tally { count: sum(7, 9)?, at_least: not_all },
            channels_made: tally(10)?,
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
        "SELECT COALESCE(\
             (SELECT 1 FROM messages WHERE \"user\" BETWEEN $1 AND $1 ORDER BY \"user\" LIMIT 1), \
             (SELECT 1 FROM reactions WHERE \"user\" BETWEEN $1 AND $1 ORDER BY \"user\" LIMIT 1), \
             (SELECT 1 FROM channel_members WHERE \"user\" BETWEEN $1 AND $1 ORDER BY \"user\" LIMIT 1), \
             (SELECT 1 FROM channels WHERE created_by BETWEEN $1 AND $1 ORDER BY created_by LIMIT 1), \
             (SELECT 1 FROM channels WHERE hidden_by BETWEEN $1 AND $1 AND cause = 3 ORDER BY hidden_by LIMIT 1), \
             0)::bigint",
    );
    Ok(tx.query(SELECT, &[user.0.into()], |row| row.boolean(0))?.contains(&true))
}
