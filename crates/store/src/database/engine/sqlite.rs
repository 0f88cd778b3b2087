//! What is particular to SQLite: one file, one writer, readers beside it.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Connection as _, Error};

use super::{Found, PATIENCE, Trouble};

/// Begins a transaction that will write. A transaction that begins by reading and wants to
/// write later is refused at once when another one has written meanwhile.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Requests that read at once; more of them wait for one of these.
const READERS: u32 = 8;
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
pub(super) fn trouble(code: &str) -> Trouble {
    // The low byte is the code; the rest says more of it.
    match code.parse::<u32>().ok().map(|code| code & 0xff) {
        Some(5 | 6) => Trouble::Busy,
        Some(8 | 10 | 13 | 14) => Trouble::CannotWrite,
        _ => Trouble::Other,
    }
}

/// What the file behind a connection holds.
pub(crate) async fn found(connection: &mut SqliteConnection) -> Result<Found, Error> {
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

/// The pool of the one writer. One whose transaction was ended by a full disk is replaced.
pub(crate) async fn writer(options: SqliteConnectOptions) -> Result<SqlitePool, Error> {
    let pool = pool(1).after_release(|connection, _| Box::pin(is_at_rest(connection)));
    pool.connect_with(options).await
}

/// The pool of those who read.
pub(crate) async fn readers(options: SqliteConnectOptions) -> Result<SqlitePool, Error> {
    pool(READERS).connect_with(options).await
}

/// The pools of who only looks at a file. Whoever writes all the same is told that it cannot be.
pub(crate) async fn looking(path: &Path) -> Result<(SqlitePool, SqlitePool), Error> {
    let pool = || {
        SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
    };
    let readers = pool().connect_with(copying_from(path)).await?;
    Ok((readers, pool().connect_lazy_with(copying_from(path))))
}

/// Connections to a file stay good, and to make one costs more than to keep it.
fn pool(size: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Whether a writer that was given back can write again. A full disk ends a transaction behind
/// the driver's back, which then believes for ever that it is in one; such a writer is replaced.
async fn is_at_rest(connection: &mut SqliteConnection) -> Result<bool, Error> {
    // What was begun and dropped is undone before this is answered.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// Copies everything that is committed into an empty file.
pub(crate) async fn copy_into(connection: &mut SqliteConnection, to: &str) -> Result<(), Error> {
    sqlx::query("VACUUM INTO $1").bind(to).execute(connection).await?;
    Ok(())
}

/// What is wrong with the file, in the engine's words.
pub(crate) async fn damage(connection: &mut SqliteConnection) -> Result<Vec<String>, Error> {
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
