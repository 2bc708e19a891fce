//! Operations on bans from the whole app (semantics 12.16 to 12.25) and on what moderation lets pass.

use model::{
    Action, Ban, BanQuery, BanRecord, Cid, Event, Invalid, LetIn, ShutOut, StoredUser, User, UserId,
    check_reason,
};
use storage::Tx;
use storage::bans::{self, NewBan};
use storage::find::{self, BansInReach, Scope};
use storage::log::Entry;

use crate::admitted::People;
use crate::{Admitted, Ctx, Error};

/// Carries out [`ShutOut`]. A ban takes the place of the one before.
///
/// # Errors
/// When the user does not exist for the caller, is the caller or the one named as author, or has a role for which a client
/// may not ban it; when the ban would not last, or the reason is too long.
pub fn ban(tx: &mut Tx<'_>, ctx: &Ctx, command: &ShutOut) -> Result<(), Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::BanUser)?;
    let target = &command.target;
    let author = caller.actor_if_any(command.banned_by.as_ref(), "banned_by_id")?;
    if author.as_ref() == Some(target) {
        return Err(Invalid::new("target_user_id", "nobody can ban themselves").into());
    }
    let ban = Ban::lasting(command.minutes, command.shadow, ctx.now).map_err(|why| why.within("timeout"))?;
    let reason = command.reason.as_deref().filter(|reason| !reason.is_empty());
    check_reason(reason)?;
    refuse_channel(command.channel.as_ref())?;
    let app = caller.known_app()?;
    let people = People::load(tx, app, std::iter::once(target).chain(&author))?;
    let author = author.map(|id| people.actor(&id)).transpose()?;
    let found = people.target(&caller, Action::BanUser, target)?;
    if let Some(role) = found.user.unbannable_role(app).filter(|_| !caller.is_server()) {
        return Err(Error::Unbannable { id: target.clone(), role: role.to_owned() });
    }
    let new = NewBan {
        user: (found.key, target),
        ban,
        banned_by: author.map(|author| author.key),
        ip_ban: command.ip_ban,
        reason,
        created_at: ctx.now,
    };
    let total_bans = bans::put(tx, app.key, &new)?;
    let event = Event::UserBanned {
        user: Box::new(found.user.clone().as_of(ctx.now)),
        created_by: author.map(|author| author.user.id.clone()),
        expiration: ban.expires,
        reason: reason.map(str::to_owned),
        shadow: ban.shadow,
        total_bans,
    };
    record(tx, &caller, event, found, author)
}

/// Carries out [`LetIn`]. Of a user who is not banned nothing changes, and it succeeds.
///
/// # Errors
/// When the user does not exist for the caller, or is the caller or the one named as author.
pub fn unban(tx: &mut Tx<'_>, ctx: &Ctx, command: &LetIn) -> Result<(), Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::BanUser)?;
    let target = &command.target;
    let author = caller.actor_if_any(command.unbanned_by.as_ref(), "unbanned_by_id")?;
    // Whoever is shadow-banned must not find out, nor end it.
    if author.as_ref() == Some(target) {
        return Err(Invalid::new("target_user_id", "nobody can unban themselves").into());
    }
    refuse_channel(command.channel.as_ref())?;
    let app = caller.known_app()?;
    let people = People::load(tx, app, std::iter::once(target).chain(&author))?;
    let author = author.map(|id| people.actor(&id)).transpose()?;
    let found = people.target(&caller, Action::BanUser, target)?;
    if let Some(role) = found.user.unbannable_role(app).filter(|_| !caller.is_server()) {
        return Err(Error::Unbannable { id: target.clone(), role: role.to_owned() });
    }
    let Some(ban) = found.user.ban else { return Ok(()) };
    bans::lift(tx, app.key, (found.key, target))?;
    // One that was over goes from the list of bans as well, but the user was let in long ago.
    if !ban.is_in_force(ctx.now) {
        return Ok(());
    }
    let event = Event::UserUnbanned {
        user: Box::new(found.user.clone()),
        created_by: author.map(|author| author.user.id.clone()),
        shadow: ban.shadow,
    };
    record(tx, &caller, event, found, author)
}

/// Finds bans (12.23). A client sees those of users whom it may ban, and of authors no others.
///
/// # Errors
/// When the caller may ban nobody, or the store fails.
pub fn query(tx: &mut Tx<'_>, ctx: &Ctx, query: &BanQuery) -> Result<Vec<BanRecord>, Error> {
    let caller = ctx.admit(tx)?;
    let reach = caller.reach(Action::BanUser)?;
    let teams = caller.teams_of(Action::BanUser)?;
    let scope = Scope { app: ctx.app()?.key, now: ctx.now };
    let in_reach = BansInReach {
        users: (!caller.is_server()).then_some(&reach),
        unaware: caller.user().map(|(_, standing)| standing.key),
    };
    let mut found = find::bans(tx, scope, query, in_reach)?;
    for record in &mut found {
        let is_seen = |author: &User<_>| {
            caller.is_server() || (author.deleted_at.is_none() && is_within(teams.as_deref(), &author.teams))
        };
        record.banned_by = record.banned_by.take().filter(is_seen);
        record.banned_by.iter_mut().chain([&mut record.user]).for_each(|user| caller.veil(user));
    }
    Ok(found)
}

/// Has moderation let everything of a user pass, or no more (v2 2.9).
///
/// # Errors
/// When there is no such user.
pub fn bypass(tx: &mut Tx<'_>, ctx: &Ctx, target: &UserId, enabled: bool) -> Result<(), Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::BypassModeration)?;
    let people = People::load(tx, ctx.app()?, [target])?;
    let found = people.target(&caller, Action::BypassModeration, target)?;
    if found.user.bypass_moderation == enabled {
        return Ok(());
    }
    bans::set_bypass(tx, found.key, enabled)?;
    let user = Box::new(User { bypass_moderation: enabled, ..found.user.clone() });
    record(tx, &caller, Event::UserBypassChanged { user }, found, None)
}

/// Whether a user in `users_teams` is among those of `teams`: `None` is everybody, and no teams are those who have none.
pub(crate) fn is_within(teams: Option<&[String]>, users_teams: &[String]) -> bool {
    match teams {
        None => true,
        Some([]) => users_teams.is_empty(),
        Some(teams) => teams.iter().any(|team| users_teams.contains(team)),
    }
}

fn refuse_channel(channel: Option<&Cid>) -> Result<(), Error> {
    let unserved =
        || Invalid::new("channel_cid", "is not served yet; leave it out, and the whole app is meant");
    channel.map_or(Ok(()), |_| Err(unserved().into()))
}

fn record(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    event: Event,
    person: &StoredUser,
    author: Option<&StoredUser>,
) -> Result<(), Error> {
    let others = author.map(|author| author.key).into_iter().collect();
    caller.record(tx, vec![Entry { event, person: Some(person.key), others }])
}
