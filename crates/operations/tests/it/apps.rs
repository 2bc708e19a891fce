//! Apps: made once, rotated with two valid secrets, suspended, changed setting by setting.

use headwater_operations::apps::{self, Create};
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::{Action, Secret, SettingsPatch};
use serde_json::json;
use storage::Tx;

use crate::stage::{Stage, app, operator, server};

impl Stage {
    async fn operate(
        &self,
        verb: impl Fn(&mut Tx<'_>, &Ctx) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let ctx = operator(&self.store, Action::ManageApps);
        self.store.write(move |tx| verb(tx, &ctx)).await
    }

    async fn secrets(&self) -> Vec<String> {
        app(&self.store, "key").await.secrets().map(|secret| secret.reveal().to_owned()).collect()
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

async fn making_an_app_again_changes_nothing(engine: Engine) {
    let stage = Stage::set(engine).await;
    let create = |api_key: &str, secret_text: &str| {
        let command =
            Create { api_key: api_key.to_owned(), name: "again".to_owned(), secret: secret(secret_text) };
        let ctx = operator(&stage.store, Action::ManageApps);
        stage.store.write(move |tx| apps::create(tx, &ctx, &command))
    };
    assert!(!create("key", "secret").await.unwrap());
    assert_eq!(app(&stage.store, "key").await.name, "app");
    assert!(matches!(create("key", "another").await, Err(Error::AppExists(key)) if key == "key"));
    for (api_key, secret) in
        [("", "s"), ("a b", "s"), ("ü", "s"), ("k", ""), ("k", "s s"), (&*"k".repeat(65), "s")]
    {
        assert!(matches!(create(api_key, secret).await, Err(Error::Invalid(_))), "{api_key} {secret}");
    }
    assert_eq!(stage.rows("SELECT api_key FROM apps", 1).await.len(), 1);
}

async fn a_rotation_keeps_two_secrets_until_it_is_finished(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.operate(|tx, ctx| apps::rotate(tx, ctx, "key", &secret("second"))).await.unwrap();
    assert_eq!(stage.secrets().await, ["second", "secret"]);
    let third = stage.operate(|tx, ctx| apps::rotate(tx, ctx, "key", &secret("third"))).await;
    assert!(matches!(third, Err(Error::Rotating(_))));
    stage.operate(|tx, ctx| apps::finish_rotation(tx, ctx, "key")).await.unwrap();
    assert_eq!(stage.secrets().await, ["second"]);
    let again = stage.operate(|tx, ctx| apps::finish_rotation(tx, ctx, "key")).await;
    assert!(matches!(again, Err(Error::NotRotating(_))));
    let unknown = stage.operate(|tx, ctx| apps::rotate(tx, ctx, "nokey", &secret("x"))).await;
    assert!(matches!(unknown, Err(Error::NoApp(_))));
}

async fn a_suspension_is_lifted(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.operate(|tx, ctx| apps::suspend(tx, ctx, "key", "unpaid")).await.unwrap();
    assert_eq!(app(&stage.store, "key").await.suspension.as_ref().unwrap().explanation, "unpaid");
    stage.operate(|tx, ctx| apps::resume(tx, ctx, "key")).await.unwrap();
    assert_eq!(app(&stage.store, "key").await.suspension, None);
}

async fn settings_change_one_by_one_and_the_cache_follows(engine: Engine) {
    let stage = Stage::set(engine).await;
    let cached = stage.store.apps().get("key").is_ok();
    assert_eq!(cached, engine == Engine::Sqlite, "no node knows what another one changes");
    let kept = json!({"webhook_url": "https://example.org", "sqs_secret": "hush"});
    let patch = SettingsPatch { kept: kept.as_object().cloned().unwrap(), ..SettingsPatch::default() };
    stage.write(Action::UpdateApp, move |tx, ctx| apps::update(tx, ctx, &patch)).await.unwrap();
    assert!(stage.store.apps().get("key").is_err(), "the writer dropped what it changed");
    let patch = SettingsPatch { teams: Some(3), ..SettingsPatch::default() };
    stage.write(Action::UpdateApp, move |tx, ctx| apps::update(tx, ctx, &patch)).await.unwrap();
    let settings = app(&stage.store, "key").await.settings.clone();
    assert_eq!((json!(settings.kept), settings.teams), (kept, Some(3)));
    let logged = stage.rows("SELECT payload FROM log WHERE event = 'app.updated' ORDER BY sequence", 1).await;
    assert_eq!(logged[0][0], r#"{"v":1,"type":"app.updated","settings":["webhook_url","sqs_secret"]}"#);
}

async fn only_an_operator_manages_apps(engine: Engine) {
    let stage = Stage::set(engine).await;
    let ctx = server(&stage.store, &stage.app, Action::ManageApps);
    let refused = stage.store.write(move |tx| apps::suspend(tx, &ctx, "key", "")).await;
    assert!(matches!(refused, Err(Error::Forbidden(Action::ManageApps))));
}

on_each_engine!(
    making_an_app_again_changes_nothing,
    a_rotation_keeps_two_secrets_until_it_is_finished,
    a_suspension_is_lifted,
    settings_change_one_by_one_and_the_cache_follows,
    only_an_operator_manages_apps,
);
