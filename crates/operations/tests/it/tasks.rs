//! Tasks: started by a call, done step by step, tried again when a step fails, known for a while; and the users who are shut
//! out and let in by the hundred, which start them.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_operations::lifecycle::{self, Deactivate, DeactivateMany, ReactivateMany};
use headwater_operations::tasks::{self, Failing, Stepped, Tick};
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, Clock, MOST_ATTEMPTS, MOST_TASKS, Outcome, TASK_KEPT, Task, TaskError, TaskId, TaskResult,
    TaskStatus, USERS_RESULT_KEPT, UserContent, UserId,
};
use storage::tasks::TaskKey;
use storage::{Sql, Tx};

use crate::stage::{Stage, id, server};

const EVERYTHING: UserContent = UserContent { messages: true, channels: true };

fn many(names: &[&str]) -> Vec<UserId> {
    names.iter().map(|name| id(name)).collect()
}

fn deactivation(names: &[&str], content: UserContent) -> DeactivateMany {
    DeactivateMany { ids: many(names), created_by: None, content }
}

fn ok(names: &[&str]) -> Option<TaskResult> {
    Some(TaskResult::Users { users: names.iter().map(|name| (id(name), Outcome::Ok)).collect() })
}

impl Stage {
    async fn deactivate_many(&self, names: &[&str], content: UserContent) -> Result<TaskId, Error> {
        let command = deactivation(names, content);
        self.write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate_many(tx, ctx, &command)).await
    }

    async fn reactivate_many(&self, names: &[&str], content: UserContent) -> Result<TaskId, Error> {
        let command = ReactivateMany { ids: many(names), created_by: None, content };
        self.write(Action::DeactivateUser, move |tx, ctx| lifecycle::reactivate_many(tx, ctx, &command)).await
    }

    async fn deactivate_one(&self, name: &str) {
        let command = Deactivate { id: id(name), created_by: None, content: UserContent::default() };
        let done =
            self.write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate(tx, ctx, &command));
        done.await.unwrap();
    }

    async fn task(&self, task: &TaskId) -> Result<Task, Error> {
        let task = task.clone();
        self.write(Action::ReadTasks, move |tx, ctx| tasks::get(tx, ctx, task.as_str())).await
    }

    async fn status(&self, task: &TaskId) -> TaskStatus {
        self.task(task).await.unwrap().status
    }

    /// Does one step. Answers whether there was one, and the error of one that failed, with its task.
    async fn step(&self) -> Result<Stepped, (TaskKey, Error)> {
        let tick = Tick { now: self.store.clock().now(), seed: 1 };
        let claimed = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
        let noted = std::sync::Arc::clone(&claimed);
        let order = std::sync::atomic::Ordering::Relaxed;
        let stepped =
            self.store.write_in_background(move |tx| tasks::step(tx, tick, |key| noted.store(key.0, order)));
        stepped.await.map_err(|error: Error| (TaskKey(claimed.load(order)), error))
    }

    async fn fail(&self, key: TaskKey, error: Error) -> Failing {
        let now = self.store.clock().now();
        let failed = self.store.write_in_background(move |tx| tasks::fail(tx, now, key, &error));
        failed.await.unwrap()
    }

    async fn sweep(&self) -> bool {
        let now = self.store.clock().now();
        self.store.write_in_background(move |tx| tasks::sweep(tx, now)).await.unwrap()
    }

    async fn sql(&self, sql: &'static str) {
        let done = self.store.write(move |tx| tx.execute(Sql::new(sql), &[]));
        let done: Result<usize, storage::Error> = done.await;
        done.unwrap();
    }

    async fn shut_out(&self) -> Vec<String> {
        let sql = "SELECT id FROM users WHERE deactivated_at IS NOT NULL ORDER BY id";
        self.rows(sql, 1).await.concat()
    }

    async fn lifecycle_events(&self) -> Vec<String> {
        let sql = "SELECT event, subject FROM log WHERE event LIKE 'user.%activated' ORDER BY sequence";
        self.rows(sql, 2).await.iter().map(|row| row.join(" ")).collect()
    }

    fn advance(&self, span: Duration) {
        self.store.clock().advance(i64::try_from(span.as_nanos()).unwrap());
    }
}

async fn many_are_shut_out_at_once_and_the_task_does_the_rest(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    let started = stage.deactivate_many(&["carol", "alice"], EVERYTHING).await.unwrap();
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

    let back = stage.reactivate_many(&["alice", "bob", "carol"], EVERYTHING).await.unwrap();
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
            [stage.deactivate_many(names, EVERYTHING).await, stage.reactivate_many(names, EVERYTHING).await]
        {
            assert_eq!(refused.unwrap_err().to_string(), told);
        }
    }
    let by_nobody = DeactivateMany { created_by: Some(id("zoe")), ..deactivation(&["alice"], EVERYTHING) };
    let refused =
        stage.write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate_many(tx, ctx, &by_nobody));
    assert_eq!(refused.await.unwrap_err().to_string(), "the user zoe does not exist");
    let undeclared = deactivation(&["alice"], EVERYTHING);
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
    let hiding = stage.deactivate_many(&["alice", "bob", "carol"], EVERYTHING).await.unwrap();
    let showing = stage.reactivate_many(&["bob"], EVERYTHING).await.unwrap();
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

async fn a_step_that_fails_is_tried_ten_times(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    let broken = stage.deactivate_many(&["alice"], EVERYTHING).await.unwrap();
    stage.sql("UPDATE tasks SET work = '{\"v\":1,\"kind\":\"dance\"}'").await;
    let sound = stage.deactivate_many(&["bob"], EVERYTHING).await.unwrap();
    let mut wait = 1;
    for attempt in 1..=MOST_ATTEMPTS {
        let (key, error) = stage.step().await.unwrap_err();
        assert!(!tasks::is_passing(&error), "{error:?}");
        let expected = match attempt {
            MOST_ATTEMPTS => Failing::GivenUp { id: broken.clone() },
            attempts => Failing::Again { id: broken.clone(), attempts },
        };
        assert_eq!(stage.fail(key, error).await, expected);
        if attempt == 1 {
            assert_eq!(stage.store.run_tasks().await, 1, "nobody waits behind a task that fails");
            assert_eq!(stage.status(&sound).await, TaskStatus::Completed);
        }
        if attempt < MOST_ATTEMPTS {
            assert_eq!(stage.status(&broken).await, TaskStatus::Running);
            stage.advance(Duration::from_nanos(wait * 1_000_000_000 - 1));
            assert_eq!(stage.step().await.unwrap(), Stepped::Idle, "after {attempt} attempts");
            stage.advance(Duration::from_nanos(1));
        }
        wait *= 2;
    }
    let task = stage.task(&broken).await.unwrap();
    assert_eq!((task.status, task.result), (TaskStatus::Failed, None));
    assert_eq!(task.error, Some(TaskError::internal()), "nothing of the inside is told");
    assert_eq!(stage.step().await.unwrap(), Stepped::Idle);
    assert_eq!(stage.fail(TaskKey(1), Error::NoTask(String::new())).await, Failing::Over);
}

async fn a_step_that_succeeds_begins_the_count_anew(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.deactivate_many(&["alice", "bob"], EVERYTHING).await.unwrap();
    let attempts = async || stage.rows("SELECT CAST(attempts AS TEXT) FROM tasks", 1).await.concat();
    let refused = Error::NoUser(id("alice"));
    assert!(matches!(stage.fail(TaskKey(1), refused).await, Failing::Again { attempts: 1, .. }));
    assert_eq!(attempts().await, ["1"]);
    stage.advance(Duration::from_secs(1));
    assert_eq!(stage.step().await.unwrap(), Stepped::Worked);
    assert_eq!(attempts().await, ["0"]);
}

async fn tasks_take_turns(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["a", "b", "c", "d"]).await;
    let long = stage.deactivate_many(&["a", "b", "c"], EVERYTHING).await.unwrap();
    stage.advance(Duration::from_nanos(1));
    let short = stage.deactivate_many(&["d"], EVERYTHING).await.unwrap();
    let mut ends = Vec::new();
    stage.advance(Duration::from_nanos(1));
    while stage.step().await.unwrap() == Stepped::Worked {
        stage.advance(Duration::from_nanos(1));
        ends.push([stage.status(&long).await, stage.status(&short).await].map(TaskStatus::name));
    }
    assert_eq!(
        ends,
        [
            ["running", "pending"],
            ["running", "completed"],
            ["running", "completed"],
            ["completed", "completed"]
        ]
    );
}

async fn an_app_sees_its_own_tasks(engine: Engine) {
    let stage = Stage::set(engine).await;
    let other = stage.another_app("other").await;
    stage.create(&["alice"]).await;
    let task = stage.deactivate_many(&["alice"], EVERYTHING).await.unwrap();
    let told = |error: Error| error.to_string();
    let unknown = TaskId::from_uuid("bf1c2d1b".to_owned());
    assert_eq!(
        stage.task(&unknown).await.map_err(told),
        Err("the task 'bf1c2d1b' does not exist".to_owned())
    );
    let ctx = server(&stage.store, &other, Action::ReadTasks);
    let named = task.clone();
    let asked = stage.store.read(move |tx| tasks::get(tx, &ctx, named.as_str()).map(drop)).await;
    assert_eq!(asked.map_err(told), Err(format!("the task '{task}' does not exist")));
    let undeclared = task.clone();
    let asked = stage.write(Action::ReadApp, move |tx, ctx| tasks::get(tx, ctx, undeclared.as_str()));
    assert!(matches!(asked.await, Err(Error::Undeclared { .. })));
}

async fn an_app_has_so_many_tasks_at_a_time(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    let task = stage.deactivate_many(&["alice"], EVERYTHING).await.unwrap();
    assert_eq!(MOST_TASKS, 1000);
    stage
        .sql(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 999) \
             INSERT INTO tasks (app, id, kind, work, status, attempts, run_at, actor, operation, request, created_at, \
                 updated_at) \
             SELECT app, CAST(n AS TEXT), kind, work, status, 0, run_at + 1000000000, '', '', '', created_at, updated_at \
             FROM tasks, numbers",
        )
        .await;
    let refused = stage.deactivate_many(&["bob"], EVERYTHING).await;
    assert!(matches!(refused, Err(Error::TooManyTasks)), "{refused:?}");
    assert_eq!(stage.shut_out().await, ["alice"], "bob is as he was");
    // One that is over makes room for another one.
    stage.store.run_tasks().await;
    assert_eq!(stage.status(&task).await, TaskStatus::Completed);
    stage.deactivate_many(&["bob"], EVERYTHING).await.unwrap();
}

async fn what_was_is_forgotten_in_time(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    let task = stage.deactivate_many(&["alice"], EVERYTHING).await.unwrap();
    stage.store.run_tasks().await;
    stage.advance(USERS_RESULT_KEPT - Duration::from_nanos(1));
    assert!(!stage.sweep().await);
    assert_eq!(stage.task(&task).await.unwrap().result, ok(&["alice"]));
    stage.advance(Duration::from_nanos(1));
    assert!(!stage.sweep().await);
    let task_now = stage.task(&task).await.unwrap();
    assert_eq!((task_now.status, task_now.result), (TaskStatus::Completed, None));
    stage.advance(TASK_KEPT - USERS_RESULT_KEPT - Duration::from_nanos(1));
    stage.sweep().await;
    assert_eq!(stage.status(&task).await, TaskStatus::Completed);
    // A task that is not over is kept, however old it is.
    let waiting = stage.deactivate_many(&["alice"], EVERYTHING).await.unwrap();
    stage.advance(Duration::from_nanos(1));
    stage.sweep().await;
    assert!(matches!(stage.task(&task).await, Err(Error::NoTask(_))));
    stage.advance(TASK_KEPT);
    stage.sweep().await;
    assert_eq!(stage.status(&waiting).await, TaskStatus::Pending);
}

async fn a_reason_that_may_name_somebody_is_forgotten_in_time(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    for (key, error, told, left) in [
        (1, Error::NoUser(id("alice")), "the user alice does not exist", TaskError::forgotten()),
        (2, storage::Error::Panicked.into(), &TaskError::internal().description, TaskError::internal()),
    ] {
        let task = stage.deactivate_many(&["alice"], EVERYTHING).await.unwrap();
        let told = told.to_owned();
        let error = std::sync::Arc::new(error);
        let now = stage.store.clock().now();
        let given_up = stage.store.write(move |tx| {
            (0..MOST_ATTEMPTS).try_for_each(|_| tasks::fail(tx, now, TaskKey(key), &error).map(drop))
        });
        given_up.await.unwrap();
        assert_eq!(stage.task(&task).await.unwrap().error.unwrap().description, told);
        stage.advance(USERS_RESULT_KEPT);
        stage.sweep().await;
        let task = stage.task(&task).await.unwrap();
        assert_eq!((task.status, task.error), (TaskStatus::Failed, Some(left)));
    }
}

async fn statements_are_few_however_many_users(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..100).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    for some in [&names[..1], &names] {
        let command = DeactivateMany { created_by: Some(id("u7")), ..deactivation(some, EVERYTHING) };
        let back =
            ReactivateMany { ids: command.ids.clone(), created_by: Some(id("u7")), content: EVERYTHING };
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
    a_step_that_fails_is_tried_ten_times,
    a_step_that_succeeds_begins_the_count_anew,
    tasks_take_turns,
    an_app_sees_its_own_tasks,
    an_app_has_so_many_tasks_at_a_time,
    what_was_is_forgotten_in_time,
    a_reason_that_may_name_somebody_is_forgotten_in_time,
    statements_are_few_however_many_users,
);
