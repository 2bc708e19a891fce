//! The query language over the wire: `docs/query.md` holds, bad input is refused in words, pages meet everybody.
//!
//! The page is the list of cases. Its fenced blocks say in the info string what they are:
//! `json users deactivated=a,b` is an upsert, `json query finds=a,b` a payload with the ids of its answer in order,
//! `json query refused=FIELD` a payload with the field that is refused, `json answer` what the next one is answered.

use std::collections::BTreeSet;

use headwater_testkit::TestFront;
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../../docs/query.md");

/// Every operator of one field. A new one needs an example and a place in the table of fields.
const OPERATORS: &[&str] = &[
    "$eq",
    "$ne",
    "$in",
    "$nin",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$exists",
    "$contains",
    "$autocomplete",
    "$q",
];

/// Every operator between conditions.
const CONNECTIVES: &[&str] = &["$and", "$or", "$nor"];

/// The language has no reason to answer anything else to what it does not understand.
const INPUT_ERROR: (u16, i64) = (400, 4);

#[derive(Debug)]
enum Block {
    Users { body: Value, deactivated: Vec<String> },
    Finds { line: usize, payload: Value, ids: Vec<String> },
    Refused { line: usize, payload: Value, field: String },
    Answer(Value),
}

/// The blocks of the page, in its order.
fn blocks() -> Vec<Block> {
    let mut lines = PAGE.lines().enumerate();
    let mut found = Vec::new();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let content: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        if info.starts_with("json") {
            found.push(block(number + 1, info, &content.join("\n")));
        }
    }
    found
}

fn block(line: usize, info: &str, content: &str) -> Block {
    let value: Value = serde_json::from_str(content).unwrap_or_else(|error| panic!("line {line}: {error}"));
    let ids = |list: &str| list.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
    let (mark, argument) = info.split_once('=').unwrap_or((info, ""));
    match mark {
        "json users deactivated" => Block::Users { body: value, deactivated: ids(argument) },
        "json query finds" => Block::Finds { line, payload: value, ids: ids(argument) },
        "json query refused" => Block::Refused { line, payload: value, field: argument.to_owned() },
        "json answer" => Block::Answer(value),
        _ => panic!("line {line}: no test knows what to do with '{info}'"),
    }
}

fn path(payload: &Value) -> String {
    let encoded: String = payload.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("/api/v2/users?payload={encoded}")
}

/// The ids that a query is answered.
async fn ids(front: &TestFront, payload: &Value) -> Vec<String> {
    let reply = front.get(&path(payload)).await;
    let body = reply.json();
    assert_eq!(reply.status, 200, "{payload}: {body}");
    let users = body["users"].as_array().unwrap_or_else(|| panic!("{body}"));
    users.iter().map(|user| user["id"].as_str().unwrap_or_default().to_owned()).collect()
}

/// What is wrong with a query, of which `field` has to be the only field that is named.
async fn reason(front: &TestFront, payload: &Value, field: &str) -> String {
    let reply = front.get(&path(payload)).await;
    let (status, code, message) = reply.refusal();
    assert_eq!((status, code), INPUT_ERROR, "{payload}: {message}");
    let fields = reply.json()["exception_fields"].clone();
    let named: Vec<&String> = fields.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    assert_eq!(named, [field], "{payload}");
    let reason = fields[field].as_str().unwrap_or_default().to_owned();
    assert!(!reason.is_empty(), "{payload}");
    assert_eq!(message, format!("QueryUsers failed with error: \"{field}: {reason}\""));
    reason
}

async fn upsert(front: &TestFront, ids: impl IntoIterator<Item = String>) {
    let users: serde_json::Map<String, Value> = ids.into_iter().map(|id| (id, json!({}))).collect();
    let reply = front.call("POST", "/api/v2/users", &json!({ "users": users })).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_page_answers_what_the_page_says() {
    let front = TestFront::start().await;
    let mut wrong = Vec::new();
    let mut answer = None;
    for block in blocks() {
        match block {
            Block::Users { body, deactivated } => {
                let reply = front.call("POST", "/api/v2/users", &body).await;
                assert_eq!(reply.status, 201, "{}", reply.json());
                for id in deactivated {
                    let reply =
                        front.call("POST", &format!("/api/v2/users/{id}/deactivate"), &json!({})).await;
                    assert_eq!(reply.status, 200, "{}", reply.json());
                }
            }
            Block::Finds { line, payload, ids: expected } => {
                let found = ids(&front, &payload).await;
                if found != expected {
                    wrong.push(format!("line {line}: finds {found:?}, not {expected:?}"));
                }
            }
            Block::Refused { line, payload, field } => {
                let reason = reason(&front, &payload, &field).await;
                let body = front.get(&path(&payload)).await.json();
                let shown: Value = answer.take().unwrap_or_else(|| json!({}));
                for (name, value) in shown.as_object().into_iter().flatten() {
                    assert_eq!(body[name], *value, "line {line}: {reason}");
                }
            }
            Block::Answer(shown) => answer = Some(shown),
        }
    }
    assert!(wrong.is_empty(), "docs/query.md:\n{}", wrong.join("\n"));
    assert_eq!(answer, None, "an answer stands before the query that it is the answer to");
}

#[test]
fn every_operator_has_an_example_that_finds_something() {
    let mut shown = BTreeSet::new();
    for block in blocks() {
        if let Block::Finds { payload, ids, .. } = block
            && !ids.is_empty()
        {
            collect_operators(&payload, &mut shown);
        }
    }
    let known: BTreeSet<String> = OPERATORS.iter().chain(CONNECTIVES).map(|&name| name.to_owned()).collect();
    assert_eq!(shown, known);
}

fn collect_operators(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                found.extend(key.starts_with('$').then(|| key.clone()));
                collect_operators(inner, found);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect_operators(element, found)),
        _ => {}
    }
}

/// A row of the table of fields.
struct Row {
    fields: Vec<&'static str>,
    operators: BTreeSet<&'static str>,
    sorts: bool,
}

fn rows() -> Vec<Row> {
    let table = PAGE.lines().skip_while(|line| !line.starts_with("| field | holds")).skip(2);
    let quoted = |cell: &'static str| cell.split('`').skip(1).step_by(2);
    let row = |line: &'static str| {
        let cells: Vec<&'static str> = line.split('|').map(str::trim).collect();
        let [_, fields, _, operators, sorts, _] = cells[..] else { panic!("not a row of the table: {line}") };
        Row {
            fields: quoted(fields).collect(),
            operators: quoted(operators).collect(),
            sorts: sorts == "yes",
        }
    };
    table.take_while(|line| !line.is_empty()).map(row).collect()
}

/// The operators that a refusal names.
fn operators_in(reason: &str) -> BTreeSet<String> {
    let words = reason.split(|character: char| !character.is_ascii_alphabetic() && character != '$');
    words.filter(|word| word.starts_with('$')).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_fields_says_what_is_taken_and_what_is_refused() {
    let front = TestFront::start().await;
    let operands = [json!("2024-01-01T00:00:00Z"), json!(true), json!(["a"])];
    let mut fields = 0;
    for row in rows() {
        for field in row.fields {
            fields += 1;
            let mut taken = BTreeSet::new();
            for operator in OPERATORS {
                for operand in &operands {
                    let payload = json!({"filter_conditions": {field: {*operator: operand}}});
                    if front.get(&path(&payload)).await.status == 200 {
                        taken.insert(*operator);
                        break;
                    }
                }
            }
            assert_eq!(taken, row.operators, "{field}");
            let unknown = json!({"filter_conditions": {field: {"$unknown": 1}}});
            let at = format!("filter_conditions.{field}.$unknown");
            let named = operators_in(&reason(&front, &unknown, &at).await);
            assert!(taken.iter().all(|operator| named.contains(*operator)), "{field}: {named:?}");
            let known = |operator: &String| OPERATORS.contains(&operator.as_str());
            assert!(named.iter().all(known), "{field}: an operator without example: {named:?}");
            let sorted = front.get(&path(&json!({"sort": [{ "field": field }]}))).await.status;
            assert_eq!(sorted == 200, row.sorts, "sorting by {field}");
        }
    }
    assert!(fields >= 16, "the table of fields is not where it was: {fields} fields");
    let unknown = json!({"filter_conditions": {"$unknown": []}});
    let named = operators_in(&reason(&front, &unknown, "filter_conditions.$unknown").await);
    let known: BTreeSet<String> = CONNECTIVES.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(named, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_would_work() {
    let front = TestFront::start().await;
    let many: Vec<usize> = (0..101).collect();
    let wide: Vec<Value> = many.iter().map(|number| json!({ "a": number })).collect();
    let deep = |depth: usize| (0..depth).fold(json!({"a": 1}), |inner, _| json!({ "$or": [inner] }));
    let filter = |conditions: Value| json!({ "filter_conditions": conditions });
    for (payload, field, why) in [
        (filter(json!([])), "filter_conditions", "must be an object, got an array"),
        (
            filter(json!({"$or": {}})),
            "filter_conditions.$or",
            "must be an array of conditions, got an object",
        ),
        (filter(json!({"$or": ["a"]})), "filter_conditions.$or.0", "must be an object, got a string"),
        (
            filter(json!({"id": {"$in": many}})),
            "filter_conditions.id.$in",
            "must hold at most 100 values, got 101",
        ),
        (
            filter(json!({"a": {"$nin": many}})),
            "filter_conditions.a.$nin",
            "must hold at most 100 values, got 101",
        ),
        (
            filter(json!({"$or": wide})),
            "filter_conditions.$or.100.a",
            "a filter may hold at most 100 conditions",
        ),
        (
            filter(deep(6)),
            "filter_conditions.$or.0.$or.0.$or.0.$or.0.$or.0.$or",
            "$and, $or and $nor may nest 5 deep",
        ),
        (
            filter(json!({"role": {"$gt": "a"}})),
            "filter_conditions.role.$gt",
            "is not an operator for this field; there are $eq, $ne, $in, $nin and $exists",
        ),
        (
            filter(json!({"banned": {"$exists": true}})),
            "filter_conditions.banned.$exists",
            "is not an operator for this field; there are $eq and $ne",
        ),
        (filter(json!({"id": {"$gt": 1}})), "filter_conditions.id.$gt", "must be a string, got a number"),
        (
            filter(json!({"teams": {"$in": [1]}})),
            "filter_conditions.teams.$in.0",
            "must be a string, got a number",
        ),
        (
            filter(json!({"a": {"$contains": null}})),
            "filter_conditions.a.$contains",
            "must be a value other than null",
        ),
        (
            filter(json!({"a": {"$lte": []}})),
            "filter_conditions.a.$lte",
            "must be a number or a string, got an array",
        ),
        (
            filter(json!({"name": {"$q": ""}})),
            "filter_conditions.name.$q",
            "must hold at least one letter or digit",
        ),
        (json!({"limit": 101}), "limit", "must be at most 100, got 101"),
        (json!({"offset": 1001}), "offset", "must be at most 1000, got 1001; page by id beyond"),
        (json!({"offset": -1}), "offset", "must be a whole number from 0 up, got -1"),
        (
            json!({"id_gte": "a", "sort": [{"field": "created_at"}]}),
            "sort",
            "must be by id alone, or left out, together with id_gte",
        ),
        (json!({"id_lt": "a", "offset": 5}), "offset", "must be 0 together with id_lt"),
        (json!({"id_lt": ["a"]}), "id_lt", "must be a string, got an array"),
        (json!({"sort": {"field": "id"}}), "sort", "must be an array, got an object"),
        (json!({"sort": [{"field": "id", "direction": "up"}]}), "sort.0.direction", "must be 1 or -1"),
        (
            json!({"sort": [{"field": "a", "type": "text"}]}),
            "sort.0.type",
            "must be 'number' or 'boolean', for a custom field",
        ),
    ] {
        assert_eq!(reason(&front, &payload, field).await, why, "{payload}");
    }
    for taken in [
        filter(json!({"id": {"$in": many[..100].iter().map(ToString::to_string).collect::<Vec<_>>()}})),
        filter(json!({"$or": wide[..100]})),
        filter(deep(5)),
        json!({"limit": 100, "offset": 1000}),
    ] {
        assert_eq!(ids(&front, &taken).await, Vec::<String>::new(), "at the limit: {taken}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_can_be_reached_together() {
    let front = TestFront::start().await;
    upsert(&front, vec!["alice".to_owned()]).await;
    // As many as the head of a request takes.
    let values: Vec<u32> = (0..100).collect();
    let condition = |number: u32| json!({format!("field_{number}"): {"$in": values}});
    let conditions: Vec<Value> = (0..60).map(condition).collect();
    for (operator, found) in [("$or", 0), ("$and", 0), ("$nor", 1)] {
        let payload = json!({"filter_conditions": {operator: conditions}});
        assert_eq!(ids(&front, &payload).await.len(), found, "{operator}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walking_by_id_meets_everybody_once_while_users_are_added() {
    let front = TestFront::start().await;
    let first: BTreeSet<String> = (0..250).map(|number| format!("user-{number:03}")).collect();
    for chunk in first.iter().cloned().collect::<Vec<_>>().chunks(100) {
        upsert(&front, chunk.to_vec()).await;
    }
    let mut met: Vec<String> = Vec::new();
    let mut added_ahead = BTreeSet::new();
    for round in 0.. {
        let last = met.last().cloned().unwrap_or_default();
        let payload = json!({"id_gt": last, "sort": [{"field": "id", "direction": 1}], "limit": 20});
        let page = ids(&front, &payload).await;
        let is_last = page.len() < 20;
        met.extend(page);
        if is_last {
            break;
        }
        // One behind the walk, which it does not meet, and one right ahead of it, which it does.
        let ahead = format!("{}-{round:02}", met[met.len() - 1]);
        upsert(&front, [format!("behind-{round:02}"), ahead.clone()]).await;
        added_ahead.insert(ahead);
    }
    assert!(added_ahead.len() >= 12, "{added_ahead:?}");
    let expected: Vec<String> = first.union(&added_ahead).cloned().collect();
    assert_eq!(met, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_beyond_the_end_answers_an_empty_list() {
    let front = TestFront::start().await;
    upsert(&front, (0..5).map(|number| format!("user-{number}"))).await;
    for (offset, expected) in [(3, vec!["user-1", "user-0"]), (5, vec![]), (6, vec![]), (1000, vec![])] {
        assert_eq!(ids(&front, &json!({ "offset": offset })).await, expected, "{offset}");
    }
}
