//! Taking a person out of the log (issue 6): what a row tells goes, that there was one stays.

use model::{Event, UserKey};

use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// What PostgreSQL does to rows of the log, and to the names of those whom they held.
const REDACT_ON_POSTGRES: &str = "\
     WITH given AS (SELECT * FROM UNNEST($1::bigint[], $2::text[]) AS given (sequence, payload)), \
     forgotten AS (DELETE FROM log_person WHERE log = ANY ($1::bigint[])) \
     UPDATE log SET payload = given.payload, subject = '', person = NULL, \
         actor = CASE WHEN log.actor IN ('server', 'operator') THEN log.actor ELSE '' END \
     FROM given WHERE log.sequence = given.sequence AND log.sequence = ANY ($1::bigint[])";

/// Takes from up to `most` rows of the log that hold something of this user everything that they hold of anybody: payload,
/// subject, person, and the actor unless it was the server or the operator. What stays is where the row stands, its app,
/// time, operation and request, and the type of the event, also as [`Event::Redacted`]. Nobody is named by such a row any
/// more, so whoever else it spoke of need not be taken out of it.
///
/// Answers how many rows there were. Fewer than `most`: none is left. To be run again until then; a row that two such
/// runs meet is the same afterwards. Two statements, each in proportion to `most`.
///
/// # Errors
/// When a statement fails.
pub fn redact(tx: &mut Tx<'_>, user: UserKey, most: usize) -> Result<usize, Error> {
    // From the outside: a name without a row has to go as well.
    const SELECT: Sql = Sql::pair(
        "SELECT named.log, COALESCE(log.event, '') FROM log_person AS named LEFT JOIN log ON log.sequence = named.log \
         WHERE named.user = $1 ORDER BY named.log LIMIT $2",
        "SELECT named.log, COALESCE(stored.event, '') \
         FROM (SELECT log FROM log_person WHERE \"user\" = $1 ORDER BY log LIMIT $2) AS named \
         LEFT JOIN LATERAL (SELECT event FROM log WHERE log.sequence = named.log LIMIT 1) AS stored ON TRUE",
    );
    const REDACT: Sql = Sql::pair(
        "UPDATE OR FAIL log SET payload = ?2, subject = '', person = NULL, \
             actor = CASE WHEN actor IN ('server', 'operator') THEN actor ELSE '' END \
         WHERE sequence = ?1",
        REDACT_ON_POSTGRES,
    )
    .then(&["DELETE FROM log_person WHERE log = ?1"]);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let found = tx.query(SELECT, &[user.0.into(), most.into()], |row| Ok((row.integer(0)?, row.text(1)?)))?;
    let rows: Vec<[Value; 2]> = found
        .into_iter()
        .map(|(sequence, was)| {
            let payload = Event::Redacted { was }.to_stored().map_err(|_| Error::Unreadable("event"))?;
            Ok([sequence.into(), payload.into()])
        })
        .collect::<Result<_, Error>>()?;
    tx.execute_each(REDACT, &rows)?;
    Ok(rows.len())
}
