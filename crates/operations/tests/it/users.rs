//! Users: created, replaced, patched, found, deactivated, reactivated.

use std::collections::BTreeSet;

use headwater_operations::lifecycle::{self, Deactivate, Reactivate};
use headwater_operations::users;
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::filter::{TextField, WordMatch};
use model::{
    Absent, Action, AppSettings, Assignment, CustomPath, CustomText, Field, Filter, Page, Patch, Profile,
    Sort, StoredUser, Test, UserContent, UserId, UserQuery, UserView,
};
use serde_json::json;
use storage::{Sql, Tx};

use crate::stage::{Stage, custom, id, ids, server};

fn everyone() -> UserQuery {
    UserQuery {
        filter: Filter::everybody(),
        sort: Sort::newest_first(),
        include_deactivated: false,
        page: Page::new(Some(100), None).unwrap(),
    }
}

fn named(name: &str) -> Profile {
    Profile { name: Some(name.to_owned()), ..Profile::default() }
}

fn patch(user: &str, set: Vec<Assignment>, unset: Vec<Field>) -> Patch {
    Patch { id: id(user), set, unset }
}

impl Stage {
    async fn find(&self, query: UserQuery) -> Vec<UserView<CustomText>> {
        self.write(Action::SearchUser, move |tx, ctx| users::query(tx, ctx, &query)).await.unwrap()
    }

    async fn patch(&self, patches: Vec<Patch>) -> Result<Vec<UserView>, Error> {
        self.write(Action::UpdateUser, move |tx, ctx| users::update_partial(tx, ctx, &patches.clone().into()))
            .await
    }

    async fn deactivate(&self, user: &str) -> Result<UserView, Error> {
        let command = Deactivate { id: id(user), created_by: None, content: UserContent::default() };
        self.write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate(tx, ctx, &command)).await
    }

    async fn reactivate(&self, user: &str, name: Option<&str>) -> Result<UserView, Error> {
        let command = Reactivate {
            id: id(user),
            name: name.map(str::to_owned),
            created_by: None,
            content: UserContent::default(),
        };
        self.write(Action::DeactivateUser, move |tx, ctx| lifecycle::reactivate(tx, ctx, &command)).await
    }

    /// Marks a user as deleted, as the deletion to come will.
    async fn delete(&self, user: &str) {
        let statement = "UPDATE users SET deleted_at = 1 WHERE id = $1";
        let user = user.to_owned();
        let deleted = self.store.write(move |tx| tx.execute(Sql::new(statement), &[user.as_str().into()]));
        let deleted: Result<usize, storage::Error> = deleted.await;
        assert_eq!(deleted.unwrap(), 1);
    }

    /// The leaves that are stored, beside those that custom data has.
    async fn check_leaves(&self) {
        let mut stored = self
            .rows(
                "SELECT users.id, path, CAST(kind AS TEXT), CAST(number AS TEXT), text, CAST(digest AS TEXT) \
                 FROM user_leaves JOIN users ON users.key = user_leaves.user",
                6,
            )
            .await;
        let mut expected = Vec::new();
        let app = self.app.key;
        let found: Vec<UserId> = self.find(everyone()).await.into_iter().map(|view| view.user.id).collect();
        let users = self.store.read(move |tx| storage::users::by_ids(tx, app, &found.iter().collect()));
        let users: Result<Vec<StoredUser>, storage::Error> = users.await;
        for StoredUser { user, .. } in users.unwrap() {
            for leaf in model::leaf::of_user(&user) {
                let number = match leaf.number {
                    model::leaf::Numeric::Integer(number) => number.to_string(),
                    model::leaf::Numeric::Float(number) => number.to_string(),
                };
                let kind = leaf.kind.code(leaf.place).to_string();
                let user = user.id.to_string();
                expected.push(vec![user, leaf.path, kind, number, leaf.text, leaf.digest.to_string()]);
            }
        }
        stored.sort();
        expected.sort();
        assert_eq!(stored, expected);
    }
}

async fn an_upsert_creates_and_then_replaces(engine: Engine) {
    let stage = Stage::set(engine).await;
    let profile = Profile { custom: custom(json!({"color": "blue", "n": 1})), ..named("Alice") };
    let first = stage.upsert(vec![(id("alice"), profile), (id("bob"), named("Bob"))]).await.unwrap();
    assert_eq!((first.created, ids(&first.users)), (2, vec!["alice", "bob"]));
    stage.check_leaves().await;

    stage.store.clock().advance(5);
    let replacement = Profile { custom: custom(json!({"color": "red"})), ..Profile::default() };
    let second = stage.upsert(vec![(id("alice"), replacement), (id("carol"), named("Carol"))]).await.unwrap();
    assert_eq!(second.created, 1);
    let (before, after) = (&first.users[0].user, &second.users[0].user);
    assert_eq!((after.name.as_deref(), &after.custom), (None, &custom(json!({"color": "red"}))));
    assert_eq!(after.created_at, before.created_at);
    assert!(after.updated_at > before.updated_at);
    stage.check_leaves().await;
}

async fn creation_times_grow_with_keys_even_when_the_clock_goes_back(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["b", "a", "c"]).await;
    stage.store.clock().advance(-1_000_000);
    stage.create(&["z", "d"]).await;
    let found = stage.find(everyone()).await;
    assert_eq!(
        ids(&found),
        ["z", "d", "c", "b", "a"],
        "newest first, and the greater id first within a batch"
    );
    assert!(found.is_sorted_by(|newer, older| newer.user.created_at > older.user.created_at));
    assert!(found.iter().all(|view| view.user.updated_at == view.user.created_at));
}

async fn a_batch_is_all_or_nothing_and_the_first_error_counts(engine: Engine) {
    let stage = Stage::set(engine).await;
    let wrong = |role: &str| Profile { role: Some(role.to_owned()), ..Profile::default() };
    let batch = vec![(id("z"), named("Zoe")), (id("y"), wrong("captain")), (id("x"), wrong("pirate"))];
    let refused = stage.upsert(batch).await.unwrap_err().to_string();
    assert!(refused.starts_with("users.y.role: there is no role 'captain'"), "{refused}");
    assert_eq!(stage.find(everyone()).await, []);
    assert_eq!(stage.rows("SELECT event FROM log WHERE event <> 'app.created'", 1).await.len(), 0);
}

async fn a_batch_has_one_to_a_hundred_users(engine: Engine) {
    let stage = Stage::set(engine).await;
    let batch =
        |users: usize| (0..users).map(|number| (id(&format!("u{number}")), Profile::default())).collect();
    for users in [0, 101] {
        let refused = stage.upsert(batch(users)).await.unwrap_err().to_string();
        assert_eq!(refused, format!("users: must hold 1 to 100 users, holds {users}"));
    }
    assert_eq!(stage.upsert(batch(100)).await.unwrap().created, 100);
    let refused = stage.patch(Vec::new()).await.unwrap_err().to_string();
    assert_eq!(refused, "users: must hold 1 to 100 users, holds 0");
}

async fn apps_do_not_see_each_other(engine: Engine) {
    let stage = Stage::set(engine).await;
    let other = stage.another_app("other").await;
    stage.create(&["alice"]).await;
    let ctx = server(&stage.store, &other, Action::UpdateUser);
    let theirs = vec![(id("alice"), named("Another Alice"))];
    let created = stage.store.write(move |tx| users::upsert(tx, &ctx, &theirs.clone().into())).await.unwrap();
    assert_eq!(created.created, 1);
    assert_eq!(stage.find(everyone()).await[0].user.name, None);
    let ctx = server(&stage.store, &other, Action::SearchUser);
    let found = stage.store.read(move |tx| users::query(tx, &ctx, &everyone())).await.unwrap();
    assert_eq!((found.len(), found[0].user.name.as_deref()), (1, Some("Another Alice")));
}

async fn the_reset_setting_replaces_everything(engine: Engine) {
    let stage = Stage::set(engine).await;
    let admin =
        Profile { role: Some("admin".to_owned()), language: Some("en".to_owned()), ..Profile::default() };
    stage.upsert(vec![(id("alice"), admin)]).await.unwrap();
    assert_eq!(stage.create(&["alice"]).await[0].user.role, "admin");
    let stage = stage.with_settings(AppSettings { absent: Absent::Reset, ..AppSettings::default() }).await;
    let reset = &stage.create(&["alice"]).await[0].user;
    assert_eq!((reset.role.as_str(), reset.language.as_str()), ("user", ""));
}

async fn patches_change_what_they_name(engine: Engine) {
    let stage = Stage::set(engine).await;
    let profile =
        Profile { custom: custom(json!({"color": "blue", "deep": {"a": 1, "b": 2}})), ..named("Alice") };
    stage.upsert(vec![(id("alice"), profile)]).await.unwrap();
    let path = |text: &str| CustomPath::parse(text).unwrap();
    let set = vec![Assignment::Custom(path("new-field"), json!("value"))];
    let unset = vec![Field::Name, Field::Custom(path("deep.a"))];
    let patched = stage.patch(vec![patch("alice", set, unset)]).await.unwrap();
    assert_eq!(patched[0].user.name, None);
    assert_eq!(
        patched[0].user.custom,
        custom(json!({"color": "blue", "deep": {"b": 2}, "new-field": "value"}))
    );
    stage.check_leaves().await;
}

async fn two_patches_of_one_user_follow_each_other(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    let one = patch("alice", vec![Assignment::Name(Some("A".to_owned()))], Vec::new());
    let two = patch("alice", vec![Assignment::Image(Some("B".to_owned()))], Vec::new());
    let patched = stage.patch(vec![one, two]).await.unwrap();
    let user = &patched[0].user;
    assert_eq!((patched.len(), user.name.as_deref(), user.image.as_deref()), (1, Some("A"), Some("B")));
}

async fn a_patch_never_creates(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    let batch = vec![
        patch("alice", vec![Assignment::Name(Some("A".to_owned()))], Vec::new()),
        patch("nobody", Vec::new(), vec![Field::Name]),
    ];
    let refused = stage.patch(batch).await.unwrap_err();
    assert!(matches!(refused, Error::NoUser(user) if user == id("nobody")));
    let found = stage.find(everyone()).await;
    assert_eq!(
        (ids(&found), found[0].user.name.as_deref()),
        (vec!["alice"], None),
        "the batch was refused whole"
    );
}

async fn deactivation_hides_and_reactivation_shows(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    let deactivated = stage.deactivate("alice").await.unwrap().user;
    assert_eq!(deactivated.deactivated_at, Some(deactivated.updated_at));
    assert_eq!(ids(&stage.find(everyone()).await), ["bob"]);
    let all = UserQuery { include_deactivated: true, ..everyone() };
    assert_eq!(ids(&stage.find(all).await), ["bob", "alice"]);

    let kept = stage.upsert(vec![(id("alice"), named("Alice"))]).await.unwrap().users;
    assert!(kept[0].user.deactivated_at.is_some(), "an upsert does not reactivate (semantics 2.13)");

    let back = stage.reactivate("alice", Some("Alice B.")).await.unwrap().user;
    assert_eq!((back.deactivated_at, back.name.as_deref()), (None, Some("Alice B.")));
    assert_eq!(ids(&stage.find(everyone()).await), ["bob", "alice"]);
}

async fn deactivation_refuses_what_makes_no_sense(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    let refused = |answer: Result<UserView, Error>| answer.unwrap_err().to_string();
    assert_eq!(refused(stage.deactivate("nobody").await), "the user nobody does not exist");
    assert_eq!(refused(stage.reactivate("alice", None).await), "user with id 'alice' is not deactivated");
    stage.deactivate("alice").await.unwrap();
    assert_eq!(refused(stage.deactivate("alice").await), "user with id 'alice' is already deactivated");
    let long = "x".repeat(6000);
    let too_long = refused(stage.reactivate("alice", Some(&long)).await);
    assert!(too_long.starts_with("name: name, image and custom data may have 5120 bytes"), "{too_long}");
    let unknown =
        Deactivate { id: id("alice"), created_by: Some(id("nobody")), content: UserContent::default() };
    let answer = stage.write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate(tx, ctx, &unknown));
    assert_eq!(refused(answer.await), "the user nobody does not exist");
}

async fn a_deleted_user_is_gone_for_every_operation(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    stage.delete("alice").await;
    let gone = "the user alice was deleted";
    let profile = vec![(id("alice"), Profile::default())];
    assert_eq!(stage.upsert(profile).await.unwrap_err().to_string(), gone);
    let name = patch("alice", Vec::new(), vec![Field::Name]);
    assert_eq!(stage.patch(vec![name]).await.unwrap_err().to_string(), gone);
    assert_eq!(stage.deactivate("alice").await.unwrap_err().to_string(), gone);
    assert_eq!(stage.reactivate("alice", None).await.unwrap_err().to_string(), gone);
    let all = UserQuery { include_deactivated: true, ..everyone() };
    assert_eq!(stage.find(all).await, []);
}

async fn queries_page_in_the_default_order(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["a", "b", "c", "d", "e"]).await;
    let find = async |filter: Filter, limit, offset| {
        let query = UserQuery { filter, page: Page::new(Some(limit), Some(offset)).unwrap(), ..everyone() };
        ids(&stage.find(query).await).join("")
    };
    let some = |text: &str| {
        Filter::Is(Test::Among(TextField::Id, text.chars().map(|letter| letter.to_string()).collect()))
    };
    assert_eq!(find(Filter::everybody(), 2, 1).await, "dc");
    assert_eq!(find(Filter::everybody(), 100, 4).await, "a");
    assert_eq!(find(Filter::everybody(), 0, 0).await, "");
    assert_eq!(find(some("bdx"), 30, 0).await, "db");
    assert_eq!(find(some("abc"), 2, 1).await, "ba");
    assert_eq!(find(some("aaa"), 30, 0).await, "a");
    assert_eq!(find(some(""), 30, 0).await, "");
}

async fn words_are_found_under_the_mark_of_their_app_and_field(engine: Engine) {
    let stage = Stage::set(engine).await;
    let profile = Profile { custom: custom(json!({"username": "zed"})), ..named("Zoë Ångström") };
    stage.upsert(vec![(id("alice-1"), profile), (id("bob"), named("Bob"))]).await.unwrap();
    let matching = async |field, word: &str| {
        let test = Test::Words(field, WordMatch::Prefix, vec![word.to_owned()]);
        let found = stage.find(UserQuery { filter: Filter::Is(test), ..everyone() }).await;
        found.into_iter().map(|view| view.user.id.to_string()).collect::<Vec<_>>()
    };
    use model::words::WordField;
    assert_eq!(matching(WordField::Name, "zo").await, ["alice-1"]);
    assert_eq!(matching(WordField::Name, "ang").await, ["alice-1"]);
    assert_eq!(matching(WordField::Username, "z").await, ["alice-1"]);
    assert_eq!(matching(WordField::Id, "zo").await, [""; 0]);
    stage.upsert(vec![(id("alice-1"), named("Eve"))]).await.unwrap();
    assert_eq!(matching(WordField::Name, "zo").await, [""; 0], "old words go");
    assert_eq!(matching(WordField::Name, "e").await, ["alice-1"]);
}

async fn statements_are_few_whatever_the_batch(engine: Engine) {
    let stage = Stage::set(engine).await;
    let batch = |users: usize, color: &str| -> Vec<(UserId, Profile)> {
        let profile = |number| Profile { custom: custom(json!({"color": color, "n": number})), ..named("A") };
        (0..users).map(|number| (id(&format!("u{number}")), profile(number))).collect()
    };
    // Of a batch, some users may be new, some have other words and some the same.
    for (users, color, most) in [(1, "blue", 4), (1, "red", 4), (100, "green", 6), (100, "white", 6)] {
        let profiles = batch(users, color);
        let upsert = move |tx: &mut Tx<'_>, ctx: &Ctx| users::upsert(tx, ctx, &profiles.clone().into());
        let (_, statements) = stage.counted(Action::UpdateUser, upsert).await.unwrap();
        // Where others write at the same time, the settings of the app are locked.
        let most = most + u32::from(engine == Engine::Postgres);
        assert!(statements <= most, "{statements} statements for {users} users");
    }
    let query = |tx: &mut Tx<'_>, ctx: &Ctx| users::query(tx, ctx, &everyone());
    let (found, statements) = stage.counted(Action::SearchUser, query).await.unwrap();
    assert_eq!(found.len(), 100);
    assert!(statements <= 6, "{statements} statements");
}

async fn an_operation_asks_for_the_action_that_its_route_declares(engine: Engine) {
    let stage = Stage::set(engine).await;
    let profiles = vec![(id("alice"), Profile::default())];
    let mistaken = stage
        .write(Action::SearchUser, move |tx, ctx| users::upsert(tx, ctx, &profiles.clone().into()))
        .await;
    assert!(matches!(mistaken, Err(Error::Undeclared { .. })));
    let stored: BTreeSet<String> =
        ids(&stage.find(everyone()).await).into_iter().map(str::to_owned).collect();
    assert_eq!(stored, BTreeSet::new());
}

#[tokio::test]
async fn the_full_text_index_gathers_what_a_transaction_writes() {
    let stage = Stage::set(Engine::Sqlite).await;
    stage.create(&["alice", "bob"]).await;
    let upsert = |tx: &mut Tx<'_>, ctx: &Ctx| {
        let pieces = |tx: &mut Tx<'_>| {
            tx.query(Sql::new("SELECT COUNT(*) FROM user_words_data"), &[], |row| row.integer(0))
        };
        let before = pieces(tx)?;
        for (users, color) in
            [(["carol", "dave"], "blue"), (["alice", "erin"], "red"), (["bob", "frank"], "red")]
        {
            let profile = Profile { custom: custom(json!({"color": color})), ..Profile::default() };
            let profiles = users.map(|user| (id(user), profile.clone())).to_vec();
            users::upsert(tx, ctx, &profiles.into())?;
        }
        Ok((before, pieces(tx)?))
    };
    let (before, after) = stage.write(Action::UpdateUser, upsert).await.unwrap();
    // A statement that may have to be undone alone would have made the index write a piece for each user before it.
    assert_eq!(before, after);
}

on_each_engine!(
    an_upsert_creates_and_then_replaces,
    creation_times_grow_with_keys_even_when_the_clock_goes_back,
    a_batch_is_all_or_nothing_and_the_first_error_counts,
    a_batch_has_one_to_a_hundred_users,
    apps_do_not_see_each_other,
    the_reset_setting_replaces_everything,
    patches_change_what_they_name,
    two_patches_of_one_user_follow_each_other,
    a_patch_never_creates,
    deactivation_hides_and_reactivation_shows,
    deactivation_refuses_what_makes_no_sense,
    a_deleted_user_is_gone_for_every_operation,
    queries_page_in_the_default_order,
    words_are_found_under_the_mark_of_their_app_and_field,
    statements_are_few_whatever_the_batch,
    an_operation_asks_for_the_action_that_its_route_declares,
);
