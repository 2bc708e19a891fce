//! Groups of users (v2 2.5, semantics 15): named sets beside channels and teams.

use serde::{Deserialize, Serialize};

use crate::block_list::check_limit;
use crate::words::folded;
use crate::{Invalid, Shown, Timestamp, UserId};

/// The most groups that an app may have.
pub const MOST_USER_GROUPS: usize = 10_000;

/// The most members of a group (semantics 15.6).
pub const MOST_MEMBERS: usize = 10_000;

/// The most users whom one request adds or removes (semantics 15.2).
pub const MOST_MEMBERS_A_CALL: usize = 100;

/// The longest id, in bytes (semantics 15.2).
const LONGEST_ID: usize = 255;

/// The longest name, in characters.
const LONGEST_NAME: usize = 255;

/// The longest description, in characters (semantics 15.2).
const LONGEST_DESCRIPTION: usize = 1024;

/// Ids that could not be read back: the path of the search is the same.
const TAKEN_BY_PATHS: &[&str] = &["search"];

/// A group of users, without its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserGroup {
    /// The id, unique within the app.
    pub id: String,
    /// The team whose group it is; `None` is the whole app. It never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The name; others may have the same.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The user who made it, if a user did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its name or description was last changed.
    pub updated_at: Timestamp,
}

/// A user in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Who.
    pub user: UserId,
    /// Whether as an admin of the group.
    pub is_admin: bool,
    /// Since when.
    pub since: Timestamp,
}

/// A group with its members, longest in it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserGroupView {
    /// The group.
    pub group: UserGroup,
    /// Who is in it: deactivated users too, deleted ones not (semantics 15.6).
    pub members: Vec<GroupMember>,
}

/// A change of a group; what is not given stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserGroupPatch {
    /// Another name.
    pub name: Option<String>,
    /// Another description; an empty one is none.
    pub description: Option<String>,
}

impl UserGroupPatch {
    /// Checks the values.
    ///
    /// # Errors
    /// The first field that breaks a rule.
    pub fn check(&self) -> Result<(), Invalid> {
        self.name.as_deref().map_or(Ok(()), check_name)?;
        self.description.as_deref().map_or(Ok(()), check_description)
    }
}

impl UserGroup {
    /// Checks a group that is to be made.
    ///
    /// # Errors
    /// The first field that breaks a rule.
    pub fn check(&self) -> Result<(), Invalid> {
        check_name(&self.name)?;
        self.description.as_deref().map_or(Ok(()), check_description)?;
        check_id(&self.id)
    }

    /// The group as `patch` changes it at `now`; `None` when that changes nothing. The patch has been checked.
    #[must_use]
    pub fn changed(&self, patch: &UserGroupPatch, now: Timestamp) -> Option<Self> {
        let mut changed = self.clone();
        if let Some(name) = &patch.name {
            changed.name.clone_from(name);
        }
        if let Some(description) = &patch.description {
            changed.description = Some(description.clone()).filter(|text| !text.is_empty());
        }
        if changed == *self {
            return None;
        }
        changed.updated_at = now.max(self.updated_at.next());
        Some(changed)
    }
}

/// The form in which names of groups are compared: see [`folded`], at a length that an index takes.
#[must_use]
pub fn folded_name(name: &str) -> String {
    folded(name).chars().take(LONGEST_NAME).collect()
}

fn check_name(name: &str) -> Result<(), Invalid> {
    let length = name.chars().count();
    if name.trim().is_empty() || length > LONGEST_NAME {
        let why = format!("must have 1 to {LONGEST_NAME} characters that are not all blank, has {length}");
        return Err(Invalid::new("name", why));
    }
    Ok(())
}

fn check_description(description: &str) -> Result<(), Invalid> {
    let length = description.chars().count();
    if length > LONGEST_DESCRIPTION {
        let why = format!("must have at most {LONGEST_DESCRIPTION} characters, has {length}");
        return Err(Invalid::new("description", why));
    }
    Ok(())
}

fn check_id(id: &str) -> Result<(), Invalid> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"@_-".contains(&byte);
    if !(1..=LONGEST_ID).contains(&id.len()) || !id.bytes().all(allowed) {
        let why = format!("must have 1 to {LONGEST_ID} letters, digits, '@', '_' and '-', got {}", Shown(id));
        return Err(Invalid::new("id", why));
    }
    if TAKEN_BY_PATHS.contains(&id) {
        return Err(Invalid::new("id", format!("'{id}' is the name of a path; choose another id")));
    }
    Ok(())
}

/// Checks how many members a request names.
///
/// # Errors
/// When there are too many; the field is `member_ids`.
pub fn check_member_count(count: usize) -> Result<(), Invalid> {
    if count <= MOST_MEMBERS_A_CALL {
        return Ok(());
    }
    let why = format!("at most {MOST_MEMBERS_A_CALL} users in one request, got {count}");
    Err(Invalid::new("member_ids", why))
}

/// Which groups one answer shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserGroupPage {
    /// Only groups of this team.
    pub team: Option<String>,
    /// How many at most.
    pub limit: usize,
    /// In which order, and after which group.
    pub order: GroupOrder,
}

/// The order of groups, and after which one a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupOrder {
    /// Oldest first, then by id: after this time, or after the group of this time and id.
    Creation(Option<(Timestamp, Option<String>)>),
    /// By name, then by id, those whose name begins so; all of it folded ([`folded_name`]).
    Name {
        /// How the name begins.
        prefix: String,
        /// After this name, or after the group of this name and id.
        after: Option<(String, Option<String>)>,
    },
}

impl UserGroupPage {
    /// How many are answered when nothing is asked for.
    pub const DEFAULT_LIMIT: usize = 30;
    /// The most that can be asked for.
    pub const MOST: usize = 100;

    /// Checks what is asked for.
    ///
    /// # Errors
    /// When the limit is none that a page can have.
    pub fn check(&self) -> Result<(), Invalid> {
        check_limit(self.limit, Self::MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> UserGroup {
        let then = Timestamp::from_seconds(9);
        UserGroup {
            id: "0190b9f0-7c3e-7d7a-8f00-0123456789ab".to_owned(),
            team: None,
            name: "Design".to_owned(),
            description: Some("Pens".to_owned()),
            created_by: None,
            created_at: then,
            updated_at: then,
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut UserGroup), expected: Option<&str>) {
        let mut group = group();
        change(&mut group);
        let found = group.check().err().map(|invalid| invalid.to_string());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn groups_have_names_and_ids() {
        let id = |got: &str| format!("id: must have 1 to 255 letters, digits, '@', '_' and '-', got {got}");
        let name = |has| format!("name: must have 1 to 255 characters that are not all blank, has {has}");
        check(|_| (), None);
        check(|group| group.id = "x".repeat(255), None);
        check(|group| group.id = String::new(), Some(&id("''")));
        check(|group| group.id = "a/b".to_owned(), Some(&id("'a/b'")));
        check(|group| group.id = "x".repeat(256), Some(&id(&format!("'{}...'", "x".repeat(64)))));
        check(
            |group| group.id = "search".to_owned(),
            Some("id: 'search' is the name of a path; choose another id"),
        );
        check(|group| group.name = "é".repeat(255), None);
        check(|group| group.name = "é".repeat(256), Some(&name(256)));
        check(|group| group.name = "  ".to_owned(), Some(&name(2)));
        check(
            |group| group.description = Some("é".repeat(1025)),
            Some("description: must have at most 1024 characters, has 1025"),
        );
    }

    #[test]
    fn a_change_keeps_what_is_not_given() {
        let now = Timestamp::from_seconds(20);
        assert_eq!(group().changed(&UserGroupPatch::default(), now), None);
        let same = UserGroupPatch { name: Some("Design".to_owned()), description: None };
        assert_eq!(group().changed(&same, now), None);
        let emptied = UserGroupPatch { name: None, description: Some(String::new()) };
        let changed = group().changed(&emptied, now).unwrap();
        assert_eq!((changed.name.as_str(), changed.description), ("Design", None));
        assert_eq!((changed.created_at, changed.updated_at), (group().created_at, now));
    }

    #[test]
    fn names_are_compared_without_regard_to_case_and_marks() {
        assert_eq!(folded_name(" Ångström & Söhne"), "angstrom & sohne");
        // One letter that stands for eighteen.
        assert_eq!(folded_name(&"\u{fdfa}".repeat(255)).chars().count(), 255);
    }
}
