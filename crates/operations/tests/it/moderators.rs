//! Bans by users: who may ban whom, and what of bans they see.

use headwater_operations::{Error, bans};
use headwater_testkit::{Engine, on_each_engine};
use model::{Action, BanField, BanQuery, Criterion, Operation, ShutOut};

use crate::bans::{among, by_user, everything, let_in, member, people, shut_out, with_teams};
use crate::stage::{Stage, id};

async fn moderators_ban_whom_they_may(engine: Engine) {
    let stage = Stage::set(engine).await;
    let people_of = [
        ("bob", "user"),
        ("eve", "user"),
        ("mod", "moderator"),
        ("boss", "admin"),
        ("all", "global_moderator"),
    ];
    let profiles = people_of.iter().map(|(name, role)| member(name, role, &[])).collect();
    stage.upsert(profiles).await.unwrap();
    let denied = stage.ban_by("eve", shut_out("bob")).await.unwrap_err().to_string();
    assert_eq!(denied, "User 'eve' with role 'user' is not allowed to perform action BanUser");
    assert!(matches!(stage.bans_for("eve", everything()).await, Err(Error::Denied(_))));
    stage.ban_by("mod", shut_out("bob")).await.unwrap();
    assert_eq!(stage.bans(everything()).await[0].banned_by.as_ref().unwrap().id.as_str(), "mod");
    for (target, role) in [("boss", "admin"), ("all", "global_moderator")] {
        let why = format!("the user {target} has the role '{role}': only a server may ban it");
        assert_eq!(stage.ban_by("mod", shut_out(target)).await.unwrap_err().to_string(), why);
        stage.ban(shut_out(target)).await.unwrap();
    }
    let other = ShutOut { banned_by: Some(id("eve")), ..shut_out("bob") };
    assert!(matches!(stage.ban_by("mod", other).await, Err(Error::NotOneself { .. })));
    let themselves = stage.ban_by("mod", shut_out("mod")).await.unwrap_err().to_string();
    assert_eq!(themselves, "target_user_id: nobody can ban themselves");

    stage.ban(ShutOut { shadow: true, ..shut_out("mod") }).await.unwrap();
    let seen = stage.bans_for("mod", everything()).await.unwrap();
    assert_eq!(people(&seen), ["all", "boss", "bob"], "whoever is shadow-banned does not find out");
}

async fn teams_keep_to_themselves(engine: Engine) {
    let stage = Stage::set(engine).await.with_settings(with_teams()).await;
    let profiles = vec![
        member("mod", "moderator", &["red"]),
        member("rob", "user", &["red"]),
        member("both", "user", &["blue", "red"]),
        member("bea", "user", &["blue"]),
        member("head", "moderator", &["blue"]),
        member("all", "global_moderator", &[]),
        member("none", "user", &[]),
    ];
    stage.upsert(profiles).await.unwrap();
    stage.ban_by("mod", shut_out("rob")).await.unwrap();
    for hidden in ["bea", "none", "nobody"] {
        let why = format!("the user {hidden} does not exist");
        assert_eq!(stage.ban_by("mod", shut_out(hidden)).await.unwrap_err().to_string(), why);
    }
    stage.store.clock().advance(1);
    stage.ban_by("head", shut_out("both")).await.unwrap();
    stage.ban_by("head", shut_out("bea")).await.unwrap();
    let seen = stage.bans_for("mod", everything()).await.unwrap();
    assert_eq!(people(&seen), ["both", "rob"]);
    let authors: Vec<_> =
        seen.iter().map(|ban| ban.banned_by.as_ref().map(|author| author.id.as_str())).collect();
    assert_eq!(authors, [None, Some("mod")], "an author of another team is not shown");
    let by_author = BanQuery { criteria: vec![among(BanField::BannedBy, &["head"])], ..everything() };
    assert_eq!(stage.bans_for("mod", by_author.clone()).await.unwrap(), [], "nor found by");
    let without = BanQuery { criteria: vec![Criterion::Missing(BanField::BannedBy)], ..everything() };
    assert_eq!(
        people(&stage.bans_for("mod", without.clone()).await.unwrap()),
        ["both"],
        "nor told from none"
    );
    assert_eq!(stage.bans_for("all", by_author).await.unwrap().len(), 2);
    stage.ban_by("all", shut_out("none")).await.unwrap();
    let ctx = by_user(&stage, "mod", Operation::Unban, Action::BanUser);
    let lifted = stage.store.write(move |tx| bans::unban(tx, &ctx, &let_in("bea"))).await;
    assert_eq!(lifted.unwrap_err().to_string(), "the user bea does not exist");
}

async fn a_deleted_author_is_none(engine: Engine) {
    let stage = Stage::set(engine).await;
    let profiles =
        vec![member("mod", "moderator", &[]), member("gone", "moderator", &[]), member("bob", "user", &[])];
    stage.upsert(profiles).await.unwrap();
    stage.ban_by("gone", shut_out("bob")).await.unwrap();
    stage.erase("gone").await;
    let by_author = BanQuery { criteria: vec![among(BanField::BannedBy, &["gone"])], ..everything() };
    let without = BanQuery { criteria: vec![Criterion::Missing(BanField::BannedBy)], ..everything() };
    for (query, found) in [(everything(), &["bob"][..]), (by_author, &[]), (without, &["bob"])] {
        let seen = stage.bans_for("mod", query).await.unwrap();
        assert_eq!(people(&seen), found);
        assert!(seen.iter().all(|ban| ban.banned_by.is_none()));
    }
}

on_each_engine!(moderators_ban_whom_they_may, teams_keep_to_themselves, a_deleted_author_is_none);
