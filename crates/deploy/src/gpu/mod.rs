//! The GPUs of this machine: found, held for one engine at a time, and watched.
//!
//! The one idea: whoever knows about GPUs is a [`GpuSource`], which is asked again each time;
//! nothing that a driver said is believed a second later. Which GPUs to take is judged by
//! `autotuner_core::gpu`; here is only what has to ask, wait and lock. A machine without GPU
//! drivers has no GPUs, and is found to have none without starting anything.

mod amd;
mod driver;
mod error;
mod fixed;
mod lock;
mod machine;
mod nvml;
mod pool;
mod processes;
mod sampler;
mod smi;
pub(crate) mod visibility;

use std::fmt;

use async_trait::async_trait;
use autotuner_core::gpu::GpuState;
use tokio_util::sync::CancellationToken;

pub use error::GpuError;
pub use fixed::FixedGpus;
pub use machine::{GpuConfig, MachineGpus, look_now};
pub use pool::{GpuPool, HeldGpus, MACHINE_FOLDER, SeenGpu};
pub(crate) use processes::{GpuProcess, GpuProcesses, SeenProcesses};
pub use sampler::{GpuSampler, Sampled};

/// Whoever knows which GPUs there are and how they are.
#[async_trait]
pub trait GpuSource: Send + Sync + fmt::Debug {
    /// All GPUs that we may use, as they are now; none where there is no driver. Never
    /// blocks the runtime, and gives up by itself where a driver does not answer.
    ///
    /// # Errors
    /// [`GpuError::Driver`] where there is a driver that cannot tell;
    /// [`GpuError::Cancelled`].
    async fn look(&self, cancel: &CancellationToken) -> Result<Vec<GpuState>, GpuError>;
}
