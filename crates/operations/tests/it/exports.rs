//! Exports: everything that is known of a user, at once or in a file that a task writes, and for how long (semantics 11.1 to
//! 11.7).

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_operations::exports::{self, UserExport};
use headwater_operations::tasks::{self, Failing, Stepped, Tick};
use headwater_operations::{Ctx, Error};
use headwater_testkit::{Engine, on_each_engine};
use model::{
    Action, Clock, DELETED_MEANWHILE, EXPORT_KEPT, ExportLine, MOST_ATTEMPTS, MOST_EXPORTED, Outcome, TaskId,
    TaskResult, TaskStatus, UserId,
};
use storage::exports::Next;
use storage::tasks::TaskKey;

use crate::chat::{reaction, refusal, text};
use crate::deletion::{HARD, PRUNING, SOFT, wish};
use crate::stage::{Stage, id, server};

impl Stage {
    async fn export_one(&self, name: &str) -> Result<UserExport, Error> {
        loop {
            let (ctx, id) = (self.ctx(Action::ExportUser), id(name));
            let read = self.store.read(move |tx| exports::one(tx, &ctx, &id)).await;
            // What a client is told to try again: a test on a busy machine does.
            if !matches!(read, Err(Error::Storage(storage::Error::Timeout(_)))) {
                return read;
            }
        }
    }

    async fn export_many(&self, names: &[&str]) -> Result<TaskId, Error> {
        let ids: Vec<UserId> = names.iter().map(|name| id(name)).collect();
        self.write(Action::ExportUser, move |tx, ctx| exports::many(tx, ctx, &ids)).await
    }

    /// The name of the file of a task that is over, and what came of it for each user.
    async fn exported(&self, task: &TaskId) -> (String, BTreeMap<String, Outcome>) {
        let task = self.task(task).await.unwrap();
        assert_eq!((task.status, task.error), (TaskStatus::Completed, None));
        let Some(TaskResult::Export { name, users }) = task.result else { panic!("{:?}", task.result) };
        (name, users.into_iter().map(|(id, outcome)| (id.to_string(), outcome)).collect())
    }

    async fn next(&self, file: model::ExportKey, after: i64) -> Next {
        let now = self.store.clock().now();
        let next: Result<Next, Error> = self.store.read(move |tx| exports::next(tx, file, after, now)).await;
        next.unwrap()
    }

    async fn open_file(&self, name: &str) -> Option<model::ExportKey> {
        let (name, now) = (name.to_owned(), self.store.clock().now());
        let opened: Result<_, Error> = self.store.look_up(move |tx| exports::open(tx, &name, now)).await;
        opened.unwrap()
    }

    /// The chunks of a file, each of which is some lines.
    async fn chunks(&self, name: &str) -> Vec<String> {
        let file = self.open_file(name).await.expect("a file");
        let (mut after, mut chunks) = (-1, Vec::new());
        loop {
            match self.next(file, after).await {
                Next::Lines { sequence, lines } => {
                    assert!(sequence > after);
                    after = sequence;
                    chunks.push(lines);
                }
                Next::End => return chunks,
                Next::Gone => panic!("the file has expired"),
            }
        }
    }

    /// What the lines of the file of a task are of, in their order: the user itself as `alice`, a message as `alice: m1` and a
    /// reaction as `alice to m1: like`.
    async fn lines(&self, task: &TaskId) -> Vec<String> {
        let name = self.exported(task).await.0;
        let text = self.chunks(&name).await.concat();
        text.lines()
            .map(|line| match ExportLine::from_stored(line).unwrap() {
                ExportLine::User { user, .. } => user.id.to_string(),
                ExportLine::Message(exported) => {
                    format!("{}: {}", exported.message.user, exported.message.id)
                }
                ExportLine::Reaction(reaction) => {
                    format!("{} to {}: {}", reaction.user, reaction.message, reaction.kind)
                }
            })
            .collect()
    }

    /// Has a user write so many messages, named after it.
    async fn write_so_many(&self, name: &str, count: usize, text: &str) {
        let key = self.key_of(name).await;
        self.run_all(vec![format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) \
             INSERT INTO messages (app, id, channel, \"user\", type, text, attachments, custom, shadowed, created_at, \
                 updated_at, cause) \
             SELECT 1, '{name}-' || CAST(n AS TEXT), (SELECT key FROM channels WHERE id = 'one'), {key}, 'regular', \
                 '{text}', '[]', '{{}}', 0, n, n, 0 FROM numbers ORDER BY n"
        )])
        .await;
    }

    /// Has a user answer every message of another one.
    async fn react_to_all(&self, name: &str, author: &str) {
        let (key, author) = (self.key_of(name).await, self.key_of(author).await);
        self.run_all(vec![format!(
            "INSERT INTO reactions (message, \"user\", type, score, custom, created_at, updated_at) \
             SELECT key, {key}, 'like', 1, '{{}}', 1, 1 FROM messages WHERE \"user\" = {author}"
        )])
        .await;
    }

    /// Gives a user so many chunks more in the only file there is.
    async fn add_chunks(&self, name: &str, count: usize) {
        let key = self.key_of(name).await;
        self.run_all(vec![format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) \
             INSERT INTO export_chunks (file, sequence, \"user\", lines) \
             SELECT (SELECT key FROM export_files), 1000 + n, {key}, '' FROM numbers"
        )])
        .await;
    }

    async fn chunks_of(&self, name: &str) -> i64 {
        let key = self.key_of(name).await;
        self.count_of(format!("export_chunks WHERE \"user\" = {key}")).await
    }

    async fn rows_of_files(&self) -> (i64, i64) {
        (self.count_of("export_files".to_owned()).await, self.count_of("export_chunks".to_owned()).await)
    }

    /// Does steps until there are so many chunks of a user.
    async fn step_until(&self, name: &str, chunks: i64) {
        while self.chunks_of(name).await < chunks {
            assert_eq!(self.step().await.unwrap(), Stepped::Worked);
        }
    }

    /// Does a step that is broken off before it is stored, as by a server that is killed.
    async fn broken_step(&self) {
        let tick = Tick { now: self.store.clock().now(), seed: 1 };
        let broken = self.store.write_in_background(move |tx| {
            tasks::step(tx, tick, |_| ())?;
            Err::<(), Error>(Error::NoUser(id("nobody")))
        });
        broken.await.unwrap_err();
    }

    /// alice, bob and carol; alice and carol have written 1,200 messages each, bob has answered all of alice's.
    async fn with_writers(engine: Engine) -> Self {
        let stage = Self::set(engine).await;
        stage.create(&["alice", "bob", "carol"]).await;
        stage.channel("one", "alice", &["bob", "carol"]).await;
        for name in ["alice", "carol"] {
            stage.write_so_many(name, 1200, "hello").await;
        }
        stage.react_to_all("bob", "alice").await;
        stage
    }
}

fn ok(names: &[&str]) -> BTreeMap<String, Outcome> {
    names.iter().map(|name| ((*name).to_owned(), Outcome::Ok)).collect()
}

fn deleted_meanwhile() -> Outcome {
    Outcome::Failed(DELETED_MEANWHILE.to_owned())
}

/// The lines of somebody who has written `written` messages and answered so many of alice's.
fn expected(name: &str, written: usize, answered: usize) -> Vec<String> {
    let messages = (1..=written).map(|number| format!("{name}: {name}-{number}"));
    let reactions = (1..=answered).map(|number| format!("{name} to alice-{number}: like"));
    std::iter::once(name.to_owned()).chain(messages).chain(reactions).collect()
}

async fn everything_known_of_one_is_read_at_once(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.channel("one", "alice", &["bob"]).await;
    for (author, name) in [("alice", "m1"), ("bob", "m2"), ("alice", "m3")] {
        stage.send(stage.chat_server(), "one", text(author, name, "hello")).await.unwrap();
    }
    for (author, message, kind) in
        [("alice", "m2", "love"), ("alice", "m2", "like"), ("bob", "m1", "like"), ("alice", "m1", "like")]
    {
        stage.react(stage.chat_server(), message, reaction(author, kind, 2), false).await.unwrap();
    }
    stage.delete_message(stage.chat_server(), "m3", false).await.unwrap();
    let exported = stage.export_one("alice").await.unwrap();
    assert_eq!(exported.user.user.id, id("alice"));
    let messages: Vec<_> = exported
        .messages
        .iter()
        .map(|exported| {
            let message = &exported.message;
            let groups: Vec<_> = exported.reactions.iter().map(|group| (group.count, group.score)).collect();
            (message.id.as_str(), message.text.as_str(), message.deletion.is_some(), groups)
        })
        .collect();
    assert_eq!(messages, [("m1", "hello", false, vec![(2, 4)]), ("m3", "hello", true, Vec::new())]);
    let reactions: Vec<_> =
        exported.reactions.iter().map(|one| (one.message.as_str(), one.kind.as_str())).collect();
    assert_eq!(reactions, [("m1", "like"), ("m2", "like"), ("m2", "love")]);
    // Whoever has been shut out still has a right to what is known.
    stage.deactivate_one("alice").await;
    assert_eq!(stage.export_one("alice").await.unwrap().messages.len(), 2);
    let bare = stage.export_one("bob").await.unwrap();
    assert_eq!((bare.messages.len(), bare.reactions.len()), (1, 1));
}

async fn what_was_emptied_is_empty_in_the_export(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    stage.channel("one", "alice", &["bob"]).await;
    stage.write_message("one", "alice", "m1").await;
    let plan = model::DeletionPlan { messages: Some(model::MessageDeletion::Pruning), ..SOFT };
    stage.delete_users(wish(&["alice"], plan)).await.unwrap();
    stage.store.run_tasks().await;
    stage.restore(&["alice"]).await.unwrap();
    let exported = stage.export_one("alice").await.unwrap();
    let messages: Vec<_> = exported.messages.iter().map(|one| one.message.text.as_str()).collect();
    assert_eq!(messages, [""]);
}

async fn who_has_too_much_is_sent_to_the_export_of_many(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    stage.channel("one", "alice", &["bob"]).await;
    let refused = |than: &str| {
        format!("user_id: has more than {than}: export it by POST /api/v2/export/users, which makes a file")
    };
    stage.write_so_many("alice", MOST_EXPORTED, "hello").await;
    stage.react_to_all("bob", "alice").await;
    assert_eq!(stage.export_one("alice").await.unwrap().messages.len(), MOST_EXPORTED);
    assert_eq!(stage.export_one("bob").await.unwrap().reactions.len(), MOST_EXPORTED);
    stage.write_message("one", "alice", "one-more").await;
    stage.react(stage.chat_server(), "one-more", reaction("bob", "like", 1), false).await.unwrap();
    assert_eq!(refusal(stage.export_one("alice").await), refused("10000 messages"));
    assert_eq!(refusal(stage.export_one("bob").await), refused("10000 reactions"));
    // As JSON, each of these characters is six: little to read, and much to answer.
    stage.write_so_many("carol", 2100, &"\u{1}".repeat(3000)).await;
    assert_eq!(refusal(stage.export_one("carol").await), refused("32 MiB"));
}

async fn who_cannot_be_exported_is_refused(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "soft", "pruned", "hard"]).await;
    for (name, plan) in [("soft", SOFT), ("pruned", PRUNING), ("hard", HARD)] {
        stage.delete_users(wish(&[name], plan)).await.unwrap();
    }
    stage.store.run_tasks().await;
    let stage = stage.refreshed().await;
    assert_eq!(refusal(stage.export_one("zoe").await), "the user zoe does not exist");
    for name in ["soft", "pruned", "hard"] {
        let why = format!("the user {name} was deleted");
        assert_eq!(refusal(stage.export_one(name).await), why);
        assert_eq!(refusal(stage.export_many(&["alice", name]).await), why);
    }
    let many: Vec<String> = (0..101).map(|number| format!("user-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (names, why) in [
        (&[][..], "user_ids: must hold 1 to 100 users, holds 0"),
        (&many, "user_ids: must hold 1 to 100 users, holds 101"),
        (&["alice", "alice"], "user_ids: must name each user once, names 'alice' twice"),
        (
            &["alice", "zoe", "hard", "yan"],
            "user_ids: must name users who exist; there is none with the id zoe, yan",
        ),
    ] {
        assert_eq!(refusal(stage.export_many(names).await), why);
    }
    // Of another app nobody is known, and a user may export nobody, not even whoever does not exist.
    let other = stage.another_app("other").await;
    let asked = server(&stage.store, &other, Action::ExportUser);
    let refused = stage.store.write(move |tx| exports::many(tx, &asked, &[id("alice")])).await;
    assert!(refusal(refused).ends_with("there is none with the id alice"));
    for name in ["alice", "zoe"] {
        let ctx: Ctx = stage.ctx_of("alice", Action::ExportUser);
        let asked = ctx.clone();
        let refused = stage.store.write(move |tx| exports::many(tx, &asked, &[id(name)])).await;
        assert!(matches!(refused, Err(Error::Denied { .. })), "{refused:?}");
        let refused = stage.store.read(move |tx| exports::one(tx, &ctx, &id(name))).await;
        assert!(matches!(refused, Err(Error::Denied { .. })), "{refused:?}");
    }
    assert_eq!(stage.rows_of_files().await, (0, 0));
    assert_eq!(stage.count_of("tasks WHERE finished_at IS NULL".to_owned()).await, 0);
}

async fn a_file_has_everything_of_each_in_turn(engine: Engine) {
    let stage = Stage::with_writers(engine).await;
    stage.take_log().await;
    let task = stage.export_many(&["carol", "alice", "bob"]).await.unwrap();
    let name = stage.rows("SELECT name FROM export_files", 1).await.concat().remove(0);
    assert_eq!(stage.task(&task).await.unwrap().result, None);
    stage.step_until("carol", 1).await;
    assert_eq!(stage.open_file(&name).await, None, "nobody reads it before it is finished");
    let steps = stage.store.run_tasks().await;
    assert!(steps >= 8, "{steps} steps");
    assert_eq!(stage.exported(&task).await, (name.clone(), ok(&["alice", "bob", "carol"])));
    let chunks = stage.chunks(&name).await;
    assert!(chunks.len() >= 9 && chunks.iter().all(|chunk| chunk.lines().count() <= tasks::ROWS_A_STEP));
    let all = [expected("carol", 1200, 0), expected("alice", 1200, 0), expected("bob", 0, 1200)].concat();
    assert_eq!(stage.lines(&task).await, all);
    let told = stage.rows("SELECT payload FROM log WHERE event LIKE 'export%'", 1).await.concat();
    assert!(told[0].contains(task.as_str()) && !told[0].contains(&name), "{told:?}");
    assert_eq!(stage.take_log().await, ["export.users.success of  by server: -"]);
}

async fn a_step_writes_no_more_than_a_megabyte(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    stage.channel("one", "alice", &[]).await;
    stage.write_so_many("alice", 150, &"x".repeat(16 << 10)).await;
    let task = stage.export_many(&["alice"]).await.unwrap();
    stage.store.run_tasks().await;
    let chunks = stage.chunks(&stage.exported(&task).await.0).await;
    let sizes: Vec<usize> = chunks.iter().map(String::len).collect();
    assert!(sizes.len() == 3 && sizes.iter().all(|size| *size <= model::MOST_CHUNK_BYTES), "{sizes:?}");
    assert_eq!(stage.lines(&task).await, expected("alice", 150, 0));
}

async fn a_run_that_is_broken_off_at_each_step_ends_the_same(engine: Engine) {
    let stage = Stage::with_writers(engine).await;
    let names = ["alice", "bob", "carol"];
    let undisturbed = stage.export_many(&names).await.unwrap();
    stage.store.run_tasks().await;
    let whole = stage.chunks(&stage.exported(&undisturbed).await.0).await;
    let disturbed = stage.export_many(&names).await.unwrap();
    loop {
        let status = stage.task(&disturbed).await.unwrap().status;
        if status == TaskStatus::Completed {
            break;
        }
        stage.broken_step().await;
        assert_eq!(stage.task(&disturbed).await.unwrap().status, status);
        assert_eq!(stage.step().await.unwrap(), Stepped::Worked);
    }
    assert_eq!(stage.exported(&disturbed).await.1, ok(&names));
    assert_eq!(stage.chunks(&stage.exported(&disturbed).await.0).await, whole);
}

async fn of_whoever_is_deleted_meanwhile_nothing_is_left(engine: Engine) {
    for (moment, plan) in
        [("before", HARD), ("middle", SOFT), ("middle", HARD), ("after", PRUNING), ("after", SOFT)]
    {
        let stage = Stage::with_writers(engine).await;
        let task = stage.export_many(&["bob", "alice", "carol"]).await.unwrap();
        match moment {
            "before" => stage.step_until("bob", 1).await,
            "middle" => stage.step_until("alice", 2).await,
            _ => stage.step_until("carol", 1).await,
        }
        stage.delete_users(wish(&["alice"], plan)).await.unwrap();
        let stage = stage.refreshed().await;
        stage.store.run_tasks().await;
        let mut outcomes = ok(&["bob", "carol"]);
        outcomes.insert("alice".to_owned(), deleted_meanwhile());
        assert_eq!(stage.exported(&task).await.1, outcomes, "{moment} {plan:?}");
        let lines = stage.lines(&task).await;
        let of_bob = lines.iter().filter(|line| line.starts_with("bob")).count();
        assert!(of_bob > 0 && lines.iter().all(|line| !line.starts_with("alice")), "{moment} {plan:?}");
        assert!(lines.ends_with(&expected("carol", 1200, 0)), "{moment} {plan:?}");
    }
}

/// A part of what there is of a user would look like the whole.
async fn who_comes_back_too_soon_is_left_out_all_the_same(engine: Engine) {
    for middle in [true, false] {
        let stage = Stage::with_writers(engine).await;
        let task = stage.export_many(&["alice", "carol"]).await.unwrap();
        stage.step_until(if middle { "alice" } else { "carol" }, 1).await;
        stage.add_chunks("alice", 40).await;
        stage.delete_users(wish(&["alice"], SOFT)).await.unwrap();
        let before = stage.chunks_of("alice").await;
        while stage.chunks_of("alice").await == before {
            stage.step().await.unwrap();
        }
        assert!(stage.chunks_of("alice").await > 0, "they go a few at a time");
        stage.restore(&["alice"]).await.unwrap();
        stage.store.run_tasks().await;
        assert_eq!(stage.exported(&task).await.1["alice"], deleted_meanwhile());
        assert_eq!(stage.lines(&task).await, expected("carol", 1200, 0));
    }
}

async fn a_deletion_takes_the_lines_of_a_finished_file(engine: Engine) {
    for (plan, left) in [(SOFT, true), (PRUNING, false), (HARD, false)] {
        let stage = Stage::with_writers(engine).await;
        let task = stage.export_many(&["alice", "bob"]).await.unwrap();
        stage.store.run_tasks().await;
        stage.add_chunks("alice", 40).await;
        stage.delete_users(wish(&["alice"], plan)).await.unwrap();
        let stage = stage.refreshed().await;
        stage.store.run_tasks().await;
        let lines = stage.lines(&task).await;
        assert_eq!(lines.contains(&"alice".to_owned()), left, "{plan:?}");
        assert_eq!(lines.iter().any(|line| line.starts_with("alice: ")), left, "{plan:?}");
        assert!(lines.contains(&"bob".to_owned()));
    }
}

async fn a_file_is_there_for_a_day(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice"]).await;
    let task = stage.export_many(&["alice"]).await.unwrap();
    stage.advance(Duration::from_secs(60));
    stage.store.run_tasks().await;
    stage.add_chunks("alice", 40).await;
    let (name, _) = stage.exported(&task).await;
    let file = stage.open_file(&name).await.unwrap();
    stage.advance(EXPORT_KEPT - Duration::from_nanos(1));
    assert!(!stage.sweep().await);
    assert_eq!(stage.exported(&task).await.0, name);
    assert!(matches!(stage.next(file, -1).await, Next::Lines { sequence: 0, .. }));
    stage.advance(Duration::from_nanos(1));
    assert_eq!(stage.open_file(&name).await, None, "whether it was swept or not");
    assert_eq!(stage.next(file, -1).await, Next::Gone);
    assert!(stage.sweep().await);
    assert_eq!(stage.rows_of_files().await, (1, 25), "a few at a time");
    while stage.sweep().await {}
    assert_eq!(stage.rows_of_files().await, (0, 0));
    assert_eq!(stage.task(&task).await.unwrap().result, None, "the address is not told any more");
}

async fn what_cannot_be_finished_leaves_nothing(engine: Engine) {
    for chunks in [0, 40] {
        let stage = Stage::with_writers(engine).await;
        let task = stage.export_many(&["alice"]).await.unwrap();
        let name = stage.rows("SELECT name FROM export_files", 1).await.concat().remove(0);
        stage.step_until("alice", 2).await;
        if chunks > 0 {
            stage.add_chunks("alice", chunks).await;
        }
        let key = TaskKey(1);
        for attempt in 1..=MOST_ATTEMPTS {
            let error = Error::from(storage::Error::Panicked);
            let failing = stage.fail(key, error).await;
            assert_eq!(failing == Failing::GivenUp { id: task.clone() }, attempt == MOST_ATTEMPTS);
        }
        assert_eq!(stage.open_file(&name).await, None);
        if chunks == 0 {
            assert_eq!(stage.rows_of_files().await, (0, 0), "at once");
        }
        while stage.sweep().await {}
        assert_eq!(stage.rows_of_files().await, (0, 0));
        let failed = stage.task(&task).await.unwrap();
        assert_eq!((failed.status, failed.result), (TaskStatus::Failed, None));
        let told = stage.take_log().await;
        assert_eq!(told.last().map(String::as_str), Some("export.users.error of  by server: -"));
    }
    // Even when nobody can read what there was to do.
    let stage = Stage::with_writers(engine).await;
    stage.export_many(&["alice"]).await.unwrap();
    stage.step_until("alice", 2).await;
    stage.sql("UPDATE tasks SET work = 'nothing'").await;
    for _ in 0..MOST_ATTEMPTS {
        let (key, error) = stage.step().await.unwrap_err();
        stage.fail(key, error).await;
        stage.advance(Duration::from_secs(600));
    }
    while stage.sweep().await {}
    assert_eq!(stage.rows_of_files().await, (0, 0));
}

async fn nobody_else_learns_where_a_file_is(engine: Engine) {
    let stage = Stage::set(engine).await;
    let other = stage.another_app("other").await;
    stage.create(&["alice"]).await;
    let (first, second) =
        (stage.export_many(&["alice"]).await.unwrap(), stage.export_many(&["alice"]).await.unwrap());
    stage.store.run_tasks().await;
    let names = [stage.exported(&first).await.0, stage.exported(&second).await.0];
    assert_ne!(names[0], names[1]);
    for name in &names {
        assert!(model::is_export_name(name) && stage.open_file(name).await.is_some());
        assert_eq!(stage.open_file(&name.to_uppercase()).await, None);
        let logged = stage.rows("SELECT payload || subject || request FROM log", 1).await.concat().concat();
        assert!(!logged.contains(name.as_str()));
    }
    assert_eq!(stage.open_file(&"0".repeat(64)).await, None);
    let (ctx, asked) = (server(&stage.store, &other, Action::ReadTasks), first.clone());
    let read = stage.store.read(move |tx| tasks::get(tx, &ctx, asked.as_str())).await;
    assert!(matches!(read, Err(Error::NoTask(_))), "{read:?}");
}

async fn as_many_statements_for_many_as_for_one(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..100).map(|number| format!("user-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    stage.channel("one", "user-0", &[]).await;
    let mut counts = Vec::new();
    for some in [&names[..1], &names] {
        let ids: Vec<UserId> = some.iter().map(|name| id(name)).collect();
        let (_, count) =
            stage.counted(Action::ExportUser, move |tx, ctx| exports::many(tx, ctx, &ids)).await.unwrap();
        counts.push(count);
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0] <= 5, "{counts:?}");
    let mut counts = Vec::new();
    for (name, written) in [("user-1", 1), ("user-2", 100)] {
        stage.write_so_many(name, written, "hello").await;
        let ctx = stage.ctx(Action::ExportUser);
        let read = stage.store.read(move |tx| {
            exports::one(tx, &ctx, &id(name)).map(|export| (export.messages.len(), tx.statements()))
        });
        let (messages, statements) = read.await.unwrap();
        assert_eq!(messages, written);
        counts.push(statements);
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0] <= 5, "{counts:?}");
}

/// Several servers export users whom others delete for good at the same moment: no line of theirs is left, and whoever is said to
/// be in the file is.
#[tokio::test(flavor = "multi_thread")]
async fn deletions_and_exports_at_once_leave_no_lines() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(4).await;
    let names: Vec<String> = (0..24).map(|number| format!("user-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    stage.create(&["maker"]).await;
    stage.channel("one", "maker", &[]).await;
    for name in &names {
        stage.write_so_many(name, 600, "hello").await;
    }
    let mut exports = Vec::new();
    for some in names.chunks(8) {
        exports.push((stage.export_many(some).await.unwrap(), some));
    }
    let deleting = async {
        for some in names.chunks(2) {
            stage.delete_users(wish(&some[..1], HARD)).await.unwrap();
        }
    };
    let store = &stage.store;
    tokio::join!(store.run_tasks(), store.run_tasks(), deleting);
    store.run_tasks().await;
    let orphans = "export_chunks WHERE \"user\" NOT IN (SELECT key FROM users)";
    assert_eq!(stage.count_of(orphans.to_owned()).await, 0);
    for (task, some) in exports {
        let (lines, (_, outcomes)) = (stage.lines(&task).await, stage.exported(&task).await);
        for (place, name) in some.iter().enumerate() {
            let there = lines.contains(&(*name).to_owned());
            assert_eq!(there, place % 2 == 1, "{name}");
            assert!(!there || outcomes[*name] == Outcome::Ok, "{name}");
        }
    }
}

on_each_engine!(
    everything_known_of_one_is_read_at_once,
    what_was_emptied_is_empty_in_the_export,
    who_has_too_much_is_sent_to_the_export_of_many,
    who_cannot_be_exported_is_refused,
    a_file_has_everything_of_each_in_turn,
    a_step_writes_no_more_than_a_megabyte,
    a_run_that_is_broken_off_at_each_step_ends_the_same,
    of_whoever_is_deleted_meanwhile_nothing_is_left,
    who_comes_back_too_soon_is_left_out_all_the_same,
    a_deletion_takes_the_lines_of_a_finished_file,
    a_file_is_there_for_a_day,
    what_cannot_be_finished_leaves_nothing,
    nobody_else_learns_where_a_file_is,
    as_many_statements_for_many_as_for_one,
);
