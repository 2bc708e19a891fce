//! ORDER BY: the sort of the model on the columns and leaves of users.

use model::filter::{TextField, TimeField};
use model::leaf::Place;
use model::{Direction, Sort, SortField, SortKey};

use super::condition::{FIRST_ELEMENT, column};
use super::statement::Statement;

/// The order of an answer.
pub(super) struct Order {
    keys: Vec<SortKey>,
}

impl Order {
    pub(super) fn of(sort: &Sort) -> Self {
        Self { keys: sort.keys() }
    }

    /// Whether this is the order of creation, one way or the other.
    pub(super) fn is_by_age(&self) -> bool {
        matches!(self.keys.as_slice(), [SortKey { field: SortField::Time(TimeField::CreatedAt), .. }])
    }

    /// Whether this is the order of ids, one way or the other.
    pub(super) fn is_by_id(&self) -> bool {
        matches!(self.keys.as_slice(), [SortKey { field: SortField::Text(TextField::Id), .. }])
    }

    /// The direction of an order that [`Order::is_by_age`].
    pub(super) fn age_direction(&self) -> &'static str {
        self.keys.first().map_or(" DESC", |key| direction(key.direction))
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
        let mut terms = Vec::new();
        for (place, key) in self.keys.iter().enumerate() {
            let direction = direction(key.direction);
            let columns = match &key.field {
                SortField::Text(field) => vec![column(*field).to_owned()],
                SortField::Time(TimeField::CreatedAt) => vec![age.to_owned()],
                SortField::Time(TimeField::UpdatedAt) => vec!["u.updated_at".to_owned()],
                SortField::Time(TimeField::DeactivatedAt) => vec!["u.deactivated_at".to_owned()],
                // Nobody has these times yet: all are equal.
                SortField::Time(TimeField::LastActive | TimeField::BanExpires) => Vec::new(),
                SortField::Custom(..) => {
                    ["kind", "number", "text"].iter().map(|column| format!("s{place}.{column}")).collect()
                }
            };
            terms.extend(columns.into_iter().map(|column| format!("{column}{direction}")));
        }
        statement.push(" ORDER BY ").push(&terms.join(", "));
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => " ASC",
        Direction::Descending => " DESC",
    }
}
