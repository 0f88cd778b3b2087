//! Logs, piece by piece, where several machines share a database.
//!
//! The one idea: a log is the order in which its pieces were put down. A machine adds to the end of
//! what it has put down itself, and whoever reads goes on after the last piece that it has. What
//! is kept of the dead stays in order: pieces are put down with the task's row held, so that they
//! are seen in the order of their ids.

use autotuner_core::ids::TaskId;

use super::engine::{query, query_as, query_scalar};
use super::trouble::Doing;
use super::{Claim, Database};
use crate::StoreError;

/// The most pieces of a log that are read at once.
const AT_ONCE: i64 = 32;

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LogPiece {
    /// Grows from piece to piece of a log.
    pub id: i64,
    /// What it says.
    pub bytes: Vec<u8>,
}

/// A part of a file that somebody writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<'a> {
    /// Whose file it is: one machine's, or one data directory's.
    pub origin: &'a str,
    /// Where in that file it begins.
    pub place: u64,
    /// What it says.
    pub bytes: Vec<u8>,
}

impl Database {
    /// How many bytes of this log somebody has put down.
    ///
    /// # Errors
    /// The database fails.
    pub async fn log_length(&self, task: TaskId, name: &str, origin: &str) -> Result<u64, StoreError> {
        let length: i64 = query_scalar(
            "SELECT COALESCE(max(place + length(bytes)), 0)::bigint FROM log_pieces \
             WHERE task = $1 AND name = $2 AND origin = $3",
        )
        .bind(task.0)
        .bind(name)
        .bind(origin)
        .fetch_one(&self.writer)
        .await
        .doing("asking how long a log is")?;
        Ok(length.unsigned_abs())
    }

    /// Adds to a log of a claimed run; false if something else is at this place already, and stays.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] once the task is gone, or another worker has had it since.
    pub async fn add_to_log(
        &self,
        claim: &Claim,
        name: &str,
        written: Written<'_>,
    ) -> Result<bool, StoreError> {
        let doing = "adding to a log";
        let mut transaction = self.write_rows(doing).await?;
        let held: Option<i64> = query_scalar(
            "SELECT id FROM tasks WHERE id = $1 AND run = $2 AND lease_epoch = $3 FOR NO KEY UPDATE",
        )
        .bind(claim.task.0)
        .bind(i64::from(claim.run))
        .bind(claim.epoch)
        .fetch_optional(&mut *transaction)
        .await
        .doing(doing)?;
        held.ok_or(StoreError::LeaseLost(claim.task))?;
        let added = query(
            "INSERT INTO log_pieces (task, name, origin, place, bytes) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(claim.task.0)
        .bind(name)
        .bind(written.origin)
        .bind(i64::try_from(written.place).unwrap_or(i64::MAX))
        .bind(written.bytes)
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        transaction.commit().await.doing(doing)?;
        Ok(added > 0)
    }

    /// Some pieces of a log after this one, in order; none where there are no more.
    ///
    /// # Errors
    /// The database fails.
    pub async fn log_after(&self, task: TaskId, name: &str, id: i64) -> Result<Vec<LogPiece>, StoreError> {
        query_as(
            "SELECT id, bytes FROM log_pieces WHERE task = $1 AND name = $2 AND id > $3 ORDER BY id LIMIT $4",
        )
        .bind(task.0)
        .bind(name)
        .bind(id)
        .bind(AT_ONCE)
        .fetch_all(&self.readers)
        .await
        .doing("reading a log")
    }

    /// The first piece of a log, by its id: another one after the log was forgotten.
    ///
    /// # Errors
    /// The database fails.
    pub async fn log_begins_with(&self, task: TaskId, name: &str) -> Result<Option<i64>, StoreError> {
        query_scalar("SELECT min(id) FROM log_pieces WHERE task = $1 AND name = $2")
            .bind(task.0)
            .bind(name)
            .fetch_one(&self.readers)
            .await
            .doing("reading a log")
    }

    /// Forgets the logs of a task whose names begin so.
    ///
    /// # Errors
    /// The database fails.
    pub async fn forget_logs(&self, task: TaskId, beginning: &str) -> Result<(), StoreError> {
        query("DELETE FROM log_pieces WHERE task = $1 AND left(name, length($2)) = $2")
            .bind(task.0)
            .bind(beginning)
            .execute(&self.writer)
            .await
            .doing("forgetting logs")?;
        Ok(())
    }
}
