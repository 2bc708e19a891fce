//! What the reactions to a message come to, type by type: one row each, kept with the reactions that it counts, because
//! every answer that shows a message shows it.
//!
//! Numbers and sums are added to and taken from. The times of the first and of the last one are looked up by an index when
//! reactions go.

use std::collections::BTreeMap;

use model::{MessageKey, Reaction, ReactionGroup};

use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// What goes of groups: how many reactions of a type to a message, and the sum of their scores.
#[derive(Debug, Default)]
pub(super) struct Gone(BTreeMap<(MessageKey, String), (i64, i64)>);

impl Gone {
    /// The last message of which one goes, in the order of keys.
    pub(super) fn last(&self) -> Option<MessageKey> {
        self.0.last_key_value().map(|((message, _), _)| *message)
    }

    /// One more reaction goes.
    pub(super) fn add(&mut self, message: MessageKey, kind: String, score: i64) {
        let (count, sum) = self.0.entry((message, kind)).or_default();
        *count += 1;
        *sum += score;
    }
}

/// Counts a reaction that has come in the place of `before`. One statement.
pub(super) fn count(
    tx: &mut Tx<'_>,
    message: MessageKey,
    before: Option<&Reaction>,
    reaction: &Reaction,
) -> Result<(), Error> {
    const PUT: Sql = Sql::pair(
        "INSERT INTO reaction_groups (message, type, count, score, first_at, last_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (message, type) DO UPDATE SET \
             count = count + excluded.count, score = score + excluded.score, \
             first_at = MIN(first_at, excluded.first_at), last_at = MAX(last_at, excluded.last_at)",
        "INSERT INTO reaction_groups AS stored (message, type, count, score, first_at, last_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (message, type) DO UPDATE SET \
             count = stored.count + excluded.count, score = stored.score + excluded.score, \
             first_at = LEAST(stored.first_at, excluded.first_at), \
             last_at = GREATEST(stored.last_at, excluded.last_at)",
    );
    let parameters: [Value; 6] = [
        message.0.into(),
        reaction.kind.as_str().into(),
        i64::from(before.is_none()).into(),
        (reaction.score - before.map_or(0, |before| before.score)).into(),
        reaction.created_at.into(),
        reaction.updated_at.into(),
    ];
    tx.execute(PUT, &parameters).map(drop)
}

/// Takes reactions that have gone from their groups. Two statements, one more on an engine with concurrent writers; none for
/// no reactions.
pub(super) fn discount(tx: &mut Tx<'_>, gone: Gone) -> Result<(), Error> {
    // What others do to the reactions of a group meanwhile is seen by the statements after this one.
    const LOCK: Sql = Sql::pair(
        "SELECT 0 FROM reaction_groups WHERE message = $1 AND type = $2",
        "SELECT 0::bigint FROM UNNEST($1::bigint[], $2::text[]) AS given (message, type) \
         CROSS JOIN LATERAL (SELECT 1 FROM reaction_groups AS stored WHERE stored.message = given.message \
             AND stored.type = given.type FOR UPDATE) AS locked",
    );
    const DELETE: Sql = Sql::pair(
        "DELETE FROM reaction_groups WHERE message = $1 AND type = $2 AND count <= $3",
        "DELETE FROM reaction_groups USING UNNEST($1::bigint[], $2::text[], $3::bigint[]) \
             AS given (message, type, gone) \
         WHERE reaction_groups.message = given.message AND reaction_groups.type = given.type \
             AND reaction_groups.message = ANY ($1::bigint[]) AND count <= given.gone",
    );
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL reaction_groups SET count = count - ?3, score = score - ?4, \
             first_at = (SELECT MIN(created_at) FROM reactions WHERE message = ?1 AND type = ?2), \
             last_at = (SELECT MAX(updated_at) FROM reactions WHERE message = ?1 AND type = ?2) \
         WHERE message = ?1 AND type = ?2",
        "UPDATE reaction_groups AS stored SET count = stored.count - given.gone, score = stored.score - given.score, \
             first_at = (SELECT MIN(created_at) FROM reactions \
                 WHERE reactions.message = stored.message AND reactions.type = stored.type), \
             last_at = (SELECT MAX(updated_at) FROM reactions \
                 WHERE reactions.message = stored.message AND reactions.type = stored.type) \
         FROM UNNEST($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) AS given (message, type, gone, score) \
         WHERE stored.message = given.message AND stored.type = given.type \
             AND stored.message = ANY ($1::bigint[])",
    );
    let rows: Vec<[Value; 4]> = gone
        .0
        .into_iter()
        .map(|((message, kind), (count, score))| [message.0.into(), kind.into(), count.into(), score.into()])
        .collect();
    let counts: Vec<[Value; 3]> =
        rows.iter().map(|[message, kind, count, _]| [message.clone(), kind.clone(), count.clone()]).collect();
    if tx.has_rivals() {
        let names: Vec<[Value; 2]> =
            rows.iter().map(|[message, kind, ..]| [message.clone(), kind.clone()]).collect();
        tx.query_each(LOCK, &names, |_| Ok(()))?;
    }
    tx.execute_each(DELETE, &counts)?;
    tx.execute_each(UPDATE, &rows).map(drop)
}

/// Takes away up to `most` of the reactions to these messages, whoever gave them, and what is counted of them. Answers how many:
/// fewer were the last. Two statements when they were, otherwise three, and one more on an engine with concurrent writers; none
/// for no messages.
///
/// # Errors
/// When a statement fails.
pub(crate) fn remove_with(tx: &mut Tx<'_>, messages: &[MessageKey], most: usize) -> Result<usize, Error> {
    // The limit is for all messages together, and counts what is locked: what another task takes meanwhile does not make the
    // rest look like the last.
    const REACTIONS: Sql = Sql::pair(
        "DELETE FROM reactions WHERE (message, user, type) IN \
             (SELECT own.message, own.user, own.type FROM json_each(?1) AS given \
                 CROSS JOIN reactions AS own ON own.message = given.value LIMIT ?2) \
         RETURNING message, type, score",
        "DELETE FROM reactions WHERE ctid = ANY (ARRAY(SELECT own.ctid \
             FROM json_array_elements_text($1::text::json) AS given (message) CROSS JOIN LATERAL \
                 (SELECT ctid FROM reactions WHERE reactions.message = given.message::bigint FOR UPDATE) AS own LIMIT $2)) \
         RETURNING message, type, score",
    );
    const GROUPS: Sql = Sql::pair(
        "DELETE FROM reaction_groups WHERE message = $1",
        "DELETE FROM reaction_groups WHERE message = ANY ($1::bigint[])",
    );
    if messages.is_empty() {
        return Ok(0);
    }
    let keys: Vec<String> = messages.iter().map(|key| key.0.to_string()).collect();
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut gone = Gone::default();
    let found = tx.query(REACTIONS, &[format!("[{}]", keys.join(",")).into(), limit.into()], |row| {
        gone.add(MessageKey(row.integer(0)?), row.text(1)?, row.integer(2)?);
        Ok(())
    })?;
    if found.len() >= most {
        discount(tx, gone)?;
    } else {
        let keys: Vec<[Value; 1]> = messages.iter().map(|key| [key.0.into()]).collect();
        tx.execute_each(GROUPS, &keys)?;
    }
    Ok(found.len())
}

/// The reactions to each of these messages by type, those of one message side by side in the order of the
/// types. One statement, whose cost does not grow with the reactions.
///
/// # Errors
/// When the statement fails or a row cannot be read.
pub fn groups(tx: &mut Tx<'_>, messages: &[MessageKey]) -> Result<Vec<(MessageKey, ReactionGroup)>, Error> {
    const GROUPS: Sql = Sql::pair(
        "SELECT message, type, count, score, first_at, last_at FROM reaction_groups \
         WHERE message = $1 ORDER BY message, type",
        "SELECT message, type, count, score, first_at, last_at FROM reaction_groups \
         WHERE message = ANY ($1::bigint[]) ORDER BY message, type",
    );
    let keys: Vec<[Value; 1]> = messages.iter().map(|key| [key.0.into()]).collect();
    tx.query_each(GROUPS, &keys, |row| {
        let group = ReactionGroup {
            kind: row.text(1)?,
            count: u64::try_from(row.integer(2)?).unwrap_or(0),
            score: row.integer(3)?,
            first: row.timestamp(4)?,
            last: row.timestamp(5)?,
        };
        Ok((MessageKey(row.integer(0)?), group))
    })
}
