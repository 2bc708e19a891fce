//! Finding users.

use crate::{Invalid, UserId};

/// A query for users in the default order: newest first (semantics 4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserQuery {
    /// Which users.
    pub filter: Filter,
    /// Whether deactivated users are answered as well (4.9). Deleted ones never are (4.10).
    pub include_deactivated: bool,
    /// Which of them.
    pub page: Page,
}

/// Which users are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Every user.
    All,
    /// The users with these ids, at most [`MOST_OPERANDS`].
    Ids(Vec<UserId>),
}

/// The most values that `$in` takes (semantics 4.16).
pub const MOST_OPERANDS: usize = 100;

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
