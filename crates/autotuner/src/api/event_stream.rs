//! One stream of events for each client.
//!
//! A browser opens only six connections to one host, so a page holds one stream, whatever it
//! shows. Events are hints: they name what changed, and the page asks for it. Who missed some is
//! told so and asks for everything.

use std::sync::Arc;

use autotuner_core::ids::TaskId;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::extract::{Query, Viewer};
use super::streaming::{self, HEARTBEAT, HEARTBEAT_FRAME, Hold};
use crate::service::Service;
use crate::service::events::{Filter, Notice, Patience, Subscription, timestamp};

/// Only the ring's own end makes a stream late, and then nothing old is of use: the client asks
/// for everything again.
const PATIENCE: Patience = Patience {
    most_unheard: usize::MAX,
    kept: 0,
};

/// What a client is told with a resync.
pub(super) const RESYNC: &str = "Events were missed: ask for everything again";

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(events))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// Only events of this task and of its experiments.
    task_id: Option<i64>,
    /// The id after which to go on, for clients that cannot set `Last-Event-ID`.
    last_event_id: Option<String>,
}

/// What happens, as it happens
///
/// Unnamed server-sent events, each with one line of JSON: `{type, task_id, timestamp,
/// experiment_id?, message?, data?}`, with `timestamp` in seconds since the Unix epoch and
/// `experiment_id` counted inside the task. The first is `hello`, with the server's version in
/// `data.version`. Each has an id; a client that comes back with it as `Last-Event-ID` gets what
/// it missed, or `resync` where that is no longer known: then ask for everything again.
#[utoipa::path(get, path = "/api/events", tag = "events",
    params(EventsQuery, ("Last-Event-ID" = Option<String>, Header, description = "The id after which to go on")),
    responses(
        (status = 200, description = "A stream without end", body = String, content_type = "text/event-stream"),
        (status = 404, description = "There is no such task", body = ErrorBody),
    ))]
async fn events(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let filter = match query.task_id.map(TaskId) {
        None => Filter::Everything,
        Some(task) => {
            service.database.task(task).await?;
            Filter::Task(task)
        }
    };
    let hold = streaming::hold(&service, &caller)?;
    let after = streaming::last_event_id(&headers, query.last_event_id.as_deref());
    let subscription = service.events.subscribe(filter, PATIENCE, after);
    let now = timestamp(service.clock.now_ms());
    let data = json!({ "version": env!("CARGO_PKG_VERSION"), "boot": service.events.boot() });
    let hello = json!({ "type": "hello", "timestamp": now, "data": data });
    let frames = Frames {
        hello: Some(hello),
        subscription,
        end: service.shutdown.soft.clone(),
        service,
        _hold: hold,
    };
    Ok(streaming::response(stream::unfold(frames, |mut frames| async {
        Some((frames.next().await?, frames))
    })))
}

/// The frames of one stream.
struct Frames {
    hello: Option<Value>,
    subscription: Subscription,
    end: CancellationToken,
    service: Arc<Service>,
    _hold: Hold,
}

impl Frames {
    async fn next(&mut self) -> Option<String> {
        if let Some(hello) = self.hello.take() {
            return Some(self.frame(&hello.to_string()));
        }
        let notice = tokio::select! {
            biased;
            () = self.end.cancelled() => return None,
            notice = self.subscription.next() => notice,
            () = tokio::time::sleep(HEARTBEAT) => return Some(HEARTBEAT_FRAME.to_owned()),
        };
        Some(match notice {
            Notice::Event(event) => self.frame(&event.json),
            Notice::Resync => {
                let now = timestamp(self.service.clock.now_ms());
                let resync = json!({ "type": "resync", "timestamp": now, "message": RESYNC });
                self.frame(&resync.to_string())
            }
        })
    }

    fn frame(&self, json: &str) -> String {
        let mut frame = String::with_capacity(json.len() + 64);
        streaming::write_frame(&mut frame, Some(&self.subscription.position()), json);
        frame
    }
}
