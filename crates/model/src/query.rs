//! Finding users.

use crate::filter::{FlagField, TimeField};
use crate::{Filter, Invalid, Sort, SortField, Test};

/// A query for users (semantics 4).
#[derive(Clone, Debug, PartialEq)]
pub struct UserQuery {
    /// Which users.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// Whether deactivated users are answered as well (4.9). Deleted ones never are (4.10).
    pub include_deactivated: bool,
    /// Which of them.
    pub page: Page,
}

impl UserQuery {
    /// Checks that the query tells a client nothing that it may not see of others, nor of itself: whether somebody is
    /// shadow-banned or invisible.
    ///
    /// # Errors
    /// When a test or a sort is about such a field.
    pub fn check_for_clients(&self) -> Result<(), Invalid> {
        let hidden = |test: &&Test| match test {
            Test::Flag(FlagField::ShadowBanned, _) => Some("shadow_banned"),
            Test::Flag(FlagField::Invisible, _) => Some("invisible"),
            Test::Time(TimeField::BanExpires, _) => Some("ban_expires"),
            _ => None,
        };
        let why = "is for server-side queries only";
        if let Some(field) = self.filter.tests().iter().find_map(hidden) {
            return Err(Invalid::new(format!("filter_conditions.{field}"), why));
        }
        let sorts_by_end = |key: &crate::SortKey| key.field == SortField::Time(TimeField::BanExpires);
        if self.sort.keys().iter().any(sorts_by_end) {
            return Err(Invalid::new("sort.ban_expires", why));
        }
        Ok(())
    }
}

/// The most values that `$in` and `$nin` take (semantics 4.16).
pub const MOST_OPERANDS: usize = 100;

/// The most tests of one filter (semantics 4.17).
pub const MOST_TESTS: usize = 100;

/// How deep `$and`, `$or` and `$nor` may nest (semantics 4.17).
pub const DEEPEST_FILTER: usize = 5;

/// The most words of an autocomplete or text query that count, and the most characters (semantics 4.24).
pub const MOST_QUERY_WORDS: usize = 5;

/// A part of an ordered answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    limit: usize,
    offset: usize,
}

impl Page {
    /// The size of a page when none is asked for.
    pub const DEFAULT_LIMIT: usize = 30;
    /// The largest page (semantics 4.4).
    pub const MOST: usize = 100;
    /// The largest offset (semantics 4.5).
    pub const DEEPEST: usize = 1000;

    /// The `limit` users after the first `offset`.
    ///
    /// # Errors
    /// When one is beyond its ceiling; the field is the name of the one.
    pub fn new(limit: Option<usize>, offset: Option<usize>) -> Result<Self, Invalid> {
        let limit = limit.unwrap_or(Self::DEFAULT_LIMIT);
        let offset = offset.unwrap_or(0);
        if limit > Self::MOST {
            return Err(Invalid::new("limit", format!("must be at most {}, got {limit}", Self::MOST)));
        }
        if offset > Self::DEEPEST {
            let why = format!("must be at most {}, got {offset}; page by id beyond", Self::DEEPEST);
            return Err(Invalid::new("offset", why));
        }
        Ok(Self { limit, offset })
    }

    /// How many.
    #[must_use]
    pub fn limit(self) -> usize {
        self.limit
    }

    /// After how many.
    #[must_use]
    pub fn offset(self) -> usize {
        self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_ceilings() {
        assert_eq!(Page::new(None, None).unwrap(), Page { limit: 30, offset: 0 });
        assert!(Page::new(Some(100), Some(1000)).is_ok());
        assert_eq!(Page::new(Some(101), None).unwrap_err().field, "limit");
        assert_eq!(Page::new(None, Some(1001)).unwrap_err().field, "offset");
    }
}
