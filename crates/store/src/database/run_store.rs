//! What running a claimed task remembers.
//!
//! The one idea: every write takes hold of the task's row under the claim first, in the same
//! transaction. Where the claim is no longer held, nothing is written, and the caller learns that
//! it has lost the task before it learns anything else of it. Only the end of a run is told as
//! illegal after that end, by whomever it was brought about.

use async_trait::async_trait;
use autotuner_core::experiment::{Experiment, LaunchFacts, Measured};
use autotuner_core::failure::Failure;
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, ExperimentStatus, TaskMove, TaskStatus};
use autotuner_core::plan::Next;
use autotuner_core::score::Score;

use super::engine::{Connection, Transaction, query, query_as, query_scalar};
use super::experiments::numbered;
use super::rows::{ExperimentRow, Kept, StoredResult, document, from_text, small, to_text};
use super::tasks::target;
use super::trouble::Doing;
use super::{Claim, RunStore, alike, claims, containers, runs, standings};
use crate::{IsAlike, Store, StoreError};

#[async_trait]
impl Store for RunStore {
    async fn task_status(&self, task: TaskId) -> Result<TaskStatus, StoreError> {
        let status: Option<String> = query_scalar("SELECT status FROM tasks WHERE id = $1")
            .bind(task.0)
            .fetch_optional(&self.database.readers)
            .await
            .doing("reading a task")?;
        let status = status.ok_or(StoreError::NoSuchTask(task))?;
        TaskStatus::recall(status).map_err(|strange| strange.of(target(task)))
    }

    async fn end_task(
        &self,
        task: TaskId,
        wanted: TaskMove,
        because: &str,
        now_ms: i64,
    ) -> Result<TaskStatus, StoreError> {
        let mut transaction = self.database.write_rows("ending a run").await?;
        self.known(&mut transaction, task).await?;
        let held = hold(&mut transaction, &self.claim).await?;
        let status = match held {
            Some(_) => TaskStatus::Running,
            None => state(&mut transaction, &self.claim).await?,
        };
        let next = status.after(wanted)?;
        if !next.is_ended() {
            // Beginning is not for who runs it; from an ended status every end is illegal.
            next.after(TaskMove::Start)?;
        }
        if held.is_none() {
            return Err(StoreError::LeaseLost(task));
        }
        runs::end(&mut transaction, task, next, because, now_ms).await?;
        transaction.commit().await.doing("ending a run")?;
        Ok(next)
    }

    async fn begin_experiment(
        &self,
        task: TaskId,
        next: Next,
        now_ms: i64,
    ) -> Result<ExperimentNumber, StoreError> {
        let doing = "beginning an experiment";
        let Next {
            role,
            candidate,
            reason,
            attempt,
        } = next;
        let (mut transaction, held) = self.begin(task, doing).await?;
        let number = held.total + 1;
        query("UPDATE tasks SET total_experiments = $1 WHERE id = $2")
            .bind(number)
            .bind(task.0)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        // At the end: whoever begins another one counts it in the same row, and waits.
        query(
            "INSERT INTO experiments (task, run, number, role, attempt, status, candidate, reason, \
             started_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(task.0)
        .bind(i64::from(self.claim.run))
        .bind(number)
        .bind(role.keep())
        .bind(i64::from(attempt))
        .bind(ExperimentStatus::Pending.keep())
        .bind(to_text(&candidate))
        .bind(reason)
        .bind(now_ms)
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        transaction.commit().await.doing(doing)?;
        let number = small(number, "number of an experiment");
        number
            .map(ExperimentNumber)
            .map_err(|strange| strange.of(target(task)))
    }

    async fn move_experiment(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        wanted: ExperimentMove,
    ) -> Result<(), StoreError> {
        let doing = "moving an experiment";
        let (mut transaction, open) = self.begin_with(task, number, doing).await?;
        let next = open.status.after(wanted)?;
        if next.is_ended() {
            // Ending needs a result; from an ended status every move is illegal.
            next.after(wanted)?;
        }
        query("UPDATE experiments SET status = $1 WHERE id = $2 AND status = $3")
            .bind(next.keep())
            .bind(open.id)
            .bind(open.status.keep())
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        transaction.commit().await.doing(doing)
    }

    async fn record_launch(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        facts: LaunchFacts,
    ) -> Result<(), StoreError> {
        let doing = "recording a launch";
        let (mut transaction, open) = self.begin_with(task, number, doing).await?;
        query(
            "INSERT INTO results (experiment, launch) VALUES ($1, $2) \
             ON CONFLICT (experiment) DO UPDATE SET launch = excluded.launch",
        )
        .bind(open.id)
        .bind(to_text(&facts))
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        containers::keep(&mut transaction, open.id, &facts).await?;
        transaction.commit().await.doing(doing)
    }

    async fn record_stop(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let doing = "recording the stop of an engine";
        let (mut transaction, found) = self.begin_with(task, number, doing).await?;
        containers::end(&mut transaction, found.id, now_ms).await?;
        transaction.commit().await.doing(doing)
    }

    async fn finish_experiment(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        result: Result<Measured, Failure>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let doing = "ending an experiment";
        let wanted = if result.is_ok() {
            ExperimentMove::Succeed
        } else {
            ExperimentMove::Fail
        };
        let (mut transaction, open) = self.begin_with(task, number, doing).await?;
        let next = open.status.after(wanted)?;
        let score = result.as_ref().ok().map(|measured| measured.score.clone());
        let stored = StoredResult::keep(&result);
        let worth = score.as_ref().map(Score::lower_is_better);
        let moves = (open.status, next);
        claims::end_experiment(&mut transaction, open.id, moves, stored, worth, now_ms).await?;
        if let Some(score) = score {
            count_success(&mut transaction, task, open.best, (open.id, number, &score)).await?;
        }
        if let Some(best) = standings::best_of_repeated(&mut transaction, task).await? {
            query("UPDATE tasks SET best_experiment = $1 WHERE id = $2")
                .bind(best)
                .bind(task.0)
                .execute(&mut *transaction)
                .await
                .doing(doing)?;
        }
        transaction.commit().await.doing(doing)
    }

    async fn history(&self, task: TaskId) -> Result<Vec<Experiment>, StoreError> {
        let doing = "reading the history of a run";
        let mut connection = self.database.readers.acquire().await.doing(doing)?;
        self.known(&mut connection, task).await?;
        let run = i64::from(self.claim.run);
        let rows = numbered(&mut connection, task, run, 0, i64::MAX).await?;
        experiments(rows)
    }

    async fn alike(
        &self,
        task: TaskId,
        most: usize,
        is_alike: &IsAlike<'_>,
    ) -> Result<Vec<Vec<Experiment>>, StoreError> {
        let doing = "looking for runs alike";
        let mut connection = self.database.readers.acquire().await.doing(doing)?;
        self.known(&mut connection, task).await?;
        let mut found = Vec::new();
        for (task, run, text) in alike::ended_before(&mut connection, task).await? {
            let document = document(&text, || target(TaskId(task)))?;
            if found.len() < most && is_alike(&document) {
                let rows = numbered(&mut connection, TaskId(task), run, 0, i64::MAX).await?;
                found.push(experiments(rows)?);
            }
        }
        Ok(found)
    }
}

fn experiments(rows: Vec<ExperimentRow>) -> Result<Vec<Experiment>, StoreError> {
    rows.into_iter()
        .map(|row| ExperimentRow::record(row).map(|record| record.experiment))
        .collect()
}

/// What was held under the claim.
#[derive(Debug)]
struct Held {
    total: i64,
    best: Option<i64>,
}

/// An experiment that is to be changed.
#[derive(Debug)]
struct Found {
    id: i64,
    status: ExperimentStatus,
    /// The best of the run so far.
    best: Option<i64>,
}

impl RunStore {
    /// Begins to write, with the task in hand.
    async fn begin(&self, task: TaskId, doing: &'static str) -> Result<(Transaction, Held), StoreError> {
        let mut transaction = self.database.write_rows(doing).await?;
        self.known(&mut transaction, task).await?;
        match hold(&mut transaction, &self.claim).await? {
            Some(held) => Ok((transaction, held)),
            None => {
                state(&mut transaction, &self.claim).await?;
                Err(StoreError::LeaseLost(task))
            }
        }
    }

    /// The same, with one of the run's experiments in sight.
    async fn begin_with(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        doing: &'static str,
    ) -> Result<(Transaction, Found), StoreError> {
        let (mut transaction, held) = self.begin(task, doing).await?;
        let row: Option<(i64, String)> =
            query_as("SELECT id, status FROM experiments WHERE task = $1 AND run = $2 AND number = $3")
                .bind(task.0)
                .bind(i64::from(self.claim.run))
                .bind(i64::from(number.0))
                .fetch_optional(&mut *transaction)
                .await
                .doing(doing)?;
        let (id, status) = row.ok_or(StoreError::NoSuchExperiment { task, number })?;
        let status = ExperimentStatus::recall(status);
        let status = status.map_err(|strange| strange.of(format!("experiment {id}")))?;
        let best = held.best;
        Ok((transaction, Found { id, status, best }))
    }

    /// A claim is of one task: of another one nothing is told but whether it is there.
    async fn known(&self, connection: &mut Connection, task: TaskId) -> Result<(), StoreError> {
        if task == self.claim.task {
            return Ok(());
        }
        let known: Option<i64> = query_scalar("SELECT id FROM tasks WHERE id = $1")
            .bind(task.0)
            .fetch_optional(connection)
            .await
            .doing("reading a task")?;
        Err(match known {
            Some(_) => StoreError::LeaseLost(task),
            None => StoreError::NoSuchTask(task),
        })
    }
}

/// Takes hold of a task under a claim: the fence. `None` where the claim is not held any more.
/// The update changes nothing; it keeps every other writer out until the transaction ends.
async fn hold(connection: &mut Connection, claim: &Claim) -> Result<Option<Held>, StoreError> {
    let row: Option<(i64, Option<i64>)> = query_as(
        "UPDATE tasks SET lease_epoch = lease_epoch \
         WHERE id = $1 AND run = $2 AND lease_epoch = $3 AND lease_until_ms IS NOT NULL AND status = $4 \
         RETURNING total_experiments, best_experiment",
    )
    .bind(claim.task.0)
    .bind(i64::from(claim.run))
    .bind(claim.epoch)
    .bind(TaskStatus::Running.keep())
    .fetch_optional(connection)
    .await
    .doing("holding a task")?;
    Ok(row.map(|(total, best)| Held { total, best }))
}

/// Where a task is whose claim is not held any more: its status, while its run is still the
/// claim's and nobody else has claimed it since.
async fn state(connection: &mut Connection, claim: &Claim) -> Result<TaskStatus, StoreError> {
    let row: Option<(String, i64, i64)> =
        query_as("SELECT status, run, lease_epoch FROM tasks WHERE id = $1")
            .bind(claim.task.0)
            .fetch_optional(connection)
            .await
            .doing("reading a task")?;
    let (status, run, epoch) = row.ok_or(StoreError::NoSuchTask(claim.task))?;
    if run != i64::from(claim.run) || epoch != claim.epoch {
        return Err(StoreError::LeaseLost(claim.task));
    }
    TaskStatus::recall(status).map_err(|strange| strange.of(target(claim.task)))
}

/// Counts a success, and makes it the best where it is: better by [`Score`]'s own order, or as
/// good and earlier, as `autotuner_core::verdict` has it while nothing was measured again.
async fn count_success(
    connection: &mut Connection,
    task: TaskId,
    best: Option<i64>,
    (id, number, score): (i64, ExperimentNumber, &Score),
) -> Result<(), StoreError> {
    let doing = "counting a success";
    let mut new_best = id;
    if let Some(best) = best {
        let (text, best_number): (String, i64) = query_as(
            "SELECT r.score, e.number FROM results r JOIN experiments e ON e.id = r.experiment \
             WHERE e.id = $1",
        )
        .bind(best)
        .fetch_one(&mut *connection)
        .await
        .doing(doing)?;
        let best_score: Score = from_text(&text, || format!("experiment {best}"))?;
        let is_better = score
            .cmp(&best_score)
            .then(best_number.cmp(&i64::from(number.0)))
            .is_gt();
        if !is_better {
            new_best = best;
        }
    }
    query(
        "UPDATE tasks SET successful_experiments = successful_experiments + 1, best_experiment = $1 \
         WHERE id = $2",
    )
    .bind(new_best)
    .bind(task.0)
    .execute(connection)
    .await
    .doing(doing)?;
    Ok(())
}
