//! Partial updates: names and dotted paths to fields of the model (semantics 3).

use model::{Assignment, BUILT_IN, Custom, CustomPath, Field, Invalid, Patch, PrivacySwitch};
use serde_json::Value;

use super::profile::decode_privacy;
use crate::body::{Object, boolean, moment, string, string_map, strings};

/// Reads one element of `users`.
pub(super) fn decode(mut request: Object) -> Result<Patch, Invalid> {
    let id = request.user_id("id")?.ok_or_else(|| request.refuse("id", "is required: the id of a user"))?;
    let set = request.object("set")?.map(Object::into_fields).unwrap_or_default();
    let unset_names = request.strings("unset")?.unwrap_or_default();
    let set_path = request.path_of("set");
    let set_names: Vec<String> = set.keys().cloned().collect();
    let set = set
        .into_iter()
        .map(|(name, value)| assignment(&format!("{set_path}.{name}"), &name, value))
        .collect::<Result<_, Invalid>>()?;
    let unset = unset_names
        .iter()
        .map(|name| {
            field(name).map_err(|invalid| request.refuse("unset", format!("'{name}' {}", invalid.why)))
        })
        .collect::<Result<_, Invalid>>()?;
    let patch = Patch { id, set, unset };
    let (path, _) = request.into_parts();
    patch.check(&set_names, &unset_names).map_err(|invalid| invalid.within(path))?;
    Ok(patch)
}

/// The field that `name` addresses.
fn field(name: &str) -> Result<Field, Invalid> {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let field = match (first, rest) {
        ("name", None) => Field::Name,
        ("image", None) => Field::Image,
        ("role", None) => Field::Role,
        ("teams", None) => Field::Teams,
        ("teams_role", None) => Field::TeamsRole,
        // A team may have dots in its name; there is nothing below a team.
        ("teams_role", Some(team)) => Field::TeamRole(team.to_owned()),
        ("language", None) => Field::Language,
        ("invisible", None) => Field::Invisible,
        ("privacy_settings", None) => Field::Privacy,
        ("privacy_settings", Some(rest)) => Field::PrivacySwitch(privacy_switch(rest)?),
        ("revoke_tokens_issued_before", None) => Field::TokensRevokedBefore,
        ("custom", None) => Field::AllCustom,
        ("custom", Some(path)) => Field::Custom(CustomPath::parse(path)?),
        (
            "name" | "image" | "role" | "teams" | "language" | "invisible" | "revoke_tokens_issued_before",
            Some(_),
        ) => {
            return Err(Invalid::new(name, format!("names nothing: {first} is not an object")));
        }
        (read_only, _) if BUILT_IN.contains(&read_only) => {
            return Err(Invalid::new(name, format!("cannot be changed: {read_only} is read-only")));
        }
        _ => Field::Custom(CustomPath::parse(name)?),
    };
    Ok(field)
}

fn privacy_switch(path: &str) -> Result<PrivacySwitch, Invalid> {
    match path.strip_suffix(".enabled").unwrap_or(path) {
        "typing_indicators" => Ok(PrivacySwitch::TypingIndicators),
        "read_receipts" => Ok(PrivacySwitch::ReadReceipts),
        "delivery_receipts" => Ok(PrivacySwitch::DeliveryReceipts),
        _ => Err(Invalid::new(
            path,
            "names nothing: privacy_settings has typing_indicators, read_receipts and delivery_receipts",
        )),
    }
}

/// What setting `name` to `value` means. `null` clears a built-in field and is a value of custom data.
fn assignment(path: &str, name: &str, value: Value) -> Result<Assignment, Invalid> {
    let field = field(name).map_err(|invalid| Invalid::new(path, invalid.why))?;
    let given = (!value.is_null()).then_some(value);
    let assignment = match field {
        Field::Name => Assignment::Name(given.map(|value| string(path, value)).transpose()?),
        Field::Image => Assignment::Image(given.map(|value| string(path, value)).transpose()?),
        Field::Role => Assignment::Role(given.map(|value| string(path, value)).transpose()?),
        Field::Teams => Assignment::Teams(given.map(|value| strings(path, value)).transpose()?),
        Field::TeamsRole => {
            Assignment::TeamsRole(given.map(|value| string_map(path.to_owned(), value)).transpose()?)
        }
        Field::TeamRole(team) => {
            Assignment::TeamRole(team, given.map(|value| string(path, value)).transpose()?)
        }
        Field::Language => Assignment::Language(given.map(|value| string(path, value)).transpose()?),
        Field::Invisible => Assignment::Invisible(given.map(|value| boolean(path, &value)).transpose()?),
        Field::Privacy => {
            let settings = given.map(|value| Object::expect(path.to_owned(), value)).transpose()?;
            Assignment::Privacy(settings.map(decode_privacy).transpose()?)
        }
        Field::PrivacySwitch(switch) => {
            Assignment::PrivacySwitch(switch, given.map(|value| enabled(path, value)).transpose()?)
        }
        Field::TokensRevokedBefore => {
            Assignment::TokensRevokedBefore(given.map(|value| moment(path, &value)).transpose()?)
        }
        Field::Custom(custom) => Assignment::Custom(custom, given.unwrap_or(Value::Null)),
        Field::AllCustom => {
            let fields = match given {
                None => serde_json::Map::new(),
                Some(value) => Object::expect(path.to_owned(), value)?.into_fields(),
            };
            Assignment::AllCustom(Custom::parse(fields).map_err(|invalid| invalid.within(path))?)
        }
    };
    Ok(assignment)
}

/// A switch addressed by its path is set to `true`, or to `{"enabled": true}`.
fn enabled(path: &str, value: Value) -> Result<bool, Invalid> {
    if let Value::Object(mut fields) = value {
        let inner = fields.swap_remove("enabled").unwrap_or(Value::Null);
        return boolean(&format!("{path}.enabled"), &inner);
    }
    boolean(path, &value)
}

#[cfg(test)]
mod tests {
    use model::Privacy;
    use serde_json::json;

    use super::*;

    fn decode(request: Value) -> Result<Patch, Invalid> {
        super::decode(Object::expect("users.0".to_owned(), request).unwrap())
    }

    #[track_caller]
    fn sets(set: Value, expected: Vec<Assignment>) {
        assert_eq!(decode(json!({"id": "a", "set": set})).unwrap().set, expected);
    }

    #[track_caller]
    fn refuses(request: Value, expected: &str) {
        assert_eq!(decode(request).unwrap_err().to_string(), expected);
    }

    fn path(text: &str) -> CustomPath {
        CustomPath::parse(text).unwrap()
    }

    #[test]
    fn names_that_are_not_built_in_are_custom() {
        sets(json!({"new-field": "value"}), vec![Assignment::Custom(path("new-field"), json!("value"))]);
        sets(json!({"a.b": null}), vec![Assignment::Custom(path("a.b"), json!(null))]);
        sets(json!({"custom.x": 1}), vec![Assignment::Custom(path("x"), json!(1))]);
        let field = json!({"name": "x"});
        sets(json!({"field": field}), vec![Assignment::Custom(path("field"), field)]);
    }

    #[test]
    fn built_in_names_are_typed() {
        let switched = Privacy { typing_indicators: Some(true), ..Privacy::default() };
        sets(
            json!({"name": null, "privacy_settings": {"typing_indicators": {"enabled": true}}}),
            vec![Assignment::Name(None), Assignment::Privacy(Some(switched))],
        );
        sets(
            json!({"privacy_settings.read_receipts.enabled": false, "teams_role.red.x": "admin"}),
            vec![
                Assignment::PrivacySwitch(PrivacySwitch::ReadReceipts, Some(false)),
                Assignment::TeamRole("red.x".to_owned(), Some("admin".to_owned())),
            ],
        );
        let unset =
            decode(json!({"id": "a", "unset": ["name", "custom", "a.b", "teams_role.red"]})).unwrap().unset;
        let expected =
            [Field::Name, Field::AllCustom, Field::Custom(path("a.b")), Field::TeamRole("red".to_owned())];
        assert_eq!(unset, expected);
    }

    #[test]
    fn refusals_name_the_field() {
        refuses(json!({}), "users.0.id: is required: the id of a user");
        refuses(
            json!({"id": "a", "set": {"created_at": 1}}),
            "users.0.set.created_at: cannot be changed: created_at is read-only",
        );
        refuses(
            json!({"id": "a", "unset": ["id"]}),
            "users.0.unset: 'id' cannot be changed: id is read-only",
        );
        refuses(json!({"id": "a", "set": {"name": 1}}), "users.0.set.name: must be a string, got a number");
        refuses(
            json!({"id": "a", "set": {"name.first": 1}}),
            "users.0.set.name.first: names nothing: name is not an object",
        );
        refuses(
            json!({"id": "a", "set": {"x..y": 1}}),
            "users.0.set.x..y: a key of custom data must not be empty",
        );
        refuses(
            json!({"id": "a", "set": {"x": 1}, "unset": ["x.y"]}),
            "users.0.unset: 'x.y' overlaps with 'x' in set; name each field once",
        );
        refuses(json!({"id": "a", "set": [], "unset": []}), "users.0.set: must be an object, got an array");
    }
}
