//! What a cluster's refusals mean to us.

use crate::DeployError;
use crate::error::whole_story;

/// How a cluster is called in messages.
pub(super) fn cluster_at(server: &str) -> String {
    format!("the Kubernetes cluster at {server}")
}

/// A call that failed: refused by the cluster, or not heard.
pub(super) fn refused(action: &'static str, server: &str, error: kube::Error) -> DeployError {
    match error {
        // The server is there and too busy, or starting: as good as away.
        kube::Error::Api(status) if status.code == 429 || status.code >= 500 => DeployError::TargetGone {
            target: cluster_at(server),
            message: status.message,
        },
        kube::Error::Api(status) => DeployError::Refused {
            action,
            message: status.message,
        },
        kube::Error::SerdeError(error) => DeployError::Refused {
            action,
            message: format!("its answer is not understood: {error}"),
        },
        other => DeployError::TargetGone {
            target: cluster_at(server),
            message: whole_story(&other),
        },
    }
}
