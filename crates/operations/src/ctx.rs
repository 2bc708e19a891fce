//! What an operation knows beside its command.

use std::sync::Arc;

use model::{Action, App, Caller, Operation, Timestamp, permit};
use storage::Tx;
use storage::log::{self, Entry, Origin};

use crate::Error;

/// Who asks for what, when. The same for every run of one request's closure.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// Who asks.
    pub caller: Caller,
    /// Which operation.
    pub operation: Operation,
    /// The action that the route declares; an operation that asks for another is refused.
    pub action: Action,
    /// The time of the request.
    pub now: Timestamp,
    /// Where ids and secrets of this request are drawn from.
    pub seed: u128,
    /// The id of the request.
    pub request: String,
}

impl Ctx {
    /// Asks whether the caller may do `action`.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or [`Error::Undeclared`] when the route declares another action.
    pub fn permit(&self, action: Action) -> Result<(), Error> {
        if action != self.action {
            return Err(Error::Undeclared { asked: action, declared: self.action });
        }
        if !permit(&self.caller, action) {
            return Err(Error::Forbidden(action));
        }
        Ok(())
    }

    /// The app of the caller.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a caller that belongs to no app.
    pub(crate) fn app(&self) -> Result<&App, Error> {
        match &self.caller {
            Caller::Server(app) => Ok(app),
            Caller::Operator => Err(Error::Forbidden(self.action)),
        }
    }

    /// The app of the caller as it is in this transaction: settings that a write obeys may have been changed since the
    /// request came.
    ///
    /// # Errors
    /// See [`Ctx::app`], and when the store fails.
    pub(crate) fn current_app(&self, tx: &mut Tx<'_>) -> Result<Arc<App>, Error> {
        Ok(storage::apps::current(tx, self.app()?)?)
    }

    /// Appends what this request changed in `app` to the log.
    pub(crate) fn record(&self, tx: &mut Tx<'_>, app: model::AppKey, entries: &[Entry]) -> Result<(), Error> {
        let actor = self.caller.to_string();
        let origin = Origin {
            app,
            time: self.now,
            actor: &actor,
            operation: self.operation.name(),
            request: &self.request,
        };
        Ok(log::append(tx, &origin, entries)?)
    }
}
