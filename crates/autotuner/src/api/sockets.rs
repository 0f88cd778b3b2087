//! Events over WebSockets, for clients that speak the older protocol.
//!
//! The same events as in `/api/events`, of one task or one experiment. A socket that is not read
//! loses the oldest of what waits for it, and is told so. Nothing that a client sends means
//! anything; that it answers pings does.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::ids::{ExperimentId, ExperimentNumber, TaskId};
use autotuner_store::StoreError;
use axum::Json;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::event_stream::RESYNC;
use super::extract::{Path, Viewer};
use super::streaming::{self, HEARTBEAT, Hold};
use crate::service::Service;
use crate::service::events::{Filter, Kind, Notice, Patience, Subscription, timestamp};

/// A hundred events wait for a socket; of more, the latest hundred.
const PATIENCE: Patience = Patience {
    most_unheard: 100,
    kept: 100,
};

/// Longest message that is read; none is expected.
const LONGEST_MESSAGE: usize = 4 * 1024;

/// How long a client may show no sign of life: two pings and a bit.
const LONGEST_SILENCE: Duration = Duration::from_secs(40);

/// How long a frame may take to be sent.
const SEND_PATIENCE: Duration = Duration::from_secs(20);

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(task_socket))
        .routes(routes!(experiment_socket))
        .routes(routes!(subscribers))
}

/// What a socket listens to.
#[derive(Debug, Clone, Copy)]
struct Subject {
    task: TaskId,
    experiment: Option<(ExperimentId, ExperimentNumber)>,
}

/// Events of a task, over a WebSocket
///
/// The first frame is `connection_established`, then each event is one: `{type, task_id,
/// timestamp, experiment_id?, message?, data?}`. A `resync` says that events were missed.
#[utoipa::path(get, path = "/api/ws/tasks/{task_id}", tag = "events", params(("task_id" = i64, Path)), responses(
    (status = 101, description = "The connection is a WebSocket from here on"),
    (status = 404, description = "There is no such task", body = ErrorBody),
    (status = 426, description = "This is no request for a WebSocket", body = ErrorBody),
))]
async fn task_socket(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path(task): Path<i64>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let task = TaskId(task);
    service.database.task(task).await?;
    let subject = Subject {
        task,
        experiment: None,
    };
    let hold = streaming::hold(&service, &caller)?;
    open(service, hold, subject, upgrade)
}

/// Events of an experiment, over a WebSocket
///
/// As those of a task. The id in the path is the global one; in the frames `experiment_id` is
/// counted inside the task, as everywhere.
#[utoipa::path(get, path = "/api/ws/experiments/{experiment_id}", tag = "events", params(("experiment_id" = i64, Path)), responses(
    (status = 101, description = "The connection is a WebSocket from here on"),
    (status = 404, description = "There is no such experiment", body = ErrorBody),
    (status = 426, description = "This is no request for a WebSocket", body = ErrorBody),
))]
async fn experiment_socket(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path(experiment): Path<i64>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let id = ExperimentId(experiment);
    let record = service.database.experiment(id).await?;
    let subject = Subject {
        task: record.task,
        experiment: Some((id, record.experiment.number)),
    };
    let hold = streaming::hold(&service, &caller)?;
    open(service, hold, subject, upgrade)
}

/// Who listens to a task.
#[derive(Debug, Serialize, ToSchema)]
struct Subscribers {
    /// The task.
    task_id: i64,
    /// How many streams and sockets there are of this task or one of its experiments alone.
    subscriber_count: usize,
    /// `active` where there are any, `inactive` otherwise.
    #[schema(example = "inactive")]
    status: &'static str,
}

/// How many listen to a task
#[utoipa::path(get, path = "/api/ws/tasks/{task_id}/subscribers", tag = "events", params(("task_id" = i64, Path)), responses(
    (status = 200, body = Subscribers),
    (status = 404, description = "There is no such task", body = ErrorBody),
))]
async fn subscribers(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(task): Path<i64>,
) -> Result<Json<Subscribers>, ApiError> {
    service.database.task(TaskId(task)).await?;
    let subscriber_count = service.events.listeners(TaskId(task));
    Ok(Json(Subscribers {
        task_id: task,
        subscriber_count,
        status: if subscriber_count > 0 {
            "active"
        } else {
            "inactive"
        },
    }))
}

fn open(
    service: Arc<Service>,
    hold: Hold,
    subject: Subject,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|rejection| {
        let status = StatusCode::UPGRADE_REQUIRED;
        ApiError::new(status, "no_websocket", rejection.body_text())
            .with_hint("GET /api/events gives the same events over plain HTTP")
    })?;
    // Before the answer: what happens from then on is heard.
    let filter = match subject.experiment {
        None => Filter::Task(subject.task),
        Some((_, number)) => Filter::Experiment(subject.task, number),
    };
    let events = service.events.subscribe(filter, PATIENCE, None);
    let upgrade = upgrade
        .max_message_size(LONGEST_MESSAGE)
        .max_frame_size(LONGEST_MESSAGE);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let mut line = Socket {
            socket,
            service,
            subject,
            heard_at: Instant::now(),
        };
        // An error is a client that is gone.
        let _gone = line.pass_on(events).await;
        drop(hold);
    }))
}

/// The client is gone.
struct Gone;

struct Socket {
    socket: WebSocket,
    service: Arc<Service>,
    subject: Subject,
    heard_at: Instant,
}

impl Socket {
    async fn pass_on(&mut self, events: Subscription) -> Result<(), Gone> {
        let mut events = is_current(&self.service, self.subject).await.then_some(events);
        self.greet().await?;
        let mut ping = interval(HEARTBEAT);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = self.service.shutdown.soft.clone();
        loop {
            tokio::select! {
                () = end.cancelled() => return self.close("the server stops").await,
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
                    Some(Ok(_)) => self.heard_at = Instant::now(),
                },
                notice = next(&mut events) => {
                    // A new run of the task counts its experiments from 1 again.
                    let may_be_another = match &notice {
                        Notice::Resync => true,
                        Notice::Event(event) => event.kind == Kind::ExperimentStarted,
                    };
                    if may_be_another && !is_current(&self.service, self.subject).await {
                        events = None;
                    } else {
                        self.tell(notice).await?;
                    }
                }
                _ = ping.tick() => {
                    if self.heard_at.elapsed() > LONGEST_SILENCE {
                        return Err(Gone);
                    }
                    self.send(Message::Ping(Vec::new().into())).await?;
                }
            }
        }
    }

    async fn greet(&mut self) -> Result<(), Gone> {
        let TaskId(task) = self.subject.task;
        let greeting = match self.subject.experiment {
            None => json!({
                "type": "connection_established",
                "task_id": task,
                "message": format!("Listening to task {task}"),
            }),
            Some((_, ExperimentNumber(number))) => json!({
                "type": "connection_established",
                "task_id": task,
                "experiment_id": number,
                "message": format!("Listening to experiment {number} of task {task}"),
            }),
        };
        self.send(Message::text(greeting.to_string())).await
    }

    async fn tell(&mut self, notice: Notice) -> Result<(), Gone> {
        let text = match notice {
            Notice::Event(event) => event.json.clone(),
            Notice::Resync => json!({
                "type": "resync",
                "task_id": self.subject.task.0,
                "timestamp": timestamp(self.service.clock.now_ms()),
                "message": RESYNC,
            })
            .to_string(),
        };
        self.send(Message::text(text)).await
    }

    async fn close(&mut self, reason: &'static str) -> Result<(), Gone> {
        let frame = CloseFrame {
            code: close_code::AWAY,
            reason: reason.into(),
        };
        self.send(Message::Close(Some(frame))).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(SEND_PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

/// Whether events of this number are still about this experiment.
async fn is_current(service: &Service, subject: Subject) -> bool {
    let Some((id, number)) = subject.experiment else {
        return true;
    };
    match service.database.experiment_numbered(subject.task, number).await {
        Ok(record) => record.id == id,
        Err(StoreError::NoSuchTask(_) | StoreError::NoSuchExperiment { .. }) => false,
        // Not knowing is no reason to be silent.
        Err(_) => true,
    }
}

/// The next event; none ever, where nothing more can happen to what is listened to.
async fn next(events: &mut Option<Subscription>) -> Notice {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}
