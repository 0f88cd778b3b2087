//! Figures for a dashboard: the worker, the machine, the database, experiments over time.
//!
//! Nothing here is remembered between two requests, and everything that is asked of others has a
//! deadline: a driver that does not answer makes one card of a page say so, and no more.

mod gpus;
mod host;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use autotuner_store::{Statistics, TaskSummary, TimelineEntry};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::extract::{Query, Viewer};
use crate::clock::{rfc3339, seconds_between};
use crate::host::hostname;
use crate::service::Service;
use crate::service::supervisor::Snapshot;

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// Hours of a year, the longest time back that is shown.
const MOST_HOURS: i64 = 8_760;

/// The worker gives a sign of life each second; one that gave none for so long stands still.
const OLDEST_TICK_SECONDS: f64 = 5.0;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(worker_status))
        .routes(routes!(database_statistics))
        .routes(routes!(experiment_timeline))
        .merge(gpus::routes())
        .merge(host::routes())
}

/// How the worker is. It lives in the process of the service, unless others share its database.
#[derive(Debug, Serialize, ToSchema)]
struct WorkerStatus {
    /// Whether it gave a sign of life in the last seconds.
    worker_running: bool,
    /// The process.
    worker_pid: u32,
    /// Processor time of the process since the last look, percent of one processor.
    worker_cpu_percent: f64,
    /// Resident memory of the process, MiB.
    worker_memory_mb: f64,
    /// How long the service has been up.
    worker_uptime_seconds: f64,
    /// Always false: there is no Redis, and none is needed. Older clients look for it.
    #[schema(deprecated)]
    redis_available: bool,
    /// Every worker of the database, the one of this process first.
    workers: Vec<WorkerView>,
    /// The worker's last sign of life.
    #[schema(format = DateTime)]
    last_tick_at: Option<String>,
    /// When this was found.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// A worker that runs tasks of the database.
#[derive(Debug, Serialize, ToSchema)]
struct WorkerView {
    /// Its machine.
    #[schema(example = "gpu-7")]
    hostname: String,
    /// How many tasks it runs at once at most.
    places: usize,
    /// How many it runs now.
    running: usize,
    /// What keeps it from taking on tasks.
    problem: Option<String>,
    /// Its last sign of life.
    #[schema(format = DateTime)]
    last_tick_at: Option<String>,
}

impl WorkerView {
    fn of((hostname, board): (String, Snapshot)) -> Self {
        Self {
            hostname,
            places: board.places,
            running: board.runs.len(),
            problem: board.problem,
            last_tick_at: board.last_tick_ms.map(rfc3339),
        }
    }
}

/// How the worker is
#[utoipa::path(get, path = "/api/dashboard/worker-status", tag = "dashboard",
    responses((status = 200, body = WorkerStatus)))]
async fn worker_status(State(service): State<Arc<Service>>, _caller: Viewer) -> Json<WorkerStatus> {
    let now_ms = service.clock.now_ms();
    let tick_ms = service.board.last_tick_ms();
    let uptime_seconds = seconds_between(service.started_at_ms, now_ms);
    let load = service.metrics.load(uptime_seconds);
    Json(WorkerStatus {
        worker_running: tick_ms
            .is_some_and(|tick_ms| seconds_between(tick_ms, now_ms) <= OLDEST_TICK_SECONDS),
        worker_pid: std::process::id(),
        worker_cpu_percent: load.cpu_percent,
        worker_memory_mb: mebibytes(load.resident_bytes),
        worker_uptime_seconds: uptime_seconds,
        redis_available: false,
        workers: service
            .board
            .workers(&hostname())
            .into_iter()
            .map(WorkerView::of)
            .collect(),
        last_tick_at: tick_ms.map(rfc3339),
        timestamp: rfc3339(now_ms),
    })
}

/// Figures of the whole database.
#[derive(Debug, Serialize, ToSchema)]
struct DatabaseStatistics {
    /// All tasks.
    total_tasks: u64,
    /// All experiments.
    total_experiments: u64,
    /// Tasks of each status.
    #[schema(example = json!({"pending": 1, "running": 2, "completed": 7}))]
    tasks_by_status: BTreeMap<&'static str, u64>,
    /// Experiments of each status.
    #[schema(example = json!({"success": 31, "failed": 4}))]
    experiments_by_status: BTreeMap<&'static str, u64>,
    /// Tasks made in the last 24 hours.
    tasks_last_24h: u64,
    /// Experiments begun in the last 24 hours.
    experiments_last_24h: u64,
    /// Mean duration of the experiments that succeeded; nothing where none did.
    avg_experiment_duration_seconds: Option<f64>,
    /// The tasks that run now.
    running_tasks: Vec<RunningTask>,
    /// When this was found.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// A task that runs.
#[derive(Debug, Serialize, ToSchema)]
struct RunningTask {
    /// Its id.
    id: i64,
    /// Its name.
    name: String,
    /// When it was started.
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// Distinct configurations to be measured at most.
    max_iterations: u32,
    /// Experiments that have a score.
    completed_experiments: u32,
    /// Experiments on record, every attempt counted.
    total_experiments: u32,
}

/// Figures of the whole database
#[utoipa::path(get, path = "/api/dashboard/db-statistics", tag = "dashboard",
    responses((status = 200, body = DatabaseStatistics)))]
async fn database_statistics(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
) -> Result<Json<DatabaseStatistics>, ApiError> {
    let now_ms = service.clock.now_ms();
    let statistics = service.database.statistics(now_ms).await?;
    let Statistics {
        tasks,
        experiments,
        tasks_last_24h,
        experiments_last_24h,
        mean_experiment_seconds,
        running,
    } = statistics;
    Ok(Json(DatabaseStatistics {
        total_tasks: tasks.iter().map(|(_, count)| count).sum(),
        total_experiments: experiments.iter().map(|(_, count)| count).sum(),
        tasks_by_status: tasks
            .into_iter()
            .map(|(status, count)| (status.as_str(), count))
            .collect(),
        experiments_by_status: experiments.into_iter().collect(),
        tasks_last_24h,
        experiments_last_24h,
        avg_experiment_duration_seconds: mean_experiment_seconds,
        running_tasks: running.into_iter().map(RunningTask::from).collect(),
        timestamp: rfc3339(now_ms),
    }))
}

impl From<TaskSummary> for RunningTask {
    fn from(task: TaskSummary) -> Self {
        Self {
            id: task.id.0,
            name: task.name,
            started_at: task.started_at_ms.map(rfc3339),
            max_iterations: task.max_iterations,
            completed_experiments: task.successful_experiments,
            total_experiments: task.total_experiments,
        }
    }
}

/// How far back to look.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Back {
    /// Hours back from now
    #[serde(default = "a_day")]
    #[param(default = 24, minimum = 1, maximum = 8760)]
    hours: i64,
}

fn a_day() -> i64 {
    24
}

/// An experiment in a timeline.
#[derive(Debug, Serialize, ToSchema)]
struct TimelineView {
    /// Its id.
    id: i64,
    /// Its task.
    task_id: i64,
    /// Its number inside the task.
    experiment_id: u32,
    /// Where it is.
    #[schema(example = "success")]
    status: &'static str,
    /// When it was put on record, which is when it began.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it began.
    #[schema(format = DateTime)]
    started_at: String,
    /// When it ended.
    #[schema(format = DateTime)]
    completed_at: Option<String>,
    /// How long it took, in seconds.
    elapsed_time: Option<f64>,
    /// Its score; lower is better.
    objective_score: Option<f64>,
}

/// The experiments of the last hours, oldest first
///
/// Ten thousand at most.
#[utoipa::path(get, path = "/api/dashboard/experiment-timeline", tag = "dashboard", params(Back),
    responses((status = 200, body = [TimelineView])))]
async fn experiment_timeline(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Query(back): Query<Back>,
) -> Result<Json<Vec<TimelineView>>, ApiError> {
    if !(1..=MOST_HOURS).contains(&back.hours) {
        let text = format!("hours is {}; it is 1 to {MOST_HOURS}", back.hours);
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_query", text));
    }
    let since_ms = service.clock.now_ms().saturating_sub(back.hours * HOUR_MS);
    let entries = service.database.timeline(since_ms).await?;
    Ok(Json(entries.into_iter().map(TimelineView::from).collect()))
}

impl From<TimelineEntry> for TimelineView {
    fn from(entry: TimelineEntry) -> Self {
        let TimelineEntry {
            id,
            task,
            number,
            status,
            started_at_ms,
            completed_at_ms,
            objective_score,
        } = entry;
        let started_at = rfc3339(started_at_ms);
        Self {
            id: id.0,
            task_id: task.0,
            experiment_id: number.0,
            status,
            created_at: started_at.clone(),
            started_at,
            completed_at: completed_at_ms.map(rfc3339),
            elapsed_time: completed_at_ms.map(|end_ms| seconds_between(started_at_ms, end_ms)),
            objective_score: objective_score.filter(|score| score.is_finite()),
        }
    }
}

/// Bytes in MiB, to two decimals.
fn mebibytes(bytes: u64) -> f64 {
    let kibibytes = u32::try_from(bytes / 1_024).unwrap_or(u32::MAX);
    (f64::from(kibibytes) / 1_024.0 * 100.0).round() / 100.0
}
