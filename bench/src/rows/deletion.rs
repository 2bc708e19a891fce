//! A user with many messages is deleted for good: how fast, how soon the call is answered, and what others notice.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Row, query_by_id, upsert_one};
use crate::bench::Bench;
use crate::call;
use crate::content::Content;
use crate::failure::Failure;
use crate::people::Person;
use crate::raw;
use crate::report::{Figures, Floor, Line};
use crate::rounds::{Latency, Outcome};
use crate::samples::Samples;
use crate::stage::Stage;

pub(super) const NAME: &str = "hard delete";
pub(super) const FLOOR: Floor = Floor::Ratio(0.5);

/// Messages of a user in each channel.
const MESSAGES_A_CHANNEL: u64 = 100;

/// The most messages: those of DESIGN 6. A quick look has as many as users.
const MOST_MESSAGES: u64 = 1_000_000;

/// How many users the call deletes, of whom one has written the messages.
const DELETED: u64 = 100;

/// How long the server may take for a deletion, per message.
const PATIENCE: Duration = Duration::from_millis(2);

/// How long others are read beside a deletion, per message of it.
const READING: Duration = Duration::from_micros(4);

/// How long to wait before asking again whether a deletion is over.
const BREATH: Duration = Duration::from_millis(100);

/// How many messages of a deletion there are for each user that is stored beside it: enough users for dozens of checkpoints,
/// of which a few more or fewer would otherwise decide what one call in a hundred takes.
const MESSAGES_A_USER: u64 = 12;

/// Who is deleted: the one with many messages, and whoever goes in the same call.
struct Doomed {
    author: Person,
    others: std::ops::Range<u64>,
}

impl Doomed {
    fn ids(&self) -> Vec<String> {
        std::iter::once(self.author.id())
            .chain(self.others.clone().map(|number| Person(number).id()))
            .collect()
    }
}

pub(super) fn measure(bench: &mut Bench) -> Result<Vec<Line>, Failure> {
    let messages = bench.users().min(MOST_MESSAGES);
    let channels = messages / MESSAGES_A_CHANNEL;
    let (stage, home) = bench.large_at_home()?;
    let first = stage.next();
    stage.upsert(2 + 2 * DELETED, 100, 1)?;
    let [doomed, second] = [0, 1].map(|place| {
        let author = first + 2 + place * DELETED;
        Doomed { author: Person(author), others: author + 1..author + DELETED }
    });
    let content = Content { members: [Person(first), Person(first + 1), doomed.author], channels };
    let (address, api) = (stage.address()?, stage.api());
    content.make_channels(address, api)?;
    content.write(address, api, doomed.author, messages)?;
    content.write(address, api, second.author, messages)?;
    let copies = stage.copies(home, ["deletion-before.db", "deletion-after.db"])?;

    // The baseline on both sides, so that a machine that becomes faster or slower does so for both.
    let before = raw::remove(&copies[0], stage.app(), &doomed.author.id())?;
    let (answered, ours) = delete(stage, &doomed, messages)?;
    let after = raw::remove(&copies[1], stage.app(), &doomed.author.id())?;
    copies.iter().try_for_each(std::fs::remove_file)?;
    check_done(&[&before, &after], messages)?;
    let ratio =
        Figures::of_rounds(&[ours.rate(), ours.rate()], &[before.rate(), after.rate()], "messages/s", None);
    let line = |name: String, floor, figures| Line { row: Row::Deletion, name, floor, figures: Ok(figures) };
    let title = format!("{NAME}, {messages} messages in {channels} channels");
    let answer = Figures::alone(answered.as_secs_f64() * 1000.0, "ms", None);
    let mut lines = vec![
        line(title, FLOOR, ratio),
        line(format!("  the call, {DELETED} users"), Floor::Figure(50.0), answer),
    ];
    lines.extend(
        disturb(stage, &second, messages)?
            .map(|(what, figures)| line(format!("  p99 meanwhile, {what}"), Floor::Growth(2.0), figures)),
    );
    Ok(lines)
}

/// Sees that the raw loop has deleted what the server has.
fn check_done(raw: &[&Outcome], messages: u64) -> Result<(), Failure> {
    match raw.iter().find(|outcome| outcome.done as u64 != messages) {
        Some(outcome) => Err(format!("the raw loop deleted {} of {messages} messages", outcome.done).into()),
        None => Ok(()),
    }
}

/// Deletes users, and waits for the end. Answers how long the call took, and the whole.
fn delete(stage: &Stage, doomed: &Doomed, messages: u64) -> Result<(Duration, Outcome), Failure> {
    let begin = Instant::now();
    let task = begin_deletion(stage, doomed)?;
    let answered = begin.elapsed();
    let patience = PATIENCE * u32::try_from(messages)? + Duration::from_secs(30);
    while !is_over(stage, &task)? {
        if begin.elapsed() > patience {
            return Err("the deletion does not end".into());
        }
        thread::sleep(BREATH);
    }
    let outcome =
        Outcome { done: usize::try_from(messages)?, elapsed: begin.elapsed(), samples: Samples::default() };
    eprintln!("{NAME}: answered in {answered:.1?}, done in {:.1?}, {:.0}/s", outcome.elapsed, outcome.rate());
    Ok((answered, outcome))
}

fn begin_deletion(stage: &Stage, doomed: &Doomed) -> Result<String, Failure> {
    let body = json!({"user_ids": doomed.ids(), "user": "hard", "messages": "hard", "conversations": "hard"});
    let answer = call::send(stage.address()?, &stage.api().post("/api/v2/users/delete", &body))?.answer()?;
    Ok(answer["task_id"].as_str().ok_or("a deletion without a task")?.to_owned())
}

fn is_over(stage: &Stage, task: &str) -> Result<bool, Failure> {
    let answer =
        call::send(stage.address()?, &stage.api().get(&format!("/api/v2/tasks/{task}")))?.answer()?;
    match answer["status"].as_str() {
        Some("completed") => Ok(true),
        Some("pending" | "running") => Ok(false),
        _ => Err(format!("the deletion has failed: {}", answer["error"]).into()),
    }
}

/// What others notice of a deletion: latencies of reading and of writing before one, and while it runs.
fn disturb(
    stage: &mut Stage,
    doomed: &Doomed,
    messages: u64,
) -> Result<[(&'static str, Figures); 2], Failure> {
    // Both have to fit in the time that the deletion takes.
    let period = READING * u32::try_from(messages)?;
    let requests = query_by_id::requests(stage)?;
    let read = |stage: &Stage| stage.read(&requests, query_by_id::CONNECTIONS, period);
    let write = |stage: &mut Stage| stage.write(messages / MESSAGES_A_USER, 1, upsert_one::AT_ONCE);
    let (mut reading, mut writing) = (read(stage)?, write(stage)?);
    let task = begin_deletion(stage, doomed)?;
    let (mut disturbed_reading, mut disturbed_writing) = (read(stage)?, write(stage)?);
    if is_over(stage, &task)? {
        return Err("the deletion was over before others were measured".into());
    }
    let figures = |before: &mut Outcome, meanwhile: &mut Outcome| -> Result<Figures, Failure> {
        let latency = |outcome: &mut Outcome| -> Option<Latency> {
            Some(Latency { p50: outcome.samples.percentile(0.5)?, p99: outcome.samples.percentile(0.99)? })
        };
        let (before, meanwhile) = latency(before).zip(latency(meanwhile)).ok_or("nothing was measured")?;
        Ok(Figures::of_rounds(&[meanwhile.p99], &[before.p99], "ms", Some(meanwhile)))
    };
    Ok([
        (query_by_id::NAME, figures(&mut reading, &mut disturbed_reading)?),
        (upsert_one::NAME, figures(&mut writing, &mut disturbed_writing)?),
    ])
}
