//! What users do to one another: they block and they mute (semantics 12).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::{Invalid, Timestamp, UserId};

/// The most users that one call mutes or unmutes.
pub const MOST_TARGETS: usize = 100;

/// The most users that one user has muted at a time. Mutes that are over do not count.
pub const MOST_MUTES: usize = 1000;

/// The longest mute that ends, in minutes: a hundred years. A longer one is better said by none at all.
pub const LONGEST_MUTE: usize = 100 * 365 * 24 * 60;

/// One user whom another one blocks, or blocks no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Who blocks; the user who asks, when nobody is named.
    pub user: Option<UserId>,
    /// Who is blocked.
    pub target: UserId,
}

/// Users whom another one mutes, or mutes no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// Who mutes; the user who asks, when nobody is named.
    pub user: Option<UserId>,
    /// Who is muted.
    pub targets: Vec<UserId>,
}

impl Targets {
    /// Checks that there are 1 to [`MOST_TARGETS`], each once.
    ///
    /// # Errors
    /// When there are not.
    pub fn check(&self) -> Result<(), Invalid> {
        let count = self.targets.len();
        if !(1..=MOST_TARGETS).contains(&count) {
            let why = format!("must hold 1 to {MOST_TARGETS} users, holds {count}");
            return Err(Invalid::new("target_ids", why));
        }
        let mut known = BTreeSet::new();
        match self.targets.iter().find(|id| !known.insert(*id)) {
            Some(id) => {
                Err(Invalid::new("target_ids", format!("must name each user once, names '{id}' twice")))
            }
            None => Ok(()),
        }
    }
}

/// Users whom another one mutes, and for how long (semantics 12.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Who mutes whom.
    pub whom: Targets,
    /// After how many minutes it ends; `None` is never.
    pub minutes: Option<usize>,
}

impl Mute {
    /// Checks the targets, and that the mute ends after 1 to [`LONGEST_MUTE`] minutes if it does.
    ///
    /// # Errors
    /// When that is not so.
    pub fn check(&self) -> Result<(), Invalid> {
        self.whom.check()?;
        match self.minutes {
            Some(minutes) if !(1..=LONGEST_MUTE).contains(&minutes) => {
                let why = format!(
                    "must be 1 to {LONGEST_MUTE} minutes, or left out for a mute without end; got {minutes}"
                );
                Err(Invalid::new("timeout", why))
            }
            _ => Ok(()),
        }
    }

    /// When a mute that begins `now` ends.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let seconds = u64::try_from(self.minutes?).unwrap_or(u64::MAX).saturating_mul(60);
        Some(now.after(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mute(targets: &[&str], minutes: Option<usize>) -> Mute {
        let targets = targets.iter().map(|id| UserId::parse(id).unwrap()).collect();
        Mute { whom: Targets { user: None, targets }, minutes }
    }

    #[test]
    fn a_mute_names_each_of_some_users_and_a_time_that_comes() {
        let many: Vec<String> = (0..=MOST_TARGETS).map(|number| format!("u{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (mute, refused) in [
            (mute(&["a"], None), None),
            (mute(&many[..MOST_TARGETS], Some(1)), None),
            (mute(&["a", "b"], Some(LONGEST_MUTE)), None),
            (mute(&[], None), Some("target_ids: must hold 1 to 100 users, holds 0")),
            (mute(&many, None), Some("target_ids: must hold 1 to 100 users, holds 101")),
            (mute(&["a", "b", "a"], None), Some("target_ids: must name each user once, names 'a' twice")),
            (
                mute(&["a"], Some(0)),
                Some("timeout: must be 1 to 52560000 minutes, or left out for a mute without end; got 0"),
            ),
            (
                mute(&["a"], Some(LONGEST_MUTE + 1)),
                Some(
                    "timeout: must be 1 to 52560000 minutes, or left out for a mute without end; got 52560001",
                ),
            ),
        ] {
            assert_eq!(mute.check().err().map(|invalid| invalid.to_string()).as_deref(), refused);
        }
    }

    #[test]
    fn a_mute_ends_so_many_minutes_later() {
        let now = Timestamp::from_nanoseconds(7);
        assert_eq!(mute(&["a"], None).end(now), None);
        assert_eq!(mute(&["a"], Some(2)).end(now), Some(Timestamp::from_nanoseconds(120_000_000_007)));
    }
}
