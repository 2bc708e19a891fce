//! Filters: the operators of `filter_conditions` turned into tests of the model (semantics 4).
//!
//! A refusal names field and operator, and says what would work. To add a field, add it to [`field`] and to the list
//! that [`FIELDS`] tells callers.

use std::ops::Bound;

use model::filter::{FlagField, Range, TextField, TimeField, WordMatch};
use model::leaf::{Leaf, Place};
use model::words::{WordField, words};
use model::{
    BUILT_IN, CustomPath, DEEPEST_FILTER, Filter, Invalid, MOST_OPERANDS, MOST_QUERY_WORDS, MOST_TESTS, Test,
    Timestamp,
};
use serde_json::{Map, Value};

use crate::body::{boolean, moment, string};
use crate::json::kind;

/// The longest text of an autocomplete or text query, in characters (semantics 4.24).
const LONGEST_QUERY: usize = 100;

const FIELDS: &str = "id, name, role, language, teams, banned, shadow_banned, invisible, created_at, updated_at, \
                      last_active, deactivated_at, ban_expires and custom fields";

/// Reads a filter that stands at `path`.
///
/// # Errors
/// The first part that is not as it should be.
pub(super) fn decode(path: &str, conditions: Map<String, Value>) -> Result<Filter, Invalid> {
    Reader { tests: 0 }.all_of(path, conditions, 0)
}

/// Reads one filter, counting its tests.
struct Reader {
    tests: usize,
}

impl Reader {
    /// Conditions side by side: all of them are to hold.
    fn all_of(
        &mut self,
        path: &str,
        conditions: Map<String, Value>,
        depth: usize,
    ) -> Result<Filter, Invalid> {
        let mut all = Vec::with_capacity(conditions.len());
        for (key, value) in conditions {
            let path = format!("{path}.{key}");
            all.push(match key.as_str() {
                "$and" => Filter::And(self.each(&path, value, depth)?),
                "$or" => Filter::Or(self.each(&path, value, depth)?),
                "$nor" => Filter::negate(Filter::Or(self.each(&path, value, depth)?)),
                operator if operator.starts_with('$') => {
                    let why = "is not an operator between conditions; there are $and, $or and $nor";
                    return Err(Invalid::new(path, why));
                }
                name => self.condition(&path, &field(&path, name)?, value)?,
            });
        }
        Ok(match all.len() {
            1 => all.swap_remove(0),
            _ => Filter::And(all),
        })
    }

    fn each(&mut self, path: &str, value: Value, depth: usize) -> Result<Vec<Filter>, Invalid> {
        if depth >= DEEPEST_FILTER {
            return Err(Invalid::new(path, format!("$and, $or and $nor may nest {DEEPEST_FILTER} deep")));
        }
        let Value::Array(conditions) = value else {
            return Err(Invalid::new(path, format!("must be an array of conditions, got {}", kind(&value))));
        };
        let one = |(place, condition): (usize, Value)| {
            let path = format!("{path}.{place}");
            match condition {
                Value::Object(condition) => self.all_of(&path, condition, depth + 1),
                other => Err(Invalid::new(path, format!("must be an object, got {}", kind(&other)))),
            }
        };
        conditions.into_iter().enumerate().map(one).collect()
    }

    /// What is asked of one field: operators with operands, or a value that it is to equal.
    fn condition(&mut self, path: &str, field: &Field, value: Value) -> Result<Filter, Invalid> {
        match value {
            // `{"teams": {}}` asks nothing of the teams, where otherwise those of the caller would be asked for.
            Value::Object(none) if none.is_empty() && *field == Field::Teams => Ok(Filter::everybody()),
            Value::Object(operators) if operators.keys().any(|key| key.starts_with('$')) => {
                self.operators(path, field, operators)
            }
            value => {
                self.count(path)?;
                field.equals(path, value)
            }
        }
    }

    fn operators(
        &mut self,
        path: &str,
        field: &Field,
        operators: Map<String, Value>,
    ) -> Result<Filter, Invalid> {
        let mut all = Vec::new();
        let mut bounds = Vec::new();
        for (operator, operand) in operators {
            self.count(path)?;
            let place = format!("{path}.{operator}");
            match operator.as_str() {
                "$gt" | "$gte" | "$lt" | "$lte" => bounds.push((place, operator, operand)),
                operator => all.push(field.operator(&place, operator, operand)?),
            }
        }
        if !bounds.is_empty() {
            all.push(field.between(bounds)?);
        }
        Ok(match all.len() {
            1 => all.swap_remove(0),
            _ => Filter::And(all),
        })
    }

    fn count(&mut self, path: &str) -> Result<(), Invalid> {
        self.tests += 1;
        if self.tests > MOST_TESTS {
            return Err(Invalid::new(path, format!("a filter may hold at most {MOST_TESTS} conditions")));
        }
        Ok(())
    }
}

/// A field that can be filtered by.
#[derive(Clone, Debug, PartialEq)]
enum Field {
    Text(TextField),
    Flag(FlagField),
    Time(TimeField),
    Teams,
    Custom(CustomPath),
}

/// The field that `name` stands for; `custom.x` is the same as `x`.
fn field(path: &str, name: &str) -> Result<Field, Invalid> {
    Ok(match name {
        "id" => Field::Text(TextField::Id),
        "name" => Field::Text(TextField::Name),
        "role" => Field::Text(TextField::Role),
        "language" => Field::Text(TextField::Language),
        "banned" => Field::Flag(FlagField::Banned),
        "shadow_banned" => Field::Flag(FlagField::ShadowBanned),
        "invisible" => Field::Flag(FlagField::Invisible),
        "created_at" => Field::Time(TimeField::CreatedAt),
        "updated_at" => Field::Time(TimeField::UpdatedAt),
        "last_active" => Field::Time(TimeField::LastActive),
        "deactivated_at" => Field::Time(TimeField::DeactivatedAt),
        "ban_expires" => Field::Time(TimeField::BanExpires),
        "teams" => Field::Teams,
        other if other == "custom" || BUILT_IN.contains(&other) => {
            return Err(Invalid::new(path, format!("cannot be filtered by; there are {FIELDS}")));
        }
        custom => {
            let custom = custom.strip_prefix("custom.").unwrap_or(custom);
            let outermost = custom.split('.').next().unwrap_or_default();
            if BUILT_IN.contains(&outermost) {
                let why =
                    format!("is not custom data, for '{outermost}' is a built-in field; there are {FIELDS}");
                return Err(Invalid::new(path, why));
            }
            Field::Custom(CustomPath::parse(custom).map_err(|invalid| Invalid::new(path, invalid.why))?)
        }
    })
}

impl Field {
    /// The operators that this field takes, for messages.
    fn known(&self) -> &'static str {
        match self {
            Self::Text(TextField::Id) => {
                "$eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $exists, $autocomplete and $q"
            }
            Self::Text(TextField::Name) => "$eq, $ne, $in, $nin, $exists, $autocomplete and $q",
            Self::Text(TextField::Role | TextField::Language) => "$eq, $ne, $in, $nin and $exists",
            Self::Flag(_) => "$eq and $ne",
            Self::Time(_) => "$eq, $ne, $gt, $gte, $lt, $lte and $exists",
            Self::Teams => "$contains, $eq, $ne, $in, $nin and $exists",
            Self::Custom(_) => {
                "$eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $exists and $contains, and for username \
                                $autocomplete and $q"
            }
        }
    }

    /// The fields whose words can be searched.
    fn words(&self) -> Option<WordField> {
        match self {
            Self::Text(TextField::Id) => Some(WordField::Id),
            Self::Text(TextField::Name) => Some(WordField::Name),
            Self::Custom(path) if path.to_string() == "username" => Some(WordField::Username),
            Self::Text(_) | Self::Flag(_) | Self::Time(_) | Self::Teams | Self::Custom(_) => None,
        }
    }

    fn operator(&self, path: &str, operator: &str, operand: Value) -> Result<Filter, Invalid> {
        let lists = !matches!(self, Self::Flag(_) | Self::Time(_));
        match operator {
            "$eq" => self.equals(path, operand),
            "$ne" => self.equals(path, operand).map(Filter::negate),
            "$in" if lists => self.one_of(path, operand),
            "$nin" if lists => self.one_of(path, operand).map(Filter::negate),
            "$exists" if !matches!(self, Self::Flag(_)) => {
                let exists = self.exists();
                Ok(if boolean(path, &operand)? { exists } else { Filter::negate(exists) })
            }
            "$contains" if matches!(self, Self::Teams | Self::Custom(_)) => self.contains(path, operand),
            "$autocomplete" | "$q" => match self.words() {
                Some(words) => search(path, words, operator, operand),
                None => self.unknown(path),
            },
            _ => self.unknown(path),
        }
    }

    fn unknown<T>(&self, path: &str) -> Result<T, Invalid> {
        Err(Invalid::new(path, format!("is not an operator for this field; there are {}", self.known())))
    }

    /// The field is set, and is not `null`.
    fn exists(&self) -> Filter {
        Filter::Is(match self {
            Self::Text(field) => Test::Text(*field, Range::all()),
            Self::Time(field) => Test::Time(*field, Range::all()),
            Self::Teams => Test::AnyTeam,
            Self::Custom(path) => Test::Exists(path.clone()),
            // A flag is always set.
            Self::Flag(_) => return Filter::everybody(),
        })
    }

    /// The field is this value; `null` is a field that is missing.
    fn equals(&self, path: &str, value: Value) -> Result<Filter, Invalid> {
        if value.is_null() && !matches!(self, Self::Flag(_)) {
            return Ok(Filter::negate(self.exists()));
        }
        Ok(Filter::Is(match self {
            Self::Text(field) => Test::Among(*field, vec![string(path, value)?]),
            Self::Flag(field) => Test::Flag(*field, boolean(path, &value)?),
            Self::Time(field) => Test::Time(*field, Range::only(moment(path, &value)?)),
            Self::Teams => match value {
                Value::Array(_) => Test::TeamsAre(crate::body::strings(path, value)?),
                value => Test::Has(vec![Leaf::team(&string(path, value)?)]),
            },
            Self::Custom(custom) => Test::Has(leaf(custom, Place::Value, &value)),
        }))
    }

    /// The field is one of these values; of teams, one is among these.
    fn one_of(&self, path: &str, operand: Value) -> Result<Filter, Invalid> {
        let Value::Array(values) = operand else {
            return Err(Invalid::new(path, format!("must be an array of values, got {}", kind(&operand))));
        };
        if values.len() > MOST_OPERANDS {
            let why = format!("must hold at most {MOST_OPERANDS} values, got {}", values.len());
            return Err(Invalid::new(path, why));
        }
        let places = values.len();
        let given: Vec<(String, Value)> = (0..places)
            .map(|place| format!("{path}.{place}"))
            .zip(values)
            .filter(|(_, value)| !value.is_null())
            .collect();
        let nulls = given.len() < places;
        let test = match self {
            Self::Text(field) => {
                let texts = given.into_iter().map(|(path, value)| string(&path, value));
                Test::Among(*field, texts.collect::<Result<_, Invalid>>()?)
            }
            Self::Teams => {
                let teams = given.into_iter().map(|(path, value)| Ok(Leaf::team(&string(&path, value)?)));
                Test::Has(teams.collect::<Result<_, Invalid>>()?)
            }
            Self::Custom(custom) => {
                Test::Has(given.iter().flat_map(|(_, value)| leaf(custom, Place::Value, value)).collect())
            }
            Self::Flag(_) | Self::Time(_) => return self.unknown(path),
        };
        let found = Filter::Is(test);
        Ok(if nulls { Filter::Or(vec![Filter::negate(self.exists()), found]) } else { found })
    }

    /// The array that the field is has this element.
    fn contains(&self, path: &str, operand: Value) -> Result<Filter, Invalid> {
        Ok(Filter::Is(Test::Has(match self {
            Self::Teams => vec![Leaf::team(&string(path, operand)?)],
            Self::Custom(custom) if !operand.is_null() => leaf(custom, Place::Element, &operand),
            Self::Custom(_) => return Err(Invalid::new(path, "must be a value other than null")),
            Self::Text(_) | Self::Flag(_) | Self::Time(_) => return self.unknown(path),
        })))
    }

    /// The field is within bounds, which are all of one kind.
    fn between(&self, bounds: Vec<(String, String, Value)>) -> Result<Filter, Invalid> {
        let all = match self {
            Self::Text(field @ TextField::Id) => {
                let range = |range| Test::Text(*field, range);
                bounds.into_iter().map(|bound| one_bound(bound, string).map(range)).collect()
            }
            Self::Time(field) => {
                let range = |range| Test::Time(*field, range);
                let moment =
                    |path: &str, value: Value| -> Result<Timestamp, Invalid> { moment(path, &value) };
                bounds.into_iter().map(|bound| one_bound(bound, moment).map(range)).collect()
            }
            Self::Custom(custom) => bounds.into_iter().map(|bound| custom_bound(custom, bound)).collect(),
            Self::Text(_) | Self::Flag(_) | Self::Teams => {
                let path = bounds.into_iter().next().map(|(path, ..)| path).unwrap_or_default();
                return self.unknown(&path);
            }
        };
        let all: Result<Vec<Test>, Invalid> = all;
        Ok(Filter::And(merged(all?).into_iter().map(Filter::Is).collect()))
    }
}

/// The leaf that a value of custom data has.
fn leaf(path: &CustomPath, place: Place, value: &Value) -> Vec<Leaf> {
    Leaf::of(&path.to_string(), place, value).into_iter().collect()
}

pub(super) fn one_bound<T>(
    (path, operator, operand): (String, String, Value),
    read: impl Fn(&str, Value) -> Result<T, Invalid>,
) -> Result<Range<T>, Invalid> {
    let value = read(&path, operand)?;
    Ok(match operator.as_str() {
        "$gt" => Range { low: Bound::Excluded(value), high: Bound::Unbounded },
        "$gte" => Range { low: Bound::Included(value), high: Bound::Unbounded },
        "$lt" => Range { low: Bound::Unbounded, high: Bound::Excluded(value) },
        _ => Range { low: Bound::Unbounded, high: Bound::Included(value) },
    })
}

fn custom_bound(custom: &CustomPath, bound: (String, String, Value)) -> Result<Test, Invalid> {
    // The leaf of the operand has the form in which values are kept: whole floats as integers, long text cut.
    let operand = Leaf::of("", Place::Value, &bound.2);
    match (&bound.2, operand) {
        (Value::Number(_), Some(leaf)) => {
            one_bound(bound, |_, _| Ok(leaf.number)).map(|range| Test::Number(custom.clone(), range))
        }
        (Value::String(_), Some(leaf)) => one_bound(bound, |_, _| Ok(leaf.text.clone()))
            .map(|range| Test::CustomText(custom.clone(), range)),
        (other, _) => {
            let why = format!("must be a number or a string, got {}", kind(other));
            Err(Invalid::new(bound.0, why))
        }
    }
}

/// Two bounds of one kind, one below and one above, as one range: an index serves it in one piece.
fn merged(mut tests: Vec<Test>) -> Vec<Test> {
    let [left, right] = tests.as_mut_slice() else { return tests };
    let joined = match (left, right) {
        (Test::Number(_, left), Test::Number(_, right)) => join(left, right),
        (Test::CustomText(_, left), Test::CustomText(_, right))
        | (Test::Text(_, left), Test::Text(_, right)) => join(left, right),
        (Test::Time(_, left), Test::Time(_, right)) => join(left, right),
        _ => false,
    };
    if joined {
        tests.truncate(1);
    }
    tests
}

fn join<T: Clone>(left: &mut Range<T>, right: &Range<T>) -> bool {
    if matches!((&left.low, &right.high), (Bound::Unbounded, Bound::Unbounded)) {
        left.low.clone_from(&right.low);
        return true;
    }
    if matches!((&left.high, &right.low), (Bound::Unbounded, Bound::Unbounded)) {
        left.high.clone_from(&right.high);
        return true;
    }
    false
}

/// `$autocomplete` and `$q`.
fn search(path: &str, field: WordField, operator: &str, operand: Value) -> Result<Filter, Invalid> {
    let text: String = string(path, operand)?.chars().take(LONGEST_QUERY).collect();
    let wanted: Vec<String> = words(&text).take(MOST_QUERY_WORDS).collect();
    if wanted.is_empty() {
        return Err(Invalid::new(path, "must hold at least one letter or digit"));
    }
    let how = if operator == "$q" { WordMatch::Whole } else { WordMatch::Prefix };
    Ok(Filter::Is(Test::Words(field, how, wanted)))
}

#[cfg(test)]
mod tests;
