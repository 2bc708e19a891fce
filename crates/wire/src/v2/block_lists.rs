//! Bodies and answers of the operations on lists of words (v2 2.7).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{
    BlockList, BlockListKind, BlockListPage, BlockListPatch, BlockListPlace, Invalid, UserId, WordCheck,
    Words,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::to_bytes;
use super::user::Moment;
use crate::body::Object;
use crate::form::Query;

/// The switches and what they stand for.
const SWITCHES: &[(&str, WordCheck)] = &[
    ("is_confusable_folding_enabled", WordCheck::Confusables),
    ("is_leet_check_enabled", WordCheck::Leet),
    ("is_plural_check_enabled", WordCheck::Plurals),
    ("is_substring_matching_enabled", WordCheck::Substrings),
];

/// Stands between the team and the name in a cursor: no text from outside has it.
const SEPARATOR: char = '\0';

/// `CreateBlockListRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The name.
    pub name: String,
    /// The team.
    pub team: Option<String>,
    /// What its words are.
    pub kind: BlockListKind,
    /// The words.
    pub words: Words,
    /// The checks that are on.
    pub checks: BTreeSet<WordCheck>,
    /// Who acts.
    pub by: Option<UserId>,
}

/// `UpdateBlockListRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The team in which the list is looked for.
    pub team: Option<String>,
    /// The change.
    pub patch: BlockListPatch,
    /// Who acts.
    pub by: Option<UserId>,
}

/// The parameters of `DeleteBlockList`: the team, and who acts.
///
/// # Errors
/// When nobody can have the id of who acts.
pub fn decode_delete(query: &Query) -> Result<(Option<String>, Option<UserId>), Invalid> {
    let by = query.get("user_id").map(UserId::parse).transpose();
    let by = by.map_err(|invalid| invalid.within("user_id"))?;
    Ok((decode_team(query), by))
}

/// The parameter `team` of the operations that read.
#[must_use]
pub fn decode_team(query: &Query) -> Option<String> {
    query.get("team").map(str::to_owned)
}

/// The parameters of `ListBlockLists`.
///
/// # Errors
/// When the cursor is none that an answer gave, or the limit is no count.
pub fn decode_list(query: &Query) -> Result<BlockListPage, Invalid> {
    let after = match query.get("cursor") {
        None => None,
        Some(cursor) => Some(
            place(cursor)
                .ok_or_else(|| Invalid::new("cursor", "must be the next_cursor of an earlier answer"))?,
        ),
    };
    Ok(BlockListPage {
        team: decode_team(query),
        after,
        limit: query.count("limit")?.unwrap_or(BlockListPage::MOST),
    })
}

/// # Errors
/// The first field that is not as it should be, as for [`decode_update`].
pub fn decode_create(body: Map<String, Value>) -> Result<Create, Invalid> {
    let mut body = Object::root(body);
    let name = body.string("name")?;
    let name = name.ok_or_else(|| body.refuse("name", "is required: the name of the list to make"))?;
    let words = body.strings("words")?;
    let words = words.ok_or_else(|| body.refuse("words", "is required: the words of the list"))?;
    let kind = match body.string("type")? {
        None => BlockListKind::default(),
        Some(name) => BlockListKind::by_name(&name).ok_or_else(|| {
            let names: Vec<&str> = BlockListKind::ALL.iter().map(|(_, name)| *name).collect();
            body.refuse("type", format!("must be one of {}", names.join(", ")))
        })?,
    };
    let switched = switches(&mut body)?;
    Ok(Create {
        name,
        team: team(&mut body)?,
        kind,
        words: Words::parse(words)?,
        checks: switched.into_iter().filter_map(|(check, on)| on.then_some(check)).collect(),
        by: author(&mut body)?,
    })
}

/// # Errors
/// See [`decode_create`].
pub fn decode_update(body: Map<String, Value>) -> Result<Update, Invalid> {
    let mut body = Object::root(body);
    let words = body.strings("words")?.map(Words::parse).transpose()?;
    let patch = BlockListPatch { words, checks: switches(&mut body)? };
    Ok(Update { team: team(&mut body)?, patch, by: author(&mut body)? })
}

fn switches(body: &mut Object) -> Result<BTreeMap<WordCheck, bool>, Invalid> {
    let mut switched = BTreeMap::new();
    for (name, check) in SWITCHES {
        if let Some(on) = body.boolean(name)? {
            switched.insert(*check, on);
        }
    }
    Ok(switched)
}

fn team(body: &mut Object) -> Result<Option<String>, Invalid> {
    Ok(body.string("team")?.filter(|team| !team.is_empty()))
}

/// Who acts, by `user_id` or by the id of `user`.
fn author(body: &mut Object) -> Result<Option<UserId>, Invalid> {
    let by_id = body.user_id("user_id")?;
    let Some(mut user) = body.object("user")? else { return Ok(by_id) };
    let named = user.user_id("id")?;
    let named = named.ok_or_else(|| user.refuse("id", "is required: who acts"))?;
    match by_id {
        Some(by_id) if by_id != named => {
            let why = format!("is '{named}', user_id is '{by_id}'; give one of them");
            Err(user.refuse("id", why))
        }
        _ => Ok(Some(named)),
    }
}

fn place(cursor: &str) -> Option<BlockListPlace> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (team, name) = text.split_once(SEPARATOR)?;
    // Storage takes no second one.
    (!name.contains(SEPARATOR)).then(|| BlockListPlace { team: team.to_owned(), name: name.to_owned() })
}

fn cursor(list: &BlockList) -> String {
    let team = list.team.as_deref().unwrap_or_default();
    URL_SAFE_NO_PAD.encode(format!("{team}{SEPARATOR}{}", list.name))
}

#[derive(Serialize)]
struct BlockListObject<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<&'a str>,
    words: &'a [String],
    is_confusable_folding_enabled: bool,
    is_leet_check_enabled: bool,
    is_plural_check_enabled: bool,
    is_substring_matching_enabled: bool,
    created_at: Moment,
    updated_at: Moment,
}

impl<'a> From<&'a BlockList> for BlockListObject<'a> {
    fn from(list: &'a BlockList) -> Self {
        let is_on = |check| list.checks.contains(&check);
        Self {
            id: &list.id,
            name: &list.name,
            kind: list.kind.name(),
            team: list.team.as_deref(),
            words: list.words.as_slice(),
            is_confusable_folding_enabled: is_on(WordCheck::Confusables),
            is_leet_check_enabled: is_on(WordCheck::Leet),
            is_plural_check_enabled: is_on(WordCheck::Plurals),
            is_substring_matching_enabled: is_on(WordCheck::Substrings),
            created_at: Moment(list.created_at),
            updated_at: Moment(list.updated_at),
        }
    }
}

/// `ListBlockListResponse`, with a cursor when there are more.
#[must_use]
pub fn encode_list(lists: &[BlockList], has_more: bool, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct ListBlockListResponse<'a> {
        duration: &'a str,
        blocklists: Vec<BlockListObject<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
    }
    let next_cursor = lists.last().filter(|_| has_more).map(cursor);
    let blocklists = lists.iter().map(BlockListObject::from).collect();
    to_bytes(&ListBlockListResponse { duration, blocklists, next_cursor })
}

/// `CreateBlockListResponse`, `GetBlockListResponse` and `UpdateBlockListResponse`.
#[must_use]
pub fn encode_one(list: &BlockList, duration: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct BlockListAnswer<'a> {
        duration: &'a str,
        blocklist: BlockListObject<'a>,
    }
    to_bytes(&BlockListAnswer { duration, blocklist: list.into() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(body: Value) -> Map<String, Value> {
        body.as_object().unwrap().clone()
    }

    #[test]
    fn a_list_to_make_has_defaults() {
        let made = decode_create(fields(json!({"name": "rude", "words": [], "team": ""}))).unwrap();
        let expected = Create {
            name: "rude".to_owned(),
            team: None,
            kind: BlockListKind::Word,
            words: Words::default(),
            checks: BTreeSet::new(),
            by: None,
        };
        assert_eq!(made, expected);
    }

    #[test]
    fn refusals_name_the_field() {
        for (body, field) in [
            (json!({"words": []}), "name"),
            (json!({"name": 1, "words": []}), "name"),
            (json!({"name": "a"}), "words"),
            (json!({"name": "a", "words": null}), "words"),
            (json!({"name": "a", "words": "b"}), "words"),
            (json!({"name": "a", "words": ["b", 1]}), "words.1"),
            (json!({"name": "a", "words": ["b", ""]}), "words.1"),
            (json!({"name": "a", "words": [], "type": "Word"}), "type"),
            (json!({"name": "a", "words": [], "is_leet_check_enabled": 1}), "is_leet_check_enabled"),
            (json!({"name": "a", "words": [], "team": ["red"]}), "team"),
            (json!({"name": "a", "words": [], "user_id": "a b"}), "user_id"),
            (json!({"name": "a", "words": [], "user": {}}), "user.id"),
            (json!({"name": "a", "words": [], "user": {"id": "b"}, "user_id": "c"}), "user.id"),
        ] {
            assert_eq!(decode_create(fields(body.clone())).unwrap_err().field, field, "{body}");
        }
        let both = decode_update(fields(json!({"user": {"id": "b"}, "user_id": "b"}))).unwrap();
        assert_eq!(both.by.unwrap().as_str(), "b");
    }

    #[test]
    fn a_cursor_leads_on_from_a_list() {
        for (team, name) in [("", "rude"), ("red", "böse/2")] {
            let text = URL_SAFE_NO_PAD.encode(format!("{team}\0{name}"));
            let page = decode_list(&Query::parse(&format!("cursor={text}&limit=2"))).unwrap();
            let after = BlockListPlace { team: team.to_owned(), name: name.to_owned() };
            assert_eq!(page, BlockListPage { team: None, after: Some(after), limit: 2 });
        }
        for text in ["x", "*", "YQ", "YQBiAGM"] {
            let refused = decode_list(&Query::parse(&format!("cursor={text}"))).unwrap_err();
            assert_eq!(refused.field, "cursor", "{text}");
        }
    }
}
