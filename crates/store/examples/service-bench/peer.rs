//! The peer: the same rows, asked of SQLite directly, and nothing done with them.
//!
//! What the service takes longer than this is its own: pages found, records checked, JSON written,
//! HTTP spoken. Where it takes less, its way to a page is shorter than counting rows off.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tokio::time::Instant;

use crate::Failure;

/// A connection to the file.
pub(crate) struct Peer(SqliteConnection);

impl Peer {
    /// Opens the file beside the server.
    pub(crate) async fn open(file: &Path) -> Result<Self, Failure> {
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        Ok(Self(options.row_buffer_size(1000).connect().await?))
    }

    /// How long all rows of a query take, milliseconds.
    pub(crate) async fn time(&mut self, query: &str) -> Result<f64, Failure> {
        let begun = Instant::now();
        sqlx::query(AssertSqlSafe(query.to_owned()))
            .fetch_all(&mut self.0)
            .await?;
        Ok(begun.elapsed().as_secs_f64() * 1000.0)
    }
}
