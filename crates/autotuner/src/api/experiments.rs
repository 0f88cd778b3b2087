//! Experiments.

use std::sync::Arc;

use autotuner_core::ids::{ExperimentId, TaskId};
use autotuner_store::ExperimentRecord;
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::extract::{Path, Query, Viewer, page};
use super::tasks::Rows;
use super::views::Part;
use super::views::experiment::{ExperimentView, Told};
use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(list_experiments))
        .routes(routes!(get_experiment))
        .routes(routes!(list_task_experiments))
}

/// Experiments of all tasks, newest first
#[utoipa::path(get, path = "/api/experiments", tag = "experiments", params(Rows), responses(
    (status = 200, body = [ExperimentView], headers(("X-Total-Count" = u64, description = "How many there are in all"))),
    (status = 422, body = ErrorBody, description = "There is no such page"),
))]
async fn list_experiments(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Query(rows): Query<Rows>,
) -> Result<Part<ExperimentView>, ApiError> {
    let page = page(rows.skip, rows.limit)?;
    let listed = service.database.experiments(page).await?;
    Ok(Part {
        rows: listed.rows.into_iter().map(listed_view).collect(),
        total: listed.total,
    })
}

/// One experiment, by its global id
#[utoipa::path(get, path = "/api/experiments/{id}", tag = "experiments", params(("id" = i64, Path)), responses(
    (status = 200, body = ExperimentView),
    (status = 404, body = ErrorBody, description = "There is no such experiment"),
))]
async fn get_experiment(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(id): Path<i64>,
) -> Result<Json<ExperimentView>, ApiError> {
    let record = service.database.experiment(ExperimentId(id)).await?;
    let (run, number) = (Some(record.run), record.experiment.number);
    let containers = service.database.containers_of(record.task, run, number).await?;
    Ok(Json(ExperimentView::of(record, Told::Alone(containers))))
}

/// Experiments of a task's current run, oldest first
#[utoipa::path(get, path = "/api/experiments/task/{task_id}", tag = "experiments",
    params(("task_id" = i64, Path), Rows),
    responses(
        (status = 200, body = [ExperimentView], headers(("X-Total-Count" = u64, description = "How many there are in all"))),
        (status = 404, body = ErrorBody, description = "There is no such task"),
        (status = 422, body = ErrorBody, description = "There is no such page"),
    ))]
async fn list_task_experiments(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(task): Path<i64>,
    Query(rows): Query<Rows>,
) -> Result<Part<ExperimentView>, ApiError> {
    let page = page(rows.skip, rows.limit.or(Some(MOST)))?;
    let listed = service.database.experiments_of(TaskId(task), None, page).await?;
    Ok(Part {
        rows: listed.rows.into_iter().map(listed_view).collect(),
        total: listed.total,
    })
}

/// Old clients ask for a task's experiments once and expect all of them.
const MOST: i64 = 1000;

fn listed_view(record: ExperimentRecord) -> ExperimentView {
    ExperimentView::of(record, Told::Listed)
}
