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
    pub(super) fn check_users(&self, stored: &BTreeMap<User, Mark>) {
        let batches = &self.lock().batches;
        for (user, mark) in stored {
            assert!(batches[*mark].users.contains(user), "user {user} was not in batch {mark}");
        }
        let showing: BTreeSet<Mark> = stored.values().copied().collect();
        for (mark, batch) in batches.iter().enumerate() {
            if !batch.acknowledged && !showing.contains(&mark) {
                continue;
            }
            for user in &batch.users {
                let Some(found) = stored.get(user) else {
                    panic!("user {user} of batch {mark} is lost; acknowledged: {}", batch.acknowledged);
                };
                assert!(
                    batches[*found].ended.is_none_or(|ended| batch.sent <= ended),
                    "user {user} is as in batch {found}, but batch {mark} came later; acknowledged: {}",
                    batch.acknowledged
                );
            }
        }
    }

    /// Checks what the log says of batches: it holds all of a batch or nothing, and all of an acknowledged one.
    pub(super) fn check_log(&self, logged: &BTreeMap<Mark, BTreeSet<User>>) {
        for (mark, batch) in self.lock().batches.iter().enumerate() {
            match logged.get(&mark) {
                Some(users) => assert_eq!(*users, batch.users, "the log has batch {mark} by half"),
                None => assert!(!batch.acknowledged, "the log has lost batch {mark}"),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Batches> {
        self.0.lock().unwrap()
    }
}
