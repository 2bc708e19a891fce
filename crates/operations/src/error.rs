//! Why an operation was refused, in words of the domain.

use model::{Action, Denied, Invalid, MOST_TASKS, UniqueNames, UserId};

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
    /// The user is deactivated and does nothing (DESIGN 3).
    #[error("the user {0} was deactivated")]
    Deactivated(UserId),
    /// The token was issued before a revocation (semantics 7.11).
    #[error("This token has been revoked, please generate a new token")]
    Revoked,
    /// The user is banned from the whole app.
    #[error("the user {0} is banned from the app: it may read, and change nothing")]
    Banned(UserId),
    /// The permissions of the caller do not allow it.
    #[error("{0}")]
    Denied(Denied),
    /// A user names somebody else as the one who acts.
    #[error("{field}: a user token acts as its own user, '{id}'; leave it out")]
    NotOneself {
        /// The field that names the other one.
        field: String,
        /// The user of the token.
        id: UserId,
    },
    /// Nobody can make a guest in this app (semantics 6.10, 6.11).
    #[error("guests cannot be created: {0}")]
    GuestsRefused(&'static str),
    /// The app demands a team filter of its clients (semantics 4.27).
    #[error("you must include a team filter to use this endpoint client-side")]
    NoTeamFilter,
    /// A channel does not move from one team to another at the wish of a client (semantics 8.13).
    #[error("changing channel team is not allowed client-side")]
    FixedTeam,
    /// A field that only servers may give.
    #[error("{0}: is for server-side calls only")]
    ServerOnly(String),
    /// The user is deactivated already (semantics 9.7).
    #[error("user with id '{0}' is already deactivated")]
    AlreadyDeactivated(UserId),
    /// The user is not deactivated.
    #[error("user with id '{0}' is not deactivated")]
    NotDeactivated(UserId),
    /// There is no such role.
    #[error("the role {0} does not exist")]
    NoRole(String),
    /// There is no such list of words, or the caller is not to know of it.
    #[error("the block list {0} does not exist")]
    NoBlockList(String),
    /// There is no such group of users, or the caller is not to know of it.
    #[error("the user group {0} does not exist")]
    NoUserGroup(String),
    /// There is no such permission.
    #[error("the permission {0} does not exist")]
    NoPermission(String),
    /// The user has no such device.
    #[error("the user {user} has no device with the id {id}")]
    NoDevice {
        /// The id, shown.
        id: String,
        /// The user.
        user: UserId,
    },
    /// The app has started no such task, or it is over for too long.
    #[error("the task {0} does not exist")]
    NoTask(String),
    /// The app has as many tasks as it may that are not over.
    #[error(
        "the app has {MOST_TASKS} tasks that are not over, which is the most; try again when some of them have ended"
    )]
    TooManyTasks,
    /// There is no such channel.
    #[error("the channel {0} does not exist")]
    NoChannel(String),
    /// There is no such message.
    #[error("the message {0} does not exist")]
    NoMessage(String),
    /// The user has not reacted so to the message.
    #[error("the user {user} has no reaction of the type {kind} to the message {message}")]
    NoReaction {
        /// The user.
        user: UserId,
        /// The type, shown.
        kind: String,
        /// The message, shown.
        message: String,
    },
    /// The user has a role for which no client may ban it (semantics 12.25).
    #[error("the user {id} has the role '{role}': only a server may ban it")]
    Unbannable {
        /// Who was to be banned.
        id: UserId,
        /// The role.
        role: String,
    },
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
        declared: &'static [Action],
    },
    /// The store failed.
    #[error("the store failed")]
    Storage(#[from] storage::Error),
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

fn within(scope: UniqueNames) -> &'static str {
    match scope {
        UniqueNames::Team => " within each team",
        UniqueNames::No | UniqueNames::App => "",
    }
}
