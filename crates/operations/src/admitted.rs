//! A caller that was let in: its standing is known, and it asks for permission here and nowhere else.
//!
//! What a user may not know of does not exist for it: a target in another team is refused as one that was never made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::leaf::Leaf;
use model::{
    ANONYMOUS_ROLE, Action, Allowed, App, Caller, Denied, Filter, Invalid, Lack, Parts, Place, Resource,
    Standing, StoredUser, Subject, Teams, Test, User, UserId, UserMute, UserView, permit, permitted_teams,
    reaches_beyond_teams,
};
use storage::Tx;
use storage::log::Entry;
use storage::{blocks, parts, users};

use crate::{Ctx, Error};

/// A caller that was let in.
#[derive(Debug)]
pub struct Admitted<'c> {
    ctx: &'c Ctx,
    /// As it is now, of a user who writes.
    app: Option<Arc<App>>,
    /// Of a user.
    standing: Option<Arc<Standing>>,
}

impl<'c> Admitted<'c> {
    pub(crate) fn new(ctx: &'c Ctx, app: Option<Arc<App>>, standing: Option<Arc<Standing>>) -> Self {
        Self { ctx, app, standing }
    }

    /// Asks whether the caller may do `action` in the app as a whole.
    ///
    /// # Errors
    /// [`Error::Denied`], or [`Error::Undeclared`] when the route does not declare the action.
    pub fn permit(&self, action: Action) -> Result<(), Error> {
        self.permit_on(action, &Resource::app())
    }

    /// Asks whether the caller may do `action` on `resource`.
    ///
    /// # Errors
    /// See [`Admitted::permit`].
    pub fn permit_on(&self, action: Action, resource: &Resource<'_>) -> Result<(), Error> {
        self.ctx.check_declared(action)?;
        self.decide(action, resource).map(drop)
    }

    /// Asks whether the caller may do `action` on `user`. To be asked after [`Admitted::permit`], so that whoever may do it
    /// to nobody learns nothing.
    ///
    /// # Errors
    /// [`Error::NoUser`]: the caller cannot tell who is out of its reach from who does not exist.
    pub fn permit_on_user(&self, action: Action, user: &User) -> Result<(), Error> {
        match self.permit_on(action, &Resource::user(user)) {
            Err(Error::Denied(_)) => Err(Error::NoUser(user.id.clone())),
            decided => decided,
        }
    }

    /// What is decided of `action` on `resource`, and why.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub(crate) fn decide(&self, action: Action, resource: &Resource<'_>) -> Result<Allowed, Error> {
        match (&self.ctx.caller, action) {
            (Caller::Operator, _) => Ok(Allowed::Server),
            (Caller::Server(_), action) if action != Action::ManageApps => Ok(Allowed::Server),
            (Caller::Server(_), _) => Err(Error::Forbidden(action)),
            (_, Action::CreateGuest) => Ok(Allowed::Everybody),
            (Caller::User(bearer) | Caller::Anonymous(bearer), _) => {
                let app = self.app.as_deref().unwrap_or(&bearer.app);
                Ok(self.with_subject(|subject| permit(app, subject, action, resource))??)
            }
        }
    }

    /// As it is decided when the caller asks for it in earnest: standing and settings included.
    ///
    /// # Errors
    /// [`Error::Denied`] or [`Error::Banned`].
    pub(crate) fn explain(
        &self,
        action: Action,
        resource: &Resource<'_>,
        target: Option<&User>,
    ) -> Result<Allowed, Error> {
        let allowed = match self.decide(action, resource) {
            // Asked of the app as a whole: what everybody may do to what is its own is not denied.
            Err(Error::Denied(Denied { lack: Lack::Ownership, .. }))
                if resource.place == Place::App && resource.owner.is_none() =>
            {
                self.decide(action, &Resource { owner: self.id(), ..resource.clone() })?
            }
            decided => decided?,
        };
        if let Some((id, standing)) = self.user()
            && standing.shut_out(action.writes(), self.ctx.now).is_some()
        {
            return Err(Error::Banned(id.clone()));
        }
        if action == Action::SearchUser {
            self.searchable()?;
            if target.is_some_and(|target| !self.finds(target)) {
                return Err(self.denied(action));
            }
        }
        Ok(allowed)
    }

    /// The users on whom the caller may do `action`.
    ///
    /// # Errors
    /// [`Error::Denied`] when there can be none.
    pub fn reach(&self, action: Action) -> Result<Filter, Error> {
        self.ctx.check_declared(action)?;
        Ok(self.teams_of(action)?.map_or_else(Filter::everybody, |teams| within(&teams)))
    }

    /// The teams in which the caller may do `action`; `None` is everywhere, and no teams are those who have none.
    ///
    /// # Errors
    /// [`Error::Denied`] when it may nowhere.
    pub fn teams_of(&self, action: Action) -> Result<Option<Vec<String>>, Error> {
        self.ctx.check_declared(action)?;
        self.decided_teams_of(action)
    }

    fn decided_teams_of(&self, action: Action) -> Result<Option<Vec<String>>, Error> {
        match &self.ctx.caller {
            Caller::Operator | Caller::Server(_) => Ok(None),
            Caller::User(bearer) | Caller::Anonymous(bearer) => {
                let app = self.app.as_deref().unwrap_or(&bearer.app);
                Ok(self.with_subject(|subject| permitted_teams(app, subject, action))??)
            }
        }
    }

    /// The user that the caller is, if it is one, with its standing.
    #[must_use]
    pub fn user(&self) -> Option<(&UserId, &Standing)> {
        let bearer = self.ctx.caller.user()?;
        Some((&bearer.id, self.standing.as_deref()?))
    }

    /// The id of the caller; [`UserId::anonymous`] of whoever has no user.
    #[must_use]
    pub fn id(&self) -> Option<&UserId> {
        match &self.ctx.caller {
            Caller::User(bearer) | Caller::Anonymous(bearer) => Some(&bearer.id),
            Caller::Server(_) | Caller::Operator => None,
        }
    }

    /// What the caller is told of a user who is not there: nobody but a server learns that it was deleted.
    #[must_use]
    pub fn hide(&self, error: Error) -> Error {
        match error {
            Error::Deleted(id) if !self.is_server() => Error::NoUser(id),
            error => error,
        }
    }

    /// Whether the caller is a server or the operator, for whom nothing is hidden.
    #[must_use]
    pub fn is_server(&self) -> bool {
        matches!(self.ctx.caller, Caller::Server(_) | Caller::Operator)
    }

    /// Who acts: the caller, or whom a server names in the field `field`.
    ///
    /// # Errors
    /// When a server names nobody, a user somebody else, or the caller is nobody.
    pub fn actor(&self, named: Option<&UserId>, field: &str) -> Result<UserId, Error> {
        match &self.ctx.caller {
            Caller::Server(_) | Caller::Operator => {
                let why = "is required with a server token: the user who acts";
                named.cloned().ok_or_else(|| Invalid::new(field, why).into())
            }
            Caller::User(bearer) => match named {
                Some(other) if *other != bearer.id => {
                    Err(Error::NotOneself { field: field.to_owned(), id: bearer.id.clone() })
                }
                _ => Ok(bearer.id.clone()),
            },
            Caller::Anonymous(_) => {
                Err(self.denied(self.ctx.actions.first().copied().unwrap_or(Action::Connect)))
            }
        }
    }

    /// As [`Admitted::actor`], for what a server may also do in nobody's name.
    ///
    /// # Errors
    /// When a user names somebody else, or the caller is nobody.
    pub fn actor_if_any(&self, named: Option<&UserId>, field: &str) -> Result<Option<UserId>, Error> {
        if self.is_server() { Ok(named.cloned()) } else { self.actor(named, field).map(Some) }
    }

    /// The app of the caller as it is in this transaction: settings that a write obeys may have been changed since the
    /// request came.
    ///
    /// # Errors
    /// See [`Ctx::app`], and when the store fails.
    pub(crate) fn current_app(&self, tx: &mut Tx<'_>) -> Result<Arc<App>, Error> {
        match &self.app {
            Some(app) => Ok(Arc::clone(app)),
            None => Ok(storage::apps::current(tx, self.ctx.app()?)?),
        }
    }

    /// The app of the caller, without asking for it anew: as it is now where the caller is a user who writes, otherwise as it
    /// was when the request came.
    ///
    /// # Errors
    /// See [`Ctx::app`].
    pub(crate) fn known_app(&self) -> Result<&App, Error> {
        self.app.as_deref().map_or_else(|| self.ctx.app(), Ok)
    }

    /// As it is now where the caller is a user who writes, otherwise as it was when the request came.
    pub(crate) fn app(&self) -> Option<&Arc<App>> {
        self.app.as_ref().or_else(|| self.ctx.caller.app())
    }

    /// Whether the caller may know of `user`: it is a server, or the app has no teams, or they share one, or neither has any,
    /// or the caller finds users of every team.
    #[must_use]
    pub fn sees<C>(&self, user: &User<C>) -> bool {
        let apart = self.app().is_some_and(|app| app.settings.is_multi_tenant());
        if self.is_server() || !apart || self.is(&user.id) {
            return true;
        }
        let mine = self.user().map(|(_, standing)| standing.teams.as_slice()).unwrap_or_default();
        if user.teams.is_empty() && mine.is_empty() {
            return true;
        }
        let theirs: BTreeSet<&String> = user.teams.iter().collect();
        let beyond = Resource { teams: Teams::Beyond, ..Resource::app() };
        mine.iter().any(|team| theirs.contains(team)) || self.decide(Action::SearchUser, &beyond).is_ok()
    }

    /// Whether the caller finds `user` when it searches: itself always, and whom its roles let it find.
    #[must_use]
    pub fn finds(&self, user: &User) -> bool {
        let found = || self.searchable().is_ok_and(|filter| filter.holds(&UserView::bare(user.clone())));
        self.is_server() || self.is(&user.id) || (user.deleted_at.is_none() && found())
    }

    /// Whether the app has a role reach beyond teams.
    #[must_use]
    pub(crate) fn reaches_beyond_teams(&self, role: &str) -> bool {
        self.app().is_some_and(|app| reaches_beyond_teams(app, role))
    }

    /// The users whom the caller finds when it searches (semantics 4.28, 4.29): where its role, in the app or in the team, may
    /// and is not kept from it.
    ///
    /// # Errors
    /// [`Error::Denied`] when it may not search.
    pub fn searchable(&self) -> Result<Filter, Error> {
        let Some(app) = self.app().filter(|_| !self.is_server()) else { return Ok(Filter::everybody()) };
        let role = self.standing.as_ref().map_or(ANONYMOUS_ROLE, |standing| standing.role.as_str());
        let kept = |role: &str| app.settings.keeps_from_searching(role);
        let teams = self.decided_teams_of(Action::SearchUser)?;
        let open: Option<Vec<String>> = teams.map(|teams| {
            let roles = self.standing.as_ref().map(|standing| &standing.teams_role);
            let role_in =
                |team: &String| roles.and_then(|roles| roles.get(team)).map_or(role, String::as_str);
            teams.into_iter().filter(|team| !kept(role_in(team))).collect()
        });
        let in_teams = self.user().is_some_and(|(_, standing)| !standing.teams.is_empty());
        match open {
            Some(open) if open.is_empty() && in_teams => Err(self.denied(Action::SearchUser)),
            Some(open) if !open.is_empty() => Ok(within(&open)),
            // By the role in the app: everywhere, or among those who are in no team.
            _ if kept(role) => Err(self.denied(Action::SearchUser)),
            None => Ok(Filter::everybody()),
            Some(open) => Ok(within(&open)),
        }
    }

    /// The refusal of `action` for want of a grant.
    pub(crate) fn denied(&self, action: Action) -> Error {
        let role = self.standing.as_ref().map_or(ANONYMOUS_ROLE, |standing| standing.role.as_str());
        Error::Denied(Denied {
            id: self.ctx.caller.to_string(),
            roles: vec![role.to_owned()],
            action,
            scope: None,
            lack: Lack::Grant,
        })
    }

    /// The users with everything that the caller may see of them, in the same order (v2 3.1, semantics 4.32).
    ///
    /// # Errors
    /// When the store fails.
    pub fn views<C>(
        &self,
        tx: &mut Tx<'_>,
        mut found: Vec<StoredUser<C>>,
    ) -> Result<Vec<UserView<C>>, Error> {
        if !self.is_server() {
            // Nothing is read that will not be shown.
            for stored in found.iter_mut().filter(|stored| !self.is(&stored.user.id)) {
                stored.parts = Parts::default();
            }
        }
        let mut views = parts::views(tx, found, self.ctx.now)?;
        for view in &mut views {
            self.veil(&mut view.user);
            self.veil_mutes(&mut view.mutes);
            if !view.blocks.is_empty() {
                self.veil_blocks(tx, &mut view.blocks)?;
            }
        }
        Ok(views)
    }

    /// Takes from the ids of the users whom the caller has blocked those of whom it may know nothing any more.
    fn veil_blocks(&self, tx: &mut Tx<'_>, ids: &mut Vec<UserId>) -> Result<(), Error> {
        let Some((_, standing)) = self.user() else { return Ok(()) };
        if self.app().is_some_and(|app| app.settings.is_multi_tenant()) {
            // Not by `People`, which would lock them all where the caller writes.
            let blocked = blocks::list(tx, standing.key)?;
            let seen = blocked.iter().filter(|found| self.still_sees(Action::BlockUser, &found.user.user));
            let seen: BTreeSet<&UserId> = seen.map(|found| &found.user.user.id).collect();
            ids.retain(|id| seen.contains(id));
        }
        Ok(())
    }

    /// Takes from mutes what the caller may not see: whom it may know nothing of any more, and what is theirs.
    pub(crate) fn veil_mutes(&self, mutes: &mut Vec<UserMute>) {
        if self.is_server() {
            return;
        }
        mutes.retain(|mute| mute.target.deleted_at.is_none() && self.sees(&mute.target));
        mutes.iter_mut().for_each(|mute| self.veil(&mut mute.target));
    }

    /// Whether the caller learns anything of `user`, whom it has once reached by `action`: teams change.
    #[must_use]
    pub(crate) fn still_sees<C>(&self, action: Action, user: &User<C>) -> bool {
        self.sees(user) || self.decide(action, &Resource::user(user)).is_ok()
    }

    /// What the caller may see of `user`, now.
    #[must_use]
    pub(crate) fn shown<C>(&self, user: User<C>) -> User<C> {
        let mut user = user.as_of(self.ctx.now);
        self.veil(&mut user);
        user
    }

    /// Takes from `user` what the caller may not see of it.
    pub fn veil<C>(&self, user: &mut User<C>) {
        if self.is_server() {
            return;
        }
        // Whoever is shadow-banned must not find out, nor ask a friend.
        user.ban = user.ban.filter(|ban| !ban.shadow);
        if !self.is(&user.id) {
            user.privacy = None;
            user.tokens_revoked_before = None;
            user.invisible = false;
            user.bypass_moderation = false;
        }
    }

    /// Appends what the caller changed in its app to the log, which names the caller among those whom a row is about.
    ///
    /// # Errors
    /// When the store fails.
    pub fn record(&self, tx: &mut Tx<'_>, mut entries: Vec<Entry>) -> Result<(), Error> {
        if let Some((_, standing)) = self.user() {
            for entry in &mut entries {
                if entry.person != Some(standing.key) && !entry.others.contains(&standing.key) {
                    entry.others.push(standing.key);
                }
            }
        }
        self.ctx.record(tx, self.ctx.app()?.key, &entries)
    }

    fn is(&self, id: &UserId) -> bool {
        self.ctx.caller.user().is_some_and(|bearer| bearer.id == *id)
    }

    /// Runs `ask` with the caller as permissions see it.
    fn with_subject<T>(&self, ask: impl FnOnce(&Subject<'_>) -> T) -> Result<T, Error> {
        match (&self.ctx.caller, &self.standing) {
            (Caller::User(bearer), Some(standing)) => Ok(ask(&standing.subject(&bearer.id, &bearer.access))),
            (Caller::Anonymous(bearer), _) => {
                let teams_role = BTreeMap::new();
                Ok(ask(&Subject {
                    id: &bearer.id,
                    role: ANONYMOUS_ROLE,
                    teams: &[],
                    teams_role: &teams_role,
                    access: &bearer.access,
                }))
            }
            // Servers are not asked, and a user is let in with its standing.
            _ => Err(Error::Forbidden(self.ctx.actions.first().copied().unwrap_or(Action::Connect))),
        }
    }
}

/// The users in one of `teams`, or those in none.
fn within(teams: &[String]) -> Filter {
    match teams {
        [] => Filter::negate(Filter::Is(Test::AnyTeam)),
        teams => Filter::Is(Test::Has(teams.iter().map(|team| Leaf::team(team)).collect())),
    }
}

/// Users that a request names, read once and locked where others write too.
#[derive(Debug)]
pub(crate) struct People(BTreeMap<UserId, StoredUser>);

impl People {
    /// Reads the users with these ids: one statement.
    pub(crate) fn load<'a>(
        tx: &mut Tx<'_>,
        app: &App,
        ids: impl IntoIterator<Item = &'a UserId>,
    ) -> Result<Self, Error> {
        let ids: BTreeSet<&UserId> = ids.into_iter().collect();
        let found = users::by_ids(tx, app.key, &ids)?;
        Ok(Self(found.into_iter().map(|stored| (stored.user.id.clone(), stored)).collect()))
    }

    /// The user who acts: it has to be there and active.
    pub(crate) fn actor(&self, id: &UserId) -> Result<&StoredUser, Error> {
        let actor = self.existing(id)?;
        match actor.user.deactivated_at {
            Some(_) => Err(Error::Deactivated(id.clone())),
            None => Ok(actor),
        }
    }

    /// A user who was ever there, deleted or not.
    pub(crate) fn any(&self, id: &UserId) -> Option<&StoredUser> {
        self.0.get(id)
    }

    /// A user who is there, active or not.
    pub(crate) fn existing(&self, id: &UserId) -> Result<&StoredUser, Error> {
        let found = self.0.get(id).ok_or_else(|| Error::NoUser(id.clone()))?;
        match found.user.deleted_at {
            Some(_) => Err(Error::Deleted(id.clone())),
            None => Ok(found),
        }
    }

    /// A user to whom the caller may do `action`. To a caller that is no server, everybody else does not exist, deleted
    /// users included.
    pub(crate) fn target(
        &self,
        caller: &Admitted<'_>,
        action: Action,
        id: &UserId,
    ) -> Result<&StoredUser, Error> {
        let found = self.existing(id).map_err(|error| caller.hide(error))?;
        caller.permit_on_user(action, &found.user)?;
        Ok(found)
    }
}
