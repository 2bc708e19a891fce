//! Answers of the operations on permissions (v2 2.4, 3.9).

use model::{Level, Permission};
use serde::Serialize;

use super::to_bytes;

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
            action: permission.action,
            custom: false,
            level: match permission.level {
                Level::App => "app",
                Level::Channel => "channel",
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
