//! Operations on reactions (v2 2.11).

use model::{
    Action, Event, Invalid, MOST_CHANNEL_MEMBERS, MOST_REACTIONS, MOST_REACTIONS_SHOWN, MessageView,
    NewReaction, Reaction, ReactionEvent, ReactionView, Shown, StoredUser, UserId, check_reaction_type,
};
use storage::log::Entry;
use storage::messages::StoredMessage;
use storage::{Tx, reactions};

use crate::admitted::People;
use crate::chat::{Purpose, find_message, message_view, reaction_views, reader, shown};
use crate::{Admitted, Ctx, Error};

/// How far into the reactions to a message a page may begin.
const MOST_OFFSET: usize = MOST_CHANNEL_MEMBERS;

/// Reacts to a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    /// Which.
    pub message: String,
    /// How.
    pub reaction: NewReaction,
    /// Whether it takes the place of every other one of the user.
    pub enforce_unique: bool,
}

/// A message and a reaction to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reacted {
    /// The message, after the change.
    pub message: MessageView,
    /// The reaction.
    pub reaction: ReactionView,
}

/// Carries out [`Send`]. A reaction of the same type takes the place of the one before.
///
/// # Errors
/// When the reaction breaks a rule, or the user has given as many as it may; [`Error::NoMessage`].
pub fn send(tx: &mut Tx<'_>, ctx: &Ctx, command: &Send) -> Result<Reacted, Error> {
    let caller = ctx.admit(tx)?;
    let new = &command.reaction;
    new.check().map_err(|invalid| invalid.within("reaction"))?;
    let actor_id = caller.actor(new.user.as_ref(), "reaction.user_id")?;
    let people = People::load(tx, ctx.app()?, [&actor_id])?;
    let actor = people.actor(&actor_id)?;
    if actor.user.ban.is_some_and(|ban| !ban.shadow && ban.is_in_force(ctx.now)) {
        return Err(Error::Banned(actor_id));
    }
    let (found, entered) = find_message(tx, ctx, &caller, &command.message, Some(actor.key), Purpose::Use)?;
    entered.permit_whole(&caller, Action::CreateReaction)?;
    if found.message.deletion.is_some() {
        return Err(Error::NoMessage(Shown(&command.message).to_string()));
    }
    let known = reactions::known(tx, (found.key, &found.message.id), (actor.key, &actor_id), &new.kind)?;
    let reaction = Reaction {
        message: found.message.id.clone(),
        user: actor_id,
        kind: new.kind.clone(),
        score: new.score,
        custom: new.custom.clone(),
        created_at: known.same.as_ref().map_or(ctx.now, |same| same.created_at),
        updated_at: ctx.now,
    };
    if command.enforce_unique {
        reactions::remove_all_but(tx, found.key, actor.key, &new.kind)?;
    } else if known.same.is_none() && known.count >= MOST_REACTIONS {
        let why = format!("a user may react to a message in {MOST_REACTIONS} ways, and has done so");
        return Err(Invalid::new("reaction.type", why).into());
    }
    let is_same = |same: &Reaction| same.score == reaction.score && same.custom == reaction.custom;
    let unchanged = known.same.as_ref().is_some_and(is_same) && (!command.enforce_unique || known.count == 1);
    if !unchanged {
        reactions::put(tx, found.key, actor.key, known.same.as_ref(), &reaction)?;
        let event = event(&found, &reaction);
        let event = match known.same {
            Some(_) => Event::ReactionUpdated(event),
            None => Event::ReactionNew(event),
        };
        record(tx, &caller, &found, actor, event)?;
    }
    let stored = known.same.filter(|_| unchanged).unwrap_or(reaction);
    answer(tx, &caller, found, actor, stored)
}

/// Takes back a reaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// To which message.
    pub message: String,
    /// The type.
    pub kind: String,
    /// Of whom; of the user who asks, when nobody is named.
    pub user: Option<UserId>,
}

/// Carries out [`Delete`].
///
/// # Errors
/// [`Error::NoMessage`], [`Error::NoReaction`].
pub fn delete(tx: &mut Tx<'_>, ctx: &Ctx, command: &Delete) -> Result<Reacted, Error> {
    let caller = ctx.admit(tx)?;
    check_reaction_type(&command.kind).map_err(|invalid| invalid.within("type"))?;
    let actor_id = caller.actor(command.user.as_ref(), "user_id")?;
    let people = People::load(tx, ctx.app()?, [&actor_id])?;
    let actor = people.actor(&actor_id)?;
    let (found, entered) = find_message(tx, ctx, &caller, &command.message, Some(actor.key), Purpose::Use)?;
    entered.permit(&caller, Action::DeleteReaction, Some(&actor_id))?;
    let known = reactions::known(tx, (found.key, &found.message.id), (actor.key, &actor_id), &command.kind)?;
    let Some(reaction) = known.same else {
        return Err(Error::NoReaction {
            user: actor_id,
            kind: Shown(&command.kind).to_string(),
            message: Shown(&command.message).to_string(),
        });
    };
    reactions::remove(tx, found.key, actor.key, &command.kind)?;
    record(tx, &caller, &found, actor, Event::ReactionDeleted(event(&found, &reaction)))?;
    answer(tx, &caller, found, actor, reaction)
}

fn event(found: &StoredMessage, reaction: &Reaction) -> ReactionEvent {
    ReactionEvent {
        cid: found.message.cid.clone(),
        author: found.message.user.clone(),
        reaction: reaction.clone(),
    }
}

fn record(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    found: &StoredMessage,
    actor: &StoredUser,
    event: Event,
) -> Result<(), Error> {
    let others = (found.user != actor.key).then_some(found.user).into_iter().collect();
    caller.record(tx, vec![Entry { event, person: Some(actor.key), others }])
}

fn answer(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    found: StoredMessage,
    actor: &StoredUser,
    reaction: Reaction,
) -> Result<Reacted, Error> {
    let message = message_view(tx, caller, found, Some(actor.key))?;
    let user = storage::channels::people(tx, &[actor.key])?.pop();
    let (_, user) = user.ok_or(Error::Storage(storage::Error::Unreadable("user")))?;
    Ok(Reacted { message, reaction: ReactionView { reaction, user: shown(caller, user) } })
}

/// A page of the reactions to a message, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Which message.
    pub message: String,
    /// How many.
    pub limit: usize,
    /// After how many.
    pub offset: usize,
}

/// Carries out [`List`].
///
/// # Errors
/// [`Error::NoMessage`], or when the page is none.
pub fn list(tx: &mut Tx<'_>, ctx: &Ctx, command: &List) -> Result<Vec<ReactionView>, Error> {
    let caller = ctx.admit(tx)?;
    let bounds = [("limit", command.limit, MOST_REACTIONS_SHOWN), ("offset", command.offset, MOST_OFFSET)];
    for (field, count, most) in bounds {
        if count > most {
            return Err(Invalid::new(field, format!("must be at most {most}, got {count}")).into());
        }
    }
    let (found, _) = find_message(tx, ctx, &caller, &command.message, reader(&caller, None), Purpose::Use)?;
    Ok(reaction_views(&caller, reactions::page(tx, found.key, command.limit, command.offset)?))
}
