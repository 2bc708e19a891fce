//! The statements that PostgreSQL is sent for a few calls, as texts, for a bench that runs them without the server.
//!
//! They are the very texts that the server uses. Their parameters are arrays, one for each column of what is written, in
//! the order of the names in `AS given (...)`.

use model::filter::TextField;
use model::{Filter, Page, Sort, Test, UserQuery};

use crate::postgres::Access;
use crate::{apps, find, log, users};

/// What a transaction is made of that creates users.
#[derive(Clone, Debug)]
pub struct Upsert {
    /// What the session is told first.
    pub settings: String,
    /// Begins the transaction.
    pub begin: &'static str,
    /// Reads the app with the key `$1`.
    pub app: &'static str,
    /// Locks the users who are there: arrays of apps and ids.
    pub lock: &'static str,
    /// Stores the users and their words: 20 arrays. Answers `key, created_at` of each, in their order.
    pub users: &'static str,
    /// Stores the leaves of the users: 8 arrays.
    pub leaves: &'static str,
    /// Appends to the log: 9 arrays.
    pub log: &'static str,
    /// Ends the transaction, in one round trip.
    pub commit: &'static str,
}

/// The statements of an upsert of users who are not there yet.
#[must_use]
pub fn upsert() -> Upsert {
    Upsert {
        settings: Access::Write.settings(),
        begin: Access::Write.begin(),
        app: apps::SHARE_ON_POSTGRES,
        lock: users::LOCK_ON_POSTGRES,
        users: users::INSERT_ON_POSTGRES,
        leaves: users::LEAVES_ON_POSTGRES,
        log: log::APPEND_ON_POSTGRES,
        commit: crate::postgres::COMMIT,
    }
}

/// What a call is made of that finds a user: two statements without a transaction around them.
#[derive(Clone, Debug)]
pub struct Query {
    /// What the session is told first.
    pub settings: String,
    /// Reads the app with the public key `$1`, which another server may have changed.
    pub app: &'static str,
    /// Finds the users of the app `$1` whose id is `$2`: at most `$3` of them after `$4`.
    pub users: String,
}

/// The statements of a query for one id, newest first, as a client sends it that asks for nothing else.
///
/// # Errors
/// When the page that is the default is refused, which it never is.
pub fn query_by_id() -> Result<Query, model::Invalid> {
    let access = Access::Read(std::time::Duration::from_secs(2));
    let query = UserQuery {
        filter: Filter::Is(Test::Among(TextField::Id, vec![String::new()])),
        sort: Sort::newest_first(),
        include_deactivated: false,
        page: Page::new(None, None)?,
    };
    Ok(Query {
        settings: access.settings(),
        app: apps::BY_API_KEY,
        users: find::looked_up_on_postgres(&query),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_for_an_id_has_four_parameters() {
        let text = query_by_id().unwrap().users;
        assert!(text.contains("u.app = $1") && text.contains("(u.id IN ($2))"), "{text}");
        assert!(text.ends_with("LIMIT $3 OFFSET $4"), "{text}");
    }
}
