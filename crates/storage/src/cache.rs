//! What decides access, kept in memory, so that a request is let in without a statement (DESIGN 2, "Standing").
//!
//! Only the embedded engine keeps anything: its one writer drops what a commit changed before it answers, so no
//! request that begins after an answer sees what was true before it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

use model::{App, AppKey, Standing, UserId};

/// The apps that were asked for, by API key.
pub type AppCache = Cache<String, App>;

/// The standing of users who asked for something themselves.
pub type StandingCache = Cache<(AppKey, UserId), Standing>;

/// At least this many of the entries that were remembered last are kept, and never more than twice as many.
const MOST: usize = 20_000;

/// Everything that decides access.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    pub(crate) apps: AppCache,
    pub(crate) standings: StandingCache,
}

/// What a transaction changed that may be kept elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// The public keys of apps.
    pub(crate) apps: Vec<String>,
    pub(crate) users: Vec<(AppKey, UserId)>,
    /// Whether the write-ahead log is not to keep what was there before.
    pub(crate) leaves_no_trace: bool,
}

impl Changed {
    /// These changes, and then `later` ones.
    pub(crate) fn add(&mut self, later: Self) {
        self.apps.extend(later.apps);
        self.users.extend(later.users);
        self.leaves_no_trace |= later.leaves_no_trace;
    }
}

impl Caches {
    /// Caches that forget at once: for an engine that other nodes write to as well.
    pub(crate) fn keeping_nothing() -> Self {
        Self { apps: Cache::keeping_nothing(), standings: Cache::keeping_nothing() }
    }

    /// Drops what was changed.
    pub(crate) fn forget(&self, changed: &Changed) {
        self.apps.forget(&changed.apps);
        self.standings.forget(&changed.users);
    }
}

/// Values that were read, by their keys, as of the last commit.
#[derive(Debug)]
pub struct Cache<K, V> {
    kept: RwLock<Kept<K, V>>,
    keeps_nothing: bool,
}

/// Two generations: when the young one is full, it takes the place of the old one, and whatever is still asked for
/// is read anew.
#[derive(Debug)]
struct Kept<K, V> {
    young: HashMap<K, Arc<V>>,
    old: HashMap<K, Arc<V>>,
    epoch: Epoch,
}

/// How often a cache has dropped something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch(u64);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        let kept = Kept { young: HashMap::new(), old: HashMap::new(), epoch: Epoch::default() };
        Self { kept: RwLock::new(kept), keeps_nothing: false }
    }
}

impl<K: Eq + Hash, V> Cache<K, V> {
    fn keeping_nothing() -> Self {
        Self { keeps_nothing: true, ..Self::default() }
    }

    /// Whether what was asked for can be in here, so that what is not was never asked for, or does not exist.
    #[must_use]
    pub fn keeps(&self) -> bool {
        !self.keeps_nothing
    }

    /// What is kept under this key, otherwise the epoch with which to [`Cache::remember`] it.
    ///
    /// # Errors
    /// The epoch, when nothing is kept: it has to be read.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Result<Arc<V>, Epoch>
    where
        K: Borrow<Q>,
    {
        // A panic while the lock is held leaves maps that are whole: every change of them is one call.
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.young.get(key).or_else(|| kept.old.get(key)).cloned().ok_or(kept.epoch)
    }

    /// Keeps what was read after `epoch` was given, unless something was dropped since: what was read may be what was
    /// dropped.
    pub fn remember(&self, epoch: Epoch, key: K, value: Arc<V>) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.epoch != epoch || self.keeps_nothing {
            return;
        }
        if kept.young.len() >= MOST {
            kept.old = mem::take(&mut kept.young);
        }
        kept.young.insert(key, value);
    }

    /// Drops what is kept under these keys.
    fn forget(&self, keys: &[K]) {
        if keys.is_empty() || self.keeps_nothing {
            return;
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.epoch.0 += 1;
        for key in keys {
            kept.young.remove(key);
            kept.old.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let cache: Cache<String, u32> = Cache::default();
        let before = cache.get("key").unwrap_err();
        cache.forget(&["key".to_owned()]);
        cache.remember(before, "key".to_owned(), Arc::new(1));
        let after = cache.get("key").unwrap_err();
        cache.remember(after, "key".to_owned(), Arc::new(2));
        assert_eq!(*cache.get("key").unwrap(), 2);
        cache.forget(&["key".to_owned()]);
        assert!(cache.get("key").is_err());
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_latest_stays() {
        let cache: Cache<usize, usize> = Cache::default();
        let last = 5 * MOST;
        for number in 0..=last {
            let epoch = cache.get(&number).unwrap_err();
            cache.remember(epoch, number, Arc::new(number));
        }
        let kept = (0..=last).filter(|number| cache.get(number).is_ok()).count();
        assert!((MOST..=2 * MOST).contains(&kept), "{kept}");
        assert!(((last - MOST + 1)..=last).all(|number| cache.get(&number).is_ok()));
        cache.forget(&[last, last - MOST]);
        assert!(cache.get(&last).is_err() && cache.get(&(last - MOST)).is_err());
    }
}
