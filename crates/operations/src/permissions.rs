//! Operations on permissions: the catalogue, which is the same for every app (v2 2.4), and who may do what.

use std::sync::Arc;

use model::{
    Action, Allowed, Bearer, CATALOGUE, Caller, Denied, Exclusion, Permission, Place, Resource, Shown,
    TokenAccess, User, UserId, permission,
};
use storage::{Tx, standing};

use crate::admitted::People;
use crate::{Admitted, Ctx, Error};

/// Every permission, by id.
///
/// # Errors
/// When the caller may not read them.
pub fn list(ctx: &Ctx) -> Result<&'static [Permission], Error> {
    ctx.admit_known()?.permit(Action::ReadPermissions)?;
    Ok(CATALOGUE)
}

/// The permission with this id.
///
/// # Errors
/// When there is none.
pub fn get(ctx: &Ctx, id: &str) -> Result<&'static Permission, Error> {
    ctx.admit_known()?.permit(Action::ReadPermissions)?;
    permission(id).ok_or_else(|| Error::NoPermission(Shown(id).to_string()))
}

/// A question: may this user do that on this resource, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explain {
    /// Who; `None` is whoever asks.
    pub user: Option<Person>,
    /// What.
    pub action: Action,
    /// On what.
    pub on: Subject,
}

/// Who a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    /// A user.
    User(UserId),
    /// Whoever has no user.
    Anonymous,
}

/// What a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The app, its users, or a type or one of its channels or calls.
    Place(Place),
    /// A user.
    User(UserId),
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Whom it is about: a user id, or `server`.
    pub who: String,
    /// Whether, and by which grant, or why not.
    pub answer: Result<Allowed, Refused>,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No permission.
    #[error("{0}")]
    Denied(Denied),
    /// The user is shut out, whatever the permissions.
    #[error("{}", said(*.0))]
    Excluded(Exclusion),
}

fn said(exclusion: Exclusion) -> &'static str {
    match exclusion {
        Exclusion::Revoked => "the tokens of the user are revoked",
        Exclusion::Deleted => "the user was deleted",
        Exclusion::Deactivated => "the user was deactivated",
        Exclusion::Banned { .. } => "the user is banned from the app: it may read, and change nothing",
    }
}

/// Answers whether somebody may do something, and which grant or lack decides. A user asks about itself, with what its
/// token adds; a server about anybody.
///
/// # Errors
/// When a user asks about somebody else, or somebody who is named does not exist.
pub fn explain(tx: &mut Tx<'_>, ctx: &Ctx, question: &Explain) -> Result<Explained, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit_on(Action::ExplainPermission, &Resource { owner: caller.id(), ..Resource::app() })?;
    let asked = match (&ctx.caller, &question.user) {
        (Caller::Server(_) | Caller::Operator, asked) => asked.as_ref(),
        (_, None) => None,
        (Caller::User(bearer), Some(Person::User(id))) if *id == bearer.id => None,
        (Caller::Anonymous(_), Some(Person::Anonymous)) => None,
        (Caller::User(bearer) | Caller::Anonymous(bearer), Some(_)) => {
            return Err(Error::NotOneself { field: "user_id".to_owned(), id: bearer.id.clone() });
        }
    };
    let app = ctx.app()?;
    let target = match &question.on {
        Subject::User(id) => {
            let people = People::load(tx, app, [id])?;
            let found = people.existing(id).map_err(|error| caller.hide(error))?;
            if !caller.finds(&found.user) {
                return Err(Error::NoUser(id.clone()));
            }
            Some(found.user.clone())
        }
        Subject::Place(_) => None,
    };
    let resource = match (&question.on, &target) {
        (Subject::Place(place), _) => Resource { place: place.clone(), ..Resource::app() },
        (Subject::User(_), target) => target.as_ref().map(Resource::user).unwrap_or_default(),
    };
    if let Some(asked) = asked {
        return explain_another(tx, ctx, asked, (question.action, &resource, target.as_ref()));
    }
    answer(ctx.caller.to_string(), caller.explain(question.action, &resource, target.as_ref()))
}

/// Asks as the other one would, with a token that adds nothing.
fn explain_another(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    asked: &Person,
    (action, resource, target): (Action, &Resource<'_>, Option<&User>),
) -> Result<Explained, Error> {
    let app = ctx.caller.app().ok_or(Error::Forbidden(action))?;
    let bearer = |id| {
        let access = TokenAccess::default();
        Arc::new(Bearer { app: Arc::clone(app), id, has_token: false, issued_at: None, access })
    };
    let (caller, standing) = match asked {
        Person::Anonymous => (Caller::Anonymous(bearer(UserId::anonymous())), None),
        Person::User(id) => {
            let found = standing::of(tx, app.key, id)?.ok_or_else(|| Error::NoUser(id.clone()))?;
            (Caller::User(bearer(id.clone())), Some(Arc::new(found)))
        }
    };
    let who = caller.to_string();
    let shut_out = standing.as_ref().and_then(|standing| standing.shut_out(action.writes(), ctx.now));
    if let Some(exclusion) = shut_out {
        return Ok(Explained { who, answer: Err(Refused::Excluded(exclusion)) });
    }
    let asking = Ctx { caller, ..ctx.clone() };
    answer(who, Admitted::new(&asking, None, standing).explain(action, resource, target))
}

fn answer(who: String, explained: Result<Allowed, Error>) -> Result<Explained, Error> {
    let answer = match explained {
        Ok(allowed) => Ok(allowed),
        Err(Error::Denied(denied)) => Err(Refused::Denied(denied)),
        Err(Error::Banned(_)) => Err(Refused::Excluded(Exclusion::Banned { until: None })),
        Err(other) => return Err(other),
    };
    Ok(Explained { who, answer })
}
