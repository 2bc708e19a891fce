//! Roles that every app has.

/// The built-in roles, which no app can delete (semantics 8.2). A user may have any role that exists (1.18).
pub const BUILT_IN_ROLES: &[&str] = &[
    "admin",
    "anonymous",
    "call_member",
    "channel_member",
    "channel_moderator",
    "global_admin",
    "global_moderator",
    "guest",
    "host",
    "moderator",
    "user",
];

/// The role of a user whose role nobody set.
pub const DEFAULT_ROLE: &str = "user";

/// Whether `name` is a built-in role.
#[must_use]
pub(crate) fn is_built_in(name: &str) -> bool {
    BUILT_IN_ROLES.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_roles_are_found() {
        assert!(BUILT_IN_ROLES.is_sorted());
        assert!(is_built_in("user") && is_built_in("admin") && !is_built_in("captain"));
    }
}
