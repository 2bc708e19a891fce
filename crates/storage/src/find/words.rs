//! Words: how autocomplete and search by words are asked of each engine.
//!
//! SQLite has a full-text index that answers any query in the order of keys. PostgreSQL has a table that does so for whole
//! words and for one and two letters (`migrations/postgres/0001_initial.sql`); more letters are a range of it.

use model::AppKey;
use model::filter::WordMatch;
use model::words::{WordField, mark};

use super::statement::Statement;
use crate::tx::Dialect;

/// As many letters as PostgreSQL has entries of their own for.
const FEW_LETTERS: usize = 2;

/// Behind every word that begins with the letters before it.
const LAST: char = char::MAX;

/// Whether an index answers the users of these words in the order of keys.
pub(super) fn is_stream(dialect: Dialect, how: WordMatch, words: &[String]) -> bool {
    match dialect {
        Dialect::Sqlite => true,
        Dialect::Postgres => words.iter().any(|word| has_entry(how, word)),
    }
}

/// Writes the tables of a statement that walks the index in the order of keys and finds the users `u`.
pub(super) fn stream(
    statement: &mut Statement,
    app: AppKey,
    field: WordField,
    how: WordMatch,
    words: &[String],
) {
    match statement.dialect() {
        Dialect::Sqlite => {
            statement
                .push("user_words AS d CROSS JOIN users AS u ON u.key = d.rowid AND d.user_words MATCH ");
            statement.bind(matching(app, field, how, words));
        }
        Dialect::Postgres => {
            // The longest is the rarest, as far as can be told without asking.
            let walked = words.iter().filter(|word| has_entry(how, word)).max_by_key(|word| word.len());
            let others =
                words.iter().filter(|word| walked.is_some_and(|walked| !std::ptr::eq(walked, *word)));
            statement.push("user_words AS d JOIN users AS u ON u.key = d.user AND d.word = ");
            statement.bind(walked.map(|word| entry(app, field, how, word)));
            for word in others {
                statement.push(" AND ");
                has_word(statement, app, field, how, word);
            }
        }
    }
}

/// The column of the key in the index that is walked.
pub(super) fn age(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "d.rowid",
        Dialect::Postgres => "d.user",
    }
}

/// What the keys that [`keys`] answers are sorted by.
pub(super) fn newest_first(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "rowid",
        Dialect::Postgres => "key",
    }
}

/// Writes a statement for the keys of the users with these words.
pub(super) fn keys(
    statement: &mut Statement,
    app: AppKey,
    field: WordField,
    how: WordMatch,
    words: &[String],
) {
    if statement.dialect() == Dialect::Sqlite {
        statement.push("SELECT rowid AS key FROM user_words WHERE user_words MATCH ");
        statement.bind(matching(app, field, how, words));
        return;
    }
    for (place, word) in words.iter().enumerate() {
        statement.push(if place > 0 { " INTERSECT " } else { "" });
        statement.push("SELECT user_words.user AS key FROM user_words WHERE ");
        if has_entry(how, word) {
            statement.push("word = ").bind(entry(app, field, how, word));
        } else {
            let first = format!("{}{word}", mark(app, field));
            let last = format!("{first}{LAST}");
            statement.push("word >= ").bind(first).push(" AND word < ").bind(last);
        }
    }
}

/// Writes the condition that the user `u` has these words.
pub(super) fn condition(
    statement: &mut Statement,
    app: AppKey,
    field: WordField,
    how: WordMatch,
    words: &[String],
) {
    statement.push("(TRUE");
    for word in words {
        statement.push(" AND ");
        has_word(statement, app, field, how, word);
    }
    statement.push(")");
}

/// Writes that the words stored with the user `u` hold `word`. They stand in the row, between spaces: no table is asked.
fn has_word(statement: &mut Statement, app: AppKey, field: WordField, how: WordMatch, word: &str) {
    let end = if how == WordMatch::Prefix { "" } else { " " };
    let wanted = format!(" {}{word}{end}", mark(app, field));
    let place = match statement.dialect() {
        Dialect::Sqlite => "INSTR",
        Dialect::Postgres => "STRPOS",
    };
    statement.push(place).push("(' ' || u.words || ' ', ").bind(wanted).push(") > 0");
}

/// Whether PostgreSQL has an entry for the whole of what is asked.
fn has_entry(how: WordMatch, word: &str) -> bool {
    how == WordMatch::Whole || word.chars().count() <= FEW_LETTERS
}

/// The entry of a word, or of its first letters.
fn entry(app: AppKey, field: WordField, how: WordMatch, word: &str) -> String {
    let star = if how == WordMatch::Prefix { "*" } else { "" };
    format!("{}{word}{star}", mark(app, field))
}

/// A query of the full-text index: every word, or its beginning, under the mark of app and field. Folded words are
/// letters and digits only, so that they can be quoted as they are.
fn matching(app: AppKey, field: WordField, how: WordMatch, words: &[String]) -> String {
    let mark = mark(app, field);
    let star = if how == WordMatch::Prefix { " *" } else { "" };
    let terms: Vec<String> = words.iter().map(|word| format!("\"{mark}{word}\"{star}")).collect();
    terms.join(" AND ")
}
