//! Mutes: whom a user does not want to hear of (semantics 12.12 to 12.15).

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Action, Event, Invalid, MOST_MUTES, Mute, Parts, StoredUser, Targets, UserId, UserKey, UserMute, UserView,
};
use storage::Tx;
use storage::log::Entry;
use storage::mutes;

use crate::admitted::People;
use crate::{Admitted, Ctx, Error};

/// What came of a wish to mute.
#[derive(Debug)]
pub struct Muted {
    /// The user who mutes, with all of its mutes.
    pub own: UserView,
    /// Those that were asked for, in the order in which they were.
    pub mutes: Vec<UserMute>,
    /// Whom the caller cannot mute because it knows of no such user.
    pub unknown: Vec<UserId>,
    /// Whether one of them was not muted before.
    pub has_new: bool,
}

/// Has a user mute others. A mute that is there ends when this one does (12.14); nobody is muted who does not exist.
///
/// # Errors
/// When the user does not exist, is among the targets, or would have muted more than one may.
pub fn mute(tx: &mut Tx<'_>, ctx: &Ctx, command: &Mute) -> Result<Muted, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::MuteUser)?;
    command.check()?;
    let app = ctx.app()?;
    let id = caller.actor(command.whom.user.as_ref(), "user_id")?;
    if command.whom.targets.contains(&id) {
        return Err(Invalid::new(
            "target_ids",
            format!("must not hold '{id}', which is the user_id: nobody can mute oneself"),
        )
        .into());
    }
    let people = People::load(tx, app, command.whom.targets.iter().chain([&id]))?;
    let mut user = people.actor(&id)?.clone();
    let (targets, unknown) = known_and_unknown(&caller, &people, &command.whom.targets)?;
    let has_new = store(tx, ctx, command, &user, &targets)?;
    if !targets.is_empty() {
        user.parts = user.parts.with(Parts::MUTES);
        let event = Event::UserMuted {
            user: Box::new(user.user.clone()),
            targets: targets.iter().map(|target| target.user.id.clone()).collect(),
            expires: command.end(ctx.now),
        };
        record(tx, &caller, event, user.key, targets.iter().map(|target| target.key).collect())?;
    }
    let own = caller.views(tx, vec![user])?.pop();
    // One user was given, so there is one view.
    let own = own.ok_or(Error::Storage(storage::Error::Unreadable("user")))?;
    let muted: BTreeMap<&UserId, &UserMute> = own.mutes.iter().map(|mute| (&mute.target.id, mute)).collect();
    let mutes = command.whom.targets.iter().filter_map(|id| muted.get(id).map(|mute| UserMute::clone(mute)));
    Ok(Muted { mutes: mutes.collect(), own, unknown, has_new })
}

/// Stores the mutes of `targets`. Answers whether one of them is new.
fn store(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    command: &Mute,
    user: &StoredUser,
    targets: &[&StoredUser],
) -> Result<bool, Error> {
    if targets.is_empty() {
        return Ok(false);
    }
    let stored = match user.parts.has(Parts::MUTES) {
        true => mutes::by(tx, user.key)?,
        false => Vec::new(),
    };
    let (known, ended): (Vec<_>, Vec<_>) = stored.into_iter().partition(|mute| mute.is_in_force(ctx.now));
    if !ended.is_empty() {
        mutes::forget_ended(tx, user.key, ctx.now)?;
    }
    let known: BTreeMap<UserKey, _> = known.into_iter().map(|mute| (mute.target, mute.created_at)).collect();
    let new = targets.iter().filter(|target| !known.contains_key(&target.key)).count();
    if known.len() + new > MOST_MUTES {
        let why = format!(
            "cannot all be muted: '{}' has muted {} users, and may have muted {MOST_MUTES} at a time",
            user.user.id,
            known.len()
        );
        return Err(Invalid::new("target_ids", why).into());
    }
    let expires = command.end(ctx.now);
    let mute = |target: &&StoredUser| mutes::Mute {
        target: target.key,
        expires,
        created_at: known.get(&target.key).copied().unwrap_or(ctx.now),
    };
    mutes::put(tx, user, &targets.iter().map(mute).collect::<Vec<_>>(), ctx.now)?;
    Ok(new > 0)
}

/// Ends mutes; whoever is not muted stays so. Answers whom the caller cannot have muted because it knows of no such user.
///
/// # Errors
/// When the user does not exist.
pub fn unmute(tx: &mut Tx<'_>, ctx: &Ctx, command: &Targets) -> Result<Vec<UserId>, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::MuteUser)?;
    command.check()?;
    let id = caller.actor(command.user.as_ref(), "user_id")?;
    let people = People::load(tx, ctx.app()?, command.targets.iter().chain([&id]))?;
    let user = people.actor(&id)?;
    // Whom one has muted one can always let go, out of sight or deleted as they may be by now.
    let anybody: Vec<&StoredUser> = command.targets.iter().filter_map(|id| people.any(id)).collect();
    let keys: Vec<UserKey> = anybody.iter().map(|target| target.key).collect();
    let ended = mutes::remove(tx, user.key, &keys)?;
    let muted: BTreeSet<UserKey> = ended.iter().map(|mute| mute.target).collect();
    let heard: BTreeSet<UserKey> =
        ended.iter().filter(|mute| mute.is_in_force(ctx.now)).map(|mute| mute.target).collect();
    if !heard.is_empty() {
        let targets = anybody.iter().filter(|target| heard.contains(&target.key));
        let event = Event::UserUnmuted {
            user: Box::new(user.user.clone()),
            targets: targets.map(|target| target.user.id.clone()).collect(),
        };
        record(tx, &caller, event, user.key, heard.into_iter().collect())?;
    }
    let (_, mut unknown) = known_and_unknown(&caller, &people, &command.targets)?;
    unknown.retain(|id| people.any(id).is_none_or(|target| !muted.contains(&target.key)));
    Ok(unknown)
}

/// Those of `ids` that the caller may mute, and those of whom it knows nothing. In their order.
fn known_and_unknown<'a>(
    caller: &Admitted<'_>,
    people: &'a People,
    ids: &[UserId],
) -> Result<(Vec<&'a StoredUser>, Vec<UserId>), Error> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for id in ids {
        match people.target(caller, Action::MuteUser, id) {
            Ok(target) => known.push(target),
            Err(Error::NoUser(_) | Error::Deleted(_)) => unknown.push(id.clone()),
            Err(error) => return Err(error),
        }
    }
    Ok((known, unknown))
}

fn record(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    event: Event,
    user: UserKey,
    others: Vec<UserKey>,
) -> Result<(), Error> {
    caller.record(tx, vec![Entry { event, person: Some(user), others }])
}
