//! Users: the row, the leaves of its custom data and the words by which it is found.

mod locking;
mod removal;

use std::collections::BTreeSet;

use model::leaf::{self, Leaf, Numeric};
use model::words::{name_key, searchable};
use model::{AppKey, Ban, CustomText, Parts, StoredUser, Timestamp, User, UserId, UserKey};

use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

pub(crate) use self::locking::LOCK_ON_POSTGRES;
pub use self::locking::{alone, by_ids};
pub use self::removal::remove;

/// The columns that [`read_to_show`] reads, of a row `u` of `users`.
pub(crate) const COLUMNS: &str = "u.key, u.id, u.name, u.image, u.role, u.teams, u.teams_role, u.language, u.invisible, \
                                  u.privacy, u.custom, u.created_at, u.updated_at, u.deactivated_at, u.deleted_at, \
                                  u.tokens_revoked_before, u.ban, u.ban_expires, u.bypass_moderation, u.parts";

/// A user as it was, when there was one, and as it is to be.
#[derive(Debug)]
pub struct Change {
    /// The stored user, read in the same transaction.
    pub before: Option<StoredUser>,
    /// The user to store.
    pub after: User,
}

/// The parameters of the statements that write users ([`UserRow`]), as PostgreSQL takes the arrays of a batch apart.
macro_rules! given {
    () => {
        "given AS (SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], \
             $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::text[], $14::text[], \
             $15::text[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::text[]) WITH ORDINALITY \
             AS given (words, key, app, id, created_at, name, image, role, teams, teams_role, language, invisible, \
             privacy, custom, name_key, updated_at, deactivated_at, deleted_at, tokens_revoked_before, held_roles, \
             place)) "
    };
}

/// What PostgreSQL sets of users that are there.
///
/// Here and below, what is stored is looked for by its keys, and never joined with: a plan is made once for a connection,
/// perhaps when there are ten users, for whom it is best to read all of them, and kept while they become many.
macro_rules! update_on_postgres {
    () => {
        "UPDATE users SET words = given.words, name = given.name, image = given.image, role = given.role, \
             teams = given.teams, teams_role = given.teams_role, language = given.language, \
             invisible = given.invisible, privacy = given.privacy, custom = given.custom, name_key = given.name_key, \
             updated_at = given.updated_at, deactivated_at = given.deactivated_at, deleted_at = given.deleted_at, \
             tokens_revoked_before = given.tokens_revoked_before, held_roles = given.held_roles \
         FROM given WHERE users.key = given.key AND users.key = ANY ($2::bigint[])"
    };
}

/// What PostgreSQL does for new users: the rows, their words and who holds which role. A row that is missing in the answer
/// is of a user whom somebody else has made in the meantime.
pub(crate) const INSERT_ON_POSTGRES: &str = concat!(
    "WITH ",
    given!(),
    ", taken AS MATERIALIZED (SELECT take_user_keys(MAX(created_at), COUNT(*)) AS first FROM given), \
     came AS (INSERT INTO users (key, app, id, name, image, role, teams, teams_role, language, invisible, privacy, \
             custom, name_key, words, updated_at, deactivated_at, deleted_at, tokens_revoked_before, held_roles, \
             created_at) \
         SELECT first + place - 1, app, id, name, image, role, teams, teams_role, language, invisible, privacy, custom, \
             name_key, words, first + place - 1, deactivated_at, deleted_at, tokens_revoked_before, held_roles, \
             first + place - 1 FROM given, taken ORDER BY place \
         ON CONFLICT (app, id) DO NOTHING RETURNING key, app, words, held_roles, created_at), \
     words_came AS (INSERT INTO user_words (word, \"user\") \
         SELECT entry.word, came.key FROM came, words_of(came.words) AS entry), \
     roles_came AS (INSERT INTO role_holders (app, role, \"user\") \
         SELECT came.app, held.role, came.key \
         FROM came, UNNEST(STRING_TO_ARRAY(BTRIM(came.held_roles), ' ')) AS held (role)) \
     SELECT key, created_at FROM came ORDER BY key"
);

/// What PostgreSQL does for users that are there and whose words or roles change. They are locked.
const CHANGE_ON_POSTGRES: &str = concat!(
    "WITH ",
    given!(),
    ", known AS (SELECT given.key, given.app, users.words AS words_before, given.words AS words_after, \
             users.held_roles AS roles_before, given.held_roles AS roles_after \
         FROM given CROSS JOIN LATERAL \
             (SELECT words, held_roles FROM users WHERE users.key = given.key LIMIT 1) AS users), \
     changed AS (",
    update_on_postgres!(),
    "), \
     words_gone AS (DELETE FROM user_words WHERE ctid = ANY (ARRAY(SELECT stored.ctid FROM (\
             SELECT key, entry.word FROM known, words_of(words_before) AS entry \
             EXCEPT SELECT key, entry.word FROM known, words_of(words_after) AS entry) AS gone \
         CROSS JOIN LATERAL (SELECT ctid FROM user_words AS stored \
             WHERE stored.word = gone.word AND stored.\"user\" = gone.key LIMIT 1) AS stored))), \
     words_came AS (INSERT INTO user_words (word, \"user\") SELECT word, key FROM (\
             SELECT key, entry.word FROM known, words_of(words_after) AS entry \
             EXCEPT SELECT key, entry.word FROM known, words_of(words_before) AS entry) AS came), \
     roles_gone AS (DELETE FROM role_holders WHERE ctid = ANY (ARRAY(SELECT stored.ctid \
         FROM known CROSS JOIN UNNEST(STRING_TO_ARRAY(BTRIM(roles_before), ' ')) AS held (role) \
         CROSS JOIN LATERAL (SELECT ctid FROM role_holders AS stored WHERE stored.app = known.app \
             AND stored.role = held.role AND stored.\"user\" = known.key LIMIT 1) AS stored \
         WHERE STRPOS(roles_after, ' ' || held.role || ' ') = 0))) \
     INSERT INTO role_holders (app, role, \"user\") \
         SELECT known.app, held.role, known.key \
         FROM known, UNNEST(STRING_TO_ARRAY(BTRIM(roles_after), ' ')) AS held (role) \
         WHERE STRPOS(roles_before, ' ' || held.role || ' ') = 0"
);

/// Stores `changes`, at most one for a user, and answers the users as stored, in the same order.
///
/// New users get keys, and creation times, that grow in the order of the changes: a time that is not later than that
/// of the newest user of the app becomes the next nanosecond, so that the order of keys is the default sort order.
///
/// # Errors
/// When a statement fails.
pub fn put(tx: &mut Tx<'_>, app: AppKey, changes: Vec<Change>) -> Result<Vec<StoredUser>, Error> {
    let mut rows = Rows::default();
    for change in &changes {
        rows.add(app, change)?;
    }
    let mut created = rows.store(tx)?.into_iter();
    let stored = changes.iter().map(|change| match &change.before {
        Some(before) => Ok((before.key, before.user.created_at, change.after.updated_at, before.parts)),
        None => {
            let new = created.next().map(|(key, time)| (key, time, time, Parts::default()));
            new.ok_or(Error::Unreadable("user"))
        }
    });
    let stored = stored.collect::<Result<Vec<_>, Error>>()?;
    put_leaves(tx, app, &changes, stored.iter().map(|(key, ..)| *key))?;
    for change in changes.iter().filter(|change| change.before.is_some()) {
        tx.user_changed(app, &change.after.id);
    }
    let placed = changes.into_iter().zip(stored);
    Ok(placed
        .map(|(change, (key, created_at, updated_at, parts))| StoredUser {
            key,
            user: User { created_at, updated_at, ..change.after },
            parts,
        })
        .collect())
}

/// The parameters of the statements that write a user: words, key (of a user that exists), app, id, creation time, then
/// the columns that every change replaces.
type UserRow = [Value; 20];

/// The rows of users, by the statement that stores them.
#[derive(Debug, Default)]
struct Rows {
    new: Vec<UserRow>,
    /// Whether some of the new users have custom roles.
    new_have_roles: bool,
    /// Of users whose words or custom roles change.
    changed: Vec<UserRow>,
    /// Of users whose words and custom roles stay.
    kept: Vec<UserRow>,
}

impl Rows {
    fn add(&mut self, app: AppKey, change: &Change) -> Result<(), Error> {
        let words = searchable(app, &change.after);
        let rows = match change.before.as_ref().map(|before| &before.user) {
            None => {
                self.new_have_roles |= !change.after.held_roles().is_empty();
                &mut self.new
            }
            Some(before)
                if searchable(app, before) == words && before.held_roles() == change.after.held_roles() =>
            {
                &mut self.kept
            }
            Some(_) => &mut self.changed,
        };
        rows.push(row(app, change.before.as_ref().map(|before| before.key), words, &change.after)?);
        Ok(())
    }

    /// Answers the keys and creation times of the new users, in their order.
    fn store(self, tx: &mut Tx<'_>) -> Result<Vec<(UserKey, Timestamp)>, Error> {
        // OR FAIL, no trigger and no RETURNING, for a statement that may have to be undone alone costs a journal, and
        // the full-text index writes out what it has gathered. Here, what fails undoes the closure.
        const INSERT: Sql = Sql::pair(
            "INSERT OR FAIL INTO users (words, app, id, name, image, role, teams, teams_role, language, invisible, \
                 privacy, custom, name_key, deactivated_at, deleted_at, tokens_revoked_before, held_roles, \
                 created_at, updated_at) \
             VALUES (?1, ?3, ?4, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?17, ?18, ?19, ?20, \
                 MAX(?5, COALESCE((SELECT created_at + 1 FROM users WHERE app = ?3 ORDER BY created_at DESC LIMIT 1), 0)), \
                 MAX(?5, COALESCE((SELECT created_at + 1 FROM users WHERE app = ?3 ORDER BY created_at DESC LIMIT 1), 0)))",
            INSERT_ON_POSTGRES,
        );
        const STORED: &str = "SELECT key, created_at FROM users WHERE key = last_insert_rowid()";
        const ADD_WORDS: &str = "INSERT INTO user_words (rowid, words) VALUES (last_insert_rowid(), ?1)";
        // An app has at most 25 custom roles: going through all of them costs less than splitting the text would.
        const ADD_ROLES: &str = "INSERT OR FAIL INTO role_holders (app, role, user) \
            SELECT ?3, name, COALESCE(?2, last_insert_rowid()) FROM roles \
            WHERE app = ?3 AND INSTR(?20, ' ' || name || ' ')";
        const UPDATE_ON_SQLITE: &str = "UPDATE OR FAIL users SET words = ?1, name = ?6, image = ?7, role = ?8, teams = ?9, teams_role = ?10, \
                 language = ?11, invisible = ?12, privacy = ?13, custom = ?14, name_key = ?15, updated_at = ?16, \
                 deactivated_at = ?17, deleted_at = ?18, tokens_revoked_before = ?19, held_roles = ?20 \
             WHERE key = ?2";
        const UPDATE: Sql = Sql::pair(UPDATE_ON_SQLITE, concat!("WITH ", given!(), update_on_postgres!()));
        const CHANGE: Sql = Sql::pair(UPDATE_ON_SQLITE, CHANGE_ON_POSTGRES);
        const CHANGE_WORDS: &str = "UPDATE user_words SET words = ?1 WHERE rowid = ?2";
        const FORGET_ROLES: &str = "DELETE FROM role_holders \
            WHERE app = ?3 AND role IN (SELECT name FROM roles WHERE app = ?3) AND user = ?2";
        let insert = match self.new_have_roles {
            true => INSERT.then(&[STORED, ADD_WORDS, ADD_ROLES]),
            false => INSERT.then(&[STORED, ADD_WORDS]),
        };
        tx.execute_each(UPDATE, &self.kept)?;
        tx.execute_each(CHANGE.then(&[CHANGE_WORDS, FORGET_ROLES, ADD_ROLES]), &self.changed)?;
        let created =
            tx.query_each(insert, &self.new, |row| Ok((UserKey(row.integer(0)?), row.timestamp(1)?)))?;
        if created.len() == self.new.len() { Ok(created) } else { Err(tx.contended()) }
    }
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
        "SELECT u.name_key, u.id, u.teams FROM UNNEST($1::bigint[], $2::text[]) AS given (app, name_key) \
         CROSS JOIN LATERAL (SELECT name_key, id, teams FROM users WHERE users.app = given.app \
             AND users.name_key = given.name_key AND name IS NOT NULL AND deleted_at IS NULL OFFSET 0) AS u",
    );
    tx.lock("name", keys.iter().map(|key| format!("{} {key}", app.0)))?;
    let names: Vec<[Value; 2]> = keys.iter().map(|key| [app.0.into(), key.as_str().into()]).collect();
    tx.query_each(SELECT, &names, |row| {
        let teams = serde_json::from_str(&row.text(2)?).map_err(|_| Error::Unreadable("user"))?;
        Ok(Holder { name_key: row.text(0)?, id: UserId::from_stored(row.text(1)?), teams })
    })
}

/// The text in which teams are stored: compact JSON.
pub(crate) fn teams_text(teams: &[String]) -> String {
    serde_json::Value::from(teams).to_string()
}

fn row(app: AppKey, key: Option<UserKey>, words: String, user: &User) -> Result<UserRow, Error> {
    let json =
        |value: serde_json::Result<String>| value.map(Value::Text).map_err(|_| Error::Unreadable("user"));
    Ok([
        words.into(),
        key.map(|key| key.0).into(),
        app.0.into(),
        user.id.as_str().into(),
        user.created_at.into(),
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
        user.updated_at.into(),
        user.deactivated_at.into(),
        user.deleted_at.into(),
        user.tokens_revoked_before.into(),
        held_roles(user).into(),
    ])
}

/// The custom roles of a user as statements take them apart.
fn held_roles(user: &User) -> String {
    let names = user.held_roles().into_iter().map(|role| format!("{role} ")).collect::<String>();
    if names.is_empty() { names } else { format!(" {names}") }
}

fn unreadable(_: serde_json::Error) -> Error {
    Error::Unreadable("user")
}

/// A user that may be changed.
fn read(row: &Row<'_>) -> Result<StoredUser, Error> {
    read_with(row, |column| serde_json::from_str(row.borrowed_text(column)?).map_err(unreadable))
}

/// A user that is only to be shown.
pub(crate) fn read_to_show(row: &Row<'_>) -> Result<StoredUser<CustomText>, Error> {
    read_with(row, |column| CustomText::from_stored(row.text(column)?).ok_or(Error::Unreadable("user")))
}

fn read_with<C>(
    row: &Row<'_>,
    custom: impl FnOnce(usize) -> Result<C, Error>,
) -> Result<StoredUser<C>, Error> {
    let privacy = row.optional_text(9)?;
    let user = User {
        id: UserId::from_stored(row.text(1)?),
        name: row.optional_text(2)?,
        image: row.optional_text(3)?,
        role: row.text(4)?,
        teams: serde_json::from_str(row.borrowed_text(5)?).map_err(unreadable)?,
        teams_role: serde_json::from_str(row.borrowed_text(6)?).map_err(unreadable)?,
        language: row.text(7)?,
        invisible: row.boolean(8)?,
        privacy: privacy.map(|text| serde_json::from_str(&text)).transpose().map_err(unreadable)?,
        custom: custom(10)?,
        created_at: row.timestamp(11)?,
        updated_at: row.timestamp(12)?,
        deactivated_at: row.optional_timestamp(13)?,
        deleted_at: row.optional_timestamp(14)?,
        tokens_revoked_before: row.optional_timestamp(15)?,
        ban: read_ban(row, 16)?,
        bypass_moderation: row.boolean(18)?,
    };
    Ok(StoredUser { key: UserKey(row.integer(0)?), user, parts: Parts(row.integer(19)?) })
}

/// The ban in two columns from `column` on: its kind and its end.
pub(crate) fn read_ban(row: &Row<'_>, column: usize) -> Result<Option<Ban>, Error> {
    Ok(match row.integer(column)? {
        0 => None,
        kind => Some(Ban { shadow: kind == SHADOW_BAN, expires: row.optional_timestamp(column + 1)? }),
    })
}

/// The kinds of bans as they are stored; 0 is none.
pub(crate) const PLAIN_BAN: i64 = 1;
pub(crate) const SHADOW_BAN: i64 = 2;

/// Parameters of a leaf: whether it comes or goes, then its columns.
type LeafRow = [Value; 8];

/// The parameters of the statements that write leaves, as PostgreSQL takes the arrays of a batch apart.
macro_rules! leaves {
    () => {
        "given AS (SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::numeric[], \
             $6::text[], $7::bigint[], $8::bigint[]) \
             AS given (present, app, path, kind, number, text, digest, \"user\")) "
    };
}

/// What PostgreSQL does for leaves that only come.
pub(crate) const LEAVES_ON_POSTGRES: &str = concat!(
    "WITH ",
    leaves!(),
    "INSERT INTO user_leaves (app, path, kind, number, text, digest, \"user\") \
     SELECT app, path, kind, number, text, digest, \"user\" FROM given"
);

/// Writes the leaves that go and come with `changes` to the users with these keys, no other.
fn put_leaves(
    tx: &mut Tx<'_>,
    app: AppKey,
    changes: &[Change],
    keys: impl Iterator<Item = UserKey>,
) -> Result<(), Error> {
    const GO: Sql = Sql::pair(
        "DELETE FROM user_leaves WHERE NOT ?1 AND app = ?2 AND path = ?3 AND kind = ?4 AND number = ?5 AND text = ?6 \
             AND digest = ?7 AND user = ?8",
        concat!(
            "WITH ",
            leaves!(),
            ", gone AS (DELETE FROM user_leaves WHERE ctid = ANY (ARRAY(SELECT leaf.ctid \
                 FROM given CROSS JOIN LATERAL (SELECT ctid FROM user_leaves AS leaf \
                     WHERE leaf.app = given.app AND leaf.path = given.path AND leaf.kind = given.kind \
                         AND leaf.number = given.number AND leaf.text = given.text AND leaf.digest = given.digest \
                         AND leaf.\"user\" = given.\"user\" LIMIT 1) AS leaf WHERE given.present = 0))) \
             INSERT INTO user_leaves (app, path, kind, number, text, digest, \"user\") \
             SELECT app, path, kind, number, text, digest, \"user\" FROM given WHERE present = 1"
        ),
    );
    const COME: &str = "INSERT OR FAIL INTO user_leaves (app, path, kind, number, text, digest, user) \
                        SELECT ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE ?1";
    const ONLY_COME: Sql = Sql::pair(
        "INSERT OR FAIL INTO user_leaves (app, path, kind, number, text, digest, user) \
         VALUES (?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        LEAVES_ON_POSTGRES,
    );
    let (mut rows, mut going) = (Vec::new(), false);
    for (change, key) in changes.iter().zip(keys) {
        let before = change.before.as_ref().map(|before| leaf::of_user(&before.user)).unwrap_or_default();
        let after = leaf::of_user(&change.after);
        let known = rows.len();
        rows.extend(before.difference(&after).map(|leaf| leaf_row(false, app, key, leaf)));
        going |= rows.len() > known;
        rows.extend(after.difference(&before).map(|leaf| leaf_row(true, app, key, leaf)));
    }
    let change = if going { GO.then(&[COME]) } else { ONLY_COME };
    tx.execute_each(change, &rows).map(drop)
}

fn leaf_row(present: bool, app: AppKey, user: UserKey, leaf: &Leaf) -> LeafRow {
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
