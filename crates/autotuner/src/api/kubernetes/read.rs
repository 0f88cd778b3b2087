//! Pods and their cluster, looked at.

use std::sync::Arc;

use autotuner_deploy::kubernetes::pods::ClusterFacts;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{Lookup, PodInfo, PodWhole};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Path, Viewer};
use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(list_pods))
        .routes(routes!(get_pod))
        .routes(routes!(cluster_info))
}

/// Every pod of this service in the cluster, newest first
///
/// Pods of others are not among them.
#[utoipa::path(get, path = "/api/kubernetes/pods", tag = "kubernetes", responses(
    (status = 200, body = [PodInfo]),
    (status = 500, body = ErrorBody, description = "The cluster would not tell, mostly for want of a right"),
    (status = 503, body = ErrorBody, description = "No cluster is configured (`no_cluster`), or it does not answer (`cluster_unreachable`)"),
))]
async fn list_pods(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
) -> Result<Json<Vec<PodInfo>>, ApiError> {
    let mut lookup = Lookup::default();
    let mut views = Vec::new();
    for pod in service.pods.list().await? {
        let known = lookup.known(&service, &pod).await?;
        views.push(PodInfo::of(pod, known, &caller));
    }
    Ok(Json(views))
}

/// One pod, by its name, with its containers, conditions and events
#[utoipa::path(get, path = "/api/kubernetes/pods/{name}", tag = "kubernetes", params(("name" = String, Path)), responses(
    (status = 200, body = PodWhole),
    (status = 404, body = ErrorBody, description = "There is no such pod, or it is another's"),
    (status = 500, body = ErrorBody, description = "The cluster would not tell, mostly for want of a right"),
    (status = 503, body = ErrorBody, description = "No cluster is configured (`no_cluster`), or it does not answer (`cluster_unreachable`)"),
))]
async fn get_pod(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    Path(name): Path<String>,
) -> Result<Json<PodWhole>, ApiError> {
    let detail = service.pods.detail(&name).await?;
    let known = Lookup::default().known(&service, &detail.pod).await?;
    Ok(Json(PodWhole::of(detail, known, &caller)))
}

/// A Kubernetes cluster.
#[derive(Debug, Serialize, ToSchema)]
struct ClusterInfo {
    /// Where its API is.
    #[schema(example = "https://10.0.0.1:6443/")]
    server: String,
    /// The namespace of this service's Jobs.
    #[schema(example = "tuning")]
    namespace: String,
    /// Its version.
    #[schema(example = "v1.33.1")]
    version: String,
}

/// Which cluster it is
#[utoipa::path(get, path = "/api/kubernetes/info", tag = "kubernetes", responses(
    (status = 200, body = ClusterInfo),
    (status = 503, body = ErrorBody, description = "No cluster is configured (`no_cluster`), or it does not answer (`cluster_unreachable`)"),
))]
async fn cluster_info(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
) -> Result<Json<ClusterInfo>, ApiError> {
    let ClusterFacts {
        server,
        namespace,
        version,
    } = service.pods.cluster().await?;
    Ok(Json(ClusterInfo {
        server,
        namespace,
        version,
    }))
}
