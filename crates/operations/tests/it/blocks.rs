//! Blocks: made once, ended always, listed for the one who made them.

use headwater_operations::blocks::{self, BlockList, Blocked};
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::{Action, AppSettings, Ban, Block, CustomText, User};

use crate::social::{ids_of, told};
use crate::stage::{Stage, id};

fn block(user: &str, target: &str) -> Block {
    Block { user: (!user.is_empty()).then(|| id(user)), target: id(target) }
}

impl Stage {
    async fn block(&self, ctx: Ctx, user: &str, target: &str) -> Result<Blocked, Error> {
        let command = block(user, target);
        self.run(ctx, move |tx, ctx| blocks::block(tx, ctx, &command)).await
    }

    async fn unblock(&self, ctx: Ctx, user: &str, target: &str) -> Result<(), Error> {
        let command = block(user, target);
        self.run(ctx, move |tx, ctx| blocks::unblock(tx, ctx, &command)).await
    }

    async fn blocked(&self, ctx: Ctx, user: &str) -> Result<BlockList, Error> {
        let user = (!user.is_empty()).then(|| id(user));
        self.store.read(move |tx| blocks::list(tx, &ctx, user.as_ref())).await
    }

    async fn blocked_ids(&self, ctx: Ctx, user: &str) -> Vec<String> {
        let list = self.blocked(ctx, user).await.unwrap();
        list.blocked.iter().map(|(user, _)| user.id.to_string()).collect()
    }

    fn server(&self) -> Ctx {
        self.ctx(Action::BlockUser)
    }

    fn blocker(&self, user: &str) -> Ctx {
        self.ctx_of(user, Action::BlockUser)
    }
}

async fn a_block_is_made_once_and_ended_always(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    let now = stage.server().now;
    stage.take_log().await;
    let expected = Blocked { by: id("alice"), target: id("carol"), created_at: now, is_new: true };
    assert_eq!(stage.block(stage.blocker("alice"), "", "carol").await.unwrap(), expected);
    stage.store.clock().advance(5);
    stage.block(stage.server(), "alice", "bob").await.unwrap();
    assert_eq!(
        stage.take_log().await,
        ["user.blocked of alice by alice: alice carol", "user.blocked of alice by server: alice bob"]
    );
    let again = stage.block(stage.blocker("alice"), "alice", "carol").await.unwrap();
    assert_eq!(again, Blocked { is_new: false, ..expected });
    assert_eq!(stage.take_log().await, [""; 0], "nothing has changed");

    let list = stage.blocked(stage.blocker("alice"), "").await.unwrap();
    assert_eq!(list.user.id, id("alice"));
    let shown: Vec<_> = list.blocked.iter().map(|(user, since)| (user.id.as_str(), *since)).collect();
    assert_eq!(shown[0], ("carol", now));
    assert_eq!((shown[1].0, shown.len()), ("bob", 2));
    assert_eq!(stage.blocked_ids(stage.server(), "alice").await, ["carol", "bob"]);
    assert_eq!(stage.blocked_ids(stage.blocker("bob"), "").await, [""; 0], "nobody is told to be blocked");
    let alice = stage.shown_to(stage.ctx(Action::SearchUser), "alice").await;
    assert_eq!(ids_of(&alice.blocks), ["carol", "bob"]);

    stage.unblock(stage.blocker("alice"), "", "carol").await.unwrap();
    stage.unblock(stage.server(), "alice", "carol").await.unwrap();
    assert_eq!(stage.take_log().await, ["user.unblocked of alice by alice: alice carol"]);
    assert_eq!(stage.blocked_ids(stage.server(), "alice").await, ["bob"]);
}

async fn who_is_gone_can_be_let_go(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "gone", "away", "lost"]).await;
    for target in ["gone", "away"] {
        stage.block(stage.blocker("alice"), "", target).await.unwrap();
    }
    stage.delete_user("gone").await;
    stage.delete_user("lost").await;
    stage.deactivate_user("away").await;
    assert_eq!(stage.blocked_ids(stage.blocker("alice"), "").await, ["away"], "without who is deleted");
    stage.unblock(stage.blocker("alice"), "", "gone").await.unwrap();
    assert_eq!(told(stage.unblock(stage.blocker("alice"), "", "gone").await), "the user gone does not exist");
    assert_eq!(told(stage.unblock(stage.server(), "alice", "gone").await), "the user gone was deleted");
    assert_eq!(told(stage.block(stage.blocker("alice"), "", "lost").await), "the user lost does not exist");
    assert_eq!(told(stage.block(stage.server(), "alice", "lost").await), "the user lost was deleted");
    stage.unblock(stage.blocker("alice"), "", "away").await.unwrap();
    assert_eq!(stage.count("SELECT COUNT(*) FROM user_blocks").await, 0);
}

async fn refusals_change_nothing(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "away", "gone", "banned"]).await;
    stage.deactivate_user("away").await;
    stage.delete_user("gone").await;
    let app = stage.app.key;
    let banned = stage.store.write(move |tx| {
        let sql = storage::Sql::new("UPDATE users SET ban = 1 WHERE app = $1 AND id = 'banned'");
        tx.execute(sql, &[app.0.into()])
    });
    let banned: Result<_, storage::Error> = banned.await;
    assert_eq!(banned.unwrap(), 1);
    let oneself = "blocked_user_id: must be somebody else: nobody can block oneself";
    for (ctx, user, target, why) in [
        (stage.blocker("alice"), "", "alice", oneself),
        (stage.server(), "nobody", "nobody", oneself),
        (stage.server(), "", "bob", "user_id: is required with a server token: the user who acts"),
        (
            stage.blocker("alice"),
            "bob",
            "alice",
            "user_id: a user token acts as its own user, 'alice'; leave it out",
        ),
        (stage.blocker("alice"), "", "nobody", "the user nobody does not exist"),
        (stage.server(), "nobody", "bob", "the user nobody does not exist"),
        (stage.server(), "away", "bob", "the user away was deactivated"),
        (stage.server(), "gone", "bob", "the user gone was deleted"),
        (stage.blocker("away"), "", "bob", "the user away was deactivated"),
        (
            stage.blocker("banned"),
            "",
            "bob",
            "the user banned is banned from the app: it may read, and change nothing",
        ),
    ] {
        assert_eq!(told(stage.block(ctx.clone(), user, target).await), why);
        if why != oneself {
            assert_eq!(told(stage.unblock(ctx, user, target).await), why);
        }
    }
    let nobody = told(stage.block(stage.ctx_of_nobody(Action::BlockUser), "", "bob").await);
    assert!(nobody.contains("BlockUser"), "{nobody}");
    for (ctx, user, why) in [
        (stage.server(), "", "user_id: is required with a server token: the user who acts"),
        (stage.server(), "nobody", "the user nobody does not exist"),
        (stage.blocker("alice"), "bob", "user_id: a user token acts as its own user, 'alice'; leave it out"),
    ] {
        assert_eq!(told(stage.blocked(ctx, user).await), why);
    }
    assert_eq!(stage.count("SELECT COUNT(*) FROM user_blocks").await, 0);
}

async fn a_user_blocks_so_many(engine: Engine) {
    let settings = AppSettings { blocks: Some(2), ..AppSettings::default() };
    let stage = Stage::set(engine).await.with_settings(settings).await;
    stage.create(&["alice", "a", "b", "c"]).await;
    for target in ["a", "b", "b"] {
        stage.block(stage.server(), "alice", target).await.unwrap();
    }
    let why = "blocked_user_id: cannot be blocked: 'alice' has blocked 2 users, as many as one may";
    assert_eq!(told(stage.block(stage.server(), "alice", "c").await), why);
    stage.unblock(stage.server(), "alice", "a").await.unwrap();
    stage.block(stage.server(), "alice", "c").await.unwrap();
    assert_eq!(stage.blocked_ids(stage.server(), "alice").await, ["b", "c"]);
}

async fn another_team_does_not_exist(engine: Engine) {
    let stage = Stage::with_teams(engine, &["alice", "bob"], &["carol"]).await;
    assert_eq!(told(stage.block(stage.blocker("alice"), "", "carol").await), "the user carol does not exist");
    assert_eq!(
        told(stage.unblock(stage.blocker("alice"), "", "carol").await),
        "the user carol does not exist"
    );
    stage.block(stage.blocker("alice"), "", "bob").await.unwrap();
    stage.block(stage.server(), "alice", "carol").await.unwrap();
    assert_eq!(stage.blocked_ids(stage.blocker("alice"), "").await, ["bob"]);
    assert_eq!(stage.blocked_ids(stage.server(), "alice").await, ["bob", "carol"]);
    stage.unblock(stage.blocker("alice"), "", "carol").await.unwrap();
    assert_eq!(stage.blocked_ids(stage.server(), "alice").await, ["bob"]);
}

async fn a_client_is_shown_what_it_may_see(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.block(stage.blocker("alice"), "", "bob").await.unwrap();
    stage.alter("bob", |user| User { invisible: true, ..user }).await;
    let app = stage.app.key;
    let banned = stage.store.write(move |tx| {
        let sql = storage::Sql::new(
            "UPDATE users SET ban = 2, bypass_moderation = 1 WHERE app = $1 AND id = 'bob'",
        );
        tx.execute(sql, &[app.0.into()])
    });
    let banned: Result<_, storage::Error> = banned.await;
    banned.unwrap();
    let seen = |user: &User<CustomText>| (user.ban, user.invisible, user.bypass_moderation);
    let list = stage.blocked(stage.blocker("alice"), "").await.unwrap();
    assert_eq!(seen(&list.blocked[0].0), (None, false, false));
    let list = stage.blocked(stage.server(), "alice").await.unwrap();
    assert_eq!(seen(&list.blocked[0].0), (Some(Ban { shadow: true, expires: None }), true, true));
}

async fn many_blocks_cost_no_more_than_one(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..100).map(|number| format!("user-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    stage.create(&["alice"]).await;
    let mut counts = Vec::new();
    for name in &names {
        let command = block("", name);
        let counted =
            stage.run_counted(stage.blocker("alice"), move |tx, ctx| blocks::block(tx, ctx, &command));
        counts.push(counted.await.unwrap().1);
    }
    // The first is remembered in the row of the user.
    assert_eq!(counts[0], counts[1] + 1);
    assert!(counts[1..].iter().all(|count| *count == counts[1]) && counts[0] <= 8, "{counts:?}");
    let ctx = stage.blocker("alice");
    let listed = stage.store.read(move |tx| -> Result<_, Error> {
        Ok((blocks::list(tx, &ctx, None)?.blocked.len(), tx.statements()))
    });
    assert_eq!(listed.await.unwrap(), (100, 3));
}

on_each_engine!(
    a_block_is_made_once_and_ended_always,
    who_is_gone_can_be_let_go,
    refusals_change_nothing,
    a_user_blocks_so_many,
    another_team_does_not_exist,
    a_client_is_shown_what_it_may_see,
    many_blocks_cost_no_more_than_one,
);
