//! The same for many containers.
//!
//! Each is a step of its own: one that refuses stops no other, and everyone's answer is told.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::problem::{Problem, closest};
use autotuner_deploy::containers::Action;
use axum::Json;
use axum::extract::State;
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::actions::{Done, LONGEST_TIMEOUT, USUAL_TIMEOUT, act_on};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Operator, Written};
use crate::service::Service;

/// Containers in one request.
const MOST_CONTAINERS: usize = 100;

/// Containers that are acted on at once.
const TOGETHER: usize = 8;

/// Keys of a request.
const KEYS: [&str; 4] = ["action", "ids", "force", "timeout"];

/// What can be done to many containers.
const ACTIONS: [&str; 6] = ["start", "stop", "restart", "remove", "pause", "unpause"];

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(change_containers))
}

/// What is to be done with which containers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read by hand, so that every problem is told; this describes it"
)]
struct BulkContainersRequest {
    /// What is to be done: `start`, `stop`, `restart`, `remove`, `pause`, `unpause`.
    #[schema(example = "stop")]
    action: String,
    /// With which, by their ids or names; 100 at most. One that is named twice is named once.
    #[schema(max_items = 100)]
    ids: Vec<String>,
    /// With `remove`: also those that run.
    #[schema(default = false)]
    force: Option<bool>,
    /// With `stop` and `restart`: seconds that each is given to end.
    #[schema(minimum = 0, maximum = 600, default = 10)]
    timeout: Option<u32>,
}

/// What came of it, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
struct BulkContainersAnswer {
    /// What was to be done.
    action: &'static str,
    /// For how many containers it was.
    succeeded: usize,
    /// For how many it was not.
    failed: usize,
    /// One result for each container.
    results: Vec<BulkContainersResult>,
}

/// What came of it for one container.
#[derive(Debug, Serialize, ToSchema)]
struct BulkContainersResult {
    /// The container, as the request named it.
    id: String,
    /// Whether it was done.
    ok: bool,
    /// What was done.
    message: Option<String>,
    /// What it means for an experiment that was using the container.
    warning: Option<String>,
    /// Why it was not done.
    error: Option<ErrorBody>,
}

/// Start, stop, restart, pause, unpause or remove many containers
#[utoipa::path(post, path = "/api/docker/containers/bulk", tag = "containers", request_body = BulkContainersRequest, responses(
    (status = 200, body = BulkContainersAnswer, description = "A result for each container, also where nothing was done"),
    (status = 422, body = ErrorBody, description = "The request has problems; nothing was done"),
))]
async fn change_containers(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    body: Written,
) -> Result<Json<BulkContainersAnswer>, ApiError> {
    let (action, ids) = wanted(&body)?;
    let acts = ids.into_iter().map(async |id| {
        let done = act_on(&service, &caller, &id, action).await;
        result(id, done)
    });
    let results: Vec<_> = stream::iter(acts).buffered(TOGETHER).collect().await;
    let succeeded = results.iter().filter(|result| result.ok).count();
    Ok(Json(BulkContainersAnswer {
        action: action.as_str(),
        succeeded,
        failed: results.len() - succeeded,
        results,
    }))
}

fn result(id: String, done: Result<Done, ApiError>) -> BulkContainersResult {
    match done {
        Ok(Done { message, warning }) => BulkContainersResult {
            id,
            ok: true,
            message: Some(message),
            warning,
            error: None,
        },
        Err(error) => BulkContainersResult {
            id,
            ok: false,
            message: None,
            warning: None,
            error: Some(error.body),
        },
    }
}

/// What a body asks for; ids that are named twice once.
fn wanted(body: &Written) -> Result<(Action, Vec<String>), ApiError> {
    let (tree, mut problems) = body.tree()?;
    let Value::Object(keys) = &tree else {
        let problem = Problem::new("", "expected an object with the keys action and ids");
        return Err(ApiError::problems("The request has problems", vec![problem]));
    };
    for key in keys.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        problems.push(Problem::new(key.as_str(), "is no key of this request"));
    }
    let action = action(keys).map_err(|found| problems.extend(found));
    let ids = ids(keys.get("ids")).map_err(|problem| problems.push(problem));
    match (action, ids) {
        (Ok(action), Ok(ids)) if problems.is_empty() => Ok((action, ids)),
        _ => Err(ApiError::problems("The request has problems", problems)),
    }
}

fn action(keys: &Map<String, Value>) -> Result<Action, Vec<Problem>> {
    let mut problems = Vec::new();
    let force = match keys.get("force") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(force)) => *force,
        Some(_) => {
            problems.push(Problem::new("force", "expected true or false"));
            false
        }
    };
    let seconds = match keys.get("timeout") {
        None | Some(Value::Null) => u64::from(USUAL_TIMEOUT),
        Some(given) => match given.as_u64() {
            Some(seconds) if seconds <= LONGEST_TIMEOUT.into() => seconds,
            _ => {
                let message = format!("expected whole seconds from 0 to {LONGEST_TIMEOUT}");
                problems.push(Problem::new("timeout", message));
                0
            }
        },
    };
    let timeout = Duration::from_secs(seconds);
    let offer = format!("use one of {}", ACTIONS.join(", "));
    let action = match keys.get("action") {
        Some(Value::String(word)) => match word.as_str() {
            "start" => Ok(Action::Start),
            "stop" => Ok(Action::Stop { timeout }),
            "restart" => Ok(Action::Restart { timeout }),
            "remove" => Ok(Action::Remove { force }),
            "pause" => Ok(Action::Pause),
            "unpause" => Ok(Action::Unpause),
            other => {
                let meant = closest(other, ACTIONS);
                let hint = meant.map_or(offer, |meant| format!("did you mean \"{meant}\"?"));
                let short: String = other.chars().take(60).collect();
                Err(Problem::new("action", format!("unknown action \"{short}\"")).with_hint(hint))
            }
        },
        _ => Err(Problem::new("action", "expected an action").with_hint(offer)),
    };
    match action {
        Ok(action) if problems.is_empty() => Ok(action),
        Ok(_) => Err(problems),
        Err(problem) => {
            problems.push(problem);
            Err(problems)
        }
    }
}

fn ids(value: Option<&Value>) -> Result<Vec<String>, Problem> {
    let Some(Value::Array(given)) = value else {
        return Err(Problem::new("ids", "expected a list of containers' ids or names"));
    };
    if given.len() > MOST_CONTAINERS {
        let message = format!("names {} containers; {MOST_CONTAINERS} at most", given.len());
        return Err(Problem::new("ids", message));
    }
    let mut ids: Vec<String> = Vec::with_capacity(given.len());
    for (index, value) in given.iter().enumerate() {
        match value.as_str() {
            Some(id) if ids.iter().any(|known| known == id) => {}
            Some(id) => ids.push(id.to_owned()),
            None => {
                let message = "expected the id or name of a container";
                return Err(Problem::new(format!("ids[{index}]"), message));
            }
        }
    }
    Ok(ids)
}
