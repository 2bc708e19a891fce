//! The loop that does the steps of tasks (v2 4), and takes away what is not to be known of them any more.
//!
//! Several servers may run it on one database: a task is claimed by the transaction of its step.

mod pace;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model::{Clock, Entropy};
use operations::Error;
use operations::tasks::{self, Failing, Stepped, Tick};
use storage::Store;
use storage::tasks::TaskKey;
use tokio::sync::watch;

use self::pace::Pace;
use crate::failure::chain;

/// How long the loop rests before it looks for tasks again: the first time after a step, and when it has looked in vain
/// for a while. Whoever has started one task often starts the next.
const RESTS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

/// The calls of the store that one round of the loop makes: it sweeps, looks and does a step.
const OWN_CALLS: u64 = 3;

/// How long it rests when the store is in trouble.
const TROUBLED_REST: Duration = Duration::from_secs(5);

/// How long results and old tasks are left alone.
const UNSWEPT: Duration = Duration::from_secs(60);

/// What the loop works with.
struct Worker {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// What a look for work came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    /// A step was done, or has failed: there may be another one to do at once.
    Worked,
    /// There was nothing to do.
    Idle,
    /// The store is in trouble.
    Troubled,
}

/// Does the steps of tasks that are due until `drain` becomes true; then ends with the step that is being done.
pub(crate) async fn run(
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    mut drain: watch::Receiver<bool>,
) {
    let worker = Worker { store, clock, entropy };
    let (mut rest, mut swept, mut pace) = (RESTS.1, None, Pace::default());
    while !*drain.borrow() {
        let elapsed = worker.clock.elapsed();
        let is_time = swept.is_none_or(|swept| elapsed.saturating_sub(swept) >= UNSWEPT);
        // A batch each time, so that however much there is, tasks go on.
        let may_be_more = is_time && worker.sweep().await;
        if is_time && !may_be_more {
            swept = Some(elapsed);
        }
        let looked = worker.look().await;
        if looked == Looked::Worked {
            rest = RESTS.0;
        }
        let pause = pause(looked, may_be_more, rest);
        if pause.is_some() {
            rest = rest.saturating_mul(2).min(RESTS.1);
        }
        let pause = pause.unwrap_or_else(|| {
            let now = worker.clock.elapsed();
            pace.rest(&worker.store.gauges(), now, now.saturating_sub(elapsed), OWN_CALLS)
        });
        if pause.is_zero() {
            continue;
        }
        tokio::select! {
            _ = drain.wait_for(|draining| *draining) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// How long the loop rests; while there is something to do or to take away, no longer than others need ([`Pace`]).
fn pause(looked: Looked, may_be_more: bool, rest: Duration) -> Option<Duration> {
    match looked {
        Looked::Worked => None,
        Looked::Idle if may_be_more => None,
        Looked::Idle => Some(rest),
        Looked::Troubled => Some(TROUBLED_REST),
    }
}

impl Worker {
    /// Does a step, if one is due. Looking costs no write.
    async fn look(&self) -> Looked {
        let now = self.clock.now();
        match self.store.look_up(move |tx| tasks::is_due(tx, now)).await {
            Ok(true) => self.step().await,
            Ok(false) => Looked::Idle,
            Err(error) => troubled(&error),
        }
    }

    async fn step(&self) -> Looked {
        let tick = Tick { now: self.clock.now(), seed: self.entropy.seed() };
        let claimed = Arc::new(AtomicI64::new(0));
        let noted = Arc::clone(&claimed);
        let stepped = self.store.write_in_background(move |tx| {
            tasks::step(tx, tick, |key: TaskKey| noted.store(key.0, Ordering::Relaxed))
        });
        match (stepped.await, claimed.load(Ordering::Relaxed)) {
            (Ok(Stepped::Worked), _) => Looked::Worked,
            (Ok(Stepped::Idle), _) => Looked::Idle,
            // Keys begin at 1.
            (Err(error), key) if key > 0 && !tasks::is_passing(&error) => {
                self.note_failure(TaskKey(key), error).await
            }
            (Err(error), _) => troubled(&error),
        }
    }

    async fn note_failure(&self, key: TaskKey, error: Error) -> Looked {
        let (now, cause) = (self.clock.now(), chain(&error));
        let noted = self.store.write_in_background(move |tx| tasks::fail(tx, now, key, &error)).await;
        match noted {
            Ok(Failing::Again { id, attempts }) => {
                tracing::warn!(task = %id, attempts, cause, "a step of a task failed; it is tried again");
            }
            Ok(Failing::GivenUp { id }) => {
                tracing::error!(task = %id, cause, "a task was given up");
            }
            Ok(Failing::Over) => {}
            Err(error) => return troubled(&error),
        }
        Looked::Worked
    }

    /// Takes a batch away of what is not to be known any more. Answers whether there may be more of it.
    async fn sweep(&self) -> bool {
        let now = self.clock.now();
        let swept = self.store.write_in_background(move |tx| tasks::sweep(tx, now)).await;
        swept.unwrap_or_else(|error: Error| {
            tracing::warn!(cause = chain(&error), "old tasks were not taken away; next try in a minute");
            false
        })
    }
}

fn troubled(error: &Error) -> Looked {
    tracing::warn!(cause = chain(error), "no step of a task could be done; next try in a few seconds");
    Looked::Troubled
}

#[cfg(test)]
mod tests {
    use headwater_testkit::{FixedEntropy, TestStore};
    use model::{Action, Caller, Operation, Secret, TaskId, TaskStatus, UserContent, UserId};
    use operations::lifecycle::{self, DeactivateMany};
    use operations::{Ctx, apps, users};

    use super::*;
    use crate::operator::context;

    /// A store with an app, users and a server of the app that may do `actions`.
    struct Stage {
        store: TestStore,
        app: Arc<model::App>,
    }

    impl Stage {
        async fn set() -> Self {
            let store = TestStore::open();
            let ctx = context(Operation::CreateApp, store.clock(), &FixedEntropy::default());
            let (api_key, secret) = ("key".to_owned(), Secret::new("secret".to_owned()));
            let create = apps::Create { name: api_key.clone(), api_key, secret };
            store.write(move |tx| apps::create(tx, &ctx, &create)).await.unwrap();
            let app = store.read(|tx| storage::apps::by_api_key(tx, "key")).await.unwrap().unwrap();
            let stage = Self { store, app: Arc::new(app) };
            let (ctx, ids) = (stage.ctx(Action::UpdateUser.alone(), 1), ids());
            let made = stage.store.write(move |tx| {
                let profiles: Vec<_> = ids.iter().map(|id| (id.clone(), model::Profile::default())).collect();
                users::upsert(
                    tx,
                    &Ctx { actions: &[Action::UpdateUser, Action::CreateUser], ..ctx.clone() },
                    &profiles.into(),
                )
            });
            made.await.unwrap();
            stage
        }

        fn ctx(&self, actions: &'static [Action], seed: u128) -> Ctx {
            Ctx {
                caller: Caller::Server(Arc::clone(&self.app)),
                actions,
                seed,
                ..context(Operation::DeactivateUsers, self.store.clock(), &FixedEntropy::default())
            }
        }

        async fn start(&self, seed: u128) -> TaskId {
            let ctx = self.ctx(Action::DeactivateUser.alone(), seed);
            let content = UserContent { messages: true, channels: true };
            let command = DeactivateMany { ids: ids(), created_by: None, content };
            self.store.write(move |tx| lifecycle::deactivate_many(tx, &ctx, &command)).await.unwrap()
        }

        async fn status(&self, task: &TaskId) -> TaskStatus {
            let (ctx, task) = (self.ctx(Action::ReadTasks.alone(), 1), task.clone());
            let task = self.store.read(move |tx| tasks::get(tx, &ctx, task.as_str()));
            task.await.unwrap().status
        }

        async fn until(&self, task: &TaskId, wanted: TaskStatus) {
            let turned = async {
                while self.status(task).await != wanted {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            let patience = Duration::from_secs(30);
            assert!(tokio::time::timeout(patience, turned).await.is_ok(), "the task is not {wanted:?}");
        }

        fn run(&self, drain: watch::Receiver<bool>) -> impl Future<Output = ()> + Send + use<> {
            let entropy = Arc::new(FixedEntropy::default());
            run(self.store.clone(), self.store.shared_clock(), entropy, drain)
        }
    }

    fn ids() -> Vec<UserId> {
        ["alice", "bob", "carol"].map(|id| UserId::parse(id).unwrap()).to_vec()
    }

    #[tokio::test]
    async fn tasks_are_done_until_the_drain() {
        let stage = Stage::set().await;
        let first = stage.start(1).await;
        let (begin_drain, drain) = watch::channel(true);
        stage.run(drain.clone()).await;
        assert_eq!(stage.status(&first).await, TaskStatus::Pending, "worked while draining");

        begin_drain.send_replace(false);
        let running = tokio::spawn(stage.run(drain));
        stage.until(&first, TaskStatus::Completed).await;
        // One that comes while the loop rests is found.
        let second = stage.start(2).await;
        stage.until(&second, TaskStatus::Completed).await;
        begin_drain.send_replace(true);
        running.await.unwrap();
    }

    #[tokio::test]
    async fn what_is_over_for_long_is_taken_away() {
        let stage = Stage::set().await;
        let task = stage.start(1).await;
        stage.store.run_tasks().await;
        stage.store.clock().advance(i64::try_from(model::TASK_KEPT.as_nanos()).unwrap());
        let (begin_drain, drain) = watch::channel(false);
        let running = tokio::spawn(stage.run(drain));
        let ctx = stage.ctx(Action::ReadTasks.alone(), 1);
        let is_known = || {
            let (ctx, task) = (ctx.clone(), task.clone());
            stage.store.read(move |tx| tasks::get(tx, &ctx, task.as_str()).map(drop))
        };
        while is_known().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(matches!(is_known().await, Err(Error::NoTask(_))));
        begin_drain.send_replace(true);
        running.await.unwrap();
    }

    #[test]
    fn there_is_no_rest_while_there_is_something_to_do() {
        let rest = RESTS.1;
        for (looked, may_be_more, expected) in [
            (Looked::Worked, false, None),
            (Looked::Worked, true, None),
            (Looked::Idle, true, None),
            (Looked::Idle, false, Some(rest)),
            (Looked::Troubled, true, Some(TROUBLED_REST)),
        ] {
            assert_eq!(pause(looked, may_be_more, rest), expected, "{looked:?}, {may_be_more}");
        }
    }

    #[tokio::test]
    async fn a_step_that_fails_waits_and_nobody_waits_for_it() {
        let stage = Stage::set().await;
        let broken = stage.start(1).await;
        let spoil = storage::Sql::new("UPDATE tasks SET work = 'nothing'");
        let spoilt: Result<usize, storage::Error> = stage.store.write(move |tx| tx.execute(spoil, &[])).await;
        assert_eq!(spoilt.unwrap(), 1);
        let sound = stage.start(2).await;
        let (begin_drain, drain) = watch::channel(false);
        let running = tokio::spawn(stage.run(drain));
        stage.until(&sound, TaskStatus::Completed).await;
        // The clock of the test moves only when told to.
        while stage.status(&broken).await != TaskStatus::Failed {
            stage.store.clock().advance(600_000_000_000);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begin_drain.send_replace(true);
        running.await.unwrap();
    }
}
