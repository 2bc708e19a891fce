//! The query language: whatever is asked, the database answers the users that the model's own evaluation finds, in the
//! model's order.

use std::ops::Bound;
use std::sync::Arc;

use headwater_operations::Ctx;
use headwater_operations::lifecycle::{self, Deactivate};
use headwater_operations::users;
use headwater_testkit::{Engine, TestStore, require};
use model::filter::{FlagField, Range, TextField, TimeField, WordMatch};
use model::leaf::{Kind, Leaf, Numeric, Place};
use model::words::WordField;
use model::{
    Action, App, Ban, Custom, CustomPath, CustomText, Direction, Filter, Page, Profile, Sort, SortField,
    SortKey, StoredUser, Test, Timestamp, UserContent, UserId, UserQuery, UserView,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use storage::bans::NewBan;
use storage::find::{Effort, Scope};

use crate::stage::{Stage, id, server};

/// Queries asked of one set of users.
const QUERIES: usize = 50;

const NAMES: &[&str] = &["Ann", "ann", "Zoë Ångström", "Zoe", "O'Brien 2nd", "日本 語", "!!!", "", "ann zoe"];
const WORDS: &[&str] = &["a", "an", "ann", "zo", "zoe", "ang", "2", "日", "u", "u1", "x"];
const PATHS: &[&str] = &["a", "b", "a.x", "tags", "username"];
const IDS: &[&str] = &["u1", "U1", "u10", "u2", "b-1", "b@2", "zoe", "nobody"];

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        select(vec![json!(null), json!(true), json!(false), json!("x"), json!("y"), json!("ann"), json!("")]),
        select(vec![
            json!(0),
            json!(1),
            json!(1.0),
            json!(-1),
            json!(1.5),
            json!(9_007_199_254_740_993_i64),
            json!(1e300)
        ]),
        (190_usize..210).prop_map(|length| json!("l".repeat(length))),
    ];
    let array = vec(scalar.clone(), 0..3).prop_map(Value::from);
    prop_oneof![4 => scalar.clone(), 1 => array, 1 => scalar.prop_map(|inner| json!({"x": inner}))]
}

fn profile() -> impl Strategy<Value = Profile> {
    let custom = btree_map(select(vec!["a", "b", "tags", "username"]), value(), 0..4);
    let teams = vec(select(vec!["red", "blue"]), 0..3);
    let role = select(vec!["user", "admin"]);
    let language = select(vec!["", "en", "de"]);
    (option::of(select(NAMES)), custom, teams, role, language, any::<bool>()).prop_map(
        |(name, custom, teams, role, language, invisible)| Profile {
            name: name.map(str::to_owned),
            custom: Custom::from_stored(
                custom.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            ),
            teams: Some(teams.into_iter().map(str::to_owned).collect()),
            role: Some(role.to_owned()),
            language: Some(language.to_owned()),
            invisible: Some(invisible),
            ..Profile::default()
        },
    )
}

/// When the queries are asked, whatever the clock says: bans end before and after.
const NOW: Timestamp = Timestamp::from_nanoseconds(1_704_067_200_000_000_010);

fn moment() -> impl Strategy<Value = Timestamp> {
    (-20_i64..40).prop_map(|offset| Timestamp::from_nanoseconds(1_704_067_200_000_000_000 + offset))
}

fn ban() -> impl Strategy<Value = Ban> {
    (any::<bool>(), option::of(moment())).prop_map(|(shadow, expires)| Ban { shadow, expires })
}

fn path() -> impl Strategy<Value = CustomPath> {
    select(PATHS).prop_map(|path| CustomPath::parse(path).unwrap())
}

fn range<T: Clone + std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Range<T>> {
    let bound = (0..3, value).prop_map(|(kind, value)| match kind {
        0 => Bound::Unbounded,
        1 => Bound::Included(value),
        _ => Bound::Excluded(value),
    });
    vec(bound, 2).prop_map(|bounds| Range { low: bounds[0].clone(), high: bounds[1].clone() })
}

fn leaf() -> impl Strategy<Value = Vec<Leaf>> {
    let place = select(vec![Place::Value, Place::Element]);
    let custom =
        (path(), place, value()).prop_map(|(path, place, value)| Leaf::of(&path.to_string(), place, &value));
    let team = select(vec!["red", "green"]).prop_map(|team| Some(Leaf::team(team)));
    vec(prop_oneof![3 => custom, 1 => team], 0..3).prop_map(|leaves| leaves.into_iter().flatten().collect())
}

fn test() -> impl Strategy<Value = Test> {
    let numbers =
        select(vec![Numeric::Integer(0), Numeric::Integer(1), Numeric::Float(1.5), Numeric::Float(-1e300)]);
    let texts = select(vec!["".to_owned(), "ann".to_owned(), "x".to_owned(), "l".repeat(200)]);
    let ids = || select(IDS).prop_map(str::to_owned);
    let among = prop_oneof![
        (Just(TextField::Id), vec(ids(), 0..4)),
        (Just(TextField::Name), vec(select(NAMES).prop_map(str::to_owned), 0..3)),
        (Just(TextField::Role), vec(select(vec!["user".to_owned(), "admin".to_owned()]), 1..3)),
        (Just(TextField::Language), vec(select(vec![String::new(), "en".to_owned()]), 1..3)),
    ];
    let flags = select(vec![FlagField::Banned, FlagField::ShadowBanned, FlagField::Invisible]);
    let times = select(vec![
        TimeField::CreatedAt,
        TimeField::UpdatedAt,
        TimeField::LastActive,
        TimeField::DeactivatedAt,
        TimeField::BanExpires,
    ]);
    let word_fields = select(vec![WordField::Id, WordField::Name, WordField::Username]);
    let how = select(vec![WordMatch::Prefix, WordMatch::Whole]);
    let set = select(vec![TextField::Name, TextField::Language, TextField::Role]);
    prop_oneof![
        4 => leaf().prop_map(Test::Has),
        2 => (path(), range(numbers)).prop_map(|(path, range)| Test::Number(path, range)),
        2 => (path(), range(texts)).prop_map(|(path, range)| Test::CustomText(path, range)),
        1 => path().prop_map(Test::Exists),
        1 => Just(Test::AnyTeam),
        1 => vec(select(vec!["red".to_owned(), "blue".to_owned()]), 0..3).prop_map(Test::TeamsAre),
        3 => among.prop_map(|(field, values)| Test::Among(field, values)),
        1 => range(ids()).prop_map(|range| Test::Text(TextField::Id, range)),
        1 => set.prop_map(|field| Test::Text(field, Range::all())),
        1 => (flags, any::<bool>()).prop_map(|(field, value)| Test::Flag(field, value)),
        2 => (times, range(moment())).prop_map(|(field, range)| Test::Time(field, range)),
        3 => (word_fields, how, vec(select(WORDS).prop_map(str::to_owned), 1..3))
            .prop_map(|(field, how, words)| Test::Words(field, how, words)),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    test().prop_map(Filter::Is).prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            2 => vec(inner.clone(), 0..4).prop_map(Filter::And),
            2 => vec(inner.clone(), 0..4).prop_map(Filter::Or),
            1 => inner.prop_map(Filter::negate),
        ]
    })
}

fn sort() -> impl Strategy<Value = Sort> {
    let field = prop_oneof![
        select(vec![TextField::Id, TextField::Name, TextField::Role]).prop_map(SortField::Text),
        select(vec![
            TimeField::CreatedAt,
            TimeField::UpdatedAt,
            TimeField::LastActive,
            TimeField::BanExpires,
        ])
        .prop_map(SortField::Time),
        (path(), select(vec![None, Some(Kind::Number), Some(Kind::Boolean)]))
            .prop_map(|(path, kind)| SortField::Custom(path, kind)),
    ];
    let direction = select(vec![Direction::Ascending, Direction::Descending]);
    let key = (field, direction).prop_map(|(field, direction)| SortKey { field, direction });
    prop_oneof![3 => Just(Sort::newest_first()), 4 => vec(key, 1..4).prop_map(Sort::by)]
}

fn query() -> impl Strategy<Value = UserQuery> {
    let page = (prop_oneof![0..5_usize, Just(100)], prop_oneof![3 => Just(0_usize), 1 => 0..10_usize]);
    (filter(), sort(), any::<bool>(), page).prop_map(
        |(filter, sort, include_deactivated, (limit, offset))| UserQuery {
            filter,
            sort,
            include_deactivated,
            page: Page::new(Some(limit), Some(offset)).unwrap(),
        },
    )
}

/// One app with users of whom some were updated later, some are deactivated, and some banned.
struct Crowd {
    app: Arc<App>,
    users: Vec<UserView>,
}

async fn crowd(stage: &Stage, number: usize, people: &[(Profile, Option<Ban>)]) -> Crowd {
    let app = stage.another_app(&format!("crowd-{number}")).await;
    let upsert = async |profiles: Vec<(UserId, Profile)>| {
        let ctx = server(&stage.store, &app, Action::UpdateUser);
        stage.store.write(move |tx| users::upsert(tx, &ctx, &profiles.clone().into())).await.unwrap();
        stage.store.clock().advance(3);
    };
    let named: Vec<(UserId, Profile)> = people
        .iter()
        .enumerate()
        .map(|(place, (profile, _))| {
            (id(IDS.get(place).copied().unwrap_or(&format!("u-{place}"))), profile.clone())
        })
        .collect();
    for some in named.chunks(3) {
        upsert(some.to_vec()).await;
    }
    upsert(named[..1].to_vec()).await;
    let command = Deactivate {
        id: named[named.len() / 2].0.clone(),
        created_by: None,
        content: UserContent::default(),
    };
    let ctx = server(&stage.store, &app, Action::DeactivateUser);
    stage.store.write(move |tx| lifecycle::deactivate(tx, &ctx, &command)).await.unwrap();
    let bans = named.iter().zip(people).filter_map(|((id, _), (_, ban))| Some((id.clone(), (*ban)?)));
    shut_out(stage, &app, bans.collect()).await;
    let all = UserQuery {
        filter: Filter::everybody(),
        sort: Sort::newest_first(),
        include_deactivated: true,
        page: Page::new(Some(100), None).unwrap(),
    };
    assert_eq!(find(&stage.store, &app, all, None).await.len(), people.len());
    let key = app.key;
    let stored = stage
        .store
        .read(move |tx| storage::users::by_ids(tx, key, &named.iter().map(|(id, _)| id).collect()));
    let users = bare::<Custom>(stored.await.unwrap());
    assert_eq!(users.len(), people.len());
    Crowd { app, users }
}

async fn shut_out(stage: &Stage, app: &App, bans: Vec<(UserId, Ban)>) {
    let app = app.key;
    let banned: Result<(), storage::Error> = stage
        .store
        .write(move |tx| {
            let known = storage::users::by_ids(tx, app, &bans.iter().map(|(id, _)| id).collect())?;
            for (id, ban) in &bans {
                let key = known.iter().find(|known| known.user.id == *id).unwrap().key;
                let (banned_by, ip_ban, reason, created_at) = (None, false, None, NOW);
                let user = (key, id);
                storage::bans::put(
                    tx,
                    app,
                    &NewBan { user, ban: *ban, banned_by, ip_ban, reason, created_at },
                )?;
            }
            Ok(())
        })
        .await;
    banned.unwrap();
}

/// What the database finds, by the operation or with an effort so small that a handful of users lead it every way.
async fn find(
    store: &TestStore,
    app: &Arc<App>,
    query: UserQuery,
    effort: Option<Effort>,
) -> Vec<UserView<CustomText>> {
    let ctx = Ctx { now: NOW, ..server(store, app, Action::SearchUser) };
    let Some(effort) = effort else {
        return store.read(move |tx| users::query(tx, &ctx, &query)).await.unwrap();
    };
    let scope = Scope { app: app.key, now: NOW };
    let found = store.read(move |tx| storage::find::find_with(tx, scope, &query, effort)).await;
    bare(found.unwrap_or_else(|error: storage::Error| panic!("{error}")))
}

/// None for the effort of the program.
fn effort() -> impl Strategy<Value = Option<Effort>> {
    let small = (0..4_usize, 0..2_usize, 1..5_i64);
    prop_oneof![
        1 => Just(None),
        3 => small.prop_map(|(walked, walked_for_each, sample)| {
            Some(Effort { walked, walked_for_each, sample })
        }),
    ]
}

/// What the model itself makes of a query.
fn expected<'a>(users: &'a [UserView], query: &UserQuery) -> Vec<&'a str> {
    let mut found: Vec<&UserView> = users
        .iter()
        .filter(|view| query.include_deactivated || view.user.deactivated_at.is_none())
        .filter(|view| query.filter.holds(view))
        .collect();
    found.sort_by(|left, right| query.sort.compare(left, right));
    let page = found.into_iter().skip(query.page.offset()).take(query.page.limit());
    page.map(|view| view.user.id.as_str()).collect()
}

#[test]
fn sqlite_finds_what_the_model_finds() {
    finds_what_the_model_finds(Engine::Sqlite);
}

#[test]
fn postgres_finds_what_the_model_finds() {
    if Engine::Postgres.is_here() {
        finds_what_the_model_finds(Engine::Postgres);
    }
}

fn finds_what_the_model_finds(engine: Engine) {
    let queries = if require::long() { 1_000_000 } else { 5_000 };
    let cases = u32::try_from(queries / QUERIES).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stage = runtime.block_on(Stage::set(engine));
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let numbers = std::cell::Cell::new(0);
    let strategy = (vec((profile(), option::of(ban())), 2..12), vec((query(), effort()), QUERIES));
    let checked = runner.run(&strategy, |(people, queries)| {
        numbers.set(numbers.get() + 1);
        runtime.block_on(async {
            let crowd = crowd(&stage, numbers.get(), &people).await;
            for (query, effort) in queries {
                let found = find(&stage.store, &crowd.app, query.clone(), effort).await;
                let found: Vec<&str> = found.iter().map(|view| view.user.id.as_str()).collect();
                prop_assert_eq!(found, expected(&crowd.users, &query), "{:?}, {:?}", query, effort);
            }
            Ok(())
        })
    });
    if let Err(failure) = checked {
        panic!("{failure}");
    }
}

/// Nothing hangs on the users of these tests.
fn bare<C>(users: Vec<StoredUser<C>>) -> Vec<UserView<C>> {
    users.into_iter().map(|stored| UserView::bare(stored.user.as_of(NOW))).collect()
}
