//! No column that names a user is forgotten by a deletion.

use std::collections::BTreeSet;

use headwater_storage::{Error, Sql, erase};
use headwater_testkit::TestStore;

/// The columns that hold no key of a user: what they hold of one goes with the row, is emptied with it, or is not the user's.
/// Whoever adds a column adds it here, or to [`erase::COLUMNS`] and to what a deletion does with it.
const OTHERS: &[(&str, &str)] = &[
    (
        "apps",
        "key api_key name secret previous_secret suspended_at suspended_explanation settings created_at updated_at",
    ),
    ("bans", "key app channel shadow ip_ban reason expires created_at"),
    ("block_lists", "key app team name id type words options created_at updated_at"),
    ("channel_members", "channel role custom created_at updated_at"),
    (
        "channels",
        "key app type id team owner custom member_count message_count created_at updated_at last_message_at deleted_at cause",
    ),
    ("devices", "app id provider provider_name hardware_id voip disabled_reason created_at"),
    // What lines name of others, such as whom the user has blocked, goes with the file: in a day.
    ("export_chunks", "file sequence lines"),
    ("export_files", "key app name task created_at expires_at"),
    ("flags", "key app entity_type entity_id item reason custom payload created_at updated_at"),
    ("forgettings", "due_at redacted"),
    ("log", "sequence app time actor operation request event subject payload"),
    ("log_person", "log"),
    (
        "messages",
        "key app id channel type text attachments custom shadowed created_at updated_at deleted_at cause",
    ),
    ("push_preferences", "channel preferences updated_at"),
    ("reaction_groups", "message type count score first_at last_at"),
    ("reactions", "message type score custom created_at updated_at"),
    ("role_holders", "app role"),
    ("roles", "app name created_at updated_at"),
    (
        "tasks",
        "key app id kind work status result error attempts run_at actor operation request created_at updated_at started_at finished_at result_until",
    ),
    ("schema_migrations", "number name checksum applied_at"),
    ("tombstones", "app hash"),
    ("user_blocks", "created_at"),
    ("user_group_members", "group is_admin created_at"),
    ("user_groups", "key app id team name name_folded description created_at updated_at"),
    ("user_leaves", "app path kind number text digest"),
    ("user_mutes", "expires created_at updated_at"),
    (
        "users",
        "app id name image role teams teams_role language invisible privacy custom name_key words created_at updated_at deactivated_at deleted_at tokens_revoked_before held_roles ban ban_expires total_bans bypass_moderation parts reactivated_at deletion",
    ),
];

#[tokio::test]
async fn every_column_is_known_to_deletions() {
    const COLUMNS: Sql = Sql::new(
        "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c \
         WHERE t.type = 'table' AND t.name NOT LIKE 'user_words%' AND t.name NOT LIKE 'sqlite_%'",
    );
    let store = TestStore::open();
    let found =
        store.read(|tx| tx.query(COLUMNS, &[], |row| Ok(format!("{}.{}", row.text(0)?, row.text(1)?)))).await;
    let found: Result<Vec<String>, Error> = found;
    let found: BTreeSet<String> = found.unwrap().into_iter().collect();
    let persons = erase::COLUMNS.iter().map(|(_, table, column)| format!("{table}.{column}"));
    let others = OTHERS
        .iter()
        .flat_map(|(table, columns)| columns.split(' ').map(move |column| format!("{table}.{column}")));
    let (persons, others): (BTreeSet<String>, BTreeSet<String>) = (persons.collect(), others.collect());
    assert_eq!(persons.intersection(&others).next(), None);
    let known: BTreeSet<String> = persons.union(&others).cloned().collect();
    let unknown: Vec<&String> = found.difference(&known).collect();
    assert!(unknown.is_empty(), "which of these name a user? {unknown:?}");
    assert_eq!(known.difference(&found).next(), None, "is no column any more");
}
