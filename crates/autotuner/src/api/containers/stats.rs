//! What containers use, for people: once, lately, and live.
//!
//! Nobody who asks makes the daemon measure: all share one stream for each container, and a
//! request takes what came last. The words are those of the original system, beside each a number
//! that programs can use.

mod view;

use std::sync::Arc;

use autotuner_deploy::containers::{Container, ContainerError, ContainerName, UsageWatch};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use futures_util::stream;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::view::ContainerStats;
pub(super) use self::view::text;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Path, Viewer};
use crate::api::streaming::{self, HEARTBEAT, HEARTBEAT_FRAME, Hold};
use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(container_stats))
        .routes(routes!(container_stats_history))
        .routes(routes!(container_stats_stream))
}

/// What a container uses
///
/// Who is the first to ask in half a minute waits one or two seconds for two looks of the daemon;
/// everybody else is answered at once. One that does not run uses nothing.
#[utoipa::path(get, path = "/api/docker/containers/{id}/stats", tag = "containers",
    params(("id" = String, Path, description = "Its id, the beginning of it, or its name")),
    responses(
        (status = 200, body = ContainerStats),
        (status = 404, description = "There is no such container", body = ErrorBody),
        (status = 409, description = "Too many containers are being looked at", body = ErrorBody),
        (status = 503, description = "The Docker daemon does not answer", body = ErrorBody),
    ))]
async fn container_stats(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(id): Path<String>,
) -> Result<Json<ContainerStats>, ApiError> {
    let container = resolve(&service, &id).await?;
    let usage = service.containers.usage(&container.id).await?;
    Ok(Json(ContainerStats::of(&usage, service.clock.now_ms())))
}

/// What a container has used lately
///
/// One entry a second of the last five minutes, oldest first, as far back as somebody has been
/// looking at it. Asking makes somebody look, for half a minute.
#[utoipa::path(get, path = "/api/docker/containers/{id}/stats/history", tag = "containers",
    params(("id" = String, Path, description = "Its id, the beginning of it, or its name")),
    responses(
        (status = 200, body = Vec<ContainerStats>),
        (status = 404, description = "There is no such container", body = ErrorBody),
        (status = 409, description = "Too many containers are being looked at", body = ErrorBody),
        (status = 503, description = "The Docker daemon does not answer", body = ErrorBody),
    ))]
async fn container_stats_history(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(id): Path<String>,
) -> Result<Json<Vec<ContainerStats>>, ApiError> {
    let container = resolve(&service, &id).await?;
    let history = service.containers.usage_history(&container.id)?;
    let now_ms = service.clock.now_ms();
    let history = history.iter().map(|usage| ContainerStats::of(usage, now_ms));
    Ok(Json(history.collect()))
}

/// What a container uses, live
///
/// Unnamed server-sent events, each with one line of JSON like the answer of
/// `GET /api/docker/containers/{id}/stats`, about one a second. The last one is named: `ended`
/// where the container was removed, `failed` with `{detail, code}` where the daemon does not
/// answer any more.
#[utoipa::path(get, path = "/api/docker/containers/{id}/stats/stream", tag = "containers",
    params(("id" = String, Path, description = "Its id, the beginning of it, or its name")),
    responses(
        (status = 200, description = "A stream", body = String, content_type = "text/event-stream"),
        (status = 404, description = "There is no such container", body = ErrorBody),
        (status = 409, description = "Too many containers are being looked at", body = ErrorBody),
        (status = 503, description = "The Docker daemon does not answer", body = ErrorBody),
    ))]
async fn container_stats_stream(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let container = resolve(&service, &id).await?;
    let hold = streaming::hold(&service, &caller)?;
    let frames = Frames {
        watch: Some(service.containers.watch_usage(&container.id)?),
        end: service.shutdown.soft.clone(),
        service,
        _hold: hold,
    };
    Ok(streaming::response(stream::unfold(frames, |mut frames| async {
        Some((frames.next().await?, frames))
    })))
}

async fn resolve(service: &Service, id: &str) -> Result<Container, ContainerError> {
    let name: ContainerName = id.parse()?;
    service.containers.resolve(&name).await
}

/// The frames of one stream.
struct Frames {
    /// Gone once the last frame was given.
    watch: Option<UsageWatch>,
    end: CancellationToken,
    service: Arc<Service>,
    _hold: Hold,
}

impl Frames {
    async fn next(&mut self) -> Option<String> {
        let watch = self.watch.as_mut()?;
        let next = tokio::select! {
            biased;
            () = self.end.cancelled() => return None,
            next = watch.next() => next,
            () = tokio::time::sleep(HEARTBEAT) => return Some(HEARTBEAT_FRAME.to_owned()),
        };
        let (name, data) = match next {
            Some(Ok(usage)) => {
                let stats = ContainerStats::of(&usage, self.service.clock.now_ms());
                let data = serde_json::to_string(&stats).expect("figures and texts are JSON");
                let mut frame = String::with_capacity(data.len() + 16);
                streaming::write_frame(&mut frame, None, &data);
                return Some(frame);
            }
            Some(Err(error)) => {
                let ApiError { body, .. } = error.into();
                ("failed", json!({ "detail": body.detail, "code": body.code }))
            }
            None => ("ended", json!({})),
        };
        self.watch = None;
        Some(format!("event: {name}\ndata: {data}\n\n"))
    }
}

#[cfg(test)]
mod tests;
