//! What users want pushed: one row for the whole app, and later one for a channel.

use model::{Parts, PushPreferences, StoredUser, Timestamp, UserKey};

use crate::parts::have_part;
use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// What each of these users wants pushed in the whole app, as it was last said. One statement; none for nobody.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn of(tx: &mut Tx<'_>, users: &[UserKey]) -> Result<Vec<(UserKey, PushPreferences)>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT user, preferences FROM push_preferences WHERE user = $1 AND channel = ''",
        "SELECT p.\"user\", p.preferences FROM UNNEST($1::bigint[]) AS given (key) CROSS JOIN LATERAL \
             (SELECT * FROM push_preferences WHERE \"user\" = given.key AND channel = '' LIMIT 1) AS p",
    );
    let keys: Vec<[Value; 1]> = users.iter().map(|key| [key.0.into()]).collect();
    tx.query_each(SELECT, &keys, |row| {
        let preferences = serde_json::from_str(&row.text(1)?);
        let preferences = preferences.map_err(|_| Error::Unreadable("push preferences"))?;
        Ok((UserKey(row.integer(0)?), preferences))
    })
}

/// Stores what users want pushed in the whole app.
///
/// # Errors
/// When a statement fails.
pub fn put(
    tx: &mut Tx<'_>,
    changes: &[(&StoredUser, &PushPreferences)],
    now: Timestamp,
) -> Result<(), Error> {
    const PUT: Sql = Sql::pair(
        "INSERT INTO push_preferences (user, channel, preferences, updated_at) VALUES (?1, '', ?2, ?3) \
         ON CONFLICT (user, channel) DO UPDATE SET preferences = ?2, updated_at = ?3",
        "INSERT INTO push_preferences (\"user\", channel, preferences, updated_at) \
         SELECT \"user\", '', preferences, updated_at FROM UNNEST($1::bigint[], $2::text[], $3::bigint[]) \
             AS given (\"user\", preferences, updated_at) \
         ON CONFLICT (\"user\", channel) DO UPDATE SET preferences = EXCLUDED.preferences, \
             updated_at = EXCLUDED.updated_at",
    );
    let rows: Vec<[Value; 3]> = changes
        .iter()
        .map(|(user, preferences)| {
            let text =
                serde_json::to_string(preferences).map_err(|_| Error::Unreadable("push preferences"))?;
            Ok([user.key.0.into(), text.into(), now.into()])
        })
        .collect::<Result<_, Error>>()?;
    tx.execute_each(PUT, &rows)?;
    let new = changes.iter().flat_map(|(user, _)| user.lacks(Parts::PUSH_PREFERENCES));
    have_part(tx, new, Parts::PUSH_PREFERENCES)
}
