//! What runs at the moment, for a page that opens in the middle of it.
//!
//! From the board, which says what somebody last put down; what the board does not know is asked
//! of the database. Events tell what changes after that.

use std::sync::Arc;

use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::TaskStatus;
use autotuner_store::{Order, Page, TaskQuery, TaskSort, TaskSummary};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::extract::{Path, Viewer};
use crate::clock::rfc3339;
use crate::report::progress::LiveProgress;
use crate::service::Service;
use crate::service::supervisor::{ExperimentShown, Figures, RunShown};

/// Running tasks that are told of at most.
const MOST: u64 = 1000;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(get_live))
        .routes(routes!(get_task_live))
}

/// What runs, and what waits for its turn.
#[derive(Debug, Serialize, ToSchema)]
struct LiveOverview {
    /// The tasks that run, the one that was started first first.
    tasks: Vec<LiveTask>,
    /// The tasks that were started and wait for a place, likewise.
    queue: Vec<Queued>,
}

/// A task that was started and waits for a place among those that run.
#[derive(Debug, Serialize, ToSchema)]
struct Queued {
    /// The task.
    task_id: i64,
    /// Its name.
    task_name: String,
    /// What it waits for, for people; nothing where it is about to begin.
    waiting_for: Option<String>,
}

/// What runs of a task.
#[derive(Debug, Serialize, ToSchema)]
struct LiveTask {
    /// The task.
    task_id: i64,
    /// Its name.
    task_name: String,
    /// `pending`, `running`, `completed`, `failed` or `cancelled`.
    status: &'static str,
    /// The current run, from 1.
    run: u32,
    /// What the task waits for as a whole, for people.
    waiting_for: Option<String>,
    /// Its experiments that are under way, by number.
    experiments: Vec<LiveExperiment>,
    /// Distinct configurations that are measured at most.
    planned_experiments: u32,
    /// Those of them that are.
    done_experiments: u32,
    /// Repetitions of the best configurations and the engine's defaults that follow at most: they end
    /// as soon as a gain can be told from chance.
    planned_replicates: u32,
    /// Those of them that are done.
    done_replicates: u32,
    /// What the best is worth; lower is better, whatever the objective.
    best_score: Option<f64>,
    /// How long the rest takes at most if it takes as long as the usual experiment of this run did; nothing
    /// before the first has ended.
    eta_seconds: Option<f64>,
}

/// An experiment that is under way.
#[derive(Debug, Serialize, ToSchema)]
struct LiveExperiment {
    /// Its number inside the run, from 1.
    experiment_id: u32,
    /// What is being done, in a word or two: `starting`, `deploying`, `warming up`, `benchmarking`.
    phase: String,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
    /// What it waits for, for people.
    waiting_for: Option<String>,
    /// The configuration; empty for the engine's defaults.
    parameters: Option<Map<String, Value>>,
    /// How far its benchmark is.
    progress: Option<LiveProgress>,
}

/// What runs of all tasks, and what waits for its turn
#[utoipa::path(get, path = "/api/live", tag = "tasks", responses((status = 200, body = LiveOverview)))]
async fn get_live(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
) -> Result<Json<LiveOverview>, ApiError> {
    let running = TaskQuery {
        statuses: vec![TaskStatus::Running],
        sort: TaskSort::Started,
        order: Order::Ascending,
        ..TaskQuery::all(service.clock.now_ms())
    };
    let page = Page { skip: 0, limit: MOST };
    let mut running = service.database.find_tasks(page, &running).await?.rows;
    // The order in which they are taken on.
    running.sort_by_key(|task| (task.started_at_ms, task.id));
    let shown = service.board.snapshot().runs;
    let (mut tasks, mut queue) = (Vec::new(), Vec::new());
    for task in running {
        match shown.get(&task.id) {
            Some(run) => tasks.push(live(&service, task, Some(run)).await?),
            None => queue.push(Queued {
                task_id: task.id.0,
                waiting_for: service.board.waiting_for(task.id),
                task_name: task.name,
            }),
        }
    }
    Ok(Json(LiveOverview { tasks, queue }))
}

/// What runs of one task
///
/// No experiments where nothing runs.
#[utoipa::path(get, path = "/api/tasks/{id}/live", tag = "tasks", params(("id" = i64, Path)), responses(
    (status = 200, body = LiveTask),
    (status = 404, body = ErrorBody, description = "There is no such task"),
))]
async fn get_task_live(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(id): Path<i64>,
) -> Result<Json<LiveTask>, ApiError> {
    let task = service.database.task(TaskId(id)).await?.summary;
    let shown = service.board.snapshot().runs.remove(&task.id);
    Ok(Json(live(&service, task, shown.as_ref()).await?))
}

async fn live(service: &Service, task: TaskSummary, shown: Option<&RunShown>) -> Result<LiveTask, ApiError> {
    let figures = match shown.and_then(|run| run.figures.clone()) {
        Some(figures) => figures,
        None => kept(service, &task).await?,
    };
    let is_running = task.status == TaskStatus::Running;
    let experiments = shown.iter().flat_map(|run| &run.experiments);
    Ok(LiveTask {
        task_id: task.id.0,
        status: task.status.as_str(),
        run: task.run,
        waiting_for: is_running.then(|| service.board.waiting_for(task.id)).flatten(),
        experiments: experiments.map(experiment).collect(),
        planned_experiments: figures.planned,
        done_experiments: figures.done,
        planned_replicates: figures.planned_again,
        done_replicates: figures.done_again,
        best_score: figures.best_score,
        eta_seconds: figures.left_seconds(),
        task_name: task.name,
    })
}

/// How far a run is that nobody works on at the moment.
async fn kept(service: &Service, task: &TaskSummary) -> Result<Figures, ApiError> {
    let progress = service.database.progress_of(task.id).await?;
    Ok(Figures {
        planned: task.max_iterations,
        done: progress.done,
        planned_again: 0,
        done_again: 0,
        at_once: 1,
        best_score: progress.best_score,
        usual_ms: None,
    })
}

fn experiment((number, shown): (&ExperimentNumber, &ExperimentShown)) -> LiveExperiment {
    let ExperimentShown {
        phase,
        since_ms,
        waits_for,
        candidate,
        progress,
    } = shown;
    LiveExperiment {
        experiment_id: number.0,
        phase: phase.clone(),
        since: rfc3339(*since_ms),
        waiting_for: waits_for.clone(),
        parameters: candidate.as_ref().map(|candidate| candidate.to_json()),
        progress: progress.as_ref().map(LiveProgress::of),
    }
}
