//! Taking over tasks of another program, as runs that have ended.

use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::{ExperimentStatus, TaskStatus};
use autotuner_core::search::Role;
use serde_json::json;

use super::engine::{Connection, query, query_scalar};
use super::rows::{Kept, to_text};
use super::tasks::{insert, refused, target, task_in};
use super::trouble::Doing;
use super::{Database, audit};
use crate::StoreError;
use crate::records::{Act, ImportedExperiment, ImportedTask, TaskRecord};

impl Database {
    /// Keeps a task of another program with its experiments, which are numbered in their order.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`]; [`StoreError::Illegal`] for a task that runs, since nobody
    /// would run it here.
    pub async fn import_task(&self, act: &Act, imported: ImportedTask) -> Result<TaskRecord, StoreError> {
        let doing = "taking over a task";
        let ImportedTask {
            task,
            status,
            created_at_ms,
            started_at_ms,
            completed_at_ms,
            ended_because,
            experiments,
            best,
        } = imported;
        if status == TaskStatus::Running {
            return Err(refused("import", status));
        }
        let mut transaction = self.write(doing).await?;
        let id = insert(&mut transaction, &task, created_at_ms).await?;
        let (mut best_id, mut successes) = (None, 0_i64);
        for (index, experiment) in experiments.iter().enumerate() {
            let experiment_id = insert_foreign(&mut transaction, id, index, experiment).await?;
            successes += i64::from(experiment.is_success);
            if best == Some(index) {
                best_id = Some(experiment_id);
            }
        }
        query(
            "UPDATE tasks SET status = $1, started_at_ms = $2, completed_at_ms = $3, ended_because = $4, \
             total_experiments = $5, successful_experiments = $6, best_experiment = $7 WHERE id = $8",
        )
        .bind(status.keep())
        .bind(started_at_ms)
        .bind(completed_at_ms)
        .bind(ended_because)
        .bind(i64::try_from(experiments.len()).unwrap_or(i64::MAX))
        .bind(successes)
        .bind(best_id)
        .bind(id.0)
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        let detail = json!({ "name": task.name, "experiments": experiments.len() });
        audit::record(&mut transaction, act, "task.import", &target(id), Some(detail)).await?;
        let made = task_in(&mut transaction, id).await?;
        transaction.commit().await.doing(doing)?;
        Ok(made)
    }
}

async fn insert_foreign(
    connection: &mut Connection,
    task: TaskId,
    index: usize,
    experiment: &ImportedExperiment,
) -> Result<i64, StoreError> {
    let doing = "taking over an experiment";
    let ImportedExperiment {
        candidate,
        is_success,
        started_at_ms,
        ended_at_ms,
        foreign,
    } = experiment;
    let status = if *is_success {
        ExperimentStatus::Success
    } else {
        ExperimentStatus::Failed
    };
    let id: i64 = query_scalar(
        "INSERT INTO experiments (task, run, number, role, attempt, status, candidate, reason, \
         started_at_ms, ended_at_ms, objective_score) \
         VALUES ($1, 1, $2, $3, 1, $4, $5, $6, $7, $8, $9) RETURNING id",
    )
    .bind(task.0)
    .bind(i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1))
    .bind(Role::Search.keep())
    .bind(status.keep())
    .bind(to_text(candidate))
    .bind("taken over from another program")
    .bind(started_at_ms)
    .bind(ended_at_ms)
    .bind(foreign.objective_score)
    .fetch_one(&mut *connection)
    .await
    .doing(doing)?;
    query("INSERT INTO results (experiment, foreign_result) VALUES ($1, $2)")
        .bind(id)
        .bind(to_text(foreign))
        .execute(connection)
        .await
        .doing(doing)?;
    Ok(id)
}
