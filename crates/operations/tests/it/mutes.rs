//! Mutes: set again and again, over at their moment, ended by whoever set them.

use headwater_operations::mutes::{self, Muted};
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::{Action, CustomText, MOST_MUTES, MOST_TARGETS, Mute, Targets, Timestamp, User, UserId, UserMute};

use crate::social::{ids_of, told};
use crate::stage::{Stage, id};

const MINUTE: i64 = 60_000_000_000;

fn targets(user: &str, ids: &[&str]) -> Targets {
    let user = (!user.is_empty()).then(|| id(user));
    Targets { user, targets: ids.iter().map(|name| id(name)).collect() }
}

impl Stage {
    async fn mute(&self, ctx: Ctx, whom: Targets, minutes: Option<usize>) -> Result<Muted, Error> {
        let command = Mute { whom, minutes };
        self.run(ctx, move |tx, ctx| mutes::mute(tx, ctx, &command)).await
    }

    async fn unmute(&self, ctx: Ctx, whom: Targets) -> Result<Vec<UserId>, Error> {
        self.run(ctx, move |tx, ctx| mutes::unmute(tx, ctx, &whom)).await
    }

    async fn muted_by(&self, user: &str) -> Vec<String> {
        let view = self.shown_to(self.ctx(Action::SearchUser), user).await;
        view.mutes.iter().map(|mute| mute.target.id.to_string()).collect()
    }

    fn muter(&self, user: &str) -> Ctx {
        match user {
            "" => self.ctx(Action::MuteUser),
            user => self.ctx_of(user, Action::MuteUser),
        }
    }
}

fn shown(mutes: &[UserMute]) -> Vec<(&str, Option<Timestamp>)> {
    mutes.iter().map(|mute| (mute.target.id.as_str(), mute.expires)).collect()
}

async fn a_mute_is_set_again_and_ends(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    stage.take_log().await;
    let start = stage.muter("").now;
    let at = |minutes: i64| Timestamp::from_nanoseconds(start.nanoseconds() + minutes * MINUTE);
    let muted = stage.mute(stage.muter("alice"), targets("", &["carol", "bob"]), None).await.unwrap();
    assert_eq!(shown(&muted.mutes), [("carol", None), ("bob", None)], "in the order asked for");
    assert_eq!((muted.own.user.id.as_str(), muted.own.mutes.len(), muted.has_new), ("alice", 2, true));
    assert_eq!(stage.take_log().await, ["user.muted of alice by alice: alice bob carol"]);

    stage.store.clock().advance(MINUTE);
    let muted = stage.mute(stage.muter(""), targets("alice", &["bob", "nobody"]), Some(2)).await.unwrap();
    assert_eq!(shown(&muted.mutes), [("bob", Some(at(3)))]);
    assert_eq!((muted.mutes[0].created_at, muted.mutes[0].updated_at), (start, at(1)));
    assert_eq!((ids_of(&muted.unknown), muted.has_new), (vec!["nobody"], false));
    assert_eq!(muted.own.mutes.len(), 2);
    assert_eq!(stage.take_log().await, ["user.muted of alice by server: alice bob"]);

    stage.store.clock().advance(2 * MINUTE - 1);
    assert_eq!(stage.muted_by("alice").await, ["bob", "carol"]);
    stage.store.clock().advance(1);
    assert_eq!(stage.muted_by("alice").await, ["carol"], "over at its moment");
    assert_eq!(stage.unmute(stage.muter("alice"), targets("", &["bob"])).await.unwrap(), []);
    assert_eq!(stage.take_log().await, [""; 0], "it was over already");

    let muted = stage.mute(stage.muter("alice"), targets("", &["bob"]), None).await.unwrap();
    assert_eq!((muted.mutes[0].created_at, muted.has_new), (at(3), true), "a new mute");
    stage.take_log().await;
    let unknown = stage.unmute(stage.muter("alice"), targets("", &["nobody", "carol", "bob"])).await.unwrap();
    assert_eq!(ids_of(&unknown), ["nobody"]);
    assert_eq!(stage.take_log().await, ["user.unmuted of alice by alice: alice bob carol"]);
    assert_eq!(stage.unmute(stage.muter("alice"), targets("", &["carol"])).await.unwrap(), []);
    assert_eq!(stage.take_log().await, [""; 0]);
    assert_eq!(stage.muted_by("alice").await, [""; 0]);
}

async fn who_is_not_there_is_not_muted(engine: Engine) {
    let stage = Stage::with_teams(engine, &["alice", "bob", "away", "gone"], &["carol"]).await;
    stage.mute(stage.muter(""), targets("alice", &["gone", "carol"]), None).await.unwrap();
    stage.deactivate_user("away").await;
    stage.delete_user("gone").await;
    stage.take_log().await;
    let all = ["nobody", "carol", "away", "gone", "bob"];
    let muted = stage.mute(stage.muter("alice"), targets("", &all), None).await.unwrap();
    assert_eq!(ids_of(&muted.unknown), ["nobody", "carol", "gone"]);
    assert_eq!(shown(&muted.mutes), [("away", None), ("bob", None)]);
    assert_eq!(muted.own.mutes.len(), 2, "who is out of sight is not shown");
    assert_eq!(stage.take_log().await, ["user.muted of alice by alice: alice away bob"]);
    assert_eq!(stage.muted_by("alice").await, ["away", "bob", "carol"], "a server sees everybody alive");

    let nobody = stage.mute(stage.muter("bob"), targets("", &["carol", "nobody"]), None).await.unwrap();
    assert_eq!((nobody.mutes.len(), nobody.has_new, nobody.unknown.len()), (0, false, 2));
    assert_eq!(stage.take_log().await, [""; 0]);

    let unknown = stage.unmute(stage.muter("bob"), targets("", &all)).await.unwrap();
    assert_eq!(ids_of(&unknown), ["nobody", "carol", "gone"]);
    let unknown = stage.unmute(stage.muter("alice"), targets("", &all)).await.unwrap();
    assert_eq!(ids_of(&unknown), ["nobody"], "whom one has muted one can let go");
    assert_eq!(stage.count("SELECT COUNT(*) FROM user_mutes").await, 0);
}

async fn refusals_change_nothing(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "away"]).await;
    stage.deactivate_user("away").await;
    let many: Vec<String> = (0..=MOST_TARGETS).map(|number| format!("user-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (ctx, whom, why) in [
        (
            stage.muter("alice"),
            targets("", &["bob", "alice"]),
            "target_ids: must not hold 'alice', which is the user_id: nobody can mute oneself",
        ),
        (stage.muter("alice"), targets("", &[]), "target_ids: must hold 1 to 100 users, holds 0"),
        (stage.muter("alice"), targets("", &many), "target_ids: must hold 1 to 100 users, holds 101"),
        (
            stage.muter("alice"),
            targets("", &["bob", "bob"]),
            "target_ids: must name each user once, names 'bob' twice",
        ),
        (
            stage.muter("alice"),
            targets("bob", &["bob"]),
            "user_id: a user token acts as its own user, 'alice'; leave it out",
        ),
        (
            stage.muter(""),
            targets("", &["bob"]),
            "user_id: is required with a server token: the user who acts",
        ),
        (stage.muter(""), targets("nobody", &["bob"]), "the user nobody does not exist"),
        (stage.muter(""), targets("away", &["bob"]), "the user away was deactivated"),
    ] {
        assert_eq!(told(stage.mute(ctx.clone(), whom.clone(), None).await), why);
        if !why.contains("oneself") {
            assert_eq!(told(stage.unmute(ctx, whom).await), why);
        }
    }
    let zero = told(stage.mute(stage.muter("alice"), targets("", &["bob"]), Some(0)).await);
    assert!(zero.starts_with("timeout: must be 1 to 52560000 minutes"), "{zero}");
    let nobody = stage.ctx_of_nobody(Action::MuteUser);
    let nobody = told(stage.mute(nobody, targets("", &["bob"]), None).await);
    assert!(nobody.contains("MuteUser"), "{nobody}");
    assert_eq!(stage.count("SELECT COUNT(*) FROM user_mutes").await, 0);
}

async fn a_user_mutes_so_many_at_a_time(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    let names: Vec<String> = (0..=MOST_MUTES).map(|number| format!("user-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    let mut counts = Vec::new();
    for some in names[..MOST_MUTES].chunks(MOST_TARGETS) {
        let command = Mute { whom: targets("alice", some), minutes: Some(1) };
        let counted = stage.run_counted(stage.muter(""), move |tx, ctx| mutes::mute(tx, ctx, &command));
        counts.push(counted.await.unwrap().1);
    }
    assert!(counts[1..].iter().all(|count| *count == counts[1]) && counts[1] <= 9, "{counts:?}");
    let last = names[MOST_MUTES];
    let why =
        "target_ids: cannot all be muted: 'alice' has muted 1000 users, and may have muted 1000 at a time";
    let all = targets("alice", &[last, names[0]]);
    assert_eq!(told(stage.mute(stage.muter(""), all.clone(), None).await), why);
    let again = stage.mute(stage.muter(""), targets("alice", &names[..1]), Some(1)).await.unwrap();
    assert_eq!(again.own.mutes.len(), MOST_MUTES);
    let unmute = targets("alice", &names[1..=100]);
    let ended = stage.run_counted(stage.muter(""), move |tx, ctx| mutes::unmute(tx, ctx, &unmute));
    assert!(ended.await.unwrap().1 <= 4);

    stage.store.clock().advance(MINUTE);
    let muted = stage.mute(stage.muter(""), all, None).await.unwrap();
    assert_eq!((muted.own.mutes.len(), muted.has_new), (2, true), "those that are over do not count");
    assert_eq!(stage.count("SELECT COUNT(*) FROM user_mutes").await, 2, "and are forgotten");
}

async fn of_many_users_the_newest_are_shown(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..100).map(|number| format!("user-{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    stage.mute(stage.muter("user-00"), targets("", &names[1..]), None).await.unwrap();
    stage.store.clock().advance(1);
    stage.mute(stage.muter("user-00"), targets("", &["user-05"]), Some(1)).await.unwrap();
    for name in &names[1..80] {
        stage.mute(stage.muter(name), targets("", &["user-00"]), None).await.unwrap();
    }
    let (found, _) = stage.query_all(stage.ctx(Action::SearchUser)).await;
    let shown = found.iter().find(|view| view.user.id.as_str() == "user-00").unwrap();
    let shown: Vec<&str> = shown.mutes.iter().map(|mute| mute.target.id.as_str()).collect();
    assert_eq!(shown, names[75..], "2000 among the 80 who have muted somebody");
    assert_eq!(found.iter().filter(|view| view.mutes.len() == 1).count(), 79);
    let muted = stage.mute(stage.muter("user-00"), targets("", &["user-05"]), None).await.unwrap();
    assert_eq!(muted.own.mutes.len(), 99, "alone, all are");
}

async fn a_client_is_shown_what_it_may_see(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.alter("bob", |user| User { invisible: true, ..user }).await;
    let app = stage.app.key;
    let banned = stage.store.write(move |tx| {
        let sql = storage::Sql::new("UPDATE users SET ban = 2 WHERE app = $1 AND id = 'bob'");
        tx.execute(sql, &[app.0.into()])
    });
    let banned: Result<_, storage::Error> = banned.await;
    banned.unwrap();
    let seen = |user: &User<CustomText>| (user.ban.is_some(), user.invisible);
    let muted = stage.mute(stage.muter("alice"), targets("", &["bob"]), None).await.unwrap();
    assert_eq!(seen(&muted.mutes[0].target), (false, false));
    assert_eq!(seen(&muted.own.mutes[0].target), (false, false));
    let found = stage.shown_to(stage.ctx_of("alice", Action::SearchUser), "alice").await;
    assert_eq!(seen(&found.mutes[0].target), (false, false));
    let muted = stage.mute(stage.muter(""), targets("alice", &["bob"]), None).await.unwrap();
    assert_eq!(seen(&muted.mutes[0].target), (true, true));
}

on_each_engine!(
    a_mute_is_set_again_and_ends,
    who_is_not_there_is_not_muted,
    refusals_change_nothing,
    a_user_mutes_so_many_at_a_time,
    of_many_users_the_newest_are_shown,
    a_client_is_shown_what_it_may_see,
);
