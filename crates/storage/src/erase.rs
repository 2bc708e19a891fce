//! What hangs on a user, taken away: in bounded batches, each of which may run again.

use model::{Data, UserKey};

use crate::exports::MOST_CHUNKS_REMOVED;
use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// The columns that hold the key of a user, and of what kind the data is: what a deletion has to go through. A test holds it
/// against the schema, so that no column is forgotten.
pub const COLUMNS: &[(Data, &str, &str)] = &[
    (Data::Devices, "devices", "user"),
    (Data::PushPreferences, "push_preferences", "user"),
    (Data::Mutes, "user_mutes", "user"),
    (Data::MutesReceived, "user_mutes", "target"),
    (Data::Blocks, "user_blocks", "user"),
    (Data::BlocksReceived, "user_blocks", "blocked"),
    (Data::Bans, "bans", "user"),
    (Data::BansGiven, "bans", "banned_by"),
    (Data::FlagsMade, "flags", "user"),
    (Data::FlagsReceived, "flags", "creator"),
    (Data::GroupMemberships, "user_group_members", "user"),
    (Data::GroupsMade, "user_groups", "created_by"),
    (Data::Conversations, "channels", "hidden_by"),
    (Data::Messages, "messages", "user"),
    (Data::Reactions, "reactions", "user"),
    (Data::Memberships, "channel_members", "user"),
    (Data::ChannelsMade, "channels", "created_by"),
    (Data::Exports, "export_chunks", "user"),
    (Data::Profile, "users", "key"),
    (Data::Profile, "user_leaves", "user"),
    (Data::Profile, "role_holders", "user"),
    (Data::Log, "log", "person"),
    (Data::Log, "log_person", "user"),
    (Data::Log, "forgettings", "user"),
];

/// The kinds of data that are rows of a table of their own, found by one column.
macro_rules! rows {
    ($($data:ident $table:literal $column:literal,)+) => {
        const ROWS: &[Data] = &[$(Data::$data),+];

        /// Which kinds there are, one column each. Asked for in the order of a column that is not said to be the same everywhere,
        /// PostgreSQL reads by the index on it, and nothing of others, whatever it thinks of them.
        const PRESENT: Sql = Sql::pair(
            concat!("SELECT 0", $(", EXISTS (SELECT 1 FROM ", $table, " WHERE \"", $column, "\" = $1)",)+),
            concat!(
                "SELECT 0::bigint",
                $(
                    ", COALESCE((SELECT 1 FROM ", $table, " WHERE \"", $column,
                    "\" BETWEEN $1 AND $1 ORDER BY \"", $column, "\" LIMIT 1), 0)::bigint",
                )+
            ),
        );

        /// Whose they are, and how many there are of each kind, up to so many.
        const COUNTS: Sql = Sql::pair(
            concat!(
                "SELECT $1",
                $(", (SELECT COUNT(*) FROM (SELECT 1 FROM ", $table, " WHERE \"", $column, "\" = $1 LIMIT $2))",)+
            ),
            concat!(
                "SELECT given.key",
                $(
                    ", (SELECT COUNT(*) FROM (SELECT 1 FROM ", $table, " WHERE \"", $column,
                    "\" BETWEEN given.key AND given.key ORDER BY \"", $column, "\" LIMIT given.most) AS own)",
                )+
                " FROM UNNEST($1::bigint[], $2::bigint[]) AS given (key, most)"
            ),
        );
    };
}

rows! {
    Devices "devices" "user",
    PushPreferences "push_preferences" "user",
    Mutes "user_mutes" "user",
    MutesReceived "user_mutes" "target",
    Blocks "user_blocks" "user",
    BlocksReceived "user_blocks" "blocked",
    Bans "bans" "user",
    BansGiven "bans" "banned_by",
    FlagsMade "flags" "user",
    FlagsReceived "flags" "creator",
    GroupMemberships "user_group_members" "user",
    GroupsMade "user_groups" "created_by",
    Exports "export_chunks" "user",
    Log "log_person" "user",
}

/// Which of the kinds that [`erase`] takes away there are of `user`. One statement.
///
/// # Errors
/// When the statement fails.
pub fn present(tx: &mut Tx<'_>, user: UserKey) -> Result<Vec<Data>, Error> {
    let found = tx.query(PRESENT, &[user.0.into()], |row| {
        let is_there = |place: usize| row.boolean(place + 1);
        (0..ROWS.len())
            .filter_map(|place| is_there(place).map(|is| is.then_some(ROWS[place])).transpose())
            .collect()
    })?;
    Ok(found.into_iter().next().unwrap_or_default())
}

/// How much there is of something, as far as it was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How much was counted.
    pub count: u64,
    /// Whether there can be more: not everything was looked at.
    pub at_least: bool,
}

impl Tally {
    /// What `count` rows come to that are of a kind by themselves, of which one more than `ceiling` was looked for.
    pub(crate) fn of(count: u64, ceiling: u64) -> Self {
        Self { count: count.min(ceiling), at_least: count > ceiling }
    }
}

/// How much there is of each kind.
pub type Counts = Vec<(Data, Tally)>;

/// How much there is of each kind, for each of these users; no more than `ceiling` of a kind are counted of one. One statement,
/// which reads one row more of each than it counts.
///
/// # Errors
/// When the statement fails.
pub fn counts(tx: &mut Tx<'_>, users: &[UserKey], ceiling: u64) -> Result<Vec<(UserKey, Counts)>, Error> {
    let looked = i64::try_from(ceiling.saturating_add(1)).unwrap_or(i64::MAX);
    let rows: Vec<[Value; 2]> = users.iter().map(|key| [key.0.into(), looked.into()]).collect();
    tx.query_each(COUNTS, &rows, |row| {
        let tally = |place: usize| {
            let found = u64::try_from(row.integer(place + 1)?).unwrap_or(0);
            Ok((ROWS[place], Tally::of(found, ceiling)))
        };
        Ok((UserKey(row.integer(0)?), (0..ROWS.len()).map(tally).collect::<Result<_, Error>>()?))
    })
}

/// Takes up to `most` rows of one kind from what hangs on `user`, or its name from them. Answers how many; for a kind that is
/// not of rows by themselves, none.
///
/// # Errors
/// When the statement fails.
pub fn erase(tx: &mut Tx<'_>, data: Data, user: UserKey, most: usize) -> Result<usize, Error> {
    macro_rules! removal {
        ($table:literal, $key:literal, $column:literal) => {
            Sql::pair(
                concat!(
                    "DELETE FROM ",
                    $table,
                    " WHERE (",
                    $key,
                    ") IN (SELECT ",
                    $key,
                    " FROM ",
                    $table,
                    " WHERE ",
                    $column,
                    " = $1 LIMIT $2)"
                ),
                concat!(
                    "DELETE FROM ",
                    $table,
                    " WHERE ctid = ANY (ARRAY(SELECT ctid FROM ",
                    $table,
                    " WHERE \"",
                    $column,
                    "\" BETWEEN $1 AND $1 ORDER BY \"",
                    $column,
                    "\" LIMIT $2))"
                ),
            )
        };
    }
    macro_rules! unnaming {
        ($table:literal, $column:literal) => {
            Sql::pair(
                concat!(
                    "UPDATE OR FAIL ",
                    $table,
                    " SET ",
                    $column,
                    " = NULL WHERE key IN (SELECT key FROM ",
                    $table,
                    " WHERE ",
                    $column,
                    " = $1 LIMIT $2)"
                ),
                concat!(
                    "UPDATE ",
                    $table,
                    " SET ",
                    $column,
                    " = NULL WHERE ctid = ANY (ARRAY(SELECT ctid FROM ",
                    $table,
                    " WHERE ",
                    $column,
                    " BETWEEN $1 AND $1 ORDER BY ",
                    $column,
                    " LIMIT $2))"
                ),
            )
        };
    }
    const DEVICES: Sql = removal!("devices", "app, id", "user");
    const PUSH_PREFERENCES: Sql = removal!("push_preferences", "user, channel", "user");
    const MUTES: Sql = removal!("user_mutes", "user, target", "user");
    const MUTES_RECEIVED: Sql = removal!("user_mutes", "user, target", "target");
    const BLOCKS: Sql = removal!("user_blocks", "user, blocked", "user");
    const BLOCKS_RECEIVED: Sql = removal!("user_blocks", "user, blocked", "blocked");
    const BANS: Sql = removal!("bans", "key", "user");
    const BANS_GIVEN: Sql = unnaming!("bans", "banned_by");
    const FLAGS_MADE: Sql = removal!("flags", "key", "user");
    const FLAGS_RECEIVED: Sql = removal!("flags", "key", "creator");
    const GROUP_MEMBERSHIPS: Sql = removal!("user_group_members", "\"group\", user", "user");
    const EXPORTS: Sql = removal!("export_chunks", "file, sequence", "user");
    const GROUPS_MADE: Sql = unnaming!("user_groups", "created_by");
    let statement = match data {
        Data::Devices => DEVICES,
        Data::PushPreferences => PUSH_PREFERENCES,
        Data::Mutes => MUTES,
        Data::MutesReceived => MUTES_RECEIVED,
        Data::Blocks => BLOCKS,
        Data::BlocksReceived => BLOCKS_RECEIVED,
        Data::Bans => BANS,
        Data::BansGiven => BANS_GIVEN,
        Data::FlagsMade => FLAGS_MADE,
        Data::FlagsReceived => FLAGS_RECEIVED,
        Data::GroupMemberships => GROUP_MEMBERSHIPS,
        Data::GroupsMade => GROUPS_MADE,
        Data::Exports => return erase_exports(tx, EXPORTS, user, most),
        Data::Conversations
        | Data::ConversationMessages
        | Data::Messages
        | Data::ReactionsReceived
        | Data::Attachments
        | Data::Reactions
        | Data::Memberships
        | Data::ChannelsMade
        | Data::Calls
        | Data::Profile
        | Data::Log => return Ok(0),
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    tx.execute(statement, &[user.0.into(), most.into()])
}

/// Each of these rows can be of a megabyte: few go at once, and when there may be more the answer is `most`.
fn erase_exports(tx: &mut Tx<'_>, statement: Sql, user: UserKey, most: usize) -> Result<usize, Error> {
    let few = most.min(MOST_CHUNKS_REMOVED);
    let gone = tx.execute(statement, &[user.0.into(), i64::try_from(few).unwrap_or(i64::MAX).into()])?;
    Ok(if gone < few { gone } else { most })
}
