//! Operations on permissions: the catalogue, which is the same for every app (v2 2.4), and who may do what.

use model::{
    Action, Allowed, App, CATALOGUE, Caller, Denied, Exclusion, Permission, Place, Resource, Shown, Standing,
    TokenAccess, UserId, permission, permit,
};
use storage::{Tx, standing};

use crate::admitted::People;
use crate::{Ctx, Error};

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
    /// The app keeps this role from searching.
    #[error("the app setting user_search_disallowed_roles names the role '{0}'")]
    KeptFromSearching(String),
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
        return explain_another(tx, ctx, app, asked, question.action, &resource);
    }
    let answer = match caller.explain(question.action, &resource) {
        Ok(allowed) => Ok(allowed),
        Err(Error::Denied(denied)) => Err(Refused::Denied(denied)),
        Err(Error::Banned(_)) => Err(Refused::Excluded(Exclusion::Banned { until: None })),
        Err(other) => return Err(other),
    };
    Ok(Explained { who: ctx.caller.to_string(), answer })
}

fn explain_another(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    app: &App,
    asked: &Person,
    action: Action,
    resource: &Resource<'_>,
) -> Result<Explained, Error> {
    let access = TokenAccess::default();
    let (id, standing) = match asked {
        Person::Anonymous => (UserId::anonymous(), Standing::anonymous()),
        Person::User(id) => {
            let found = standing::of(tx, app.key, id)?.ok_or_else(|| Error::NoUser(id.clone()))?;
            (id.clone(), found)
        }
    };
    let answer = match standing.shut_out(action.writes(), ctx.now) {
        Some(exclusion) => Err(Refused::Excluded(exclusion)),
        None if action == Action::SearchUser && app.settings.keeps_from_searching(&standing.role) => {
            Err(Refused::KeptFromSearching(standing.role.clone()))
        }
        None => permit(app, &standing.subject(&id, &access), action, resource).map_err(Refused::Denied),
    };
    Ok(Explained { who: id.to_string(), answer })
}
