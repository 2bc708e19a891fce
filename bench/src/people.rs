//! The users that are stored: made from a number, so that any of them can be asked for without a list of them all.

use model::words::words;
use serde_json::{Value, json};

use crate::names::{FIRST, LAST};

/// How many values the custom field `country` has.
pub(crate) const COUNTRIES: u64 = 200;

const PLANS: [&str; 3] = ["free", "team", "enterprise"];

/// The user with this number: 16 random hexadecimal digits for an id, a name, three custom fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person(pub(crate) u64);

impl Person {
    /// The id. Two numbers never have the same, as the mixing can be undone.
    pub(crate) fn id(self) -> String {
        format!("{:016x}", mix(self.0))
    }

    /// First and last name.
    pub(crate) fn name(self) -> String {
        let draw = self.draw();
        format!("{} {}", choose(FIRST, draw), choose(LAST, draw >> 16))
    }

    /// The first letters of the first name as a search compares them: a query that finds this user.
    pub(crate) fn letters(self, count: usize) -> String {
        words(&self.name()).next().unwrap_or_default().chars().take(count).collect()
    }

    /// The user as a client sends it.
    pub(crate) fn to_json(self) -> Value {
        let draw = self.draw();
        json!({
            "id": self.id(),
            "name": self.name(),
            "custom": {
                "country": country((draw >> 32) % COUNTRIES),
                "age": 16 + (draw >> 40) % 70,
                "plan": choose(&PLANS, draw >> 48),
            },
        })
    }

    /// Random bits that are not those of the id.
    fn draw(self) -> u64 {
        mix(!self.0)
    }
}

/// A value of the custom field `country`.
pub(crate) fn country(number: u64) -> String {
    format!("c{number}")
}

/// Random bits for a number: the finishing steps of SplitMix64, which map no two numbers to one.
pub(crate) fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x5851_f42d_4c95_7f2d);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn choose<'a>(among: &[&'a str], bits: u64) -> &'a str {
    among[usize::try_from(bits % 65_536).unwrap_or(0) % among.len()]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn people_repeat_by_number_and_differ_otherwise() {
        let ids: HashSet<String> = (0..100_000).map(|number| Person(number).id()).collect();
        assert_eq!(ids.len(), 100_000);
        assert_eq!(Person(7).to_json(), Person(7).to_json());
        assert!(ids.iter().all(|id| id.len() == 16));
    }

    #[test]
    fn values_are_spread_evenly() {
        let mut found = vec![0; usize::try_from(COUNTRIES).unwrap()];
        for number in 0..100_000 {
            let user = Person(number).to_json();
            let country = user["custom"]["country"].as_str().unwrap()[1..].parse::<usize>().unwrap();
            found[country] += 1;
        }
        assert!(found.iter().all(|count| (350..650).contains(count)), "{found:?}");
    }

    #[test]
    fn letters_are_folded() {
        let found = (0..10_000).map(Person).find(|person| person.name().starts_with("Zoë")).unwrap();
        assert_eq!(found.letters(3), "zoe");
    }
}
