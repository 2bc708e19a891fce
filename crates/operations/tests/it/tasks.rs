//! Tasks: started by a call, done step by step, tried again when a step fails, known for a while. The calls are of `bulk`.

use std::time::Duration;

use headwater_operations::Error;
use headwater_operations::lifecycle::{self, Deactivate, DeactivateMany, ReactivateMany};
use headwater_operations::tasks::{self, Failing, Stepped, Tick};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, Clock, MOST_ATTEMPTS, MOST_TASKS, Outcome, TASK_KEPT, Task, TaskError, TaskId, TaskResult,
    TaskStatus, USERS_RESULT_KEPT, UserContent, UserId,
};
use storage::Sql;
use storage::tasks::TaskKey;

use crate::stage::{Stage, id, server};

/// A step for each user who has written nothing.
pub(crate) const MESSAGES: UserContent = UserContent { messages: true, channels: false };

pub(crate) fn many(names: &[&str]) -> Vec<UserId> {
    names.iter().map(|name| id(name)).collect()
}

pub(crate) fn deactivation(names: &[&str], content: UserContent) -> DeactivateMany {
    DeactivateMany { ids: many(names), created_by: None, content }
}

pub(crate) fn ok(names: &[&str]) -> Option<TaskResult> {
    Some(TaskResult::Users { users: names.iter().map(|name| (id(name), Outcome::Ok)).collect() })
}

impl Stage {
    pub(crate) async fn deactivate_many(
        &self,
        names: &[&str],
        content: UserContent,
    ) -> Result<TaskId, Error> {
        let command = deactivation(names, content);
        self.write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate_many(tx, ctx, &command)).await
    }

    pub(crate) async fn reactivate_many(
        &self,
        names: &[&str],
        content: UserContent,
    ) -> Result<TaskId, Error> {
        let command = ReactivateMany { ids: many(names), created_by: None, content };
        self.write(Action::DeactivateUser, move |tx, ctx| lifecycle::reactivate_many(tx, ctx, &command)).await
    }

    pub(crate) async fn deactivate_one(&self, name: &str) {
        let command = Deactivate { id: id(name), created_by: None, content: UserContent::default() };
        let done =
            self.write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate(tx, ctx, &command));
        done.await.unwrap();
    }

    pub(crate) async fn task(&self, task: &TaskId) -> Result<Task, Error> {
        let task = task.clone();
        self.write(Action::ReadTasks, move |tx, ctx| tasks::get(tx, ctx, task.as_str())).await
    }

    async fn status(&self, task: &TaskId) -> TaskStatus {
        self.task(task).await.unwrap().status
    }

    /// Does one step. Answers whether there was one, and the error of one that failed, with its task.
    pub(crate) async fn step(&self) -> Result<Stepped, (TaskKey, Error)> {
        let tick = Tick { now: self.store.clock().now(), seed: 1 };
        let claimed = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
        let noted = std::sync::Arc::clone(&claimed);
        let order = std::sync::atomic::Ordering::Relaxed;
        let stepped =
            self.store.write_in_background(move |tx| tasks::step(tx, tick, |key| noted.store(key.0, order)));
        stepped.await.map_err(|error: Error| (TaskKey(claimed.load(order)), error))
    }

    pub(crate) async fn fail(&self, key: TaskKey, error: Error) -> Failing {
        let now = self.store.clock().now();
        let failed = self.store.write_in_background(move |tx| tasks::fail(tx, now, key, &error));
        failed.await.unwrap()
    }

    pub(crate) async fn sweep(&self) -> bool {
        let now = self.store.clock().now();
        self.store.write_in_background(move |tx| tasks::sweep(tx, now)).await.unwrap()
    }

    pub(crate) async fn sql(&self, sql: &'static str) {
        let done = self.store.write(move |tx| tx.execute(Sql::new(sql), &[]));
        let done: Result<usize, storage::Error> = done.await;
        done.unwrap();
    }

    pub(crate) async fn shut_out(&self) -> Vec<String> {
        let sql = "SELECT id FROM users WHERE deactivated_at IS NOT NULL ORDER BY id";
        self.rows(sql, 1).await.concat()
    }

    pub(crate) async fn lifecycle_events(&self) -> Vec<String> {
        let sql = "SELECT event, subject FROM log WHERE event LIKE 'user.%activated' ORDER BY sequence";
        self.rows(sql, 2).await.iter().map(|row| row.join(" ")).collect()
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.store.clock().advance(i64::try_from(span.as_nanos()).unwrap());
    }
}

async fn a_step_that_fails_is_tried_ten_times(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    let broken = stage.deactivate_many(&["alice"], MESSAGES).await.unwrap();
    stage.sql("UPDATE tasks SET work = '{\"v\":1,\"kind\":\"dance\"}'").await;
    let sound = stage.deactivate_many(&["bob"], MESSAGES).await.unwrap();
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
    stage.deactivate_many(&["alice", "bob"], MESSAGES).await.unwrap();
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
    let long = stage.deactivate_many(&["a", "b", "c"], MESSAGES).await.unwrap();
    stage.advance(Duration::from_nanos(1));
    let short = stage.deactivate_many(&["d"], MESSAGES).await.unwrap();
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
    let task = stage.deactivate_many(&["alice"], MESSAGES).await.unwrap();
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
    let task = stage.deactivate_many(&["alice"], MESSAGES).await.unwrap();
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
    let refused = stage.deactivate_many(&["bob"], MESSAGES).await;
    assert!(matches!(refused, Err(Error::TooManyTasks)), "{refused:?}");
    assert_eq!(stage.shut_out().await, ["alice"], "bob is as he was");
    // One that is over makes room for another one.
    stage.store.run_tasks().await;
    assert_eq!(stage.status(&task).await, TaskStatus::Completed);
    stage.deactivate_many(&["bob"], MESSAGES).await.unwrap();
}

async fn what_was_is_forgotten_in_time(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    let task = stage.deactivate_many(&["alice"], MESSAGES).await.unwrap();
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
    let waiting = stage.deactivate_many(&["alice"], MESSAGES).await.unwrap();
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
        let task = stage.deactivate_many(&["alice"], MESSAGES).await.unwrap();
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

/// Steps that several servers do at the same time are each of another task, and none is done twice.
#[tokio::test(flavor = "multi_thread")]
async fn several_work_side_by_side() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(4).await;
    let names: Vec<String> = (0..60).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    let mut started = Vec::new();
    for some in names.chunks(10) {
        started.push((stage.deactivate_many(some, MESSAGES).await.unwrap(), some));
    }
    let store = &stage.store;
    let (a, b, c, d) =
        tokio::join!(store.run_tasks(), store.run_tasks(), store.run_tasks(), store.run_tasks());
    assert_eq!(a + b + c + d, names.len(), "a step for each user");
    for (task, some) in started {
        assert_eq!(stage.task(&task).await.unwrap().result, ok(some));
    }
}

on_each_engine!(
    a_step_that_fails_is_tried_ten_times,
    a_step_that_succeeds_begins_the_count_anew,
    tasks_take_turns,
    an_app_sees_its_own_tasks,
    an_app_has_so_many_tasks_at_a_time,
    what_was_is_forgotten_in_time,
    a_reason_that_may_name_somebody_is_forgotten_in_time,
);
