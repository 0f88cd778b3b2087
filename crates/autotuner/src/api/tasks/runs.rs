//! The runs of a task, earlier ones too.

use std::sync::Arc;

use autotuner_core::ids::TaskId;
use autotuner_store::StoreError;
use axum::extract::State;
use serde::Deserialize;

use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Path, Query, Viewer, page, truth};
use crate::api::views::Part;
use crate::api::views::experiment::{ExperimentView, Told};
use crate::api::views::run::RunView;
use crate::service::Service;

/// A part of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct Rows {
    /// How many to leave out first.
    #[param(minimum = 0)]
    pub(in crate::api) skip: Option<i64>,
    /// How many to give at most, 100 where nothing is said.
    #[param(minimum = 1, maximum = 1000)]
    pub(in crate::api) limit: Option<i64>,
    /// Whether the large parts are left out: `metrics.raw_results`, `effective_arguments`,
    /// `environment`, `gpu_monitoring`.
    #[serde(default, deserialize_with = "truth")]
    #[param(default = false)]
    pub(in crate::api) brief: bool,
}

/// Every run of a task, latest first
#[utoipa::path(get, path = "/api/tasks/{id}/runs", tag = "tasks", params(("id" = i64, Path)), responses(
    (status = 200, body = [RunView], headers(("X-Total-Count" = u64, description = "How many there are in all"))),
    (status = 404, body = ErrorBody, description = "There is no such task"),
))]
pub(super) async fn list_runs(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(id): Path<i64>,
) -> Result<Part<RunView>, ApiError> {
    let current = service.database.task(TaskId(id)).await?.summary.run;
    let runs = service.database.runs(TaskId(id)).await?;
    let rows: Vec<RunView> = runs.into_iter().map(|run| RunView::of(run, current)).collect();
    let total = rows.len() as u64;
    Ok(Part { rows, total })
}

/// Experiments of one run of a task, oldest first
#[utoipa::path(get, path = "/api/tasks/{id}/runs/{run}/experiments", tag = "tasks",
    params(("id" = i64, Path), ("run" = u32, Path), Rows),
    responses(
        (status = 200, body = [ExperimentView], headers(("X-Total-Count" = u64, description = "How many there are in all"))),
        (status = 404, body = ErrorBody, description = "There is no such task, or it has no such run"),
        (status = 422, body = ErrorBody, description = "There is no such page"),
    ))]
pub(super) async fn list_run_experiments(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path((id, run)): Path<(i64, u32)>,
    Query(rows): Query<Rows>,
) -> Result<Part<ExperimentView>, ApiError> {
    let page = page(rows.skip, rows.limit)?;
    let task = TaskId(id);
    let runs = service.database.runs(task).await?;
    if !runs.iter().any(|record| record.run == run) {
        return Err(StoreError::NoSuchRun { task, run }.into());
    }
    let listed = service.database.experiments_of(task, Some(run), page).await?;
    let view = |record| ExperimentView::of(record, Told::listed(rows.brief));
    Ok(Part {
        rows: listed.rows.into_iter().map(view).collect(),
        total: listed.total,
    })
}
