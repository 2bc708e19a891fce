//! Bodies and answers of the operations on groups of users (v2 2.5, 3.8).

use model::{
    AppKey, GroupMember, GroupOrder, Invalid, UserGroup, UserGroupPage, UserGroupPatch, UserGroupView,
    UserId, folded_name,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::to_bytes;
use super::user::Moment;
use crate::body::{self, Object};
use crate::form::Query;

/// `CreateUserGroupRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The id, when one is given.
    pub id: Option<String>,
    /// The team.
    pub team: Option<String>,
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// Who is in it from the beginning.
    pub members: Vec<UserId>,
}

/// `AddUserGroupMembersRequest` and `RemoveUserGroupMembersRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    /// The team that the group has to be of.
    pub team: Option<String>,
    /// Who.
    pub members: Vec<UserId>,
    /// Whether as admins; of no meaning where they are removed.
    pub as_admin: bool,
}

/// The parameter `team_id`.
#[must_use]
pub fn decode_team(query: &Query) -> Option<String> {
    query.get("team_id").map(str::to_owned)
}

/// The parameters of `ListUserGroups`.
///
/// # Errors
/// The first parameter that is not as it should be.
pub fn decode_list(query: &Query) -> Result<UserGroupPage, Invalid> {
    let after = match (query.get("created_at_gt"), query.get("id_gt")) {
        (None, None) => None,
        (None, Some(_)) => {
            let why = "is required with id_gt: the created_at of that group";
            return Err(Invalid::new("created_at_gt", why));
        }
        (Some(time), id) => {
            // The times of answers are nanoseconds, and come back as such.
            let value = time.parse::<i64>().map_or_else(|_| Value::from(time), Value::from);
            Some((body::moment("created_at_gt", &value)?, id.map(str::to_owned)))
        }
    };
    page(query, GroupOrder::Creation(after))
}

/// The parameters of `SearchUserGroups`.
///
/// # Errors
/// The first parameter that is not as it should be.
pub fn decode_search(query: &Query) -> Result<UserGroupPage, Invalid> {
    let prefix = query.get("query");
    let prefix = prefix
        .ok_or_else(|| Invalid::new("query", "is required: how the names of the groups to find begin"))?;
    let after = match (query.get("name_gt"), query.get("id_gt")) {
        (None, None) => None,
        (None, Some(_)) => {
            return Err(Invalid::new("name_gt", "is required with id_gt: the name of that group"));
        }
        (Some(name), id) => Some((folded_name(name), id.map(str::to_owned))),
    };
    page(query, GroupOrder::Name { prefix: folded_name(prefix), after })
}

fn page(query: &Query, order: GroupOrder) -> Result<UserGroupPage, Invalid> {
    let limit = query.count("limit")?.unwrap_or(UserGroupPage::DEFAULT_LIMIT);
    Ok(UserGroupPage { team: decode_team(query), limit, order })
}

/// # Errors
/// The first field that is not as it should be, as for the other bodies.
pub fn decode_create(body: Map<String, Value>) -> Result<Create, Invalid> {
    let mut body = Object::root(body);
    let name = body.string("name")?;
    let name = name.ok_or_else(|| body.refuse("name", "is required: the name of the group to make"))?;
    Ok(Create {
        id: body.string("id")?.filter(|id| !id.is_empty()),
        team: team(&mut body)?,
        name,
        description: body.string("description")?,
        members: members(&mut body)?.unwrap_or_default(),
    })
}

/// `UpdateUserGroupRequest`: the team that the group has to be of, and the change.
///
/// # Errors
/// See [`decode_create`].
pub fn decode_update(body: Map<String, Value>) -> Result<(Option<String>, UserGroupPatch), Invalid> {
    let mut body = Object::root(body);
    let patch = UserGroupPatch { name: body.string("name")?, description: body.string("description")? };
    Ok((team(&mut body)?, patch))
}

/// # Errors
/// See [`decode_create`].
pub fn decode_add(body: Map<String, Value>) -> Result<Members, Invalid> {
    let mut body = Object::root(body);
    let as_admin = body.boolean("as_admin")?.unwrap_or(false);
    let why = "is required: who is to be in the group";
    let members = members(&mut body)?.ok_or_else(|| body.refuse("member_ids", why))?;
    Ok(Members { team: team(&mut body)?, members, as_admin })
}

/// # Errors
/// See [`decode_create`].
pub fn decode_remove(body: Map<String, Value>) -> Result<Members, Invalid> {
    let mut body = Object::root(body);
    let why = "is required: who is to be taken out of the group";
    let members = members(&mut body)?.ok_or_else(|| body.refuse("member_ids", why))?;
    Ok(Members { team: team(&mut body)?, members, as_admin: false })
}

fn team(body: &mut Object) -> Result<Option<String>, Invalid> {
    Ok(body.string("team_id")?.filter(|team| !team.is_empty()))
}

fn members(body: &mut Object) -> Result<Option<Vec<UserId>>, Invalid> {
    let Some(texts) = body.strings("member_ids")? else { return Ok(None) };
    // Counted before they are read: a list can be as long as a body.
    model::check_member_count(texts.len())?;
    let parse = |(place, text): (usize, &String)| {
        UserId::parse(text).map_err(|invalid| invalid.within(format_args!("member_ids.{place}")))
    };
    texts.iter().enumerate().map(parse).collect::<Result<_, _>>().map(Some)
}

#[derive(Serialize)]
struct MemberObject<'a> {
    app_pk: i64,
    created_at: Moment,
    group_id: &'a str,
    is_admin: bool,
    user_id: &'a str,
}

#[derive(Serialize)]
struct GroupObject<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    team_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<&'a str>,
    created_at: Moment,
    updated_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<MemberObject<'a>>>,
}

impl<'a> From<&'a UserGroup> for GroupObject<'a> {
    fn from(group: &'a UserGroup) -> Self {
        Self {
            id: &group.id,
            name: &group.name,
            description: group.description.as_deref(),
            team_id: group.team.as_deref(),
            created_by: group.created_by.as_ref().map(UserId::as_str),
            created_at: Moment(group.created_at),
            updated_at: Moment(group.updated_at),
            members: None,
        }
    }
}

/// `ListUserGroupsResponse` and `SearchUserGroupsResponse`: groups without their members.
#[must_use]
pub fn encode_list(groups: &[UserGroup], duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct UserGroupsResponse<'a> {
        duration: &'a str,
        user_groups: Vec<GroupObject<'a>>,
    }
    let user_groups = groups.iter().map(GroupObject::from).collect();
    to_bytes(&UserGroupsResponse { duration, user_groups })
}

/// What answers one group of `app`, with its members.
#[must_use]
pub fn encode_one(app: AppKey, view: &UserGroupView, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct UserGroupAnswer<'a> {
        duration: &'a str,
        user_group: GroupObject<'a>,
    }
    let group_id = view.group.id.as_str();
    let members = view.members.iter().map(|GroupMember { user, is_admin, since }| MemberObject {
        app_pk: app.0,
        created_at: Moment(*since),
        group_id,
        is_admin: *is_admin,
        user_id: user.as_str(),
    });
    let members = Some(members.collect());
    to_bytes(&UserGroupAnswer { duration, user_group: GroupObject { members, ..(&view.group).into() } })
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use serde_json::json;

    use super::*;

    fn fields(body: Value) -> Map<String, Value> {
        body.as_object().unwrap().clone()
    }

    #[test]
    fn pages_begin_after_a_group() {
        let after = |text: &str| decode_list(&Query::parse(text)).unwrap().order;
        let time = Timestamp::from_nanoseconds(1_704_161_045_678_901_234);
        assert_eq!(after("limit=3&id_gt=&created_at_gt="), GroupOrder::Creation(None));
        for text in ["2024-01-02T02:04:05.678901234Z", "1704161045678901234"] {
            let order = GroupOrder::Creation(Some((time, Some("a".to_owned()))));
            assert_eq!(after(&format!("created_at_gt={text}&id_gt=a")), order);
            assert_eq!(after(&format!("created_at_gt={text}")), GroupOrder::Creation(Some((time, None))));
        }
        let search = decode_search(&Query::parse("query=D%C3%89&name_gt=Des&id_gt=a&team_id=red")).unwrap();
        let order = GroupOrder::Name {
            prefix: "de".to_owned(),
            after: Some(("des".to_owned(), Some("a".to_owned()))),
        };
        assert_eq!(search, UserGroupPage { team: Some("red".to_owned()), limit: 30, order });
    }

    #[test]
    fn refusals_name_the_parameter() {
        for (text, field) in [
            ("id_gt=a", "created_at_gt"),
            ("created_at_gt=yesterday", "created_at_gt"),
            ("created_at_gt=2024-01-02", "created_at_gt"),
            ("limit=-1", "limit"),
        ] {
            assert_eq!(decode_list(&Query::parse(text)).unwrap_err().field, field, "{text}");
        }
        for (text, field) in [("", "query"), ("query=a&id_gt=b", "name_gt"), ("query=a&limit=x", "limit")] {
            assert_eq!(decode_search(&Query::parse(text)).unwrap_err().field, field, "{text}");
        }
    }

    #[test]
    fn refusals_name_the_field() {
        for (body, field) in [
            (json!({}), "name"),
            (json!({"name": ["a"]}), "name"),
            (json!({"name": "a", "id": 7}), "id"),
            (json!({"name": "a", "description": false}), "description"),
            (json!({"name": "a", "team_id": {}}), "team_id"),
            (json!({"name": "a", "member_ids": "b"}), "member_ids"),
            (json!({"name": "a", "member_ids": ["b", null]}), "member_ids.1"),
            (json!({"name": "a", "member_ids": ["b", "c d"]}), "member_ids.1"),
            (json!({"name": "a", "member_ids": vec!["b"; 101]}), "member_ids"),
        ] {
            assert_eq!(decode_create(fields(body.clone())).unwrap_err().field, field, "{body}");
        }
        assert_eq!(decode_add(fields(json!({"as_admin": true}))).unwrap_err().field, "member_ids");
        assert_eq!(decode_add(fields(json!({"as_admin": "no"}))).unwrap_err().field, "as_admin");
        assert_eq!(decode_remove(fields(json!({"member_ids": null}))).unwrap_err().field, "member_ids");
        assert_eq!(decode_update(fields(json!({"name": 1}))).unwrap_err().field, "name");
        let update = decode_update(fields(json!({"description": "", "team_id": ""}))).unwrap();
        let patch = UserGroupPatch { name: None, description: Some(String::new()) };
        assert_eq!(update, (None, patch));
    }
}
