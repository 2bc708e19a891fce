//! Users who are shut out and let in by the hundred, and the tasks that see to the rest.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_operations::lifecycle::{self, Deactivate, DeactivateMany, Reactivate, ReactivateMany};
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
        (id("bob"), failed("the user was reactivated meanwhile")),
        (id("carol"), failed("the user was deleted meanwhile")),
    ];
    assert_eq!(told(hiding).await, BTreeMap::from(expected));
    let expected = [(id("bob"), failed("the user was deactivated meanwhile"))];
    assert_eq!(told(showing).await, BTreeMap::from(expected));
}

impl Stage {
    /// What alice and bob have made: two channels of hers, with 1200 messages of hers and six of his, of which one was
    /// deleted by hand.
    async fn fill(&self) {
        self.create(&["alice", "bob"]).await;
        self.sql(
            "INSERT INTO channels (app, type, id, team, created_by, custom, member_count, message_count, created_at, \
                 updated_at, cause) \
             SELECT u.app, 'messaging', 'c' || n.name, '', u.key, '{}', 0, 0, 1, 1, 0 \
             FROM users AS u, (SELECT 'one' AS name UNION ALL SELECT 'two') AS n WHERE u.id = 'alice'",
        )
        .await;
        self.sql(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1200) \
             INSERT INTO messages (app, id, channel, \"user\", type, text, attachments, custom, shadowed, created_at, \
                 updated_at, deleted_at, cause) \
             SELECT u.app, u.id || '-' || CAST(n AS TEXT), (SELECT MIN(key) FROM channels), u.key, 'regular', '', '[]', \
                 '{}', 0, n, n, CASE WHEN u.id = 'bob' AND n = 1 THEN 1 END, CASE WHEN u.id = 'bob' AND n = 1 THEN 1 ELSE 0 END \
             FROM users AS u, numbers WHERE u.id = 'alice' OR n <= 6",
        )
        .await;
    }

    /// How many messages and channels are deleted for which cause.
    async fn causes(&self) -> Vec<String> {
        let sql = "SELECT what || ' ' || CAST(cause AS TEXT) || ' ' || CAST(COUNT(*) AS TEXT) FROM (\
                       SELECT 'messages' AS what, cause FROM messages UNION ALL SELECT 'channels', cause FROM channels\
                   ) AS made GROUP BY what, cause ORDER BY what, cause";
        self.rows(sql, 1).await.concat()
    }
}

async fn what_many_have_made_goes_and_comes_back_a_piece_at_a_time(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.fill().await;
    let everything = UserContent { messages: true, channels: true };
    stage.deactivate_many(&["alice", "bob"], everything).await.unwrap();
    assert_eq!(stage.causes().await, ["channels 0 2", "messages 0 1205", "messages 1 1"], "left to the task");
    assert_eq!(stage.step().await.unwrap(), Stepped::Worked);
    assert_eq!(stage.causes().await, ["channels 0 2", "messages 0 705", "messages 1 1", "messages 2 500"]);
    stage.store.run_tasks().await;
    assert_eq!(stage.causes().await, ["channels 2 2", "messages 1 1", "messages 2 1205"]);

    let back = UserContent { messages: true, channels: false };
    stage.reactivate_many(&["alice", "bob"], back).await.unwrap();
    stage.store.run_tasks().await;
    assert_eq!(stage.causes().await, ["channels 2 2", "messages 0 1205", "messages 1 1"]);
}

async fn what_one_has_made_is_begun_by_the_call_and_ended_by_a_task(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.fill().await;
    let everything = UserContent { messages: true, channels: true };
    let deactivate = async |user: &str| {
        let command = Deactivate { id: id(user), created_by: None, content: everything };
        let done =
            stage.write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate(tx, ctx, &command));
        done.await.unwrap();
    };
    deactivate("alice").await;
    assert_eq!(stage.causes().await, ["channels 0 2", "messages 0 705", "messages 1 1", "messages 2 500"]);
    assert!(stage.store.run_tasks().await > 0);
    assert_eq!(stage.causes().await, ["channels 2 2", "messages 0 5", "messages 1 1", "messages 2 1200"]);
    let command = Reactivate { id: id("alice"), name: None, created_by: None, content: everything };
    let done = stage.write(Action::DeactivateUser, move |tx, ctx| lifecycle::reactivate(tx, ctx, &command));
    done.await.unwrap();
    stage.store.run_tasks().await;
    assert_eq!(stage.causes().await, ["channels 0 2", "messages 0 1205", "messages 1 1"]);
    deactivate("bob").await;
    stage.store.run_tasks().await;
    assert_eq!(stage.causes().await, ["channels 0 2", "messages 0 1200", "messages 1 1", "messages 2 5"]);
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
        assert_eq!(statements, 6, "and since when they are let in: {}", some.len());
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
    what_many_have_made_goes_and_comes_back_a_piece_at_a_time,
    what_one_has_made_is_begun_by_the_call_and_ended_by_a_task,
    statements_are_few_however_many_users,
);
