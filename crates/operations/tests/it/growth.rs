//! A PostgreSQL database that is filled from nothing by the connections that were there at its beginning: what they read for
//! each user stays the same, whatever plans were best when there were ten.

use std::collections::BTreeMap;

use headwater_operations::users::{self, MOST_USERS};
use headwater_testkit::{Engine, TestStore};
use model::{Action, Assignment, Batch, Patch, Profile};
use postgres::NoTls;
use serde_json::json;

use crate::stage::{Stage, custom, id};

/// The most rows that may be read, of a table and its indexes together, for each user that is written. A user has some ten
/// words and four leaves; a plan that reads the table reads thousands.
const MOST_READ: i64 = 60;

#[tokio::test]
async fn nobody_reads_more_when_there_are_more() {
    const CREATED: usize = 10_000;
    const CHANGED: usize = 600;
    if !Engine::Postgres.is_here() {
        return;
    }
    let stage = Stage::set_with(1).await;
    let database = stage.store.database().unwrap();
    // The server would analyse them after a while, and mend what is wrong before it shows.
    database.run(&[
        "ALTER TABLE users SET (autovacuum_enabled = false)",
        "ALTER TABLE user_words SET (autovacuum_enabled = false)",
        "ALTER TABLE user_leaves SET (autovacuum_enabled = false)",
        "ALTER TABLE log SET (autovacuum_enabled = false)",
        "ALTER TABLE log_person SET (autovacuum_enabled = false)",
    ]);
    let profile = |number: usize| Profile {
        name: Some(format!("Name {number}")),
        custom: custom(json!({"number": number, "color": format!("c{}", number % 7), "tags": ["a"]})),
        ..Profile::default()
    };
    let numbers: Vec<usize> = (0..CREATED).collect();
    for some in numbers.chunks(MOST_USERS) {
        let profiles = some.iter().map(|number| (id(&format!("user-{number}")), profile(*number))).collect();
        stage.upsert(profiles).await.unwrap();
    }
    for number in 0..CHANGED {
        let user = format!("user-{}", number * 7 % CREATED);
        stage.upsert(vec![(id(&user), profile(number + 1))]).await.unwrap();
        let set = vec![Assignment::Image(Some(number.to_string()))];
        let patches = Batch::from(vec![Patch { id: id(&user), set, unset: Vec::new() }]);
        let patched =
            stage.write(Action::UpdateUser, move |tx, ctx| users::update_partial(tx, ctx, &patches));
        patched.await.unwrap();
    }
    let read = rows_read(&stage.store);
    let written = i64::try_from(CREATED + 2 * CHANGED).unwrap();
    for (table, rows) in &read {
        assert!(
            *rows < MOST_READ * written,
            "{rows} rows of {table} were read for {written} users: {read:?}"
        );
    }
    assert!(read["users"] > 0, "{read:?}");
}

/// How many rows of each table were read since it is there. Closes the store: a connection tells it when it ends.
pub(crate) fn rows_read(store: &TestStore) -> BTreeMap<String, i64> {
    store.close();
    let config = store.database().unwrap().config();
    let read = std::thread::spawn(move || {
        let mut client = config.connect(NoTls).unwrap();
        let others = "SELECT COUNT(*) FROM pg_stat_activity \
                      WHERE datname = CURRENT_DATABASE() AND application_name = 'headwater'";
        while client.query_one(others, &[]).unwrap().get::<_, i64>(0) > 0 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let read = "SELECT relname::text, (seq_tup_read + COALESCE((SELECT SUM(idx_tup_read) FROM pg_stat_user_indexes \
                        WHERE pg_stat_user_indexes.relid = pg_stat_user_tables.relid), 0))::bigint \
                    FROM pg_stat_user_tables";
        client.query(read, &[]).unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
    });
    read.join().unwrap()
}
