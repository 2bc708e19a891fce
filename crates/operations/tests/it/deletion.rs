//! Deleting and restoring users: who may be deleted how, what comes back, and whose id stays taken (semantics 10).

use headwater_operations::deletion::{self, Preview};
use headwater_operations::{Ctx, Error, tasks};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, AppSettings, ConversationDeletion, Data, DeleteUsers, DeletionPlan, Effect, MessageDeletion,
    Outcome, Profile, TaskId, TaskResult, TaskStatus, UniqueNames, UserDeletion, UserId,
};

use crate::stage::{Stage, id};

pub(crate) const SOFT: DeletionPlan =
    DeletionPlan { user: UserDeletion::Soft, messages: None, conversations: None, calls: None, files: false };
pub(crate) const PRUNING: DeletionPlan = DeletionPlan { user: UserDeletion::Pruning, ..SOFT };
pub(crate) const HARD: DeletionPlan = DeletionPlan {
    user: UserDeletion::Hard,
    messages: Some(MessageDeletion::Hard),
    conversations: Some(ConversationDeletion::Hard),
    ..SOFT
};

pub(crate) fn wish(ids: &[&str], plan: DeletionPlan) -> DeleteUsers {
    DeleteUsers {
        ids: ids.iter().map(|name| id(name)).collect(),
        plan,
        new_channel_owner: None,
        new_call_owner: None,
    }
}

impl Stage {
    pub(crate) async fn delete_users(&self, command: DeleteUsers) -> Result<TaskId, Error> {
        self.write(Action::DeleteUser, move |tx, ctx| deletion::delete(tx, ctx, &command)).await
    }

    async fn preview(&self, command: DeleteUsers) -> Result<Vec<Preview>, Error> {
        let ctx = self.ctx(Action::DeleteUser);
        self.store.read(move |tx| deletion::preview(tx, &ctx, &command)).await
    }

    pub(crate) async fn restore(&self, ids: &[&str]) -> Result<(), Error> {
        let ids: Vec<UserId> = ids.iter().map(|name| id(name)).collect();
        self.write(Action::DeleteUser, move |tx, ctx| deletion::restore(tx, ctx, &ids)).await
    }

    /// What came of a task.
    pub(crate) async fn outcomes(&self, task: &TaskId) -> Vec<(String, Outcome)> {
        let (ctx, task) = (self.ctx(Action::ReadTasks), task.clone());
        let task = self.store.read(move |tx| tasks::get(tx, &ctx, task.as_str())).await.unwrap();
        assert_eq!(task.status, TaskStatus::Completed);
        let Some(TaskResult::Users { users }) = task.result else { panic!("{task:?}") };
        users.into_iter().map(|(id, outcome)| (id.to_string(), outcome)).collect()
    }

    async fn is_found(&self, name: &str) -> bool {
        let (found, _) = self.query_all(self.ctx(Action::SearchUser)).await;
        found.iter().any(|view| view.user.id.as_str() == name)
    }

    pub(crate) async fn state(&self, name: &str) -> String {
        let rows = self.count_of(format!("users WHERE id = '{name}' AND deleted_at IS NULL")).await;
        let deleted = self.count_of(format!("users WHERE id = '{name}' AND deleted_at IS NOT NULL")).await;
        match (rows, deleted) {
            (1, 0) => "there".to_owned(),
            (0, 1) => "deleted".to_owned(),
            _ => "gone".to_owned(),
        }
    }
}

pub(crate) fn told<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().to_string()
}

async fn users_are_hidden_at_once_and_the_rest_is_a_task(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    stage.take_log().await;
    let task = stage.delete_users(wish(&["bob", "alice"], SOFT)).await.unwrap();
    assert!(!stage.is_found("alice").await && stage.is_found("carol").await);
    let profile = vec![(id("alice"), Profile::default())];
    assert_eq!(told(stage.upsert(profile).await), "the user alice was deleted");
    assert_eq!(
        stage.take_log().await,
        ["user.deleted of bob by server: bob", "user.deleted of alice by server: alice"]
    );
    stage.store.run_tasks().await;
    let ok = |name: &str| (name.to_owned(), Outcome::Ok);
    assert_eq!(stage.outcomes(&task).await, [ok("alice"), ok("bob")]);
    assert_eq!(stage.take_log().await, [""; 0]);
    // As often as one likes.
    let again = stage.delete_users(wish(&["alice", "carol"], SOFT)).await.unwrap();
    stage.store.run_tasks().await;
    assert_eq!(stage.outcomes(&again).await, [ok("alice"), ok("carol")]);
    assert_eq!(stage.take_log().await, ["user.deleted of carol by server: carol"], "alice was so before");
}

async fn what_makes_no_sense_is_refused_and_changes_nothing(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "gone"]).await;
    stage.delete_users(wish(&["gone"], SOFT)).await.unwrap();
    stage.store.run_tasks().await;
    let start = stage.log_length().await;
    let owned = |owner: &str| DeleteUsers { new_channel_owner: Some(id(owner)), ..wish(&["alice"], HARD) };
    let many: Vec<String> = (0..101).map(|number| format!("user-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let hard = "hard deleting users requires hard deleting messages and conversations";
    for (command, why) in [
        (wish(&[], SOFT), "user_ids: must hold 1 to 100 users, holds 0"),
        (wish(&many, SOFT), "user_ids: must hold 1 to 100 users, holds 101"),
        (wish(&["alice", "alice"], SOFT), "user_ids: must name each user once, names 'alice' twice"),
        (
            wish(&["alice", "zoe", "yan"], SOFT),
            "user_ids: must name users who exist; there is none with the id zoe, yan",
        ),
        (wish(&["alice"], DeletionPlan { messages: None, ..HARD }), hard),
        (wish(&["alice"], DeletionPlan { conversations: Some(ConversationDeletion::Soft), ..HARD }), hard),
        (owned("alice"), "new_channel_owner_id: must be somebody who stays, 'alice' is in user_ids"),
        (owned("zoe"), "new_channel_owner_id: must be a user who exists, and 'zoe' does not"),
        (owned("gone"), "new_channel_owner_id: must be a user who exists, and 'gone' does not"),
    ] {
        let refused = told(stage.delete_users(command.clone()).await);
        assert!(refused.contains(why), "{refused}");
        assert_eq!(told(stage.preview(command).await), refused, "a preview refuses the same");
    }
    assert_eq!(stage.log_length().await, start);
    assert_eq!((stage.state("alice").await.as_str(), stage.state("bob").await.as_str()), ("there", "there"));
    assert_eq!(stage.count_of("tasks WHERE finished_at IS NULL".to_owned()).await, 0);
}

async fn only_marks_are_taken_back(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["soft", "pruned", "hard", "there", "bob", "carol"]).await;
    let key = stage.make_person("soft", 1).await;
    for (name, plan) in [("soft", SOFT), ("pruned", PRUNING), ("hard", HARD)] {
        stage.delete_users(wish(&[name], plan)).await.unwrap();
    }
    stage.store.run_tasks().await;
    let stage = stage.refreshed().await;
    for (ids, why) in [
        (&["soft", "nobody"][..], "the user nobody does not exist"),
        (&["soft", "there"], "user_ids: 'there' is not deleted"),
        (&["soft", "pruned"], "user_ids: 'pruned' was deleted for good, and cannot be restored"),
        (&["soft", "hard"], "user_ids: 'hard' was deleted for good, and cannot be restored"),
        (&["soft", "soft"], "user_ids: must name each user once, names 'soft' twice"),
        (&[], "user_ids: must hold 1 to 100 users, holds 0"),
    ] {
        assert_eq!(told(stage.restore(ids).await), why);
        assert_eq!(stage.state("soft").await, "deleted", "all or none");
    }
    stage.restore(&["soft"]).await.unwrap();
    assert!(stage.is_found("soft").await);
    let logged = "log WHERE event = 'user.updated' AND subject = 'soft'".to_owned();
    assert_eq!(stage.count_of(logged).await, 2, "it was changed when it was made, and is again");
    // What was left is not joined again; what was the user's own is as it was (10.22).
    assert_eq!(stage.count_of(format!("channel_members WHERE \"user\" = {key}")).await, 0);
    assert_eq!(stage.count_of(format!("devices WHERE \"user\" = {key}")).await, 1);
    assert_eq!(told(stage.restore(&["soft"]).await), "user_ids: 'soft' is not deleted");
}

async fn a_name_that_is_taken_by_now_is_not_given_back(engine: Engine) {
    let settings = AppSettings { unique_names: UniqueNames::App, ..AppSettings::default() };
    let stage = Stage::set(engine).await.with_settings(settings).await;
    let named = |name: &str| (id(name), Profile { name: Some("Ann".to_owned()), ..Profile::default() });
    stage.upsert(vec![named("first")]).await.unwrap();
    stage.delete_users(wish(&["first"], SOFT)).await.unwrap();
    stage.upsert(vec![named("second")]).await.unwrap();
    let refused = stage.restore(&["first"]).await.unwrap_err();
    assert!(matches!(&refused, Error::NameTaken { field, .. } if field == "user_ids.0"), "{refused}");
    stage.delete_users(wish(&["second"], SOFT)).await.unwrap();
    stage.restore(&["first"]).await.unwrap();
}

async fn a_deletion_may_go_further_and_never_back(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "carol"]).await;
    let key = stage.make_person("alice", 1).await;
    stage.delete_users(wish(&["alice"], SOFT)).await.unwrap();
    // Before the first task has run: it finds less to do, or nothing.
    stage.delete_users(wish(&["alice"], PRUNING)).await.unwrap();
    stage.delete_users(wish(&["alice"], SOFT)).await.unwrap();
    stage.store.run_tasks().await;
    assert_eq!(stage.count_of(format!("users WHERE key = {key} AND name IS NULL")).await, 1);
    assert!(told(stage.restore(&["alice"]).await).contains("for good"));
    let hard = stage.delete_users(wish(&["alice"], HARD)).await.unwrap();
    let soft = stage.delete_users(wish(&["alice"], SOFT)).await.unwrap();
    stage.store.run_tasks().await;
    assert_eq!(stage.state("alice").await, "gone");
    for task in [hard, soft] {
        assert_eq!(stage.outcomes(&task).await, [("alice".to_owned(), Outcome::Ok)]);
    }
    // Of whom nothing is left nothing more is to be done.
    let stage = stage.refreshed().await;
    let again = stage.delete_users(wish(&["alice"], HARD)).await.unwrap();
    stage.store.run_tasks().await;
    assert_eq!(stage.outcomes(&again).await, [("alice".to_owned(), Outcome::Ok)]);
}

async fn channels_of_the_gone_are_passed_on(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "carol"]).await;
    for (number, owner) in [(1, Some("bob")), (2, None), (3, Some("carol"))] {
        let name = format!("person-{number}");
        stage.make_person(&name, number).await;
        let command = DeleteUsers { new_channel_owner: owner.map(id), ..wish(&[&name], HARD) };
        stage.delete_users(command).await.unwrap();
    }
    // One who is deleted meanwhile gets nothing.
    stage.delete_users(wish(&["carol"], SOFT)).await.unwrap();
    stage.store.run_tasks().await;
    let bob = stage.key_of("bob").await;
    let owned = |number: usize, by: String| format!("channels WHERE id = 'group-{number}' AND {by}");
    assert_eq!(stage.count_of(owned(1, format!("created_by = {bob}"))).await, 1);
    for number in [2, 3] {
        let nobody = "created_by IS NULL AND owner LIKE 'delete-user-________________'".to_owned();
        assert_eq!(stage.count_of(owned(number, nobody)).await, 1, "{number}");
    }
    let distinct = "(SELECT DISTINCT owner FROM channels WHERE owner IS NOT NULL) AS owners".to_owned();
    assert_eq!(stage.count_of(distinct).await, 2, "each has one of its own");
}

async fn an_id_is_never_given_again(engine: Engine) {
    let stage = Stage::set(engine).await;
    let other = stage.another_app("other").await;
    stage.create(&["alice", "bob"]).await;
    stage.delete_users(wish(&["alice"], HARD)).await.unwrap();
    stage.store.run_tasks().await;
    let stage = stage.refreshed().await;
    let profiles =
        |names: &[&str]| names.iter().map(|name| (id(name), Profile::default())).collect::<Vec<_>>();
    assert_eq!(told(stage.upsert(profiles(&["zoe", "alice"])).await), "the user alice was deleted");
    assert_eq!(stage.state("zoe").await, "gone", "all or none");
    let of_user: Ctx = stage.ctx_of("alice", Action::SearchUser);
    let refused = stage.store.read(move |tx| of_user.admit(tx).map(drop)).await;
    assert_eq!(told(refused), "the user alice was deleted");
    // The hash tells nobody the id, and another app knows nothing of it.
    assert_eq!(stage.count_of("tombstones".to_owned()).await, 1);
    assert_eq!(stage.count_of("tombstones WHERE hash LIKE '%alice%'".to_owned()).await, 0);
    let elsewhere = crate::stage::server(&stage.store, &other, Action::UpdateUser);
    let elsewhere = Ctx { actions: &[Action::UpdateUser, Action::CreateUser], ..elsewhere };
    let made = profiles(&["alice"]);
    let made = stage
        .store
        .write(move |tx| headwater_operations::users::upsert(tx, &elsewhere, &made.clone().into()));
    made.await.unwrap();
    // An operator of an app for tests may.
    stage.forget().await;
    for expected in [true, false] {
        let ctx = crate::stage::operator(&stage.store, Action::ManageApps);
        let purged = stage.store.write(move |tx| deletion::purge_tombstone(tx, &ctx, "key", &id("alice")));
        assert_eq!(purged.await.unwrap(), expected);
    }
    stage.upsert(profiles(&["alice"])).await.unwrap();
}

async fn a_preview_counts_and_changes_nothing(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "carol", "bare"]).await;
    stage.make_person("alice", 1).await;
    let start = stage.log_length().await;
    let previews = stage.preview(wish(&["alice", "bare"], HARD)).await.unwrap();
    let of = |place: usize, data: Data| {
        let forecast = previews[place].forecasts.iter().find(|forecast| forecast.data == data).unwrap();
        (forecast.effect, forecast.tally.count)
    };
    assert_eq!(of(0, Data::Devices), (Effect::Removed, 1));
    assert_eq!(of(0, Data::ChannelsMade), (Effect::PassedOn, 1));
    assert_eq!(of(0, Data::Memberships), (Effect::Removed, 2));
    assert_eq!((of(1, Data::Devices), of(1, Data::Profile)), ((Effect::Removed, 0), (Effect::Removed, 1)));
    assert_eq!((stage.state("alice").await.as_str(), stage.log_length().await), ("there", start));
    let soft = stage.preview(wish(&["alice"], SOFT)).await.unwrap();
    let changed: Vec<Data> = soft[0].forecasts.iter().map(|forecast| forecast.data).collect();
    assert_eq!(changed, [Data::Memberships, Data::Profile]);
}

async fn a_hundred_users_cost_no_more_statements_than_one(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..101).map(|number| format!("user-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    stage.delete_users(wish(&names[..1], HARD)).await.unwrap();
    let stage = stage.refreshed().await;
    let mut counts = Vec::new();
    for some in [&names[1..2], &names[2..101]] {
        let command = wish(some, HARD);
        let delete = move |tx: &mut storage::Tx<'_>, ctx: &Ctx| deletion::delete(tx, ctx, &command);
        counts.push(stage.counted(Action::DeleteUser, delete).await.unwrap().1);
    }
    assert!(counts[0] == counts[1] && counts[0] <= 8, "{counts:?}");
}

on_each_engine!(
    users_are_hidden_at_once_and_the_rest_is_a_task,
    what_makes_no_sense_is_refused_and_changes_nothing,
    only_marks_are_taken_back,
    a_name_that_is_taken_by_now_is_not_given_back,
    a_deletion_may_go_further_and_never_back,
    channels_of_the_gone_are_passed_on,
    an_id_is_never_given_again,
    a_preview_counts_and_changes_nothing,
    a_hundred_users_cost_no_more_statements_than_one,
);
