//! What an answer must be: an acceptance, or a refusal that says everything that the contract wants (v2 1.8).

use serde_json::Value;

use super::connection::{Answer, Reply};
use super::message::Ending;
use super::mutation::Mutated;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Accepted,
    /// With the whole envelope.
    Refused(u16),
    /// By the HTTP library, which understood so little that there is no envelope.
    RefusedBare(u16),
    /// By closing the connection.
    Dropped,
}

/// The codes that go with a status (semantics 17).
const CODES: &[(u16, &[i64])] = &[
    (400, &[4]),
    (401, &[2, 5, 40, 41, 42, 43]),
    (403, &[17, 99]),
    (404, &[16]),
    (405, &[17]),
    (413, &[22]),
];

/// The statuses with which the HTTP library refuses.
const BARE: &[u16] = &[400, 414, 431];

/// Judges the answer to a request that `operation` was meant for.
///
/// # Errors
/// What is wrong with it.
pub(super) fn judge(mutated: &Mutated, answer: &Answer, operation: &str) -> Result<Outcome, String> {
    let reply = match answer {
        Answer::Reply(reply) => reply,
        Answer::Silence if mutated.sent.ending != Ending::Whole => return Ok(Outcome::Dropped),
        Answer::Silence => return Err("the server closed the connection without an answer".to_owned()),
    };
    match reply.status {
        204 if mutated.sent.bytes.starts_with(b"OPTIONS") => Ok(Outcome::Accepted),
        200 | 201 => accepted(mutated, reply).map(|()| Outcome::Accepted),
        400..=499 if reply.header("x-request-id").is_none() => {
            let bare = mutated.strains_http && BARE.contains(&reply.status) && reply.body.is_empty();
            if bare {
                Ok(Outcome::RefusedBare(reply.status))
            } else {
                Err("a refusal without an envelope".to_owned())
            }
        }
        400..=499 if mutated.sent.is_head => Ok(Outcome::Refused(reply.status)),
        400..=499 => refused(mutated, reply, operation).map(|()| Outcome::Refused(reply.status)),
        status => Err(format!("the status is {status}")),
    }
}

fn accepted(mutated: &Mutated, reply: &Reply) -> Result<(), String> {
    if mutated.sent.is_head || reply.header("content-encoding").is_some() {
        return Ok(());
    }
    let body = object(reply)?;
    match body.get("duration") {
        Some(Value::String(_)) => Ok(()),
        other => Err(format!("the duration is {other:?}")),
    }
}

fn refused(mutated: &Mutated, reply: &Reply, operation: &str) -> Result<(), String> {
    let body = object(reply)?;
    let is = |name: &str, right: fn(&Value) -> bool| match body.get(name) {
        Some(value) if right(value) => Ok(()),
        other => Err(format!("{name} of the refusal is {other:?}")),
    };
    is("code", Value::is_i64)?;
    is("StatusCode", Value::is_u64)?;
    for name in ["message", "duration", "more_info"] {
        is(name, Value::is_string)?;
    }
    is("details", |details| details.as_array().is_some_and(|details| details.iter().all(Value::is_i64)))?;
    let fields = match body.get("exception_fields") {
        None => Vec::new(),
        Some(fields) => named(fields)?,
    };
    let known = [
        "code",
        "message",
        "StatusCode",
        "duration",
        "more_info",
        "details",
        "exception_fields",
        "unrecoverable",
    ];
    if let Some(other) = body.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("the refusal has a field {other}"));
    }
    if body["StatusCode"] != reply.status {
        return Err(format!("StatusCode is {} in an answer {}", body["StatusCode"], reply.status));
    }
    let code = body["code"].as_i64().unwrap_or_default();
    if !CODES.iter().any(|(status, codes)| *status == reply.status && codes.contains(&code)) {
        return Err(format!("the code {code} does not belong to {}", reply.status));
    }
    let message = body["message"].as_str().unwrap_or_default();
    let reason =
        reason(message, operation).ok_or_else(|| format!("the message has no reason: {message:?}"))?;
    names(mutated, reply.status, reason, &fields)
}

/// The fields that are to blame: there is one, each has a name and a reason.
fn named(fields: &Value) -> Result<Vec<&str>, String> {
    let fields = fields.as_object().filter(|fields| !fields.is_empty());
    let fields = fields.ok_or("exception_fields is not a map of fields")?;
    match fields.iter().find(|(name, why)| name.is_empty() || why.as_str().is_none_or(str::is_empty)) {
        Some(wrong) => Err(format!("exception_fields holds {wrong:?}")),
        None => Ok(fields.keys().map(String::as_str).collect()),
    }
}

/// What the message says between its quotes. The request may be for no operation, or for one that shares the path.
fn reason<'a>(message: &'a str, operation: &str) -> Option<&'a str> {
    let (failed, reason) = message.split_once(" failed with error: \"")?;
    let reason = reason.strip_suffix('"')?;
    let known = failed == operation
        || failed == "Request"
        || headwater_http::operation_names().any(|name| name == failed);
    (known && !reason.trim().is_empty()).then_some(reason)
}

/// A refusal of one value names the field that it stands in, or says that the whole is not JSON, or that fields are
/// too large together.
fn names(mutated: &Mutated, status: u16, reason: &str, fields: &[&str]) -> Result<(), String> {
    let (400, Some(field)) = (status, &mutated.field) else { return Ok(()) };
    let says = |text: &str| reason.contains(text);
    if says(field)
        || says("is not valid JSON")
        || says("together")
        || fields.iter().any(|name| name.contains(field.as_str()))
    {
        return Ok(());
    }
    Err(format!("the refusal does not name {field}: {reason}"))
}

fn object(reply: &Reply) -> Result<serde_json::Map<String, Value>, String> {
    match serde_json::from_slice(&reply.body) {
        Ok(Value::Object(fields)) => Ok(fields),
        other => Err(format!("the body is not a JSON object: {other:?}")),
    }
}
