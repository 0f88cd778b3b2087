//! A service without a network, and readers of its streams.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::TaskMove;
use autotuner_core::plan::Next;
use autotuner_core::search;
use autotuner_core::space::{Candidate, ParameterName, Value};
use autotuner_deploy::containers::Containers;
use autotuner_deploy::gpu::{FixedGpus, GpuPool};
use autotuner_deploy::kubernetes::pods::Pods;
use autotuner_store::{Act, Claim, Database, NewTask, Role, Store as _};
use axum::Router;
use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use futures_util::StreamExt as _;
use tokio::sync::Notify;
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::host::ThisHost;
use crate::service::Service;
use crate::service::access::{Access, Caller};
use crate::service::events::Hub;
use crate::service::log_files::LogFiles;
use crate::service::metrics::Metrics;
use crate::service::supervisor::Board;
use crate::service::wishes::Wishes;
use crate::shutdown::Shutdown;
use crate::targets::{pod_surroundings, surroundings};

/// How long anything that is waited for may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

const NOW_MS: i64 = 1_700_000_000_250;

struct StoppedClock;

impl Clock for StoppedClock {
    fn now_ms(&self) -> i64 {
        NOW_MS
    }
}

/// A service that goes when the test ends.
pub(super) struct Fresh {
    pub(super) service: Arc<Service>,
    pub(super) router: Router,
    folder: tempfile::TempDir,
}

/// What was answered at once.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }
}

fn act() -> Act {
    Act {
        actor: "test".into(),
        role: Role::Operator,
        address: None,
        at_ms: NOW_MS,
    }
}

impl Fresh {
    pub(super) async fn new() -> Self {
        Self::open(tempfile::tempdir().expect("a folder"), "boot").await
    }

    /// The same service after its end and another start.
    pub(super) async fn restart(self) -> Self {
        self.service.database.close().await;
        Self::open(self.folder, "again").await
    }

    async fn open(folder: tempfile::TempDir, boot: &str) -> Self {
        let mut config = Config::load(&Flags::default()).expect("the defaults are sound");
        config.data_dir = folder.path().to_owned();
        let database = Database::open(&folder.path().join("autotuner.db"), NOW_MS)
            .await
            .expect("a new database");
        let logs = LogFiles::new(&config.logs_dir());
        std::fs::create_dir_all(config.logs_dir()).expect("a folder for logs");
        let service = Arc::new(Service {
            database,
            clock: Arc::new(StoppedClock),
            events: Hub::new(boot.into(), Arc::new(StoppedClock)),
            own_logs: logs.clone(),
            logs,
            fetched: None,
            origin: "here".into(),
            owner: "here/worker".into(),
            access: Access::default(),
            gpus: GpuPool::new(Arc::new(FixedGpus::default()), folder.path().join("gpus")),
            containers: Containers::new(surroundings(&config)),
            pods: Pods::new(pod_surroundings(&config)),
            bell: Notify::new(),
            wishes: Wishes::default(),
            host: ThisHost::default(),
            board: Board::default(),
            metrics: Metrics::default(),
            shutdown: Shutdown::default(),
            started_at_ms: NOW_MS,
            config,
        });
        let (router, _) = crate::api::routes().split_for_parts();
        Self {
            router: router.with_state(Arc::clone(&service)),
            service,
            folder,
        }
    }

    /// A task that waits for its start.
    pub(super) async fn pending(&self, name: &str) -> TaskId {
        let task = NewTask {
            name: name.into(),
            description: None,
            base_runtime: "sim".into(),
            deployment_mode: "local".into(),
            document: serde_json::json!({ "task_name": name }),
            slo: None,
            max_iterations: 3,
        };
        let made = self.service.database.create_task(&act(), task).await;
        made.expect("a new task").summary.id
    }

    /// A task that a worker has.
    pub(super) async fn running(&self, name: &str) -> Claim {
        let task = self.pending(name).await;
        self.run(task).await
    }

    /// Starts a task, and has a worker take it.
    pub(super) async fn run(&self, task: TaskId) -> Claim {
        let database = &self.service.database;
        database.start_task(&act(), task).await.expect("pending");
        let claim = database.claim("worker", NOW_MS, 600_000).await.expect("claims");
        claim.expect("a task to claim")
    }

    /// Begins an experiment.
    pub(super) async fn begin(&self, claim: &Claim) -> ExperimentNumber {
        let next = Next {
            role: search::Role::Search,
            candidate: Candidate::new([(ParameterName::new("max-num-seqs"), Value::Int(1))]),
            reason: "because".into(),
            attempt: 1,
        };
        let store = self.service.database.run_store(claim);
        store
            .begin_experiment(claim.task, next, NOW_MS)
            .await
            .expect("begins")
    }

    /// Ends an experiment, badly.
    pub(super) async fn break_down(&self, claim: &Claim, number: ExperimentNumber) {
        let failure = Failure::new(FailureKind::EngineCrashed, "it broke");
        let store = self.service.database.run_store(claim);
        store
            .finish_experiment(claim.task, number, Err(failure), NOW_MS)
            .await
            .expect("ends");
    }

    /// Ends a run.
    pub(super) async fn end(&self, claim: &Claim) {
        let store = self.service.database.run_store(claim);
        store
            .end_task(claim.task, TaskMove::Fail, "the test is over", NOW_MS)
            .await
            .expect("ends");
    }

    /// Ends a task's run and begins its next.
    pub(super) async fn run_again(&self, claim: &Claim) -> Claim {
        self.end(claim).await;
        let database = &self.service.database;
        database
            .restart_task(&act(), claim.task, None)
            .await
            .expect("ended");
        self.run(claim.task).await
    }

    async fn send(
        &self,
        role: Role,
        method: Method,
        path: &str,
        last_event_id: Option<&str>,
    ) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let mut request = request.body(Body::empty()).expect("a sound request");
        request.extensions_mut().insert(caller(role));
        self.router.clone().oneshot(request).await.expect("infallible")
    }

    /// Asks, and reads the answer to its end.
    pub(super) async fn ask(&self, role: Role, method: Method, path: &str) -> Answer {
        let (parts, body) = self.send(role, method, path, None).await.into_parts();
        let body = timeout(PATIENCE, to_bytes(body, usize::MAX))
            .await
            .expect("in time");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.expect("a body that ends").to_vec(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(Role::Viewer, Method::GET, path).await
    }

    /// Opens a stream.
    pub(super) async fn stream(&self, path: &str, last_event_id: Option<&str>) -> Frames {
        let response = self.send(Role::Viewer, Method::GET, path, last_event_id).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let headers = response.headers();
        assert_eq!(headers["content-type"], "text/event-stream");
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["x-accel-buffering"], "no");
        Frames {
            body: response.into_body().into_data_stream(),
            text: Vec::new(),
            start: 0,
        }
    }

    /// The status of what is no stream.
    pub(super) async fn status(&self, path: &str, last_event_id: Option<&str>) -> StatusCode {
        let response = self.send(Role::Viewer, Method::GET, path, last_event_id).await;
        response.status()
    }
}

pub(super) fn caller(role: Role) -> Caller {
    Caller {
        name: role.as_str().into(),
        role,
        address: None,
    }
}

/// A server-sent event, read as a browser reads it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Frame {
    pub(super) id: Option<String>,
    pub(super) event: Option<String>,
    pub(super) data: Vec<String>,
    pub(super) is_comment: bool,
}

impl Frame {
    /// The only line of data.
    pub(super) fn line(&self) -> &str {
        assert_eq!((self.data.len(), &self.event), (1, &None), "{self:?}");
        &self.data[0]
    }
}

/// A stream that is read.
pub(super) struct Frames {
    body: BodyDataStream,
    text: Vec<u8>,
    start: usize,
}

impl Frames {
    /// The next frame, comments too; `None` at the end.
    pub(super) async fn any(&mut self) -> Option<Frame> {
        loop {
            let rest = &self.text[self.start..];
            if let Some(end) = rest.windows(2).position(|bytes| bytes == b"\n\n") {
                let frame = frame(std::str::from_utf8(&rest[..end]).expect("text"));
                self.start += end + 2;
                return Some(frame);
            }
            self.text.drain(..self.start);
            self.start = 0;
            match timeout(PATIENCE, self.body.next()).await.expect("in time") {
                Some(bytes) => self.text.extend_from_slice(&bytes.expect("no error")),
                None => {
                    assert!(self.text.is_empty(), "cut inside a frame");
                    return None;
                }
            }
        }
    }

    /// How many bytes come next, whatever they say.
    pub(super) async fn chunk(&mut self) -> usize {
        let chunk = timeout(PATIENCE, self.body.next()).await.expect("in time");
        chunk.expect("not at its end").expect("no error").len()
    }

    /// The next frame that says something.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = self.any().await?;
            if !frame.is_comment {
                return Some(frame);
            }
        }
    }

    /// The only line of the next frame.
    pub(super) async fn line(&mut self) -> String {
        self.next().await.expect("not at its end").line().to_owned()
    }

    /// The next frame as JSON.
    pub(super) async fn json(&mut self) -> serde_json::Value {
        serde_json::from_str(&self.line().await).expect("JSON")
    }
}

/// Reads as the standard says: lines end with `\r\n`, `\n` or `\r`.
fn frame(text: &str) -> Frame {
    let mut frame = Frame::default();
    for line in text.replace("\r\n", "\n").split(['\r', '\n']) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match field {
            "" => frame.is_comment = true,
            "id" => frame.id = Some(value),
            "event" => frame.event = Some(value),
            "data" => frame.data.push(value),
            other => panic!("a field of nobody's: {other:?}"),
        }
    }
    frame
}
