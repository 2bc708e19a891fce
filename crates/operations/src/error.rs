//! Why an operation was refused, in words of the domain.

use model::{Action, Invalid, UniqueNames, UserId};

/// A refused or failed operation. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value that no rule allows.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// There is no such user.
    #[error("the user {0} does not exist")]
    NoUser(UserId),
    /// The user was deleted, and its id with it (semantics 2.12).
    #[error("the user {0} was deleted")]
    Deleted(UserId),
    /// The user is deactivated already (semantics 9.7).
    #[error("user with id '{0}' is already deactivated")]
    AlreadyDeactivated(UserId),
    /// The user is not deactivated.
    #[error("user with id '{0}' is not deactivated")]
    NotDeactivated(UserId),
    /// There is no such role.
    #[error("the role {0} does not exist")]
    NoRole(String),
    /// There is no such permission.
    #[error("the permission {0} does not exist")]
    NoPermission(String),
    /// Somebody else has the name, where the app allows it once.
    #[error("the name '{name}' of the user {id} is taken; the app enforces unique names{}", within(*scope))]
    NameTaken {
        /// The field that gives the name.
        field: String,
        /// Who was to have the name.
        id: UserId,
        /// The name.
        name: String,
        /// Where names are unique.
        scope: UniqueNames,
    },
    /// There is no such app.
    #[error("there is no app with the key {0}")]
    NoApp(String),
    /// The key of a new app is taken by one with another secret.
    #[error("the app {0} exists and has another secret")]
    AppExists(String),
    /// A rotation is under way.
    #[error("a rotation of the app {0} is under way: its previous secret is still valid")]
    Rotating(String),
    /// No rotation is under way.
    #[error("no rotation of the app {0} is under way")]
    NotRotating(String),
    /// The caller may not do that.
    #[error("the caller may not perform the action {0:?}")]
    Forbidden(Action),
    /// A route and its operation disagree: a defect of this program.
    #[error("the operation asks for {asked:?}, its route declares {declared:?}")]
    Undeclared {
        /// What the operation asks for.
        asked: Action,
        /// What the route declares.
        declared: Action,
    },
    /// The store failed.
    #[error("the store failed")]
    Storage(#[from] storage::Error),
}

fn within(scope: UniqueNames) -> &'static str {
    match scope {
        UniqueNames::Team => " within each team",
        UniqueNames::No | UniqueNames::App => "",
    }
}
