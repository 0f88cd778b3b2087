//! What the processes that share a database tell each other at once, and by whose clock they live.
//!
//! Notices are hints: who was not connected has missed them, is told so, and looks at the tables.
//! A database that is one process' own has none of either.

use std::time::Duration;

use sqlx::postgres::PgListener;

use super::Database;
use super::engine::{Pool, query, query_scalar};
use super::trouble::Doing;
use crate::StoreError;

/// The longest text of a notice, in bytes: PostgreSQL takes less than 8,000.
pub const LONGEST_NOTICE: usize = 7_900;

/// How long the server is waited for until it listens to us.
const CONNECTING: Duration = Duration::from_secs(10);

/// Hears what other processes tell.
#[derive(Debug)]
pub struct Listener {
    inner: PgListener,
}

/// What is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Somebody has told this.
    Notice(String),
    /// The connection was lost and is there again: something may have been missed.
    Gap,
}

impl Database {
    /// Listens from now on to what others on this database tell, and to what this process tells
    /// itself. `None` where nobody else can be on it.
    ///
    /// # Errors
    /// The server cannot be asked.
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        let doing = "listening to other processes";
        let Pool::Postgres(pool, _) = &self.writer else {
            return Ok(None);
        };
        let channel = self.channel().await?;
        let connecting = async {
            let mut inner = PgListener::connect_with(pool).await?;
            // Else the one that is kept for listening keeps a closed pool open.
            inner.ignore_pool_close_event(true);
            inner.listen(&channel).await?;
            Ok(inner)
        };
        let connected = tokio::time::timeout(CONNECTING, connecting).await;
        let inner = connected.map_err(|_| StoreError::Busy { doing })?.doing(doing)?;
        Ok(Some(Listener { inner }))
    }

    /// Tells everybody who listens; nothing where nobody else can be on this database.
    ///
    /// # Errors
    /// The server cannot be asked, or the text is longer than [`LONGEST_NOTICE`].
    pub async fn notify(&self, notice: &str) -> Result<(), StoreError> {
        if !self.is_shared() {
            return Ok(());
        }
        let channel = self.channel().await?;
        let told = query("SELECT pg_notify($1, $2)").bind(channel).bind(notice);
        told.execute(&self.writer)
            .await
            .doing("telling other processes")?;
        Ok(())
    }

    /// What time it is for everybody on this database, milliseconds since the Unix epoch; `None`
    /// where each has only its own clock.
    ///
    /// # Errors
    /// The server cannot be asked.
    pub async fn now_ms(&self) -> Result<Option<i64>, StoreError> {
        if !self.is_shared() {
            return Ok(None);
        }
        let now = query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint");
        now.fetch_one(&self.readers)
            .await
            .map(Some)
            .doing("asking for the time")
    }

    /// Whether processes on several machines may be on it.
    pub fn is_shared(&self) -> bool {
        matches!(self.writer, Pool::Postgres(..))
    }

    /// Each schema has its own: two installations in one database do not hear each other.
    async fn channel(&self) -> Result<String, StoreError> {
        let schema: String = query_scalar("SELECT current_schema()::text")
            .fetch_one(&self.readers)
            .await
            .doing("asking for the schema")?;
        Ok(format!("inference-autotuner {schema}"))
    }
}

impl Listener {
    /// What is told next. Nothing is lost when the wait is given up. A connection that breaks is
    /// made again, and that is told as a gap.
    ///
    /// # Errors
    /// The server cannot be reached; asking again tries again.
    pub async fn next(&mut self) -> Result<Heard, StoreError> {
        let heard = self.inner.try_recv().await;
        Ok(match heard.doing("listening to other processes")? {
            Some(notice) => Heard::Notice(notice.payload().to_owned()),
            None => Heard::Gap,
        })
    }
}
