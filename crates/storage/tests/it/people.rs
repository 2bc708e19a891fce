//! Users for tests of what is kept of them: stored and logged as operations do it, without their rules.

use std::collections::{BTreeMap, BTreeSet};

use headwater_storage::log::{self, Entry, Origin};
use headwater_storage::users::{self, Change};
use headwater_storage::{Error, Tx};
use model::{AppKey, Custom, Event, StoredUser, Timestamp, User, UserId};

pub(crate) const APP: AppKey = AppKey(1);

pub(crate) fn id(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

pub(crate) fn user(name: &str, text: &str, custom: serde_json::Value) -> User {
    let serde_json::Value::Object(custom) = custom else { panic!("{custom} is not an object") };
    User {
        id: id(name),
        name: Some(text.to_owned()),
        image: None,
        role: "user".to_owned(),
        teams: Vec::new(),
        teams_role: BTreeMap::new(),
        language: String::new(),
        invisible: false,
        privacy: None,
        custom: Custom::from_stored(custom),
        created_at: Timestamp::from_seconds(1),
        updated_at: Timestamp::from_seconds(1),
        deactivated_at: None,
        deleted_at: None,
        tokens_revoked_before: None,
        ban: None,
        bypass_moderation: false,
    }
}

/// The users with these ids who are there.
pub(crate) fn find(tx: &mut Tx<'_>, ids: &[UserId]) -> Result<Vec<StoredUser>, Error> {
    users::by_ids(tx, APP, &ids.iter().collect::<BTreeSet<_>>())
}

/// Stores `users`, in the place of those with their ids, and logs that.
pub(crate) fn put(tx: &mut Tx<'_>, users: &[User]) -> Result<Vec<StoredUser>, Error> {
    let ids: Vec<UserId> = users.iter().map(|user| user.id.clone()).collect();
    let mut known: BTreeMap<UserId, StoredUser> =
        find(tx, &ids)?.into_iter().map(|stored| (stored.user.id.clone(), stored)).collect();
    let change = |user: &User| Change { before: known.remove(&user.id), after: user.clone() };
    let stored = users::put(tx, APP, users.iter().map(change).collect())?;
    let entry = |stored: &StoredUser| Entry {
        event: Event::UserUpdated { user: Box::new(stored.user.clone()) },
        person: Some(stored.key),
        others: Vec::new(),
    };
    append(tx, "server", &stored.iter().map(entry).collect::<Vec<_>>())?;
    Ok(stored)
}

pub(crate) fn append(tx: &mut Tx<'_>, actor: &str, entries: &[Entry]) -> Result<(), Error> {
    let (time, operation, request) = (Timestamp::from_seconds(2), "UpdateUsers", "request-1");
    log::append(tx, &Origin { app: APP, time, actor, operation, request }, entries)
}
