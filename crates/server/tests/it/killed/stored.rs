//! What a database holds, read beside the server that has just opened it, and whether its parts agree: the file, the
//! users, their leaves, their words, the log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use model::leaf::{Numeric, leaves};
use model::words::searchable;
use model::{AppKey, Custom, Event, UserId};
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, OpenFlags, Row};

use super::clients::{mark_of, user_of};
use super::ledger::{Ledger, Mark, User};

/// The events of users that were read so far. What was read once is not read again, only counted.
#[derive(Default)]
pub(super) struct ReadLog {
    last: i64,
    rows: i64,
    batches: BTreeMap<Mark, BTreeSet<User>>,
    /// What the last event of each user says of it, by the user's key.
    latest: BTreeMap<i64, Snapshot>,
}

/// The part of a user that a batch sets.
#[derive(Debug, PartialEq)]
struct Snapshot {
    id: UserId,
    name: Option<String>,
    custom: Custom,
    created_at: i64,
    updated_at: i64,
}

/// A row of `users`, as far as other tables follow from it.
struct UserRow {
    key: i64,
    app: AppKey,
    words: String,
    snapshot: Snapshot,
}

/// Checks a database against itself and the ledger. Answers the batch that every stored user is from.
pub(super) fn check(database: &Path, ledger: &Ledger, log: &mut ReadLog) -> BTreeMap<User, Mark> {
    // Never the last connection, which would empty the write-ahead log: the server has its own.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(database, flags).unwrap();
    check_file(&database);
    let users = rows(&database, USERS, user_row);
    check_leaves(&database, &users);
    check_words(&database, &users);
    log.read_on(&database);
    log.check(&database, &users);
    ledger.check_log(&log.batches);
    let stored =
        users.iter().map(|user| (user_of(user.snapshot.id.as_str()), user.snapshot.mark())).collect();
    ledger.check_users(&stored);
    stored
}

impl Snapshot {
    fn mark(&self) -> Mark {
        mark_of(&serde_json::to_value(&self.custom).unwrap())
    }
}

fn check_file(database: &Connection) {
    let found: Vec<String> = rows(database, "PRAGMA integrity_check", |row| row.get(0).unwrap());
    assert_eq!(found, ["ok"]);
    // The index has no content to be compared with, so this looks at its own structure; `check_words` does the rest.
    database.execute("INSERT INTO user_words (user_words, rank) VALUES ('integrity-check', 0)", []).unwrap();
}

const USERS: &str = "SELECT key, app, words, id, name, custom, created_at, updated_at FROM users";

fn user_row(row: &Row<'_>) -> UserRow {
    let custom: String = row.get(5).unwrap();
    let snapshot = Snapshot {
        id: UserId::from_stored(row.get(3).unwrap()),
        name: row.get(4).unwrap(),
        custom: serde_json::from_str(&custom).unwrap(),
        created_at: row.get(6).unwrap(),
        updated_at: row.get(7).unwrap(),
    };
    let app = AppKey(row.get(1).unwrap());
    UserRow { key: row.get(0).unwrap(), app, words: row.get(2).unwrap(), snapshot }
}

/// Every user has the leaves of its custom data, and nobody has others.
fn check_leaves(database: &Connection, users: &[UserRow]) {
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
        for leaf in leaves(&user.snapshot.custom) {
            let number = match leaf.number {
                Numeric::Integer(number) => number.to_string(),
                Numeric::Float(number) => format!("{number:?}"),
            };
            let kind = leaf.kind.code(leaf.place);
            expected.insert((user.key, user.app.0, leaf.path, kind, number, leaf.text, leaf.digest));
        }
    }
    check_same("leaves", &rows(database, LEAVES, read).into_iter().collect(), &expected);
}

/// Every user has its words, in its row and in the index, and the index has no others.
fn check_words(database: &Connection, users: &[UserRow]) {
    const VOCABULARY: &str =
        "CREATE VIRTUAL TABLE temp.indexed USING fts5vocab ('main', 'user_words', 'instance')";
    database.execute(VOCABULARY, []).unwrap();
    let read = |row: &Row<'_>| (row.get(0).unwrap(), row.get(1).unwrap());
    let indexed = rows(database, "SELECT doc, term FROM indexed", read).into_iter().collect();
    let mut expected = BTreeSet::<(i64, String)>::new();
    for user in users {
        let Snapshot { id, name, custom, .. } = &user.snapshot;
        let username = custom.fields().get("username").and_then(serde_json::Value::as_str);
        assert_eq!(user.words, searchable(user.app, id, name.as_deref(), username), "the words of {id}");
        expected.extend(user.words.split(' ').map(|word| (user.key, word.to_owned())));
    }
    check_same("words", &indexed, &expected);
}

impl ReadLog {
    /// Reads the events that came since the last time.
    fn read_on(&mut self, database: &Connection) {
        const NEW: &str = "SELECT sequence, event, person, payload FROM log \
            WHERE sequence > $1 AND event GLOB 'user.*' ORDER BY sequence";
        let mut statement = database.prepare(NEW).unwrap();
        let mut found = statement.query([self.last]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let (sequence, name): (i64, String) = (row.get(0).unwrap(), row.get(1).unwrap());
            let (person, payload): (i64, String) = (row.get(2).unwrap(), row.get(3).unwrap());
            let event = Event::from_stored(&payload).unwrap();
            let expected = if self.latest.contains_key(&person) { "user.updated" } else { "user.created" };
            assert_eq!((name.as_str(), event.name()), (expected, expected), "row {sequence} of the log");
            self.add(person, &event);
            self.last = sequence;
            self.rows += 1;
        }
    }

    fn add(&mut self, person: i64, event: &Event) {
        let user = event.subject().unwrap();
        let snapshot = Snapshot {
            id: user.id.clone(),
            name: user.name.clone(),
            custom: user.custom.clone(),
            created_at: user.created_at.nanoseconds(),
            updated_at: user.updated_at.nanoseconds(),
        };
        let logged_once = self.batches.entry(snapshot.mark()).or_default().insert(user_of(user.id.as_str()));
        assert!(logged_once, "the log has {} of one batch twice", user.id);
        self.latest.insert(person, snapshot);
    }

    /// Checks that nothing that was read has gone, that every row names its person, and that users are as the log
    /// says.
    fn check(&self, database: &Connection, users: &[UserRow]) {
        let count = |statement: &str| database.query_row(statement, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT COUNT(*) FROM log WHERE event GLOB 'user.*'"), self.rows, "rows of the log");
        assert_eq!(count("SELECT COUNT(*) FROM log_person"), self.rows, "persons of the log");
        let named = "SELECT COUNT(*) FROM log JOIN log_person ON log = sequence AND user = person";
        assert_eq!(count(named), self.rows, "rows of the log that name their person");
        for user in users {
            assert_eq!(
                Some(&user.snapshot),
                self.latest.get(&user.key),
                "a user and what the log says of it"
            );
        }
        assert_eq!(users.len(), self.latest.len(), "users, and users of the log");
    }
}

fn rows<T>(database: &Connection, statement: &str, read: impl Fn(&Row<'_>) -> T) -> Vec<T> {
    let mut statement = database.prepare(statement).unwrap();
    let found = statement.query_map([], |row| Ok(read(row))).unwrap();
    found.collect::<Result<_, _>>().unwrap()
}

/// Shows the differences only: the sets are large.
fn check_same<T: Ord + std::fmt::Debug>(what: &str, stored: &BTreeSet<T>, expected: &BTreeSet<T>) {
    let missing: Vec<_> = expected.difference(stored).take(5).collect();
    let surplus: Vec<_> = stored.difference(expected).take(5).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "{what}: missing {missing:?}, surplus {surplus:?}");
}
