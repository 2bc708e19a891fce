//! Unique names: enforced from the moment they are switched on, in the app or within teams (semantics 5).

use headwater_operations::lifecycle::{self, Reactivate};
use headwater_operations::{Error, apps, users};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, AppSettings, Assignment, Patch, Profile, SettingsPatch, UniqueNames, UserContent, UserView,
};

use crate::stage::{Stage, app, id};

fn profile(name: &str, teams: &[&str]) -> Profile {
    let teams = Some(teams.iter().map(|&team| team.to_owned()).collect());
    Profile { name: Some(name.to_owned()), teams, ..Profile::default() }
}

impl Stage {
    async fn name(&self, user: &str, name: &str, teams: &[&str]) -> Result<(), Error> {
        self.upsert(vec![(id(user), profile(name, teams))]).await.map(drop)
    }

    async fn rename(&self, user: &str, set: Vec<Assignment>) -> Result<Vec<UserView>, Error> {
        let patches = vec![Patch { id: id(user), set, unset: Vec::new() }];
        self.write(Action::UpdateUser, move |tx, ctx| users::update_partial(tx, ctx, &patches.clone().into()))
            .await
    }

    async fn enforcing(self, unique_names: UniqueNames) -> Self {
        self.with_settings(AppSettings { unique_names, ..AppSettings::default() }).await
    }
}

#[track_caller]
fn taken<T: std::fmt::Debug>(answer: Result<T, Error>) {
    assert!(matches!(answer, Err(Error::NameTaken { .. })), "{answer:?}");
}

async fn a_name_is_taken_once_in_an_app(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.name("old-1", "Old Name", &[]).await.unwrap();
    stage.name("old-2", "old.name", &[]).await.unwrap();
    let stage = stage.enforcing(UniqueNames::App).await;
    stage.name("alice", "John Doe", &[]).await.unwrap();
    for same in ["John Doe", "john doe", "john.doe", "JOHN_DOE", "Ｊｏｈｎ Doe"] {
        taken(stage.name("bob", same, &[]).await);
    }
    taken(stage.name("bob", "OLD NAME", &[]).await);
    stage.name("alice", "john doe", &[]).await.unwrap();
    stage.name("bob", "Joan", &[]).await.unwrap();
    taken(stage.rename("bob", vec![Assignment::Name(Some("John-Doe".to_owned()))]).await);
    stage.rename("old-1", vec![Assignment::Image(Some("x".to_owned()))]).await.unwrap();
    stage.name("old-1", "Old Name", &[]).await.unwrap();
    for exempt in ["!!!", "???"] {
        stage.name("carol", exempt, &[]).await.unwrap();
        stage.name("dave", exempt, &[]).await.unwrap();
    }
    stage.name("alice", "Another", &[]).await.unwrap();
    stage.name("bob", "John Doe", &[]).await.unwrap();
}

async fn names_are_compared_within_a_batch(engine: Engine) {
    let stage = Stage::set(engine).await.enforcing(UniqueNames::App).await;
    taken(stage.upsert(vec![(id("a"), profile("Ann", &[])), (id("b"), profile("ann", &[]))]).await);
    stage.upsert(vec![(id("a"), profile("Ann", &[])), (id("b"), profile("Bob", &[]))]).await.unwrap();
    taken(stage.upsert(vec![(id("c"), profile("Ann", &[])), (id("a"), profile("Carl", &[]))]).await);
    stage.upsert(vec![(id("a"), profile("Carl", &[])), (id("c"), profile("Ann", &[]))]).await.unwrap();
}

async fn users_who_share_no_team_may_share_a_name(engine: Engine) {
    let stage = Stage::set(engine).await.enforcing(UniqueNames::Team).await;
    stage.name("alice", "Ann", &["red"]).await.unwrap();
    stage.name("bob", "Ann", &["blue"]).await.unwrap();
    stage.name("carol", "Ann", &[]).await.unwrap();
    stage.name("dave", "Ann", &[]).await.unwrap();
    taken(stage.name("eve", "ann", &["green", "red"]).await);
    let into_red = vec![Assignment::Teams(Some(vec!["blue".to_owned(), "red".to_owned()]))];
    taken(stage.rename("bob", into_red).await);
}

async fn a_reactivation_is_refused_a_name_that_is_taken(engine: Engine) {
    let stage = Stage::set(engine).await.enforcing(UniqueNames::App).await;
    stage.name("alice", "Ann", &[]).await.unwrap();
    stage.name("bob", "Bob", &[]).await.unwrap();
    let deactivate =
        lifecycle::Deactivate { id: id("bob"), created_by: None, content: UserContent::default() };
    stage
        .write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate(tx, ctx, &deactivate))
        .await
        .unwrap();
    taken(stage.name("carol", "Bob", &[]).await);
    let reactivate = Reactivate {
        id: id("bob"),
        name: Some("ANN".to_owned()),
        created_by: None,
        content: UserContent::default(),
    };
    taken(
        stage.write(Action::DeactivateUser, move |tx, ctx| lifecycle::reactivate(tx, ctx, &reactivate)).await,
    );
}

async fn the_setting_is_stored(engine: Engine) {
    let stage = Stage::set(engine).await;
    let patch = SettingsPatch { unique_names: Some(UniqueNames::Team), ..SettingsPatch::default() };
    stage.write(Action::UpdateApp, move |tx, ctx| apps::update(tx, ctx, &patch)).await.unwrap();
    assert_eq!(app(&stage.store, "key").await.settings.unique_names, UniqueNames::Team);
}

fn enforce(unique_names: UniqueNames) -> SettingsPatch {
    SettingsPatch { unique_names: Some(unique_names), ..SettingsPatch::default() }
}

async fn a_request_that_came_before_the_setting_obeys_it(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.name("alice", "Ann", &[]).await.unwrap();
    let patch = enforce(UniqueNames::App);
    stage.write(Action::UpdateApp, move |tx, ctx| apps::update(tx, ctx, &patch)).await.unwrap();
    assert_eq!(stage.app.settings.unique_names, UniqueNames::No, "what the request found when it came");
    taken(stage.name("bob", "Ann", &[]).await);
    stage.name("carol", "Carol", &[]).await.unwrap();
    taken(stage.rename("carol", vec![Assignment::Name(Some("Ann".to_owned()))]).await);
}

#[tokio::test]
async fn a_request_in_the_same_transaction_as_the_setting_obeys_it() {
    // Of the engine on which writers share a transaction.
    let stage = Stage::set(Engine::Sqlite).await;
    let (go, wait) = std::sync::mpsc::sync_channel::<()>(0);
    let wait = std::sync::Mutex::new(wait);
    let held = stage.store.write::<_, Error, _>(move |_| {
        wait.lock().unwrap().recv().unwrap();
        Ok(())
    });
    let patch = enforce(UniqueNames::App);
    let switched = stage.write(Action::UpdateApp, move |tx, ctx| apps::update(tx, ctx, &patch));
    let named = ["alice", "bob"].map(|user| stage.name(user, "Ann", &[]));
    let [alice, bob] = named;
    let release = async {
        while stage.store.gauges().writes_waiting < 3 {
            tokio::task::yield_now().await;
        }
        go.send(()).unwrap();
    };
    let (held, switched, alice, bob, ()) = tokio::join!(held, switched, alice, bob, release);
    held.unwrap();
    switched.unwrap();
    alice.unwrap();
    taken(bob);
}

async fn one_of_many_writers_at_once_gets_the_name(engine: Engine) {
    let stage = Stage::set(engine).await.enforcing(UniqueNames::App).await;
    let stage = std::sync::Arc::new(stage);
    let writers: Vec<_> = (0..40)
        .map(|number| {
            let stage = std::sync::Arc::clone(&stage);
            tokio::spawn(async move { stage.name(&format!("user-{number}"), "Ann", &[]).await })
        })
        .collect();
    let mut named = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(()) => named += 1,
            refused => taken(refused),
        }
    }
    assert_eq!(named, 1);
}

on_each_engine!(
    a_name_is_taken_once_in_an_app,
    names_are_compared_within_a_batch,
    users_who_share_no_team_may_share_a_name,
    a_reactivation_is_refused_a_name_that_is_taken,
    the_setting_is_stored,
    a_request_that_came_before_the_setting_obeys_it,
    one_of_many_writers_at_once_gets_the_name,
);
