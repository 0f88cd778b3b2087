//! Figures of everything, from counts that are kept rather than from scans.

use std::collections::BTreeMap;

use autotuner_core::ids::{ExperimentId, ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentStatus, TaskStatus};

use super::Database;
use super::engine::{query_as, query_scalar};
use super::rows::{Kept, Strange, SummaryRow, small, summary_columns};
use super::trouble::Doing;
use crate::StoreError;
use crate::records::{Statistics, TimelineEntry};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Most entries of a timeline, and most running tasks that are told of.
const MOST: i64 = 10_000;

/// Read by place: a timeline has thousands of rows, and looking names up is a good part of the
/// work.
type TimelineRow = (i64, i64, i64, String, i64, Option<i64>, Option<f64>);

impl Database {
    /// Figures of everything.
    ///
    /// # Errors
    /// The database fails.
    pub async fn statistics(&self, now_ms: i64) -> Result<Statistics, StoreError> {
        let doing = "counting";
        let mut transaction = self.read(doing).await?;
        let tallies: Vec<(String, i64)> = query_as("SELECT name, amount FROM tallies")
            .fetch_all(&mut *transaction)
            .await
            .doing(doing)?;
        let tallies: BTreeMap<String, i64> = tallies.into_iter().collect();
        let tally = |name: String| {
            let amount = tallies.get(&name).copied().unwrap_or(0);
            u64::try_from(amount).unwrap_or(0)
        };
        let since = now_ms.saturating_sub(DAY_MS);
        let tasks_since: i64 = query_scalar("SELECT count(*) FROM tasks WHERE created_at_ms > $1")
            .bind(since)
            .fetch_one(&mut *transaction)
            .await
            .doing(doing)?;
        let experiments_since: i64 =
            query_scalar("SELECT count(*) FROM experiments WHERE started_at_ms > $1")
                .bind(since)
                .fetch_one(&mut *transaction)
                .await
                .doing(doing)?;
        let running: Vec<SummaryRow> = query_as(concat!(
            "SELECT ",
            summary_columns!(),
            " FROM tasks t WHERE t.status = $1 ORDER BY t.id DESC LIMIT $2"
        ))
        .bind(TaskStatus::Running.keep())
        .bind(MOST)
        .fetch_all(&mut *transaction)
        .await
        .doing(doing)?;
        let running = running.into_iter().map(SummaryRow::summary);
        Ok(Statistics {
            tasks: TaskStatus::ALL
                .map(|status| (status, tally(format!("task.{status}"))))
                .to_vec(),
            experiments: ExperimentStatus::ALL
                .map(|status| (status.as_str(), tally(format!("experiment.{status}"))))
                .to_vec(),
            tasks_last_24h: u64::try_from(tasks_since).unwrap_or(0),
            experiments_last_24h: u64::try_from(experiments_since).unwrap_or(0),
            mean_experiment_seconds: mean_seconds(
                tally("success.milliseconds".into()),
                tally(format!("experiment.{}", ExperimentStatus::Success)),
            ),
            running: running.collect::<Result<_, _>>()?,
        })
    }

    /// Experiments begun since then, oldest first, ten thousand at most.
    ///
    /// # Errors
    /// The database fails.
    pub async fn timeline(&self, since_ms: i64) -> Result<Vec<TimelineEntry>, StoreError> {
        let rows: Vec<TimelineRow> = query_as(
            "SELECT id, task, number, status, started_at_ms, ended_at_ms, objective_score \
             FROM experiments WHERE started_at_ms >= $1 ORDER BY started_at_ms, id LIMIT $2",
        )
        .bind(since_ms)
        .bind(MOST)
        .fetch_all(&self.readers)
        .await
        .doing("reading the timeline")?;
        rows.into_iter().map(entry).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact to 2^53 ms, 285,000 years")]
fn mean_seconds(milliseconds: u64, count: u64) -> Option<f64> {
    (count > 0).then(|| milliseconds as f64 / 1000.0 / count as f64)
}

fn entry(row: TimelineRow) -> Result<TimelineEntry, StoreError> {
    let (id, task, number, status, started_at_ms, ended_at_ms, objective_score) = row;
    let told = |strange: Strange| strange.of(format!("experiment {id}"));
    Ok(TimelineEntry {
        id: ExperimentId(id),
        task: TaskId(task),
        number: ExperimentNumber(small(number, "number of an experiment").map_err(told)?),
        status: ExperimentStatus::recall(status).map_err(told)?.as_str(),
        started_at_ms,
        completed_at_ms: ended_at_ms,
        objective_score,
    })
}
