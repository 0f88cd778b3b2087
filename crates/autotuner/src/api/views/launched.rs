//! What was started, without secrets.

use std::collections::BTreeMap;
use std::time::Duration;

use autotuner_core::experiment::{ContainerFacts, ImageFacts, LaunchFacts};
use autotuner_core::gpu::GpuDevice;

/// What was started, as it is told.
pub(super) struct Launched {
    pub(super) effective_arguments: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) engine_version: Option<String>,
    pub(super) ready_after: Option<f64>,
    pub(super) image: Option<ImageFacts>,
    pub(super) gpus: Vec<GpuDevice>,
    pub(super) base_url: Option<String>,
    pub(super) container: Option<ContainerFacts>,
}

impl Launched {
    /// What these facts say.
    pub(super) fn of(launch: LaunchFacts) -> Self {
        let LaunchFacts {
            command,
            env,
            engine_version,
            ready_after_ms,
            image,
            gpus,
            base_url,
            container,
        } = launch;
        Self {
            effective_arguments: command,
            environment: env
                .into_iter()
                .map(|(name, value)| {
                    let value = crate::worker::secret::shown(&name, &value);
                    (name, value)
                })
                .collect(),
            engine_version,
            ready_after: ready_after_ms.map(|ms| Duration::from_millis(ms).as_secs_f64()),
            image,
            gpus,
            base_url,
            container,
        }
    }
}
