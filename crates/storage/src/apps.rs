//! Apps: one row each, settings as one JSON text.

use std::sync::Arc;

use model::{App, AppKey, AppSettings, Secret, Suspension, Timestamp};

use crate::sql::{Row, Sql, Value};
use crate::{Error, Tx};

/// An app that is about to be made.
#[derive(Debug)]
pub struct NewApp<'a> {
    /// The public key.
    pub api_key: &'a str,
    /// The name.
    pub name: &'a str,
    /// What tokens are to be signed with.
    pub secret: &'a Secret,
    /// When.
    pub now: Timestamp,
}

/// An app by its public key.
pub(crate) const BY_API_KEY: &str = "\
     SELECT key, api_key, name, secret, previous_secret, suspended_at, suspended_explanation, settings, created_at, \
     updated_at FROM apps WHERE api_key = $1";

/// The app with this public key. On an engine with concurrent writers its row is locked: what is read here may be written.
///
/// # Errors
/// When a statement fails or the row cannot be read.
pub fn by_api_key(tx: &mut Tx<'_>, api_key: &str) -> Result<Option<App>, Error> {
    const SELECT: Sql = Sql::new(BY_API_KEY);
    const LOCK: Sql = Sql::pair(
        SELECT.sqlite,
        "SELECT key, api_key, name, secret, previous_secret, suspended_at, suspended_explanation, settings, \
         created_at, updated_at FROM apps WHERE api_key = $1 FOR UPDATE",
    );
    let statement = if tx.has_rivals() { LOCK } else { SELECT };
    Ok(tx.query(statement, &[api_key.into()], read)?.pop())
}

/// The app with this key.
///
/// # Errors
/// When a statement fails or the row cannot be read.
pub fn by_key(tx: &mut Tx<'_>, key: AppKey) -> Result<Option<App>, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT key, api_key, name, secret, previous_secret, suspended_at, suspended_explanation, settings, \
         created_at, updated_at FROM apps WHERE key = $1",
    );
    Ok(tx.query(SELECT, &[key.0.into()], read)?.pop())
}

/// The app is kept from being changed until the end, but not from others who write by the same settings.
pub(crate) const SHARE_ON_POSTGRES: &str = "\
     SELECT key, api_key, name, secret, previous_secret, suspended_at, suspended_explanation, settings, created_at, \
     updated_at FROM apps WHERE key = $1 FOR SHARE";

/// The app as it is in this transaction, of which `known` is what a request found when it came: its settings may have
/// been changed meanwhile. Costs a statement only where the engine does not know.
///
/// # Errors
/// When a statement fails, or there is no such app any more.
pub fn current(tx: &mut Tx<'_>, known: &App) -> Result<Arc<App>, Error> {
    const SELECT: Sql = Sql::new(
        "SELECT key, api_key, name, secret, previous_secret, suspended_at, suspended_explanation, settings, \
         created_at, updated_at FROM apps WHERE key = $1",
    );
    const LOCK: Sql = Sql::pair(SELECT.sqlite, SHARE_ON_POSTGRES);
    if let Some(app) = tx.known_app(&known.api_key) {
        return Ok(app);
    }
    let statement = if tx.has_rivals() { LOCK } else { SELECT };
    let found = tx.query(statement, &[known.key.0.into()], read)?.pop();
    found.map(Arc::new).ok_or(Error::Unreadable("app"))
}

/// Every app, oldest first. On an engine with concurrent writers no other one who looks here makes an app meanwhile.
///
/// # Errors
/// When a statement fails or a row cannot be read.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<App>, Error> {
    tx.lock("apps", [String::new()])?;
    const SELECT: Sql = Sql::new(
        "SELECT key, api_key, name, secret, previous_secret, suspended_at, suspended_explanation, settings, \
         created_at, updated_at FROM apps ORDER BY key",
    );
    tx.query(SELECT, &[], read)
}

/// Makes an app; `None` when its public key is taken. On an engine with concurrent writers somebody else has just made it
/// then: the closure runs again, and finds it.
///
/// # Errors
/// When a statement fails.
pub fn insert(tx: &mut Tx<'_>, app: &NewApp<'_>) -> Result<Option<AppKey>, Error> {
    const INSERT: Sql = Sql::new(
        "INSERT INTO apps (api_key, name, secret, settings, created_at, updated_at) VALUES ($1, $2, $3, '{}', $4, $4) \
         ON CONFLICT (api_key) DO NOTHING RETURNING key",
    );
    let parameters = [app.api_key.into(), app.name.into(), app.secret.reveal().into(), app.now.into()];
    let made = tx.query(INSERT, &parameters, |row| row.integer(0).map(AppKey))?.pop();
    if made.is_none() && tx.has_rivals() {
        return Err(tx.contended());
    }
    Ok(made)
}

/// Stores everything of `app` that can change.
///
/// # Errors
/// When a statement fails.
pub fn update(tx: &mut Tx<'_>, app: &App) -> Result<(), Error> {
    const UPDATE: Sql = Sql::new(
        "UPDATE apps SET name = $1, secret = $2, previous_secret = $3, suspended_at = $4, \
         suspended_explanation = $5, settings = $6, updated_at = $7 WHERE key = $8",
    );
    let settings = serde_json::to_string(&app.settings).map_err(|_| Error::Unreadable("settings"))?;
    let suspension = app.suspension.as_ref();
    let parameters: [Value; 8] = [
        app.name.as_str().into(),
        app.secret.reveal().into(),
        app.previous_secret.as_ref().map(Secret::reveal).into(),
        suspension.map(|suspension| suspension.at).into(),
        suspension.map_or("", |suspension| &suspension.explanation).into(),
        settings.into(),
        app.updated_at.into(),
        app.key.0.into(),
    ];
    tx.execute(UPDATE, &parameters)?;
    tx.app_changed(&app.api_key);
    Ok(())
}

fn read(row: &Row<'_>) -> Result<App, Error> {
    let settings: AppSettings =
        serde_json::from_str(&row.text(7)?).map_err(|_| Error::Unreadable("settings of an app"))?;
    let explanation = row.text(6)?;
    Ok(App {
        key: AppKey(row.integer(0)?),
        api_key: row.text(1)?,
        name: row.text(2)?,
        secret: Secret::new(row.text(3)?),
        previous_secret: row.optional_text(4)?.map(Secret::new),
        suspension: row.optional_timestamp(5)?.map(|at| Suspension { at, explanation }),
        settings,
        created_at: row.timestamp(8)?,
        updated_at: row.timestamp(9)?,
    })
}
