//! The log: one append-only table that every change of state writes to, in its own transaction (DESIGN 1).
//!
//! Its readers come with their features. Rows go by age and size, a batch at a time, in the background lane.

use model::{AppKey, Event, Timestamp, UserId, UserKey};

use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// One change to be appended.
#[derive(Debug)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// The key of the user whom the event is about.
    pub person: Option<UserKey>,
    /// Everyone else whose data or id the event holds.
    pub others: Vec<UserKey>,
}

/// Who changed what, when: the same for every entry of one operation.
#[derive(Debug)]
pub struct Origin<'a> {
    /// The app.
    pub app: AppKey,
    /// When.
    pub time: Timestamp,
    /// Who: a kind of caller or a user id.
    pub actor: &'a str,
    /// The operation's name.
    pub operation: &'a str,
    /// The id of the request.
    pub request: &'a str,
}

/// What PostgreSQL does to append rows and name their subjects.
pub(crate) const APPEND_ON_POSTGRES: &str = "\
     WITH appended AS (INSERT INTO log (person, app, time, actor, operation, request, event, subject, payload) \
         SELECT person, app, time, actor, operation, request, event, subject, payload \
         FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], \
             $8::text[], $9::text[]) WITH ORDINALITY AS given (person, app, time, actor, operation, request, \
             event, subject, payload, place) \
         ORDER BY place RETURNING sequence, person), \
     named AS (INSERT INTO log_person (log, \"user\") \
         SELECT sequence, person FROM appended WHERE person IS NOT NULL) \
     SELECT sequence FROM appended ORDER BY sequence";

/// Appends `entries` in their order: one statement, and one more when somebody besides a subject is named.
///
/// # Errors
/// When a statement fails.
pub fn append(tx: &mut Tx<'_>, origin: &Origin<'_>, entries: &[Entry]) -> Result<(), Error> {
    // Nobody is named where there is no subject: on SQLite, a row without one is ignored.
    const INSERT: Sql = Sql::pair(
        "INSERT OR FAIL INTO log (person, app, time, actor, operation, request, event, subject, payload) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING sequence",
        APPEND_ON_POSTGRES,
    )
    .then(&["INSERT OR IGNORE INTO log_person (log, user) VALUES (last_insert_rowid(), ?1)"]);
    const NAME: Sql = Sql::pair(
        "INSERT INTO log_person (log, user) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        "INSERT INTO log_person (log, \"user\") SELECT * FROM UNNEST($1::bigint[], $2::bigint[]) ON CONFLICT DO NOTHING",
    );
    let rows: Vec<[Value; 9]> = entries
        .iter()
        .map(|entry| {
            let payload = entry.event.to_stored().map_err(|_| Error::Unreadable("event"))?;
            Ok([
                entry.person.map(|person| person.0).into(),
                origin.app.0.into(),
                origin.time.into(),
                origin.actor.into(),
                origin.operation.into(),
                origin.request.into(),
                entry.event.name().into(),
                entry.event.subject_id().map_or("", UserId::as_str).into(),
                payload.into(),
            ])
        })
        .collect::<Result<_, Error>>()?;
    let sequences = tx.query_each(INSERT, &rows, |row| row.integer(0))?;
    let others: Vec<[Value; 2]> = entries
        .iter()
        .zip(sequences)
        .flat_map(|(entry, sequence)| {
            entry.others.iter().map(move |person| [sequence.into(), person.0.into()])
        })
        .collect();
    tx.execute_each(NAME, &others)?;
    Ok(())
}

/// A place in the log; the default is before its first row. Outside of the server it is opaque.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The transaction, on an engine with concurrent writers; otherwise 0.
    transaction: i64,
    sequence: i64,
}

impl Position {
    /// The place of a row.
    pub(crate) fn at(transaction: i64, sequence: i64) -> Self {
        Self { transaction, sequence }
    }
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Where it stands: what comes next is after this.
    pub position: Position,
    /// The app.
    pub app: AppKey,
    /// The name of the event.
    pub event: String,
    /// The id of the user whom the event is about, empty for none.
    pub subject: String,
    /// The event as stored ([`Event::from_stored`]).
    pub payload: String,
}

/// At most `limit` rows after `position`, in an order in which no row ever comes before one that was read already.
///
/// On PostgreSQL a row that was appended earlier may be committed later. Rows are therefore read in the order of their
/// transactions, and only those below the oldest transaction that is still running: nothing can come below it any more.
/// Transactions are numbered for the whole server, so that a long one in another database delays the readers too.
///
/// # Errors
/// When a statement fails.
pub fn after(tx: &mut Tx<'_>, position: Position, limit: usize) -> Result<Vec<Logged>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT 0, sequence, app, event, subject, payload FROM log WHERE $1 = 0 AND sequence > $2 \
         ORDER BY sequence LIMIT $3",
        "SELECT xid::text::bigint, sequence, app, event, subject, payload FROM log \
         WHERE (xid, sequence) > ($1::bigint::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot()) \
         ORDER BY xid, sequence LIMIT $3",
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    tx.query(SELECT, &[position.transaction.into(), position.sequence.into(), limit.into()], |row| {
        Ok(Logged {
            position: Position::at(row.integer(0)?, row.integer(1)?),
            app: AppKey(row.integer(2)?),
            event: row.text(3)?,
            subject: row.text(4)?,
            payload: row.text(5)?,
        })
    })
}

/// How much of the log is kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Rows before this go.
    pub since: Timestamp,
    /// The oldest rows go while the log is larger than this many bytes.
    pub bytes: u64,
}

/// Rows taken away by one call of [`prune`]: few enough that other writes do not wait.
pub const PRUNED_AT_ONCE: i64 = 1000;

/// Takes away at most [`PRUNED_AT_ONCE`] of the oldest rows that `retention` does not keep. Answers how many went;
/// fewer than that many means that the log is within its bounds.
///
/// # Errors
/// When a statement fails.
pub fn prune(tx: &mut Tx<'_>, retention: &Retention) -> Result<usize, Error> {
    const OLDEST: Sql = Sql::new("SELECT sequence, time FROM log ORDER BY sequence LIMIT $1");
    const FORGET: Sql = Sql::new("DELETE FROM log_person WHERE log <= $1");
    const DELETE: Sql = Sql::new("DELETE FROM log WHERE sequence <= $1");
    let oldest =
        tx.query(OLDEST, &[PRUNED_AT_ONCE.into()], |row| Ok((row.integer(0)?, row.timestamp(1)?)))?;
    let excess = excess(tx, retention.bytes)?;
    // The last old row, not the first young one: a clock that was ahead must not keep what is behind its rows.
    let by_age = oldest.iter().rposition(|(_, time)| *time < retention.since).map_or(0, |place| place + 1);
    let last = by_age.max(excess.min(oldest.len())).checked_sub(1).map(|place| oldest[place].0);
    let Some(last) = last else { return Ok(0) };
    tx.execute(FORGET, &[last.into()])?;
    tx.execute(DELETE, &[last.into()])
}

/// How many of the oldest rows stand between the log and `most` bytes.
///
/// The size is an estimate from the number of rows, whose sequence has no gaps (on PostgreSQL hardly any: those of
/// transactions that had to run again), and the mean of a sample: counting bytes exactly would read the whole log or cost
/// every write a statement.
fn excess(tx: &mut Tx<'_>, most: u64) -> Result<usize, Error> {
    // Asked for together, the two would be looked for in the whole table.
    const ENDS: Sql = Sql::new(
        "SELECT COALESCE((SELECT MIN(sequence) FROM log), 0), COALESCE((SELECT MAX(sequence) FROM log), -1)",
    );
    const SAMPLE: Sql = Sql::pair(
        "SELECT OCTET_LENGTH(payload) FROM log WHERE sequence >= $1 ORDER BY sequence LIMIT 1",
        "SELECT bytes FROM UNNEST($1::bigint[]) AS given (place), LATERAL (SELECT OCTET_LENGTH(payload)::bigint AS bytes \
             FROM log WHERE sequence >= place ORDER BY sequence LIMIT 1) AS sample",
    );
    /// What a row and its entries in indexes take beside the payload.
    const OVERHEAD: i64 = 150;
    const SAMPLES: i64 = 64;
    let ends = tx.query(ENDS, &[], |row| Ok((row.integer(0)?, row.integer(1)?)))?;
    let Some(&(first, last)) = ends.first() else { return Ok(0) };
    let rows = last - first + 1;
    if rows <= 0 {
        return Ok(0);
    }
    let places: Vec<[Value; 1]> =
        (0..SAMPLES).map(|sample| [(first + rows * sample / SAMPLES).into()]).collect();
    let lengths = tx.query_each(SAMPLE, &places, |row| row.integer(0))?;
    let mean = OVERHEAD + lengths.iter().sum::<i64>() / i64::try_from(lengths.len().max(1)).unwrap_or(1);
    let kept = i64::try_from(most).unwrap_or(i64::MAX) / mean;
    Ok(usize::try_from(rows - kept).unwrap_or(0))
}
