//! Tasks as they are.

use std::sync::Arc;

use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_core::problem::{Problem, closest};
use autotuner_store::TaskSummary;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::{view, waiting_for};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Path, Query, Viewer, page};
use crate::api::views::Part;
use crate::api::views::task::{TaskRow, TaskView};
use crate::service::Service;

/// Which tasks are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// How many to leave out first.
    #[param(minimum = 0)]
    skip: Option<i64>,
    /// How many to give at most, 100 where nothing is said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Only tasks of this status: `pending`, `running`, `completed`, `failed` or `cancelled`.
    status_filter: Option<String>,
}

const STATUSES: [TaskStatus; 5] = [
    TaskStatus::Pending,
    TaskStatus::Running,
    TaskStatus::Completed,
    TaskStatus::Failed,
    TaskStatus::Cancelled,
];

/// Tasks, newest first
#[utoipa::path(get, path = "/api/tasks", tag = "tasks", params(Wanted), responses(
    (status = 200, body = [TaskRow], headers(("X-Total-Count" = u64, description = "How many there are in all"))),
    (status = 422, body = ErrorBody, description = "No such page, or no such status"),
))]
pub(super) async fn list_tasks(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Query(wanted): Query<Wanted>,
) -> Result<Part<TaskRow>, ApiError> {
    let page = page(wanted.skip, wanted.limit)?;
    let status = wanted.status_filter.filter(|word| !word.is_empty());
    let status = status.as_deref().map(status_of).transpose()?;
    let listed = service.database.tasks(page, status).await?;
    let row = |summary: &TaskSummary| TaskRow::of(summary, waiting_for(&service, summary));
    Ok(Part {
        rows: listed.rows.iter().map(row).collect(),
        total: listed.total,
    })
}

fn status_of(word: &str) -> Result<TaskStatus, ApiError> {
    let known = STATUSES.into_iter().find(|status| status.as_str() == word);
    known.ok_or_else(|| {
        let words = STATUSES.map(TaskStatus::as_str);
        let hint = match closest(word, words) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("use one of {}", words.join(", ")),
        };
        let short: String = word.chars().take(60).collect();
        let text = format!("unknown task status \"{short}\"");
        let problem = Problem::new("status_filter", text.clone()).with_hint(hint.clone());
        ApiError::problems(text, vec![problem]).with_hint(hint)
    })
}

/// One task
#[utoipa::path(get, path = "/api/tasks/{id}", tag = "tasks", params(("id" = i64, Path)), responses(
    (status = 200, body = TaskView),
    (status = 404, body = ErrorBody, description = "There is no such task"),
))]
pub(super) async fn get_task(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(id): Path<i64>,
) -> Result<Json<TaskView>, ApiError> {
    let record = service.database.task(TaskId(id)).await?;
    Ok(Json(view(&service, record).await?))
}

/// One task, by its name
#[utoipa::path(get, path = "/api/tasks/name/{name}", tag = "tasks", params(("name" = String, Path)), responses(
    (status = 200, body = TaskView),
    (status = 404, body = ErrorBody, description = "There is no task of this name"),
))]
pub(super) async fn get_task_by_name(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(name): Path<String>,
) -> Result<Json<TaskView>, ApiError> {
    let record = service.database.task_named(&name).await?;
    Ok(Json(view(&service, record).await?))
}
