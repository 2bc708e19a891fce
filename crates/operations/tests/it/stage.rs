//! What every test here stands on: a store with one app, and a caller who may do everything in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use headwater_operations::users::{MOST_USERS, Upserted};
use headwater_operations::{Ctx, Error, apps, users};
use headwater_testkit::{Engine, TestStore};
use model::{Action, App, AppSettings, Caller, Custom, Operation, Profile, Secret, UserId, UserView};
use serde_json::Value;
use storage::{Sql, Tx};

use crate::named::NamesEveryone;

pub(crate) struct Stage {
    // Declared first: it looks at the log of the test while the store is there.
    _log: NamesEveryone,
    pub(crate) store: TestStore,
    pub(crate) app: Arc<App>,
}

impl Stage {
    pub(crate) async fn set(engine: Engine) -> Self {
        let store = TestStore::open_on(engine);
        let app = create(&store, "key").await;
        Self { _log: NamesEveryone::in_log_of(&store), store, app }
    }

    /// A stage on PostgreSQL on which so many write at the same time.
    pub(crate) async fn set_with(writers: usize) -> Self {
        let store = TestStore::open_with_writers(writers);
        let app = create(&store, "key").await;
        Self { _log: NamesEveryone::in_log_of(&store), store, app }
    }

    /// A second app in the same store.
    pub(crate) async fn another_app(&self, api_key: &str) -> Arc<App> {
        create(&self.store, api_key).await
    }

    /// The same stage with other settings of the app.
    pub(crate) async fn with_settings(self, settings: AppSettings) -> Self {
        let changed = App { settings, ..App::clone(&self.app) };
        let app = changed.clone();
        self.store.write::<_, Error, _>(move |tx| Ok(storage::apps::update(tx, &changed)?)).await.unwrap();
        Self { app: remembered(&self.store, app), ..self }
    }

    /// The stage with the settings of its app as they are by now: a deletion for good has made a key.
    pub(crate) async fn refreshed(self) -> Self {
        let app = app(&self.store, "key").await;
        Self { app, ..self }
    }

    /// The same stage after the server was started anew.
    pub(crate) fn reopened(mut self) -> Self {
        self.store.reopen();
        let log = NamesEveryone::in_log_of(&self.store);
        Self { _log: log, ..self }
    }

    pub(crate) fn ctx(&self, action: Action) -> Ctx {
        server(&self.store, &self.app, action)
    }

    /// Runs a write and answers what it answered, and how many statements it took.
    pub(crate) async fn counted<T: Send + 'static>(
        &self,
        action: Action,
        operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, Error> + Send + 'static,
    ) -> Result<(T, u32), Error> {
        let ctx = self.ctx(action);
        self.store.write(move |tx| operation(tx, &ctx).map(|value| (value, tx.statements()))).await
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        action: Action,
        operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        Ok(self.counted(action, operation).await?.0)
    }

    pub(crate) async fn upsert(&self, profiles: Vec<(UserId, Profile)>) -> Result<Upserted, Error> {
        self.write(Action::UpdateUser, move |tx, ctx| users::upsert(tx, ctx, &profiles.clone().into())).await
    }

    pub(crate) async fn create(&self, ids: &[&str]) -> Vec<UserView> {
        let mut created = Vec::new();
        for some in ids.chunks(MOST_USERS) {
            let profiles = some.iter().map(|name| (id(name), Profile::default())).collect();
            created.extend(self.upsert(profiles).await.unwrap().users);
        }
        created
    }

    /// What a statement answers, every column as text.
    pub(crate) async fn rows(&self, sql: &'static str, columns: usize) -> Vec<Vec<String>> {
        let read = self.store.read(move |tx| {
            tx.query(Sql::new(sql), &[], |row| (0..columns).map(|column| row.text(column)).collect())
        });
        read.await.unwrap()
    }
}

/// No two requests draw the same ids.
static SEED: AtomicU64 = AtomicU64::new(1);

pub(crate) fn server(store: &TestStore, app: &Arc<App>, action: Action) -> Ctx {
    Ctx { caller: Caller::Server(Arc::clone(app)), ..operator(store, action) }
}

pub(crate) fn operator(store: &TestStore, action: Action) -> Ctx {
    use model::Clock;
    Ctx {
        caller: Caller::Operator,
        operation: Operation::UpdateUsers,
        actions: action.alone(),
        now: store.clock().now(),
        seed: SEED.fetch_add(1, Ordering::Relaxed).into(),
        request: "request-1".to_owned(),
        standing: None,
    }
}

async fn create(store: &TestStore, api_key: &str) -> Arc<App> {
    let ctx = operator(store, Action::ManageApps);
    let command = apps::Create {
        api_key: api_key.to_owned(),
        name: "app".to_owned(),
        secret: Secret::new("secret".to_owned()),
    };
    assert!(store.write(move |tx| apps::create(tx, &ctx, &command)).await.unwrap());
    app(store, api_key).await
}

pub(crate) async fn app(store: &TestStore, api_key: &str) -> Arc<App> {
    let api_key = api_key.to_owned();
    let found = store.read(move |tx| storage::apps::by_api_key(tx, &api_key)).await;
    remembered(store, found.unwrap().unwrap())
}

/// Has the store know the app, as it does of apps that requests come for.
fn remembered(store: &TestStore, app: App) -> Arc<App> {
    let app = Arc::new(app);
    if let Err(epoch) = store.apps().get(&app.api_key) {
        store.apps().remember(epoch, app.api_key.clone(), Arc::clone(&app));
    }
    app
}

pub(crate) fn id(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

pub(crate) fn ids<C>(views: &[UserView<C>]) -> Vec<&str> {
    views.iter().map(|view| view.user.id.as_str()).collect()
}

pub(crate) fn custom(value: Value) -> Custom {
    match value {
        Value::Object(fields) => Custom::parse(fields).unwrap(),
        other => panic!("{other} is not an object"),
    }
}
