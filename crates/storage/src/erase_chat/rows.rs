//! What goes with messages when they go, and what is counted of them.

use std::collections::{BTreeMap, BTreeSet};

use model::MessageKey;

use crate::sql::{Sql, Value};
use crate::{Error, Tx, reactions};

/// What has to be known of a message in order to change it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) key: i64,
    pub(super) app: i64,
    pub(super) id: String,
    pub(super) channel: i64,
    pub(super) cause: i64,
    pub(super) has_attachments: bool,
}

/// A number of rows as statements take it.
pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// Keys as the parameters of a batch.
pub(super) fn keys(keys: impl IntoIterator<Item = i64>) -> Vec<[Value; 1]> {
    keys.into_iter().map(|key| [key.into()]).collect()
}

/// The most reactions that go with a batch of at most `most` messages: a message that was answered by thousands would
/// otherwise hold everybody up.
pub(super) fn most_reactions(most: usize) -> usize {
    most.saturating_mul(4)
}

/// Locks channels in the order of their keys, before the messages in them.
pub(super) fn lock(tx: &mut Tx<'_>, channels: impl Iterator<Item = i64>) -> Result<(), Error> {
    const LOCK: Sql = Sql::pair(
        "SELECT key FROM channels WHERE key = $1",
        "SELECT key FROM channels WHERE key = ANY ($1::bigint[]) ORDER BY key FOR UPDATE",
    );
    if tx.has_rivals() {
        tx.query_each(LOCK, &keys(channels.collect::<BTreeSet<_>>()), |_| Ok(()))?;
    }
    Ok(())
}

/// Takes messages away with the reports of them, and from the counts of their channels: three statements. The reactions to
/// them are gone ([`remove_reactions_to`]), and their channels locked.
pub(super) fn remove(tx: &mut Tx<'_>, found: &[Found]) -> Result<(), Error> {
    const DELETE: Sql = Sql::pair(
        "DELETE FROM messages WHERE key = $1",
        "DELETE FROM messages WHERE key = ANY ($1::bigint[])",
    );
    const COUNT: Sql = Sql::pair(
        "UPDATE OR FAIL channels SET message_count = message_count - ?2 WHERE key = ?1",
        "UPDATE channels SET message_count = message_count - given.gone \
         FROM UNNEST($1::bigint[], $2::bigint[]) AS given (key, gone) \
         WHERE channels.key = given.key AND channels.key = ANY ($1::bigint[])",
    );
    remove_flags(tx, found)?;
    tx.execute_each(DELETE, &keys(found.iter().map(|message| message.key)))?;
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    for message in found {
        *counts.entry(message.channel).or_default() += 1;
    }
    let counts: Vec<[Value; 2]> =
        counts.into_iter().map(|(channel, count)| [channel.into(), count.into()]).collect();
    tx.execute_each(COUNT, &counts).map(drop)
}

/// Takes away up to `most` of the reactions to messages, whoever gave them. Answers how many: fewer were the last. Two
/// statements; four when there are more.
pub(super) fn remove_reactions_to(tx: &mut Tx<'_>, found: &[Found], most: usize) -> Result<usize, Error> {
    let messages: Vec<MessageKey> = found.iter().map(|message| MessageKey(message.key)).collect();
    reactions::remove_with(tx, &messages, most)
}

/// Takes away the reports of messages: one statement.
pub(super) fn remove_flags(tx: &mut Tx<'_>, found: &[Found]) -> Result<(), Error> {
    const FLAGS: Sql = Sql::pair(
        "DELETE FROM flags WHERE app = $1 AND entity_type = 'stream:chat:v1:message' AND entity_id = $2",
        "DELETE FROM flags WHERE ctid = ANY (ARRAY(SELECT stored.ctid \
             FROM UNNEST($1::bigint[], $2::text[]) AS given (app, id) CROSS JOIN LATERAL (SELECT ctid FROM flags \
                 WHERE flags.app = given.app AND flags.entity_type = 'stream:chat:v1:message' \
                     AND flags.entity_id = given.id OFFSET 0) AS stored))",
    );
    let entities: Vec<[Value; 2]> =
        found.iter().map(|message| [message.app.into(), message.id.as_str().into()]).collect();
    tx.execute_each(FLAGS, &entities).map(drop)
}
