//! A store of a test's own.

use std::ops::Deref;
use std::sync::Arc;

use model::Timestamp;
use storage::{Durability, Options, Store};
use tempfile::TempDir;

use crate::TestClock;

/// A fresh store in a directory that goes with it.
#[derive(Debug)]
pub struct TestStore {
    store: Store,
    clock: Arc<TestClock>,
    // Declared last: the directory goes after the store has let go of it.
    _directory: TempDir,
}

impl TestStore {
    /// Opens a fresh store whose clock stands at the start of 2024.
    ///
    /// # Panics
    /// When the machine gives no directory or the store does not open: no test can go on.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without a store has failed")]
    pub fn open() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let clock = Arc::new(TestClock::at(Timestamp::from_seconds(1_704_067_200)));
        let mut options = Options::new(directory.path().to_owned(), Arc::<TestClock>::clone(&clock));
        options.durability = Durability::Off;
        options.readers = 1;
        let store = Store::open(options).expect("a store");
        Self { store, clock, _directory: directory }
    }

    /// The clock of the test.
    #[must_use]
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// The clock of the test, to be shared.
    #[must_use]
    pub fn shared_clock(&self) -> Arc<TestClock> {
        Arc::clone(&self.clock)
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        self.store.close();
    }
}
