//! Access: which index answers a test, and how.

use model::filter::{FlagField, Range, TextField, TimeField, WordMatch};
use model::leaf::{Kind, Leaf, Place, TEAMS};
use model::words::{WordField, name_key};
use model::{AppKey, Filter, Test, Timestamp};

use super::condition::{FIRST_ELEMENT, column, is_set, leaf_is, numeric, time_column, within};
use super::leaves::alike;
use super::statement::Statement;
use super::{Scope, words};
use crate::tx::Dialect;
use crate::users::{PLAIN_BAN, SHADOW_BAN};

/// Parts of a union. SQLite takes 500.
const MOST_PARTS: usize = 400;

/// An index whose entries for one value are in the order of keys.
#[derive(Clone, Copy)]
pub(super) enum Access<'q> {
    /// Users with a leaf.
    Leaf(&'q Leaf, &'q Test),
    /// Users with words.
    Words(WordField, WordMatch, &'q [String], &'q Test),
    /// Users with a built-in text.
    Text(TextField, &'q str),
    /// Users created in a time.
    Created(&'q Range<Timestamp>),
}

/// The index that answers `filter` in the order of age, if there is one.
pub(super) fn stream(dialect: Dialect, filter: &Filter) -> Option<Access<'_>> {
    let Filter::Is(test) = filter else { return None };
    match test {
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
        Test::Time(TimeField::CreatedAt, range) => Some(Access::Created(range)),
        _ => None,
    }
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
                let index = by_index(statement.dialect(), index(*field));
                statement.push("users AS u").push(&index);
            }
            Self::Created(_) => {
                let index = by_index(statement.dialect(), "users_by_creation");
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
            Self::Created(_) => "u.created_at",
        }
    }

    /// The test that needs no condition any more, because every entry that is walked passes it.
    pub(super) fn served(&self) -> Option<&'q Test> {
        match self {
            Self::Leaf(_, test) | Self::Words(.., test) => Some(test),
            // The key of a name is walked, and stands for more than one name. The range is a condition.
            Self::Text(..) | Self::Created(_) => None,
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
                statement.push("SELECT user_leaves.user AS key FROM user_leaves WHERE ");
                leaf_is(statement, app, leaf, "");
            }
            Self::Words(field, how, words, _) => words::keys(statement, app, *field, *how, words),
            Self::Text(field, value) => {
                write_equal(from_users(statement, app), *field, value);
            }
            Self::Created(range) => {
                from_users(statement, app).push("TRUE");
                within(statement, "u.created_at", range, |moment| (*moment).into());
            }
        }
    }

    /// Writes a statement for how common the users of this index are, as far as the newest `most` of them tell: the columns
    /// of [`Commonness`].
    pub(super) fn write_sample(&self, statement: &mut Statement, app: AppKey, most: i64) {
        statement.push("SELECT COUNT(*), COALESCE(MIN(sample.key), 0) FROM (");
        self.write_keys(statement, app);
        let newest_first = match self {
            Self::Leaf(..) => "user_leaves.user",
            Self::Words(..) => words::newest_first(statement.dialect()),
            Self::Text(..) => "u.key",
            Self::Created(_) => "u.created_at",
        };
        statement.push(" ORDER BY ").push(newest_first).push(" DESC LIMIT ").bind(most).push(") AS sample");
    }
}

/// How common users are: the less, the rarer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Commonness {
    /// How many there are, as far as they were counted.
    pub(super) entries: i64,
    /// The key of the oldest that was counted: those of rare users lie far apart.
    pub(super) reach: i64,
}

/// The keys of all users for whom a filter can hold, and perhaps of others.
pub(super) struct Collected {
    /// The statements that answer the keys, one or more.
    selects: Vec<Statement>,
    /// Whether they cannot answer many.
    pub(super) is_small: bool,
    /// How much may be expected of it: the lower, the fewer keys.
    pub(super) rank: u8,
}

/// The rank of a range of ids: it may be all of them.
const RANGE_OF_IDS: u8 = 6;

impl Collected {
    /// Whether nothing but the range of their ids tells these users from others.
    pub(super) fn is_range_of_ids(&self) -> bool {
        self.rank == RANGE_OF_IDS
    }

    /// One statement for the keys. Each may come more than once.
    pub(super) fn keys(&self, dialect: Dialect) -> Statement {
        let mut keys = Statement::new(dialect, "");
        for (place, select) in self.selects.iter().enumerate() {
            keys.push(if place > 0 { " UNION ALL " } else { "" });
            keys.push("SELECT part.key FROM (").append(select).push(") AS part");
        }
        keys
    }

    /// Writes a statement for how many keys there are, up to `most` of each part: the columns of [`Commonness`]. Nothing is
    /// known of how far apart they lie.
    pub(super) fn write_sample(&self, statement: &mut Statement, most: i64) {
        statement.push("SELECT COUNT(*), ").push(FAR).push(" FROM (");
        for (place, select) in self.selects.iter().enumerate() {
            statement.push(if place > 0 { " UNION ALL " } else { "" });
            statement.push("SELECT part.key FROM (").append(select);
            statement.push(" LIMIT ").bind(most).push(") AS part");
        }
        statement.push(") AS sample");
    }
}

/// A key behind every other.
const FAR: &str = "9223372036854775807";

/// The keys of the users for whom `filter` can hold; `None` when no index helps.
pub(super) fn collect(dialect: Dialect, scope: Scope, filter: &Filter) -> Option<Collected> {
    match filter {
        Filter::Is(test) => collect_test(dialect, scope, test),
        Filter::And(all) => {
            all.iter().filter_map(|filter| collect(dialect, scope, filter)).min_by_key(|found| found.rank)
        }
        Filter::Or(some) => {
            let parts: Vec<Collected> =
                some.iter().map(|filter| collect(dialect, scope, filter)).collect::<Option<_>>()?;
            let rank = parts.iter().map(|part| part.rank).max().unwrap_or(0);
            let is_small = parts.iter().all(|part| part.is_small);
            let mut selects: Vec<Statement> = parts.into_iter().flat_map(|part| part.selects).collect();
            if selects.is_empty() {
                selects.push(Statement::new(dialect, NOBODY));
            }
            (selects.len() <= MOST_PARTS).then_some(Collected { selects, is_small, rank })
        }
        Filter::Not(_) => None,
    }
}

fn collect_test(dialect: Dialect, scope: Scope, test: &Test) -> Option<Collected> {
    let app = scope.app;
    let mut keys = Statement::new(dialect, "");
    let (rank, is_small) = match test {
        Test::Among(_, values) if values.is_empty() => {
            keys.push(NOBODY);
            (0, true)
        }
        Test::Has(leaves) if leaves.is_empty() => {
            keys.push(NOBODY);
            (0, true)
        }
        Test::Has(leaves) => {
            let groups = alike(leaves).into_iter().map(|group| {
                let mut keys = Statement::new(dialect, "");
                group.write_keys(&mut keys, app);
                keys
            });
            return Some(Collected { selects: groups.collect(), is_small: false, rank: 1 });
        }
        Test::Among(TextField::Id, values) => {
            from_users(&mut keys, app)
                .push("u.id IN (")
                .bind_all(values.iter().map(String::as_str))
                .push(")");
            (0, true)
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
            words::keys(&mut keys, app, *field, *how, words);
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
        Test::Time(TimeField::BanExpires, range) => {
            from_users(&mut keys, app).push("u.ban <> 0 AND u.ban_expires > ").bind(scope.now);
            within(&mut keys, "u.ban_expires", range, |moment| (*moment).into());
            (2, false)
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
        Test::Flag(FlagField::Banned, true) => return Some(banned(dialect, scope, PLAIN_BAN)),
        Test::Flag(FlagField::ShadowBanned, true) => return Some(banned(dialect, scope, SHADOW_BAN)),
        Test::Flag(FlagField::Banned | FlagField::ShadowBanned | FlagField::Invisible, false) => return None,
    };
    Some(Collected { selects: vec![keys], is_small, rank })
}

/// The keys of users with a ban of a `kind` that is in force: those that never end, and those that are to end, are two
/// places of one index, and what is over is not read.
fn banned(dialect: Dialect, scope: Scope, kind: i64) -> Collected {
    let mut for_ever = Statement::new(dialect, "");
    from_users(&mut for_ever, scope.app).push("u.ban <> 0 AND u.ban_expires IS NULL AND u.ban = ").bind(kind);
    let mut to_end = Statement::new(dialect, "");
    from_users(&mut to_end, scope.app).push("u.ban <> 0 AND u.ban_expires > ").bind(scope.now);
    to_end.push(" AND u.ban = ").bind(kind);
    Collected { selects: vec![for_ever, to_end], is_small: false, rank: 2 }
}

/// Writes that a built-in text is `value`, in the words of the index that answers it.
fn write_equal(statement: &mut Statement, field: TextField, value: &str) {
    statement.push(is_set(field)).push(indexed(field)).push(" = ").bind(in_index(field, value));
}

/// The index of a built-in text.
pub(super) fn index(field: TextField) -> &'static str {
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
const NOBODY: &str = "SELECT CAST(NULL AS BIGINT) AS key WHERE FALSE";

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
pub(super) fn by_index(dialect: Dialect, index: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!(" INDEXED BY {index}"),
        Dialect::Postgres => String::new(),
    }
}

fn from_users(statement: &mut Statement, app: AppKey) -> &mut Statement {
    statement.push("SELECT u.key AS key FROM users AS u WHERE u.app = ").bind(app.0).push(" AND ")
}

fn from_leaves(statement: &mut Statement, app: AppKey, path: &str) {
    statement
        .push("SELECT user_leaves.user AS key FROM user_leaves WHERE app = ")
        .bind(app.0)
        .push(" AND path = ")
        .bind(path);
}
