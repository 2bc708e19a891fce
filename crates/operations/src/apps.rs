//! Operations on apps: settings by the app's own back end, keys and standing by the operator.

use std::sync::Arc;

use model::{Action, App, AppKey, Event, Invalid, Secret, SettingsPatch, Suspension};
use storage::Tx;
use storage::apps::{self, NewApp};
use storage::log::Entry;

use crate::{Ctx, Error};

/// The app of the caller as it is now.
///
/// # Errors
/// When the caller may not read it.
pub fn get(ctx: &Ctx) -> Result<Arc<App>, Error> {
    ctx.admit_known()?.permit(Action::ReadApp)?;
    ctx.caller.app().cloned().ok_or(Error::Forbidden(Action::ReadApp))
}

/// Changes the settings that `patch` names and no others (v2 2.1).
///
/// # Errors
/// When the caller may not change them or the store fails.
pub fn update(tx: &mut Tx<'_>, ctx: &Ctx, patch: &SettingsPatch) -> Result<(), Error> {
    ctx.admit_known()?.permit(Action::UpdateApp)?;
    let api_key = ctx.app()?.api_key.clone();
    let settings = patch.names();
    if settings.is_empty() {
        return Ok(());
    }
    change(tx, ctx, &api_key, |app| {
        app.settings = patch.apply(&app.settings);
        app.settings.check()?;
        Ok(Event::AppUpdated { settings })
    })
}

/// An app to be made.
#[derive(Clone, Debug)]
pub struct Create {
    /// The public key: letters, digits, `_` and `-`, 1 to 64.
    pub api_key: String,
    /// The name shown in the app's settings.
    pub name: String,
    /// What tokens are to be signed with.
    pub secret: Secret,
}

/// Makes sure that there is an app with this key and secret. Answers whether it was made just now.
///
/// # Errors
/// When the key has a form that no app can have, or belongs to an app with another secret.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, command: &Create) -> Result<bool, Error> {
    ctx.admit_known()?.permit(Action::ManageApps)?;
    check_api_key(&command.api_key)?;
    check_name(&command.name)?;
    check_secret(&command.secret)?;
    if let Some(app) = apps::by_api_key(tx, &command.api_key)? {
        let known = app.secrets().any(|secret| *secret == command.secret);
        return if known { Ok(false) } else { Err(Error::AppExists(app.api_key)) };
    }
    let new =
        NewApp { api_key: &command.api_key, name: &command.name, secret: &command.secret, now: ctx.now };
    let key = apps::insert(tx, &new)?.ok_or_else(|| Error::AppExists(command.api_key.clone()))?;
    record(tx, ctx, key, Event::AppCreated)?;
    Ok(true)
}

/// Every app, oldest first.
///
/// # Errors
/// When the caller may not see them or the store fails.
pub fn list(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Vec<App>, Error> {
    ctx.admit_known()?.permit(Action::ManageApps)?;
    Ok(apps::all(tx)?)
}

/// Gives an app a new secret; the one before stays valid until [`finish_rotation`].
///
/// # Errors
/// When there is no such app, or a rotation is under way: a third secret would cut off whoever still has the first.
pub fn rotate(tx: &mut Tx<'_>, ctx: &Ctx, api_key: &str, secret: &Secret) -> Result<(), Error> {
    ctx.admit_known()?.permit(Action::ManageApps)?;
    check_secret(secret)?;
    change(tx, ctx, api_key, |app| {
        if app.previous_secret.is_some() {
            return Err(Error::Rotating(app.api_key.clone()));
        }
        app.previous_secret = Some(std::mem::replace(&mut app.secret, secret.clone()));
        Ok(Event::AppSecretRotated)
    })
}

/// Lets the secret before the last rotation expire.
///
/// # Errors
/// When there is no such app, or no rotation is under way.
pub fn finish_rotation(tx: &mut Tx<'_>, ctx: &Ctx, api_key: &str) -> Result<(), Error> {
    ctx.admit_known()?.permit(Action::ManageApps)?;
    change(tx, ctx, api_key, |app| match app.previous_secret.take() {
        Some(_) => Ok(Event::AppRotationFinished),
        None => Err(Error::NotRotating(app.api_key.clone())),
    })
}

/// Lets nobody use an app until it is resumed (code 99). Suspending again changes the explanation.
///
/// # Errors
/// When there is no such app.
pub fn suspend(tx: &mut Tx<'_>, ctx: &Ctx, api_key: &str, explanation: &str) -> Result<(), Error> {
    ctx.admit_known()?.permit(Action::ManageApps)?;
    change(tx, ctx, api_key, |app| {
        let explanation = explanation.to_owned();
        app.suspension = Some(Suspension { at: ctx.now, explanation: explanation.clone() });
        Ok(Event::AppSuspended { explanation })
    })
}

/// Lets a suspended app be used again.
///
/// # Errors
/// When there is no such app.
pub fn resume(tx: &mut Tx<'_>, ctx: &Ctx, api_key: &str) -> Result<(), Error> {
    ctx.admit_known()?.permit(Action::ManageApps)?;
    change(tx, ctx, api_key, |app| {
        app.suspension = None;
        Ok(Event::AppResumed)
    })
}

fn change(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    api_key: &str,
    edit: impl FnOnce(&mut App) -> Result<Event, Error>,
) -> Result<(), Error> {
    let app = apps::by_api_key(tx, api_key)?;
    let mut app = app.ok_or_else(|| Error::NoApp(api_key.to_owned()))?;
    let event = edit(&mut app)?;
    app.updated_at = ctx.now.max(app.created_at);
    apps::update(tx, &app)?;
    record(tx, ctx, app.key, event)
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, app: AppKey, event: Event) -> Result<(), Error> {
    ctx.record(tx, app, &[Entry { event, person: None, others: Vec::new() }])
}

fn check_api_key(api_key: &str) -> Result<(), Invalid> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=64).contains(&api_key.len()) && api_key.bytes().all(allowed) {
        return Ok(());
    }
    Err(Invalid::new("key", "must have 1 to 64 letters, digits, '_' or '-'"))
}

fn check_name(name: &str) -> Result<(), Invalid> {
    if (1..=255).contains(&name.len()) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Invalid::new("name", "must have 1 to 255 bytes and no control characters"))
}

fn check_secret(secret: &Secret) -> Result<(), Invalid> {
    let text = secret.reveal();
    if (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Invalid::new("secret", "must have 1 to 255 visible ASCII characters"))
}
