//! Deletions beside everything else, on an engine whose writers do not wait for each other: whatever was begun before somebody
//! was deleted is either there to be taken away, or is refused.

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use headwater_operations::tasks::{self, Stepped, Tick};
use headwater_operations::{
    Ctx, Error, bans, channels, deletion, devices, messages, mutes, reactions, user_groups, users,
};
use headwater_testkit::Engine;
use model::{
    Action, Clock, DeleteUsers, DeletionPlan, MessageDeletion, Mute, Outcome, Profile, PushProvider,
    Registration, ShutOut, Targets, TaskResult, UserId,
};
use storage::{Answer, Tx};

use crate::chat::{channel as room, cid, reaction, text};
use crate::deletion::{HARD, PRUNING, SOFT, wish};
use crate::stage::{Stage, id};

/// Longer than anything takes here that does not wait.
const LONG: Duration = Duration::from_millis(150);

/// What somebody does, or has done for it, and that is then its own.
type Deed = fn(&mut Tx<'_>, &Ctx) -> Result<(), Error>;

/// By which caller a deed is done.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Server,
    Alice,
}

const DEEDS: &[(&str, By, Deed)] = &[
    ("a message", By::Alice, send),
    ("a message that a server sends", By::Server, send),
    ("a channel with her as a member", By::Server, |tx, ctx| {
        channels::get_or_create(tx, ctx, &room("new", "bob", &["alice", "bob"])).map(drop)
    }),
    ("a channel that she makes", By::Alice, |tx, ctx| {
        channels::get_or_create(tx, ctx, &room("new", "alice", &["alice"])).map(drop)
    }),
    ("a channel that she deletes", By::Alice, |tx, ctx| {
        channels::delete(tx, ctx, &channels::Delete { cid: cid("hers"), hard: false }).map(drop)
    }),
    ("a device", By::Server, |tx, ctx| {
        let command = Registration {
            user: Some(id("alice")),
            id: "token".to_owned(),
            provider: PushProvider::Apn,
            provider_name: None,
            hardware_id: None,
            voip: false,
        };
        devices::register(tx, ctx, &command).map(drop)
    }),
    ("a group that she makes", By::Alice, |tx, ctx| {
        let command = user_groups::Create {
            id: Some("group".to_owned()),
            team: None,
            name: "Group".to_owned(),
            description: None,
            members: Vec::new(),
        };
        user_groups::create(tx, ctx, &command).map(drop)
    }),
    ("an answer", By::Alice, |tx, ctx| {
        let command = reactions::Send {
            message: "bobs".to_owned(),
            reaction: reaction("alice", "like", 1),
            enforce_unique: false,
        };
        reactions::send(tx, ctx, &command).map(drop)
    }),
    ("a place in a group", By::Server, |tx, ctx| {
        let group = user_groups::Named { id: "bobs".to_owned(), team: None };
        let command = user_groups::AddMembers { group, members: vec![id("alice")], as_admin: true };
        user_groups::add_members(tx, ctx, &command).map(drop)
    }),
    ("somebody who hears her no more", By::Server, |tx, ctx| {
        let whom = Targets { user: Some(id("bob")), targets: vec![id("alice")] };
        mutes::mute(tx, ctx, &Mute { whom, minutes: None }).map(drop)
    }),
    ("somebody who is shut out by her", By::Alice, |tx, ctx| {
        let command = ShutOut {
            target: id("bob"),
            banned_by: None,
            channel: None,
            minutes: None,
            reason: None,
            shadow: false,
            ip_ban: false,
            delete_messages: None,
        };
        bans::ban(tx, ctx, &command)
    }),
    ("a profile", By::Server, |tx, ctx| {
        let profile = Profile { name: Some("Ann".to_owned()), ..Profile::default() };
        users::upsert(tx, ctx, &vec![(id("alice"), profile)].into()).map(drop)
    }),
];

fn send(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<(), Error> {
    let command = messages::Send { cid: cid("room"), message: text("alice", "late", "hello") };
    messages::send(tx, ctx, &command).map(drop)
}

const ACTIONS: &[Action] = &[
    Action::BanUser,
    Action::CreateChannel,
    Action::CreateMessage,
    Action::CreateReaction,
    Action::CreateUser,
    Action::DeleteChannel,
    Action::ManageDevices,
    Action::ManageUserGroups,
    Action::MuteUser,
    Action::ReadChannel,
    Action::UpdateUser,
];

impl Stage {
    fn ctx_by(&self, by: By) -> Ctx {
        let ctx = match by {
            By::Server => self.ctx(Action::ReadChannel),
            By::Alice => self.ctx_of("alice", Action::ReadChannel),
        };
        Ctx { actions: ACTIONS, ..ctx }
    }

    fn begin_deletion(&self, command: DeleteUsers) -> Answer<model::TaskId, Error> {
        let ctx = self.ctx(Action::DeleteUser);
        self.store.write(move |tx| deletion::delete(tx, &ctx, &command))
    }

    /// Does a step, which may have to wait for others.
    fn begin_step(&self) -> Answer<Stepped, Error> {
        let tick = Tick { now: self.store.clock().now(), seed: 7 };
        self.store.write_in_background(move |tx| tasks::step(tx, tick, |_| ()))
    }

    async fn with_alice(writers: usize) -> Self {
        let stage = Self::set_with(writers).await;
        // Whoever may make groups.
        let admin = Profile { role: Some("admin".to_owned()), ..Profile::default() };
        stage.upsert(vec![(id("alice"), admin)]).await.unwrap();
        // Making the first tombstone keeps everybody out for a moment.
        stage.create(&["bob", "first"]).await;
        stage.delete_users(wish(&["first"], HARD)).await.unwrap();
        stage.store.run_tasks().await;
        let stage = stage.refreshed().await;
        stage.channel("room", "bob", &["alice", "bob"]).await;
        stage.channel("hers", "alice", &["alice"]).await;
        stage.write_message("room", "bob", "bobs").await;
        let group = user_groups::Create {
            id: Some("bobs".to_owned()),
            team: None,
            name: "Group".to_owned(),
            description: None,
            members: vec![id("bob")],
        };
        let made = stage.write(Action::ManageUserGroups, move |tx, ctx| user_groups::create(tx, ctx, &group));
        made.await.unwrap();
        stage
    }
}

/// Something that is done, and not committed before it is said.
struct Slow {
    commit: Sender<()>,
    answer: Answer<(), Error>,
}

impl Slow {
    /// Does a deed up to its end; answers when it is there.
    async fn begin(stage: &Stage, by: By, deed: Deed) -> Self {
        let ctx = stage.ctx_by(by);
        let (commit, committed) = channel();
        let (done, is_done) = channel();
        let (committed, done) = (Mutex::new(committed), Mutex::new(done));
        let answer = stage.store.write(move |tx| {
            deed(tx, &ctx)?;
            // It runs again when it met another one; then nobody listens, and nobody holds it up.
            let _nobody = done.lock().unwrap().send(());
            let _nobody = committed.lock().unwrap().recv();
            Ok(())
        });
        tokio::task::spawn_blocking(move || is_done.recv().unwrap()).await.unwrap();
        Self { commit, answer }
    }

    async fn commit(self) -> Result<(), Error> {
        drop(self.commit);
        self.answer.await
    }
}

/// Whatever was begun before the deletion is taken away by it, however late it is committed.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_late_is_taken_away_all_the_same() {
    if !Engine::Postgres.is_here() {
        return;
    }
    for (what, by, deed) in DEEDS {
        let stage = Stage::with_alice(4).await;
        let key = stage.key_of("alice").await;
        let slow = Slow::begin(&stage, *by, *deed).await;
        let mut deleted = tokio::spawn(stage.begin_deletion(wish(&["alice"], HARD)));
        // The call waits where the user itself is being changed; otherwise the task begins, and waits.
        let is_stored = tokio::time::timeout(LONG, &mut deleted).await.is_ok();
        let mut step = tokio::spawn(stage.begin_step());
        let stepped = tokio::time::timeout(LONG, &mut step).await;
        slow.commit().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        if !is_stored {
            deleted.await.unwrap().unwrap();
        }
        if stepped.is_err() {
            step.await.unwrap().unwrap();
        }
        stage.store.run_tasks().await;
        assert_eq!(stage.state("alice").await, "gone", "{what}");
        stage.nothing_names(key).await;
        stage.forget().await;
        assert_eq!(stage.count_of(format!("log_person WHERE \"user\" = {key}")).await, 0, "{what}");
        assert_eq!(
            stage.count_of("log WHERE payload LIKE '%alice%' OR actor = 'alice'".to_owned()).await,
            0,
            "{what}"
        );
    }
}

/// Whatever comes while the deletion is being stored is refused once that is done.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_during_a_deletion_is_refused_after_it() {
    if !Engine::Postgres.is_here() {
        return;
    }
    for (what, by, deed) in DEEDS {
        let stage = Stage::with_alice(4).await;
        let key = stage.key_of("alice").await;
        let delete: Deed = |tx, ctx| {
            let ctx = Ctx { actions: &[Action::DeleteUser], ..ctx.clone() };
            deletion::delete(tx, &ctx, &wish(&["alice"], HARD)).map(drop)
        };
        let slow = Slow::begin(&stage, By::Server, delete).await;
        let (ctx, deed) = (stage.ctx_by(*by), *deed);
        let late = stage.store.write(move |tx| deed(tx, &ctx));
        tokio::time::sleep(Duration::from_millis(20)).await;
        slow.commit().await.unwrap();
        // What needs nobody to stand still may be in time, and who is muted may be nobody.
        if let Err(error) = late.await {
            let known = [
                "the user alice was deleted",
                "member_ids: there are no users 'alice'; every member must exist",
            ];
            assert!(known.contains(&error.to_string().as_str()), "{what}: {error}");
        }
        stage.store.run_tasks().await;
        assert_eq!(stage.state("alice").await, "gone", "{what}");
        stage.nothing_names(key).await;
    }
}

/// Many at once, in every order, with tasks that are done by several servers.
#[tokio::test(flavor = "multi_thread")]
async fn several_deletions_of_the_same_users_end_as_one() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(8).await;
    stage.create(&["bob", "carol"]).await;
    let names: Vec<String> = (0..12).map(|number| format!("person-{number}")).collect();
    let mut keys = Vec::new();
    for (number, name) in names.iter().enumerate() {
        keys.push(stage.make_person(name, number).await);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let backwards: Vec<&str> = names.iter().rev().copied().collect();
    let started: Vec<_> = [SOFT, HARD, PRUNING, HARD]
        .into_iter()
        .zip([&names, &backwards].into_iter().cycle())
        .map(|(plan, some)| stage.begin_deletion(wish(some, plan)))
        .collect();
    let mut tasks = Vec::new();
    for started in started {
        tasks.push(started.await.unwrap());
    }
    let store = &stage.store;
    tokio::join!(store.run_tasks(), store.run_tasks(), store.run_tasks(), store.run_tasks());
    store.run_tasks().await;
    for task in &tasks {
        let Some(TaskResult::Users { users }) = stage.task(task).await.unwrap().result else { panic!() };
        assert!(
            users.len() == names.len() && users.values().all(|outcome| *outcome == Outcome::Ok),
            "{users:?}"
        );
    }
    for key in keys {
        stage.nothing_names(key).await;
    }
    assert_eq!(stage.count_of("tombstones".to_owned()).await, 12);
}

/// The key of tombstones is made once, whoever asks first; and nobody gets an id again who asked before it was buried.
#[tokio::test(flavor = "multi_thread")]
async fn ids_stay_taken_whoever_deletes_and_makes_at_once() {
    if !Engine::Postgres.is_here() {
        return;
    }
    for round in 0..5 {
        let stage = Stage::set_with(8).await;
        let names: Vec<String> = (0..4).map(|number| format!("user-{round}-{number}")).collect();
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        stage.create(&all).await;
        let deleted: Vec<_> =
            all.iter().map(|name| stage.begin_deletion(wish(std::slice::from_ref(name), HARD))).collect();
        for deleted in deleted {
            deleted.await.unwrap();
        }
        // As servers that had looked the app up before the first deletion.
        let profiles: Vec<(UserId, Profile)> =
            all.iter().map(|name| (id(name), Profile::default())).collect();
        let upserts: Vec<_> = (0..20)
            .map(|number: usize| {
                let one = vec![profiles[number % profiles.len()].clone()].into();
                let ctx = stage.ctx_by(By::Server);
                stage.store.write(move |tx| users::upsert(tx, &ctx, &one).map(drop))
            })
            .collect();
        stage.store.run_tasks().await;
        for upsert in upserts {
            let refused = upsert.await.unwrap_err().to_string();
            assert!(refused.ends_with("was deleted"), "{refused}");
        }
        assert_eq!(stage.count_of("tombstones".to_owned()).await, 4);
        let stage = stage.refreshed().await;
        for name in all {
            let again = stage.upsert(vec![(id(name), Profile::default())]).await.unwrap_err();
            assert_eq!(again.to_string(), format!("the user {name} was deleted"));
        }
    }
}

/// A step that has to wait for a message that then goes does not take it for the last one.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_goes_meanwhile_does_not_end_the_work() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let soft = |messages| DeletionPlan { messages: Some(messages), ..SOFT };
    for plan in [None, Some(soft(MessageDeletion::Pruning))] {
        let stage = Stage::set_with(4).await;
        stage.create(&["bob", "carol"]).await;
        let key = stage.make_writer("alice", 1).await;
        match plan {
            None => drop(stage.deactivate_many(&["alice"], crate::tasks::MESSAGES).await.unwrap()),
            Some(plan) => drop(stage.delete_users(wish(&["alice"], plan)).await.unwrap()),
        }
        let delete: Deed = |tx, ctx| {
            let ctx = Ctx { actions: &[Action::ReadChannel, Action::DeleteMessage], ..ctx.clone() };
            let command = messages::Delete { id: "more-1-7".to_owned(), hard: true, deleted_by: None };
            messages::delete(tx, &ctx, &command).map(drop)
        };
        let slow = Slow::begin(&stage, By::Server, delete).await;
        let mut step = tokio::spawn(stage.begin_step());
        assert!(tokio::time::timeout(LONG, &mut step).await.is_err(), "it waits");
        slow.commit().await.unwrap();
        step.await.unwrap().unwrap();
        stage.store.run_tasks().await;
        let left = format!("messages WHERE \"user\" = {key} AND cause = 0");
        assert_eq!(stage.count_of(left).await, 0, "{plan:?}");
    }
}
