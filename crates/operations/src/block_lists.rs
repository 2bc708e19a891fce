//! Operations on lists of words for moderation (v2 2.7). A list belongs to a team or to the whole app.

use std::collections::BTreeSet;

use model::{
    Action, BlockList, BlockListEvent, BlockListKind, BlockListPage, BlockListPatch, Event, Invalid,
    MOST_BLOCK_LISTS, Resource, Shown, Teams, UserId, UserKey, WordCheck, Words, check_block_list_name,
    check_team,
};
use storage::Tx;
use storage::block_lists::{self, StoredBlockList};
use storage::log::Entry;

use crate::admitted::People;
use crate::teams::{self, NO_TEAM};
use crate::{Admitted, Ctx, Error};

/// Makes a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The name.
    pub name: String,
    /// The team whose list it is to be; `None` is the whole app.
    pub team: Option<String>,
    /// What its words are.
    pub kind: BlockListKind,
    /// The words.
    pub words: Words,
    /// What else counts as one of them.
    pub checks: BTreeSet<WordCheck>,
    /// Who makes it, when a server says so.
    pub by: Option<UserId>,
}

/// Changes a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Which.
    pub list: Named,
    /// The change.
    pub patch: BlockListPatch,
    /// Who changes it, when a server says so.
    pub by: Option<UserId>,
}

/// A list by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The team. Without one, it is the list of the whole app, or for a user who is kept to teams the one list of this
    /// name in these.
    pub team: Option<String>,
}

/// A page of the lists that the caller may read, in the order of their teams and names, and whether there are more.
///
/// # Errors
/// When the caller may not read those it asks for, or the page is none.
pub fn list(tx: &mut Tx<'_>, ctx: &Ctx, page: &BlockListPage) -> Result<(Vec<BlockList>, bool), Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::ReadBlockLists)?;
    page.check()?;
    let teams = teams::asked(&caller, Action::ReadBlockLists, page.team.as_ref(), "team")?;
    Ok(block_lists::page(tx, ctx.app()?.key, teams.as_deref(), page)?)
}

/// Reads a list.
///
/// # Errors
/// [`Error::NoBlockList`]; when several are meant.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, named: &Named) -> Result<BlockList, Error> {
    let caller = ctx.admit(tx)?;
    Ok(find(tx, ctx, &caller, Action::ReadBlockLists, named)?.list)
}

/// Carries out [`Create`].
///
/// # Errors
/// When no list can have this name, one of the team has it, or the app has as many as it may.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, command: &Create) -> Result<BlockList, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::ManageBlockLists)?;
    let Create { name, team, .. } = command;
    check_block_list_name(name)?;
    team.as_deref().map_or(Ok(()), |team| check_team("team", team))?;
    permit_to_manage(&caller, team.as_ref())?;
    let author = Author::find(tx, ctx, &caller, command.by.as_ref())?;
    let app = ctx.app()?.key;
    let census = block_lists::census(tx, app, team.as_deref().unwrap_or(NO_TEAM), name)?;
    let refuse = |why: String| Err(Invalid::new("name", why).into());
    if census.is_taken {
        return refuse(format!(
            "the block list {} exists; choose another name, or another team",
            Shown(name)
        ));
    }
    if census.lists >= MOST_BLOCK_LISTS {
        return refuse(format!(
            "the app has {MOST_BLOCK_LISTS} block lists, which is the most; delete one first"
        ));
    }
    let list = BlockList {
        id: ctx.uuid_by_time(),
        team: team.clone(),
        name: name.clone(),
        kind: command.kind,
        words: command.words.clone(),
        checks: command.checks.clone(),
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    block_lists::insert(tx, app, &list)?;
    author.record(tx, &caller, &list, Event::BlockListCreated)?;
    Ok(list)
}

/// Carries out [`Update`]. What changes nothing is not stored.
///
/// # Errors
/// See [`get`].
pub fn update(tx: &mut Tx<'_>, ctx: &Ctx, command: &Update) -> Result<BlockList, Error> {
    let caller = ctx.admit(tx)?;
    let StoredBlockList { key, list } = find(tx, ctx, &caller, Action::ManageBlockLists, &command.list)?;
    let author = Author::find(tx, ctx, &caller, command.by.as_ref())?;
    let Some(changed) = list.changed(&command.patch, ctx.now) else { return Ok(list) };
    block_lists::update(tx, key, &changed)?;
    author.record(tx, &caller, &changed, Event::BlockListUpdated)?;
    Ok(changed)
}

/// Deletes a list; `by` is who does it, when a server says so.
///
/// # Errors
/// See [`get`].
pub fn delete(tx: &mut Tx<'_>, ctx: &Ctx, named: &Named, by: Option<&UserId>) -> Result<(), Error> {
    let caller = ctx.admit(tx)?;
    let StoredBlockList { key, list } = find(tx, ctx, &caller, Action::ManageBlockLists, named)?;
    let author = Author::find(tx, ctx, &caller, by)?;
    block_lists::remove(tx, key)?;
    author.record(tx, &caller, &list, Event::BlockListDeleted)
}

/// The list that is meant, if the caller may do `action` on it.
fn find(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    caller: &Admitted<'_>,
    action: Action,
    named: &Named,
) -> Result<StoredBlockList, Error> {
    caller.permit(action)?;
    let teams = teams::asked(caller, action, named.team.as_ref(), "team")?;
    let teams = teams.unwrap_or_else(|| vec![NO_TEAM.to_owned()]);
    let mut found = block_lists::by_name(tx, ctx.app()?.key, &teams, &named.name)?;
    let one = found.pop().ok_or_else(|| Error::NoBlockList(Shown(&named.name).to_string()))?;
    if !found.is_empty() {
        let why = format!("several of your teams have a block list {}; name the team", Shown(&named.name));
        return Err(Invalid::new("team", why).into());
    }
    if action == Action::ManageBlockLists {
        permit_to_manage(caller, one.list.team.as_ref())?;
    }
    Ok(one)
}

/// A list of the whole app is one of every team.
fn permit_to_manage(caller: &Admitted<'_>, team: Option<&String>) -> Result<(), Error> {
    let teams = team.map_or(Teams::Beyond, |team| Teams::OneOf(std::slice::from_ref(team)));
    caller.permit_on(Action::ManageBlockLists, &Resource { teams, ..Resource::app() })
}

/// Who changes a list.
#[derive(Debug)]
struct Author {
    id: Option<UserId>,
    /// Of a user whom a server names. A user who calls is in the log as the caller.
    key: Option<UserKey>,
}

impl Author {
    fn find(
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        caller: &Admitted<'_>,
        named: Option<&UserId>,
    ) -> Result<Self, Error> {
        let id = caller.actor_if_any(named, "user_id")?;
        let key = match &id {
            Some(id) if caller.is_server() => Some(People::load(tx, ctx.app()?, [id])?.actor(id)?.key),
            _ => None,
        };
        Ok(Self { id, key })
    }

    fn record(
        self,
        tx: &mut Tx<'_>,
        caller: &Admitted<'_>,
        list: &BlockList,
        event: fn(BlockListEvent) -> Event,
    ) -> Result<(), Error> {
        let (id, name, team) = (list.id.clone(), list.name.clone(), list.team.clone());
        let event = event(BlockListEvent { id, name, team, by: self.id });
        let others = self.key.into_iter().collect();
        caller.record(tx, vec![Entry { event, person: None, others }])
    }
}
