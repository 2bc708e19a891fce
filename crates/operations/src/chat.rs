//! What every operation on channels, messages and reactions needs: who may come in, and what is shown there.
//!
//! A channel that a caller may not read does not exist for it, and neither does what is in it.

use std::collections::{BTreeSet, HashMap};

use model::{
    Action, Attached, ChannelMember, ChannelMemberView, ChannelView, Cid, CustomText, Deletion, Grants,
    Invalid, Message, MessageView, NewMember, Place, ReactionView, Resource, Shown, StoredChannel,
    StoredUser, Teams, User, UserId, UserKey, grants_of_type,
};
use storage::messages::StoredMessage;
use storage::{Tx, channels, messages, reactions};

use crate::admitted::People;
use crate::{Admitted, Ctx, Error};

/// A channel, and what somebody is in it.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) stored: StoredChannel,
    /// The membership of whoever reads: the caller, or the user whom a server names.
    pub(crate) member: Option<ChannelMember>,
    /// The roles that the caller has in the channel.
    roles: Vec<String>,
}

impl Entered {
    /// The channel with the membership of `reader`. At most one statement.
    pub(crate) fn load(
        tx: &mut Tx<'_>,
        caller: &Admitted<'_>,
        stored: StoredChannel,
        reader: Option<UserKey>,
    ) -> Result<Self, Error> {
        let found = channels::members_among(tx, stored.key, reader.as_slice())?;
        let member = found.into_iter().next().map(|(_, member)| member);
        // To be a member of a channel of another team helps nobody (semantics 8.12).
        let role = member
            .as_ref()
            .filter(|_| !caller.is_server() && is_within(caller, stored.channel.team.as_ref()));
        Ok(Self { roles: role.map(|member| member.role.clone()).into_iter().collect(), stored, member })
    }

    /// Asks whether the caller may do `action` here, on what belongs to `owner`.
    pub(crate) fn permit(
        &self,
        caller: &Admitted<'_>,
        action: Action,
        owner: Option<&UserId>,
    ) -> Result<(), Error> {
        let channel = &self.stored.channel;
        permit_in(caller, action, (&channel.cid, channel.team.as_ref()), owner, &self.roles)
    }

    /// Asks whether the caller may do `action` to the channel itself.
    pub(crate) fn permit_whole(&self, caller: &Admitted<'_>, action: Action) -> Result<(), Error> {
        self.permit(caller, action, self.stored.channel.created_by.as_ref())
    }

    /// Whether the caller may know of the channel.
    fn is_open_to(&self, caller: &Admitted<'_>) -> Result<bool, Error> {
        match self.permit_whole(caller, Action::ReadChannel) {
            Ok(()) => Ok(true),
            Err(Error::Denied(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Asks whether the caller may do `action` in the channel of this name and team.
pub(crate) fn permit_in(
    caller: &Admitted<'_>,
    action: Action,
    (cid, team): (&Cid, Option<&String>),
    owner: Option<&UserId>,
    roles: &[String],
) -> Result<(), Error> {
    let grants = grants_of_type(&cid.kind);
    let grants: Vec<Grants<'_>> = grants.iter().map(Grants::new).collect();
    let resource = Resource {
        place: Place::Channel { kind: cid.kind.clone(), id: Some(cid.id.clone()) },
        owner,
        teams: Teams::OneOf(team.map(std::slice::from_ref).unwrap_or_default()),
        roles,
        grants: &grants,
    };
    caller.permit_on(action, &resource)
}

/// Whether what is of `team`, or of none, is within the teams of the caller.
fn is_within(caller: &Admitted<'_>, team: Option<&String>) -> bool {
    if !caller.app().is_some_and(|app| app.settings.is_multi_tenant()) {
        return true;
    }
    let mine = caller.user().map(|(_, standing)| standing.teams.as_slice()).unwrap_or_default();
    team.map_or(mine.is_empty(), |team| mine.contains(team))
}

/// Who reads: the user that the caller is, or whom a server names.
pub(crate) fn reader(caller: &Admitted<'_>, named: Option<&StoredUser>) -> Option<UserKey> {
    caller.user().map(|(_, standing)| standing.key).or_else(|| named.map(|user| user.key))
}

/// What a channel or a message is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be read, or added to: what is deleted is not there.
    Use,
    /// To be deleted: what a deactivation hides is there for whoever may delete it, before it comes back (semantics 9.5).
    Delete,
}

impl Purpose {
    /// Whether what is deleted so, or not at all, is there.
    fn meets(self, deletion: Option<Deletion>) -> bool {
        deletion.is_none_or(|deletion| self == Self::Delete && deletion.may_come_back())
    }
}

/// The channel of this name, if there is one that the caller may read. At most two statements.
pub(crate) fn enter(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    caller: &Admitted<'_>,
    cid: &Cid,
    reader: Option<UserKey>,
    purpose: Purpose,
) -> Result<Entered, Error> {
    let missing = || Error::NoChannel(Shown(&cid.to_string()).to_string());
    let found = channels::by_cid(tx, ctx.app()?.key, cid)?;
    let found = found.filter(|found| purpose.meets(found.channel.deletion)).ok_or_else(missing)?;
    let entered = Entered::load(tx, caller, found, reader)?;
    if entered.is_open_to(caller)? { Ok(entered) } else { Err(missing()) }
}

/// The message with this id in its channel, if there is one that the caller may read. At most three statements.
pub(crate) fn find_message(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    caller: &Admitted<'_>,
    id: &str,
    reader: Option<UserKey>,
    purpose: Purpose,
) -> Result<(StoredMessage, Entered), Error> {
    let missing = || Error::NoMessage(Shown(id).to_string());
    let message = messages::by_id(tx, ctx.app()?.key, id)?.ok_or_else(missing)?;
    let channel = channels::peek(tx, message.channel)?.ok_or_else(missing)?;
    let is_there =
        purpose.meets(channel.channel.deletion) && message.message.created_at >= channel.channel.created_at;
    if !is_there {
        return Err(missing());
    }
    let entered = Entered::load(tx, caller, channel, reader)?;
    // What is deleted, and what was written in the shadow, is not there for others (semantics 10.20, 12.21).
    let is_own = caller.id() == Some(&message.message.user);
    let is_hidden = !purpose.meets(message.message.deletion) || (message.message.shadowed && !is_own);
    if (is_hidden && !caller.is_server()) || !entered.is_open_to(caller)? {
        return Err(missing());
    }
    Ok((message, entered))
}

/// The users who are to be members of a channel of this team, each once, in the order in which they are named.
///
/// # Errors
/// When one is named twice, or does not exist for the caller or in the team; a server is told who was deleted (semantics
/// 10.16).
pub(crate) fn members<'p>(
    caller: &Admitted<'_>,
    people: &'p People,
    team: Option<&String>,
    named: &[NewMember],
    field: &str,
) -> Result<Vec<&'p StoredUser>, Error> {
    /// How many a refusal names.
    const NAMED: usize = 10;
    let apart = caller.app().is_some_and(|app| app.settings.is_multi_tenant());
    let (mut found, mut unknown, mut known) = (Vec::new(), Vec::new(), BTreeSet::new());
    for member in named {
        if !known.insert(&member.user) {
            let why = format!("must name each user once, names '{}' twice", member.user);
            return Err(Invalid::new(field, why).into());
        }
        let fits = |user: &StoredUser| match team {
            Some(team) => !apart || user.user.teams.contains(team),
            None => caller.sees(&user.user),
        };
        match people.existing(&member.user) {
            Ok(user) if fits(user) => found.push(user),
            Err(Error::Deleted(id)) if caller.is_server() => return Err(Error::Deleted(id)),
            _ => unknown.push(member.user.as_str()),
        }
    }
    if unknown.is_empty() {
        return Ok(found);
    }
    let shown: Vec<String> = unknown.iter().take(NAMED).map(|id| Shown(id).to_string()).collect();
    let more = match unknown.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let why = format!("there are no users {}{more}; every member must exist", shown.join(", "));
    Err(Invalid::new(field, why).into())
}

/// What the caller sees of a user in a channel. Of one of whom it may know nothing, the id remains.
pub(crate) fn shown(caller: &Admitted<'_>, user: User<CustomText>) -> User<CustomText> {
    if caller.sees(&user) { caller.shown(user) } else { caller.shown(user.stripped()) }
}

/// The channel with who created it. At most one statement.
pub(crate) fn channel_view(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    stored: StoredChannel,
) -> Result<ChannelView, Error> {
    let creator = channels::people(tx, stored.created_by.as_slice())?.pop();
    let channel = stored.channel;
    let creator = match creator {
        Some((_, user)) => Some(shown(caller, user)),
        None => channel.created_by.clone().map(|owner| User::stand_in(owner, channel.created_at)),
    };
    Ok(ChannelView { channel, creator })
}

/// Members as the caller sees them, without those of whom it may know nothing.
pub(crate) fn member_views(caller: &Admitted<'_>, found: Vec<ChannelMemberView>) -> Vec<ChannelMemberView> {
    let seen = found.into_iter().filter(|view| caller.sees(&view.user));
    seen.map(|view| ChannelMemberView { user: caller.shown(view.user), ..view }).collect()
}

/// Messages of one channel as the caller sees them: at most four statements.
pub(crate) fn message_views(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    found: Vec<(StoredMessage, User<CustomText>)>,
    reader: Option<UserKey>,
) -> Result<Vec<MessageView>, Error> {
    let Some(channel) = found.first().map(|(stored, _)| stored.channel) else { return Ok(Vec::new()) };
    let authors: BTreeSet<UserKey> = found.iter().map(|(stored, _)| stored.user).collect();
    let authors: Vec<UserKey> = authors.into_iter().collect();
    let members = channels::members_among(tx, channel, &authors)?;
    let roles: HashMap<UserKey, String> =
        members.into_iter().map(|(user, member)| (user, member.role)).collect();
    let keys: Vec<_> = found.iter().map(|(stored, _)| stored.key).collect();
    let mut reacted = reactions::of(tx, &keys, reader)?;
    let views = found.into_iter().map(|(stored, author)| {
        let mut reactions = reacted.remove(&stored.key).unwrap_or_default();
        reactions.latest = reaction_views(caller, reactions.latest);
        reactions.own = reaction_views(caller, reactions.own);
        let role = roles.get(&stored.user).cloned();
        let mut message = stored.message;
        if !caller.is_server() {
            // Who is shadow-banned must not find out; what is deleted is kept for servers.
            message.shadowed = false;
            if message.deletion.is_some() {
                message = Message {
                    text: String::new(),
                    attachments: Vec::new(),
                    custom: Attached::default(),
                    ..message
                };
            }
        }
        MessageView { message, author: shown(caller, author), role, reactions }
    });
    Ok(views.collect())
}

/// One message as the caller sees it: at most five statements.
pub(crate) fn message_view(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    stored: StoredMessage,
    reader: Option<UserKey>,
) -> Result<MessageView, Error> {
    let author = channels::people(tx, &[stored.user])?.pop();
    let missing = || Error::Storage(storage::Error::Unreadable("message"));
    let (_, author) = author.ok_or_else(missing)?;
    message_views(tx, caller, vec![(stored, author)], reader)?.pop().ok_or_else(missing)
}

/// Reactions as the caller sees them.
pub(crate) fn reaction_views(caller: &Admitted<'_>, found: Vec<ReactionView>) -> Vec<ReactionView> {
    found.into_iter().map(|view| ReactionView { user: shown(caller, view.user), ..view }).collect()
}
