//! Which users are meant: a tree of tests, and its evaluation in memory.
//!
//! Storage turns the same tree into SQL; a property test holds the two to the same answers. A test is either true or
//! false, never unknown: what a user does not have makes a test false, and its negation true (semantics 4.26). To add
//! a field, add it to the enum of its type here, to the table of `wire`, and to the emitter of `storage`.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;

use crate::leaf::{self, Kind, Leaf, Numeric, Place};
use crate::words::{WordField, words_of};
use crate::{CustomPath, Timestamp, UserView};

/// A condition on users. `And` of nothing is everybody, `Or` of nothing is nobody.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of these hold.
    And(Vec<Self>),
    /// One of these holds.
    Or(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
    /// This test holds.
    Is(Test),
}

/// One test of one field.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The user has one of these leaves: a value of custom data, an element of an array, a team.
    Has(Vec<Leaf>),
    /// Custom data has a number in this range at this path.
    Number(CustomPath, Range<Numeric>),
    /// Custom data has text in this range at this path; text compares by its first
    /// [`leaf::TEXT_CHARACTERS`] characters.
    CustomText(CustomPath, Range<String>),
    /// Custom data has a value other than `null` at this path.
    Exists(CustomPath),
    /// The user is in some team.
    AnyTeam,
    /// The teams of the user are these, in this order.
    TeamsAre(Vec<String>),
    /// A built-in text is one of these.
    Among(TextField, Vec<String>),
    /// A built-in text is set and in this range.
    Text(TextField, Range<String>),
    /// A built-in flag is this.
    Flag(FlagField, bool),
    /// A built-in time is set and in this range.
    Time(TimeField, Range<Timestamp>),
    /// Each of these is, or begins, a word of a field.
    Words(WordField, WordMatch, Vec<String>),
}

/// A built-in field that holds text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    /// The id.
    Id,
    /// The display name; not every user has one.
    Name,
    /// The role.
    Role,
    /// The language; a user without one does not have the field.
    Language,
}

/// A built-in field that is true or false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagField {
    /// Banned from the whole app, not in its shadow.
    Banned,
    /// Shadow-banned from the whole app.
    ShadowBanned,
    /// Hides its presence.
    Invisible,
}

/// A built-in field that holds a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeField {
    /// When the user came to be.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
    /// When it was last active; nobody is yet.
    LastActive,
    /// Since when it is deactivated.
    DeactivatedAt,
    /// When its ban ends; one that is over has no end.
    BanExpires,
}

/// How a word of a query is compared with a word of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordMatch {
    /// The user's word begins with it: `$autocomplete`.
    Prefix,
    /// The user's word is it: `$q`.
    Whole,
}

/// A range of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Range<T> {
    /// Where it begins.
    pub low: Bound<T>,
    /// Where it ends.
    pub high: Bound<T>,
}

impl<T: PartialOrd> Range<T> {
    /// Every value.
    #[must_use]
    pub const fn all() -> Self {
        Self { low: Bound::Unbounded, high: Bound::Unbounded }
    }

    /// Just this value.
    #[must_use]
    pub fn only(value: T) -> Self
    where
        T: Clone,
    {
        Self { low: Bound::Included(value.clone()), high: Bound::Included(value) }
    }

    /// Whether `value` is in the range.
    pub fn contains(&self, value: &T) -> bool {
        let after = match &self.low {
            Bound::Unbounded => true,
            Bound::Included(low) => value >= low,
            Bound::Excluded(low) => value > low,
        };
        let before = match &self.high {
            Bound::Unbounded => true,
            Bound::Included(high) => value <= high,
            Bound::Excluded(high) => value < high,
        };
        after && before
    }
}

impl Filter {
    /// Everybody.
    #[must_use]
    pub const fn everybody() -> Self {
        Self::And(Vec::new())
    }

    /// Nobody.
    #[must_use]
    pub const fn nobody() -> Self {
        Self::Or(Vec::new())
    }

    /// The opposite of `filter`.
    #[must_use]
    pub fn negate(filter: Self) -> Self {
        Self::Not(Box::new(filter))
    }

    /// Whether nobody passes without a look at the teams: what counts as a team filter (semantics 4.27).
    #[must_use]
    pub fn demands_team(&self) -> bool {
        match self {
            Self::And(all) => all.iter().any(Self::demands_team),
            Self::Or(some) => !some.is_empty() && some.iter().all(Self::demands_team),
            Self::Not(filter) => matches!(**filter, Self::Is(Test::AnyTeam)),
            Self::Is(Test::AnyTeam | Test::TeamsAre(_)) => true,
            Self::Is(Test::Has(leaves)) => leaves.iter().all(|leaf| leaf.path == leaf::TEAMS),
            Self::Is(_) => false,
        }
    }

    /// Every test of the filter.
    pub fn tests(&self) -> Vec<&Test> {
        match self {
            Self::And(filters) | Self::Or(filters) => filters.iter().flat_map(Self::tests).collect(),
            Self::Not(filter) => filter.tests(),
            Self::Is(test) => vec![test],
        }
    }

    /// Whether the condition holds for a user.
    #[must_use]
    pub fn holds(&self, view: &UserView) -> bool {
        self.holds_for(view, &leaf::of_user(&view.user))
    }

    fn holds_for(&self, view: &UserView, leaves: &BTreeSet<Leaf>) -> bool {
        match self {
            Self::And(all) => all.iter().all(|filter| filter.holds_for(view, leaves)),
            Self::Or(some) => some.iter().any(|filter| filter.holds_for(view, leaves)),
            Self::Not(filter) => !filter.holds_for(view, leaves),
            Self::Is(test) => test.holds(view, leaves),
        }
    }
}

impl Test {
    fn holds(&self, view: &UserView, leaves: &BTreeSet<Leaf>) -> bool {
        let user = &view.user;
        let value_at = |path: &CustomPath| {
            let path = path.to_string();
            leaves.iter().find(|leaf| leaf.path == path && leaf.place == Place::Value)
        };
        match self {
            Self::Has(wanted) => wanted.iter().any(|leaf| leaves.contains(leaf)),
            Self::Number(path, range) => {
                value_at(path).is_some_and(|leaf| leaf.kind == Kind::Number && range.contains(&leaf.number))
            }
            Self::CustomText(path, range) => {
                value_at(path).is_some_and(|leaf| leaf.kind == Kind::Text && range.contains(&leaf.text))
            }
            Self::Exists(path) => value_at(path).is_some(),
            Self::AnyTeam => !user.teams.is_empty(),
            Self::TeamsAre(teams) => user.teams == *teams,
            Self::Among(field, values) => {
                field.of(view).is_some_and(|text| values.iter().any(|value| value == text))
            }
            Self::Text(field, range) => field.of(view).is_some_and(|text| range.contains(&text.to_owned())),
            Self::Flag(field, value) => field.of(view) == *value,
            Self::Time(field, range) => field.of(view).is_some_and(|moment| range.contains(&moment)),
            Self::Words(field, how, wanted) => {
                let found = words_of(user, *field);
                wanted.iter().all(|word| {
                    found.iter().any(|known| match how {
                        WordMatch::Prefix => known.starts_with(word),
                        WordMatch::Whole => known == word,
                    })
                })
            }
        }
    }
}

impl TextField {
    /// The text of a user, if it is set.
    #[must_use]
    pub fn of(self, view: &UserView) -> Option<&str> {
        let user = &view.user;
        match self {
            Self::Id => Some(user.id.as_str()),
            Self::Name => user.name.as_deref(),
            Self::Role => Some(&user.role),
            Self::Language => Some(user.language.as_str()).filter(|language| !language.is_empty()),
        }
    }
}

impl FlagField {
    /// The flag of a user.
    #[must_use]
    pub fn of(self, view: &UserView) -> bool {
        match self {
            Self::Banned => view.user.ban.is_some_and(|ban| !ban.shadow),
            Self::ShadowBanned => view.user.ban.is_some_and(|ban| ban.shadow),
            Self::Invisible => view.user.invisible,
        }
    }
}

impl TimeField {
    /// The time of a user, if it is set.
    #[must_use]
    pub fn of(self, view: &UserView) -> Option<Timestamp> {
        let user = &view.user;
        match self {
            Self::CreatedAt => Some(user.created_at),
            Self::UpdatedAt => Some(user.updated_at),
            Self::DeactivatedAt => user.deactivated_at,
            Self::LastActive => None,
            Self::BanExpires => view.user.ban.and_then(|ban| ban.expires),
        }
    }
}

/// Numbers compare by their value, whole or not, without rounding.
impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => left.partial_cmp(right),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(right),
            (Self::Integer(left), Self::Float(right)) => compare(*left, *right),
            (Self::Float(left), Self::Integer(right)) => compare(*right, *left).map(Ordering::reverse),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the float is within the range of the integer just before"
)]
fn compare(integer: i64, float: f64) -> Option<Ordering> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= LIMIT {
        return Some(Ordering::Less);
    }
    if float < -LIMIT {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc() as i64;
    Some(integer.cmp(&whole).then_with(|| 0.0_f64.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Absent, Custom, Limits, Profile, UserId};

    fn alice() -> UserView {
        let custom = json!({"age": 30, "score": 1.5, "tags": ["a", 2], "deep": {"x": true}, "none": null});
        let profile = Profile {
            name: Some("Zoë Ångström".to_owned()),
            teams: Some(vec!["red".to_owned(), "blue".to_owned()]),
            custom: Custom::from_stored(custom.as_object().cloned().unwrap()),
            ..Profile::default()
        };
        let id = UserId::parse("alice-1").unwrap();
        let now = Timestamp::from_seconds(100);
        UserView::bare(profile.apply(&id, None, now, Absent::Keep, &Limits::default()).unwrap())
    }

    #[track_caller]
    fn check(test: Test, expected: bool) {
        let filter = Filter::Is(test);
        assert_eq!(filter.holds(&alice()), expected, "{filter:?}");
        assert_eq!(Filter::negate(filter).holds(&alice()), !expected);
    }

    fn path(text: &str) -> CustomPath {
        CustomPath::parse(text).unwrap()
    }

    #[test]
    fn tests_look_at_values_and_elements() {
        let has = |path: &str, place, value| Test::Has(Leaf::of(path, place, &value).into_iter().collect());
        check(has("age", Place::Value, json!(30.0)), true);
        check(has("age", Place::Value, json!("30")), false);
        check(has("tags", Place::Element, json!("a")), true);
        check(has("tags", Place::Value, json!("a")), false);
        check(has("tags", Place::Value, json!(["a", 2])), true);
        check(Test::Has(vec![Leaf::team("blue")]), true);
        check(Test::Has(Vec::new()), false);
        check(Test::Exists(path("deep")), true);
        check(Test::Exists(path("deep.x")), true);
        check(Test::Exists(path("none")), false);
    }

    #[test]
    fn ranges_keep_to_their_kind() {
        let over = |number| Range { low: Bound::Excluded(number), high: Bound::Unbounded };
        check(Test::Number(path("age"), over(Numeric::Float(29.5))), true);
        check(Test::Number(path("age"), over(Numeric::Integer(30))), false);
        check(Test::Number(path("score"), over(Numeric::Integer(1))), true);
        check(Test::CustomText(path("age"), Range::all()), false);
        check(Test::Time(TimeField::LastActive, Range::all()), false);
        check(Test::Time(TimeField::CreatedAt, Range::only(Timestamp::from_seconds(100))), true);
    }

    #[test]
    fn words_are_folded_and_compared_whole_or_from_the_front() {
        let words = |how, wanted: &[&str]| {
            Test::Words(WordField::Name, how, wanted.iter().map(|&word| word.to_owned()).collect())
        };
        check(words(WordMatch::Prefix, &["ang", "z"]), true);
        check(words(WordMatch::Prefix, &["strom"]), false);
        check(words(WordMatch::Whole, &["zoe"]), true);
        check(words(WordMatch::Whole, &["ang"]), false);
        check(Test::Words(WordField::Id, WordMatch::Prefix, vec!["1".to_owned()]), true);
    }

    #[test]
    fn empty_trees_have_the_right_identities() {
        assert!(Filter::everybody().holds(&alice()));
        assert!(!Filter::nobody().holds(&alice()));
    }

    #[test]
    fn numbers_compare_without_rounding() {
        let big = i64::MAX - 1;
        for (left, right, order) in [
            (Numeric::Integer(1), Numeric::Float(1.5), Ordering::Less),
            (Numeric::Integer(-1), Numeric::Float(-1.5), Ordering::Greater),
            (Numeric::Integer(big), Numeric::Float(9_223_372_036_854_775_808.0), Ordering::Less),
            (Numeric::Integer(i64::MIN), Numeric::Float(-1e300), Ordering::Greater),
            (Numeric::Integer(0), Numeric::Float(0.0), Ordering::Equal),
        ] {
            assert_eq!(left.partial_cmp(&right), Some(order), "{left:?} {right:?}");
            assert_eq!(right.partial_cmp(&left), Some(order.reverse()));
        }
    }
}
