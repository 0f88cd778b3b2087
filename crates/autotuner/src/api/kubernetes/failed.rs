//! What a cluster's refusal is answered with.

use autotuner_deploy::kubernetes::pods::PodError;
use axum::http::StatusCode;

use crate::api::error::ApiError;

impl From<PodError> for ApiError {
    fn from(error: PodError) -> Self {
        let text = error.to_string();
        match error {
            PodError::NotConfigured => Self::new(StatusCode::SERVICE_UNAVAILABLE, "no_cluster", text)
                .with_hint("name a kubeconfig with kubernetes_config, or with KUBECONFIG"),
            PodError::Unreachable { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "cluster_unreachable", text).retry_after(5)
            }
            PodError::NotFound { .. } => Self::not_found(text),
            PodError::Name { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_path", text),
            PodError::Invalid { .. } => Self::bad_request("invalid", text),
            // Whose rights are missing are the service's, not the caller's.
            PodError::Refused { .. } => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "cluster_error", text)
                .with_hint(
                    "where it is forbidden, give the service's account the Role of docs/kubernetes.md; \
                     `autotuner doctor` names what is missing",
                ),
        }
    }
}
