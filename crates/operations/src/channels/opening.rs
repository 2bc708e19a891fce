//! A channel is asked for and made when it is not there (v2 2.11).
//!
//! Nearly always it is there, so it is looked for first, by an operation that only reads: [`find`].

use std::collections::BTreeSet;

use model::{
    Action, Attached, Channel, ChannelState, Cid, Event, Extent, Invalid, NewMember, Shown, StoredChannel,
    StoredUser, UserId, UserKey, check_new_cid, check_team, check_type, distinct_id,
};
use storage::log::Entry;
use storage::{Tx, channels};

use super::{check_members, member_rows, state};
use crate::admitted::People;
use crate::chat::{self, Entered, permit_in, reader};
use crate::{Admitted, Ctx, Error};

/// Reads a channel, and makes it when it is not there.
#[derive(Clone, Debug, PartialEq)]
pub struct GetOrCreate {
    /// The type.
    pub kind: String,
    /// The id; `None` is the channel that exactly the members share.
    pub id: Option<String>,
    /// Who creates it; the user who asks, when nobody is named.
    pub created_by: Option<UserId>,
    /// The team.
    pub team: Option<String>,
    /// The app's own data.
    pub custom: Attached,
    /// Who is in it from the beginning.
    pub members: Vec<NewMember>,
    /// How much of it is answered.
    pub extent: Extent,
}

/// Answers the channel that [`get_or_create`] would answer without making one, and `None` where it would make one. Writes
/// nothing.
///
/// # Errors
/// See [`get_or_create`], but for what is wrong with a channel that is to be made.
pub fn find(tx: &mut Tx<'_>, ctx: &Ctx, command: &GetOrCreate) -> Result<Option<ChannelState>, Error> {
    let caller = ctx.admit(tx)?;
    let (cid, actor_id) = command.check(&caller)?;
    let people = People::load(tx, ctx.app()?, &actor_id)?;
    let actor = actor_id.as_ref().map(|id| people.actor(id)).transpose()?;
    match look(tx, ctx, &cid)? {
        Looked::There(found) => Ok(Some(show(tx, &caller, command, found, reader(&caller, actor))?)),
        Looked::Missing | Looked::Deleted(_) => Ok(None),
    }
}

/// Carries out [`GetOrCreate`]. Answers whether the channel was made. What is given of a channel that is there is only looked
/// at in order to find it.
///
/// # Errors
/// When the caller may neither read nor make it, or a field of a channel that is to be made breaks a rule;
/// [`Error::NoChannel`] while a deactivation hides it.
pub fn get_or_create(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    command: &GetOrCreate,
) -> Result<(ChannelState, bool), Error> {
    let caller = ctx.admit(tx)?;
    let (cid, actor_id) = command.check(&caller)?;
    let named = command.members.iter().map(|member| &member.user).chain(&actor_id);
    let people = People::load(tx, ctx.app()?, named)?;
    let actor = actor_id.as_ref().map(|id| people.actor(id)).transpose()?;
    let reader = reader(&caller, actor);
    let deleted = match look(tx, ctx, &cid)? {
        Looked::There(found) => return Ok((show(tx, &caller, command, found, reader)?, false)),
        Looked::Deleted(deleted) => Some(deleted),
        Looked::Missing => None,
    };
    let Some(actor) = actor else {
        let why = "is required with a server token to make a channel: the user who creates it";
        return Err(Invalid::new("data.created_by_id", why).into());
    };
    let stored = create(tx, ctx, &caller, command, cid, (actor, &people), deleted)?;
    let entered = Entered::load(tx, &caller, stored, reader)?;
    Ok((state(tx, &caller, entered, reader, command.extent)?, true))
}

impl GetOrCreate {
    /// Which channel is meant, and by whom.
    fn check(&self, caller: &Admitted<'_>) -> Result<(Cid, Option<UserId>), Error> {
        let cid = name(caller, self)?;
        self.extent.check()?;
        check_members("data.members", &self.members)?;
        Ok((cid, caller.actor_if_any(self.created_by.as_ref(), "data.created_by_id")?))
    }
}

/// What there is under the name of a channel.
enum Looked {
    There(StoredChannel),
    /// Another one may take its place.
    Deleted(StoredChannel),
    Missing,
}

/// Looks for a channel. One that a deactivation hides comes back with its creator: until then nobody gets it, and nobody gets
/// its name.
fn look(tx: &mut Tx<'_>, ctx: &Ctx, cid: &Cid) -> Result<Looked, Error> {
    let found = channels::by_cid(tx, ctx.app()?.key, cid)?;
    match found {
        None => Ok(Looked::Missing),
        Some(found) => match found.channel.deletion {
            None => Ok(Looked::There(found)),
            Some(deletion) if deletion.may_come_back() => {
                Err(Error::NoChannel(Shown(&cid.to_string()).to_string()))
            }
            Some(_) => Ok(Looked::Deleted(found)),
        },
    }
}

/// The channel that was found, for a caller who may read it.
fn show(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    command: &GetOrCreate,
    found: StoredChannel,
    reader: Option<UserKey>,
) -> Result<ChannelState, Error> {
    let entered = Entered::load(tx, caller, found, reader)?;
    entered.permit_whole(caller, Action::ReadChannel)?;
    if !caller.is_server() && command.team.is_some() && command.team != entered.stored.channel.team {
        return Err(Error::FixedTeam);
    }
    state(tx, caller, entered, reader, command.extent)
}

/// The name of the channel that is meant.
fn name(caller: &Admitted<'_>, command: &GetOrCreate) -> Result<Cid, Error> {
    let kind = command.kind.clone();
    if let Some(id) = &command.id {
        return Ok(Cid { kind, id: id.clone() });
    }
    check_type(&kind)?;
    let members: BTreeSet<&UserId> = command.members.iter().map(|member| &member.user).collect();
    if members.is_empty() {
        let why = "is required: the users who share the channel";
        return Err(Invalid::new("data.members", why).into());
    }
    match caller.user() {
        Some((id, _)) if !members.contains(id) => {
            let why =
                format!("must hold '{id}', the user of the token: the channel is found by who shares it");
            Err(Invalid::new("data.members", why).into())
        }
        _ => Ok(Cid { kind, id: distinct_id(&members) }),
    }
}

/// Makes a channel, in the place of a deleted one if there is one.
fn create(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    caller: &Admitted<'_>,
    command: &GetOrCreate,
    cid: Cid,
    (actor, people): (&StoredUser, &People),
    deleted: Option<StoredChannel>,
) -> Result<StoredChannel, Error> {
    if command.id.is_some() {
        check_new_cid(&cid)?;
    }
    command.team.as_deref().map_or(Ok(()), |team| check_team("data.team", team))?;
    permit_in(caller, Action::CreateChannel, (&cid, command.team.as_ref()), None, &[])?;
    let members = chat::members(caller, people, command.team.as_ref(), &command.members, "data.members")?;
    // What was written in a channel that was deleted is from before this one.
    let before = deleted.as_ref().and_then(|deleted| deleted.channel.last_message_at);
    let now = before.map_or(ctx.now, |before| ctx.now.max(before.next()));
    let mut channel = Channel {
        cid,
        team: command.team.clone(),
        created_by: Some(actor.user.id.clone()),
        custom: command.custom.clone(),
        member_count: 0,
        message_count: deleted.as_ref().map_or(0, |deleted| deleted.channel.message_count),
        created_at: now,
        updated_at: now,
        last_message_at: None,
        deletion: None,
    };
    let key = match deleted {
        Some(deleted) => {
            channels::replace(tx, deleted.key, &channel, actor.key)?;
            deleted.key
        }
        None => channels::insert(tx, ctx.app()?.key, &channel, actor.key)?,
    };
    let rows = member_rows(ctx, &members, &command.members);
    channels::add_members(tx, key, &rows.iter().map(|(user, member)| (*user, member)).collect::<Vec<_>>())?;
    channel.member_count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let mut others: Vec<UserKey> = rows.iter().map(|(user, _)| *user).collect();
    others.retain(|user| *user != actor.key);
    others.push(actor.key);
    let event = Event::ChannelCreated {
        channel: Box::new(channel.clone()),
        members: rows.into_iter().map(|(_, member)| member.user).collect(),
    };
    caller.record(tx, vec![Entry { event, person: None, others }])?;
    Ok(StoredChannel { key, created_by: Some(actor.key), channel })
}
