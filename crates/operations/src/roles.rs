//! Operations on roles, and which roles a user may be given (semantics 8.2, 8.3).

use model::{
    Action, App, CustomRole, Event, Invalid, Limits, MOST_CUSTOM_ROLES, Role, RoleSearch, Shown,
    check_role_name, is_built_in,
};
use storage::Tx;
use storage::apps;
use storage::log::Entry;
use storage::roles::{self, Usage};

use crate::{Admitted, Ctx, Error};

/// Every role of the app, by name.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Vec<Role>, Error> {
    ctx.admit_known()?.permit(Action::ReadRoles)?;
    let app = ctx.app()?;
    Ok(Role::all(app, roles::all(tx, app.key)?))
}

/// Finds roles by the beginning of their name (v2 2.4).
///
/// # Errors
/// When more is asked for than one answer holds, or the store fails.
pub fn search(tx: &mut Tx<'_>, ctx: &Ctx, search: &RoleSearch) -> Result<Vec<Role>, Error> {
    ctx.admit_known()?.permit(Action::ReadRoles)?;
    search.check()?;
    let app = ctx.app()?;
    Ok(search.among(Role::all(app, roles::all(tx, app.key)?)))
}

/// Makes a role.
///
/// # Errors
/// When no role can have this name, one has it, or the app has as many as it may.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, name: &str) -> Result<Role, Error> {
    let caller = ctx.admit_known()?;
    caller.permit(Action::ManageRoles)?;
    let app = ctx.app()?;
    check_role_name(name)?;
    roles::lock(tx, app.key)?;
    let known = roles::all(tx, app.key)?;
    if known.iter().any(|role| role.name == name) {
        return Err(Invalid::new("name", format!("the role '{name}' exists; choose another name")).into());
    }
    if known.len() >= MOST_CUSTOM_ROLES {
        let why =
            format!("the app has {MOST_CUSTOM_ROLES} roles of its own, which is the most; delete one first");
        return Err(Invalid::new("name", why).into());
    }
    let role = CustomRole { name: name.to_owned(), created_at: ctx.now, updated_at: ctx.now };
    roles::insert(tx, app.key, &role)?;
    record(tx, &caller, Event::RoleCreated { name: name.to_owned() })?;
    Ok(Role::custom(app, role))
}

/// Deletes a role that nobody has and nothing is granted to.
///
/// # Errors
/// When it is built in, there is no such role, or it is in use.
pub fn delete(tx: &mut Tx<'_>, ctx: &Ctx, name: &str) -> Result<(), Error> {
    let caller = ctx.admit_known()?;
    caller.permit(Action::ManageRoles)?;
    let app = ctx.app()?;
    let refuse = |why: String| Err(Invalid::new("name", why).into());
    if is_built_in(name) {
        return refuse(format!("the role '{name}' is built in and cannot be deleted"));
    }
    match roles::usage(tx, app.key, name)? {
        None => return Err(Error::NoRole(Shown(name).to_string())),
        Some(Usage::HeldBy(user)) => {
            let why = format!(
                "the role '{name}' is in use, by the user '{user}' to name one; give every user who has it, \
                 as role or in teams_role, another role first"
            );
            return refuse(why);
        }
        Some(Usage::Free) => {}
    }
    if is_granted_something(tx, app, name)? {
        let why = format!(
            "the role '{name}' is in use by the grants of the app; take it out of grants in the app settings first"
        );
        return refuse(why);
    }
    roles::remove(tx, app.key, name)?;
    record(tx, &caller, Event::RoleDeleted { name: name.to_owned() })
}

/// The limits of `app` for users who are to be given the roles `given`. Its custom roles are read only when one of
/// `given` is none that is built in: here, in the transaction that gives it, so that no role is given that is gone.
pub(crate) fn limits<'a>(
    tx: &mut Tx<'_>,
    app: &App,
    given: impl Iterator<Item = &'a str>,
) -> Result<Limits, Error> {
    let mut limits = app.settings.limits();
    limits.roles = custom(tx, app, given)?.into_iter().map(|role| role.name).collect();
    Ok(limits)
}

/// The custom roles of `app` as they are now, and stay until this transaction ends; none are read when all of the `given`
/// ones are built in.
pub(crate) fn custom<'a>(
    tx: &mut Tx<'_>,
    app: &App,
    mut given: impl Iterator<Item = &'a str>,
) -> Result<Vec<CustomRole>, Error> {
    if given.all(is_built_in) { Ok(Vec::new()) } else { Ok(roles::all(tx, app.key)?) }
}

/// Whether the grants name the role now: the app of the caller is as it was when the request came.
fn is_granted_something(tx: &mut Tx<'_>, app: &App, role: &str) -> Result<bool, Error> {
    let now = apps::by_api_key(tx, &app.api_key)?.ok_or_else(|| Error::NoApp(app.api_key.clone()))?;
    Ok(now.settings.grants_anything_to(role).unwrap_or(false))
}

fn record(tx: &mut Tx<'_>, caller: &Admitted<'_>, event: Event) -> Result<(), Error> {
    caller.record(tx, vec![Entry { event, person: None, others: Vec::new() }])
}
