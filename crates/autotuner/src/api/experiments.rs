//! Experiments.

use std::sync::Arc;

use autotuner_core::failure::FailureKind;
use autotuner_core::ids::{ExperimentId, TaskId};
use autotuner_core::lifecycle::ExperimentStatus;
use autotuner_core::problem::Problem;
use autotuner_core::search::Role;
use autotuner_store::{ExperimentQuery, ExperimentSort, Order};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::extract::{Path, Query, Viewer, page, truth};
use super::tasks::Rows;
use super::views::Part;
use super::views::experiment::{ExperimentView, Told};
use super::words::{ORDERS, said, several, text};
use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(list_experiments))
        .routes(routes!(get_experiment))
        .routes(routes!(list_task_experiments))
}

/// Which experiments are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// How many to leave out first.
    #[param(minimum = 0)]
    skip: Option<i64>,
    /// How many to give at most, 100 where nothing is said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Only experiments of this task, of all of its runs.
    task_id: Option<i64>,
    /// Only of these statuses, with commas between them: `pending`, `deploying`, `benchmarking`,
    /// `success`, `failed`.
    status: Option<String>,
    /// Only those that failed so: `out_of_memory`, `engine_crashed`, …
    failure_kind: Option<String>,
    /// Only those of this role: `baseline`, `search` or `replicate`.
    role: Option<String>,
    /// Only of tasks with this engine: `vllm`, `sglang`, …
    runtime: Option<String>,
    /// Only those with this in the name of their task (`#12` is task 12), or with all of these words
    /// in their configuration, each a part of a name or of a value, or `name=value`.
    #[param(max_length = 200)]
    q: Option<String>,
    /// `created` where nothing is said, else `started`, `elapsed` or, within one task, `score`: by
    /// the score's own order, those without one last.
    sort: Option<String>,
    /// `desc` where nothing is said: newest, longest, best first; or `asc`.
    order: Option<String>,
    /// Whether the large parts are left out: `metrics.raw_results`, `effective_arguments`,
    /// `environment`, `gpu_monitoring`.
    #[serde(default, deserialize_with = "truth")]
    #[param(default = false)]
    brief: bool,
}

const SORTS: [(&str, ExperimentSort); 4] = [
    ("created", ExperimentSort::Created),
    ("started", ExperimentSort::Started),
    ("elapsed", ExperimentSort::Elapsed),
    ("score", ExperimentSort::Score),
];

/// Experiments of all tasks, newest first unless another order is asked for
#[utoipa::path(get, path = "/api/experiments", tag = "experiments", params(Wanted), responses(
    (status = 200, body = [ExperimentView], headers(("X-Total-Count" = u64, description = "How many match in all"))),
    (status = 422, body = ErrorBody, description = "No such page, or a word that is not known here"),
))]
async fn list_experiments(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Query(wanted): Query<Wanted>,
) -> Result<Part<ExperimentView>, ApiError> {
    let page = page(wanted.skip, wanted.limit)?;
    let query = query(&wanted)?;
    let listed = service.database.find_experiments(page, &query).await?;
    let view = |record| ExperimentView::of(record, Told::listed(wanted.brief));
    Ok(Part {
        rows: listed.rows.into_iter().map(view).collect(),
        total: listed.total,
    })
}

fn query(wanted: &Wanted) -> Result<ExperimentQuery, ApiError> {
    let statuses = ExperimentStatus::ALL.map(|status| (status.as_str(), status));
    let kinds = FailureKind::ALL.map(|kind| (kind.as_str(), kind));
    let roles = Role::ALL.map(|role| (role.as_str(), role));
    let status = wanted.status.as_deref();
    let kind = wanted.failure_kind.as_deref();
    let order = said("order", "direction", wanted.order.as_deref(), &ORDERS)?;
    let sort = said("sort", "order of experiments", wanted.sort.as_deref(), &SORTS)?;
    if sort == Some(ExperimentSort::Score) && wanted.task_id.is_none() {
        let problem = Problem::new("sort", "scores compare within one task alone").with_hint("add task_id");
        let text = "Experiments of several tasks cannot be sorted by score";
        return Err(ApiError::problems(text, vec![problem]));
    }
    Ok(ExperimentQuery {
        task: wanted.task_id.map(TaskId),
        statuses: several("status", "experiment status", status, &statuses)?,
        failure: said("failure_kind", "kind of failure", kind, &kinds)?,
        role: said("role", "role", wanted.role.as_deref(), &roles)?,
        runtime: text("runtime", wanted.runtime.as_deref())?,
        text: text("q", wanted.q.as_deref())?,
        sort: sort.unwrap_or(ExperimentSort::Created),
        order: order.unwrap_or(Order::Descending),
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
    let view = |record| ExperimentView::of(record, Told::listed(rows.brief));
    Ok(Part {
        rows: listed.rows.into_iter().map(view).collect(),
        total: listed.total,
    })
}

/// Old clients ask for a task's experiments once and expect all of them.
const MOST: i64 = 1000;
