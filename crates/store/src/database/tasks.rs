//! Tasks: making, reading, describing and removing them.

use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::{IllegalMove, TaskStatus};
use serde_json::json;

use super::engine::{Connection, query, query_as, query_scalar};
use super::rows::{Kept, SummaryRow, TaskRow, summary_columns};
use super::trouble::{Doing, is_taken};
use super::{Database, audit};
use crate::StoreError;
use crate::records::{Act, Listed, NewTask, Page, TaskRecord, TaskSummary};

impl Database {
    /// A new pending task.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`].
    pub async fn create_task(&self, act: &Act, task: NewTask) -> Result<TaskRecord, StoreError> {
        let doing = "making a task";
        let mut transaction = self.write(doing).await?;
        let id = insert(&mut transaction, &task, act.at_ms).await?;
        let detail = json!({ "name": task.name });
        audit::record(&mut transaction, act, "task.create", &target(id), Some(detail)).await?;
        let made = task_in(&mut transaction, id).await?;
        transaction.commit().await.doing(doing)?;
        Ok(made)
    }

    /// One task.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    pub async fn task(&self, id: TaskId) -> Result<TaskRecord, StoreError> {
        let mut connection = self.readers.acquire().await.doing(READING)?;
        task_in(&mut connection, id).await
    }

    /// One task, by name.
    ///
    /// # Errors
    /// [`StoreError::NoTaskNamed`].
    pub async fn task_named(&self, name: &str) -> Result<TaskRecord, StoreError> {
        let row: Option<TaskRow> = query_as(concat!(
            "SELECT ",
            summary_columns!(),
            ", t.deployment_mode, d.document FROM tasks t \
             JOIN documents d ON d.task = t.id AND d.run = t.run WHERE t.name = $1"
        ))
        .bind(name)
        .fetch_optional(&self.readers)
        .await
        .doing(READING)?;
        row.ok_or_else(|| StoreError::NoTaskNamed { name: name.into() })?
            .record()
    }

    /// Tasks, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tasks(
        &self,
        page: Page,
        status: Option<TaskStatus>,
    ) -> Result<Listed<TaskSummary>, StoreError> {
        let doing = "listing tasks";
        let mut transaction = self.read(doing).await?;
        let (total, rows): (i64, Vec<SummaryRow>) = match status {
            None => (
                query_scalar("SELECT CAST(sum(amount) AS BIGINT) FROM tallies WHERE name LIKE 'task.%'")
                    .fetch_one(&mut *transaction)
                    .await
                    .doing(doing)?,
                query_as(concat!(
                    "SELECT ",
                    summary_columns!(),
                    " FROM tasks t ORDER BY t.id DESC LIMIT $1 OFFSET $2"
                ))
                .bind(page.limit())
                .bind(page.skip())
                .fetch_all(&mut *transaction)
                .await
                .doing(doing)?,
            ),
            Some(status) => (
                query_scalar("SELECT amount FROM tallies WHERE name = $1")
                    .bind(format!("task.{status}"))
                    .fetch_one(&mut *transaction)
                    .await
                    .doing(doing)?,
                query_as(concat!(
                    "SELECT ",
                    summary_columns!(),
                    " FROM tasks t WHERE t.status = $1 ORDER BY t.id DESC LIMIT $2 OFFSET $3"
                ))
                .bind(status.keep())
                .bind(page.limit())
                .bind(page.skip())
                .fetch_all(&mut *transaction)
                .await
                .doing(doing)?,
            ),
        };
        let rows = rows.into_iter().map(SummaryRow::summary);
        Ok(Listed {
            rows: rows.collect::<Result<_, _>>()?,
            total: u64::try_from(total).unwrap_or(0),
        })
    }

    /// Changes what is said of a task for people, whatever its status.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    pub async fn describe_task(
        &self,
        act: &Act,
        id: TaskId,
        description: Option<String>,
    ) -> Result<TaskRecord, StoreError> {
        let doing = "describing a task";
        let mut transaction = self.write(doing).await?;
        query("UPDATE tasks SET description = $1 WHERE id = $2")
            .bind(description)
            .bind(id.0)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        let described = task_in(&mut transaction, id).await?;
        audit::record(&mut transaction, act, "task.describe", &target(id), None).await?;
        transaction.commit().await.doing(doing)?;
        Ok(described)
    }

    /// Puts a new task in the place of a pending one, in one step: new id, the old one is gone.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] unless it is pending; [`StoreError::NameTaken`].
    pub async fn replace_task(&self, act: &Act, id: TaskId, task: NewTask) -> Result<TaskRecord, StoreError> {
        let doing = "replacing a task";
        let mut transaction = self.write(doing).await?;
        match lock(&mut transaction, id).await?.status {
            TaskStatus::Pending => {}
            other => return Err(refused("replace", other)),
        }
        remove(&mut transaction, id).await?;
        let new = insert(&mut transaction, &task, act.at_ms).await?;
        let detail = json!({ "name": task.name, "replaces": id.0 });
        audit::record(&mut transaction, act, "task.replace", &target(new), Some(detail)).await?;
        let made = task_in(&mut transaction, new).await?;
        transaction.commit().await.doing(doing)?;
        Ok(made)
    }

    /// Removes a task that does not run, with all of its runs and experiments.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] while it runs.
    pub async fn delete_task(&self, act: &Act, id: TaskId) -> Result<(), StoreError> {
        let doing = "removing a task";
        let mut transaction = self.write(doing).await?;
        let state = lock(&mut transaction, id).await?;
        if state.status == TaskStatus::Running {
            return Err(refused("delete", state.status));
        }
        remove(&mut transaction, id).await?;
        let detail = json!({ "name": state.name });
        audit::record(&mut transaction, act, "task.delete", &target(id), Some(detail)).await?;
        transaction.commit().await.doing(doing)
    }
}

const READING: &str = "reading a task";

/// How the audit log names a task.
pub(super) fn target(id: TaskId) -> String {
    format!("task {id}")
}

/// The error of a verb that is no move of the lifecycle and that this status forbids.
pub(super) fn refused(wanted: &'static str, status: TaskStatus) -> StoreError {
    StoreError::Illegal(IllegalMove {
        what: "a task",
        wanted,
        status: status.as_str(),
    })
}

/// What a verb must know of a task before it changes it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) name: String,
    pub(super) status: TaskStatus,
    pub(super) run: i64,
    pub(super) lease_until_ms: Option<i64>,
}

/// Reads a task's state and keeps every other writer from it until the transaction ends. The
/// update changes nothing; it takes the row in an engine in which several may write.
pub(super) async fn lock(connection: &mut Connection, id: TaskId) -> Result<State, StoreError> {
    let row: Option<(String, String, i64, Option<i64>)> = query_as(
        "UPDATE tasks SET lease_epoch = lease_epoch WHERE id = $1 RETURNING name, status, run, lease_until_ms",
    )
    .bind(id.0)
    .fetch_optional(connection)
    .await
    .doing(READING)?;
    let (name, status, run, lease_until_ms) = row.ok_or(StoreError::NoSuchTask(id))?;
    Ok(State {
        name,
        status: TaskStatus::recall(status).map_err(|strange| strange.of(target(id)))?,
        run,
        lease_until_ms,
    })
}

/// One task, as this transaction sees it.
pub(super) async fn task_in(connection: &mut Connection, id: TaskId) -> Result<TaskRecord, StoreError> {
    let row: Option<TaskRow> = query_as(concat!(
        "SELECT ",
        summary_columns!(),
        ", t.deployment_mode, d.document FROM tasks t \
         JOIN documents d ON d.task = t.id AND d.run = t.run WHERE t.id = $1"
    ))
    .bind(id.0)
    .fetch_optional(connection)
    .await
    .doing(READING)?;
    row.ok_or(StoreError::NoSuchTask(id))?.record()
}

/// A new pending task, in its first run.
pub(super) async fn insert(
    connection: &mut Connection,
    task: &NewTask,
    now_ms: i64,
) -> Result<TaskId, StoreError> {
    let NewTask {
        name,
        description,
        base_runtime,
        deployment_mode,
        document,
        slo,
        max_iterations,
    } = task;
    let inserted: Result<i64, sqlx::Error> = query_scalar(
        "INSERT INTO tasks (name, description, base_runtime, deployment_mode, slo, max_iterations, \
         created_at_ms, run, status) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8) RETURNING id",
    )
    .bind(name)
    .bind(description)
    .bind(base_runtime)
    .bind(deployment_mode)
    .bind(slo.as_ref().map(ToString::to_string))
    .bind(i64::from(*max_iterations))
    .bind(now_ms)
    .bind(TaskStatus::Pending.keep())
    .fetch_one(&mut *connection)
    .await;
    let id = unless_taken(inserted, name, "making a task")?;
    insert_document(connection, TaskId(id), 1, &document.to_string()).await?;
    Ok(TaskId(id))
}

/// What a run runs.
pub(super) async fn insert_document(
    connection: &mut Connection,
    id: TaskId,
    run: i64,
    document: &str,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO documents (task, run, document) VALUES ($1, $2, $3) \
         ON CONFLICT (task, run) DO UPDATE SET document = excluded.document",
    )
    .bind(id.0)
    .bind(run)
    .bind(document)
    .execute(connection)
    .await
    .doing("writing a task's document")?;
    Ok(())
}

/// Says that the name is taken where that is what stood in the way.
pub(super) fn unless_taken<T>(
    result: Result<T, sqlx::Error>,
    name: &str,
    doing: &'static str,
) -> Result<T, StoreError> {
    match result {
        Err(error) if is_taken(&error) => Err(StoreError::NameTaken { name: name.into() }),
        other => other.doing(doing),
    }
}

async fn remove(connection: &mut Connection, id: TaskId) -> Result<(), StoreError> {
    query("DELETE FROM tasks WHERE id = $1")
        .bind(id.0)
        .execute(connection)
        .await
        .doing("removing a task")?;
    Ok(())
}
