//! Operations on the catalogue of permissions (v2 2.4). It is the same for every app.

use model::{Action, CATALOGUE, Permission, Shown, permission};

use crate::{Ctx, Error};

/// Every permission, by id.
///
/// # Errors
/// When the caller may not read them.
pub fn list(ctx: &Ctx) -> Result<&'static [Permission], Error> {
    ctx.permit(Action::ReadPermissions)?;
    Ok(CATALOGUE)
}

/// The permission with this id.
///
/// # Errors
/// When there is none.
pub fn get(ctx: &Ctx, id: &str) -> Result<&'static Permission, Error> {
    ctx.permit(Action::ReadPermissions)?;
    permission(id).ok_or_else(|| Error::NoPermission(Shown(id).to_string()))
}
