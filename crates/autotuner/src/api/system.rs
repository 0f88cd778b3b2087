//! Health, information, metrics.
//!
//! Three questions, three answers: `/health` says that the process answers, `/readyz` whether it
//! can do its work, `/api/system/health` what of it cannot. Docker is told of and decides
//! nothing: who tunes local engines needs none. Every question to others has a deadline.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::EngineKind;
use autotuner_core::task::DeploymentMode;
use autotuner_deploy::docker::describe;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::extract::Viewer;
use super::ui;
use crate::clock::{rfc3339, seconds_between};
use crate::service::Service;
use crate::service::metrics;
use crate::worker::chain;

/// What the product is called.
const APP_NAME: &str = "Inference Autotuner";

/// How long the database may take to answer before it counts as away.
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);

/// How long the Docker daemon may.
const DOCKER_PATIENCE: Duration = Duration::from_secs(2);

/// How old the worker's last sign of life may be. It gives one each second.
const OLDEST_TICK_MS: i64 = 5_000;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(root))
        .routes(routes!(health))
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(system_health))
        .routes(routes!(system_info))
        .routes(routes!(prometheus_metrics))
}

/// The product, as programs are told of it.
#[derive(Debug, Serialize, ToSchema)]
struct Welcome {
    /// What it is called.
    name: &'static str,
    /// Which version.
    version: &'static str,
    /// Always `running`.
    status: &'static str,
    /// Where the documentation of this API is.
    docs: &'static str,
}

/// What answers here
///
/// Browsers, which ask for `text/html`, are given the web UI, and need not be logged in for it: the page asks for everything it shows.
#[utoipa::path(get, path = "/", tag = "system", responses(
    (status = 200, content((Welcome = "application/json"), (String = "text/html"))),
))]
async fn root(
    method: Method,
    headers: HeaderMap,
    caller: Result<Viewer, ApiError>,
) -> Result<Response, ApiError> {
    if ui::wants_page(&headers) {
        return Ok(ui::page(&method, &headers).await);
    }
    let _caller = caller?;
    let welcome = Welcome {
        name: APP_NAME,
        version: env!("CARGO_PKG_VERSION"),
        status: "running",
        docs: "/docs",
    };
    Ok(([(header::VARY, "accept")], Json(welcome)).into_response())
}

/// That the process answers.
#[derive(Debug, Serialize, ToSchema)]
struct Alive {
    /// Always `healthy`.
    status: &'static str,
}

/// Whether the process answers
#[utoipa::path(get, path = "/health", tag = "system", security(()), responses((status = 200, body = Alive)))]
async fn health() -> Json<Alive> {
    Json(Alive { status: "healthy" })
}

/// Whether the process answers, under the name that orchestrators use
#[utoipa::path(get, path = "/healthz", tag = "system", security(()), responses((status = 200, body = Alive)))]
async fn healthz() -> Json<Alive> {
    Json(Alive { status: "healthy" })
}

/// That work can be done.
#[derive(Debug, Serialize, ToSchema)]
struct Ready {
    /// Always `ready`.
    status: &'static str,
}

/// Whether work can be done
///
/// That is: the database can be written, and the worker is at it. Ask this before sending traffic. It says nothing of Docker, which not every task needs.
#[utoipa::path(get, path = "/readyz", tag = "system", security(()), responses(
    (status = 200, body = Ready),
    (status = 503, description = "Something that every task needs does not answer", body = ErrorBody),
))]
async fn readyz(State(service): State<Arc<Service>>) -> Result<Json<Ready>, ApiError> {
    let faults = [database_state(&service).await, worker_state(&service)];
    let faults: Vec<String> = faults.into_iter().filter_map(|state| state.fault).collect();
    if faults.is_empty() {
        return Ok(Json(Ready { status: "ready" }));
    }
    let text = format!("Not ready: {}", faults.join("; "));
    let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", text);
    Err(error
        .with_hint("the server's log says more; a full disk is the usual cause")
        .retry_after(2))
}

/// How the parts of the service are.
#[derive(Debug, Serialize, ToSchema)]
struct SystemHealth {
    /// `healthy`; `degraded` where the database or the worker does not work.
    #[schema(example = "healthy")]
    status: &'static str,
    /// `ok`, or what is wrong with the database.
    #[schema(example = "ok")]
    database: String,
    /// `ok`, or what is wrong with the worker.
    #[schema(example = "ok")]
    worker: String,
    /// `ok`, or why the Docker daemon cannot be used. Informative: not every task needs it.
    #[schema(example = "ok")]
    docker: String,
}

/// How the database, the worker and the Docker daemon are
#[utoipa::path(get, path = "/api/system/health", operation_id = "parts", tag = "system", responses((status = 200, body = SystemHealth)))]
async fn system_health(State(service): State<Arc<Service>>, _caller: Viewer) -> Json<SystemHealth> {
    let (database, docker) = tokio::join!(database_state(&service), docker_state(&service));
    let worker = worker_state(&service);
    let is_healthy = database.fault.is_none() && worker.fault.is_none();
    Json(SystemHealth {
        status: if is_healthy { "healthy" } else { "degraded" },
        database: database.into_word(),
        worker: worker.into_word(),
        docker: docker.into_word(),
    })
}

/// What this installation is.
#[derive(Debug, Serialize, ToSchema)]
struct SystemInfo {
    /// What the product is called.
    #[schema(example = "Inference Autotuner")]
    app_name: &'static str,
    /// Which version.
    version: &'static str,
    /// Where engines run unless a task says otherwise.
    #[schema(example = "docker")]
    deployment_mode: &'static str,
    /// Every engine that a task may name as `base_runtime`.
    #[schema(example = json!(["vllm", "sglang"]))]
    available_runtimes: Vec<&'static str>,
    /// Whether a Kubernetes cluster is configured, so that tasks may run in it. It may be away.
    kubernetes: bool,
    /// The zone of every time in this API.
    #[schema(example = "UTC")]
    timezone: &'static str,
    /// When the service was started.
    #[schema(format = DateTime)]
    started_at: String,
    /// How long ago that was, in seconds.
    uptime_seconds: f64,
}

/// What this installation is
#[utoipa::path(get, path = "/api/system/info", operation_id = "info", tag = "system", responses((status = 200, body = SystemInfo)))]
async fn system_info(State(service): State<Arc<Service>>, _caller: Viewer) -> Json<SystemInfo> {
    Json(SystemInfo {
        app_name: APP_NAME,
        version: env!("CARGO_PKG_VERSION"),
        deployment_mode: DeploymentMode::Docker.as_str(),
        available_runtimes: EngineKind::ALL.map(EngineKind::as_str).into(),
        kubernetes: service.pods.is_configured(),
        timezone: "UTC",
        started_at: rfc3339(service.started_at_ms),
        uptime_seconds: seconds_between(service.started_at_ms, service.clock.now_ms()),
    })
}

/// Figures for Prometheus
///
/// Text in its exposition format. A scraper shows a viewer's token as `Authorization: Bearer`.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "system", responses(
    (status = 200, description = "Every figure", body = String, content_type = "text/plain"),
))]
async fn prometheus_metrics(State(service): State<Arc<Service>>, _caller: Viewer) -> Response {
    let now_ms = service.clock.now_ms();
    let asked = timeout(DATABASE_PATIENCE, service.database.statistics(now_ms)).await;
    let statistics = asked.ok().and_then(Result::ok);
    let text = metrics::render(&service, statistics.as_ref(), now_ms);
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

/// How a part of the service is.
struct PartState {
    /// What is wrong, with the part's name; nothing where it works.
    fault: Option<String>,
}

impl PartState {
    fn ok() -> Self {
        Self { fault: None }
    }

    fn broken(fault: impl Into<String>) -> Self {
        Self {
            fault: Some(fault.into()),
        }
    }

    fn into_word(self) -> String {
        self.fault.unwrap_or_else(|| "ok".to_owned())
    }
}

async fn database_state(service: &Service) -> PartState {
    match timeout(DATABASE_PATIENCE, service.database.ping()).await {
        Ok(Ok(())) => PartState::ok(),
        Ok(Err(error)) => PartState::broken(error.to_string()),
        Err(_) => PartState::broken(format!(
            "the database did not answer within {} s",
            DATABASE_PATIENCE.as_secs()
        )),
    }
}

fn worker_state(service: &Service) -> PartState {
    let age_ms = service
        .board
        .last_tick_ms()
        .map(|tick_ms| service.clock.now_ms().saturating_sub(tick_ms));
    match age_ms {
        Some(age_ms) if age_ms <= OLDEST_TICK_MS => PartState::ok(),
        Some(age_ms) => PartState::broken(format!(
            "the worker gave its last sign of life {} s ago",
            age_ms / 1_000
        )),
        None => PartState::broken("the worker has not begun"),
    }
}

async fn docker_state(service: &Service) -> PartState {
    let asking = describe(service.config.docker_host.as_deref());
    match timeout(DOCKER_PATIENCE, asking).await {
        Ok(Ok(_)) => PartState::ok(),
        Ok(Err(error)) => PartState::broken(chain(&error)),
        Err(_) => PartState::broken(format!(
            "the Docker daemon did not answer within {} s",
            DOCKER_PATIENCE.as_secs()
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::api::testing::TestService;

    #[tokio::test]
    async fn probes_answer_everybody() {
        let test = TestService::start().await;
        for path in ["/health", "/healthz"] {
            let request = axum::http::Request::get(path).body(axum::body::Body::empty());
            let answer = test.send(None, request.expect("sound")).await.is(200);
            assert_eq!(answer.text, r#"{"status":"healthy"}"#);
        }
        for path in [
            "/",
            "/metrics",
            "/api/system/health",
            "/api/system/info",
            "/api/openapi.json",
        ] {
            let request = axum::http::Request::get(path).body(axum::body::Body::empty());
            test.send(None, request.expect("sound")).await.is(401);
        }
    }

    #[tokio::test]
    async fn a_worker_that_has_not_begun_is_no_ready_service() {
        let test = TestService::start().await;
        let answer = test.get("/readyz").await.is(503);
        assert_eq!(answer.headers["retry-after"], "2");
        assert_eq!(answer.json()["detail"], "Not ready: the worker has not begun");
        let health = test.get("/api/system/health").await.is(200).json();
        assert_eq!(health["status"], "degraded");
        assert_eq!(health["database"], "ok");
        assert_ne!(health["docker"], "ok");
    }

    #[tokio::test]
    async fn the_installation_is_described() {
        let test = TestService::start().await;
        let info = test.get("/api/system/info").await.is(200).json();
        assert_eq!(info["app_name"], "Inference Autotuner");
        assert_eq!(info["timezone"], "UTC");
        assert_eq!(info["uptime_seconds"], 90.0);
        assert_eq!(info["available_runtimes"][0], "vllm");
        assert_eq!(test.get("/").await.is(200).json()["docs"], "/docs");
        let document = test.get("/api/openapi.json").await.is(200).json();
        assert_eq!(document["openapi"], "3.1.0");
    }

    #[tokio::test]
    async fn figures_count_routes_and_never_paths() {
        let test = TestService::start().await;
        test.get("/api/presets/1").await.is(404);
        test.get("/api/presets/2").await.is(404);
        test.get("/health").await.is(200);
        let open = test.service.metrics.open_stream();
        let answer = test.get("/metrics").await.is(200);
        assert_eq!(
            answer.headers["content-type"],
            "text/plain; version=0.0.4; charset=utf-8"
        );
        for line in [
            r#"autotuner_http_requests_total{method="GET",route="/api/presets/{id}",status="4xx"} 2"#,
            r#"autotuner_http_requests_total{method="GET",route="/health",status="2xx"} 1"#,
            r#"autotuner_http_request_duration_seconds_count{method="GET",route="/health"} 1"#,
            r#"autotuner_http_request_duration_seconds_bucket{method="GET",route="/health",le="+Inf"} 1"#,
            r#"autotuner_tasks{status="running"} 0"#,
            "autotuner_experiments_running 0",
            "autotuner_database_up 1",
            "autotuner_streams_open 1",
            "autotuner_panics_total 0",
            "autotuner_uptime_seconds 90",
        ] {
            assert!(
                answer.text.lines().any(|told| told == line),
                "{line}\n{}",
                answer.text
            );
        }
        drop(open);
        let answer = test.get("/metrics").await.is(200);
        assert!(
            answer.text.contains("autotuner_streams_open 0\n"),
            "{}",
            answer.text
        );
    }
}
