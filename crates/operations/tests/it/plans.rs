//! Every shape of query that is said to be served by an index is, on 200,000 analysed users: no plan scans a table.

use std::ops::Bound;

use headwater_operations::Error;
use headwater_testkit::{Engine, on_each_engine};
use model::filter::{FlagField, Range, TextField, TimeField, WordMatch};
use model::leaf::{Leaf, Numeric, Place};
use model::words::WordField;
use model::{CustomPath, Direction, Filter, Page, Sort, SortField, SortKey, Test, Timestamp, UserQuery};
use serde_json::json;
use storage::find::{self, Scope};
use storage::{Sql, Tx};

use crate::stage::Stage;

/// Users made by the engine itself: what matters here is how many there are of which value, not how they came.
fn populate(engine: Engine, tx: &mut Tx<'_>, app: i64) -> Result<(), Error> {
    match engine {
        Engine::Sqlite => populate_sqlite(tx, app),
        Engine::Postgres => populate_postgres(tx, app),
    }
}

fn populate_postgres(tx: &mut Tx<'_>, app: i64) -> Result<(), Error> {
    const USERS: &str = "INSERT INTO users (key, app, id, name, role, teams, teams_role, language, invisible, custom, \
             name_key, words, created_at, updated_at, deactivated_at, ban, ban_expires) \
         SELECT n, $1, 'u' || n, 'Name ' || (n % 5000), 'user', '[]', '{}', CASE n % 9 WHEN 0 THEN 'en' ELSE '' END, \
             CASE n % 100 WHEN 0 THEN 1 ELSE 0 END, '{}', 'name' || (n % 5000), \
             mark || 'nname ' || mark || 'n' || (n % 5000), n, n, CASE n % 50 WHEN 0 THEN n END, \
             CASE n % 70 WHEN 0 THEN 1 WHEN 1 THEN 2 ELSE 0 END, CASE n % 140 WHEN 0 THEN n WHEN 1 THEN n END \
         FROM GENERATE_SERIES(1, 200000) AS n, LPAD(TO_HEX($1::bigint), 8, '0') AS mark";
    const LEAVES: &str = "INSERT INTO user_leaves SELECT app, 'age', 2, key % 90, '', 0, key FROM users UNION ALL \
         SELECT app, 'country', 3, 0, 'c' || (key % 200), 0, key FROM users UNION ALL \
         SELECT app, 'tags', 19, 0, 't' || (key % 10), 0, key FROM users UNION ALL \
         SELECT app, '$' || 'teams', 19, 0, 'team' || (key % 40), 0, key FROM users WHERE key % 2 = 0";
    const WORDS: &str = "INSERT INTO user_words SELECT entry.word, key FROM users, words_of(words) AS entry";
    tx.execute(Sql::pair("", USERS), &[app.into()])?;
    for statement in [LEAVES, WORDS, "ANALYZE"] {
        tx.execute(Sql::pair("", statement), &[])?;
    }
    Ok(())
}

fn populate_sqlite(tx: &mut Tx<'_>, app: i64) -> Result<(), Error> {
    const USERS: &str = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200000) \
         INSERT INTO users (app, id, name, role, teams, teams_role, language, invisible, custom, name_key, words, \
             created_at, updated_at, deactivated_at, ban, ban_expires) \
         SELECT $1, 'u' || n, 'Name ' || (n % 5000), 'user', '[]', '{}', CASE n % 9 WHEN 0 THEN 'en' ELSE '' END, \
             n % 100 = 0, '{}', 'name' || (n % 5000), printf('%08xnname %08xn%d', $1, $1, n % 5000), n, n, \
             CASE n % 50 WHEN 0 THEN n END, CASE n % 70 WHEN 0 THEN 1 WHEN 1 THEN 2 ELSE 0 END, \
             CASE n % 140 WHEN 0 THEN n WHEN 1 THEN n END FROM numbers";
    const LEAVES: &str = "INSERT INTO user_leaves SELECT app, 'age', 2, key % 90, '', 0, key FROM users UNION ALL \
         SELECT app, 'country', 3, 0, 'c' || (key % 200), 0, key FROM users UNION ALL \
         SELECT app, 'tags', 19, 0, 't' || (key % 10), 0, key FROM users UNION ALL \
         SELECT app, char(36) || 'teams', 19, 0, 'team' || (key % 40), 0, key FROM users WHERE key % 2 = 0";
    tx.execute(Sql::new(USERS), &[app.into()])?;
    tx.execute(Sql::new("INSERT INTO user_words (rowid, words) SELECT key, words FROM users"), &[])?;
    tx.execute(Sql::new(LEAVES), &[])?;
    tx.execute(Sql::new("ANALYZE"), &[])?;
    Ok(())
}

fn path(text: &str) -> CustomPath {
    CustomPath::parse(text).unwrap()
}

fn country(number: u32) -> Leaf {
    Leaf::of("country", Place::Value, &json!(format!("c{number}"))).unwrap()
}

fn over<T>(low: T) -> Range<T> {
    Range { low: Bound::Excluded(low), high: Bound::Unbounded }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn shapes() -> Vec<(&'static str, Filter)> {
    let is = Filter::Is;
    let tag = Leaf::of("tags", Place::Element, &json!("t1")).unwrap();
    let equal = || is(Test::Has(vec![country(1)]));
    let older = || is(Test::Number(path("age"), over(Numeric::Integer(88))));
    let moment = || over(Timestamp::from_nanoseconds(199_000));
    vec![
        ("everybody", Filter::everybody()),
        ("id $eq", is(Test::Among(TextField::Id, names(&["u1"])))),
        ("id $in", is(Test::Among(TextField::Id, names(&["u1", "u2", "u3"])))),
        ("id $gt", is(Test::Text(TextField::Id, over("u5".to_owned())))),
        ("name $eq", is(Test::Among(TextField::Name, names(&["Name 7"])))),
        ("name $in", is(Test::Among(TextField::Name, names(&["Name 7", "Name 8"])))),
        ("role $eq", is(Test::Among(TextField::Role, names(&["admin"])))),
        ("language $eq", is(Test::Among(TextField::Language, names(&["en"])))),
        ("invisible $eq", is(Test::Flag(FlagField::Invisible, true))),
        ("banned $eq", is(Test::Flag(FlagField::Banned, true))),
        ("shadow_banned $eq", is(Test::Flag(FlagField::ShadowBanned, true))),
        ("ban_expires $gt", is(Test::Time(TimeField::BanExpires, moment()))),
        ("created_at $gt", is(Test::Time(TimeField::CreatedAt, moment()))),
        ("updated_at $gt", is(Test::Time(TimeField::UpdatedAt, moment()))),
        ("deactivated_at $exists", is(Test::Time(TimeField::DeactivatedAt, Range::all()))),
        ("teams $contains", is(Test::Has(vec![Leaf::team("team2")]))),
        ("teams $in", is(Test::Has(vec![Leaf::team("team2"), Leaf::team("team4")]))),
        ("custom $eq", equal()),
        ("custom $in", is(Test::Has(vec![country(1), country(2)]))),
        ("custom range of numbers", older()),
        ("custom range of texts", is(Test::CustomText(path("country"), over("c99".to_owned())))),
        ("custom $exists", is(Test::Exists(path("age")))),
        ("custom $contains", is(Test::Has(vec![tag]))),
        ("$autocomplete", is(Test::Words(WordField::Name, WordMatch::Prefix, names(&["n"])))),
        ("$q", is(Test::Words(WordField::Name, WordMatch::Whole, names(&["17"])))),
        ("$and", Filter::And(vec![equal(), older(), Filter::negate(is(Test::AnyTeam))])),
        ("$or", Filter::Or(vec![equal(), older()])),
        ("not equal", Filter::negate(equal())),
        ("role and $autocomplete", Filter::And(vec![everybodys_role(), autocomplete()])),
        ("role $in and custom", Filter::And(vec![some_roles(), equal(), autocomplete()])),
        (
            "id $in and role",
            Filter::And(vec![is(Test::Among(TextField::Id, names(&["u1"]))), everybodys_role()]),
        ),
    ]
}

fn everybodys_role() -> Filter {
    Filter::Is(Test::Among(TextField::Role, names(&["user"])))
}

fn some_roles() -> Filter {
    Filter::Is(Test::Among(TextField::Role, names(&["admin", "user"])))
}

fn autocomplete() -> Filter {
    Filter::Is(Test::Words(WordField::Name, WordMatch::Prefix, names(&["n"])))
}

fn by_id() -> Sort {
    Sort::by(vec![SortKey { field: SortField::Text(TextField::Id), direction: Direction::Ascending }])
}

fn by_age() -> Sort {
    Sort::by(vec![SortKey { field: SortField::Custom(path("age"), None), direction: Direction::Ascending }])
}

fn query(filter: &Filter, sort: Sort) -> UserQuery {
    let page = Page::new(Some(30), None).unwrap();
    UserQuery { filter: filter.clone(), sort, include_deactivated: true, page }
}

impl Stage {
    /// A stage with 200,000 users.
    async fn populated(engine: Engine) -> Self {
        let stage = Self::set(engine).await;
        let app = stage.app.key;
        stage.store.write(move |tx| populate(engine, tx, app.0)).await.unwrap();
        stage
    }

    fn scope(&self) -> Scope {
        Scope { app: self.app.key, now: Timestamp::from_nanoseconds(100_000) }
    }

    /// The plans of each statement that is tried for a query.
    async fn plans(&self, query: &UserQuery) -> Vec<Vec<String>> {
        let (scope, query) = (self.scope(), query.clone());
        let plans = self.store.read(move |tx| find::explain(tx, scope, &query)).await;
        plans.unwrap_or_else(|error: storage::Error| panic!("{error}"))
    }
}

async fn no_plan_scans_a_table(engine: Engine) {
    let stage = Stage::populated(engine).await;
    let scope = stage.scope();
    for (shape, filter) in shapes() {
        for (order, sort) in
            [("newest first", Sort::newest_first()), ("by id", by_id()), ("by a custom field", by_age())]
        {
            // Everybody is sorted by what no index has in order; PostgreSQL scans for less, when it is many all the same.
            let sorts_many =
                matches!(shape, "everybody" | "not equal" | "id $gt") || engine == Engine::Postgres;
            if order == "by a custom field" && sorts_many {
                continue;
            }
            let query = query(&filter, sort);
            for plan in stage.plans(&query).await {
                check(engine, shape, order, &plan);
            }
            let found = stage.store.read(move |tx| find::find(tx, scope, &query)).await;
            found.unwrap_or_else(|error: storage::Error| panic!("{shape}, {order}: {error}"));
        }
    }
}

/// Shapes whose users come from the index in the order that is asked for.
const STREAMED: &[(&str, &[&str])] = &[
    (
        "newest first",
        &[
            "everybody",
            "name $eq",
            "role $eq",
            "language $eq",
            "teams $contains",
            "custom $eq",
            "custom $contains",
            "$autocomplete",
            "$q",
            "$and",
        ],
    ),
    ("by id", &["everybody", "id $gt", "not equal"]),
];

fn check(engine: Engine, shape: &str, order: &str, plan: &[String]) {
    // The newest thousand users are walked as a table of their own.
    let bounded = plan.iter().any(|line| line == "CO-ROUTINE u");
    let scans = |line: &String| match engine {
        Engine::Sqlite => {
            let harmless =
                line.contains("VIRTUAL TABLE") || line.contains("CONSTANT") || (bounded && line == "SCAN u");
            line.starts_with("SCAN") && !harmless
        }
        Engine::Postgres => line.contains("Seq Scan"),
    };
    assert!(!plan.iter().any(scans), "{shape}, {order}: {plan:#?}");
    let sorts = |line: &String| match engine {
        Engine::Sqlite => line.contains("TEMP B-TREE"),
        Engine::Postgres => line.contains("Sort"),
    };
    if STREAMED.iter().any(|(known, shapes)| *known == order && shapes.contains(&shape)) {
        assert!(!plan.iter().any(sorts), "{shape}, {order}, is sorted: {plan:#?}");
    }
}

/// Whether the first statement that is tried goes by this index.
#[track_caller]
fn leads(plans: &[Vec<String>], index: &str) {
    assert!(plans[0].iter().any(|line| line.contains(index)), "{index}: {plans:#?}");
}

async fn the_rarest_condition_leads_wherever_it_stands(engine: Engine) {
    let stage = Stage::populated(engine).await;
    let recent = || Filter::Is(Test::Time(TimeField::UpdatedAt, over(Timestamp::from_nanoseconds(199_950))));
    let country = || Filter::Is(Test::Has(vec![country(1)]));
    let common = || vec![everybodys_role(), autocomplete(), country()];
    for place in 0..=3 {
        let mut conditions = common();
        conditions.insert(place, recent());
        let filter = Filter::And(conditions);
        for sort in [Sort::newest_first(), by_id()] {
            leads(&stage.plans(&query(&filter, sort)).await, "users_by_update");
        }
    }
    // Of those that are all common, the one whose users lie furthest apart.
    let leaves = match engine {
        Engine::Sqlite => "SEARCH d USING PRIMARY KEY",
        Engine::Postgres => "user_leaves",
    };
    leads(&stage.plans(&query(&Filter::And(common()), Sort::newest_first())).await, leaves);
}

async fn a_common_condition_is_walked_in_order_before_anybody_is_sorted(engine: Engine) {
    let stage = Stage::populated(engine).await;
    let plans = stage.plans(&query(&everybodys_role(), by_id())).await;
    assert_eq!(plans.len(), 2, "{plans:#?}");
    let id_index = match engine {
        Engine::Sqlite => "sqlite_autoindex_users_1",
        Engine::Postgres => "users_app_id_key",
    };
    leads(&plans, id_index);
    let created = Filter::Is(Test::Time(TimeField::CreatedAt, over(Timestamp::from_nanoseconds(5))));
    let plans = stage.plans(&query(&created, Sort::newest_first())).await;
    assert_eq!(plans.len(), 1, "{plans:#?}");
    leads(&plans, "users_by_creation");
}

async fn bans_that_are_over_are_not_read(engine: Engine) {
    let stage = Stage::populated(engine).await;
    for (field, sort) in [
        (FlagField::Banned, Sort::newest_first()),
        (FlagField::ShadowBanned, Sort::newest_first()),
        (FlagField::Banned, by_age()),
    ] {
        let plans = stage.plans(&query(&Filter::Is(Test::Flag(field, true)), sort)).await;
        let collected = plans.last().unwrap();
        assert!(collected.iter().any(|line| line.contains("users_banned")), "{field:?}: {plans:#?}");
    }
}

on_each_engine!(
    no_plan_scans_a_table,
    the_rarest_condition_leads_wherever_it_stands,
    a_common_condition_is_walked_in_order_before_anybody_is_sorted,
    bans_that_are_over_are_not_read,
);
