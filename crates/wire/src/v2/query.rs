//! `QueryUsersPayload` (v2 3.3).

use model::{Filter, Invalid, MOST_OPERANDS, Page, UserId, UserQuery};
use serde_json::Value;

use crate::body::{Object, string, strings};

/// Reads the payload.
pub(super) fn decode(mut payload: Object) -> Result<UserQuery, Invalid> {
    let filter = match payload.object("filter_conditions")? {
        None => Filter::All,
        Some(conditions) => decode_filter(conditions)?,
    };
    check_sort(&mut payload)?;
    for name in ["id_gt", "id_gte", "id_lt", "id_lte"] {
        if payload.value(name).is_some() {
            return Err(payload.refuse(name, "is not supported; page by limit and offset"));
        }
    }
    let page = Page::new(payload.count("limit")?, payload.count("offset")?)?;
    let include_deactivated = payload.boolean("include_deactivated_users")?.unwrap_or(false);
    // Who the query runs as, and whether it subscribes to presence, matter to callers that are users only.
    payload.boolean("presence")?;
    payload.user_id("user_id")?;
    if let Some(mut user) = payload.object("user")? {
        user.user_id("id")?;
    }
    Ok(UserQuery { filter, include_deactivated, page })
}

fn decode_filter(mut conditions: Object) -> Result<Filter, Invalid> {
    let filter = match conditions.nullable("id") {
        None => Filter::All,
        Some(Value::Object(operators)) => {
            decode_operators(Object::expect(conditions.path_of("id"), Value::Object(operators))?)?
        }
        Some(value) => Filter::Ids(ids([string(&conditions.path_of("id"), value)?])),
    };
    if let Some(field) = conditions.rest().next() {
        return Err(conditions.refuse(field, "cannot be filtered by; users are filtered by 'id'"));
    }
    Ok(filter)
}

fn decode_operators(mut operators: Object) -> Result<Filter, Invalid> {
    let equal =
        operators.nullable("$eq").map(|value| string(&operators.path_of("$eq"), value)).transpose()?;
    let among =
        operators.nullable("$in").map(|value| strings(&operators.path_of("$in"), value)).transpose()?;
    if let Some(operator) = operators.rest().next() {
        return Err(operators.refuse(operator, "is not an operator for 'id'; use $eq or $in"));
    }
    if among.as_ref().is_some_and(|values| values.len() > MOST_OPERANDS) {
        return Err(operators.refuse("$in", format!("must hold at most {MOST_OPERANDS} values")));
    }
    Ok(match (equal, among) {
        (None, None) => Filter::All,
        (Some(one), None) => Filter::Ids(ids([one])),
        (None, Some(values)) => Filter::Ids(ids(values)),
        (Some(one), Some(values)) => Filter::Ids(ids(values.into_iter().filter(|value| *value == one))),
    })
}

/// The values that can be ids: no user is found by any other.
fn ids(values: impl IntoIterator<Item = String>) -> Vec<UserId> {
    values.into_iter().filter_map(|value| UserId::parse(&value).ok()).collect()
}

/// The default order is the only one: `created_at` and then `id`, both descending.
fn check_sort(payload: &mut Object) -> Result<(), Invalid> {
    const ORDER: [&str; 2] = ["created_at", "id"];
    let keys = payload.list("sort")?.unwrap_or_default();
    let refuse = |place: usize| {
        let why = "users are sorted by created_at and then id, both with direction -1";
        Err(payload.refuse(&format!("sort.{place}"), why))
    };
    for (place, key) in keys.into_iter().enumerate() {
        let mut key = Object::expect(payload.path_of(&format!("sort.{place}")), key)?;
        let field = key.string("field")?;
        let direction = key.value("direction").map_or(Some(1), |direction| direction.as_i64());
        if field.as_deref() != ORDER.get(place).copied() || direction != Some(-1) {
            return refuse(place);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decode(payload: Value) -> Result<UserQuery, Invalid> {
        super::decode(Object::expect(String::new(), payload).unwrap())
    }

    #[track_caller]
    fn filters(conditions: Value, expected: Option<&[&str]>) {
        let expected = match expected {
            None => Filter::All,
            Some(ids) => Filter::Ids(ids.iter().map(|id| UserId::parse(id).unwrap()).collect()),
        };
        assert_eq!(decode(json!({"filter_conditions": conditions})).unwrap().filter, expected);
    }

    #[test]
    fn ids_are_compared() {
        filters(json!(null), None);
        filters(json!({}), None);
        filters(json!({"id": "a"}), Some(&["a"]));
        filters(json!({"id": {"$eq": "a"}}), Some(&["a"]));
        filters(json!({"id": {"$in": ["a", "b"]}}), Some(&["a", "b"]));
        filters(json!({"id": {"$in": ["a", "b"], "$eq": "b"}}), Some(&["b"]));
        filters(json!({"id": {"$in": []}}), Some(&[]));
        filters(json!({"id": "no such id!"}), Some(&[]));
    }

    #[test]
    fn refusals_name_the_field() {
        let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
        for (payload, field) in [
            (json!({"filter_conditions": []}), "filter_conditions"),
            (json!({"filter_conditions": {"id": 1}}), "filter_conditions.id"),
            (json!({"filter_conditions": {"id": null}}), "filter_conditions.id"),
            (json!({"filter_conditions": {"id": {"$in": [1]}}}), "filter_conditions.id.$in.0"),
            (json!({"filter_conditions": {"id": {"$in": many}}}), "filter_conditions.id.$in"),
            (json!({"filter_conditions": {"id": {"$gt": "a"}}}), "filter_conditions.id.$gt"),
            (json!({"filter_conditions": {"role": "admin"}}), "filter_conditions.role"),
            (json!({"sort": [{"field": "name", "direction": 1}]}), "sort.0"),
            (json!({"sort": [{"field": "created_at"}]}), "sort.0"),
            (json!({"limit": -1}), "limit"),
            (json!({"limit": 1.5}), "limit"),
            (json!({"limit": 101}), "limit"),
            (json!({"offset": 1001}), "offset"),
            (json!({"id_gt": "a"}), "id_gt"),
            (json!({"user_id": "no such id!"}), "user_id"),
        ] {
            assert_eq!(decode(payload.clone()).unwrap_err().field, field, "{payload}");
        }
        let order = json!([{"field": "created_at", "direction": -1}, {"field": "id", "direction": -1}]);
        assert!(decode(json!({"sort": order})).is_ok());
    }
}
