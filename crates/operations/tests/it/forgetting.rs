//! What the log holds of users who were deleted for good is taken from it in bounded pieces, however it is spread over them.

use headwater_operations::erasure::{self, Forgetting};
use headwater_testkit::{Engine, on_each_engine};
use model::Clock;

use crate::deletion::{HARD, wish};
use crate::stage::Stage;

impl Stage {
    /// Takes a piece from the log. Answers whether there was anybody to forget.
    async fn forget_some(&self) -> bool {
        let now = self.store.clock().now();
        let forgetting = self.store.write_in_background(move |tx| erasure::forget(tx, now));
        forgetting.await.unwrap() == Forgetting::Somebody
    }

    /// Of how many users the log still holds something who are to be forgotten, and how much.
    async fn unforgotten(&self) -> (i64, i64) {
        let users = "(SELECT \"user\" FROM forgettings WHERE redacted = 0) AS waiting";
        let rows = "log_person WHERE \"user\" IN (SELECT \"user\" FROM forgettings)";
        (self.count_of(users.to_owned()).await, self.count_of(rows.to_owned()).await)
    }

    /// Gives the log so many rows that hold something of a user.
    async fn fill_log(&self, name: &str, rows: usize) {
        let key = self.key_of(name).await;
        self.run_all(vec![
            format!(
                "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows}) \
                 INSERT INTO log (app, time, actor, operation, request, event, subject, payload, person) \
                 SELECT 1, 1, 'server', 'UpdateUsers', 'r', 'user.updated', '{name}', '{{}}', {key} FROM numbers"
            ),
            format!(
                "INSERT INTO log_person (log, \"user\") SELECT sequence, {key} FROM log WHERE person = {key} \
                 ON CONFLICT DO NOTHING"
            ),
        ])
        .await;
    }
}

async fn many_users_are_forgotten_at_once(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names: Vec<String> = (0..60).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.create(&names).await;
    stage.delete_users(wish(&names, HARD)).await.unwrap();
    stage.store.run_tasks().await;
    // Made, and deleted.
    assert_eq!(stage.unforgotten().await, (60, 120));
    let mut left = Vec::new();
    while stage.forget_some().await {
        left.push(stage.unforgotten().await);
    }
    assert_eq!(left, [(35, 70), (10, 20), (0, 0)]);
}

async fn a_piece_is_bounded_whosever_rows_it_takes(engine: Engine) {
    let stage = Stage::set(engine).await;
    let names = ["a", "long", "z"];
    stage.create(&names).await;
    stage.fill_log("a", 300).await;
    stage.fill_log("long", 1000).await;
    stage.delete_users(wish(&names, HARD)).await.unwrap();
    stage.store.run_tasks().await;
    let (mut left, mut pieces) = (stage.unforgotten().await, 0);
    assert_eq!(left, (3, 1306));
    while stage.forget_some().await {
        let now = stage.unforgotten().await;
        assert!(left.1 - now.1 <= 500, "{left:?}, {now:?}");
        (left, pieces) = (now, pieces + 1);
    }
    assert_eq!((left, pieces), ((0, 0), 3), "a piece takes what there is room for");
}

on_each_engine!(many_users_are_forgotten_at_once, a_piece_is_bounded_whosever_rows_it_takes);
