//! Tasks: long work that a call starts and does not wait for (v2 4, semantics 11.8 to 11.15).
//!
//! A task is done in steps; between two of them its [`Work`] is all that is known. To add a job, add a variant to [`Work`]
//! with whatever its steps need to go on, and a step function to the dispatch in `operations::tasks`; when it has results of
//! a shape of its own, a variant to [`TaskResult`].

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ContentWork, DeletionWork, EXPORT_KEPT, ExportWork, Timestamp, UserId};

/// The version of the stored form of [`Work`] and [`TaskResult`].
const VERSION: u32 = 1;

/// The most tasks of one app that are not over. A task is started by a server, one a call.
pub const MOST_TASKS: usize = 1000;

/// How long a task is known after its end (DESIGN 3).
pub const TASK_KEPT: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// How long a result that names users, or a reason that may, is known after the end of its task: what remains of users who
/// are deleted for good goes within a day.
pub const USERS_RESULT_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How often a step is tried before its task has failed.
pub const MOST_ATTEMPTS: u32 = 10;

/// The id of a task, as clients know it: a UUID in text form (semantics 11.10).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(String);

impl TaskId {
    /// An id in the form of a UUID.
    #[must_use]
    pub fn from_uuid(uuid: String) -> Self {
        Self(uuid)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How far a task is (semantics 11.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    /// No step of it was tried yet.
    Pending,
    /// It is under way.
    Running,
    /// It is over, and everything was done that could be.
    Completed,
    /// It was given up.
    Failed,
}

impl TaskStatus {
    /// Every status.
    pub const ALL: &[Self] = &[Self::Pending, Self::Running, Self::Completed, Self::Failed];

    /// The name that clients wait for.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// The status with this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.name() == name)
    }
}

/// Why a task was given up (semantics 11.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    /// The kind of failure, for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// What went wrong, for people. Nothing of the server's inside.
    pub description: String,
}

impl TaskError {
    /// A failure of the server.
    #[must_use]
    pub fn internal() -> Self {
        let description = "internal error; the log of the server has the cause under the id of the task";
        Self { kind: "internal".to_owned(), description: description.to_owned() }
    }

    /// A step that no rule allows.
    #[must_use]
    pub fn refused(description: String) -> Self {
        Self { kind: "refused".to_owned(), description }
    }

    /// What is left of a failure whose description is not known any more.
    #[must_use]
    pub fn forgotten() -> Self {
        Self::refused("the reason is not kept any longer".to_owned())
    }

    /// How long it is known after the end of the task; `None` is as long as the task. What was refused can name users.
    #[must_use]
    pub fn kept(&self) -> Option<Duration> {
        (*self != Self::internal()).then_some(USERS_RESULT_KEPT)
    }
}

/// A task as it is shown to the app that started it.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The id.
    pub id: TaskId,
    /// How far it is.
    pub status: TaskStatus,
    /// What came of it, while that is known.
    pub result: Option<TaskResult>,
    /// Why it was given up; only of a failed task.
    pub error: Option<TaskError>,
    /// When it was started by a call.
    pub created_at: Timestamp,
    /// When a step last changed it.
    pub updated_at: Timestamp,
}

/// What a task is to do, and how far that came. Everything that a step needs is in here: the step before may have been run by
/// another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Hides what users have made who were deactivated.
    DeactivateUsers(ContentWork),
    /// Brings back what the deactivation of users hid.
    ReactivateUsers(ContentWork),
    /// Goes through what hangs on users who are deleted.
    DeleteUsers(DeletionWork),
    /// Writes what is known of users into a file.
    ExportUsers(ExportWork),
}

impl Work {
    /// The name of the job.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::DeactivateUsers(_) => "deactivate_users",
            Self::ReactivateUsers(_) => "reactivate_users",
            Self::DeleteUsers(_) => "delete_users",
            Self::ExportUsers(_) => "export_users",
        }
    }

    /// The form in which the work is kept between steps: compact JSON.
    ///
    /// # Errors
    /// When a value has no JSON form, which no value of the model does.
    pub fn to_stored(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Stored { version: VERSION, value: self })
    }

    /// The work that is kept as `text`.
    ///
    /// # Errors
    /// When the text is not work of a version and kind that are known.
    pub fn from_stored(text: &str) -> Result<Self, serde_json::Error> {
        read(text)
    }
}

/// What came of a task that is completed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskResult {
    /// What came of it for each user.
    Users {
        /// By the id of the user.
        users: BTreeMap<UserId, Outcome>,
    },
    /// A file, for as long as it is there.
    Export {
        /// The name of the file, which nobody can guess: whoever knows it may read the file.
        name: String,
        /// What came of it for each user.
        users: BTreeMap<UserId, Outcome>,
    },
}

impl TaskResult {
    /// How long it is known after the end of the task; `None` is as long as the task.
    #[must_use]
    pub const fn kept(&self) -> Option<Duration> {
        match self {
            Self::Users { .. } => Some(USERS_RESULT_KEPT),
            Self::Export { .. } => Some(EXPORT_KEPT),
        }
    }

    /// The form in which the result is kept: compact JSON.
    ///
    /// # Errors
    /// See [`Work::to_stored`].
    pub fn to_stored(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Stored { version: VERSION, value: self })
    }

    /// The result that is kept as `text`.
    ///
    /// # Errors
    /// See [`Work::from_stored`].
    pub fn from_stored(text: &str) -> Result<Self, serde_json::Error> {
        read(text)
    }
}

/// What came of a task for one thing among many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is done.
    Ok,
    /// It is not, for this reason.
    Failed(String),
}

/// When a step is tried again that has failed at `now`, for the `attempts`th time in a row: after 1 s, 2 s, 4 s and so on.
/// `None` when it was the last time.
#[must_use]
pub fn retry_at(attempts: u32, now: Timestamp) -> Option<Timestamp> {
    let doublings = attempts.saturating_sub(1);
    (attempts < MOST_ATTEMPTS).then(|| now.after(Duration::from_secs(1 << doublings.min(MOST_ATTEMPTS))))
}

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    #[serde(rename = "v")]
    version: u32,
    #[serde(flatten)]
    value: T,
}

fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, serde_json::Error> {
    let stored: Stored<T> = serde_json::from_str(text)?;
    if stored.version == VERSION {
        return Ok(stored.value);
    }
    let why = format!("version {} of the stored form, only {VERSION} is known", stored.version);
    Err(serde::de::Error::custom(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Turned, UserContent};

    #[test]
    fn a_failed_step_waits_twice_as_long_each_time_and_ten_times_is_enough() {
        let now = Timestamp::from_seconds(100);
        let seconds = |attempts| retry_at(attempts, now).map(|at| at.seconds() - 100);
        let waits: Vec<_> = (1..=MOST_ATTEMPTS).map(seconds).collect();
        let expected = [1, 2, 4, 8, 16, 32, 64, 128, 256].map(Some);
        assert_eq!(waits, [expected.as_slice(), &[None]].concat());
        assert_eq!(seconds(u32::MAX), None);
    }

    #[test]
    fn work_and_results_come_back_as_they_were_stored() {
        let users = ["bob", "alice"].map(|id| UserId::parse(id).unwrap());
        let since = Some(Timestamp::from_seconds(5));
        let turned = users.iter().map(|id| Turned { id: id.clone(), since }).collect();
        let mut work = ContentWork::new(turned, UserContent { messages: true, channels: false });
        work.advance(Some(7));
        for work in [Work::DeactivateUsers(work.clone()), Work::ReactivateUsers(work)] {
            let text = work.to_stored().unwrap();
            assert!(text.starts_with(&format!(r#"{{"v":1,"kind":"{}","#, work.name())), "{text}");
            assert_eq!(Work::from_stored(&text).unwrap(), work);
            assert!(Work::from_stored(&text.replacen("\"v\":1", "\"v\":2", 1)).is_err());
        }
        let [bob, alice] = users;
        let outcomes = [(bob, Outcome::Ok), (alice, Outcome::Failed("gone".to_owned()))];
        let result = TaskResult::Users { users: outcomes.into() };
        let text = result.to_stored().unwrap();
        assert_eq!(text, r#"{"v":1,"kind":"users","users":{"alice":{"failed":"gone"},"bob":"ok"}}"#);
        assert_eq!(TaskResult::from_stored(&text).unwrap(), result);
        assert!(Work::from_stored("").is_err() && Work::from_stored(r#"{"v":1,"kind":"dance"}"#).is_err());
    }

    #[test]
    fn statuses_are_found_by_name() {
        for status in TaskStatus::ALL {
            assert_eq!(TaskStatus::by_name(status.name()), Some(*status));
        }
        assert_eq!(TaskStatus::by_name("waiting"), None);
    }
}
