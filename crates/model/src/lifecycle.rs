//! Users who are shut out or let in again by the hundred, and what they have made (semantics 9).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Invalid, Outcome, TaskResult, Timestamp, UserId};

/// The most users of one call that shuts out, lets in, deletes, restores or exports many (semantics 9.6, 10.6, 11.3).
pub const MOST_USER_IDS: usize = 100;

/// Checks that there are 1 to [`MOST_USER_IDS`] users, each once.
///
/// # Errors
/// When there are not.
pub fn check_user_ids(ids: &[UserId]) -> Result<(), Invalid> {
    let count = ids.len();
    if !(1..=MOST_USER_IDS).contains(&count) {
        let why = format!("must hold 1 to {MOST_USER_IDS} users, holds {count}");
        return Err(Invalid::new("user_ids", why));
    }
    let mut known = BTreeSet::new();
    match ids.iter().find(|id| !known.insert(*id)) {
        Some(id) => Err(Invalid::new("user_ids", format!("must name each user once, names '{id}' twice"))),
        None => Ok(()),
    }
}

/// Which of what a user has made goes with the user when it is deactivated, or comes back with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserContent {
    /// The messages.
    pub messages: bool,
    /// The channels.
    pub channels: bool,
}

impl UserContent {
    /// Whether it is nothing at all.
    #[must_use]
    pub const fn is_nothing(self) -> bool {
        !self.messages && !self.channels
    }
}

/// A user whose content is gone through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turned {
    /// The id.
    pub id: UserId,
    /// Since when the user is shut out, or let in again: who was let in meanwhile, and then shut out by another call, is so
    /// since later. `None` is a user who is let in and was never shut out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// The work of going through what users have made, one after the other and a piece at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentWork {
    /// Whose, in the order in which they are gone through.
    users: Vec<Turned>,
    /// What of it.
    content: UserContent,
    /// How many of the users are done with.
    done: usize,
    /// Where to go on with the next user; `None` is at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<i64>,
    /// For whom it could not be done, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    failed: BTreeMap<UserId, String>,
}

impl ContentWork {
    /// The work for `users`, of which nothing is done.
    #[must_use]
    pub fn new(users: Vec<Turned>, content: UserContent) -> Self {
        Self { users, content, done: 0, cursor: None, failed: BTreeMap::new() }
    }

    /// What is to be gone through.
    #[must_use]
    pub const fn content(&self) -> UserContent {
        self.content
    }

    /// Where to go on: with whom, and after what of theirs. `None` when there is nothing left to do.
    #[must_use]
    pub fn next(&self) -> Option<(&Turned, Option<i64>)> {
        if self.content.is_nothing() {
            return None;
        }
        self.users.get(self.done).map(|user| (user, self.cursor))
    }

    /// Notes that a piece is done, up to and with `cursor`; `None` is to the end of what the user has made.
    pub fn advance(&mut self, cursor: Option<i64>) {
        self.cursor = cursor;
        self.done += usize::from(cursor.is_none());
    }

    /// Notes that what is left of the user who comes next cannot be done, because of `why`.
    pub fn give_up(&mut self, why: String) {
        if let Some(user) = self.users.get(self.done) {
            self.failed.insert(user.id.clone(), why);
        }
        self.advance(None);
    }

    /// What came of it for each user.
    #[must_use]
    pub fn outcomes(&self) -> TaskResult {
        let outcome = |id| self.failed.get(id).map_or(Outcome::Ok, |why| Outcome::Failed(why.clone()));
        TaskResult::Users {
            users: self.users.iter().map(|user| (user.id.clone(), outcome(&user.id))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> Vec<UserId> {
        names.iter().map(|name| UserId::parse(name).unwrap()).collect()
    }

    fn turned(names: &[&str]) -> Vec<Turned> {
        ids(names).into_iter().map(|id| Turned { id, since: None }).collect()
    }

    #[test]
    fn a_call_names_each_of_some_users_once() {
        let many: Vec<String> = (0..=MOST_USER_IDS).map(|number| format!("u{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (names, refused) in [
            (["a", "b"].as_slice(), None),
            (&many[..MOST_USER_IDS], None),
            (&[], Some("user_ids: must hold 1 to 100 users, holds 0")),
            (&many, Some("user_ids: must hold 1 to 100 users, holds 101")),
            (&["a", "b", "a"], Some("user_ids: must name each user once, names 'a' twice")),
        ] {
            let found = check_user_ids(&ids(names)).err().map(|invalid| invalid.to_string());
            assert_eq!(found.as_deref(), refused);
        }
    }

    #[test]
    fn work_goes_from_piece_to_piece_and_from_user_to_user() {
        let everything = UserContent { messages: true, channels: true };
        let mut work = ContentWork::new(turned(&["b", "a", "c"]), everything);
        let next = |work: &ContentWork| work.next().map(|(user, cursor)| (user.id.to_string(), cursor));
        assert_eq!(next(&work), Some(("b".to_owned(), None)));
        work.advance(Some(500));
        assert_eq!(next(&work), Some(("b".to_owned(), Some(500))));
        work.advance(None);
        assert_eq!(next(&work), Some(("a".to_owned(), None)));
        work.give_up("gone".to_owned());
        work.advance(None);
        assert_eq!(next(&work), None);
        let [a, b, c] = ["a", "b", "c"].map(|name| UserId::parse(name).unwrap());
        let expected = [(a, Outcome::Failed("gone".to_owned())), (b, Outcome::Ok), (c, Outcome::Ok)];
        assert_eq!(work.outcomes(), TaskResult::Users { users: expected.into() });
    }

    #[test]
    fn where_nothing_is_asked_for_nothing_is_left() {
        assert_eq!(ContentWork::new(turned(&["a"]), UserContent::default()).next(), None);
    }
}
