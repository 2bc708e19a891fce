//! Lists of words: made, read, changed and deleted, in the whole app and in teams.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_operations::block_lists::{self, Create, Named, Update};
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, AppSettings, Bearer, BlockList, BlockListKind, BlockListPage, BlockListPatch, BlockListPlace,
    Caller, Profile, TokenAccess, WordCheck, Words,
};
use serde_json::json;
use storage::Tx;

use crate::stage::{Stage, id, server};

const READ: Action = Action::ReadBlockLists;
const MANAGE: Action = Action::ManageBlockLists;

impl Stage {
    /// Runs an operation as the user `who`, or as a server for nobody.
    pub(crate) async fn act<T: Send + 'static>(
        &self,
        who: &str,
        action: Action,
        operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let mut ctx = self.ctx(action);
        if !who.is_empty() {
            ctx.caller = Caller::User(Arc::new(Bearer {
                app: Arc::clone(&self.app),
                id: id(who),
                has_token: true,
                issued_at: None,
                access: TokenAccess::default(),
            }));
        }
        self.store.write(move |tx| operation(tx, &ctx)).await
    }

    /// A stage whose app has teams: `ann` is an admin in red and blue, `bob` in red, `gus` everywhere, `mia` a moderator in
    /// red; `uwe` is a user in red, `zoe` one in blue, `ada` an admin in no team.
    pub(crate) async fn set_with_teams(engine: Engine) -> Self {
        let mut settings = AppSettings::default();
        settings.kept.insert("multi_tenant_enabled".to_owned(), json!(true));
        let stage = Self::set(engine).await.with_settings(settings).await;
        stage
            .people(&[
                ("ann", "admin", &["red", "blue"]),
                ("bob", "admin", &["red"]),
                ("gus", "global_admin", &[]),
                ("mia", "moderator", &["red"]),
                ("uwe", "user", &["red"]),
                ("zoe", "user", &["blue"]),
                ("ada", "admin", &[]),
            ])
            .await;
        stage
    }

    pub(crate) async fn people(&self, people: &[(&str, &str, &[&str])]) {
        let profile = |role: &str, teams: &[&str]| Profile {
            role: Some(role.to_owned()),
            teams: Some(teams.iter().map(|team| (*team).to_owned()).collect()),
            ..Profile::default()
        };
        let profiles = people.iter().map(|(name, role, teams)| (id(name), profile(role, teams)));
        self.upsert(profiles.collect()).await.unwrap();
    }

    /// Whom the last row of the log names.
    pub(crate) async fn named_last(&self) -> Vec<String> {
        let named = self.rows(
            "SELECT id FROM log_person JOIN users ON users.key = log_person.\"user\" \
             WHERE log = (SELECT MAX(sequence) FROM log) ORDER BY id",
            1,
        );
        named.await.into_iter().map(|mut row| row.remove(0)).collect()
    }

    async fn make(&self, who: &str, team: &str, name: &str) -> Result<BlockList, Error> {
        let command = command(team, name, &["one"]);
        self.act(who, MANAGE, move |tx, ctx| block_lists::create(tx, ctx, &command)).await
    }

    async fn read_list(&self, who: &str, team: &str, name: &str) -> Result<BlockList, Error> {
        let named = named(team, name);
        self.act(who, READ, move |tx, ctx| block_lists::get(tx, ctx, &named)).await
    }

    async fn change(&self, who: &str, list: Named, patch: BlockListPatch) -> Result<BlockList, Error> {
        let command = Update { list, patch, by: None };
        self.act(who, MANAGE, move |tx, ctx| block_lists::update(tx, ctx, &command)).await
    }

    async fn drop_list(&self, who: &str, team: &str, name: &str) -> Result<(), Error> {
        let named = named(team, name);
        self.act(who, MANAGE, move |tx, ctx| block_lists::delete(tx, ctx, &named, None)).await
    }

    /// The lists that `who` sees as team and name, and whether there are more.
    async fn listed(&self, who: &str, page: BlockListPage) -> Result<(Vec<String>, bool), Error> {
        let read = self.act(who, READ, move |tx, ctx| block_lists::list(tx, ctx, &page));
        let (lists, has_more) = read.await?;
        let name = |list: &BlockList| format!("{}/{}", list.team.as_deref().unwrap_or_default(), list.name);
        Ok((lists.iter().map(name).collect(), has_more))
    }
}

fn words(words: &[&str]) -> Words {
    Words::parse(words.iter().map(|word| (*word).to_owned()).collect()).unwrap()
}

fn team_of(team: &str) -> Option<String> {
    Some(team.to_owned()).filter(|team| !team.is_empty())
}

fn command(team: &str, name: &str, given: &[&str]) -> Create {
    Create {
        name: name.to_owned(),
        team: team_of(team),
        kind: BlockListKind::Word,
        words: words(given),
        checks: BTreeSet::new(),
        by: None,
    }
}

fn named(team: &str, name: &str) -> Named {
    Named { name: name.to_owned(), team: team_of(team) }
}

fn page(team: &str, limit: usize) -> BlockListPage {
    BlockListPage { team: team_of(team), after: None, limit }
}

fn after(team: &str, name: &str, limit: usize) -> BlockListPage {
    let place = BlockListPlace { team: team.to_owned(), name: name.to_owned() };
    BlockListPage { team: None, after: Some(place), limit }
}

async fn a_list_lives_until_it_is_deleted(engine: Engine) {
    let stage = Stage::set(engine).await;
    let checks = BTreeSet::from([WordCheck::Leet]);
    let create = Create { kind: BlockListKind::Regex, checks, ..command("", "rude", &["a", "b", "a"]) };
    let made = stage.act("", MANAGE, move |tx, ctx| block_lists::create(tx, ctx, &create)).await.unwrap();
    assert_eq!(
        (made.words.as_slice(), made.created_at),
        (words(&["a", "b"]).as_slice(), stage.ctx(READ).now)
    );
    assert_eq!(stage.read_list("", "", "rude").await.unwrap(), made);

    stage.store.clock().advance(5);
    let patch = BlockListPatch {
        words: Some(words(&["c", "d", "e", "f"])),
        checks: BTreeMap::from([(WordCheck::Leet, false), (WordCheck::Plurals, true)]),
    };
    let changed = stage.change("", named("", "rude"), patch.clone()).await.unwrap();
    assert_eq!((changed.words.as_slice().len(), changed.updated_at), (4, stage.ctx(READ).now));
    assert_eq!(
        (changed.kind, &changed.checks),
        (BlockListKind::Regex, &BTreeSet::from([WordCheck::Plurals]))
    );
    assert_eq!(stage.read_list("", "", "rude").await.unwrap(), changed);
    stage.store.clock().advance(5);
    let again = stage.change("", named("", "rude"), patch).await.unwrap();
    assert_eq!(again, changed, "what changes nothing is no change");

    stage.drop_list("", "", "rude").await.unwrap();
    for refused in [
        stage.drop_list("", "", "rude").await.unwrap_err(),
        stage.read_list("", "", "rude").await.unwrap_err(),
        stage.change("", named("", "rude"), BlockListPatch::default()).await.unwrap_err(),
    ] {
        assert_eq!(refused.to_string(), "the block list 'rude' does not exist");
    }
    let logged =
        stage.rows("SELECT payload FROM log WHERE event LIKE 'blocklist.%' ORDER BY sequence", 1).await;
    let payload =
        |what: &str| format!(r#"{{"v":1,"type":"blocklist.{what}","id":"{}","name":"rude"}}"#, made.id);
    let payloads: Vec<String> = logged.into_iter().map(|mut row| row.remove(0)).collect();
    assert_eq!(payloads, [payload("created"), payload("updated"), payload("deleted")]);
}

async fn a_name_is_taken_once_in_a_team(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.make("", "", "rude").await.unwrap();
    stage.make("", "red", "rude").await.unwrap();
    let refused = stage.make("", "red", "rude").await.unwrap_err().to_string();
    assert_eq!(refused, "name: the block list 'rude' exists; choose another name, or another team");
    let refused = stage.make("", "", "a\nb").await.unwrap_err().to_string();
    assert_eq!(refused, "name: must have no control characters");
    let refused = stage.make("", &"x".repeat(256), "rude").await.unwrap_err().to_string();
    assert_eq!(refused, "team: the name of a team has 1 to 255 bytes");
    assert_eq!(stage.listed("", page("", 100)).await.unwrap().0, ["/rude", "red/rude"]);
    assert_eq!(stage.read_list("", "red", "rude").await.unwrap().team.as_deref(), Some("red"));
    assert_eq!(stage.read_list("", "", "rude").await.unwrap().team, None);
    let other = stage.another_app("other").await;
    let (ctx, create) = (server(&stage.store, &other, MANAGE), command("", "rude", &[]));
    stage.store.write(move |tx| block_lists::create(tx, &ctx, &create)).await.unwrap();
}

async fn an_app_has_at_most_a_thousand_lists(engine: Engine) {
    let stage = Stage::set(engine).await;
    let fill = |tx: &mut Tx<'_>, ctx: &Ctx| {
        (0..1000).try_for_each(|number| {
            block_lists::create(tx, ctx, &command("", &format!("list-{number:04}"), &[])).map(drop)
        })
    };
    stage.act("", MANAGE, fill).await.unwrap();
    let refused = stage.make("", "red", "one-more").await.unwrap_err().to_string();
    assert_eq!(refused, "name: the app has 1000 block lists, which is the most; delete one first");
    stage.drop_list("", "", "list-0007").await.unwrap();
    stage.make("", "red", "one-more").await.unwrap();
}

async fn lists_are_read_in_pages(engine: Engine) {
    let stage = Stage::set(engine).await;
    for (team, name) in [("red", "a"), ("", "b"), ("", "a"), ("blue", "z")] {
        stage.make("", team, name).await.unwrap();
    }
    let found =
        |names: &[&str], more| (names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), more);
    assert_eq!(stage.listed("", page("", 3)).await.unwrap(), found(&["/a", "/b", "blue/z"], true));
    assert_eq!(stage.listed("", after("blue", "z", 3)).await.unwrap(), found(&["red/a"], false));
    assert!(!stage.listed("", page("", 4)).await.unwrap().1);
    assert_eq!(stage.listed("", page("red", 4)).await.unwrap(), found(&["red/a"], false));
    assert_eq!(stage.listed("", page("green", 4)).await.unwrap(), found(&[], false));
    for limit in [0, 101] {
        let refused = stage.listed("", page("", limit)).await.unwrap_err().to_string();
        assert_eq!(refused, format!("limit: must be 1 to 100, got {limit}"));
    }
}

async fn a_page_has_not_too_many_words(engine: Engine) {
    let stage = Stage::set(engine).await;
    for number in 0..18 {
        let word = "x".repeat(250 * 1024);
        let create = command("", &format!("list-{number:02}"), &[&word]);
        stage.act("", MANAGE, move |tx, ctx| block_lists::create(tx, ctx, &create)).await.unwrap();
    }
    let (first, more) = stage.listed("", page("", 100)).await.unwrap();
    assert_eq!((first.len(), more), (16, true));
    let (rest, more) = stage.listed("", after("", "list-15", 100)).await.unwrap();
    assert_eq!((rest.len(), more), (2, false));
}

async fn users_reach_the_lists_of_their_teams(engine: Engine) {
    let stage = Stage::set_with_teams(engine).await;
    for (who, team, name) in
        [("gus", "", "rude"), ("gus", "green", "rude"), ("bob", "red", "rude"), ("ann", "blue", "own")]
    {
        stage.make(who, team, name).await.unwrap();
    }
    for (who, team, seen) in [
        ("", "", vec!["/rude", "blue/own", "green/rude", "red/rude"]),
        ("gus", "", vec!["/rude", "blue/own", "green/rude", "red/rude"]),
        ("gus", "green", vec!["green/rude"]),
        ("ann", "", vec!["blue/own", "red/rude"]),
        ("ann", "blue", vec!["blue/own"]),
        ("bob", "", vec!["red/rude"]),
        ("mia", "", vec!["red/rude"]),
        ("ada", "", vec!["/rude"]),
    ] {
        assert_eq!(stage.listed(who, page(team, 100)).await.unwrap().0, seen, "{who} {team}");
    }
    let page = after("blue", "own", 1);
    assert_eq!(stage.listed("ann", page).await.unwrap(), (vec!["red/rude".to_owned()], false));

    // Another team is refused whether it has such a list or not.
    for team in ["green", "grey"] {
        let refused = stage.read_list("bob", team, "rude").await.unwrap_err();
        assert!(matches!(refused, Error::Denied(_)), "{refused}");
    }
    assert_eq!(stage.read_list("bob", "", "rude").await.unwrap().team.as_deref(), Some("red"));
    assert!(matches!(stage.read_list("bob", "", "own").await, Err(Error::NoBlockList(_))));
    stage.make("ann", "blue", "rude").await.unwrap();
    let refused = stage.drop_list("ann", "", "rude").await.unwrap_err().to_string();
    assert_eq!(refused, "team: several of your teams have a block list 'rude'; name the team");
    stage.drop_list("ann", "blue", "rude").await.unwrap();
    stage.drop_list("ann", "", "rude").await.unwrap();

    for (who, team) in [("bob", "blue"), ("bob", ""), ("mia", "red"), ("uwe", "red")] {
        let refused = stage.make(who, team, "mine").await.unwrap_err();
        assert!(matches!(refused, Error::Denied(_)), "{who}: {refused}");
    }
    let refused = stage.listed("uwe", self::page("", 100)).await.unwrap_err();
    assert!(matches!(refused, Error::Denied(_)), "{refused}");
}

async fn who_acts_is_logged(engine: Engine) {
    let stage = Stage::set_with_teams(engine).await;
    stage.make("bob", "red", "rude").await.unwrap();
    assert_eq!(stage.named_last().await, ["bob"]);
    let delete = |by: &'static str| {
        move |tx: &mut Tx<'_>, ctx: &Ctx| block_lists::delete(tx, ctx, &named("red", "rude"), Some(&id(by)))
    };
    let refused = stage.act("bob", MANAGE, delete("ann")).await.unwrap_err();
    assert!(matches!(refused, Error::NotOneself { .. }), "{refused}");
    let refused = stage.act("", MANAGE, delete("nobody")).await.unwrap_err();
    assert!(matches!(refused, Error::NoUser(_)), "{refused}");
    stage.act("", MANAGE, delete("ann")).await.unwrap();
    assert_eq!(stage.named_last().await, ["ann"]);
    let last =
        stage.rows("SELECT payload FROM log ORDER BY sequence DESC LIMIT 1", 1).await.remove(0).remove(0);
    assert!(last.ends_with(r#""name":"rude","team":"red","by":"ann"}"#), "{last}");
}

async fn statements_do_not_grow(engine: Engine) {
    let stage = Stage::set_with_teams(engine).await;
    let many: Vec<String> = (0..10_000).map(|number| format!("word-{number}")).collect();
    let locks = u32::from(engine == Engine::Postgres);
    for given in [vec!["one".to_owned()], many] {
        let words = Words::parse(given).unwrap();
        let create = Create { words: words.clone(), ..command("red", "rude", &[]) };
        let create = move |tx: &mut Tx<'_>, ctx: &Ctx| block_lists::create(tx, ctx, &create);
        assert_eq!(stage.counted(MANAGE, create).await.unwrap().1, 3 + locks);
        let patch = BlockListPatch { words: Some(self::words(&["two"])), ..BlockListPatch::default() };
        let update = Update { list: named("red", "rude"), patch, by: None };
        let update = move |tx: &mut Tx<'_>, ctx: &Ctx| block_lists::update(tx, ctx, &update);
        assert_eq!(stage.counted(MANAGE, update).await.unwrap().1, 3);
        let list = |tx: &mut Tx<'_>, ctx: &Ctx| block_lists::list(tx, ctx, &page("", 100));
        assert_eq!(stage.counted(READ, list).await.unwrap().1, 2);
        let ann =
            |tx: &mut Tx<'_>, ctx: &Ctx| block_lists::list(tx, ctx, &page("", 100)).map(|_| tx.statements());
        assert_eq!(stage.act("ann", READ, ann).await.unwrap(), 3 + locks);
        let get = |tx: &mut Tx<'_>, ctx: &Ctx| block_lists::get(tx, ctx, &named("red", "rude"));
        assert_eq!(stage.counted(READ, get).await.unwrap().1, 1);
        let delete = |tx: &mut Tx<'_>, ctx: &Ctx| {
            block_lists::delete(tx, ctx, &named("red", "rude"), Some(&id("ann")))
        };
        // Who acts is read, and named in the log.
        assert_eq!(stage.counted(MANAGE, delete).await.unwrap().1, 5);
    }
}

on_each_engine!(
    a_list_lives_until_it_is_deleted,
    a_name_is_taken_once_in_a_team,
    an_app_has_at_most_a_thousand_lists,
    lists_are_read_in_pages,
    a_page_has_not_too_many_words,
    users_reach_the_lists_of_their_teams,
    who_acts_is_logged,
    statements_do_not_grow,
);
