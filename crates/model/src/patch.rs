//! Partial update: single fields set and unset (semantics 3).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::custom::check_keys_below;
use crate::invalid::Shown;
use crate::rules::{self, Limits};
use crate::{Custom, CustomPath, DEFAULT_ROLE, Invalid, Privacy, PrivacySwitch, Timestamp, User, UserId};

/// The changes to one user.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Whom to change.
    pub id: UserId,
    /// What to set, in the order given.
    pub set: Vec<Assignment>,
    /// What to take away; this comes first.
    pub unset: Vec<Field>,
}

/// A field and its new value. `None` clears.
#[derive(Clone, Debug, PartialEq)]
pub enum Assignment {
    /// The display name.
    Name(Option<String>),
    /// The avatar.
    Image(Option<String>),
    /// The role; `None` is the default role.
    Role(Option<String>),
    /// All teams; `None` is no team.
    Teams(Option<Vec<String>>),
    /// All roles within teams; `None` is none.
    TeamsRole(Option<BTreeMap<String, String>>),
    /// The role within one team; `None` is none.
    TeamRole(String, Option<String>),
    /// The language; `None` is none.
    Language(Option<String>),
    /// Whether the user hides its presence; `None` is no.
    Invisible(Option<bool>),
    /// What the user shares, merged into what is stored (DESIGN 3); `None` is "never set".
    Privacy(Option<Privacy>),
    /// One switch of what the user shares; `None` is "never set".
    PrivacySwitch(PrivacySwitch, Option<bool>),
    /// Revokes the tokens that were issued before; `None` takes the revocation back (3.12).
    TokensRevokedBefore(Option<Timestamp>),
    /// One value of custom data.
    Custom(CustomPath, Value),
    /// The whole of custom data.
    AllCustom(Custom),
}

/// A field that can be set or unset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// The display name.
    Name,
    /// The avatar.
    Image,
    /// The role.
    Role,
    /// All teams.
    Teams,
    /// All roles within teams.
    TeamsRole,
    /// The role within one team.
    TeamRole(String),
    /// The language.
    Language,
    /// Whether the user hides its presence.
    Invisible,
    /// What the user shares.
    Privacy,
    /// One switch of what the user shares.
    PrivacySwitch(PrivacySwitch),
    /// The revocation of tokens.
    TokensRevokedBefore,
    /// One value of custom data.
    Custom(CustomPath),
    /// The whole of custom data.
    AllCustom,
}

impl Assignment {
    /// The field that is assigned to.
    #[must_use]
    pub fn field(&self) -> Field {
        match self {
            Self::Name(_) => Field::Name,
            Self::Image(_) => Field::Image,
            Self::Role(_) => Field::Role,
            Self::Teams(_) => Field::Teams,
            Self::TeamsRole(_) => Field::TeamsRole,
            Self::TeamRole(team, _) => Field::TeamRole(team.clone()),
            Self::Language(_) => Field::Language,
            Self::Invisible(_) => Field::Invisible,
            Self::Privacy(_) => Field::Privacy,
            Self::PrivacySwitch(switch, _) => Field::PrivacySwitch(*switch),
            Self::TokensRevokedBefore(_) => Field::TokensRevokedBefore,
            Self::Custom(path, _) => Field::Custom(path.clone()),
            Self::AllCustom(_) => Field::AllCustom,
        }
    }
}

impl Field {
    /// The place of the field, from the outside to the inside: changing one field changes another if the place of the
    /// one begins with the place of the other.
    fn place(&self) -> Vec<&str> {
        match self {
            Self::Name => vec!["name"],
            Self::Image => vec!["image"],
            Self::Role => vec!["role"],
            Self::Teams => vec!["teams"],
            Self::TeamsRole => vec!["teams_role"],
            Self::TeamRole(team) => vec!["teams_role", team],
            Self::Language => vec!["language"],
            Self::Invisible => vec!["invisible"],
            Self::Privacy => vec!["privacy"],
            Self::PrivacySwitch(PrivacySwitch::TypingIndicators) => vec!["privacy", "typing"],
            Self::PrivacySwitch(PrivacySwitch::ReadReceipts) => vec!["privacy", "read"],
            Self::PrivacySwitch(PrivacySwitch::DeliveryReceipts) => vec!["privacy", "delivery"],
            Self::TokensRevokedBefore => vec!["tokens"],
            Self::AllCustom => vec!["custom"],
            Self::Custom(path) => std::iter::once("custom").chain(path.keys()).collect(),
        }
    }
}

impl Patch {
    /// Checks that no two changes touch the same value (semantics 3.7), whatever the order they are carried out in.
    ///
    /// One pair has a meaning and is allowed: all custom data taken away, and single fields of it set anew.
    /// `set_names` and `unset_names` are the fields as the caller wrote them.
    ///
    /// # Errors
    /// When two changes touch the same value; the field is the later one as written.
    pub fn check(&self, set_names: &[String], unset_names: &[String]) -> Result<(), Invalid> {
        let fields: Vec<Field> = self.set.iter().map(Assignment::field).collect();
        let set = Places::of(&fields);
        if let Some((earlier, later)) = set.first_overlap() {
            let why = format!("overlaps with {} in the same request", Shown(&set_names[earlier]));
            return Err(Invalid::new(format!("set.{}", set_names[later]), why));
        }
        for (field, name) in self.unset.iter().zip(unset_names) {
            // Wiping all custom data and setting some of it anew is one wish.
            let begins_anew =
                |place: usize| *field == Field::AllCustom && matches!(fields[place], Field::Custom(_));
            if let Some(clash) = set.overlapping(field).filter(|place| !begins_anew(*place)) {
                let (name, clash) = (Shown(name), Shown(&set_names[clash]));
                let why = format!("{name} overlaps with {clash} in set; name each field once");
                return Err(Invalid::new("unset", why));
            }
        }
        Ok(())
    }

    /// The name that is given, if one is.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.set.iter().find_map(|assignment| match assignment {
            Assignment::Name(name) => name.as_deref(),
            _ => None,
        })
    }

    /// Checks what needs no look at the stored user.
    ///
    /// # Errors
    /// When the values that are set are too large together for any user; the field is relative to the patch.
    pub fn check_size(&self, limits: &Limits) -> Result<(), Invalid> {
        let sizes = self.set.iter().map(|assignment| match assignment {
            Assignment::Name(Some(text)) | Assignment::Image(Some(text)) => rules::written(text),
            Assignment::Custom(_, value) => rules::written(value),
            Assignment::AllCustom(custom) => rules::written(custom),
            _ => 0,
        });
        let (bytes, most) = (sizes.sum::<usize>(), limits.user_bytes);
        if bytes <= most {
            return Ok(());
        }
        let why =
            format!("name, image and custom data may have {most} bytes together, these values have {bytes}");
        Err(Invalid::new("set", why))
    }

    /// Takes away the roles within teams that the user is not in, but for those that this patch gives: giving a role
    /// in a team that one is not in is refused, not forgotten.
    fn forget_roles_of_teams_left(&self, user: &mut User) {
        let mut given = BTreeSet::new();
        for assignment in &self.set {
            match assignment {
                Assignment::TeamsRole(Some(_)) => return,
                Assignment::TeamRole(team, Some(_)) => {
                    given.insert(team);
                }
                _ => {}
            }
        }
        let teams: BTreeSet<&String> = user.teams.iter().collect();
        user.teams_role.retain(|team, _| teams.contains(team) || given.contains(team));
    }

    /// The user that these changes make of `before`, at `now`.
    ///
    /// # Errors
    /// The first rule that a change or the result breaks; the field is relative to the patch or the user.
    pub fn apply(&self, before: &User, now: Timestamp, limits: &Limits) -> Result<User, Invalid> {
        let user = self.draft(before, now)?;
        user.check(Some(before), limits)?;
        Ok(user)
    }

    /// As [`Patch::apply`], the result unchecked.
    ///
    /// # Errors
    /// When a change cannot be carried out; the field is relative to the patch.
    pub fn draft(&self, before: &User, now: Timestamp) -> Result<User, Invalid> {
        let mut user = before.clone();
        user.updated_at = before.changed_at(now);
        for field in &self.unset {
            unset(&mut user, field);
        }
        for assignment in &self.set {
            assign(&mut user, assignment).map_err(|invalid| invalid.within("set"))?;
        }
        self.forget_roles_of_teams_left(&mut user);
        Ok(user)
    }
}

/// Where fields stand, for finding those that overlap without comparing each with each.
struct Places<'f> {
    /// Each field by its place, with its place in the request.
    fields: HashMap<Vec<&'f str>, usize>,
    /// Every place that leads to a field, with the place in the request of one such field.
    leading: HashMap<Vec<&'f str>, usize>,
    overlap: Option<(usize, usize)>,
}

impl<'f> Places<'f> {
    fn of(fields: &'f [Field]) -> Self {
        let mut places = Self { fields: HashMap::new(), leading: HashMap::new(), overlap: None };
        for (number, field) in fields.iter().enumerate() {
            if let Some(earlier) = places.overlapping(field) {
                places.overlap = places.overlap.or(Some((earlier, number)));
            }
            let place = field.place();
            for outer in 1..place.len() {
                places.leading.entry(place[..outer].to_vec()).or_insert(number);
            }
            places.fields.entry(place).or_insert(number);
        }
        places
    }

    /// The first two fields that overlap, the earlier first.
    fn first_overlap(&self) -> Option<(usize, usize)> {
        self.overlap
    }

    /// A field that is, holds, or stands within `field`.
    fn overlapping(&self, field: &Field) -> Option<usize> {
        let place = field.place();
        let holding = (1..=place.len()).find_map(|outer| self.fields.get(&place[..outer]));
        holding.or_else(|| self.leading.get(&place)).copied()
    }
}

fn unset(user: &mut User, field: &Field) {
    match field {
        Field::Name => user.name = None,
        Field::Image => user.image = None,
        Field::Role => DEFAULT_ROLE.clone_into(&mut user.role),
        Field::Teams => user.teams.clear(),
        Field::TeamsRole => user.teams_role.clear(),
        Field::TeamRole(team) => {
            user.teams_role.remove(team);
        }
        Field::Language => user.language.clear(),
        Field::Invisible => user.invisible = false,
        Field::Privacy => user.privacy = None,
        Field::PrivacySwitch(switch) => {
            if let Some(privacy) = &mut user.privacy {
                *privacy.switch(*switch) = None;
            }
        }
        Field::TokensRevokedBefore => user.tokens_revoked_before = None,
        Field::Custom(path) => user.custom.unset(path),
        Field::AllCustom => user.custom = Custom::default(),
    }
}

fn assign(user: &mut User, assignment: &Assignment) -> Result<(), Invalid> {
    match assignment {
        Assignment::Role(Some(role)) => user.role.clone_from(role),
        Assignment::Teams(Some(teams)) => user.teams = rules::each_once(teams),
        Assignment::TeamsRole(Some(roles)) => user.teams_role.clone_from(roles),
        Assignment::TeamRole(team, Some(role)) => {
            user.teams_role.insert(team.clone(), role.clone());
        }
        Assignment::Language(Some(language)) => user.language.clone_from(language),
        Assignment::Invisible(Some(invisible)) => user.invisible = *invisible,
        Assignment::Privacy(Some(newer)) => {
            user.privacy = Some(user.privacy.unwrap_or_default().merged(*newer));
        }
        Assignment::PrivacySwitch(switch, Some(shared)) => {
            *user.privacy.get_or_insert_default().switch(*switch) = Some(*shared);
        }
        Assignment::Name(name) => user.name.clone_from(name),
        Assignment::Image(image) => user.image.clone_from(image),
        Assignment::TokensRevokedBefore(moment) => user.tokens_revoked_before = *moment,
        Assignment::Custom(path, value) => {
            check_keys_below(value).map_err(|invalid| invalid.within(path))?;
            user.custom.set(path, value.clone())?;
        }
        Assignment::AllCustom(custom) => user.custom = custom.clone(),
        Assignment::Role(None)
        | Assignment::Teams(None)
        | Assignment::TeamsRole(None)
        | Assignment::TeamRole(_, None)
        | Assignment::PrivacySwitch(_, None)
        | Assignment::Language(None)
        | Assignment::Invisible(None)
        | Assignment::Privacy(None) => unset(user, &assignment.field()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Absent, Profile};

    const NOW: Timestamp = Timestamp::from_seconds(100);

    fn alice() -> User {
        let Value::Object(fields) = json!({"color": "blue", "address": {"city": "Bonn"}}) else { panic!() };
        let profile = Profile {
            name: Some("Alice".to_owned()),
            role: Some("admin".to_owned()),
            teams: Some(vec!["red".to_owned(), "blue".to_owned()]),
            teams_role: Some(BTreeMap::from([("red".to_owned(), "admin".to_owned())])),
            custom: Custom::parse(fields).unwrap(),
            ..Profile::default()
        };
        let id = UserId::parse("alice").unwrap();
        profile.apply(&id, None, Timestamp::from_seconds(1), Absent::Keep, &Limits::default()).unwrap()
    }

    fn apply(set: Vec<Assignment>, unset: Vec<Field>) -> Result<User, Invalid> {
        let alice = alice();
        Patch { id: alice.id.clone(), set, unset }.apply(&alice, NOW, &Limits::default())
    }

    fn path(text: &str) -> CustomPath {
        CustomPath::parse(text).unwrap()
    }

    fn custom(user: &User) -> Value {
        Value::Object(user.custom.fields().clone())
    }

    #[test]
    fn only_the_named_fields_change() {
        let changed = apply(vec![Assignment::Language(Some("de".to_owned()))], vec![Field::Name]).unwrap();
        assert_eq!(changed, User { language: "de".to_owned(), name: None, updated_at: NOW, ..alice() });
    }

    #[test]
    fn unset_gives_back_what_a_new_user_has() {
        let all = vec![Field::Name, Field::Role, Field::Teams, Field::AllCustom];
        let bare = apply(Vec::new(), all).unwrap();
        assert_eq!((bare.role.as_str(), bare.teams, bare.teams_role), ("user", Vec::new(), BTreeMap::new()));
        assert_eq!(
            custom(&apply(Vec::new(), vec![Field::Custom(path("none.such"))]).unwrap()),
            custom(&alice())
        );
    }

    #[test]
    fn custom_paths_reach_into_objects_and_plain_keys_replace_them() {
        let into = apply(vec![Assignment::Custom(path("address.zip"), json!("53111"))], Vec::new()).unwrap();
        assert_eq!(custom(&into), json!({"color": "blue", "address": {"city": "Bonn", "zip": "53111"}}));
        let over = apply(vec![Assignment::Custom(path("address"), json!({"zip": 1}))], Vec::new()).unwrap();
        assert_eq!(custom(&over), json!({"color": "blue", "address": {"zip": 1}}));
        let anew = apply(vec![Assignment::Custom(path("a"), json!(1))], vec![Field::AllCustom]).unwrap();
        assert_eq!(custom(&anew), json!({"a": 1}));
    }

    #[test]
    fn privacy_is_merged() {
        let typing = Privacy { typing_indicators: Some(false), ..Privacy::default() };
        let changed = apply(
            vec![
                Assignment::Privacy(Some(typing)),
                Assignment::PrivacySwitch(PrivacySwitch::ReadReceipts, Some(true)),
            ],
            Vec::new(),
        );
        let expected =
            Privacy { typing_indicators: Some(false), read_receipts: Some(true), delivery_receipts: None };
        assert_eq!(changed.unwrap().privacy, Some(expected));
    }

    #[test]
    fn rules_hold_for_the_result() {
        for (assignment, field) in [
            (Assignment::Role(Some("captain".to_owned())), "role"),
            (Assignment::TeamRole("green".to_owned(), Some("user".to_owned())), "teams_role.green"),
            (Assignment::Custom(path("k"), json!("x".repeat(5120))), "custom"),
            (Assignment::Custom(path("k"), json!({"a.b": 1})), "set.k.a.b"),
            (Assignment::Custom(path("color.shade"), json!(1)), "set.color.shade"),
        ] {
            assert_eq!(apply(vec![assignment], Vec::new()).unwrap_err().field, field);
        }
    }

    #[test]
    fn a_user_moves_from_team_to_team_by_path() {
        let teams = Assignment::Teams(Some(vec!["green".to_owned()]));
        let role = Assignment::TeamRole("green".to_owned(), Some("admin".to_owned()));
        let moved = apply(vec![teams, role], Vec::new()).unwrap();
        assert_eq!(moved.teams_role, BTreeMap::from([("green".to_owned(), "admin".to_owned())]));
        let cleared = apply(vec![Assignment::TeamRole("red".to_owned(), None)], Vec::new()).unwrap();
        assert_eq!(cleared.teams_role, BTreeMap::new());
    }

    #[test]
    fn two_changes_of_one_value_are_refused() {
        let check = |set: &[&str], unset: &[&str]| {
            let names = |fields: &[&str]| fields.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
            let field =
                |name: &&str| if *name == "custom" { Field::AllCustom } else { Field::Custom(path(name)) };
            let assignment = |name: &&str| match *name {
                "custom" => Assignment::AllCustom(Custom::default()),
                name => Assignment::Custom(path(name), Value::Null),
            };
            let patch = Patch {
                id: UserId::parse("alice").unwrap(),
                set: set.iter().map(assignment).collect(),
                unset: unset.iter().map(field).collect(),
            };
            patch.check(&names(set), &names(unset)).is_ok()
        };
        assert!(check(&["a.b", "a.c", "ab"], &["a.d", "b"]));
        assert!(check(&["a"], &["custom"]), "wiping and setting anew is one wish");
        assert!(check(&[], &["a", "a"]), "taking away twice is taking away");
        for (set, unset) in [
            (&["a", "a.b"][..], &[][..]),
            (&["a.b", "a"], &[]),
            (&["a"], &["a"]),
            (&["a.b"], &["a"]),
            (&["a"], &["a.b"]),
            (&["custom"], &["a"]),
            (&["custom", "a"], &[]),
        ] {
            assert!(!check(set, unset), "{set:?} {unset:?}");
        }
    }
}
