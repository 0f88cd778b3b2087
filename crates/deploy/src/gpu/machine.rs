//! The GPUs of this machine, whoever made them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::gpu::{GpuState, GpuVendor, visible};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::driver::{Drivers, Seen};
use super::nvml::Answer;
use super::{GpuError, GpuSource, smi};
use crate::{blocking, find_program};

/// What [`MachineGpus`] needs to know of its surroundings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GpuConfig {
    /// Where `nvidia-smi` is looked up: the value of `PATH`.
    pub search_path: Option<OsString>,
    /// The GPUs that were left to us: the values of `CUDA_VISIBLE_DEVICES` and of
    /// `HIP_VISIBLE_DEVICES` that we were started with. Drivers do not heed them, so we do.
    pub visible: Vec<(GpuVendor, String)>,
}

/// The GPUs of this machine: NVIDIA's by NVML, else by `nvidia-smi`; AMD's by the kernel.
#[derive(Debug)]
pub struct MachineGpus {
    drivers: Drivers,
    config: GpuConfig,
}

impl MachineGpus {
    /// Asks nothing yet.
    pub fn new(config: GpuConfig) -> Self {
        Self {
            drivers: Drivers::new(PathBuf::from("/sys/class/drm")),
            config,
        }
    }

    async fn by_program(&self, cancel: &CancellationToken) -> Result<Option<Vec<GpuState>>, GpuError> {
        let search_path = self.config.search_path.clone();
        let found = blocking(move || find_program("nvidia-smi", search_path.as_deref())).await;
        match found {
            Ok(program) => smi::look(&program, cancel).await.map(Some),
            Err(_) => Ok(None),
        }
    }
}

#[async_trait]
impl GpuSource for MachineGpus {
    async fn look(&self, cancel: &CancellationToken) -> Result<Vec<GpuState>, GpuError> {
        let Seen { nvidia, amd } = self.drivers.ask(cancel).await?;
        let mut gpus = match nvidia {
            Answer::Gpus(gpus) => gpus,
            Answer::NoDriver => Vec::new(),
            Answer::NoLibrary => self.by_program(cancel).await?.unwrap_or_default(),
            Answer::Failed(message) => match self.by_program(cancel).await? {
                Some(gpus) => gpus,
                None => return Err(GpuError::Driver { message }),
            },
        };
        gpus.extend(amd);
        for (vendor, list) in &self.config.visible {
            gpus = visible(gpus, *vendor, list);
        }
        Ok(gpus)
    }
}

/// The GPUs of this machine as they are now, for a caller without a runtime, or with one that
/// it may keep waiting for as long as `patience`.
///
/// # Errors
/// As [`GpuSource::look`].
pub fn look_now(config: GpuConfig, patience: Duration) -> Result<Vec<GpuState>, GpuError> {
    // A thread of its own: a runtime must not be started or waited for inside another.
    let looking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| GpuError::driver(error.to_string()))?;
        runtime.block_on(async {
            let source = MachineGpus::new(config);
            match timeout(patience, source.look(&CancellationToken::new())).await {
                Ok(gpus) => gpus,
                Err(_) => Err(GpuError::driver("it does not answer")),
            }
        })
    });
    looking
        .join()
        .unwrap_or_else(|_| Err(GpuError::driver("asking it failed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_machine_without_drivers_has_no_gpus_whoever_asks() {
        let drivers = ["/dev/nvidiactl", "/dev/dxg", "/sys/class/drm"];
        let has_drivers = drivers.iter().any(|path| std::path::Path::new(path).exists());
        let seen = look_now(GpuConfig::default(), Duration::from_secs(60));
        let again = MachineGpus::new(GpuConfig::default())
            .look(&CancellationToken::new())
            .await;
        if has_drivers {
            // A machine of which a test knows nothing; its GPUs are the same ones twice.
            let uuids = |gpus: Vec<GpuState>| -> Vec<String> {
                gpus.into_iter().map(|gpu| gpu.device.uuid).collect()
            };
            assert_eq!(seen.map(uuids).ok(), again.map(uuids).ok());
        } else {
            assert_eq!(seen.unwrap(), []);
            assert_eq!(again.unwrap(), []);
        }
    }

    #[tokio::test]
    async fn a_cancelled_look_is_no_look() {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let seen = MachineGpus::new(GpuConfig::default()).look(&cancel).await;
        assert!(matches!(seen, Err(GpuError::Cancelled)));
    }
}
