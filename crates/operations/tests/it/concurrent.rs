//! Operations at the same time, on an engine whose writers do not wait for each other: what comes of two is what would have
//! come of them one after the other, in one order or the other.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headwater_operations::lifecycle::{self, Deactivate, Reactivate};
use headwater_operations::users;
use headwater_operations::{Ctx, Error, apps, bans, flags, roles};
use headwater_testkit::{Engine, TestStore};
use model::{
    Action, App, AppSettings, Assignment, Batch, EntityKind, Flag, LetIn, Patch, Profile, Secret, ShutOut,
    UniqueNames, UserContent, UserId,
};
use serde_json::json;
use storage::{Error as StorageError, Sql, Tx, log};

use crate::stage::{Stage, custom, id, operator};

/// Something that a back end may ask for, and what it is told in short.
type Deed = Arc<dyn Fn(&mut Tx<'_>, &Ctx) -> Result<String, Error> + Send + Sync>;

fn deed(
    action: Action,
    work: impl Fn(&mut Tx<'_>, &Ctx) -> Result<String, Error> + Send + Sync + 'static,
) -> (Action, Deed) {
    (action, Arc::new(work))
}

fn upsert(user: &str, profile: Profile) -> (Action, Deed) {
    let profiles = Batch::from(vec![(id(user), profile)]);
    deed(Action::UpdateUser, move |tx, ctx| {
        users::upsert(tx, ctx, &profiles).map(|upserted| format!("created {}", upserted.created))
    })
}

fn patch(user: &str, set: Assignment) -> (Action, Deed) {
    let patches = Batch::from(vec![Patch { id: id(user), set: vec![set], unset: Vec::new() }]);
    deed(Action::UpdateUser, move |tx, ctx| {
        users::update_partial(tx, ctx, &patches).map(|_| "patched".to_owned())
    })
}

fn ban(target: &str, author: &str, shadow: bool) -> (Action, Deed) {
    let command = ShutOut {
        target: id(target),
        banned_by: Some(id(author)),
        channel: None,
        minutes: None,
        reason: None,
        shadow,
        ip_ban: false,
        delete_messages: None,
    };
    deed(Action::BanUser, move |tx, ctx| bans::ban(tx, ctx, &command).map(|()| "banned".to_owned()))
}

fn flag(reporter: &str, creator: &str) -> (Action, Deed) {
    let command = Flag {
        kind: EntityKind::Other("photo".to_owned()),
        entity: "p".to_owned(),
        creator: Some(id(creator)),
        user: Some(id(reporter)),
        reason: None,
        custom: None,
        payload: None,
        item: "item".to_owned(),
    };
    deed(Action::FlagUser, move |tx, ctx| {
        flags::flag(tx, ctx, &command).map(|flagged| format!("flagged {}", flagged.is_new))
    })
}

fn unban(target: &str) -> (Action, Deed) {
    let command = LetIn { target: id(target), unbanned_by: None, channel: None };
    deed(Action::BanUser, move |tx, ctx| bans::unban(tx, ctx, &command).map(|()| "let in".to_owned()))
}

fn deeds() -> Vec<(&'static str, (Action, Deed))> {
    let named = |name: &str| Profile { name: Some(name.to_owned()), ..Profile::default() };
    let deactivate =
        Deactivate { id: id("alice"), created_by: Some(id("bob")), content: UserContent::default() };
    let reactivate = Reactivate {
        id: id("carol"),
        name: Some("Ann".to_owned()),
        created_by: None,
        content: UserContent::default(),
    };
    let pair =
        Batch::from(vec![(id("bob"), named("Bo")), (id("alice"), named("Al")), (id("new"), named("Nu"))]);
    let custom = Profile { custom: custom(json!({"color": "red", "tags": [1, 2.5]})), ..Profile::default() };
    let captain = Profile { role: Some("captain".to_owned()), ..Profile::default() };
    vec![
        ("create", upsert("new", named("New"))),
        ("create with the name", upsert("newer", named("Ann"))),
        ("replace", upsert("alice", custom)),
        ("rename", patch("alice", Assignment::Name(Some("Ann".to_owned())))),
        ("rename another", patch("bob", Assignment::Name(Some("ann".to_owned())))),
        ("set a field", patch("alice", Assignment::Image(Some("picture".to_owned())))),
        (
            "many at once",
            deed(Action::UpdateUser, move |tx, ctx| {
                users::upsert(tx, ctx, &pair).map(|upserted| format!("created {}", upserted.created))
            }),
        ),
        (
            "deactivate",
            deed(Action::DeactivateUser, move |tx, ctx| {
                lifecycle::deactivate(tx, ctx, &deactivate).map(|_| "deactivated".to_owned())
            }),
        ),
        (
            "reactivate",
            deed(Action::DeactivateUser, move |tx, ctx| {
                lifecycle::reactivate(tx, ctx, &reactivate).map(|_| "reactivated".to_owned())
            }),
        ),
        ("give the role", upsert("alice", captain)),
        (
            "delete the role",
            deed(Action::ManageRoles, |tx, ctx| {
                roles::delete(tx, ctx, "captain").map(|()| "deleted".to_owned())
            }),
        ),
        (
            "make a role",
            deed(Action::ManageRoles, |tx, ctx| roles::create(tx, ctx, "mate").map(|_| "made".to_owned())),
        ),
        ("ban", ban("alice", "bob", false)),
        ("ban another", ban("bob", "alice", true)),
        ("let in", unban("alice")),
        ("flag", flag("alice", "bob")),
        ("flag the same", flag("bob", "alice")),
    ]
}

/// An app with a few users and one place left for a role.
async fn scene(stage: &Stage, name: &str) -> Scene {
    let app = stage.another_app(name).await;
    let settings = AppSettings { unique_names: UniqueNames::App, ..AppSettings::default() };
    let scene = Scene { app: Arc::new(App { settings, ..App::clone(&app) }) };
    for number in 0..23 {
        let role = format!("role-{number}");
        let made =
            deed(Action::ManageRoles, move |tx, ctx| roles::create(tx, ctx, &role).map(|_| String::new()));
        scene.perform(&stage.store, &made).await;
    }
    let captain =
        deed(Action::ManageRoles, |tx, ctx| roles::create(tx, ctx, "captain").map(|_| String::new()));
    scene.perform(&stage.store, &captain).await;
    for user in ["alice", "bob", "carol"] {
        scene.perform(&stage.store, &upsert(user, Profile::default())).await;
    }
    let command = Deactivate { id: id("carol"), created_by: None, content: UserContent::default() };
    let deactivated = deed(Action::DeactivateUser, move |tx, ctx| {
        lifecycle::deactivate(tx, ctx, &command).map(|_| String::new())
    });
    assert_eq!(scene.perform(&stage.store, &deactivated).await, "");
    scene
}

struct Scene {
    app: Arc<App>,
}

/// Everything about an app that does not depend on when it came to be.
#[derive(Debug, PartialEq)]
struct State {
    rows: BTreeMap<&'static str, Vec<String>>,
}

impl Scene {
    fn perform(&self, store: &TestStore, deed: &(Action, Deed)) -> impl Future<Output = String> + use<> {
        let ctx = crate::stage::server(store, &self.app, deed.0);
        let work = Arc::clone(&deed.1);
        let performed = store.write(move |tx| work(tx, &ctx));
        async move {
            match performed.await {
                Ok(told) => told,
                Err(Error::Storage(failure)) => panic!("{failure:?}"),
                Err(refusal) => refusal.to_string(),
            }
        }
    }

    async fn state(&self, stage: &Stage) -> State {
        let mut rows = BTreeMap::new();
        for (name, statement) in [
            (
                "users",
                "SELECT id || ' ' || COALESCE(name, '-') || ' ' || COALESCE(image, '-') || ' ' || role || ' ' || custom \
                     || ' ' || CAST(ban AS TEXT) || ' ' || CAST(total_bans AS TEXT) \
                     || CASE WHEN deactivated_at IS NULL THEN '' ELSE ' deactivated' END \
                 FROM users WHERE app = $1 ORDER BY id",
            ),
            (
                "leaves",
                "SELECT users.id || ' ' || path || ' ' || CAST(number AS TEXT) || ' ' || text FROM user_leaves \
                 JOIN users ON users.key = user_leaves.user WHERE users.app = $1 ORDER BY 1",
            ),
            (
                "words",
                "SELECT users.id || ' ' || SUBSTR(word, 9) FROM user_words \
                 JOIN users ON users.key = user_words.user WHERE users.app = $1 ORDER BY 1",
            ),
            (
                "bans",
                "SELECT users.id || ' ' || CAST(bans.shadow AS TEXT) FROM bans \
                 JOIN users ON users.key = bans.user WHERE bans.app = $1 ORDER BY 1",
            ),
            (
                "flags",
                "SELECT users.id || ' ' || entity_id || ' ' || item FROM flags \
                 JOIN users ON users.key = flags.user WHERE flags.app = $1 ORDER BY 1",
            ),
            ("roles", "SELECT name FROM roles WHERE app = $1 ORDER BY name"),
            (
                "holders",
                "SELECT users.id || ' ' || role_holders.role FROM role_holders \
                 JOIN users ON users.key = role_holders.user WHERE role_holders.app = $1 ORDER BY 1",
            ),
            // Which of two came first is not a part of it.
            ("log", "SELECT event || ' ' || subject FROM log WHERE app = $1 ORDER BY 1"),
        ] {
            let app = self.app.key.0;
            let read =
                stage.store.read(move |tx| tx.query(Sql::new(statement), &[app.into()], |row| row.text(0)));
            let read: Result<Vec<String>, StorageError> = read.await;
            rows.insert(name, read.unwrap());
        }
        State { rows }
    }
}

/// Holds the row of a user, so that whoever wants to change it waits.
struct Hold {
    release: Sender<()>,
    held: storage::Answer<(), StorageError>,
}

impl Hold {
    async fn of(stage: &Stage, scene: &Scene, user: UserId) -> Self {
        let app = scene.app.key;
        let (release, released) = channel();
        let (taken, is_taken) = channel();
        let (released, taken) = (Mutex::new(released), Mutex::new(taken));
        let held = stage.store.write(move |tx| {
            storage::users::by_ids(tx, app, &[&user].into())?;
            taken.lock().unwrap().send(()).unwrap();
            released.lock().unwrap().recv().unwrap();
            Ok(())
        });
        tokio::task::spawn_blocking(move || is_taken.recv().unwrap()).await.unwrap();
        Self { release, held }
    }

    async fn release(self) {
        self.release.send(()).unwrap();
        self.held.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_are_as_one_after_the_other() {
    if !Engine::Postgres.is_here() {
        return;
    }
    // Two for the operations and one for the lock that both of them meet.
    let stage = Stage::set_with(3).await;
    let deeds = deeds();
    for (place, (first_name, first)) in deeds.iter().enumerate() {
        for (second_name, second) in &deeds[place..] {
            let pair = format!("{first_name} + {second_name}");
            let mut serial = Vec::new();
            for (order, one, other) in [("a", first, second), ("b", second, first)] {
                let scene = scene(&stage, &format!("{}-{order}", key(&pair))).await;
                let told = scene.perform(&stage.store, one).await;
                let told = [told, scene.perform(&stage.store, other).await];
                let told = if order == "a" { told } else { [told[1].clone(), told[0].clone()] };
                serial.push((told, scene.state(&stage).await));
            }
            for (round, is_held) in [("c", true), ("d", false)] {
                let scene = scene(&stage, &format!("{}-{round}", key(&pair))).await;
                let hold = if is_held { Some(Hold::of(&stage, &scene, id("alice")).await) } else { None };
                let at_once = tokio::spawn(scene.perform(&stage.store, first));
                let beside = tokio::spawn(scene.perform(&stage.store, second));
                if let Some(hold) = hold {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                    hold.release().await;
                }
                let found = ([at_once.await.unwrap(), beside.await.unwrap()], scene.state(&stage).await);
                assert!(serial.contains(&found), "{pair}: {found:#?} is neither of {serial:#?}");
            }
        }
    }
}

/// A key that an app can have.
fn key(pair: &str) -> String {
    pair.replace(' ', "").replace('+', "-")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_is_made_once_by_many() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(8).await;
    let scene = Scene { app: Arc::clone(&stage.app) };
    for round in 0..20 {
        let user = format!("user-{round}");
        let created: Vec<_> = (0..8)
            .map(|_| tokio::spawn(scene.perform(&stage.store, &upsert(&user, Profile::default()))))
            .collect();
        let mut told = Vec::new();
        for answer in created {
            told.push(answer.await.unwrap());
        }
        told.sort();
        assert_eq!(told.iter().filter(|told| *told == "created 1").count(), 1, "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_grow_with_creation_times_whoever_creates() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(8).await;
    let scene = Scene { app: Arc::clone(&stage.app) };
    let mut created = Vec::new();
    for number in 0..400 {
        // The clocks of nodes differ, and none is always ahead.
        stage.store.clock().advance(if number % 3 == 0 { -900 } else { 500 });
        let one = upsert(&format!("user-{number}"), Profile::default());
        created.push(tokio::spawn(scene.perform(&stage.store, &one)));
    }
    for answer in created {
        assert_eq!(answer.await.unwrap(), "created 1");
    }
    let by = async |order: &'static str| stage.rows(order, 1).await;
    let by_key = by("SELECT id FROM users ORDER BY key").await;
    assert_eq!(by_key, by("SELECT id FROM users ORDER BY created_at").await);
    assert_eq!(stage.rows("SELECT DISTINCT CAST(created_at AS TEXT) FROM users", 1).await.len(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_two_nodes_make_at_once_is_one() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(8).await;
    for round in 0..20 {
        let command = apps::Create {
            api_key: format!("app-{round}"),
            name: "app".to_owned(),
            secret: Secret::new("secret".to_owned()),
        };
        let made: Vec<_> = (0..8)
            .map(|_| {
                let (command, ctx) = (command.clone(), operator(&stage.store, Action::ManageApps));
                tokio::spawn(stage.store.write(move |tx| apps::create(tx, &ctx, &command)))
            })
            .collect();
        let mut news = 0;
        for answer in made {
            news += u32::from(answer.await.unwrap().unwrap());
        }
        assert_eq!(news, 1);
    }
}

/// Appends what takes long to be committed: until somebody says so.
fn slowly(stage: &Stage, user: &str) -> (Sender<()>, Receiver<()>, storage::Answer<(), Error>) {
    let ctx = stage.ctx(Action::UpdateUser);
    let profiles = Batch::from(vec![(id(user), Profile::default())]);
    let (release, released) = channel();
    let (appended, is_appended) = channel();
    let (released, appended) = (Mutex::new(released), Mutex::new(appended));
    let answer = stage.store.write(move |tx| {
        users::upsert(tx, &ctx, &profiles)?;
        appended.lock().unwrap().send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        Ok(())
    });
    (release, is_appended, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_log_misses_nothing_that_is_committed_late() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(2).await;
    let read = async |position, limit| {
        let read = stage.store.read(move |tx| log::after(tx, position, limit));
        let read: Result<Vec<log::Logged>, StorageError> = read.await;
        read.unwrap()
    };
    // Transactions are counted for all databases of a server: those of other tests hold this reader up as well.
    let read_all = async |position, rows: usize| {
        loop {
            let found = read(position, 10).await;
            if found.len() >= rows {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let start = read_all(log::Position::default(), 1).await;
    assert_eq!(start.iter().map(|row| row.event.as_str()).collect::<Vec<_>>(), ["app.created"]);
    let position = start[0].position;

    // A takes the first sequence, B the second; B is committed while A is not.
    let (release, appended, late) = slowly(&stage, "a");
    tokio::task::spawn_blocking(move || appended.recv().unwrap()).await.unwrap();
    stage.create(&["b"]).await;
    assert_eq!(read(position, 10).await, [], "B is not read before A, who may come below it");
    release.send(()).unwrap();
    late.await.unwrap();

    let rows = read_all(position, 2).await;
    assert_eq!(rows.iter().map(|row| row.subject.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let first = read(position, 1).await;
    assert_eq!(first, rows[..1]);
    assert_eq!(read(first[0].position, 10).await, rows[1..]);
    assert_eq!(read(rows[1].position, 10).await, []);
}
