//! What is particular to the database engines, in one place.
//!
//! Everything else is SQL that SQLite and PostgreSQL both speak: `$1` placeholders, `ON CONFLICT`,
//! `RETURNING`, JSON as text, times as whole milliseconds. Where the two differ, [`Engine`] has the
//! piece of SQL, and [`Transaction`] the way to begin.

pub(crate) mod postgres;
mod query;
pub(crate) mod sqlite;

pub(crate) use query::{Bound, Cells, QueryBuilder, query, query_as, query_scalar};

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Error, PgPool, Postgres, Sqlite, SqlitePool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a reader or writer waits for its turn. On SQLite that is twice the longest wait for
/// another program.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// Compares with a pattern, ASCII letters of either case alike. (On PostgreSQL by the
    /// collation of the columns, which knows of no other letters.)
    pub(crate) fn like_in_either_case(self) -> &'static str {
        match self {
            Self::Sqlite => "LIKE",
            Self::Postgres => "ILIKE",
        }
    }

    /// Whether the score of a result `r` is of one that may be chosen; so is one that another
    /// program has made.
    pub(crate) fn is_feasible(self) -> &'static str {
        match self {
            Self::Sqlite => "COALESCE(json_extract(r.score, '$.feasible'), TRUE)",
            Self::Postgres => "COALESCE((r.score::json ->> 'feasible')::boolean, TRUE)",
        }
    }

    /// What before a column keeps its indexes out of use. PostgreSQL chooses by itself.
    pub(crate) fn unindexed(self) -> &'static str {
        match self {
            Self::Sqlite => "+",
            Self::Postgres => "",
        }
    }

    /// What behind a look for a row takes it, and passes over those that somebody has. SQLite
    /// has one writer: nobody else has any.
    pub(crate) fn taking_one_that_is_free(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }
}

/// The tables whose ids the engine gives out know the last one, also when it is gone.
pub(crate) async fn last_id(connection: &mut Connection, table: &str) -> Result<i64, Error> {
    let engine = connection.engine();
    let sql = match engine {
        Engine::Sqlite => format!("SELECT seq FROM sqlite_sequence WHERE name = '{table}'"),
        Engine::Postgres => format!("SELECT last_value FROM {table}_id_seq WHERE is_called"),
    };
    let last = QueryBuilder::new(engine, sql).build_scalar();
    Ok(last.fetch_optional(connection).await?.unwrap_or(0))
}

/// Goes on counting ids behind this one.
pub(crate) async fn set_last_id(connection: &mut Connection, table: &str, id: i64) -> Result<(), Error> {
    if id == 0 {
        return Ok(());
    }
    match connection.engine() {
        Engine::Sqlite => {
            let forgotten = query("DELETE FROM sqlite_sequence WHERE name = $1").bind(table);
            forgotten.execute(&mut *connection).await?;
            let set = query("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)");
            set.bind(table).bind(id).execute(connection).await?;
        }
        Engine::Postgres => {
            let set = query("SELECT setval(pg_get_serial_sequence($1, 'id'), $2)");
            set.bind(table).bind(id).execute(connection).await?;
        }
    }
    Ok(())
}

/// What a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing yet.
    Nothing,
    /// This product's tables, brought up to this migration.
    Schema(i64),
    /// Another program's tables.
    Stranger,
}

/// What an engine's code of an error means to whoever asked.
pub(crate) enum Trouble {
    /// Somebody else has what is wanted, for too long.
    Busy,
    /// It cannot be written or does not answer: the disk is full, the server is gone.
    CannotWrite,
    /// Anything else.
    Other,
}

/// What kind of trouble it was.
pub(crate) fn trouble(error: &dyn sqlx::error::DatabaseError) -> Trouble {
    let Some(code) = error.code() else {
        return Trouble::Other;
    };
    match error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        Some(_) => postgres::trouble(&code),
        None => sqlite::trouble(&code),
    }
}

/// Connections, made when they are wanted.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool, Turn),
}

/// Whose turn it is among those of this process who change things for people. They wait here, not
/// with connections in hand, of which there would be none left for workers.
#[derive(Debug, Clone)]
pub(crate) struct Turn(Arc<Semaphore>);

impl Turn {
    /// Nobody's yet.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    async fn come(&self) -> Result<OwnedSemaphorePermit, Error> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await;
        turn.map_err(|_| Error::PoolTimedOut)?
            .map_err(|_| Error::PoolClosed)
    }
}

impl Pool {
    /// Which engine it connects to.
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(..) => Engine::Postgres,
        }
    }

    /// One connection, given back when it is dropped.
    pub(crate) async fn acquire(&self) -> Result<Connection, Error> {
        match self {
            Self::Sqlite(pool) => pool.acquire().await.map(Held::Alone).map(Connection::Sqlite),
            Self::Postgres(pool, _) => {
                let acquired = pool.acquire().await.map_err(|error| unanswered(pool, error));
                acquired.map(Held::Alone).map(Connection::Postgres)
            }
        }
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&self, purpose: Purpose) -> Result<Transaction, Error> {
        match self {
            Self::Sqlite(pool) => {
                let begun = match purpose {
                    Purpose::Read => pool.begin().await,
                    Purpose::Write | Purpose::WriteRows => pool.begin_with(sqlite::BEGIN_WRITE).await,
                };
                Ok(Transaction {
                    connection: Connection::Sqlite(Held::Within(begun?)),
                    _turn: None,
                })
            }
            Self::Postgres(pool, turn) => {
                let turn = match purpose {
                    Purpose::Write => Some(turn.come().await?),
                    Purpose::Read | Purpose::WriteRows => None,
                };
                let begun = pool.begin_with(postgres::begin(purpose)).await;
                let begun = begun.map_err(|error| unanswered(pool, error))?;
                let mut transaction = Transaction {
                    connection: Connection::Postgres(Held::Within(begun)),
                    _turn: turn,
                };
                if purpose == Purpose::Write {
                    // Among the processes.
                    query(postgres::TAKE_TURN).execute(&mut *transaction).await?;
                }
                Ok(transaction)
            }
        }
    }

    /// Waits for what is under way, and closes.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool, _) => pool.close().await,
        }
    }
}

/// A pool waits for a server that does not answer as it waits for a connection that somebody
/// else has. Where it could have made another one, it was the server.
fn unanswered(pool: &PgPool, error: Error) -> Error {
    match error {
        Error::PoolTimedOut if pool.size() < pool.options().get_max_connections() => Error::Io(
            io::Error::new(io::ErrorKind::TimedOut, "the server does not answer"),
        ),
        error => error,
    }
}

/// What a transaction is begun for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To read: everything that is read is of one moment.
    Read,
    /// To write: whoever else begins with this waits until it ends.
    Write,
    /// To write what hangs on rows that it takes hold of first. Where several may write, only
    /// who wants one of the same rows waits.
    WriteRows,
}

/// One connection, in a transaction or not.
pub(crate) enum Connection {
    Sqlite(Held<Sqlite>),
    Postgres(Held<Postgres>),
}

impl Connection {
    /// Which engine it is connected to.
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }
}

/// A connection, or a transaction on it.
pub(crate) enum Held<DB: sqlx::Database> {
    Alone(PoolConnection<DB>),
    Within(sqlx::Transaction<'static, DB>),
}

impl<DB: sqlx::Database> Deref for Held<DB> {
    type Target = DB::Connection;
    fn deref(&self) -> &Self::Target {
        match self {
            Self::Alone(connection) => connection,
            Self::Within(transaction) => transaction,
        }
    }
}

impl<DB: sqlx::Database> DerefMut for Held<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Alone(connection) => connection,
            Self::Within(transaction) => transaction,
        }
    }
}

/// A transaction; undone when it is dropped.
pub(crate) struct Transaction {
    connection: Connection,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Transaction {
    /// Makes what it did last.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self.connection {
            Connection::Sqlite(Held::Within(transaction)) => transaction.commit().await,
            Connection::Postgres(Held::Within(transaction)) => postgres::answered(transaction.commit()).await,
            Connection::Sqlite(Held::Alone(_)) | Connection::Postgres(Held::Alone(_)) => Ok(()),
        }
    }
}

impl Deref for Transaction {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
