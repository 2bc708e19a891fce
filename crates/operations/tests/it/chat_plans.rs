//! The plans of what an answer shows of a channel, when nearly all that was ever written in it is hidden.

use headwater_operations::Error;
use headwater_testkit::{Engine, on_each_engine};
use model::{ChannelKey, Timestamp, UserKey};
use storage::messages::{self, Shown};
use storage::{Sql, Tx};

use crate::stage::Stage;

const MANY: i64 = 100_000;

/// Channels, in each of which two users write: of the messages of one nearly all were deleted, and the other is in the shadow.
fn populate(tx: &mut Tx<'_>, app: i64) -> Result<(ChannelKey, UserKey, UserKey), Error> {
    const CHANNELS: Sql = Sql::pair(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000) \
         INSERT INTO channels (app, type, id, team, custom, member_count, message_count, created_at, updated_at, cause) \
         SELECT ?1, 'messaging', 'c' || n, '', '{}', 0, 0, 0, 0, 0 FROM numbers",
        "INSERT INTO channels (app, type, id, team, custom, member_count, message_count, created_at, updated_at, cause) \
         SELECT $1, 'messaging', 'c' || n, '', '{}', 0, 0, 0, 0, 0 FROM GENERATE_SERIES(1, 1000) AS n",
    );
    const MESSAGES: Sql = Sql::pair(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2) \
         INSERT INTO messages (app, id, channel, user, type, text, attachments, custom, shadowed, created_at, \
             updated_at, cause) \
         SELECT ?1, 'm' || n, ?3 + n / (?2 / 4), CASE WHEN n % 2 = 0 THEN ?4 ELSE ?5 END, 'regular', 'hello', '[]', '{}', \
             n % 2, n, n, CASE WHEN n < 50 OR n % 2 = 1 THEN 0 ELSE 1 END FROM numbers",
        "INSERT INTO messages (app, id, channel, \"user\", type, text, attachments, custom, shadowed, created_at, \
             updated_at, cause) \
         SELECT $1, 'm' || n, $3::bigint + n / ($2::bigint / 4), CASE WHEN n % 2 = 0 THEN $4::bigint ELSE $5 END, \
             'regular', 'hello', '[]', '{}', n % 2, n, n, CASE WHEN n < 50 OR n % 2 = 1 THEN 0 ELSE 1 END \
         FROM GENERATE_SERIES(1, $2::bigint) AS n",
    );
    tx.execute(CHANNELS, &[app.into()])?;
    let channel = tx.query(Sql::new("SELECT MIN(key) FROM channels"), &[], |row| row.integer(0))?.remove(0);
    let people = tx.query(Sql::new("SELECT key FROM users ORDER BY key"), &[], |row| row.integer(0))?;
    let parameters = [app.into(), MANY.into(), channel.into(), people[0].into(), people[1].into()];
    tx.execute(MESSAGES, &parameters)?;
    tx.execute(Sql::new("ANALYZE"), &[])?;
    Ok((ChannelKey(channel), UserKey(people[0]), UserKey(people[1])))
}

async fn what_is_hidden_is_not_gone_through(engine: Engine) {
    let stage = Stage::set(engine).await;
    stage.create(&["alice", "bob"]).await;
    let app = stage.app.key.0;
    let (channel, open, shadowed) = stage.store.write(move |tx| populate(tx, app)).await.unwrap();
    let seen = ["messages_shown", "messages_shadowed"];
    for (shown, indexes, newest) in [
        (Shown::All, &["messages_by_channel"][..], MANY / 4 - 1),
        (Shown::To(open), &seen, 48),
        (Shown::To(shadowed), &seen, MANY / 4 - 1),
    ] {
        let found: Result<_, storage::Error> = stage
            .store
            .read(move |tx| {
                let since = Timestamp::from_nanoseconds(0);
                let found = messages::newest(tx, channel, since, shown, 25)?;
                Ok((found, messages::explain_newest(tx, channel, since, shown, 25)?))
            })
            .await;
        let (found, plan) = found.unwrap();
        let times: Vec<i64> =
            found.iter().map(|(stored, _)| stored.message.created_at.nanoseconds()).collect();
        assert!(times.is_sorted(), "{shown:?}: {times:?}");
        assert_eq!((times.last(), times.len().min(24)), (Some(&newest), 24), "{shown:?}: {times:?}");
        for index in indexes {
            assert!(plan.iter().any(|line| line.contains(index)), "{shown:?} without {index}: {plan:#?}");
        }
        let goes_through = |line: &&String| match engine {
            // What an inner statement answers is gone through by no index, and is short.
            Engine::Sqlite => {
                line.starts_with("SCAN") && (line.contains("USING") || line.contains("messages"))
            }
            Engine::Postgres => {
                line.contains("Seq Scan on messages") || line.contains("Seq Scan on channels")
            }
        };
        assert_eq!(plan.iter().find(goes_through), None, "{shown:?}: {plan:#?}");
    }
}

on_each_engine!(what_is_hidden_is_not_gone_through);
