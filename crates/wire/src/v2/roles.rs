//! Bodies and answers of the operations on roles (v2 2.4, 3.9).

use model::{Holder, Invalid, Role, RoleSearch, Scope};
use serde::Serialize;
use serde_json::{Map, Value};

use super::to_bytes;
use super::user::Moment;
use crate::body::Object;
use crate::form::Query;

/// `CreateRoleRequest`: the name of the role.
///
/// # Errors
/// When there is none.
pub fn decode_create(body: Map<String, Value>) -> Result<String, Invalid> {
    let mut body = Object::root(body);
    body.string("name")?.ok_or_else(|| body.refuse("name", "is required: the name of the role to make"))
}

/// The parameters of `SearchRoles`.
///
/// # Errors
/// The first parameter that is not as it should be.
pub fn decode_search(query: &Query) -> Result<RoleSearch, Invalid> {
    let prefix = query.get("query");
    let prefix = prefix
        .ok_or_else(|| Invalid::new("query", "is required: how the names of the roles to find begin"))?;
    let holder = match query.get("role_type") {
        None => None,
        Some("user") => Some(Holder::User),
        Some("channel") => Some(Holder::ChannelMember),
        Some(_) => {
            let why = "must be 'user' or 'channel', or left out for both";
            return Err(Invalid::new("role_type", why));
        }
    };
    Ok(RoleSearch {
        prefix: prefix.to_owned(),
        limit: query.count("limit")?.unwrap_or(RoleSearch::DEFAULT_LIMIT),
        after: query.get("name_gt").map(str::to_owned),
        holder,
        include_global: query.boolean("include_global_roles")?.unwrap_or(false),
    })
}

#[derive(Serialize)]
struct RoleObject<'a> {
    name: &'a str,
    custom: bool,
    scopes: Vec<&'static str>,
    created_at: Moment,
    updated_at: Moment,
}

impl<'a> From<&'a Role> for RoleObject<'a> {
    fn from(role: &'a Role) -> Self {
        let scope = |scope: &Scope| match scope {
            Scope::App => ".app",
        };
        Self {
            name: &role.name,
            custom: role.custom,
            scopes: role.scopes.iter().map(scope).collect(),
            created_at: Moment(role.created_at),
            updated_at: Moment(role.updated_at),
        }
    }
}

/// `ListRolesResponse` and `SearchRolesResponse`.
#[must_use]
pub fn encode_list(roles: &[Role], duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct RolesResponse<'a> {
        duration: &'a str,
        roles: Vec<RoleObject<'a>>,
    }
    to_bytes(&RolesResponse { duration, roles: roles.iter().map(RoleObject::from).collect() })
}

/// `CreateRoleResponse`.
#[must_use]
pub fn encode_one(role: &Role, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct CreateRoleResponse<'a> {
        duration: &'a str,
        role: RoleObject<'a>,
    }
    to_bytes(&CreateRoleResponse { duration, role: role.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_has_defaults() {
        let search = decode_search(&Query::parse("query=ca&limit=&role_type=&api_key=k")).unwrap();
        let expected = RoleSearch {
            prefix: "ca".to_owned(),
            limit: 30,
            after: None,
            holder: None,
            include_global: false,
        };
        assert_eq!(search, expected);
        let text = "query=a&limit=5&name_gt=b&role_type=channel&include_global_roles=true";
        let search = decode_search(&Query::parse(text)).unwrap();
        let expected = RoleSearch {
            prefix: "a".to_owned(),
            limit: 5,
            after: Some("b".to_owned()),
            holder: Some(Holder::ChannelMember),
            include_global: true,
        };
        assert_eq!(search, expected);
    }

    #[test]
    fn refusals_name_the_parameter() {
        for (text, field) in [
            ("", "query"),
            ("query=", "query"),
            ("query=a&limit=-1", "limit"),
            ("query=a&limit=1.5", "limit"),
            ("query=a&limit=many", "limit"),
            ("query=a&limit=99999999999999999999", "limit"),
            ("query=a&role_type=call", "role_type"),
            ("query=a&include_global_roles=yes", "include_global_roles"),
        ] {
            assert_eq!(decode_search(&Query::parse(text)).unwrap_err().field, field, "{text}");
        }
    }
}
