//! Groups of users: made, found, changed, their teams; `members` is about who is in them.

mod members;

use headwater_operations::user_groups::{self, AddMembers, Create, Named};
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, GroupOrder, Timestamp, UserGroup, UserGroupPage, UserGroupPatch, UserGroupView, folded_name,
};
use storage::Tx;

use crate::stage::{Stage, id, server};

const READ: Action = Action::ReadUserGroups;
const MANAGE: Action = Action::ManageUserGroups;

impl Stage {
    async fn group(&self, who: &str, command: Create) -> Result<UserGroupView, Error> {
        self.act(who, MANAGE, move |tx, ctx| user_groups::create(tx, ctx, &command)).await
    }

    async fn groups(&self, names: &[&str]) {
        for name in names {
            self.group("", command(name, name)).await.unwrap();
            self.store.clock().advance(1);
        }
    }

    async fn read_group(&self, who: &str, named: Named) -> Result<UserGroupView, Error> {
        self.act(who, READ, move |tx, ctx| user_groups::get(tx, ctx, &named)).await
    }

    async fn update_group(&self, who: &str, named: Named, patch: UserGroupPatch) -> Result<UserGroup, Error> {
        let update = self.act(who, MANAGE, move |tx, ctx| user_groups::update(tx, ctx, &named, &patch));
        Ok(update.await?.group)
    }

    async fn drop_group(&self, who: &str, named: Named) -> Result<(), Error> {
        self.act(who, MANAGE, move |tx, ctx| user_groups::delete(tx, ctx, &named)).await
    }

    async fn add(
        &self,
        who: &str,
        group: Named,
        members: &[&str],
        as_admin: bool,
    ) -> Result<Vec<String>, Error> {
        let members = members.iter().map(|member| id(member)).collect();
        let command = AddMembers { group, members, as_admin };
        let added = self.act(who, MANAGE, move |tx, ctx| user_groups::add_members(tx, ctx, &command));
        Ok(names(&added.await?))
    }

    async fn remove(&self, who: &str, group: Named, members: &[&str]) -> Result<Vec<String>, Error> {
        let members: Vec<_> = members.iter().map(|member| id(member)).collect();
        let removed =
            self.act(who, MANAGE, move |tx, ctx| user_groups::remove_members(tx, ctx, &group, &members));
        Ok(names(&removed.await?))
    }

    async fn paged(&self, who: &str, page: UserGroupPage) -> Result<Vec<String>, Error> {
        let found = self.act(who, READ, move |tx, ctx| user_groups::list(tx, ctx, &page)).await?;
        Ok(found.into_iter().map(|group| group.id).collect())
    }

    /// The events of groups in the log, each without what comes before its members.
    async fn group_events(&self) -> Vec<String> {
        let rows =
            self.rows("SELECT event, payload FROM log WHERE event LIKE 'user_group.%' ORDER BY sequence", 2);
        let short = |row: &Vec<String>| {
            let event = row[0].trim_start_matches("user_group.");
            row[1]
                .split_once(r#","members":"#)
                .map_or(event.to_owned(), |(_, rest)| format!("{event} {rest}"))
        };
        rows.await.iter().map(short).collect()
    }
}

/// Who is in a group, admins with a star.
fn names(view: &UserGroupView) -> Vec<String> {
    let name =
        |member: &model::GroupMember| format!("{}{}", member.user, if member.is_admin { "*" } else { "" });
    view.members.iter().map(name).collect()
}

fn command(group: &str, name: &str) -> Create {
    Create {
        id: Some(group.to_owned()),
        team: None,
        name: name.to_owned(),
        description: None,
        members: Vec::new(),
    }
}

fn in_team(group: &str, team: &str, members: &[&str]) -> Create {
    let members = members.iter().map(|member| id(member)).collect();
    Create { team: Some(team.to_owned()), members, ..command(group, group) }
}

fn named(group: &str) -> Named {
    Named { id: group.to_owned(), team: None }
}

fn named_in(group: &str, team: &str) -> Named {
    Named { id: group.to_owned(), team: Some(team.to_owned()) }
}

fn renamed(name: &str) -> UserGroupPatch {
    UserGroupPatch { name: Some(name.to_owned()), description: None }
}

fn list(limit: usize, after: Option<(Timestamp, Option<&str>)>) -> UserGroupPage {
    let order = GroupOrder::Creation(after.map(|(time, id)| (time, id.map(str::to_owned))));
    UserGroupPage { team: None, limit, order }
}

fn search(prefix: &str, limit: usize, after: Option<(&str, Option<&str>)>) -> UserGroupPage {
    let after = after.map(|(name, id)| (folded_name(name), id.map(str::to_owned)));
    UserGroupPage { team: None, limit, order: GroupOrder::Name { prefix: folded_name(prefix), after } }
}

async fn a_group_lives_until_it_is_deleted(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    let create = Create {
        description: Some("Pens".to_owned()),
        members: vec![id("bob"), id("alice"), id("bob")],
        ..command("design", "Design")
    };
    let made = stage.group("", create).await.unwrap();
    assert_eq!(
        (names(&made), made.group.created_by.clone()),
        (vec!["alice".to_owned(), "bob".to_owned()], None)
    );
    assert_eq!(made.group.description.as_deref(), Some("Pens"));
    assert_eq!(stage.named_last().await, ["alice", "bob"]);
    stage.store.clock().advance(5);
    let changed = stage.update_group("", named("design"), renamed("Drawing")).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.updated_at), ("Drawing", stage.ctx(READ).now));
    stage.store.clock().advance(5);
    let again = stage.update_group("", named("design"), renamed("Drawing")).await.unwrap();
    assert_eq!(again, changed, "what changes nothing is no change");
    let read = stage.read_group("", named("design")).await.unwrap();
    assert_eq!((read.group, read.members), (changed, made.members));
    stage.drop_group("", named("design")).await.unwrap();
    let refused = stage.read_group("", named("design")).await.unwrap_err().to_string();
    assert_eq!(refused, "the user group 'design' does not exist");
    assert_eq!(stage.rows("SELECT CAST(\"user\" AS TEXT) FROM user_group_members", 1).await.len(), 0);
    assert_eq!(stage.group_events().await, [r#"created ["alice","bob"]}"#, "updated", "deleted"]);
    // Whoever was in the one before is not in the next one.
    assert_eq!(names(&stage.group("", command("design", "Design")).await.unwrap()), [""; 0]);
}

async fn a_group_without_an_id_gets_one(engine: Engine) {
    let stage = Stage::set(engine).await;
    let made = stage.group("", Create { id: None, ..command("", "Design") }).await.unwrap().group.id;
    assert_eq!((made.len(), &made[14..15], &made[..13]), (36, "7", "018cc251-f400"), "{made}");
    assert_eq!(stage.read_group("", named(&made)).await.unwrap().group.name, "Design");
}

async fn what_is_not_right_makes_no_group(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    stage.groups(&["design"]).await;
    let many: Vec<String> = (0..13).map(|number| format!("user-{number:02}")).collect();
    let members = |names: &[&str]| Create {
        members: names.iter().map(|name| id(name)).collect(),
        ..command("new", "New")
    };
    for (create, why) in [
        (command("design", "D"), "id: the user group 'design' exists; choose another id"),
        (command("search", "D"), "id: 'search' is the name of a path; choose another id"),
        (command("new", ""), "name: must have 1 to 255 characters that are not all blank, has 0"),
        (members(&["alice", "nobody"]), "member_ids: there are no users 'nobody'; every member must exist"),
        (
            members(&many.iter().map(String::as_str).collect::<Vec<_>>()),
            "member_ids: there are no users 'user-00', 'user-01', 'user-02', 'user-03', 'user-04', 'user-05', 'user-06', \
             'user-07', 'user-08', 'user-09' and 3 more; every member must exist",
        ),
        (members(&["alice"; 101]), "member_ids: at most 100 users in one request, got 101"),
        (
            Create { team: Some("x".repeat(256)), ..command("new", "New") },
            "team_id: the name of a team has 1 to 255 bytes",
        ),
    ] {
        assert_eq!(stage.group("", create).await.unwrap_err().to_string(), why);
    }
    let refused = stage.update_group("", named("design"), renamed(" ")).await.unwrap_err().to_string();
    assert_eq!(refused, "name: must have 1 to 255 characters that are not all blank, has 1");
    assert_eq!(stage.paged("", list(100, None)).await.unwrap(), ["design"]);
    let other = stage.another_app("other").await;
    let ctx = server(&stage.store, &other, READ);
    let foreign = stage.store.read(move |tx| user_groups::get(tx, &ctx, &named("design"))).await;
    assert!(matches!(foreign, Err(Error::NoUserGroup(_))));
}

async fn an_app_has_at_most_ten_thousand_groups(engine: Engine) {
    let stage = Stage::set(engine).await;
    let app = stage.app.key;
    let fill = move |tx: &mut Tx<'_>, ctx: &Ctx| {
        let made = (0..10_000).try_for_each(|number| {
            let group = UserGroup {
                id: format!("group-{number}"),
                team: None,
                name: "Group".to_owned(),
                description: None,
                created_by: None,
                created_at: ctx.now,
                updated_at: ctx.now,
            };
            storage::user_groups::insert(tx, app, &group, None).map(drop)
        });
        Ok(made?)
    };
    stage.act("", MANAGE, fill).await.unwrap();
    let refused = stage.group("", command("one-more", "D")).await.unwrap_err().to_string();
    assert_eq!(refused, "id: the app has 10000 user groups, which is the most; delete one first");
    stage.drop_group("", named("group-7")).await.unwrap();
    stage.group("", command("one-more", "D")).await.unwrap();
}

async fn groups_are_listed_in_pages(engine: Engine) {
    let stage = Stage::set(engine).await;
    let start = stage.ctx(READ).now;
    stage.groups(&["c", "a"]).await;
    stage.group("", command("z", "z")).await.unwrap();
    stage.group("", command("b", "b")).await.unwrap();
    assert_eq!(stage.paged("", list(100, None)).await.unwrap(), ["c", "a", "b", "z"]);
    assert_eq!(stage.paged("", list(2, None)).await.unwrap(), ["c", "a"]);
    let at = |nanoseconds| Timestamp::from_nanoseconds(start.nanoseconds() + nanoseconds);
    assert_eq!(stage.paged("", list(2, Some((at(1), Some("a"))))).await.unwrap(), ["b", "z"]);
    assert_eq!(stage.paged("", list(2, Some((at(2), Some("b"))))).await.unwrap(), ["z"]);
    assert_eq!(stage.paged("", list(9, Some((at(0), None)))).await.unwrap(), ["a", "b", "z"]);
    assert_eq!(stage.paged("", list(9, Some((at(2), None)))).await.unwrap(), [""; 0]);
    for limit in [0, 101] {
        let refused = stage.paged("", list(limit, None)).await.unwrap_err().to_string();
        assert_eq!(refused, format!("limit: must be 1 to 100, got {limit}"));
    }
}

async fn groups_are_found_by_the_beginning_of_their_name(engine: Engine) {
    let stage = Stage::set(engine).await;
    for (group, name) in [("3", "Desk"), ("1", "Design"), ("2", "désign"), ("4", "In Design"), ("5", "D")] {
        stage.group("", command(group, name)).await.unwrap();
    }
    assert_eq!(stage.paged("", search("DE", 30, None)).await.unwrap(), ["1", "2", "3"]);
    assert_eq!(stage.paged("", search("design", 30, None)).await.unwrap(), ["1", "2"]);
    assert_eq!(stage.paged("", search("d", 1, None)).await.unwrap(), ["5"]);
    assert_eq!(stage.paged("", search("d", 2, Some(("D", Some("5"))))).await.unwrap(), ["1", "2"]);
    assert_eq!(stage.paged("", search("d", 2, Some(("Design", Some("1"))))).await.unwrap(), ["2", "3"]);
    assert_eq!(stage.paged("", search("d", 2, Some(("Design", None)))).await.unwrap(), ["3"]);
    assert_eq!(stage.paged("", search("e", 2, Some(("D", None)))).await.unwrap(), [""; 0]);
    stage.update_group("", named("4"), renamed("Designers")).await.unwrap();
    assert_eq!(stage.paged("", search("desi", 30, None)).await.unwrap(), ["1", "2", "4"]);
}

async fn users_reach_the_groups_of_their_teams(engine: Engine) {
    let stage = Stage::set_with_teams(engine).await;
    let refused = stage.group("", command("new", "New")).await.unwrap_err().to_string();
    let why = "is required in an app with teams: the team whose group it is to be";
    assert_eq!(refused, format!("team_id: {why}"));
    let made = stage.group("bob", in_team("reds", "red", &["uwe", "ann"])).await.unwrap();
    assert_eq!(made.group.created_by, Some(id("bob")));
    stage.store.clock().advance(1);
    stage.group("gus", in_team("greens", "green", &[])).await.unwrap();
    stage.store.clock().advance(1);
    stage.group("", in_team("blues", "blue", &["zoe"])).await.unwrap();
    for (who, team, seen) in [
        ("", None, vec!["reds", "greens", "blues"]),
        ("gus", None, vec!["reds", "greens", "blues"]),
        ("ann", None, vec!["reds", "blues"]),
        ("ann", Some("blue"), vec!["blues"]),
        ("uwe", None, vec!["reds"]),
        ("ada", None, vec![]),
    ] {
        let in_team = |page: UserGroupPage| UserGroupPage { team: team.map(str::to_owned), ..page };
        assert_eq!(stage.paged(who, in_team(list(30, None))).await.unwrap(), seen, "{who} {team:?}");
        let mut by_name = seen.clone();
        by_name.sort_unstable();
        assert_eq!(stage.paged(who, in_team(search("", 30, None))).await.unwrap(), by_name, "{who} {team:?}");
    }
    assert_eq!(stage.paged("ann", list(1, None)).await.unwrap(), ["reds"]);
    let foreign = UserGroupPage { team: Some("green".to_owned()), ..list(30, None) };
    assert!(matches!(stage.paged("uwe", foreign).await, Err(Error::Denied(_))));

    // What is out of reach does not exist, for reading and for writing.
    let missing = |refused: Error, group: &str| {
        assert_eq!(refused.to_string(), format!("the user group '{group}' does not exist"));
    };
    for group in ["blues", "nothing"] {
        missing(stage.read_group("uwe", named(group)).await.unwrap_err(), group);
        missing(stage.update_group("bob", named(group), renamed("B")).await.unwrap_err(), group);
        missing(stage.drop_group("bob", named(group)).await.unwrap_err(), group);
        missing(stage.add("bob", named(group), &["uwe"], false).await.unwrap_err(), group);
        missing(stage.remove("bob", named(group), &["uwe"]).await.unwrap_err(), group);
    }
    missing(stage.read_group("", named_in("blues", "red")).await.unwrap_err(), "blues");
    assert_eq!(names(&stage.read_group("zoe", named_in("blues", "blue")).await.unwrap()), ["zoe"]);

    // So does a user of another team, also for a server.
    for (who, user) in [("bob", "zoe"), ("bob", "nobody"), ("", "zoe"), ("gus", "ada")] {
        let refused = stage.add(who, named("reds"), &[user], false).await.unwrap_err().to_string();
        assert_eq!(refused, format!("member_ids: there are no users '{user}'; every member must exist"));
    }
    for (who, create) in [
        ("bob", in_team("new", "blue", &[])),
        ("uwe", in_team("new", "red", &[])),
        ("mia", in_team("new", "red", &[])),
    ] {
        assert!(matches!(stage.group(who, create).await, Err(Error::Denied(_))), "{who}");
    }
    assert_eq!(stage.remove("ann", named_in("reds", "red"), &["uwe"]).await.unwrap(), ["ann"]);
    assert_eq!(
        stage.named_last().await,
        ["ann", "bob", "uwe"],
        "who did it, who made the group, who is gone"
    );
}

async fn statements_do_not_grow(engine: Engine) {
    let stage = Stage::set(engine).await;
    let every: Vec<String> = (0..100).map(|number| format!("user-{number}")).collect();
    stage.create(&every.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let locks = u32::from(engine == Engine::Postgres);
    for (group, most) in [("one", 1), ("many", 100)] {
        let members: Vec<_> = every.iter().take(most).map(|user| id(user)).collect();
        let create = Create { members: members.clone(), ..command(group, group) };
        let create = move |tx: &mut Tx<'_>, ctx: &Ctx| user_groups::create(tx, ctx, &create);
        // Users, census, group, members, two for the log, members again.
        assert_eq!(stage.counted(MANAGE, create).await.unwrap().1, 7 + locks);
        let add = AddMembers { group: named(group), members: members.clone(), as_admin: true };
        let add = move |tx: &mut Tx<'_>, ctx: &Ctx| user_groups::add_members(tx, ctx, &add);
        assert_eq!(stage.counted(MANAGE, add).await.unwrap().1, 7);
        let get = move |tx: &mut Tx<'_>, ctx: &Ctx| user_groups::get(tx, ctx, &named(group));
        assert_eq!(stage.counted(READ, get).await.unwrap().1, 2);
        let update =
            move |tx: &mut Tx<'_>, ctx: &Ctx| user_groups::update(tx, ctx, &named(group), &renamed("Else"));
        assert_eq!(stage.counted(MANAGE, update).await.unwrap().1, 4);
        let remove =
            move |tx: &mut Tx<'_>, ctx: &Ctx| user_groups::remove_members(tx, ctx, &named(group), &members);
        assert_eq!(stage.counted(MANAGE, remove).await.unwrap().1, 6);
        let list = |tx: &mut Tx<'_>, ctx: &Ctx| user_groups::list(tx, ctx, &list(30, None));
        assert_eq!(stage.counted(READ, list).await.unwrap().1, 2);
    }
    let delete = |tx: &mut Tx<'_>, ctx: &Ctx| user_groups::delete(tx, ctx, &named("many"));
    assert_eq!(stage.counted(MANAGE, delete).await.unwrap().1, 3);
}

on_each_engine!(
    a_group_lives_until_it_is_deleted,
    a_group_without_an_id_gets_one,
    what_is_not_right_makes_no_group,
    an_app_has_at_most_ten_thousand_groups,
    groups_are_listed_in_pages,
    groups_are_found_by_the_beginning_of_their_name,
    users_reach_the_groups_of_their_teams,
    statements_do_not_grow,
);
