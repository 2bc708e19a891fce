//! What users want pushed (v2 3.7, semantics 14.6 to 14.8).

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Action, Event, Invalid, Parts, PushEntry, PushPreferences, Resource, StoredUser, UserId, UserKey,
};
use storage::Tx;
use storage::log::Entry;
use storage::push_preferences;

use crate::admitted::People;
use crate::{Ctx, Error};

/// Changes what users want pushed, all or none. Answers what everybody who is named wants afterwards, by id.
///
/// # Errors
/// The first refusal in the order of the request: a user that does not exist, a channel, one thing said twice.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    entries: &[PushEntry],
) -> Result<BTreeMap<UserId, PushPreferences>, Error> {
    let caller = ctx.admit(tx)?;
    let mut named = Vec::with_capacity(entries.len());
    for (place, entry) in entries.iter().enumerate() {
        let id = caller.actor(entry.user.as_ref(), &format!("preferences.{place}.user_id"))?;
        caller.permit_on(Action::ManagePushPreferences, &Resource::own(&id))?;
        named.push(id);
    }
    PushEntry::check_all(entries)?;
    check_distinct(&named, entries)?;
    let people = People::load(tx, ctx.app()?, &named)?;
    let mut users = Vec::with_capacity(entries.len());
    for (place, (id, entry)) in named.iter().zip(entries).enumerate() {
        users.push(people.actor(id)?);
        if entry.channel.is_some() {
            let field = format!("preferences.{place}.channel_cid");
            return Err(Invalid::new(field, "is not served yet; leave it out").into());
        }
    }
    let with_some = users.iter().filter(|user| user.parts.has(Parts::PUSH_PREFERENCES));
    let keys: Vec<UserKey> = with_some.map(|user| user.key).collect();
    let mut known: BTreeMap<UserKey, PushPreferences> =
        push_preferences::of(tx, &keys)?.into_iter().collect();
    let mut answer = BTreeMap::new();
    let mut changed: Vec<(&StoredUser, PushPreferences)> = Vec::new();
    for (user, entry) in users.into_iter().zip(entries) {
        let before = known.remove(&user.key).unwrap_or_default();
        let after = before.changed(&entry.change).as_of(ctx.now);
        if before.as_of(ctx.now) != after {
            changed.push((user, after.clone()));
        }
        answer.insert(user.user.id.clone(), after);
    }
    let rows: Vec<(&StoredUser, &PushPreferences)> =
        changed.iter().map(|(user, after)| (*user, after)).collect();
    push_preferences::put(tx, &rows, ctx.now)?;
    let entry = |(user, preferences): (&StoredUser, PushPreferences)| Entry {
        event: Event::PushPreferencesUpdated {
            user: user.user.id.clone(),
            preferences: Box::new(preferences),
        },
        person: Some(user.key),
        others: Vec::new(),
    };
    caller.record(tx, changed.into_iter().map(entry).collect())?;
    Ok(answer)
}

/// Two entries about the same would leave open which one was meant.
fn check_distinct(users: &[UserId], entries: &[PushEntry]) -> Result<(), Error> {
    let mut known = BTreeSet::new();
    for (place, (user, entry)) in users.iter().zip(entries).enumerate() {
        if !known.insert((user, entry.channel.as_ref().map(ToString::to_string))) {
            let why = "is for the same user and channel as one before it; give each once";
            return Err(Invalid::new(format!("preferences.{place}"), why).into());
        }
    }
    Ok(())
}
