//! Logs, whole and live.
//!
//! Four ways to the same bytes: the end of a log as text, all of it as a file, and line by line
//! or in batches while it is written. Whether there is something that may have a log is for the
//! database to say; whether it has one, for the file.

mod frames;
mod relay;
mod subject;

use std::path::PathBuf;
use std::sync::Arc;

use autotuner_core::ids::{ExperimentNumber, TaskId};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::extract::{Operator, Path, Query, Viewer, truth};
use super::streaming;
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::log_files::{blocking, open_to_read, read};
use frames::Form;
use relay::Relay;
use subject::Subject;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(task_log, clear_task_log))
        .routes(routes!(download_task_log))
        .routes(routes!(experiment_log))
        .routes(routes!(download_experiment_log))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct LogQuery {
    /// Whether to go on with what comes, as server-sent events.
    #[serde(default, deserialize_with = "truth")]
    #[param(default = false)]
    follow: bool,
    /// While following: many lines in one event, as a JSON array of texts.
    #[serde(default, deserialize_with = "truth")]
    #[param(default = false)]
    batch: bool,
    /// Without following: only so many of the last lines.
    #[serde(default, deserialize_with = "line_count")]
    #[param(value_type = Option<u32>, minimum = 1)]
    tail: Option<usize>,
    /// While following: the id after which to go on, for clients that cannot set `Last-Event-ID`.
    last_event_id: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct RunQuery {
    /// Of which run of the task; the current one where it is not said.
    #[param(minimum = 1)]
    run: Option<u32>,
}

/// A log, or the end of it.
#[derive(Debug, Serialize, ToSchema)]
struct LogText {
    /// Its lines; what is no UTF-8 is replaced.
    logs: String,
}

/// The log of a task
///
/// As text, it is the last 8 MiB at most, with a first line that says what was left out. With
/// `follow=true` it is a stream of unnamed server-sent events, one for each line: everything
/// from the start, then what comes, also after the task has ended, for it may be started again.
/// A client that comes back with the id of the last line as `Last-Event-ID` gets what follows
/// it, no line twice. Carriage returns and other control characters inside a line are shown as
/// escapes (`\r`, `\x00`), except tabulators and colours; lines of more than 64 KiB are cut. A last line without its
/// newline is sent when nobody writes to the log any more. `[Log file was truncated]` means
/// that the log begins again, `[Log file removed]` that it is gone.
#[utoipa::path(get, path = "/api/tasks/{id}/logs", tag = "logs",
    params(("id" = i64, Path), LogQuery, ("Last-Event-ID" = Option<String>, Header, description = "The id after which to go on")),
    responses(
        (status = 200, description = "The log", content((LogText = "application/json"), (String = "text/event-stream"))),
        (status = 204, description = "The log that was followed is gone: do not come back"),
        (status = 404, description = "There is no such task", body = ErrorBody),
    ))]
async fn task_log(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path(id): Path<i64>,
    Query(query): Query<LogQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let subject = Subject::task(&service, TaskId(id)).await?;
    answer(service, &caller, subject, &query, &headers).await
}

/// The log of an experiment's engine
///
/// Everything that it printed, in the ways in which the log of a task is given.
#[utoipa::path(get, path = "/api/tasks/{id}/experiments/{n}/logs", tag = "logs",
    params(("id" = i64, Path), ("n" = u32, Path, description = "The experiment's number inside the task"), LogQuery, RunQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id after which to go on")),
    responses(
        (status = 200, description = "The log", content((LogText = "application/json"), (String = "text/event-stream"))),
        (status = 204, description = "The log that was followed is gone: do not come back"),
        (status = 404, description = "There is no such task, run or experiment", body = ErrorBody),
    ))]
async fn experiment_log(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path((id, number)): Path<(i64, u32)>,
    Query(query): Query<LogQuery>,
    Query(RunQuery { run }): Query<RunQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let subject = Subject::experiment(&service, TaskId(id), ExperimentNumber(number), run).await?;
    answer(service, &caller, subject, &query, &headers).await
}

/// The log of a task as a file
///
/// Byte by byte as it is now, however long.
#[utoipa::path(get, path = "/api/tasks/{id}/logs/download", tag = "logs", params(("id" = i64, Path)), responses(
    (status = 200, description = "The log as an attachment", body = String, content_type = "text/plain"),
    (status = 404, description = "There is no such task, or it has no log yet", body = ErrorBody),
))]
async fn download_task_log(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path(id): Path<i64>,
) -> Result<Response, ApiError> {
    let subject = Subject::task(&service, TaskId(id)).await?;
    download(&service, &caller, &subject).await
}

/// The log of an experiment's engine as a file
///
/// Byte by byte as it is now, however long.
#[utoipa::path(get, path = "/api/tasks/{id}/experiments/{n}/logs/download", tag = "logs",
    params(("id" = i64, Path), ("n" = u32, Path, description = "The experiment's number inside the task"), RunQuery),
    responses(
        (status = 200, description = "The log as an attachment", body = String, content_type = "text/plain"),
        (status = 404, description = "There is no such task, run or experiment, or it has no log yet", body = ErrorBody),
    ))]
async fn download_experiment_log(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path((id, number)): Path<(i64, u32)>,
    Query(RunQuery { run }): Query<RunQuery>,
) -> Result<Response, ApiError> {
    let subject = Subject::experiment(&service, TaskId(id), ExperimentNumber(number), run).await?;
    download(&service, &caller, &subject).await
}

/// Empty the log of a task
///
/// The file stays, and a task that runs goes on writing to it. Logs of its engines are not
/// touched.
#[utoipa::path(delete, path = "/api/tasks/{id}/logs", tag = "logs", params(("id" = i64, Path)), responses(
    (status = 204, description = "The log is empty"),
    (status = 404, description = "There is no such task", body = ErrorBody),
))]
async fn clear_task_log(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    let task = TaskId(id);
    service.database.task(task).await?;
    let act = caller.act(service.clock.now_ms());
    // On record first: nothing is emptied that nobody can be asked about.
    let target = format!("task {task}");
    service
        .database
        .note(&act, "task.clear_log", &target, None)
        .await?;
    service.forget_logs(task, &format!("task_{task}.log")).await?;
    let cleared = service.own_logs.clear(task).await;
    cleared.map_err(|error| ApiError::internal(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn answer(
    service: Arc<Service>,
    caller: &Caller,
    subject: Subject,
    query: &LogQuery,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    if !query.follow {
        return text(&service, &subject, query.tail).await;
    }
    let after = streaming::last_event_id(headers, query.last_event_id.as_deref());
    let hold = streaming::hold(&service, caller)?;
    let form = if query.batch { Form::Batches } else { Form::Lines };
    match Relay::open(service, hold, subject, form, after).await {
        Some(relay) => Ok(streaming::response(relay.frames())),
        // A browser comes back to a stream that ended for as long as it is answered otherwise.
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

async fn text(service: &Service, subject: &Subject, tail: Option<usize>) -> Result<Response, ApiError> {
    let path = subject.fetched(service).await;
    let nothing = subject.no_log();
    let body = blocking(move || {
        let logs = read::end(&path, tail)?.unwrap_or_else(|| nothing.to_owned());
        Ok(serde_json::to_vec(&LogText { logs })?)
    });
    let body = body.await.map_err(|error| ApiError::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

async fn download(service: &Service, caller: &Caller, subject: &Subject) -> Result<Response, ApiError> {
    let missing = ApiError::not_found(subject.no_log());
    attachment(service, caller, subject.fetched(service).await, missing).await
}

/// A log as it is now as a file for whoever asks, or this error where there is none.
pub(super) async fn attachment(
    service: &Service,
    caller: &Caller,
    path: PathBuf,
    missing: ApiError,
) -> Result<Response, ApiError> {
    let opened = blocking({
        let path = path.clone();
        move || match open_to_read(&path)? {
            Some(file) => Ok(Some((file.metadata()?.len(), file))),
            None => Ok(None),
        }
    });
    let opened = opened.await.map_err(|error| ApiError::internal(&error))?;
    let (length, file) = opened.ok_or(missing)?;
    let hold = streaming::hold(service, caller)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    let body = Body::from_stream(streaming::held(read::blocks(file, length), hold));
    Ok((headers, body).into_response())
}

fn line_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    match u32::deserialize(deserializer)? {
        0 => Err(de::Error::custom("at least one line must be asked for")),
        count => Ok(Some(count as usize)),
    }
}
