//! What may hang on users: looked for where the row of the user says that it may be there.

use std::collections::HashMap;

use model::{Parts, PushPreferences, StoredUser, Timestamp, UserKey, UserView};

use crate::sql::{Sql, Value};
use crate::{Error, Tx, blocks, devices, mutes, push_preferences};

/// The most mutes that are shown of several users together, unless there are [`FEWEST_MUTES`] of each.
const MOST_MUTES: usize = 2000;
/// How many of the newest mutes of a user are shown however many users there are.
const FEWEST_MUTES: usize = 20;

/// The users with everything that responses show of them at `now`, in the same order, in a constant number of
/// statements: one for each part that may hang on one of them. A user alone has all of its mutes, one among many the
/// newest of them: each holds a whole user, and a hundred times a thousand of those fit no response.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn views<C>(
    tx: &mut Tx<'_>,
    users: Vec<StoredUser<C>>,
    now: Timestamp,
) -> Result<Vec<UserView<C>>, Error> {
    let keys = |part: Parts| -> Vec<UserKey> {
        users.iter().filter(|stored| stored.parts.has(part)).map(|stored| stored.key).collect()
    };
    let mut blocks = by_owner(blocks::of(tx, &keys(Parts::BLOCKS))?);
    let muting = keys(Parts::MUTES);
    let most = (MOST_MUTES / muting.len().max(1)).max(FEWEST_MUTES);
    let mut mutes = by_owner(mutes::of(tx, &muting, now, most)?);
    let mut devices = by_owner(devices::of(tx, &keys(Parts::DEVICES))?);
    let preferences = push_preferences::of(tx, &keys(Parts::PUSH_PREFERENCES))?;
    let mut preferences: HashMap<UserKey, PushPreferences> = preferences.into_iter().collect();
    let view = |stored: StoredUser<C>| UserView {
        push_preferences: preferences.remove(&stored.key).unwrap_or_default().as_of(now),
        blocks: blocks.remove(&stored.key).unwrap_or_default(),
        mutes: mutes.remove(&stored.key).unwrap_or_default(),
        devices: devices.remove(&stored.key).unwrap_or_default(),
        ..UserView::bare(stored.user.as_of(now))
    };
    Ok(users.into_iter().map(view).collect())
}

fn by_owner<T>(parts: Vec<(UserKey, T)>) -> HashMap<UserKey, Vec<T>> {
    let mut owned: HashMap<UserKey, Vec<T>> = HashMap::new();
    for (owner, part) in parts {
        owned.entry(owner).or_default().push(part);
    }
    owned
}

/// Remembers that something of the kind `part` may hang on these users from now on.
///
/// # Errors
/// When a statement fails.
pub(crate) fn have_part(
    tx: &mut Tx<'_>,
    users: impl Iterator<Item = UserKey>,
    part: Parts,
) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL users SET parts = parts | ?2 WHERE key = ?1 AND parts & ?2 <> ?2",
        "UPDATE users SET parts = parts | given.part FROM UNNEST($1::bigint[], $2::bigint[]) AS given (key, part) \
         WHERE users.key = given.key AND users.key = ANY ($1::bigint[]) AND parts & given.part <> given.part",
    );
    let keys: Vec<[Value; 2]> = users.map(|key| [key.0.into(), part.0.into()]).collect();
    tx.execute_each(UPDATE, &keys).map(drop)
}
