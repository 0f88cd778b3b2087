//! The same for many tasks.
//!
//! Each task is a step of its own: one that refuses stops no other, and everyone's answer is told.

use std::sync::Arc;

use autotuner_core::ids::TaskId;
use autotuner_core::problem::{Problem, closest};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::extract::{Operator, Written};
use super::task_actions::{cancel_one, restart_one, start_one};
use super::tasks::remove;
use crate::service::Service;
use crate::service::access::Caller;

/// Tasks in one request.
const MOST_TASKS: usize = 1000;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(change_tasks))
}

/// What is to be done to which tasks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read by hand, so that every problem is told; this describes it"
)]
struct BulkRequest {
    /// What is to be done.
    action: Action,
    /// To which tasks, by their ids; 1000 at most. One that is named twice is named once.
    #[schema(max_items = 1000)]
    ids: Vec<i64>,
}

/// What can be done to many tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Action {
    /// Pending ones begin.
    Start,
    /// Running ones end.
    Cancel,
    /// Ended ones are made ready for another run.
    Restart,
    /// Those that do not run are removed.
    Delete,
}

const ACTIONS: [(&str, Action); 4] = [
    ("start", Action::Start),
    ("cancel", Action::Cancel),
    ("restart", Action::Restart),
    ("delete", Action::Delete),
];

/// What came of it, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
struct BulkAnswer {
    /// What was to be done.
    action: Action,
    /// For how many tasks it was.
    succeeded: usize,
    /// For how many it was not.
    failed: usize,
    /// One result for each task.
    results: Vec<BulkResult>,
}

/// What came of it for one task.
#[derive(Debug, Serialize, ToSchema)]
struct BulkResult {
    /// The task.
    id: i64,
    /// Whether it was done.
    ok: bool,
    /// The task's status after it; nothing where the task is gone.
    status: Option<&'static str>,
    /// Why it was not done.
    error: Option<ErrorBody>,
}

/// Start, cancel, restart or delete many tasks
#[utoipa::path(post, path = "/api/tasks/bulk", tag = "tasks", request_body = BulkRequest, responses(
    (status = 200, body = BulkAnswer, description = "A result for each task, also where none was changed"),
    (status = 422, body = ErrorBody, description = "The request has problems; nothing was done"),
))]
async fn change_tasks(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    body: Written,
) -> Result<Json<BulkAnswer>, ApiError> {
    let (action, ids) = wanted(&body)?;
    let mut results = Vec::with_capacity(ids.len());
    for id in ids {
        results.push(result(id, done(&service, &caller, action, TaskId(id)).await));
    }
    let succeeded = results.iter().filter(|result| result.ok).count();
    Ok(Json(BulkAnswer {
        action,
        succeeded,
        failed: results.len() - succeeded,
        results,
    }))
}

async fn done(
    service: &Service,
    caller: &Caller,
    action: Action,
    id: TaskId,
) -> Result<Option<&'static str>, ApiError> {
    let record = match action {
        Action::Start => start_one(service, caller, id).await?,
        Action::Cancel => cancel_one(service, caller, id).await?,
        Action::Restart => restart_one(service, caller, id, None).await?,
        Action::Delete => {
            remove(service, caller, id).await?;
            return Ok(None);
        }
    };
    Ok(Some(record.summary.status.as_str()))
}

fn result(id: i64, done: Result<Option<&'static str>, ApiError>) -> BulkResult {
    match done {
        Ok(status) => BulkResult {
            id,
            ok: true,
            status,
            error: None,
        },
        Err(error) => BulkResult {
            id,
            ok: false,
            status: None,
            error: Some(error.body),
        },
    }
}

/// What a body asks for; ids that are named twice once.
fn wanted(body: &Written) -> Result<(Action, Vec<i64>), ApiError> {
    let (tree, mut problems) = body.tree()?;
    let Value::Object(keys) = &tree else {
        let problem = Problem::new("", "expected an object with the keys action and ids");
        return Err(ApiError::problems("The request has problems", vec![problem]));
    };
    for key in keys
        .keys()
        .filter(|key| !matches!(key.as_str(), "action" | "ids"))
    {
        problems.push(Problem::new(key.as_str(), "is no key of this request"));
    }
    let action = action(keys.get("action")).map_err(|problem| problems.push(problem));
    let ids = ids(keys.get("ids")).map_err(|problem| problems.push(problem));
    match (action, ids) {
        (Ok(action), Ok(ids)) if problems.is_empty() => Ok((action, ids)),
        _ => Err(ApiError::problems("The request has problems", problems)),
    }
}

fn action(value: Option<&Value>) -> Result<Action, Problem> {
    let words = ACTIONS.map(|(word, _)| word);
    let offer = format!("use one of {}", words.join(", "));
    let Some(Value::String(given)) = value else {
        return Err(Problem::new("action", "expected an action").with_hint(offer));
    };
    let known = ACTIONS.iter().find(|(word, _)| word == given);
    known.map(|(_, action)| *action).ok_or_else(|| {
        let hint = closest(given, words).map_or(offer, |meant| format!("did you mean \"{meant}\"?"));
        let short: String = given.chars().take(60).collect();
        Problem::new("action", format!("unknown action \"{short}\"")).with_hint(hint)
    })
}

fn ids(value: Option<&Value>) -> Result<Vec<i64>, Problem> {
    let Some(Value::Array(given)) = value else {
        return Err(Problem::new("ids", "expected a list of task ids"));
    };
    if given.len() > MOST_TASKS {
        let message = format!("names {} tasks; {MOST_TASKS} at most", given.len());
        return Err(Problem::new("ids", message));
    }
    let mut ids = Vec::with_capacity(given.len());
    for (index, value) in given.iter().enumerate() {
        match value.as_i64() {
            Some(id) if ids.contains(&id) => {}
            Some(id) => ids.push(id),
            None => return Err(Problem::new(format!("ids[{index}]"), "expected the id of a task")),
        }
    }
    Ok(ids)
}
