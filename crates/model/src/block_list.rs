//! Lists of words that moderation looks for (v2 2.7). Nothing looks yet: here are their rules and their changes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Invalid, Timestamp};

/// The most lists that an app may have.
pub const MOST_BLOCK_LISTS: usize = 1000;

/// The most words of a list.
pub const MOST_BLOCK_LIST_WORDS: usize = 10_000;

/// The most bytes that the words of a list come to.
const MOST_WORD_BYTES: usize = 256 * 1024;

/// The longest name of a list, in bytes. It stands in a path.
const LONGEST_NAME: usize = 255;

/// What the words of a list are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockListKind {
    /// Words.
    #[default]
    Word,
    /// Regular expressions.
    Regex,
    /// Domains that are not to be linked to.
    Domain,
    /// The only domains that may be linked to.
    DomainAllowlist,
    /// Mail addresses that are not to be given.
    Email,
    /// The only mail addresses that may be given.
    EmailAllowlist,
}

impl BlockListKind {
    /// Every kind with its name.
    pub const ALL: &[(Self, &str)] = &[
        (Self::Word, "word"),
        (Self::Regex, "regex"),
        (Self::Domain, "domain"),
        (Self::DomainAllowlist, "domain_allowlist"),
        (Self::Email, "email"),
        (Self::EmailAllowlist, "email_allowlist"),
    ];

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("word", |(_, name)| name)
    }

    /// The kind with this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// What else counts as a word of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordCheck {
    /// Letters that look alike.
    Confusables,
    /// Digits and signs in place of letters.
    Leet,
    /// The plural.
    Plurals,
    /// The word within another one.
    Substrings,
}

/// The words of a list: each once, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(Vec<String>);

impl Words {
    /// Takes `words` for those of a list.
    ///
    /// # Errors
    /// When there are too many, they are too long in all, or one is empty; the field is `words`.
    pub fn parse(words: Vec<String>) -> Result<Self, Invalid> {
        if words.len() > MOST_BLOCK_LIST_WORDS {
            let why = format!("a list may have at most {MOST_BLOCK_LIST_WORDS} words, got {}", words.len());
            return Err(Invalid::new("words", why));
        }
        if let Some(place) = words.iter().position(|word| word.trim().is_empty()) {
            return Err(Invalid::new(format!("words.{place}"), "must not be empty"));
        }
        let bytes: usize = words.iter().map(String::len).sum();
        if bytes > MOST_WORD_BYTES {
            let why = format!("the words of a list may come to {MOST_WORD_BYTES} bytes, got {bytes}");
            return Err(Invalid::new("words", why));
        }
        let mut seen = BTreeSet::new();
        let first: Vec<bool> = words.iter().map(|word| seen.insert(word.as_str())).collect();
        Ok(Self(words.into_iter().zip(first).filter_map(|(word, first)| first.then_some(word)).collect()))
    }

    /// The words.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// A list of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockList {
    /// The id.
    pub id: String,
    /// The team whose list it is; `None` is the whole app.
    pub team: Option<String>,
    /// The name, unique within the team.
    pub name: String,
    /// What its words are.
    pub kind: BlockListKind,
    /// The words.
    pub words: Words,
    /// What else counts as one of them.
    pub checks: BTreeSet<WordCheck>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A change of a list; what is not given stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockListPatch {
    /// Words in place of those it has.
    pub words: Option<Words>,
    /// Checks to be switched on and off.
    pub checks: BTreeMap<WordCheck, bool>,
}

impl BlockList {
    /// The list as `patch` changes it at `now`; `None` when that changes nothing.
    #[must_use]
    pub fn changed(&self, patch: &BlockListPatch, now: Timestamp) -> Option<Self> {
        let mut changed = self.clone();
        if let Some(words) = &patch.words {
            changed.words.clone_from(words);
        }
        for (check, on) in &patch.checks {
            if *on {
                changed.checks.insert(*check);
            } else {
                changed.checks.remove(check);
            }
        }
        if changed == *self {
            return None;
        }
        changed.updated_at = now.max(self.updated_at.next());
        Some(changed)
    }
}

/// Checks the name of a list that is to be made.
///
/// # Errors
/// When it is empty, too long, has control characters, or could not stand in a path; the field is `name`.
pub fn check_block_list_name(name: &str) -> Result<(), Invalid> {
    let refuse = |why: String| Err(Invalid::new("name", why));
    if name.is_empty() || name.len() > LONGEST_NAME {
        return refuse(format!("must have 1 to {LONGEST_NAME} bytes, has {}", name.len()));
    }
    if name.chars().any(char::is_control) {
        return refuse("must have no control characters".to_owned());
    }
    // Clients and proxies resolve these, escaped or not, before the server sees them.
    if name == "." || name == ".." {
        return refuse(format!("'{name}' means something else in a path; choose another name"));
    }
    Ok(())
}

/// Which lists one answer shows, in the order of their teams and names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockListPage {
    /// Only lists of this team.
    pub team: Option<String>,
    /// Only lists after this one.
    pub after: Option<BlockListPlace>,
    /// How many at most.
    pub limit: usize,
}

/// The place of a list among the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockListPlace {
    /// The team; empty for the whole app.
    pub team: String,
    /// The name.
    pub name: String,
}

impl BlockListPage {
    /// How many are answered when nothing is asked for, and the most that can be asked for.
    pub const MOST: usize = 100;

    /// The most bytes of words in one answer: a page that would have more ends sooner, but has one list.
    pub const MOST_BYTES: usize = 4 * 1024 * 1024;

    /// Checks what is asked for.
    ///
    /// # Errors
    /// When the limit is none that a page can have.
    pub fn check(&self) -> Result<(), Invalid> {
        check_limit(self.limit, Self::MOST)
    }
}

/// Checks how much is asked for: a page of nothing would never end.
pub(crate) fn check_limit(limit: usize, most: usize) -> Result<(), Invalid> {
    if (1..=most).contains(&limit) {
        return Ok(());
    }
    Err(Invalid::new("limit", format!("must be 1 to {most}, got {limit}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(words: Vec<String>, expected: &str) {
        assert_eq!(Words::parse(words).unwrap_err().to_string(), expected);
    }

    #[test]
    fn words_are_counted_and_stand_once() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(Words::parse(words(&["b", "a", "b", "A"])).unwrap().as_slice(), ["b", "a", "A"]);
        assert_eq!(Words::parse(Vec::new()).unwrap(), Words::default());
        refused(words(&["a", ""]), "words.1: must not be empty");
        refused(words(&[" \t"]), "words.0: must not be empty");
        refused(vec!["a".to_owned(); 10_001], "words: a list may have at most 10000 words, got 10001");
        assert!(Words::parse(vec!["a".repeat(MOST_WORD_BYTES)]).is_ok());
        refused(
            vec!["a".repeat(MOST_WORD_BYTES), "b".to_owned()],
            "words: the words of a list may come to 262144 bytes, got 262145",
        );
    }

    #[test]
    fn names_can_stand_in_a_path() {
        for good in ["a", "Böse Wörter/2", "...", &"x".repeat(255)] {
            assert!(check_block_list_name(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a\nb", "\u{7f}", &"x".repeat(256)] {
            assert_eq!(check_block_list_name(bad).unwrap_err().field, "name", "{bad:?}");
        }
    }

    #[test]
    fn a_change_keeps_what_is_not_given() {
        let then = Timestamp::from_seconds(9);
        let list = BlockList {
            id: "1".to_owned(),
            team: None,
            name: "rude".to_owned(),
            kind: BlockListKind::Word,
            words: Words(vec!["a".to_owned()]),
            checks: BTreeSet::from([WordCheck::Leet]),
            created_at: then,
            updated_at: then,
        };
        let earlier = Timestamp::from_seconds(1);
        assert_eq!(list.changed(&BlockListPatch::default(), earlier), None);
        let same = BlockListPatch {
            words: Some(list.words.clone()),
            checks: BTreeMap::from([(WordCheck::Leet, true), (WordCheck::Plurals, false)]),
        };
        assert_eq!(list.changed(&same, earlier), None);
        let checks = BTreeMap::from([(WordCheck::Leet, false), (WordCheck::Plurals, true)]);
        let changed = list.changed(&BlockListPatch { words: None, checks }, earlier).unwrap();
        assert_eq!(changed.checks, BTreeSet::from([WordCheck::Plurals]));
        assert_eq!((&changed.words, changed.updated_at), (&list.words, then.next()));
    }

    #[test]
    fn kinds_have_names() {
        for (kind, name) in BlockListKind::ALL {
            assert_eq!((kind.name(), BlockListKind::by_name(name)), (*name, Some(*kind)));
        }
        assert_eq!(BlockListKind::by_name("Word"), None);
    }
}
