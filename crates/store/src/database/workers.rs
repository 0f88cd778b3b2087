//! Who runs tasks of a shared database, for people to look at.

use super::Database;
use super::engine::{query, query_as};
use super::trouble::Doing;
use crate::StoreError;

/// Times are the server's: machines' own clocks may differ.
const NOW_MS: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// A worker that is forgotten: it has given no sign of life for so long.
const FORGOTTEN_MS: i64 = 24 * 60 * 60 * 1000;

/// A worker, as it last said.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct WorkerRecord {
    /// Who it is in claims.
    pub owner: String,
    /// What people call its machine.
    pub name: String,
    /// How long ago it said so.
    pub age_ms: i64,
    /// What it does, as it writes that down.
    pub board: String,
}

impl Database {
    /// Puts down what a worker does at the moment; nothing where nobody else can look.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tell_worker(&self, owner: &str, name: &str, board: &str) -> Result<(), StoreError> {
        if !self.is_shared() {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO workers (owner, name, seen_at_ms, board) VALUES ($1, $2, {NOW_MS}, $3) \
             ON CONFLICT (owner) DO UPDATE SET seen_at_ms = excluded.seen_at_ms, board = excluded.board"
        );
        query(sqlx::AssertSqlSafe(sql))
            .bind(owner)
            .bind(name)
            .bind(board)
            .execute(&self.writer)
            .await
            .doing("putting down what a worker does")?;
        Ok(())
    }

    /// Every worker that gave a sign of life in this time, by name; none where nobody else can be.
    ///
    /// # Errors
    /// The database fails.
    pub async fn workers(&self, within_ms: i64) -> Result<Vec<WorkerRecord>, StoreError> {
        if !self.is_shared() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT owner, name, {NOW_MS} - seen_at_ms AS age_ms, board FROM workers \
             WHERE seen_at_ms >= {NOW_MS} - $1 ORDER BY name, owner"
        );
        query_as(sqlx::AssertSqlSafe(sql))
            .bind(within_ms)
            .fetch_all(&self.readers)
            .await
            .doing("reading what workers do")
    }

    /// Forgets a worker that ends, and those that have been gone for a day.
    ///
    /// # Errors
    /// The database fails.
    pub async fn forget_worker(&self, owner: &str) -> Result<(), StoreError> {
        if !self.is_shared() {
            return Ok(());
        }
        let sql = format!("DELETE FROM workers WHERE owner = $1 OR seen_at_ms < {NOW_MS} - $2");
        query(sqlx::AssertSqlSafe(sql))
            .bind(owner)
            .bind(FORGOTTEN_MS)
            .execute(&self.writer)
            .await
            .doing("forgetting a worker")?;
        Ok(())
    }
}
