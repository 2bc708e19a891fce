//! The twin of the server's database: a copy of the file, brought up to date by a raw loop that writes the rows which
//! the server has more. So both always are of one size and shape, and each round of the one is a round of the other.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::{Connection, Statement, params_from_iter};

use super::connection::{empty_log, reader, writer};
use super::stored::{Mark, Stored};
use crate::failure::{Failure, because};
use crate::rounds::Outcome;
use crate::samples::Samples;

/// The copy and the connection that writes to it. The connection stays open, as the server's does: its cache is warm.
#[derive(Debug)]
pub(crate) struct Twin {
    file: PathBuf,
    connection: Connection,
    /// Where the columns are from which other tables are written.
    columns: Columns,
}

/// Places of columns in the rows of their tables.
#[derive(Debug)]
struct Columns {
    words: usize,
    person: usize,
}

impl Twin {
    /// Copies the database in `original`, which no server has open.
    pub(crate) fn copy(original: &Path, file: PathBuf) -> Result<Self, Failure> {
        copy(original, &file)?;
        let connection = writer(&file)?;
        let column = |table: &str, name| -> Result<usize, Failure> {
            Ok(connection.prepare(&format!("SELECT * FROM {table}"))?.column_index(name)?)
        };
        let columns = Columns { words: column("users", "words")?, person: column("log", "person")? };
        Ok(Self { file, connection, columns })
    }

    /// The file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// What the server's database in `original` has more.
    pub(crate) fn missing(&self, original: &Path) -> Result<Stored, Failure> {
        Stored::since(original, Mark::of(&self.connection)?)
    }

    /// Writes rows, `transaction` users a transaction; a call is a transaction.
    pub(crate) fn write(&self, rows: &Stored, transaction: usize) -> Result<Outcome, Failure> {
        let mut insert = Inserts::prepare(&self.connection)?;
        let mut samples = Samples::default();
        let begin = Instant::now();
        for written in rows.0.chunks(transaction) {
            let start = Instant::now();
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            for written in written {
                insert.user.execute(params_from_iter(&written.user))?;
                insert.words.execute([&written.user[0], &written.user[self.columns.words]])?;
                for row in &written.leaves {
                    insert.leaf.execute(params_from_iter(row))?;
                }
                insert.log.execute(params_from_iter(&written.log))?;
                insert.log_person.execute([&written.log[0], &written.log[self.columns.person]])?;
            }
            self.connection.execute_batch("COMMIT")?;
            samples.record(start.elapsed());
        }
        let elapsed = begin.elapsed();
        empty_log(&self.connection)?;
        Ok(Outcome { done: rows.0.len(), elapsed, samples })
    }

    /// Sees that nothing is missing: a table that came to the schema and that the raw loop does not know would make it
    /// too fast.
    pub(crate) fn check_complete(&self, original: &Path) -> Result<(), Failure> {
        // Of the tables of a full-text index one has a row for each user; the others depend on when it was merged.
        const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL %' \
            AND NOT (name GLOB 'sqlite_*' OR name GLOB '*_data' OR name GLOB '*_idx' OR name GLOB '*_config')";
        let original = reader(original)?;
        for table in names(&original, TABLES)? {
            let statement = format!("SELECT COUNT(*) FROM {table}");
            let count =
                |connection: &Connection| connection.query_row(&statement, [], |row| row.get::<_, i64>(0));
            let (wanted, found) = (count(&original)?, count(&self.connection)?);
            if wanted != found {
                return Err(format!("the raw loop has {found} rows in {table}, the server {wanted}").into());
            }
        }
        Ok(())
    }
}

/// Copies the database in `original`, which no server has open, to `file`.
pub(crate) fn copy(original: &Path, file: &Path) -> Result<(), Failure> {
    fs::copy(original, file).map_err(because(format_args!("cannot copy {}", original.display())))?;
    // What the system has yet to write of the copy would otherwise be waited for in the first round.
    Ok(File::open(file)?.sync_all()?)
}

/// The statements of the raw loop.
struct Inserts<'c> {
    user: Statement<'c>,
    words: Statement<'c>,
    leaf: Statement<'c>,
    log: Statement<'c>,
    log_person: Statement<'c>,
}

impl<'c> Inserts<'c> {
    fn prepare(connection: &'c Connection) -> Result<Self, Failure> {
        Ok(Self {
            user: whole_row(connection, "users")?,
            words: connection.prepare("INSERT INTO user_words (rowid, words) VALUES (?, ?)")?,
            leaf: whole_row(connection, "user_leaves")?,
            log: whole_row(connection, "log")?,
            log_person: whole_row(connection, "log_person")?,
        })
    }
}

/// A statement that inserts a row with all its columns.
fn whole_row<'c>(connection: &'c Connection, table: &str) -> Result<Statement<'c>, Failure> {
    let columns = connection.prepare(&format!("SELECT * FROM {table}"))?.column_count();
    let places = vec!["?"; columns].join(", ");
    Ok(connection.prepare(&format!("INSERT INTO {table} VALUES ({places})"))?)
}

fn names(connection: &Connection, statement: &str) -> Result<Vec<String>, Failure> {
    let mut statement = connection.prepare(statement)?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A database with the schema of the server.
    fn original(directory: &TempDir) -> (PathBuf, Connection) {
        let file = directory.path().join("original.db");
        let connection = writer(&file).unwrap();
        let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
        let mut steps: Vec<_> = migrations.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        steps.sort();
        for step in steps {
            connection.execute_batch(&fs::read_to_string(step).unwrap()).unwrap();
        }
        (file, connection)
    }

    fn put(connection: &Connection, id: &str) {
        connection
            .execute(
                "INSERT INTO users (app, id, role, teams, teams_role, language, invisible, custom, name_key, words, \
                 created_at, updated_at) VALUES (1, ?1, 'user', '[]', '{}', '', 0, '{}', '', ?1, 0, 0)",
                [id],
            )
            .unwrap();
        let key = connection.last_insert_rowid();
        connection.execute("INSERT INTO user_words (rowid, words) VALUES (?1, ?2)", (key, id)).unwrap();
        for path in ["age", "country"] {
            let leaf = "INSERT INTO user_leaves VALUES (1, ?1, 3, 0, 'x', 0, ?2)";
            connection.execute(leaf, (path, key)).unwrap();
        }
        let log = "INSERT INTO log (app, time, actor, operation, request, event, subject, person, payload) \
            VALUES (1, 0, '', '', '', '', '', ?1, '{}')";
        connection.execute(log, [key]).unwrap();
        let sequence = connection.last_insert_rowid();
        connection.execute("INSERT INTO log_person VALUES (?1, ?2)", [sequence, key]).unwrap();
    }

    #[test]
    fn the_twin_becomes_what_the_original_is() {
        let directory = TempDir::new().unwrap();
        let (file, connection) = original(&directory);
        put(&connection, "before");
        empty_log(&connection).unwrap();
        let twin = Twin::copy(&file, directory.path().join("twin.db")).unwrap();
        ["a", "b", "c"].iter().for_each(|id| put(&connection, id));

        let rows = twin.missing(&file).unwrap();
        assert_eq!(rows.0.iter().map(|written| written.leaves.len()).collect::<Vec<_>>(), [2, 2, 2]);
        assert_eq!(twin.write(&rows, 2).unwrap().samples.count(), 2);
        twin.check_complete(&file).unwrap();
        assert!(twin.missing(&file).unwrap().0.is_empty());
        let found =
            "SELECT id FROM users JOIN user_words ON user_words.rowid = key WHERE user_words MATCH 'c'";
        assert_eq!(names(&twin.connection, found).unwrap(), ["c"]);
    }

    #[test]
    fn rows_that_the_raw_loop_leaves_out_are_noticed() {
        let directory = TempDir::new().unwrap();
        let (file, connection) = original(&directory);
        put(&connection, "before");
        empty_log(&connection).unwrap();
        let twin = Twin::copy(&file, directory.path().join("twin.db")).unwrap();
        connection.execute("INSERT INTO log_person VALUES (1, 7)", []).unwrap();
        let failure = twin.check_complete(&file).unwrap_err();
        assert_eq!(failure.to_string(), "the raw loop has 1 rows in log_person, the server 2");
    }
}
