//! Reactions to messages: one row for each user and type.

mod groups;

use std::collections::HashMap;

use model::{LATEST_REACTIONS, MessageKey, Reaction, ReactionView, Reactions, UserId, UserKey};

pub use self::groups::groups;
pub(crate) use self::groups::remove_with;

use crate::channels::{attached_text, read_attached};
use crate::sql::{Row, Sql, Value};
use crate::users::read_to_show;
use crate::{Error, Tx};

/// What there is before a reaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// How many reactions the user has given to the message.
    pub count: usize,
    /// The one of the same type.
    pub same: Option<Reaction>,
}

/// What `user` has given to a message, with regard to reactions of the type `kind`. The message has to be locked
/// ([`by_id`](crate::messages::by_id)). One statement.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn known(
    tx: &mut Tx<'_>,
    (message, message_id): (MessageKey, &str),
    (user, user_id): (UserKey, &UserId),
    kind: &str,
) -> Result<Known, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT type, score, custom, created_at, updated_at FROM reactions WHERE message = $1 AND \"user\" = $2",
    );
    let found = tx.query(SELECT, &[message.0.into(), user.0.into()], |row| {
        read_at(row, 0, message_id.to_owned(), user_id.clone())
    })?;
    Ok(Known { count: found.len(), same: found.into_iter().find(|reaction| reaction.kind == kind) })
}

/// Stores a reaction, in the place of `before`: the one of the same user and type. Two statements; the message has to be locked
/// ([`by_id`](crate::messages::by_id)).
///
/// # Errors
/// When a statement fails.
pub fn put(
    tx: &mut Tx<'_>,
    message: MessageKey,
    user: UserKey,
    before: Option<&Reaction>,
    reaction: &Reaction,
) -> Result<(), Error> {
    const PUT: Sql = Sql::new(
        "INSERT INTO reactions (message, \"user\", type, score, custom, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (message, \"user\", type) DO UPDATE SET \
             score = excluded.score, custom = excluded.custom, updated_at = excluded.updated_at",
    );
    let parameters: [Value; 7] = [
        message.0.into(),
        user.0.into(),
        reaction.kind.as_str().into(),
        reaction.score.into(),
        attached_text(&reaction.custom)?.into(),
        reaction.created_at.into(),
        reaction.updated_at.into(),
    ];
    tx.execute(PUT, &parameters)?;
    groups::count(tx, message, before, reaction)
}

/// Takes away what `user` has given to a message, but for the reaction of the type `but`. At most three statements, one more on
/// an engine with concurrent writers.
///
/// # Errors
/// When a statement fails.
pub fn remove_all_but(tx: &mut Tx<'_>, message: MessageKey, user: UserKey, but: &str) -> Result<(), Error> {
    const DELETE: Sql = Sql::new(
        "DELETE FROM reactions WHERE message = $1 AND \"user\" = $2 AND type <> $3 RETURNING message, type, score",
    );
    take(tx, DELETE, &[message.0.into(), user.0.into(), but.into()]).map(drop)
}

/// Takes one reaction away. At most three statements, one more on an engine with concurrent writers.
///
/// # Errors
/// When a statement fails.
pub fn remove(tx: &mut Tx<'_>, message: MessageKey, user: UserKey, kind: &str) -> Result<(), Error> {
    const DELETE: Sql = Sql::new(
        "DELETE FROM reactions WHERE message = $1 AND \"user\" = $2 AND type = $3 RETURNING message, type, score",
    );
    take(tx, DELETE, &[message.0.into(), user.0.into(), kind.into()]).map(drop)
}

/// Takes reactions away by a statement that answers message, type and score of each. Answers how many, and the last message in
/// the order of keys.
pub(crate) fn take(
    tx: &mut Tx<'_>,
    delete: Sql,
    parameters: &[Value],
) -> Result<(usize, Option<MessageKey>), Error> {
    let mut gone = groups::Gone::default();
    let rows = tx.query(delete, parameters, |row| {
        gone.add(MessageKey(row.integer(0)?), row.text(1)?, row.integer(2)?);
        Ok(())
    })?;
    let last = gone.last();
    groups::discount(tx, gone)?;
    Ok((rows.len(), last))
}

/// A page of the reactions to a message, newest first, with the users that they are of. One statement.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn page(
    tx: &mut Tx<'_>,
    message: MessageKey,
    limit: usize,
    offset: usize,
) -> Result<Vec<ReactionView>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, r.type, r.score, r.custom, r.created_at, r.updated_at, \
             (SELECT messages.id FROM messages WHERE messages.key = r.message) \
         FROM (SELECT * FROM reactions WHERE message = $1 ORDER BY updated_at DESC, user DESC, type DESC \
                 LIMIT $2 OFFSET $3) AS r CROSS JOIN users AS u \
         WHERE u.key = r.user ORDER BY r.updated_at DESC, r.user DESC, r.type DESC",
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, r.type, r.score, r.custom, r.created_at, r.updated_at, \
             (SELECT messages.id FROM messages WHERE messages.key = r.message) \
         FROM (SELECT * FROM reactions WHERE message = $1 ORDER BY updated_at DESC, \"user\" DESC, type DESC \
                 LIMIT $2 OFFSET $3) AS r \
         CROSS JOIN LATERAL (SELECT * FROM users WHERE users.key = r.\"user\" LIMIT 1) AS u \
         ORDER BY r.updated_at DESC, r.\"user\" DESC, r.type DESC",
    );
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    tx.query(SELECT, &[message.0.into(), number(limit).into(), number(offset).into()], |row| {
        let user = read_to_show(row)?.user;
        Ok(ReactionView { reaction: read_at(row, 20, row.text(25)?, user.id.clone())?, user })
    })
}

/// What is shown of the reactions to each of these messages; `reader` sees its own beside the newest. Two statements, three for
/// a reader, however many messages there are.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn of(
    tx: &mut Tx<'_>,
    messages: &[MessageKey],
    reader: Option<UserKey>,
) -> Result<HashMap<MessageKey, Reactions>, Error> {
    let groups = groups(tx, messages)?;
    let mut shown: HashMap<MessageKey, Reactions> = HashMap::new();
    for (message, group) in groups {
        shown.entry(message).or_default().groups.push(group);
    }
    // Where nobody has reacted, nothing is looked for.
    let reacted: Vec<MessageKey> =
        messages.iter().copied().filter(|message| shown.contains_key(message)).collect();
    for (message, reaction) in latest(tx, &reacted)? {
        shown.entry(message).or_default().latest.push(reaction);
    }
    for (message, reaction) in reader.map(|reader| own(tx, &reacted, reader)).transpose()?.unwrap_or_default()
    {
        shown.entry(message).or_default().own.push(reaction);
    }
    Ok(shown)
}

fn latest(tx: &mut Tx<'_>, messages: &[MessageKey]) -> Result<Vec<(MessageKey, ReactionView)>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, r.type, r.score, r.custom, r.created_at, r.updated_at, \
             (SELECT messages.id FROM messages WHERE messages.key = r.message), r.message \
         FROM (SELECT * FROM reactions WHERE message = $1 ORDER BY updated_at DESC, user DESC, type DESC \
                 LIMIT $2) AS r CROSS JOIN users AS u \
         WHERE u.key = r.user ORDER BY r.updated_at DESC, r.user DESC, r.type DESC",
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, r.type, r.score, r.custom, r.created_at, r.updated_at, \
             (SELECT messages.id FROM messages WHERE messages.key = r.message), r.message \
         FROM UNNEST($1::bigint[], $2::bigint[]) AS given (message, most) \
         CROSS JOIN LATERAL (SELECT * FROM reactions WHERE reactions.message = given.message \
             ORDER BY updated_at DESC, \"user\" DESC, type DESC LIMIT given.most) AS r \
         CROSS JOIN LATERAL (SELECT * FROM users WHERE users.key = r.\"user\" LIMIT 1) AS u \
         ORDER BY r.message, r.updated_at DESC, r.\"user\" DESC, r.type DESC",
    );
    let most = i64::try_from(LATEST_REACTIONS).unwrap_or(i64::MAX);
    let keys: Vec<[Value; 2]> = messages.iter().map(|key| [key.0.into(), most.into()]).collect();
    tx.query_each(SELECT, &keys, read_of_message)
}

fn own(
    tx: &mut Tx<'_>,
    messages: &[MessageKey],
    reader: UserKey,
) -> Result<Vec<(MessageKey, ReactionView)>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, r.type, r.score, r.custom, r.created_at, r.updated_at, \
             (SELECT messages.id FROM messages WHERE messages.key = r.message), r.message \
         FROM reactions AS r CROSS JOIN users AS u WHERE r.message = $1 AND r.user = $2 AND u.key = r.user \
         ORDER BY r.updated_at DESC, r.type DESC",
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before, u.ban, \
             u.ban_expires, u.bypass_moderation, u.parts, r.type, r.score, r.custom, r.created_at, r.updated_at, \
             (SELECT messages.id FROM messages WHERE messages.key = r.message), r.message \
         FROM UNNEST($1::bigint[], $2::bigint[]) AS given (message, \"user\") \
         CROSS JOIN LATERAL (SELECT * FROM reactions WHERE reactions.message = given.message \
             AND reactions.\"user\" = given.\"user\" OFFSET 0) AS r \
         CROSS JOIN LATERAL (SELECT * FROM users WHERE users.key = r.\"user\" LIMIT 1) AS u \
         ORDER BY r.message, r.updated_at DESC, r.type DESC",
    );
    let keys: Vec<[Value; 2]> = messages.iter().map(|key| [key.0.into(), reader.0.into()]).collect();
    tx.query_each(SELECT, &keys, read_of_message)
}

/// A reaction of a user, and where it is, for an export to go on after it.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnReaction {
    /// The key of the message.
    pub message: MessageKey,
    /// The reaction.
    pub reaction: Reaction,
}

/// Reactions of a user in the order of the messages, after the one to this message and of this type: for an export. One
/// statement.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn of_user(
    tx: &mut Tx<'_>,
    user: UserKey,
    after: Option<(MessageKey, &str)>,
    most: usize,
) -> Result<Vec<OwnReaction>, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT r.type, r.score, r.custom, r.created_at, r.updated_at, r.message, \
             (SELECT messages.id FROM messages WHERE messages.key = r.message), \
             (SELECT users.id FROM users WHERE users.key = r.\"user\") \
         FROM reactions AS r WHERE r.\"user\" = $1 AND (r.message, r.type) > ($2, $3) \
         ORDER BY r.\"user\", r.message, r.type LIMIT $4",
    );
    let (message, kind) = after.map_or((0, ""), |(message, kind)| (message.0, kind));
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    tx.query(SELECT, &[user.0.into(), message.into(), kind.into(), most.into()], |row| {
        let reaction = read_at(row, 0, row.text(6)?, UserId::from_stored(row.text(7)?))?;
        Ok(OwnReaction { message: MessageKey(row.integer(5)?), reaction })
    })
}

fn read_of_message(row: &Row<'_>) -> Result<(MessageKey, ReactionView), Error> {
    let user = read_to_show(row)?.user;
    let reaction = read_at(row, 20, row.text(25)?, user.id.clone())?;
    Ok((MessageKey(row.integer(26)?), ReactionView { reaction, user }))
}

/// A reaction in the columns from `column` on, as statements here list them.
fn read_at(row: &Row<'_>, column: usize, message: String, user: UserId) -> Result<Reaction, Error> {
    Ok(Reaction {
        message,
        user,
        kind: row.text(column)?,
        score: row.integer(column + 1)?,
        custom: read_attached(row, column + 2)?,
        created_at: row.timestamp(column + 3)?,
        updated_at: row.timestamp(column + 4)?,
    })
}
