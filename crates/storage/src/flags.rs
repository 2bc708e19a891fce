//! Flags: what users have reported to the moderators.

use model::{AppKey, Attached, EntityKind, Timestamp, UserKey};

use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// What is known of an entity before it is flagged once more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The item of the review queue that all its flags share; `None` when there is no flag yet.
    pub item: Option<String>,
    /// How many flags it has.
    pub flags: u64,
    /// Whether the one who flags has done so before.
    pub by_same_user: bool,
    /// How many things the one who flags has flagged, as far as they were counted.
    pub of_same_user: u64,
}

/// What is known of an entity that `user` flags. At most `most` flags of the user are counted. On an engine with concurrent
/// writers the entity is locked: nobody else flags it meanwhile.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn known(
    tx: &mut Tx<'_>,
    app: AppKey,
    (kind, id): (&EntityKind, &str),
    user: UserKey,
    most: usize,
) -> Result<Known, Error> {
    const SELECT: Sql = Sql::pair(
        "SELECT (SELECT item FROM flags WHERE app = ?1 AND entity_type = ?2 AND entity_id = ?3 LIMIT 1), \
             (SELECT COUNT(*) FROM flags WHERE app = ?1 AND entity_type = ?2 AND entity_id = ?3), \
             EXISTS (SELECT 1 FROM flags WHERE app = ?1 AND entity_type = ?2 AND entity_id = ?3 AND user = ?4), \
             (SELECT COUNT(*) FROM (SELECT 1 FROM flags WHERE user = ?4 LIMIT ?5))",
        "SELECT (SELECT item FROM flags WHERE app = $1 AND entity_type = $2 AND entity_id = $3 LIMIT 1), \
             (SELECT COUNT(*) FROM flags WHERE app = $1 AND entity_type = $2 AND entity_id = $3), \
             (SELECT COUNT(*) FROM flags WHERE app = $1 AND entity_type = $2 AND entity_id = $3 AND \"user\" = $4), \
             (SELECT COUNT(*) FROM (SELECT 1 FROM flags WHERE \"user\" = $4 LIMIT $5) AS own)",
    );
    tx.lock("flag", [format!("{} {} {id}", app.0, kind.name())])?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let parameters = [app.0.into(), kind.name().into(), id.into(), user.0.into(), most.into()];
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let found = tx.query(SELECT, &parameters, |row| {
        Ok(Known {
            item: row.optional_text(0)?,
            flags: count(row.integer(1)?),
            by_same_user: row.boolean(2)?,
            of_same_user: count(row.integer(3)?),
        })
    })?;
    Ok(found.into_iter().next().unwrap_or_default())
}

/// A flag to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewFlag<'a> {
    /// Who reports.
    pub user: UserKey,
    /// What kind of thing.
    pub kind: &'a EntityKind,
    /// Which.
    pub entity: &'a str,
    /// Whose it is, when that is known.
    pub creator: Option<UserKey>,
    /// The item of the review queue.
    pub item: &'a str,
    /// Why.
    pub reason: Option<&'a str>,
    /// What else the report says.
    pub custom: Option<&'a Attached>,
    /// What the thing held.
    pub payload: Option<&'a Attached>,
    /// When.
    pub created_at: Timestamp,
}

/// Stores a flag of something that its user has not flagged before. One statement.
///
/// # Errors
/// When the statement fails.
pub fn insert(tx: &mut Tx<'_>, app: AppKey, flag: &NewFlag<'_>) -> Result<(), Error> {
    const INSERT: Sql = Sql::pair(
        "INSERT OR FAIL INTO flags (app, user, entity_type, entity_id, creator, item, reason, custom, payload, \
             created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
        "INSERT INTO flags (app, \"user\", entity_type, entity_id, creator, item, reason, custom, payload, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
    );
    let text = |attached: Option<&Attached>| {
        attached.map(serde_json::to_string).transpose().map_err(|_| Error::Unreadable("flag"))
    };
    let parameters: [Value; 10] = [
        app.0.into(),
        flag.user.0.into(),
        flag.kind.name().into(),
        flag.entity.into(),
        flag.creator.map(|creator| creator.0).into(),
        flag.item.into(),
        flag.reason.map(str::to_owned).into(),
        text(flag.custom)?.into(),
        text(flag.payload)?.into(),
        flag.created_at.into(),
    ];
    tx.execute(INSERT, &parameters).map(drop)
}

/// How often things of `creator` were flagged; with a kind, such things only. One statement.
///
/// # Errors
/// When the statement fails.
pub fn count(tx: &mut Tx<'_>, creator: UserKey, kind: Option<&EntityKind>) -> Result<u64, Error> {
    const ALL: Sql = Sql::new("SELECT COUNT(*) FROM flags WHERE creator = $1");
    const OF_KIND: Sql = Sql::new("SELECT COUNT(*) FROM flags WHERE creator = $1 AND entity_type = $2");
    let counted = match kind {
        None => tx.query(ALL, &[creator.0.into()], |row| row.integer(0)),
        Some(kind) => tx.query(OF_KIND, &[creator.0.into(), kind.name().into()], |row| row.integer(0)),
    };
    Ok(counted?.first().and_then(|count| u64::try_from(*count).ok()).unwrap_or(0))
}
