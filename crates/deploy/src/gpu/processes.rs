//! Which processes use which GPU, as far as NVIDIA's driver tells.
//!
//! Asked by a thread of its own, like everything of drivers, so that one that hangs costs what it
//! would have told and nothing else. Process ids are those of this machine's own namespace.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::GpuError;
use super::driver::Drivers;
use super::nvml::{Library, Listed};

/// How long a look may take: others wait for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// A process that uses a GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GpuProcess {
    /// Its id.
    pub(crate) pid: u32,
    /// The GPU's place among those of the machine.
    pub(crate) index: u32,
    /// The GPU's own id.
    pub(crate) uuid: String,
    /// The GPU's model.
    pub(crate) name: String,
    /// Bytes of its memory that the process holds; `None` where the driver does not tell.
    pub(crate) memory_bytes: Option<u64>,
    /// How busy the process keeps it, in percent; `None` where the driver does not tell.
    pub(crate) utilization_percent: Option<u32>,
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SeenProcesses {
    /// Every process that uses a GPU.
    All(Vec<GpuProcess>),
    /// There is no driver, or not its library.
    NoDriver,
    /// It did not answer, or failed.
    Unknown,
}

/// Whoever can tell which processes use GPUs.
#[derive(Debug)]
pub(crate) struct GpuProcesses {
    drivers: Drivers<Listed>,
}

impl Default for GpuProcesses {
    fn default() -> Self {
        let mut library = Library::default();
        Self {
            drivers: Drivers::asking("GPU processes", move || library.processes()),
        }
    }
}

impl GpuProcesses {
    /// Who uses GPUs now.
    pub(crate) async fn look(&self) -> SeenProcesses {
        match tokio::time::timeout(PATIENCE, self.ask()).await {
            Ok(Ok(Listed::All(processes))) => SeenProcesses::All(processes),
            Ok(Ok(Listed::NoDriver)) => SeenProcesses::NoDriver,
            Ok(Ok(Listed::Failed)) | Ok(Err(_)) | Err(_) => SeenProcesses::Unknown,
        }
    }

    async fn ask(&self) -> Result<Listed, GpuError> {
        self.drivers.ask(&CancellationToken::new()).await
    }
}
