//! Channels and who is in them: one row each. The counts of a channel are changed with what they count, while the channel is
//! locked.

use model::{
    AppKey, Attached, Channel, ChannelKey, ChannelMember, ChannelMemberView, Cid, CustomText, Deletion,
    DeletionCause, StoredChannel, Timestamp, User, UserId, UserKey,
};

use crate::sql::{Row, Sql, Value};
use crate::users::read_to_show;
use crate::{Error, Tx};

/// The channel of `app` with this name, deleted or not. On an engine with concurrent writers it is locked, and with it who is
/// in it and how many messages it has: what is read here may be written.
///
/// # Errors
/// When a statement fails or the row cannot be read.
pub fn by_cid(tx: &mut Tx<'_>, app: AppKey, cid: &Cid) -> Result<Option<StoredChannel>, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT c.key, c.type, c.id, c.team, c.created_by, (SELECT users.id FROM users WHERE users.key = c.created_by), \
             c.owner, c.custom, c.member_count, c.message_count, c.created_at, c.updated_at, c.last_message_at, \
             c.deleted_at, c.cause \
         FROM channels AS c WHERE c.app = $1 AND c.type = $2 AND c.id = $3",
    );
    const LOCK: Sql = Sql::pair(
        SELECT.sqlite,
        "SELECT c.key, c.type, c.id, c.team, c.created_by, (SELECT users.id FROM users WHERE users.key = c.created_by), \
             c.owner, c.custom, c.member_count, c.message_count, c.created_at, c.updated_at, c.last_message_at, \
             c.deleted_at, c.cause \
         FROM channels AS c WHERE c.app = $1 AND c.type = $2 AND c.id = $3 FOR UPDATE OF c",
    );
    let parameters = [app.0.into(), cid.kind.as_str().into(), cid.id.as_str().into()];
    let found = tx.query(if tx.has_rivals() { LOCK } else { SELECT }, &parameters, read)?;
    Ok(found.into_iter().next())
}

/// The channels with these keys, in the order of the keys; those that are not there are left out. One statement; none for no
/// keys. On an engine with concurrent writers they are locked.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn by_keys(tx: &mut Tx<'_>, keys: &[ChannelKey]) -> Result<Vec<StoredChannel>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT c.key, c.type, c.id, c.team, c.created_by, (SELECT users.id FROM users WHERE users.key = c.created_by), \
             c.owner, c.custom, c.member_count, c.message_count, c.created_at, c.updated_at, c.last_message_at, \
             c.deleted_at, c.cause FROM channels AS c WHERE c.key = $1",
        "SELECT c.key, c.type, c.id, c.team, c.created_by, (SELECT users.id FROM users WHERE users.key = c.created_by), \
             c.owner, c.custom, c.member_count, c.message_count, c.created_at, c.updated_at, c.last_message_at, \
             c.deleted_at, c.cause FROM channels AS c WHERE c.key = ANY ($1::bigint[]) ORDER BY c.key",
    );
    const LOCK: Sql = Sql::pair(
        SELECT.sqlite,
        "SELECT c.key, c.type, c.id, c.team, c.created_by, (SELECT users.id FROM users WHERE users.key = c.created_by), \
             c.owner, c.custom, c.member_count, c.message_count, c.created_at, c.updated_at, c.last_message_at, \
             c.deleted_at, c.cause FROM channels AS c WHERE c.key = ANY ($1::bigint[]) ORDER BY c.key FOR UPDATE OF c",
    );
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    let keys: Vec<[Value; 1]> = keys.into_iter().map(|key| [key.0.into()]).collect();
    tx.query_each(if tx.has_rivals() { LOCK } else { SELECT }, &keys, read)
}

/// Who is in these channels, with keys and ids. One statement; none for no channels.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn everybody_in(
    tx: &mut Tx<'_>,
    channels: &[ChannelKey],
) -> Result<Vec<(ChannelKey, UserKey, UserId)>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT m.channel, u.key, u.id FROM channel_members AS m CROSS JOIN users AS u \
         WHERE m.channel = $1 AND u.key = m.user ORDER BY m.user",
        "SELECT m.channel, u.key, u.id FROM UNNEST($1::bigint[]) AS given (channel) \
         CROSS JOIN LATERAL (SELECT channel, \"user\" FROM channel_members \
             WHERE channel_members.channel = given.channel OFFSET 0) AS m \
         CROSS JOIN LATERAL (SELECT key, id FROM users WHERE users.key = m.\"user\" LIMIT 1) AS u \
         ORDER BY m.channel, u.key",
    );
    let keys: Vec<[Value; 1]> = channels.iter().map(|key| [key.0.into()]).collect();
    tx.query_each(SELECT, &keys, |row| {
        let id = UserId::parse(&row.text(2)?).map_err(|_| Error::Unreadable("user"))?;
        Ok((ChannelKey(row.integer(0)?), UserKey(row.integer(1)?), id))
    })
}

/// Makes a channel without members and messages, which the app does not have. Answers its key.
///
/// # Errors
/// When a statement fails, or somebody else has made one with the name in the meantime.
pub fn insert(
    tx: &mut Tx<'_>,
    app: AppKey,
    channel: &Channel,
    created_by: UserKey,
) -> Result<ChannelKey, Error> {
    const INSERT: Sql = Sql::new(
        "INSERT INTO channels (app, type, id, team, created_by, custom, member_count, message_count, created_at, \
             updated_at, cause) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, $8, 0) ON CONFLICT (app, type, id) DO NOTHING RETURNING key",
    );
    let parameters = [
        app.0.into(),
        channel.cid.kind.as_str().into(),
        channel.cid.id.as_str().into(),
        channel.team.as_deref().unwrap_or_default().into(),
        created_by.0.into(),
        attached_text(&channel.custom)?.into(),
        channel.created_at.into(),
        channel.updated_at.into(),
    ];
    let keys = tx.query(INSERT, &parameters, |row| row.integer(0).map(ChannelKey))?;
    keys.into_iter().next().ok_or_else(|| tx.contended())
}

/// Makes a channel anew whose name a deleted one has: its members are gone, and what was written in it is from before it came
/// to be. One that a deactivation hides may come back, and is not replaced. Two statements; the channel has to be locked
/// ([`by_cid`]).
///
/// # Errors
/// When a statement fails, or the channel is not deleted for good.
pub fn replace(
    tx: &mut Tx<'_>,
    key: ChannelKey,
    channel: &Channel,
    created_by: UserKey,
) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL channels SET team = $1, created_by = $2, custom = $3, created_at = $4, updated_at = $5, \
             owner = NULL, member_count = 0, last_message_at = NULL, deleted_at = NULL, cause = 0, hidden_by = NULL \
         WHERE key = $6 AND cause IN (1, 3)",
        "UPDATE channels SET team = $1, created_by = $2, custom = $3, created_at = $4, updated_at = $5, \
             owner = NULL, member_count = 0, last_message_at = NULL, deleted_at = NULL, cause = 0, hidden_by = NULL \
         WHERE key = $6 AND cause IN (1, 3)",
    );
    const MEMBERS: Sql = Sql::new("DELETE FROM channel_members WHERE channel = $1");
    let parameters = [
        channel.team.as_deref().unwrap_or_default().into(),
        created_by.0.into(),
        attached_text(&channel.custom)?.into(),
        channel.created_at.into(),
        channel.updated_at.into(),
        key.0.into(),
    ];
    if tx.execute(UPDATE, &parameters)? == 0 {
        return Err(Error::Unreadable("channel"));
    }
    tx.execute(MEMBERS, &[key.0.into()]).map(drop)
}

/// The channel with this key as it is, for an operation that does not change it. One statement.
///
/// # Errors
/// When a statement fails or the row cannot be read.
pub fn peek(tx: &mut Tx<'_>, key: ChannelKey) -> Result<Option<StoredChannel>, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT c.key, c.type, c.id, c.team, c.created_by, (SELECT users.id FROM users WHERE users.key = c.created_by), \
             c.owner, c.custom, c.member_count, c.message_count, c.created_at, c.updated_at, c.last_message_at, \
             c.deleted_at, c.cause FROM channels AS c WHERE c.key = $1",
    );
    Ok(tx.query(SELECT, &[key.0.into()], read)?.into_iter().next())
}

/// Deletes a channel for everybody's eyes, and keeps it.
///
/// # Errors
/// When a statement fails.
pub fn hide(tx: &mut Tx<'_>, key: ChannelKey, deletion: Deletion) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL channels SET deleted_at = $1, cause = $2, hidden_by = NULL WHERE key = $3",
        "UPDATE channels SET deleted_at = $1, cause = $2, hidden_by = NULL WHERE key = $3",
    );
    tx.execute(UPDATE, &[deletion.at.into(), deletion.cause.code().into(), key.0.into()]).map(drop)
}

/// Puts users into the channel with this key; who is in it already stays as it is. Answers who was not. Two statements.
///
/// # Errors
/// When a statement fails.
pub fn add_members(
    tx: &mut Tx<'_>,
    channel: ChannelKey,
    members: &[(UserKey, &ChannelMember)],
) -> Result<Vec<UserKey>, Error> {
    const INSERT: Sql = Sql::pair(
        "INSERT INTO channel_members (channel, user, role, custom, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING user",
        "INSERT INTO channel_members (channel, \"user\", role, custom, created_at, updated_at) \
         SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) \
         ON CONFLICT DO NOTHING RETURNING \"user\"",
    );
    let rows = members.iter().map(|(user, member)| {
        Ok([
            channel.0.into(),
            user.0.into(),
            member.role.as_str().into(),
            attached_text(&member.custom)?.into(),
            member.created_at.into(),
            member.updated_at.into(),
        ])
    });
    let rows = rows.collect::<Result<Vec<[Value; 6]>, Error>>()?;
    let came = tx.query_each(INSERT, &rows, |row| row.integer(0).map(UserKey))?;
    count_members(tx, channel, came.len(), 1)?;
    Ok(came)
}

/// Takes users out of the channel with this key. Answers who was in it. Two statements.
///
/// # Errors
/// When a statement fails.
pub fn remove_members(
    tx: &mut Tx<'_>,
    channel: ChannelKey,
    users: &[UserKey],
) -> Result<Vec<UserKey>, Error> {
    const DELETE: Sql = Sql::pair(
        "DELETE FROM channel_members WHERE channel = $1 AND user = $2 RETURNING user",
        "DELETE FROM channel_members \
         WHERE channel = ANY ($1::bigint[]) AND \"user\" = ANY ($2::bigint[]) RETURNING \"user\"",
    );
    let rows: Vec<[Value; 2]> = users.iter().map(|user| [channel.0.into(), user.0.into()]).collect();
    let gone = tx.query_each(DELETE, &rows, |row| row.integer(0).map(UserKey))?;
    count_members(tx, channel, gone.len(), -1)?;
    Ok(gone)
}

fn count_members(tx: &mut Tx<'_>, channel: ChannelKey, count: usize, sign: i64) -> Result<(), Error> {
    const COUNT: Sql = Sql::pair(
        "UPDATE OR FAIL channels SET member_count = member_count + $1 WHERE key = $2",
        "UPDATE channels SET member_count = member_count + $1 WHERE key = $2",
    );
    if count == 0 {
        return Ok(());
    }
    let change = sign * i64::try_from(count).unwrap_or(i64::MAX);
    tx.execute(COUNT, &[change.into(), channel.0.into()]).map(drop)
}

/// The first members of a channel in the order of their keys, after so many, with the users that they are. One statement.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn members(
    tx: &mut Tx<'_>,
    channel: ChannelKey,
    limit: usize,
    offset: usize,
) -> Result<Vec<ChannelMemberView>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, m.role, m.custom, m.created_at, m.updated_at \
         FROM (SELECT * FROM channel_members WHERE channel = $1 ORDER BY user LIMIT $2 OFFSET $3) AS m \
             CROSS JOIN users AS u WHERE u.key = m.user ORDER BY m.user",
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, m.role, m.custom, m.created_at, m.updated_at \
         FROM (SELECT * FROM channel_members WHERE channel = $1 ORDER BY \"user\" LIMIT $2 OFFSET $3) AS m \
         CROSS JOIN LATERAL (SELECT * FROM users WHERE users.key = m.\"user\" LIMIT 1) AS u ORDER BY m.\"user\"",
    );
    let page = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    tx.query(SELECT, &[channel.0.into(), page(limit).into(), page(offset).into()], |row| {
        let user: User<CustomText> = read_to_show(row)?.user;
        Ok(ChannelMemberView { member: read_member(row, user.id.clone(), 20)?, user })
    })
}

/// Those of `users` who are in the channel. One statement; none for nobody.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn members_among(
    tx: &mut Tx<'_>,
    channel: ChannelKey,
    users: &[UserKey],
) -> Result<Vec<(UserKey, ChannelMember)>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT m.user, u.id, m.role, m.custom, m.created_at, m.updated_at \
         FROM channel_members AS m CROSS JOIN users AS u WHERE m.channel = $1 AND m.user = $2 AND u.key = m.user",
        "SELECT m.\"user\", u.id, m.role, m.custom, m.created_at, m.updated_at \
         FROM UNNEST($1::bigint[], $2::bigint[]) AS given (channel, \"user\") \
         CROSS JOIN LATERAL (SELECT * FROM channel_members AS stored WHERE stored.channel = given.channel \
             AND stored.\"user\" = given.\"user\" LIMIT 1) AS m \
         CROSS JOIN LATERAL (SELECT id FROM users WHERE users.key = m.\"user\" LIMIT 1) AS u",
    );
    let rows: Vec<[Value; 2]> = users.iter().map(|user| [channel.0.into(), user.0.into()]).collect();
    tx.query_each(SELECT, &rows, |row| {
        let user = UserId::from_stored(row.text(1)?);
        Ok((UserKey(row.integer(0)?), read_member(row, user, 2)?))
    })
}

/// The users with these keys as they are shown. One statement; none for nobody.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn people(tx: &mut Tx<'_>, keys: &[UserKey]) -> Result<Vec<(UserKey, User<CustomText>)>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts FROM users AS u WHERE u.key = $1",
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts FROM users AS u WHERE u.key = ANY ($1::bigint[])",
    );
    let keys: Vec<[Value; 1]> = keys.iter().map(|key| [key.0.into()]).collect();
    tx.query_each(SELECT, &keys, |row| {
        let stored = read_to_show(row)?;
        Ok((stored.key, stored.user))
    })
}

/// The text in which data of the app is stored.
pub(crate) fn attached_text(attached: &Attached) -> Result<String, Error> {
    serde_json::to_string(attached).map_err(|_| Error::Unreadable("custom data"))
}

/// Data of the app as it is stored in a column.
pub(crate) fn read_attached(row: &Row<'_>, column: usize) -> Result<Attached, Error> {
    serde_json::from_str(row.borrowed_text(column)?).map_err(|_| Error::Unreadable("custom data"))
}

/// The deletion in two columns from `column` on: since when, and why.
pub(crate) fn read_deletion(row: &Row<'_>, column: usize) -> Result<Option<Deletion>, Error> {
    let cause = DeletionCause::from_code(row.integer(column + 1)?);
    Ok(row.optional_timestamp(column)?.zip(cause).map(|(at, cause)| Deletion { at, cause }))
}

fn read_member(row: &Row<'_>, user: UserId, column: usize) -> Result<ChannelMember, Error> {
    Ok(ChannelMember {
        user,
        role: row.text(column)?,
        custom: read_attached(row, column + 1)?,
        created_at: row.timestamp(column + 2)?,
        updated_at: row.timestamp(column + 3)?,
    })
}

fn read(row: &Row<'_>) -> Result<StoredChannel, Error> {
    let count = |column| Ok::<u64, Error>(u64::try_from(row.integer(column)?).unwrap_or(0));
    let creator = match row.optional_text(5)? {
        Some(id) => Some(id),
        None => row.optional_text(6)?,
    };
    let channel = Channel {
        cid: Cid { kind: row.text(1)?, id: row.text(2)? },
        team: Some(row.text(3)?).filter(|team| !team.is_empty()),
        created_by: creator.map(UserId::from_stored),
        custom: read_attached(row, 7)?,
        member_count: count(8)?,
        message_count: count(9)?,
        created_at: row.timestamp(10)?,
        updated_at: row.timestamp(11)?,
        last_message_at: row.optional_timestamp(12)?,
        deletion: read_deletion(row, 13)?,
    };
    let created_by = row.optional_integer(4)?.map(UserKey);
    Ok(StoredChannel { key: ChannelKey(row.integer(0)?), created_by, channel })
}

/// Sets when the newest message came, and counts it.
///
/// # Errors
/// When a statement fails.
pub(crate) fn count_message(tx: &mut Tx<'_>, channel: ChannelKey, at: Timestamp) -> Result<(), Error> {
    const COUNT: Sql = Sql::pair(
        "UPDATE OR FAIL channels SET message_count = message_count + 1, \
             last_message_at = MAX(COALESCE(last_message_at, ?1), ?1) WHERE key = ?2",
        "UPDATE channels SET message_count = message_count + 1, \
             last_message_at = GREATEST(last_message_at, $1::bigint) WHERE key = $2",
    );
    tx.execute(COUNT, &[at.into(), channel.0.into()]).map(drop)
}
