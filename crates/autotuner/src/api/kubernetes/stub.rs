//! For tests: a cluster that says what a test wants, where a test's service looks for one.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::api::testing::TestService;

/// The name of our folder of instances.
const OWNER: &str = "0a0a";

/// A cluster. Dropped, it is gone.
pub(in crate::api) struct Stub {
    shared: Arc<Shared>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Shared {
    says: Mutex<Says>,
}

/// What it says.
#[derive(Default)]
pub(in crate::api) struct Says {
    /// Its pods, whosever they are.
    pub(in crate::api) pods: Vec<Value>,
    /// What it has noted of each.
    pub(in crate::api) events: Vec<Value>,
    /// What each has printed.
    pub(in crate::api) log: String,
    /// Parts of addresses that we have no right to.
    pub(in crate::api) forbidden: Vec<&'static str>,
    /// What was deleted, and under which condition.
    pub(in crate::api) deleted: Vec<String>,
}

impl Stub {
    /// A cluster for this service, which has made something there before.
    pub(in crate::api) async fn serve(test: &TestService) -> Self {
        let config = &test.service.config;
        let instances = config.instances_dir();
        std::fs::create_dir_all(&instances).expect("a folder");
        std::fs::write(instances.join(".cluster-owner"), OWNER).expect("written");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of our own");
        let address = listener.local_addr().expect("it has one");
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{ "name": "here", "cluster": { "server": format!("http://{address}") } }],
            "users": [{ "name": "we", "user": {} }],
            "contexts": [{ "name": "here", "context": { "cluster": "here", "user": "we", "namespace": "tuning" } }],
        });
        let path = config.kubernetes.whereabouts.kubeconfig.clone();
        std::fs::write(path.expect("a test names one"), kubeconfig.to_string()).expect("written");
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self {
            shared,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// What it says from now on, and what it was told.
    pub(in crate::api) fn says(&self) -> MutexGuard<'_, Says> {
        self.shared.says.lock().expect("nobody panics with it")
    }
}

/// A pod of ours that runs the engine of an experiment, whose process is of this name.
pub(in crate::api) fn pod(name: &str, instance: &str, task: &str, experiment: u32) -> Value {
    json!({
        "metadata": {
            "name": name, "namespace": "tuning", "uid": format!("uid-{name}"),
            "creationTimestamp": "2023-11-14T22:13:20Z",
            "labels": {
                "inference-autotuner.owner": OWNER, "inference-autotuner.instance": instance,
                "inference-autotuner.task": task, "inference-autotuner.experiment": experiment.to_string(),
                "inference-autotuner.attempt": "1",
            },
            "ownerReferences": [{ "apiVersion": "batch/v1", "kind": "Job", "name": format!("job-{name}"), "uid": "j" }],
        },
        "spec": {
            "nodeName": "node-a",
            "initContainers": [{ "name": "agent", "image": "inference-autotuner/agent:1" }],
            "containers": [{ "name": "engine", "image": "vllm/vllm-openai:v9",
                "resources": { "requests": { "cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "2" } } }],
        },
        "status": {
            "phase": "Running",
            "conditions": [{ "type": "PodScheduled", "status": "True", "lastTransitionTime": "2023-11-14T22:13:20Z" }],
            "initContainerStatuses": [{ "name": "agent", "image": "a", "imageID": "", "ready": true, "restartCount": 0,
                "state": { "terminated": { "exitCode": 0, "reason": "Completed",
                    "startedAt": "2023-11-14T22:13:21Z", "finishedAt": "2023-11-14T22:13:22Z" } } }],
            "containerStatuses": [{ "name": "engine", "image": "e", "imageID": "", "ready": true, "restartCount": 0,
                "state": { "running": { "startedAt": "2023-11-14T22:13:25Z" } } }],
        },
    })
}

/// The same pod, of somebody else.
pub(in crate::api) fn of_others(mut pod: Value) -> Value {
    pod["metadata"]["labels"]["inference-autotuner.owner"] = "0b0b".into();
    pod
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 16).await.expect("a small body");
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let mut says = shared.says.lock().expect("nobody panics with it");
    let refused = |code: u16, message: &str| {
        let status = StatusCode::from_u16(code).expect("a status");
        let reason = if code == 404 { "NotFound" } else { "Forbidden" };
        let body = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
            "message": message, "code": code });
        (status, axum::Json(body)).into_response()
    };
    if let Some(part) = says.forbidden.iter().find(|part| path.contains(**part)) {
        return refused(403, &format!("{part} is forbidden"));
    }
    let list = |items: &[Value]| {
        axum::Json(json!({ "kind": "List", "apiVersion": "v1", "metadata": {}, "items": items }))
            .into_response()
    };
    let Some(rest) = path.strip_prefix("/api/v1/namespaces/tuning/") else {
        if parts.method == Method::DELETE && path.starts_with("/apis/batch/v1/namespaces/tuning/jobs/") {
            says.deleted
                .push(format!("{path} {}", body["preconditions"]["uid"]));
            return axum::Json(json!({ "kind": "Status", "status": "Success" })).into_response();
        }
        return axum::Json(json!({ "major": "1", "minor": "33", "gitVersion": "v1.33.1", "gitCommit": "c",
            "gitTreeState": "clean", "buildDate": "d", "goVersion": "g", "compiler": "gc", "platform": "linux" }))
        .into_response();
    };
    if rest == "events" {
        return list(&says.events);
    }
    if rest == "pods" {
        let wanted = format!("inference-autotuner.owner%3D{OWNER}");
        assert!(query.contains(&wanted), "asks for pods of others: {query}");
        let ours: Vec<Value> = says.pods.iter().filter(|pod| is_ours(pod)).cloned().collect();
        return list(&ours);
    }
    let name = rest.strip_prefix("pods/").unwrap_or_default();
    let (name, part) = name.split_once('/').unwrap_or((name, ""));
    let found = says
        .pods
        .iter()
        .find(|pod| pod["metadata"]["name"] == name)
        .cloned();
    match (found, part) {
        (None, _) => refused(404, &format!("pods \"{name}\" not found")),
        (Some(_), "log") => says.log.clone().into_response(),
        (Some(pod), _) if parts.method == Method::DELETE => {
            says.deleted
                .push(format!("{path} {}", body["preconditions"]["uid"]));
            axum::Json(pod).into_response()
        }
        (Some(pod), _) => axum::Json(pod).into_response(),
    }
}

fn is_ours(pod: &Value) -> bool {
    pod["metadata"]["labels"]["inference-autotuner.owner"] == OWNER
}
