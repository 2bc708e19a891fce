//! Whoever a row of the log names, by id, in its event or as its actor, is among the people of the row: otherwise a deletion
//! would not find it. Looked at when a test ends, for everything that it did.

use std::collections::{BTreeMap, BTreeSet};

use headwater_testkit::{Engine, TestStore, on_each_engine};
use model::Event;
use serde_json::Value;
use storage::log::{self, Entry, Origin};
use storage::{Error, Sql, Store, Tx};

use crate::stage::{Stage, id};

/// The latest rows that are looked at.
const MOST: i64 = 2000;

/// What holds no id, whatever text it may hold.
const NOT_IDS: &[&str] =
    &["type", "name", "image", "role", "teams", "teams_role", "team", "language", "custom", "privacy"];

pub(crate) struct NamesEveryone(Store);

impl NamesEveryone {
    pub(crate) fn in_log_of(store: &TestStore) -> Self {
        Self(Store::clone(store))
    }
}

impl Drop for NamesEveryone {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let store = self.0.clone();
        let looked = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(async { store.read(nameless).await })
        });
        // A test that has closed its store, or filled it beyond what can be read, is about something else.
        if let Ok(nameless) = looked.join().unwrap() {
            assert_eq!(nameless.first(), None, "the log holds ids of users whom log_person does not name");
        }
    }
}

/// The events whose rows hold the id of a user whom they do not name.
fn nameless(tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
    const USERS: Sql = Sql::new("SELECT app, id, key FROM users");
    const NAMED: Sql = Sql::new("SELECT log, \"user\" FROM log_person ORDER BY log DESC LIMIT 20000");
    const LOG: Sql =
        Sql::new("SELECT sequence, app, actor, event, payload FROM log ORDER BY sequence DESC LIMIT $1");
    let users = tx.query(USERS, &[], |row| Ok(((row.integer(0)?, row.text(1)?), row.integer(2)?)))?;
    let users: BTreeMap<(i64, String), i64> = users.into_iter().collect();
    let named = tx.query(NAMED, &[], |row| Ok((row.integer(0)?, row.integer(1)?)))?;
    let named: BTreeSet<(i64, i64)> = named.into_iter().collect();
    let nameless = tx.query(LOG, &[MOST.into()], |row| {
        let (sequence, app, event, payload) = (row.integer(0)?, row.integer(1)?, row.text(3)?, row.text(4)?);
        let mut texts = vec![row.text(2)?];
        collect(&serde_json::from_str(&payload).unwrap(), &mut texts);
        let key = |text: String| users.get(&(app, text)).copied();
        let missing = texts.into_iter().filter_map(key).any(|user| !named.contains(&(sequence, user)));
        Ok(missing.then(|| format!("{event}: {payload}")))
    })?;
    Ok(nameless.into_iter().flatten().collect())
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(key, _)| !NOT_IDS.contains(&key.as_str()));
            fields.for_each(|(_, value)| collect(value, texts));
        }
        _ => {}
    }
}

async fn a_row_that_does_not_name_everybody_is_found(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob", "carol"]).await;
    let (app, time) = (stage.app.key, stage.ctx(model::Action::ReadApp).now);
    let found = stage.store.write::<_, Error, _>(move |tx| {
        let key = |tx: &mut Tx<'_>, name: &'static str| {
            let found = tx.query(Sql::new("SELECT key FROM users WHERE id = $1"), &[name.into()], |row| {
                row.integer(0)
            })?;
            Ok::<_, Error>(model::UserKey(found[0]))
        };
        let alice = key(tx, "alice")?;
        let event = || Event::UserBlocked { user: id("alice"), blocked: id("bob") };
        let origin = |actor| Origin { app, time, actor, operation: "BlockUsers", request: "request-1" };
        log::append(
            tx,
            &origin("server"),
            &[Entry { event: event(), person: Some(alice), others: Vec::new() }],
        )?;
        let without_bob = nameless(tx)?.len();
        let others = vec![key(tx, "bob")?];
        log::append(tx, &origin("carol"), &[Entry { event: event(), person: Some(alice), others }])?;
        let nor_carol = nameless(tx)?.len();
        // Nothing is to be found when the test ends.
        let carol = "INSERT INTO log_person (log, \"user\") \
                     SELECT (SELECT MAX(sequence) FROM log), key FROM users WHERE id = 'carol'";
        let bob = "INSERT INTO log_person (log, \"user\") \
                   SELECT (SELECT MAX(sequence) - 1 FROM log), key FROM users WHERE id = 'bob'";
        tx.execute(Sql::new(carol), &[])?;
        tx.execute(Sql::new(bob), &[])?;
        Ok((without_bob, nor_carol, nameless(tx)?.len()))
    });
    assert_eq!(found.await.unwrap(), (1, 2, 0));
}

on_each_engine!(a_row_that_does_not_name_everybody_is_found,);
