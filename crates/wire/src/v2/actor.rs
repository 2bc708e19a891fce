//! Who acts, as requests name it: by id, or by a user object, which identifies and never updates (DESIGN 3).

use model::{Invalid, UserId};

use crate::body::Object;
use crate::form::Query;

/// The user that `user_id`, or the `id` in `user`, names.
pub(super) fn decode(body: &mut Object) -> Result<Option<UserId>, Invalid> {
    let id = body.user_id("user_id")?;
    let Some(mut user) = body.object("user")? else { return Ok(id) };
    let Some(inner) = user.user_id("id")? else {
        return Err(user.refuse("id", "is required: the user who acts"));
    };
    match id {
        Some(id) if id != inner => Err(user.refuse("id", format!("must be that in user_id, '{id}'"))),
        _ => Ok(Some(inner)),
    }
}

/// The user that the parameter `user_id` names; the anonymous one is nobody who acts, and may be named all the same.
///
/// # Errors
/// When no user can have such an id.
pub fn in_query(query: &Query) -> Result<Option<UserId>, Invalid> {
    let anonymous = UserId::anonymous();
    match query.get("user_id") {
        None => Ok(None),
        Some(id) if id == anonymous.as_str() => Ok(Some(anonymous)),
        Some(id) => UserId::parse(id).map(Some).map_err(|invalid| invalid.within("user_id")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn either_form_names_the_user() {
        for (body, expected) in [
            (json!({}), Ok(None)),
            (json!({"user_id": "a", "user": null}), Ok(Some("a"))),
            (json!({"user": {"id": "a", "name": "ignored"}}), Ok(Some("a"))),
            (json!({"user": {"id": "a"}, "user_id": "a"}), Ok(Some("a"))),
            (json!({"user": {"id": "b"}, "user_id": "a"}), Err("user.id: must be that in user_id, 'a'")),
            (json!({"user": {}}), Err("user.id: is required: the user who acts")),
            (json!({"user": "a"}), Err("user: must be an object, got a string")),
            (json!({"user_id": 7}), Err("user_id: must be a string, got a number")),
            (json!({"user_id": ""}), Ok(None)),
            (json!({"user_id": "", "user": {"id": "a"}}), Ok(Some("a"))),
            (json!({"user": {"id": ""}}), Err("user.id: is required: the user who acts")),
        ] {
            let decoded = decode(&mut Object::root(body.as_object().cloned().unwrap()));
            let decoded = decoded.map_err(|invalid| invalid.to_string());
            let expected = expected.map_err(str::to_owned).map(|id| id.map(|id| UserId::parse(id).unwrap()));
            assert_eq!(decoded, expected, "{body}");
        }
        assert_eq!(in_query(&Query::parse("user_id=")), Ok(None));
        assert_eq!(in_query(&Query::parse("user_id=%21anon")), Ok(Some(UserId::anonymous())));
        assert_eq!(in_query(&Query::parse("user_id=a%20b")).unwrap_err().field, "user_id");
    }
}
