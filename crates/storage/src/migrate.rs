//! The steps that make the schema, and whether a database has them. An engine's module runs what is missing.
//!
//! To change the schema, add `migrations/<engine>/NNNN_name.sql` and a line to the list below. A file that was released
//! is never edited: its checksum is stored in every database that it made.

use sha2::{Digest, Sha256};

use crate::OpenError;

/// The steps for the embedded engine.
pub(crate) const SQLITE: &[Migration] = &[
    Migration {
        number: 1,
        name: "initial",
        sql: include_str!("../../../migrations/sqlite/0001_initial.sql"),
    },
    Migration { number: 2, name: "roles", sql: include_str!("../../../migrations/sqlite/0002_roles.sql") },
    Migration {
        number: 3,
        name: "plain statements",
        sql: include_str!("../../../migrations/sqlite/0003_plain_statements.sql"),
    },
    Migration { number: 4, name: "access", sql: include_str!("../../../migrations/sqlite/0004_access.sql") },
    Migration { number: 5, name: "tasks", sql: include_str!("../../../migrations/sqlite/0005_tasks.sql") },
    Migration { number: 6, name: "chat", sql: include_str!("../../../migrations/sqlite/0006_chat.sql") },
    Migration {
        number: 7,
        name: "deletion",
        sql: include_str!("../../../migrations/sqlite/0007_deletion.sql"),
    },
    Migration {
        number: 8,
        name: "exports",
        sql: include_str!("../../../migrations/sqlite/0008_exports.sql"),
    },
];

/// The steps for PostgreSQL: the same numbers and names.
pub(crate) const POSTGRES: &[Migration] = &[
    Migration {
        number: 1,
        name: "initial",
        sql: include_str!("../../../migrations/postgres/0001_initial.sql"),
    },
    Migration { number: 2, name: "roles", sql: include_str!("../../../migrations/postgres/0002_roles.sql") },
    Migration {
        number: 3,
        name: "plain statements",
        sql: include_str!("../../../migrations/postgres/0003_plain_statements.sql"),
    },
    Migration {
        number: 4,
        name: "access",
        sql: include_str!("../../../migrations/postgres/0004_access.sql"),
    },
    Migration { number: 5, name: "tasks", sql: include_str!("../../../migrations/postgres/0005_tasks.sql") },
    Migration { number: 6, name: "chat", sql: include_str!("../../../migrations/postgres/0006_chat.sql") },
    Migration {
        number: 7,
        name: "deletion",
        sql: include_str!("../../../migrations/postgres/0007_deletion.sql"),
    },
    Migration {
        number: 8,
        name: "exports",
        sql: include_str!("../../../migrations/postgres/0008_exports.sql"),
    },
];

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its place: 1 for the first, then without gaps.
    pub number: i64,
    /// What it is about, as in the name of its file.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

impl Migration {
    /// SHA-256 of the statements in hexadecimal digits.
    pub(crate) fn checksum(&self) -> String {
        Sha256::digest(self.sql).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A step as a database remembers it.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) number: i64,
    pub(crate) checksum: String,
}

/// The steps of `known` that a database with `applied` (in order) lacks.
///
/// # Errors
/// [`OpenError::Newer`] when it has more, [`OpenError::Altered`] when what it has is not what is known.
pub(crate) fn missing<'k>(known: &'k [Migration], applied: &[Applied]) -> Result<&'k [Migration], OpenError> {
    let newest = newest(known);
    if let Some(last) = applied.last().filter(|last| last.number > newest) {
        return Err(OpenError::Newer { found: last.number, known: newest });
    }
    let altered = known
        .iter()
        .zip(applied)
        .find(|(step, applied)| step.number != applied.number || step.checksum() != applied.checksum);
    match altered {
        Some((step, _)) => Err(OpenError::Altered { number: step.number }),
        None => Ok(known.get(applied.len()..).unwrap_or_default()),
    }
}

/// The number of the last step, 0 for none.
pub(crate) fn newest(known: &[Migration]) -> i64 {
    known.last().map_or(0, |step| step.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Migration] = &[
        Migration { number: 1, name: "one", sql: "CREATE TABLE one (a)" },
        Migration { number: 2, name: "two", sql: "CREATE TABLE two (a)" },
    ];

    fn check(applied: &[(i64, &'static str)], expected: &str) {
        let applied: Vec<Applied> = applied
            .iter()
            .map(|&(number, sql)| Applied {
                number,
                checksum: Migration { number, name: "", sql }.checksum(),
            })
            .collect();
        let found = match missing(KNOWN, &applied) {
            Ok(steps) => steps.iter().map(|step| step.name).collect::<Vec<_>>().join(" "),
            Err(refusal) => refusal.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn no_file_is_left_out() {
        for (engine, known) in [("sqlite", SQLITE), ("postgres", POSTGRES)] {
            let files = format!("{}/../../migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
            let mut files: Vec<String> = std::fs::read_dir(files)
                .unwrap()
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            let listed =
                known.iter().map(|step| format!("{:04}_{}.sql", step.number, step.name.replace(' ', "_")));
            assert_eq!(files, listed.collect::<Vec<_>>(), "{engine}");
        }
    }

    #[test]
    fn what_is_missing_follows_what_was_applied() {
        let one = (1, KNOWN[0].sql);
        let two = (2, KNOWN[1].sql);
        check(&[], "one two");
        check(&[one], "two");
        check(&[one, two], "");
        check(&[one, two, (3, "")], "the database has schema 3, this version knows 2");
        check(
            &[one, (2, "CREATE TABLE two (b)")],
            "migration 2 of the database differs from the one of this version",
        );
        check(&[two], "migration 1 of the database differs from the one of this version");
    }

    #[test]
    fn the_embedded_steps_are_numbered_without_gaps() {
        for (place, step) in (1..).zip(SQLITE) {
            assert_eq!(step.number, place, "{}", step.name);
        }
    }

    #[test]
    fn the_engines_have_the_same_steps() {
        let named =
            |steps: &[Migration]| -> Vec<_> { steps.iter().map(|step| (step.number, step.name)).collect() };
        assert_eq!(named(POSTGRES), named(SQLITE));
    }
}
