//! The engines have the same tables with the same columns, but for what a comment in the migrations says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_storage::{Error, Options, PostgresOptions, Sql, Store};
use headwater_testkit::{Engine, postgres};

use crate::support::StillClock;

type Tables = BTreeMap<String, BTreeSet<String>>;

async fn tables(store: &Store, statement: Sql) -> Tables {
    let columns = store.read(move |tx| tx.query(statement, &[], |row| Ok((row.text(0)?, row.text(1)?))));
    let columns: Result<Vec<(String, String)>, Error> = columns.await;
    let mut tables = Tables::new();
    for (table, column) in columns.unwrap() {
        tables.entry(table).or_default().insert(column);
    }
    tables
}

#[tokio::test]
async fn the_engines_have_the_same_tables() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::<StillClock>::default();
    let sqlite = Store::open(Options::new(directory.path(), clock.clone())).unwrap();
    let database = postgres::shared().unwrap().empty_database();
    let server = Store::connect(PostgresOptions::new(database.url(), clock)).unwrap();

    let embedded = Sql::new(
        "SELECT tables.name, columns.name FROM pragma_table_list AS tables, pragma_table_info(tables.name) AS columns \
         WHERE tables.schema = 'main' AND tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'",
    );
    let on_server = Sql::new(
        "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'",
    );
    let mut expected = tables(&sqlite, embedded).await;
    let mut found = tables(&server, on_server).await;
    // An index of SQLite's own kind there, a table here.
    expected.remove("user_words");
    found.remove("user_words");
    assert!(found.get_mut("log").unwrap().remove("xid"), "readers go by the transaction");
    assert_eq!(found, expected);
    sqlite.close();
    server.close();
}

#[tokio::test]
async fn text_is_compared_by_its_bytes() {
    if !Engine::Postgres.is_here() {
        return;
    }
    let database = postgres::shared().unwrap().ready_database();
    let server = Store::connect(PostgresOptions::new(database.url(), Arc::<StillClock>::default())).unwrap();
    let others = Sql::new(
        "SELECT table_name::text || '.' || column_name FROM information_schema.columns \
         WHERE table_schema = 'public' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'",
    );
    let others = server.read(move |tx| tx.query(others, &[], |row| row.text(0)));
    let others: Result<Vec<String>, Error> = others.await;
    assert_eq!(others.unwrap(), [""; 0]);
    server.close();
}
