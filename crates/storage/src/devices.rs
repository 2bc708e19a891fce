//! Push devices: one row each, found by its token and by its user.

use model::{Device, PushProvider, UserKey};

use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

/// The devices of each of these users, oldest first. One statement; none for nobody.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub(crate) fn of(tx: &mut Tx<'_>, users: &[UserKey]) -> Result<Vec<(UserKey, Device)>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT user, id, provider, provider_name, hardware_id, voip, disabled_reason, created_at FROM devices \
         WHERE user = $1 ORDER BY created_at, id",
        "SELECT d.\"user\", d.id, d.provider, d.provider_name, d.hardware_id, d.voip, d.disabled_reason, d.created_at \
         FROM UNNEST($1::bigint[]) AS given (key) \
         CROSS JOIN LATERAL (SELECT * FROM devices WHERE \"user\" = given.key OFFSET 0) AS d ORDER BY d.created_at, d.id",
    );
    let keys: Vec<[Value; 1]> = users.iter().map(|key| [key.0.into()]).collect();
    tx.query_each(SELECT, &keys, |row| Ok((UserKey(row.integer(0)?), read(row)?)))
}

/// A device in the columns from the second on.
fn read(row: &Row<'_>) -> Result<Device, Error> {
    Ok(Device {
        id: row.text(1)?,
        provider: PushProvider::by_name(&row.text(2)?).ok_or(Error::Unreadable("device"))?,
        provider_name: row.optional_text(3)?,
        hardware_id: row.optional_text(4)?,
        voip: row.boolean(5)?,
        disabled_reason: row.optional_text(6)?,
        created_at: row.timestamp(7)?,
    })
}
