//! Who may do what.

use std::fmt::{self, Display};
use std::sync::Arc;

use crate::App;

/// Who asks.
#[derive(Clone, Debug)]
pub enum Caller {
    /// The back end of this app, by a server token: may do everything within the app (semantics 0.9).
    Server(Arc<App>),
    /// Whoever runs the server, from its command line: may do everything to every app.
    Operator,
}

impl Display for Caller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Server(_) => "server",
            Self::Operator => "operator",
        })
    }
}

/// What is asked. A route declares the action that its operation asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make, rotate, suspend and resume apps.
    ManageApps,
    /// Read the settings of the app.
    ReadApp,
    /// Change the settings of the app.
    UpdateApp,
    /// Read how many calls are left.
    ReadRateLimits,
    /// Read the roles of the app.
    ReadRoles,
    /// Make and delete roles of the app.
    ManageRoles,
    /// Read what roles can be granted.
    ReadPermissions,
    /// Find users.
    SearchUser,
    /// Create and change users.
    UpdateUser,
    /// Deactivate and reactivate users.
    DeactivateUser,
}

/// The one place that decides whether `caller` may do `action`.
#[must_use]
pub fn permit(caller: &Caller, action: Action) -> bool {
    match caller {
        Caller::Operator => true,
        Caller::Server(_) => action != Action::ManageApps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AppKey, AppSettings, Secret, Timestamp};

    #[test]
    fn a_server_rules_its_app_and_an_operator_all() {
        let server = Caller::Server(Arc::new(App {
            key: AppKey(1),
            api_key: "key".to_owned(),
            name: "app".to_owned(),
            secret: Secret::new("secret".to_owned()),
            previous_secret: None,
            suspension: None,
            settings: AppSettings::default(),
            created_at: Timestamp::from_seconds(1),
            updated_at: Timestamp::from_seconds(1),
        }));
        assert!(permit(&server, Action::UpdateUser));
        assert!(!permit(&server, Action::ManageApps));
        assert!(permit(&Caller::Operator, Action::ManageApps));
    }
}
