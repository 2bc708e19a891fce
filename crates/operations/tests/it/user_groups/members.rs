//! Who is in a group: added all or none, taken out, and what two do at once.

use headwater_operations::user_groups::{self, AddMembers};
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::User;
use storage::Tx;
use storage::user_groups::NewMember;
use storage::users::Change;

use super::{MANAGE, command, named, names};
use crate::stage::{Stage, id};

async fn members_are_added_all_or_none(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    stage.groups(&["design"]).await;
    assert_eq!(stage.add("", named("design"), &["bob"], false).await.unwrap(), ["bob"]);
    stage.store.clock().advance(1);
    let refused = stage.add("", named("design"), &["alice", "nobody"], false).await.unwrap_err().to_string();
    assert_eq!(refused, "member_ids: there are no users 'nobody'; every member must exist");
    assert_eq!(stage.add("", named("design"), &["alice", "bob"], false).await.unwrap(), ["bob", "alice"]);
    assert_eq!(stage.add("", named("design"), &["bob"], false).await.unwrap(), ["bob", "alice"]);
    let all = ["bob*", "alice", "carol*"];
    stage.store.clock().advance(1);
    assert_eq!(stage.add("", named("design"), &["carol", "bob"], true).await.unwrap(), all);
    assert_eq!(stage.named_last().await, ["bob"]);
    assert_eq!(stage.add("", named("design"), &["carol", "bob"], true).await.unwrap(), all);
    assert_eq!(
        stage.add("", named("design"), &["carol", "bob"], false).await.unwrap(),
        all,
        "it is not taken"
    );
    assert_eq!(
        stage.remove("", named("design"), &["nobody", "bob", "bob"]).await.unwrap(),
        ["alice", "carol*"]
    );
    assert_eq!(stage.remove("", named("design"), &["nobody", "bob"]).await.unwrap(), ["alice", "carol*"]);
    assert_eq!(stage.remove("", named("design"), &["carol", "alice"]).await.unwrap(), [""; 0]);
    for refused in [
        stage.add("", named("design"), &[], false).await.unwrap_err(),
        stage.remove("", named("design"), &[]).await.unwrap_err(),
    ] {
        assert_eq!(refused.to_string(), "member_ids: must name at least one user");
    }
    let refused = stage.remove("", named("design"), &["alice"; 101]).await.unwrap_err().to_string();
    assert_eq!(refused, "member_ids: at most 100 users in one request, got 101");
    for refused in [
        stage.add("", named("nothing"), &["alice"], false).await.unwrap_err(),
        stage.remove("", named("nothing"), &["alice"]).await.unwrap_err(),
    ] {
        assert_eq!(refused.to_string(), "the user group 'nothing' does not exist");
    }
    assert_eq!(
        stage.group_events().await,
        [
            "created",
            r#"member_added ["bob"],"as_admin":false}"#,
            r#"member_added ["alice"],"as_admin":false}"#,
            r#"member_added ["carol"],"as_admin":true}"#,
            r#"admin_added ["bob"]}"#,
            r#"member_removed ["bob"]}"#,
            r#"member_removed ["alice","carol"]}"#,
        ]
    );
}

async fn a_group_has_at_most_ten_thousand_members(engine: Engine) {
    let stage = Stage::set(engine).await;
    let every: Vec<String> = (0..10_001).map(|number| format!("user-{number}")).collect();
    stage.create(&every.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stage.groups(&["design"]).await;
    let app = stage.app.key;
    let fill = move |tx: &mut Tx<'_>, ctx: &Ctx| {
        let group = storage::user_groups::by_id(tx, app, "design")?.unwrap().key;
        let keys =
            tx.query(storage::Sql::new("SELECT key FROM users ORDER BY key"), &[], |row| row.integer(0))?;
        let member = |key: &i64| NewMember { user: model::UserKey(*key), is_admin: false, since: ctx.now };
        let members: Vec<_> = keys.iter().take(9_999).map(member).collect();
        Ok(storage::user_groups::add_members(tx, group, &members)?.len())
    };
    assert_eq!(stage.act("", MANAGE, fill).await.unwrap(), 9_999);
    let refused = stage.add("", named("design"), &["user-9999", "user-10000"], false).await;
    let why = "member_ids: a group may have at most 10000 members, it would have 10001";
    assert_eq!(refused.unwrap_err().to_string(), why);
    let full = stage.add("", named("design"), &["user-0", "user-9999"], false).await.unwrap();
    assert_eq!(full.len(), 10_000);
    assert_eq!(stage.add("", named("design"), &["user-10000"], false).await.unwrap_err().to_string(), why);
}

async fn deactivated_members_stay_and_deleted_ones_are_gone(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.groups(&["design"]).await;
    stage.add("", named("design"), &["alice", "bob"], false).await.unwrap();
    let app = stage.app.key;
    let marked = stage.store.write(move |tx| {
        let found = storage::users::by_ids(tx, app, &[&id("alice"), &id("bob")].into())?;
        let changes = found.into_iter().map(|before| {
            let now = Some(before.user.updated_at);
            let user = before.user.clone();
            let after = match user.id.as_str() {
                "alice" => User { deactivated_at: now, ..user },
                _ => User { deleted_at: now, ..user },
            };
            Change { before: Some(before), after }
        });
        storage::users::put(tx, app, changes.collect()).map(|users| users.len())
    });
    assert_eq!(marked.await.unwrap(), 2);
    assert_eq!(names(&stage.read_group("", named("design")).await.unwrap()), ["alice"]);
    let refused = stage.add("", named("design"), &["bob"], false).await.unwrap_err().to_string();
    assert_eq!(refused, "member_ids: there are no users 'bob'; every member must exist");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_group_is_made_once_by_many() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(4).await;
    for round in 0..10 {
        let made: Vec<_> = (0..4)
            .map(|_| {
                let (ctx, create) = (stage.ctx(MANAGE), command(&format!("group-{round}"), "Group"));
                tokio::spawn(stage.store.write(move |tx| user_groups::create(tx, &ctx, &create)))
            })
            .collect();
        let mut news = 0;
        for answer in made {
            match answer.await.unwrap() {
                Ok(_) => news += 1,
                Err(Error::Invalid(invalid)) => assert_eq!(invalid.field, "id"),
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(news, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_left_in_a_group_that_is_deleted_meanwhile() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(4).await;
    stage.create(&["alice", "bob"]).await;
    for _ in 0..20 {
        stage.groups(&["design"]).await;
        let (adds, removes, deletes) = (stage.ctx(MANAGE), stage.ctx(MANAGE), stage.ctx(MANAGE));
        let add =
            AddMembers { group: named("design"), members: vec![id("bob"), id("alice")], as_admin: true };
        let add = stage.store.write(move |tx| user_groups::add_members(tx, &adds, &add).map(drop));
        let members = [id("alice"), id("bob")];
        let remove = stage
            .store
            .write(move |tx| user_groups::remove_members(tx, &removes, &named("design"), &members).map(drop));
        let delete = stage.store.write(move |tx| user_groups::delete(tx, &deletes, &named("design")));
        let (add, remove, delete) = (tokio::spawn(add), tokio::spawn(remove), tokio::spawn(delete));
        delete.await.unwrap().unwrap();
        for told in [add.await.unwrap(), remove.await.unwrap()] {
            assert!(matches!(told, Ok(()) | Err(Error::NoUserGroup(_))), "{told:?}");
        }
        assert_eq!(stage.rows("SELECT CAST(\"user\" AS TEXT) FROM user_group_members", 1).await.len(), 0);
    }
}

on_each_engine!(
    members_are_added_all_or_none,
    a_group_has_at_most_ten_thousand_members,
    deactivated_members_stay_and_deleted_ones_are_gone,
);
