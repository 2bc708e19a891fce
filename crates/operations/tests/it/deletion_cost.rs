//! What a call on a hundred users costs before it is answered does not depend on what hangs on them: it does not look at it. The
//! rest is for the task.

use std::collections::{BTreeMap, BTreeSet};

use headwater_operations::lifecycle::{self, DeactivateMany, ReactivateMany};
use headwater_operations::{Ctx, Error, deletion};
use headwater_testkit::{Engine, on_each_engine};
use model::{Action, Data, DeleteUsers, UserContent, UserId};
use storage::{Sql, Tx, erase};

use crate::deletion::{HARD, PRUNING, SOFT, wish};
use crate::stage::{Stage, id};

const EVERYTHING: UserContent = UserContent { messages: true, channels: true };

type Call = fn(&mut Tx<'_>, &Ctx, &[UserId]) -> Result<(), Error>;

fn delete(tx: &mut Tx<'_>, ctx: &Ctx, command: DeleteUsers) -> Result<(), Error> {
    deletion::delete(tx, ctx, &command).map(drop)
}

fn whom(ids: &[UserId]) -> Vec<&str> {
    ids.iter().map(UserId::as_str).collect()
}

/// Every call on many, and the most statements that it takes. Each finds the users as the one before has left them.
const CALLS: &[(&str, u32, Call)] = &[
    ("deactivate", 5, |tx, ctx, ids| {
        let command =
            DeactivateMany { ids: ids.to_vec(), created_by: Some(id("owner")), content: EVERYTHING };
        lifecycle::deactivate_many(tx, ctx, &command).map(drop)
    }),
    ("reactivate", 6, |tx, ctx, ids| {
        let command =
            ReactivateMany { ids: ids.to_vec(), created_by: Some(id("owner")), content: EVERYTHING };
        lifecycle::reactivate_many(tx, ctx, &command).map(drop)
    }),
    ("delete softly", 8, |tx, ctx, ids| delete(tx, ctx, wish(&whom(ids), SOFT))),
    ("restore", 10, |tx, ctx, ids| deletion::restore(tx, ctx, ids)),
    ("delete pruning", 8, |tx, ctx, ids| delete(tx, ctx, wish(&whom(ids), PRUNING))),
    ("delete hard", 8, |tx, ctx, ids| {
        let new_channel_owner = Some(id("owner"));
        delete(tx, ctx, DeleteUsers { new_channel_owner, ..wish(&whom(ids), HARD) })
    }),
    ("delete hard once more", 8, |tx, ctx, ids| delete(tx, ctx, wish(&whom(ids), HARD))),
];

impl Stage {
    fn caller(&self) -> Ctx {
        Ctx { actions: &[Action::DeactivateUser, Action::DeleteUser], ..self.ctx(Action::DeleteUser) }
    }

    async fn call(&self, call: Call, ids: &[UserId]) -> u32 {
        let (ctx, ids) = (self.caller(), ids.to_vec());
        self.store.write(move |tx| call(tx, &ctx, &ids).map(|()| tx.statements())).await.unwrap()
    }

    /// The first deletion for good makes a key.
    async fn with_key(self) -> Self {
        self.create(&["owner", "first"]).await;
        self.delete_users(wish(&["first"], HARD)).await.unwrap();
        self.store.run_tasks().await;
        self.refreshed().await
    }
}

/// The tables are not even there while the calls are made.
async fn nothing_that_hangs_on_users_is_looked_at(engine: Engine) {
    let stage = Stage::set(engine).await.with_key().await;
    let names: Vec<String> = (0..101).map(|number| format!("user-{number}")).collect();
    stage.create(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let ids: Vec<UserId> = names.iter().map(|name| id(name)).collect();
    let hanging: BTreeSet<&str> = erase::COLUMNS
        .iter()
        .filter(|(data, _, _)| !matches!(data, Data::Profile | Data::Log))
        .map(|(_, table, _)| *table)
        .collect();
    assert!(hanging.len() >= 13, "{hanging:?}");
    let rename = |from: &str, to: &str| format!("ALTER TABLE {from} RENAME TO {to}");
    stage.run_all(hanging.iter().map(|table| rename(table, &format!("{table}_away"))).collect()).await;
    for (name, most, call) in CALLS {
        let counts = [stage.call(*call, &ids[..1]).await, stage.call(*call, &ids[1..]).await];
        assert!(counts[0] == counts[1] && counts[0] <= *most, "{name}: {counts:?}");
    }
    stage.run_all(hanging.iter().map(|table| rename(&format!("{table}_away"), table)).collect()).await;
    stage.store.run_tasks().await;
    assert_eq!(stage.count_of("users WHERE id <> 'owner'".to_owned()).await, 0);
}

/// How many rows of each table were read so far, since the connection has told it last.
fn rows_read(tx: &mut Tx<'_>) -> Result<BTreeMap<String, i64>, Error> {
    const READ: Sql = Sql::new(
        "SELECT relname::text, (seq_tup_read + COALESCE(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables",
    );
    Ok(tx.query(READ, &[], |row| Ok((row.text(0)?, row.integer(1)?)))?.into_iter().collect())
}

/// Nor does it depend on how many others there are, also for connections that have made their plans when there was nobody.
#[tokio::test]
async fn nobody_else_is_looked_at() {
    /// For each user of a call.
    const MOST_READ: i64 = 6;
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(1).await.with_key().await;
    stage.run_all(vec!["ALTER TABLE users SET (autovacuum_enabled = false)".to_owned()]).await;
    for round in 0..8 {
        // The plans of prepared statements are settled after five times.
        if round == 6 {
            let many = "INSERT INTO users (key, app, id, role, teams, teams_role, language, invisible, custom, name_key, words, \
                    created_at, updated_at) \
                SELECT n, 1, 'other-' || n, 'user', '[]', '{}', '', 0, '{}', '', '', n, n FROM GENERATE_SERIES(10000, 60000) AS n";
            stage.run_all(vec![many.to_owned()]).await;
        }
        let names: Vec<String> = (0..100).map(|number| format!("user-{round}-{number}")).collect();
        stage.create(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let ids: Vec<UserId> = names.iter().map(|name| id(name)).collect();
        for (name, _, call) in CALLS {
            let (ctx, ids) = (stage.caller(), ids.clone());
            let read = stage.store.write(move |tx| {
                let before = rows_read(tx)?;
                call(tx, &ctx, &ids)?;
                let mut read = rows_read(tx)?;
                read.iter_mut().for_each(|(table, rows)| *rows -= before.get(table).unwrap_or(&0));
                read.retain(|_, rows| *rows > 0);
                Ok::<_, Error>(read)
            });
            let read = read.await.unwrap();
            // A small table is read as a whole.
            let is_bounded = read.values().all(|rows| *rows <= MOST_READ * 100);
            assert!(is_bounded || round == 0, "{name}, round {round}: {read:?}");
            let known =
                ["apps", "log", "log_person", "tasks", "tombstones", "user_leaves", "user_words", "users"];
            assert!(
                read.keys().all(|table| known.contains(&table.as_str())),
                "{name}, round {round}: {read:?}"
            );
        }
        let finished = "UPDATE tasks SET finished_at = 1 WHERE finished_at IS NULL".to_owned();
        stage.run_all(vec![finished]).await;
    }
}

on_each_engine!(nothing_that_hangs_on_users_is_looked_at);
