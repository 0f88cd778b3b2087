//! Containers and their daemon, looked at.

use std::sync::Arc;

use autotuner_deploy::containers::DaemonInfo;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::failed::of_container;
use super::stats::text;
use super::view::{ContainerInfo, views};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Path, Query, Viewer, truth};
use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(list_containers))
        .routes(routes!(get_container))
        .routes(routes!(docker_info))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Also those that do not run.
    #[serde(default = "yes", deserialize_with = "truth")]
    #[param(default = true)]
    all: bool,
}

fn yes() -> bool {
    true
}

/// Every container of the Docker daemon, newest first
#[utoipa::path(get, path = "/api/docker/containers", tag = "containers", params(ListQuery), responses(
    (status = 200, body = [ContainerInfo]),
    (status = 503, body = ErrorBody, description = "The Docker daemon does not answer"),
))]
async fn list_containers(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<ContainerInfo>>, ApiError> {
    let containers = service.containers.list(query.all).await?;
    Ok(Json(views(&service, &caller, containers).await?))
}

/// One container, by its id, its name or the beginning of its id
#[utoipa::path(get, path = "/api/docker/containers/{id}", tag = "containers", params(("id" = String, Path)), responses(
    (status = 200, body = ContainerInfo),
    (status = 400, body = ErrorBody, description = "The beginning of several ids"),
    (status = 404, body = ErrorBody, description = "There is no such container"),
    (status = 503, body = ErrorBody, description = "The Docker daemon does not answer"),
))]
async fn get_container(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path(id): Path<String>,
) -> Result<Json<ContainerInfo>, ApiError> {
    let found = service.containers.resolve(&id.parse()?).await;
    let container = found.map_err(|error| of_container(error, &id))?;
    let mut views = views(&service, &caller, vec![container]).await?;
    views
        .pop()
        .map(Json)
        .ok_or_else(|| ApiError::not_found(format!("Container {id} not found")))
}

/// A Docker daemon.
#[derive(Debug, Serialize, ToSchema)]
struct DockerInfo {
    /// Its version.
    #[schema(example = "28.5.1")]
    version: String,
    /// The latest version of its API.
    #[schema(example = "1.51")]
    api_version: String,
    /// Containers.
    containers: u64,
    /// Those that run.
    containers_running: u64,
    /// Those that are paused.
    containers_paused: u64,
    /// Those that do not run.
    containers_stopped: u64,
    /// Images.
    images: u64,
    /// Where it keeps their layers.
    #[schema(example = "overlay2")]
    driver: String,
    /// Memory of its machine.
    #[schema(example = "1.88 TB")]
    memory_total: String,
    /// Processors of its machine.
    cpus: u64,
    /// What runs on its machine.
    operating_system: String,
    /// Of its machine.
    #[schema(example = "x86_64")]
    architecture: String,
    /// The same memory in bytes.
    memory_total_bytes: u64,
}

/// What the Docker daemon says of itself
#[utoipa::path(get, path = "/api/docker/info", tag = "containers", responses(
    (status = 200, body = DockerInfo),
    (status = 503, body = ErrorBody, description = "The Docker daemon does not answer"),
))]
async fn docker_info(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
) -> Result<Json<DockerInfo>, ApiError> {
    let DaemonInfo {
        version,
        api_version,
        containers,
        containers_running,
        containers_paused,
        containers_stopped,
        images,
        driver,
        memory_bytes,
        cpus,
        operating_system,
        architecture,
    } = service.containers.info().await?;
    Ok(Json(DockerInfo {
        version,
        api_version,
        containers,
        containers_running,
        containers_paused,
        containers_stopped,
        images,
        driver,
        memory_total: text(memory_bytes),
        cpus,
        operating_system,
        architecture,
        memory_total_bytes: memory_bytes,
    }))
}
