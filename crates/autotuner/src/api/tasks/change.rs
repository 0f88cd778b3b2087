//! Tasks made, described, edited, replaced, removed.

use std::sync::Arc;

use autotuner_core::ids::TaskId;
use autotuner_core::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;

use super::{illegal, in_words, publish, view};
use crate::api::documents::read;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Operator, Path, Written};
use crate::api::openapi::TaskDocument;
use crate::api::views::task::TaskView;
use crate::service::Service;
use crate::service::events::Kind;
use crate::service::permits::Permits;

/// Make a task
#[utoipa::path(post, path = "/api/tasks", tag = "tasks",
    request_body(content = TaskDocument, description = "A task document, as JSON or YAML"),
    responses(
        (status = 201, body = TaskView),
        (status = 400, body = ErrorBody, description = "The name is taken"),
        (status = 422, body = ErrorBody, description = "The document has problems; all of them are told"),
    ))]
pub(super) async fn create_task(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    body: Written,
) -> Result<(StatusCode, Json<TaskView>), ApiError> {
    let draft = read(&body, None, &caller, &Permits::of(&service.config))?;
    let act = caller.act(service.clock.now_ms());
    let record = service.database.create_task(&act, draft.record()).await?;
    publish(&service, Kind::TaskCreated, record.summary.id);
    Ok((StatusCode::CREATED, Json(view(&service, record).await?)))
}

/// Change what is said of a task for people
///
/// Its status is changed by `start`, `cancel`, `restart` and `clear`, its document by a `PUT`.
#[utoipa::path(patch, path = "/api/tasks/{id}", tag = "tasks", params(("id" = i64, Path)),
    request_body(content = Value, description = "`{\"description\": …}`"),
    responses(
        (status = 200, body = TaskView),
        (status = 404, body = ErrorBody, description = "There is no such task"),
        (status = 422, body = ErrorBody, description = "Anything else than a description was sent"),
    ))]
pub(super) async fn describe_task(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<i64>,
    body: Written,
) -> Result<Json<TaskView>, ApiError> {
    let id = TaskId(id);
    let record = match description(&body)? {
        None => service.database.task(id).await?,
        Some(text) => {
            let act = caller.act(service.clock.now_ms());
            let record = service.database.describe_task(&act, id, text).await?;
            publish(&service, Kind::TaskUpdated, id);
            record
        }
    };
    Ok(Json(view(&service, record).await?))
}

/// What a change of the description asks for: nothing, or another text or none.
fn description(body: &Written) -> Result<Option<Option<String>>, ApiError> {
    let (tree, mut problems) = body.tree()?;
    let mut wanted = None;
    match &tree {
        Value::Object(keys) => {
            for (key, value) in keys {
                match (key.as_str(), value) {
                    ("description", Value::Null) => wanted = Some(None),
                    ("description", Value::String(text)) => wanted = Some(Some(text.clone())),
                    ("description", _) => problems.push(Problem::new("description", "expected text")),
                    ("status", _) => problems.push(
                        Problem::new("status", "cannot be set")
                            .with_hint("use start, cancel, restart or clear"),
                    ),
                    (key, _) => problems.push(
                        Problem::new(key, "cannot be changed here")
                            .with_hint("PUT the whole task document to change it"),
                    ),
                }
            }
        }
        _ => problems.push(Problem::new("", "expected an object with the key description")),
    }
    if problems.is_empty() {
        Ok(wanted)
    } else {
        Err(ApiError::problems(
            "Only the description can be changed",
            problems,
        ))
    }
}

/// Edit a task
///
/// Every field is replaced and the task is pending again. On a task that has ended, this begins
/// a new run; the old results go to the run history. What is shown as `***` stays as it is kept.
#[utoipa::path(put, path = "/api/tasks/{id}", tag = "tasks", params(("id" = i64, Path)),
    request_body(content = TaskDocument, description = "A task document, as JSON or YAML"),
    responses(
        (status = 200, body = TaskView),
        (status = 400, body = ErrorBody, description = "The task runs, or the name is taken"),
        (status = 404, body = ErrorBody, description = "There is no such task"),
        (status = 422, body = ErrorBody, description = "The document has problems; all of them are told"),
    ))]
pub(super) async fn edit_task(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<i64>,
    body: Written,
) -> Result<Json<TaskView>, ApiError> {
    let id = TaskId(id);
    let kept = service.database.task(id).await?.document;
    let draft = read(&body, Some(&kept), &caller, &Permits::of(&service.config))?;
    let act = caller.act(service.clock.now_ms());
    let edited = service.database.edit_task(&act, id, draft.record()).await;
    let record = edited.map_err(|error| in_words(error, |_| illegal("Cannot edit a running task")))?;
    publish(&service, Kind::TaskUpdated, id);
    Ok(Json(view(&service, record).await?))
}

/// Put a new task in the place of a pending one
///
/// One step: the new one has a new id and the old one is gone, or nothing has happened.
#[utoipa::path(post, path = "/api/tasks/{id}/replace", tag = "tasks", params(("id" = i64, Path)),
    request_body(content = TaskDocument, description = "A task document, as JSON or YAML"),
    responses(
        (status = 201, body = TaskView),
        (status = 400, body = ErrorBody, description = "The task is not pending, or the name is taken"),
        (status = 404, body = ErrorBody, description = "There is no such task"),
        (status = 422, body = ErrorBody, description = "The document has problems; all of them are told"),
    ))]
pub(super) async fn replace_task(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<i64>,
    body: Written,
) -> Result<(StatusCode, Json<TaskView>), ApiError> {
    let id = TaskId(id);
    let kept = service.database.task(id).await?.document;
    let draft = read(&body, Some(&kept), &caller, &Permits::of(&service.config))?;
    let act = caller.act(service.clock.now_ms());
    let replaced = service.database.replace_task(&act, id, draft.record()).await;
    let record = replaced.map_err(|error| {
        in_words(error, |illegal_move| {
            let status = illegal_move.status;
            illegal(format!(
                "Only pending tasks can be edited. Current status: {status}"
            ))
        })
    })?;
    if let Err(error) = service.remove_logs(id).await {
        tracing::error!(task.id = id.0, %error, "a log of a task that was replaced stays");
    }
    publish(&service, Kind::TaskDeleted, id);
    publish(&service, Kind::TaskCreated, record.summary.id);
    Ok((StatusCode::CREATED, Json(view(&service, record).await?)))
}

/// Remove a task that does not run, with its experiments
#[utoipa::path(delete, path = "/api/tasks/{id}", tag = "tasks", params(("id" = i64, Path)), responses(
    (status = 204, description = "It is gone"),
    (status = 400, body = ErrorBody, description = "The task runs"),
    (status = 404, body = ErrorBody, description = "There is no such task"),
))]
pub(super) async fn delete_task(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    remove(&service, &caller, TaskId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a task.
///
/// # Errors
/// There is no such task, or it runs.
pub(in crate::api) async fn remove(
    service: &Service,
    caller: &crate::service::access::Caller,
    id: TaskId,
) -> Result<(), ApiError> {
    let act = caller.act(service.clock.now_ms());
    let deleted = service.database.delete_task(&act, id).await;
    deleted.map_err(|error| in_words(error, |_| illegal("Cannot delete running task. Cancel it first.")))?;
    // The task is gone, whatever is left of its logs.
    if let Err(error) = service.remove_logs(id).await {
        tracing::error!(task.id = id.0, %error, "a log of a task that was removed stays");
    }
    publish(service, Kind::TaskDeleted, id);
    Ok(())
}
