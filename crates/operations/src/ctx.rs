//! What an operation knows beside its command.

use std::sync::Arc;

use model::{Action, App, Bearer, Caller, Exclusion, Operation, Resource, Standing, Timestamp};
use storage::log::{self, Entry, Origin};
use storage::{Tx, standing};

use crate::{Admitted, Error, deletion};

/// The bits of a UUID that say which kind it is.
const VERSION_AND_VARIANT: u128 = (0xf << 76) | (0x3 << 62);

/// The bits of a UUID as text.
fn written(bits: u128) -> String {
    let digits = format!("{bits:032x}");
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

/// Who asks for what, when. The same for every run of one request's closure.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// Who asks.
    pub caller: Caller,
    /// Which operation.
    pub operation: Operation,
    /// The actions that the route declares; an operation that asks for another is refused.
    pub actions: &'static [Action],
    /// The time of the request.
    pub now: Timestamp,
    /// Where ids and secrets of this request are drawn from.
    pub seed: u128,
    /// The id of the request.
    pub request: String,
    /// The standing of the user who asks, where it is known from memory; otherwise it is read in the transaction of the
    /// operation.
    pub standing: Option<Arc<Standing>>,
}

impl Ctx {
    /// Lets the caller in, if its standing allows: one statement for a user whose standing is not known yet, otherwise
    /// none.
    ///
    /// # Errors
    /// When the user does not exist, is deleted or deactivated, its token is revoked, or it is banned and wants to write.
    pub fn admit(&self, tx: &mut Tx<'_>) -> Result<Admitted<'_>, Error> {
        let Caller::User(bearer) = &self.caller else { return self.admit_without_user() };
        let standing = match &self.standing {
            Some(standing) if !tx.is_writing() => Some(Arc::clone(standing)),
            _ => standing::current(tx, bearer.app.key, &bearer.id)?,
        };
        let Some(standing) = standing else {
            // Whoever was deleted for good is told so (semantics 10.16).
            deletion::refuse_buried(tx, &bearer.app, std::slice::from_ref(&bearer.id))?;
            return Err(Error::NoUser(bearer.id.clone()));
        };
        let current = tx.is_writing().then(|| storage::apps::current(tx, &bearer.app)).transpose()?;
        self.admit_user(bearer, current, standing)
    }

    /// Refuses a caller of whom it is known that it may do none of what the route declares, not even to what is its own: it
    /// need not take up anybody's time.
    ///
    /// # Errors
    /// [`Error::Denied`] for the first of the actions.
    pub fn refuse_hopeless(&self) -> Result<(), Error> {
        let unknown = self.caller.user().is_some() && self.standing.is_none();
        // What is done in a channel may be allowed there and nowhere else.
        let elsewhere = self.actions.iter().any(|action| !model::is_decided_in_app(*action));
        if unknown || elsewhere || matches!(self.caller, Caller::Server(_) | Caller::Operator) {
            return Ok(());
        }
        let caller = self.admit_known()?;
        let own = Resource { owner: caller.id(), ..Resource::app() };
        let mut refusals = self.actions.iter().map(|action| caller.permit_on(*action, &own));
        match refusals.next() {
            Some(Err(refusal)) if refusals.all(|decided| decided.is_err()) => Err(refusal),
            _ => Ok(()),
        }
    }

    /// As [`Ctx::admit`], for an operation that looks nothing up: its route is for servers.
    ///
    /// # Errors
    /// See [`Ctx::admit`]; also when the caller is a user whose standing is not known.
    pub fn admit_known(&self) -> Result<Admitted<'_>, Error> {
        match (&self.caller, &self.standing) {
            (Caller::User(bearer), Some(standing)) => self.admit_user(bearer, None, Arc::clone(standing)),
            (Caller::User(_), None) => Err(self.forbidden()),
            _ => self.admit_without_user(),
        }
    }

    fn admit_user(
        &self,
        bearer: &Bearer,
        current: Option<Arc<App>>,
        standing: Arc<Standing>,
    ) -> Result<Admitted<'_>, Error> {
        let app = current.as_ref().unwrap_or(&bearer.app);
        let id = || bearer.id.clone();
        match standing.exclusion(app, bearer, self.operation.writes(), self.now) {
            None => Ok(Admitted::new(self, current, Some(standing))),
            Some(Exclusion::Revoked) => Err(Error::Revoked),
            Some(Exclusion::Deleted) => Err(Error::Deleted(id())),
            Some(Exclusion::Deactivated) => Err(Error::Deactivated(id())),
            Some(Exclusion::Banned { .. }) => Err(Error::Banned(id())),
        }
    }

    fn admit_without_user(&self) -> Result<Admitted<'_>, Error> {
        let revoked = match &self.caller {
            Caller::Anonymous(bearer) => {
                let moment = bearer.app.settings.tokens_revoked_before();
                // Without a token, there is none to be revoked.
                moment.is_some_and(|moment| bearer.has_token && bearer.is_revoked_by(moment))
            }
            _ => false,
        };
        if revoked { Err(Error::Revoked) } else { Ok(Admitted::new(self, None, None)) }
    }

    pub(crate) fn check_declared(&self, action: Action) -> Result<(), Error> {
        if self.actions.contains(&action) {
            return Ok(());
        }
        Err(Error::Undeclared { asked: action, declared: self.actions })
    }

    fn forbidden(&self) -> Error {
        Error::Forbidden(self.actions.first().copied().unwrap_or(Action::Connect))
    }

    /// The `nth` id of this request, in the form of a UUID. It can be told from the id of the request: nothing that is
    /// to be secret is made of it.
    #[must_use]
    pub fn uuid(&self, nth: u64) -> String {
        // Version 8 and the variant of RFC 9562, of which every other bit is free.
        let bits = self.seed.wrapping_add(u128::from(nth));
        written(bits & !VERSION_AND_VARIANT | (0x8 << 76) | (0x2 << 62))
    }

    /// An id of this request in the form of a UUID that begins with the time: version 7 (semantics 15.2). It can be told
    /// from the id of the request, as [`Ctx::uuid`].
    #[must_use]
    pub fn uuid_by_time(&self) -> String {
        // 48 bits of milliseconds; before 1970 there are none.
        let milliseconds = u128::try_from(self.now.nanoseconds() / 1_000_000).unwrap_or(0);
        let bits = (milliseconds << 80) | (self.seed & ((1 << 80) - 1));
        written(bits & !VERSION_AND_VARIANT | (0x7 << 76) | (0x2 << 62))
    }

    /// The app of the caller.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a caller that belongs to no app.
    pub(crate) fn app(&self) -> Result<&App, Error> {
        self.caller.app().map(AsRef::as_ref).ok_or_else(|| self.forbidden())
    }

    /// Appends what this request changed in `app` to the log.
    pub(crate) fn record(&self, tx: &mut Tx<'_>, app: model::AppKey, entries: &[Entry]) -> Result<(), Error> {
        let actor = self.caller.to_string();
        Ok(log::append(tx, &self.origin(app, &actor), entries)?)
    }

    /// What the log and a task say of where a change comes from; `actor` is how the caller is named.
    pub(crate) fn origin<'a>(&'a self, app: model::AppKey, actor: &'a str) -> Origin<'a> {
        let (operation, request) = (self.operation.name(), self.request.as_str());
        Origin { app, time: self.now, actor, operation, request }
    }
}
