//! A database that an older version has filled is brought up to date, and used as if it had been so from the start.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use headwater_storage::users::{self, Change};
use headwater_storage::{Error, Options, Sql, Store, Tx};
use model::{AppKey, User, UserId};

use crate::support::options;

const APP: AppKey = AppKey(1);

/// A store with the first `steps` of the schema, or all of them.
fn open(directory: &Path, steps: Option<usize>) -> Store {
    let options = options(directory, &Arc::default());
    let all = Options::new(directory.to_owned(), Arc::clone(&options.clock)).migrations;
    let migrations = steps.map_or(all, |steps| &all[..steps]);
    Store::open(Options { migrations, ..options }).unwrap()
}

/// What `statement` answers, one text a row.
async fn texts(store: &Store, statement: &'static str) -> Vec<String> {
    let read = store.read(move |tx| tx.query(Sql::new(statement), &[], |row| row.text(0)));
    let read: Result<Vec<String>, Error> = read.await;
    read.unwrap()
}

async fn change(store: &Store, edit: impl Fn(&mut User) + Send + 'static) {
    let changed = store.write::<_, Error, _>(move |tx: &mut Tx<'_>| {
        let id = UserId::parse("ann").map_err(|_| Error::Unreadable("id"))?;
        let before = users::by_ids(tx, APP, &BTreeSet::from([&id]))?.remove(0);
        let mut after = before.user.clone();
        edit(&mut after);
        users::put(tx, APP, vec![Change { before: Some(before), after }]).map(drop)
    });
    changed.await.unwrap();
}

#[tokio::test]
async fn what_triggers_wrote_once_is_written_by_statements_now() {
    let directory = tempfile::tempdir().unwrap();
    let old = open(directory.path(), Some(2));
    let filled = old.write::<_, Error, _>(|tx| {
        tx.execute(
            Sql::new("INSERT INTO roles (app, name, created_at, updated_at) VALUES (1, 'captain', 0, 0), (1, 'cook', 0, 0)"),
            &[],
        )?;
        tx.execute(
            Sql::new(
                "INSERT INTO users (app, id, name, role, teams, teams_role, language, invisible, custom, name_key, words, \
                     created_at, updated_at, held_roles) \
                 VALUES (1, 'ann', 'Old', 'captain', '[]', '{}', '', 0, '{}', 'old', '00000001nold', 1, 1, ' captain ')",
            ),
            &[],
        )
    });
    filled.await.unwrap();
    old.close();

    let store = open(directory.path(), None);
    const HOLDERS: &str = "SELECT role FROM role_holders ORDER BY role";
    let found = async |statement| texts(&store, statement).await;
    const OLD: &str = "SELECT id FROM users WHERE key IN (SELECT rowid FROM user_words WHERE user_words MATCH '00000001nold')";
    const NEW: &str = "SELECT id FROM users WHERE key IN (SELECT rowid FROM user_words WHERE user_words MATCH '00000001nnew')";
    assert_eq!(
        (found(HOLDERS).await, found(OLD).await),
        (vec!["captain".to_owned()], vec!["ann".to_owned()])
    );
    change(&store, |user| (user.name, user.role) = (Some("New".to_owned()), "cook".to_owned())).await;
    assert_eq!(found(HOLDERS).await, ["cook"]);
    assert_eq!((found(OLD).await, found(NEW).await), (Vec::new(), vec!["ann".to_owned()]));
    change(&store, |user| user.role = "user".to_owned()).await;
    assert_eq!((found(HOLDERS).await, found(NEW).await), (Vec::new(), vec!["ann".to_owned()]));
}
