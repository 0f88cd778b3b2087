//! For tests: a daemon that says what a test wants, where a test's service looks for one.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::UnixListener;
use tokio::sync::broadcast;
use tokio_util::task::AbortOnDropHandle;

use crate::api::testing::TestService;

/// The id of the only container there is.
pub(in crate::api) const CONTAINER: &str = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

/// The id of the only image there is.
pub(in crate::api) const IMAGE: &str =
    "sha256:1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e";

/// A daemon. Dropped, it is gone.
pub(in crate::api) struct Stub {
    shared: Arc<Shared>,
    socket: PathBuf,
    _task: AbortOnDropHandle<()>,
}

struct Shared {
    /// Lines of a stream of figures, or of a fetch; an empty one ends it.
    lines: broadcast::Sender<String>,
    asked: Mutex<Vec<String>>,
}

impl Stub {
    /// A daemon for this service.
    pub(in crate::api) fn serve(test: &TestService) -> Self {
        let host = test
            .service
            .config
            .docker_host
            .clone()
            .expect("a daemon's address");
        let socket = PathBuf::from(host.trim_start_matches("unix://"));
        let listener = UnixListener::bind(&socket).expect("a socket of our own");
        let shared = Arc::new(Shared {
            lines: broadcast::channel(64).0,
            asked: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self {
            shared,
            socket,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Says something to whoever listens to a stream.
    pub(in crate::api) fn say(&self, line: &Value) {
        let _ = self.shared.lines.send(format!("{line}\r\n"));
    }

    /// Waits until so many listen.
    pub(in crate::api) async fn heard(&self, listeners: usize) {
        let waiting = async {
            while self.shared.lines.receiver_count() != listeners {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let heard = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        heard.unwrap_or_else(|_| panic!("{listeners} listen"));
    }

    /// What was asked, in order, without looks.
    pub(super) fn changes(&self) -> Vec<String> {
        let asked = self.shared.asked.lock().expect("nobody panics with it");
        asked
            .iter()
            .filter(|line| !line.starts_with("GET"))
            .cloned()
            .collect()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// A second of the container's life.
pub(in crate::api) fn figures(second: u32, cpu_ns: u64) -> Value {
    json!({
        "read": format!("2026-01-01T00:00:{second:02}Z"),
        "cpu_stats": {"cpu_usage": {"total_usage": cpu_ns}, "system_cpu_usage": u64::from(second) * 3000, "online_cpus": 1},
        "memory_stats": {"usage": 3 << 20, "limit": 1 << 30, "stats": {"total_inactive_file": 1 << 20}},
        "networks": {"eth0": {"rx_bytes": 1024 * second, "tx_bytes": 0}},
        "blkio_stats": {"io_service_bytes_recursive": null},
        "pids_stats": {"current": 2},
    })
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default();
    let asked = format!("{} {path}?{query}", request.method());
    shared.asked.lock().expect("nobody panics with it").push(asked);
    let ends = |end: &str| path.ends_with(end);
    let json = |value: Value| axum::Json(value).into_response();
    let refused = |status: u16, message: &str| {
        let status = StatusCode::from_u16(status).expect("a status");
        (status, axum::Json(json!({ "message": message }))).into_response()
    };
    match *request.method() {
        Method::DELETE if path.contains("busy") => refused(
            409,
            "conflict: unable to remove repository reference \"busy:1\" (must force) - container 0f0f is using its referenced image 1e1e",
        ),
        Method::DELETE if path.contains("idle") => json(json!([{ "Untagged": "idle:1" }])),
        Method::DELETE => refused(404, "No such image: x"),
        _ if ends("/version") => json(json!({ "ApiVersion": "1.41" })),
        _ if ends("/info") => json(json!({
            "ServerVersion": "28.5.1", "Containers": 1, "ContainersRunning": 1, "ContainersPaused": 0,
            "ContainersStopped": 0, "Images": 1, "Driver": "overlay2", "MemTotal": 1_u64 << 34, "NCPU": 8,
            "OperatingSystem": "Debian GNU/Linux 13", "Architecture": "x86_64",
        })),
        _ if ends("/images/json") => json(json!([
            {"Id": IMAGE, "ParentId": "", "Created": 1_700_000_000, "Size": 12_939_428, "SharedSize": -1, "Containers": -1,
             "RepoTags": ["vllm/vllm-openai:v9", "host:5000/x:1"], "RepoDigests": null,
             "Labels": {"inference-autotuner.image.content": "c"}},
        ])),
        _ if ends("/containers/json") => json(json!([
            {"Id": CONTAINER, "Names": ["/user"], "ImageID": IMAGE, "State": "exited"},
        ])),
        _ if ends(&format!("/{CONTAINER}/stats")) || ends("/images/create") => streamed(&shared),
        _ if ends("/user/json") || ends(&format!("/{CONTAINER}/json")) => json(json!({
            "Id": CONTAINER, "Name": "/user", "Created": "2026-01-01T00:00:00Z", "Image": IMAGE,
            "HostConfig": {"NetworkMode": "bridge", "LogConfig": {"Type": "json-file"}},
            "Config": {"Image": "vllm/vllm-openai:v9", "Cmd": ["serve", "--port", "8000"], "Labels": {"team": "a"}},
            "NetworkSettings": {"Ports": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "49154"}]}},
            "State": {"Status": "running", "StartedAt": "2026-01-01T00:00:01Z", "FinishedAt": "0001-01-01T00:00:00Z"},
        })),
        _ => refused(404, "No such container: x"),
    }
}

fn streamed(shared: &Shared) -> Response {
    let lines = stream::unfold(shared.lines.subscribe(), |mut lines| async {
        let line = lines
            .recv()
            .await
            .ok()
            .filter(|line| !line.trim().is_empty() && line.trim() != "null")?;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(line)), lines))
    });
    Body::from_stream(lines).into_response()
}
