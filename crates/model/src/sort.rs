//! In which order users are answered.

use std::cmp::Ordering;

use crate::filter::{TextField, TimeField};
use crate::leaf::{self, Kind, Leaf, Numeric, Place};
use crate::{CustomPath, UserView};

/// The most fields to sort by (semantics 4.13).
pub const MOST_SORT_KEYS: usize = 3;

/// One field to sort by.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// The field.
    pub field: SortField,
    /// The direction.
    pub direction: Direction,
}

/// Up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The smallest first; who does not have the field is smallest.
    Ascending,
    /// The greatest first.
    Descending,
}

/// A field that can be sorted by.
#[derive(Clone, Debug, PartialEq)]
pub enum SortField {
    /// A built-in text.
    Text(TextField),
    /// A built-in time.
    Time(TimeField),
    /// A value of custom data: booleans before numbers before text, arrays and objects without order. With a kind,
    /// values of other kinds count as missing.
    Custom(CustomPath, Option<Kind>),
}

/// An order of users in which no two are equal: the keys, then `created_at` or the id in the direction of the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort(Vec<SortKey>);

impl Sort {
    /// The newest first. As `created_at` grows with every user of an app, this is a whole order.
    #[must_use]
    pub fn newest_first() -> Self {
        Self::by(Vec::new())
    }

    /// By these keys; by none is newest first.
    #[must_use]
    pub fn by(keys: Vec<SortKey>) -> Self {
        Self(keys)
    }

    /// The keys to compare by, up to the first that leaves no two users equal.
    #[must_use]
    pub fn keys(&self) -> Vec<SortKey> {
        let whole = |key: &SortKey| {
            matches!(key.field, SortField::Text(TextField::Id) | SortField::Time(TimeField::CreatedAt))
        };
        if let Some(last) = self.0.iter().position(whole) {
            return self.0[..=last].to_vec();
        }
        let mut keys = self.0.clone();
        let tie = match keys.last() {
            None => {
                SortKey { field: SortField::Time(TimeField::CreatedAt), direction: Direction::Descending }
            }
            Some(last) => SortKey { field: SortField::Text(TextField::Id), direction: last.direction },
        };
        keys.push(tie);
        keys
    }

    /// Which of two users of one app comes first.
    #[must_use]
    pub fn compare(&self, left: &UserView, right: &UserView) -> Ordering {
        for key in self.keys() {
            let order = key.field.compare(left, right);
            let order = if key.direction == Direction::Ascending { order } else { order.reverse() };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }
}

impl SortField {
    fn compare(&self, left: &UserView, right: &UserView) -> Ordering {
        match self {
            Self::Text(field) => field.of(left).cmp(&field.of(right)),
            Self::Time(field) => field.of(left).cmp(&field.of(right)),
            Self::Custom(path, kind) => {
                let path = path.to_string();
                let rank = |view: &UserView| rank(view, &path, *kind);
                match (rank(left), rank(right)) {
                    (None, None) => Ordering::Equal,
                    (None, Some(_)) => Ordering::Less,
                    (Some(_), None) => Ordering::Greater,
                    (Some(left), Some(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
                }
            }
        }
    }
}

/// What custom data is compared by: kind, number, text.
fn rank(view: &UserView, path: &str, kind: Option<Kind>) -> Option<(Kind, Numeric, String)> {
    let leaves = leaf::leaves(&view.user.custom);
    let value = |leaf: &Leaf| leaf.path == path && leaf.place == Place::Value;
    let leaf = leaves.into_iter().find(value)?;
    kind.is_none_or(|kind| kind == leaf.kind).then_some((leaf.kind, leaf.number, leaf.text))
}
