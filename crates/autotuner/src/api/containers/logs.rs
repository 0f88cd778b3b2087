//! What a container has printed: a part of it, all of it, and what comes.
//!
//! The idea: every parameter is read strictly, because Docker takes what it cannot read for
//! "everything". A part is bounded, the whole is streamed, and a stream goes on where its client
//! was, however often it is broken off.

pub(in crate::api) mod frames;
pub(in crate::api) mod parameters;
mod preserved;
pub(in crate::api) mod relay;

use std::sync::Arc;

use autotuner_deploy::containers::{Beginning, ContainerName, Found, LogStream, Place};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::frames::{Entry, Form, entry, printed};
use self::parameters::{Asked, LogQuery, RangeQuery};
use self::relay::Relay;
use super::failed::of_container;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Path, Query, Viewer};
use crate::api::streaming;
use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(container_log))
        .routes(routes!(download_container_log))
}

/// A part of what a container, or a pod's engine, has printed.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ContainerLog {
    /// The lines as text; what is no UTF-8 is replaced.
    logs: String,
    /// How many there are.
    lines: usize,
    /// Whether older ones that were asked for otherwise are left out.
    is_cut: bool,
    /// How many were what was asked for, given or not.
    matching: u64,
    /// How many were looked at.
    looked_at: u64,
    /// Where the container's last life ended in an error of the daemon's log: the rest is missing.
    complaint: Option<String>,
    /// Whether the container is gone and this is what was kept of its output.
    is_preserved: bool,
    /// The lines one by one, with `batch=true`; not where the container is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<Entry>>,
}

/// The log of a container
///
/// Its last lines, of both streams in the daemon's order, or those of a time or that match. Of an
/// engine's container that is gone it is what was kept with its experiment. With
/// `follow=true` it is a stream: the last `tail` lines (500 unless said), then what comes. Without
/// `batch` each line is an unnamed server-sent event, in which carriage returns and other control
/// characters are shown as escapes, and the stream ends when the container does. With `batch=true`
/// events have names: `log` is a JSON array of `{t, s, l}` (time, `o` or `e` for the stream, text),
/// `gap` says why lines may be missing, `life` what became of the container or the daemon (`started`,
/// `stopped`, `removed`, `daemon_away`, `daemon_back`), and `end` that nothing more will come; such a
/// stream outlives restarts. A client that comes back with the id of the last event as
/// `Last-Event-ID` gets what follows it, no line twice and none left out; 204 says that there will
/// be none.
#[utoipa::path(get, path = "/api/docker/containers/{id}/logs", tag = "containers",
    params(("id" = String, Path, description = "Id, beginning of an id, or name"), LogQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id after which to go on")),
    responses(
        (status = 200, description = "The log", content((ContainerLog = "application/json"), (String = "text/event-stream"))),
        (status = 204, description = "The log that was followed is at its end: do not come back"),
        (status = 404, description = "There is no such container", body = ErrorBody),
        (status = 500, description = "The daemon cannot read the log", body = ErrorBody),
        (status = 503, description = "The daemon does not answer", body = ErrorBody),
    ))]
async fn container_log(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path(id): Path<String>,
    Query(query): Query<LogQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let asked = Asked::read(&query)?;
    let name: ContainerName = id.parse()?;
    let container = match service.containers.resolve(&name).await {
        Ok(container) => container,
        Err(gone) if !query.follow => {
            return preserved::part(&service, &name, gone, &asked.query, query.timestamps).await;
        }
        Err(gone) => return Err(gone.into()),
    };
    if !query.follow {
        let found = service.containers.find_in_log(&container, &asked.query).await;
        let found = found.map_err(|error| of_container(error, &id))?;
        return Ok(axum::Json(body(&found, &query)).into_response());
    }
    let hold = streaming::hold(&service, &caller)?;
    let after = streaming::last_event_id(&headers, query.last_event_id.as_deref());
    let beginning = match after {
        None => Beginning::With(asked.query),
        Some(id) => Beginning::After(id.parse::<Place>().map_err(|_| parameters::no_place(id))?),
    };
    let is_back = after.is_some();
    let has_ended = matches!(container.state.as_str(), "exited" | "dead");
    let viewer = service.containers.follow_log(&container, beginning).await;
    let viewer = viewer.map_err(|error| of_container(error, &id))?;
    let form = form(&query, asked.stream);
    match Relay::open(service, hold, viewer, form, is_back && has_ended).await {
        Some(relay) => Ok(streaming::response(relay.frames())),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// The log of a container as a file
///
/// Byte by byte as the daemon has it, however long. An answer that breaks off is not whole.
#[utoipa::path(get, path = "/api/docker/containers/{id}/logs/download", tag = "containers",
    params(("id" = String, Path, description = "Id, beginning of an id, or name"), RangeQuery),
    responses(
        (status = 200, description = "The log as an attachment", body = String, content_type = "text/plain"),
        (status = 404, description = "There is no such container", body = ErrorBody),
        (status = 500, description = "The daemon cannot read the log", body = ErrorBody),
        (status = 503, description = "The daemon does not answer", body = ErrorBody),
    ))]
async fn download_container_log(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path(id): Path<String>,
    Query(query): Query<RangeQuery>,
) -> Result<Response, ApiError> {
    let asked = query.read()?;
    let name: ContainerName = id.parse()?;
    let container = match service.containers.resolve(&name).await {
        Ok(container) => container,
        Err(gone) => return preserved::whole(&service, &caller, &name, gone, &asked).await,
    };
    let hold = streaming::hold(&service, &caller)?;
    let whole = service
        .containers
        .whole_log(&container, &asked, query.timestamps)
        .await
        .map_err(|error| of_container(error, &id))?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}.log\"", container.name),
        ),
    ];
    let body = Body::from_stream(streaming::held(whole, hold));
    Ok((headers, body).into_response())
}

/// How lines are told to whoever asks so.
pub(in crate::api) fn form(query: &LogQuery, stream: Option<LogStream>) -> Form {
    match query.batch {
        true => Form::Batches,
        false => Form::Lines {
            is_stamped: query.timestamps,
            stream,
        },
    }
}

/// What was found, as it was asked for.
pub(in crate::api) fn body(found: &Found, query: &LogQuery) -> ContainerLog {
    ContainerLog {
        logs: printed(&found.lines, query.timestamps),
        lines: found.lines.len(),
        is_cut: found.is_cut,
        matching: found.matching,
        looked_at: found.looked_at,
        complaint: found.complaint.clone(),
        is_preserved: false,
        entries: query.batch.then(|| found.lines.iter().map(entry).collect()),
    }
}
