//! Operations on messages (v2 2.11).

use model::{
    Action, ChannelView, Cid, Deletion, DeletionCause, Event, Invalid, Message, MessageKind, MessageView,
    NewMessage, Shown, UserId,
};
use storage::log::Entry;
use storage::messages::{self, StoredMessage};
use storage::{Tx, erase_chat};

use crate::admitted::People;
use crate::chat::{self, Purpose, find_message, message_view, reader};
use crate::{Ctx, Error};

/// Writes a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    /// In which channel.
    pub cid: Cid,
    /// What.
    pub message: NewMessage,
}

/// Carries out [`Send`].
///
/// # Errors
/// When the message breaks a rule or its id is used; [`Error::NoChannel`]; [`Error::Banned`] of whom a server names.
pub fn send(tx: &mut Tx<'_>, ctx: &Ctx, command: &Send) -> Result<MessageView, Error> {
    let caller = ctx.admit(tx)?;
    let new = &command.message;
    new.check().map_err(|invalid| invalid.within("message"))?;
    if new.kind == MessageKind::System && !caller.is_server() {
        return Err(Error::ServerOnly("message.type".to_owned()));
    }
    let actor_id = caller.actor(new.user.as_ref(), "message.user_id")?;
    let people = People::load(tx, ctx.app()?, [&actor_id])?;
    let actor = people.actor(&actor_id)?;
    let ban = actor.user.ban.filter(|ban| ban.is_in_force(ctx.now));
    if ban.is_some_and(|ban| !ban.shadow) {
        return Err(Error::Banned(actor_id));
    }
    let entered = chat::enter(tx, ctx, &caller, &command.cid, Some(actor.key), Purpose::Use)?;
    entered.permit_whole(&caller, Action::CreateMessage)?;
    let message = Message {
        id: new.id.clone().unwrap_or_else(|| ctx.uuid_by_time()),
        cid: entered.stored.channel.cid.clone(),
        user: actor_id,
        kind: new.kind,
        text: new.text.clone(),
        attachments: new.attachments.clone(),
        custom: new.custom.clone(),
        shadowed: ban.is_some(),
        // Never before its channel, whose clock may have been that of another server.
        created_at: ctx.now.max(entered.stored.channel.created_at),
        updated_at: ctx.now.max(entered.stored.channel.created_at),
        deletion: None,
    };
    let channel = entered.stored.key;
    let Some(key) = messages::insert(tx, ctx.app()?.key, channel, actor.key, &message)? else {
        let why = format!("there is a message with the id {}; choose another one", Shown(&message.id));
        return Err(Invalid::new("message.id", why).into());
    };
    let event = Event::MessageNew { message: Box::new(message.clone()) };
    caller.record(tx, vec![Entry { event, person: Some(actor.key), others: Vec::new() }])?;
    let stored = StoredMessage { key, channel, user: actor.key, message };
    message_view(tx, &caller, stored, Some(actor.key))
}

/// Reads a message, with its channel. A server also reads what is deleted and kept.
///
/// # Errors
/// [`Error::NoMessage`].
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: &str) -> Result<(MessageView, ChannelView), Error> {
    let caller = ctx.admit(tx)?;
    let reader = reader(&caller, None);
    let (found, entered) = find_message(tx, ctx, &caller, id, reader, Purpose::Use)?;
    let message = message_view(tx, &caller, found, reader)?;
    Ok((message, chat::channel_view(tx, &caller, entered.stored)?))
}

/// Deletes a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// Which.
    pub id: String,
    /// Whether it is taken away, with all that hangs on it, and not only marked. For servers. What the log says of it stays
    /// for as long as the log does (docs/deletion.md).
    pub hard: bool,
    /// Who does it, if a server says so.
    pub deleted_by: Option<UserId>,
}

/// Carries out [`Delete`]. What is deleted already stays as it is, unless it is to go for good; what a deactivation hides is
/// deleted like any other message, and does not come back (semantics 9.5). At most so many statements as reading it, and a few.
///
/// # Errors
/// [`Error::NoMessage`]; when a client wants it gone for good, or who deletes it does not exist.
pub fn delete(tx: &mut Tx<'_>, ctx: &Ctx, command: &Delete) -> Result<MessageView, Error> {
    let caller = ctx.admit(tx)?;
    if command.hard && !caller.is_server() {
        return Err(Error::ServerOnly("hard".to_owned()));
    }
    let deleted_by = caller.actor_if_any(command.deleted_by.as_ref(), "deleted_by")?;
    let people = People::load(tx, ctx.app()?, &deleted_by)?;
    let actor = deleted_by.as_ref().map(|id| people.actor(id)).transpose()?.map(|actor| actor.key);
    let reader = reader(&caller, None);
    let (mut found, entered) = find_message(tx, ctx, &caller, &command.id, reader, Purpose::Delete)?;
    let is_hidden = found.message.deletion.is_some() || entered.stored.channel.deletion.is_some();
    match entered.permit(&caller, Action::DeleteMessage, Some(&found.message.user)) {
        // Whoever may not delete what is hidden does not learn that it is there.
        Err(Error::Denied(_)) if is_hidden => return Err(Error::NoMessage(Shown(&command.id).to_string())),
        permitted => permitted?,
    }
    // What a deactivation hides may come back, until somebody deletes it.
    let known = found.message.deletion.filter(|deletion| !deletion.may_come_back());
    if known.is_some() && !command.hard {
        return message_view(tx, &caller, found, reader);
    }
    let deletion = known.unwrap_or(Deletion { at: ctx.now, cause: DeletionCause::ByHand });
    found.message.deletion = Some(deletion);
    let view = message_view(tx, &caller, found.clone(), reader)?;
    if command.hard {
        erase_chat::remove_message(tx, ctx.app()?.key, &found)?;
    } else {
        messages::hide(tx, found.key, deletion)?;
    }
    let event = Event::MessageDeleted { message: Box::new(found.message), hard: command.hard, deleted_by };
    let others = actor.filter(|actor| *actor != found.user).into_iter().collect();
    caller.record(tx, vec![Entry { event, person: Some(found.user), others }])?;
    Ok(view)
}
