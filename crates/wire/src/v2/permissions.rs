//! Answers of the operations on permissions (v2 2.4, 3.9).

use std::collections::BTreeSet;

use model::{Action, Allowed, CATALOGUE, GrantedBy, Invalid, Level, Permission, Place, Shown, UserId};
use serde::Serialize;
use serde_json::json;

use super::to_bytes;
use crate::form::Query;

/// `Permission`. There are no conditions yet, so none is shown.
#[derive(Serialize)]
struct PermissionObject {
    id: &'static str,
    name: &'static str,
    description: &'static str,
    action: &'static str,
    custom: bool,
    level: &'static str,
    owner: bool,
    owner_resource: &'static str,
    same_team: bool,
    tags: &'static [&'static str],
}

impl From<&'static Permission> for PermissionObject {
    fn from(permission: &'static Permission) -> Self {
        Self {
            id: permission.id,
            name: permission.name,
            description: permission.description,
            action: permission.action.name(),
            custom: false,
            level: match permission.level {
                Level::App => "app",
                // The contract knows no third level; the tags tell calls from channels.
                Level::Channel | Level::Call => "channel",
            },
            owner: permission.own.is_some(),
            owner_resource: permission.own.unwrap_or(""),
            same_team: permission.same_team,
            tags: permission.tags,
        }
    }
}

/// `ListPermissionsResponse`.
#[must_use]
pub fn encode_list(permissions: &'static [Permission], duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct ListPermissionsResponse<'a> {
        duration: &'a str,
        permissions: Vec<PermissionObject>,
    }
    let permissions = permissions.iter().map(PermissionObject::from).collect();
    to_bytes(&ListPermissionsResponse { duration, permissions })
}

/// `GetCustomPermissionResponse`, which built-in permissions are answered in as well.
#[must_use]
pub fn encode_one(permission: &'static Permission, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct GetCustomPermissionResponse<'a> {
        duration: &'a str,
        permission: PermissionObject,
    }
    to_bytes(&GetCustomPermissionResponse { duration, permission: permission.into() })
}

/// The parameters of a question about permissions (ours): whom it is about, the action, and on what.
#[derive(Debug, PartialEq, Eq)]
pub struct ExplainRequest {
    /// The user; `None` is whoever asks, and [`UserId::anonymous`] whoever has no user.
    pub user_id: Option<UserId>,
    /// What.
    pub action: Action,
    /// On what.
    pub resource: ExplainedResource,
}

/// What a question is about.
#[derive(Debug, PartialEq, Eq)]
pub enum ExplainedResource {
    /// The app, or a type or one of its channels or calls.
    Place(Place),
    /// A user.
    User(UserId),
}

/// Reads the parameters of a question about permissions.
///
/// # Errors
/// When the action is missing or not known, or the user or resource has no such form.
pub fn decode_explain(query: &Query) -> Result<ExplainRequest, Invalid> {
    let user_id = match query.get("user_id") {
        None => None,
        Some(id) if id == UserId::anonymous().as_str() => Some(UserId::anonymous()),
        Some(id) => Some(UserId::parse(id).map_err(|invalid| invalid.within("user_id"))?),
    };
    let Some(name) = query.get("action") else {
        return Err(Invalid::new("action", "is required: an action of the catalogue, like 'BanUser'"));
    };
    let Some(action) = Action::by_name(name) else {
        let known: BTreeSet<&str> = CATALOGUE.iter().map(|permission| permission.action.name()).collect();
        let known: Vec<&str> = known.into_iter().collect();
        return Err(Invalid::new(
            "action",
            format!("must be one of {}, got {}", known.join(", "), Shown(name)),
        ));
    };
    let resource = decode_resource(query.get("resource").unwrap_or("app"))?;
    Ok(ExplainRequest { user_id, action, resource })
}

fn decode_resource(text: &str) -> Result<ExplainedResource, Invalid> {
    let refuse = || {
        let forms = "'app', 'user:ID', 'channel:TYPE', 'channel:TYPE:ID', 'call:TYPE' or 'call:TYPE:ID'";
        Invalid::new("resource", format!("must be {forms}, got {}", Shown(text)))
    };
    let mut parts = text.split(':');
    let (head, kind, id) = (parts.next().unwrap_or_default(), parts.next(), parts.next().map(str::to_owned));
    if parts.next().is_some() || kind.is_some_and(str::is_empty) || id.as_ref().is_some_and(String::is_empty)
    {
        return Err(refuse());
    }
    Ok(match (head, kind.map(str::to_owned), id) {
        ("app", None, None) => ExplainedResource::Place(Place::App),
        ("user", Some(user), None) => {
            let user = UserId::parse(&user).map_err(|invalid| invalid.within("resource"))?;
            ExplainedResource::User(user)
        }
        ("channel", Some(kind), id) => ExplainedResource::Place(Place::Channel { kind, id }),
        ("call", Some(kind), id) => ExplainedResource::Place(Place::Call { kind, id }),
        _ => return Err(refuse()),
    })
}

/// What is answered to a question about permissions (ours).
#[derive(Debug)]
pub struct Explanation<'a> {
    /// Whom it is about: a user id, or `server`.
    pub user_id: &'a str,
    /// The action.
    pub action: Action,
    /// The resource, as it was asked for.
    pub resource: &'a str,
    /// What allows it, or why it is not allowed.
    pub answer: Result<&'a Allowed, String>,
}

/// Prints the answer to a question about permissions.
#[must_use]
pub fn encode_explanation(explanation: &Explanation<'_>, duration: &str) -> Vec<u8> {
    let Explanation { user_id, action, resource, answer } = explanation;
    let mut answered = json!({
        "duration": duration,
        "allowed": answer.is_ok(),
        "user_id": user_id,
        "action": action.name(),
        "resource": resource,
    });
    let (reason, grant) = match answer {
        Err(why) => (why.clone(), None),
        Ok(Allowed::Server) => ("permissions are not asked of servers".to_owned(), None),
        Ok(Allowed::Everybody) => ("everybody may".to_owned(), None),
        Ok(Allowed::Unchecked) => ("the app setting disable_permissions_checks is on".to_owned(), None),
        Ok(Allowed::Granted { role, permission, by }) => {
            let by = match by {
                GrantedBy::Default => "default",
                GrantedBy::Setting => "settings",
            };
            let reason = format!("the role '{role}' is granted '{permission}'");
            (reason, Some(json!({"role": role, "permission": permission, "granted_by": by})))
        }
    };
    answered["reason"] = reason.into();
    if let Some(grant) = grant {
        answered["grant"] = grant;
    }
    to_bytes(&answered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_have_six_forms() {
        let place = |text: &str| match decode_resource(text) {
            Ok(ExplainedResource::Place(place)) => place,
            other => panic!("{text}: {other:?}"),
        };
        let (kind, id) = ("messaging".to_owned(), Some("general".to_owned()));
        assert_eq!(place("app"), Place::App);
        assert_eq!(place("channel:messaging"), Place::Channel { kind: kind.clone(), id: None });
        assert_eq!(place("channel:messaging:general"), Place::Channel { kind: kind.clone(), id: id.clone() });
        assert_eq!(place("call:messaging:general"), Place::Call { kind, id });
        assert!(matches!(decode_resource("user:alice"), Ok(ExplainedResource::User(_))));
        for bad in [
            "",
            "user",
            "user:",
            "user:a:b",
            "user:a b",
            "app:x",
            "team:red",
            "call::a",
            "call:a:",
            "call:a:b:c",
        ] {
            assert_eq!(decode_resource(bad).unwrap_err().field, "resource", "{bad}");
        }
    }
}
