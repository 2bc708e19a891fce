//! What deleting a user costs without Headwater: its messages in chunks, each a transaction that keeps the counts of the
//! channels true, then the rest.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, params};

use super::connection::{empty_log, writer};
use crate::failure::Failure;
use crate::rounds::Outcome;
use crate::samples::Samples;

/// Messages that go together: what a loop that nobody waits for would take.
const CHUNK: i64 = 1000;

/// Deletes the user with this id from the database in `file`. What is done are messages, and the latencies are those of
/// transactions.
pub(crate) fn remove(file: &Path, app: i64, id: &str) -> Result<Outcome, Failure> {
    let connection = writer(file)?;
    let user: i64 =
        connection.query_row("SELECT key FROM users WHERE app = ? AND id = ?", params![app, id], |row| {
            row.get(0)
        })?;
    let (mut done, mut samples) = (0, Samples::default());
    let begin = Instant::now();
    loop {
        let start = Instant::now();
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let gone = remove_messages(&connection, user)?;
        connection.execute_batch("COMMIT")?;
        samples.record(start.elapsed());
        done += usize::try_from(gone)?;
        if gone < CHUNK {
            break;
        }
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let channels = "UPDATE channels SET member_count = member_count - 1 WHERE key IN \
        (SELECT channel FROM channel_members WHERE user = ?)";
    connection.execute(channels, [user])?;
    connection.execute("DELETE FROM channel_members WHERE user = ?", [user])?;
    connection.execute("UPDATE channels SET created_by = NULL WHERE created_by = ?", [user])?;
    connection.execute("DELETE FROM user_leaves WHERE user = ?", [user])?;
    connection.execute("DELETE FROM users WHERE key = ?", [user])?;
    connection.execute_batch("COMMIT")?;
    let elapsed = begin.elapsed();
    empty_log(&connection)?;
    Ok(Outcome { done, elapsed, samples })
}

/// Deletes a chunk of the messages of a user, within a transaction. Answers how many there were.
fn remove_messages(connection: &Connection, user: i64) -> Result<i64, Failure> {
    let mut chunk =
        connection.prepare_cached("SELECT key, channel FROM messages WHERE user = ? ORDER BY key LIMIT ?")?;
    let mut delete = connection.prepare_cached("DELETE FROM messages WHERE key = ?")?;
    let mut count =
        connection.prepare_cached("UPDATE channels SET message_count = message_count - ? WHERE key = ?")?;
    let found: Vec<(i64, i64)> = chunk
        .query_map(params![user, CHUNK], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    for (message, channel) in &found {
        delete.execute([message])?;
        *counts.entry(*channel).or_default() += 1;
    }
    for (channel, gone) in counts {
        count.execute([gone, channel])?;
    }
    Ok(i64::try_from(found.len())?)
}
