//! Push devices: one user each, so many for a user, gone when they are somebody else's.

use headwater_operations::devices::{self, Registered};
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::{Action, Device, LONGEST_DEVICE_ID, MOST_DEVICES, PushProvider, Registration};

use crate::social::told;
use crate::stage::{Stage, id};

fn registration(user: &str, token: &str) -> Registration {
    Registration {
        user: (!user.is_empty()).then(|| id(user)),
        id: token.to_owned(),
        provider: PushProvider::Firebase,
        provider_name: None,
        hardware_id: None,
        voip: false,
    }
}

impl Stage {
    async fn register(&self, ctx: Ctx, command: Registration) -> Result<Registered, Error> {
        self.run(ctx, move |tx, ctx| devices::register(tx, ctx, &command)).await
    }

    async fn devices(&self, ctx: Ctx, user: &str) -> Result<Vec<Device>, Error> {
        let user = (!user.is_empty()).then(|| id(user));
        let listed = self.store.read(move |tx| devices::list(tx, &ctx, user.as_ref())).await?;
        Ok(listed.1)
    }

    async fn tokens(&self, user: &str) -> Vec<String> {
        let devices = self.devices(self.owner(""), user).await.unwrap();
        devices.into_iter().map(|device| device.id).collect()
    }

    async fn delete_device(&self, ctx: Ctx, user: &str, token: &str) -> Result<(), Error> {
        let (user, token) = ((!user.is_empty()).then(|| id(user)), token.to_owned());
        self.run(ctx, move |tx, ctx| devices::delete(tx, ctx, &token, user.as_ref())).await
    }

    fn owner(&self, user: &str) -> Ctx {
        match user {
            "" => self.ctx(Action::ManageDevices),
            user => self.ctx_of(user, Action::ManageDevices),
        }
    }
}

async fn a_device_is_registered_changed_and_removed(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    let start = stage.owner("").now;
    stage.take_log().await;
    assert_eq!(stage.devices(stage.owner("alice"), "").await.unwrap(), []);
    let new = stage.register(stage.owner("alice"), registration("", "t1")).await.unwrap();
    assert_eq!(new, Registered::New);
    stage.store.clock().advance(1);
    let again = stage.register(stage.owner(""), registration("alice", "t1")).await.unwrap();
    assert_eq!(again, Registered::Again);
    assert_eq!(
        stage.take_log().await,
        ["device.created of alice by alice: alice"],
        "the same again is nothing"
    );

    let other = Registration {
        provider: PushProvider::Apn,
        provider_name: Some("main".to_owned()),
        hardware_id: Some("phone".to_owned()),
        voip: true,
        ..registration("alice", "t1")
    };
    assert_eq!(stage.register(stage.owner(""), other).await.unwrap(), Registered::Again);
    let expected = Device {
        id: "t1".to_owned(),
        provider: PushProvider::Apn,
        provider_name: Some("main".to_owned()),
        hardware_id: Some("phone".to_owned()),
        voip: true,
        disabled_reason: None,
        created_at: start,
    };
    let alice = stage.shown_to(stage.ctx(Action::SearchUser), "alice").await;
    assert_eq!(stage.devices(stage.owner("alice"), "alice").await.unwrap(), alice.devices);
    assert_eq!(alice.devices, [expected]);
    assert_eq!(stage.take_log().await, ["device.updated of alice by server: alice"]);

    stage.delete_device(stage.owner("alice"), "", "t1").await.unwrap();
    assert_eq!(stage.take_log().await, ["device.deleted of alice by alice: alice"]);
    let gone = told(stage.delete_device(stage.owner(""), "alice", "t1").await);
    assert_eq!(gone, "the user alice has no device with the id 't1'");
    assert_eq!(stage.tokens("alice").await, [""; 0]);
}

async fn a_device_has_one_user(engine: Engine) {
    let stage = Stage::set(engine).await;
    let other = stage.another_app("other").await;
    stage.create(&["alice", "bob"]).await;
    stage.register(stage.owner("alice"), registration("", "t1")).await.unwrap();
    stage.take_log().await;
    stage.store.clock().advance(9);
    // Whoever registers it learns nothing of the other one.
    assert_eq!(stage.register(stage.owner("bob"), registration("", "t1")).await.unwrap(), Registered::New);
    assert_eq!(
        stage.take_log().await,
        ["device.deleted of alice by bob: alice bob", "device.created of bob by bob: bob"]
    );
    assert_eq!(stage.tokens("alice").await, [""; 0]);
    let devices = stage.devices(stage.owner("bob"), "").await.unwrap();
    assert_eq!(devices[0].created_at, stage.owner("").now, "registered anew");
    let unknown = told(stage.delete_device(stage.owner("alice"), "", "t1").await);
    assert_eq!(unknown, "the user alice has no device with the id 't1'");

    let there = crate::stage::server(&stage.store, &other, Action::ManageDevices);
    let nobody = told(stage.register(there, registration("bob", "t1")).await);
    assert_eq!(nobody, "the user bob does not exist", "another app has its own devices");
    assert_eq!(stage.tokens("bob").await, ["t1"]);
}

async fn one_too_many_takes_the_place_of_the_oldest(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    // The names go the other way than the times.
    let name = |number: usize| format!("token-{:02}", 50 - number);
    let mut counts = Vec::new();
    for number in 0..MOST_DEVICES {
        let command = registration("alice", &name(number));
        let counted = stage.run_counted(stage.owner(""), move |tx, ctx| devices::register(tx, ctx, &command));
        counts.push(counted.await.unwrap().1);
        stage.store.clock().advance(1);
    }
    assert!(counts[1..].iter().all(|count| *count == counts[1]) && counts[1] <= 7, "{counts:?}");
    stage.register(stage.owner("alice"), registration("", &name(0))).await.unwrap();
    assert_eq!(stage.tokens("alice").await.len(), MOST_DEVICES, "a known one needs no room");
    stage.take_log().await;
    stage.register(stage.owner("alice"), registration("", "a")).await.unwrap();
    assert_eq!(
        stage.take_log().await,
        ["device.deleted of alice by alice: alice", "device.created of alice by alice: alice"]
    );
    let tokens = stage.tokens("alice").await;
    assert_eq!((tokens.len(), &tokens[0], tokens.last().unwrap().as_str()), (MOST_DEVICES, &name(1), "a"));
    stage.register(stage.owner("alice"), registration("", "b")).await.unwrap();
    assert_eq!(stage.tokens("alice").await[0], name(2), "at one moment, too, the newest stays");

    stage.register(stage.owner("bob"), registration("", "theirs")).await.unwrap();
    stage.register(stage.owner("alice"), registration("", "theirs")).await.unwrap();
    assert_eq!((stage.tokens("alice").await.len(), stage.tokens("bob").await.len()), (MOST_DEVICES, 0));
}

async fn refusals_change_nothing(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "away"]).await;
    stage.deactivate_user("away").await;
    let long = "x".repeat(LONGEST_DEVICE_ID + 1);
    for (ctx, user, token, why) in [
        (stage.owner(""), "", "t", "user_id: is required with a server token: the user who acts"),
        (
            stage.owner("alice"),
            "bob",
            "t",
            "user_id: a user token acts as its own user, 'alice'; leave it out",
        ),
        (stage.owner(""), "nobody", "t", "the user nobody does not exist"),
        (stage.owner(""), "away", "t", "the user away was deactivated"),
        (stage.owner("alice"), "", "", "id: must have 1 to 1024 bytes, has 0"),
        (stage.owner("alice"), "", &long, "id: must have 1 to 1024 bytes, has 1025"),
    ] {
        assert_eq!(told(stage.register(ctx.clone(), registration(user, token)).await), why);
        assert_eq!(told(stage.delete_device(ctx.clone(), user, token).await), why);
        if token == "t" {
            assert_eq!(told(stage.devices(ctx, user).await), why);
        }
    }
    let nobody =
        told(stage.register(stage.ctx_of_nobody(Action::ManageDevices), registration("", "t")).await);
    assert!(nobody.contains("ManageDevices"), "{nobody}");
    assert_eq!(stage.count("SELECT COUNT(*) FROM devices").await, 0);
    stage.register(stage.owner(""), registration("alice", &long[1..])).await.unwrap();
    assert_eq!(stage.tokens("alice").await, [&long[1..]], "the longest is stored");
}

on_each_engine!(
    a_device_is_registered_changed_and_removed,
    a_device_has_one_user,
    one_too_many_takes_the_place_of_the_oldest,
    refusals_change_nothing,
);
