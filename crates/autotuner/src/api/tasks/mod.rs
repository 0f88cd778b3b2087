//! Tasks: made, listed, read, changed, removed.

mod change;
mod check;
mod read;
mod runs;

use std::sync::Arc;

use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::{IllegalMove, TaskStatus};
use autotuner_store::{StoreError, TaskRecord, TaskSummary};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::views::task::{Beside, TaskView, VerdictView};
use crate::service::Service;
use crate::service::events::{Event, Kind};

pub(super) use change::remove;
pub(super) use runs::Rows;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(read::list_tasks, change::create_task))
        .routes(routes!(check::check_task))
        .routes(routes!(read::get_task_by_name))
        .routes(routes!(
            read::get_task,
            change::describe_task,
            change::edit_task,
            change::delete_task
        ))
        .routes(routes!(change::replace_task))
        .routes(routes!(runs::list_runs))
        .routes(routes!(runs::list_run_experiments))
}

/// The view of a single task, with what its run has found out.
pub(super) async fn view(service: &Service, record: TaskRecord) -> Result<TaskView, ApiError> {
    let beside = beside(service, &record).await?;
    Ok(TaskView::of(record, beside))
}

async fn beside(service: &Service, record: &TaskRecord) -> Result<Beside, ApiError> {
    let summary = &record.summary;
    let waiting_for = waiting_for(service, summary);
    if summary.total_experiments == 0 {
        return Ok(Beside {
            waiting_for,
            ..Beside::default()
        });
    }
    let standing = service
        .database
        .standings(&[summary.id])
        .await?
        .remove(&summary.id);
    let verdict = standing.as_ref().and_then(|standing| standing.verdict.as_ref());
    Ok(Beside {
        waiting_for,
        verdict: verdict.map(VerdictView::of),
        best_number: standing
            .as_ref()
            .and_then(|standing| standing.best_number)
            .map(|number| number.0),
    })
}

/// What a running task waits for, for people.
pub(super) fn waiting_for(service: &Service, task: &TaskSummary) -> Option<String> {
    let is_running = task.status == TaskStatus::Running;
    is_running.then(|| service.board.waiting_for(task.id)).flatten()
}

/// Tells everybody of what happened to a task.
pub(super) fn publish(service: &Service, kind: Kind, task: TaskId) {
    service.events.publish(Event::of_task(kind, task));
}

/// The contract's words for a move that the task's status does not allow; other errors as
/// they are.
pub(super) fn in_words(error: StoreError, words: impl FnOnce(&IllegalMove) -> ApiError) -> ApiError {
    match error {
        StoreError::Illegal(illegal) => {
            let hint = format!("the task is {}", illegal.status);
            let error = words(&illegal);
            match error.body.hint {
                Some(_) => error,
                None => error.with_hint(hint),
            }
        }
        other => other.into(),
    }
}

/// 400 in the contract's words for an illegal move.
pub(super) fn illegal(text: impl Into<String>) -> ApiError {
    ApiError::bad_request("illegal_move", text)
}
