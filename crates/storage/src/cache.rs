//! Apps kept in memory, so that a request is authenticated without a statement (DESIGN 2, "Standing").
//!
//! Only the embedded engine has this cache: its one writer drops what a commit changed before it answers, so no
//! request that begins after an answer sees what was true before it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use model::App;

/// The apps that were asked for, by API key.
#[derive(Debug, Default)]
pub struct AppCache {
    kept: RwLock<Kept>,
    keeps_nothing: bool,
}

#[derive(Debug, Default)]
struct Kept {
    apps: HashMap<String, Arc<App>>,
    epoch: Epoch,
}

/// How often the cache has dropped something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch(u64);

impl AppCache {
    /// A cache that forgets at once: for an engine that other nodes write to as well.
    pub(crate) fn keeping_nothing() -> Self {
        Self { keeps_nothing: true, ..Self::default() }
    }

    /// Whether an app that was asked for can be in here, so that one that is not is most likely unknown.
    #[must_use]
    pub fn keeps(&self) -> bool {
        !self.keeps_nothing
    }

    /// The app with this key if it is kept, otherwise the epoch with which to [`AppCache::remember`] it.
    ///
    /// # Errors
    /// The epoch, when the app is not kept: it has to be read.
    pub fn get(&self, api_key: &str) -> Result<Arc<App>, Epoch> {
        // A panic while the lock is held leaves a map that is whole: every change of it is one call.
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.apps.get(api_key).cloned().ok_or(kept.epoch)
    }

    /// Keeps an app that was read after `epoch` was given, unless something was dropped since: what was read may be
    /// what was dropped.
    pub fn remember(&self, epoch: Epoch, app: Arc<App>) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.epoch == epoch && !self.keeps_nothing {
            kept.apps.insert(app.api_key.clone(), app);
        }
    }

    /// Drops the apps with these keys.
    pub(crate) fn forget(&self, api_keys: &[String]) {
        if api_keys.is_empty() {
            return;
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.epoch.0 += 1;
        for api_key in api_keys {
            kept.apps.remove(api_key);
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{AppKey, AppSettings, Secret, Timestamp};

    use super::*;

    fn app() -> Arc<App> {
        let then = Timestamp::from_seconds(1);
        Arc::new(App {
            key: AppKey(1),
            api_key: "key".to_owned(),
            name: "app".to_owned(),
            secret: Secret::new("secret".to_owned()),
            previous_secret: None,
            suspension: None,
            settings: AppSettings::default(),
            created_at: then,
            updated_at: then,
        })
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let cache = AppCache::default();
        let before = cache.get("key").unwrap_err();
        cache.forget(&["key".to_owned()]);
        cache.remember(before, app());
        let after = cache.get("key").unwrap_err();
        cache.remember(after, app());
        assert_eq!(cache.get("key").unwrap().name, "app");
        cache.forget(&["key".to_owned()]);
        assert!(cache.get("key").is_err());
    }
}
