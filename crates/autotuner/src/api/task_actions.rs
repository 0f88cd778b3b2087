//! Start, cancel, restart, clear.
//!
//! Each is one step of the database; what the worker has to do about it, it finds there when the
//! bell wakes it.

use std::sync::Arc;

use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_core::problem::Problem;
use autotuner_core::spec::TaskSpec;
use autotuner_store::{Act, NewTask, StoreError, TaskRecord};
use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::documents::{Author, draft, refused};
use super::error::{ApiError, ErrorBody};
use super::extract::{Operator, Path, Written};
use super::tasks::{illegal, in_words, publish, view};
use super::views::task::{TaskView, current};
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::events::Kind;
use crate::service::permits::Permits;
use crate::worker::preflight::cannot_run_yet;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(start_task))
        .routes(routes!(cancel_task))
        .routes(routes!(restart_task))
        .routes(routes!(clear_task))
}

/// Start a pending task
#[utoipa::path(post, path = "/api/tasks/{id}/start", tag = "tasks", params(("id" = i64, Path)), responses(
    (status = 200, body = TaskView, description = "It is running"),
    (status = 400, body = ErrorBody, description = "The task is not pending"),
    (status = 404, body = ErrorBody, description = "There is no such task"),
    (status = 422, body = ErrorBody, description = "It asks for what this version cannot run"),
))]
async fn start_task(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<i64>,
) -> Result<Json<TaskView>, ApiError> {
    let record = start_one(&service, &caller, TaskId(id)).await?;
    Ok(Json(view(&service, record).await?))
}

/// Cancel a running task
///
/// Its engine is stopped within seconds; what was measured is kept.
#[utoipa::path(post, path = "/api/tasks/{id}/cancel", tag = "tasks", params(("id" = i64, Path)), responses(
    (status = 200, body = TaskView, description = "Its end was asked for; `is_cancel_requested` until it is there"),
    (status = 400, body = ErrorBody, description = "The task does not run"),
    (status = 404, body = ErrorBody, description = "There is no such task"),
    (status = 503, body = ErrorBody, description = "The database cannot be written. A task that runs is stopped all the same; `detail` says so"),
))]
async fn cancel_task(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<i64>,
) -> Result<Json<TaskView>, ApiError> {
    let record = cancel_one(&service, &caller, TaskId(id)).await?;
    Ok(Json(view(&service, record).await?))
}

/// Make a task that has ended ready for another run
///
/// The results of the last run go to the run history. A body may change the task on the way: a
/// whole task document, or only those of its parts that change, `{"parameters": …}`.
#[utoipa::path(post, path = "/api/tasks/{id}/restart", tag = "tasks", params(("id" = i64, Path)),
    request_body(content = Option<Value>, description = "Nothing, a task document, or parts of one"),
    responses(
        (status = 200, body = TaskView, description = "It is pending"),
        (status = 400, body = ErrorBody, description = "The task has not ended, or the name is taken"),
        (status = 404, body = ErrorBody, description = "There is no such task"),
        (status = 422, body = ErrorBody, description = "The document has problems; all of them are told"),
    ))]
async fn restart_task(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<i64>,
    body: Written,
) -> Result<Json<TaskView>, ApiError> {
    let id = TaskId(id);
    let changed = if body.is_empty() {
        None
    } else {
        let record = service.database.task(id).await?;
        changed(&service, &caller, &record, &body)?
    };
    let record = restart_one(&service, &caller, id, changed).await?;
    Ok(Json(view(&service, record).await?))
}

/// Empty a task
///
/// The experiments and the log of its current run are removed for good; it is pending again.
#[utoipa::path(post, path = "/api/tasks/{id}/clear", tag = "tasks", params(("id" = i64, Path)), responses(
    (status = 200, body = TaskView, description = "It is pending"),
    (status = 400, body = ErrorBody, description = "The task runs"),
    (status = 404, body = ErrorBody, description = "There is no such task"),
))]
async fn clear_task(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<i64>,
) -> Result<Json<TaskView>, ApiError> {
    let id = TaskId(id);
    let act = caller.act(service.clock.now_ms());
    let cleared = service.database.clear_task(&act, id).await;
    let record = cleared
        .map_err(|error| in_words(error, |_| illegal("Cannot clear running task. Cancel it first.")))?;
    // A log that stays is no reason to say that nothing was cleared.
    let run = format!("task_{id}_run_{}_", record.summary.run);
    let forgotten = match service.forget_logs(id, &run).await {
        Ok(()) => service.forget_logs(id, &format!("task_{id}.log")).await,
        failed => failed,
    };
    if let Err(error) = forgotten {
        tracing::error!(task.id = id.0, %error, "the shared log of a task that was cleared stays");
    }
    let gone = service.own_logs.remove_run(id, record.summary.run).await;
    let emptied = service.own_logs.clear(id).await;
    if let Err(error) = gone.and(emptied) {
        tracing::error!(task.id = id.0, %error, "the log of a task that was cleared stays");
    }
    publish(&service, Kind::TaskUpdated, id);
    Ok(Json(view(&service, record).await?))
}

/// Puts a cancel on record. Whether a worker holds the task is judged by the clock that workers live
/// by, which may not be ours.
async fn cancel_on_record(service: &Service, act: &Act, id: TaskId) -> Result<TaskRecord, StoreError> {
    let now_ms = service.database.now_ms().await?.unwrap_or(act.at_ms);
    service.database.cancel_task_as_of(act, id, now_ms).await
}

/// Starts a task.
///
/// # Errors
/// There is no such task, it is not pending, or it asks for what cannot be run.
pub(super) async fn start_one(
    service: &Service,
    caller: &Caller,
    id: TaskId,
) -> Result<TaskRecord, ApiError> {
    let record = service.database.task(id).await?;
    if record.summary.status == TaskStatus::Pending {
        let problems = reasons_not_to_start(&record.document);
        if !problems.is_empty() {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let text = format!("The task cannot be started: {}", texts.join("; "));
            return Err(ApiError::problems(text, problems));
        }
    }
    let act = caller.act(service.clock.now_ms());
    let started = service.database.start_task(&act, id).await;
    let record =
        started.map_err(|error| in_words(error, |_| illegal("Task must be in PENDING status to start")))?;
    publish(service, Kind::TaskUpdated, id);
    service.bell.notify_one();
    Ok(record)
}

fn reasons_not_to_start(document: &Value) -> Vec<Problem> {
    match TaskSpec::from_value(document).and_then(|parsed| parsed.spec.resolve()) {
        Ok(task) => cannot_run_yet(&task),
        Err(problems) => problems,
    }
}

/// Asks for the end of a task.
///
/// # Errors
/// There is no such task, or it does not run.
pub(super) async fn cancel_one(
    service: &Service,
    caller: &Caller,
    id: TaskId,
) -> Result<TaskRecord, ApiError> {
    let act = caller.act(service.clock.now_ms());
    let cancelled = cancel_on_record(service, &act, id).await;
    if let Err(error @ StoreError::CannotWrite { .. }) = cancelled {
        return Err(cancel_unrecorded(service, act, id, error).await);
    }
    let record = cancelled.map_err(|error| in_words(error, |_| illegal("Task is not running")))?;
    let kind = match record.summary.status {
        TaskStatus::Cancelled => Kind::TaskCancelled,
        _ => Kind::TaskUpdated,
    };
    publish(service, kind, id);
    service.bell.notify_one();
    Ok(record)
}

/// Stops a task whose cancel cannot be put on record: load and engine end at once, the run when
/// the disk has room again. Gives the answer that says so.
async fn cancel_unrecorded(service: &Service, act: Act, id: TaskId, error: StoreError) -> ApiError {
    let error = ApiError::from(error);
    let run = match service.database.task(id).await {
        Ok(record) if record.summary.status == TaskStatus::Running => record.summary.run,
        _ => return error,
    };
    tracing::warn!(
        task.id = id.0,
        actor = act.actor,
        "a task is cancelled without a record of it"
    );
    service.wishes.cancel(id, run, act);
    service.bell.notify_one();
    let mut told = error.with_hint(
        "make room on the disk of the data directory: the task ends as cancelled then, unless the service is \
         started again before",
    );
    told.body.detail = format!("Task {id} is being stopped, but the database cannot be written to say so");
    told
}

/// Makes a task ready for another run.
///
/// # Errors
/// There is no such task, it has not ended, or the name of the changed one is taken.
pub(super) async fn restart_one(
    service: &Service,
    caller: &Caller,
    id: TaskId,
    changed: Option<NewTask>,
) -> Result<TaskRecord, ApiError> {
    let act = caller.act(service.clock.now_ms());
    let restarted = service.database.restart_task(&act, id, changed).await;
    let record = restarted.map_err(|error| {
        in_words(error, |illegal_move| {
            let status = illegal_move.status;
            illegal(format!(
                "Task must be completed, failed, or cancelled to restart. Current status: {status}"
            ))
        })
    })?;
    publish(service, Kind::TaskUpdated, id);
    service.bell.notify_one();
    Ok(record)
}

/// The task with what a body changes of it; nothing where it changes nothing.
fn changed(
    service: &Service,
    caller: &Caller,
    record: &TaskRecord,
    body: &Written,
) -> Result<Option<NewTask>, ApiError> {
    let (tree, problems) = body.tree()?;
    let kept = current(record);
    let wanted = match &tree {
        Value::Null => return Ok(None),
        Value::Object(parts) if parts.is_empty() => return Ok(None),
        Value::Object(parts) if !parts.contains_key("task_name") => merged(&kept, parts),
        whole => whole.clone(),
    };
    let permits = Permits::of(&service.config);
    let author = Author {
        role: caller.role,
        permits: &permits,
    };
    let draft = draft(&wanted, problems, Some(&kept), &author).map_err(refused)?;
    Ok(Some(draft.record()))
}

/// A document with some of its parts replaced, each as a whole. A part under its older name takes
/// the place of the one under the new name.
fn merged(document: &Value, parts: &Map<String, Value>) -> Value {
    const OLDER: [(&str, &str); 4] = [
        ("model_config", "model"),
        ("optimization_config", "optimization"),
        ("benchmark_config", "benchmark"),
        ("slo_config", "slo"),
    ];
    let mut merged = document.as_object().cloned().unwrap_or_default();
    for (name, value) in parts {
        let name = match OLDER.iter().find(|(older, _)| older == name) {
            Some((_, new)) if !parts.contains_key(*new) => new,
            _ => name.as_str(),
        };
        merged.insert(name.to_owned(), value.clone());
    }
    Value::Object(merged)
}
