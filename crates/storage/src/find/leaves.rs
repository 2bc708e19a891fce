//! Leaves in statements: those of one path and kind that differ in one column are one comparison, however many there are.

use std::collections::{BTreeMap, BTreeSet};

use model::AppKey;
use model::leaf::{Kind, Leaf};

use super::condition::numeric;
use super::statement::Statement;
use crate::sql::Value;

/// Leaves that one comparison finds: of one path, kind and way to be told apart.
pub(super) struct Alike<'l> {
    path: &'l str,
    kind: i64,
    leaves: Vec<&'l Leaf>,
}

/// `leaves` in as few comparisons as they take.
pub(super) fn alike(leaves: &[Leaf]) -> Vec<Alike<'_>> {
    let mut groups: BTreeMap<(&str, i64, bool), Vec<&Leaf>> = BTreeMap::new();
    for leaf in leaves {
        // Text that was cut has a digest; that of others is 0.
        let key = (leaf.path.as_str(), leaf.kind.code(leaf.place), leaf.digest != 0);
        groups.entry(key).or_default().push(leaf);
    }
    groups.into_iter().map(|((path, kind, _), leaves)| Alike { path, kind, leaves }).collect()
}

impl Alike<'_> {
    /// Writes a statement for the keys of the users who have one of the leaves; a user may come more than once.
    pub(super) fn write_keys(&self, statement: &mut Statement, app: AppKey) {
        statement.push("SELECT user_leaves.user AS key FROM user_leaves WHERE app = ").bind(app.0);
        statement.push(" AND path = ").bind(self.path).push(" AND ");
        self.write(statement);
    }

    /// Writes that the row of `user_leaves`, which is of the path, is one of the leaves.
    ///
    /// Column by column, in the order of the index. Numbers, texts and digests each have their kind, and of two
    /// digests no other is the one of the other's text: no row passes but those that are meant.
    fn write(&self, statement: &mut Statement) {
        statement.push("kind = ").bind(self.kind);
        let numeric_kind =
            self.leaves.first().is_some_and(|leaf| matches!(leaf.kind, Kind::Boolean | Kind::Number));
        if numeric_kind {
            statement.push(" AND number");
            among(statement, self.leaves.iter().map(|leaf| numeric(leaf.number)).collect());
        } else {
            statement.push(" AND number = 0");
        }
        let texts: BTreeSet<&str> = self.leaves.iter().map(|leaf| leaf.text.as_str()).collect();
        statement.push(" AND text");
        among(statement, texts.into_iter().map(Value::from).collect());
        let digests: BTreeSet<i64> = self.leaves.iter().map(|leaf| leaf.digest).collect();
        statement.push(" AND digest");
        among(statement, digests.into_iter().map(Value::from).collect());
    }
}

/// Writes the condition that the user `u` has one of `leaves`.
pub(super) fn condition(statement: &mut Statement, leaves: &[Leaf]) {
    statement.push("(FALSE");
    for groups in alike(leaves).chunk_by(|one, next| one.path == next.path) {
        for (place, group) in groups.iter().enumerate() {
            if place == 0 {
                statement
                    .push(" OR EXISTS (SELECT 1 FROM user_leaves WHERE user_leaves.user = u.key AND path = ");
                statement.bind(group.path).push(" AND (");
            } else {
                statement.push(" OR ");
            }
            group.write(statement);
        }
        statement.push("))");
    }
    statement.push(")");
}

/// Writes that the column is one of `values`.
fn among(statement: &mut Statement, values: Vec<Value>) {
    match values.as_slice() {
        [one] => statement.push(" = ").bind(one.clone()),
        _ => statement.push(" IN (").bind_all(values).push(")"),
    };
}
