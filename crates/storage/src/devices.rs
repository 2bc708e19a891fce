//! Push devices: one row each, found by its token and by its user.

use std::collections::BTreeSet;

use model::{AppKey, Device, Parts, PushProvider, StoredUser, UserId, UserKey};

use crate::parts::have_part;
use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

/// The devices of each of these users, oldest first. One statement; none for nobody.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn of(tx: &mut Tx<'_>, users: &[UserKey]) -> Result<Vec<(UserKey, Device)>, Error> {
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

/// A device and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The key of its user.
    pub key: UserKey,
    /// Its user.
    pub user: UserId,
    /// The device.
    pub device: Device,
}

/// The device of `app` with this id. On an engine with concurrent writers nobody else registers or removes it until this
/// transaction ends, whether it is there or not.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn by_id(tx: &mut Tx<'_>, app: AppKey, id: &str) -> Result<Option<Owned>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT d.user, d.id, d.provider, d.provider_name, d.hardware_id, d.voip, d.disabled_reason, d.created_at, u.id \
         FROM devices AS d JOIN users AS u ON u.key = d.user WHERE d.app = $1 AND d.id = $2",
        "SELECT d.\"user\", d.id, d.provider, d.provider_name, d.hardware_id, d.voip, d.disabled_reason, d.created_at, \
             u.id \
         FROM (SELECT * FROM devices WHERE app = $1 AND id = $2 LIMIT 1) AS d \
         CROSS JOIN LATERAL (SELECT id FROM users WHERE users.key = d.\"user\" LIMIT 1) AS u",
    );
    tx.lock("device", [format!("{} {id}", app.0)])?;
    let found = tx.query(SELECT, &[app.0.into(), id.into()], |row| {
        Ok(Owned {
            key: UserKey(row.integer(0)?),
            user: UserId::from_stored(row.text(8)?),
            device: read(row)?,
        })
    })?;
    Ok(found.into_iter().next())
}

/// Stores a device of `user`, whosever it was.
///
/// # Errors
/// When a statement fails.
pub fn put(tx: &mut Tx<'_>, app: AppKey, user: &StoredUser, device: &Device) -> Result<(), Error> {
    const PUT: Sql = Sql::new(
        "INSERT INTO devices (app, id, \"user\", provider, provider_name, hardware_id, voip, disabled_reason, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (app, id) DO UPDATE SET \"user\" = EXCLUDED.\"user\", provider = EXCLUDED.provider, \
             provider_name = EXCLUDED.provider_name, hardware_id = EXCLUDED.hardware_id, voip = EXCLUDED.voip, \
             disabled_reason = EXCLUDED.disabled_reason, created_at = EXCLUDED.created_at",
    );
    let parameters = [
        app.0.into(),
        device.id.as_str().into(),
        user.key.0.into(),
        device.provider.name().into(),
        device.provider_name.clone().into(),
        device.hardware_id.clone().into(),
        device.voip.into(),
        device.disabled_reason.clone().into(),
        device.created_at.into(),
    ];
    tx.execute(PUT, &parameters)?;
    have_part(tx, user.lacks(Parts::DEVICES).into_iter(), Parts::DEVICES)
}

/// Removes devices of `user`; one that is somebody else's by now, or gone, stays so. Answers the ids of those that went.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn remove(
    tx: &mut Tx<'_>,
    app: AppKey,
    user: UserKey,
    devices: &[Device],
) -> Result<BTreeSet<String>, Error> {
    const DELETE: Sql = Sql::pair(
        "DELETE FROM devices WHERE app = $1 AND id = $2 AND user = $3 RETURNING id",
        "DELETE FROM devices WHERE \"user\" = ANY ($3::bigint[]) AND ctid = ANY (ARRAY(SELECT stored.ctid \
             FROM UNNEST($1::bigint[], $2::text[], $3::bigint[]) AS given (app, id, \"user\") \
             CROSS JOIN LATERAL (SELECT ctid FROM devices AS stored WHERE stored.app = given.app \
                 AND stored.id = given.id AND stored.\"user\" = given.\"user\" LIMIT 1) AS stored)) \
         RETURNING id",
    );
    let row = |device: &Device| [app.0.into(), device.id.as_str().into(), user.0.into()];
    let rows: Vec<[Value; 3]> = devices.iter().map(row).collect();
    Ok(tx.query_each(DELETE, &rows, |row| row.text(0))?.into_iter().collect())
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
