//! Flags: what users report to the moderators, once each, and how it is found.

use headwater_operations::flags::{self, Flagged};
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, AppSettings, Attached, Criterion, Direction, EntityKind, Event, Flag, FlagPage, FlagPlace,
    FlagQuery, FlagRecordField, FlagStart, MOST_FLAG_CUSTOM_BYTES, MOST_FLAGS, Operation, filter,
};
use serde_json::json;
use storage::Sql;

use crate::bans::{by_user, member, with_teams};
use crate::stage::{Stage, id};

fn user(target: &str, by: &str) -> Flag {
    Flag {
        kind: EntityKind::User,
        entity: target.to_owned(),
        creator: None,
        user: Some(id(by)),
        reason: None,
        custom: None,
        payload: None,
        item: format!("item of {target}"),
    }
}

fn photo(entity: &str, by: &str) -> Flag {
    Flag { kind: EntityKind::Other("photo".to_owned()), ..user(entity, by) }
}

fn everything() -> FlagQuery {
    FlagQuery {
        criteria: Vec::new(),
        direction: Direction::Descending,
        start: FlagStart::First,
        limit: FlagQuery::DEFAULT_LIMIT,
    }
}

fn among(field: FlagRecordField, values: &[&str]) -> Criterion<FlagRecordField> {
    Criterion::Among(field, values.iter().map(|&value| value.to_owned()).collect())
}

fn entities(page: &FlagPage) -> String {
    page.flags.iter().map(|flag| flag.entity.as_str()).collect::<Vec<_>>().join(" ")
}

impl Stage {
    /// Reports as the request number `seed`.
    async fn flag_numbered(&self, seed: u128, command: Flag) -> Result<Flagged, Error> {
        let ctx = Ctx { seed, ..self.ctx(Action::FlagUser) };
        self.store.write(move |tx| flags::flag(tx, &ctx, &command)).await
    }

    async fn flag(&self, command: Flag) -> Result<Flagged, Error> {
        self.flag_numbered(1, command).await
    }

    async fn flag_by(&self, user: &str, command: Flag) -> Result<Flagged, Error> {
        let ctx = by_user(self, user, Operation::Flag, Action::FlagUser);
        let command = Flag { user: None, ..command };
        self.store.write(move |tx| flags::flag(tx, &ctx, &command)).await
    }

    async fn flags(&self, query: FlagQuery) -> FlagPage {
        let ctx = self.ctx(Action::ReadFlagReports);
        self.store.read(move |tx| flags::query(tx, &ctx, &query)).await.unwrap()
    }

    async fn flags_for(&self, user: &str, query: FlagQuery) -> Result<FlagPage, Error> {
        let ctx = by_user(self, user, Operation::QueryModerationFlags, Action::ReadFlagReports);
        self.store.read(move |tx| flags::query(tx, &ctx, &query)).await
    }

    async fn flag_count(&self, creator: &str, kind: Option<EntityKind>) -> Result<u64, Error> {
        let (ctx, creator) = (self.ctx(Action::ReadFlagReports), id(creator));
        let command = flags::Count { creator, kind };
        self.store.read(move |tx| flags::count(tx, &ctx, &command)).await
    }
}

async fn the_same_thing_is_reported_once_by_each(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "ann", "zoe"]).await;
    let start = stage.log_length().await;
    let custom = Attached::parse("custom", json!({"a": 1}).as_object().cloned().unwrap(), 100).unwrap();
    let first = Flag { reason: Some("spam".to_owned()), custom: Some(custom), ..user("bob", "ann") };
    let first = stage.flag_numbered(1, first).await.unwrap();
    let again = Flag { reason: Some("hate".to_owned()), ..user("bob", "ann") };
    let again = stage.flag_numbered(20, again).await.unwrap();
    assert_eq!((first.is_new, again.is_new), (true, false));
    assert_eq!(first.item, again.item, "all flags of one thing share the item");
    let second = stage.flag_numbered(30, user("bob", "zoe")).await.unwrap();
    assert_eq!((second.is_new, &second.item), (true, &first.item));
    let other = stage.flag_numbered(40, user("ann", "zoe")).await.unwrap();
    assert_ne!(other.item, first.item);

    let page = stage.flags(everything()).await;
    assert_eq!(entities(&page), "ann bob bob");
    let kept = page.flags.last().unwrap();
    assert_eq!(kept.reason.as_deref(), Some("spam"), "the first report stays as it was");
    assert_eq!(serde_json::to_string(&kept.custom).unwrap(), r#"{"a":1}"#);
    assert_eq!(kept.creator.as_ref().unwrap().as_str(), "bob");

    let logged = stage.logged(start).await;
    let said: Vec<String> = logged
        .iter()
        .map(|(event, named)| {
            let Event::UserFlagged { user, flagged_by, report } = event else { panic!("{event:?}") };
            format!("{flagged_by} {} {} {}", user.id, report.total_flags, named.join("+"))
        })
        .collect();
    assert_eq!(said, ["ann bob 1 ann+bob", "zoe bob 2 bob+zoe", "zoe ann 1 ann+zoe"]);
}

async fn other_things_are_the_apps_own(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "ann"]).await;
    let start = stage.log_length().await;
    stage.flag(photo("p1", "ann")).await.unwrap();
    stage.flag(Flag { creator: Some(id("bob")), ..photo("p2", "ann") }).await.unwrap();
    stage.flag(Flag { creator: Some(id("ann")), ..photo("p3", "ann") }).await.unwrap();
    let logged = stage.logged(start).await;
    let creators: Vec<_> = logged
        .iter()
        .map(|(event, named)| {
            let Event::FlagCreated { entity_creator, .. } = event else { panic!("{event:?}") };
            (entity_creator.as_ref().map(ToString::to_string), named.join("+"))
        })
        .collect();
    assert_eq!(
        creators,
        [
            (None, "ann".to_owned()),
            (Some("bob".to_owned()), "ann+bob".to_owned()),
            (Some("ann".to_owned()), "ann".to_owned())
        ]
    );
    stage.flag(user("bob", "ann")).await.unwrap();
    let photos = || Some(EntityKind::Other("photo".to_owned()));
    assert_eq!(stage.flag_count("bob", None).await.unwrap(), 2);
    assert_eq!(stage.flag_count("bob", photos()).await.unwrap(), 1);
    assert_eq!(stage.flag_count("bob", Some(EntityKind::Message)).await.unwrap(), 0);
    assert_eq!(
        stage.flag_count("nobody", None).await.unwrap_err().to_string(),
        "the user nobody does not exist"
    );
}

async fn what_makes_no_sense_is_refused(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "ann", "gone"]).await;
    stage.erase("gone").await;
    let start = stage.log_length().await;
    let message = Flag { kind: EntityKind::Message, ..user("m1", "ann") };
    for (command, why) in [
        (user("ann", "ann"), "entity_id: users cannot flag themselves"),
        (user("nobody", "ann"), "the user nobody does not exist"),
        (user("gone", "ann"), "the user gone was deleted"),
        (user("bob", "nobody"), "the user nobody does not exist"),
        (user("bob", "gone"), "the user gone was deleted"),
        (
            Flag { user: None, ..user("bob", "ann") },
            "user_id: is required with a server token: the user who acts",
        ),
        (
            Flag { creator: Some(id("ann")), ..user("bob", "ann") },
            "entity_creator_id: must be the user who is flagged, 'bob', where the entity_type is a user, or left out",
        ),
        (Flag { creator: Some(id("nobody")), ..photo("p", "ann") }, "the user nobody does not exist"),
        (photo("", "ann"), "entity_id: must have 1 to 255 bytes without control characters"),
        (photo(&"x".repeat(256), "ann"), "entity_id: must have 1 to 255 bytes without control characters"),
        (
            Flag { reason: Some("x".repeat(1025)), ..user("bob", "ann") },
            "reason: may have 1024 bytes, has 1025",
        ),
        (message, "entity_type: the kind of messages is not served yet"),
    ] {
        assert_eq!(stage.flag(command).await.unwrap_err().to_string(), why);
    }
    let large = json!({"a": "x".repeat(MOST_FLAG_CUSTOM_BYTES)}).as_object().cloned().unwrap();
    assert!(Attached::parse("custom", large, MOST_FLAG_CUSTOM_BYTES).is_err());
    assert_eq!(stage.log_length().await, start, "what is refused changes nothing");
    assert_eq!(stage.flags(everything()).await, FlagPage::default());
}

async fn an_app_may_choose_its_reasons(engine: Engine) {
    let kept = json!({"allowed_flag_reasons": ["spam"]}).as_object().cloned().unwrap();
    let stage = Stage::set(engine).await.with_settings(AppSettings { kept, ..AppSettings::default() }).await;
    stage.create(&["bob", "ann"]).await;
    for (reason, got) in [(None, "none"), (Some(""), "none"), (Some("dull"), "'dull'")] {
        let command = Flag { reason: reason.map(str::to_owned), ..user("bob", "ann") };
        let why = format!("reason: must be one of the allowed_flag_reasons of the app, got {got}");
        assert_eq!(stage.flag(command).await.unwrap_err().to_string(), why);
    }
    stage.flag(Flag { reason: Some("spam".to_owned()), ..user("bob", "ann") }).await.unwrap();
}

async fn flags_are_found_by_their_fields(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "ann", "zoe"]).await;
    let mut times = Vec::new();
    for command in [
        Flag { reason: Some("spam".to_owned()), ..user("bob", "ann") },
        user("ann", "zoe"),
        photo("p1", "ann"),
        Flag { creator: Some(id("bob")), ..photo("p2", "zoe") },
    ] {
        stage.store.clock().advance(1);
        times.push(stage.ctx(Action::FlagUser).now);
        stage.flag(command).await.unwrap();
    }
    let found = async |criteria| entities(&stage.flags(FlagQuery { criteria, ..everything() }).await);
    assert_eq!(found(vec![]).await, "p2 p1 ann bob");
    assert_eq!(found(vec![among(FlagRecordField::EntityType, &["photo"])]).await, "p2 p1");
    assert_eq!(found(vec![among(FlagRecordField::EntityId, &["p1", "bob"])]).await, "p1 bob");
    let one = vec![
        among(FlagRecordField::EntityType, &["photo"]),
        among(FlagRecordField::EntityId, &["p1", "bob"]),
    ];
    assert_eq!(found(one).await, "p1");
    assert_eq!(found(vec![among(FlagRecordField::User, &["ann"])]).await, "p1 bob");
    assert_eq!(found(vec![among(FlagRecordField::Creator, &["bob"])]).await, "p2 bob");
    assert_eq!(found(vec![Criterion::Missing(FlagRecordField::Creator)]).await, "p1");
    assert_eq!(found(vec![among(FlagRecordField::Reason, &["spam"])]).await, "bob");
    assert_eq!(found(vec![Criterion::Missing(FlagRecordField::Reason)]).await, "p2 p1 ann");
    assert_eq!(found(vec![Criterion::Missing(FlagRecordField::User)]).await, "");
    assert_eq!(found(vec![among(FlagRecordField::User, &[])]).await, "");
    let until = filter::Range { low: std::ops::Bound::Unbounded, high: std::ops::Bound::Excluded(times[2]) };
    assert_eq!(found(vec![Criterion::Created(until)]).await, "ann bob");
}

async fn pages_follow_each_other(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["ann"]).await;
    // Two at a time: those that were made at once have an order all the same.
    for number in 0..7 {
        stage.flag(photo(&format!("p{number}"), "ann")).await.unwrap();
        stage.store.clock().advance(number % 2);
    }
    for (direction, expected) in [
        (Direction::Descending, ["p6 p5 p4", "p3 p2 p1", "p0"]),
        (Direction::Ascending, ["p0 p1 p2", "p3 p4 p5", "p6"]),
    ] {
        let page = async |start| stage.flags(FlagQuery { direction, start, limit: 3, ..everything() }).await;
        let first = page(FlagStart::First).await;
        assert_eq!((entities(&first).as_str(), first.prev), (expected[0], None));
        let second = page(FlagStart::After(first.next.unwrap())).await;
        assert_eq!(entities(&second), expected[1]);
        let third = page(FlagStart::After(second.next.unwrap())).await;
        assert_eq!((entities(&third).as_str(), third.next), (expected[2], None));
        let back = page(FlagStart::Before(third.prev.unwrap())).await;
        assert_eq!(back, second);
        let start = page(FlagStart::Before(back.prev.unwrap())).await;
        assert_eq!(start, first);
    }
    let far = FlagPlace { created_at: model::Timestamp::from_seconds(0), key: 1 };
    let beyond = stage.flags(FlagQuery { start: FlagStart::After(far), ..everything() }).await;
    assert_eq!(beyond, FlagPage::default());
}

async fn users_flag_and_moderators_read(engine: Engine) {
    let stage = Stage::set(engine).await;
    let people =
        vec![member("ann", "user", &[]), member("bob", "user", &[]), member("mod", "moderator", &[])];
    stage.upsert(people).await.unwrap();
    assert!(stage.flag_by("ann", user("bob", "ann")).await.unwrap().is_new);
    assert!(!stage.flag(user("bob", "ann")).await.unwrap().is_new, "a token acts as its own user");
    let denied = stage.flags_for("ann", everything()).await.unwrap_err().to_string();
    assert_eq!(denied, "User 'ann' with role 'user' is not allowed to perform action ReadFlagReports");
    assert_eq!(entities(&stage.flags_for("mod", everything()).await.unwrap()), "bob");
    stage.flag_by("ann", photo("p", "ann")).await.unwrap();
    assert_eq!(entities(&stage.flags_for("mod", everything()).await.unwrap()), "p bob");
}

async fn teams_keep_to_themselves(engine: Engine) {
    let stage = Stage::set(engine).await.with_settings(with_teams()).await;
    let people = vec![
        member("mod", "moderator", &["red"]),
        member("rob", "user", &["red"]),
        member("ron", "user", &["red"]),
        member("both", "user", &["red", "blue"]),
        member("bea", "user", &["blue"]),
        member("ben", "user", &["blue"]),
        member("all", "global_moderator", &[]),
    ];
    stage.upsert(people).await.unwrap();
    for hidden in ["bea", "nobody"] {
        let why = format!("the user {hidden} does not exist");
        assert_eq!(stage.flag_by("rob", user(hidden, "rob")).await.unwrap_err().to_string(), why);
        let of_theirs = Flag { creator: Some(id(hidden)), ..photo("p", "rob") };
        assert_eq!(stage.flag_by("rob", of_theirs).await.unwrap_err().to_string(), why);
    }
    for (by, command) in [
        ("rob", user("ron", "rob")),
        ("bea", user("ben", "bea")),
        ("bea", user("both", "bea")),
        ("rob", photo("p", "rob")),
        ("rob", user("both", "rob")),
    ] {
        stage.store.clock().advance(1);
        stage.flag_by(by, command).await.unwrap();
    }
    let page = stage.flags_for("mod", everything()).await.unwrap();
    let seen: Vec<_> = page.flags.iter().map(|flag| format!("{}>{}", flag.user.id, flag.entity)).collect();
    assert_eq!(seen, ["rob>both", "rob>ron"], "neither who is in another team nor what is nobody's");
    assert_eq!(stage.flags_for("all", everything()).await.unwrap().flags.len(), 5);
    assert_eq!(stage.flags(everything()).await.flags.len(), 5);
    let ctx = by_user(&stage, "mod", Operation::GetFlagCount, Action::ReadFlagReports);
    let command = flags::Count { creator: id("bea"), kind: None };
    let counted = stage.store.read(move |tx| flags::count(tx, &ctx, &command)).await;
    assert_eq!(counted.unwrap_err().to_string(), "the user bea does not exist");
}

async fn a_user_flags_so_much_and_no_more(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["ann", "bob"]).await;
    fill(&stage, MOST_FLAGS as i64 - 1).await;
    stage.flag_by("ann", photo("last", "ann")).await.unwrap();
    let refused = stage.flag_by("ann", photo("more", "ann")).await.unwrap_err().to_string();
    assert_eq!(refused, "entity_id: the user 'ann' has flagged 1000 things, which is the most");
    assert!(!stage.flag_by("ann", photo("last", "ann")).await.unwrap().is_new);
    stage.flag(photo("more", "ann")).await.expect("a server flags as much as it wants");
    stage.flag_by("bob", photo("more", "bob")).await.expect("each has a count of its own");
}

/// Flags of the user `ann`, made by the engine itself.
async fn fill(stage: &Stage, count: i64) {
    const FILL: Sql = Sql::pair(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1) \
         INSERT INTO flags (app, user, entity_type, entity_id, item, created_at, updated_at) \
         SELECT app, key, 'photo', CAST(n AS TEXT), 'i', 1, 1 FROM users, numbers WHERE id = 'ann'",
        "INSERT INTO flags (app, \"user\", entity_type, entity_id, item, created_at, updated_at) \
         SELECT app, key, 'photo', CAST(n AS TEXT), 'i', 1, 1 FROM users, GENERATE_SERIES(1, $1::bigint) AS n \
         WHERE id = 'ann'",
    );
    let filled: Result<usize, storage::Error> =
        stage.store.write(move |tx| tx.execute(FILL, &[count.into()])).await;
    assert_eq!(filled.unwrap() as i64, count);
}

async fn flags_take_a_constant_number_of_statements(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..100).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["bob"]).collect();
    stage.create(&names).await;
    let most = if engine == Engine::Postgres { 7 } else { 5 };
    for name in &names[..100] {
        let command = user("bob", name);
        let flagged = stage.counted(Action::FlagUser, move |tx, ctx| flags::flag(tx, ctx, &command)).await;
        let statements = flagged.unwrap().1;
        assert!(statements <= most, "app, people, lock, what is known, flag, log, names: {statements}");
    }
    for limit in [1, 100] {
        let query = FlagQuery { limit, ..everything() };
        let found = stage
            .counted(Action::ReadFlagReports, move |tx, ctx| flags::query(tx, ctx, &query))
            .await
            .unwrap();
        assert_eq!((found.0.flags.len(), found.1), (limit, 2));
    }
}

on_each_engine!(
    the_same_thing_is_reported_once_by_each,
    other_things_are_the_apps_own,
    what_makes_no_sense_is_refused,
    an_app_may_choose_its_reasons,
    flags_are_found_by_their_fields,
    pages_follow_each_other,
    users_flag_and_moderators_read,
    teams_keep_to_themselves,
    a_user_flags_so_much_and_no_more,
    flags_take_a_constant_number_of_statements,
);
