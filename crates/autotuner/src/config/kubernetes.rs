//! What the configuration says of the cluster that tasks may run in.

use std::time::Duration;

use autotuner_deploy::kubernetes::Whereabouts;

use super::values::{no_tilde, schedule_timeout};
use super::{ConfigError, Options};

/// Which cluster tasks may run in, and how.
#[derive(Debug, Clone)]
pub(crate) struct Kubernetes {
    /// Which cluster and which of its namespaces.
    pub(crate) whereabouts: Whereabouts,
    /// The image with this program.
    pub(crate) agent_image: String,
    /// How GPUs are called.
    pub(crate) gpu_resource: String,
    /// How long a pod may wait for a node.
    pub(crate) schedule_timeout: Duration,
    /// Whether nodes are made as they are needed.
    pub(crate) is_autoscaled: bool,
}

impl Kubernetes {
    /// What the options say.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub(super) fn of(options: &Options) -> Result<Self, ConfigError> {
        no_tilde("kubernetes_config", &options.kubernetes_config)?;
        let named = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let path = &options.kubernetes_config;
        Ok(Self {
            whereabouts: Whereabouts {
                kubeconfig: Some(path.clone()).filter(|path| !path.as_os_str().is_empty()),
                context: named(&options.kubernetes_context),
                namespace: named(&options.kubernetes_namespace),
            },
            agent_image: options.kubernetes_agent_image.clone(),
            gpu_resource: options.kubernetes_gpu_resource.clone(),
            schedule_timeout: schedule_timeout(options.kubernetes_schedule_timeout_seconds)?,
            is_autoscaled: options.kubernetes_autoscaled,
        })
    }
}
