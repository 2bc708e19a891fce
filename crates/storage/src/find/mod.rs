//! Finding users: a filter, a sort and a page turned into statements that an index serves.
//!
//! What would be slow is decided here, not by the planner, which knows nothing of how common a value is:
//!
//! 1. Users whose ids are named are *looked up*, however they are sorted: they are few.
//! 2. A test that one index answers in the order that is asked for is *streamed*: the statement walks that index and
//!    stops when the page is full. Of several, the rarest is taken, by looking at no more than [`SAMPLE`] entries of
//!    each.
//! 3. Any other test that an index answers is first tried on the newest [`WALKED`] users, which fills a page when the
//!    test is true of many; when it is not, its users are few enough to be *collected* and sorted.
//! 4. What no index answers walks all users in order, within the budget of the read.
//!
//! To add a test, give it a condition in [`condition`] and, if an index serves it, an access in [`access`].

mod access;
mod condition;
mod order;
mod statement;
mod words;

use model::filter::TextField;
use model::{AppKey, CustomText, Filter, StoredUser, Test, UserQuery};

use self::access::{Access, collect, rarest, streams};
use self::condition::condition;
use self::order::Order;
use self::statement::Statement;
use crate::tx::Dialect;
use crate::users::{COLUMNS, read_to_show};
use crate::{Error, Tx};

/// Users that are walked before an index is used whose users would all have to be collected.
const WALKED: i64 = 1000;

/// Entries of an index that are looked at to tell how common a value is.
const SAMPLE: i64 = 1000;

/// Room for the text of most statements.
const TEXT: usize = 1024;

/// The users of `app` that `query` asks for, in its order.
///
/// # Errors
/// [`Error::Timeout`] when it takes longer than a read may, or when a row cannot be read.
pub fn find(tx: &mut Tx<'_>, app: AppKey, query: &UserQuery) -> Result<Vec<StoredUser<CustomText>>, Error> {
    if query.page.limit() == 0 || condition::constant(&query.filter) == Some(false) {
        return Ok(Vec::new());
    }
    let search = Search { app, query, order: Order::of(&query.sort) };
    let mut found = Vec::new();
    for plan in search.plans(tx)? {
        found = search.run(tx, &plan)?;
        if found.len() == query.page.limit() {
            break;
        }
    }
    Ok(found)
}

/// How the engine would go about each statement of a search, line by line, for a test of the plans.
///
/// # Errors
/// When a statement fails.
pub fn explain(tx: &mut Tx<'_>, app: AppKey, query: &UserQuery) -> Result<Vec<Vec<String>>, Error> {
    let search = Search { app, query, order: Order::of(&query.sort) };
    let mut explained = Vec::new();
    for plan in search.plans(tx)? {
        let (explain, column) = match tx.dialect() {
            Dialect::Sqlite => ("EXPLAIN QUERY PLAN ", 3),
            Dialect::Postgres => ("EXPLAIN ", 0),
        };
        let mut statement = Statement::new(tx.dialect(), explain);
        search.write(&mut statement, &plan);
        explained.push(statement.query(tx, |row| row.text(column))?);
    }
    Ok(explained)
}

/// How a search gets at its users.
enum Plan<'q> {
    /// By their ids: the filter demands them, whatever else it says.
    LookedUp,
    /// In the order of an index, until the page is full.
    Streamed(Access<'q>),
    /// Newest first, all or only so many.
    Walked(Option<i64>),
    /// All whose keys a statement answers, sorted afterwards.
    Collected(Statement),
}

impl Plan<'_> {
    /// The column that stands for the age of a user: the one of the index that is walked, so that the engine sees
    /// that the walk is in order.
    fn age(&self, dialect: Dialect) -> &'static str {
        match self {
            Self::Streamed(access) => access.age(dialect),
            Self::Walked(_) => "u.created_at",
            Self::LookedUp | Self::Collected(_) => "u.key",
        }
    }
}

struct Search<'q> {
    app: AppKey,
    query: &'q UserQuery,
    order: Order,
}

impl<'q> Search<'q> {
    /// What to try, one after the other, until the page is full. What the last one finds is the answer.
    fn plans(&self, tx: &mut Tx<'_>) -> Result<Vec<Plan<'q>>, Error> {
        let filter = &self.query.filter;
        let demanded = conjuncts(filter);
        if demanded.iter().any(|test| matches!(test, Test::Among(TextField::Id, _))) {
            return Ok(vec![Plan::LookedUp]);
        }
        if self.order.is_by_age()
            && let Some(access) = rarest(tx, self.app, &streams(tx.dialect(), &demanded))?
        {
            return Ok(vec![Plan::Streamed(access)]);
        }
        Ok(match collect(tx.dialect(), self.app, filter) {
            None => vec![Plan::Walked(None)],
            // The walk in the order of ids begins and ends where the filter says.
            Some(collected) if self.order.is_by_id() && collected.is_range_of_ids() => {
                vec![Plan::Walked(None)]
            }
            Some(collected) if self.order.is_by_age() && !collected.is_small => {
                vec![Plan::Walked(Some(WALKED)), Plan::Collected(collected.keys)]
            }
            Some(collected) => vec![Plan::Collected(collected.keys)],
        })
    }

    fn run(&self, tx: &mut Tx<'_>, plan: &Plan<'_>) -> Result<Vec<StoredUser<CustomText>>, Error> {
        let mut statement = Statement::with_capacity(tx.dialect(), TEXT);
        self.write(&mut statement, plan);
        statement.query(tx, read_to_show)
    }

    fn write(&self, statement: &mut Statement, plan: &Plan<'_>) {
        statement.push("SELECT ").push(COLUMNS).push(" FROM ");
        match plan {
            Plan::LookedUp => {
                let index = access::by_index(statement.dialect(), TextField::Id);
                statement.push("users AS u").push(&index);
            }
            Plan::Streamed(access) => access.write_stream(statement, self.app),
            Plan::Walked(None) | Plan::Collected(_) => {
                statement.push("users AS u");
            }
            Plan::Walked(Some(most)) => {
                statement.push("(SELECT * FROM users WHERE app = ").bind(self.app.0);
                statement
                    .push(" ORDER BY created_at")
                    .push(self.order.age_direction())
                    .push(" LIMIT ")
                    .bind(*most);
                statement.push(") AS u");
            }
        }
        self.order.write_joins(statement);
        statement.push(" WHERE u.app = ").bind(self.app.0).push(" AND u.deleted_at IS NULL");
        if !self.query.include_deactivated {
            statement.push(" AND u.deactivated_at IS NULL");
        }
        if let Plan::Collected(keys) = plan {
            statement.push(" AND u.key IN (").append(keys).push(")");
        }
        if let Plan::Streamed(access) = plan {
            access.write_condition(statement);
        }
        statement.push(" AND ");
        let served = if let Plan::Streamed(access) = plan { access.served() } else { None };
        condition(statement, self.app, &self.query.filter, served);
        let age = plan.age(statement.dialect());
        self.order.write(statement, age);
        let bound = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        statement.push(" LIMIT ").bind(bound(self.query.page.limit()));
        statement.push(" OFFSET ").bind(bound(self.query.page.offset()));
    }
}

/// The tests that all have to hold.
fn conjuncts(filter: &Filter) -> Vec<&Test> {
    match filter {
        Filter::And(all) => all.iter().flat_map(conjuncts).collect(),
        Filter::Is(test) => vec![test],
        Filter::Or(some) => match some.as_slice() {
            [one] => conjuncts(one),
            _ => Vec::new(),
        },
        Filter::Not(_) => Vec::new(),
    }
}
