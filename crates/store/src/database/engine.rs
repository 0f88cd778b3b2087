//! What is particular to the database engine, in one place.
//!
//! Everything else is SQL that SQLite and PostgreSQL both speak: `$1` placeholders, `ON CONFLICT`,
//! `RETURNING`, JSON as text, times as whole milliseconds.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// The database engine.
pub(crate) type Engine = sqlx::Sqlite;
/// One connection to it.
pub(crate) type Connection = sqlx::SqliteConnection;
/// Connections to it.
pub(crate) type Pool = sqlx::SqlitePool;
/// How to make a pool.
pub(crate) type PoolOptions = sqlx::sqlite::SqlitePoolOptions;
/// A transaction on it.
pub(crate) type Transaction = sqlx::Transaction<'static, Engine>;

/// Begins a transaction that will write. A transaction that begins by reading and wants to
/// write later is refused at once when another one has written meanwhile.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Compares with a pattern, ASCII letters of either case alike.
pub(crate) const LIKE_IN_EITHER_CASE: &str = "LIKE";

/// Whether the score of a result `r` is of one that may be chosen; so is one that another program
/// has made.
pub(crate) const IS_FEASIBLE: &str = "COALESCE(json_extract(r.score, '$.feasible'), TRUE)";

/// How long a writer waits for another program that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Every step from an empty database to today's.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How a file is opened that must be there and that others may write meanwhile.
pub(crate) fn copying_from(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
}

/// How a file is opened that must be there and beside which nothing may be left. One that was
/// closed in order is read as it stands; one that was not has a log beside it already, and what
/// is in the log counts.
pub(crate) fn looking_at(path: &Path) -> SqliteConnectOptions {
    let is_beside = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        Path::new(&name).exists()
    };
    copying_from(path).immutable(!is_beside("-wal") && !is_beside("-journal"))
}

/// How a file is opened that must be there and is written. What is committed is on the disk.
pub(crate) fn writing_to(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("journal_size_limit", "67108864")
}

/// Rows that a reading connection's thread may be ahead of who reads them: a page, so that the
/// two do not wait for each other at every row. When it is full the thread waits.
const ROWS_AHEAD: usize = 1000;

/// How a file is opened for reading beside a writer.
pub(crate) fn reading_from(path: &Path) -> SqliteConnectOptions {
    writing_to(path)
        .pragma("query_only", "ON")
        .row_buffer_size(ROWS_AHEAD)
}

/// What SQLite's result code means to whoever asked.
pub(crate) enum Trouble {
    /// Another program has the file.
    Busy,
    /// The disk is full, cannot be written or does not answer.
    CannotWrite,
    /// Anything else.
    Other,
}

/// What kind of trouble it was.
pub(crate) fn trouble(error: &dyn sqlx::error::DatabaseError) -> Trouble {
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    // The low byte is the code; the rest says more of it.
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => Trouble::Busy,
        Some(8 | 10 | 13 | 14) => Trouble::CannotWrite,
        _ => Trouble::Other,
    }
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing yet.
    Nothing,
    /// This product's tables, brought up to this migration.
    Schema(i64),
    /// Another program's tables.
    Stranger,
}

/// What the file behind a connection holds.
pub(crate) async fn found(connection: &mut Connection) -> Result<Found, sqlx::Error> {
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
        .fetch_all(&mut *connection)
        .await?;
    if !tables.iter().any(|table| table == "_sqlx_migrations") {
        return Ok(if tables.is_empty() {
            Found::Nothing
        } else {
            Found::Stranger
        });
    }
    let version: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await?;
    Ok(version.map_or(Found::Nothing, Found::Schema))
}

/// Copies everything that is committed into an empty file.
pub(crate) async fn copy_into(connection: &mut Connection, to: &str) -> Result<(), sqlx::Error> {
    sqlx::query("VACUUM INTO $1").bind(to).execute(connection).await?;
    Ok(())
}

/// What is wrong with the file, in the engine's words.
pub(crate) async fn damage(connection: &mut Connection) -> Result<Vec<String>, sqlx::Error> {
    let mut told: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_all(&mut *connection)
        .await?;
    told.retain(|line| line != "ok");
    let orphans: Vec<(String, Option<i64>, String, i64)> = sqlx::query_as("PRAGMA foreign_key_check")
        .fetch_all(connection)
        .await?;
    told.extend(orphans.into_iter().map(|(table, row, parent, _)| {
        let row = row.map_or_else(|| "a row".into(), |row| format!("row {row}"));
        format!("{row} of {table} belongs to a row of {parent} that is not there")
    }));
    Ok(told)
}
