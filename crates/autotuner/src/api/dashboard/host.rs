//! The machine that the service runs on, as a page shows it.

use std::sync::Arc;
use std::time::Duration;

use autotuner_store::Role;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::extract::Viewer;
use crate::clock::rfc3339;
use crate::host::use_now::{disk, load_of_a_minute, memory, uptime_seconds};
use crate::host::{hostname, percent};
use crate::service::Service;

/// How long the file system of the data directory may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(host_status))
}

/// The machine that the service runs on. What it does not tell is `null`.
#[derive(Debug, Serialize, ToSchema)]
struct HostStatus {
    /// Its name.
    hostname: String,
    /// Logical processors that the service may use.
    cpus: usize,
    /// How busy all processors were since somebody last looked, percent of all of them; over a quarter of a second where nobody has looked within a minute.
    cpu_percent: Option<f64>,
    /// Threads that ran or wanted to, on average of the last minute.
    load_1m: Option<f64>,
    /// All memory, bytes.
    memory_total_bytes: Option<u64>,
    /// Memory that programs could not have, bytes.
    memory_used_bytes: Option<u64>,
    /// The share of it, percent.
    memory_percent: Option<f64>,
    /// All room on the file system of the data directory, bytes.
    disk_total_bytes: Option<u64>,
    /// What the service could still write there, bytes.
    disk_free_bytes: Option<u64>,
    /// The data directory; only administrators are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_dir: Option<String>,
    /// How long the machine has been up, seconds.
    uptime_seconds: Option<f64>,
    /// When this was found.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// The machine that the service runs on: processors, memory, disk
#[utoipa::path(get, path = "/api/dashboard/host-status", tag = "dashboard",
    responses((status = 200, body = HostStatus)))]
async fn host_status(State(service): State<Arc<Service>>, Viewer(caller): Viewer) -> Json<HostStatus> {
    let directory = service.config.data_dir.clone();
    // A file system on another machine that does not answer keeps one thread, and nobody here.
    let asked = timeout(PATIENCE, spawn_blocking(move || disk(&directory)));
    let (disk, cpu_percent) = tokio::join!(asked, service.host.processors.busy_percent());
    let disk = disk.ok().and_then(Result::ok).flatten();
    let memory = memory();
    let is_admin = caller.role >= Role::Admin;
    Json(HostStatus {
        hostname: hostname(),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        cpu_percent,
        load_1m: load_of_a_minute(),
        memory_total_bytes: memory.map(|memory| memory.total),
        memory_used_bytes: memory.map(|memory| memory.used),
        memory_percent: memory.and_then(|memory| percent(memory.used, memory.total)),
        disk_total_bytes: disk.map(|disk| disk.total),
        disk_free_bytes: disk.map(|disk| disk.free),
        data_dir: is_admin.then(|| service.config.data_dir.display().to_string()),
        uptime_seconds: uptime_seconds(),
        timestamp: rfc3339(service.clock.now_ms()),
    })
}
