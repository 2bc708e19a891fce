//! Blocks: what keeps one user from reaching another (semantics 12.1 to 12.9).

use model::{Action, Block, CustomText, Event, Invalid, StoredUser, Timestamp, User, UserId, UserKey};
use storage::Tx;
use storage::blocks;
use storage::log::Entry;

use crate::admitted::People;
use crate::{Admitted, Ctx, Error};

/// A block as it is after it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Who blocks.
    pub by: UserId,
    /// Who is blocked.
    pub target: UserId,
    /// Since when.
    pub created_at: Timestamp,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// Has a user block another one (12.9). One that is there already stays as it is.
///
/// # Errors
/// When one of them does not exist, they are the same, or the user has blocked as many as it may.
pub fn block(tx: &mut Tx<'_>, ctx: &Ctx, command: &Block) -> Result<Blocked, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::BlockUser)?;
    let app = caller.current_app(tx)?;
    let by = caller.actor(command.user.as_ref(), "user_id")?;
    if by == command.target {
        return Err(Invalid::new("blocked_user_id", "must be somebody else: nobody can block oneself").into());
    }
    let people = People::load(tx, &app, [&by, &command.target])?;
    let user = people.actor(&by)?;
    let target = people.target(&caller, Action::BlockUser, &command.target)?;
    let known = blocks::known(tx, user.key, target.key)?;
    if let Some(created_at) = known.since {
        return Ok(Blocked { by, target: command.target.clone(), created_at, is_new: false });
    }
    let most = app.settings.most_blocks();
    if known.count >= most {
        let why = format!("cannot be blocked: '{by}' has blocked {most} users, as many as one may");
        return Err(Invalid::new("blocked_user_id", why).into());
    }
    blocks::insert(tx, user, target.key, ctx.now)?;
    let event = Event::UserBlocked { user: by.clone(), blocked: command.target.clone() };
    record(tx, &caller, event, user, target.key)?;
    Ok(Blocked { by, target: command.target.clone(), created_at: ctx.now, is_new: true })
}

/// Ends a block. Whom one has blocked one can always let go; whoever is not blocked stays so.
///
/// # Errors
/// When one of them does not exist.
pub fn unblock(tx: &mut Tx<'_>, ctx: &Ctx, command: &Block) -> Result<(), Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::BlockUser)?;
    let app = ctx.app()?;
    let by = caller.actor(command.user.as_ref(), "user_id")?;
    let people = People::load(tx, app, [&by, &command.target])?;
    let user = people.actor(&by)?;
    if let Some(target) = people.any(&command.target)
        && blocks::remove(tx, user.key, target.key)?
    {
        let event = Event::UserUnblocked { user: by, blocked: command.target.clone() };
        return record(tx, &caller, event, user, target.key);
    }
    people.target(&caller, Action::BlockUser, &command.target).map(drop)
}

/// Whom a user has blocked.
#[derive(Debug)]
pub struct BlockList {
    /// The user.
    pub user: User,
    /// Who is blocked since when, in the order in which they were.
    pub blocked: Vec<(User<CustomText>, Timestamp)>,
}

/// Lists whom a user has blocked: the caller, or the one that a server names. Who is deleted, or out of the caller's
/// sight by now, is left out.
///
/// # Errors
/// When there is no such user.
pub fn list(tx: &mut Tx<'_>, ctx: &Ctx, user: Option<&UserId>) -> Result<BlockList, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::BlockUser)?;
    let id = caller.actor(user, "user_id")?;
    let people = People::load(tx, ctx.app()?, [&id])?;
    let StoredUser { key, user, .. } = people.actor(&id)?.clone();
    let mut blocked = Vec::new();
    for found in blocks::list(tx, key)? {
        if caller.still_sees(Action::BlockUser, &found.user.user) {
            blocked.push((caller.shown(found.user.user), found.since));
        }
    }
    Ok(BlockList { user: caller.shown(user), blocked })
}

fn record(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    event: Event,
    user: &StoredUser,
    target: UserKey,
) -> Result<(), Error> {
    caller.record(tx, vec![Entry { event, person: Some(user.key), others: vec![target] }])
}
