//! ORDER BY: the sort of the model on the columns and leaves of users.

use model::filter::{TextField, TimeField};
use model::leaf::Place;
use model::{Direction, Sort, SortField, SortKey, Timestamp};

use super::condition::{FIRST_ELEMENT, column};
use super::statement::Statement;
use crate::tx::Dialect;

/// The order of an answer.
pub(super) struct Order {
    keys: Vec<SortKey>,
    /// Bans that have ended by then have no end.
    now: Timestamp,
}

impl Order {
    pub(super) fn of(sort: &Sort, now: Timestamp) -> Self {
        Self { keys: sort.keys(), now }
    }

    /// Whether this is the order of creation, one way or the other.
    pub(super) fn is_by_age(&self) -> bool {
        matches!(self.keys.as_slice(), [SortKey { field: SortField::Time(TimeField::CreatedAt), .. }])
    }

    /// Whether this is the order of ids, one way or the other.
    pub(super) fn is_by_id(&self) -> bool {
        matches!(self.keys.as_slice(), [SortKey { field: SortField::Text(TextField::Id), .. }])
    }

    /// Joins what is sorted by and is not in the row: the one leaf that the user has at the path, if any.
    pub(super) fn write_joins(&self, statement: &mut Statement) {
        for (place, key) in self.keys.iter().enumerate() {
            let SortField::Custom(path, kind) = &key.field else { continue };
            let alias = format!("s{place}");
            statement.push(" LEFT JOIN user_leaves AS ").push(&alias).push(" ON ").push(&alias);
            statement.push(".user = u.key AND ").push(&alias).push(".path = ").bind(path.to_string());
            statement.push(" AND ").push(&alias).push(".kind");
            match kind {
                Some(kind) => statement.push(" = ").bind(kind.code(Place::Value)),
                None => statement.push(" < ").bind(FIRST_ELEMENT),
            };
        }
    }

    /// Writes the order. `age` is what stands for the age of a user: keys and creation times grow together.
    pub(super) fn write(&self, statement: &mut Statement, age: &str) {
        statement.push(" ORDER BY ");
        let mut between = "";
        for (place, key) in self.keys.iter().enumerate() {
            // Nobody has been active yet: all are equal.
            if key.field == SortField::Time(TimeField::LastActive) {
                continue;
            }
            statement.push(between);
            self.write_key(statement, age, place, key);
            between = ", ";
        }
    }

    fn write_key(&self, statement: &mut Statement, age: &str, place: usize, key: &SortKey) {
        let always = direction(key.direction);
        let perhaps = format!("{always}{}", nulls(statement.dialect(), key.direction));
        match &key.field {
            SortField::Text(field @ (TextField::Id | TextField::Role | TextField::Language)) => {
                statement.push(column(*field)).push(always);
            }
            SortField::Text(field @ TextField::Name) => {
                statement.push(column(*field)).push(&perhaps);
            }
            SortField::Time(TimeField::CreatedAt) => {
                statement.push(age).push(always);
            }
            SortField::Time(TimeField::UpdatedAt) => {
                statement.push("u.updated_at").push(always);
            }
            SortField::Time(TimeField::DeactivatedAt) => {
                statement.push("u.deactivated_at").push(&perhaps);
            }
            SortField::Time(TimeField::BanExpires) => {
                statement.push("CASE WHEN u.ban_expires > ").bind(self.now);
                statement.push(" THEN u.ban_expires END").push(&perhaps);
            }
            SortField::Time(TimeField::LastActive) => {}
            SortField::Custom(..) => {
                let columns = ["kind", "number", "text"];
                let terms = columns.map(|column| format!("s{place}.{column}{perhaps}"));
                statement.push(&terms.join(", "));
            }
        }
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => " ASC",
        Direction::Descending => " DESC",
    }
}

/// Puts what is not there below everything that is, in a column that may be NULL. SQLite does so by itself; PostgreSQL
/// does the opposite, and does not use an index of its own order for this one.
fn nulls(dialect: Dialect, direction: Direction) -> &'static str {
    match (dialect, direction) {
        (Dialect::Sqlite, _) => "",
        (Dialect::Postgres, Direction::Ascending) => " NULLS FIRST",
        (Dialect::Postgres, Direction::Descending) => " NULLS LAST",
    }
}
