//! Custom roles: one row each, and who has them.

use model::{AppKey, CustomRole, UserId};

use crate::sql::{Row, Sql};
use crate::{Error, Tx};

/// The custom roles of `app`, by name. On an engine with concurrent writers the rows are locked against deletion: a
/// role that is read here may be given to a user.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn all(tx: &mut Tx<'_>, app: AppKey) -> Result<Vec<CustomRole>, Error> {
    const SELECT: Sql =
        Sql::new("SELECT name, created_at, updated_at FROM roles WHERE app = $1 ORDER BY name");
    const LOCK: Sql = Sql::pair(
        SELECT.sqlite,
        "SELECT name, created_at, updated_at FROM roles WHERE app = $1 ORDER BY name FOR KEY SHARE",
    );
    tx.query(if tx.has_rivals() { LOCK } else { SELECT }, &[app.0.into()], read)
}

/// Lets nobody else make a role in `app` until this transaction ends: how many there are, and by which names, is a rule
/// over all of them. To be called before they are read.
///
/// # Errors
/// When a statement fails.
pub fn lock(tx: &mut Tx<'_>, app: AppKey) -> Result<(), Error> {
    tx.lock("roles", [app.0.to_string()])
}

/// Makes a role that `app` does not have.
///
/// # Errors
/// When a statement fails.
pub fn insert(tx: &mut Tx<'_>, app: AppKey, role: &CustomRole) -> Result<(), Error> {
    const INSERT: Sql =
        Sql::new("INSERT INTO roles (app, name, created_at, updated_at) VALUES ($1, $2, $3, $4)");
    let parameters =
        [app.0.into(), role.name.as_str().into(), role.created_at.into(), role.updated_at.into()];
    tx.execute(INSERT, &parameters).map(drop)
}

/// Whether users have a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Usage {
    /// No user who is not deleted has it, in the app or in a team.
    Free,
    /// This one does, perhaps among others.
    HeldBy(UserId),
}

/// Whether users have the custom role `name` of `app`; `None` when there is no such role. On an engine with concurrent
/// writers the role is locked: nobody gets it who has not got it.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn usage(tx: &mut Tx<'_>, app: AppKey, name: &str) -> Result<Option<Usage>, Error> {
    // A statement of its own: the one below must see what whoever had the lock before has stored.
    const LOCK: Sql = Sql::new("SELECT name FROM roles WHERE app = $1 AND name = $2 FOR UPDATE");
    const SELECT: Sql = Sql::new(
        "SELECT (SELECT users.id FROM role_holders JOIN users ON users.key = role_holders.user \
             WHERE role_holders.app = roles.app AND role_holders.role = roles.name \
             ORDER BY role_holders.user LIMIT 1) \
         FROM roles WHERE app = $1 AND name = $2",
    );
    if tx.has_rivals() {
        tx.query(LOCK, &[app.0.into(), name.into()], |_| Ok(()))?;
    }
    let usage = tx.query(SELECT, &[app.0.into(), name.into()], |row| {
        let holder = row.optional_text(0)?.map(UserId::from_stored);
        Ok(holder.map_or(Usage::Free, Usage::HeldBy))
    })?;
    Ok(usage.into_iter().next())
}

/// Deletes a role that is [`Usage::Free`].
///
/// # Errors
/// When a statement fails.
pub fn remove(tx: &mut Tx<'_>, app: AppKey, name: &str) -> Result<(), Error> {
    const DELETE: Sql = Sql::new("DELETE FROM roles WHERE app = $1 AND name = $2");
    tx.execute(DELETE, &[app.0.into(), name.into()]).map(drop)
}

fn read(row: &Row<'_>) -> Result<CustomRole, Error> {
    Ok(CustomRole { name: row.text(0)?, created_at: row.timestamp(1)?, updated_at: row.timestamp(2)? })
}
