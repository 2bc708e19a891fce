//! Conditions: a filter as SQL on a row `u` of `users`. Each is true or false, never NULL, as in the model.

use std::ops::Bound;

use model::filter::{FlagField, Range, TextField, TimeField};
use model::leaf::{Kind, Leaf, Numeric, Place};
use model::{AppKey, Filter, Test};

use super::statement::Statement;
use super::{Scope, leaves, words};
use crate::sql::Value;
use crate::users::{PLAIN_BAN, SHADOW_BAN};

/// Writes the condition of `filter`, but for the test that is `served` by the index that is walked.
pub(super) fn condition(statement: &mut Statement, scope: Scope, filter: &Filter, served: Option<&Test>) {
    match filter {
        Filter::And(all) => list(statement, scope, all, served, " AND ", "TRUE"),
        Filter::Or(some) => list(statement, scope, some, served, " OR ", "FALSE"),
        Filter::Not(filter) => {
            statement.push("NOT (");
            condition(statement, scope, filter, served);
            statement.push(")");
        }
        Filter::Is(test) if served.is_some_and(|served| std::ptr::eq(served, test)) => {
            statement.push("TRUE");
        }
        Filter::Is(test) => self::test(statement, scope, test),
    }
}

/// What a filter says of every user alike, if it does: of nobody, or of everybody.
pub(super) fn constant(filter: &Filter) -> Option<bool> {
    let all = |filters: &[Filter], same: bool| {
        let said: Vec<Option<bool>> = filters.iter().map(constant).collect();
        if said.contains(&Some(!same)) {
            return Some(!same);
        }
        said.iter().all(Option::is_some).then_some(same)
    };
    match filter {
        Filter::And(filters) => all(filters, true),
        Filter::Or(filters) => all(filters, false),
        Filter::Not(filter) => constant(filter).map(|said| !said),
        Filter::Is(Test::Has(leaves)) if leaves.is_empty() => Some(false),
        Filter::Is(Test::Among(_, values)) if values.is_empty() => Some(false),
        // Nobody has been active yet.
        Filter::Is(Test::Time(TimeField::LastActive, _)) => Some(false),
        Filter::Is(_) => None,
    }
}

fn list(
    statement: &mut Statement,
    scope: Scope,
    filters: &[Filter],
    served: Option<&Test>,
    between: &str,
    none: &str,
) {
    if filters.is_empty() {
        statement.push(none);
        return;
    }
    statement.push("(");
    for (place, filter) in filters.iter().enumerate() {
        if place > 0 {
            statement.push(between);
        }
        condition(statement, scope, filter, served);
    }
    statement.push(")");
}

fn test(statement: &mut Statement, scope: Scope, test: &Test) {
    match test {
        Test::Has(leaves) => match leaves.as_slice() {
            [leaf] => {
                statement.push("EXISTS (SELECT 1 FROM user_leaves WHERE ");
                leaf_is(statement, scope.app, leaf, "");
                statement.push(" AND user_leaves.user = u.key)");
            }
            leaves => leaves::condition(statement, leaves),
        },
        Test::Number(path, range) => {
            value_of(statement, &path.to_string());
            statement.push(" AND kind = ").bind(Kind::Number.code(Place::Value));
            within(statement, "number", range, |number| numeric(*number));
            statement.push(")");
        }
        Test::CustomText(path, range) => {
            value_of(statement, &path.to_string());
            statement.push(" AND kind = ").bind(Kind::Text.code(Place::Value));
            within(statement, "text", range, |text| text.as_str().into());
            statement.push(")");
        }
        Test::Exists(path) => {
            value_of(statement, &path.to_string());
            statement.push(")");
        }
        Test::AnyTeam => {
            statement.push("u.teams <> '[]'");
        }
        Test::TeamsAre(teams) => {
            statement.push("u.teams = ").bind(crate::users::teams_text(teams));
        }
        Test::Among(field, values) if values.is_empty() => {
            let _ = field;
            statement.push("FALSE");
        }
        Test::Among(field, values) => {
            statement.push("(").push(is_set(*field)).push(column(*field)).push(" IN (");
            statement.bind_all(values.iter().map(String::as_str)).push("))");
        }
        Test::Text(field, range) => {
            statement.push("(").push(is_set(*field)).push("TRUE");
            within(statement, column(*field), range, |text| text.as_str().into());
            statement.push(")");
        }
        Test::Flag(FlagField::Invisible, value) => {
            statement.push("u.invisible = ").bind(*value);
        }
        Test::Flag(FlagField::Banned, value) => banned(statement, scope, PLAIN_BAN, *value),
        Test::Flag(FlagField::ShadowBanned, value) => banned(statement, scope, SHADOW_BAN, *value),
        Test::Time(TimeField::BanExpires, range) => {
            // A ban that is over has no end: its user is not banned.
            statement.push("(u.ban <> 0 AND u.ban_expires IS NOT NULL AND u.ban_expires > ").bind(scope.now);
            within(statement, "u.ban_expires", range, |moment| (*moment).into());
            statement.push(")");
        }
        Test::Time(field, range) => match time_column(*field) {
            Some(column) => {
                statement.push("(").push(column).push(" IS NOT NULL");
                within(statement, column, range, |moment| (*moment).into());
                statement.push(")");
            }
            None => {
                statement.push("FALSE");
            }
        },
        Test::Words(field, how, words) => {
            words::condition(statement, scope.app, *field, *how, words);
        }
    }
}

/// Writes that the user has a ban of a `kind` that is in force, or has none.
fn banned(statement: &mut Statement, scope: Scope, kind: i64, value: bool) {
    statement.push(if value { "(u.ban = " } else { "NOT (u.ban = " }).bind(kind);
    statement.push(" AND (u.ban_expires IS NULL OR u.ban_expires > ").bind(scope.now).push("))");
}

/// The row of `user_leaves` is `leaf`, but for the user.
pub(super) fn leaf_is(statement: &mut Statement, app: AppKey, leaf: &Leaf, alias: &str) {
    let columns: [(&str, Value); 6] = [
        ("app", app.0.into()),
        ("path", leaf.path.as_str().into()),
        ("kind", leaf.kind.code(leaf.place).into()),
        ("number", numeric(leaf.number)),
        ("text", leaf.text.as_str().into()),
        ("digest", leaf.digest.into()),
    ];
    for (place, (column, value)) in columns.into_iter().enumerate() {
        statement.push(if place > 0 { " AND " } else { "" }).push(alias).push(column).push(" = ").bind(value);
    }
}

/// Opens the search for the value that the user has at `path`. It names no app: the index by user is the one to use.
fn value_of(statement: &mut Statement, path: &str) {
    statement.push("EXISTS (SELECT 1 FROM user_leaves WHERE user_leaves.user = u.key AND path = ").bind(path);
    statement.push(" AND kind < ").bind(FIRST_ELEMENT);
}

/// Kinds from here on are those of elements.
pub(super) const FIRST_ELEMENT: i64 = 16;

/// Writes the bounds of `range`, each with `AND` in front.
pub(super) fn within<T>(
    statement: &mut Statement,
    column: &str,
    range: &Range<T>,
    value: impl Fn(&T) -> Value,
) {
    let bounds = [(&range.low, " > ", " >= "), (&range.high, " < ", " <= ")];
    for (bound, excluded, included) in bounds {
        let (operator, operand) = match bound {
            Bound::Unbounded => continue,
            Bound::Excluded(operand) => (excluded, operand),
            Bound::Included(operand) => (included, operand),
        };
        statement.push(" AND ").push(column).push(operator).bind(value(operand));
    }
}

pub(super) fn numeric(number: Numeric) -> Value {
    match number {
        Numeric::Integer(value) => Value::Integer(value),
        Numeric::Float(value) => Value::Real(value),
    }
}

pub(super) fn column(field: TextField) -> &'static str {
    match field {
        TextField::Id => "u.id",
        TextField::Name => "u.name",
        TextField::Role => "u.role",
        TextField::Language => "u.language",
    }
}

/// What has to hold, with `AND` behind it, for the field to be there.
pub(super) fn is_set(field: TextField) -> &'static str {
    match field {
        TextField::Id | TextField::Role => "",
        TextField::Name => "u.name IS NOT NULL AND ",
        TextField::Language => "u.language <> '' AND ",
    }
}

/// The column of a time; `None` for times that are no column: nobody has been active yet, and the end of a ban counts as
/// long as it is to come.
pub(super) fn time_column(field: TimeField) -> Option<&'static str> {
    match field {
        TimeField::CreatedAt => Some("u.created_at"),
        TimeField::UpdatedAt => Some("u.updated_at"),
        TimeField::DeactivatedAt => Some("u.deactivated_at"),
        TimeField::LastActive | TimeField::BanExpires => None,
    }
}
