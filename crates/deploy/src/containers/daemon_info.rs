//! What the daemon says of itself.

use super::{ContainerError, Containers};

/// A daemon, as it describes itself; what it does not tell is empty or 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonInfo {
    /// Its version: `20.10.24`.
    pub version: String,
    /// The latest version of its API that it speaks: `1.41`.
    pub api_version: String,
    /// Containers, whatever they are at.
    pub containers: u64,
    /// Those that run.
    pub containers_running: u64,
    /// Those that are paused.
    pub containers_paused: u64,
    /// Those that do not run.
    pub containers_stopped: u64,
    /// Images.
    pub images: u64,
    /// Where it keeps their layers: `overlay2`.
    pub driver: String,
    /// Memory of its machine, in bytes.
    pub memory_bytes: u64,
    /// Processors of its machine.
    pub cpus: u64,
    /// What runs on its machine: `Debian GNU/Linux 12 (bookworm)`.
    pub operating_system: String,
    /// Of its machine: `x86_64`.
    pub architecture: String,
}

impl Containers {
    /// Asks the daemon about itself.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub async fn info(&self) -> Result<DaemonInfo, ContainerError> {
        let reach = &self.shared.reach;
        let daemon = reach.daemon().await?;
        let (info, version) = tokio::join!(
            reach.look(&daemon, "", daemon.docker().info()),
            reach.look(&daemon, "", daemon.docker().version()),
        );
        let (info, version) = (info?, version?);
        let count = |count: Option<i64>| u64::try_from(count.unwrap_or_default()).unwrap_or_default();
        Ok(DaemonInfo {
            version: info.server_version.or(version.version).unwrap_or_default(),
            api_version: version.api_version.unwrap_or_default(),
            containers: count(info.containers),
            containers_running: count(info.containers_running),
            containers_paused: count(info.containers_paused),
            containers_stopped: count(info.containers_stopped),
            images: count(info.images),
            driver: info.driver.unwrap_or_default(),
            memory_bytes: count(info.mem_total),
            cpus: count(info.ncpu),
            operating_system: info.operating_system.unwrap_or_default(),
            architecture: info.architecture.unwrap_or_default(),
        })
    }
}
