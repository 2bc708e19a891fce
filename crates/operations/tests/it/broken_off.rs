//! Whatever a task does, it may be killed at any moment: it ends as one that nobody has disturbed. Every kind of work is broken
//! off within each of its steps in turn, by what a crash leaves of a step, which is nothing, and the store is opened anew.

use std::collections::BTreeMap;

use headwater_operations::lifecycle::{self, DeactivateMany, ReactivateMany};
use headwater_operations::tasks::{self, Stepped, Tick};
use headwater_operations::{Ctx, Error, deletion};
use headwater_testkit::{Engine, on_each_engine};
use model::{Action, Clock, ConversationDeletion, DeletionPlan, MessageDeletion, UserContent};
use storage::{Sql, Tx};

use crate::deletion::{HARD, PRUNING, SOFT, wish};
use crate::stage::{Stage, id};

/// The call that starts the work, and what has to be done before it.
struct Kind {
    name: &'static str,
    before: Option<Start>,
    start: Start,
}

type Start = fn(&mut Tx<'_>, &Ctx) -> Result<(), Error>;

const EVERYTHING: UserContent = UserContent { messages: true, channels: true };

/// Who is worked on: one who has made much, and one who has made nothing.
const WHOM: &[&str] = &["alice", "dave"];

fn deactivate(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<(), Error> {
    let ids = WHOM.iter().map(|name| id(name)).collect();
    let command = DeactivateMany { ids, created_by: None, content: EVERYTHING };
    lifecycle::deactivate_many(tx, ctx, &command).map(drop)
}

fn reactivate(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<(), Error> {
    let ids = WHOM.iter().map(|name| id(name)).collect();
    let command = ReactivateMany { ids, created_by: None, content: EVERYTHING };
    lifecycle::reactivate_many(tx, ctx, &command).map(drop)
}

fn delete(tx: &mut Tx<'_>, ctx: &Ctx, plan: DeletionPlan) -> Result<(), Error> {
    deletion::delete(tx, ctx, &wish(WHOM, plan)).map(drop)
}

const KINDS: &[Kind] = &[
    Kind { name: "deactivate", before: None, start: deactivate },
    Kind { name: "reactivate", before: Some(deactivate), start: reactivate },
    Kind {
        name: "delete softly",
        before: None,
        start: |tx, ctx| {
            let messages = Some(MessageDeletion::Soft);
            let conversations = Some(ConversationDeletion::Soft);
            delete(tx, ctx, DeletionPlan { messages, conversations, files: true, ..SOFT })
        },
    },
    Kind {
        name: "delete pruning",
        before: None,
        start: |tx, ctx| {
            let messages = Some(MessageDeletion::Pruning);
            let conversations = Some(ConversationDeletion::Hard);
            delete(tx, ctx, DeletionPlan { messages, conversations, ..PRUNING })
        },
    },
    Kind { name: "delete hard", before: None, start: |tx, ctx| delete(tx, ctx, HARD) },
    Kind {
        name: "delete hard who was shut out",
        before: Some(deactivate),
        start: |tx, ctx| delete(tx, ctx, HARD),
    },
];

/// What differs from run to run, and may: PostgreSQL does not give again the numbers that a step has drawn which was undone.
/// Times do not differ, since the clock stands, nor do ids, which are drawn from the seeds of requests and steps.
const DIFFERENT: &[(&str, &str)] = &[("log", "sequence"), ("log", "xid"), ("log_person", "log")];

const COLUMNS_ON_SQLITE: &str = "SELECT t.name || '.' || c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c \
    WHERE t.type = 'table' AND t.name NOT LIKE 'user_words%' AND t.name NOT LIKE 'sqlite_%' \
    AND t.name <> 'schema_migrations' ORDER BY t.name, c.cid";
const COLUMNS_ON_POSTGRES: &str = "SELECT table_name::text || '.' || column_name::text FROM information_schema.columns \
    WHERE table_schema = current_schema() AND table_name <> 'schema_migrations' ORDER BY table_name, ordinal_position";

impl Stage {
    /// Every row of every table as a text, in the order of the texts.
    async fn dump(&self) -> BTreeMap<String, Vec<String>> {
        let columns = match self.store.engine() {
            Engine::Sqlite => self.rows(COLUMNS_ON_SQLITE, 1).await.concat(),
            Engine::Postgres => self.rows(COLUMNS_ON_POSTGRES, 1).await.concat(),
        };
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for column in columns {
            let (table, column) = column.split_once('.').unwrap();
            let known = tables.entry(table.to_owned()).or_default();
            if !DIFFERENT.contains(&(table, column)) {
                known.push(format!("'{column}=' || COALESCE(CAST(\"{column}\" AS TEXT), '-')"));
            }
        }
        let mut dump = BTreeMap::new();
        for (table, columns) in tables {
            let sql =
                Sql::new(format!("SELECT {} FROM {table} ORDER BY 1", columns.join(" || ' ' || ")).leak());
            let read = self.store.read(move |tx| tx.query(sql, &[], |row| row.text(0)));
            let rows: Result<Vec<String>, storage::Error> = read.await;
            dump.insert(table, rows.unwrap());
        }
        dump
    }

    /// Does all of a step, and loses it.
    async fn lose_a_step(&self) {
        let tick = Tick { now: self.store.clock().now(), seed: 1 };
        let lost = self.store.write_in_background(move |tx| {
            tasks::step(tx, tick, |_| ())?;
            Err::<(), _>(Error::NoUser(id("nobody")))
        });
        assert_eq!(lost.await.unwrap_err().to_string(), "the user nobody does not exist");
    }
}

/// A run of a kind of work that is broken off within the step with this number, if there is one. Answers how many steps it took,
/// and what there is in the end.
async fn run(
    engine: Engine,
    kind: &Kind,
    broken_off: Option<usize>,
) -> (usize, BTreeMap<String, Vec<String>>) {
    let mut stage = Stage::set(engine).await;
    stage.create(&["bob", "carol", "dave"]).await;
    stage.make_writer("alice", 1).await;
    let actions =
        Ctx { actions: &[Action::DeactivateUser, Action::DeleteUser], ..stage.ctx(Action::DeleteUser) };
    for (seed, start) in kind.before.iter().chain([&kind.start]).enumerate() {
        let (ctx, start) = (Ctx { seed: 1 + seed as u128, ..actions.clone() }, *start);
        stage.store.write(move |tx| start(tx, &ctx)).await.unwrap();
        if seed == 0 && kind.before.is_some() {
            stage.store.run_tasks().await;
        }
    }
    let mut steps = 0;
    loop {
        if broken_off == Some(steps) {
            stage.lose_a_step().await;
            stage = stage.reopened();
        }
        if stage.step().await.unwrap() == Stepped::Idle {
            break;
        }
        steps += 1;
    }
    stage.forget().await;
    (steps, stage.dump().await)
}

async fn whatever_is_broken_off_ends_as_if_it_were_not(engine: Engine) {
    for kind in KINDS {
        let (steps, undisturbed) = run(engine, kind, None).await;
        assert!(steps >= 3, "{}: {steps} steps", kind.name);
        assert!(
            undisturbed["tasks"].iter().all(|task| task.contains("status=completed")),
            "{undisturbed:#?}"
        );
        for step in 0..steps {
            let (found, disturbed) = run(engine, kind, Some(step)).await;
            assert_eq!(found, steps, "{}, broken off within step {step}", kind.name);
            for (table, rows) in &undisturbed {
                assert_eq!(
                    disturbed[table], *rows,
                    "{table} of {}, broken off within step {step}",
                    kind.name
                );
            }
        }
    }
}

on_each_engine!(whatever_is_broken_off_ends_as_if_it_were_not);
