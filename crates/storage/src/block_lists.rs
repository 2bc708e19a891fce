//! Lists of words: one row each, found by team and name. The team of a list of the whole app is ''.

use model::{AppKey, BlockList, BlockListKind, BlockListPage, BlockListPlace};

use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

/// A list as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlockList {
    /// The key.
    pub key: i64,
    /// The list.
    pub list: BlockList,
}

/// What decides whether an app may have another list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// How many lists the app has.
    pub lists: usize,
    /// Whether the team has one by that name.
    pub is_taken: bool,
}

/// Whether `app` may have another list by this name in `team`. On an engine with concurrent writers nobody else makes one
/// in the app until this transaction ends: how many there are, and by which names, is a rule over all of them.
///
/// # Errors
/// When a statement fails.
pub fn census(tx: &mut Tx<'_>, app: AppKey, team: &str, name: &str) -> Result<Census, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT (SELECT COUNT(*) FROM block_lists WHERE app = $1), \
             (SELECT COUNT(*) FROM block_lists WHERE app = $1 AND team = $2 AND name = $3)",
    );
    tx.lock("block_lists", [app.0.to_string()])?;
    let counted = tx.query(SELECT, &[app.0.into(), team.into(), name.into()], |row| {
        let lists = usize::try_from(row.integer(0)?).unwrap_or(usize::MAX);
        Ok(Census { lists, is_taken: row.boolean(1)? })
    })?;
    counted.into_iter().next().ok_or(Error::Unreadable("block list"))
}

/// Makes a list that `app` does not have.
///
/// # Errors
/// When a statement fails.
pub fn insert(tx: &mut Tx<'_>, app: AppKey, list: &BlockList) -> Result<(), Error> {
    const INSERT: Sql = Sql::pair(
        "INSERT OR FAIL INTO block_lists (app, team, name, id, type, words, options, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        "INSERT INTO block_lists (app, team, name, id, type, words, options, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    );
    let parameters = [
        app.0.into(),
        list.team.as_deref().unwrap_or_default().into(),
        list.name.as_str().into(),
        list.id.as_str().into(),
        list.kind.name().into(),
        json(serde_json::to_string(&list.words))?,
        json(serde_json::to_string(&list.checks))?,
        list.created_at.into(),
        list.updated_at.into(),
    ];
    tx.execute(INSERT, &parameters).map(drop)
}

/// Stores what a change may change of the list with this key.
///
/// # Errors
/// When a statement fails.
pub fn update(tx: &mut Tx<'_>, key: i64, list: &BlockList) -> Result<(), Error> {
    const UPDATE: Sql = Sql::pair(
        "UPDATE OR FAIL block_lists SET words = $1, options = $2, updated_at = $3 WHERE key = $4",
        "UPDATE block_lists SET words = $1, options = $2, updated_at = $3 WHERE key = $4",
    );
    let parameters = [
        json(serde_json::to_string(&list.words))?,
        json(serde_json::to_string(&list.checks))?,
        list.updated_at.into(),
        key.into(),
    ];
    tx.execute(UPDATE, &parameters).map(drop)
}

/// Deletes the list with this key.
///
/// # Errors
/// When a statement fails.
pub fn remove(tx: &mut Tx<'_>, key: i64) -> Result<(), Error> {
    const DELETE: Sql = Sql::new("DELETE FROM block_lists WHERE key = $1");
    tx.execute(DELETE, &[key.into()]).map(drop)
}

/// The lists of `app` by this name, at most one for each of `teams`. On an engine with concurrent writers they are
/// locked: what is read here may be written.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn by_name(
    tx: &mut Tx<'_>,
    app: AppKey,
    teams: &[String],
    name: &str,
) -> Result<Vec<StoredBlockList>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT key, id, team, name, type, words, options, created_at, updated_at FROM block_lists \
         WHERE app = $1 AND team = $2 AND name = $3",
        "SELECT b.key, b.id, b.team, b.name, b.type, b.words, b.options, b.created_at, b.updated_at \
         FROM UNNEST($1::bigint[], $2::text[], $3::text[]) AS given (app, team, name) CROSS JOIN LATERAL \
             (SELECT * FROM block_lists WHERE block_lists.app = given.app AND block_lists.team = given.team \
             AND block_lists.name = given.name LIMIT 1) AS b",
    );
    const LOCK: Sql = Sql::pair(
        SELECT.sqlite,
        "SELECT key, id, team, name, type, words, options, created_at, updated_at FROM block_lists \
         WHERE key = ANY (ARRAY(SELECT found.key \
             FROM UNNEST($1::bigint[], $2::text[], $3::text[]) AS given (app, team, name) CROSS JOIN LATERAL \
                 (SELECT key FROM block_lists AS b WHERE b.app = given.app AND b.team = given.team \
                 AND b.name = given.name LIMIT 1) AS found)) ORDER BY key FOR UPDATE",
    );
    let places: Vec<[Value; 3]> =
        teams.iter().map(|team| [app.0.into(), team.as_str().into(), name.into()]).collect();
    tx.query_each(if tx.has_rivals() { LOCK } else { SELECT }, &places, read)
}

/// A page of the lists of `app`, in the order of their teams and names, and whether there are more. `teams`, in order, are
/// those whose lists are looked at; `None` is all. Two statements, whatever there is.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn page(
    tx: &mut Tx<'_>,
    app: AppKey,
    teams: Option<&[String]>,
    page: &BlockListPage,
) -> Result<(Vec<BlockList>, bool), Error> {
    let found = match teams {
        None => everywhere(tx, app, page)?,
        Some(teams) => within(tx, app, teams, page)?,
    };
    let mut bytes = 0;
    let fitting = found.iter().take(page.limit).enumerate().take_while(|(place, (_, length))| {
        bytes += length;
        *place == 0 || bytes <= BlockListPage::MOST_BYTES
    });
    let keys: Vec<[Value; 1]> = fitting.map(|(_, (key, _))| [(*key).into()]).collect();
    let has_more = found.len() > keys.len();
    Ok((by_keys(tx, &keys)?, has_more))
}

/// The key of a list and how many bytes its words take, as stored.
type Measured = (i64, usize);

fn measured(row: &Row<'_>) -> Result<Measured, Error> {
    Ok((row.integer(0)?, usize::try_from(row.integer(1)?).unwrap_or(usize::MAX)))
}

/// One more than the page has, if there is one.
fn most(page: &BlockListPage) -> Value {
    i64::try_from(page.limit).map_or(i64::MAX, |limit| limit.saturating_add(1)).into()
}

fn everywhere(tx: &mut Tx<'_>, app: AppKey, page: &BlockListPage) -> Result<Vec<Measured>, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT key, CAST(OCTET_LENGTH(words) AS BIGINT) FROM block_lists \
         WHERE app = $1 AND (team, name) > ($2, $3) ORDER BY team, name LIMIT $4",
    );
    let after = page.after.clone();
    let BlockListPlace { team, name } =
        after.unwrap_or_else(|| BlockListPlace { team: String::new(), name: String::new() });
    tx.query(SELECT, &[app.0.into(), team.into(), name.into(), most(page)], measured)
}

fn within(
    tx: &mut Tx<'_>,
    app: AppKey,
    teams: &[String],
    page: &BlockListPage,
) -> Result<Vec<Measured>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT key, OCTET_LENGTH(words) FROM block_lists WHERE app = $1 AND team = $2 AND name > $3 \
         ORDER BY name LIMIT $4",
        "SELECT b.key, b.bytes \
         FROM UNNEST($1::bigint[], $2::text[], $3::text[]) WITH ORDINALITY AS given (app, team, name, place) \
         CROSS JOIN LATERAL (SELECT key, name, CAST(OCTET_LENGTH(words) AS BIGINT) AS bytes FROM block_lists \
             WHERE block_lists.app = given.app AND block_lists.team = given.team AND block_lists.name > given.name \
             ORDER BY block_lists.name LIMIT ($4::bigint[])[1]) AS b ORDER BY given.place, b.name \
         LIMIT ($4::bigint[])[1]",
    );
    let after = page.after.as_ref();
    let starts: Vec<[Value; 4]> = teams
        .iter()
        .filter(|team| after.is_none_or(|after| **team >= after.team))
        .map(|team| {
            let name = after.filter(|after| after.team == *team).map_or("", |after| &after.name);
            [app.0.into(), team.as_str().into(), name.into(), most(page)]
        })
        .collect();
    tx.query_each(SELECT, &starts, measured)
}

/// The lists with these keys, in their order.
fn by_keys(tx: &mut Tx<'_>, keys: &[[Value; 1]]) -> Result<Vec<BlockList>, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT key, id, team, name, type, words, options, created_at, updated_at FROM block_lists WHERE key = $1",
        "SELECT b.key, b.id, b.team, b.name, b.type, b.words, b.options, b.created_at, b.updated_at \
         FROM UNNEST($1::bigint[]) WITH ORDINALITY AS given (key, place) CROSS JOIN LATERAL \
             (SELECT * FROM block_lists WHERE block_lists.key = given.key LIMIT 1) AS b ORDER BY given.place",
    );
    tx.query_each(SELECT, keys, |row| Ok(read(row)?.list))
}

fn json(text: Result<String, serde_json::Error>) -> Result<Value, Error> {
    text.map(Value::Text).map_err(|_| Error::Unreadable("block list"))
}

fn read(row: &Row<'_>) -> Result<StoredBlockList, Error> {
    let unreadable = || Error::Unreadable("block list");
    let list = BlockList {
        id: row.text(1)?,
        team: Some(row.text(2)?).filter(|team| !team.is_empty()),
        name: row.text(3)?,
        kind: BlockListKind::by_name(row.borrowed_text(4)?).ok_or_else(unreadable)?,
        words: serde_json::from_str(row.borrowed_text(5)?).map_err(|_| unreadable())?,
        checks: serde_json::from_str(row.borrowed_text(6)?).map_err(|_| unreadable())?,
        created_at: row.timestamp(7)?,
        updated_at: row.timestamp(8)?,
    };
    Ok(StoredBlockList { key: row.integer(0)?, list })
}
