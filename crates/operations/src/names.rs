//! Unique names: no two users of an app, or of a team, by the same name while the app enforces it (semantics 5).
//!
//! Names are compared by their keys (`model::words::name_key`). Who has a name already keeps it: only a user that is
//! new, renamed, or comes into a team is checked, against everybody that is stored and everybody earlier in the batch.

use std::collections::{BTreeMap, BTreeSet};

use model::words::name_key;
use model::{App, Profile, StoredUser, UniqueNames, User, UserId};
use storage::Tx;
use storage::users::{self, Holder};

use crate::Error;

/// Who has the names that a request is about.
#[derive(Debug)]
pub(crate) struct Names {
    scope: UniqueNames,
    holders: BTreeMap<String, Vec<Holder>>,
}

impl Names {
    /// Reads who has `names`: one statement, and none while the app does not enforce unique names.
    pub(crate) fn load<'a>(
        tx: &mut Tx<'_>,
        app: &App,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<Self, Error> {
        let scope = app.settings.unique_names;
        let mut holders: BTreeMap<String, Vec<Holder>> = BTreeMap::new();
        if scope != UniqueNames::No {
            let keys: BTreeSet<String> = names.map(name_key).filter(|key| !key.is_empty()).collect();
            for holder in users::holders(tx, app.key, &keys)? {
                holders.entry(holder.name_key.clone()).or_default().push(holder);
            }
        }
        Ok(Self { scope, holders })
    }

    /// Checks a user that is about to take the place of `before`, and counts its name as taken from now on.
    ///
    /// # Errors
    /// When somebody else has the name.
    pub(crate) fn take(&mut self, before: Option<&User>, after: &User) -> Result<(), Taken> {
        if self.scope == UniqueNames::No {
            return Ok(());
        }
        // Whatever name the user had is free for those who come after it in the batch.
        for holders in self.holders.values_mut() {
            holders.retain(|holder| holder.id != after.id);
        }
        let key = after.name.as_deref().map(name_key).unwrap_or_default();
        if key.is_empty() {
            return Ok(());
        }
        let kept = before.is_some_and(|before| {
            let same_name = before.name.as_deref().map(name_key).as_ref() == Some(&key);
            let came_into_team = after.teams.iter().any(|team| !before.teams.contains(team));
            same_name && !(self.scope == UniqueNames::Team && came_into_team)
        });
        let shared = |holder: &Holder| match self.scope {
            UniqueNames::Team => holder.teams.iter().any(|team| after.teams.contains(team)),
            UniqueNames::No | UniqueNames::App => true,
        };
        let holders = self.holders.entry(key.clone()).or_default();
        if !kept && holders.iter().any(shared) {
            return Err(Taken {
                id: after.id.clone(),
                name: after.name.clone().unwrap_or_default(),
                scope: self.scope,
            });
        }
        holders.push(Holder { name_key: key, id: after.id.clone(), teams: after.teams.clone() });
        Ok(())
    }
}

/// Somebody else has the name.
#[derive(Debug)]
pub(crate) struct Taken {
    id: UserId,
    name: String,
    scope: UniqueNames,
}

impl Taken {
    /// The refusal, about the field that gives the name.
    pub(crate) fn at(self, field: String) -> Error {
        let Self { id, name, scope } = self;
        Error::NameTaken { field, id, name, scope }
    }
}

/// The names that an upsert is about.
pub(crate) fn of_profiles(profiles: &[(UserId, Profile)]) -> impl Iterator<Item = &str> {
    profiles.iter().filter_map(|(_, profile)| profile.name.as_deref())
}

/// The names that stored users have.
pub(crate) fn of_users(users: &BTreeMap<UserId, StoredUser>) -> impl Iterator<Item = &str> {
    users.values().filter_map(|stored| stored.user.name.as_deref())
}
