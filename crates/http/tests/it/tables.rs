//! What the tables of a database hold, whatever they are.

use headwater_testkit::Engine;
use storage::{Error, Sql, Tx};

/// Every column of every table.
pub(crate) fn columns(tx: &mut Tx<'_>, engine: Engine) -> Result<Vec<(String, String)>, Error> {
    const SQLITE: Sql = Sql::new(
        "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c \
         WHERE t.type = 'table' AND t.name NOT LIKE 'user_words%' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1, 2",
    );
    const POSTGRES: Sql = Sql::new(
        "SELECT table_name::text, column_name::text FROM information_schema.columns \
         WHERE table_schema = current_schema() ORDER BY 1, 2",
    );
    let sql = if engine == Engine::Sqlite { SQLITE } else { POSTGRES };
    tx.query(sql, &[], |row| Ok((row.text(0)?, row.text(1)?)))
}

/// Where `text` stands, and in how many rows.
pub(crate) fn rows_with(tx: &mut Tx<'_>, engine: Engine, text: &str) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for (table, column) in columns(tx, engine)? {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE CAST(\"{column}\" AS TEXT) LIKE '%{text}%'");
        let count = tx.query(Sql::new(sql.leak()), &[], |row| row.integer(0))?;
        if count != [0] {
            found.push(format!("{table}.{column}: {}", count[0]));
        }
    }
    Ok(found)
}
