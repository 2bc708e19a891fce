//! Bans from the whole app: who may set them, what they keep a user from, when they end, and how they are found.

use std::sync::Arc;

use headwater_operations::{Ctx, Error, bans, lifecycle, users};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, AppSettings, Ban, BanField, BanQuery, BanRecord, Bearer, Caller, Cid, Criterion, Direction,
    Event, Filter, LetIn, MOST_BAN_MINUTES, Operation, Page, Profile, ShutOut, Sort, Test, TokenAccess,
    UserContent, UserQuery, filter,
};
use serde_json::json;
use storage::users::Change;

use crate::stage::{Stage, id, ids};

/// A minute, as the clock counts.
const MINUTE: i64 = 60_000_000_000;

/// A request of a user, by a token of its own.
pub(crate) fn by_user(stage: &Stage, user: &str, operation: Operation, action: Action) -> Ctx {
    let bearer = Bearer {
        app: Arc::clone(&stage.app),
        id: id(user),
        has_token: true,
        issued_at: None,
        access: TokenAccess::default(),
    };
    Ctx { caller: Caller::User(Arc::new(bearer)), operation, ..stage.ctx(action) }
}

/// An app with teams.
pub(crate) fn with_teams() -> AppSettings {
    let kept = json!({"multi_tenant_enabled": true}).as_object().cloned().unwrap();
    AppSettings { kept, ..AppSettings::default() }
}

/// A user with a role, in teams.
pub(crate) fn member(name: &str, role: &str, teams: &[&str]) -> (model::UserId, Profile) {
    let teams = Some(teams.iter().map(|&team| team.to_owned()).collect());
    (id(name), Profile { role: Some(role.to_owned()), teams, ..Profile::default() })
}

pub(crate) fn shut_out(target: &str) -> ShutOut {
    ShutOut {
        target: id(target),
        banned_by: None,
        channel: None,
        minutes: None,
        reason: None,
        shadow: false,
        ip_ban: false,
        delete_messages: None,
    }
}

pub(crate) fn let_in(target: &str) -> LetIn {
    LetIn { target: id(target), unbanned_by: None, channel: None }
}

pub(crate) fn everything() -> BanQuery {
    BanQuery {
        criteria: Vec::new(),
        exclude_expired: false,
        direction: Direction::Descending,
        page: Page::new(None, None).unwrap(),
    }
}

pub(crate) fn among(field: BanField, values: &[&str]) -> Criterion<BanField> {
    Criterion::Among(field, values.iter().map(|&value| value.to_owned()).collect())
}

pub(crate) fn people(records: &[BanRecord]) -> Vec<&str> {
    records.iter().map(|record| record.user.id.as_str()).collect()
}

impl Stage {
    pub(crate) async fn ban(&self, command: ShutOut) -> Result<(), Error> {
        self.write(Action::BanUser, move |tx, ctx| bans::ban(tx, ctx, &command)).await
    }

    pub(crate) async fn ban_by(&self, user: &str, command: ShutOut) -> Result<(), Error> {
        let ctx = by_user(self, user, Operation::Ban, Action::BanUser);
        self.store.write(move |tx| bans::ban(tx, &ctx, &command)).await
    }

    async fn unban(&self, command: LetIn) -> Result<(), Error> {
        self.write(Action::BanUser, move |tx, ctx| bans::unban(tx, ctx, &command)).await
    }

    pub(crate) async fn bans(&self, query: BanQuery) -> Vec<BanRecord> {
        let ctx = self.ctx(Action::BanUser);
        self.store.read(move |tx| bans::query(tx, &ctx, &query)).await.unwrap()
    }

    pub(crate) async fn bans_for(&self, user: &str, query: BanQuery) -> Result<Vec<BanRecord>, Error> {
        let ctx = by_user(self, user, Operation::QueryBannedUsers, Action::BanUser);
        self.store.read(move |tx| bans::query(tx, &ctx, &query)).await
    }

    /// What a user of a token is told that changes its own profile.
    async fn write_of(&self, user: &'static str) -> Result<(), Error> {
        let ctx = by_user(self, user, Operation::UpdateUsers, Action::UpdateUser);
        let written = self.store.write(move |tx| {
            let profiles = vec![(id(user), Profile { name: Some("N".to_owned()), ..Profile::default() })];
            users::upsert(tx, &ctx, &profiles.into())
        });
        written.await.map(drop)
    }

    async fn user(&self, name: &'static str) -> model::User<model::CustomText> {
        self.users_where(Filter::Is(Test::Among(filter::TextField::Id, vec![name.to_owned()])))
            .await
            .remove(0)
    }

    async fn users_where(&self, filter: Filter) -> Vec<model::User<model::CustomText>> {
        let ctx = self.ctx(Action::SearchUser);
        let page = Page::new(Some(100), None).unwrap();
        let query = UserQuery { filter, sort: Sort::newest_first(), include_deactivated: true, page };
        let found = self.store.read(move |tx| users::query(tx, &ctx, &query)).await.unwrap();
        found.into_iter().map(|view| view.user).collect()
    }

    /// The events of the log from the `first` on, with who is named in each.
    pub(crate) async fn logged(&self, first: usize) -> Vec<(Event, Vec<String>)> {
        let rows = self.rows("SELECT payload, CAST(sequence AS TEXT) FROM log ORDER BY sequence", 2).await;
        let named = self
            .rows(
                "SELECT CAST(log AS TEXT), users.id FROM log_person JOIN users ON users.key = log_person.user \
                 ORDER BY log, users.id",
                2,
            )
            .await;
        let people = |sequence: &String| {
            named.iter().filter(|row| row[0] == *sequence).map(|row| row[1].clone()).collect()
        };
        rows.iter().skip(first).map(|row| (Event::from_stored(&row[0]).unwrap(), people(&row[1]))).collect()
    }

    pub(crate) async fn log_length(&self) -> usize {
        self.rows("SELECT payload FROM log", 1).await.len()
    }

    /// Stores a user as a deletion will leave it.
    pub(crate) async fn erase(&self, user: &str) {
        let (app, user) = (self.app.key, id(user));
        let deleted = self.store.write(move |tx| {
            let before = storage::users::by_ids(tx, app, &[&user].into())?.pop().unwrap();
            let after = model::User { deleted_at: Some(before.user.updated_at), ..before.user.clone() };
            storage::users::put(tx, app, vec![Change { before: Some(before), after }])
        });
        let deleted: Result<_, storage::Error> = deleted.await;
        deleted.unwrap();
    }
}

async fn a_ban_keeps_a_user_from_writing_until_it_ends(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "eve"]).await;
    stage.write_of("bob").await.unwrap();
    stage.ban(ShutOut { minutes: Some(1), ..shut_out("bob") }).await.unwrap();
    let refused = stage.write_of("bob").await.unwrap_err();
    assert_eq!(refused.to_string(), "the user bob is banned from the app: it may read, and change nothing");
    let reading = by_user(&stage, "bob", Operation::QueryUsers, Action::SearchUser);
    let query = UserQuery {
        filter: Filter::everybody(),
        sort: Sort::newest_first(),
        include_deactivated: false,
        page: Page::new(None, None).unwrap(),
    };
    let found = stage.store.read(move |tx| users::query(tx, &reading, &query)).await.unwrap();
    assert_eq!(ids(&found), ["eve", "bob"], "it may read");
    stage.store.clock().advance(MINUTE - 1);
    assert!(matches!(stage.write_of("bob").await, Err(Error::Banned(_))));
    stage.store.clock().advance(1);
    stage.write_of("bob").await.unwrap();

    stage.ban(shut_out("bob")).await.unwrap();
    assert!(matches!(stage.write_of("bob").await, Err(Error::Banned(_))));
    stage.unban(let_in("bob")).await.unwrap();
    stage.write_of("bob").await.unwrap();
    stage.ban(ShutOut { shadow: true, ..shut_out("bob") }).await.unwrap();
    stage.write_of("bob").await.expect("whoever is shadow-banned notices nothing");
}

async fn a_ban_shows_on_the_user_and_is_found(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "eve", "dan"]).await;
    let before = stage.user("bob").await;
    stage.store.clock().advance(5);
    stage.ban(ShutOut { minutes: Some(1), ..shut_out("bob") }).await.unwrap();
    stage.ban(ShutOut { shadow: true, ..shut_out("eve") }).await.unwrap();
    let after = stage.user("bob").await;
    assert_eq!(after.updated_at, before.updated_at, "a ban is no change of the profile");
    let ends = stage.ctx(Action::BanUser).now.after(std::time::Duration::from_mins(1));
    assert_eq!(after.ban.map(|ban| (ban.shadow, ban.expires)), Some((false, Some(ends))));
    let flagged = async |field, value| {
        let found = stage.users_where(Filter::Is(Test::Flag(field, value))).await;
        found.iter().map(|user| user.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(flagged(filter::FlagField::Banned, true).await, "bob");
    assert_eq!(flagged(filter::FlagField::ShadowBanned, true).await, "eve");
    assert_eq!(flagged(filter::FlagField::Banned, false).await, "eve dan");
    let ending = || Filter::Is(Test::Time(filter::TimeField::BanExpires, filter::Range::only(ends)));
    assert_eq!(stage.users_where(ending()).await.len(), 1);
    stage.store.clock().advance(MINUTE);
    assert_eq!(flagged(filter::FlagField::Banned, true).await, "", "a ban that is over is none");
    assert_eq!(stage.users_where(ending()).await.len(), 0);
    assert_eq!(stage.user("bob").await.ban, None);
}

async fn a_ban_takes_the_place_of_the_one_before(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "mod"]).await;
    let start = stage.log_length().await;
    let reason = Some("spam".to_owned());
    stage.ban(ShutOut { minutes: Some(5), reason, ip_ban: true, ..shut_out("bob") }).await.unwrap();
    stage.store.clock().advance(9);
    let again = ShutOut { banned_by: Some(id("mod")), shadow: true, ..shut_out("bob") };
    stage.ban(again).await.unwrap();
    let bans = stage.bans(everything()).await;
    assert_eq!(people(&bans), ["bob"]);
    let ban = &bans[0];
    assert_eq!((ban.ban.shadow, ban.ban.expires, &ban.reason), (true, None, &None));
    assert_eq!(ban.created_at, stage.ctx(Action::BanUser).now);
    assert_eq!(ban.banned_by.as_ref().unwrap().id.as_str(), "mod");

    let logged = stage.logged(start).await;
    let [(first, named_first), (second, named_second)] = logged.as_slice() else { panic!("{logged:?}") };
    let Event::UserBanned { user, created_by: None, expiration: Some(_), reason: Some(reason), .. } = first
    else {
        panic!("{first:?}")
    };
    assert_eq!((user.ban, reason.as_str()), (None, "spam"), "the user as it was before");
    let Event::UserBanned {
        user,
        created_by: Some(author),
        expiration: None,
        shadow: true,
        total_bans: 2,
        ..
    } = second
    else {
        panic!("{second:?}")
    };
    assert!(user.ban.is_some_and(|ban| !ban.shadow) && author.as_str() == "mod");
    assert_eq!((named_first.join(" ").as_str(), named_second.join(" ").as_str()), ("bob", "bob mod"));
}

async fn lifting_is_idempotent(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "mod"]).await;
    let start = stage.log_length().await;
    stage.unban(let_in("bob")).await.unwrap();
    assert_eq!(stage.log_length().await, start, "nobody was banned");
    stage.ban(ShutOut { minutes: Some(1), ..shut_out("bob") }).await.unwrap();
    stage.store.clock().advance(2 * MINUTE);
    assert_eq!(stage.bans(everything()).await.len(), 1, "a ban that is over is in the list");
    let by = LetIn { unbanned_by: Some(id("mod")), ..let_in("bob") };
    stage.unban(by.clone()).await.unwrap();
    assert_eq!(stage.bans(everything()).await, []);
    assert_eq!(stage.logged(start + 1).await, [], "the ban had ended of itself");
    stage.ban(shut_out("bob")).await.unwrap();
    stage.unban(by.clone()).await.unwrap();
    stage.unban(by).await.unwrap();
    assert_eq!(stage.bans(everything()).await, []);
    let logged = stage.logged(start + 2).await;
    let [(Event::UserUnbanned { user, created_by: Some(author), shadow: false }, named)] = logged.as_slice()
    else {
        panic!("{logged:?}")
    };
    let as_it_was = Some(Ban { shadow: false, expires: None });
    assert_eq!((user.ban, author.as_str(), named.join(" ").as_str()), (as_it_was, "mod", "bob mod"));
}

async fn what_makes_no_sense_is_refused(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob", "mod", "gone", "idle"]).await;
    stage.erase("gone").await;
    let command = lifecycle::Deactivate { id: id("idle"), created_by: None, content: UserContent::default() };
    stage
        .write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate(tx, ctx, &command))
        .await
        .unwrap();
    let start = stage.log_length().await;
    let by = |author: &str| ShutOut { banned_by: Some(id(author)), ..shut_out("bob") };
    let lasting = |minutes| ShutOut { minutes: Some(minutes), ..shut_out("bob") };
    let channel = Cid { kind: "messaging".to_owned(), id: "x".to_owned() };
    let most = i64::try_from(MOST_BAN_MINUTES).unwrap();
    for (command, why) in [
        (by("bob"), "target_user_id: nobody can ban themselves"),
        (by("nobody"), "the user nobody does not exist"),
        (by("gone"), "the user gone was deleted"),
        (by("idle"), "the user idle was deactivated"),
        (shut_out("nobody"), "the user nobody does not exist"),
        (shut_out("gone"), "the user gone was deleted"),
        (lasting(0), "timeout: must be 1 to 52560000 minutes, or left out for ever, got 0"),
        (lasting(-1), "timeout: must be 1 to 52560000 minutes, or left out for ever, got -1"),
        (lasting(most + 1), "timeout: must be 1 to 52560000 minutes, or left out for ever, got 52560001"),
        (
            ShutOut { reason: Some("x".repeat(1025)), ..shut_out("bob") },
            "reason: may have 1024 bytes, has 1025",
        ),
        (
            ShutOut { channel: Some(channel.clone()), ..shut_out("bob") },
            "channel_cid: is not served yet; leave it out, and the whole app is meant",
        ),
    ] {
        assert_eq!(stage.ban(command).await.unwrap_err().to_string(), why);
    }
    for (command, why) in [
        (let_in("nobody"), "the user nobody does not exist"),
        (let_in("gone"), "the user gone was deleted"),
        (
            LetIn { unbanned_by: Some(id("bob")), ..let_in("bob") },
            "target_user_id: nobody can unban themselves",
        ),
        (LetIn { unbanned_by: Some(id("nobody")), ..let_in("bob") }, "the user nobody does not exist"),
        (
            LetIn { channel: Some(channel), ..let_in("bob") },
            "channel_cid: is not served yet; leave it out, and the whole app is meant",
        ),
    ] {
        assert_eq!(stage.unban(command).await.unwrap_err().to_string(), why);
    }
    assert_eq!(stage.log_length().await, start, "what is refused changes nothing");
    assert_eq!(stage.bans(everything()).await, []);
    stage.ban(shut_out("idle")).await.expect("a deactivated user can be banned");
}

async fn bans_are_found_by_their_fields(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["a", "b", "c", "d", "mod"]).await;
    let mut times = Vec::new();
    for (place, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        stage.store.clock().advance(1);
        times.push(stage.ctx(Action::BanUser).now);
        stage
            .ban(ShutOut {
                banned_by: (place > 1).then(|| id("mod")),
                minutes: (place == 3).then_some(1),
                reason: (place == 1).then(|| "spam".to_owned()),
                shadow: place == 2,
                ..shut_out(name)
            })
            .await
            .unwrap();
    }
    let found = async |query: BanQuery| people(&stage.bans(query).await).join("");
    let by = |criterion| BanQuery { criteria: vec![criterion], ..everything() };
    assert_eq!(found(everything()).await, "dcba");
    assert_eq!(found(BanQuery { direction: Direction::Ascending, ..everything() }).await, "abcd");
    assert_eq!(found(BanQuery { page: Page::new(Some(2), Some(1)).unwrap(), ..everything() }).await, "cb");
    assert_eq!(found(BanQuery { page: Page::new(Some(0), None).unwrap(), ..everything() }).await, "");
    assert_eq!(found(by(among(BanField::User, &["a", "c", "nobody"]))).await, "ca");
    assert_eq!(found(by(among(BanField::User, &[]))).await, "");
    assert_eq!(found(by(among(BanField::BannedBy, &["mod"]))).await, "dc");
    assert_eq!(found(by(Criterion::Missing(BanField::BannedBy))).await, "ba");
    assert_eq!(found(by(among(BanField::Reason, &["spam"]))).await, "b");
    assert_eq!(found(by(Criterion::Missing(BanField::Reason))).await, "dca");
    assert_eq!(found(by(among(BanField::Channel, &["messaging:x"]))).await, "");
    assert_eq!(found(by(Criterion::Missing(BanField::Channel))).await, "dcba");
    assert_eq!(found(by(Criterion::Missing(BanField::User))).await, "");
    let since = filter::Range { low: std::ops::Bound::Included(times[2]), high: std::ops::Bound::Unbounded };
    assert_eq!(found(by(Criterion::Created(since.clone()))).await, "dc");
    let both = vec![among(BanField::User, &["a", "d"]), Criterion::Created(since)];
    assert_eq!(found(BanQuery { criteria: both, ..everything() }).await, "d");
    stage.store.clock().advance(MINUTE);
    assert_eq!(found(BanQuery { exclude_expired: true, ..everything() }).await, "cba");
    assert_eq!(found(everything()).await, "dcba");
    stage.erase("b").await;
    assert_eq!(found(everything()).await, "dca", "a deleted user is nobody to be shown");
}

async fn a_server_has_moderation_pass_a_user_over(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["bob"]).await;
    let start = stage.log_length().await;
    let bypass = async |name: &'static str, enabled| {
        let set =
            stage.write(Action::BypassModeration, move |tx, ctx| bans::bypass(tx, ctx, &id(name), enabled));
        set.await.map_err(|error| error.to_string())
    };
    assert_eq!(bypass("nobody", true).await, Err("the user nobody does not exist".to_owned()));
    for (enabled, events) in [(false, 0), (true, 1), (true, 1), (false, 2)] {
        bypass("bob", enabled).await.unwrap();
        assert_eq!(stage.user("bob").await.bypass_moderation, enabled);
        assert_eq!(stage.log_length().await - start, events);
    }
    let logged = stage.logged(start).await;
    let (Event::UserBypassChanged { user }, named) = &logged[0] else { panic!("{logged:?}") };
    assert!(user.bypass_moderation && *named == ["bob"]);
}

async fn bans_take_a_constant_number_of_statements(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..100).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["mod"]).collect();
    stage.create(&names).await;
    for name in &names[..100] {
        let command = ShutOut { banned_by: Some(id("mod")), ..shut_out(name) };
        let banned = stage.counted(Action::BanUser, move |tx, ctx| bans::ban(tx, ctx, &command)).await;
        assert_eq!(banned.unwrap().1, 4, "people, ban, log, names");
    }
    for limit in [1, 100] {
        let query = BanQuery { page: Page::new(Some(limit), None).unwrap(), ..everything() };
        let found =
            stage.counted(Action::BanUser, move |tx, ctx| bans::query(tx, ctx, &query)).await.unwrap();
        assert_eq!((found.0.len(), found.1), (limit, 2));
    }
}

on_each_engine!(
    a_ban_keeps_a_user_from_writing_until_it_ends,
    a_ban_shows_on_the_user_and_is_found,
    a_ban_takes_the_place_of_the_one_before,
    lifting_is_idempotent,
    what_makes_no_sense_is_refused,
    bans_are_found_by_their_fields,
    a_server_has_moderation_pass_a_user_over,
    bans_take_a_constant_number_of_statements,
);
