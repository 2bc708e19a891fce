//! Users who are shut out and let in by the hundred, and the tasks that see to the rest.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_operations::lifecycle::{self, DeactivateMany, ReactivateMany};
use headwater_operations::tasks::{self, Stepped, Tick};
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::{Action, Clock, Outcome, Task, TaskResult, TaskStatus, UserContent};
use storage::Tx;

use crate::stage::{Stage, id};
use crate::tasks::{MESSAGES, deactivation, ok};

async fn many_are_shut_out_at_once_and_the_task_does_the_rest(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    let started = stage.deactivate_many(&["carol", "alice"], MESSAGES).await.unwrap();
    assert_eq!(stage.shut_out().await, ["alice", "carol"]);
    let now = stage.store.clock().now();
    let task = stage.task(&started).await.unwrap();
    let expected = Task {
        id: started.clone(),
        status: TaskStatus::Pending,
        result: None,
        error: None,
        created_at: now,
        updated_at: now,
    };
    assert_eq!(task, expected);

    stage.advance(Duration::from_nanos(5));
    let later = stage.store.clock().now();
    assert_eq!(stage.step().await.unwrap(), Stepped::Worked);
    let running = Task { status: TaskStatus::Running, updated_at: later, ..expected };
    assert_eq!(stage.task(&started).await.unwrap(), running);
    assert_eq!(stage.store.run_tasks().await, 1, "a step for each of two users");
    let done = Task { status: TaskStatus::Completed, result: ok(&["alice", "carol"]), ..running };
    assert_eq!(stage.task(&started).await.unwrap(), done);
    assert_eq!(stage.step().await.unwrap(), Stepped::Idle);
    // Whatever could name somebody is gone, but for the result.
    let kept = stage.rows("SELECT work, actor, operation, request FROM tasks", 4).await;
    assert_eq!(kept, [["", "", "UpdateUsers", "request-1"]]);

    let back = stage.reactivate_many(&["alice", "bob", "carol"], MESSAGES).await.unwrap();
    assert_eq!(stage.shut_out().await, [""; 0]);
    assert_eq!(stage.store.run_tasks().await, 3);
    assert_eq!(stage.task(&back).await.unwrap().result, ok(&["alice", "bob", "carol"]));
    let events = stage.lifecycle_events().await;
    assert_eq!(
        events,
        [
            "user.deactivated carol",
            "user.deactivated alice",
            "user.reactivated alice",
            "user.reactivated carol"
        ],
        "bob was never shut out"
    );
}

async fn who_is_shut_out_already_stays_so(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.deactivate_one("alice").await;
    stage.advance(Duration::from_secs(1));
    let both = stage.deactivate_many(&["alice", "bob"], UserContent::default()).await.unwrap();
    let again = stage.deactivate_many(&["alice", "bob"], UserContent::default()).await.unwrap();
    assert_ne!(both, again);
    assert_eq!(stage.store.run_tasks().await, 2, "where nothing is to be hidden, one step ends a task");
    for task in [both, again] {
        assert_eq!(stage.task(&task).await.unwrap().result, ok(&["alice", "bob"]));
    }
    assert_eq!(stage.lifecycle_events().await, ["user.deactivated alice", "user.deactivated bob"]);
    let times = "SELECT CAST(COUNT(DISTINCT deactivated_at) AS TEXT) FROM users";
    assert_eq!(stage.rows(times, 1).await, [["2"]], "alice is shut out since the first time");
}

async fn all_or_none(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "gone"]).await;
    stage.sql("UPDATE users SET deleted_at = 1 WHERE id = 'gone'").await;
    stage.another_app("other").await;
    let hundred: Vec<String> = (0..=100).map(|number| format!("u{number}")).collect();
    let hundred: Vec<&str> = hundred.iter().map(String::as_str).collect();
    for (names, told) in [
        ([].as_slice(), "user_ids: must hold 1 to 100 users, holds 0"),
        (&hundred, "user_ids: must hold 1 to 100 users, holds 101"),
        (&["alice", "bob", "alice"], "user_ids: must name each user once, names 'alice' twice"),
        (
            &["alice", "zoe", "gone", "eve"],
            "user_ids: must name users who exist; there is none with the id eve, zoe",
        ),
        (&["alice", "gone"], "the user gone was deleted"),
    ] {
        for refused in
            [stage.deactivate_many(names, MESSAGES).await, stage.reactivate_many(names, MESSAGES).await]
        {
            assert_eq!(refused.unwrap_err().to_string(), told);
        }
    }
    let by_nobody = DeactivateMany { created_by: Some(id("zoe")), ..deactivation(&["alice"], MESSAGES) };
    let refused =
        stage.write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate_many(tx, ctx, &by_nobody));
    assert_eq!(refused.await.unwrap_err().to_string(), "the user zoe does not exist");
    let undeclared = deactivation(&["alice"], MESSAGES);
    let refused =
        stage.write(Action::UpdateUser, move |tx, ctx| lifecycle::deactivate_many(tx, ctx, &undeclared));
    assert!(matches!(refused.await, Err(Error::Undeclared { .. })));

    assert_eq!(stage.shut_out().await, [""; 0]);
    assert_eq!(stage.lifecycle_events().await, [""; 0]);
    assert_eq!(stage.rows("SELECT id FROM tasks", 1).await.len(), 0);
}

async fn the_author_is_named(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "mod"]).await;
    let command = DeactivateMany {
        created_by: Some(id("mod")),
        ..deactivation(&["alice", "mod"], UserContent { messages: true, channels: false })
    };
    let done =
        stage.write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate_many(tx, ctx, &command));
    done.await.unwrap();
    let people = "SELECT subject, users.id FROM log_person JOIN log ON log = sequence \
                  JOIN users ON users.key = log_person.user WHERE event = 'user.deactivated' ORDER BY sequence, users.id";
    let people: Vec<String> = stage.rows(people, 2).await.iter().map(|row| row.join(" ")).collect();
    assert_eq!(people, ["alice alice", "alice mod", "mod mod"]);
    let payload = "SELECT payload FROM log WHERE event = 'user.deactivated' ORDER BY sequence LIMIT 1";
    let payload = stage.rows(payload, 1).await.concat().concat();
    assert!(payload.contains(r#""created_by":"mod""#), "{payload}");
    assert!(payload.contains(r#""mark_messages_deleted":true,"mark_channels_deleted":false"#), "{payload}");
}

async fn what_happened_meanwhile_is_told_for_each_user(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    let hiding = stage.deactivate_many(&["alice", "bob", "carol"], MESSAGES).await.unwrap();
    let showing = stage.reactivate_many(&["bob"], MESSAGES).await.unwrap();
    stage.sql("UPDATE users SET deleted_at = 1 WHERE id = 'carol'").await;
    stage.deactivate_one("bob").await;
    stage.reactivate_many(&["alice"], UserContent::default()).await.unwrap();
    stage.store.run_tasks().await;
    let told = async |task| match stage.task(&task).await.unwrap().result {
        Some(TaskResult::Users { users }) => users,
        none => panic!("{none:?}"),
    };
    let failed = |why: &str| Outcome::Failed(why.to_owned());
    let expected = [
        (id("alice"), failed("the user was reactivated meanwhile")),
        (id("bob"), Outcome::Ok),
        (id("carol"), failed("the user was deleted meanwhile")),
    ];
    assert_eq!(told(hiding).await, BTreeMap::from(expected));
    let expected = [(id("bob"), failed("the user was deactivated meanwhile"))];
    assert_eq!(told(showing).await, BTreeMap::from(expected));
}

async fn statements_are_few_however_many_users(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..100).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    for some in [&names[..1], &names] {
        let command = DeactivateMany { created_by: Some(id("u7")), ..deactivation(some, MESSAGES) };
        let back = ReactivateMany { ids: command.ids.clone(), created_by: Some(id("u7")), content: MESSAGES };
        let deactivate = move |tx: &mut Tx<'_>, ctx: &Ctx| lifecycle::deactivate_many(tx, ctx, &command);
        let (_, statements) = stage.counted(Action::DeactivateUser, deactivate).await.unwrap();
        assert_eq!(statements, 5, "users, their rows, the log, who is named, the task: {}", some.len());
        let reactivate = move |tx: &mut Tx<'_>, ctx: &Ctx| lifecycle::reactivate_many(tx, ctx, &back);
        let (_, statements) = stage.counted(Action::DeactivateUser, reactivate).await.unwrap();
        assert_eq!(statements, 5, "{}", some.len());
    }
    let tick = Tick { now: stage.store.clock().now(), seed: 1 };
    let step = stage.store.write_in_background(move |tx| {
        let stepped = tasks::step(tx, tick, |_| ())?;
        Ok::<_, Error>((stepped, tx.statements()))
    });
    assert_eq!(
        step.await.unwrap(),
        (Stepped::Worked, 3),
        "the claim, the user whose turn it is, how far it came"
    );
}

on_each_engine!(
    many_are_shut_out_at_once_and_the_task_does_the_rest,
    who_is_shut_out_already_stays_so,
    all_or_none,
    the_author_is_named,
    what_happened_meanwhile_is_told_for_each_user,
    statements_are_few_however_many_users,
);
