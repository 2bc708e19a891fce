//! Operations on flags: reports to the moderators (semantics 12.26). They change nothing for who is reported.

use model::{
    Action, App, EntityKind, Event, Filter, Flag, FlagPage, FlagQuery, Invalid, MOST_FLAGS, Report,
    StoredUser, UserId, check_entity, check_reason,
};
use storage::Tx;
use storage::find::{self, Scope};
use storage::flags::{self, NewFlag};
use storage::log::Entry;

use crate::admitted::People;
use crate::{Admitted, Ctx, Error};

/// What came of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flagged {
    /// The item of the review queue, the same for all who report the same thing.
    pub item: String,
    /// Whether the user had not reported it before.
    pub is_new: bool,
}

/// Carries out [`Flag`]. Whoever reports the same thing again changes nothing.
///
/// # Errors
/// When what is flagged, or whose it is, does not exist for the caller; when users flag themselves; when the app does not
/// take the reason; when the report is too large, or the user has flagged [`MOST_FLAGS`] things.
pub fn flag(tx: &mut Tx<'_>, ctx: &Ctx, command: &Flag) -> Result<Flagged, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::FlagUser)?;
    let app = caller.current_app(tx)?;
    let reporter = caller.actor(command.user.as_ref(), "user_id")?;
    let reason = command.reason.as_deref().filter(|reason| !reason.is_empty());
    check(&app, command, reason)?;
    let creator = creator(command, &reporter)?;
    let people = People::load(tx, &app, std::iter::once(&reporter).chain(&creator))?;
    let reporter = people.actor(&reporter)?;
    let creator = creator.map(|id| people.target(&caller, Action::FlagUser, &id)).transpose()?;

    let most = if caller.is_server() { 0 } else { MOST_FLAGS };
    let entity = (&command.kind, command.entity.as_str());
    let known = flags::known(tx, app.key, entity, reporter.key, most)?;
    if let Some(item) = known.item.clone().filter(|_| known.by_same_user) {
        return Ok(Flagged { item, is_new: false });
    }
    if !caller.is_server() && known.of_same_user >= MOST_FLAGS as u64 {
        let why =
            format!("the user '{}' has flagged {MOST_FLAGS} things, which is the most", reporter.user.id);
        return Err(Invalid::new("entity_id", why).into());
    }
    let report = Report {
        item: known.item.unwrap_or_else(|| command.item.clone()),
        reason: reason.map(str::to_owned),
        custom: command.custom.clone().unwrap_or_default(),
        total_flags: known.flags + 1,
    };
    let new = NewFlag {
        user: reporter.key,
        kind: &command.kind,
        entity: &command.entity,
        creator: creator.map(|creator| creator.key),
        item: &report.item,
        reason,
        custom: command.custom.as_ref(),
        payload: command.payload.as_ref(),
        created_at: ctx.now,
    };
    flags::insert(tx, app.key, &new)?;
    let item = report.item.clone();
    record(tx, &caller, command, reporter, creator, report)?;
    Ok(Flagged { item, is_new: true })
}

fn check(app: &App, command: &Flag, reason: Option<&str>) -> Result<(), Error> {
    check_entity(&command.entity).map_err(|why| why.within("entity_id"))?;
    check_reason(reason)?;
    Ok(app.settings.check_flag_reason(reason)?)
}

/// Whose it is that is flagged: of a user, that user.
fn creator(command: &Flag, reporter: &UserId) -> Result<Option<UserId>, Error> {
    match &command.kind {
        EntityKind::Other(_) => Ok(command.creator.clone()),
        EntityKind::Message => {
            Err(Invalid::new("entity_type", "the kind of messages is not served yet").into())
        }
        EntityKind::User => {
            let user = UserId::parse(&command.entity).map_err(|why| why.within("entity_id"))?;
            if command.creator.as_ref().is_some_and(|creator| *creator != user) {
                let why = format!(
                    "must be the user who is flagged, '{user}', where the entity_type is a user, or left out"
                );
                return Err(Invalid::new("entity_creator_id", why).into());
            }
            if user == *reporter {
                return Err(Invalid::new("entity_id", "users cannot flag themselves").into());
            }
            Ok(Some(user))
        }
    }
}

fn record(
    tx: &mut Tx<'_>,
    caller: &Admitted<'_>,
    command: &Flag,
    reporter: &StoredUser,
    creator: Option<&StoredUser>,
    report: Report,
) -> Result<(), Error> {
    let flagged_by = reporter.user.id.clone();
    let mut people: Vec<_> = std::iter::once(reporter).chain(creator).map(|stored| stored.key).collect();
    people.dedup();
    let (event, person) = match (&command.kind, creator) {
        (EntityKind::User, Some(target)) => {
            let user = Box::new(target.user.clone());
            (Event::UserFlagged { user, flagged_by, report }, Some(target.key))
        }
        (kind, creator) => {
            let event = Event::FlagCreated {
                entity_type: kind.name().to_owned(),
                entity_id: command.entity.clone(),
                entity_creator: creator.map(|creator| creator.user.id.clone()),
                flagged_by,
                report,
            };
            (event, None)
        }
    };
    let others = people.into_iter().filter(|key| Some(*key) != person).collect();
    caller.record(tx, vec![Entry { event, person, others }])
}

/// Counts how often things of a user were flagged (v2 2.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Whose things.
    pub creator: UserId,
    /// Such things only.
    pub kind: Option<EntityKind>,
}

/// Carries out [`Count`].
///
/// # Errors
/// When the user does not exist for the caller.
pub fn count(tx: &mut Tx<'_>, ctx: &Ctx, command: &Count) -> Result<u64, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::ReadFlagReports)?;
    let people = People::load(tx, ctx.app()?, [&command.creator])?;
    let creator = people.target(&caller, Action::ReadFlagReports, &command.creator)?;
    let reach = caller.reach(Action::ReadFlagReports)?;
    if reach == Filter::everybody() {
        return Ok(flags::count(tx, creator.key, command.kind.as_ref())?);
    }
    let scope = Scope { app: ctx.app()?.key, now: ctx.now };
    Ok(find::count_flags(tx, scope, creator.key, command.kind.as_ref(), &reach)?)
}

/// Finds flags. In an app with teams, a client sees those that users in its reach made of what users in its reach have
/// made.
///
/// # Errors
/// When the caller may read none, or the store fails.
pub fn query(tx: &mut Tx<'_>, ctx: &Ctx, query: &FlagQuery) -> Result<FlagPage, Error> {
    let caller = ctx.admit(tx)?;
    let reach = caller.reach(Action::ReadFlagReports)?;
    FlagQuery::check_limit(query.limit)?;
    let scope = Scope { app: ctx.app()?.key, now: ctx.now };
    let within = Some(&reach).filter(|reach| **reach != Filter::everybody());
    let mut page = find::flags(tx, scope, query, within)?;
    page.flags.iter_mut().for_each(|flag| caller.veil(&mut flag.user));
    Ok(page)
}
