//! Bodies and answers of the operations that delete and restore users (v2 2.2, 3.5).

use model::{
    ConversationDeletion, DeleteUsers, DeletionPlan, Effect, Invalid, MessageDeletion, Shown, UserDeletion,
    UserId,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::lifecycle::decode_user_ids;
use super::to_bytes;
use crate::body::Object;

/// `DeleteUsersRequest`; the empty text is as if it were not given (DESIGN 3).
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_delete(body: Map<String, Value>) -> Result<DeleteUsers, Invalid> {
    let mut body = Object::root(body);
    let ids = decode_user_ids(&mut body)?;
    let user = mode(&mut body, "user", UserDeletion::by_name, "soft, pruning or hard")?;
    let messages =
        mode(&mut body, "messages", MessageDeletion::by_name, "soft, pruning or hard, or left out")?;
    let parts = "soft or hard, or left out";
    let plan = DeletionPlan {
        user: user.unwrap_or_default(),
        messages,
        conversations: mode(&mut body, "conversations", ConversationDeletion::by_name, parts)?,
        calls: mode(&mut body, "calls", ConversationDeletion::by_name, parts)?,
        files: body.boolean("files")?.unwrap_or(false),
    };
    Ok(DeleteUsers {
        ids,
        plan,
        new_channel_owner: body.user_id("new_channel_owner_id")?,
        new_call_owner: body.user_id("new_call_owner_id")?,
    })
}

fn mode<M>(
    body: &mut Object,
    field: &str,
    by_name: fn(&str) -> Option<M>,
    accepted: &str,
) -> Result<Option<M>, Invalid> {
    let Some(name) = body.string(field)?.filter(|name| !name.is_empty()) else { return Ok(None) };
    let refused = || body.refuse(field, format!("must be {accepted}, got {}", Shown(&name)));
    by_name(&name).map(Some).ok_or_else(refused)
}

/// `RestoreUsersRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_restore(body: Map<String, Value>) -> Result<Vec<UserId>, Invalid> {
    decode_user_ids(&mut Object::root(body))
}

/// `Response`: nothing but how long it took.
#[must_use]
pub fn encode_restored(duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Response<'a> {
        duration: &'a str,
    }
    to_bytes(&Response { duration })
}

/// What would happen to one kind of data, as a preview shows it.
#[derive(Debug)]
pub struct Line {
    /// The kind.
    pub data: &'static str,
    /// What becomes of it.
    pub effect: Effect,
    /// How much of it there is.
    pub count: u64,
    /// Whether that is how far it was counted, and there can be more.
    pub at_least: bool,
}

/// The answer of a preview. Ours.
#[must_use]
pub fn encode_preview(users: &[(&UserId, Vec<Line>)], duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Change {
        effect: &'static str,
        count: u64,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        at_least: bool,
    }
    let changes = |lines: &[Line]| -> Map<String, Value> {
        let change = |line: &Line| Change {
            effect: effect_name(line.effect),
            count: line.count,
            at_least: line.at_least,
        };
        lines
            .iter()
            .filter_map(|line| Some((line.data.to_owned(), serde_json::to_value(change(line)).ok()?)))
            .collect()
    };
    let mut totals: Map<String, Value> = Map::new();
    for line in users.iter().flat_map(|(_, lines)| lines) {
        let known = totals.get(line.data).and_then(Value::as_u64).unwrap_or(0);
        totals.insert(line.data.to_owned(), known.saturating_add(line.count).into());
    }
    #[derive(Serialize)]
    struct PreviewResponse<'a> {
        duration: &'a str,
        users: Map<String, Value>,
        totals: Map<String, Value>,
    }
    let users = users.iter().map(|(id, lines)| (id.to_string(), changes(lines).into())).collect();
    to_bytes(&PreviewResponse { duration, users, totals })
}

/// The effect in one word, for programs.
fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Kept => "kept",
        Effect::Marked => "marked",
        Effect::Emptied => "emptied",
        Effect::PassedOn => "passed_on",
        Effect::Unnamed => "unnamed",
        Effect::Removed => "removed",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decode(body: &Value) -> Result<DeleteUsers, Invalid> {
        decode_delete(body.as_object().cloned().unwrap())
    }

    #[test]
    fn what_is_left_out_or_empty_stays() {
        let least = decode(&json!({"user_ids": ["a"]})).unwrap();
        assert_eq!(least.plan, DeletionPlan::default());
        let empty = json!({"user_ids": ["a"], "user": "", "messages": "", "conversations": "", "calls": "",
            "new_channel_owner_id": "", "new_call_owner_id": null, "files": false});
        assert_eq!(decode(&empty).unwrap(), least);
        let most = json!({"user_ids": ["a", "b"], "user": "hard", "messages": "hard", "conversations": "hard",
            "calls": "soft", "files": true, "new_channel_owner_id": "c", "new_call_owner_id": "d"});
        let most = decode(&most).unwrap();
        assert_eq!((most.ids.len(), most.plan.user, most.plan.files), (2, UserDeletion::Hard, true));
        assert_eq!(most.plan.calls, Some(ConversationDeletion::Soft));
        assert_eq!(most.new_channel_owner.unwrap().as_str(), "c");
    }

    #[test]
    fn refusals_name_the_field() {
        for (body, refused) in [
            (json!({}), "user_ids: is required: a list of user ids"),
            (json!({"user_ids": ["a", ""]}), "user_ids.1: must not be empty"),
            (json!({"user_ids": ["a"], "user": "gone"}), "user: must be soft, pruning or hard, got 'gone'"),
            (
                json!({"user_ids": ["a"], "calls": "pruning"}),
                "calls: must be soft or hard, or left out, got 'pruning'",
            ),
            (json!({"user_ids": ["a"], "messages": 1}), "messages: must be a string, got a number"),
            (json!({"user_ids": ["a"], "files": "yes"}), "files: must be true or false, got a string"),
        ] {
            assert_eq!(decode(&body).unwrap_err().to_string(), refused, "{body}");
        }
    }

    #[test]
    fn a_preview_adds_up() {
        let ids = ["a", "b"].map(|id| UserId::parse(id).unwrap());
        let line = |count, at_least| vec![Line { data: "devices", effect: Effect::Removed, count, at_least }];
        let shown = encode_preview(&[(&ids[0], line(2, false)), (&ids[1], line(3, true))], "1ms");
        let expected = json!({"duration": "1ms", "totals": {"devices": 5}, "users": {
            "a": {"devices": {"effect": "removed", "count": 2}},
            "b": {"devices": {"effect": "removed", "count": 3, "at_least": true}}}});
        assert_eq!(serde_json::from_slice::<Value>(&shown).unwrap(), expected);
    }
}
