//! What there is to say of the daemon to a person who asks whether Docker can be used.

use std::time::Duration;

use tokio::time::timeout;

use super::connect::Daemon;
use super::error::target;
use super::gpu::GpuSupport;
use crate::{DeployError, blocking};

/// How long a person waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A daemon, as it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonFacts {
    /// Its version: `20.10.24`.
    pub version: String,
    /// Where it keeps its images and containers.
    pub root: String,
    /// Containers that run, whoever started them.
    pub running: u64,
    /// How it could hand GPUs to containers, one word a way; none where it cannot.
    pub gpu_ways: Vec<&'static str>,
}

/// Asks the daemon at this address, as `DOCKER_HOST` has it, who it is.
///
/// # Errors
/// [`DeployError::TargetGone`] with what to do about it.
pub async fn describe(host: Option<&str>) -> Result<DaemonFacts, DeployError> {
    let asked = async {
        let daemon = Daemon::connect(host).await?;
        let info = daemon.info().await?;
        let support = GpuSupport::of(&info);
        let support = blocking(move || Ok(support.with_files())).await?;
        let ways = [
            (support.has_nvidia, "nvidia"),
            (support.cdi.is_some(), "cdi"),
            (!support.amd_groups.is_empty(), "amd"),
        ];
        Ok(DaemonFacts {
            version: info.server_version.unwrap_or_else(|| "unknown".to_owned()),
            root: info.docker_root_dir.unwrap_or_default(),
            running: info
                .containers_running
                .and_then(|count| u64::try_from(count).ok())
                .unwrap_or_default(),
            gpu_ways: ways
                .into_iter()
                .filter(|(there, _)| *there)
                .map(|(_, way)| way)
                .collect(),
        })
    };
    match timeout(PATIENCE, asked).await {
        Ok(facts) => facts,
        Err(_) => Err(DeployError::TargetGone {
            target: target(host.unwrap_or("its usual socket")),
            message: format!("no answer within {} s", PATIENCE.as_secs()),
        }),
    }
}
