//! Tasks as they are.

use std::collections::HashMap;
use std::sync::Arc;

use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_store::{Block, Order, TaskQuery, TaskSort, TaskSummary};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::{view, waiting_for};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Path, Query, Viewer, page, truth};
use crate::api::views::Part;
use crate::api::views::task::TaskView;
use crate::api::views::task_row::{BesideRow, TaskRow};
use crate::api::words::{ORDERS, said, several, text};
use crate::service::Service;

/// Blocks of a row at most.
const MOST_BLOCKS: u32 = 60;

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
    /// Only tasks of these statuses, with commas between them: `pending`, `running`, `completed`,
    /// `failed`, `cancelled`.
    status_filter: Option<String>,
    /// Only tasks with this in their name or description, letters of either case; or with this
    /// id, also as `#12`.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Only tasks of this engine: `vllm`, `sglang`, …
    runtime: Option<String>,
    /// `created` where nothing is said, else `name`, `status`, `started`, `completed`, `elapsed` or
    /// `experiments`.
    sort: Option<String>,
    /// `desc` where nothing is said, or `asc`. What has no value counts as smallest.
    order: Option<String>,
    /// Whether each row tells its first experiments, too.
    #[serde(default, deserialize_with = "truth")]
    #[param(default = false)]
    blocks: bool,
}

const SORTS: [(&str, TaskSort); 7] = [
    ("created", TaskSort::Created),
    ("name", TaskSort::Name),
    ("status", TaskSort::Status),
    ("started", TaskSort::Started),
    ("completed", TaskSort::Completed),
    ("elapsed", TaskSort::Elapsed),
    ("experiments", TaskSort::Experiments),
];

/// Tasks, newest first unless another order is asked for
#[utoipa::path(get, path = "/api/tasks", tag = "tasks", params(Wanted), responses(
    (status = 200, body = [TaskRow], headers(("X-Total-Count" = u64, description = "How many match in all"))),
    (status = 422, body = ErrorBody, description = "No such page, or a word that is not known here"),
))]
pub(super) async fn list_tasks(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Query(wanted): Query<Wanted>,
) -> Result<Part<TaskRow>, ApiError> {
    let page = page(wanted.skip, wanted.limit)?;
    let query = query(&wanted, service.clock.now_ms())?;
    let listed = service.database.find_tasks(page, &query).await?;
    let ids: Vec<TaskId> = listed.rows.iter().map(|summary| summary.id).collect();
    let mut standings = service.database.standings(&ids).await?;
    let mut blocks: Option<HashMap<TaskId, Vec<Block>>> = None;
    if wanted.blocks {
        blocks = Some(service.database.blocks(&ids, MOST_BLOCKS).await?);
    }
    let row = |summary: &TaskSummary| {
        let beside = BesideRow {
            waiting_for: waiting_for(&service, summary),
            standing: standings.remove(&summary.id),
            blocks: blocks
                .as_mut()
                .map(|all| all.remove(&summary.id).unwrap_or_default()),
        };
        TaskRow::of(summary, beside)
    };
    Ok(Part {
        rows: listed.rows.iter().map(row).collect(),
        total: listed.total,
    })
}

fn query(wanted: &Wanted, now_ms: i64) -> Result<TaskQuery, ApiError> {
    let statuses = TaskStatus::ALL.map(|status| (status.as_str(), status));
    let filter = wanted.status_filter.as_deref();
    let sort = said("sort", "order of tasks", wanted.sort.as_deref(), &SORTS)?;
    let order = said("order", "direction", wanted.order.as_deref(), &ORDERS)?;
    Ok(TaskQuery {
        statuses: several("status_filter", "task status", filter, &statuses)?,
        text: text("q", wanted.q.as_deref())?,
        runtime: text("runtime", wanted.runtime.as_deref())?,
        sort: sort.unwrap_or(TaskSort::Created),
        order: order.unwrap_or(Order::Descending),
        now_ms,
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
