//! Push devices (semantics 14.1 to 14.5).

use model::{
    Action, Device, Event, MOST_DEVICES, Parts, Registration, Resource, Shown, UserId, UserKey,
    check_device_id,
};
use storage::Tx;
use storage::devices::{self, Owned};
use storage::log::Entry;

use crate::admitted::People;
use crate::{Admitted, Ctx, Error};

/// Whether a registration has given a user a device that it did not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It has.
    New,
    /// The device was the user's before.
    Again,
}

/// Registers a device for a user. One that was somebody else's moves (14.4); when the user has [`MOST_DEVICES`], the oldest
/// makes room.
///
/// # Errors
/// When the user does not exist, or a text is too long.
pub fn register(tx: &mut Tx<'_>, ctx: &Ctx, command: &Registration) -> Result<Registered, Error> {
    let caller = ctx.admit(tx)?;
    let app = ctx.app()?;
    let id = permitted_actor(&caller, command.user.as_ref())?;
    command.check()?;
    let people = People::load(tx, app, [&id])?;
    let user = people.actor(&id)?;
    let (own, other) = match devices::by_id(tx, app.key, &command.id)? {
        Some(owned) if owned.key == user.key => (Some(owned.device), None),
        other => (None, other),
    };
    let device = command.device(own.as_ref(), ctx.now);
    if let Some(own) = own {
        if own != device {
            devices::put(tx, app.key, user, &device)?;
            let event = Event::DeviceUpdated { user: id, device: Box::new(device.to_be_logged()) };
            caller.record(tx, vec![about(user.key, event)])?;
        }
        return Ok(Registered::Again);
    }
    let mut entries = Vec::new();
    if let Some(Owned { key, user, device }) = other {
        entries.push(about(key, Event::DeviceDeleted { user, device: Box::new(device.to_be_logged()) }));
    }
    if user.parts.has(Parts::DEVICES) {
        let known = devices::of(tx, &[user.key])?.into_iter().map(|(_, device)| device);
        let mut oldest: Vec<Device> = known.collect();
        oldest.truncate((oldest.len() + 1).saturating_sub(MOST_DEVICES));
        // Somebody else may have registered one of them meanwhile.
        let gone = devices::remove(tx, app.key, user.key, &oldest)?;
        entries.extend(oldest.iter().filter(|device| gone.contains(&device.id)).map(|device| {
            about(
                user.key,
                Event::DeviceDeleted { user: id.clone(), device: Box::new(device.to_be_logged()) },
            )
        }));
    }
    devices::put(tx, app.key, user, &device)?;
    entries.push(about(user.key, Event::DeviceCreated { user: id, device: Box::new(device.to_be_logged()) }));
    caller.record(tx, entries)?;
    Ok(Registered::New)
}

/// The devices of a user: the caller, or the one that a server names. Oldest first.
///
/// # Errors
/// When there is no such user.
pub fn list(tx: &mut Tx<'_>, ctx: &Ctx, user: Option<&UserId>) -> Result<(UserId, Vec<Device>), Error> {
    let caller = ctx.admit(tx)?;
    let id = permitted_actor(&caller, user)?;
    let people = People::load(tx, ctx.app()?, [&id])?;
    let user = people.actor(&id)?;
    let found = match user.parts.has(Parts::DEVICES) {
        true => devices::of(tx, &[user.key])?,
        false => Vec::new(),
    };
    Ok((id, found.into_iter().map(|(_, device)| device).collect()))
}

/// Removes a device of a user: the caller, or the one that a server names.
///
/// # Errors
/// When there is no such user, or it has no such device.
pub fn delete(tx: &mut Tx<'_>, ctx: &Ctx, device: &str, user: Option<&UserId>) -> Result<(), Error> {
    let caller = ctx.admit(tx)?;
    let app = ctx.app()?;
    let id = permitted_actor(&caller, user)?;
    check_device_id(device)?;
    let people = People::load(tx, app, [&id])?;
    let user = people.actor(&id)?;
    match devices::by_id(tx, app.key, device)? {
        Some(owned) if owned.key == user.key => {
            devices::remove(tx, app.key, user.key, std::slice::from_ref(&owned.device))?;
            let event = Event::DeviceDeleted { user: id, device: Box::new(owned.device.to_be_logged()) };
            caller.record(tx, vec![about(user.key, event)])
        }
        _ => Err(Error::NoDevice { id: Shown(device).to_string(), user: id }),
    }
}

/// Whose devices it is about, if the caller may do anything with them.
fn permitted_actor(caller: &Admitted<'_>, named: Option<&UserId>) -> Result<UserId, Error> {
    let id = caller.actor(named, "user_id")?;
    caller.permit_on(Action::ManageDevices, &Resource::own(&id))?;
    Ok(id)
}

fn about(person: UserKey, event: Event) -> Entry {
    Entry { event, person: Some(person), others: Vec::new() }
}
