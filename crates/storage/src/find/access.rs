//! Access: which index answers a test, and how.

use model::filter::{FlagField, TextField, TimeField, WordMatch};
use model::leaf::{Kind, Leaf, Place, TEAMS};
use model::words::{WordField, name_key};
use model::{AppKey, Filter, Test};

use super::SAMPLE;
use super::condition::{FIRST_ELEMENT, column, is_set, leaf_is, numeric, time_column, within};
use super::statement::Statement;
use super::words;
use crate::tx::Dialect;
use crate::{Error, Tx};

/// At most this many tests of one filter are compared for the rarest: each costs a statement.
const COMPARED: usize = 3;

/// An index whose entries for one value are in the order of keys.
#[derive(Clone, Copy)]
pub(super) enum Access<'q> {
    /// Users with a leaf.
    Leaf(&'q Leaf, &'q Test),
    /// Users with words.
    Words(WordField, WordMatch, &'q [String], &'q Test),
    /// Users with a built-in text.
    Text(TextField, &'q str),
}

/// The tests among `tests` that an index answers in the order of keys.
pub(super) fn streams<'q>(dialect: Dialect, tests: &[&'q Test]) -> Vec<Access<'q>> {
    let access = |test: &&'q Test| match test {
        Test::Has(leaves) => match leaves.as_slice() {
            [leaf] => Some(Access::Leaf(leaf, test)),
            _ => None,
        },
        Test::Words(field, how, words) if words::is_stream(dialect, *how, words) => {
            Some(Access::Words(*field, *how, words, test))
        }
        Test::Among(field @ (TextField::Name | TextField::Role | TextField::Language), values) => {
            match values.as_slice() {
                [value] if !value.is_empty() => Some(Access::Text(*field, value)),
                _ => None,
            }
        }
        _ => None,
    };
    tests.iter().filter_map(access).collect()
}

/// The rarest of these, as far as [`SAMPLE`] entries of each tell; the first of equals.
pub(super) fn rarest<'q>(
    tx: &mut Tx<'_>,
    app: AppKey,
    choices: &[Access<'q>],
) -> Result<Option<Access<'q>>, Error> {
    let [first, _, ..] = choices else { return Ok(choices.first().copied()) };
    let mut best = (*first, i64::MAX);
    for choice in choices.iter().take(COMPARED) {
        let mut sample = Statement::new(tx.dialect(), "SELECT COUNT(*) FROM (");
        choice.write_keys(&mut sample, app);
        sample.push(" LIMIT ").bind(SAMPLE).push(") AS sample");
        let entries = sample.query(tx, |row| row.integer(0))?.into_iter().next().unwrap_or(SAMPLE);
        if entries < best.1 {
            best = (*choice, entries);
        }
    }
    Ok(Some(best.0))
}

impl<'q> Access<'q> {
    /// Writes the tables of a statement that walks this index and finds the users `u` in its order.
    pub(super) fn write_stream(&self, statement: &mut Statement, app: AppKey) {
        match self {
            Self::Leaf(leaf, _) => {
                let join = join_in_order(statement.dialect());
                statement.push("user_leaves AS d ").push(join);
                statement.push(" users AS u ON u.key = d.user AND ");
                leaf_is(statement, app, leaf, "d.");
            }
            Self::Words(field, how, words, _) => words::stream(statement, app, *field, *how, words),
            Self::Text(field, _) => {
                let index = by_index(statement.dialect(), *field);
                statement.push("users AS u").push(&index);
            }
        }
    }

    /// The column of the key in this index.
    pub(super) fn age(&self, dialect: Dialect) -> &'static str {
        match self {
            Self::Leaf(..) => "d.user",
            Self::Words(..) => words::age(dialect),
            Self::Text(..) => "u.key",
        }
    }

    /// The test that needs no condition any more, because every entry that is walked passes it.
    pub(super) fn served(&self) -> Option<&'q Test> {
        match self {
            Self::Leaf(_, test) | Self::Words(.., test) => Some(test),
            // The key of a name is walked, and stands for more than one name.
            Self::Text(..) => None,
        }
    }

    /// Writes what the walk needs among the conditions, with `AND` in front.
    pub(super) fn write_condition(&self, statement: &mut Statement) {
        if let Self::Text(field, value) = self {
            statement.push(" AND ");
            write_equal(statement, *field, value);
        }
    }

    /// Writes a statement for the keys of the users.
    fn write_keys(&self, statement: &mut Statement, app: AppKey) {
        match self {
            Self::Leaf(leaf, _) => {
                statement.push("SELECT user_leaves.user FROM user_leaves WHERE ");
                leaf_is(statement, app, leaf, "");
            }
            Self::Words(field, how, words, _) => words::keys(statement, app, *field, *how, words),
            Self::Text(field, value) => {
                write_equal(from_users(statement, app), *field, value);
            }
        }
    }
}

/// The keys of all users for whom a filter can hold, and perhaps of others.
pub(super) struct Collected {
    /// The statement that answers the keys.
    pub(super) keys: Statement,
    /// Whether it cannot answer many.
    pub(super) is_small: bool,
    /// How much may be expected of it: the lower, the fewer keys.
    rank: u8,
}

/// The rank of a range of ids: it may be all of them.
const RANGE_OF_IDS: u8 = 6;

impl Collected {
    /// Whether nothing but the range of their ids tells these users from others.
    pub(super) fn is_range_of_ids(&self) -> bool {
        self.rank == RANGE_OF_IDS
    }
}

/// A statement for the keys of the users for whom `filter` can hold; `None` when no index helps.
pub(super) fn collect(dialect: Dialect, app: AppKey, filter: &Filter) -> Option<Collected> {
    match filter {
        Filter::Is(test) => collect_test(dialect, app, test),
        Filter::And(all) => {
            all.iter().filter_map(|filter| collect(dialect, app, filter)).min_by_key(|found| found.rank)
        }
        Filter::Or(some) => {
            let parts: Vec<Collected> =
                some.iter().map(|filter| collect(dialect, app, filter)).collect::<Option<_>>()?;
            let mut keys = Statement::new(dialect, "");
            for (place, part) in parts.iter().enumerate() {
                keys.push(if place > 0 { " UNION " } else { "" }).append(&part.keys);
            }
            if parts.is_empty() {
                keys.push(NOBODY);
            }
            let rank = parts.iter().map(|part| part.rank).max().unwrap_or(0);
            Some(Collected { keys, is_small: parts.iter().all(|part| part.is_small), rank })
        }
        Filter::Not(_) => None,
    }
}

fn collect_test(dialect: Dialect, app: AppKey, test: &Test) -> Option<Collected> {
    let mut keys = Statement::new(dialect, "");
    let (rank, is_small) = match test {
        Test::Among(_, values) if values.is_empty() => {
            keys.push(NOBODY);
            (0, true)
        }
        Test::Among(TextField::Id, values) => {
            from_users(&mut keys, app)
                .push("u.id IN (")
                .bind_all(values.iter().map(String::as_str))
                .push(")");
            (0, true)
        }
        Test::Has(leaves) => {
            for (place, leaf) in leaves.iter().enumerate() {
                keys.push(if place > 0 { " UNION " } else { "" });
                Access::Leaf(leaf, test).write_keys(&mut keys, app);
            }
            if leaves.is_empty() {
                keys.push(NOBODY);
            }
            (1, leaves.is_empty())
        }
        Test::Among(field, values) => {
            from_users(&mut keys, app).push(is_set(*field));
            keys.push(indexed(*field))
                .push(" IN (")
                .bind_all(values.iter().map(|value| in_index(*field, value)))
                .push(")");
            (1, false)
        }
        Test::Words(field, how, words) => {
            Access::Words(*field, *how, words, test).write_keys(&mut keys, app);
            (2, false)
        }
        Test::Number(path, range) => {
            from_leaves(&mut keys, app, &path.to_string());
            keys.push(" AND kind = ").bind(Kind::Number.code(Place::Value));
            within(&mut keys, "number", range, |number| numeric(*number));
            (3, false)
        }
        Test::CustomText(path, range) => {
            from_leaves(&mut keys, app, &path.to_string());
            keys.push(" AND kind = ").bind(Kind::Text.code(Place::Value));
            // The number of a text is 0: said so that the index can be used beyond it.
            keys.push(" AND number = 0");
            within(&mut keys, "text", range, |text| text.as_str().into());
            (3, false)
        }
        Test::Time(field, range) => {
            let column = time_column(*field)?;
            from_users(&mut keys, app).push(column).push(" IS NOT NULL");
            within(&mut keys, column, range, |moment| (*moment).into());
            (if *field == TimeField::DeactivatedAt { 2 } else { 4 }, false)
        }
        Test::Text(field, range) => {
            from_users(&mut keys, app).push(is_set(*field)).push("TRUE");
            within(&mut keys, column(*field), range, |text| text.as_str().into());
            (if *field == TextField::Id { RANGE_OF_IDS } else { 4 }, false)
        }
        Test::Exists(path) => {
            from_leaves(&mut keys, app, &path.to_string());
            keys.push(" AND kind < ").bind(FIRST_ELEMENT);
            (5, false)
        }
        // Who is in no team has no leaf to be found by.
        Test::TeamsAre(teams) if teams.is_empty() => return None,
        Test::AnyTeam | Test::TeamsAre(_) => {
            from_leaves(&mut keys, app, TEAMS);
            (5, false)
        }
        Test::Flag(FlagField::Invisible, true) => {
            from_users(&mut keys, app).push("u.invisible = 1");
            (5, false)
        }
        Test::Flag(FlagField::Banned | FlagField::ShadowBanned | FlagField::Invisible, _) => return None,
    };
    Some(Collected { keys, is_small, rank })
}

/// Writes that a built-in text is `value`, in the words of the index that answers it.
fn write_equal(statement: &mut Statement, field: TextField, value: &str) {
    statement.push(is_set(field)).push(indexed(field)).push(" = ").bind(in_index(field, value));
}

/// The index of a built-in text.
fn index(field: TextField) -> &'static str {
    match field {
        TextField::Id => "sqlite_autoindex_users_1",
        TextField::Name => "users_by_name",
        TextField::Role => "users_by_role",
        TextField::Language => "users_by_language",
    }
}

/// The indexed column of a built-in text. For the name it is the key of the name: equal names have equal keys, and the
/// condition of the filter itself tells which of them are meant.
fn indexed(field: TextField) -> &'static str {
    match field {
        TextField::Name => "u.name_key",
        TextField::Id | TextField::Role | TextField::Language => column(field),
    }
}

fn in_index(field: TextField, value: &str) -> String {
    match field {
        TextField::Name => name_key(value),
        TextField::Id | TextField::Role | TextField::Language => value.to_owned(),
    }
}

/// A statement that answers no keys.
const NOBODY: &str = "SELECT CAST(NULL AS BIGINT) WHERE FALSE";

/// A join that begins on its left side. PostgreSQL keeps to that by itself: only the left side comes in the order that is
/// asked for.
fn join_in_order(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "CROSS JOIN",
        Dialect::Postgres => "JOIN",
    }
}

/// The index that is to be walked. SQLite is told, because statistics make its planner prefer a scan where most users have
/// one role; on PostgreSQL that very index is what answers in order and reads the least.
pub(super) fn by_index(dialect: Dialect, field: TextField) -> String {
    match dialect {
        Dialect::Sqlite => format!(" INDEXED BY {}", index(field)),
        Dialect::Postgres => String::new(),
    }
}

fn from_users(statement: &mut Statement, app: AppKey) -> &mut Statement {
    statement.push("SELECT u.key FROM users AS u WHERE u.app = ").bind(app.0).push(" AND ")
}

fn from_leaves(statement: &mut Statement, app: AppKey, path: &str) {
    statement
        .push("SELECT user_leaves.user FROM user_leaves WHERE app = ")
        .bind(app.0)
        .push(" AND path = ")
        .bind(path);
}
