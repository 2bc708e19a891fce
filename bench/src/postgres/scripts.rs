//! What pgbench runs: the statements of the server, by their own texts, with values that the server has written.
//!
//! The first script that a connection runs prepares the statements, all others execute them. An id is a number that
//! pgbench draws, written `:u1`, `:u2`, ... into the values, which it does within quotes too; a key is what the
//! statement before has answered.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use storage::statements;

use super::Postgres;
use crate::api::KEY;
use crate::failure::Failure;
use crate::people::Person;

/// The smallest number with as many digits as the ids of the bench, and how many there are.
const FIRST: u64 = 1_000_000_000_000_000;
const NUMBERS: u64 = 9_000_000_000_000_000;

/// Users that a script of queries asks for: one query a script would have pgbench choose scripts, not users.
pub(super) const QUERIES: usize = 200;

/// Scripts that store `at_once` new users a transaction: each stores the likes of other users among the `known` ones, so
/// that names, countries and ages vary. pgbench takes no more than 128 scripts.
pub(super) fn upserts(
    postgres: &Postgres,
    directory: &Path,
    database: &str,
    at_once: u64,
    known: u64,
) -> Result<Vec<PathBuf>, Failure> {
    let count = if at_once == 1 { 100 } else { 20 };
    (0..count.min(known / at_once))
        .map(|number| {
            let values = postgres.ask(database, &values_like(at_once, number * at_once))?;
            let file = directory.join(format!("upsert-{at_once}-{number}.sql"));
            fs::write(&file, upsert(&statements::upsert(), at_once, &values)?)?;
            Ok(file)
        })
        .collect()
}

/// One transaction with `values`, a line for each statement.
fn upsert(texts: &statements::Upsert, at_once: u64, values: &str) -> Result<String, Failure> {
    let [app, lock, users, leaves, log] = values.lines().collect::<Vec<_>>()[..] else {
        return Err("the server has not stored what pgbench is to store".into());
    };
    let named = [
        ("app", texts.app),
        ("lock", texts.lock),
        ("users", texts.users),
        ("leaves", texts.leaves),
        ("log", texts.log),
    ];
    let mut script = String::new();
    prepare(&mut script, &texts.settings, &named);
    // Writing to a String cannot fail, here and below. Ids are spread over all numbers, in the order of their places.
    let width = NUMBERS / at_once;
    for place in 1..=at_once {
        let (first, last) = (FIRST + (place - 1) * width, FIRST + place * width - 1);
        let _ = writeln!(script, "\\set u{place} random({first}, {last})");
    }
    let _ = writeln!(script, "{};\nEXECUTE app ({app});\nEXECUTE lock ({lock});", texts.begin);
    // What is kept is the last row. The keys of one statement follow each other.
    let _ = writeln!(script, "EXECUTE users ({users}) \\aset");
    for place in 1..=at_once {
        let _ = writeln!(script, "\\set k{place} :key - {}", at_once - place);
    }
    let _ = writeln!(script, "EXECUTE leaves ({leaves});\nEXECUTE log ({log});");
    let _ = writeln!(script, "{};", in_one_trip(texts.commit));
    Ok(script)
}

/// Scripts that ask for users with these numbers, [`QUERIES`] each.
pub(super) fn queries(directory: &Path, app: &str, numbers: &[u64]) -> Result<Vec<PathBuf>, Failure> {
    let texts = statements::query_by_id()?;
    numbers
        .chunks_exact(QUERIES)
        .enumerate()
        .map(|(number, users)| {
            let mut script = String::new();
            prepare(&mut script, &texts.settings, &[("app", texts.app), ("users", &texts.users)]);
            for user in users {
                let id = Person(*user).id();
                let _ = writeln!(script, "EXECUTE app ('{KEY}');\nEXECUTE users ({app}, '{id}', 30, 0);");
            }
            let file = directory.join(format!("query-{number}.sql"));
            fs::write(&file, script)?;
            Ok(file)
        })
        .collect()
}

/// What a connection does once.
fn prepare(script: &mut String, settings: &str, named: &[(&str, &str)]) {
    let _ = writeln!(script, "\\if :ready = 0\n{};", in_one_trip(settings));
    for (name, text) in named {
        let _ = writeln!(script, "PREPARE {name} AS {text};");
    }
    script.push_str("\\set ready 1\n\\endif\n");
}

/// Statements that the server sends together, as pgbench writes that.
fn in_one_trip(statements: &str) -> String {
    statements.replace(';', " \\;")
}

/// Has PostgreSQL write the values for each statement, a line each, as they were for `at_once` users: those of whom
/// `skipped` are older. The order is that of the parameters.
fn values_like(at_once: u64, skipped: u64) -> String {
    let users = "words, NULL::bigint, app, id, created_at, name, image, role, teams, teams_role, language, invisible, \
                 privacy, custom, name_key, updated_at, deactivated_at, deleted_at, tokens_revoked_before, held_roles";
    let leaves = "1::bigint, leaf.app, path, kind, number, text, digest, given.person";
    let log = "given.person, log.app, time, actor, operation, request, event, id, \
               REPLACE(payload, given.id_before, given.id)";
    let chosen = format!(
        "WITH chosen AS (SELECT * FROM users ORDER BY key LIMIT {at_once} OFFSET {skipped}), \
         given AS (SELECT place, key AS key_before, id AS id_before, ':k' || place AS person, ':u' || place AS id, app, \
                 REPLACE(words, id, ':u' || place) AS words, created_at, name, image, role, teams, teams_role, \
                 language, invisible, privacy, custom, name_key, updated_at, deactivated_at, deleted_at, \
                 tokens_revoked_before, held_roles \
             FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY id) AS place FROM chosen) AS chosen) "
    );
    format!(
        "{chosen} SELECT line FROM (SELECT 1, MIN(app)::text FROM given \
         UNION ALL SELECT 2, {} FROM given \
         UNION ALL SELECT 3, {} FROM given \
         UNION ALL SELECT 4, {} FROM given JOIN user_leaves AS leaf ON leaf.\"user\" = key_before \
         UNION ALL SELECT 5, {} FROM given JOIN log_person ON log_person.\"user\" = key_before \
             JOIN log ON log.sequence = log_person.log) AS lines (number, line) ORDER BY number",
        arrays("app, id", "place"),
        arrays(users, "place"),
        arrays(leaves, "place, path"),
        arrays(log, "place"),
    )
}

/// An expression for arrays of these columns as they stand in an EXECUTE.
fn arrays(columns: &str, order: &str) -> String {
    let array = |column: &str| format!("'$v$' || ARRAY_AGG({column} ORDER BY {order})::text || '$v$'");
    split(columns).map(array).collect::<Vec<_>>().join(" || ', ' || ")
}

/// Columns by their commas, but for those within parentheses.
fn split(columns: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    columns
        .split(move |character| {
            depth += match character {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            character == ',' && depth == 0
        })
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_split_outside_of_parentheses() {
        assert_eq!(split("a, f(b, c), d").collect::<Vec<_>>(), ["a", "f(b, c)", "d"]);
    }

    #[test]
    fn a_script_needs_the_values_of_every_statement() {
        let texts = statements::upsert();
        let script = upsert(&texts, 2, "app\nlock\nusers\nleaves\nlog").unwrap();
        for line in [
            "\\set u2 random(5500000000000000, 9999999999999999)",
            "EXECUTE users (users) \\aset",
            "\\set k1 :key - 1",
            "\\set k2 :key - 0",
            "SAVEPOINT whole \\; COMMIT;",
        ] {
            assert!(script.lines().any(|known| known == line), "{line}");
        }
        assert!(upsert(&texts, 2, "app\nlock").is_err());
    }

    #[test]
    fn what_the_server_sends_together_stays_together() {
        assert_eq!(in_one_trip("A; B"), "A \\; B");
    }
}
