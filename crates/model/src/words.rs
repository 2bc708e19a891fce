//! Folding: names and words as searches compare them.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::{AppKey, User};

/// Words of a field beyond these are not found; it bounds what one user can add to the index.
const MOST_WORDS: usize = 32;

/// A word is cut to this many characters, like the longest query (semantics 4.24).
const LONGEST_WORD: usize = 100;

/// The field that a word comes from. The letters are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordField {
    /// The user id.
    Id,
    /// The display name.
    Name,
    /// The custom field `username`.
    Username,
}

impl WordField {
    const ALL: [Self; 3] = [Self::Id, Self::Name, Self::Username];

    fn letter(self) -> char {
        match self {
            Self::Id => 'i',
            Self::Name => 'n',
            Self::Username => 'u',
        }
    }
}

/// The form in which names are compared where they must be unique: NFKC, lower case, letters and digits only
/// (semantics 5.3). Empty when nothing is left; such a name is exempt.
#[must_use]
pub fn name_key(name: &str) -> String {
    name.nfkc().flat_map(char::to_lowercase).filter(|character| character.is_alphanumeric()).collect()
}

/// The words of `text`: NFKD without marks, lower case, split at everything that is no letter or digit
/// (semantics 4.20 to 4.23).
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let folded: String =
        text.nfkd().filter(|character| !is_combining_mark(*character)).flat_map(char::to_lowercase).collect();
    let found: Vec<String> = folded
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(LONGEST_WORD).collect())
        .collect();
    found.into_iter()
}

/// The form in which names are put in order and found by their beginning: NFKD without marks, lower case, no blanks around.
#[must_use]
pub fn folded(text: &str) -> String {
    let folded: String =
        text.nfkd().filter(|character| !is_combining_mark(*character)).flat_map(char::to_lowercase).collect();
    folded.trim().to_owned()
}

/// What autocomplete stores for a user: the words of its fields, separated by spaces, each with a mark in front.
#[must_use]
pub fn searchable(app: AppKey, user: &User) -> String {
    let marked: Vec<String> = WordField::ALL
        .into_iter()
        .flat_map(|field| {
            let mark = mark(app, field);
            words_of(user, field).into_iter().map(move |word| format!("{mark}{word}"))
        })
        .collect();
    marked.join(" ")
}

/// The words by which a user is found in a field: the first [`MOST_WORDS`] of it.
#[must_use]
pub fn words_of(user: &User, field: WordField) -> Vec<String> {
    let text = match field {
        WordField::Id => Some(user.id.as_str()),
        WordField::Name => user.name.as_deref(),
        WordField::Username => user.custom.fields().get("username").and_then(Value::as_str),
    };
    text.map(|text| words(text).take(MOST_WORDS).collect()).unwrap_or_default()
}

/// What stands in front of a stored word: the app and the field, always nine characters.
///
/// A full-text index has one vocabulary for all; marked words keep apps and fields apart within it, and the fixed
/// width lets its prefix index serve the first letters of the word itself.
#[must_use]
pub fn mark(app: AppKey, field: WordField) -> String {
    format!("{:08x}{}", app.0, field.letter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Absent, Limits, Profile, Timestamp, UserId};

    #[test]
    fn name_keys_ignore_case_spaces_and_signs() {
        for name in ["John Doe", "john doe", "john.doe", "JOHN_DOE", "ＪＯＨＮ　ＤＯＥ"] {
            assert_eq!(name_key(name), "johndoe", "{name}");
        }
        assert_eq!(name_key("Zoë"), "zoë", "a mark makes another name");
        assert_eq!(name_key("Zoe\u{308}"), "zoë", "however it is written");
        assert_eq!(name_key(" .!"), "");
    }

    #[test]
    fn words_fold_marks_and_case() {
        let found: Vec<_> = words("Ångström, O'Brien-Ñu ﬁn 2nd").collect();
        assert_eq!(found, ["angstrom", "o", "brien", "nu", "fin", "2nd"]);
    }

    #[test]
    fn stored_words_name_their_app_and_field() {
        let stored = |name: &str| {
            let profile = Profile { name: Some(name.to_owned()), ..Profile::default() };
            let id = UserId::parse("jo-1").unwrap();
            let now = Timestamp::from_seconds(1);
            let user = profile.apply(&id, None, now, Absent::Keep, &Limits::default()).unwrap();
            searchable(AppKey(7), &user)
        };
        assert_eq!(stored("Zoë"), "00000007ijo 00000007i1 00000007nzoe");
        assert_eq!(stored(&"a ".repeat(1000)).split(' ').count(), 2 + MOST_WORDS);
    }
}
