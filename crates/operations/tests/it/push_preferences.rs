//! Push preferences: what is given replaces, what is left out stays, all or none.

use std::collections::BTreeMap;

use headwater_operations::push_preferences;
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, ChatCategory, ChatLevel, Choice, Cid, Delivery, PushChange, PushEntry, PushPreferences, Snooze,
    Timestamp, UserId,
};

use crate::social::told;
use crate::stage::{Stage, id};

fn entry(user: &str, change: PushChange) -> PushEntry {
    PushEntry { user: (!user.is_empty()).then(|| id(user)), channel: None, change }
}

fn level(level: ChatLevel) -> PushChange {
    PushChange { chat: Some(Choice::Level(level)), ..PushChange::default() }
}

fn wants(level: ChatLevel) -> PushPreferences {
    PushPreferences { chat: Some(level), ..PushPreferences::default() }
}

impl Stage {
    async fn prefer(
        &self,
        ctx: Ctx,
        entries: Vec<PushEntry>,
    ) -> Result<BTreeMap<UserId, PushPreferences>, Error> {
        self.run(ctx, move |tx, ctx| push_preferences::update(tx, ctx, &entries)).await
    }

    async fn preferred(&self, user: &str) -> PushPreferences {
        self.shown_to(self.ctx(Action::SearchUser), user).await.push_preferences
    }

    fn chooser(&self, user: &str) -> Ctx {
        match user {
            "" => self.ctx(Action::ManagePushPreferences),
            user => self.ctx_of(user, Action::ManagePushPreferences),
        }
    }
}

async fn what_is_given_replaces_and_the_rest_stays(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    let start = stage.chooser("").now;
    let end = Timestamp::from_nanoseconds(start.nanoseconds() + 10);
    stage.take_log().await;
    let first = PushChange {
        calls: Some(Choice::Level(Delivery::Nothing)),
        snooze: Some(Snooze::Until(end)),
        chat_switches: Some(BTreeMap::from([(ChatCategory::ThreadReplies, Delivery::All)])),
        ..level(ChatLevel::Mentions)
    };
    let stored = PushPreferences {
        calls: Some(Delivery::Nothing),
        disabled_until: Some(end),
        chat_switches: BTreeMap::from([(ChatCategory::ThreadReplies, Delivery::All)]),
        ..wants(ChatLevel::Mentions)
    };
    let answer = stage.prefer(stage.chooser("alice"), vec![entry("", first.clone())]).await.unwrap();
    assert_eq!(answer, BTreeMap::from([(id("alice"), stored.clone())]));
    assert_eq!(stage.take_log().await, ["push_preferences.updated of alice by alice: alice"]);

    let both = vec![entry("bob", level(ChatLevel::All)), entry("alice", PushChange::default())];
    let answer = stage.prefer(stage.chooser(""), both).await.unwrap();
    assert_eq!(answer[&id("alice")], stored, "named, and not changed");
    assert_eq!(answer[&id("bob")], wants(ChatLevel::All));
    assert_eq!(stage.take_log().await, ["push_preferences.updated of bob by server: bob"]);
    assert_eq!(stage.preferred("alice").await, stored);

    stage.store.clock().advance(10);
    let awake = PushPreferences { disabled_until: None, ..stored };
    assert_eq!(stage.preferred("alice").await, awake, "the snooze is over");
    let past = PushChange { snooze: Some(Snooze::Until(start)), ..PushChange::default() };
    let answer = stage.prefer(stage.chooser("alice"), vec![entry("alice", past)]).await.unwrap();
    assert_eq!(answer[&id("alice")], awake);
    assert_eq!(stage.take_log().await, [""; 0], "what was over stays over");

    let back = PushChange { chat: Some(Choice::Default), ..PushChange::default() };
    let answer = stage.prefer(stage.chooser("alice"), vec![entry("", back)]).await.unwrap();
    assert_eq!(answer[&id("alice")], PushPreferences { chat: None, ..awake });
    let nap = PushChange {
        snooze: Some(Snooze::Until(Timestamp::from_seconds(2_000_000_000))),
        ..PushChange::default()
    };
    stage.prefer(stage.chooser("bob"), vec![entry("", nap)]).await.unwrap();
    let wake = PushChange { snooze: Some(Snooze::Over), ..PushChange::default() };
    stage.prefer(stage.chooser("bob"), vec![entry("", wake)]).await.unwrap();
    assert_eq!(stage.preferred("bob").await, wants(ChatLevel::All));
}

async fn refusals_change_nothing(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "away"]).await;
    stage.deactivate_user("away").await;
    let all = |user: &str| entry(user, level(ChatLevel::All));
    let channel = PushEntry { channel: Some(Cid::parse("messaging:general").unwrap()), ..all("alice") };
    let nobodys = PushEntry { user: Some(id("nobody")), ..channel.clone() };
    for (ctx, entries, why) in [
        (stage.chooser(""), vec![], "preferences: must hold 1 to 100 entries, holds 0"),
        (stage.chooser(""), vec![all("alice"); 101], "preferences: must hold 1 to 100 entries, holds 101"),
        (
            stage.chooser(""),
            vec![all("bob"), all("")],
            "preferences.1.user_id: is required with a server token: the user who acts",
        ),
        (
            stage.chooser("alice"),
            vec![all(""), all("bob")],
            "preferences.1.user_id: a user token acts as its own user, 'alice'; leave it out",
        ),
        (
            stage.chooser("alice"),
            vec![all(""), all("alice")],
            "preferences.1: is for the same user and channel as one before it; give each once",
        ),
        (stage.chooser(""), vec![all("bob"), all("nobody")], "the user nobody does not exist"),
        (stage.chooser(""), vec![all("bob"), all("away")], "the user away was deactivated"),
        (
            stage.chooser(""),
            vec![all("bob"), channel.clone()],
            "preferences.1.channel_cid: is not served yet; leave it out",
        ),
        (stage.chooser("alice"), vec![channel], "preferences.0.channel_cid: is not served yet; leave it out"),
        (stage.chooser(""), vec![nobodys], "the user nobody does not exist"),
    ] {
        assert_eq!(told(stage.prefer(ctx, entries).await), why);
    }
    let nobody = stage.ctx_of_nobody(Action::ManagePushPreferences);
    let nobody = told(stage.prefer(nobody, vec![all("")]).await);
    assert!(nobody.contains("ManagePushPreferences"), "{nobody}");
    assert_eq!(stage.count("SELECT COUNT(*) FROM push_preferences").await, 0);
}

async fn many_users_cost_no_more_than_one(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..100).map(|number| format!("user-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    let count = async |names: &[&str], wanted: ChatLevel| {
        let entries: Vec<_> = names.iter().map(|name| entry(name, level(wanted))).collect();
        let counted =
            stage.run_counted(stage.chooser(""), move |tx, ctx| push_preferences::update(tx, ctx, &entries));
        let (answer, statements) = counted.await.unwrap();
        assert_eq!(answer.len(), names.len());
        statements
    };
    let first = [count(&names[..1], ChatLevel::All).await, count(&names[1..], ChatLevel::All).await];
    let again = [count(&names[..1], ChatLevel::Nothing).await, count(&names, ChatLevel::Mentions).await];
    assert_eq!((first[0], again[0]), (first[1], again[1]));
    assert!(first[0] <= 5 && again[0] <= 5, "{first:?} {again:?}");
}

on_each_engine!(
    what_is_given_replaces_and_the_rest_stays,
    refusals_change_nothing,
    many_users_cost_no_more_than_one,
);
