//! The channels that a user is in, and those that it created.

use model::{ChannelKey, DeletionCause, StoredChannel, Timestamp, UserKey};

use super::rows::{Found, keys, limit, remove};
use crate::channels::by_keys;
use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

/// Takes `user` out of channels, in which everybody else stays. Answers how many; fewer than `most` were the last. At most four
/// statements.
///
/// # Errors
/// When a statement fails.
pub fn leave_channels(tx: &mut Tx<'_>, user: UserKey, most: usize) -> Result<usize, Error> {
    const SELECT: Sql =
        Sql::new("SELECT channel FROM channel_members WHERE \"user\" = $1 ORDER BY channel LIMIT $2");
    const DELETE: Sql = Sql::pair(
        "DELETE FROM channel_members WHERE channel = $1 AND user = $2 RETURNING channel",
        "DELETE FROM channel_members \
         WHERE \"user\" = ANY ($2::bigint[]) AND channel = ANY ($1::bigint[]) RETURNING channel",
    );
    const COUNT: Sql = Sql::pair(
        "UPDATE OR FAIL channels SET member_count = member_count - 1 WHERE key = $1",
        "UPDATE channels SET member_count = member_count - 1 WHERE key = ANY ($1::bigint[])",
    );
    let found = tx.query(SELECT, &[user.0.into(), limit(most).into()], |row| row.integer(0))?;
    lock(tx, &found)?;
    let rows: Vec<[Value; 2]> = found.iter().map(|channel| [(*channel).into(), user.0.into()]).collect();
    let left = tx.query_each(DELETE, &rows, |row| row.integer(0))?;
    tx.execute_each(COUNT, &keys(left))?;
    Ok(found.len())
}

/// What became of a batch of channels.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelsSwept {
    /// Those that were changed, as they are now.
    pub channels: Vec<StoredChannel>,
    /// After which channel to go on; `None` when there is nothing more.
    pub next: Option<ChannelKey>,
}

/// Deletes the conversations of `user` for everybody's eyes: the channels with exactly two members that it is in. What is
/// deleted already stays so; what a deactivation has hidden does not come back any more. At most four statements.
///
/// # Errors
/// When a statement fails.
pub fn hide_conversations(
    tx: &mut Tx<'_>,
    user: UserKey,
    at: Timestamp,
    after: Option<ChannelKey>,
    most: usize,
) -> Result<ChannelsSwept, Error> {
    let found = memberships(tx, user, after, most)?;
    let pairs: Vec<i64> = found.iter().filter(|found| found.members == 2).map(|found| found.key).collect();
    let channels = hide(tx, user, DeletionCause::UserDeleted, at, &pairs)?;
    Ok(ChannelsSwept { channels, next: next(&found, most) })
}

/// Deletes the channels that `user` created for everybody's eyes, because it is deactivated or deleted. What is deleted
/// already stays so; what a deactivation has hidden a deletion keeps from coming back. At most four statements.
///
/// # Errors
/// When a statement fails.
pub fn hide_channels(
    tx: &mut Tx<'_>,
    user: UserKey,
    cause: DeletionCause,
    at: Timestamp,
    after: Option<ChannelKey>,
    most: usize,
) -> Result<ChannelsSwept, Error> {
    let found = created(tx, user, after, most)?;
    let own: Vec<i64> = found.iter().map(|found| found.key).collect();
    let channels = hide(tx, user, cause, at, &own)?;
    Ok(ChannelsSwept { channels, next: next(&found, most) })
}

/// Brings back the channels that `user` created and its deactivation has hidden, and no others. At most three statements.
///
/// # Errors
/// When a statement fails.
pub fn restore_channels(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<ChannelKey>,
    most: usize,
) -> Result<ChannelsSwept, Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL channels SET deleted_at = NULL, cause = 0, hidden_by = NULL \
         WHERE key = ?1 AND cause = 2 AND hidden_by = ?2 RETURNING key",
        "UPDATE channels SET deleted_at = NULL, cause = 0, hidden_by = NULL \
         WHERE key = ANY ($1::bigint[]) AND cause = 2 AND hidden_by = ($2::bigint[])[1] RETURNING key",
    );
    let found = created(tx, user, after, most)?;
    let rows: Vec<[Value; 2]> = found.iter().map(|found| [found.key.into(), user.0.into()]).collect();
    let restored = tx.query_each(UPDATE, &rows, |row| row.integer(0).map(ChannelKey))?;
    Ok(ChannelsSwept { channels: by_keys(tx, &restored)?, next: next(&found, most) })
}

/// Who gets the channels of a user who is gone (semantics 10.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewOwner {
    /// Another user.
    User(UserKey),
    /// Nobody: a generated id stands in the place of the user.
    Generated(String),
}

/// Gives channels that `user` created to somebody else. What its deactivation has hidden stays deleted, and no longer because
/// of it. Answers how many; fewer than `most` were the last. One statement.
///
/// # Errors
/// When a statement fails.
pub fn reassign_channels(tx: &mut Tx<'_>, user: UserKey, to: &NewOwner, most: usize) -> Result<usize, Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL channels SET created_by = ?2, owner = ?3, \
             cause = CASE WHEN cause = 2 AND hidden_by = ?1 THEN 1 ELSE cause END, \
             hidden_by = CASE WHEN cause = 2 AND hidden_by = ?1 THEN NULL ELSE hidden_by END \
         WHERE key IN (SELECT key FROM channels WHERE created_by = ?1 ORDER BY key LIMIT ?4)",
        "UPDATE channels SET created_by = $2, owner = $3, \
             cause = CASE WHEN cause = 2 AND hidden_by = $1 THEN 1 ELSE cause END, \
             hidden_by = CASE WHEN cause = 2 AND hidden_by = $1 THEN NULL ELSE hidden_by END \
         WHERE key = ANY (ARRAY(\
             SELECT key FROM channels WHERE created_by = $1 ORDER BY created_by, key LIMIT $4 FOR UPDATE))",
    );
    let (key, id) = match to {
        NewOwner::User(key) => (Some(key.0), None),
        NewOwner::Generated(id) => (None, Some(id.as_str())),
    };
    tx.execute(UPDATE, &[user.0.into(), key.into(), id.into(), limit(most).into()])
}

/// What was taken away with a batch of channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Removed {
    /// The channels, as they were.
    pub channels: Vec<StoredChannel>,
    /// How many messages went, in these and in the one that is not empty yet.
    pub messages: usize,
    /// Whether there is more to take away.
    pub more: bool,
    /// After which channel to go on.
    pub after: Option<ChannelKey>,
}

/// Takes the conversations of `user` away, deleted or not, with all that is in them: the channels with exactly two members
/// that it is in. At most ten statements.
///
/// # Errors
/// When a statement fails.
pub fn remove_conversations(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<ChannelKey>,
    most: usize,
) -> Result<Removed, Error> {
    let found = memberships(tx, user, after, most)?;
    let pairs: Vec<Candidate> = found.iter().copied().filter(|found| found.members == 2).collect();
    remove_candidates(tx, &pairs, after, next(&found, most), most)
}

/// Takes away the conversations that the deletion of `user` has hidden before, when it left them: as
/// [`remove_conversations`]. At most ten statements.
///
/// # Errors
/// When a statement fails.
pub fn remove_hidden_conversations(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<ChannelKey>,
    most: usize,
) -> Result<Removed, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT key, member_count, message_count, cause FROM channels WHERE hidden_by = $1 AND key > $2 \
         ORDER BY hidden_by, key LIMIT $3",
    );
    let found = candidates(tx, SELECT, user, after, most)?;
    let deleted = DeletionCause::UserDeleted.code();
    let hidden: Vec<Candidate> = found.iter().copied().filter(|found| found.cause == deleted).collect();
    remove_candidates(tx, &hidden, after, next(&found, most), most)
}

/// Takes one channel away, with at most `most` of its messages: as long as it is not in the answer, more are left. At most
/// nine statements.
///
/// # Errors
/// When a statement fails.
pub fn remove_channel(tx: &mut Tx<'_>, channel: &StoredChannel, most: usize) -> Result<Removed, Error> {
    let messages = i64::try_from(channel.channel.message_count).unwrap_or(i64::MAX);
    let candidate = Candidate { key: channel.key.0, members: 0, messages, cause: 0 };
    remove_candidates(tx, &[candidate], None, None, most)
}

/// What decides of a channel whether it goes, and when.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    key: i64,
    members: i64,
    messages: i64,
    cause: i64,
}

/// After which of the channels that were looked at to go on.
fn next(found: &[Candidate], most: usize) -> Option<ChannelKey> {
    found.last().filter(|_| found.len() >= most).map(|last| ChannelKey(last.key))
}

fn candidates(
    tx: &mut Tx<'_>,
    select: Sql,
    user: UserKey,
    after: Option<ChannelKey>,
    most: usize,
) -> Result<Vec<Candidate>, Error> {
    let after = after.map_or(0, |key| key.0);
    tx.query(select, &[user.0.into(), after.into(), limit(most).into()], |row| {
        Ok(Candidate {
            key: row.integer(0)?,
            members: row.integer(1)?,
            messages: row.integer(2)?,
            cause: row.integer(3)?,
        })
    })
}

/// The channels that `user` is in.
fn memberships(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<ChannelKey>,
    most: usize,
) -> Result<Vec<Candidate>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT c.key, c.member_count, c.message_count, c.cause FROM channel_members AS m CROSS JOIN channels AS c \
         WHERE m.user = $1 AND m.channel > $2 AND c.key = m.channel ORDER BY m.channel LIMIT $3",
        "SELECT c.key, c.member_count, c.message_count, c.cause \
         FROM (SELECT channel FROM channel_members WHERE \"user\" = $1 AND channel > $2 \
             ORDER BY \"user\", channel LIMIT $3) AS m \
         CROSS JOIN LATERAL (SELECT * FROM channels WHERE channels.key = m.channel LIMIT 1) AS c ORDER BY c.key",
    );
    candidates(tx, SELECT, user, after, most)
}

/// The channels that `user` created.
fn created(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<ChannelKey>,
    most: usize,
) -> Result<Vec<Candidate>, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT key, member_count, message_count, cause FROM channels WHERE created_by = $1 AND key > $2 \
         ORDER BY created_by, key LIMIT $3",
    );
    candidates(tx, SELECT, user, after, most)
}

/// Locks channels in the order of their keys.
fn lock(tx: &mut Tx<'_>, channels: &[i64]) -> Result<(), Error> {
    const LOCK: Sql = Sql::pair(
        "SELECT key FROM channels WHERE key = $1",
        "SELECT key FROM channels WHERE key = ANY ($1::bigint[]) ORDER BY key FOR UPDATE",
    );
    if tx.has_rivals() {
        tx.query_each(LOCK, &keys(channels.iter().copied()), |_| Ok(()))?;
    }
    Ok(())
}

/// Deletes channels for everybody's eyes, and answers those that were not deleted before, as they are now.
fn hide(
    tx: &mut Tx<'_>,
    user: UserKey,
    cause: DeletionCause,
    at: Timestamp,
    channels: &[i64],
) -> Result<Vec<StoredChannel>, Error> {
    // What a deactivation has hidden was told when it was: only the cause changes.
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL channels SET deleted_at = COALESCE(deleted_at, ?2), cause = ?3, hidden_by = ?4 \
         WHERE key = ?1 AND (cause = 0 OR (cause = 2 AND ?3 > 2)) RETURNING key, deleted_at",
        "UPDATE channels SET deleted_at = COALESCE(deleted_at, ($2::bigint[])[1]), cause = ($3::bigint[])[1], \
             hidden_by = ($4::bigint[])[1] \
         WHERE key = ANY ($1::bigint[]) AND (cause = 0 OR (cause = 2 AND ($3::bigint[])[1] > 2)) \
         RETURNING key, deleted_at",
    );
    lock(tx, channels)?;
    let rows: Vec<[Value; 4]> =
        channels.iter().map(|key| [(*key).into(), at.into(), cause.code().into(), user.0.into()]).collect();
    let hidden = tx.query_each(UPDATE, &rows, |row| Ok((ChannelKey(row.integer(0)?), row.timestamp(1)?)))?;
    let hidden: Vec<ChannelKey> =
        hidden.into_iter().filter(|(_, since)| *since == at).map(|(key, _)| key).collect();
    by_keys(tx, &hidden)
}

/// Takes channels away in their order until `most` messages are gone.
fn remove_candidates(
    tx: &mut Tx<'_>,
    candidates: &[Candidate],
    after: Option<ChannelKey>,
    next: Option<ChannelKey>,
    most: usize,
) -> Result<Removed, Error> {
    const MESSAGES: Sql = Sql::pair(
        "SELECT key, app, id, channel FROM messages WHERE channel = $1 ORDER BY created_at, key LIMIT $2",
        "SELECT m.key, m.app, m.id, m.channel FROM UNNEST($1::bigint[], $2::bigint[]) AS given (channel, most) \
         CROSS JOIN LATERAL (SELECT key, app, id, channel FROM messages WHERE messages.channel = given.channel \
             ORDER BY created_at, key LIMIT given.most FOR UPDATE) AS m",
    );
    // A channel in which a message has come meanwhile stays for the next batch.
    const DELETE: Sql = Sql::pair(
        "DELETE FROM channels WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM messages WHERE channel = ?1) RETURNING key",
        "DELETE FROM channels WHERE key = ANY ($1::bigint[]) \
             AND (SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE messages.channel = channels.key LIMIT 1) AS one) = 0 \
         RETURNING key",
    );
    const MEMBERS: Sql = Sql::pair(
        "DELETE FROM channel_members WHERE channel = $1",
        "DELETE FROM channel_members WHERE channel = ANY ($1::bigint[])",
    );
    let mut room = limit(most);
    let mut wanted: Vec<[Value; 2]> = Vec::new();
    let mut tried = Vec::new();
    for candidate in candidates {
        if room <= 0 {
            break;
        }
        let share = candidate.messages.clamp(1, room);
        room -= share;
        wanted.push([candidate.key.into(), share.into()]);
        tried.push(ChannelKey(candidate.key));
    }
    let before = by_keys(tx, &tried)?;
    let read = |row: &Row<'_>| {
        Ok(Found {
            key: row.integer(0)?,
            app: row.integer(1)?,
            id: row.text(2)?,
            channel: row.integer(3)?,
            cause: 0,
            has_attachments: false,
        })
    };
    let messages = tx.query_each(MESSAGES, &wanted, read)?;
    remove(tx, &messages)?;
    let gone = tx.query_each(DELETE, &keys(tried.iter().map(|key| key.0)), |row| row.integer(0))?;
    tx.execute_each(MEMBERS, &keys(gone.iter().copied()))?;
    let channels: Vec<StoredChannel> =
        before.into_iter().filter(|channel| gone.contains(&channel.key.0)).collect();
    // What is not gone yet is looked at again.
    let is_whole = channels.len() == candidates.len();
    Ok(Removed {
        channels,
        messages: messages.len(),
        more: next.is_some() || !is_whole,
        after: if is_whole { next } else { after },
    })
}
