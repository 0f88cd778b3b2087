//! What experiments of a run say, without the large parts of their results.

use autotuner_core::failure::{FailureKind, Lesson};
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::insight::Finding;
use autotuner_core::search::Role;

use super::Database;
use super::engine::{QueryBuilder, query_as};
use super::experiments::run_of;
use super::rows::{Kept, from_text, small};
use super::trouble::Doing;
use crate::StoreError;
use crate::lists::Progress;

/// Most experiments that are looked at, the first ones.
const MOST: i64 = 10_000;

/// Number, candidate, score, failure.
type FindingRow = (i64, String, Option<String>, Option<String>);

impl Database {
    /// What each experiment of a run came to that has ended, oldest first, ten thousand at most;
    /// of the current run when `run` is `None`. What another program measured is left out.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::NoSuchRun`].
    pub async fn findings(&self, task: TaskId, run: Option<u32>) -> Result<Vec<Finding>, StoreError> {
        let doing = "reading what experiments came to";
        let mut transaction = self.read(doing).await?;
        let (run, _) = run_of(&mut transaction, task, run).await?;
        let rows: Vec<FindingRow> = query_as(
            // What was measured lies between the two: it is stepped over where there is no failure.
            "SELECT e.number, e.candidate, r.score, CASE WHEN e.status = 'failed' THEN r.failure END \
             FROM experiments e JOIN results r ON r.experiment = e.id \
             WHERE e.task = $1 AND e.run = $2 AND e.number <= $3 ORDER BY e.number",
        )
        .bind(task.0)
        .bind(run)
        .bind(MOST)
        .fetch_all(&mut *transaction)
        .await
        .doing(doing)?;
        let findings = rows.into_iter().map(|row| finding(task, row));
        findings.filter_map(Result::transpose).collect()
    }

    /// How far the current run of a task is.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    pub async fn progress_of(&self, task: TaskId) -> Result<Progress, StoreError> {
        let doing = "reading how far a run is";
        let mut query = QueryBuilder::new(
            self.engine(),
            "SELECT (SELECT count(*) FROM experiments e WHERE e.task = t.id AND e.run = t.run \
             AND e.ended_at_ms IS NOT NULL AND e.role = ",
        );
        query.push_bind(Role::Search.keep());
        query.push(" AND (e.failure_kind IS NULL OR e.failure_kind NOT IN (");
        let mut lost = FailureKind::ALL.to_vec();
        lost.retain(|kind| kind.lesson() == Lesson::Nothing);
        query.push_list(lost.iter().map(Kept::keep));
        query.push(
            "))), b.objective_score FROM tasks t LEFT JOIN experiments b ON b.id = t.best_experiment \
             WHERE t.id = ",
        );
        query.push_bind(task.0);
        let row: Option<(i64, Option<f64>)> = query
            .build_as()
            .fetch_optional(&self.readers)
            .await
            .doing(doing)?;
        let (done, best_score) = row.ok_or(StoreError::NoSuchTask(task))?;
        Ok(Progress {
            done: u32::try_from(done).unwrap_or(u32::MAX),
            best_score,
        })
    }
}

fn finding(task: TaskId, row: FindingRow) -> Result<Option<Finding>, StoreError> {
    let (number, candidate, score, failure) = row;
    let what = || format!("experiment {number} of task {task}");
    let outcome = match (score, failure) {
        (Some(score), _) => Ok(from_text(&score, what)?),
        (None, Some(failure)) => Err(from_text(&failure, what)?),
        (None, None) => return Ok(None),
    };
    let number = small(number, "number of an experiment").map(ExperimentNumber);
    Ok(Some(Finding {
        number: number.map_err(|strange| strange.of(what()))?,
        candidate: from_text(&candidate, what)?,
        outcome,
    }))
}
