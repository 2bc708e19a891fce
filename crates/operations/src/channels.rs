//! Operations on channels (v2 2.11).

mod opening;

use std::collections::BTreeSet;

use model::{
    Action, ChannelMember, ChannelMemberView, ChannelState, ChannelView, Cid, Deletion, DeletionCause, Event,
    Extent, Invalid, MOST_CHANNEL_MEMBERS, MOST_CHANNEL_MEMBERS_A_CALL, MOST_MEMBERS_SHOWN, NewMember, Shown,
    StoredChannel, StoredUser, UserId, UserKey,
};
use storage::log::Entry;
use storage::{Tx, channels, erase_chat, messages};

pub use self::opening::{GetOrCreate, find, get_or_create};
use crate::admitted::People;
use crate::chat::{self, Entered, Purpose, member_views, message_views, reader};
use crate::{Admitted, Ctx, Error};

/// The most messages of a channel that goes with all that is in it in one request.
pub const MOST_MESSAGES_REMOVED: u64 = 10_000;

fn member_rows(ctx: &Ctx, users: &[&StoredUser], named: &[NewMember]) -> Vec<(UserKey, ChannelMember)> {
    let row = |(user, named): (&&StoredUser, &NewMember)| {
        let member = ChannelMember {
            user: user.user.id.clone(),
            role: named.role.clone(),
            custom: named.custom.clone(),
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        (user.key, member)
    };
    users.iter().zip(named).map(row).collect()
}

fn check_members(field: &str, members: &[NewMember]) -> Result<(), Invalid> {
    check_count(field, members.len())?;
    members.iter().enumerate().try_for_each(|(place, member)| {
        member.check().map_err(|invalid| invalid.within(format!("{field}.{place}")))
    })
}

fn check_count(field: &str, count: usize) -> Result<(), Invalid> {
    if count <= MOST_CHANNEL_MEMBERS_A_CALL {
        return Ok(());
    }
    let why = format!("at most {MOST_CHANNEL_MEMBERS_A_CALL} users in one request, got {count}");
    Err(Invalid::new(field, why))
}

/// A channel with what is shown of it: at most nine statements.
fn state(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    entered: Entered,
    reader: Option<UserKey>,
    extent: Extent,
) -> Result<ChannelState, Error> {
    let Entered { stored, member, .. } = entered;
    let (key, since) = (stored.key, stored.channel.created_at);
    let members = channels::members(tx, key, extent.members, extent.members_offset)?;
    let shown = match caller.is_server() {
        true => messages::Shown::All,
        // Whoever is nobody has written nothing.
        false => messages::Shown::To(reader.unwrap_or(UserKey(0))),
    };
    let found = messages::newest(tx, key, since, shown, extent.messages)?;
    let messages = message_views(tx, caller, found, reader)?;
    let own = channels::people(tx, if member.is_some() { reader.as_slice() } else { &[] })?.pop();
    let membership = member.zip(own).map(|(member, (_, user))| ChannelMemberView { member, user });
    let membership = membership.and_then(|own| member_views(caller, vec![own]).pop());
    let channel = chat::channel_view(tx, caller, stored)?;
    Ok(ChannelState { channel, members: member_views(caller, members), membership, messages })
}

/// Reads a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Get {
    /// Which.
    pub cid: Cid,
    /// For whom a server reads, if for somebody.
    pub user: Option<UserId>,
    /// How much of it is answered.
    pub extent: Extent,
}

/// Carries out [`Get`].
///
/// # Errors
/// [`Error::NoChannel`]; when the user for whom a server reads does not exist.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, command: &Get) -> Result<ChannelState, Error> {
    let caller = ctx.admit(tx)?;
    command.extent.check()?;
    let reader = reading_for(tx, ctx, &caller, command.user.as_ref())?;
    let entered = chat::enter(tx, ctx, &caller, &command.cid, reader, Purpose::Use)?;
    state(tx, &caller, entered, reader, command.extent)
}

/// Who reads: a user token reads for its own user, an anonymous caller for nobody, a server for whom it names.
pub(crate) fn reading_for(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    caller: &Admitted<'_>,
    named: Option<&UserId>,
) -> Result<Option<UserKey>, Error> {
    match (caller.is_server(), named) {
        (true, Some(id)) => {
            let people = People::load(tx, ctx.app()?, [id])?;
            Ok(Some(people.existing(id)?.key))
        }
        (false, Some(id)) if caller.id() != Some(id) => {
            caller.actor(Some(id), "user_id")?;
            Ok(reader(caller, None))
        }
        _ => Ok(reader(caller, None)),
    }
}

/// Puts users into a channel, or takes them out.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateMembers {
    /// Which.
    pub cid: Cid,
    /// Who does it, if a server says so.
    pub user: Option<UserId>,
    /// Who comes.
    pub add: Vec<NewMember>,
    /// Who goes.
    pub remove: Vec<UserId>,
}

/// Carries out [`UpdateMembers`]: all or none. Who is in it already stays as it is, who is not in it is left alone.
///
/// # Errors
/// [`Error::NoChannel`]; when one who comes does not exist, the channel is found by its members, or would have more than it
/// may.
pub fn update_members(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    command: &UpdateMembers,
) -> Result<(ChannelView, Vec<ChannelMemberView>), Error> {
    let caller = ctx.admit(tx)?;
    command.check()?;
    let actor_id = caller.actor_if_any(command.user.as_ref(), "user_id")?;
    let named = command.add.iter().map(|member| &member.user).chain(&command.remove);
    let people = People::load(tx, ctx.app()?, named.chain(&actor_id))?;
    let actor = actor_id.as_ref().map(|id| people.actor(id)).transpose()?;
    let reader = reader(&caller, actor);
    let entered = chat::enter(tx, ctx, &caller, &command.cid, reader, Purpose::Use)?;
    let leaves = command.add.is_empty() && command.remove.iter().all(|id| caller.id() == Some(id));
    entered
        .permit_whole(&caller, if leaves { Action::LeaveChannel } else { Action::UpdateChannelMembers })?;
    let mut stored = entered.stored;
    if stored.channel.is_distinct() {
        let field = if command.add.is_empty() { "remove_members" } else { "add_members" };
        let why = "the channel is found by its members, who stay; share another one";
        return Err(Invalid::new(field, why).into());
    }
    let members = chat::members(&caller, &people, stored.channel.team.as_ref(), &command.add, "add_members")?;
    let rows = member_rows(ctx, &members, &command.add);
    let came = channels::add_members(
        tx,
        stored.key,
        &rows.iter().map(|(user, member)| (*user, member)).collect::<Vec<_>>(),
    )?;
    let going: Vec<UserKey> =
        command.remove.iter().filter_map(|id| people.any(id)).map(|user| user.key).collect();
    let gone = channels::members_among(tx, stored.key, &going)?;
    channels::remove_members(tx, stored.key, &gone.iter().map(|(user, _)| *user).collect::<Vec<_>>())?;
    stored.channel.member_count = (stored.channel.member_count
        + u64::try_from(came.len()).unwrap_or(u64::MAX))
    .saturating_sub(u64::try_from(gone.len()).unwrap_or(u64::MAX));
    if usize::try_from(stored.channel.member_count).unwrap_or(usize::MAX) > MOST_CHANNEL_MEMBERS {
        let why = format!(
            "a channel may have at most {MOST_CHANNEL_MEMBERS} members, it would have {}",
            stored.channel.member_count
        );
        return Err(Invalid::new("add_members", why).into());
    }
    let cid = &command.cid;
    let added = rows.into_iter().filter(|(user, _)| came.contains(user)).map(|(user, member)| {
        let event = Event::MemberAdded { cid: cid.clone(), member: Box::new(member) };
        Entry { event, person: Some(user), others: Vec::new() }
    });
    let removed = gone.into_iter().map(|(user, member)| {
        let event = Event::MemberRemoved { cid: cid.clone(), member: Box::new(member) };
        Entry { event, person: Some(user), others: Vec::new() }
    });
    caller.record(tx, added.chain(removed).collect())?;
    let members = channels::members(tx, stored.key, MOST_MEMBERS_SHOWN, 0)?;
    Ok((chat::channel_view(tx, &caller, stored)?, member_views(&caller, members)))
}

impl UpdateMembers {
    fn check(&self) -> Result<(), Invalid> {
        if self.add.is_empty() && self.remove.is_empty() {
            let why = "must name at least one user, here or in remove_members";
            return Err(Invalid::new("add_members", why));
        }
        check_members("add_members", &self.add)?;
        check_count("remove_members", self.remove.len())?;
        match self.remove.iter().find(|id| self.add.iter().any(|member| member.user == **id)) {
            Some(id) => {
                Err(Invalid::new("remove_members", format!("names '{id}', who is in add_members as well")))
            }
            None => Ok(()),
        }
    }
}

/// Deletes a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// Which.
    pub cid: Cid,
    /// Whether it is taken away, with all that hangs on it, and not only marked. For servers. What the log says of it stays
    /// for as long as the log does (docs/deletion.md).
    pub hard: bool,
}

/// Carries out [`Delete`]. A server may take away for good what is deleted already; whoever may delete a channel that a
/// deactivation hides keeps it from coming back (semantics 9.5).
///
/// # Errors
/// [`Error::NoChannel`]; when a client wants it gone for good, or it has too many messages to go at once.
pub fn delete(tx: &mut Tx<'_>, ctx: &Ctx, command: &Delete) -> Result<ChannelView, Error> {
    let caller = ctx.admit(tx)?;
    if command.hard && !caller.is_server() {
        return Err(Error::ServerOnly("hard_delete".to_owned()));
    }
    let missing = || Error::NoChannel(Shown(&command.cid.to_string()).to_string());
    let reader = reader(&caller, None);
    let entered = if command.hard {
        let found = channels::by_cid(tx, ctx.app()?.key, &command.cid)?.ok_or_else(missing)?;
        Entered::load(tx, &caller, found, reader)?
    } else {
        chat::enter(tx, ctx, &caller, &command.cid, reader, Purpose::Delete)?
    };
    match entered.permit_whole(&caller, Action::DeleteChannel) {
        // Whoever may not delete what is hidden does not learn that it is there.
        Err(Error::Denied(_)) if entered.stored.channel.deletion.is_some() => return Err(missing()),
        permitted => permitted?,
    }
    let mut stored = entered.stored;
    let deletion = Deletion { at: ctx.now, cause: DeletionCause::ByHand };
    let (mut members, mut others) = (Vec::new(), BTreeSet::from_iter(stored.created_by));
    if command.hard {
        for (_, key, id) in channels::everybody_in(tx, &[stored.key])? {
            others.insert(key);
            members.push(id);
        }
        remove(tx, &stored)?;
    } else {
        channels::hide(tx, stored.key, deletion)?;
    }
    stored.channel.deletion = Some(deletion);
    let channel = Box::new(stored.channel.clone());
    let event = Event::ChannelDeleted { channel, hard: command.hard, members };
    let others = others.into_iter().collect();
    caller.record(tx, vec![Entry { event, person: None, others }])?;
    chat::channel_view(tx, &caller, stored)
}

fn remove(tx: &mut Tx<'_>, stored: &StoredChannel) -> Result<(), Error> {
    let count = stored.channel.message_count;
    if count > MOST_MESSAGES_REMOVED {
        let why = format!(
            "a channel with at most {MOST_MESSAGES_REMOVED} messages can go at once, this one has {count}; delete it softly"
        );
        return Err(Invalid::new("hard_delete", why).into());
    }
    let most = usize::try_from(MOST_MESSAGES_REMOVED).unwrap_or(usize::MAX);
    let removed = erase_chat::remove_channel(tx, stored, most)?;
    if removed.channels == 0 {
        return Err(Error::Storage(storage::Error::Unreadable("channel")));
    }
    Ok(())
}
