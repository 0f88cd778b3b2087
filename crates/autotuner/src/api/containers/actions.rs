//! Containers, started, stopped, restarted, held and removed.
//!
//! The order is the same for each: the name is resolved, whose container it is decides, the
//! attempt is put on record, and then the daemon is told, by the whole id. What the daemon would not
//! do is put on record, too. A container that an experiment uses may be acted on like any other,
//! and the answer says what that means for the experiment.

use std::sync::Arc;
use std::time::Duration;

use autotuner_deploy::containers::{Action, Container};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::may_manage;
use super::failed::of_container;
use super::view::{own_task, task_named};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Operator, Path, Query, truth};
use crate::service::Service;
use crate::service::access::Caller;
use crate::worker::chain;

/// Seconds that a container is given to end where nothing is said.
pub(super) const USUAL_TIMEOUT: u32 = 10;

/// Most seconds that it is given.
pub(super) const LONGEST_TIMEOUT: u32 = 600;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(remove_container))
        .routes(routes!(start_container))
        .routes(routes!(stop_container))
        .routes(routes!(restart_container))
        .routes(routes!(pause_container))
        .routes(routes!(unpause_container))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct TimeoutQuery {
    /// Seconds that it is given to end, before it is killed.
    #[serde(default = "usual_timeout", deserialize_with = "timeout")]
    #[param(minimum = 0, maximum = 600, default = 10)]
    timeout: u32,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ForceQuery {
    /// Also where it runs: it is killed.
    #[serde(default, deserialize_with = "truth")]
    #[param(default = false)]
    force: bool,
}

fn usual_timeout() -> u32 {
    USUAL_TIMEOUT
}

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.parse() {
        Ok(seconds @ 0..=LONGEST_TIMEOUT) => Ok(seconds),
        _ => Err(de::Error::custom(format!(
            "expected whole seconds from 0 to {LONGEST_TIMEOUT}, got '{text}'"
        ))),
    }
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Done {
    /// What, to which container as it was asked for.
    #[schema(example = "Container web started successfully")]
    pub(super) message: String,
    /// What it means for an experiment that was using the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) warning: Option<String>,
}

/// Start a container
///
/// One that runs is left as it is.
#[utoipa::path(post, path = "/api/docker/containers/{id}/start", tag = "containers", params(("id" = String, Path)), responses(
    (status = 200, body = Done),
    (status = 400, body = ErrorBody, description = "The container cannot run as it is, or the beginning of several ids"),
    (status = 404, body = ErrorBody, description = "There is no such container"),
    (status = 409, body = ErrorBody, description = "Its state does not allow it"),
))]
async fn start_container(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<String>,
) -> Result<Json<Done>, ApiError> {
    act_on(&service, &caller, &id, Action::Start).await.map(Json)
}

/// Stop a container
///
/// It is asked to end, and killed after `timeout`. One that does not run is left as it is.
#[utoipa::path(post, path = "/api/docker/containers/{id}/stop", tag = "containers", params(("id" = String, Path), TimeoutQuery), responses(
    (status = 200, body = Done),
    (status = 400, body = ErrorBody, description = "The beginning of several ids"),
    (status = 404, body = ErrorBody, description = "There is no such container"),
    (status = 409, body = ErrorBody, description = "Its state does not allow it"),
))]
async fn stop_container(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<String>,
    Query(query): Query<TimeoutQuery>,
) -> Result<Json<Done>, ApiError> {
    let timeout = Duration::from_secs(query.timeout.into());
    act_on(&service, &caller, &id, Action::Stop { timeout })
        .await
        .map(Json)
}

/// Restart a container
///
/// It is stopped as above, and started; one that does not run is started.
#[utoipa::path(post, path = "/api/docker/containers/{id}/restart", tag = "containers", params(("id" = String, Path), TimeoutQuery), responses(
    (status = 200, body = Done),
    (status = 400, body = ErrorBody, description = "The container cannot run as it is, or the beginning of several ids"),
    (status = 404, body = ErrorBody, description = "There is no such container"),
    (status = 409, body = ErrorBody, description = "Its state does not allow it"),
))]
async fn restart_container(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<String>,
    Query(query): Query<TimeoutQuery>,
) -> Result<Json<Done>, ApiError> {
    let timeout = Duration::from_secs(query.timeout.into());
    act_on(&service, &caller, &id, Action::Restart { timeout })
        .await
        .map(Json)
}

/// Hold a container's processes
#[utoipa::path(post, path = "/api/docker/containers/{id}/pause", tag = "containers", params(("id" = String, Path)), responses(
    (status = 200, body = Done),
    (status = 400, body = ErrorBody, description = "The beginning of several ids"),
    (status = 404, body = ErrorBody, description = "There is no such container"),
    (status = 409, body = ErrorBody, description = "It does not run, or is paused"),
))]
async fn pause_container(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<String>,
) -> Result<Json<Done>, ApiError> {
    act_on(&service, &caller, &id, Action::Pause).await.map(Json)
}

/// Let a container's processes go on
#[utoipa::path(post, path = "/api/docker/containers/{id}/unpause", tag = "containers", params(("id" = String, Path)), responses(
    (status = 200, body = Done),
    (status = 400, body = ErrorBody, description = "The beginning of several ids"),
    (status = 404, body = ErrorBody, description = "There is no such container"),
    (status = 409, body = ErrorBody, description = "It is not paused"),
))]
async fn unpause_container(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<String>,
) -> Result<Json<Done>, ApiError> {
    act_on(&service, &caller, &id, Action::Unpause).await.map(Json)
}

/// Remove a container
///
/// For good, with its output; its volumes stay. One that runs only with `force`.
#[utoipa::path(delete, path = "/api/docker/containers/{id}", tag = "containers", params(("id" = String, Path), ForceQuery), responses(
    (status = 200, body = Done),
    (status = 400, body = ErrorBody, description = "The beginning of several ids"),
    (status = 404, body = ErrorBody, description = "There is no such container"),
    (status = 409, body = ErrorBody, description = "It runs, and force was not asked for"),
))]
async fn remove_container(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<String>,
    Query(query): Query<ForceQuery>,
) -> Result<Json<Done>, ApiError> {
    let force = query.force;
    act_on(&service, &caller, &id, Action::Remove { force })
        .await
        .map(Json)
}

/// Does something with the container that is called so now.
///
/// # Errors
/// There is none, the caller may not, its state does not allow it, or the daemon cannot.
pub(super) async fn act_on(
    service: &Service,
    caller: &Caller,
    name: &str,
    action: Action,
) -> Result<Done, ApiError> {
    let found = service.containers.resolve(&name.parse()?).await;
    let container = found.map_err(|error| of_container(error, name))?;
    let mut detail = detail(&container, action);
    if let Err(refused) = may_manage(service, caller, &container) {
        detail["error"] = refused.body.detail.as_str().into();
        note(service, caller, action, ".refused", &container, detail).await?;
        return Err(refused);
    }
    let warning = warning(service, &container, action).await?;
    note(service, caller, action, "", &container, detail.clone()).await?;
    if let Err(error) = service.containers.act(&container.id, action).await {
        let error = of_container(error, name);
        detail["error"] = error.body.detail.as_str().into();
        let noted = note(service, caller, action, ".failed", &container, detail).await;
        if let Err(unwritten) = noted {
            tracing::error!(container.id = %container.id, error = %unwritten.body.detail, "a failed action is not in the audit log");
        }
        return Err(error);
    }
    Ok(Done {
        message: format!("Container {name} {} successfully", past(action)),
        warning,
    })
}

/// What of the action is put on record.
fn detail(container: &Container, action: Action) -> Value {
    let mut detail = json!({
        "id": container.id.as_str(),
        "name": container.name,
        "image": container.image,
        "state": container.state,
        "is_ours": container.is_ours(),
    });
    match action {
        Action::Stop { timeout } | Action::Restart { timeout } => {
            detail["timeout"] = timeout.as_secs().into();
        }
        Action::Remove { force } => detail["force"] = force.into(),
        Action::Start | Action::Pause | Action::Unpause => {}
    }
    detail
}

/// Puts on record what is to be done, or what came of it.
async fn note(
    service: &Service,
    caller: &Caller,
    action: Action,
    outcome: &str,
    container: &Container,
    detail: Value,
) -> Result<(), ApiError> {
    let act = caller.act(service.clock.now_ms());
    let word = format!("container.{}{outcome}", action.as_str());
    let target = format!("container {}", container.id.short());
    let noted = service.database.note(&act, &word, &target, Some(detail)).await;
    noted.map_err(|error| {
        tracing::error!(container.id = %container.id, error = %chain(&error), "an action is not in the audit log");
        error.into()
    })
}

/// What an action means for the experiment that uses the container, if one does.
async fn warning(
    service: &Service,
    container: &Container,
    action: Action,
) -> Result<Option<String>, ApiError> {
    let disturbs = !matches!(action, Action::Start | Action::Unpause);
    let Some(task) = own_task(container).filter(|_| disturbs && container.is_alive()) else {
        return Ok(None);
    };
    let is_running = task_named(service, task)
        .await?
        .is_some_and(|task| task.is_running);
    let experiment = container
        .ownership
        .as_ref()
        .map_or(0, |ownership| ownership.experiment);
    Ok(is_running.then(|| {
        format!(
            "Experiment {experiment} of the running task '{task}' was using this container: the attempt is \
             lost and made again, three in all"
        )
    }))
}

/// What was done, in one word.
fn past(action: Action) -> &'static str {
    match action {
        Action::Start => "started",
        Action::Stop { .. } => "stopped",
        Action::Restart { .. } => "restarted",
        Action::Remove { .. } => "removed",
        Action::Pause => "paused",
        Action::Unpause => "unpaused",
    }
}
