//! `QueryUsersPayload` (v2 3.3).

use std::ops::Bound;

use model::filter::{Range, TextField, TimeField};
use model::leaf::Kind;
use model::{
    BUILT_IN, CustomPath, Direction, Filter, Invalid, MOST_SORT_KEYS, Page, Sort, SortField, SortKey, Test,
    UserQuery,
};
use serde_json::Value;

use super::filter;
use crate::body::Object;

/// Reads the payload.
pub(super) fn decode(mut payload: Object) -> Result<UserQuery, Invalid> {
    let conditions = match payload.object("filter_conditions")? {
        None => Filter::everybody(),
        Some(conditions) => {
            let (path, conditions) = conditions.into_parts();
            filter::decode(&path, conditions)?
        }
    };
    let sort_given = payload.list("sort")?.unwrap_or_default();
    let page = Page::new(payload.count("limit")?, payload.count("offset")?)?;
    let bounds = id_bounds(&mut payload)?;
    let sort = match (sort_given.is_empty(), bounds.is_empty()) {
        (true, true) => Sort::newest_first(),
        // The default order of paging by id (semantics 4.6).
        (true, false) => Sort::by(vec![by_id(Direction::Descending)]),
        (false, _) => decode_sort(&payload, sort_given)?,
    };
    if let Some((name, _)) = bounds.first() {
        check_paging_by_id(&payload, name, &sort, page)?;
    }
    let filter = match bounds.is_empty() {
        true => conditions,
        false => Filter::And(
            std::iter::once(conditions).chain(bounds.into_iter().map(|(_, bound)| bound)).collect(),
        ),
    };
    let include_deactivated = payload.boolean("include_deactivated_users")?.unwrap_or(false);
    // Who the query runs as, and whether it subscribes to presence, matter to callers that are users only.
    payload.boolean("presence")?;
    payload.user_id("user_id")?;
    if let Some(mut user) = payload.object("user")? {
        user.user_id("id")?;
    }
    Ok(UserQuery { filter, sort, include_deactivated, page })
}

fn by_id(direction: Direction) -> SortKey {
    SortKey { field: SortField::Text(TextField::Id), direction }
}

/// `id_gt` and its like, as conditions on the id, by their names.
fn id_bounds(payload: &mut Object) -> Result<Vec<(&'static str, Filter)>, Invalid> {
    let mut bounds = Vec::new();
    for name in ["id_gt", "id_gte", "id_lt", "id_lte"] {
        let Some(id) = payload.string(name)? else { continue };
        let range = match name {
            "id_gt" => Range { low: Bound::Excluded(id), high: Bound::Unbounded },
            "id_gte" => Range { low: Bound::Included(id), high: Bound::Unbounded },
            "id_lt" => Range { low: Bound::Unbounded, high: Bound::Excluded(id) },
            _ => Range { low: Bound::Unbounded, high: Bound::Included(id) },
        };
        bounds.push((name, Filter::Is(Test::Text(TextField::Id, range))));
    }
    Ok(bounds)
}

/// Paging by id walks the ids: any other order, or rows skipped besides, would leave users out.
fn check_paging_by_id(payload: &Object, name: &str, sort: &Sort, page: Page) -> Result<(), Invalid> {
    let keys = sort.keys();
    if !matches!(keys.as_slice(), [SortKey { field: SortField::Text(TextField::Id), .. }]) {
        return Err(payload.refuse("sort", format!("must be by id alone, or left out, together with {name}")));
    }
    if page.offset() > 0 {
        return Err(payload.refuse("offset", format!("must be 0 together with {name}")));
    }
    Ok(())
}

fn decode_sort(payload: &Object, given: Vec<Value>) -> Result<Sort, Invalid> {
    if given.len() > MOST_SORT_KEYS {
        let why = format!("may name at most {MOST_SORT_KEYS} fields, names {}", given.len());
        return Err(payload.refuse("sort", why));
    }
    let key = |(place, key): (usize, Value)| {
        decode_sort_key(Object::expect(payload.path_of(&format!("sort.{place}")), key)?)
    };
    given.into_iter().enumerate().map(key).collect::<Result<_, Invalid>>().map(Sort::by)
}

fn decode_sort_key(mut key: Object) -> Result<SortKey, Invalid> {
    let name = key.string("field")?.ok_or_else(|| key.refuse("field", "is required: the name of a field"))?;
    let direction = match key.value("direction").map(|direction| direction.as_i64()) {
        None | Some(Some(1)) => Direction::Ascending,
        Some(Some(-1)) => Direction::Descending,
        Some(_) => return Err(key.refuse("direction", "must be 1 or -1")),
    };
    let kind = match key.string("type")?.as_deref() {
        None | Some("") => None,
        Some("number") => Some(Kind::Number),
        Some("boolean") => Some(Kind::Boolean),
        Some(_) => return Err(key.refuse("type", "must be 'number' or 'boolean', for a custom field")),
    };
    let field = match name.as_str() {
        "id" => SortField::Text(TextField::Id),
        "name" => SortField::Text(TextField::Name),
        "role" => SortField::Text(TextField::Role),
        "created_at" => SortField::Time(TimeField::CreatedAt),
        "updated_at" => SortField::Time(TimeField::UpdatedAt),
        "last_active" => SortField::Time(TimeField::LastActive),
        "ban_expires" => SortField::Time(TimeField::BanExpires),
        other if other == "custom" || BUILT_IN.contains(&other) => {
            let known = "id, name, role, created_at, updated_at, last_active, ban_expires and custom fields";
            return Err(key.refuse("field", format!("'{other}' cannot be sorted by; there are {known}")));
        }
        custom => {
            let path = CustomPath::parse(custom.strip_prefix("custom.").unwrap_or(custom));
            SortField::Custom(path.map_err(|invalid| key.refuse("field", invalid.why))?, kind)
        }
    };
    Ok(SortKey { field, direction })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decode(payload: Value) -> Result<UserQuery, Invalid> {
        super::decode(Object::expect(String::new(), payload).unwrap())
    }

    #[test]
    fn the_default_is_everybody_newest_first() {
        let query = decode(json!({"filter_conditions": null})).unwrap();
        let page = Page::new(None, None).unwrap();
        let sort = Sort::newest_first();
        assert_eq!(query, UserQuery { filter: Filter::everybody(), sort, include_deactivated: false, page });
    }

    #[test]
    fn paging_by_id_sorts_by_id() {
        let descending = Sort::by(vec![by_id(Direction::Descending)]);
        assert_eq!(decode(json!({"id_gt": "a"})).unwrap().sort, descending);
        let ascending = json!({"id_gt": "a", "sort": [{"field": "id"}]});
        assert_eq!(decode(ascending).unwrap().sort, Sort::by(vec![by_id(Direction::Ascending)]));
    }

    #[test]
    fn sort_fields_are_typed() {
        let sort = json!({"sort": [{"field": "age", "direction": -1, "type": "number"}, {"field": "name"}]});
        let age = SortField::Custom(CustomPath::parse("age").unwrap(), Some(Kind::Number));
        let expected = Sort::by(vec![
            SortKey { field: age, direction: Direction::Descending },
            SortKey { field: SortField::Text(TextField::Name), direction: Direction::Ascending },
        ]);
        assert_eq!(decode(sort).unwrap().sort, expected);
    }

    #[test]
    fn refusals_name_the_field() {
        let key = |field: &str| json!({ "field": field });
        for (payload, field) in [
            (json!({"filter_conditions": []}), "filter_conditions"),
            (json!({"filter_conditions": {"image": "x"}}), "filter_conditions.image"),
            (json!({"sort": [{}]}), "sort.0.field"),
            (json!({"sort": [{"field": "name", "direction": 2}]}), "sort.0.direction"),
            (json!({"sort": [{"field": "age", "type": "date"}]}), "sort.0.type"),
            (json!({"sort": [key("teams")]}), "sort.0.field"),
            (json!({"sort": [key("a"), key("b"), key("c"), key("d")]}), "sort"),
            (json!({"limit": -1}), "limit"),
            (json!({"limit": 1.5}), "limit"),
            (json!({"limit": 101}), "limit"),
            (json!({"offset": 1001}), "offset"),
            (json!({"id_gt": 1}), "id_gt"),
            (json!({"id_gt": "a", "sort": [key("name")]}), "sort"),
            (json!({"id_gt": "a", "sort": [key("name"), key("id")]}), "sort"),
            (json!({"id_lt": "a", "offset": 1}), "offset"),
            (json!({"user_id": "no such id!"}), "user_id"),
        ] {
            assert_eq!(decode(payload.clone()).unwrap_err().field, field, "{payload}");
        }
    }
}
