//! Folding: names and words as searches compare them.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::{AppKey, UserId};

/// Words of a user beyond these are not found by autocomplete; it bounds what one user can add to the index.
const MOST_WORDS: usize = 64;

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

/// What autocomplete stores for a user: the words of its fields, separated by spaces, each with a mark in front.
#[must_use]
pub fn searchable(app: AppKey, id: &UserId, name: Option<&str>, username: Option<&str>) -> String {
    let fields =
        [(WordField::Id, Some(id.as_str())), (WordField::Name, name), (WordField::Username, username)];
    let marked: Vec<String> = fields
        .into_iter()
        .filter_map(|(field, text)| Some((mark(app, field), text?)))
        .flat_map(|(mark, text)| words(text).map(move |word| format!("{mark}{word}")))
        .take(MOST_WORDS)
        .collect();
    marked.join(" ")
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
        let id = UserId::parse("jo-1").unwrap();
        assert_eq!(searchable(AppKey(7), &id, Some("Zoë"), None), "00000007ijo 00000007i1 00000007nzoe");
        assert_eq!(searchable(AppKey(7), &id, Some(&"a ".repeat(1000)), None).split(' ').count(), MOST_WORDS);
    }
}
