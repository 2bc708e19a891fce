//! The channels that a user is in, and those that it created.

use std::collections::BTreeMap;

use model::{ChannelKey, Deletion, DeletionCause, StoredChannel, Timestamp, UserKey};

use super::rows::{Found, keys, limit, lock, most_reactions, remove, remove_reactions_to};
use crate::channels::by_keys;
use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

/// Channels that are looked at together in order to be taken away: most have more than a message.
const CHANNELS_AT_ONCE: usize = 50;

/// What the ids of channels begin with that are about to go.
const GOING: &str = "#removed-";

/// Takes `user` out of channels, in which everybody else stays. Answers how many; fewer than `most` were the last. At most four
/// statements.
///
/// # Errors
/// When a statement fails.
pub fn leave_channels(tx: &mut Tx<'_>, user: UserKey, most: usize) -> Result<usize, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT channel FROM channel_members WHERE user = $1 ORDER BY channel LIMIT $2",
        "SELECT channel FROM channel_members \
         WHERE (\"user\", channel) > ($1, 0) AND (\"user\", channel) < ($1 + 1, 0) \
         ORDER BY \"user\", channel LIMIT $2",
    );
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
    lock(tx, found.iter().copied())?;
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

/// What becomes of conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// They are deleted for everybody's eyes. What is deleted already stays so; what a deactivation has hidden does not come
    /// back any more.
    Marks,
    /// They are about to go with all that is in them ([`remove_conversations`]), deleted already or not. Until then nobody finds
    /// them, and whoever asks for one by its id gets a new one.
    Goes,
}

/// Closes the conversations of `user`: the channels with exactly two members that it is in. Those that were open are answered
/// as they are now, but with the id that they had. At most three statements.
///
/// # Errors
/// When a statement fails.
pub fn close_conversations(
    tx: &mut Tx<'_>,
    (user, closing): (UserKey, Closing),
    at: Timestamp,
    after: Option<ChannelKey>,
    most: usize,
) -> Result<ChannelsSwept, Error> {
    const MARK: Sql = Sql::pair(
        "UPDATE OR FAIL channels SET deleted_at = COALESCE(deleted_at, ?2), cause = 3, hidden_by = ?3 WHERE key = ?1",
        "UPDATE channels SET deleted_at = COALESCE(deleted_at, ($2::bigint[])[1]), cause = 3, \
             hidden_by = ($3::bigint[])[1] WHERE key = ANY ($1::bigint[])",
    );
    // Nobody can give an id with such a sign (`model::check_new_cid`), so none is in the way, and none is opened anew.
    const UNNAME: Sql = Sql::pair(
        "UPDATE OR FAIL channels SET deleted_at = COALESCE(deleted_at, ?2), cause = 3, hidden_by = ?3, \
             id = '#removed-' || key WHERE key = ?1",
        "UPDATE channels SET deleted_at = COALESCE(deleted_at, ($2::bigint[])[1]), cause = 3, \
             hidden_by = ($3::bigint[])[1], id = '#removed-' || key WHERE key = ANY ($1::bigint[])",
    );
    let found = memberships(tx, user, after, most)?;
    let pairs: Vec<ChannelKey> =
        found.iter().filter(|found| found.members == 2).map(|found| ChannelKey(found.key)).collect();
    let mut channels = by_keys(tx, &pairs)?;
    // Now that they are locked: somebody may have come or gone meanwhile.
    channels.retain(|stored| {
        let cause = stored.channel.deletion.map(|deletion| deletion.cause);
        let closes = closing == Closing::Goes || matches!(cause, None | Some(DeletionCause::UserDeactivated));
        // The other member may be about to go as well: then the channel goes because of that one.
        let is_going = stored.channel.cid.id.starts_with(GOING);
        stored.channel.member_count == 2 && closes && !is_going
    });
    let rows: Vec<[Value; 3]> =
        channels.iter().map(|stored| [stored.key.0.into(), at.into(), user.0.into()]).collect();
    tx.execute_each(if closing == Closing::Goes { UNNAME } else { MARK }, &rows)?;
    channels.retain_mut(|stored| {
        let deletion = Deletion { at, cause: DeletionCause::UserDeleted };
        stored.channel.deletion.replace(deletion).is_none()
    });
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
             SELECT key FROM channels WHERE created_by IS NOT NULL \
                 AND (created_by, key) > ($1, 0) AND (created_by, key) < ($1 + 1, 0) \
             ORDER BY created_by, key LIMIT $4 FOR UPDATE))",
    );
    let (key, id) = match to {
        NewOwner::User(key) => (Some(key.0), None),
        NewOwner::Generated(id) => (None, Some(id.as_str())),
    };
    tx.execute(UPDATE, &[user.0.into(), key.into(), id.into(), limit(most).into()])
}

/// What was taken away with a batch of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// How many channels.
    pub channels: usize,
    /// How many messages and reactions, in these and in those that are not empty yet.
    pub rows: usize,
    /// After which channel to go on; `None` when there is nothing more to take away.
    pub next: Option<ChannelKey>,
}

/// Takes the conversations away that the deletion of `user` has closed, with all that is in them, at most `most` messages a
/// batch. At most nine statements.
///
/// # Errors
/// When a statement fails.
pub fn remove_conversations(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<ChannelKey>,
    most: usize,
) -> Result<Removed, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT key, member_count, message_count, cause FROM channels \
         WHERE hidden_by = $1 AND cause = 3 AND key > $2 ORDER BY key LIMIT $3",
        "SELECT key, member_count, message_count, cause FROM channels WHERE hidden_by IS NOT NULL \
             AND (hidden_by, cause, key) > ($1, 3, $2) AND (hidden_by, cause, key) < ($1, 4, 0) \
         ORDER BY hidden_by, cause, key LIMIT $3",
    );
    let found = candidates(tx, SELECT, user, after, CHANNELS_AT_ONCE)?;
    remove_candidates(tx, &found, next(&found, CHANNELS_AT_ONCE), (most, most_reactions(most)))
}

/// Takes one channel away, with at most `most` of its messages and all reactions to them: as long as the answer is no channel,
/// more are left. At most eight statements.
///
/// # Errors
/// When a statement fails.
pub fn remove_channel(tx: &mut Tx<'_>, channel: &StoredChannel, most: usize) -> Result<Removed, Error> {
    remove_candidates(tx, &[Candidate::of(channel)], None, (most, usize::MAX))
}

/// What decides of a channel whether it goes, and when.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    key: i64,
    members: i64,
    messages: i64,
    cause: i64,
}

impl Candidate {
    fn of(stored: &StoredChannel) -> Self {
        let channel = &stored.channel;
        let count = |count| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            key: stored.key.0,
            members: count(channel.member_count),
            messages: count(channel.message_count),
            cause: channel.deletion.map_or(0, |deletion| deletion.cause.code()),
        }
    }

    /// Whether the channel is, now that it is locked, what it was when it was chosen.
    fn still_is(&self, stored: &StoredChannel) -> bool {
        let now = Self::of(stored);
        (self.members, self.cause) == (now.members, now.cause)
    }
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
         FROM (SELECT channel FROM channel_members \
             WHERE (\"user\", channel) > ($1, $2) AND (\"user\", channel) < ($1 + 1, 0) \
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
    const SELECT: Sql = Sql::pair(
        "SELECT key, member_count, message_count, cause FROM channels WHERE created_by = $1 AND key > $2 \
         ORDER BY key LIMIT $3",
        "SELECT key, member_count, message_count, cause FROM channels WHERE created_by IS NOT NULL \
             AND (created_by, key) > ($1, $2) AND (created_by, key) < ($1 + 1, 0) \
         ORDER BY created_by, key LIMIT $3",
    );
    candidates(tx, SELECT, user, after, most)
}

/// Deletes channels for everybody's eyes, and answers those that were not deleted before, as they are now.
fn hide(
    tx: &mut Tx<'_>,
    user: UserKey,
    cause: DeletionCause,
    at: Timestamp,
    channels: &[i64],
) -> Result<Vec<StoredChannel>, Error> {
    // What a deactivation has hidden nobody sees any more: only the cause changes.
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL channels SET deleted_at = COALESCE(deleted_at, ?2), cause = ?3, hidden_by = ?4 \
         WHERE key = ?1 AND (cause = 0 OR (cause = 2 AND ?3 > 2)) RETURNING key, deleted_at",
        "UPDATE channels SET deleted_at = COALESCE(deleted_at, ($2::bigint[])[1]), cause = ($3::bigint[])[1], \
             hidden_by = ($4::bigint[])[1] \
         WHERE key = ANY ($1::bigint[]) AND (cause = 0 OR (cause = 2 AND ($3::bigint[])[1] > 2)) \
         RETURNING key, deleted_at",
    );
    lock(tx, channels.iter().copied())?;
    let row = |key: &i64| [(*key).into(), at.into(), cause.code().into(), user.0.into()];
    let rows: Vec<[Value; 4]> = channels.iter().map(row).collect();
    let hidden = tx.query_each(UPDATE, &rows, |row| Ok((ChannelKey(row.integer(0)?), row.timestamp(1)?)))?;
    let hidden: Vec<ChannelKey> =
        hidden.into_iter().filter(|(_, since)| *since == at).map(|(key, _)| key).collect();
    by_keys(tx, &hidden)
}

/// Takes channels away in their order until so many messages, or reactions to them, are gone.
fn remove_candidates(
    tx: &mut Tx<'_>,
    candidates: &[Candidate],
    next: Option<ChannelKey>,
    (most, most_reactions): (usize, usize),
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
    let mut shares: BTreeMap<i64, (&Candidate, i64)> = BTreeMap::new();
    for candidate in candidates {
        if room <= 0 {
            break;
        }
        let share = candidate.messages.clamp(1, room);
        room -= share;
        shares.insert(candidate.key, (candidate, share));
    }
    let tried: Vec<ChannelKey> = shares.keys().map(|key| ChannelKey(*key)).collect();
    let mut before = by_keys(tx, &tried)?;
    // Somebody may have come or gone meanwhile, or made it anew: then it is looked at again.
    before.retain(|channel| shares.get(&channel.key.0).is_some_and(|(chosen, _)| chosen.still_is(channel)));
    let share = |channel: &StoredChannel| shares.get(&channel.key.0).map_or(0, |(_, share)| *share);
    let wanted: Vec<[Value; 2]> =
        before.iter().map(|channel| [channel.key.0.into(), share(channel).into()]).collect();
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
    let reactions = remove_reactions_to(tx, &messages, most_reactions)?;
    let first = tried.first().map(|first| ChannelKey(first.0 - 1));
    if reactions >= most_reactions {
        return Ok(Removed { channels: 0, rows: reactions, next: first });
    }
    remove(tx, &messages)?;
    let gone =
        tx.query_each(DELETE, &keys(before.iter().map(|channel| channel.key.0)), |row| row.integer(0))?;
    tx.execute_each(MEMBERS, &keys(gone.iter().copied()))?;
    // What is not gone yet is looked at again.
    let stays = tried.iter().find(|key| !gone.contains(&key.0)).map(|key| ChannelKey(key.0 - 1));
    let untried = tried.last().copied().filter(|_| tried.len() < candidates.len());
    let next = stays.or(untried).or(next);
    Ok(Removed { channels: gone.len(), rows: messages.len() + reactions, next })
}
