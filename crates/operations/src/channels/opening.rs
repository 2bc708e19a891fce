//! A channel is asked for and made when it is not there (v2 2.11).
//!
//! Nearly always it is there, so it is looked for first, by an operation that only reads: [`find`].

use model::{
    Action, Attached, Channel, ChannelState, Cid, Event, Extent, Invalid, NewMember, Secret, Shown,
    StoredChannel, StoredUser, UserId, UserKey, check_new_cid, check_team, check_type, distinct_id,
    tombstone,
};
use storage::log::Entry;
use storage::{Tx, apps, channels};

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
    let actor_id = command.check(&caller)?;
    let app = ctx.app()?;
    // Of a channel with a name, nobody but who asks has to be known.
    let named = if command.id.is_none() { command.members.as_slice() } else { &[] };
    let people = People::load(tx, app, named.iter().map(|member| &member.user).chain(&actor_id))?;
    let actor = actor_id.as_ref().map(|id| people.actor(id)).transpose()?;
    command.check_sharers(&caller, &people)?;
    // Without a key no channel has been found by its members before.
    let Some(cid) = command.cid(app.settings.members_key.as_ref()) else { return Ok(None) };
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
    let actor_id = command.check(&caller)?;
    let named = command.members.iter().map(|member| &member.user).chain(&actor_id);
    let people = People::load(tx, ctx.app()?, named)?;
    let actor = actor_id.as_ref().map(|id| people.actor(id)).transpose()?;
    command.check_sharers(&caller, &people)?;
    let key = if command.id.is_none() { Some(members_key(tx, ctx)?) } else { None };
    let cid = command.cid(key.as_ref()).ok_or(storage::Error::Unreadable("app"))?;
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
    /// Checks what can be checked without knowing anybody. Answers who asks, if somebody does.
    fn check(&self, caller: &Admitted<'_>) -> Result<Option<UserId>, Error> {
        if self.id.is_none() {
            self.check_distinct(caller)?;
        }
        self.extent.check()?;
        check_members("data.members", &self.members)?;
        caller.actor_if_any(self.created_by.as_ref(), "data.created_by_id")
    }

    fn check_distinct(&self, caller: &Admitted<'_>) -> Result<(), Error> {
        check_type(&self.kind)?;
        if self.members.is_empty() {
            let why = "is required: the users who share the channel";
            return Err(Invalid::new("data.members", why).into());
        }
        match caller.user() {
            Some((id, _)) if !self.members.iter().any(|member| member.user == *id) => {
                let why =
                    format!("must hold '{id}', the user of the token: the channel is found by who shares it");
                Err(Invalid::new("data.members", why).into())
            }
            _ => Ok(()),
        }
    }

    /// Demands of a channel that is found by its members that they exist: whom it once had is nobody's to try out (semantics
    /// 10.16).
    fn check_sharers(&self, caller: &Admitted<'_>, people: &People) -> Result<(), Error> {
        let is_gone = |member: &NewMember| people.existing(&member.user).is_err();
        if self.id.is_none() && self.members.iter().any(is_gone) {
            chat::members(caller, people, self.team.as_ref(), &self.members, "data.members")?;
        }
        Ok(())
    }

    /// The name of the channel that is meant; one that is found by its members has none without a key.
    fn cid(&self, key: Option<&Secret>) -> Option<Cid> {
        let members = || self.members.iter().map(|member| &member.user).collect();
        let id = match &self.id {
            Some(id) => id.clone(),
            None => distinct_id(key?, &members()),
        };
        Some(Cid { kind: self.kind.clone(), id })
    }
}

/// What the members of channels that are found by them are hashed with, made when there is none yet.
fn members_key(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Secret, Error> {
    let known = ctx.app()?;
    if let Some(key) = &known.settings.members_key {
        return Ok(key.clone());
    }
    let found = apps::by_api_key(tx, &known.api_key)?;
    let mut app = found.ok_or_else(|| Error::NoApp(known.api_key.clone()))?;
    if let Some(key) = app.settings.members_key {
        return Ok(key);
    }
    // The seed shows in ids of this request, the secret nowhere: together they are known to nobody else.
    let drawn = UserId::parse(&format!("members-{:032x}", ctx.seed))?;
    let key = Secret::new(tombstone(&app.secret, &drawn));
    app.settings.members_key = Some(key.clone());
    apps::update(tx, &app)?;
    Ok(key)
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
    if let Err(denied) = entered.permit_whole(caller, Action::ReadChannel) {
        // Whoever may not make one either learns no more of it than of one that is not there.
        let name = (&entered.stored.channel.cid, command.team.as_ref());
        permit_in(caller, Action::CreateChannel, name, None, &[])?;
        return Err(denied);
    }
    if !caller.is_server() && command.team.is_some() && command.team != entered.stored.channel.team {
        return Err(Error::FixedTeam);
    }
    state(tx, caller, entered, reader, command.extent)
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
