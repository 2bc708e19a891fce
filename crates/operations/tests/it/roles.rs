//! Roles: listed, made, found, given to users, deleted once nobody has them.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_operations::{Error, apps, lifecycle, permissions, roles, users};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, Assignment, Batch, Patch, Profile, Role, RoleSearch, Scope, SettingsPatch, User, UserContent,
};
use serde_json::{Value, json};

use crate::deletion::{SOFT, wish};
use crate::stage::{Stage, id, server};

impl Stage {
    async fn roles(&self) -> Vec<Role> {
        self.write(Action::ReadRoles, roles::list).await.unwrap()
    }

    async fn create_role(&self, name: &str) -> Result<Role, Error> {
        let name = name.to_owned();
        self.write(Action::ManageRoles, move |tx, ctx| roles::create(tx, ctx, &name)).await
    }

    async fn create_roles(&self, names: &[&str]) {
        for name in names {
            self.create_role(name).await.unwrap();
        }
    }

    async fn delete_role(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.write(Action::ManageRoles, move |tx, ctx| roles::delete(tx, ctx, &name)).await
    }

    /// What refuses to delete a role.
    async fn undeletable(&self, name: &str) -> String {
        self.delete_role(name).await.unwrap_err().to_string()
    }

    async fn give(&self, user: &str, profile: Profile) -> Result<User, Error> {
        Ok(self.upsert(vec![(id(user), profile)]).await?.users.remove(0).user)
    }

    async fn assign(&self, user: &str, set: Assignment) -> Result<User, Error> {
        let patches = Batch::from(vec![Patch { id: id(user), set: vec![set], unset: Vec::new() }]);
        let patched = self.write(Action::UpdateUser, move |tx, ctx| users::update_partial(tx, ctx, &patches));
        Ok(patched.await?.remove(0).user)
    }

    async fn grant_roles(&self, grants: Value) {
        let kept = json!({"grants": grants}).as_object().cloned().unwrap();
        let patch = SettingsPatch { kept, ..SettingsPatch::default() };
        self.write(Action::UpdateApp, move |tx, ctx| apps::update(tx, ctx, &patch)).await.unwrap();
    }

    async fn mark_deleted(&self, user: &str) {
        self.delete_users(wish(&[user], SOFT)).await.unwrap();
    }

    /// The role of a user, and those in teams.
    async fn roles_of(&self, user: &str) -> (String, Vec<(String, String)>) {
        let patched = self.assign(user, Assignment::Language(None)).await.unwrap();
        (patched.role, patched.teams_role.into_iter().collect())
    }

    async fn holders(&self) -> Vec<String> {
        let rows = self
            .rows(
                "SELECT role_holders.role, id FROM role_holders JOIN users ON users.key = role_holders.user ORDER BY 1, 2",
                2,
            )
            .await;
        rows.iter().map(|row| row.join(" ")).collect()
    }
}

fn with_role(role: &str) -> Profile {
    Profile { role: Some(role.to_owned()), ..Profile::default() }
}

fn with_team_role(team: &str, role: &str) -> Profile {
    Profile {
        teams: Some(vec![team.to_owned()]),
        teams_role: Some(BTreeMap::from([(team.to_owned(), role.to_owned())])),
        ..Profile::default()
    }
}

fn names(roles: &[Role]) -> Vec<&str> {
    roles.iter().map(|role| role.name.as_str()).collect()
}

async fn every_app_has_the_built_in_roles_and_its_own(engine: Engine) {
    let stage = Stage::set(engine).await;
    let other = stage.another_app("other").await;
    stage.store.clock().advance(7);
    let made = stage.create_role("captain").await.unwrap();
    let now = stage.ctx(Action::ReadRoles).now;
    let expected = Role {
        name: "captain".to_owned(),
        custom: true,
        created_at: now,
        updated_at: now,
        scopes: Vec::new(),
    };
    assert_eq!(made, expected);
    let all = stage.roles().await;
    assert_eq!(
        names(&all),
        [
            "admin",
            "anonymous",
            "call_member",
            "captain",
            "channel_member",
            "channel_moderator",
            "global_admin",
            "global_moderator",
            "guest",
            "host",
            "moderator",
            "user"
        ]
    );
    assert_eq!(all[3], expected);
    let user = all.last().unwrap();
    assert_eq!(
        (user.custom, user.created_at, &user.scopes[..]),
        (false, stage.app.created_at, &[Scope::App][..])
    );
    let ctx = server(&stage.store, &other, Action::ReadRoles);
    let theirs = stage.store.read(move |tx| roles::list(tx, &ctx)).await.unwrap();
    assert!(theirs.iter().all(|role| !role.custom), "another app does not see them");
}

async fn a_role_needs_a_name_of_its_own(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create_role("captain").await.unwrap();
    for (name, why) in [
        ("", "must have 1 to 64 of a to z, 0 to 9, '_' and '-', got ''"),
        ("Team Lead", "must have 1 to 64 of a to z, 0 to 9, '_' and '-', got 'Team Lead'"),
        ("admin", "the role 'admin' is built in; choose another name"),
        ("captain", "the role 'captain' exists; choose another name"),
    ] {
        let refused = stage.create_role(name).await.unwrap_err().to_string();
        assert_eq!(refused, format!("name: {why}"));
    }
    assert_eq!(stage.roles().await.iter().filter(|role| role.custom).count(), 1);
}

async fn an_app_has_at_most_twenty_five_roles_of_its_own(engine: Engine) {
    let stage = Stage::set(engine).await;
    for number in 0..25 {
        stage.create_role(&format!("role-{number}")).await.unwrap();
    }
    let refused = stage.create_role("one-more").await.unwrap_err().to_string();
    assert_eq!(refused, "name: the app has 25 roles of its own, which is the most; delete one first");
    stage.delete_role("role-7").await.unwrap();
    stage.create_role("one-more").await.unwrap();
    let other = stage.another_app("other").await;
    let ctx = server(&stage.store, &other, Action::ManageRoles);
    stage.store.write(move |tx| roles::create(tx, &ctx, "role-0")).await.unwrap();
}

async fn roles_are_found_in_pages(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create_roles(&["cook", "captain"]).await;
    let find = async |limit, after: Option<&str>| {
        let search = RoleSearch {
            prefix: "c".to_owned(),
            limit,
            after: after.map(str::to_owned),
            holder: None,
            include_global: false,
        };
        stage.write(Action::ReadRoles, move |tx, ctx| roles::search(tx, ctx, &search)).await
    };
    assert_eq!(names(&find(2, None).await.unwrap()), ["captain", "channel_member"]);
    assert_eq!(names(&find(2, Some("channel_member")).await.unwrap()), ["channel_moderator", "cook"]);
    assert_eq!(names(&find(2, Some("cook")).await.unwrap()), [""; 0]);
    assert_eq!(find(101, None).await.unwrap_err().to_string(), "limit: must be at most 100, got 101");
}

async fn users_are_given_roles_that_exist(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create_roles(&["captain", "mate"]).await;
    assert_eq!(stage.give("alice", with_role("captain")).await.unwrap().role, "captain");
    let bob = stage.give("bob", with_team_role("red", "mate")).await.unwrap();
    assert_eq!(bob.teams_role["red"], "mate");
    let moved = Assignment::TeamRole("red".to_owned(), Some("captain".to_owned()));
    assert_eq!(stage.assign("bob", moved).await.unwrap().teams_role["red"], "captain");
    let both = Assignment::TeamsRole(Some(BTreeMap::from([("red".to_owned(), "mate".to_owned())])));
    assert_eq!(stage.assign("bob", both).await.unwrap().teams_role["red"], "mate");
    let named = Assignment::Name(Some("Alice".to_owned()));
    assert_eq!(stage.assign("alice", named).await.unwrap().role, "captain", "a role that is there stays");

    let there_are = "there are admin, anonymous, call_member, captain, channel_member, channel_moderator, \
                     global_admin, global_moderator, guest, host, mate, moderator, user";
    let refused = stage.give("carol", with_role("pirate")).await.unwrap_err().to_string();
    assert_eq!(refused, format!("users.carol.role: there is no role 'pirate'; {there_are}"));
    let refused = stage.give("carol", with_team_role("red", "pirate")).await.unwrap_err().to_string();
    assert_eq!(refused, format!("users.carol.teams_role.red: there is no role 'pirate'; {there_are}"));
    let refused = stage.assign("alice", Assignment::Role(Some("pirate".to_owned()))).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("users.0.role: there is no role 'pirate'; {there_are}"));
}

async fn roles_of_another_app_do_not_count(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create_role("captain").await.unwrap();
    stage.give("alice", with_role("captain")).await.unwrap();
    let other = stage.another_app("other").await;
    let theirs = Batch::from(vec![(id("alice"), with_role("captain"))]);
    let ctx = server(&stage.store, &other, Action::UpdateUser);
    let refused = stage.store.write(move |tx| users::upsert(tx, &ctx, &theirs)).await.unwrap_err();
    assert!(refused.to_string().starts_with("users.alice.role: there is no role 'captain'"), "{refused}");
    let ctx = server(&stage.store, &other, Action::ManageRoles);
    let delete = stage.store.write(move |tx| roles::delete(tx, &ctx, "captain"));
    assert!(matches!(delete.await, Err(Error::NoRole(name)) if name == "'captain'"));
    assert_eq!(stage.holders().await, ["captain alice"]);
}

async fn a_role_that_somebody_has_is_not_deleted(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create_roles(&["captain", "mate"]).await;
    let in_use = |role: &str, user: &str| {
        format!(
            "name: the role '{role}' is in use, by the user '{user}' to name one; give every user who has it, as role \
             or in teams_role, another role first"
        )
    };
    stage
        .give("alice", Profile { role: Some("captain".to_owned()), ..with_team_role("red", "mate") })
        .await
        .unwrap();
    stage.give("bob", with_team_role("red", "captain")).await.unwrap();
    assert_eq!(stage.holders().await, ["captain alice", "captain bob", "mate alice"]);
    assert_eq!(stage.undeletable("captain").await, in_use("captain", "alice"));
    assert_eq!(stage.undeletable("mate").await, in_use("mate", "alice"));

    stage.give("alice", with_role("user")).await.unwrap();
    assert_eq!(stage.undeletable("captain").await, in_use("captain", "bob"));
    assert_eq!(stage.undeletable("mate").await, in_use("mate", "alice"), "the role in the team was kept");
    stage.assign("alice", Assignment::Teams(None)).await.unwrap();
    stage.delete_role("mate").await.unwrap();
    stage.mark_deleted("bob").await;
    stage.delete_role("captain").await.unwrap();
    assert_eq!(stage.holders().await, [""; 0]);
    assert_eq!(stage.undeletable("captain").await, "the role 'captain' does not exist");
    let gone = stage.give("carol", with_role("captain")).await.unwrap_err().to_string();
    assert!(gone.starts_with("users.carol.role: there is no role 'captain'; there are admin,"), "{gone}");
}

async fn a_deactivated_user_keeps_a_role_alive(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create_role("captain").await.unwrap();
    stage.give("alice", with_role("captain")).await.unwrap();
    let command =
        lifecycle::Deactivate { id: id("alice"), created_by: None, content: UserContent::default() };
    stage
        .write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate(tx, ctx, &command))
        .await
        .unwrap();
    assert!(stage.undeletable("captain").await.contains("by the user 'alice'"));
    let command = lifecycle::Reactivate {
        id: id("alice"),
        name: Some("Alice".to_owned()),
        created_by: None,
        content: UserContent::default(),
    };
    let back = stage.write(Action::DeactivateUser, move |tx, ctx| lifecycle::reactivate(tx, ctx, &command));
    assert_eq!(back.await.unwrap().user.role, "captain");
}

async fn a_restore_gives_no_role_that_is_gone(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create_roles(&["captain", "mate", "cook"]).await;
    let both = Profile { role: Some("captain".to_owned()), ..with_team_role("red", "mate") };
    stage.give("alice", both.clone()).await.unwrap();
    stage
        .give("bob", Profile { role: Some("cook".to_owned()), ..with_team_role("red", "captain") })
        .await
        .unwrap();
    stage
        .give("carol", Profile { role: Some("admin".to_owned()), ..with_team_role("red", "mate") })
        .await
        .unwrap();
    for user in ["alice", "bob", "carol"] {
        stage.mark_deleted(user).await;
    }
    assert_eq!(stage.holders().await, [""; 0]);
    // One that is gone, one that was made anew, one that was there all the time.
    stage.advance(Duration::from_secs(1));
    for role in ["captain", "mate"] {
        stage.delete_role(role).await.unwrap();
    }
    stage.create_role("mate").await.unwrap();
    stage.restore(&["alice", "bob", "carol"]).await.unwrap();
    assert_eq!(stage.holders().await, ["cook bob"]);
    let none = Vec::new();
    assert_eq!(stage.roles_of("alice").await, ("user".to_owned(), none.clone()));
    assert_eq!(stage.roles_of("bob").await, ("cook".to_owned(), none.clone()));
    assert_eq!(stage.roles_of("carol").await, ("admin".to_owned(), none));
    assert!(stage.undeletable("cook").await.contains("by the user 'bob'"));
    stage.delete_role("mate").await.unwrap();
    // Who is restored in time has everything.
    stage.create_roles(&["captain", "mate"]).await;
    stage.give("alice", both).await.unwrap();
    stage.advance(Duration::from_secs(1));
    stage.mark_deleted("alice").await;
    stage.restore(&["alice"]).await.unwrap();
    assert_eq!(stage.holders().await, ["captain alice", "cook bob", "mate alice"]);
    let mate = vec![("red".to_owned(), "mate".to_owned())];
    assert_eq!(stage.roles_of("alice").await, ("captain".to_owned(), mate));
}

async fn a_role_that_is_granted_something_is_not_deleted(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create_roles(&["captain", "mate"]).await;
    stage.grant_roles(json!({"captain": ["search-user"], "mate": []})).await;
    stage.delete_role("mate").await.unwrap();
    assert_eq!(
        stage.undeletable("captain").await,
        "name: the role 'captain' is in use by the grants of the app; take it out of grants in the app settings first",
        "the grants of now count, not those of the request's beginning"
    );
    stage.grant_roles(json!({"captain": []})).await;
    stage.delete_role("captain").await.unwrap();
}

async fn what_is_no_custom_role_cannot_be_deleted(engine: Engine) {
    let stage = Stage::set(engine).await;
    assert_eq!(stage.undeletable("user").await, "name: the role 'user' is built in and cannot be deleted");
    assert_eq!(stage.undeletable("captain").await, "the role 'captain' does not exist");
    let long = stage.undeletable(&"x".repeat(10_000)).await;
    assert_eq!(long, format!("the role '{}...' does not exist", "x".repeat(64)));
}

async fn making_and_deleting_is_logged(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create_role("captain").await.unwrap();
    stage.create_role("captain").await.unwrap_err();
    stage.delete_role("captain").await.unwrap();
    stage.delete_role("captain").await.unwrap_err();
    let logged = stage.rows("SELECT payload FROM log WHERE event LIKE 'role.%' ORDER BY sequence", 1).await;
    let payloads: Vec<&str> = logged.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(
        payloads,
        [
            r#"{"v":1,"type":"role.created","name":"captain"}"#,
            r#"{"v":1,"type":"role.deleted","name":"captain"}"#
        ]
    );
}

async fn statements_are_few(engine: Engine) {
    let stage = Stage::set(engine).await;
    let (_, made) =
        stage.counted(Action::ManageRoles, |tx, ctx| roles::create(tx, ctx, "captain")).await.unwrap();
    let upsert = async |role: &str, color: &str| {
        let custom = crate::stage::custom(json!({"color": color}));
        let profiles = Batch::from(vec![(id("alice"), Profile { custom, ..with_role(role) })]);
        let upsert = move |tx: &mut storage::Tx<'_>, ctx: &headwater_operations::Ctx| {
            users::upsert(tx, ctx, &profiles)
        };
        stage.counted(Action::UpdateUser, upsert).await.unwrap().1
    };
    let built_in = upsert("admin", "red").await;
    let custom = upsert("captain", "blue").await;
    let back = upsert("user", "green").await;
    let (_, deleted) =
        stage.counted(Action::ManageRoles, |tx, ctx| roles::delete(tx, ctx, "captain")).await.unwrap();
    // Where others write at the same time, what is made or deleted is locked first, and so are the settings of the app.
    let locks = u32::from(engine == Engine::Postgres);
    let found = (made, built_in, custom, back, deleted);
    assert_eq!(found, (3 + locks, 4 + locks, 5 + locks, 4 + locks, 4 + locks));
}

async fn the_catalogue_is_read_as_it_is(engine: Engine) {
    let stage = Stage::set(engine).await;
    let ctx = stage.ctx(Action::ReadPermissions);
    let all = permissions::list(&ctx).unwrap();
    let found = permissions::get(&ctx, "create-channel").unwrap();
    assert!(all.iter().any(|permission| permission.id == found.id));
    let unknown = permissions::get(&ctx, "fly").unwrap_err();
    assert_eq!(unknown.to_string(), "the permission 'fly' does not exist");
    let mistaken = permissions::list(&stage.ctx(Action::ReadRoles));
    assert!(matches!(mistaken, Err(Error::Undeclared { .. })));
}

on_each_engine!(
    every_app_has_the_built_in_roles_and_its_own,
    a_role_needs_a_name_of_its_own,
    an_app_has_at_most_twenty_five_roles_of_its_own,
    roles_are_found_in_pages,
    users_are_given_roles_that_exist,
    roles_of_another_app_do_not_count,
    a_role_that_somebody_has_is_not_deleted,
    a_deactivated_user_keeps_a_role_alive,
    a_restore_gives_no_role_that_is_gone,
    a_role_that_is_granted_something_is_not_deleted,
    what_is_no_custom_role_cannot_be_deleted,
    making_and_deleting_is_logged,
    statements_are_few,
    the_catalogue_is_read_as_it_is,
);
