//! Numbers that look random and follow from a printed seed.

use std::env;
use std::hash::{BuildHasher, RandomState};

/// A splitmix64 generator.
pub(super) struct Chance(u64);

impl Chance {
    /// Starts from `HEADWATER_SEED`, or from a new seed; prints it.
    pub(super) fn seeded() -> Self {
        let given = env::var("HEADWATER_SEED").ok().map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(()));
        println!("HEADWATER_SEED={seed}");
        Self(seed)
    }

    /// A generator of its own that follows from this one.
    pub(super) fn branch(&mut self) -> Self {
        Self(self.next())
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
