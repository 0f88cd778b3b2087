//! The GPUs of this machine, as a page shows them.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::gpu::{GpuDevice, GpuState};
use autotuner_deploy::gpu::SeenGpu;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::mebibytes;
use crate::api::extract::Viewer;
use crate::clock::rfc3339;
use crate::host::hostname;
use crate::service::Service;
use crate::worker::chain;

/// How long the drivers may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is said where there is no driver, or one without GPUs.
const NONE: &str = "no GPU was found: no driver answers for one, or none is visible to this service";

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(gpu_status))
        .routes(routes!(cluster_gpu_status))
}

/// The GPUs of this machine.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GpuStatus {
    /// Whether there are any that can be asked.
    available: bool,
    /// Each of them; left out where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    gpus: Option<Vec<GpuView>>,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// When this was found.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// One GPU. What its driver does not tell is `null`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GpuView {
    /// Its number on this machine.
    index: u32,
    /// What it is called.
    #[schema(example = "NVIDIA H100 80GB HBM3")]
    name: String,
    /// The driver's own name for it.
    uuid: String,
    /// Who made it.
    #[schema(example = "nvidia")]
    vendor: &'static str,
    #[serde(flatten)]
    use_now: UseView,
    /// Whether an engine could have it now.
    is_free: bool,
    /// Why not.
    obstacle: Option<String>,
}

/// How much of a GPU is in use. What its driver does not tell is `null`.
#[derive(Debug, Serialize, ToSchema)]
struct UseView {
    /// All of its memory, MiB.
    memory_total_mb: Option<f64>,
    /// Memory in use, MiB.
    memory_used_mb: Option<f64>,
    /// Memory not in use, MiB.
    memory_free_mb: Option<f64>,
    /// Share of its memory in use, percent.
    memory_usage_percent: Option<f64>,
    /// Share of the last moments in which something was computed, percent.
    utilization_percent: Option<u8>,
    /// Temperature, degrees Celsius.
    temperature_c: Option<u32>,
    /// Power drawn, watts.
    power_w: Option<f64>,
    /// Power it may draw, watts.
    power_limit_w: Option<f64>,
    /// Processes that compute on it.
    processes: Option<u32>,
}

/// The GPUs of this machine
#[utoipa::path(get, path = "/api/dashboard/gpu-status", tag = "dashboard", responses((status = 200, body = GpuStatus)))]
async fn gpu_status(State(service): State<Arc<Service>>, _caller: Viewer) -> Json<GpuStatus> {
    let timestamp = rfc3339(service.clock.now_ms());
    let (gpus, error) = match survey(&service).await {
        Ok(seen) => (Some(seen.into_iter().map(GpuView::from).collect()), None),
        Err(error) => (None, Some(error)),
    };
    Json(GpuStatus {
        available: gpus.is_some(),
        gpus,
        error,
        timestamp,
    })
}

/// The GPUs of every machine that engines may run on: of this one.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClusterGpuStatus {
    /// Whether there are any that can be asked.
    available: bool,
    /// Always `local`: engines run on this machine.
    mode: &'static str,
    /// Each GPU and where it is.
    nodes: Vec<NodeGpuView>,
    /// How many there are.
    total_gpus: usize,
    /// How many of them an engine could have now.
    total_allocatable_gpus: usize,
    /// The name of this machine.
    local_hostname: String,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// When this was found.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// A GPU and where it is.
#[derive(Debug, Serialize, ToSchema)]
struct NodeGpuView {
    /// The machine.
    node_name: String,
    /// Always 1: a GPU is given away whole.
    capacity: u8,
    /// 1 where an engine could have it now, else 0.
    allocatable: u8,
    /// Whether the machine is this one.
    is_local: bool,
    /// Whether its driver tells how much of it is in use.
    has_metrics: bool,
    #[serde(flatten)]
    gpu: GpuView,
}

/// The GPUs of every machine that engines may run on
///
/// That is this one. The shape is a cluster's, for pages that can show both.
#[utoipa::path(get, path = "/api/dashboard/cluster-gpu-status", tag = "dashboard",
    responses((status = 200, body = ClusterGpuStatus)))]
async fn cluster_gpu_status(State(service): State<Arc<Service>>, _caller: Viewer) -> Json<ClusterGpuStatus> {
    let timestamp = rfc3339(service.clock.now_ms());
    let hostname = hostname();
    let (seen, error) = match survey(&service).await {
        Ok(seen) => (seen, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let nodes: Vec<NodeGpuView> = seen.into_iter().map(|seen| node(&hostname, seen)).collect();
    Json(ClusterGpuStatus {
        available: error.is_none(),
        mode: "local",
        total_gpus: nodes.len(),
        total_allocatable_gpus: nodes.iter().filter(|node| node.allocatable == 1).count(),
        nodes,
        local_hostname: hostname,
        error,
        timestamp,
    })
}

fn node(hostname: &str, seen: SeenGpu) -> NodeGpuView {
    NodeGpuView {
        node_name: hostname.to_owned(),
        capacity: 1,
        allocatable: u8::from(seen.obstacle.is_none()),
        is_local: true,
        has_metrics: seen.state.memory_used_bytes.is_some() || seen.state.utilization_percent.is_some(),
        gpu: seen.into(),
    }
}

/// Every GPU, or why there is none, for people.
async fn survey(service: &Service) -> Result<Vec<SeenGpu>, String> {
    let cancel = CancellationToken::new();
    let _stops_asking = cancel.clone().drop_guard();
    match timeout(PATIENCE, service.gpus.survey(&cancel)).await {
        Ok(Ok(seen)) if seen.is_empty() => Err(NONE.to_owned()),
        Ok(Ok(seen)) => Ok(seen),
        Ok(Err(error)) => Err(chain(&error)),
        Err(_) => Err(format!(
            "the GPU driver did not answer within {} s",
            PATIENCE.as_secs()
        )),
    }
}

impl From<SeenGpu> for GpuView {
    fn from(SeenGpu { state, obstacle }: SeenGpu) -> Self {
        let use_now = UseView::from(&state);
        let GpuDevice {
            index,
            uuid,
            name,
            vendor,
            memory_bytes: _,
        } = state.device;
        Self {
            index,
            name,
            uuid,
            vendor: vendor.as_str(),
            use_now,
            is_free: obstacle.is_none(),
            obstacle: obstacle.map(|obstacle| obstacle.to_string()),
        }
    }
}

impl From<&GpuState> for UseView {
    fn from(state: &GpuState) -> Self {
        let total = Some(state.device.memory_bytes).filter(|total| *total > 0);
        Self {
            memory_total_mb: total.map(mebibytes),
            memory_used_mb: state.memory_used_bytes.map(mebibytes),
            memory_free_mb: state.memory_free_bytes().map(mebibytes),
            memory_usage_percent: state.used_share().map(|share| (share * 10_000.0).round() / 100.0),
            utilization_percent: state.utilization_percent,
            temperature_c: state.temperature_c,
            power_w: state.power_w,
            power_limit_w: state.power_limit_w,
            processes: state.processes,
        }
    }
}
