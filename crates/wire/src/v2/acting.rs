//! Who acts, as bodies name it: by its id, or by an object with an id, which only identifies (DESIGN 3).

use model::{Invalid, UserId};

use crate::body::Object;

/// The user that `body` names in the field `id_field` or in the object `object_field`.
///
/// # Errors
/// When one cannot be read, the object has no id, or the two name different users.
pub(super) fn named(
    body: &mut Object,
    id_field: &str,
    object_field: &str,
) -> Result<Option<UserId>, Invalid> {
    let id = body.user_id(id_field)?;
    let Some(mut object) = body.object(object_field)? else { return Ok(id) };
    let Some(other) = object.user_id("id")? else {
        return Err(object.refuse("id", "is required: the id of the user"));
    };
    match id {
        Some(id) if id != other => {
            let why = format!("is '{other}', and {id_field} is '{id}'; give one of them");
            Err(object.refuse("id", why))
        }
        _ => Ok(Some(other)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(body: Value, expected: Result<Option<&str>, &str>) {
        let mut object = Object::expect(String::new(), body).unwrap();
        let found = named(&mut object, "user_id", "user").map_err(|invalid| invalid.to_string());
        let found = found.map(|id| id.map(|id| id.to_string()));
        assert_eq!(found, expected.map(|id| id.map(str::to_owned)).map_err(str::to_owned));
    }

    #[test]
    fn a_user_is_named_by_its_id_or_by_an_object() {
        check(json!({}), Ok(None));
        check(json!({"user_id": null, "user": null}), Ok(None));
        check(json!({"user_id": "a"}), Ok(Some("a")));
        check(json!({"user": {"id": "a", "name": "ignored"}}), Ok(Some("a")));
        check(json!({"user_id": "a", "user": {"id": "a"}}), Ok(Some("a")));
        check(
            json!({"user_id": "a", "user": {"id": "b"}}),
            Err("user.id: is 'b', and user_id is 'a'; give one of them"),
        );
        check(json!({"user": {}}), Err("user.id: is required: the id of the user"));
        check(json!({"user": "a"}), Err("user: must be an object, got a string"));
        check(json!({"user_id": 1}), Err("user_id: must be a string, got a number"));
    }
}
