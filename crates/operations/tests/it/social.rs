//! What the tests of blocks, mutes, devices and push preferences share: users who ask for themselves, and what was logged.

use std::sync::Arc;

use headwater_operations::{Ctx, Error, blocks, devices, mutes, push_preferences, users};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, AppSettings, Bearer, Block, Caller, CustomText, Filter, Mute, Page, Profile, PushChange,
    PushEntry, PushProvider, Registration, Snooze, Sort, Targets, Timestamp, TokenAccess, User, UserId,
    UserQuery, UserView,
};
use serde_json::json;
use storage::Tx;
use storage::users::Change;

use crate::stage::{Stage, id};

impl Stage {
    /// As [`Stage::ctx`], of a user with a token instead of a server.
    pub(crate) fn ctx_of(&self, user: &str, action: Action) -> Ctx {
        self.ctx_with(Caller::User(self.bearer(id(user))), action)
    }

    pub(crate) fn ctx_of_nobody(&self, action: Action) -> Ctx {
        self.ctx_with(Caller::Anonymous(self.bearer(UserId::anonymous())), action)
    }

    fn ctx_with(&self, caller: Caller, action: Action) -> Ctx {
        Ctx { caller, ..self.ctx(action) }
    }

    fn bearer(&self, id: UserId) -> Arc<Bearer> {
        let (app, access) = (Arc::clone(&self.app), TokenAccess::default());
        Arc::new(Bearer { app, id, has_token: true, issued_at: None, access })
    }

    /// Runs a write and answers what it answered, and how many statements it took.
    pub(crate) async fn run_counted<T: Send + 'static>(
        &self,
        ctx: Ctx,
        operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, Error> + Send + 'static,
    ) -> Result<(T, u32), Error> {
        self.store.write(move |tx| operation(tx, &ctx).map(|value| (value, tx.statements()))).await
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        ctx: Ctx,
        operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        Ok(self.run_counted(ctx, operation).await?.0)
    }

    /// A stage on which some users are in the team red, and others in the team blue.
    pub(crate) async fn with_teams(engine: Engine, red: &[&str], blue: &[&str]) -> Self {
        let kept = json!({"multi_tenant_enabled": true}).as_object().cloned().unwrap();
        let settings = AppSettings { kept, ..AppSettings::default() };
        let stage = Self::set(engine).await.with_settings(settings).await;
        for (team, names) in [("red", red), ("blue", blue)] {
            let profile = Profile { teams: Some(vec![team.to_owned()]), ..Profile::default() };
            stage.upsert(names.iter().map(|name| (id(name), profile.clone())).collect()).await.unwrap();
        }
        stage
    }

    /// Stores a user as `change` makes it of what is stored.
    pub(crate) async fn alter(&self, user: &str, change: impl Fn(User) -> User + Send + 'static) {
        let (app, user) = (self.app.key, id(user));
        let stored = self.store.write(move |tx| {
            let before = storage::users::by_ids(tx, app, &[&user].into())?.pop().unwrap();
            let after = change(before.user.clone());
            storage::users::put(tx, app, vec![Change { before: Some(before), after }])
        });
        let stored: Result<_, storage::Error> = stored.await;
        assert_eq!(stored.unwrap().len(), 1);
    }

    pub(crate) async fn deactivate_user(&self, user: &str) {
        self.alter(user, |user| User { deactivated_at: Some(user.updated_at), ..user }).await;
    }

    pub(crate) async fn delete_user(&self, user: &str) {
        self.alter(user, |user| User { deleted_at: Some(user.updated_at), ..user }).await;
    }

    /// Every event but the first of each user and app, with its subject and everybody whom it names, and forgets them.
    pub(crate) async fn take_log(&self) -> Vec<String> {
        let rows = self
            .rows(
                "SELECT log.event, log.subject, log.actor, COALESCE(users.id, '-') FROM log \
                 LEFT JOIN log_person ON log_person.log = log.sequence \
                 LEFT JOIN users ON users.key = log_person.\"user\" \
                 WHERE log.event NOT IN ('app.created', 'app.updated', 'user.created', 'user.updated') \
                 ORDER BY log.sequence, users.id",
                4,
            )
            .await;
        let forgotten = self.store.write(|tx| {
            tx.execute(storage::Sql::new("DELETE FROM log_person"), &[])?;
            tx.execute(storage::Sql::new("DELETE FROM log"), &[])
        });
        let forgotten: Result<_, storage::Error> = forgotten.await;
        forgotten.unwrap();
        let mut logged: Vec<String> = Vec::new();
        for row in rows {
            let [event, subject, actor, person] = &row[..] else { panic!("four columns") };
            let about = format!("{event} of {subject} by {actor}:");
            match logged.last_mut() {
                Some(last) if last.starts_with(&about) && !last.ends_with(&format!(" {person}")) => {
                    *last += &format!(" {person}");
                }
                _ => logged.push(format!("{about} {person}")),
            }
        }
        logged
    }

    /// How many rows these tables have.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let counted = self.store.read(move |tx| tx.query(storage::Sql::new(sql), &[], |row| row.integer(0)));
        let counted: Result<Vec<i64>, storage::Error> = counted.await;
        counted.unwrap()[0]
    }

    /// A user as a query finds it, and how many statements that took for all that were found.
    pub(crate) async fn query_all(&self, ctx: Ctx) -> (Vec<UserView<CustomText>>, u32) {
        let query = UserQuery {
            filter: Filter::everybody(),
            sort: Sort::newest_first(),
            include_deactivated: true,
            page: Page::new(Some(100), None).unwrap(),
        };
        let found = self
            .store
            .read(move |tx| -> Result<_, Error> { Ok((users::query(tx, &ctx, &query)?, tx.statements())) });
        found.await.unwrap()
    }

    pub(crate) async fn shown_to(&self, ctx: Ctx, user: &str) -> UserView<CustomText> {
        let (found, _) = self.query_all(ctx).await;
        found.into_iter().find(|view| view.user.id.as_str() == user).unwrap()
    }
}

pub(crate) fn ids_of(users: &[UserId]) -> Vec<&str> {
    users.iter().map(UserId::as_str).collect()
}

/// What each refused operation is told.
pub(crate) fn told<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().to_string()
}

/// Has a hundred users block, mute, register and choose, and asks for one of them and for all.
async fn a_hundred_users_with_everything_cost_no_more_than_one(engine: Engine) {
    let mut counts = Vec::new();
    for count in [1, 100] {
        let stage = Stage::set(engine).await;
        let names: Vec<String> = (0..count).map(|number| format!("user-{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // Older than the others: of a hundred they are not among the newest.
        stage.create(&["target", "other"]).await;
        stage.create(&names).await;
        for name in &names {
            let everything = everything(name);
            stage.run(stage.ctx(Action::BlockUser), everything.0).await.unwrap();
            stage.run(stage.ctx(Action::MuteUser), everything.1).await.unwrap();
            stage.run(stage.ctx(Action::ManageDevices), everything.2).await.unwrap();
            stage.run(stage.ctx(Action::ManagePushPreferences), everything.3).await.unwrap();
        }
        let (found, statements) = stage.query_all(stage.ctx(Action::SearchUser)).await;
        for view in &found[..count] {
            assert_eq!((view.blocks.len(), view.mutes.len(), view.devices.len()), (1, 2, 1));
            assert!(view.push_preferences.disabled_until.is_some());
        }
        counts.push(statements);
    }
    assert_eq!(counts[0], counts[1], "statements for one and for a hundred");
    assert!(counts[0] <= 7, "{counts:?}");
}

type Deed = Box<dyn Fn(&mut Tx<'_>, &Ctx) -> Result<(), Error> + Send>;

fn everything(name: &str) -> (Deed, Deed, Deed, Deed) {
    let user = Some(id(name));
    let block = Block { user: user.clone(), target: id("target") };
    let whom = Targets { user: user.clone(), targets: vec![id("target"), id("other")] };
    let mute = Mute { whom, minutes: None };
    let device = Registration {
        user: user.clone(),
        id: format!("token-{name}"),
        provider: PushProvider::Apn,
        provider_name: None,
        hardware_id: None,
        voip: false,
    };
    let snooze = Some(Snooze::Until(Timestamp::from_seconds(2_000_000_000)));
    let entry = PushEntry { user, channel: None, change: PushChange { snooze, ..PushChange::default() } };
    (
        Box::new(move |tx, ctx| blocks::block(tx, ctx, &block).map(drop)),
        Box::new(move |tx, ctx| mutes::mute(tx, ctx, &mute).map(drop)),
        Box::new(move |tx, ctx| devices::register(tx, ctx, &device).map(drop)),
        Box::new(move |tx, ctx| push_preferences::update(tx, ctx, std::slice::from_ref(&entry)).map(drop)),
    )
}

async fn others_see_nothing_of_it(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "target", "other"]).await;
    let everything = everything("alice");
    stage.run(stage.ctx(Action::BlockUser), everything.0).await.unwrap();
    stage.run(stage.ctx(Action::MuteUser), everything.1).await.unwrap();
    stage.run(stage.ctx(Action::ManageDevices), everything.2).await.unwrap();
    stage.run(stage.ctx(Action::ManagePushPreferences), everything.3).await.unwrap();
    let counts = |view: &UserView<CustomText>| {
        (view.blocks.len(), view.mutes.len(), view.devices.len(), view.push_preferences.is_empty())
    };
    for (ctx, expected) in [
        (stage.ctx(Action::SearchUser), (1, 2, 1, false)),
        (stage.ctx_of("alice", Action::SearchUser), (1, 2, 1, false)),
        (stage.ctx_of("target", Action::SearchUser), (0, 0, 0, true)),
    ] {
        assert_eq!(counts(&stage.shown_to(ctx, "alice").await), expected);
    }
}

on_each_engine!(a_hundred_users_with_everything_cost_no_more_than_one, others_see_nothing_of_it);
