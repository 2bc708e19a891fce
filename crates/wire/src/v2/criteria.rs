//! Filters and sorts of bans and flags: conditions that all have to hold on a few fields of text, and on the time of
//! creation, by which alone they are sorted.

use model::{Criterion, DEEPEST_FILTER, Direction, Invalid, MOST_OPERANDS, MOST_TESTS, filter::Range};
use serde_json::{Map, Value};

use super::filter::one_bound;
use crate::body::{Object, moment, string};
use crate::json::kind;

/// The field that every record has.
const CREATED_AT: &str = "created_at";

/// Reads a filter that stands at `path`. `fields` are those that hold text, by their names.
///
/// # Errors
/// The first part that is not as it should be.
pub(super) fn decode<F: Copy>(
    path: &str,
    conditions: Map<String, Value>,
    fields: &[(&str, F)],
) -> Result<Vec<Criterion<F>>, Invalid> {
    let mut criteria = Vec::new();
    all_of(path, conditions, fields, 0, &mut criteria)?;
    Ok(criteria)
}

fn all_of<F: Copy>(
    path: &str,
    conditions: Map<String, Value>,
    fields: &[(&str, F)],
    depth: usize,
    criteria: &mut Vec<Criterion<F>>,
) -> Result<(), Invalid> {
    for (name, value) in conditions {
        let path = format!("{path}.{name}");
        if name == "$and" {
            let Value::Array(all) = value else {
                return Err(Invalid::new(path, format!("must be an array, got {}", kind(&value))));
            };
            if depth >= DEEPEST_FILTER {
                return Err(Invalid::new(path, format!("$and may nest {DEEPEST_FILTER} deep")));
            }
            for (place, conditions) in all.into_iter().enumerate() {
                let (path, conditions) = Object::expect(format!("{path}.{place}"), conditions)?.into_parts();
                all_of(&path, conditions, fields, depth + 1, criteria)?;
            }
            continue;
        }
        if name == CREATED_AT {
            created(&path, value, criteria)?;
        } else if let Some((_, field)) = fields.iter().find(|(known, _)| *known == name) {
            text(&path, *field, value, criteria)?;
        } else {
            let known: Vec<&str> = fields.iter().map(|(known, _)| *known).collect();
            let why = format!("cannot be filtered by; there are {}, {CREATED_AT} and $and", known.join(", "));
            return Err(Invalid::new(path, why));
        }
        if criteria.len() > MOST_TESTS {
            return Err(Invalid::new(path, format!("a filter may hold at most {MOST_TESTS} conditions")));
        }
    }
    Ok(())
}

fn text<F: Copy>(
    path: &str,
    field: F,
    value: Value,
    criteria: &mut Vec<Criterion<F>>,
) -> Result<(), Invalid> {
    let equal = |path: &str, value: Value| match value {
        Value::Null => Ok(Criterion::Missing(field)),
        value => Ok(Criterion::Among(field, vec![string(path, value)?])),
    };
    let Value::Object(operators) = value else {
        criteria.push(equal(path, value)?);
        return Ok(());
    };
    check_operators(path, &operators, "$eq and $in")?;
    for (operator, operand) in operators {
        let path = format!("{path}.{operator}");
        criteria.push(match operator.as_str() {
            "$eq" => equal(&path, operand)?,
            "$in" => Criterion::Among(field, operands(&path, operand)?),
            _ => return Err(Invalid::new(path, "is not an operator for this field; there are $eq and $in")),
        });
    }
    Ok(())
}

fn operands(path: &str, operand: Value) -> Result<Vec<String>, Invalid> {
    let values = crate::body::strings(path, operand)?;
    if values.len() > MOST_OPERANDS {
        let why = format!("must hold at most {MOST_OPERANDS} values, got {}", values.len());
        return Err(Invalid::new(path, why));
    }
    Ok(values)
}

fn created<F>(path: &str, value: Value, criteria: &mut Vec<Criterion<F>>) -> Result<(), Invalid> {
    const KNOWN: &str = "$eq, $gt, $gte, $lt and $lte";
    let Value::Object(operators) = value else {
        criteria.push(Criterion::Created(Range::only(moment(path, &value)?)));
        return Ok(());
    };
    check_operators(path, &operators, KNOWN)?;
    for (operator, operand) in operators {
        let path = format!("{path}.{operator}");
        let range = match operator.as_str() {
            "$eq" => Range::only(moment(&path, &operand)?),
            "$gt" | "$gte" | "$lt" | "$lte" => {
                one_bound((path, operator, operand), |path, operand| moment(path, &operand))?
            }
            _ => {
                return Err(Invalid::new(
                    path,
                    format!("is not an operator for this field; there are {KNOWN}"),
                ));
            }
        };
        criteria.push(Criterion::Created(range));
    }
    Ok(())
}

fn check_operators(path: &str, operators: &Map<String, Value>, known: &str) -> Result<(), Invalid> {
    if operators.is_empty() {
        return Err(Invalid::new(path, format!("must be a value or have operators; there are {known}")));
    }
    Ok(())
}

/// The `sort` of `body`: the direction of `created_at`, the newest first when none is given.
///
/// # Errors
/// When it is by anything else.
pub(super) fn decode_sort(body: &mut Object) -> Result<Direction, Invalid> {
    let mut keys = body.list("sort")?.unwrap_or_default();
    if keys.len() > 1 {
        return Err(body.refuse("sort", format!("may name {CREATED_AT} alone, names {} fields", keys.len())));
    }
    let Some(key) = keys.pop() else { return Ok(Direction::Descending) };
    let mut key = Object::expect(body.path_of("sort.0"), key)?;
    match key.string("field")?.as_deref() {
        Some(CREATED_AT) => {}
        _ => return Err(key.refuse("field", format!("must be '{CREATED_AT}', which alone is sorted by"))),
    }
    match key.value("direction").map(|direction| direction.as_i64()) {
        None | Some(Some(1)) => Ok(Direction::Ascending),
        Some(Some(-1)) => Ok(Direction::Descending),
        Some(_) => Err(key.refuse("direction", "must be 1 or -1")),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Bound;

    use model::Timestamp;
    use serde_json::json;

    use super::*;

    const FIELDS: &[(&str, u8)] = &[("user_id", 1), ("reason", 2)];

    fn read(filter: Value) -> Result<Vec<Criterion<u8>>, Invalid> {
        decode("filter", filter.as_object().cloned().unwrap(), FIELDS)
    }

    #[test]
    fn conditions_are_read() {
        let among = |field, values: &[&str]| {
            Criterion::Among(field, values.iter().map(|&value| value.to_owned()).collect())
        };
        assert_eq!(read(json!({})), Ok(Vec::new()));
        assert_eq!(read(json!({"user_id": "a"})), Ok(vec![among(1, &["a"])]));
        assert_eq!(read(json!({"user_id": {"$eq": "a"}, "reason": null})), {
            Ok(vec![among(1, &["a"]), Criterion::Missing(2)])
        });
        let both = json!({"$and": [{"user_id": {"$in": ["a", "b"]}}, {"$and": [{"reason": {"$in": []}}]}]});
        assert_eq!(read(both), Ok(vec![among(1, &["a", "b"]), among(2, &[])]));
        let range = Range { low: Bound::Excluded(Timestamp::from_nanoseconds(5)), high: Bound::Unbounded };
        assert_eq!(read(json!({"created_at": {"$gt": 5}})), Ok(vec![Criterion::Created(range)]));
    }

    #[test]
    fn refusals_name_the_field() {
        let many = vec!["x"; MOST_OPERANDS + 1];
        let most = vec![json!({"reason": "x"}); MOST_TESTS + 1];
        for (filter, field) in [
            (json!({"name": "x"}), "filter.name"),
            (json!({"$or": []}), "filter.$or"),
            (json!({"$and": {}}), "filter.$and"),
            (json!({"$and": [1]}), "filter.$and.0"),
            (json!({"user_id": 1}), "filter.user_id"),
            (json!({"user_id": {}}), "filter.user_id"),
            (json!({"user_id": {"$gt": "a"}}), "filter.user_id.$gt"),
            (json!({"user_id": {"$in": "a"}}), "filter.user_id.$in"),
            (json!({"user_id": {"$in": ["a", null]}}), "filter.user_id.$in.1"),
            (json!({"user_id": {"$in": many}}), "filter.user_id.$in"),
            (json!({"created_at": "yesterday"}), "filter.created_at"),
            (json!({"created_at": {"$in": []}}), "filter.created_at.$in"),
            (json!({"created_at": {"$lt": true}}), "filter.created_at.$lt"),
            (json!({ "$and": most }), "filter.$and.100.reason"),
        ] {
            assert_eq!(read(filter.clone()).unwrap_err().field, field, "{filter}");
        }
    }

    #[test]
    fn the_newest_come_first_unless_said_otherwise() {
        let sort = |sort: Value| {
            decode_sort(&mut Object::expect(String::new(), json!({ "sort": sort })).unwrap())
                .map_err(|invalid| invalid.field)
        };
        assert_eq!(sort(json!(null)), Ok(Direction::Descending));
        assert_eq!(sort(json!([])), Ok(Direction::Descending));
        assert_eq!(sort(json!([{"field": "created_at"}])), Ok(Direction::Ascending));
        assert_eq!(sort(json!([{"field": "created_at", "direction": -1}])), Ok(Direction::Descending));
        assert_eq!(sort(json!([{"field": "reason"}])), Err("sort.0.field".to_owned()));
        assert_eq!(sort(json!([{}])), Err("sort.0.field".to_owned()));
        assert_eq!(
            sort(json!([{"field": "created_at", "direction": 0}])),
            Err("sort.0.direction".to_owned())
        );
        assert_eq!(sort(json!([{}, {}])), Err("sort".to_owned()));
    }
}
