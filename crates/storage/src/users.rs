//! Users: the row, the leaves of its custom data and the words by which it is found.

use std::collections::BTreeSet;

use model::leaf::{self, Leaf, Numeric};
use model::words::{name_key, searchable};
use model::{AppKey, StoredUser, User, UserId, UserKey, UserView};

use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

/// The columns that [`read`] reads, of a row `u` of `users`.
pub(crate) const COLUMNS: &str = "u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, \
                                  u.privacy, u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, \
                                  u.tokens_revoked_before";

/// A user as it was, when there was one, and as it is to be.
#[derive(Debug)]
pub struct Change {
    /// The stored user, read in the same transaction.
    pub before: Option<StoredUser>,
    /// The user to store.
    pub after: User,
}

/// The users of `app` with these ids, deleted ones too, in no particular order; each once, those that do not exist
/// left out. On an engine with concurrent writers the rows are locked: what is read here may be written.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn by_ids(tx: &mut Tx<'_>, app: AppKey, ids: &BTreeSet<&UserId>) -> Result<Vec<StoredUser>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT key, id, name, image, role, teams, teams_role, language, invisible, privacy, custom, created_at, \
             updated_at, deactivated_at, deleted_at, tokens_revoked_before FROM users WHERE app = $1 AND id = $2",
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before \
         FROM users AS u WHERE u.app = ANY ($1::bigint[]) AND u.id = ANY ($2::text[])",
    );
    // Locked in the order of ids, so that no two wait for each other.
    const LOCK: Sql = Sql::pair(
        SELECT.sqlite,
        "SELECT u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, u.privacy, \
             u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, u.tokens_revoked_before \
         FROM users AS u WHERE u.app = ANY ($1::bigint[]) AND u.id = ANY ($2::text[]) ORDER BY u.id FOR UPDATE",
    );
    let keys: Vec<[Value; 2]> = ids.iter().map(|id| [app.0.into(), id.as_str().into()]).collect();
    tx.query_each(if tx.has_rivals() { LOCK } else { SELECT }, &keys, read)
}

/// What PostgreSQL does for a batch of users: the rows, their words, and who holds which role, in one statement.
///
/// Users that are there are changed, the others made. Which of the two it was is answered as well: that somebody else made
/// the user in the meantime is seen by that, or by a row that is missing.
///
/// What is stored is looked for one by one, and never joined with: a plan is made once for each connection, perhaps when
/// there are ten users, for whom it is best to read all of them, and kept while they become a million.
const PUT_ON_POSTGRES: &str = "WITH \
     given AS (SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], \
         $7::text[], $8::text[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[], \
         $15::bigint[], $16::bigint[], $17::bigint[], $18::text[], $19::bigint[]) WITH ORDINALITY AS given (app, id, \
         name, image, role, teams, teams_role, language, invisible, privacy, custom, name_key, words, updated_at, \
         deactivated_at, deleted_at, tokens_revoked_before, held_roles, created_at, place)), \
     known AS (SELECT given.place, users.key, users.words, users.held_roles \
         FROM given CROSS JOIN LATERAL (SELECT key, words, held_roles FROM users \
             WHERE users.app = given.app AND users.id = given.id LIMIT 1) AS users), \
     fresh AS (SELECT given.*, ROW_NUMBER() OVER (ORDER BY place) - 1 AS later FROM given \
         WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.place = given.place)), \
     taken AS MATERIALIZED (SELECT take_user_keys(MAX(created_at), COUNT(*)) AS first FROM fresh HAVING COUNT(*) > 0), \
     came AS (INSERT INTO users (key, app, id, name, image, role, teams, teams_role, language, invisible, privacy, \
             custom, name_key, words, updated_at, deactivated_at, deleted_at, tokens_revoked_before, held_roles, \
             created_at) \
         SELECT first + later, app, id, name, image, role, teams, teams_role, language, invisible, privacy, custom, \
             name_key, words, GREATEST(first + later, updated_at), deactivated_at, deleted_at, tokens_revoked_before, \
             held_roles, first + later FROM fresh, taken ORDER BY place \
         ON CONFLICT (app, id) DO NOTHING RETURNING id, key, created_at, updated_at), \
     changed AS (UPDATE users SET name = given.name, image = given.image, role = given.role, teams = given.teams, \
             teams_role = given.teams_role, language = given.language, invisible = given.invisible, \
             privacy = given.privacy, custom = given.custom, name_key = given.name_key, words = given.words, \
             updated_at = given.updated_at, deactivated_at = given.deactivated_at, deleted_at = given.deleted_at, \
             tokens_revoked_before = given.tokens_revoked_before, held_roles = given.held_roles \
         FROM given JOIN known USING (place) \
         WHERE users.key = known.key AND users.key = ANY (ARRAY(SELECT key FROM known)) \
         RETURNING given.place, users.key, users.created_at, users.updated_at), \
     stored AS (SELECT place, key, created_at, updated_at, 1::bigint AS was_there FROM changed UNION ALL \
         SELECT given.place, came.key, came.created_at, came.updated_at, 0 FROM came JOIN given ON given.id = came.id), \
     words_before AS (SELECT known.key, word FROM known JOIN given USING (place), words_of(known.words) \
         WHERE known.words <> given.words), \
     words_after AS (SELECT stored.key, word FROM stored JOIN given USING (place) LEFT JOIN known USING (place), \
         words_of(given.words) WHERE known.words IS DISTINCT FROM given.words), \
     words_gone AS (DELETE FROM user_words WHERE ctid = ANY (ARRAY(SELECT entry.ctid \
         FROM (SELECT key, word FROM words_before EXCEPT SELECT key, word FROM words_after) AS gone \
         CROSS JOIN LATERAL (SELECT ctid FROM user_words AS entry \
             WHERE entry.word = gone.word AND entry.\"user\" = gone.key LIMIT 1) AS entry))), \
     words_came AS (INSERT INTO user_words (word, \"user\") \
         SELECT word, key FROM (SELECT key, word FROM words_after EXCEPT SELECT key, word FROM words_before) AS came), \
     roles_gone AS (DELETE FROM role_holders WHERE ctid = ANY (ARRAY(SELECT holder.ctid \
         FROM known JOIN given USING (place), UNNEST(STRING_TO_ARRAY(BTRIM(known.held_roles), ' ')) AS held (role) \
         CROSS JOIN LATERAL (SELECT ctid FROM role_holders AS holder WHERE holder.app = given.app \
             AND holder.role = held.role AND holder.\"user\" = known.key LIMIT 1) AS holder \
         WHERE STRPOS(given.held_roles, ' ' || held.role || ' ') = 0))), \
     roles_came AS (INSERT INTO role_holders (app, role, \"user\") \
         SELECT given.app, held.role, stored.key \
         FROM stored JOIN given USING (place) LEFT JOIN known USING (place), \
             UNNEST(STRING_TO_ARRAY(BTRIM(given.held_roles), ' ')) AS held (role) \
         WHERE STRPOS(COALESCE(known.held_roles, ''), ' ' || held.role || ' ') = 0) \
     SELECT key, created_at, updated_at, was_there FROM stored ORDER BY place";

/// Stores `changes`, at most one for a user, and answers the users as stored, in the same order.
///
/// New users get keys, and creation times, that grow in the order of the changes: a time that is not later than that
/// of the newest user of the app becomes the next nanosecond, so that the order of keys is the default sort order.
///
/// # Errors
/// When a statement fails.
pub fn put(tx: &mut Tx<'_>, app: AppKey, changes: Vec<Change>) -> Result<Vec<StoredUser>, Error> {
    const UPSERT: Sql = Sql::pair(
        "INSERT INTO users (app, id, name, image, role, teams, teams_role, language, invisible, privacy, custom, \
             name_key, words, updated_at, deactivated_at, deleted_at, tokens_revoked_before, held_roles, created_at) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, MAX(time, $14), $15, $16, $17, $18, time \
         FROM (SELECT MAX($19, COALESCE(\
             (SELECT created_at + 1 FROM users WHERE app = $1 ORDER BY created_at DESC LIMIT 1), 0)) AS time) WHERE true \
         ON CONFLICT (app, id) DO UPDATE SET name = excluded.name, image = excluded.image, role = excluded.role, \
             teams = excluded.teams, teams_role = excluded.teams_role, language = excluded.language, \
             invisible = excluded.invisible, privacy = excluded.privacy, custom = excluded.custom, \
             name_key = excluded.name_key, words = excluded.words, updated_at = $14, \
             deactivated_at = excluded.deactivated_at, deleted_at = excluded.deleted_at, \
             tokens_revoked_before = excluded.tokens_revoked_before, held_roles = excluded.held_roles \
         RETURNING key, created_at, updated_at",
        PUT_ON_POSTGRES,
    );
    let rows = changes.iter().map(|change| row(app, &change.after)).collect::<Result<Vec<_>, Error>>()?;
    let has_rivals = tx.has_rivals();
    let mut was_there = Vec::new();
    let stored = tx.query_each(UPSERT, &rows, |row| {
        if has_rivals {
            was_there.push(row.boolean(3)?);
        }
        Ok((UserKey(row.integer(0)?), row.timestamp(1)?, row.timestamp(2)?))
    })?;
    if has_rivals && !changes.iter().map(|change| change.before.is_some()).eq(was_there) {
        return Err(tx.contended());
    }
    let leaves: Vec<[Value; 8]> = changes
        .iter()
        .zip(&stored)
        .flat_map(|(change, (key, ..))| {
            leaf_changes(app, *key, change.before.as_ref().map(|before| &before.user), &change.after)
        })
        .collect();
    put_leaves(tx, &leaves)?;
    let placed = changes.into_iter().zip(stored);
    Ok(placed
        .map(|(change, (key, created_at, updated_at))| StoredUser {
            key,
            user: User { created_at, updated_at, ..change.after },
        })
        .collect())
}

/// Who has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The key of the name (`model::words::name_key`).
    pub name_key: String,
    /// Whose name it is.
    pub id: UserId,
    /// The teams that the user is in.
    pub teams: Vec<String>,
}

/// Everybody in `app` who has a name with one of these keys, but for deleted users, whose names are free. On an engine
/// with concurrent writers the names are locked: nobody else takes one of them who asks here first.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn holders(tx: &mut Tx<'_>, app: AppKey, keys: &BTreeSet<String>) -> Result<Vec<Holder>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT name_key, id, teams FROM users \
         WHERE app = $1 AND name_key = $2 AND name IS NOT NULL AND deleted_at IS NULL",
        "SELECT name_key, id, teams FROM users WHERE app = ANY ($1::bigint[]) AND name_key = ANY ($2::text[]) \
             AND name IS NOT NULL AND deleted_at IS NULL",
    );
    tx.lock("name", keys.iter().map(|key| format!("{} {key}", app.0)))?;
    let names: Vec<[Value; 2]> = keys.iter().map(|key| [app.0.into(), key.as_str().into()]).collect();
    tx.query_each(SELECT, &names, |row| {
        let teams = serde_json::from_str(&row.text(2)?).map_err(|_| Error::Unreadable("user"))?;
        Ok(Holder { name_key: row.text(0)?, id: UserId::from_stored(row.text(1)?), teams })
    })
}

/// The users with everything that responses show of them, in the same order, in a constant number of statements.
///
/// Each part joins here with its feature; none has come yet.
#[must_use]
pub fn views(users: Vec<StoredUser>) -> Vec<UserView> {
    users.into_iter().map(|stored| UserView::bare(stored.user)).collect()
}

/// The text in which teams are stored: compact JSON.
pub(crate) fn teams_text(teams: &[String]) -> String {
    serde_json::Value::from(teams).to_string()
}

fn row(app: AppKey, user: &User) -> Result<[Value; 19], Error> {
    let json =
        |value: serde_json::Result<String>| value.map(Value::Text).map_err(|_| Error::Unreadable("user"));
    Ok([
        app.0.into(),
        user.id.as_str().into(),
        user.name.clone().into(),
        user.image.clone().into(),
        user.role.as_str().into(),
        teams_text(&user.teams).into(),
        json(serde_json::to_string(&user.teams_role))?,
        user.language.as_str().into(),
        user.invisible.into(),
        user.privacy.map_or(Ok(Value::Null), |privacy| json(serde_json::to_string(&privacy)))?,
        json(serde_json::to_string(&user.custom))?,
        user.name.as_deref().map(name_key).unwrap_or_default().into(),
        searchable(app, user).into(),
        user.updated_at.into(),
        user.deactivated_at.into(),
        user.deleted_at.into(),
        user.tokens_revoked_before.into(),
        held_roles(user).into(),
        user.created_at.into(),
    ])
}

/// The custom roles of a user as a trigger of the schema takes them apart.
fn held_roles(user: &User) -> String {
    let names = user.held_roles().into_iter().map(|role| format!("{role} ")).collect::<String>();
    if names.is_empty() { names } else { format!(" {names}") }
}

pub(crate) fn read(row: &Row<'_>) -> Result<StoredUser, Error> {
    let unreadable = |_| Error::Unreadable("user");
    let privacy = row.optional_text(9)?;
    let user = User {
        id: UserId::from_stored(row.text(1)?),
        name: row.optional_text(2)?,
        image: row.optional_text(3)?,
        role: row.text(4)?,
        teams: serde_json::from_str(&row.text(5)?).map_err(unreadable)?,
        teams_role: serde_json::from_str(&row.text(6)?).map_err(unreadable)?,
        language: row.text(7)?,
        invisible: row.boolean(8)?,
        privacy: privacy.map(|text| serde_json::from_str(&text)).transpose().map_err(unreadable)?,
        custom: serde_json::from_str(&row.text(10)?).map_err(unreadable)?,
        created_at: row.timestamp(11)?,
        updated_at: row.timestamp(12)?,
        deactivated_at: row.optional_timestamp(13)?,
        deleted_at: row.optional_timestamp(14)?,
        tokens_revoked_before: row.optional_timestamp(15)?,
    };
    Ok(StoredUser { key: UserKey(row.integer(0)?), user })
}

/// The rows that change with a user: those of the leaves that go or come, no other.
fn leaf_changes(app: AppKey, user: UserKey, before: Option<&User>, after: &User) -> Vec<[Value; 8]> {
    let before = before.map(leaf::of_user).unwrap_or_default();
    let after = leaf::of_user(after);
    let going = before.difference(&after).map(|leaf| leaf_row(false, app, user, leaf));
    let coming = after.difference(&before).map(|leaf| leaf_row(true, app, user, leaf));
    going.chain(coming).collect()
}

fn leaf_row(present: bool, app: AppKey, user: UserKey, leaf: &Leaf) -> [Value; 8] {
    let number = match leaf.number {
        Numeric::Integer(value) => Value::Integer(value),
        Numeric::Float(value) => Value::Real(value),
    };
    [
        present.into(),
        app.0.into(),
        leaf.path.as_str().into(),
        leaf.kind.code(leaf.place).into(),
        number,
        leaf.text.as_str().into(),
        leaf.digest.into(),
        user.0.into(),
    ]
}

fn put_leaves(tx: &mut Tx<'_>, rows: &[[Value; 8]]) -> Result<(), Error> {
    const CHANGE: Sql = Sql::pair(
        "INSERT INTO user_leaf_changes (present, app, path, kind, number, text, digest, user) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        "WITH given AS (SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::numeric[], \
             $6::text[], $7::bigint[], $8::bigint[]) AS given (present, app, path, kind, number, text, digest, \"user\")), \
         gone AS (DELETE FROM user_leaves WHERE ctid = ANY (ARRAY(SELECT leaf.ctid \
             FROM given CROSS JOIN LATERAL (SELECT ctid FROM user_leaves AS leaf \
                 WHERE leaf.app = given.app AND leaf.path = given.path AND leaf.kind = given.kind \
                     AND leaf.number = given.number AND leaf.text = given.text AND leaf.digest = given.digest \
                     AND leaf.\"user\" = given.\"user\" LIMIT 1) AS leaf WHERE given.present = 0))) \
         INSERT INTO user_leaves (app, path, kind, number, text, digest, \"user\") \
         SELECT app, path, kind, number, text, digest, \"user\" FROM given WHERE present = 1",
    );
    tx.execute_each(CHANGE, rows).map(drop)
}
