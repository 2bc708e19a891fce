//! What the clients know: which batches were sent, which were acknowledged, and what came before what.
//!
//! Time is a counter that every event moves on. A batch takes effect, if at all, between its sending and its end,
//! which is the acknowledgement or else the end of the server. So of two batches that overlap either may win, and of
//! two that do not, the later one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

/// The number of a batch, which its users carry in their custom data.
pub(super) type Mark = usize;

/// The number in a user id.
pub(super) type User = u64;

/// What a check finds wrong.
pub(super) type Wrong = String;

/// Finds something wrong unless `holds`.
pub(super) fn ensure(holds: bool, wrong: impl FnOnce() -> Wrong) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(wrong()) }
}

/// Every batch that was ever sent.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Batches>);

#[derive(Default)]
struct Batches {
    time: u64,
    batches: Vec<Batch>,
    users: User,
}

struct Batch {
    users: BTreeSet<User>,
    sent: u64,
    /// `None` while it may still take effect.
    ended: Option<u64>,
    acknowledged: bool,
}

impl Batches {
    fn tick(&mut self) -> u64 {
        self.time += 1;
        self.time
    }
}

impl Ledger {
    /// A user that nobody has sent yet.
    pub(super) fn new_user(&self) -> User {
        let mut batches = self.lock();
        batches.users += 1;
        batches.users
    }

    /// Notes a batch that is about to be sent.
    pub(super) fn send(&self, users: BTreeSet<User>) -> Mark {
        let mut batches = self.lock();
        let sent = batches.tick();
        batches.batches.push(Batch { users, sent, ended: None, acknowledged: false });
        batches.batches.len() - 1
    }

    /// Notes that a batch was acknowledged.
    pub(super) fn acknowledge(&self, mark: Mark) {
        let mut batches = self.lock();
        let ended = batches.tick();
        let batch = &mut batches.batches[mark];
        (batch.ended, batch.acknowledged) = (Some(ended), true);
    }

    /// Notes that what was not acknowledged will never be, and takes effect no more.
    pub(super) fn server_is_gone(&self) {
        let mut batches = self.lock();
        let ended = batches.tick();
        for batch in &mut batches.batches {
            batch.ended.get_or_insert(ended);
        }
    }

    /// Checks which batch every stored user is from: a batch that was acknowledged, or that shows in one user, is
    /// there for all its users unless a batch that did not end before it was sent took its place.
    pub(super) fn check_users(&self, stored: &BTreeMap<User, Mark>) -> Result<(), Wrong> {
        let batches = &self.lock().batches;
        for (user, mark) in stored {
            ensure(batches[*mark].users.contains(user), || format!("user {user} was not in batch {mark}"))?;
        }
        let showing: BTreeSet<Mark> = stored.values().copied().collect();
        for (mark, batch) in batches.iter().enumerate() {
            if !batch.acknowledged && !showing.contains(&mark) {
                continue;
            }
            for user in &batch.users {
                let acknowledged =
                    if batch.acknowledged { "which was acknowledged" } else { "which shows elsewhere" };
                let lost = || format!("user {user} of batch {mark}, {acknowledged}, is lost");
                let found = stored.get(user).ok_or_else(lost)?;
                ensure(batches[*found].ended.is_none_or(|ended| batch.sent <= ended), || {
                    format!(
                        "user {user} is as in batch {found}, but batch {mark}, {acknowledged}, came later"
                    )
                })?;
            }
        }
        Ok(())
    }

    /// Checks what the log says of batches: it holds all of a batch or nothing, and all of an acknowledged one.
    pub(super) fn check_log(&self, logged: &BTreeMap<Mark, BTreeSet<User>>) -> Result<(), Wrong> {
        self.lock().batches.iter().enumerate().try_for_each(|(mark, batch)| match logged.get(&mark) {
            Some(users) => ensure(*users == batch.users, || format!("the log has batch {mark} by half")),
            None => ensure(!batch.acknowledged, || format!("the log has lost batch {mark}")),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Batches> {
        self.0.lock().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens to users 1 and 2: batch 0 is acknowledged, then batches 1 and 2 overlap, 1 is acknowledged and 2
    /// meets the end of the server; batch 3 is sent to the next one.
    fn ledger() -> Ledger {
        let ledger = Ledger::default();
        let send = || ledger.send(BTreeSet::from([1, 2]));
        ledger.acknowledge(send());
        let (first, _second) = (send(), send());
        ledger.acknowledge(first);
        ledger.server_is_gone();
        send();
        ledger
    }

    #[test]
    fn users_are_as_in_a_batch_that_no_later_one_replaced() {
        let ledger = ledger();
        for (stored, holds) in [
            (vec![(1, 1), (2, 1)], true),
            (vec![(1, 2), (2, 2)], true),
            // Two batches that overlap, one of which was not acknowledged.
            (vec![(1, 1), (2, 2)], true),
            (vec![(1, 3), (2, 3)], true),
            // Batch 3 by half: it was sent after the end of all others.
            (vec![(1, 3), (2, 1)], false),
            // Batch 1 is lost.
            (vec![(1, 0), (2, 0)], false),
            (vec![(1, 1)], false),
            (vec![], false),
        ] {
            let stored = BTreeMap::from_iter(stored);
            assert_eq!(ledger.check_users(&stored).is_ok(), holds, "{stored:?}");
        }
    }

    #[test]
    fn the_log_has_batches_as_a_whole() {
        let ledger = ledger();
        for (logged, holds) in [
            (vec![(0, vec![1, 2]), (1, vec![1, 2])], true),
            (vec![(0, vec![1, 2]), (1, vec![1, 2]), (3, vec![1, 2])], true),
            (vec![(0, vec![1, 2])], false),
            (vec![(0, vec![1, 2]), (1, vec![1, 2]), (2, vec![2])], false),
        ] {
            let logged = logged.into_iter().map(|(mark, users)| (mark, BTreeSet::from_iter(users))).collect();
            assert_eq!(ledger.check_log(&logged).is_ok(), holds, "{logged:?}");
        }
    }
}
