//! What a pod's engine has printed: a part of it, all of it, and what comes.
//!
//! By the very protocol of a container's log. What is read is the engine's output as its agent
//! passes it on; what the agent tells its worker is not shown.

use std::sync::Arc;

use autotuner_deploy::containers::Place;
use autotuner_deploy::kubernetes::pods::PodBeginning;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::containers::logs::parameters::{Asked, LogQuery, RangeQuery, no_place};
use crate::api::containers::logs::relay::Relay;
use crate::api::containers::logs::{ContainerLog, body, form};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Path, Query, Viewer};
use crate::api::streaming;
use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(pod_log))
        .routes(routes!(download_pod_log))
}

/// The log of a pod
///
/// What its engine has printed (stream `o`), and what the agent beside it or its container said
/// otherwise (stream `e`); the agent's messages to its worker are left out. Asked for and followed
/// as a container's log is. A pod that has not started its engine's container has an empty log. Once
/// it is gone its output is in its experiment's log.
#[utoipa::path(get, path = "/api/kubernetes/pods/{name}/logs", tag = "kubernetes",
    params(("name" = String, Path), LogQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id after which to go on")),
    responses(
        (status = 200, description = "The log", content((ContainerLog = "application/json"), (String = "text/event-stream"))),
        (status = 204, description = "The log that was followed is at its end: do not come back"),
        (status = 404, description = "There is no such pod, or it is another's", body = ErrorBody),
        (status = 500, description = "The cluster would not give it, mostly for want of a right", body = ErrorBody),
        (status = 503, description = "No cluster is configured (`no_cluster`), or it does not answer (`cluster_unreachable`)", body = ErrorBody),
    ))]
async fn pod_log(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path(name): Path<String>,
    Query(query): Query<LogQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let asked = Asked::read(&query)?;
    let pod = service.pods.get(&name).await?;
    if !query.follow {
        let found = service.pods.find_in_log(&pod, &asked.query).await?;
        return Ok(axum::Json(body(&found, &query)).into_response());
    }
    let hold = streaming::hold(&service, &caller)?;
    let after = streaming::last_event_id(&headers, query.last_event_id.as_deref());
    let beginning = match after {
        None => PodBeginning::With(asked.query),
        Some(id) => PodBeginning::After(id.parse::<Place>().map_err(|_| no_place(id))?),
    };
    let may_be_over = after.is_some() && pod.state.is_over();
    let viewer = service.pods.follow_log(&pod, beginning).await?;
    let form = form(&query, asked.stream);
    match Relay::open(service, hold, viewer, form, may_be_over).await {
        Some(relay) => Ok(streaming::response(relay.frames())),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// The log of a pod as a file
///
/// What its engine has printed, however long. An answer that breaks off is not whole.
#[utoipa::path(get, path = "/api/kubernetes/pods/{name}/logs/download", tag = "kubernetes",
    params(("name" = String, Path), RangeQuery),
    responses(
        (status = 200, description = "The log as an attachment", body = String, content_type = "text/plain"),
        (status = 404, description = "There is no such pod, or it is another's", body = ErrorBody),
        (status = 500, description = "The cluster would not give it, mostly for want of a right", body = ErrorBody),
        (status = 503, description = "No cluster is configured (`no_cluster`), or it does not answer (`cluster_unreachable`)", body = ErrorBody),
    ))]
async fn download_pod_log(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path(name): Path<String>,
    Query(query): Query<RangeQuery>,
) -> Result<Response, ApiError> {
    let asked = query.read()?;
    let pod = service.pods.get(&name).await?;
    let hold = streaming::hold(&service, &caller)?;
    let whole = service.pods.whole_log(&pod, &asked, query.timestamps).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}.log\"", pod.name),
        ),
    ];
    let body = Body::from_stream(streaming::held(whole, hold));
    Ok((headers, body).into_response())
}
