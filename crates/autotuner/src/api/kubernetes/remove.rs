//! A pod, deleted.
//!
//! The attempt is put on record before the cluster is told, and what the cluster would not do after
//! it. One that an experiment needs goes only where that was said to be meant; its experiment is
//! then lost as it is when the cluster takes the pod away, and made again.

use std::sync::Arc;

use autotuner_deploy::kubernetes::pods::Pod;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::Lookup;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Operator, Path, Query, truth};
use crate::service::Service;
use crate::service::access::Caller;
use crate::worker::chain;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(delete_pod))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ForceQuery {
    /// Also one that an experiment needs.
    #[serde(default, deserialize_with = "truth")]
    #[param(default = false)]
    force: bool,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
struct PodDeleted {
    /// What, to which pod.
    #[schema(example = "Pod at-chat-3f9a61c20b-e3-x7k2p is being deleted")]
    message: String,
    /// What it means for an experiment that was using the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// Delete a pod
///
/// One that an experiment needs only with `force`: its attempt is lost as `infrastructure`, and made
/// again. One that nobody needs goes with its Job. It is gone once its containers have ended, which
/// takes a moment.
#[utoipa::path(delete, path = "/api/kubernetes/pods/{name}", tag = "kubernetes", params(("name" = String, Path), ForceQuery), responses(
    (status = 200, body = PodDeleted),
    (status = 404, body = ErrorBody, description = "There is no such pod, or it is another's"),
    (status = 409, body = ErrorBody, description = "An experiment needs it, and force was not asked for"),
    (status = 500, body = ErrorBody, description = "The cluster would not, mostly for want of a right"),
    (status = 503, body = ErrorBody, description = "No cluster is configured (`no_cluster`), or it does not answer (`cluster_unreachable`)"),
))]
async fn delete_pod(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(name): Path<String>,
    Query(query): Query<ForceQuery>,
) -> Result<Json<PodDeleted>, ApiError> {
    let pod = service.pods.get(&name).await?;
    let known = Lookup::default().known(&service, &pod).await?;
    let (task, experiment) = (pod.task.as_str(), pod.experiment);
    if known.is_needed && !query.force {
        let text = format!("Experiment {experiment} of the running task '{task}' needs the pod {name}");
        let hint = "delete it with force=true: the attempt is lost and made again";
        return Err(ApiError::new(StatusCode::CONFLICT, "conflict", text).with_hint(hint));
    }
    let mut detail = detail(&pod, known.is_needed, query.force);
    note(&service, &caller, "pod.delete", &pod, detail.clone()).await?;
    if let Err(error) = service.pods.delete(&pod, !known.is_needed).await {
        let error = ApiError::from(error);
        detail["error"] = error.body.detail.as_str().into();
        // It is in our own log where it cannot be written.
        drop(note(&service, &caller, "pod.delete.failed", &pod, detail).await);
        return Err(error);
    }
    let warning = known.is_needed.then(|| {
        format!(
            "Experiment {experiment} of the running task '{task}' was using this pod: the attempt is lost \
             and made again, three in all"
        )
    });
    Ok(Json(PodDeleted {
        message: format!("Pod {name} is being deleted"),
        warning,
    }))
}

/// What of it is put on record.
fn detail(pod: &Pod, is_needed: bool, force: bool) -> Value {
    json!({
        "uid": pod.uid,
        "namespace": pod.namespace,
        "task": pod.task,
        "experiment": pod.experiment,
        "attempt": pod.attempt,
        "state": pod.state.as_str(),
        "is_needed": is_needed,
        "force": force,
    })
}

async fn note(
    service: &Service,
    caller: &Caller,
    word: &str,
    pod: &Pod,
    detail: Value,
) -> Result<(), ApiError> {
    let act = caller.act(service.clock.now_ms());
    let target = format!("pod {}", pod.name);
    let noted = service.database.note(&act, word, &target, Some(detail)).await;
    noted.map_err(|error| {
        tracing::error!(pod = %pod.name, error = %chain(&error), "an action is not in the audit log");
        error.into()
    })
}
