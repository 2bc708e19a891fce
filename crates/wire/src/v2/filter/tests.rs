//! What filters are read as, and what is refused.

use model::leaf::Numeric;
use serde_json::json;

use super::*;

fn decode(conditions: Value) -> Result<Filter, Invalid> {
    let Value::Object(conditions) = conditions else { panic!("not an object") };
    super::decode("filter", conditions)
}

#[track_caller]
fn reads(conditions: Value, expected: &Filter) {
    assert_eq!(decode(conditions).unwrap(), *expected);
}

fn path(text: &str) -> CustomPath {
    CustomPath::parse(text).unwrap()
}

fn has(name: &str, value: &Value) -> Filter {
    Filter::Is(Test::Has(leaf(&path(name), Place::Value, value)))
}

fn named(names: &[&str]) -> Filter {
    Filter::Is(Test::Among(TextField::Name, names.iter().map(|&name| name.to_owned()).collect()))
}

#[test]
fn values_and_operators() {
    reads(json!({}), &Filter::everybody());
    reads(json!({"name": "a"}), &named(&["a"]));
    reads(json!({"name": {"$eq": "a"}}), &named(&["a"]));
    reads(json!({"name": {"$ne": "a"}}), &Filter::negate(named(&["a"])));
    reads(json!({"name": {"$in": ["a", "b"]}}), &named(&["a", "b"]));
    reads(json!({"age": 3.0}), &has("age", &json!(3)));
    reads(json!({"custom.age": {"$eq": 3}}), &has("age", &json!(3)));
    reads(json!({"deep.x": {"y": 1}}), &has("deep.x", &json!({"y": 1})));
    reads(json!({"a": 1, "name": "b"}), &Filter::And(vec![has("a", &json!(1)), named(&["b"])]));
    reads(json!({"$or": [{"a": 1}, {}]}), &Filter::Or(vec![has("a", &json!(1)), Filter::everybody()]));
    reads(json!({"$nor": []}), &Filter::negate(Filter::nobody()));
}

#[test]
fn null_is_missing() {
    let missing = Filter::negate(Filter::Is(Test::Exists(path("a"))));
    reads(json!({"a": null}), &missing);
    reads(json!({"a": {"$exists": false}}), &missing);
    reads(json!({"a": {"$in": [null, 1]}}), &Filter::Or(vec![missing, has("a", &json!(1))]));
    reads(json!({"teams": null}), &Filter::negate(Filter::Is(Test::AnyTeam)));
    reads(json!({"teams": {}}), &Filter::everybody());
}

#[test]
fn two_bounds_are_one_range() {
    let range =
        Range { low: Bound::Excluded(Numeric::Integer(1)), high: Bound::Included(Numeric::Integer(5)) };
    let one = Filter::And(vec![Filter::Is(Test::Number(path("a"), range))]);
    reads(json!({"a": {"$gt": 1, "$lte": 5}}), &one);
    reads(json!({"a": {"$lte": 5, "$gt": 1}}), &one);
    let Filter::And(two) = decode(json!({"a": {"$gt": 1, "$gte": 5}})).unwrap() else { panic!() };
    assert_eq!(two.len(), 2);
    let Filter::And(mixed) = decode(json!({"a": {"$gt": 1, "$lt": "x"}})).unwrap() else { panic!() };
    assert_eq!(mixed.len(), 2);
}

#[test]
fn words_are_folded() {
    let wanted = vec!["jo".to_owned(), "d".to_owned()];
    let words = Filter::Is(Test::Words(WordField::Name, WordMatch::Prefix, wanted));
    reads(json!({"name": {"$autocomplete": "Jö D"}}), &words);
    let username = Filter::Is(Test::Words(WordField::Username, WordMatch::Whole, vec!["x".to_owned()]));
    reads(json!({"username": {"$q": "X"}}), &username);
}

#[test]
fn refusals_name_field_and_operator() {
    let many: Vec<usize> = (0..101).collect();
    let wide: Vec<Value> = (0..101).map(|number| json!({ "a": number })).collect();
    let deep = (0..6).fold(json!({"a": 1}), |inner, _| json!({ "$and": [inner] }));
    for (conditions, field) in [
        (json!({"$not": []}), "filter.$not"),
        (json!({"$and": {}}), "filter.$and"),
        (json!({"$and": [1]}), "filter.$and.0"),
        (json!({"name": 1}), "filter.name"),
        (json!({"name": {"$like": "a"}}), "filter.name.$like"),
        (json!({"name": {"$contains": "a"}}), "filter.name.$contains"),
        (json!({"role": {"$autocomplete": "a"}}), "filter.role.$autocomplete"),
        (json!({"name": {"$gt": "a"}}), "filter.name.$gt"),
        (json!({"a": {"$autocomplete": "a"}}), "filter.a.$autocomplete"),
        (json!({"name": {"$autocomplete": ""}}), "filter.name.$autocomplete"),
        (json!({"banned": "yes"}), "filter.banned"),
        (json!({"banned": null}), "filter.banned"),
        (json!({"banned": {"$in": [true]}}), "filter.banned.$in"),
        (json!({"created_at": {"$gt": "soon"}}), "filter.created_at.$gt"),
        (json!({"teams": {"$gt": "a"}}), "filter.teams.$gt"),
        (json!({"teams": {"$in": ["a", 1]}}), "filter.teams.$in.1"),
        (json!({"a": {"$gt": true}}), "filter.a.$gt"),
        (json!({"a": {"$gt": null}}), "filter.a.$gt"),
        (json!({"a": {"$in": 1}}), "filter.a.$in"),
        (json!({ "a": { "$in": many } }), "filter.a.$in"),
        (json!({"a": {"$exists": 1}}), "filter.a.$exists"),
        (json!({"a": {"$eq": 1, "b": 2}}), "filter.a.b"),
        (json!({"devices": 1}), "filter.devices"),
        (json!({"a..b": 1}), "filter.a..b"),
        (json!({ "$or": wide }), "filter.$or.100.a"),
        (deep, "filter.$and.0.$and.0.$and.0.$and.0.$and.0.$and"),
    ] {
        assert_eq!(decode(conditions.clone()).unwrap_err().field, field, "{conditions}");
    }
}
