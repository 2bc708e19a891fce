//! What a database holds, read beside the server that has just opened it, and whether its parts agree: the file, the
//! users, their leaves, their words, the log.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::Path;

use model::leaf::{Numeric, of_user};
use model::words::searchable;
use model::{AppKey, Custom, Event, User};
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, OpenFlags, Row};

use super::clients::{mark_of, user_of};
use super::ledger::{self, Ledger, Mark, Wrong, ensure};

/// The events of users that were read so far. What was read once is not read again, only counted.
#[derive(Default)]
pub(super) struct ReadLog {
    last: i64,
    rows: i64,
    batches: BTreeMap<Mark, BTreeSet<ledger::User>>,
    /// What the last event of each user says of it, by the user's key.
    latest: BTreeMap<i64, User>,
}

/// A row of `users`, as far as a batch sets it.
struct UserRow {
    key: i64,
    app: AppKey,
    id: String,
    name: Option<String>,
    teams: Vec<String>,
    custom: Custom,
    words: String,
    created_at: i64,
    updated_at: i64,
}

/// Checks a database against itself and the ledger. Answers the batch that every stored user is from.
pub(super) fn check(
    database: &Path,
    ledger: &Ledger,
    log: &mut ReadLog,
) -> Result<BTreeMap<ledger::User, Mark>, Wrong> {
    // Beside a server this is never the last connection, which would empty the write-ahead log.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(database, flags).unwrap();
    check_file(&database)?;
    log.read_on(&database)?;
    ledger.check_log(&log.batches)?;
    let users = rows(&database, USERS, user_row);
    log.check(&database, &users)?;
    check_leaves(&database, &users, log)?;
    check_words(&database, &users, log)?;
    let stored = users.iter().map(|user| (user_of(&user.id), mark_of(&user.custom))).collect();
    ledger.check_users(&stored)?;
    Ok(stored)
}

fn check_file(database: &Connection) -> Result<(), Wrong> {
    let found: Vec<String> = rows(database, "PRAGMA integrity_check", |row| row.get(0).unwrap());
    ensure(found == ["ok"], || format!("the file: {found:?}"))?;
    // The index has no content to be compared with, so this looks at its own structure; `check_words` does the rest.
    let checked =
        database.execute("INSERT INTO user_words (user_words, rank) VALUES ('integrity-check', 0)", []);
    checked.map(drop).map_err(|error| format!("the index of words: {error}"))
}

const USERS: &str = "SELECT key, app, id, name, teams, custom, words, created_at, updated_at FROM users";

fn user_row(row: &Row<'_>) -> UserRow {
    let json = |column: usize| row.get::<_, String>(column).unwrap();
    UserRow {
        key: row.get(0).unwrap(),
        app: AppKey(row.get(1).unwrap()),
        id: row.get(2).unwrap(),
        name: row.get(3).unwrap(),
        teams: serde_json::from_str(&json(4)).unwrap(),
        custom: serde_json::from_str(&json(5)).unwrap(),
        words: row.get(6).unwrap(),
        created_at: row.get(7).unwrap(),
        updated_at: row.get(8).unwrap(),
    }
}

impl UserRow {
    fn is(&self, user: &User) -> bool {
        let profile = (self.id.as_str(), &self.name, &self.teams, &self.custom);
        profile == (user.id.as_str(), &user.name, &user.teams, &user.custom)
            && (self.created_at, self.updated_at)
                == (user.created_at.nanoseconds(), user.updated_at.nanoseconds())
    }
}

/// Every user has its leaves, and nobody has others.
fn check_leaves(database: &Connection, users: &[UserRow], log: &ReadLog) -> Result<(), Wrong> {
    type LeafRow = (i64, i64, String, i64, String, String, i64);
    const LEAVES: &str = "SELECT user, app, path, kind, number, text, digest FROM user_leaves";
    let read = |row: &Row<'_>| -> LeafRow {
        let number = match row.get(4).unwrap() {
            Stored::Integer(number) => number.to_string(),
            Stored::Real(number) => format!("{number:?}"),
            other => panic!("the number of a leaf is {other:?}"),
        };
        let (user, app, path) = (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
        (user, app, path, row.get(3).unwrap(), number, row.get(5).unwrap(), row.get(6).unwrap())
    };
    let mut expected = BTreeSet::<LeafRow>::new();
    for user in users {
        for leaf in of_user(&log.latest[&user.key]) {
            let number = match leaf.number {
                Numeric::Integer(number) => number.to_string(),
                Numeric::Float(number) => format!("{number:?}"),
            };
            let kind = leaf.kind.code(leaf.place);
            expected.insert((user.key, user.app.0, leaf.path, kind, number, leaf.text, leaf.digest));
        }
    }
    check_same("leaves", &rows(database, LEAVES, read).into_iter().collect(), &expected)
}

/// Every user has its words, in its row and in the index, and the index has no others.
fn check_words(database: &Connection, users: &[UserRow], log: &ReadLog) -> Result<(), Wrong> {
    const VOCABULARY: &str =
        "CREATE VIRTUAL TABLE temp.indexed USING fts5vocab ('main', 'user_words', 'instance')";
    database.execute(VOCABULARY, []).unwrap();
    let read = |row: &Row<'_>| (row.get(0).unwrap(), row.get(1).unwrap());
    let indexed = rows(database, "SELECT doc, term FROM indexed", read).into_iter().collect();
    let mut expected = BTreeSet::<(i64, String)>::new();
    for user in users {
        let words = searchable(user.app, &log.latest[&user.key]);
        ensure(user.words == words, || format!("the words of {}: {}, not {words}", user.id, user.words))?;
        expected.extend(user.words.split(' ').map(|word| (user.key, word.to_owned())));
    }
    check_same("words", &indexed, &expected)
}

impl ReadLog {
    /// Reads the events that came since the last time.
    fn read_on(&mut self, database: &Connection) -> Result<(), Wrong> {
        const NEW: &str = "SELECT sequence, event, person, payload, \
                EXISTS (SELECT 1 FROM log_person WHERE log = sequence AND user = person) FROM log \
            WHERE sequence > $1 AND event GLOB 'user.*' ORDER BY sequence";
        let mut statement = database.prepare(NEW).unwrap();
        let mut found = statement.query([self.last]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let (sequence, name): (i64, String) = (row.get(0).unwrap(), row.get(1).unwrap());
            let (person, payload): (i64, String) = (row.get(2).unwrap(), row.get(3).unwrap());
            let event = Event::from_stored(&payload).unwrap();
            let expected = if self.latest.contains_key(&person) { "user.updated" } else { "user.created" };
            ensure((name.as_str(), event.name()) == (expected, expected), || {
                format!("row {sequence} of the log is {name} and holds {}, not {expected}", event.name())
            })?;
            ensure(row.get(4).unwrap(), || format!("row {sequence} of the log does not name its person"))?;
            self.add(person, event.subject().unwrap())?;
            self.last = sequence;
            self.rows += 1;
        }
        Ok(())
    }

    fn add(&mut self, person: i64, user: &User) -> Result<(), Wrong> {
        let batch = self.batches.entry(mark_of(&user.custom)).or_default();
        ensure(batch.insert(user_of(user.id.as_str())), || {
            format!("the log has {} of one batch twice", user.id)
        })?;
        self.latest.insert(person, user.clone());
        Ok(())
    }

    /// Checks that nothing that was read has gone, and that users are as the log says.
    fn check(&self, database: &Connection, users: &[UserRow]) -> Result<(), Wrong> {
        for (what, statement) in [
            ("rows of the log", "SELECT COUNT(*) FROM log WHERE event GLOB 'user.*'"),
            ("persons of the log", "SELECT COUNT(*) FROM log_person"),
        ] {
            let found: i64 = database.query_row(statement, [], |row| row.get(0)).unwrap();
            ensure(found == self.rows, || format!("{what}: {found}, not {}", self.rows))?;
        }
        for user in users {
            let logged = self.latest.get(&user.key);
            ensure(logged.is_some_and(|logged| user.is(logged)), || {
                format!("{} is not as the log says: {logged:?}", user.id)
            })?;
        }
        let (stored, logged) = (users.len(), self.latest.len());
        ensure(stored == logged, || format!("{stored} users are stored, {logged} are in the log"))
    }
}

fn rows<T>(database: &Connection, statement: &str, read: impl Fn(&Row<'_>) -> T) -> Vec<T> {
    let mut statement = database.prepare(statement).unwrap();
    let found = statement.query_map([], |row| Ok(read(row))).unwrap();
    found.collect::<Result<_, _>>().unwrap()
}

/// Shows the differences only: the sets are large.
fn check_same<T: Ord + Debug>(what: &str, stored: &BTreeSet<T>, expected: &BTreeSet<T>) -> Result<(), Wrong> {
    let missing: Vec<_> = expected.difference(stored).take(5).collect();
    let surplus: Vec<_> = stored.difference(expected).take(5).collect();
    ensure(missing.is_empty() && surplus.is_empty(), || {
        format!("{what}: missing {missing:?}, surplus {surplus:?}")
    })
}
