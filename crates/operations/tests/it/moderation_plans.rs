//! The plans of searches for bans and flags, among a hundred thousand of each.

use headwater_operations::Error;
use headwater_testkit::{Engine, on_each_engine};
use model::leaf::Leaf;
use model::{
    AppKey, BanField, BanQuery, Criterion, Direction, Filter, FlagPlace, FlagQuery, FlagRecordField,
    FlagStart, Page, Test, Timestamp, filter,
};
use storage::find::{self, BansInReach, Scope};
use storage::{Sql, Tx};

use crate::stage::Stage;

const MANY: i64 = 100_000;

/// Users, of whom each is banned and has flagged something, made by the engine itself.
fn populate(tx: &mut Tx<'_>, app: AppKey) -> Result<(), Error> {
    const USERS: Sql = Sql::pair(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1) \
         INSERT INTO users (app, id, role, teams, teams_role, language, invisible, custom, name_key, words, created_at, \
             updated_at, ban) \
         SELECT $2, 'u' || n, 'user', '[]', '{}', '', 0, '{}', '', '', n, n, 1 FROM numbers",
        "INSERT INTO users (key, app, id, role, teams, teams_role, language, invisible, custom, name_key, words, \
             created_at, updated_at, ban) \
         SELECT n, $2, 'u' || n, 'user', '[]', '{}', '', 0, '{}', '', '', n, n, 1 \
         FROM GENERATE_SERIES(1, $1::bigint) AS n",
    );
    const BANS: Sql = Sql::new(
        "INSERT INTO bans (app, \"user\", channel, banned_by, shadow, ip_ban, reason, created_at) \
         SELECT app, key, '', CASE key % 3 WHEN 0 THEN 1 + key % 100 END, 0, 0, 'r' || (key % 50), key FROM users",
    );
    const FLAGS: Sql = Sql::new(
        "INSERT INTO flags (app, \"user\", entity_type, entity_id, creator, item, reason, created_at, updated_at) \
         SELECT app, key, 'photo', id, CASE key % 3 WHEN 0 THEN NULL ELSE 1 + key % 1000 END, id, \
             'r' || (key % 50), key / 2, key FROM users",
    );
    const TEAMS: Sql = Sql::pair(
        "INSERT INTO user_leaves SELECT app, char(36) || 'teams', 19, 0, 'team' || (key % 4), 0, key FROM users",
        "INSERT INTO user_leaves SELECT app, '$' || 'teams', 19, 0, 'team' || (key % 4), 0, key FROM users",
    );
    tx.execute(USERS, &[MANY.into(), app.0.into()])?;
    for statement in [BANS, FLAGS, TEAMS, Sql::new("ANALYZE")] {
        tx.execute(statement, &[])?;
    }
    Ok(())
}

impl Stage {
    async fn accused(engine: Engine) -> Self {
        let stage = Self::set(engine).await;
        let app = stage.app.key;
        stage.store.write(move |tx| populate(tx, app)).await.unwrap();
        stage
    }
}

fn some_team() -> Filter {
    Filter::Is(Test::Has(vec![Leaf::team("team2"), Leaf::team("team3")]))
}

fn among<F>(field: F, value: &str) -> Criterion<F> {
    Criterion::Among(field, vec![value.to_owned()])
}

fn since<F>(moment: i64) -> Criterion<F> {
    let low = std::ops::Bound::Included(Timestamp::from_nanoseconds(moment));
    Criterion::Created(filter::Range { low, high: std::ops::Bound::Unbounded })
}

#[track_caller]
fn check(engine: Engine, plan: &[String], index: &str, what: &str) {
    let scans = |line: &String| match engine {
        Engine::Sqlite => line.starts_with("SCAN"),
        Engine::Postgres => line.contains("Seq Scan"),
    };
    assert!(!plan.iter().any(scans), "{what}: {plan:#?}");
    assert!(plan.iter().any(|line| line.contains(index)), "{what} without {index}: {plan:#?}");
}

async fn bans_are_found_by_an_index(engine: Engine) {
    let stage = Stage::accused(engine).await;
    let scope = Scope { app: stage.app.key, now: Timestamp::from_nanoseconds(MANY) };
    let by_user = if engine == Engine::Sqlite { "sqlite_autoindex_bans_1" } else { "bans_user_channel_key" };
    for (criteria, index) in [
        (vec![], "bans_by_creation"),
        (vec![among(BanField::User, "u7")], by_user),
        (vec![among(BanField::User, "u7"), among(BanField::BannedBy, "u9")], by_user),
        (vec![among(BanField::BannedBy, "u9")], "bans_by_author"),
        (vec![since(MANY - 50)], "bans_by_creation"),
        (vec![among(BanField::Reason, "r7")], "bans_by_creation"),
        (vec![Criterion::Missing(BanField::BannedBy)], "bans_by_creation"),
    ] {
        for team in [None, Some(some_team())] {
            let page = Page::new(None, None).unwrap();
            let query = BanQuery {
                criteria: criteria.clone(),
                exclude_expired: true,
                direction: Direction::Descending,
                page,
            };
            let what = format!("{query:?} {team:?}");
            let explained: Result<_, storage::Error> = stage
                .store
                .read(move |tx| {
                    let reach = BansInReach { users: team.as_ref(), unaware: None };
                    find::bans(tx, scope, &query, reach)?;
                    find::explain_bans(tx, scope, &query, reach)
                })
                .await;
            check(engine, &explained.unwrap(), index, &what);
        }
    }
}

async fn flags_are_found_by_an_index(engine: Engine) {
    let stage = Stage::accused(engine).await;
    let scope = Scope { app: stage.app.key, now: Timestamp::from_nanoseconds(MANY) };
    let entity = match engine {
        Engine::Sqlite => "sqlite_autoindex_flags_1",
        Engine::Postgres => "flags_app_entity_type_entity_id_user_key",
    };
    let kind = || among(FlagRecordField::EntityType, "photo");
    let middle = FlagPlace { created_at: Timestamp::from_nanoseconds(MANY / 4), key: MANY / 2 };
    for (criteria, start, index) in [
        (vec![], FlagStart::First, "flags_by_creation"),
        (vec![], FlagStart::After(middle), "flags_by_creation"),
        (vec![], FlagStart::Before(middle), "flags_by_creation"),
        (vec![kind()], FlagStart::First, "flags_by_creation"),
        (vec![kind(), among(FlagRecordField::EntityId, "u7")], FlagStart::First, entity),
        (vec![among(FlagRecordField::User, "u7")], FlagStart::First, "flags_by_user"),
        (vec![among(FlagRecordField::Creator, "u9")], FlagStart::First, "flags_by_creator"),
        (vec![since(MANY / 2 - 50)], FlagStart::First, "flags_by_creation"),
    ] {
        for team in [None, Some(some_team())] {
            let query = FlagQuery {
                criteria: criteria.clone(),
                direction: Direction::Descending,
                start,
                limit: FlagQuery::MOST,
            };
            let what = format!("{query:?} {team:?}");
            let explained: Result<_, storage::Error> = stage
                .store
                .read(move |tx| {
                    find::flags(tx, scope, &query, team.as_ref())?;
                    find::explain_flags(tx, scope, &query, team.as_ref())
                })
                .await;
            check(engine, &explained.unwrap(), index, &what);
        }
    }
}

on_each_engine!(bans_are_found_by_an_index, flags_are_found_by_an_index);
