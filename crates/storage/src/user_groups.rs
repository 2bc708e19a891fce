//! Groups of users: one row each, found by id, and one for each member. The team of a group of the whole app is ''.

use model::{AppKey, GroupMember, Timestamp, UserGroup, UserId, UserKey, folded_name};

use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

mod page;

pub use page::page;

/// A group as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredGroup {
    /// The key.
    pub key: i64,
    /// The key of the user who made it.
    pub created_by: Option<UserKey>,
    /// The group.
    pub group: UserGroup,
}

/// What decides whether an app may have another group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// How many groups the app has.
    pub groups: usize,
    /// Whether one has the id.
    pub is_taken: bool,
}

/// Whether `app` may have another group, with this id. On an engine with concurrent writers nobody else makes one in the
/// app until this transaction ends: how many there are, and with which ids, is a rule over all of them.
///
/// # Errors
/// When a statement fails.
pub fn census(tx: &mut Tx<'_>, app: AppKey, id: &str) -> Result<Census, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT (SELECT COUNT(*) FROM user_groups WHERE app = $1), \
             (SELECT COUNT(*) FROM user_groups WHERE app = $1 AND id = $2)",
    );
    tx.lock("user_groups", [app.0.to_string()])?;
    let counted = tx.query(SELECT, &[app.0.into(), id.into()], |row| {
        let groups = usize::try_from(row.integer(0)?).unwrap_or(usize::MAX);
        Ok(Census { groups, is_taken: row.boolean(1)? })
    })?;
    counted.into_iter().next().ok_or(Error::Unreadable("user group"))
}

/// Makes a group that `app` does not have, without members. Answers its key.
///
/// # Errors
/// When a statement fails.
pub fn insert(
    tx: &mut Tx<'_>,
    app: AppKey,
    group: &UserGroup,
    created_by: Option<UserKey>,
) -> Result<i64, Error> {
    const INSERT: Sql = Sql::pair(
        "INSERT OR FAIL INTO user_groups (app, id, team, name, name_folded, description, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING key",
        "INSERT INTO user_groups (app, id, team, name, name_folded, description, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING key",
    );
    let parameters = [
        app.0.into(),
        group.id.as_str().into(),
        group.team.as_deref().unwrap_or_default().into(),
        group.name.as_str().into(),
        folded_name(&group.name).into(),
        group.description.as_deref().into(),
        created_by.map(|user| user.0).into(),
        group.created_at.into(),
        group.updated_at.into(),
    ];
    let keys = tx.query(INSERT, &parameters, |row| row.integer(0))?;
    keys.into_iter().next().ok_or(Error::Unreadable("user group"))
}

/// Stores what a change may change of the group with this key.
///
/// # Errors
/// When a statement fails.
pub fn update(tx: &mut Tx<'_>, key: i64, group: &UserGroup) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL user_groups SET name = $1, name_folded = $2, description = $3, updated_at = $4 WHERE key = $5",
        "UPDATE user_groups SET name = $1, name_folded = $2, description = $3, updated_at = $4 WHERE key = $5",
    );
    let parameters = [
        group.name.as_str().into(),
        folded_name(&group.name).into(),
        group.description.as_deref().into(),
        group.updated_at.into(),
        key.into(),
    ];
    tx.execute(UPDATE, &parameters).map(drop)
}

/// Deletes the group with this key and its memberships.
///
/// # Errors
/// When a statement fails.
pub fn remove(tx: &mut Tx<'_>, key: i64) -> Result<(), Error> {
    const DELETE: Sql = Sql::pair(
        "DELETE FROM user_groups WHERE key = $1",
        "WITH members AS (DELETE FROM user_group_members WHERE \"group\" = $1) DELETE FROM user_groups WHERE key = $1",
    )
    .then(&["DELETE FROM user_group_members WHERE \"group\" = ?1"]);
    tx.execute(DELETE, &[key.into()]).map(drop)
}

/// The group of `app` with this id. On an engine with concurrent writers it is locked, and with it who is in it: what is
/// read here may be written.
///
/// # Errors
/// When a statement fails or the row cannot be read.
pub fn by_id(tx: &mut Tx<'_>, app: AppKey, id: &str) -> Result<Option<StoredGroup>, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT g.key, g.id, g.team, g.name, g.description, g.created_by, g.created_at, g.updated_at, \
             (SELECT users.id FROM users WHERE users.key = g.created_by) \
         FROM user_groups AS g WHERE g.app = $1 AND g.id = $2",
    );
    const LOCK: Sql = Sql::pair(
        SELECT.sqlite,
        "SELECT g.key, g.id, g.team, g.name, g.description, g.created_by, g.created_at, g.updated_at, \
             (SELECT users.id FROM users WHERE users.key = g.created_by) \
         FROM user_groups AS g WHERE g.app = $1 AND g.id = $2 FOR UPDATE OF g",
    );
    let found = tx.query(if tx.has_rivals() { LOCK } else { SELECT }, &[app.0.into(), id.into()], read)?;
    Ok(found.into_iter().next())
}

/// Who is in the group with this key, longest first; without users who are deleted. One statement.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn members(tx: &mut Tx<'_>, group: i64) -> Result<Vec<GroupMember>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT u.id, m.is_admin, m.created_at FROM user_group_members AS m CROSS JOIN users AS u \
         WHERE m.\"group\" = $1 AND u.key = m.user AND u.deleted_at IS NULL ORDER BY m.created_at, m.user",
        "SELECT u.id, m.is_admin, m.created_at \
         FROM (SELECT * FROM user_group_members WHERE \"group\" = $1 OFFSET 0) AS m \
         CROSS JOIN LATERAL (SELECT id, deleted_at FROM users WHERE users.key = m.\"user\" LIMIT 1) AS u \
         WHERE u.deleted_at IS NULL ORDER BY m.created_at, m.\"user\"",
    );
    tx.query(SELECT, &[group.into()], |row| {
        Ok(GroupMember {
            user: UserId::from_stored(row.text(0)?),
            is_admin: row.boolean(1)?,
            since: row.timestamp(2)?,
        })
    })
}

/// Someone who is to be in a group.
#[derive(Clone, Copy, Debug)]
pub struct NewMember {
    /// Who.
    pub user: UserKey,
    /// Whether as an admin.
    pub is_admin: bool,
    /// Since when.
    pub since: Timestamp,
}

/// Puts users into the group with this key; who is in it already stays as it is. Answers who was not. One statement.
///
/// # Errors
/// When a statement fails.
pub fn add_members(tx: &mut Tx<'_>, group: i64, members: &[NewMember]) -> Result<Vec<UserKey>, Error> {
    const INSERT: Sql = Sql::pair(
        "INSERT INTO user_group_members (\"group\", user, is_admin, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT DO NOTHING RETURNING user",
        "INSERT INTO user_group_members (\"group\", \"user\", is_admin, created_at) \
         SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) \
         ON CONFLICT DO NOTHING RETURNING \"user\"",
    );
    let rows: Vec<[Value; 4]> = members
        .iter()
        .map(|member| [group.into(), member.user.0.into(), member.is_admin.into(), member.since.into()])
        .collect();
    tx.query_each(INSERT, &rows, |row| row.integer(0).map(UserKey))
}

/// Makes those of `users` who are in the group with this key its admins. Answers who was in it and was none. One statement.
///
/// # Errors
/// When a statement fails.
pub fn promote(tx: &mut Tx<'_>, group: i64, users: &[UserKey]) -> Result<Vec<UserKey>, Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL user_group_members SET is_admin = 1 WHERE \"group\" = $1 AND user = $2 AND is_admin = 0 \
         RETURNING user",
        "UPDATE user_group_members SET is_admin = 1 \
         WHERE \"group\" = ANY ($1::bigint[]) AND \"user\" = ANY ($2::bigint[]) AND is_admin = 0 RETURNING \"user\"",
    );
    each(tx, UPDATE, group, users)
}

/// Takes users out of the group with this key. Answers who was in it. One statement.
///
/// # Errors
/// When a statement fails.
pub fn remove_members(tx: &mut Tx<'_>, group: i64, users: &[UserKey]) -> Result<Vec<UserKey>, Error> {
    const DELETE: Sql = Sql::pair(
        "DELETE FROM user_group_members WHERE \"group\" = $1 AND user = $2 RETURNING user",
        "DELETE FROM user_group_members \
         WHERE \"group\" = ANY ($1::bigint[]) AND \"user\" = ANY ($2::bigint[]) RETURNING \"user\"",
    );
    each(tx, DELETE, group, users)
}

fn each(tx: &mut Tx<'_>, sql: Sql, group: i64, users: &[UserKey]) -> Result<Vec<UserKey>, Error> {
    let rows: Vec<[Value; 2]> = users.iter().map(|user| [group.into(), user.0.into()]).collect();
    tx.query_each(sql, &rows, |row| row.integer(0).map(UserKey))
}

fn read(row: &Row<'_>) -> Result<StoredGroup, Error> {
    let group = UserGroup {
        id: row.text(1)?,
        team: Some(row.text(2)?).filter(|team| !team.is_empty()),
        name: row.text(3)?,
        description: row.optional_text(4)?,
        created_by: row.optional_text(8)?.map(UserId::from_stored),
        created_at: row.timestamp(6)?,
        updated_at: row.timestamp(7)?,
    };
    Ok(StoredGroup { key: row.integer(0)?, created_by: row.optional_integer(5)?.map(UserKey), group })
}
