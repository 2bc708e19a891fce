//! The answer of the operation on tasks (v2 3.5, 4).

use std::collections::BTreeMap;

use model::{Outcome, Task, TaskError, TaskResult, UserId};
use serde::Serialize;

use super::exports::url;
use super::to_bytes;
use super::user::Moment;

/// What came of a task, in the shape of its job.
#[derive(Serialize)]
#[serde(untagged)]
enum ResultObject<'a> {
    /// By id.
    Each(BTreeMap<&'a str, OutcomeObject<'a>>),
    /// A file.
    File {
        url: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        users: Option<BTreeMap<&'a str, OutcomeObject<'a>>>,
    },
}

/// What came of a task for one thing among many (v2 4).
#[derive(Serialize)]
struct OutcomeObject<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> From<&'a Outcome> for OutcomeObject<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        match outcome {
            Outcome::Ok => Self { status: "ok", error: None },
            Outcome::Failed(why) => Self { status: "error", error: Some(why) },
        }
    }
}

impl<'a> ResultObject<'a> {
    /// The result as a server shows it that clients reach at `public_url`.
    fn of(result: &'a TaskResult, public_url: &str) -> Self {
        match result {
            TaskResult::Users { users } => Self::Each(each(users)),
            TaskResult::Export { name, users } => {
                let failed = users.values().any(|outcome| *outcome != Outcome::Ok);
                Self::File { url: url(public_url, name), users: failed.then(|| each(users)) }
            }
        }
    }
}

fn each(users: &BTreeMap<UserId, Outcome>) -> BTreeMap<&str, OutcomeObject<'_>> {
    users.iter().map(|(id, outcome)| (id.as_str(), outcome.into())).collect()
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    description: &'a str,
}

impl<'a> From<&'a TaskError> for ErrorObject<'a> {
    fn from(error: &'a TaskError) -> Self {
        Self { kind: &error.kind, description: &error.description }
    }
}

/// `GetTaskResponse`, of a server that clients reach at `public_url`.
#[must_use]
pub fn encode(task: &Task, public_url: &str, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct GetTaskResponse<'a> {
        duration: &'a str,
        task_id: &'a str,
        status: &'static str,
        created_at: Moment,
        updated_at: Moment,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<ResultObject<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<ErrorObject<'a>>,
    }
    to_bytes(&GetTaskResponse {
        duration,
        task_id: task.id.as_str(),
        status: task.status.name(),
        created_at: Moment(task.created_at),
        updated_at: Moment(task.updated_at),
        result: task.result.as_ref().map(|result| ResultObject::of(result, public_url)),
        error: task.error.as_ref().map(ErrorObject::from),
    })
}

#[cfg(test)]
mod tests {
    use model::{TaskId, TaskStatus, Timestamp};

    use super::*;

    #[track_caller]
    fn check(status: TaskStatus, result: Option<TaskResult>, error: Option<TaskError>, expected: &str) {
        let (created_at, updated_at) = (Timestamp::from_nanoseconds(1), Timestamp::from_nanoseconds(2));
        let id = TaskId::from_uuid("t".to_owned());
        let task = Task { id, status, result, error, created_at, updated_at };
        let printed = String::from_utf8(encode(&task, "http://h", "1.00ms")).unwrap();
        let rest = printed.strip_prefix(r#"{"duration":"1.00ms","task_id":"t","status":""#).unwrap();
        assert_eq!(rest, expected);
    }

    #[test]
    fn a_result_and_an_error_are_there_when_there_is_one() {
        let plain = r#"","created_at":1,"updated_at":2"#;
        check(TaskStatus::Pending, None, None, &format!("pending{plain}}}"));
        check(TaskStatus::Running, None, None, &format!("running{plain}}}"));
        let [alice, bob] = ["alice", "bob"].map(|id| UserId::parse(id).unwrap());
        let users = [(alice.clone(), Outcome::Ok), (bob.clone(), Outcome::Failed("gone".to_owned()))].into();
        let result = r#","result":{"alice":{"status":"ok"},"bob":{"status":"error","error":"gone"}}}"#;
        check(
            TaskStatus::Completed,
            Some(TaskResult::Users { users }),
            None,
            &format!("completed{plain}{result}"),
        );
        let file = |users: &[(&UserId, Outcome)]| TaskResult::Export {
            name: "abc".to_owned(),
            users: users.iter().map(|(id, outcome)| (UserId::clone(id), outcome.clone())).collect(),
        };
        let url = r#","result":{"url":"http://h/exports/users/abc.jsonl""#;
        let all = file(&[(&alice, Outcome::Ok)]);
        check(TaskStatus::Completed, Some(all), None, &format!("completed{plain}{url}}}}}"));
        let some = file(&[(&alice, Outcome::Ok), (&bob, Outcome::Failed("gone".to_owned()))]);
        let users = r#","users":{"alice":{"status":"ok"},"bob":{"status":"error","error":"gone"}}}}"#;
        check(TaskStatus::Completed, Some(some), None, &format!("completed{plain}{url}{users}"));
        let error = r#","error":{"type":"refused","description":"no"}}"#;
        check(
            TaskStatus::Failed,
            None,
            Some(TaskError::refused("no".to_owned())),
            &format!("failed{plain}{error}"),
        );
    }
}
