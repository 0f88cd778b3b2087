//! Moves of a task, and its runs.

use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::{TaskMove, TaskStatus};
use serde_json::json;

use super::engine::{Connection, query, query_as};
use super::rows::{Kept, RunRow};
use super::tasks::{State, insert_document, lock, refused, target, task_in, unless_taken};
use super::trouble::Doing;
use super::{Database, audit, claims};
use crate::StoreError;
use crate::records::{Act, NewTask, RunRecord, TaskRecord};

impl Database {
    /// Pending → running.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] from any other status.
    pub async fn start_task(&self, act: &Act, id: TaskId) -> Result<TaskRecord, StoreError> {
        let doing = "starting a task";
        let mut transaction = self.write(doing).await?;
        let state = lock(&mut transaction, id).await?;
        let next = state.status.after(TaskMove::Start)?;
        query("UPDATE tasks SET status = $1, started_at_ms = $2 WHERE id = $3")
            .bind(next.keep())
            .bind(act.at_ms)
            .bind(id.0)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        let detail = json!({ "run": state.run });
        audit::record(&mut transaction, act, "task.start", &target(id), Some(detail)).await?;
        let started = task_in(&mut transaction, id).await?;
        transaction.commit().await.doing(doing)?;
        Ok(started)
    }

    /// Asks for the end of a running task. One that no live claim holds is cancelled at once.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] unless it runs.
    pub async fn cancel_task(&self, act: &Act, id: TaskId) -> Result<TaskRecord, StoreError> {
        self.cancel_task_as_of(act, id, act.at_ms).await
    }

    /// The same, where claims are made by another clock than the caller's: the one of
    /// [`Database::now_ms`].
    ///
    /// # Errors
    /// Those of [`Database::cancel_task`].
    pub async fn cancel_task_as_of(
        &self,
        act: &Act,
        id: TaskId,
        now_ms: i64,
    ) -> Result<TaskRecord, StoreError> {
        let doing = "cancelling a task";
        let mut transaction = self.write(doing).await?;
        let state = lock(&mut transaction, id).await?;
        let next = state.status.after(TaskMove::Cancel)?;
        if state.lease_until_ms.is_some_and(|until| until > now_ms) {
            query("UPDATE tasks SET is_cancel_requested = TRUE WHERE id = $1")
                .bind(id.0)
                .execute(&mut *transaction)
                .await
                .doing(doing)?;
        } else {
            let because = Failure::new(FailureKind::Cancelled, "the task was cancelled");
            claims::close_open(&mut transaction, id, state.run, &because, act.at_ms).await?;
            end(&mut transaction, id, next, "cancelled", act.at_ms).await?;
        }
        let detail = json!({ "run": state.run });
        audit::record(&mut transaction, act, "task.cancel", &target(id), Some(detail)).await?;
        let cancelled = task_in(&mut transaction, id).await?;
        transaction.commit().await.doing(doing)?;
        Ok(cancelled)
    }

    /// Ended → pending, as a new run; with a new document where one is given.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] unless it has ended; [`StoreError::NameTaken`].
    pub async fn restart_task(
        &self,
        act: &Act,
        id: TaskId,
        changed: Option<NewTask>,
    ) -> Result<TaskRecord, StoreError> {
        let doing = "restarting a task";
        let mut transaction = self.write(doing).await?;
        let state = lock(&mut transaction, id).await?;
        let run = begin_next(&mut transaction, id, &state).await?;
        let detail = json!({ "run": run, "changed": changed.is_some() });
        if let Some(task) = changed {
            rewrite(&mut transaction, id, run, &task).await?;
        }
        audit::record(&mut transaction, act, "task.restart", &target(id), Some(detail)).await?;
        let restarted = task_in(&mut transaction, id).await?;
        transaction.commit().await.doing(doing)?;
        Ok(restarted)
    }

    /// Replaces a task's document; its status is pending then. The end of an earlier run stays
    /// in the run history. Illegal while it runs.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] while it runs; [`StoreError::NameTaken`].
    pub async fn edit_task(&self, act: &Act, id: TaskId, task: NewTask) -> Result<TaskRecord, StoreError> {
        let doing = "editing a task";
        let mut transaction = self.write(doing).await?;
        let state = lock(&mut transaction, id).await?;
        let run = match state.status {
            TaskStatus::Running => return Err(refused("edit", state.status)),
            TaskStatus::Pending => state.run,
            TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled => {
                begin_next(&mut transaction, id, &state).await?
            }
        };
        rewrite(&mut transaction, id, run, &task).await?;
        let detail = json!({ "name": task.name, "run": run });
        audit::record(&mut transaction, act, "task.edit", &target(id), Some(detail)).await?;
        let edited = task_in(&mut transaction, id).await?;
        transaction.commit().await.doing(doing)?;
        Ok(edited)
    }

    /// Anything but running → pending; the current run's experiments are removed for good.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] while it runs.
    pub async fn clear_task(&self, act: &Act, id: TaskId) -> Result<TaskRecord, StoreError> {
        let doing = "clearing a task";
        let mut transaction = self.write(doing).await?;
        let state = lock(&mut transaction, id).await?;
        let next = match state.status {
            TaskStatus::Running => return Err(refused("clear", state.status)),
            TaskStatus::Pending => TaskStatus::Pending,
            ended => ended.after(TaskMove::Restart)?,
        };
        let removed = query("DELETE FROM experiments WHERE task = $1 AND run = $2")
            .bind(id.0)
            .bind(state.run)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        reset(&mut transaction, id, next, state.run).await?;
        let detail = json!({ "run": state.run, "experiments": removed });
        audit::record(&mut transaction, act, "task.clear", &target(id), Some(detail)).await?;
        let cleared = task_in(&mut transaction, id).await?;
        transaction.commit().await.doing(doing)?;
        Ok(cleared)
    }

    /// Every run of a task, latest first.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    pub async fn runs(&self, id: TaskId) -> Result<Vec<RunRecord>, StoreError> {
        let rows: Vec<RunRow> = query_as(
            "SELECT x.*, d.document FROM ( \
               SELECT id AS task, run, status, total_experiments, successful_experiments, \
                 best_experiment, started_at_ms, completed_at_ms, ended_because \
               FROM tasks WHERE id = $1 \
               UNION ALL \
               SELECT task, run, status, total_experiments, successful_experiments, \
                 best_experiment, started_at_ms, completed_at_ms, ended_because \
               FROM runs WHERE task = $1 \
             ) x JOIN documents d ON d.task = x.task AND d.run = x.run ORDER BY x.run DESC",
        )
        .bind(id.0)
        .fetch_all(&self.readers)
        .await
        .doing("reading the runs of a task")?;
        if rows.is_empty() {
            return Err(StoreError::NoSuchTask(id));
        }
        rows.into_iter().map(RunRow::record).collect()
    }
}

/// Ends the current run: whoever held it holds it no longer.
pub(super) async fn end(
    connection: &mut Connection,
    id: TaskId,
    status: TaskStatus,
    because: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    query(
        "UPDATE tasks SET status = $1, completed_at_ms = $2, ended_because = $3, \
         is_cancel_requested = FALSE, lease_owner = NULL, lease_until_ms = NULL WHERE id = $4",
    )
    .bind(status.keep())
    .bind(now_ms)
    .bind(because)
    .bind(id.0)
    .execute(connection)
    .await
    .doing("ending a run")?;
    Ok(())
}

/// Puts the ended run aside and begins the next one, with the same document.
async fn begin_next(connection: &mut Connection, id: TaskId, state: &State) -> Result<i64, StoreError> {
    let doing = "beginning a run";
    let next = state.status.after(TaskMove::Restart)?;
    query(
        "INSERT INTO runs (task, run, status, total_experiments, successful_experiments, \
         best_experiment, started_at_ms, completed_at_ms, ended_because) \
         SELECT id, run, status, total_experiments, successful_experiments, best_experiment, \
         started_at_ms, completed_at_ms, ended_because FROM tasks WHERE id = $1",
    )
    .bind(id.0)
    .execute(&mut *connection)
    .await
    .doing(doing)?;
    let run = state.run + 1;
    query(
        "INSERT INTO documents (task, run, document) \
         SELECT task, $3, document FROM documents WHERE task = $1 AND run = $2",
    )
    .bind(id.0)
    .bind(state.run)
    .bind(run)
    .execute(&mut *connection)
    .await
    .doing(doing)?;
    reset(connection, id, next, run).await?;
    Ok(run)
}

/// Nothing has happened in this run yet.
async fn reset(
    connection: &mut Connection,
    id: TaskId,
    status: TaskStatus,
    run: i64,
) -> Result<(), StoreError> {
    query(
        "UPDATE tasks SET status = $1, run = $2, total_experiments = 0, successful_experiments = 0, \
         best_experiment = NULL, started_at_ms = NULL, completed_at_ms = NULL, ended_because = NULL, \
         is_cancel_requested = FALSE, lease_owner = NULL, lease_until_ms = NULL WHERE id = $3",
    )
    .bind(status.keep())
    .bind(run)
    .bind(id.0)
    .execute(connection)
    .await
    .doing("beginning a run")?;
    Ok(())
}

/// Gives a task what a new document says of it.
async fn rewrite(
    connection: &mut Connection,
    id: TaskId,
    run: i64,
    task: &NewTask,
) -> Result<(), StoreError> {
    let NewTask {
        name,
        description,
        base_runtime,
        deployment_mode,
        document,
        slo,
        max_iterations,
    } = task;
    let updated = query(
        "UPDATE tasks SET name = $1, description = $2, base_runtime = $3, deployment_mode = $4, \
         slo = $5, max_iterations = $6 WHERE id = $7",
    )
    .bind(name)
    .bind(description)
    .bind(base_runtime)
    .bind(deployment_mode)
    .bind(slo.as_ref().map(ToString::to_string))
    .bind(i64::from(*max_iterations))
    .bind(id.0)
    .execute(&mut *connection)
    .await;
    unless_taken(updated, name, "editing a task")?;
    insert_document(connection, id, run, &document.to_string()).await
}
