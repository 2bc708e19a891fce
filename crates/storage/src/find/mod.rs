//! Finding users: a filter, a sort and a page turned into statements that an index serves.
//!
//! What would be slow is decided here, not by the planner, which knows nothing of how common a value is:
//!
//! 1. Users whose ids are named are *looked up*, however they are sorted: they are few.
//! 2. Of the conditions that all have to hold and that an index answers, the rarest counts, by looking at no more than
//!    a [sample](Effort) of each. When its users are fewer than that, they are *collected* and sorted.
//! 3. In the order of age, a condition that one index answers in that order is *streamed*: the statement walks the
//!    index and stops when the page is full.
//! 4. Other common conditions are first tried on the users at the beginning of the order, newest or by id, which fills
//!    a page when many pass; when it does not, those that pass are few enough to be collected and sorted.
//! 5. What no index answers walks all users in order, within the budget of the read.
//!
//! Bans and flags, which hang on users, are found by statements of their own, in the order of creation: [`bans()`],
//! [`flags()`].
//!
//! To add a test, give it a condition in [`condition`] and, if an index serves it, an access in [`access`].

mod access;
mod bans;
mod condition;
mod flags;
mod leaves;
mod order;
mod records;
mod statement;
mod words;

use model::filter::{Range, TextField};
use model::{AppKey, CustomText, Filter, StoredUser, Test, Timestamp, UserQuery};

pub use self::bans::{BansInReach, bans, explain_bans};
pub use self::flags::{count_flags, explain_flags, flags};

use self::access::{Access, Collected, Commonness, collect, stream};
use self::condition::condition;
use self::order::Order;
use self::statement::Statement;
use crate::sql::Row;
use crate::tx::Dialect;
use crate::users::{COLUMNS, read_to_show};
use crate::{Error, Tx};

/// At most this many conditions of one filter are compared for the rarest, in one statement.
const COMPARED: usize = 8;

/// How much is looked at to decide how a search goes about it. What it finds is the same whatever these are.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Users that are walked, at least, before those for whom a condition holds are collected.
    pub walked: usize,
    /// Users that are walked for each that is wanted, those that are skipped included: a condition that holds for one in
    /// so many fills the page.
    pub walked_for_each: usize,
    /// Entries of an index that are looked at to tell how common a value is.
    pub sample: i64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { walked: 1000, walked_for_each: 20, sample: 1000 }
    }
}

/// Room for the text of most statements.
const TEXT: usize = 1024;

/// Whose users are looked for, and at what time: a ban that is over by then counts as none.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The app.
    pub app: AppKey,
    /// The time.
    pub now: Timestamp,
}

/// The users that `query` asks for, in its order.
///
/// # Errors
/// [`Error::Timeout`] when it takes longer than a read may, or when a row cannot be read.
pub fn find(tx: &mut Tx<'_>, scope: Scope, query: &UserQuery) -> Result<Vec<StoredUser<CustomText>>, Error> {
    find_with(tx, scope, query, Effort::default())
}

/// As [`find`], with another effort: small ones lead a test down every way with a handful of users.
///
/// # Errors
/// See [`find`].
pub fn find_with(
    tx: &mut Tx<'_>,
    scope: Scope,
    query: &UserQuery,
    effort: Effort,
) -> Result<Vec<StoredUser<CustomText>>, Error> {
    if query.page.limit() == 0 || condition::constant(&query.filter) == Some(false) {
        return Ok(Vec::new());
    }
    let search = Search { scope, query, order: Order::of(&query.sort, scope.now), effort };
    let mut found = Vec::new();
    for plan in search.plans(tx)? {
        found = search.run(tx, &plan)?;
        if found.len() == query.page.limit() {
            break;
        }
    }
    Ok(found)
}

/// Whether `query` names the ids of its users, so that one statement answers it ([`Store::look_up`](crate::Store)).
#[must_use]
pub fn is_look_up(query: &UserQuery) -> bool {
    let names_ids = |filter: &&Filter| matches!(filter, Filter::Is(Test::Among(TextField::Id, _)));
    conjuncts(&query.filter).iter().any(names_ids)
}

/// The text of a search on PostgreSQL for users whose ids are named.
pub(crate) fn looked_up_on_postgres(query: &UserQuery) -> String {
    let scope = Scope { app: AppKey(0), now: Timestamp::from_nanoseconds(0) };
    let order = Order::of(&query.sort, scope.now);
    let search = Search { scope, query, order, effort: Effort::default() };
    let mut statement = Statement::with_capacity(Dialect::Postgres, TEXT);
    search.write(&mut statement, &Plan::LookedUp);
    statement.into_text()
}

/// How the engine would go about each statement of a search, line by line, for a test of the plans.
///
/// # Errors
/// When a statement fails.
pub fn explain(tx: &mut Tx<'_>, scope: Scope, query: &UserQuery) -> Result<Vec<Vec<String>>, Error> {
    let order = Order::of(&query.sort, scope.now);
    let search = Search { scope, query, order, effort: Effort::default() };
    let mut explained = Vec::new();
    for plan in search.plans(tx)? {
        explained.push(explain_one(tx, |statement| search.write(statement, &plan))?);
    }
    Ok(explained)
}

/// How the engine would go about the statement that `write` writes.
fn explain_one(tx: &mut Tx<'_>, write: impl FnOnce(&mut Statement)) -> Result<Vec<String>, Error> {
    let (explain, column) = match tx.dialect() {
        Dialect::Sqlite => ("EXPLAIN QUERY PLAN ", 3),
        Dialect::Postgres => ("EXPLAIN ", 0),
    };
    let mut statement = Statement::new(tx.dialect(), explain);
    write(&mut statement);
    statement.query(tx, |row| row.text(column))
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
    scope: Scope,
    query: &'q UserQuery,
    order: Order,
    effort: Effort,
}

impl<'q> Search<'q> {
    /// What to try, one after the other, until the page is full. What the last one finds is the answer.
    fn plans(&self, tx: &mut Tx<'_>) -> Result<Vec<Plan<'q>>, Error> {
        if is_look_up(self.query) {
            return Ok(vec![Plan::LookedUp]);
        }
        let choices: Vec<Choice<'q>> = conjuncts(&self.query.filter)
            .into_iter()
            .filter_map(|filter| self.choice(tx.dialect(), filter))
            .collect();
        let Some((choice, is_few)) = rarest(tx, self.scope.app, choices, self.effort)? else {
            return Ok(vec![Plan::Walked(None)]);
        };
        let dialect = tx.dialect();
        Ok(match choice {
            Choice::Stream(access) => vec![Plan::Streamed(access)],
            Choice::Keys(collected) if is_few || collected.is_small => {
                vec![Plan::Collected(collected.keys(dialect))]
            }
            // The walk in the order of ids begins and ends where the filter says.
            Choice::Keys(collected) if self.order.is_by_id() && collected.is_range_of_ids() => {
                vec![Plan::Walked(None)]
            }
            Choice::Keys(collected) if self.order.is_by_age() || self.order.is_by_id() => {
                let page = &self.query.page;
                let Effort { walked, walked_for_each, .. } = self.effort;
                let walked = walked.max(walked_for_each * (page.limit() + page.offset()));
                vec![Plan::Walked(Some(bound(walked))), Plan::Collected(collected.keys(dialect))]
            }
            Choice::Keys(collected) => vec![Plan::Collected(collected.keys(dialect))],
        })
    }

    /// How an index answers one of the conditions that all have to hold.
    fn choice(&self, dialect: Dialect, filter: &'q Filter) -> Option<Choice<'q>> {
        let stream = if self.order.is_by_age() { stream(dialect, filter) } else { None };
        stream.map(Choice::Stream).or_else(|| collect(dialect, self.scope, filter).map(Choice::Keys))
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
                let index = access::by_index(statement.dialect(), access::index(TextField::Id));
                statement.push("users AS u").push(&index);
            }
            Plan::Streamed(access) => access.write_stream(statement, self.scope.app),
            Plan::Walked(None) | Plan::Collected(_) => {
                statement.push("users AS u");
            }
            Plan::Walked(Some(most)) => {
                statement.push("(SELECT * FROM users AS u WHERE u.app = ").bind(self.scope.app.0);
                for range in ranges_of_ids(&self.query.filter) {
                    condition::within(statement, "u.id", range, |id| id.as_str().into());
                }
                self.order.write(statement, "u.created_at");
                statement.push(" LIMIT ").bind(*most);
                statement.push(") AS u");
            }
        }
        self.order.write_joins(statement);
        statement.push(" WHERE u.app = ").bind(self.scope.app.0).push(" AND u.deleted_at IS NULL");
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
        condition(statement, self.scope, &self.query.filter, served);
        let age = plan.age(statement.dialect());
        self.order.write(statement, age);
        statement.push(" LIMIT ").bind(bound(self.query.page.limit()));
        statement.push(" OFFSET ").bind(bound(self.query.page.offset()));
    }
}

/// An index that answers one of the conditions that all have to hold.
enum Choice<'q> {
    Stream(Access<'q>),
    Keys(Collected),
}

impl Choice<'_> {
    /// Of those that are equally common, the lower is the better.
    fn rank(&self) -> u8 {
        match self {
            Self::Stream(_) => 0,
            Self::Keys(collected) => collected.rank,
        }
    }
}

/// The one with the fewest users, as far as can be told by looking at a few of each, and whether these are all; of those
/// that are all common, one that comes in order.
fn rarest<'q>(
    tx: &mut Tx<'_>,
    app: AppKey,
    mut choices: Vec<Choice<'q>>,
    effort: Effort,
) -> Result<Option<(Choice<'q>, bool)>, Error> {
    if choices.len() < 2 {
        return Ok(choices.pop().map(|choice| (choice, false)));
    }
    choices.truncate(COMPARED);
    let mut samples = Statement::with_capacity(tx.dialect(), TEXT);
    for (place, choice) in choices.iter().enumerate() {
        let mut sample = Statement::new(tx.dialect(), "");
        match choice {
            Choice::Stream(access) => access.write_sample(&mut sample, app, effort.sample),
            // It may be all of them, and is not worth a look.
            Choice::Keys(keys) if keys.is_range_of_ids() => continue,
            Choice::Keys(keys) => keys.write_sample(&mut sample, effort.sample),
        }
        let first = if samples.is_empty() { "" } else { " UNION ALL " };
        samples.push(first).push("SELECT CAST(").push(&place.to_string());
        samples.push(" AS BIGINT), counted.* FROM (");
        samples.append(&sample).push(") AS counted");
    }
    let mut common: Vec<Commonness> =
        choices.iter().map(|_| Commonness { entries: effort.sample, reach: i64::MAX }).collect();
    if !samples.is_empty() {
        let read = |row: &Row<'_>| Ok((row.integer(0)?, row.integer(1)?, row.integer(2)?));
        for (place, entries, reach) in samples.query(tx, read)? {
            if let Some(known) = usize::try_from(place).ok().and_then(|place| common.get_mut(place)) {
                *known = Commonness { entries: entries.min(effort.sample), reach };
            }
        }
    }
    let rarest = common.into_iter().zip(choices).min_by_key(|(common, choice)| (*common, choice.rank()));
    Ok(rarest.map(|(common, choice)| (choice, common.entries < effort.sample)))
}

/// The conditions that all have to hold.
fn conjuncts(filter: &Filter) -> Vec<&Filter> {
    match filter {
        Filter::And(all) => all.iter().flat_map(conjuncts).collect(),
        Filter::Or(some) => match some.as_slice() {
            [one] => conjuncts(one),
            _ => vec![filter],
        },
        Filter::Is(_) | Filter::Not(_) => vec![filter],
    }
}

/// The ranges of ids outside of which the filter never holds.
fn ranges_of_ids(filter: &Filter) -> impl Iterator<Item = &Range<String>> {
    conjuncts(filter).into_iter().filter_map(|filter| match filter {
        Filter::Is(Test::Text(TextField::Id, range)) => Some(range),
        _ => None,
    })
}

fn bound(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
